"""Empty the database after a test that has committed what it wrote.

Django's flush truncates every table, which rewrites a thousand rows of the server's own catalogue,
and lets every app register its permissions anew: half a second each time, and a catalogue that
grows with every test. To delete the few rows that a test leaves takes some milliseconds.
"""

from functools import cache

from django.db import connection
from django.test import TransactionTestCase
from psycopg import sql

from config import embedded, environment
from config.embedded import cluster

# Written by `migrate`, the same for every test; no test and no operation adds to them.
KEPT = ("django_content_type", "auth_permission")


def quickly() -> None:
    """Have every test that commits be followed by `empty`.

    On a server of one's own nobody may set a table's rules aside, and Django's flush remains.
    """
    if environment.uses_embedded_server():
        TransactionTestCase._fixture_teardown = lambda _test: empty()  # type: ignore[attr-defined]


def empty() -> None:
    """Delete the rows of all tables that Django's flush would truncate, but those of `KEPT`."""
    kept = cluster.read_secrets(embedded.describe(environment.home()).places)
    database = str(connection.settings_dict["NAME"])
    with cluster.superuser_connection(kept, database) as superuser:
        # Append-only tables and foreign keys are set aside, as TRUNCATE of all tables does.
        superuser.execute(_statements())


@cache
def _statements() -> sql.Composed:
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    deletions = (
        sql.SQL("DELETE FROM {}").format(sql.Identifier(name))
        for name in sorted(set(tables) - set(KEPT))
    )
    return sql.SQL("; ").join([sql.SQL("SET session_replication_role = replica"), *deletions])
