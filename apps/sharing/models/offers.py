"""Narrower terms that the provider offers while it reviews a request, and the consumer's answer."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.models import Governed
from apps.sharing.models.limits import limit_constraints
from apps.sharing.models.written_terms import WrittenTerms


class Offer(WrittenTerms, Governed):
    """One round of a negotiation (协商): the terms never change, only the answer is added.

    Until when it is to be answered its clock says; unanswered it lapses, and the provider decides
    freely.
    closing: the words of whoever accepted, declined or took it back, or why it lapsed.

    Source: house rule (issue 5: negotiation, all versions kept)
    """

    class Status(models.TextChoices):
        OPEN = "open", _("待使用部门答复")
        ACCEPTED = "accepted", _("使用部门已接受")
        DECLINED = "declined", _("使用部门未接受")
        RETRACTED = "retracted", _("提供部门已收回")
        LAPSED = "lapsed", _("已失效")

    handover: ClassVar[dict[str, Q | None]] = {"offered_by": None, "closed_by": None}

    request = models.ForeignKey(
        "sharing.SharingRequest",
        on_delete=models.CASCADE,
        related_name="offers",
        verbose_name=_("共享申请"),
    )
    version = models.PositiveSmallIntegerField(_("第几次协商"))
    status = models.CharField(_("状态"), max_length=10, choices=Status.choices, default=Status.OPEN)
    reason = models.TextField(_("协商的理由"))
    offered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("提出人"),
    )
    offered_at = models.DateTimeField(_("提出时间"))
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("答复或者收回的人"),
    )
    closed_at = models.DateTimeField(_("答复或者收回的时间"), null=True, blank=True)
    closing = models.TextField(_("答复或者收回的说明"), blank=True)

    class Meta:
        verbose_name = _("协商条件")
        verbose_name_plural = _("协商条件")
        ordering = ("request", "version")
        constraints = (
            *limit_constraints("sharing_offer"),
            models.UniqueConstraint(
                fields=("request", "version"), name="sharing_offer_version_once"
            ),
            models.UniqueConstraint(
                fields=("request",),
                condition=Q(status="open"),
                name="sharing_offer_one_open_a_request",
            ),
            models.CheckConstraint(name="sharing_offer_has_reason", condition=~Q(reason="")),
            models.CheckConstraint(
                name="sharing_offer_closed_when_over",
                condition=Q(status="open", closed_at=None, closed_by=None, closing="")
                | ~Q(status="open") & Q(closed_at__isnull=False, closed_by__isnull=False),
            ),
            models.CheckConstraint(
                name="sharing_offer_no_has_words",
                condition=~Q(status__in=("declined", "retracted", "lapsed")) | ~Q(closing=""),
            ),
        )

    def __str__(self) -> str:
        return f"{self.request_id} #{self.version}"
