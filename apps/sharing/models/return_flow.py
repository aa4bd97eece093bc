"""Return flow (回流): rows about an area are sent back to the area, as a standing subscription."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class RegionItem(models.Model):
    """Which item of an entry tells the region that a record is about, by its division code.

    Source: 《政务数据共享条例》第二十四条; house rule (issue 5: a declared region item)
    """

    handover: ClassVar[dict[str, Q | None]] = {"declared_by": None}

    dataset = models.OneToOneField(
        "catalog.Dataset",
        on_delete=models.CASCADE,
        related_name="region_item",
        verbose_name=_("数据目录"),
    )
    column_name = models.CharField(_("区划数据项"), max_length=63)
    declared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("声明人"),
    )
    declared_at = models.DateTimeField(_("声明时间"))

    class Meta:
        verbose_name = _("区划数据项")
        verbose_name_plural = _("区划数据项")
        constraints = (
            models.CheckConstraint(
                name="sharing_regionitem_names_a_column", condition=~Q(column_name="")
            ),
        )

    def __str__(self) -> str:
        return f"{self.dataset_id}:{self.column_name}"


class ReturnFlow(models.Model):
    """What makes a request one of return flow: the region, and the codes that stand for it.

    codes: the region's own and those of abolished regions that went into it whole. ambiguous:
    `[{"code", "name", "successors"}]` of abolished regions that went into several: by the code
    alone nobody can say whose a record is, so such records are listed and not sent.

    Source: 《政务数据共享条例》第二十四条
    """

    request = models.OneToOneField(
        "sharing.SharingRequest", on_delete=models.CASCADE, related_name="return_flow"
    )
    region = models.ForeignKey(
        "accounts.Region",
        on_delete=models.PROTECT,
        related_name="return_flows",
        verbose_name=_("区划"),
    )
    column_name = models.CharField(_("区划数据项"), max_length=63)
    codes = models.JSONField(_("区划代码"))
    ambiguous = models.JSONField(_("归属不明的旧代码"), default=list, blank=True)

    class Meta:
        verbose_name = _("数据回流")
        verbose_name_plural = _("数据回流")
        constraints = (
            models.CheckConstraint(name="sharing_returnflow_has_codes", condition=~Q(codes=[])),
        )

    def __str__(self) -> str:
        return f"{self.request_id} {self.region_id}"

    @property
    def row_condition(self) -> list[dict[str, object]]:
        """The one condition of its rows; nobody adds another."""
        return [{"item": self.column_name, "operator": "in", "value": self.codes}]
