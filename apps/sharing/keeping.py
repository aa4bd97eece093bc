"""How a landed copy is kept: the consumers' own client, run by the platform into their pool.

The same follower that runs at a department reads here through the gateway: as the role of the
calling system, through the views of the grant, every page recorded. What the database would refuse
the system it refuses the copy, and the grant's rows a day are the copy's too. Its limits of calls
and of addresses are those of the system: the platform asks as often as it must, from within.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
import psycopg
import sqlalchemy
from django.db import connection
from django.utils import timezone
from sqlalchemy.pool import NullPool

from apps.core.errors import DomainError
from apps.sharing.gateway import allowances, changes, from_within, proofs
from apps.sharing.gateway.calls import Call, Quota
from apps.sharing.gateway.shapes import shape_of
from apps.sharing.models import Grant, LandedCopy
from apps.warehouse.sync.following.copy import Copy
from apps.warehouse.sync.following.follower import Follower
from apps.warehouse.sync.portal import PortalRefused

PAGE_ROWS: Final = 10_000
_CONNECTION: Final = (
    "host",
    "port",
    "user",
    "password",
    "dbname",
    "sslmode",
    "sslrootcert",
    "sslcert",
)


def follower_of(copy: LandedCopy) -> Follower:
    """Return who brings the copy to what its grant shows."""
    kept = Copy(
        sqlalchemy.create_engine("postgresql+psycopg://", creator=_connect, poolclass=NullPool),
        copy.table_name,
        dataset=copy.dataset.code,
        schema=copy.store.schema,
    )
    return Follower(kept, GatewaySource(copy.grant), limit=PAGE_ROWS)


@dataclass
class GatewaySource:
    """The portal as the follower asks it, without a network between."""

    grant: Grant

    def get(self, place: str, parameters: dict[str, str]) -> dict[str, Any]:
        """Answer as the address would.

        Raises:
            PortalRefused: with the code that the address would answer.
        """
        asked = {name: [value] for name, value in parameters.items()}
        try:
            body = _answer(place.rpartition("/")[2], _admitted(self.grant), asked)
        except DomainError as refusal:
            raise PortalRefused(refusal.status, refusal.code, str(refusal), {}) from refusal
        found: dict[str, Any] = orjson.loads(body)
        return found


def _answer(what: str, call: Call, asked: dict[str, list[str]]) -> bytes:
    if what == "columns":
        return proofs.description(call)
    if what == "proof":
        return proofs.prove(call, proofs.read_span(asked))
    if what == "rows":
        span = proofs.read_span(asked, of_rows=True)
        with allowances.counted(call, rows=span.size, calls=0) as (admitted, rows):
            return proofs.rows_of_span(admitted, replace(span, size=rows))
    query = changes.read_feed_query(asked, shape_of(call), accept="")
    with allowances.counted(call, rows=query.limit, calls=0) as (admitted, rows):
        return changes.read_changes(admitted, replace(query, limit=rows)).body


def _admitted(grant: Grant) -> Call:
    """Admit the platform in place of the grant's system: of its limits only the rows a day hold."""
    call = from_within.call_of(grant, at=timezone.now())
    rows_a_day = call.quota.rows_a_day if call.quota else None
    return replace(call, quota=Quota(None, rows_a_day, None) if rows_a_day else None)


def _connect() -> psycopg.Connection[Any]:
    """Connect as the application does, beside its own connection and its transaction."""
    parameters = connection.get_connection_params()
    return psycopg.connect(**{key: parameters[key] for key in _CONNECTION if key in parameters})
