"""Responsibility lists: what each department has to gather, how much, how often and until when.

Source: 渝大数据复函〔2019〕124号 (目录分解为部门责任清单)
"""

from datetime import date
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.accounts.models import Department, InformationSystem
from apps.catalog.models.choices import OpeningAttribute, SharingAttribute, UpdateCycle
from apps.catalog.models.dataset import Dataset
from apps.catalog.models.demand import Demand
from apps.core.models import Governed


class ResponsibilityListStatus(models.TextChoices):
    COMPILING = "compiling", _("编制中")
    CONSULTING = "consulting", _("征求意见中")
    ISSUED = "issued", _("已印发")
    ADJUSTING = "adjusting", _("年度调整中")
    CLOSED = "closed", _("已结束")


class DutyStatus(models.TextChoices):
    PROPOSED = "proposed", _("待部门确认")
    ACCEPTED = "accepted", _("部门已确认")
    OBJECTED = "objected", _("部门有异议")
    SETTLED = "settled", _("异议已答复")
    IN_FORCE = "in_force", _("履行中")
    PERFORMED = "performed", _("已报完成")
    DONE = "done", _("已核实完成")
    RELEASED = "released", _("已免除")
    DROPPED = "dropped", _("未列入")


class DutyOrigin(models.TextChoices):
    CATALOGUE = "catalogue", _("目录分解")
    DEMAND = "demand", _("需求")
    TYPED = "typed", _("手工列入")
    CARRIED = "carried", _("上年转入")
    SPLIT = "split", _("上级事项拆分")


class ResponsibilityList(Governed):
    """One department's list of one batch (批次) of a year; its lines are `Duty`.

    code: "<year>-<batch>-<department's code>", given at compilation and kept through reforms, by
    which a repeated decomposition finds it again.
    """

    Status = ResponsibilityListStatus

    # What is over keeps the old names.
    succession: ClassVar[dict[str, str]] = {"department": "moves"}
    succession_open: ClassVar[Q] = ~Q(status="closed")
    handover: ClassVar[dict[str, Q | None]] = {"issued_by": None, "replied_by": None}

    code = models.CharField(_("清单编号"), max_length=120, unique=True, editable=False)
    department = models.ForeignKey(
        Department,
        models.PROTECT,
        related_name="responsibility_lists",
        verbose_name=_("责任部门"),
    )
    year = models.PositiveSmallIntegerField(_("年度"))
    batch = models.CharField(_("批次"), max_length=40)
    previous = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="following",
        verbose_name=_("上年清单"),
    )
    status = models.CharField(
        _("状态"),
        max_length=12,
        choices=ResponsibilityListStatus,
        default=ResponsibilityListStatus.COMPILING,
        editable=False,
    )
    consult_due_on = models.DateField(_("征求意见截止"), null=True, blank=True)
    opinion = models.TextField(_("部门意见"), blank=True)
    replied_at = models.DateTimeField(_("回复时间"), null=True, blank=True)
    replied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("回复人"),
    )
    issued_at = models.DateTimeField(_("印发时间"), null=True, blank=True)
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("印发人"),
    )

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("责任清单")
        verbose_name_plural = _("责任清单")
        ordering = ["-year", "-id"]
        indexes = [
            models.Index(fields=["status", "department"], name="catalog_resplist_by_status"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["compiling", "consulting"], issued_at__isnull=True)
                | Q(status__in=["issued", "adjusting", "closed"], issued_at__isnull=False),
                name="catalog_responsibilitylist_issued_has_time",
                violation_error_message=_("已印发的清单应有印发时间"),
            ),
            models.CheckConstraint(
                condition=Q(replied_at=None) | Q(replied_by__isnull=False),
                name="catalog_responsibilitylist_reply_has_person",
                violation_error_message=_("回复应有回复人"),
            ),
        ]

    def __str__(self) -> str:
        return str(
            _("%(department)s %(year)s 年责任清单（%(batch)s）")
            % {"department": self.department, "year": self.year, "batch": self.batch}
        )

    def get_absolute_url(self) -> str:
        return reverse("catalog:responsibility-list", args=[self.pk])


