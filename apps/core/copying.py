"""Write many rows of a model at the speed of COPY, with the historical rows that belong to them.

The rows are checked by whoever makes them: nothing is validated here but by the database, no
signal is sent, no `save()` runs.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, models
from psycopg import sql
from psycopg.types.json import Jsonb


def draw_keys(rows: Sequence[models.Model]) -> None:
    """Give each row the key it will have, drawn from its table's sequence, before it is written."""
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
            [rows[0]._meta.db_table, rows[0]._meta.pk.column, len(rows)],
        )
        for row, (key,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk = key


def copy_in(
    model: type[models.Model], rows: Iterable[models.Model], *, with_keys: bool = False
) -> None:
    """Insert the rows; the database draws their keys unless they bring them.

    Raises:
        django.db.IntegrityError: a row breaks a constraint; none is written.
    """
    fields = [
        field
        for field in model._meta.concrete_fields
        if not field.generated and (with_keys or not field.primary_key)
    ]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table),
        sql.SQL(", ").join([sql.Identifier(str(field.column)) for field in fields]),
    )
    readers = [(field.attname, _writer(field)) for field in fields]
    # Django translates the errors of `execute`, not those of `copy`.
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        for row in rows:
            values = vars(row)
            copy.write_row(
                [write(values[name]) if write else values[name] for name, write in readers]
            )


def remember(
    model: Any,
    *,
    within: models.QuerySet[Any],
    reason: str,
    at: datetime,
    actor: models.Model | None = None,
) -> None:
    """Write one historical row, of creation, for each of these rows."""
    history = model.history.model
    shared = [
        field.column
        for field in history._meta.concrete_fields
        if not field.name.startswith("history_")
    ]
    columns = sql.SQL(", ").join(sql.Identifier(column) for column in shared)
    chosen, parameters = within.order_by().values("pk").query.sql_with_params()
    statement = sql.SQL(
        "INSERT INTO {} ({}, history_date, history_change_reason, history_user_id, history_type) "
        "SELECT {}, %s, %s, %s, '+' FROM {} WHERE id IN ({}) ORDER BY id"
    ).format(
        sql.Identifier(history._meta.db_table),
        columns,
        columns,
        sql.Identifier(model._meta.db_table),
        sql.SQL(chosen),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [at, reason, actor.pk if actor else None, *parameters])


def _writer(field: models.Field[Any, Any]) -> Callable[[Any], Any] | None:
    """Return what a field's value goes through on its way; None where it goes as it is."""
    if isinstance(field, models.JSONField):
        return lambda value: None if value is None else Jsonb(value)
    return None
