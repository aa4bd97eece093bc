"""A DuckDB of one's own for turning one file into text."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

MEMORY_LIMIT = "160MB"


@contextmanager
def engine(workplace: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection that keeps the order of rows, in bounded memory, without extensions."""
    connection = duckdb.connect(
        config={
            "threads": 2,
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(workplace / "spill-forms"),
            "preserve_insertion_order": True,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    try:
        yield connection
    finally:
        connection.close()
