"""The copy of a grant's data that the platform keeps in the consumer's own pool."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.sharing.models.grants import Grant


class LandedCopy(models.Model):
    """What a system was granted of a dataset by batch exchange, landed in its department's pool.

    It is no entry of the catalogue and no source of anything: its table follows the grant by the
    feed, and goes when no grant stands behind it. A renewed grant goes on with the same table.
    grant: the one that it follows, or followed last; grant_version: under which terms it is open to
    the system, 0 when it is not. horizon: the batch of the provider's table up
    to which it came; complete_at: when it last held exactly what the grant shows at the horizon.
    problem: why it cannot go on; disposed_at: when its table was removed.

    Source: 渝大数据复函〔2019〕124号 (against “channel-style” sharing, where data never lands);
        《政务数据共享条例》第二十二条（批量交换）
    """

    system = models.ForeignKey(
        "accounts.InformationSystem",
        on_delete=models.PROTECT,
        related_name="landed_copies",
        verbose_name=_("使用系统"),
    )
    dataset = models.ForeignKey(
        "catalog.Dataset",
        on_delete=models.PROTECT,
        related_name="landed_copies",
        verbose_name=_("数据目录"),
    )
    grant = models.ForeignKey(
        Grant, on_delete=models.PROTECT, related_name="landed_copies", verbose_name=_("授权")
    )
    store = models.ForeignKey(
        "warehouse.Store",
        on_delete=models.PROTECT,
        related_name="landed_copies",
        verbose_name=_("数据池"),
    )
    grant_version = models.PositiveIntegerField(_("授权版本"), default=0)
    horizon = models.BigIntegerField(_("已到批次"), null=True, blank=True)
    rows = models.PositiveBigIntegerField(_("现有条数"), default=0)
    complete_at = models.DateTimeField(_("最近一致时间"), null=True, blank=True)
    proved_at = models.DateTimeField(_("最近核对时间"), null=True, blank=True)
    mended_ranges = models.PositiveIntegerField(_("核对时改正的段数"), default=0)
    problem = models.CharField(_("受阻原因"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("建立时间"))
    disposed_at = models.DateTimeField(_("处置时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("落地副本")
        verbose_name_plural = _("落地副本")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("system", "dataset"),
                condition=Q(disposed_at__isnull=True),
                name="sharing_landedcopy_one_a_system",
            ),
            models.CheckConstraint(
                name="sharing_landedcopy_disposed_is_empty",
                condition=Q(disposed_at__isnull=True) | Q(rows=0),
            ),
        )

    def __str__(self) -> str:
        return f"{self.store.schema}.{self.table_name}"

    @property
    def table_name(self) -> str:
        """The table in the pool's schema; permanent, for departments are renamed."""
        return f"copy_{self.pk}"
