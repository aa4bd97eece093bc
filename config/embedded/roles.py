"""The roles and the database that Huiliu needs, the same on every server.

One list serves the embedded server and the script that `manage.py doctor --sql` prints for a
server of one's own, so that what works in the demonstration works in production.
"""

from collections.abc import Iterator
from dataclasses import dataclass

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


def _known(catalogue: str, column: str, name: str) -> sql.Composed:
    return sql.SQL("SELECT 1 FROM pg_catalog.{} WHERE {} = {}").format(
        sql.Identifier(catalogue), sql.Identifier(column), sql.Literal(name)
    )


def apply(connection: Connection[tuple[object, ...]], preparation: Preparation) -> None:
    """Prepare the server behind an autocommitting superuser's connection."""
    for step in steps(preparation):
        if step.exists is None or connection.execute(step.exists).fetchone() is None:
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
    return "\n".join(lines) + "\n"
