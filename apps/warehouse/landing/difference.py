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
from typing import Any, Final

import duckdb

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
    with _Lines(workplace) as lines:
        try:
            numbers = lines.compare(newer, earlier)
        except duckdb.Error:  # what the survey let pass is told by the reader, not here
            return None
        if numbers is None:
            return None
        ahead, behind = workplace / "ahead.csv", workplace / "behind.csv"
        lines.write("ahead", newer, ahead)
        lines.write("behind", earlier, behind)
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

    def compare(self, newer: Survey, earlier: Survey) -> Sequence[int] | None:
        """Find what either text has alone; return the numbers of the newer one's records."""
        with ThreadPoolExecutor(2, "landing-lines") as beside:
            taken = [
                beside.submit(self._take, "newer", newer, ", row_number() OVER () AS number"),
                beside.submit(self._take, "earlier", earlier, ""),
            ]
            if not all(future.result() for future in taken):
                return None
        if self._value("SELECT count(DISTINCT digest) FROM newer") != newer.record_count:
            return None
        self._keep("ahead", "newer", "earlier")
        self._keep("behind", "earlier", "newer")
        if self._value("SELECT count(*) FROM ahead") > MOST * newer.record_count:
            return None
        return array("q", self._values("SELECT number FROM ahead ORDER BY 1"))

    def write(self, name: str, text: Survey, path: Path) -> None:
        """Write the records of a text that it has alone, in their order, under its heading."""
        order = "ORDER BY number" if name == "ahead" else ""
        # The short hash finds, the digest proves: it is dear, and few lines come so far.
        statement = (
            f"SELECT line FROM (SELECT * FROM (SELECT line, hash(line) AS short FROM {_scan(text)})"
            f" JOIN {name} USING (short)) WHERE {_DIGEST} = digest {order}"
        )
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(text.header + "\n")
            for line in self._values(statement):
                file.write(line + "\n")

    def _take(self, name: str, text: Survey, number: str) -> bool:
        """Take the digests of a text's lines; False when they are not as many as its records."""
        cursor = self._connection.cursor()
        cursor.execute(
            f"CREATE TABLE {name} AS SELECT {_DIGEST} AS digest, hash(line) AS short{number}"
            f" FROM (SELECT line FROM {_scan(text)} WHERE line <> '')"
        )
        found = cursor.execute(f"SELECT count(*) FROM {name}").fetchone()
        return found is not None and found[0] == text.record_count

    def _keep(self, name: str, whole: str, other: str) -> None:
        self._connection.execute(
            f"CREATE TABLE {name} AS SELECT * FROM {whole} ANTI JOIN {other} USING (digest)"
        )

    def _value(self, statement: str) -> int:
        row = self._connection.execute(statement).fetchone()
        return 0 if row is None else int(row[0])

    def _values(self, statement: str) -> Iterator[Any]:
        result = self._connection.execute(statement)
        while rows := result.fetchmany(_AT_ONCE):
            for (value,) in rows:
                yield value


_DIGEST: Final = "md5_number(line)"


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
