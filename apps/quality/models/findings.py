"""Rows that break a rule, and the order to their department to mend them."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.models import Governed
from apps.quality.models.rules import QualityRule
from apps.quality.models.runs import Basis, QualityRun


class WorkOrderStatus(models.TextChoices):
    OPEN = "open", _("待签收")
    IN_MENDING = "in_mending", _("整改中")
    CONTESTED = "contested", _("主管部门不认可")
    CLOSED = "closed", _("已整改")
    ACCEPTED = "accepted", _("核实无误")
    CANCELLED = "cancelled", _("规则停用")


LIVE_ORDERS = ("open", "in_mending", "contested")


class WorkOrder(Governed):
    """What a failing rule owes its department: one live order a rule, reused while it fails.

    failed, evaluated: as the last run counted; failed_at_first: when the order was opened.
    basis: whether rows of the table fail, or records of a delivered file that did not land.
    closed_by_batch: the batch after which no row failed; it is the evidence.
    head_told_at, leader_told_at: when its being overdue was told to them.

    Source: 《政务数据共享条例》第二十六条; the order is a house rule
    """

    Status = WorkOrderStatus

    succession: ClassVar[dict[str, str]] = {"department": "moves"}
    succession_open: ClassVar[Q] = Q(status__in=LIVE_ORDERS)
    handover: ClassVar[dict[str, Q | None]] = {"acknowledged_by": None, "contested_by": None}

    number = models.CharField(_("工单编号"), max_length=20, unique=True, editable=False)
    rule = models.ForeignKey(
        QualityRule, models.PROTECT, related_name="work_orders", verbose_name=_("质量规则")
    )
    dataset = models.ForeignKey(
        "catalog.Dataset",
        models.PROTECT,
        related_name="work_orders",
        verbose_name=_("数据目录"),
    )
    department = models.ForeignKey(
        "accounts.Department",
        models.PROTECT,
        related_name="work_orders",
        verbose_name=_("整改部门"),
    )
    basis = models.CharField(_("评价对象"), max_length=10, choices=Basis)
    status = models.CharField(
        _("状态"),
        max_length=12,
        choices=WorkOrderStatus,
        default=WorkOrderStatus.OPEN,
        editable=False,
    )
    failed = models.PositiveBigIntegerField(_("现有问题数"))
    failed_at_first = models.PositiveBigIntegerField(_("最初问题数"))
    evaluated = models.PositiveBigIntegerField(_("评价数"))
    opened_by_run = models.ForeignKey(
        QualityRun, models.PROTECT, related_name="orders_opened", verbose_name=_("发现于")
    )
    last_run = models.ForeignKey(
        QualityRun, models.PROTECT, related_name="+", verbose_name=_("最近一次检查")
    )
    closed_by_run = models.ForeignKey(
        QualityRun,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="orders_closed",
        verbose_name=_("核销于"),
    )
    closed_by_batch = models.ForeignKey(
        "warehouse.Batch",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="orders_closed",
        verbose_name=_("整改批次"),
    )
    opened_at = models.DateTimeField(_("开具时间"))
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("签收人"),
    )
    acknowledged_at = models.DateTimeField(_("签收时间"), null=True, blank=True)
    plan = models.TextField(_("整改措施"), blank=True)
    contested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("提出不认可的人"),
    )
    remark = models.TextField(_("理由"), blank=True)
    closed_at = models.DateTimeField(_("办结时间"), null=True, blank=True)
    head_told_at = models.DateTimeField(_("告知负责人时间"), null=True, blank=True)
    leader_told_at = models.DateTimeField(_("报告主管部门时间"), null=True, blank=True)

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("整改工单")
        verbose_name_plural = _("整改工单")
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("department", "status"), name="quality_order_of_department"),
            models.Index(fields=("dataset", "-id"), name="quality_order_of_dataset"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("rule",),
                condition=Q(status__in=LIVE_ORDERS),
                name="quality_order_one_live_a_rule",
            ),
            models.CheckConstraint(
                condition=Q(status__in=LIVE_ORDERS, closed_at=None)
                | ~Q(status__in=LIVE_ORDERS) & Q(closed_at__isnull=False),
                name="quality_order_end_dated",
            ),
            models.CheckConstraint(
                condition=Q(acknowledged_at=None, acknowledged_by=None)
                | Q(acknowledged_at__isnull=False, acknowledged_by__isnull=False),
                name="quality_order_acknowledgement_whole",
            ),
            models.CheckConstraint(
                condition=~Q(status="closed") | Q(closed_by_run__isnull=False, failed=0),
                name="quality_order_closed_by_evidence",
            ),
        )

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return f"/work/quality/orders/{self.pk}/"


class FindingStatus(models.TextChoices):
    OPEN = "open", _("待整改")
    FIXED = "fixed", _("已改正")
    ACCEPTED = "accepted", _("核实无误")
    DISPUTED = "disputed", _("不予认可")
    VOID = "void", _("规则停用")


FAILING = ("open", "disputed")
"""Findings that count against the score."""

LIVE_FINDINGS = (*FAILING, "accepted")
"""Findings whose row still is as the rule does not want it."""


class Finding(Governed):
    """One row of the table that breaks one rule: found once, and again if it breaks it again.

    row_id: the row's `_id`. row_batch: the `_batch` of the version that was looked at last.
    key, values: column → text, of the business key and of the rule's columns as they stand there.
    outcome: how it came to be fixed.
    """

    Status = FindingStatus

    class Outcome(models.TextChoices):
        NONE = "", _("尚无结果")
        CHANGED = "changed", _("数据已更改")
        REMOVED = "removed", _("数据已移出")
        RULE_CHANGED = "rule_changed", _("规则已变动")

    handover: ClassVar[dict[str, Q | None]] = {"decided_by": None}

    rule = models.ForeignKey(
        QualityRule,
        models.PROTECT,
        db_index=False,  # the unique constraint begins with it; so with the others
        related_name="findings",
        verbose_name=_("质量规则"),
    )
    dataset = models.ForeignKey(
        "catalog.Dataset",
        models.PROTECT,
        db_index=False,
        related_name="findings",
        verbose_name=_("数据目录"),
    )
    work_order = models.ForeignKey(
        WorkOrder,
        models.PROTECT,
        db_index=False,
        null=True,
        blank=True,
        related_name="findings",
        verbose_name=_("整改工单"),
    )
    row_id = models.BigIntegerField(_("记录标识"))
    row_batch = models.PositiveBigIntegerField(_("入库序号"))
    key = models.JSONField(_("主键"), default=dict)
    values = models.JSONField(_("问题数据"), default=dict)
    status = models.CharField(
        _("状态"),
        max_length=10,
        choices=FindingStatus,
        default=FindingStatus.OPEN,
        editable=False,
    )
    outcome = models.CharField(_("结果"), max_length=12, choices=Outcome, blank=True)
    rule_version = models.PositiveIntegerField(_("规则版本"))
    first_run = models.ForeignKey(
        QualityRun, models.PROTECT, db_index=False, related_name="+", verbose_name=_("首次发现")
    )
    last_run = models.ForeignKey(
        QualityRun, models.PROTECT, db_index=False, related_name="+", verbose_name=_("最近一次检查")
    )
    times_found = models.PositiveIntegerField(_("发现次数"), default=1)
    fixed_at = models.DateTimeField(_("改正时间"), null=True, blank=True)
    reason = models.TextField(_("核实说明"), blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        db_index=False,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("核实人"),
    )
    decided_at = models.DateTimeField(_("核实时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("质量问题")
        verbose_name_plural = _("质量问题")
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("dataset", "status", "-id"), name="quality_finding_of_dataset"),
            models.Index(fields=("work_order", "status"), name="quality_finding_of_order"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("rule", "row_id"), name="quality_finding_once_a_rule_and_row"
            ),
            models.CheckConstraint(
                condition=~Q(status="fixed") | Q(fixed_at__isnull=False),
                name="quality_finding_fixed_dated",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=("accepted", "disputed"))
                | Q(decided_by__isnull=False, decided_at__isnull=False) & ~Q(reason=""),
                name="quality_finding_decision_whole",
            ),
        )

    def __str__(self) -> str:
        return f"{self.rule} · {'、'.join(str(value) for value in self.key.values())}"
