"""Who is the source of data that several departments collect, and where they seem to do so."""

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.accounts.models import Department
from apps.catalog.models.dataset import Dataset
from apps.core.models import Governed
from apps.standards.models import DataElement


class SourceDesignation(models.Model):
    """The authority's word on which department collects a datum; the others take it from there.

    `valid_to` is the first day on which it no longer holds.

    Source: 《政务数据共享条例》第十九条
    """

    succession: ClassVar[dict[str, str]] = {"department": "moves"}
    handover: ClassVar[dict[str, Q | None]] = {"decided_by": None}

    subject = models.CharField(
        _("数据"), max_length=100, help_text=_("由谁采集的是什么数据，如“婚姻登记”。")
    )
    data_element = models.ForeignKey(
        DataElement,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="source_designations",
        verbose_name=_("数据元"),
        help_text=_("选填：凡采用这个数据元的数据项，都以此为准。"),
    )
    department = models.ForeignKey(
        Department,
        models.PROTECT,
        related_name="source_designations",
        verbose_name=_("数源部门"),
    )
    basis = models.CharField(
        _("依据"), max_length=500, help_text=_("确定的依据，如三定规定、会议纪要、文件名称和文号。")
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("确定人")
    )
    decided_at = models.DateTimeField(_("确定时间"))
    valid_from = models.DateField(_("起始日期"))
    valid_to = models.DateField(_("终止日期"), null=True, blank=True)

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("数源认定")
        verbose_name_plural = _("数源认定")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")),
                name="catalog_sourcedesignation_ends_after_it_begins",
                violation_error_message=_("终止日期应晚于起始日期"),
            ),
            models.UniqueConstraint(
                fields=["subject"],
                condition=Q(valid_to=None),
                name="catalog_sourcedesignation_one_in_force",
                violation_error_message=_("这项数据已有数源部门"),
            ),
            models.CheckConstraint(
                condition=~Q(basis=""),
                name="catalog_sourcedesignation_has_basis",
                violation_error_message=_("须写明确定数源的依据"),
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    def get_absolute_url(self) -> str:
        return reverse("catalog:source-designation", args=[self.pk])


class DuplicateStatus(models.TextChoices):
    OPEN = "open", _("待确定")
    SOURCE_NAMED = "source_named", _("已确定数源")
    DIFFERENT_THINGS = "different_things", _("不是同一数据")
    LAPSED = "lapsed", _("已不再相似")


DECIDED = (DuplicateStatus.SOURCE_NAMED, DuplicateStatus.DIFFERENT_THINGS)


class Duplicate(Governed):
    """Two entries of different departments that seem to hold the same data, with the evidence.

    The pair is kept with the smaller key first. evidence: {"items": [{"first", "second", "how",
    "weight"}], "words": [...], "first_only": n, "second_only": n}, the weightiest item first.

    Source: 《政务数据共享条例》第十九条
    """

    Status = DuplicateStatus

    handover: ClassVar[dict[str, Q | None]] = {"decided_by": None}

    first = models.ForeignKey(
        Dataset, models.CASCADE, related_name="duplicates_as_first", verbose_name=_("目录甲")
    )
    second = models.ForeignKey(
        Dataset, models.CASCADE, related_name="duplicates_as_second", verbose_name=_("目录乙")
    )
    score = models.PositiveSmallIntegerField(
        _("相似度"), validators=[MaxValueValidator(100)], help_text=_("0–100 分，越高越像。")
    )
    name_score = models.PositiveSmallIntegerField(_("名称相似度"))
    item_score = models.PositiveSmallIntegerField(_("数据项相似度"))
    evidence = models.JSONField(_("依据"))
    fingerprint = models.CharField(
        _("依据摘要"), max_length=32, help_text=_("依据变化后，已作的决定须重新考虑。")
    )
    status = models.CharField(
        _("状态"), max_length=20, choices=DuplicateStatus, default=DuplicateStatus.OPEN
    )
    designation = models.ForeignKey(
        SourceDesignation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="duplicates",
        verbose_name=_("数源认定"),
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("决定人"),
    )
    decided_at = models.DateTimeField(_("决定时间"), null=True, blank=True)
    remark = models.CharField(_("理由"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("疑似重复采集")
        verbose_name_plural = _("疑似重复采集")
        ordering = ["-score", "-pk"]
        indexes = [models.Index(fields=["status", "-score"], name="catalog_duplicate_by_status")]
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="catalog_duplicate_pair_once"),
            models.CheckConstraint(
                condition=Q(first__lt=F("second")), name="catalog_duplicate_smaller_first"
            ),
            models.CheckConstraint(
                condition=Q(score__lte=100, name_score__lte=100, item_score__lte=100),
                name="catalog_duplicate_scores_to_100",
            ),
            models.CheckConstraint(
                condition=Q(status__in=DECIDED, decided_at__isnull=False, decided_by__isnull=False)
                | (~Q(status__in=DECIDED) & Q(decided_at=None, decided_by=None)),
                name="catalog_duplicate_decision_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(status="source_named", designation__isnull=False)
                | (~Q(status="source_named") & Q(designation=None)),
                name="catalog_duplicate_source_named_has_source",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first.name} / {self.second.name}"

    def get_absolute_url(self) -> str:
        return reverse("catalog:duplicate", args=[self.pk])
