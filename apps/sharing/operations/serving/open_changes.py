"""An announced change falls away when its grant is over, or becomes another by other means.

Called by the use cases of grants, which have asked permission and write the event.
"""

from datetime import datetime

from django.utils.functional import Promise

from apps.accounts.models import User
from apps.clocks import operations as clocks
from apps.ledger import operations as ledger
from apps.sharing.lifecycle import SERVICE_CHANGE
from apps.sharing.models import Grant
from apps.sharing.queries.service_changes import open_change


def void_open_change(grant: Grant, *, actor: User, at: datetime, why: str | Promise) -> None:
    """Drop the open change of a grant, if there is one. Repeat-safe."""
    change = open_change(grant)
    if change is None:
        return
    SERVICE_CHANGE.apply(change, "void_change", actor=actor, at=at, reason=str(why), closed_at=at)
    clocks.cancel(change, at=at)
    ledger.close_todos(change, at=at, by=actor)
