"""Supplier accounts (供应商账号): a firm's engineer, bound to one system, dated, without data."""

from datetime import date
from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.models import Governed

LONGEST_DAYS: Final = 366


class SupplierAccount(Governed):
    """Who of which firm may see the technical pages of a system, on what contract, to which day.

    Both days are included; on the day after it ends by itself. warned_at: when the department was
    told that it is about to. The person's user has no department and no role.

    Source: GB/T 22239-2019 第三级（外部人员访问管理）; house rule (issue 5: suppliers' accounts)
    """

    class Status(models.TextChoices):
        OPEN = "open", _("有效")
        CLOSED = "closed", _("已关闭")
        ENDED = "ended", _("已到期")

    handover: ClassVar[dict[str, Q | None]] = {"user": None, "opened_by": None, "closed_by": None}

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="supplier_account",
        verbose_name=_("账号"),
    )
    system = models.ForeignKey(
        "accounts.InformationSystem",
        on_delete=models.PROTECT,
        related_name="supplier_accounts",
        verbose_name=_("信息系统"),
    )
    status = models.CharField(_("状态"), max_length=10, choices=Status.choices, default=Status.OPEN)
    firm = models.CharField(_("供应商"), max_length=100)
    basis = models.CharField(_("合同或者依据"), max_length=300)
    starts_on = models.DateField(_("开始日期"))
    ends_on = models.DateField(_("截止日期"))
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("开通人"),
    )
    warned_at = models.DateTimeField(_("到期提醒时间"), null=True, blank=True)
    closed_at = models.DateTimeField(_("关闭时间"), null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("关闭人"),
    )
    close_reason = models.CharField(_("关闭的理由"), max_length=300, blank=True)

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("供应商账号")
        verbose_name_plural = _("供应商账号")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                name="sharing_supplieraccount_days_in_order",
                condition=Q(ends_on__gte=F("starts_on")),
            ),
            models.CheckConstraint(
                name="sharing_supplieraccount_says_who_and_why",
                condition=~Q(firm="") & ~Q(basis=""),
            ),
            models.CheckConstraint(
                name="sharing_supplieraccount_over_has_moment",
                condition=Q(status="open", closed_at=None, closed_by=None, close_reason="")
                | Q(
                    status__in=("closed", "ended"),
                    closed_at__isnull=False,
                    closed_by__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="sharing_supplieraccount_closed_has_reason",
                condition=~Q(status="closed") | ~Q(close_reason=""),
            ),
        )
        indexes = (
            models.Index(
                fields=("ends_on",), condition=Q(status="open"), name="sharing_supplieraccount_due"
            ),
        )

    def is_valid_on(self, day: date) -> bool:
        """Whether its person may sign in that day."""
        is_open = self.status == self.Status.OPEN
        return is_open and self.starts_on <= day <= self.ends_on

    def __str__(self) -> str:
        return f"{self.user}（{self.firm}）"
