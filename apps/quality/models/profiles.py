"""What a landed column looks like."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.quality.models.runs import QualityRun


class ColumnProfile(models.Model):
    """A column of the table as it stood at a run's horizon.

    distinct: exact, or within some percent where `is_distinct_approximate`. patterns: the commonest
    shapes of values ([{"shape": "AA-999", "count": 3}]: 9 a digit, A a capital, a a small letter,
    字 a Chinese character, anything else itself). top_values: the commonest values with their
    counts; empty where they are withheld (`is_withheld`: personal, sensitive or masked columns).
    minimum, maximum: as text; withheld with the values. Lengths in characters.
    """

    run = models.ForeignKey(
        QualityRun, models.CASCADE, related_name="profiles", verbose_name=_("质检任务")
    )
    position = models.PositiveSmallIntegerField(_("序号"))
    column = models.CharField(_("列名"), max_length=51)
    label = models.CharField(_("数据项"), max_length=100)
    data_type = models.CharField(_("数据类型"), max_length=1)
    rows = models.PositiveBigIntegerField(_("记录数"))
    filled = models.PositiveBigIntegerField(_("已填写"))
    distinct = models.PositiveBigIntegerField(_("不同值"))
    is_distinct_approximate = models.BooleanField(_("不同值为约数"), default=True)
    minimum = models.TextField(_("最小值"), blank=True)
    maximum = models.TextField(_("最大值"), blank=True)
    shortest = models.PositiveIntegerField(_("最短"), null=True, blank=True)
    longest = models.PositiveIntegerField(_("最长"), null=True, blank=True)
    patterns = models.JSONField(_("格式"), default=list)
    top_values = models.JSONField(_("常见值"), default=list)
    is_withheld = models.BooleanField(_("不显示取值"), default=False)

    class Meta:
        verbose_name = _("列画像")
        verbose_name_plural = _("列画像")
        ordering = ("run", "position")
        constraints = (
            models.UniqueConstraint(fields=("run", "column"), name="quality_profile_once_a_run"),
            models.CheckConstraint(
                condition=Q(filled__lte=F("rows")) & Q(distinct__lte=F("filled")),
                name="quality_profile_counts_in_order",
            ),
            models.CheckConstraint(
                condition=Q(is_withheld=False) | Q(top_values=[], minimum="", maximum=""),
                name="quality_profile_withholds",
            ),
        )

    def __str__(self) -> str:
        return f"{self.run} · {self.column}"
