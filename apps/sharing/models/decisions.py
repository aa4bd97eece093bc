"""What was asked and what was decided: every version of the terms is kept."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.sharing.models.limits import limit_constraints
from apps.sharing.models.written_terms import WrittenTerms


class Decision(WrittenTerms):
    """One version of a request's terms: asked, proposed, signed. Never changed, only signed.

    needs_confirmation: a second person of the provider (复核) confirms it before it is signed. The
    three acts are of three people: who proposes, who confirms, who signs.

    offer: the round of the negotiation whose terms the consumer accepted, and these are.
    """

    class Outcome(models.TextChoices):
        ASKED = "asked", _("申请内容")
        AGREE = "agree", _("同意")
        NARROW = "narrow", _("部分同意")
        REFUSE = "refuse", _("不予共享")
        AUTOMATIC = "automatic", _("自动授权")

    handover: ClassVar[dict[str, Q | None]] = {
        "proposed_by": None,
        "confirmed_by": None,
        "signed_by": None,
    }

    request = models.ForeignKey(
        "sharing.SharingRequest", on_delete=models.CASCADE, related_name="decisions"
    )
    version = models.PositiveSmallIntegerField(_("版本"))
    outcome = models.CharField(_("结论"), max_length=10, choices=Outcome.choices)
    reason = models.TextField(_("理由"), blank=True)
    legal_basis = models.TextField(_("依据"), blank=True)
    offer = models.OneToOneField(
        "sharing.Offer",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="decision",
        verbose_name=_("所依据的协商条件"),
    )
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("提出人"),
    )
    proposed_at = models.DateTimeField(_("提出时间"))
    needs_confirmation = models.BooleanField(_("须经复核"), default=False)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("复核人"),
    )
    confirmed_at = models.DateTimeField(_("复核时间"), null=True, blank=True)
    confirmation_remark = models.TextField(_("复核意见"), blank=True)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("签发人"),
    )
    signed_at = models.DateTimeField(_("签发时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("处理决定")
        verbose_name_plural = _("处理决定")
        ordering = ("request", "version")
        constraints = (
            *limit_constraints("sharing_decision"),
            models.UniqueConstraint(
                fields=("request", "version"), name="sharing_decision_version_once"
            ),
            models.CheckConstraint(
                name="sharing_decision_signature_whole",
                condition=Q(signed_at=None, signed_by=None)
                | Q(signed_at__isnull=False, signed_by__isnull=False),
            ),
            models.CheckConstraint(
                name="sharing_decision_confirmation_whole",
                condition=Q(confirmed_at=None, confirmed_by=None)
                | Q(confirmed_at__isnull=False, confirmed_by__isnull=False),
            ),
            models.CheckConstraint(
                name="sharing_decision_confirmed_before_signed",
                condition=Q(needs_confirmation=False)
                | Q(signed_at=None)
                | Q(confirmed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="sharing_decision_three_acts_of_three",
                condition=Q(confirmed_by=None)
                | ~Q(confirmed_by=F("proposed_by"))
                & (
                    Q(signed_by=None)
                    | ~Q(signed_by=F("confirmed_by")) & ~Q(signed_by=F("proposed_by"))
                ),
            ),
            models.CheckConstraint(
                name="sharing_decision_offer_is_narrower",
                condition=Q(offer=None) | Q(outcome="narrow"),
            ),
            models.CheckConstraint(
                name="sharing_decision_refusal_has_reason",
                condition=~Q(outcome="refuse") | ~Q(reason="") & ~Q(legal_basis=""),
            ),
        )

    @property
    def told(self) -> dict[str, Any]:
        """What the event of its writing tells."""
        reason = {"reason": self.reason} if self.reason else {}
        return {"outcome": self.outcome, "version": self.version, **reason}

    def __str__(self) -> str:
        return f"{self.request_id} v{self.version}"


class DeadlineExtension(models.Model):
    """The provider asks the authority for more time to answer a request.

    Source: 《政务数据共享条例》第二十一条
    """

    handover: ClassVar[dict[str, Q | None]] = {"asked_by": None, "decided_by": None}

    request = models.ForeignKey(
        "sharing.SharingRequest", on_delete=models.CASCADE, related_name="extensions"
    )
    workdays = models.PositiveSmallIntegerField(_("延长工作日"))
    reason = models.TextField(_("延期理由"))
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("申请人"),
    )
    asked_at = models.DateTimeField(_("申请时间"))
    consented = models.BooleanField(_("主管部门是否同意"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("审批人"),
    )
    decided_at = models.DateTimeField(_("审批时间"), null=True, blank=True)
    remark = models.TextField(_("审批意见"), blank=True)

    class Meta:
        verbose_name = _("延期申请")
        verbose_name_plural = _("延期申请")
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("request",),
                condition=Q(decided_at=None),
                name="sharing_deadlineextension_one_open",
            ),
            models.CheckConstraint(
                name="sharing_deadlineextension_within_limit",
                condition=Q(workdays__gte=1, workdays__lte=10),
            ),
            models.CheckConstraint(
                name="sharing_deadlineextension_decision_whole",
                condition=Q(consented=None, decided_by=None, decided_at=None)
                | Q(
                    consented__isnull=False,
                    decided_by__isnull=False,
                    decided_at__isnull=False,
                ),
            ),
        )

    def __str__(self) -> str:
        return f"{self.request_id} +{self.workdays}"
