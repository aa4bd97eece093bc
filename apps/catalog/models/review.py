"""What must exist before an entry is published, and what remains of each publication."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.catalog.models.choices import AssessmentKind, Conclusion
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
