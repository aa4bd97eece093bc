"""The roles and the database that Huiliu needs, the same on every server.

One list serves the embedded server and the script that `manage.py doctor --sql` prints for a
server of one's own, so that what works in the demonstration works in production.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from psycopg import Connection, sql


@dataclass(frozen=True)
class Preparation:
    """Names and passwords of the two logins and the database."""

    database: str
    owner: str
    owner_password: str
    gateway: str
    gateway_password: str
    may_create_databases: bool = False  # the test server alone


@dataclass(frozen=True)
class Step:
    """A statement, and the question whether its object exists already (None: always run it)."""

    statement: sql.Composed
    exists: sql.Composed | None = None


def steps(preparation: Preparation) -> Iterator[Step]:
    """Everything a superuser must have done before Huiliu can work, in order; repeat-safe."""
    owner, gateway = sql.Identifier(preparation.owner), sql.Identifier(preparation.gateway)
    database = sql.Identifier(preparation.database)
    for role, name in ((owner, preparation.owner), (gateway, preparation.gateway)):
        yield Step(sql.SQL("CREATE ROLE {}").format(role), _known("pg_roles", "rolname", name))
    createdb = sql.SQL("CREATEDB" if preparation.may_create_databases else "NOCREATEDB")
    plain = sql.SQL("LOGIN NOSUPERUSER NOREPLICATION NOBYPASSRLS")
    yield Step(
        sql.SQL("ALTER ROLE {} {} CREATEROLE INHERIT {} PASSWORD {}").format(
            owner, plain, createdb, sql.Literal(preparation.owner_password)
        )
    )
    # The gateway gets nothing by itself: each read chooses the one role whose rows it may see.
    yield Step(
        sql.SQL("ALTER ROLE {} {} NOCREATEROLE NOCREATEDB NOINHERIT PASSWORD {}").format(
            gateway, plain, sql.Literal(preparation.gateway_password)
        )
    )
    yield Step(
        sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'").format(
            database, owner
        ),
        _known("pg_database", "datname", preparation.database),
    )
    yield Step(sql.SQL("REVOKE TEMPORARY, CREATE ON DATABASE {} FROM PUBLIC").format(database))
    yield Step(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, gateway))


# A consumer that logs in for database exchange could write with these, past any read-only setting.
LARGE_OBJECT_WRITERS: Final = (
    "lo_creat(integer)",
    "lo_create(oid)",
    "lo_from_bytea(oid, bytea)",
    "lo_put(oid, bigint, bytea)",
    "lowrite(integer, bytea)",
    "lo_unlink(oid)",
)


def steps_inside() -> Iterator[Step]:
    """What a superuser must have done within the database itself; repeat-safe."""
    for function in LARGE_OBJECT_WRITERS:
        yield Step(
            sql.SQL("REVOKE EXECUTE ON FUNCTION pg_catalog.{} FROM PUBLIC").format(
                sql.SQL(function)
            )
        )


def _known(catalogue: str, column: str, name: str) -> sql.Composed:
    return sql.SQL("SELECT 1 FROM pg_catalog.{} WHERE {} = {}").format(
        sql.Identifier(catalogue), sql.Identifier(column), sql.Literal(name)
    )


def apply(connection: Connection[tuple[object, ...]], preparation: Preparation) -> None:
    """Prepare the server behind an autocommitting superuser's connection."""
    for step in steps(preparation):
        if step.exists is None or connection.execute(step.exists).fetchone() is None:
            connection.execute(step.statement)


def apply_inside(connection: Connection[tuple[object, ...]]) -> None:
    """Prepare the database that an autocommitting superuser's connection is in."""
    for step in steps_inside():
        connection.execute(step.statement)


def script(preparation: Preparation) -> str:
    """The same as text for psql."""
    lines = []
    for step in steps(preparation):
        statement = step.statement.as_string()
        if step.exists is None:
            lines.append(f"{statement};")
        else:
            question, quoted = step.exists.as_string(), sql.Literal(statement).as_string()
            lines.append(f"SELECT {quoted} WHERE NOT EXISTS ({question}) \\gexec")
    lines.append(f"\\connect {sql.Identifier(preparation.database).as_string()}")
    lines += [f"{step.statement.as_string()};" for step in steps_inside()]
    return "\n".join(lines) + "\n"
