"""DuckDB as the reader of one surveyed file, in bounded memory.

What it reads is text only; types come from the contract. It is not trusted with counting: rows
that it cannot read are taken from its reject table by their byte, and together with those that it
read they must be as many as the survey counted.
"""

# ruff: noqa: S608 -- names and literals are quoted by `rules`; no SQL comes from a user

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Self

import duckdb
from django.utils.translation import gettext_lazy as _

from apps.core.workbooks.refusal import Refusal
from apps.standards.checks import macros_sql
from apps.warehouse.landing.rules import literal
from apps.warehouse.landing.survey import Survey

MEMORY_LIMIT = "160MB"
THREADS = max(1, min(2, os.cpu_count() or 1))
LINE_BYTES = 2 << 20
_PIPE_BYTES = 1 << 20
_SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ of Linux; elsewhere the pipe keeps its size


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that the reader could not split into the header's columns."""

    number: int
    code: str


class Reader:
    """A DuckDB connection of its own for one file; a context manager.

    on: the day for which checks answer that depend on time.
    """

    def __init__(
        self, survey: Survey, columns: Sequence[str], *, workplace: Path, on: date
    ) -> None:
        self.survey = survey
        self.columns = list(columns)
        self._connection = duckdb.connect(
            config={
                "threads": THREADS,
                "memory_limit": MEMORY_LIMIT,
                "temp_directory": str(workplace / "spill"),
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                # A filter pushed below the projection would compute every value twice.
                "disabled_optimizers": "filter_pushdown",
            }
        )
        self._connection.execute(macros_sql(on=on))
        self._beside = self._connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._connection.close()

    def execute(self, statement: str) -> duckdb.DuckDBPyConnection:
        return self._connection.execute(statement)

    def value(self, statement: str) -> Any:
        """Return the only value of the only row."""
        row = self._connection.execute(statement).fetchone()
        return None if row is None else row[0]

    def beside(self, statement: str) -> tuple[Any, ...]:
        """Return the only row of a SELECT that runs while another statement may be running."""
        self._beside = self._connection.cursor()
        self._beside.execute("SET enable_progress_bar = true")
        self._beside.execute("SET enable_progress_bar_print = false")
        row = self._beside.execute(statement).fetchone()
        self._beside = self._connection  # of what is over, nothing is to be told
        return () if row is None else row

    def share_done(self) -> float:
        """Return how far the statement of `beside` is (0–1); for another thread to ask."""
        try:
            percent: float = self._beside.query_progress()
        except duckdb.Error:
            return 0.0
        return min(1.0, max(0.0, percent / 100))

    def rows(self, statement: str, *, size: int = 2_000) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a SELECT, a few at a time."""
        result = self._connection.cursor().execute(statement)
        while rows := result.fetchmany(size):
            yield from rows

    def source(
        self, *, ranked: bool = False, keeping_rejects: bool = False, path: Path | None = None
    ) -> str:
        """SQL of the file's rows as text; `rank` counts those the reader accepts, from 1.

        path: another text with the same heading, written in the same way.
        """
        scan = self._scan(path or self.survey.path, keeping_rejects=keeping_rejects)
        if not ranked:
            return scan
        return f"(SELECT row_number() OVER () AS rank, * FROM {scan})"

    def _scan(self, path: Path, *, keeping_rejects: bool) -> str:
        survey = self.survey
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in self.columns)
        options = [
            "auto_detect = false",
            "header = false",
            f"skip = {survey.leading_blanks + 1}",
            f"columns = {{{columns}}}",
            f"delim = {literal(survey.delimiter)}",
            "quote = '\"'",
            "escape = '\"'",
            "new_line = '\\n'",
            "strict_mode = true",
            "ignore_errors = true",
        ]
        if survey.longest_bytes > LINE_BYTES:
            options += [
                f"max_line_size = {survey.longest_bytes + 1}",
                f"buffer_size = {survey.longest_bytes + LINE_BYTES}",
                "parallel = false",
            ]
        else:
            options += [f"max_line_size = {LINE_BYTES}", f"buffer_size = {4 * LINE_BYTES}"]
            if survey.has_quoted_line_ends:
                options.append("parallel = false")
        if keeping_rejects:
            options.append("store_rejects = true")
        return f"read_csv({literal(str(path))}, {', '.join(options)})"

    def unreadable(self) -> list[Unreadable]:
        """Return the records that the scan which kept rejects could not read, in order."""
        found = self._connection.execute(
            "SELECT line_byte_position - 1, min(CAST(error_type AS VARCHAR))"
            " FROM reject_errors GROUP BY 1 ORDER BY 1"
        ).fetchall()
        numbers = self.survey.index.numbers_at([offset for offset, _code in found])
        codes = [_REJECT_CODES.get(kind, "line_unreadable") for _offset, kind in found]
        return [Unreadable(number, code) for number, code in zip(numbers, codes, strict=True)]

    def require_all_read(self, accepted: int, unreadable: int) -> None:
        """Refuse when the reader did not see as many records as were counted.

        Raises:
            Refusal: `records_ambiguous`.
        """
        if accepted + unreadable == self.survey.record_count:
            return
        raise Refusal(
            _(
                "文件共有 %(counted)s 条记录，读取时却得到 %(read)s 条：引号的用法有歧义，"
                "不能可靠分行；核对引号后再提交"
            )
            % {
                "counted": f"{self.survey.record_count:,}",
                "read": f"{accepted + unreadable:,}",
            },
            code="records_ambiguous",
            counted=self.survey.record_count,
            read=accepted + unreadable,
        )

    def stream(self, select: str, write: Callable[[bytes], object]) -> None:
        """Write the rows of a SELECT as CSV, as they come; reader and writer run side by side."""
        end, start = os.pipe()
        _widen(start)

        def produce() -> None:
            try:
                self._connection.execute(
                    f"COPY ({select}) TO '/dev/fd/{start}'"
                    " (FORMAT csv, HEADER false, USE_TMP_FILE false)"
                )
            finally:
                os.close(start)

        with ThreadPoolExecutor(1, "landing-reader") as beside:
            produced = beside.submit(produce)
            # Leaving early closes the pipe, and the producer stops at its next write.
            with os.fdopen(end, "rb", buffering=0) as pipe:
                while block := pipe.read(_PIPE_BYTES):
                    write(block)
            produced.result()


_REJECT_CODES = {
    "MISSING COLUMNS": "too_few_cells",
    "TOO MANY COLUMNS": "too_many_cells",
    "UNQUOTED VALUE": "quote_misplaced",
    "LINE SIZE OVER MAXIMUM": "record_too_long",
    "INVALID ENCODING": "encoding_invalid",
}


def _widen(descriptor: int) -> None:
    with suppress(ImportError, OSError):
        import fcntl

        fcntl.fcntl(descriptor, _SET_PIPE_SIZE, _PIPE_BYTES)
