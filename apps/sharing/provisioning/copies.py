"""The table of a landed copy, and who may read it: the consumer's system, while it is granted."""

from typing import Final

from psycopg import sql

from apps.sharing import naming
from apps.sharing.models import Grant, LandedCopy
from apps.sharing.provisioning import statements
from apps.sharing.provisioning.foundation import ensure_foundation, ensure_reader
from apps.sharing.provisioning.places import database, place_of
from apps.warehouse.sync.following.copy import CHECKPOINTS

POLICY: Final = "while_granted"


def ensure_schema(copy: LandedCopy) -> None:
    statements.run(
        sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(copy.store.schema))
    )


def open_to_reader(copy: LandedCopy) -> None:
    """Let the consumer's system read the copy until the day on which its grant ends.

    Repeat-safe; call under the lock of provisioning. The period stands in the table's own policy,
    so that an expired grant shows nothing even if no task ever comes.
    """
    table, reader = _table(copy), sql.Identifier(_reader(copy))
    ensure_foundation(copy.store.schema)
    ensure_reader(place_of(copy.grant))
    statements.run(sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(table))
    policy = sql.Identifier(POLICY)
    statements.run(sql.SQL("DROP POLICY IF EXISTS {} ON {}").format(policy, table))
    statements.run(
        sql.SQL(
            "CREATE POLICY {} ON {} FOR SELECT TO {}"
            " USING (now() >= {}::timestamptz AND now() < {}::timestamptz)"
        ).format(
            policy,
            table,
            reader,
            sql.Literal(copy.grant.starts_at.isoformat()),
            sql.Literal(copy.grant.expires_at.isoformat()),
        )
    )
    statements.run(sql.SQL("GRANT SELECT ON {} TO {}").format(table, reader))


def close_to_reader(copy: LandedCopy) -> None:
    """Take the copy from the consumer's system; its next read fails."""
    reader = _reader(copy)
    if _exists(copy) and statements.role_exists(reader):
        statements.run(
            sql.SQL("REVOKE ALL ON {} FROM {}").format(_table(copy), sql.Identifier(reader))
        )


def close_copies(grant: Grant) -> None:
    """Take from the consumer's system what it holds in its pool under the grant."""
    for copy in LandedCopy.objects.filter(grant=grant, disposed_at=None).select_related("store"):
        close_to_reader(copy)
        LandedCopy.objects.filter(pk=copy.pk).update(grant_version=0)


def is_open(copy: LandedCopy) -> bool:
    """Say whether the consumer's system may read the copy; one made again stands closed."""
    reader = _reader(copy)
    question = "SELECT COALESCE(has_table_privilege(%s, to_regclass(%s), 'SELECT'), FALSE)"
    return statements.role_exists(reader) and statements.asks(question, reader, str(copy))


def drop_table(copy: LandedCopy) -> None:
    """Remove the copy with its place in the feed. Repeat-safe."""
    statements.run(sql.SQL("DROP TABLE IF EXISTS {}").format(_table(copy)))
    if statements.table_exists(copy.store.schema, CHECKPOINTS):
        statements.run(
            sql.SQL("DELETE FROM {} WHERE copy = {}").format(
                sql.Identifier(copy.store.schema, CHECKPOINTS), sql.Literal(copy.table_name)
            )
        )


def _reader(copy: LandedCopy) -> str:
    """Return the role of the consumer's system, which the copy keeps whatever its grant becomes."""
    return naming.role_of_system(database(), copy.system_id)


def _exists(copy: LandedCopy) -> bool:
    return statements.table_exists(copy.store.schema, copy.table_name)


def _table(copy: LandedCopy) -> sql.Identifier:
    return sql.Identifier(copy.store.schema, copy.table_name)
