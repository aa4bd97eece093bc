"""Make a file of a grant's rows: in chunks that are transactions of their own, read as its reader.

Every chunk shows the rows as they stood at one batch, so that the file is the state of one moment
however long it takes; little of a chunk is in memory at a time. After each the caller is asked
whether to go on. What is not finished is of no use to anybody: it lies where only its maker looks.

Source: house rule (design §4, issue 5: file download)
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from psycopg import Connection

from apps.sharing.gateway import allowances, formats, lines, pages, statements
from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.exports import Progress, close_record, open_record
from apps.sharing.gateway.files.columns import columns_of
from apps.sharing.gateway.files.parquet import ParquetWriter
from apps.sharing.gateway.files.workbooks import WorkbookWriter
from apps.sharing.gateway.files.writers import (
    CsvWriter,
    Described,
    LinesWriter,
    Whole,
    Writer,
)
from apps.sharing.gateway.filters import Query
from apps.sharing.gateway.marks import Marks, marks_of

CHUNK_ROWS: Final = 50_000  # of a COPY
BLOCK_BYTES: Final = 512 << 10  # of lines that are in memory at once
ROWS_AT_ONCE: Final = (50, 5_000)  # fewest and most that are in memory at once, as values
ROWS_BYTES: Final = 1 << 20
CHUNK_TIMEOUT: Final = "SET LOCAL statement_timeout = '120s'"  # a filter may find rows rarely
WRITERS: Final[dict[str, Callable[[Path, Described], Writer]]] = {
    "csv": CsvWriter,
    "ndjson": LinesWriter,
    "parquet": ParquetWriter,
    "xlsx": WorkbookWriter,
}


class OvertakenError(Exception):
    """The file is another worker's now, and so is what was counted for it."""


