"""A whole grant as one CSV, in chunks that are transactions of their own.

A long read in one transaction would hold up deliveries on the same table, so each chunk is read at
once, its transaction ended, and only then sent: a slow consumer holds nothing in the database. The
opening record is committed before the first byte; the closing record says how far it came. Between
chunks the grant is looked at again: a suspension stops the stream, which then ends without its
proper end, so that nobody takes it for whole. Whether the file has a column of marks is decided at
its beginning.

Source: house rule (design §3.7, §4)
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.utils import timezone
from psycopg import Connection

from apps.core.errors import DomainError
from apps.ledger import access_sql
from apps.sharing.gateway import allowances, formats, pages, pool, statements
from apps.sharing.gateway.calls import Call, record_refused_read, stopped
from apps.sharing.gateway.filters import Query
from apps.sharing.gateway.lines import read_up_to
from apps.sharing.gateway.refusals import ResyncRequired
from apps.sharing.gateway.wire import GatewayConnection

CHUNK_ROWS: Final = 50_000
CHUNK_BYTES: Final = 32 << 20  # rows may be wide, and a chunk is in memory


class ExportStoppedError(Exception):
    """Raised into the server in the middle of a stream, to break the transfer off."""


@dataclass(slots=True)
class Progress:
    """How far a stream of rows has come; number: its access record's."""

    number: int
    last_id: int
    is_at_end: bool = False
    rows: int = 0
    size_bytes: int = 0
    first_id: int | None = None
    outcome: str = field(default="cut")

    def add(self, lines: list[bytes], body: bytes) -> None:
        self.size_bytes += len(body)
        if lines:
            self.rows += len(lines)
            self.last_id = formats.id_of(lines[-1])
            if self.first_id is None:
                self.first_id = formats.id_of(lines[0])


def export(call: Call, query: Query) -> Generator[bytes]:
    """Record the opening, read the first chunk, and return the stream.

    Raises:
        GrantRefused, CursorInvalid, ResyncRequired, Busy, TooSlow, AllowanceExceeded: before
            anything is sent.
    """
    after = pages.start_of(call, query)
    with allowances.call_counted(call):
        number = pages.guarded(call, lambda connection: open_record(connection, call, query))
        progress = Progress(number, after)
        try:
            first = _chunk(call, query, progress)
        except DomainError:
            progress.outcome = "failed"
            close_record(call, progress)
            raise
    return _stream(call, query, progress, first)


def _stream(call: Call, query: Query, progress: Progress, lines: list[bytes]) -> Generator[bytes]:
    heading = formats.heading(query, with_marks=call.has_marks)
    try:
        while True:
            marks = pages.marks_of_lines(call, query, lines)
            body = b"".join([heading, *formats.marked_lines(lines, marks)])
            progress.add(lines, body)
            yield body
            if progress.is_at_end:
                break
            heading = b""
            lines = _chunk(call, query, progress)
        progress.outcome = "complete"
    except DomainError as refusal:
        progress.outcome = "failed"
        yield _last_words(call, progress, refusal)
        raise ExportStoppedError(refusal.code) from refusal
    finally:
        # Also when the consumer went away: the generator is then closed here, outcome "cut".
        close_record(call, progress)


def _chunk(call: Call, query: Query, progress: Progress) -> list[bytes]:
    """Read the next rows, all at once, as far as memory and the day's quota go.

    Raises:
        DomainError: the grant does not allow it any more.
    """
    limit = allowances.take_rows(call, CHUNK_ROWS)

    def read(connection: Connection[Any]) -> tuple[list[bytes], bool]:
        pages.begin_as(connection, call.role)
        text = statements.copy(call.relation, query, after=progress.last_id, limit=limit + 1)
        lines, is_cut = read_up_to(connection, text, size_bytes=CHUNK_BYTES)
        if not is_cut:
            connection.execute(statements.COMMIT)
        return lines, is_cut

    lines: list[bytes] = []
    try:
        found, is_cut = pages.guarded(call, read)
        # One more is read to know, and not sent.
        progress.is_at_end = not is_cut and len(found) <= limit
        lines = found[:limit]
    finally:
        allowances.give_rows_back(call, limit - len(lines))
    # After the read, for an expired policy shows no rows and would pass for the end.
    refusal = stopped(call, at=timezone.now())
    if refusal is not None:
        if not isinstance(refusal, ResyncRequired):
            record_refused_read(refusal, call, at=timezone.now())
        raise refusal
    return lines


def _last_words(call: Call, progress: Progress, refusal: DomainError) -> bytes:
    """Say in the file why it ends here, and from where it can be continued."""
    cursor = formats.cursor_after(call, progress.last_id)
    return f"# {refusal.code}: {refusal.message} cursor={cursor}\n".encode()


def open_record(connection: GatewayConnection, call: Call, query: pages.Asked) -> int:
    """Write the opening record and return its number; it is on disk before anything is sent."""
    pages.begin_as(connection, access_sql.recorder_role(pool.database()))
    drawn = connection.execute(access_sql.NEXT_RECORD_ID).fetchone()
    assert drawn is not None
    number = int(drawn[0])
    pages.record_alone(connection, access_sql.OPEN, call, query, id=number, kind="export")
    return number


def close_record(call: Call, progress: Progress) -> None:
    """Write how far the stream came."""
    closed_at: datetime = timezone.now()

    def write(connection: Connection[Any]) -> None:
        pages.begin_as(connection, access_sql.recorder_role(pool.database()))
        connection.execute(
            access_sql.CLOSE,
            {
                "record_id": progress.number,
                "opened_at": call.at,
                "closed_at": closed_at,
                "rows": progress.rows,
                "bytes": progress.size_bytes,
                "first_id": progress.first_id,
                "last_id": progress.last_id if progress.rows else None,
                "outcome": progress.outcome,
            },
        )
        connection.execute(statements.COMMIT)

    pages.guarded(call, write)
