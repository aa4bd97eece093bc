"""Keep what did not land, in bulk, and what was changed in what did."""

import csv
import io
from collections.abc import Iterator, Sequence

import orjson
from django.db import connection

from apps.warehouse.landing.arrivals import Arrivals
from apps.warehouse.landing.rejections import rejected_records
from apps.warehouse.landing.rewriting import Rewritten
from apps.warehouse.models import Batch, Normalisation

_COPY = (
    "COPY warehouse_rejection (batch_id, kind, record_number, line, raw, reasons)"
    " FROM STDIN (FORMAT csv)"
)
_BUFFER_CHARACTERS = 1 << 20


def keep_rejections(batch: Batch, arrivals: Arrivals, *, most: int | None = None) -> int:
    """Write the batch's rejections, at most so many; return how many were written."""
    with connection.cursor() as cursor:
        with cursor.copy(_COPY) as copy:
            for text in _blocks(batch.pk, arrivals, most):
                copy.write(text)
        return int(cursor.rowcount)


def keep_rewritten(batch: Batch, rewritten: Sequence[Rewritten]) -> None:
    """Write down what normalising changed, column by column."""
    Normalisation.objects.bulk_create(
        Normalisation(
            batch=batch,
            position=place,
            column=each.column.name,
            label=each.column.label[:50],
            count=each.count,
            ways=each.ways,
            examples=[list(pair) for pair in each.examples],
        )
        for place, each in enumerate(rewritten, 1)
    )


def _blocks(batch_id: int, arrivals: Arrivals, most: int | None) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for record in rejected_records(arrivals, most=most):
        reasons = orjson.dumps(record.reasons).decode()
        # An empty raw text must stay a text, not NULL; csv writes it unquoted.
        raw = record.raw or " "
        writer.writerow([batch_id, record.kind, record.number, record.line, raw, reasons])
        if buffer.tell() > _BUFFER_CHARACTERS:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
