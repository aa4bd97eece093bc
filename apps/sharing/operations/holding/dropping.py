"""An agreed change that is to become a grant's next version no more.

Source: house rule: what was narrowed or ended meanwhile is not undone by an earlier signature
"""

from datetime import datetime

from apps.accounts import queries as accounts
from apps.clocks import operations as clocks
from apps.ledger import operations as ledger
from apps.sharing import queries
from apps.sharing.lifecycle import REQUEST
from apps.sharing.models import Grant, SharingRequest
from apps.sharing.operations import owed
from apps.sharing.operations.asking.demand_news import give_back
from apps.sharing.operations.holding.delivered import DELIVER, DROPPED


def drop_agreed(request: SharingRequest, reason: str, *, at: datetime) -> None:
    """Close an agreed request that takes effect no more, and tell both departments.

    The system may ask again.
    """
    platform = accounts.platform_user()
    REQUEST.apply(
        request, "drop_agreed", actor=platform, at=at, reason=reason, grant=None, grant_version=None
    )
    clocks.cancel(request, DELIVER, at=at)
    give_back(request, DROPPED, at=at)
    ledger.close_todos(request, at=at, by=platform)
    title = DROPPED % {"number": request.number}
    owed.tell_consumer(request, title, reason, at=at)
    owed.tell_provider(request, title, reason, at=at)
    ledger.record(
        platform,
        "sharing.drop_agreed",
        request,
        at=at,
        department=owed.provider_of(request),
        details={"reason": reason},
    )


def drop_waiting(grant: Grant, reason: str, *, signed_before: datetime, at: datetime) -> None:
    """Drop what waits to become the grant's next version and was signed before. Repeat-safe."""
    waiting = queries.waiting_version_of(grant)
    decision = queries.latest_decision(waiting) if waiting is not None else None
    if waiting is None or decision is None or decision.signed_at is None:
        return
    if decision.signed_at <= signed_before:
        drop_agreed(waiting, reason, at=at)
