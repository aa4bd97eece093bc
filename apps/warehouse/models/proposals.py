"""Drafts of entries that were proposed from a file, with what spoke for each proposal."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.warehouse.models.batches import StoredFile


class FileProposal(models.Model):
    """Where a draft entry came from: the file, how it was read, the evidence.

    evidence: [{"said", "why"}] of the entry; item_evidence: the same by column name; notes: form,
    encoding and why, sheet. What the clerk corrected since stands in the draft alone.
    """

    handover: ClassVar[dict[str, Q | None]] = {"proposed_by": None}

    dataset = models.OneToOneField(
        "catalog.Dataset",
        verbose_name=_("数据目录"),
        on_delete=models.CASCADE,
        related_name="file_proposal",
    )
    file = models.ForeignKey(
        StoredFile, verbose_name=_("原始文件"), on_delete=models.PROTECT, related_name="+"
    )
    file_name = models.CharField(_("文件名"), max_length=255)
    rows = models.PositiveBigIntegerField(_("行数"))
    notes = models.JSONField(_("读取情况"), default=dict)
    evidence = models.JSONField(_("依据"), default=list)
    item_evidence = models.JSONField(_("各数据项的依据"), default=dict)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("提交人"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    proposed_at = models.DateTimeField(_("生成时间"))

    class Meta:
        verbose_name = _("由文件生成的草案")
        verbose_name_plural = _("由文件生成的草案")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.dataset} · {self.file_name}"
