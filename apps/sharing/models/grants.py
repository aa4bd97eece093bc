"""What a consumer's system may read. Roles, policies and views are derived from this row."""

from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.models import Governed
from apps.sharing.models.limits import Limited, limit_constraints
from apps.sharing.models.requests import Mode, SharingRequest

SERVED: Final = ("in_force", "suspended")
LIVE: Final = ("delivering", *SERVED)


class Grant(Limited, Governed):
    """The right of one information system to read items and rows of one dataset, until a day.

    request: the one whose terms stand, as they were agreed or narrowed since; `requests` are all
    that became a version of the grant, each with its number.
    columns: `[{"name": column, "mask": mask or ""}]` in the order of the dataset.
    row_condition: `[{"item", "operator", "value"}]`, joined by AND; empty means every row.
    version: counts changes of the terms; a cursor of another version must begin anew. What the
    terms were under an earlier version stands in the history.
    SERVED: the statuses in which it is delivered and not over; LIVE: these and before delivery.
    renewed_at: when a later request last became a version; empty while the first one stands.
    table_schema, table_name: where the rows lie; empty until the grant was provisioned once.

    Source: 《政务数据共享条例》第二十二条、第二十五条; house rule (design §4)
    """

    class Status(models.TextChoices):
        DELIVERING = "delivering", _("交付中")
        IN_FORCE = "in_force", _("生效")
        SUSPENDED = "suspended", _("已暂停")
        ENDED = "ended", _("已终止")
        EXPIRED = "expired", _("已到期")

    SERVED: ClassVar[tuple[str, ...]] = SERVED
    LIVE: ClassVar[tuple[str, ...]] = LIVE

    succession: ClassVar[dict[str, str]] = {"provider": "moves", "consumer": "moves"}
    succession_open: ClassVar[Q] = Q(status__in=LIVE)
    handover: ClassVar[dict[str, Q | None]] = {"suspended_by": None, "ended_by": None}

    request = models.OneToOneField(
        SharingRequest,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("共享申请"),
    )
    dataset = models.ForeignKey(
        "catalog.Dataset",
        on_delete=models.PROTECT,
        related_name="grants",
        verbose_name=_("数据目录"),
    )
    provider = models.ForeignKey(
        "accounts.Department",
        on_delete=models.PROTECT,
        related_name="grants_given",
        verbose_name=_("提供部门"),
    )
    consumer = models.ForeignKey(
        "accounts.Department",
        on_delete=models.PROTECT,
        related_name="grants_received",
        verbose_name=_("使用部门"),
    )
    system = models.ForeignKey(
        "accounts.InformationSystem",
        on_delete=models.PROTECT,
        related_name="grants",
        verbose_name=_("使用系统"),
    )
    version = models.PositiveIntegerField(_("版本"), default=1)
    status = models.CharField(
        _("状态"), max_length=12, choices=Status.choices, default=Status.DELIVERING
    )
    mode = models.CharField(_("共享方式"), max_length=10, choices=Mode.choices)
    purpose = models.TextField(_("使用目的"))
    columns = models.JSONField(_("授权数据项"), default=list)
    row_condition = models.JSONField(_("数据范围条件"), default=list, blank=True)
    starts_at = models.DateTimeField(_("生效时间"))
    expires_at = models.DateTimeField(_("到期时间"))
    table_schema = models.CharField(_("所在库"), max_length=63, blank=True)
    table_name = models.CharField(_("数据表"), max_length=63, blank=True)
    provisioned_at = models.DateTimeField(_("开通时间"), null=True, blank=True)
    renewed_at = models.DateTimeField(_("续期或变更时间"), null=True, blank=True)
    torn_down_at = models.DateTimeField(_("回收时间"), null=True, blank=True)
    problem = models.TextField(_("交付受阻原因"), blank=True)
    suspended_at = models.DateTimeField(_("暂停时间"), null=True, blank=True)
    suspended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("暂停人"),
    )
    suspended_by_authority = models.BooleanField(_("由主管部门暂停"), default=False)
    suspension_reason = models.TextField(_("暂停原因"), blank=True)
    rectify_by = models.DateField(_("整改期限"), null=True, blank=True)
    resumed_at = models.DateTimeField(_("恢复时间"), null=True, blank=True)
    ended_at = models.DateTimeField(_("终止时间"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("终止人"),
    )
    end_reason = models.TextField(_("终止原因"), blank=True)

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("授权")
        verbose_name_plural = _("授权")
        ordering = ("-id",)
        constraints = (
            *limit_constraints("sharing_grant"),
            # What takes another grant's place is delivered while that one is still in force.
            models.UniqueConstraint(
                fields=("system", "dataset"),
                condition=Q(status__in=SERVED),
                name="sharing_grant_one_live_a_system",
            ),
            models.UniqueConstraint(
                fields=("system", "dataset"),
                condition=Q(status="delivering"),
                name="sharing_grant_one_delivering_a_system",
            ),
            models.CheckConstraint(
                name="sharing_grant_period_in_order",
                condition=Q(expires_at__gt=F("starts_at")),
            ),
            models.CheckConstraint(
                name="sharing_grant_renewed_is_a_later_version",
                condition=Q(renewed_at=None) | Q(version__gt=1, provisioned_at__isnull=False),
            ),
            models.CheckConstraint(
                name="sharing_grant_in_force_is_provisioned",
                condition=~Q(status__in=SERVED)
                | Q(provisioned_at__isnull=False) & ~Q(table_name=""),
            ),
            models.CheckConstraint(
                name="sharing_grant_suspension_has_reason",
                condition=~Q(status="suspended")
                | Q(suspended_at__isnull=False, suspended_by__isnull=False)
                & ~Q(suspension_reason=""),
            ),
            models.CheckConstraint(
                name="sharing_grant_end_has_reason",
                condition=~Q(status="ended")
                | Q(ended_at__isnull=False, ended_by__isnull=False) & ~Q(end_reason=""),
            ),
        )
        indexes = (
            models.Index(fields=("status", "expires_at"), name="sharing_grant_due"),
            models.Index(fields=("dataset", "status"), name="sharing_grant_dataset"),
        )

    @property
    def is_verify_only(self) -> bool:
        """Whether the consumer may ask, but reads no row."""
        return self.mode == Mode.VERIFY

    @property
    def was_suspended_last(self) -> bool:
        """Whether it was suspended and not resumed since, also where it is over by now."""
        if self.suspended_at is None:
            return False
        return self.resumed_at is None or self.resumed_at < self.suspended_at

    def __str__(self) -> str:
        return f"G-{self.pk:06d}" if self.pk else str(_("新授权"))


class ProvisioningLock(models.Model):
    """One row that whoever changes roles or grants in the database holds.

    Concurrent GRANTs on one schema or table fail with "tuple concurrently updated", and advisory
    locks could be taken by a consumer that was given a login.

    Source: house rule (design §4)
    """

    name = models.CharField(max_length=20, primary_key=True, default="grants")

    class Meta:
        verbose_name = _("开通锁")
        verbose_name_plural = _("开通锁")

    def __str__(self) -> str:
        return self.name
