"""One look at a dataset by its rules, and what each of them found."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.models import Governed
from apps.quality.models.rules import QualityRule


class RunStatus(models.TextChoices):
    WAITING = "waiting", _("等待检查")
    RUNNING = "running", _("检查中")
    DONE = "done", _("已完成")
    FAILED = "failed", _("检查失败")


class Trigger(models.TextChoices):
    BATCH = "batch", _("入库后")
    SCHEDULE = "schedule", _("定期")
    MANUAL = "manual", _("人工发起")
    RULE_CHANGED = "rule_changed", _("规则变动")


class Basis(models.TextChoices):
    """Which rows were counted: those of the delivered file, or those that the table holds."""

    DELIVERED = "delivered", _("提交的文件")
    LANDED = "landed", _("已入库的数据表")


class QualityRun(Governed):
    """A run of a dataset's rules; the row is the queue, `revision` fences workers out.

    horizon: the table's `_batch` up to which it looked. rows_read: rows that were read out of the
    table, all of them or those that changed. profiled_at: when the columns were profiled at this
    horizon, if they were.

    Source: house rule (design §3.6)
    """

    Status = RunStatus
    Trigger = Trigger

    handover: ClassVar[dict[str, Q | None]] = {"asked_by": None}

    dataset = models.ForeignKey(
        "catalog.Dataset",
        models.PROTECT,
        related_name="quality_runs",
        verbose_name=_("数据目录"),
    )
    trigger = models.CharField(_("发起方式"), max_length=12, choices=Trigger)
    batch = models.ForeignKey(
        "warehouse.Batch",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="quality_runs",
        verbose_name=_("归集批次"),
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("发起人"),
    )
    status = models.CharField(
        _("状态"),
        max_length=10,
        choices=RunStatus,
        default=RunStatus.WAITING,
        editable=False,
    )
    horizon = models.PositiveBigIntegerField(_("检查到的入库序号"), null=True, blank=True)
    rows_read = models.PositiveBigIntegerField(_("读取条数"), default=0)
    attempts = models.PositiveSmallIntegerField(_("处理次数"), default=0)
    message = models.TextField(_("结果说明"), blank=True)
    started_at = models.DateTimeField(_("开始时间"), null=True, blank=True)
    heartbeat_at = models.DateTimeField(_("最近心跳"), null=True, blank=True)
    finished_at = models.DateTimeField(_("完成时间"), null=True, blank=True)
    profiled_at = models.DateTimeField(_("画像时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("质检任务")
        verbose_name_plural = _("质检任务")
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("dataset", "-id"), name="quality_run_of_dataset"),
            models.Index(
                fields=("id",),
                condition=Q(status__in=("waiting", "running")),
                name="quality_run_due",
            ),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("batch",),
                condition=Q(trigger="batch"),
                name="quality_run_once_a_batch",
            ),
            models.UniqueConstraint(
                fields=("dataset",),
                condition=Q(status="running"),
                name="quality_run_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(trigger="batch") | Q(batch__isnull=False),
                name="quality_run_batch_named",
            ),
            models.CheckConstraint(
                condition=~Q(trigger="manual") | Q(asked_by__isnull=False),
                name="quality_run_asker_named",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=("done", "failed")) | Q(finished_at__isnull=False),
                name="quality_run_end_dated",
            ),
        )

    def __str__(self) -> str:
        return f"ZJ-{self.pk:06d}" if self.pk else str(_("新质检任务"))


class RuleResult(models.Model):
    """What a rule found in a run: `failed` of `evaluated` elements; or why it cannot be said.

    An element is a row that the rule speaks of: an empty value is asked for by `required` alone.
    fingerprint: of what a rule reads beside the rows (a code list as valid that day); another one
    means that every row is to be looked at again.

    Units: counts of rows (of files for `freshness`, of expected rows for `population`)
    Source: GB/T 36344-2018 (X = A / B)
    """

    class NotEvaluable(models.TextChoices):
        EVALUABLE = "", _("可评价")
        NO_ROWS = "no_rows", _("没有可评价的记录")
        NO_TABLE = "no_table", _("尚未入库")
        NO_COLUMN = "no_column", _("数据表没有规则所列的列")
        NO_EXPECTATION = "no_expectation", _("没有约定应有记录数或者更新周期")
        NO_COUNTERPART = "no_counterpart", _("对照的数据表尚未入库")
        NOT_ALL_KEPT = "not_all_kept", _("未通过的记录过多，只保存了一部分")
        BROKEN = "broken", _("规则不能执行")

    run = models.ForeignKey(
        QualityRun, models.CASCADE, related_name="results", verbose_name=_("质检任务")
    )
    rule = models.ForeignKey(
        QualityRule, models.PROTECT, related_name="results", verbose_name=_("质量规则")
    )
    rule_version = models.PositiveIntegerField(_("规则版本"))
    basis = models.CharField(_("评价对象"), max_length=10, choices=Basis)
    evaluated = models.PositiveBigIntegerField(_("评价数"), null=True, blank=True)
    failed = models.PositiveBigIntegerField(_("不符合数"), null=True, blank=True)
    not_evaluable = models.CharField(
        _("不可评价的原因"), max_length=20, choices=NotEvaluable, blank=True
    )
    newly_failed = models.PositiveBigIntegerField(_("新发现"), default=0)
    newly_fixed = models.PositiveBigIntegerField(_("已改正"), default=0)
    fingerprint = models.CharField(_("参照内容摘要"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("检查结果")
        verbose_name_plural = _("检查结果")
        ordering = ("run", "rule")
        indexes = (models.Index(fields=("rule", "basis", "-id"), name="quality_result_latest"),)
        constraints = (
            models.UniqueConstraint(
                fields=("run", "rule", "basis"), name="quality_result_once_a_run"
            ),
            models.CheckConstraint(
                condition=Q(not_evaluable="", evaluated__gt=0, failed__isnull=False)
                | ~Q(not_evaluable="") & Q(evaluated=None, failed=None),
                name="quality_result_evaluated_or_not",
            ),
            models.CheckConstraint(
                condition=Q(failed=None) | Q(failed__lte=F("evaluated")),
                name="quality_result_failed_of_evaluated",
            ),
        )

    def __str__(self) -> str:
        return f"{self.run} · {self.rule}"

    @property
    def ratio(self) -> float | None:
        """X of the standard, 0–1; None when it cannot be evaluated."""
        if self.evaluated is None or self.failed is None:
            return None
        return 1 - self.failed / self.evaluated
