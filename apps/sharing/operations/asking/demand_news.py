"""What becomes of a request is told to the demand that it came of; most came of none."""

from datetime import datetime

from django.utils.functional import Promise

from apps.catalog.operations import demands
from apps.sharing.models import SharingRequest


def note_delivered(request: SharingRequest, *, at: datetime) -> None:
    """The demand is met: its data has arrived."""
    if request.demand is not None:
        demands.deliver(demand=request.demand, at=at)


def give_back(request: SharingRequest, why: str | Promise, *, at: datetime) -> None:
    """The demand is its department's again; `why` may name the request by `%(number)s`."""
    if request.demand is not None:
        reason = str(why) % {"number": request.number}
        demands.resume(demand=request.demand, at=at, reason=reason)
