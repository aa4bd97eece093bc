"""What was offered in the negotiation of a request, and which offers nobody answered in time."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from apps.clocks import queries as clocks
from apps.sharing.models import Offer, SharingRequest

ANSWER: Final = "request.offer_answer"
ANSWER_OWED: Final = "sharing.answer_offer"


def dated_offers() -> QuerySet[Offer]:
    """Return the rounds of all negotiations, each with the last day to answer: answer_due_on."""
    dated = Offer.objects.annotate(answer_due_on=clocks.due_days(Offer, ANSWER))
    return dated.order_by("request", "version")


def offers_of(request: SharingRequest) -> QuerySet[Offer]:
    """Return every round of the request's negotiation, the first one first."""
    return dated_offers().filter(request=request).select_related("offered_by", "closed_by")


def open_offer(request: SharingRequest) -> Offer | None:
    """Return the offer that the consumer has still to answer, None while there is none."""
    return offers_of(request).filter(status=Offer.Status.OPEN).first()


def with_open_offer(requests: Iterable[SharingRequest]) -> set[int]:
    """Return the keys of those of the requests with an offer that is still to be answered."""
    rows = Offer.objects.filter(
        request__in=[request.pk for request in requests], status=Offer.Status.OPEN
    )
    return set(rows.values_list("request", flat=True))


def offers_to_lapse(at: datetime) -> QuerySet[Offer]:
    """Return offers whose time to be answered is over."""
    overdue = clocks.overdue_of(Offer, ANSWER, at)
    return Offer.objects.filter(status=Offer.Status.OPEN, pk__in=overdue).order_by("pk")
