"""Read a table in the order of its watermark, with a cursor on the server and bounded memory.

A chunk ends only where the watermark changes, so that rows of one value are never torn apart; the
next chunk begins at that value again (`>=`): rows that came with the same value meanwhile are not
missed, and those that were read before land as unchanged.
"""

import csv
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy
from sqlalchemy import ColumnElement, Connection, Engine, func

from apps.warehouse.sync import watermarks

LOCAL = ZoneInfo("Asia/Shanghai")
FETCH_ROWS = 2_000
BACKLOG_COUNTED = 1_000_000


class UnfitValue(Exception):
    """A value that has no text: bytes, arrays, records. `column` is the source's."""

    def __init__(self, column: str, kind: str) -> None:
        super().__init__(f"{column}: {kind}")
        self.column, self.kind = column, kind


@dataclass(frozen=True)
class Query:
    """Which table, which of its columns under which heading, ordered by which watermark."""

    table: str
    columns: tuple[tuple[str, str], ...]  # (heading, the source's column)
    schema: str = ""
    watermark: str = ""


@dataclass(frozen=True)
class Chunk:
    """What one reading wrote. checkpoint: the highest watermark in it; more: some may be left."""

    rows: int
    new_rows: int
    checkpoint: dict[str, str] | None
    more: bool


def read_chunk(
    engine: Engine,
    query: Query,
    target: Path,
    *,
    checkpoint: dict[str, str] | None = None,
    overlap: int = 0,
    at_least_rows: int = 100_000,
    progress: Any = None,
) -> Chunk:
    """Write the next rows to a CSV file; without a watermark, all of them.

    overlap: how far before the checkpoint to begin (see `watermarks.earlier`).
    progress: called with the number of rows now and then; what it raises ends the reading.

    Raises:
        UnfitValue, UnfitWatermark: a column holds what cannot be written.
        sqlalchemy.exc.SQLAlchemyError: the source refused or died; the file is worth nothing.
    """
    with (
        engine.connect().execution_options(stream_results=True, yield_per=FETCH_ROWS) as connection,
        target.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([heading for heading, _column in query.columns])
        return _copy(connection, query, writer, checkpoint, overlap, at_least_rows, progress)


def _copy(
    connection: Connection,
    query: Query,
    writer: Any,
    checkpoint: dict[str, str] | None,
    overlap: int,
    at_least_rows: int,
    progress: Any,
) -> Chunk:
    known = watermarks.from_json(checkpoint) if checkpoint else None
    names = [column for _heading, column in query.columns]
    end = _boundary(connection, query, known, at_least_rows) if query.watermark else None
    count, new, last = 0, 0, None
    with closing(connection.execute(_statement(query, known, overlap, end))) as rows:
        for row in rows:
            writer.writerow(_texts(names, row))
            count += 1
            last = row[-1] if query.watermark else None
            new += known is None or _is_beyond(last, known)
            if progress is not None and count % FETCH_ROWS == 0:
                progress(count)
    reached = watermarks.to_json(last) if new and query.watermark else checkpoint
    return Chunk(count, new, reached, more=end is not None)


def _boundary(connection: Connection, query: Query, known: Any, rows: int) -> Any:
    """Return the watermark of the last row of the chunk; None when fewer than so many are left.

    Asked first, so that the rows themselves are read to their end: giving up a cursor in the
    middle would make some drivers fetch all the rest.
    """
    mark: ColumnElement[Any] = sqlalchemy.column(query.watermark)
    beyond = sqlalchemy.select(mark).select_from(_table(query)).where(mark.is_not(None))
    if known is not None:
        beyond = beyond.where(mark > known)
    found = connection.execute(beyond.order_by(mark).offset(rows).limit(1)).all()
    return found[0][0] if found else None


def _is_beyond(mark: Any, known: Any) -> bool:
    try:
        return bool(mark > known)
    except TypeError as error:  # the column was given another type
        raise watermarks.UnfitWatermark(type(mark).__name__) from error


def _statement(query: Query, known: Any, overlap: int, end: Any) -> sqlalchemy.Select[Any]:
    columns: list[Any] = [sqlalchemy.column(column) for _heading, column in query.columns]
    if not query.watermark:
        return sqlalchemy.select(*columns).select_from(_table(query))
    mark: ColumnElement[Any] = sqlalchemy.column(query.watermark)
    chosen = sqlalchemy.select(*columns, mark.label("_watermark")).select_from(_table(query))
    chosen = chosen.where(mark.is_not(None)).order_by(mark)
    if end is not None:
        chosen = chosen.where(mark <= end)
    if known is None:
        return chosen
    return chosen.where(mark >= watermarks.earlier(known, overlap))


def _table(query: Query) -> sqlalchemy.TableClause:
    named: set[str] = {*(column for _heading, column in query.columns), query.watermark} - {""}
    columns: list[Any] = [sqlalchemy.column(name) for name in sorted(named)]
    return sqlalchemy.table(query.table, *columns, schema=query.schema or None)


def backlog(engine: Engine, query: Query, checkpoint: dict[str, str] | None) -> int:
    """Count the rows beyond the checkpoint, up to a million and one."""
    mark: ColumnElement[Any] = sqlalchemy.column(query.watermark)
    beyond = sqlalchemy.select(sqlalchemy.literal(1).label("one")).select_from(_table(query))
    beyond = beyond.where(mark.is_not(None))
    if checkpoint:
        beyond = beyond.where(mark > watermarks.from_json(checkpoint))
    counted = sqlalchemy.select(func.count()).select_from(
        beyond.limit(BACKLOG_COUNTED + 1).subquery()
    )
    with engine.connect() as connection:
        return int(connection.execute(counted).scalar_one())


def without_watermark(engine: Engine, query: Query) -> int:
    """Count the rows whose watermark is empty: they are never read."""
    mark: ColumnElement[Any] = sqlalchemy.column(query.watermark)
    empty = sqlalchemy.select(func.count()).select_from(_table(query)).where(mark.is_(None))
    with engine.connect() as connection:
        return int(connection.execute(empty).scalar_one())


def columns_of(engine: Engine, table: str, schema: str = "") -> list[str]:
    """Return the names of the table's columns; sqlalchemy's NoSuchTableError without a table."""
    found = sqlalchemy.inspect(engine).get_columns(table, schema=schema or None)
    return [str(column["name"]) for column in found]


def _texts(names: Sequence[str], row: Sequence[Any]) -> list[str]:
    return [text_of(value, column=name) for name, value in zip(names, row, strict=False)]


def text_of(value: Any, *, column: str = "") -> str:
    """Return a value as a file would carry it; absent is empty.

    Units: a moment with a zone becomes local time (Asia/Shanghai) without one.
    """
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "1" if value else "0"
        case int():
            return str(value)
        case Decimal():
            return format(value, "f")
        case float():
            return repr(value)
        case _:
            return _text_of_time(value, column)


def _text_of_time(value: Any, column: str) -> str:
    match value:
        case datetime():
            local = value.astimezone(LOCAL).replace(tzinfo=None) if value.tzinfo else value
            return local.isoformat(sep=" ")
        case date():
            return value.isoformat()
        case time():
            return value.replace(tzinfo=None).isoformat()
        case timedelta():
            seconds = int(value.total_seconds())
            return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        case _:
            if type(value).__name__ == "UUID":
                return str(value)
            raise UnfitValue(column, type(value).__name__)
