"""The roles that own the grants' views and those that read them, made before they are needed.

PostgreSQL forgets at every new membership what it knew of memberships, and walks all of them
again at the next question: a role costs more the more there are. So a decision finds its roles
made, under the number that the next grant is given, and changes no membership; where none was
made ahead it makes its own.

Source: house rule (design §4)
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from django.db import connection
from psycopg import sql

from apps.accounts.models import InformationSystem
from apps.sharing import naming
from apps.sharing.models import Grant
from apps.sharing.provisioning.locking import persistently
from apps.sharing.provisioning.places import database
from apps.sharing.provisioning.statements import asks, role_exists, run

RESERVE: Final = 100
MADE_UNDER_ONE_LOCK: Final = 10

# No attribute, the readers' rights, and one role to take it; we who made it may hand it on.
_IS_AS_MADE: Final = """
SELECT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = %s
  AND NOT (r.rolcanlogin OR r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb
           OR r.rolreplication)
  AND ARRAY(SELECT DISTINCT g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
             WHERE m.member = r.oid) = ARRAY[%s::name]
  AND (SELECT bool_and(NOT m.inherit_option
                       AND (u.rolname = {taker} OR u.rolname = current_user AND NOT m.set_option))
              AND bool_or(u.rolname = {taker} AND m.set_option)
         FROM pg_auth_members m JOIN pg_roles u ON u.oid = m.member WHERE m.roleid = r.oid)
  {more})
"""
_OWNS_NOTHING: Final = """AND NOT EXISTS (SELECT FROM pg_shdepend d
                   WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = r.oid)"""
_IS_BLANK: Final = _IS_AS_MADE.format(taker="current_user", more=_OWNS_NOTHING)
_IS_READER: Final = _IS_AS_MADE.format(taker=f"'{naming.GATEWAY_ROLE}'", more="")


def make_owners(roles: Sequence[str]) -> None:
    """Make roles that may own views, and which we may act as: to hand views over, to open them."""
    _make(roles, taken_by=sql.SQL("CURRENT_USER"))


def make_readers(roles: Sequence[str]) -> None:
    """Make roles of consumers' systems, which the gateway may take."""
    _make(roles, taken_by=sql.Identifier(naming.GATEWAY_ROLE))


def is_blank(role: str) -> bool:
    """Say whether there is a role as `make_owners` makes it, without anything of its own."""
    return asks(_IS_BLANK, role, naming.readers_role(database()))


def is_reader(role: str) -> bool:
    """Say whether there is a role as `make_readers` makes it, whatever it may read by now."""
    return asks(_IS_READER, role, naming.readers_role(database()))


def reserve_roles(ahead: int = RESERVE, *, at_once: int = MADE_UNDER_ONE_LOCK) -> int:
    """Make what is missing of the roles of the next `ahead` grants and of all systems. Repeat-safe.

    at_once: how many are made before the lock of provisioning is left to a decision.

    Return how many were made; none before the first grant has laid the foundation.
    """
    made = 0
    if not role_exists(naming.readers_role(database())):
        return made
    for missing, make in ((partial(_owners, ahead), make_owners), (_readers, make_readers)):
        while some := persistently(partial(_make_some, missing, make, at_once)):
            made += some
    return made


def last_number() -> int:
    """Return the number that the last grant was given: a role above it waits for its grant."""
    question = (
        "SELECT COALESCE(pg_sequence_last_value(pg_get_serial_sequence(%s, 'id')::regclass), 0)"
    )
    with connection.cursor() as cursor:
        cursor.execute(question, [Grant._meta.db_table])
        (number,) = cursor.fetchone()
    return int(number)


def _make_some(
    missing: Callable[[], list[str]], make: Callable[[Sequence[str]], None], at_once: int
) -> int:
    roles = missing()[:at_once]
    if roles:
        make(roles)
    return len(roles)


def _make(roles: Sequence[str], *, taken_by: sql.Composable) -> None:
    for role in roles:
        run(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
    names, readers = sql.SQL(", ").join(map(sql.Identifier, roles)), naming.readers_role(database())
    run(sql.SQL("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE").format(names, taken_by))
    run(sql.SQL("GRANT {} TO {}").format(sql.Identifier(readers), names))


def _owners(ahead: int) -> list[str]:
    last = last_number()
    series = sql.SQL("generate_series({}::bigint, {}) id").format(last + 1, last + ahead)
    return _without_role(naming.role_of_grant(database(), 0)[:-1], series)


def _readers() -> list[str]:
    systems = sql.Identifier(InformationSystem._meta.db_table)
    return _without_role(naming.role_of_system(database(), 0)[:-1], systems)


def _without_role(prefix: str, numbers: sql.Composable) -> list[str]:
    question = sql.SQL(
        "SELECT name FROM (SELECT {} || id AS name, id FROM {}) n"
        " WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = n.name) ORDER BY id"
    )
    with connection.cursor() as cursor:
        cursor.execute(question.format(prefix, numbers))
        return [str(name) for (name,) in cursor.fetchall()]