class Duty(Governed):
    """One line of a list: a dataset that a department promises, with its measures.

    dataset: empty while a promised dataset does not exist yet. demand: what it is promised for.
    item_columns, item_names: the promised items, in order and in step; a column is "" where only
    the name is known. parent: the duty of which this is a part, given to an internal unit or a
    district's department. previous: the same duty in last year's list. Overdue is computed, never
    stored.
    Units: expected_rows and performed_rows are records.
    """

    Status = DutyStatus
    Origin = DutyOrigin

    succession: ClassVar[dict[str, str]] = {"department": "moves"}
    succession_open: ClassVar[Q] = ~Q(status__in=["released", "dropped"]) & ~Q(
        responsibility_list__status="closed"
    )

    responsibility_list = models.ForeignKey(
        ResponsibilityList, models.PROTECT, related_name="duties", verbose_name=_("责任清单")
    )
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="duties", verbose_name=_("承担部门")
    )
    internal_unit = models.CharField(_("承担处室"), max_length=100, blank=True)
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="parts",
        verbose_name=_("上级事项"),
    )
    previous = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="following",
        verbose_name=_("上年事项"),
    )
    origin = models.CharField(
        _("来源"), max_length=10, choices=DutyOrigin, default=DutyOrigin.CATALOGUE
    )
    dataset = models.ForeignKey(
        Dataset,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="duties",
        verbose_name=_("数据目录"),
    )
    demand = models.ForeignKey(
        Demand,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="duties",
        verbose_name=_("数据需求"),
    )
    title = models.CharField(_("责任事项"), max_length=100)
    item_columns = ArrayField(
        models.CharField(max_length=51, blank=True),
        verbose_name=_("数据项列名"),
        default=list,
        blank=True,
    )
    item_names = ArrayField(
        models.CharField(max_length=50), verbose_name=_("数据项"), default=list, blank=True
    )
    expected_rows = models.PositiveBigIntegerField(
        _("应归集条数"), null=True, blank=True, help_text=_("应当归集的记录数；不能确定的留空。")
    )
    update_cycle = models.CharField(
        _("更新周期"), max_length=20, choices=UpdateCycle, default=UpdateCycle.YEARLY
    )
    due_on = models.DateField(_("完成期限"), null=True, blank=True)
    contact_name = models.CharField(_("联系人"), max_length=50, blank=True)
    contact_phone = models.CharField(_("联系电话"), max_length=40, blank=True)
    sharing_attribute = models.CharField(
        _("共享属性"),
        max_length=20,
        choices=SharingAttribute,
        default=SharingAttribute.UNCONDITIONAL,
    )
    opening_attribute = models.CharField(
        _("开放属性"),
        max_length=20,
        choices=OpeningAttribute,
        default=OpeningAttribute.NOT_OPENED,
    )
    system = models.ForeignKey(
        InformationSystem,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="duties",
        verbose_name=_("来源信息系统"),
    )
    objection = models.TextField(_("部门异议"), blank=True)
    settlement = models.TextField(_("异议答复"), blank=True)
    evidence = models.TextField(_("完成说明"), blank=True)
    performed_rows = models.PositiveBigIntegerField(_("已归集条数"), null=True, blank=True)
    performed_at = models.DateTimeField(_("报完成时间"), null=True, blank=True)
    status = models.CharField(
        _("状态"),
        max_length=10,
        choices=DutyStatus,
        default=DutyStatus.PROPOSED,
        editable=False,
    )

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("责任事项")
        verbose_name_plural = _("责任事项")
        ordering = ["responsibility_list", "id"]
        indexes = [
            models.Index(fields=["department", "status"], name="catalog_duty_by_department"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["responsibility_list", "dataset"],
                condition=Q(parent=None, dataset__isnull=False) & ~Q(status="dropped"),
                name="catalog_duty_dataset_once_in_list",
                violation_error_message=_("同一目录在一份清单里只列一次"),
            ),
            models.CheckConstraint(
                condition=Q(due_on__isnull=False)
                | ~Q(status__in=["in_force", "performed", "done"]),
                name="catalog_duty_in_force_has_due_date",
                violation_error_message=_("印发的责任事项应有完成期限"),
            ),
            models.CheckConstraint(
                condition=Q(parent=None) | ~Q(parent=F("id")),
                name="catalog_duty_is_not_its_own_part",
                violation_error_message=_("责任事项不能是自己的下级"),
            ),
            models.CheckConstraint(
                condition=Q(item_columns__len=F("item_names__len")),
                name="catalog_duty_items_in_step",
                violation_error_message=_("数据项的列名与名称个数不同"),
            ),
            models.CheckConstraint(
                condition=Q(performed_at__isnull=False) | ~Q(status__in=["performed", "done"]),
                name="catalog_duty_performed_has_time",
                violation_error_message=_("已报完成的应有时间"),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("catalog:duty", args=[self.pk])

    def is_overdue(self, today: date) -> bool:
        """Say whether its day has passed and nobody reported it done."""
        return (
            self.status == DutyStatus.IN_FORCE and self.due_on is not None and self.due_on < today
        )
