"""What must exist before an entry is published, and what remains of each publication."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.catalog.models.change import DatasetChange
from apps.catalog.models.choices import AssessmentKind, Conclusion, RoundOutcome
from apps.catalog.models.dataset import Dataset


class DatasetAssessment(models.Model):
    """A secrecy check or a personal-information impact assessment of an entry.

    Source: 《政务数据共享条例》第十三条
    """

    handover: ClassVar[dict[str, Q | None]] = {"recorded_by": None}

    dataset = models.ForeignKey(
        Dataset, models.CASCADE, related_name="assessments", verbose_name=_("数据目录")
    )
    kind = models.CharField(_("评估类型"), max_length=24, choices=AssessmentKind)
    conclusion = models.CharField(_("结论"), max_length=10, choices=Conclusion)
    assessed_on = models.DateField(_("评估日期"))
    assessor = models.CharField(
        _("评估人"), max_length=100, help_text=_("作出结论的人员或者机构。")
    )
    file = models.FileField(
        _("评估报告"), upload_to="catalog/assessments/%Y/", blank=True, max_length=200
    )
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("登记人"),
    )
    recorded_at = models.DateTimeField(_("登记时间"), editable=False)

    class Meta:
        verbose_name = _("评估")
        verbose_name_plural = _("评估")
        ordering = ["-assessed_on", "-id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.get_conclusion_display()}"


class DatasetVersion(models.Model):
    """A publication of an entry: its contract and its fields as they then were, frozen."""

    handover: ClassVar[dict[str, Q | None]] = {"published_by": None}

    dataset = models.ForeignKey(
        Dataset, models.PROTECT, related_name="versions", verbose_name=_("数据目录")
    )
    number = models.PositiveIntegerField(_("版本"))
    contract = models.JSONField(_("数据约定"))
    snapshot = models.JSONField(_("目录内容"))
    published_at = models.DateTimeField(_("发布时间"))
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("发布人"),
    )

    class Meta:
        verbose_name = _("目录版本")
        verbose_name_plural = _("目录版本")
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "number"], name="catalog_datasetversion_number_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} v{self.number}"


class ReviewRound(models.Model):
    """One submission of an entry, or of a change of it, and how its review ended.

    snapshot: the entry as it was submitted; the next round is compared with it.

    Source: 《政务数据共享条例》第十七条
    """

    handover: ClassVar[dict[str, Q | None]] = {"submitted_by": None, "decided_by": None}

    dataset = models.ForeignKey(
        Dataset, models.PROTECT, related_name="review_rounds", verbose_name=_("数据目录")
    )
    change = models.ForeignKey(
        DatasetChange,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="review_rounds",
        verbose_name=_("目录变更"),
        help_text=_("首次发布的审核为空。"),
    )
    number = models.PositiveIntegerField(_("轮次"))
    snapshot = models.JSONField(_("提交时的内容"))
    submitted_at = models.DateTimeField(_("提交时间"))
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("提交人"),
    )
    outcome = models.CharField(_("结果"), max_length=20, choices=RoundOutcome, blank=True)
    decided_at = models.DateTimeField(_("办结时间"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("办理人"),
    )
    reason = models.TextField(_("意见"), blank=True)

    class Meta:
        verbose_name = _("审核轮次")
        verbose_name_plural = _("审核轮次")
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "change", "number"],
                name="catalog_reviewround_number_unique",
                nulls_distinct=False,
            ),
            models.UniqueConstraint(
                fields=["dataset", "change"],
                condition=Q(outcome=""),
                name="catalog_reviewround_one_open",
                nulls_distinct=False,
                violation_error_message=_("该目录已在审核中"),
            ),
            models.CheckConstraint(
                condition=Q(outcome="", decided_at__isnull=True)
                | (~Q(outcome="") & Q(decided_at__isnull=False)),
                name="catalog_reviewround_decided_has_time",
                violation_error_message=_("办结的审核应有办结时间"),
            ),
        ]

    def __str__(self) -> str:
        return str(
            _("%(dataset)s第 %(number)s 轮审核")
            % {"dataset": self.dataset.name, "number": self.number}
        )


class ReviewRemark(models.Model):
    """What a reviewer says about one field, of the entry or of one item.

    field: as in a snapshot, "" for the whole. item: column name, "" for the entry.
    settled_at: when the field was changed, or the editor answered.
    """

    handover: ClassVar[dict[str, Q | None]] = {"written_by": None}

    round = models.ForeignKey(
        ReviewRound, models.CASCADE, related_name="remarks", verbose_name=_("审核轮次")
    )
    field = models.CharField(_("字段"), max_length=60, blank=True)
    item = models.CharField(_("数据项列名"), max_length=51, blank=True)
    text = models.CharField(_("意见"), max_length=500)
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("审核人"),
    )
    written_at = models.DateTimeField(_("提出时间"))
    answer = models.CharField(_("答复"), max_length=500, blank=True)
    settled_at = models.DateTimeField(_("办结时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("审核意见")
        verbose_name_plural = _("审核意见")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="catalog_reviewremark_has_text"),
            models.CheckConstraint(
                condition=Q(answer="") | Q(settled_at__isnull=False),
                name="catalog_reviewremark_answered_is_settled",
            ),
        ]

    def __str__(self) -> str:
        return self.text
