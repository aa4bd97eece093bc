"""Whether opinions are written blind now, and those that may be seen."""

from django.db.models import QuerySet

from apps.sharing.models import BlindReviewOrder, SealedOpinion, SharingRequest
from apps.sharing.queries.second_review import needs_second_review
from apps.sharing.queries.urgency import urgency_of

WITH_SECOND = SharingRequest.Status.AWAITING_SECOND_REVIEW


def blind_review_order() -> BlindReviewOrder | None:
    """Return the authority's order in force, None while review is open."""
    return BlindReviewOrder.objects.filter(lifted_at=None).select_related("ordered_by").first()


def is_reviewed_blind(request: SharingRequest) -> bool:
    """Say whether the next opinion on the request is sealed until a second one is written.

    Where two opinions differed they were opened, and the two go on together, seeing each other's.
    What is urgent is counted in hours and is not reviewed blind.

    Source: house rule (issue 5)
    """
    return (
        blind_review_order() is not None
        and needs_second_review(request)
        and urgency_of(request) is None
        and not request.sealed_opinions.filter(opened_at__isnull=False).exists()
    )


def sealed_opinion(request: SharingRequest) -> SealedOpinion | None:
    """Return the first opinion that waits for the second person's own, None when none does."""
    if request.status != WITH_SECOND:
        return None
    sealed = request.sealed_opinions.filter(opened_at=None, dropped_at=None)
    return sealed.select_related("author").first()


def opened_opinions(request: SharingRequest) -> QuerySet[SealedOpinion]:
    """Return the pairs of opinions that were opened."""
    opened = request.sealed_opinions.filter(opened_at__isnull=False)
    return opened.select_related("author").order_by("round", "place")
