"""One page: read as the calling system, recorded durably, then handed over to be sent.

Reading and recording are one transaction on one connection, in two round trips (`gateway.wire`):
take the system's role and read; take the recorder's role, insert, commit. `SET LOCAL` ends with the
transaction, so a connection goes back to the pool without any right.

Source: house rule (design §3.7, §4)
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol, TypeVar

from django.utils import timezone
from psycopg import Connection, errors
from psycopg import OperationalError as ConnectionLost

from apps.ledger import access_sql
from apps.sharing.gateway import cursor, formats, lines, pool, statements, wire
from apps.sharing.gateway.calls import Call, refusal_now
from apps.sharing.gateway.filters import Query
from apps.sharing.gateway.formats import Page
from apps.sharing.gateway.marks import Marks, marks_of
from apps.sharing.gateway.refusals import Busy, TooSlow
from apps.sharing.gateway.wire import Exchange, GatewayConnection

# What PostgreSQL answers when a right, a view or a role of the grant is gone.
GONE = (errors.InsufficientPrivilege, errors.UndefinedTable, errors.UndefinedColumn)
BEFORE_ALL_ROWS = 0  # `_id` counts from 1

ResultT = TypeVar("ResultT")


class Asked(Protocol):
    """What was asked for, as the access record keeps it."""

    def to_json(self) -> dict[str, Any]: ...


def read_page(call: Call, query: Query) -> Page:
    """Read and record one page.

    Raises:
        CursorInvalid, ResyncRequired: the cursor is not of this grant as it now is.
        GrantRefused: the database refused what was admitted a moment ago.
        Busy, TooSlow: try again later.
    """
    after = start_of(call, query)
    read = _csv_page if query.format == "csv" else _json_page
    return guarded(call, lambda connection: read(connection, call, query, after))


def start_of(call: Call, query: Query) -> int:
    """Return the `_id` after which the caller wants to read."""
    if not query.cursor:
        return BEFORE_ALL_ROWS
    return cursor.read(
        query.cursor,
        dataset_id=call.dataset_id,
        grant_id=call.grant_id,
        version=call.grant_version,
        is_trial=call.trial is not None,
    ).last_id


def guarded(call: Call, work: Callable[[GatewayConnection], ResultT]) -> ResultT:
    """Do the work on a connection of the pool and put the database's refusals into words.

    A connection that was lost meanwhile is replaced once; a record written twice does no harm.
    """
    try:
        return _attempt_again_if_lost(work)
    except GONE:
        raise refusal_now(call, at=timezone.now()) from None
    except errors.InvalidParameterValue as error:
        if "role" not in str(error):
            raise
        raise refusal_now(call, at=timezone.now()) from None
    except errors.QueryCanceled:
        raise TooSlow from None
    except ConnectionLost:
        raise Busy from None


def begin_as(connection: Connection[Any], role: str) -> None:
    """Begin a transaction under the role, for a COPY or a read that takes its time."""
    connection.execute(statements.BEGIN)
    connection.execute(statements.take_role(role))


def ask_as(
    exchange: Exchange, role: str, statement: str, values: wire.Values
) -> list[tuple[Any, ...]]:
    """Begin a transaction under the role and return the rows of its first statement."""
    exchange.say(statements.BEGIN)
    exchange.say(statements.take_role(role))
    return exchange.ask(statement, values)


def record_alone(
    connection: GatewayConnection, statement: str, call: Call, query: Asked, **values: Any
) -> None:
    """Do as `record` on a connection whose transaction was begun otherwise."""
    with Exchange(connection) as exchange:
        record(exchange, statement, call, query, **values)


def record(exchange: Exchange, statement: str, call: Call, query: Asked, **values: Any) -> None:
    """Insert an access record of the call and commit: it is on disk before anything is sent.

    What it tells of rows is what the call takes of its quota.
    """
    if call.reservation is not None:
        call.reservation.used = values.get("rows") or 0
    parameters = access_sql.record_parameters(
        opened_at=call.at,
        grant_id=None if call.trial else call.grant_id,  # invented rows are no use of a grant
        grant_version=None if call.trial else call.grant_version,
        system_id=call.system_id,
        user_id=call.user_id,
        dataset_id=call.dataset_id,
        table=call.table,
        query={**query.to_json(), "console": True} if call.is_console else query.to_json(),
        horizon=call.horizon,
        purpose=call.purpose,
        client_address=call.client_address,
        **values,
    )
    exchange.say(statements.take_role(access_sql.recorder_role(pool.database())))
    exchange.tell(statement, parameters)
    exchange.end(statements.COMMIT)


def refuse_if_over(call: Call, *, at: datetime) -> None:
    """Refuse when the grant ended while it was read: the policy then shows no row, not an error."""
    if at >= call.expires_at:
        raise refusal_now(call, at=at)


def _attempt_again_if_lost(work: Callable[[GatewayConnection], ResultT]) -> ResultT:
    try:
        return _attempt(work)
    except errors.QueryCanceled:
        raise
    except ConnectionLost:
        pool.mend()
    except errors.FeatureNotSupported:
        pool.renew()  # a plan outlived the view that it was made for; others may have too
    return _attempt(work)


def _attempt(work: Callable[[GatewayConnection], ResultT]) -> ResultT:
    with pool.connection() as connection:
        try:
            return work(connection)
        finally:
            if not connection.closed:
                connection.rollback()


def _json_page(connection: GatewayConnection, call: Call, query: Query, after: int) -> Page:
    statement = statements.page(call.relation, query, after=after)
    with Exchange(connection) as exchange:
        rows = ask_as(exchange, call.role, statement.text, statement.parameters)
        ends = (rows[0][0], rows[-1][0]) if rows else (None, None)
        page = formats.of_rows(call, query, rows, marks_of(call, query, *ends))
        refuse_if_over(call, at=timezone.now())
        _record_page(exchange, call, query, page)
    return page


def _csv_page(connection: GatewayConnection, call: Call, query: Query, after: int) -> Page:
    begin_as(connection, call.role)
    read = copied(connection, call, query, after, query.limit + 1)
    page = formats.of_csv(call, query, read, marks_of_lines(call, query, read))
    refuse_if_over(call, at=timezone.now())
    with Exchange(connection) as exchange:
        _record_page(exchange, call, query, page)
    return page


def copied(
    connection: Connection[Any], call: Call, query: Query, after: int, limit: int
) -> list[bytes]:
    """Return the lines of CSV that follow `after`, each one row even where it holds line breaks."""
    return lines.read(connection, statements.copy(call.relation, query, after=after, limit=limit))


def marks_of_lines(call: Call, query: Query, read: list[bytes]) -> Marks:
    """Return the marks of the records that these lines of CSV are."""
    if not read:
        return marks_of(call, query, None, None)
    return marks_of(call, query, formats.id_of(read[0]), formats.id_of(read[-1]))


def _record_page(exchange: Exchange, call: Call, query: Query, page: Page) -> None:
    record(
        exchange,
        access_sql.PAGE,
        call,
        query,
        kind="page",
        rows=page.rows,
        bytes=len(page.body),
        first_id=page.first_id,
        last_id=page.last_id,
    )
