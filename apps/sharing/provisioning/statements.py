"""Running statements, and yes-or-no questions to the catalogues."""

from typing import Final

from django.db import connection
from psycopg import sql

IS_MEMBER: Final = (
    "SELECT EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid"
    " JOIN pg_roles u ON u.oid = m.member WHERE r.rolname = %s AND u.rolname = %s)"
)


def run(statement: sql.Composable) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


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
