"""Why a request came back to its author, and an opinion to its reviewer."""

from apps.ledger import queries as ledger
from apps.ledger.models import Event
from apps.sharing.models import SharingRequest

RETURNS = ("sharing.return_by_head", "sharing.return_by_district")
OPINIONS_BACK = (
    "sharing.send_back_proposal",
    "sharing.step_back",
    "sharing.mark_urgent",
    "sharing.retract_proposal",
)


def why_returned(request: SharingRequest) -> Event | None:
    """Return the event that sent the request back, with its reason; None when it was not."""
    if request.status != SharingRequest.Status.HEAD_RETURNED:
        return None
    sent_back = ledger.events_of(request).filter(verb__in=RETURNS, outcome=Event.Outcome.DONE)
    return sent_back.first()


def is_retracted(request: SharingRequest) -> bool:
    """Say whether the opinion that stands no more was taken back by who gave it."""
    back = ledger.events_of(request).filter(verb__in=OPINIONS_BACK, outcome=Event.Outcome.DONE)
    return back.values_list("verb", flat=True).first() == "sharing.retract_proposal"
