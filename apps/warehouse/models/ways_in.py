"""Ways in beside a single request: files that arrive in parts."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.models import Governed
from apps.warehouse.models.batches import Batch


class Upload(Governed):
    """A file on its way in, part by part; nothing of it lands before it is whole.

    received_bytes: how much is certain, on the disk and committed; a sender goes on from there.
    fingerprint: by what a sender that forgot the number finds it again (name, size, first part).
    sha256: of the whole, as the sender says; checked when it is finished.
    """

    handover: ClassVar[dict[str, Q | None]] = {"source": None}

    class Status(models.TextChoices):
        OPEN = "open", _("正在上传")
        FINISHED = "finished", _("上传完毕")
        DISCARDED = "discarded", _("已放弃")

    dataset = models.ForeignKey(
        "catalog.Dataset",
        verbose_name=_("数据目录"),
        on_delete=models.PROTECT,
        related_name="uploads",
    )
    source = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("提交人"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    status = models.CharField(
        _("状态"), max_length=10, choices=Status, default=Status.OPEN, editable=False
    )
    file_name = models.CharField(_("文件名"), max_length=255)
    size_bytes = models.PositiveBigIntegerField(_("大小（字节）"))
    received_bytes = models.PositiveBigIntegerField(_("已收到（字节）"), default=0)
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)
    fingerprint = models.CharField(_("文件特征"), max_length=200, blank=True)
    mode = models.CharField(_("入库方式"), max_length=10, choices=Batch.Mode)
    declared = models.PositiveBigIntegerField(_("申报条数"), null=True, blank=True)
    idempotency_key = models.CharField(_("批次号"), max_length=200, blank=True)
    batch = models.ForeignKey(
        Batch,
        verbose_name=_("归集批次"),
        on_delete=models.PROTECT,
        related_name="uploads",
        null=True,
        blank=True,
    )
    last_part_at = models.DateTimeField(_("最近收到"))
    ended_at = models.DateTimeField(_("结束时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("分片上传")
        verbose_name_plural = _("分片上传")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(received_bytes__lte=F("size_bytes")),
                name="warehouse_upload_within_size",
            ),
            models.CheckConstraint(
                condition=Q(status="finished", batch__isnull=False, received_bytes=F("size_bytes"))
                | (~Q(status="finished") & Q(batch=None)),
                name="warehouse_upload_finished_has_batch",
            ),
            models.CheckConstraint(
                condition=Q(status="open", ended_at=None)
                | (~Q(status="open") & Q(ended_at__isnull=False)),
                name="warehouse_upload_ended_at_end",
            ),
            models.CheckConstraint(
                condition=Q(sha256="") | Q(sha256__regex=r"^[0-9a-f]{64}$"),
                name="warehouse_upload_sha256_form",
            ),
            models.UniqueConstraint(
                fields=["source", "dataset", "fingerprint"],
                condition=Q(status="open") & ~Q(fingerprint=""),
                name="warehouse_upload_open_once",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def received_ratio(self) -> float:
        return self.received_bytes / self.size_bytes if self.size_bytes else 1.0
