"""Let go of versions of rows that ended long ago; they are what the past of a table grows by.

In two steps, for a reader that was admitted a moment ago still counts on them: the table first says
that it remembers them no more, and feeds from before are asked to begin anew; when every such read
is over, the versions are deleted.
"""

from datetime import datetime

from django.db import connection, transaction
from django.db.models import Max
from psycopg import sql

from apps.accounts import queries as accounts
from apps.ledger import operations as ledger
from apps.warehouse import physical
from apps.warehouse.models import Batch, DataTable


@transaction.atomic
def forget_past(*, table: DataTable, before: datetime, at: datetime) -> int:
    """Say that versions which a batch ended before that moment are remembered no more.

    Return the batch up to which. Repeat-safe; `delete_forgotten` deletes them.

    Source: house rule (issue 5: a cursor older than what the past holds)
    """
    current = DataTable.objects.select_for_update(of=("self",)).get(pk=table.pk)
    batches = Batch.objects.filter(table=table, finished_at__lt=before, horizon__isnull=False)
    through = batches.aggregate(last=Max("horizon"))["last"] or 0
    if through <= current.forgotten_batch:
        return current.forgotten_batch
    DataTable.objects.filter(pk=table.pk).update(forgotten_batch=through)
    ledger.record(
        accounts.platform_user(),
        "warehouse.forget_past",
        current.dataset,
        at=at,
        department=current.dataset.department,
        details={"through": through, "before": before.isoformat()},
    )
    return through


@transaction.atomic
def delete_forgotten(*, table: DataTable) -> int:
    """Delete the versions that the table remembers no more; return how many there were."""
    current = DataTable.objects.select_for_update(of=("self",)).get(pk=table.pk)
    statement = sql.SQL("DELETE FROM {} WHERE _until_batch <= {}").format(
        physical.qualified(current.schema, current.past_name), sql.Literal(current.forgotten_batch)
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)
