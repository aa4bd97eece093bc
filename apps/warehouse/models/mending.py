"""Rejected records as they are being corrected."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.warehouse.models.batches import Batch, Rejection


class MendedRecord(models.Model):
    """A rejected record as a clerk corrects it: a draft until a batch takes it along.

    cells: column name → text, for every column that the batch's contract asks for.
    """

    handover: ClassVar[dict[str, Q | None]] = {"saved_by": None}

    rejection = models.OneToOneField(
        Rejection,
        verbose_name=_("校验未通过数据"),
        on_delete=models.CASCADE,
        related_name="mended",
    )
    cells = models.JSONField(_("改正后的内容"), default=dict)
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("改正人"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    saved_at = models.DateTimeField(_("保存时间"))
    sent_in = models.ForeignKey(
        Batch,
        verbose_name=_("提交的批次"),
        on_delete=models.PROTECT,
        related_name="mended_records",
        null=True,
        blank=True,
    )

    class Meta:
        verbose_name = _("改正的数据")
        verbose_name_plural = _("改正的数据")

    def __str__(self) -> str:
        return str(self.rejection)
