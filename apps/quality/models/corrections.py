"""Corrections 校核: a consumer says that a value, a record or a dataset is wrong."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.accounts.models import Department, InformationSystem
from apps.catalog.models import Dataset
from apps.core.models import Governed
from apps.warehouse.models import Batch

CORRECTION_OVER = ("closed", "withdrawn")


class CorrectionStatus(models.TextChoices):
    RAISED = "raised", _("待受理")
    ACCEPTED = "accepted", _("已受理")
    VERIFYING = "verifying", _("核实中")
    CORRECTING = "correcting", _("待更正")
    CORRECTED = "corrected", _("已更正")
    CONFIRMED_RIGHT = "confirmed_right", _("核实无误")
    FEEDBACK = "feedback", _("已反馈")
    CONTESTED = "contested", _("有异议")
    CLOSED = "closed", _("已办结")
    WITHDRAWN = "withdrawn", _("已撤回")


class CorrectionScope(models.TextChoices):
    DATASET = "dataset", _("整个数据集")
    ROW = "row", _("整条记录")
    VALUE = "value", _("单个数据项的值")


class CorrectionOutcome(models.TextChoices):
    """What the provider found; nothing until its approver decides."""

    NONE = "", _("尚未认定")
    WRONG = "wrong", _("确有错误")
    RIGHT = "right", _("核实无误")


class Correction(Governed):
    """A consumer doubts a value, a record or a dataset; the department that owns it verifies.

    row_id: the `_id` of the record in its table, for life. row_key: its business key as the
    provider's table has it, column by column; the raiser sees it only with `is_key_known`.
    seen_value, claimed_value, final_value: as text; None is "not stated", "" is "should be empty".
    grant_number: the key of the grant under which the raiser read the record.
    is_marked: the value, record or dataset is shown as under correction to whoever reads it.
    row_batch: the table's `_batch` of the record when it was decided.

    Source: 《政务数据共享条例》第二十六条
    """

    Status = CorrectionStatus
    Scope = CorrectionScope
    Outcome = CorrectionOutcome

    succession: ClassVar[dict[str, str]] = {"department": "moves", "handler": "moves"}
    succession_open: ClassVar[Q] = ~Q(status__in=CORRECTION_OVER)
    handover: ClassVar[dict[str, Q | None]] = {
        "raised_by": ~Q(status__in=CORRECTION_OVER),
        "decided_by": None,
    }

    number = models.CharField(_("校核编号"), max_length=20, unique=True, editable=False)
    dataset = models.ForeignKey(
        Dataset, models.PROTECT, related_name="corrections", verbose_name=_("数据目录")
    )
    scope = models.CharField(_("校核范围"), max_length=10, choices=CorrectionScope)
    row_id = models.BigIntegerField(_("记录号"), null=True, blank=True)
    row_key: models.JSONField[Any, Any] = models.JSONField(_("主键"), default=dict, blank=True)
    is_key_known = models.BooleanField(_("提出方可见主键"), default=False)
    item = models.CharField(_("数据项列名"), max_length=60, blank=True)
    item_label = models.CharField(_("数据项"), max_length=100, blank=True)
    seen_value = models.TextField(_("所见的值"), null=True, blank=True)
    claimed_value = models.TextField(_("主张的值"), null=True, blank=True)
    description = models.TextField(_("问题说明"), blank=True)
    evidence = models.TextField(_("依据"), blank=True)
    evidence_file = models.FileField(
        _("依据材料"), upload_to="quality/corrections/%Y/", blank=True, max_length=200
    )
    evidence_sha256 = models.CharField(_("材料 SHA-256"), max_length=64, blank=True)
    department = models.ForeignKey(
        Department,
        models.PROTECT,
        related_name="corrections_raised",
        verbose_name=_("提出部门"),
    )
    system = models.ForeignKey(
        InformationSystem,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="corrections",
        verbose_name=_("提出系统"),
    )
    grant_number = models.PositiveBigIntegerField(_("授权编号"), null=True, blank=True)
    raised_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("提出人")
    )
    raised_at = models.DateTimeField(_("提出时间"))
    handler = models.ForeignKey(
        Department,
        models.PROTECT,
        related_name="corrections_to_verify",
        verbose_name=_("核实部门"),
    )
    route_reason = models.CharField(_("转交依据"), max_length=500, blank=True)
    status = models.CharField(
        _("状态"),
        max_length=20,
        choices=CorrectionStatus,
        default=CorrectionStatus.RAISED,
        editable=False,
    )
    is_marked = models.BooleanField(_("标注校核中"), default=True, editable=False)
    outcome = models.CharField(
        _("核实结果"), max_length=10, choices=CorrectionOutcome, blank=True, editable=False
    )
    explanation = models.TextField(_("核实说明"), blank=True, editable=False)
    final_value = models.TextField(_("更正为"), null=True, blank=True, editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("认定人"),
    )
    decided_at = models.DateTimeField(_("认定时间"), null=True, blank=True, editable=False)
    row_batch = models.PositiveBigIntegerField(_("认定时的入库序号"), null=True, editable=False)
    batch = models.ForeignKey(
        Batch,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="corrections",
        verbose_name=_("更正批次"),
    )
    corrected_at = models.DateTimeField(_("更正时间"), null=True, blank=True, editable=False)
    fed_back_at = models.DateTimeField(_("反馈时间"), null=True, blank=True, editable=False)
    objection = models.TextField(_("异议"), blank=True, editable=False)
    closed_at = models.DateTimeField(_("办结时间"), null=True, blank=True, editable=False)

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("校核")
        verbose_name_plural = _("校核")
        ordering = ("-id",)
        indexes = (
            models.Index(
                fields=("dataset", "row_id"),
                condition=Q(is_marked=True),
                name="quality_correction_marks",
            ),
            models.Index(fields=("status", "-id"), name="quality_correction_by_status"),
            models.Index(fields=("department", "status"), name="quality_correction_by_raiser"),
            models.Index(fields=("handler", "status"), name="quality_correction_by_handler"),
            models.Index(fields=("dataset", "updated_at"), name="quality_correction_changed"),
        )
        constraints = (
            models.CheckConstraint(
                name="quality_correction_scope_names_its_place",
                condition=Q(scope="dataset", row_id=None, item="")
                | Q(scope="row", row_id__isnull=False, item="")
                | Q(scope="value", row_id__isnull=False) & ~Q(item=""),
            ),
            models.CheckConstraint(
                name="quality_correction_says_something",
                condition=~Q(description="") | Q(claimed_value__isnull=False),
            ),
            models.CheckConstraint(
                name="quality_correction_decision_whole",
                condition=Q(outcome="", decided_at=None, decided_by=None)
                | ~Q(outcome="") & Q(decided_at__isnull=False, decided_by__isnull=False),
            ),
            models.CheckConstraint(
                name="quality_correction_decided_has_outcome",
                condition=Q(status__in=("correcting", "corrected"), outcome="wrong")
                | Q(status="confirmed_right", outcome="right")
                | Q(status__in=("feedback", "contested")) & ~Q(outcome="")
                | Q(status__in=("raised", "accepted", "verifying", "withdrawn"), outcome="")
                | Q(status="closed"),
            ),
            models.CheckConstraint(
                name="quality_correction_decision_has_reason",
                condition=Q(outcome="") | ~Q(explanation=""),
            ),
            models.CheckConstraint(
                name="quality_correction_corrected_has_batch",
                condition=~Q(status="corrected")
                | Q(corrected_at__isnull=False, batch__isnull=False),
            ),
            models.CheckConstraint(
                name="quality_correction_marked_while_open",
                condition=Q(status__in=CORRECTION_OVER, is_marked=False)
                | Q(status__in=("raised", "accepted", "verifying", "correcting"), is_marked=True)
                | Q(status__in=("confirmed_right", "contested"), is_marked=True)
                | Q(status="corrected", is_marked=False)
                | Q(status="feedback"),
            ),
        )

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("quality:correction", args=[self.pk])

    @property
    def subject_in_words(self) -> str:
        """What is doubted, for a heading: the dataset, and the item where one value is meant."""
        place = f" · {self.item_label}" if self.item_label else ""
        return f"{self.dataset.name}{place}"
