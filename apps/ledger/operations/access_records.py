"""Record reads of data for callers inside Django; the data plane uses `access_sql` itself."""

from datetime import datetime
from typing import Any

from django.db import connection

from apps.ledger import access_sql


def record_access(**values: Any) -> None:
    """Record a read that is complete: a page, a record, a preview. Columns: `access_sql`."""
    with connection.cursor() as cursor:
        cursor.execute(access_sql.PAGE, access_sql.record_parameters(**values))


def open_access(**values: Any) -> int:
    """Record that a stream begins; return the number under which it is closed.

    Commit it before the first byte leaves.
    """
    with connection.cursor() as cursor:
        cursor.execute(access_sql.NEXT_RECORD_ID)
        number = int(cursor.fetchone()[0])
        cursor.execute(access_sql.OPEN, access_sql.record_parameters(id=number, **values))
    return number


def close_access(
    record_id: int,
    *,
    opened_at: datetime,
    closed_at: datetime,
    rows: int,
    bytes: int,  # noqa: A002 (the column's name)
    outcome: str,
    first_id: int | None = None,
    last_id: int | None = None,
) -> None:
    """Record how a stream ended."""
    parameters: dict[str, Any] = {
        "record_id": record_id,
        "opened_at": opened_at,
        "closed_at": closed_at,
        "rows": rows,
        "bytes": bytes,
        "first_id": first_id,
        "last_id": last_id,
        "outcome": outcome,
    }
    with connection.cursor() as cursor:
        cursor.execute(access_sql.CLOSE, parameters)
