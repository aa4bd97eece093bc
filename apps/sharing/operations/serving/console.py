"""Try a grant's interface in the browser: a token for minutes, for one person at one address."""

import secrets
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone

from apps.accounts.models import User
from apps.core import access
from apps.ledger import operations as ledger
from apps.sharing.gateway import console, from_within
from apps.sharing.models import ConsoleToken, Grant
from apps.sharing.models.console import LONGEST
from apps.sharing.operations.attempts import attempt


class Opened(NamedTuple):
    """The token, which is returned here and nowhere else, and when it ends."""

    token: str
    expires_at: datetime


@attempt("sharing.open_console", "grant")
def open_console(*, grant: Grant, actor: User, at: datetime, address: str | None) -> Opened:
    """Give the person a token to try the grant with; one that he held before ends.

    Calls with it are calls under the grant: counted in its quota, recorded in his name.

    Source: house rule (issue 5)
    Raises:
        NotAllowed: the actor does not work for the consumer's department.
        GrantRefused, SystemDisabled: nothing may be read now, or not from this address.
    """
    standing = access.require(actor, "try_out", grant, at=at)
    from_within.require_allowed_address(grant, address)
    from_within.call_of(grant, at=at, user=actor, client_address=address)
    token = console.PREFIX + secrets.token_urlsafe(32)
    expires_at = min(at + LONGEST, grant.expires_at)
    ConsoleToken.objects.filter(grant=grant, user=actor).delete()
    ConsoleToken.objects.create(
        grant=grant,
        user=actor,
        digest=console.digest_of(token),
        address=address,
        created_at=at,
        expires_at=expires_at,
    )
    ledger.record(standing, "sharing.open_console", grant, at=at, details={"address": address})
    return Opened(token, timezone.localtime(expires_at))


def forget_consoles(at: datetime) -> int:
    """Let go of the tokens that are over; return how many."""
    gone, _by_model = ConsoleToken.objects.filter(expires_at__lte=at).delete()
    return gone
