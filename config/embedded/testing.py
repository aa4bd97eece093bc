"""What the throw-away server of the tests needs besides: clearing up after runs that died."""

import os
import re

from psycopg import sql

from config.embedded import cluster
from config.embedded.server import ServerInfo

TEST_DATABASE = re.compile(r"^huiliu_test_(?P<process>\d+)(_gw\d+)?$")


def drop_orphaned_test_databases(server: ServerInfo) -> list[str]:
    """Drop the databases, and the roles named after them, of test runs that are over."""
    kept = cluster.read_secrets(server.places)
    with cluster.superuser_connection(kept) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtext('huiliu orphans'))")  # one at a time
        names = [str(row[0]) for row in connection.execute("SELECT datname FROM pg_database")]
        orphans = [name for name in names if _is_orphan(name)]
        for name in orphans:
            drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            connection.execute(drop.format(sql.Identifier(name)))
        roles = "SELECT rolname FROM pg_roles WHERE starts_with(rolname, 'huiliu_test_')"
        for (role,) in connection.execute(roles).fetchall():
            database = re.match(r"huiliu_test_\d+(_gw\d+)?", str(role))
            if database and _is_orphan(database.group()):
                drop = sql.SQL("DROP ROLE IF EXISTS {}")
                connection.execute(drop.format(sql.Identifier(str(role))))
    return orphans


def _is_orphan(database: str) -> bool:
    found = TEST_DATABASE.match(database)
    if found is None:
        return False
    try:
        os.kill(int(found["process"]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
