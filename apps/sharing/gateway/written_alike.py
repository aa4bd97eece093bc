"""Values of a caller written as the table holds them: normalised and cast by the landing's rules.

One DuckDB, in memory, per process; each use takes a connection of its own to it.

Source: house rule (design §5: one dialect for row rules)
"""

# ruff: noqa: S608 -- names are quoted by `rules`; the values are bound

import os
import threading
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import duckdb

from apps.core.contracts import Column, Contract
from apps.standards.checks import macros_sql
from apps.warehouse.landing import rules

Values = Sequence[str | None]
# The normalisers ask for no day; only checks do, and none is used here.
_ANY_DAY: Final = date(2000, 1, 1)

_engines: dict[int, Any] = {}
_opening = threading.Lock()


def written_alike(
    columns: Sequence[Column], given: Mapping[str, Values]
) -> dict[str, tuple[list[str | None], list[bool]]]:
    """Return, by column, each value as the table would hold it in text, and whether it could.

    None stands for no value. A value that is none of its type could not be held.
    """
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
