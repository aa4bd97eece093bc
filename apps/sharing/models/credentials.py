"""The credentials (调用凭证) by which information systems call, and the rows they are tried on."""

from datetime import datetime, timedelta
from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.models import Governed

LIVE: Final = ("offered", "active")


class Credential(Governed):
    """A client id of one system in one environment, kept by a named person.

    Offered, it has no secret yet: the holder collects it, sees it once, and only then there is an
    application that draws tokens. Over, the application is gone with its tokens; the row stays.
    expires_at: of an offered one, until when it may be collected; days: how long it is then good
    for. replaces: the one that it follows; older_ends_on: the day on which that one ends, once this
    is collected. warned_days: the last of the warnings before its end, in days. tried_at: first
    read of invented rows with it. untested_reason: why it is for production though its system was
    never tried.

    Source: GB/T 22239-2019 第三级（身份鉴别）; house rule (issue 5: credentials)
    """

    class Status(models.TextChoices):
        OFFERED = "offered", _("待领取")
        ACTIVE = "active", _("使用中")
        REVOKED = "revoked", _("已吊销")
        VOIDED = "voided", _("已紧急作废")
        EXPIRED = "expired", _("已到期")
        UNUSED = "unused", _("久未使用停用")

    class Environment(models.TextChoices):
        TEST = "test", _("测试环境")
        PRODUCTION = "production", _("生产环境")

    LIVE: ClassVar[tuple[str, ...]] = LIVE

    handover: ClassVar[dict[str, Q | None]] = {
        "holder": Q(status__in=LIVE),
        "security_contact": Q(status__in=LIVE),
        "issued_by": None,
        "ended_by": None,
    }

    system = models.ForeignKey(
        "accounts.InformationSystem",
        on_delete=models.PROTECT,
        related_name="credentials",
        verbose_name=_("信息系统"),
    )
    environment = models.CharField(_("环境"), max_length=10, choices=Environment.choices)
    status = models.CharField(
        _("状态"), max_length=10, choices=Status.choices, default=Status.OFFERED
    )
    note = models.CharField(_("用途备注"), max_length=100, blank=True)
    client_id = models.CharField("client_id", max_length=100, blank=True)
    application = models.OneToOneField(
        settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="credential",
        verbose_name=_("OAuth 应用"),
    )
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="credentials_held",
        verbose_name=_("保管人"),
    )
    security_contact = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("安全联系人"),
    )
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("签发人"),
    )
    days = models.PositiveSmallIntegerField(_("有效天数"))
    expires_at = models.DateTimeField(_("到期时间"))
    collected_at = models.DateTimeField(_("领取时间"), null=True, blank=True)
    replaces = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="replacements",
        verbose_name=_("替换的凭证"),
    )
    older_ends_on = models.DateField(_("旧凭证截止日期"), null=True, blank=True)
    warned_days = models.PositiveSmallIntegerField(_("最近一次提醒（提前天数）"), null=True)
    tried_at = models.DateTimeField(_("首次试调时间"), null=True, blank=True)
    untested_reason = models.CharField(_("未经测试的理由"), max_length=300, blank=True)
    ended_at = models.DateTimeField(_("失效时间"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("失效操作人"),
    )
    end_reason = models.CharField(_("失效原因"), max_length=300, blank=True)

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("调用凭证")
        verbose_name_plural = _("调用凭证")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("client_id",),
                condition=~Q(client_id=""),
                name="sharing_credential_client_id_once",
            ),
            # Whatever draws tokens is a credential in use, and one in use can draw them.
            models.CheckConstraint(
                name="sharing_credential_active_has_application",
                condition=Q(status="active", application__isnull=False, collected_at__isnull=False)
                | (~Q(status="active") & Q(application__isnull=True)),
            ),
            models.CheckConstraint(
                name="sharing_credential_over_has_moment",
                condition=Q(status__in=("offered", "active"), ended_at__isnull=True)
                | (~Q(status__in=("offered", "active")) & Q(ended_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="sharing_credential_end_by_people_has_reason",
                condition=~Q(status__in=("revoked", "voided"))
                | (Q(ended_by__isnull=False) & ~Q(end_reason="")),
            ),
            models.UniqueConstraint(
                fields=("replaces",),
                condition=Q(status__in=("offered", "active")),
                name="sharing_credential_replaced_by_one",
            ),
        )
        indexes = (
            models.Index(
                fields=("expires_at",),
                condition=Q(status__in=("offered", "active")),
                name="sharing_credential_due",
            ),
            models.Index(fields=("system", "status"), name="sharing_credential_of_system"),
        )

    def __str__(self) -> str:
        return f"C-{self.pk:05d}" if self.pk else str(_("新凭证"))

    @property
    def last_drawn_at(self) -> datetime | None:
        """When a token was last drawn; None before the first. Wants `application` selected.

        Each token moves the application's `updated`, which begins as the moment of its making.
        """
        made = self.application
        if made is None or made.updated - made.created < timedelta(seconds=1):
            return None
        return made.updated  # type: ignore[no-any-return]


class TrialSample(models.Model):
    """Invented rows under one set of terms, drawn once and read by every trial under them.

    digest: of the contract, the columns and the row condition; rows: a list of objects, whose place
    in it, from 1, is their `_id`. Only the role of trials may read the table, and that role
    nothing else.
    """

    digest = models.CharField(max_length=64, unique=True)
    rows = models.JSONField(default=list)
    made_at = models.DateTimeField()

    class Meta:
        db_table = "sharing_testsample"
        verbose_name = _("测试数据")
        verbose_name_plural = _("测试数据")

    def __str__(self) -> str:
        return self.digest[:12]
