"""What normalising changed in a batch, value by value, read again from the file that was kept.

A million rewritten dates are not kept a second time: the file holds every value as it was sent, and
the contract of the version under which it landed says how each became what it is.
"""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core import files
from apps.core.contracts import Contract
from apps.core.errors import NotFound
from apps.warehouse.arriving import arrived
from apps.warehouse.landing import rewriting
from apps.warehouse.landing.arrivals import Arrivals
from apps.warehouse.landing.layout import guarded
from apps.warehouse.landing.reader import Reader
from apps.warehouse.models import Batch
from apps.warehouse.rejected_file import UTF8_MARK

_BLOCK_CHARACTERS = 1 << 16


def rewritten_lines(batch: Batch, *, for_office: bool = False) -> Iterator[str]:
    """Return the lines of a CSV file: record, item, column, the value as sent, as kept.

    The file is opened before the first line is asked for, so that a refusal is still an answer.

    Raises:
        NotFound: the batch has no version under which it landed.
        Refusal: the file is no longer kept.
    """
    if batch.version is None:
        raise NotFound
    lines = _lines(batch, Contract.from_json(batch.version.contract), for_office=for_office)
    next(lines)
    return lines


def _lines(batch: Batch, contract: Contract, *, for_office: bool) -> Iterator[str]:
    with _opened(batch, contract) as arrivals:
        yield ""
        buffer = io.StringIO(UTF8_MARK if for_office else "")
        buffer.seek(0, io.SEEK_END)
        writer = csv.writer(buffer)
        writer.writerow([_("记录序号"), _("数据项"), _("列名"), _("原值"), _("规范化后的值")])
        shown = guarded if for_office else str
        only_key = batch.mode == Batch.Mode.DELETE
        for rank, column, raw, kept in rewriting.each(arrivals.reader, contract, only_key=only_key):
            number = arrivals.record_number(rank)
            writer.writerow([number, column.label, column.name, shown(raw), shown(kept or "")])
            if buffer.tell() > _BLOCK_CHARACTERS:
                yield buffer.getvalue()
                buffer.seek(0)
                buffer.truncate()
        yield buffer.getvalue()


@contextmanager
def _opened(batch: Batch, contract: Contract) -> Iterator[Arrivals]:
    workplace = files.make_workplace(f"rewritten-{batch.pk}")
    try:
        file = arrived(batch, contract, workplace)
        day = timezone.localdate(batch.started_at)
        with Reader(file.survey, file.columns, workplace=workplace, on=day) as reader:
            arrivals = Arrivals(reader, contract, column_order=[])
            arrivals.count_unreadable()
            yield arrivals
    finally:
        files.clear_workplace(workplace)
