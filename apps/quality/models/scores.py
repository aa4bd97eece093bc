"""How a dataset stood by each indicator on each day, and what the dimensions weigh."""

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.quality.models.rules import Dimension, Indicator
from apps.quality.models.runs import QualityRun


class Score(models.Model):
    """A dataset by one indicator at the end of a day: `numerator` of `denominator` satisfied.

    X = numerator / denominator for every indicator. Of 0303 and 0305 the standard counts what is
    wrong (A) and takes 1 − A/B; that A is denominator − numerator. An indicator without an
    evaluable rule has no row: it is not evaluable, never 100 %.
    department: who answered for the dataset that day.

    Source: GB/T 36344-2018
    """

    succession: ClassVar[dict[str, str]] = {"department": "stays"}

    dataset = models.ForeignKey(
        "catalog.Dataset", models.CASCADE, related_name="scores", verbose_name=_("数据目录")
    )
    department = models.ForeignKey(
        "accounts.Department", models.PROTECT, related_name="+", verbose_name=_("提供部门")
    )
    indicator = models.CharField(_("评价指标"), max_length=4, choices=Indicator)
    on = models.DateField(_("日期"))
    numerator = models.PositiveBigIntegerField(_("符合数"))
    denominator = models.PositiveBigIntegerField(_("评价数"))
    rule_count = models.PositiveIntegerField(_("规则数"))
    run = models.ForeignKey(
        QualityRun, models.PROTECT, related_name="scores", verbose_name=_("质检任务")
    )

    class Meta:
        verbose_name = _("质量得分")
        verbose_name_plural = _("质量得分")
        ordering = ("dataset", "-on", "indicator")
        indexes = (models.Index(fields=("on", "indicator"), name="quality_score_of_day"),)
        constraints = (
            models.UniqueConstraint(
                fields=("dataset", "indicator", "on"), name="quality_score_once_a_day"
            ),
            models.CheckConstraint(
                condition=Q(denominator__gt=0) & Q(numerator__lte=F("denominator")),
                name="quality_score_is_ratio",
            ),
        )

    def __str__(self) -> str:
        return f"{self.dataset} · {self.indicator} · {self.on:%Y-%m-%d}"

    @property
    def ratio(self) -> float:
        return self.numerator / self.denominator

    @property
    def dimension(self) -> Dimension:
        return Dimension(self.indicator[:2])


def _weight(label: object) -> "models.DecimalField[Decimal, Decimal]":
    return models.DecimalField(label, max_digits=4, decimal_places=3)  # type: ignore[arg-type]


class DimensionWeights(models.Model):
    """What each dimension weighs in the whole from a day on: local policy, summing to 1.

    Source: GB/T 36344-2018 leaves weights to the user; the first ones are a house rule
    """

    handover: ClassVar[dict[str, Q | None]] = {"set_by": None}

    valid_from = models.DateField(_("生效日"), unique=True)
    conformity = _weight(_("规范性权重"))
    completeness = _weight(_("完整性权重"))
    accuracy = _weight(_("准确性权重"))
    consistency = _weight(_("一致性权重"))
    timeliness = _weight(_("时效性权重"))
    accessibility = _weight(_("可访问性权重"))
    source = models.CharField(_("依据"), max_length=200)
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("设定人"),
    )
    set_at = models.DateTimeField(_("设定时间"))

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("维度权重")
        verbose_name_plural = _("维度权重")
        ordering = ("-valid_from",)
        constraints = (
            models.CheckConstraint(
                condition=Q(
                    conformity=Decimal(1)
                    - F("completeness")
                    - F("accuracy")
                    - F("consistency")
                    - F("timeliness")
                    - F("accessibility")
                ),
                name="quality_weights_sum_to_one",
                violation_error_message=_("六个维度的权重之和须为 1"),
            ),
            models.CheckConstraint(
                condition=Q(conformity__gte=0)
                & Q(completeness__gte=0)
                & Q(accuracy__gte=0)
                & Q(consistency__gte=0)
                & Q(timeliness__gte=0)
                & Q(accessibility__gte=0),
                name="quality_weights_positive",
                violation_error_message=_("权重不能小于 0"),
            ),
        )

    def __str__(self) -> str:
        return f"{self.valid_from:%Y-%m-%d}"

    def of(self, dimension: str) -> Decimal:
        """Return the weight of a dimension, by its number."""
        weight: Decimal = getattr(self, Dimension(dimension).name.lower())
        return weight
