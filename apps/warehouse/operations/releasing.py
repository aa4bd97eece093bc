"""Let rows land that were set aside for a person to look at (暂存待核)."""

import csv
import io
from collections.abc import Collection, Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import access, files, jobs
from apps.core.errors import IllegalMove, required_text
from apps.ledger import operations as ledger
from apps.warehouse import queries
from apps.warehouse.models import Batch, Rejection, StoredFile
from apps.warehouse.rejected_file import cells_of, form_of

_LOST = (Batch.Status.REFUSED, Batch.Status.FAILED)


@transaction.atomic
def release(
    *,
    batch: Batch,
    reason: str,
    actor: User,
    at: datetime,
    records: Collection[int] | None = None,
) -> Batch:
    """Queue rows of a batch that were set aside as a batch of their own; all, or these records.

    The rules that set rows aside do not ask again, all others do. Where a later batch has landed
    meanwhile the rows are appended, so that nothing newer is overwritten.

    Source: house rule
    Raises:
        NotAllowed: the actor does not approve for the providing department.
        InvalidInput: no reason.
        IllegalMove: none of the rows waits.
    """
    standing = access.require(actor, "release", batch, at=at)
    reason = required_text(reason, _("请写明放行的理由"), field="reason")
    waiting = waiting_rows(batch).select_for_update(of=("self",))
    if records is not None:
        waiting = waiting.filter(record_number__in=list(records))
    keys = list(waiting.values_list("pk", flat=True))
    if not keys:
        raise IllegalMove(_("没有暂存待核的记录"), code="nothing_set_aside")
    rows = Rejection.objects.filter(pk__in=keys).order_by("record_number")
    kept = files.keep(_blocks(batch, rows))
    stored, _made = StoredFile.objects.get_or_create(
        sha256=kept.sha256, defaults={"size_bytes": kept.size_bytes, "stored_at": at}
    )
    made = Batch.objects.create(
        dataset=batch.dataset,
        mode=_mode(batch),
        source=actor,
        file=stored,
        file_name=f"{batch}.csv",
        received_at=at,
        created_at=at,
        updated_at=at,
    )
    rows.update(released_by=made)
    ledger.record(
        standing,
        "warehouse.release",
        made,
        at=at,
        department=batch.dataset.department,
        details={"from": str(batch), "rows": len(keys), "reason": reason},
    )
    jobs.wake("warehouse.land_due")
    return made


def waiting_rows(batch: Batch) -> QuerySet[Rejection]:
    """Return the batch's rows that wait for a word; a release that came to nothing is none."""
    not_released = Q(released_by=None) | Q(released_by__status__in=_LOST)
    return Rejection.objects.filter(not_released, batch=batch, kind=Rejection.Kind.QUARANTINE)


def _mode(batch: Batch) -> str:
    table = queries.table_of(batch.dataset)
    last = queries.last_applied(table) if table is not None else None
    is_last = last is not None and last.pk == batch.pk
    return Batch.Mode.UPSERT if is_last else Batch.Mode.APPEND


def _blocks(batch: Batch, rows: QuerySet[Rejection]) -> Iterator[bytes]:
    header, delimiter = form_of(batch)
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(header)
    for row in rows.iterator(chunk_size=2_000):
        writer.writerow(cells_of(row.raw, delimiter))
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
