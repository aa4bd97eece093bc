"""Running statements, and yes-or-no questions to the catalogues."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection
from psycopg import sql

# By name through the indexes: a join would read all memberships.
IS_MEMBER: Final = (
    "SELECT EXISTS (SELECT FROM pg_auth_members"
    " WHERE roleid = (SELECT oid FROM pg_roles WHERE rolname = %s)"
    " AND member = (SELECT oid FROM pg_roles WHERE rolname = %s))"
)


def run(statement: sql.Composable) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def acting_as(role: str) -> Iterator[None]:
    """Run what follows as a role of ours: a view's rights are its owner's to give.

    A statement that failed ends the transaction, and the role with it.
    """
    run(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
    yield
    run(sql.SQL("RESET ROLE"))


def asks(question: str, *values: str) -> bool:
    """Return the answer to a question that has one column and one row."""
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        (answer,) = cursor.fetchone()
    return bool(answer)


def role_exists(role: str) -> bool:
    return asks("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", role)


def table_exists(schema: str, table: str) -> bool:
    return asks(
        "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = %s AND tablename = %s)",
        schema,
        table,
    )
