"""One DuckDB with every macro, as the landing engine has it."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

import duckdb
import pytest

from apps.standards.checks import macros_sql

LANDED_ON = date(2026, 11, 18)

Answer = Callable[[str, Sequence[str | None]], list[Any]]


@pytest.fixture(scope="session")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(macros_sql(on=LANDED_ON))
        yield connection


@pytest.fixture
def answer(engine: duckdb.DuckDBPyConnection) -> Answer:
    """Run a macro over many texts at once; the answers in the same order."""

    def run(macro: str, texts: Sequence[str | None]) -> list[Any]:
        rows = engine.execute(
            f"SELECT {macro}(x) FROM (SELECT unnest(?::VARCHAR[]) AS x)",
            [list(texts)],
        ).fetchall()
        return [row[0] for row in rows]

    return run