class DiscardedError(Exception):
    """Nobody wants the file any more."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made: the call that reads, the question, the format, and the manifest's facts.

    number: of the file's row, for the access record. counted_rows: rows of the grant's quota that
    an earlier attempt took for it.
    """

    call: Call
    query: Query
    format: str
    number: int
    facts: list[tuple[str, str]]
    counted_rows: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return what the access record keeps of it."""
        asked = self.query.to_json()
        return {
            "fields": asked["fields"],
            "where": asked["where"],
            "format": self.format,
            "export": self.number,
        }


@dataclass(slots=True)
class Standing:
    """How far the making has come; ratio: of the `_id`s, as good a share as there is."""

    rows: int = 0
    counted_rows: int = 0
    ratio: float = 0.0


@dataclass(slots=True)
class _Making:
    order: Order
    writer: Writer
    progress: Progress
    greatest_id: int
    rows_at_once: int = ROWS_AT_ONCE[0]
    counted_rows: int = 0
    told_rows: int = 0  # of those counted, what the file's row knows
    is_at_end: bool = False

    def standing(self) -> Standing:
        progress = self.progress
        ratio = progress.last_id / self.greatest_id if self.greatest_id else 1.0
        return Standing(progress.rows, self.counted_rows, 1.0 if self.is_at_end else min(ratio, 1))

    def ask(self, go_on: Callable[[Standing], None]) -> None:
        told, self.told_rows = self.told_rows, self.counted_rows
        try:
            go_on(self.standing())
        except (OvertakenError, DiscardedError):
            self.told_rows = told  # nothing was written
            raise

    def add(self, first_id: int, last_id: int, rows: int) -> None:
        self.progress.rows += rows
        self.progress.last_id = last_id
        if self.progress.first_id is None:
            self.progress.first_id = first_id


def make_file(order: Order, path: Path, *, go_on: Callable[[Standing], None]) -> Whole:
    """Write the file; `go_on` is told after every chunk how far it is, and raises to stop it.

    The access record is opened before the first row is read. It tells the rows of a whole file, and
    no bytes: those are told when it is fetched. What of the quota was taken stays counted for the
    file, as `go_on` was told, until its row comes to an end; what it was not told is given back.

    Raises:
        GrantRefused, Busy, TooSlow: as when a page is read.
        AllowanceExceeded: the day's rows are used up.
        InvalidInput, NotWritable: the format cannot hold it.
    """
    call = order.call
    number = pages.guarded(call, lambda connection: open_record(connection, call, order))
    described = Described(
        order.query,
        columns_of(order.query, with_marks=call.has_marks),
        order.facts,
        with_marks=call.has_marks,
    )
    progress = Progress(number, pages.BEFORE_ALL_ROWS)
    writer = WRITERS[order.format](path, described)
    making = _Making(order, writer, progress, _greatest_id(call))
    making.counted_rows = making.told_rows = order.counted_rows
    try:
        while not making.is_at_end:
            _chunk(making)
            making.ask(go_on)
        whole = writer.finish()
        progress.outcome = "complete"
    except BaseException as error:
        writer.abandon()
        if isinstance(error, Exception):
            progress.outcome, progress.rows, progress.first_id = "failed", 0, None
            allowances.give_rows_back(call, max(0, making.counted_rows - making.told_rows))
        raise
    finally:
        close_record(call, progress)
    return whole


def _chunk(making: _Making) -> None:
    """Read and write the next rows, as far as the day's quota goes.

    Of the rows that are counted already none is taken again.
    """
    call, progress = making.order.call, making.progress
    wanted = CHUNK_ROWS if making.writer.takes_lines else making.rows_at_once
    begun = progress.rows
    free = min(max(making.counted_rows - begun, 0), wanted)
    limit = free or allowances.take_rows(call, wanted)
    making.counted_rows = max(making.counted_rows, begun + limit)
    try:
        work = _lines if making.writer.takes_lines else _rows
        pages.guarded(call, lambda connection: work(connection, making, begun + limit))
    finally:
        unread = making.counted_rows - progress.rows
        if not free and unread > 0:
            allowances.give_rows_back(call, unread)
            making.counted_rows = progress.rows
    if making.is_at_end and making.counted_rows > progress.rows:
        allowances.give_rows_back(call, making.counted_rows - progress.rows)
        making.counted_rows = progress.rows


def _lines(connection: Connection[Any], making: _Making, until: int) -> None:
    """Copy rows until so many are written; one more is read to know whether there are any."""
    call, progress = making.order.call, making.progress
    _begin(connection, call)
    select = _select(making, limit=until - progress.rows + 1)
    with closing(
        lines.blocks(connection, statements.copy_out(select), size_bytes=BLOCK_BYTES)
    ) as blocks:
        making.is_at_end = True
        for block in blocks:
            kept = block[: until - progress.rows]
            making.is_at_end = len(kept) == len(block)
            if kept:
                ends = formats.id_of(kept[0]), formats.id_of(kept[-1])
                making.writer.write(kept, _marks(making, *ends))
                making.add(*ends, len(kept))
    connection.execute(statements.COMMIT)


def _rows(connection: Connection[Any], making: _Making, until: int) -> None:
    call, progress = making.order.call, making.progress
    _begin(connection, call)
    wanted = until - progress.rows
    found = connection.execute(_select(making, limit=wanted + 1).encode()).fetchall()
    connection.execute(statements.COMMIT)
    kept = found[:wanted]
    making.is_at_end = len(kept) == len(found)
    if kept:
        ends = kept[0][0], kept[-1][0]
        making.writer.write(kept, _marks(making, *ends))
        making.add(*ends, len(kept))
        making.rows_at_once = _fitting(kept)


def _select(making: _Making, *, limit: int) -> str:
    order = making.order
    return statements.standing_rows(
        order.call.grant_id,
        order.query,
        after=making.progress.last_id,
        horizon=order.call.horizon or 0,
        limit=limit,
        for_copy=making.writer.takes_lines,
    )


def _marks(making: _Making, first_id: int, last_id: int) -> Marks:
    return marks_of(making.order.call, making.order.query, first_id, last_id)


def _begin(connection: Connection[Any], call: Call) -> None:
    pages.begin_as(connection, call.role)
    connection.execute(CHUNK_TIMEOUT)


def _fitting(rows: list[tuple[Any, ...]]) -> int:
    """Return how many rows like the widest of these, or nearly, may be in memory at once."""
    fewest, most = ROWS_AT_ONCE
    sample = rows[:: max(1, len(rows) // 50)]
    widest = max(sum(len(value) for value in row if isinstance(value, str)) for row in sample)
    return max(fewest, min(most, ROWS_BYTES // (widest + 50 * len(rows[0]))))


def _greatest_id(call: Call) -> int:
    def read(connection: Connection[Any]) -> int:
        _begin(connection, call)
        found = connection.execute(statements.last_id(call.view).encode()).fetchone()
        connection.execute(statements.COMMIT)
        return int(found[0]) if found else 0

    return pages.guarded(call, read)
