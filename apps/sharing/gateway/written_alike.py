"""Values of a caller written as the table holds them: normalised and cast by the landing's rules.

The engine is asked about columns with a value that is not yet as the table writes it: planning its
statement takes longer than all else in a call. One DuckDB, in memory, per process; each use takes
a connection of its own to it.

Source: house rule (design §5: one dialect for row rules)
"""

# ruff: noqa: S608 -- names are quoted by `rules`; the values are bound

import os
import re
import threading
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import duckdb

from apps.core.contracts import Column, Contract
from apps.standards.checks import macros_sql
from apps.standards.types import DataType
from apps.warehouse.landing import rules

Values = Sequence[str | None]
# The normalisers ask for no day; only checks do, and none is used here.
_ANY_DAY: Final = date(2000, 1, 1)

# What stands so, letters and digits without a blank, whole numbers and days as the database writes
# them, is the same after any of these normalisers.
_TEXT: Final = (
    re.compile("[0-9A-Z\u4e00-\u9fff]+"),
    frozenset({"as_is", "half_width", "trim", "upper", "identifier"}),
)
_SETTLED: Final[dict[str, tuple[re.Pattern[str], frozenset[str]]]] = {
    DataType.TEXT: _TEXT,
    DataType.MEMO: _TEXT,
    DataType.GENERAL: _TEXT,
    DataType.INTEGER: (
        re.compile("0|-?[1-9][0-9]{0,17}"),
        frozenset({"as_is", "half_width", "trim", "number"}),
    ),
    DataType.DATE: (
        re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}"),
        frozenset({"as_is", "half_width", "trim", "date"}),
    ),
}

_engines: dict[int, Any] = {}
_opening = threading.Lock()


def written_alike(
    columns: Sequence[Column], given: Mapping[str, Values]
) -> dict[str, tuple[list[str | None], list[bool]]]:
    """Return, by column, each value as the table would hold it in text, and whether it could.

    None stands for no value. A value that is none of its type could not be held.
    """
    left = [column for column in columns if not is_settled(column, given[column.name])]
    written = _by_engine(left, given) if left else {}
    return {
        column.name: written.get(column.name)
        or ([*given[column.name]], [True] * len(given[column.name]))
        for column in columns
    }


def is_settled(column: Column, values: Values) -> bool:
    """Say whether every value is one that the column's normalisers and its cast leave as it is."""
    if column.type not in _SETTLED:
        return False
    shape, gentle = _SETTLED[column.type]
    if not gentle.issuperset(column.normalise):
        return False
    if not all(value is None or shape.fullmatch(value) for value in values):
        return False
    return column.type != DataType.DATE or all(map(_is_day, values))


def _is_day(value: str | None) -> bool:
    try:
        return value is None or date.fromisoformat(value).year > 0
    except ValueError:
        return False


def _by_engine(
    columns: Sequence[Column], given: Mapping[str, Values]
) -> dict[str, tuple[list[str | None], list[bool]]]:
    contract = Contract(0, "", tuple(columns), (columns[0].name,))
    lists = ", ".join(f"unnest(?::VARCHAR[]) AS {rules.quoted(column.name)}" for column in columns)
    wanted = ", ".join(
        f"CAST({rules.value_of(column)} AS VARCHAR),"
        f" {rules.text_of(column)} IS NULL OR {rules.value_of(column)} IS NOT NULL"
        for column in columns
    )
    select = rules.typed_select(contract, f"(SELECT {lists})")
    with _connection() as connection:
        rows = connection.execute(
            f"SELECT {wanted} FROM ({select}) AS typed",
            [list(given[column.name]) for column in columns],
        ).fetchall()
    turned = list(zip(*rows, strict=True))
    return {
        column.name: (list(turned[2 * place]), list(turned[2 * place + 1]))
        for place, column in enumerate(columns)
    }


def _connection() -> Any:
    with _opening:
        if os.getpid() not in _engines:
            made = duckdb.connect(
                config={
                    "threads": 1,
                    "memory_limit": "64MB",
                    "enable_external_access": False,
                }
            )
            made.execute(macros_sql(on=_ANY_DAY))
            _engines[os.getpid()] = made
        return _engines[os.getpid()].cursor()
