"""What every grant stands on: schema `share`, the readers' role, a system's role."""

from typing import Final

from psycopg import sql

from apps.sharing import naming
from apps.sharing.models import TrialSample
from apps.sharing.provisioning.places import Place, database
from apps.sharing.provisioning.roles import is_reader, make_readers
from apps.sharing.provisioning.statements import IS_MEMBER, asks, role_exists, run

_MASKS_CLOSED_TO_READERS: Final = (
    "SELECT EXISTS (SELECT FROM pg_proc WHERE pronamespace = %s::regnamespace"
    " AND NOT has_function_privilege(%s, oid, 'EXECUTE'))"
)


def ensure_foundation(schema: str = "") -> None:
    """Make schema `share`, the readers' role and its few rights. Repeat-safe; under the lock."""
    readers = naming.readers_role(database())
    if not role_exists(readers):
        run(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(readers)))
    run(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(naming.SHARE_SCHEMA)))
    for name in filter(None, (naming.SHARE_SCHEMA, naming.MASK_SCHEMA, schema)):
        if not asks("SELECT has_schema_privilege(%s, %s, 'USAGE')", readers, name):
            run(
                sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(
                    sql.Identifier(name), sql.Identifier(readers)
                )
            )
    if asks(_MASKS_CLOSED_TO_READERS, naming.MASK_SCHEMA, readers):
        run(
            sql.SQL("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {} TO {}").format(
                sql.Identifier(naming.MASK_SCHEMA), sql.Identifier(readers)
            )
        )
    # A consumer that is given a login must not leave temporary objects in front of ours.
    if asks("SELECT has_database_privilege(%s, %s, 'TEMP')", readers, database()):
        run(sql.SQL("REVOKE TEMP ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database())))
    ensure_trial_role()


def ensure_trial_role() -> None:
    """Make the role of trials: masks like every reader, one table, nothing else. Repeat-safe."""
    role, readers = naming.trial_role(database()), naming.readers_role(database())
    table, gateway = TrialSample._meta.db_table, naming.GATEWAY_ROLE
    if not role_exists(role):
        run(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
    if not asks(IS_MEMBER, readers, role):
        run(sql.SQL("GRANT {} TO {}").format(sql.Identifier(readers), sql.Identifier(role)))
    if not asks("SELECT has_table_privilege(%s, %s, 'SELECT')", role, table):
        run(sql.SQL("GRANT SELECT ON {} TO {}").format(sql.Identifier(table), sql.Identifier(role)))
    if not asks("SELECT has_schema_privilege(%s, 'public', 'USAGE')", role):
        run(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(sql.Identifier(role)))
    if not asks(IS_MEMBER, role, gateway):
        run(
            sql.SQL("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE").format(
                sql.Identifier(role), sql.Identifier(gateway)
            )
        )


def ensure_reader(place: Place) -> None:
    """Make the role of the consumer's system, which the gateway may take. Repeat-safe.

    What somebody above us gave to the role only he takes back; `reader_is_ready` then says no.
    """
    if is_reader(place.reader):
        return
    if not role_exists(place.reader):
        make_readers([place.reader])
        return
    reader, gateway = sql.Identifier(place.reader), sql.Identifier(naming.GATEWAY_ROLE)
    run(sql.SQL("ALTER ROLE {} NOLOGIN NOCREATEROLE NOCREATEDB").format(reader))
    run(sql.SQL("GRANT {} TO {}").format(sql.Identifier(place.readers), reader))
    run(sql.SQL("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE").format(reader, gateway))


def reader_is_ready(place: Place) -> bool:
    """Say whether the consumer's role may enter the schemas, be taken by the gateway, no more."""
    return is_reader(place.reader)
