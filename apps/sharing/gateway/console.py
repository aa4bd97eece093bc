"""Calls of the console: a person tries a grant in the browser, with a token of a few minutes.

They are calls like the system's own: read as its role through the grant's view, so masked as the
grant says; counted, and recorded in the person's name as tried. Only what fits on a screen may be
asked for, and no file.

Source: house rule (issue 5: a console to try it in the browser)
"""

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Final

from django.utils.translation import gettext as _

from apps.core import access
from apps.core.errors import InvalidInput
from apps.sharing import naming
from apps.sharing.gateway import calls, from_within, pool
from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.refusals import GrantRefused, NotAuthenticated, SystemDisabled
from apps.sharing.models import ConsoleToken, Grant

PREFIX: Final = "console."  # no token of a system has a point in it
MOST_ROWS: Final = 100


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def admit(
    token: str,
    code: str,
    *,
    at: datetime,
    client_address: str | None,
    is_verification: bool,
    can_be_tried: bool,
) -> Call:
    """Admit a call of the console, or refuse it and write the refusal down.

    can_be_tried: the operation is one for the console.

    Raises:
        NotAuthenticated: the token is unknown, over, of another address, or the person may no more.
        SystemDisabled, GrantRefused: with the reason as its code.
    """
    held = ConsoleToken.objects.select_related("user", "grant__dataset").filter(
        digest=digest_of(token), expires_at__gt=at
    )
    found = held.first()
    if found is None or found.address != client_address:
        raise NotAuthenticated
    if not access.allowed(found.user, "try_out", found.grant, at=at):
        raise NotAuthenticated
    try:
        _require_within(found.grant, code, is_verification, can_be_tried)
        from_within.require_allowed_address(found.grant, client_address)
        call = from_within.call_of(
            found.grant, at=at, user=found.user, client_address=client_address
        )
    except (SystemDisabled, GrantRefused) as refusal:
        calls.record_refused(refusal, user=found.user, grant=found.grant, at=at)
        raise
    role = naming.role_of_reader(
        pool.database(),
        system_id=call.system_id,
        grant_id=call.grant_id,
        is_verify_only=found.grant.is_verify_only,
    )
    purpose = _("在线调试：%(purpose)s") % {"purpose": call.purpose}
    return replace(call, role=role, purpose=purpose[:300], is_console=True)


def require_few(call: Call, limit: int) -> None:
    """Refuse a page of the console that fits on no screen.

    Raises:
        InvalidInput: `invalid_limit`.
    """
    if call.is_console and limit > MOST_ROWS:
        raise InvalidInput(
            _("在线调试每次至多 %(most)s 条") % {"most": MOST_ROWS},
            code="invalid_limit",
            field="limit",
        )


def _require_within(
    grant: Grant,
    code: str,
    is_verification: bool,  # noqa: FBT001
    can_be_tried: bool,  # noqa: FBT001
) -> None:
    if grant.dataset.code != code:
        raise GrantRefused.because("no_grant", grant=grant.pk)
    if not can_be_tried:
        raise GrantRefused.because("console_only_tries", grant=grant.pk)
    if grant.is_verify_only and not is_verification:
        raise GrantRefused.because("verify_only", grant=grant.pk)
