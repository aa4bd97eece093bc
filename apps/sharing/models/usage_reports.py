"""What a consumer files of its use: for what, with what effect, kept where, disposed of how."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.sharing.models.grants import Grant


class UsageReport(models.Model):
    """The use of one grant in one half-year, filed by the consumer (使用情况登记).

    Opened by the platform when the half-year is over; empty until it is filed.
    figures: calls and records of the half-year, as they stood when it was filed.

    Source: 《政务数据共享条例》第二十五条; house rule (issue 5)
    """

    grant = models.ForeignKey(
        Grant, on_delete=models.PROTECT, related_name="usage_reports", verbose_name=_("授权")
    )
    first_day = models.DateField(_("期间首日"))
    last_day = models.DateField(_("期间末日"))
    due_on = models.DateField(_("截止日期"))
    scenario = models.TextField(_("使用场景"), blank=True)
    effect = models.TextField(_("使用成效"), blank=True)
    storage = models.TextField(_("存放位置"), blank=True)
    disposal = models.TextField(_("处置情况"), blank=True)
    figures = models.JSONField(_("用量"), default=dict)
    opened_at = models.DateTimeField(_("产生时间"))
    filed_at = models.DateTimeField(_("登记时间"), null=True, blank=True)
    filed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("登记人"),
    )
    reminded_at = models.DateTimeField(_("催报时间"), null=True, blank=True)

    handover: ClassVar[dict[str, Q | None]] = {"filed_by": None}

    class Meta:
        verbose_name = _("使用情况登记")
        verbose_name_plural = _("使用情况登记")
        ordering = ("-first_day", "grant")
        constraints = (
            models.UniqueConstraint(
                fields=("grant", "first_day"), name="sharing_usagereport_once_a_period"
            ),
            models.CheckConstraint(
                name="sharing_usagereport_period_in_order",
                condition=Q(last_day__gte=F("first_day"), due_on__gt=F("last_day")),
            ),
            models.CheckConstraint(
                name="sharing_usagereport_filed_is_complete",
                condition=Q(filed_at__isnull=True, filed_by__isnull=True)
                | Q(filed_at__isnull=False, filed_by__isnull=False)
                & ~Q(scenario="")
                & ~Q(effect="")
                & ~Q(storage=""),
            ),
        )
        indexes = (
            models.Index(
                fields=("due_on",), name="sharing_usagereport_open", condition=Q(filed_at=None)
            ),
        )

    def __str__(self) -> str:
        return f"{Grant(pk=self.grant_id)} {self.first_day:%Y-%m-%d}"
