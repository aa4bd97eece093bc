"""A statement through Django's connection that PostgreSQL plans once a connection.

Django writes values into the text of a statement, so that each is planned anew; who calls is asked
before every page, and its plan of seven tables takes five times as long as its answer. Nor is the
connection tried out first: one that was lost meanwhile is replaced, once.

Source: house rule (design §4: keep the data plane thin)
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db import connection
from psycopg import Cursor, OperationalError, errors

# What a plan does not outlive: the server's restart, a table that was altered.
_OUTLIVED: Final = (OperationalError, errors.FeatureNotSupported)

Parameters = Sequence[Any] | Mapping[str, Any]


def fetch_one(statement: str, parameters: Parameters) -> tuple[Any, ...] | None:
    """Return the statement's first row.

    Raises:
        django.db.Error: as Django's own cursors do.
    """
    with connection.wrap_database_errors:
        try:
            return _fetch(statement, parameters)
        except _OUTLIVED:
            if connection.in_atomic_block:
                raise
            connection.close()
            return _fetch(statement, parameters)


def _fetch(statement: str, parameters: Parameters) -> tuple[Any, ...] | None:
    connection.ensure_connection()
    opened = connection.connection
    if opened.prepare_threshold is None:
        opened.prepare_threshold = sys.maxsize  # nothing but what asks for it
    with Cursor(opened) as cursor:
        return cursor.execute(statement, parameters, prepare=True).fetchone()
