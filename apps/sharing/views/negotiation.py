"""The rounds of a request's negotiation, and all versions of its terms side by side."""

from operator import itemgetter
from typing import Any

from django.utils.translation import gettext as _

from apps.sharing import queries
from apps.sharing.models import Decision, Offer, SharingRequest
from apps.sharing.queries.returned import is_retracted
from apps.sharing.views.beside import Beside, Version, side_by_side


def negotiation(subject: SharingRequest, *, with_opinion: bool) -> dict[str, Any] | None:
    """Return the rounds of a request's negotiation, and all versions of its terms; None without."""
    offers = list(queries.offers_of(subject))
    if not offers:
        return None
    return {"offers": offers, "beside": versions_beside(subject, offers, with_opinion=with_opinion)}


def versions_beside(subject: SharingRequest, offers: list[Offer], *, with_opinion: bool) -> Beside:
    """Set what was asked, each round and the opinion beside each other.

    with_opinion: whoever looks may read an opinion that is not signed.
    """
    asked = queries.asked_terms(subject)
    assert asked is not None  # nothing is offered before the request was received
    rounds = [
        (
            offer.offered_at,
            Version(_("第 %(n)s 次协商") % {"n": offer.version}, offer.get_status_display(), offer),
        )
        for offer in offers
    ]
    is_sealed = queries.sealed_opinion(subject) is not None
    decision = None if is_sealed else queries.latest_decision(subject)
    if decision is not None and not with_opinion and not queries.is_told(decision):
        decision = None
    if decision is not None and decision.outcome in ("agree", "narrow"):
        rounds.append((decision.proposed_at, _opinion(subject, decision)))
    in_time = [version for _at, version in sorted(rounds, key=itemgetter(0))]
    return side_by_side(subject.dataset, [Version(_("申请"), "", asked), *in_time])


def _opinion(subject: SharingRequest, decision: Decision) -> Version:
    state = decision.get_outcome_display()
    if queries.is_returned(subject, decision):
        words = _("%(outcome)s，已撤回") if is_retracted(subject) else _("%(outcome)s，已退回重审")
        state = words % {"outcome": state}
    return Version(_("决定") if decision.signed_at else _("处理意见"), state, decision)
