"""A page that the caller holds already is told by its mark, `ETag`, without being read again.

What a page shows follows from the version of the grant, the version of the entry, the state of
the table and the question, so its mark is known before the read. The state is the last batch and
when it landed, for a table that was restored from a copy counts batches anew. There is no mark
where it would not hold: of invented rows, of a provider's own service, of records under correction,
whose marks come and go between batches.

Source: RFC 9110 §8.8, §13.1.2; house rule (issue 5: ETag)
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import orjson
from django.utils.http import parse_etags

from apps.ledger import access_sql
from apps.sharing.gateway import pages, statements
from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.filters import Query
from apps.sharing.gateway.wire import Exchange, GatewayConnection

DIGEST_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class _Held:
    """What the access record keeps of a question whose answer the caller holds."""

    query: Query

    def to_json(self) -> dict[str, Any]:
        return {**self.query.to_json(), "unchanged": True}


def mark_of(call: Call, query: Query) -> str:
    """Return the mark of the page, as it stands in `ETag`; "" where there is none."""
    if call.trial or call.has_marks or call.is_console or not call.horizon:
        return ""
    told = [
        (call.grant_id, call.grant_version, call.contract_id, call.landed_contract_id),
        (call.horizon, call.landed_at),
        (query.to_json(), query.cursor, query.shape),
    ]
    return f'W/"{blake2b(orjson.dumps(told), digest_size=DIGEST_BYTES).hexdigest()}"'


def is_held(mark: str, if_none_match: str) -> bool:
    """Say whether the caller holds the page of that mark."""
    if not mark or not if_none_match:
        return False
    held = parse_etags(if_none_match)
    return "*" in held or mark in held or mark.removeprefix("W/") in held


def record_held(call: Call, query: Query) -> None:
    """Record the call; no row was read and none is taken from the quota.

    Raises:
        GrantRefused: the grant ended a moment ago.
        Busy, TooSlow: try again later.
    """

    def write(connection: GatewayConnection) -> None:
        with Exchange(connection) as exchange:
            exchange.say(statements.BEGIN)
            pages.record(
                exchange,
                access_sql.PAGE,
                call,
                _Held(query),
                kind="page",
                rows=0,
                bytes=0,
                first_id=None,
                last_id=None,
            )

    pages.guarded(call, write)
