"""Batches, the files that they brought, and what did not land."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.models import Governed
from apps.warehouse.models.stores import DataTable


class StoredFile(models.Model):
    """A file as it was handed in, kept once under its SHA-256 however often it is sent."""

    sha256 = models.CharField(_("SHA-256"), max_length=64, unique=True)
    size_bytes = models.PositiveBigIntegerField(_("大小（字节）"))
    stored_at = models.DateTimeField(_("存放时间"))
    discarded_at = models.DateTimeField(_("清理时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("原始文件")
        verbose_name_plural = _("原始文件")
        constraints = [
            models.CheckConstraint(
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"),
                name="warehouse_storedfile_sha256_form",
            ),
        ]

    def __str__(self) -> str:
        return self.sha256[:12]


class Batch(Governed):
    """One delivery of rows to a dataset, from the file received to the rows visible.

    declared = landed + changed + unchanged + duplicate + rejected, or it does not land. In mode
    `delete` the rows taken out count as changed; `deleted` counts what left the table in any mode.
    `horizon` is the table's `_batch` that this batch drew. `revision` fences workers: the one that
    took the batch may finish it only while nobody took it again.
    """

    handover: ClassVar[dict[str, Q | None]] = {"source": None}

    class Mode(models.TextChoices):
        APPEND = "append", _("追加")
        UPSERT = "upsert", _("更新")
        SNAPSHOT = "snapshot", _("全量替换")
        DELETE = "delete", _("删除")

    class Status(models.TextChoices):
        RECEIVED = "received", _("已接收")
        CHECKING = "checking", _("校验入库中")
        LANDED = "landed", _("已入库")
        UNCHANGED = "unchanged", _("内容无变化")
        REFUSED = "refused", _("未通过")
        FAILED = "failed", _("处理失败")

    class Stage(models.TextChoices):
        WAITING = "waiting", _("等待处理")
        READING = "reading", _("读取文件")
        CHECKING = "checking", _("校验数据")
        COMPARING = "comparing", _("与现有数据比对")
        LOADING = "loading", _("写入数据表")
        DONE = "done", _("处理完毕")

    dataset = models.ForeignKey(
        "catalog.Dataset",
        verbose_name=_("数据目录"),
        on_delete=models.PROTECT,
        related_name="batches",
    )
    table = models.ForeignKey(
        DataTable,
        verbose_name=_("数据表"),
        on_delete=models.PROTECT,
        related_name="batches",
        null=True,
        blank=True,
    )
    version = models.ForeignKey(
        "catalog.DatasetVersion",
        verbose_name=_("目录版本"),
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
    )
    mode = models.CharField(_("入库方式"), max_length=10, choices=Mode)
    status = models.CharField(
        _("状态"),
        max_length=10,
        choices=Status,
        default=Status.RECEIVED,
        editable=False,
    )
    source = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("提交人"),
        on_delete=models.PROTECT,
        related_name="batches",
    )
    idempotency_key = models.CharField(_("批次号"), max_length=200, blank=True)
    file = models.ForeignKey(
        StoredFile,
        verbose_name=_("原始文件"),
        on_delete=models.PROTECT,
        related_name="batches",
    )
    file_name = models.CharField(_("文件名"), max_length=255)
    encoding = models.CharField(_("编码"), max_length=20, blank=True)
    form = models.CharField(_("文件格式"), max_length=30, blank=True)
    layout = models.JSONField(_("表格版式"), default=dict, blank=True)
    mends = models.ForeignKey(
        "self",
        verbose_name=_("改正的批次"),
        on_delete=models.PROTECT,
        related_name="mended_by",
        null=True,
        blank=True,
    )
    declared_by_source = models.PositiveBigIntegerField(_("申报条数"), null=True, blank=True)

    declared = models.PositiveBigIntegerField(_("文件条数"), null=True, blank=True)
    landed = models.PositiveBigIntegerField(_("新增"), default=0)
    changed = models.PositiveBigIntegerField(_("变更"), default=0)
    unchanged = models.PositiveBigIntegerField(_("无变化"), default=0)
    duplicate = models.PositiveBigIntegerField(_("文件内重复"), default=0)
    rejected = models.PositiveBigIntegerField(_("未通过"), default=0)
    deleted = models.PositiveBigIntegerField(_("移出"), default=0)
    horizon = models.PositiveBigIntegerField(_("入库序号"), null=True, blank=True)

    message_code = models.CharField(_("结果代码"), max_length=60, blank=True)
    message = models.TextField(_("结果说明"), blank=True)
    details = models.JSONField(_("结果明细"), default=dict, blank=True)
    stage = models.CharField(
        _("进度"), max_length=10, choices=Stage, default=Stage.WAITING, editable=False
    )
    progress_rows = models.PositiveBigIntegerField(_("已处理条数"), default=0)
    attempts = models.PositiveSmallIntegerField(_("处理次数"), default=0)

    received_at = models.DateTimeField(_("接收时间"))
    started_at = models.DateTimeField(_("开始时间"), null=True, blank=True)
    heartbeat_at = models.DateTimeField(_("最近心跳"), null=True, blank=True)
    finished_at = models.DateTimeField(_("完成时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("归集批次")
        verbose_name_plural = _("归集批次")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["dataset", "-id"], name="warehouse_batch_of_dataset"),
            models.Index(
                fields=["id"],
                condition=Q(status__in=["received", "checking"]),
                name="warehouse_batch_due",
            ),
            models.Index(fields=["table", "-horizon"], name="warehouse_batch_of_table"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "dataset", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="warehouse_batch_key_once",
            ),
            models.UniqueConstraint(
                fields=["table", "horizon"], name="warehouse_batch_horizon_once"
            ),
            models.CheckConstraint(
                condition=~Q(status="landed")
                | Q(
                    declared=F("landed")
                    + F("changed")
                    + F("unchanged")
                    + F("duplicate")
                    + F("rejected")
                ),
                name="warehouse_batch_balances",
            ),
            models.CheckConstraint(
                condition=~Q(status="landed")
                | Q(
                    declared__isnull=False,
                    horizon__isnull=False,
                    finished_at__isnull=False,
                    table__isnull=False,
                ),
                name="warehouse_batch_landed_is_complete",
            ),
            models.CheckConstraint(
                condition=Q(mends=None) | Q(mends__lt=F("id")), name="warehouse_batch_mends_earlier"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["refused", "failed"]) | ~Q(message_code=""),
                name="warehouse_batch_refusal_has_code",
            ),
        ]

    def __str__(self) -> str:
        return f"B-{self.pk:06d}" if self.pk else str(_("新批次"))


class FileLayout(models.Model):
    """How a source lays out the files of a dataset, as a person once said: used again next time.

    layout: see `landing.layout.Layout`.
    """

    handover: ClassVar[dict[str, Q | None]] = {"source": None, "said_by": None}

    dataset = models.ForeignKey(
        "catalog.Dataset",
        verbose_name=_("数据目录"),
        on_delete=models.CASCADE,
        related_name="file_layouts",
    )
    source = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("提交人"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    layout = models.JSONField(_("表格版式"), default=dict)
    said_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("指定人"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    said_at = models.DateTimeField(_("指定时间"))

    class Meta:
        verbose_name = _("表格版式")
        verbose_name_plural = _("表格版式")
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "source"], name="warehouse_filelayout_once_a_source"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} · {self.source}"


class Rejection(models.Model):
    """A row of a file that did not land, kept whole with everything that is wrong with it.

    record_number counts records after the header from 1; line is where the record begins in the
    file, the header being line 1. reasons: [{"code", "column", "label", "value", "message"}].
    A duplicate is kept when its content differs from the row that was taken instead. What breaks
    only quarantine rules waits for the provider's word; `released_by` is the batch by which it
    landed after all.
    """

    class Kind(models.TextChoices):
        REJECTED = "rejected", _("校验未通过")
        QUARANTINE = "quarantine", _("暂存待核")
        DUPLICATE = "duplicate", _("文件内重复")

    batch = models.ForeignKey(
        Batch,
        verbose_name=_("批次"),
        on_delete=models.CASCADE,
        related_name="rejections",
    )
    kind = models.CharField(_("类别"), max_length=10, choices=Kind, default=Kind.REJECTED)
    record_number = models.PositiveBigIntegerField(_("记录序号"))
    line = models.PositiveBigIntegerField(_("行号"))
    raw = models.TextField(_("原文"))
    reasons = models.JSONField(_("原因"))
    released_by = models.ForeignKey(
        Batch,
        verbose_name=_("放行批次"),
        on_delete=models.PROTECT,
        related_name="releases",
        null=True,
        blank=True,
    )

    class Meta:
        verbose_name = _("校验未通过数据")
        verbose_name_plural = _("校验未通过数据")
        ordering = ["batch", "record_number"]
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "record_number"],
                name="warehouse_rejection_record_once",
            ),
        ]

    def __str__(self) -> str:
        return str(_("第 %(line)s 行") % {"line": self.line})


class Normalisation(models.Model):
    """What normalising changed of one column in a batch that landed.

    count: values of all its records, landed or not; ways: how, by name in `standards.rewritings`
    (a value may show several); examples: [[as sent, as kept], …], at most ten, shortened. All of
    them are read again from the file that is kept.
    """

    batch = models.ForeignKey(
        Batch,
        verbose_name=_("批次"),
        on_delete=models.CASCADE,
        related_name="normalisations",
    )
    position = models.PositiveSmallIntegerField(_("序号"))
    column = models.CharField(_("列名"), max_length=51)
    label = models.CharField(_("数据项"), max_length=50)
    count = models.PositiveBigIntegerField(_("改写的值"))
    ways = models.JSONField(_("做法"), default=dict)
    examples = models.JSONField(_("样例"), default=list)

    class Meta:
        verbose_name = _("规范化")
        verbose_name_plural = _("规范化")
        ordering = ["batch", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "column"], name="warehouse_normalisation_column_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch} · {self.label}"


class NoChange(models.Model):
    """The provider's word that a dataset did not change in a period: it counts as a delivery.

    Source: house rule (统计口径: 更新及时率)
    """

    handover: ClassVar[dict[str, Q | None]] = {"confirmed_by": None}

    dataset = models.ForeignKey(
        "catalog.Dataset",
        verbose_name=_("数据目录"),
        on_delete=models.PROTECT,
        related_name="no_changes",
    )
    period_from = models.DateField(_("期间起"))
    period_to = models.DateField(_("期间止"))
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("确认人"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    confirmed_at = models.DateTimeField(_("确认时间"))
    note = models.CharField(_("说明"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("无变化确认")
        verbose_name_plural = _("无变化确认")
        ordering = ["-period_to", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(period_to__gte=F("period_from")),
                name="warehouse_nochange_period_in_order",
                violation_error_message=_("期间止不能早于期间起"),
            ),
            models.UniqueConstraint(
                fields=["dataset", "period_from", "period_to"],
                name="warehouse_nochange_period_once",
                violation_error_message=_("这个期间已经确认过"),
            ),
        ]

    def __str__(self) -> str:
        return str(
            _("%(begin)s 至 %(end)s 无变化") % {"begin": self.period_from, "end": self.period_to}
        )
