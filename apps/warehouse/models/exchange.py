"""Exchange tables (交换表): a department's system writes plain INSERTs, the portal takes them."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.models import Governed
from apps.warehouse.models.batches import Batch


class ExchangeTable(Governed):
    """The table `exchange.t<dataset>` of a dataset and the login that may only insert into it.

    column_names: the item columns that it has. The login's password is kept by PostgreSQL alone.
    """

    handover: ClassVar[dict[str, Q | None]] = {"opened_by": None}

    class Status(models.TextChoices):
        OPEN = "open", _("已开通")
        CLOSED = "closed", _("已关闭")

    dataset = models.OneToOneField(
        "catalog.Dataset",
        verbose_name=_("数据目录"),
        on_delete=models.PROTECT,
        related_name="exchange_table",
    )
    system = models.ForeignKey(
        "accounts.InformationSystem",
        verbose_name=_("来源系统"),
        on_delete=models.PROTECT,
        related_name="exchange_tables",
    )
    status = models.CharField(
        _("状态"), max_length=10, choices=Status, default=Status.OPEN, editable=False
    )
    mode = models.CharField(_("入库方式"), max_length=10, choices=Batch.Mode)
    column_names = models.JSONField(_("列"), default=list)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("开通人"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    drained_at = models.DateTimeField(_("最近取走"), null=True, blank=True)
    last_batch = models.ForeignKey(
        Batch,
        verbose_name=_("最近批次"),
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
    )

    class Meta:
        verbose_name = _("交换表")
        verbose_name_plural = _("交换表")
        constraints = [
            models.CheckConstraint(
                condition=Q(mode__in=["upsert", "append", "delete"]),
                name="warehouse_exchangetable_mode_by_row",
            ),
        ]

    def __str__(self) -> str:
        return f"exchange.{self.name}"

    @property
    def name(self) -> str:
        return f"t{self.dataset_id}"
