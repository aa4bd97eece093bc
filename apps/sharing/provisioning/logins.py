"""The login of a system: a role of its own, which reads the views of its database exchanges only.

It is not the role as which the gateway reads for the system: what is granted in other ways keeps
its quota and its record of each call. What a login reads is not counted and its address is checked
by pg_hba.conf for the login as a whole, so a grant with a quota, or with other networks than those
for which the login was opened, is left to the interfaces. A session may lift its own statement
timeout, so a watch ends what runs too long, in whichever database of the server.

Source: house rule (design §4: database exchange)
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

from django.db import connection, transaction
from psycopg import sql

from apps.sharing import naming
from apps.sharing.models import COUNTED, DatabaseLogin, Grant, Mode
from apps.sharing.provisioning.foundation import ensure_foundation
from apps.sharing.provisioning.places import database, place_of
from apps.sharing.provisioning.statements import IS_MEMBER, acting_as, asks, role_exists, run

MOST_CONNECTIONS: Final = 5
MOST_SECONDS: Final = 60
# What a session begins with. It may change these for itself, but not what it may read.
_SESSION: Final = {
    "statement_timeout": f"{MOST_SECONDS}s",
    "idle_in_transaction_session_timeout": f"{MOST_SECONDS}s",
    "lock_timeout": "5s",
    "default_transaction_read_only": "on",
    "search_path": naming.SHARE_SCHEMA,
    "max_parallel_workers_per_gather": "0",
    "TimeZone": "Asia/Shanghai",
}
# Of a role that may not log in, every session: it came in while the closing was on its way.
_OVERDUE: Final = """
SELECT count(pg_terminate_backend(session.pid))
  FROM pg_stat_activity AS session JOIN pg_roles AS login ON login.rolname = session.usename
 WHERE starts_with(login.rolname, %s)
   AND (NOT login.rolcanlogin
        OR (session.state <> 'idle' AND session.xact_start < now() - make_interval(secs => %s)))
"""
_SESSIONS: Final = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = %s"
)
_SESSIONS_THAT_READ: Final = f"{_SESSIONS} AND state <> 'idle'"


def open_login(system_id: int, password: str) -> None:
    """Let the system log in with this password. Repeat-safe; call under the lock."""
    ensure_foundation()
    role, readers = naming.role_of_login(database(), system_id), naming.readers_role(database())
    name = sql.Identifier(role)
    if not role_exists(role):
        run(sql.SQL("CREATE ROLE {} NOLOGIN").format(name))
    if not asks(IS_MEMBER, readers, role):
        run(sql.SQL("GRANT {} TO {}").format(sql.Identifier(readers), name))
    # To end its sessions one must have its rights; they are a part of the owner's own.
    run(sql.SQL("GRANT {} TO CURRENT_USER WITH INHERIT TRUE, SET FALSE").format(name))
    if not asks("SELECT has_database_privilege(%s, %s, 'CONNECT')", role, database()):
        run(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(database()), name))
    for option, value in _SESSION.items():
        run(
            sql.SQL("ALTER ROLE {} IN DATABASE {} SET {} = {}").format(
                name, sql.Identifier(database()), sql.Identifier(option), sql.Literal(value)
            )
        )
    _set_password(role, password)
    for grant in Grant.objects.filter(
        system=system_id, mode=Mode.DATABASE, status=Grant.Status.IN_FORCE
    ):
        allow_login(grant)


def close_login(system_id: int) -> None:
    """Let it in no more, and end the sessions it has. Repeat-safe; call under the lock.

    The sessions end when this is committed: until then a client that comes back is let in.
    """
    role = naming.role_of_login(database(), system_id)
    if role_exists(role):
        run(sql.SQL("ALTER ROLE {} NOLOGIN PASSWORD NULL").format(sql.Identifier(role)))
        transaction.on_commit(partial(asks, _SESSIONS, role))


def end_reads(role: str) -> None:
    """End what a login is in the middle of, once committed: a cursor asks no right again."""
    transaction.on_commit(partial(asks, _SESSIONS_THAT_READ, role))


def suits_login(grant: Grant, networks: Sequence[str]) -> bool:
    """Say whether a login that is let in from these networks may read the grant."""
    if any(getattr(grant, name) for name in COUNTED):
        return False
    return not grant.allowed_addresses or set(grant.allowed_addresses) == set(networks)


def allow_login(grant: Grant) -> None:
    """Give the system's login, where it has one, the views of the grant; or take them away.

    They are taken away where the login does not suit the grant (`suits_login`).
    """
    if login_of(grant):
        _as_owner(grant, "GRANT SELECT ON {} TO {}")
    else:
        _as_owner(grant, "REVOKE SELECT ON {} FROM {}")


def login_of(grant: Grant) -> str:
    """Return the login that reads a database exchange, "" where the system has none that suits."""
    role = naming.role_of_login(database(), grant.system_id)
    login = DatabaseLogin.objects.filter(system=grant.system_id).first()
    suits = login is not None and suits_login(grant, login.networks)
    return role if suits and role_exists(role) else ""


def end_overdue(seconds: int = 2 * MOST_SECONDS) -> int:
    """End the sessions of logins that keep a transaction open too long, or are closed.

    Return how many.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OVERDUE, [naming.role_of_login(database(), 0)[:-1], seconds])
        (ended,) = cursor.fetchone()
    return int(ended)


def _set_password(role: str, password: str) -> None:
    """Set it as a SCRAM verifier, so that the server never hears the password itself."""
    driver = connection.connection
    verifier = driver.pgconn.encrypt_password(
        password.encode(), role.encode(), b"scram-sha-256"
    ).decode()
    run(
        sql.SQL("ALTER ROLE {} LOGIN CONNECTION LIMIT {} PASSWORD {}").format(
            sql.Identifier(role), sql.Literal(MOST_CONNECTIONS), sql.Literal(verifier)
        )
    )


def _as_owner(grant: Grant, statement: str) -> None:
    place, login = place_of(grant), naming.role_of_login(database(), grant.system_id)
    if not (role_exists(login) and role_exists(place.role)):
        return
    with acting_as(place.role):
        for view in place.views:
            run(sql.SQL(statement).format(view, sql.Identifier(login)))
