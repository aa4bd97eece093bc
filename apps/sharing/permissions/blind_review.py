"""Who orders blind review, and who sees the opinions once they are open."""

from django.db.models import Q

from apps.accounts.models import User
from apps.core import access
from apps.sharing.models import SharingRequest
from apps.sharing.permissions.parties import EVERY, NOBODY, answered_for_by, is_overseer


@access.ability("sharing.BlindReviewOrder", "order_blind_review")
def leader(actor: User) -> bool:
    return actor.holds("authority_leader")


@access.scope("sharing.BlindReviewOrder", "lift_blind_review")
def every_order_to_the_leader(actor: User) -> Q:
    return EVERY if leader(actor) else NOBODY


@access.scope("sharing.BlindReviewOrder", "view")
def members_know_by_which_rule_they_review(actor: User) -> Q:
    return EVERY


@access.scope("sharing.SealedOpinion", "view")
def opened_to_the_provider_and_overseers(actor: User) -> Q:
    """Nobody reads another's before both are written; then those who decide, and the authority.

    Who asked reads neither, the authority's own people no more than others.
    """
    opened = Q(opened_at__isnull=False) & ~Q(request__consumer=actor.department_id)
    if is_overseer(actor) or actor.holds("audit_admin"):
        return opened
    return opened & Q(request__in=SharingRequest.objects.filter(answered_for_by(actor)))
