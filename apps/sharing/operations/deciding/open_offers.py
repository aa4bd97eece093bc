"""What an open offer means for the other moves of its request: some wait for it, others end it.

Called by the use cases of requests, which have asked permission and write the event.
"""

from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.clocks import operations as clocks
from apps.core.errors import Conflict
from apps.ledger import operations as ledger
from apps.sharing import queries
from apps.sharing.lifecycle import OFFER
from apps.sharing.models import SharingRequest
from apps.sharing.queries.offers import ANSWER_OWED


def refuse_open_offer(request: SharingRequest) -> None:
    """Keep the provider from deciding while its own offer is with the consumer.

    Raises:
        Conflict: an offer is open; it may be taken back.
    """
    if queries.open_offer(request) is not None:
        raise Conflict(
            _("协商条件正待使用部门答复；答复之前要另作处理的，先收回协商条件"), code="offer_open"
        )


def close_open_offer(
    request: SharingRequest, *, actor: User, at: datetime, why: str | Promise
) -> None:
    """End an open offer because the request takes another way. Repeat-safe."""
    offer = queries.open_offer(request)
    if offer is None:
        return
    OFFER.apply(
        offer,
        "lapse_offer",
        actor=actor,
        at=at,
        reason=str(why),
        closed_by=actor,
        closed_at=at,
        closing=str(why),
    )
    clocks.cancel(offer, at=at)
    ledger.close_todos(request, at=at, by=actor, kind=ANSWER_OWED)
