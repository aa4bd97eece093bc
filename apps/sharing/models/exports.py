"""Files that are made of a grant's data, to be downloaded for a while."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.models import Governed
from apps.sharing.models.grants import Grant


class Export(Governed):
    """One file of what a grant shows, as asked for by its system or a person of the consumer.

    The row is the queue, in the order of its numbers. grant_version: the terms under which it was
    asked for; of other terms nothing is made or handed out. query: `{"fields": [names] or null,
    "where": [conditions]}`. credential: the client id with which a system asked, empty for a
    person. columns: what the file holds, as its manifest says. horizon: the batch whose state the
    file is. slot: which of the places for running ones it has. heartbeat_at: when its worker last
    lived. counted_rows: rows of the grant's quota that are taken for it. attempts also tells apart
    the files of workers that died.

    Source: 《政务数据共享条例》第二十二条（文件下载）; house rule (issue 5: file download)
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("排队")
        RUNNING = "running", _("生成中")
        READY = "ready", _("可下载")
        FAILED = "failed", _("未生成")
        STOPPED = "stopped", _("已停止")
        EXPIRED = "expired", _("已过期")

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", _("表格（XLSX）")
        PARQUET = "parquet", "Parquet"
        NDJSON = "ndjson", "NDJSON"

    handover: ClassVar[dict[str, Q | None]] = {"asked_by": None}

    grant = models.ForeignKey(
        Grant, on_delete=models.PROTECT, related_name="exports", verbose_name=_("授权")
    )
    grant_version = models.PositiveIntegerField(_("授权版本"))
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("申请人"),
    )
    credential = models.CharField(_("调用凭证"), max_length=100, blank=True)
    client_address = models.GenericIPAddressField(_("来源地址"), null=True, blank=True)
    idempotency_key = models.CharField(_("提交编号"), max_length=200, blank=True)
    format = models.CharField(_("格式"), max_length=10, choices=Format.choices)
    query = models.JSONField(_("查询条件"), default=dict)
    status = models.CharField(
        _("状态"), max_length=10, choices=Status.choices, default=Status.QUEUED
    )
    slot = models.PositiveSmallIntegerField(_("生成位"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("处理次数"), default=0)
    horizon = models.BigIntegerField(_("截至批次"), null=True, blank=True)
    columns = models.JSONField(_("各列"), default=list, blank=True)
    rows = models.PositiveBigIntegerField(_("条数"), default=0)
    counted_rows = models.PositiveBigIntegerField(_("已计限额条数"), default=0)
    progress_ratio = models.FloatField(_("进度"), default=0.0)
    size_bytes = models.PositiveBigIntegerField(_("字节数"), default=0)
    sha256 = models.CharField(_("散列值"), max_length=64, blank=True)
    message_code = models.CharField(_("原因代码"), max_length=60, blank=True)
    message = models.CharField(_("原因"), max_length=300, blank=True)
    started_at = models.DateTimeField(_("开始时间"), null=True, blank=True)
    heartbeat_at = models.DateTimeField(_("最近心跳"), null=True, blank=True)
    finished_at = models.DateTimeField(_("完成时间"), null=True, blank=True)
    expires_at = models.DateTimeField(_("保留至"), null=True, blank=True)

    class Meta:
        verbose_name = _("批量导出")
        verbose_name_plural = _("批量导出")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("asked_by", "grant", "idempotency_key"),
                condition=~Q(idempotency_key=""),
                name="sharing_export_key_once",
            ),
            # As many run at once as there are places; two workers never have the same one.
            models.UniqueConstraint(
                fields=("slot",), condition=Q(slot__isnull=False), name="sharing_export_one_a_slot"
            ),
            models.CheckConstraint(
                name="sharing_export_running_has_slot",
                condition=Q(status="running", slot__isnull=False, heartbeat_at__isnull=False)
                | (~Q(status="running") & Q(slot__isnull=True)),
            ),
            models.CheckConstraint(
                name="sharing_export_ready_is_whole",
                condition=~Q(status__in=("ready", "expired"))
                | Q(horizon__isnull=False, finished_at__isnull=False, expires_at__isnull=False)
                & ~Q(sha256=""),
            ),
            models.CheckConstraint(
                name="sharing_export_stop_has_reason",
                condition=~Q(status__in=("failed", "stopped"))
                | (~Q(message_code="") & ~Q(message="")),
            ),
        )
        indexes = (
            models.Index(
                fields=("id",),
                condition=Q(status__in=("queued", "running", "ready")),
                name="sharing_export_open",
            ),
            models.Index(fields=("grant", "-id"), name="sharing_export_of_grant"),
        )

    @property
    def file_name(self) -> str:
        """The name under which it is downloaded."""
        code = self.grant.dataset.code.replace("/", "-")
        return f"{code}-{self}.{self.format}"

    def __str__(self) -> str:
        return f"E-{self.pk:06d}" if self.pk else str(_("新导出"))
