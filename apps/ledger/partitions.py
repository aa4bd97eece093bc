"""Months of access records, each a partition of its own, made ahead of time.

A month that is missing never stops service: its rows fall into the default partition and stay
there, for moving them would need the deletion that the tables refuse.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from psycopg import sql

ZONE = ZoneInfo("Asia/Shanghai")
TABLES = ("ledger_accessrecord", "ledger_accessclose")


def months_from(first: date, count: int) -> list[date]:
    """Return the first days of `count` months, beginning with the month of `first`."""
    index = first.year * 12 + first.month - 1
    return [date(*_year_and_month(index + step), 1) for step in range(count)]


def _year_and_month(index: int) -> tuple[int, int]:
    year, month = divmod(index, 12)
    return year, month + 1


@transaction.atomic
def make_months(first: date, count: int) -> list[str]:
    """Make the partitions that are missing; return the names of those made. Repeat-safe."""
    made: list[str] = []
    for month in months_from(first, count):
        following = months_from(month, 2)[1]
        for table in TABLES:
            name = f"{table}_{month:%Y_%m}"
            if _exists(name) or _default_holds_rows(table, month, following):
                continue
            with connection.cursor() as cursor:
                cursor.execute(
                    sql.SQL("CREATE TABLE {} PARTITION OF {} FOR VALUES FROM ({}) TO ({})").format(
                        sql.Identifier(name),
                        sql.Identifier(table),
                        sql.Literal(_midnight(month)),
                        sql.Literal(_midnight(following)),
                    )
                )
            made.append(name)
    return made


def _exists(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        return bool(cursor.fetchone()[0])


def _default_holds_rows(table: str, month: date, following: date) -> bool:
    statement = sql.SQL(
        "SELECT EXISTS (SELECT 1 FROM {} WHERE opened_at >= %s AND opened_at < %s)"
    ).format(sql.Identifier(f"{table}_default"))
    with connection.cursor() as cursor:
        cursor.execute(statement, [_midnight(month), _midnight(following)])
        return bool(cursor.fetchone()[0])


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZONE)
