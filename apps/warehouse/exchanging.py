"""All DDL of exchange tables and their logins, and taking rows out of them.

A login may INSERT the item columns of one table and nothing else: it cannot read back what it or
anybody wrote. Roles belong to the whole server, so their names begin with the database's name.
Role and grant DDL is serialised by a lock on our own table: a login could take advisory locks.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from django.db import OperationalError, connection
from django.utils.translation import gettext_lazy as _
from psycopg import errors, sql

from apps.core.errors import Conflict
from apps.warehouse.models import ExchangeTable

SCHEMA: Final = "exchange"
SEQUENCE: Final = "_sequence"
MOST_CONNECTIONS: Final = 5


class ExchangeBusy(Conflict):
    """Somebody is writing just now and does not come to an end."""

    code = "table_busy"
    default_message = _("来源正在写入交换表；等它提交之后再试")


def login_of(dataset_id: int) -> str:
    """Return the role as which the department's system writes."""
    return f"{_database()}_x_{dataset_id}"


def writers_role() -> str:
    """Return the group role that carries the right to enter the schema."""
    return f"{_database()}_writers"


def make(table: ExchangeTable, columns: Sequence[str], password: str) -> None:
    """Make the schema, the table and its login, or bring them up to the columns. Repeat-safe."""
    _serialise()
    login, writers = login_of(table.dataset_id), writers_role()
    if not _role_exists(writers):
        _run(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(writers)))
    _run(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(SCHEMA)))
    if not _asks("SELECT has_schema_privilege(%s, %s, 'USAGE')", writers, SCHEMA):
        _run(_sql("GRANT USAGE ON SCHEMA {} TO {}", SCHEMA, writers))
    # A login must not leave temporary objects in front of ours.
    if _asks("SELECT has_database_privilege(%s, %s, 'TEMP')", writers, _database()):
        _run(_sql("REVOKE TEMP ON DATABASE {} FROM PUBLIC", _database()))
    if not _role_exists(login):
        _run(_sql("CREATE ROLE {} NOLOGIN", login))
        _run(_sql("GRANT {} TO {}", writers, login))
    _run(
        sql.SQL("CREATE TABLE IF NOT EXISTS {} ({} bigint GENERATED ALWAYS AS IDENTITY)").format(
            sql.Identifier(SCHEMA, table.name), sql.Identifier(SEQUENCE)
        )
    )
    widen(table, columns)
    set_password(table.dataset_id, password)


def widen(table: ExchangeTable, columns: Sequence[str]) -> None:
    """Add the columns that are missing and let the login insert into all of them."""
    place = sql.Identifier(SCHEMA, table.name)
    for column in columns:
        _run(
            sql.SQL("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {} text").format(
                place, sql.Identifier(column)
            )
        )
    names = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    login = sql.Identifier(login_of(table.dataset_id))
    _run(sql.SQL("GRANT INSERT ({}) ON {} TO {}").format(names, place, login))


def set_password(dataset_id: int, password: str) -> None:
    """Let the login in with this password, which reaches the server as a SCRAM verifier only."""
    login = login_of(dataset_id)
    driver = connection.connection
    verifier = driver.pgconn.encrypt_password(
        password.encode(), login.encode(), b"scram-sha-256"
    ).decode()
    _run(
        sql.SQL("ALTER ROLE {} LOGIN CONNECTION LIMIT {} PASSWORD {}").format(
            sql.Identifier(login), sql.Literal(MOST_CONNECTIONS), sql.Literal(verifier)
        )
    )


def shut_out(dataset_id: int) -> None:
    """Let the login in no more; what it wrote stays."""
    _serialise()
    if _role_exists(login_of(dataset_id)):
        _run(_sql("ALTER ROLE {} NOLOGIN PASSWORD NULL", login_of(dataset_id)))


def lock(table: ExchangeTable) -> None:
    """Let nobody write there until the transaction ends.

    Raises:
        ExchangeBusy: a transaction that writes there is still open.
    """
    _run(sql.SQL("SET LOCAL lock_timeout = '2s'"))
    try:
        place = sql.Identifier(SCHEMA, table.name)
        _run(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(place))
    except OperationalError as error:
        if isinstance(error.__cause__, errors.LockNotAvailable):
            raise ExchangeBusy from error
        raise


def tear_down(table: ExchangeTable) -> None:
    """Drop the table, which the caller has locked, and its login. Repeat-safe."""
    _serialise()
    _run(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(SCHEMA, table.name)))
    if _role_exists(login_of(table.dataset_id)):
        _run(_sql("DROP ROLE {}", login_of(table.dataset_id)))


def is_made(table: ExchangeTable) -> bool:
    """Say whether the table is there."""
    return bool(_asks("SELECT to_regclass(%s) IS NOT NULL", f"{SCHEMA}.{table.name}"))


def waiting_rows(table: ExchangeTable) -> int:
    """Count the rows that nobody took yet."""
    place = sql.Identifier(SCHEMA, table.name)
    return int(_asks(sql.SQL("SELECT count(*) FROM {}").format(place)) or 0)


def take_out(table: ExchangeTable, target: Path, *, most_rows: int) -> tuple[int, int, int]:
    """Delete the oldest rows and write them to a CSV file; return count, first and last sequence.

    Of several rows of one key the last written comes last. The caller's transaction decides: if it
    rolls back, the rows are still there.
    """
    place = sql.Identifier(SCHEMA, table.name)
    names = sql.SQL(", ").join(sql.Identifier(column) for column in table.column_names)
    facts = {"place": place, "names": names, "sequence": sql.Identifier(SEQUENCE)}
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.exchange_taken")
        cursor.execute(
            sql.SQL(
                "CREATE TEMP TABLE exchange_taken ON COMMIT DROP AS"
                " SELECT {sequence}, {names} FROM {place} ORDER BY {sequence} LIMIT {most}"
            ).format(most=sql.Literal(most_rows), **facts)
        )
        cursor.execute(
            sql.SQL(
                "DELETE FROM {place} WHERE {sequence} IN (SELECT {sequence} FROM exchange_taken)"
            ).format(**facts)
        )
        cursor.execute(
            sql.SQL(
                "SELECT count(*), coalesce(min({sequence}), 0), coalesce(max({sequence}), 0)"
                " FROM exchange_taken"
            ).format(**facts)
        )
        count, first, last = cursor.fetchone()
        ordered = sql.SQL(
            "COPY (SELECT {names} FROM exchange_taken ORDER BY {sequence})"
            " TO STDOUT WITH (FORMAT csv, HEADER)"
        ).format(**facts)
        with cursor.copy(ordered) as copy, target.open("wb") as file:
            for block in copy:
                file.write(block)
    return int(count), int(first), int(last)


def _serialise() -> None:
    _run(_sql("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", ExchangeTable._meta.db_table))


def _database() -> str:
    return str(connection.settings_dict["NAME"])


def _role_exists(name: str) -> bool:
    return bool(_asks("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", name))


def _sql(text: str, *names: str) -> sql.Composed:
    return sql.SQL(text).format(*(sql.Identifier(name) for name in names))


def _asks(question: Any, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(question, values or None)
        row = cursor.fetchone()
        return row[0] if row else None


def _run(statement: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
