"""In which lines a text differs from an earlier one, when every record is one line of its own.

A department sends its whole table night after night, and hardly anything in it has changed. What is
the same letter by letter was read, checked and landed before; only lines that differ need it.

Lines are compared by their digest (128 bits), wherever they stand in either text.
"""

# ruff: noqa: S608 -- names and literals are quoted by `rules`; no SQL comes from a user

from array import array
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from apps.warehouse.landing.encodings import BLOCK_BYTES
from apps.warehouse.landing.reader import LINE_BYTES, THREADS
from apps.warehouse.landing.rules import literal
from apps.warehouse.landing.survey import Survey

MOST: Final = 0.5  # of a text's records may differ; with more it is as well read whole
_MEMORY_LIMIT: Final = "120MB"
_NO_DELIMITER: Final = "\x01\x02\x03\x04"
_AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Difference:
    """What stands in one text only.

    ahead: the records that only the newer text has, under its heading, in their order; numbers:
    which of its records they are. behind: the records that only the earlier one has. same: how many
    records both have.
    """

    ahead: Path
    numbers: Sequence[int]
    behind: Path
    same: int


def difference(newer: Survey, earlier: Survey, *, workplace: Path) -> Difference | None:
    """Compare two texts; None where lines do not tell, or tell that too much differs.

    They do not where a record spans several lines or is damaged, where the headings differ, or
    where the newer text repeats a line.
    """
    if not _is_comparable(newer, earlier):
        return None
    try:
        with _Lines(workplace) as lines:
            found = lines.compare(newer, earlier)
    except duckdb.Error:  # what the survey let pass is told by the reader, not here
        return None
    if found is None:
        return None
    numbers, gone = found
    ahead, behind = workplace / "ahead.csv", workplace / "behind.csv"
    _write(newer, numbers, ahead)
    _write(earlier, gone, behind)
    return Difference(ahead, numbers, behind, newer.record_count - len(numbers))


def _is_comparable(newer: Survey, earlier: Survey) -> bool:
    texts = (newer, earlier)
    return (
        newer.header == earlier.header
        and newer.delimiter == earlier.delimiter
        and not any(text.faults or text.has_quoted_line_ends for text in texts)
        and all(text.longest_bytes < LINE_BYTES for text in texts)
    )


class _Lines:
    """The digests of two texts' lines in a DuckDB of their own; a context manager."""

    def __init__(self, workplace: Path) -> None:
        self._connection = duckdb.connect(
            config={
                "threads": THREADS,
                "memory_limit": _MEMORY_LIMIT,
                "temp_directory": str(workplace / "lines"),
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "disabled_optimizers": "filter_pushdown",
            }
        )

    def __enter__(self) -> "_Lines":
        return self

    def __exit__(self, *exception: object) -> None:
        self._connection.close()

    def compare(self, newer: Survey, earlier: Survey) -> tuple[Sequence[int], Sequence[int]] | None:
        """Return the numbers of the records that the newer, and that the earlier text has alone."""
        with ThreadPoolExecutor(2, "landing-lines") as beside:
            taken = [
                beside.submit(self._take, "newer", newer),
                beside.submit(self._take, "earlier", earlier),
            ]
            if not all(future.result() for future in taken):
                return None
        if self._value("SELECT count(DISTINCT digest) FROM newer") != newer.record_count:
            return None
        ahead = self._alone("newer", "earlier")
        if len(ahead) > MOST * newer.record_count:
            return None
        return ahead, self._alone("earlier", "newer")

    def _take(self, name: str, text: Survey) -> bool:
        """Take the digests of a text's lines; False when they are not as many as its records."""
        cursor = self._connection.cursor()
        cursor.execute(
            f"CREATE TABLE {name} AS SELECT row_number() OVER () AS number,"
            f" md5_number(line) AS digest FROM {_scan(text)} WHERE line <> ''"
        )
        found = cursor.execute(f"SELECT count(*) FROM {name}").fetchone()
        return found is not None and found[0] == text.record_count

    def _alone(self, name: str, other: str) -> Sequence[int]:
        result = self._connection.execute(
            f"SELECT number FROM {name} ANTI JOIN {other} USING (digest) ORDER BY number"
        )
        numbers = array("q")
        while rows := result.fetchmany(_AT_ONCE):
            numbers.extend(number for (number,) in rows)
        return numbers

    def _value(self, statement: str) -> int:
        row = self._connection.execute(statement).fetchone()
        return 0 if row is None else int(row[0])


def _write(text: Survey, numbers: Sequence[int], path: Path) -> None:
    """Write some records of a text, by their ascending numbers, under its heading."""
    with path.open("wb") as file:
        file.write(text.header.encode() + b"\n")
        place = 0
        first = 0  # the number of a block's first line; the heading is 0
        for lines in _blocks(text.path):
            beyond = first + len(lines)
            while place < len(numbers) and numbers[place] < beyond:
                file.write(lines[numbers[place] - first] + b"\n")
                place += 1
            first = beyond


def _blocks(path: Path) -> Iterator[list[bytes]]:
    """Yield the lines of a text that are not empty, block by block."""
    held = b""
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            *lines, held = (held + block).split(b"\n")
            yield [line for line in lines if line]
    if held:
        yield [held]


def _scan(text: Survey) -> str:
    """SQL of a text's lines below its heading."""
    options = [
        "auto_detect = false",
        "header = false",
        f"skip = {text.leading_blanks + 1}",
        "columns = {'line': 'VARCHAR'}",
        f"delim = {literal(_NO_DELIMITER)}",
        "quote = ''",
        "escape = ''",
        "new_line = '\\n'",
        "strict_mode = true",
        f"max_line_size = {LINE_BYTES}",
        f"buffer_size = {4 * LINE_BYTES}",
    ]
    return f"read_csv({literal(str(text.path))}, {', '.join(options)})"
