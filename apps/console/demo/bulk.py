"""Write many rows of a model at the speed of COPY, with the historical rows that belong to them.

Only for loading a whole city: the rows are trusted, nothing is validated but by the database.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection, models
from psycopg import sql


def copy_in(model: type[models.Model], rows: Iterable[models.Model]) -> None:
    """Insert the rows; the database draws their keys."""
    fields = [
        field for field in model._meta.concrete_fields if not (field.primary_key or field.generated)
    ]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table),
        sql.SQL(", ").join([sql.Identifier(str(field.column)) for field in fields]),
    )
    names = [field.attname for field in fields]
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([getattr(row, name) for name in names])


def remember(model: Any, *, within: models.QuerySet[Any], reason: str, at: datetime) -> None:
    """Write one historical row, of creation, for each of these rows."""
    history = model.history.model
    shared = [
        field.column
        for field in history._meta.concrete_fields
        if not field.name.startswith("history_")
    ]
    columns = sql.SQL(", ").join(sql.Identifier(column) for column in shared)
    chosen, parameters = within.values("pk").query.sql_with_params()
    statement = sql.SQL(
        "INSERT INTO {} ({}, history_date, history_change_reason, history_type) "
        "SELECT {}, %s, %s, '+' FROM {} WHERE id IN ({})"
    ).format(
        sql.Identifier(history._meta.db_table),
        columns,
        columns,
        sql.Identifier(model._meta.db_table),
        sql.SQL(chosen),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [at, reason, *parameters])
