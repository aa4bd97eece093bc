"""The database login of a consumer's system, for grants in the way of database exchange."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.models import Governed


class DatabaseLogin(Governed):
    """That a system may log in to PostgreSQL, where it sees the views of its own such grants.

    The password is known to nobody: the server keeps a SCRAM verifier. What the login may read is
    granted and revoked with each grant; this row says whether it may come in at all.

    networks: those of the grant on which it was opened, for which the operator lets it in; it reads
    no grant with networks other than these.

    Source: 《政务数据共享条例》第二十二条（数据库交换）; house rule (design §4)
    """

    class Status(models.TextChoices):
        OPEN = "open", _("已开通")
        CLOSED = "closed", _("已关闭")

    handover: ClassVar[dict[str, Q | None]] = {"opened_by": None, "closed_by": None}

    system = models.OneToOneField(
        "accounts.InformationSystem",
        on_delete=models.PROTECT,
        related_name="database_login",
        verbose_name=_("信息系统"),
    )
    status = models.CharField(
        _("状态"), max_length=10, choices=Status.choices, default=Status.CLOSED
    )
    opened_at = models.DateTimeField(_("开通时间"), null=True, blank=True)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("开通人"),
    )
    password_set_at = models.DateTimeField(_("口令设置时间"), null=True, blank=True)
    closed_at = models.DateTimeField(_("关闭时间"), null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("关闭人"),
    )
    close_reason = models.CharField(_("关闭原因"), max_length=300, blank=True)

    networks = models.JSONField(_("放行的来源地址"), default=list, blank=True)

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("数据库登录")
        verbose_name_plural = _("数据库登录")
        ordering = ("system",)
        constraints = (
            models.CheckConstraint(
                name="sharing_databaselogin_open_has_password",
                condition=~Q(status="open")
                | Q(
                    opened_at__isnull=False, opened_by__isnull=False, password_set_at__isnull=False
                ),
            ),
        )

    def __str__(self) -> str:
        return str(_("%(system)s 的数据库登录") % {"system": self.system})
