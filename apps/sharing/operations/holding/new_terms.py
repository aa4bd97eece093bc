"""What follows in the database when the terms of a grant that is served change.

Called under the lock of provisioning, after the new version was written.
"""

from collections.abc import Collection
from typing import Final

from apps.sharing import provisioning
from apps.sharing.models import Grant, Mode

# What roles, policies and views are derived from; the rest is kept by the application.
DERIVED_FROM: Final = frozenset({"columns", "row_condition", "mode", "expires_at"})


def derive_anew(grant: Grant, changed: Collection[str]) -> None:
    """Bring roles, policies and views to the grant's terms; a suspended one stays closed.

    changed: the fields that differ. A landed copy is closed until it is of the new terms: it is
    filled anew, and what is half filled is read by nobody.

    Raises:
        TableBusy: the table could not be had for a moment.
    """
    if DERIVED_FROM & set(changed):
        provisioning.provision(grant)
        provisioning.close_copies(grant)
        if grant.status == Grant.Status.SUSPENDED:
            provisioning.revoke(grant)
    elif grant.mode == Mode.DATABASE and grant.status == Grant.Status.IN_FORCE:
        provisioning.allow_login(grant)  # or take it away: a new limit may forbid it
