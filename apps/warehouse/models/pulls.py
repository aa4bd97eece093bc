"""Sources that the portal reads by itself, on a schedule, and each reading of them."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.models import Governed
from apps.warehouse.models.batches import Batch

SCHEDULED = Q(every_minutes__isnull=False, daily_at=None) | Q(
    every_minutes=None, daily_at__isnull=False
)


class PullSource(Governed):
    """A table of a department's database, or a file behind an address, that fills a dataset.

    columns: {item's column: the source's column}; empty for a file.
    sealed_secret: see `core.secrets`; nothing shows it again.
    checkpoint: the watermark of the last batch that landed, see `sync.watermarks`.
    overlap: how far before the checkpoint a reading begins: seconds, or a count for numbers.
    window: the hours in which it may be read; it may pass midnight; both or none.
    backlog_rows: rows beyond the checkpoint when last counted, up to a million and one.
    """

    handover: ClassVar[dict[str, Q | None]] = {"created_by": None}

    class Kind(models.TextChoices):
        POSTGRESQL = "postgresql", _("PostgreSQL 数据库")
        MYSQL = "mysql", _("MySQL、MariaDB 数据库")
        HTTP = "http", _("HTTP 文件")

    class Status(models.TextChoices):
        PAUSED = "paused", _("已暂停")
        ACTIVE = "active", _("运行中")
        RETIRED = "retired", _("已停用")

    dataset = models.ForeignKey(
        "catalog.Dataset",
        verbose_name=_("数据目录"),
        on_delete=models.PROTECT,
        related_name="pull_sources",
    )
    system = models.ForeignKey(
        "accounts.InformationSystem",
        verbose_name=_("来源系统"),
        on_delete=models.PROTECT,
        related_name="pull_sources",
        help_text=_("本部门登记的信息系统，批次以它的名义提交"),
    )
    name = models.CharField(_("名称"), max_length=100)
    kind = models.CharField(_("类型"), max_length=12, choices=Kind)
    status = models.CharField(
        _("状态"), max_length=10, choices=Status, default=Status.PAUSED, editable=False
    )
    host = models.CharField(_("主机"), max_length=255, blank=True)
    port = models.PositiveIntegerField(_("端口"), null=True, blank=True)
    database = models.CharField(_("库名"), max_length=128, blank=True)
    table_schema = models.CharField(_("模式"), max_length=128, blank=True)
    table_name = models.CharField(_("表或视图"), max_length=128, blank=True)
    url = models.CharField(_("文件地址"), max_length=1000, blank=True)
    username = models.CharField(_("用户名"), max_length=128, blank=True)
    sealed_secret = models.TextField(_("口令"), blank=True, editable=False)
    requires_tls = models.BooleanField(_("要求加密连接"), default=False)
    columns = models.JSONField(_("数据项对应"), default=dict, blank=True)
    watermark_column = models.CharField(_("水位列"), max_length=128, blank=True)
    overlap = models.PositiveIntegerField(_("回看"), default=600)
    mode = models.CharField(_("入库方式"), max_length=10, choices=Batch.Mode)
    every_minutes = models.PositiveIntegerField(_("间隔（分钟）"), null=True, blank=True)
    daily_at = models.TimeField(_("每日时刻"), null=True, blank=True)
    window_from = models.TimeField(_("允许时段起"), null=True, blank=True)
    window_to = models.TimeField(_("允许时段止"), null=True, blank=True)

    checkpoint = models.JSONField(_("水位"), null=True, blank=True, editable=False)
    etag = models.CharField(max_length=300, blank=True, editable=False)
    last_modified = models.CharField(max_length=100, blank=True, editable=False)
    next_run_at = models.DateTimeField(_("下次拉取"), null=True, blank=True, editable=False)
    last_success_at = models.DateTimeField(_("最近成功"), null=True, blank=True, editable=False)
    failures = models.PositiveIntegerField(_("连续失败"), default=0, editable=False)
    backlog_rows = models.PositiveBigIntegerField(_("积压"), null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("登记人"),
        on_delete=models.PROTECT,
        related_name="+",
    )

    history = HistoricalRecords(
        history_change_reason_field=models.TextField(null=True),
        excluded_fields=[
            "sealed_secret", "checkpoint", "etag", "last_modified", "next_run_at",
            "last_success_at", "failures", "backlog_rows",
        ],
    )  # fmt: skip

    class Meta:
        verbose_name = _("拉取来源")
        verbose_name_plural = _("拉取来源")
        ordering = ["dataset", "id"]
        indexes = [
            models.Index(
                fields=["next_run_at"],
                condition=Q(status="active"),
                name="warehouse_pullsource_due",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "name"], name="warehouse_pullsource_name_once"
            ),
            models.CheckConstraint(condition=SCHEDULED, name="warehouse_pullsource_one_schedule"),
            models.CheckConstraint(
                condition=Q(every_minutes=None)
                | Q(every_minutes__gte=1, every_minutes__lte=10_080),
                name="warehouse_pullsource_interval_fits",
            ),
            models.CheckConstraint(
                condition=Q(window_from=None, window_to=None)
                | Q(window_from__isnull=False, window_to__isnull=False),
                name="warehouse_pullsource_window_whole",
            ),
            models.CheckConstraint(
                condition=(Q(kind="http") & ~Q(url=""))
                | (~Q(kind="http") & ~Q(host="") & ~Q(table_name="") & Q(port__isnull=False)),
                name="warehouse_pullsource_place_whole",
            ),
            models.CheckConstraint(
                condition=Q(watermark_column="") | Q(mode="upsert"),
                name="warehouse_pullsource_watermark_upserts",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def place(self) -> str:
        """Where it is, for people; never with the secret."""
        if self.kind == self.Kind.HTTP:
            return self.url
        table = f"{self.table_schema}.{self.table_name}" if self.table_schema else self.table_name
        return f"{self.host}:{self.port}/{self.database} · {table}"


class PullRun(Governed):
    """One reading of a source: at most one batch comes of it.

    Nothing of a reading that breaks off is handed in. `idempotency_key` is set before the file is,
    so that a worker that died in between finds its batch again.
    """

    class Status(models.TextChoices):
        READING = "reading", _("正在读取")
        HANDED_IN = "handed_in", _("等待入库")
        LANDED = "landed", _("已入库")
        NOTHING_NEW = "nothing_new", _("没有新数据")
        REFUSED = "refused", _("未能入库")
        FAILED = "failed", _("读取失败")

    source = models.ForeignKey(
        PullSource, verbose_name=_("拉取来源"), on_delete=models.PROTECT, related_name="runs"
    )
    status = models.CharField(
        _("状态"), max_length=12, choices=Status, default=Status.READING, editable=False
    )
    started_at = models.DateTimeField(_("开始"))
    heartbeat_at = models.DateTimeField(_("最近心跳"))
    ended_at = models.DateTimeField(_("结束"), null=True, blank=True)
    rows = models.PositiveBigIntegerField(_("读取条数"), default=0)
    size_bytes = models.PositiveBigIntegerField(_("大小（字节）"), default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    idempotency_key = models.CharField(_("批次号"), max_length=200, blank=True)
    watermark_from = models.JSONField(_("水位起"), null=True, blank=True)
    watermark_to = models.JSONField(_("水位止"), null=True, blank=True)
    etag = models.CharField(max_length=300, blank=True)
    last_modified = models.CharField(max_length=100, blank=True)
    has_more = models.BooleanField(_("还有未读"), default=False)
    batch = models.ForeignKey(
        Batch,
        verbose_name=_("归集批次"),
        on_delete=models.PROTECT,
        related_name="pull_runs",
        null=True,
        blank=True,
    )
    message_code = models.CharField(_("结果代码"), max_length=60, blank=True)
    message = models.TextField(_("结果说明"), blank=True)

    class Meta:
        verbose_name = _("拉取记录")
        verbose_name_plural = _("拉取记录")
        ordering = ["-id"]
        indexes = [models.Index(fields=["source", "-id"], name="warehouse_pullrun_of_source")]
        constraints = [
            models.UniqueConstraint(
                fields=["source"],
                condition=Q(status__in=["reading", "handed_in"]),
                name="warehouse_pullrun_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["reading", "handed_in"], ended_at=None)
                | (~Q(status__in=["reading", "handed_in"]) & Q(ended_at__isnull=False)),
                name="warehouse_pullrun_ended_at_end",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["handed_in", "landed", "refused"])
                | Q(batch__isnull=False),
                name="warehouse_pullrun_handed_in_has_batch",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")),
                name="warehouse_pullrun_times_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"P-{self.pk:06d}" if self.pk else str(_("新记录"))

    @property
    def reached(self) -> Any:
        """The watermark that it came to, for people."""
        return (self.watermark_to or {}).get("value", "")
