"""What the columns of a table look like, drawn by DuckDB over a copy of it.

Columns of few different values are counted exactly. Of the others the number of different values
is an estimate (HyperLogLog, within some percent), and the commonest values are found by an
approximate sketch and then counted exactly.
"""

# ruff: noqa: S608 -- names and literals are quoted by `landing.rules`; no SQL comes from a user

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import duckdb

from apps.core.contracts import Column, Contract
from apps.quality.models import ColumnProfile, QualityRun
from apps.standards.types import TEXT_TYPES, cast_sql
from apps.warehouse.landing.reader import MEMORY_LIMIT, THREADS
from apps.warehouse.landing.rules import literal, quoted

TOP_VALUES: Final = 10
TOP_SHAPES: Final = 8
MOST_COUNTED: Final = 50_000
"""Up to so many different values (by estimate) a column is counted exactly."""

_SHOWN: Final = 60  # characters of a value
_SHAPED: Final = 40  # characters of a shape
_LONG_LINE_BYTES: Final = 40 << 20


@dataclass(frozen=True, slots=True)
class _Summary:
    rows: int
    filled: int
    distinct: int
    shortest: int | None
    longest: int | None
    minimum: str
    maximum: str


class Profiler:
    """A connection of its own over one copy; a context manager.

    copy: CSV of the contract's columns. withheld: columns of which no value is shown.
    """

    def __init__(
        self, copy: Path, contract: Contract, *, withheld: Collection[str], workplace: Path
    ) -> None:
        self._contract = contract
        self._withheld = set(withheld)
        self._connection = duckdb.connect(
            str(workplace / "profile.duckdb"),
            config={
                "threads": THREADS,
                "memory_limit": MEMORY_LIMIT,
                "temp_directory": str(workplace / "spill"),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        columns = ", ".join(f"{literal(one.name)}: 'VARCHAR'" for one in contract.columns)
        self._connection.execute(
            f"CREATE TABLE rows AS SELECT * FROM read_csv({literal(str(copy))},"
            f" columns = {{{columns}}}, auto_detect = false, header = false, delim = ',',"
            " quote = '\"', escape = '\"', new_line = '\\n', parallel = false,"
            f" max_line_size = {_LONG_LINE_BYTES}, buffer_size = {2 * _LONG_LINE_BYTES})"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._connection.close()

    def profile(self, run: QualityRun) -> list[ColumnProfile]:
        """Return the profile of every column, unsaved."""
        return [
            self._column(run, position, column)
            for position, column in enumerate(self._contract.columns, 1)
        ]

    def _column(self, run: QualityRun, position: int, column: Column) -> ColumnProfile:
        summary = self._summary(column)
        is_counted = summary.distinct <= MOST_COUNTED
        distinct = self._distinct(column) if is_counted else summary.distinct
        is_withheld = column.name in self._withheld
        return ColumnProfile(
            run=run,
            position=position,
            column=column.name,
            label=column.label,
            data_type=column.type,
            rows=summary.rows,
            filled=summary.filled,
            distinct=min(distinct, summary.filled),
            is_distinct_approximate=not is_counted,
            minimum="" if is_withheld else summary.minimum,
            maximum="" if is_withheld else summary.maximum,
            shortest=summary.shortest,
            longest=summary.longest,
            patterns=self._shapes(column),
            top_values=[] if is_withheld else self._top(column, is_counted=is_counted),
            is_withheld=is_withheld,
        )

    def _summary(self, column: Column) -> _Summary:
        name = quoted(column.name)
        ordered = name if column.type in TEXT_TYPES else cast_sql(column, name)
        row = self._one(
            f"SELECT count(*), count({name}), approx_count_distinct({name}), min(length({name})),"
            f" max(length({name})), CAST(min({ordered}) AS VARCHAR),"
            f" CAST(max({ordered}) AS VARCHAR) FROM rows"
        )
        rows, filled, distinct, shortest, longest, minimum, maximum = row
        return _Summary(
            rows, filled, distinct, shortest, longest, _shortened(minimum), _shortened(maximum)
        )

    def _distinct(self, column: Column) -> int:
        return int(self._one(f"SELECT count(DISTINCT {quoted(column.name)}) FROM rows")[0])

    def _shapes(self, column: Column) -> list[dict[str, Any]]:
        shape = f"left({quoted(column.name)}, {_SHAPED})"
        for kind, letter in (("[A-Z]", "A"), ("[a-z]", "a"), ("[0-9]", "9"), (r"\p{Han}", "字")):
            shape = f"regexp_replace({shape}, {literal(kind)}, {literal(letter)}, 'g')"
        found = self._connection.execute(
            f"SELECT {shape} AS shape, count(*) FROM rows WHERE {quoted(column.name)} IS NOT NULL"
            f" GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {TOP_SHAPES}"
        ).fetchall()
        return [{"shape": shape, "count": count} for shape, count in found]

    def _top(self, column: Column, *, is_counted: bool) -> list[dict[str, Any]]:
        name = quoted(column.name)
        among = f"{name} IS NOT NULL"
        if not is_counted:
            (likely,) = self._one(f"SELECT approx_top_k({name}, {2 * TOP_VALUES}) FROM rows")
            values = ", ".join(literal(value) for value in likely or () if value is not None)
            among = f"{name} IN ({values})" if values else "false"
        found = self._connection.execute(
            f"SELECT {name}, count(*) FROM rows WHERE {among}"
            f" GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {TOP_VALUES}"
        ).fetchall()
        return [{"value": _shortened(value), "count": count} for value, count in found]

    def _one(self, statement: str) -> tuple[Any, ...]:
        row = self._connection.execute(statement).fetchone()
        return row or ()


def _shortened(value: str | None) -> str:
    if value is None:
        return ""
    return value if len(value) <= _SHOWN else value[:_SHOWN] + "…"
