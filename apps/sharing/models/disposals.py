"""What became of the data when a grant was over: the consumer certifies, the provider checks."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.models import Governed
from apps.sharing.models.grants import Grant


class Disposal(Governed):
    """The certificate of disposal (数据处置证明) that a consumer owes once a grant is over.

    It is opened by the platform when a grant that was delivered ends or expires; not when a renewal
    takes its place: that one's certificate is for all of the chain. Nor is it where the whole chain
    only ever verified, by which no record was given.
    It is void once a reform made both sides one department: nobody is left to certify to.
    held: what was obtained and where it was kept; method: how it was destroyed; kept_basis: what is
    kept, and on what basis. Earlier texts of one that was sent back stand in the history.
    provider, consumer: the parties now; they follow a reform, while a grant that is over does not.

    Source: 《政务数据共享条例》第二十九条; house rule (domain §3)
    """

    class Status(models.TextChoices):
        OWED = "owed", _("待处置")
        FILED = "filed", _("待提供部门核对")
        RETURNED = "returned", _("退回重报")
        CONFIRMED = "confirmed", _("已确认")
        VOID = "void", _("已免报")

    class Outcome(models.TextChoices):
        DESTROYED = "destroyed", _("已全部销毁")
        KEPT = "kept", _("依据留存一部分或者全部")
        NOTHING = "nothing", _("没有取得过数据")

    OWED_STATUSES: ClassVar = (Status.OWED, Status.RETURNED)
    OPEN_STATUSES: ClassVar = (Status.OWED, Status.FILED, Status.RETURNED)

    succession: ClassVar[dict[str, str]] = {"provider": "moves", "consumer": "moves"}
    succession_open: ClassVar[Q] = Q(status__in=OPEN_STATUSES)
    handover: ClassVar[dict[str, Q | None]] = {"filed_by": None, "checked_by": None}

    grant = models.OneToOneField(
        Grant, on_delete=models.PROTECT, related_name="disposal", verbose_name=_("授权")
    )
    provider = models.ForeignKey(
        "accounts.Department",
        on_delete=models.PROTECT,
        related_name="disposals_checked",
        verbose_name=_("提供部门"),
    )
    consumer = models.ForeignKey(
        "accounts.Department",
        on_delete=models.PROTECT,
        related_name="disposals_owed",
        verbose_name=_("使用部门"),
    )
    status = models.CharField(_("状态"), max_length=10, choices=Status.choices, default=Status.OWED)
    outcome = models.CharField(_("处置结果"), max_length=10, choices=Outcome.choices, blank=True)
    held = models.TextField(_("取得的数据及存放位置"), blank=True)
    method = models.TextField(_("销毁方式"), blank=True)
    kept_basis = models.TextField(_("留存内容和依据"), blank=True)
    disposed_by = models.CharField(_("处置责任人"), max_length=60, blank=True)
    disposed_on = models.DateField(_("处置日期"), null=True, blank=True)
    file = models.FileField(
        _("证明材料"), upload_to="sharing/disposals/%Y/", blank=True, max_length=200
    )
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)
    filed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("报送人"),
    )
    filed_at = models.DateTimeField(_("报送时间"), null=True, blank=True)
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("核对人"),
    )
    checked_at = models.DateTimeField(_("核对时间"), null=True, blank=True)
    remark = models.TextField(_("核对意见"), blank=True)
    reminded_at = models.DateTimeField(_("催报时间"), null=True, blank=True)

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("数据处置证明")
        verbose_name_plural = _("数据处置证明")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                name="sharing_disposal_filed_is_complete",
                condition=Q(status__in=("owed", "void"), filed_at=None, filed_by=None, outcome="")
                | ~Q(status="owed")
                & Q(filed_at__isnull=False, filed_by__isnull=False)
                & ~Q(outcome="")
                & (Q(outcome="nothing") | ~Q(held="") & ~Q(disposed_by=""))
                & (Q(outcome="nothing") | Q(disposed_on__isnull=False)),
            ),
            models.CheckConstraint(
                name="sharing_disposal_destroyed_says_how",
                condition=~Q(outcome="destroyed") | ~Q(method=""),
            ),
            models.CheckConstraint(
                name="sharing_disposal_kept_says_why",
                condition=~Q(outcome="kept") | ~Q(kept_basis=""),
            ),
            models.CheckConstraint(
                name="sharing_disposal_check_whole",
                condition=Q(checked_at=None, checked_by=None)
                | Q(checked_at__isnull=False, checked_by__isnull=False),
            ),
            models.CheckConstraint(
                name="sharing_disposal_confirmed_was_checked",
                condition=~Q(status="confirmed") | Q(checked_at__isnull=False),
            ),
            models.CheckConstraint(
                name="sharing_disposal_return_has_words",
                condition=~Q(status="returned") | ~Q(remark="") & Q(checked_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"CZ-{self.grant_id:06d}"
