"""Blind review (盲审): two people of the provider write, neither seeing the other's opinion."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Value
from django.utils.translation import gettext_lazy as _

from apps.core.models import Governed
from apps.sharing.models.limits import limit_constraints
from apps.sharing.models.written_terms import WrittenTerms


class BlindReviewOrder(models.Model):
    """While it is in force, what needs a second person is reviewed blind.

    Off by default; the authority's leader orders and lifts it, with the reason.

    Source: house rule (issue 5: blind review by two is an option of the authority)
    """

    handover: ClassVar[dict[str, Q | None]] = {"ordered_by": None, "lifted_by": None}

    reason = models.TextField(_("开启的理由"))
    ordered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("开启人"),
    )
    ordered_at = models.DateTimeField(_("开启时间"))
    lift_reason = models.TextField(_("停止的理由"), blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("停止人"),
    )
    lifted_at = models.DateTimeField(_("停止时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("盲审安排")
        verbose_name_plural = _("盲审安排")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                Value(1),
                condition=Q(lifted_at=None),
                name="sharing_blindrevieworder_one_in_force",
            ),
            models.CheckConstraint(
                name="sharing_blindrevieworder_lifting_whole",
                condition=Q(lifted_at=None, lifted_by=None, lift_reason="")
                | Q(lifted_at__gte=F("ordered_at"), lifted_by__isnull=False) & ~Q(lift_reason=""),
            ),
            models.CheckConstraint(
                name="sharing_blindrevieworder_has_reason", condition=~Q(reason="")
            ),
        )

    def __str__(self) -> str:
        return f"{self.ordered_at:%Y-%m-%d}"


class SealedOpinion(WrittenTerms, Governed):
    """What one of the two wrote; until both have written, nobody else sees it.

    place: 1 is who reviews, 2 the second person. opened_at:
    when the second was written, for both. dropped_at: the request went another way before.

    Source: house rule (issue 5)
    """

    class Outcome(models.TextChoices):
        AGREE = "agree", _("同意")
        NARROW = "narrow", _("部分同意")
        REFUSE = "refuse", _("不予共享")

    handover: ClassVar[dict[str, Q | None]] = {"author": None}

    request = models.ForeignKey(
        "sharing.SharingRequest",
        on_delete=models.CASCADE,
        related_name="sealed_opinions",
        verbose_name=_("共享申请"),
    )
    round = models.PositiveSmallIntegerField(_("第几轮"))
    place = models.PositiveSmallIntegerField(_("第几人"))
    outcome = models.CharField(_("结论"), max_length=10, choices=Outcome.choices)
    reason = models.TextField(_("理由"), blank=True)
    legal_basis = models.TextField(_("依据"), blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("提出人"),
    )
    written_at = models.DateTimeField(_("提出时间"))
    opened_at = models.DateTimeField(_("公开时间"), null=True, blank=True)
    dropped_at = models.DateTimeField(_("作废时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("盲审意见")
        verbose_name_plural = _("盲审意见")
        ordering = ("request", "round", "place")
        constraints = (
            *limit_constraints("sharing_sealedopinion"),
            models.UniqueConstraint(
                fields=("request", "round", "place"), name="sharing_sealedopinion_place_once"
            ),
            models.UniqueConstraint(
                fields=("request", "round", "author"), name="sharing_sealedopinion_two_people"
            ),
            models.CheckConstraint(
                name="sharing_sealedopinion_two_places", condition=Q(place__in=(1, 2))
            ),
            models.CheckConstraint(
                name="sharing_sealedopinion_opened_or_dropped",
                condition=Q(opened_at=None) | Q(dropped_at=None),
            ),
            models.CheckConstraint(
                name="sharing_sealedopinion_refusal_has_reason",
                condition=~Q(outcome="refuse") | ~Q(reason="") & ~Q(legal_basis=""),
            ),
        )

    @property
    def told(self) -> dict[str, Any]:
        """What the event of its writing tells: not what it says."""
        return {"sealed": True, "round": self.round}

    def __str__(self) -> str:
        return f"{self.request_id} #{self.round}.{self.place}"
