"""Correct rejected records one by one or as a file, and hand them in as a batch of their own."""

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from typing import BinaryIO, Final

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.core import access
from apps.core.errors import IllegalMove, InvalidInput
from apps.warehouse import queries
from apps.warehouse.models import Batch, MendedRecord
from apps.warehouse.operations.receiving import receive
from apps.warehouse.rejected_file import Mending, returned_layout

SIGNS: Final = "\u2400\u240d"
"""What stands for NUL and a stray carriage return in a rejected record's text."""


def mode_of(batch: Batch) -> str:
    """Return how mended records land: a few rows never replace a whole table."""
    return Batch.Mode.UPSERT if batch.mode == Batch.Mode.SNAPSHOT else batch.mode


@transaction.atomic
def save_mended(
    *, batch: Batch, rows: Mapping[int, Mapping[str, str]], actor: User, at: datetime
) -> int:
    """Keep what was typed for rejected records, by record number; return how many are mended now.

    Columns that are not named keep what they hold; a record that reads as it was sent is no
    longer mended. Records that were handed in already stay as they were handed in.

    Source: house rule
    Raises:
        NotAllowed: the actor does not hand in for the providing department.
        IllegalMove: the batch did not land, so that its file has to be sent again whole.
    """
    access.require(actor, "mend", batch, at=at)
    mending = _mending(batch)
    for rejection in queries.to_mend(batch).filter(record_number__in=list(rows)):
        typed = rows[rejection.record_number]
        sent = mending.cells_sent(rejection)
        held = mending.cells_now(rejection)
        cells = {name: _kept(typed.get(name, text)) for name, text in held.items()}
        if cells == sent:
            MendedRecord.objects.filter(rejection=rejection).delete()
        elif cells != held or not hasattr(rejection, "mended"):
            MendedRecord.objects.update_or_create(
                rejection=rejection,
                defaults={"cells": cells, "saved_by": actor, "saved_at": at, "sent_in": None},
            )
    return queries.drafts_of(batch).count()


@transaction.atomic
def submit_mended(*, batch: Batch, actor: User, at: datetime) -> Batch:
    """Hand in every record that was mended since the last time, as one batch; return it.

    Source: house rule
    Raises:
        NotAllowed: the actor does not hand in for the providing department.
        IllegalMove: the batch did not land.
        InvalidInput: nothing is mended yet, or a cell still holds a sign for an unprintable byte.
    """
    access.require(actor, "mend", batch, at=at)
    Batch.objects.select_for_update(of=("self",)).get(pk=batch.pk)  # two clerks send them once
    mending = _mending(batch)
    drafts = list(queries.drafts_of(batch))
    if not drafts:
        raise InvalidInput(_("还没有改动过的记录；改正后再提交"), code="nothing_mended")
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(column.name for column in mending.columns)
    for draft in drafts:
        now = mending.cells_sent(draft.rejection) | draft.cells
        cells = [now[column.name] for column in mending.columns]
        if any(sign in cell for cell in cells for sign in SIGNS):
            raise InvalidInput(
                _("第 %(line)s 行还有 ␀ 或 ␍，删去后再提交")
                % {"line": f"{draft.rejection.line:,}"},
                code="sign_left",
            )
        writer.writerow(cells)
    made = receive(
        dataset=batch.dataset,
        file=io.BytesIO(buffer.getvalue().encode()),
        file_name=_("%(batch)s 改正.csv") % {"batch": batch},
        mode=mode_of(batch),
        actor=actor,
        at=at,
        declared=len(drafts),
        mends=batch,
        layout=returned_layout(mending.contract, is_guarded=False),
    )
    MendedRecord.objects.filter(pk__in=[draft.pk for draft in drafts]).update(sent_in=made)
    return made


def mend_by_file(
    *,
    batch: Batch,
    file: BinaryIO,
    file_name: str,
    actor: User,
    at: datetime,
    idempotency_key: str = "",
    declared: int | None = None,
) -> Batch:
    """Hand in the file of rejected records that was downloaded and mended; return its batch.

    The columns that the download added (line, reasons, text) are left out again.

    Source: house rule
    Raises:
        NotAllowed: the actor does not hand in for the providing department.
        IllegalMove: the batch did not land.
        InvalidInput, Conflict, StorageFull: see `receive`.
    """
    access.require(actor, "mend", batch, at=at)
    return receive(
        dataset=batch.dataset,
        file=file,
        file_name=file_name,
        mode=mode_of(batch),
        actor=actor,
        at=at,
        idempotency_key=idempotency_key,
        declared=declared,
        mends=batch,
        layout=returned_layout(_mending(batch).contract),
    )


def _kept(text: str) -> str:
    """Return what was typed with the line ends of the file and without what no text can hold."""
    return text.replace("\r\n", "\n").replace("\0", "")


def _mending(batch: Batch) -> Mending:
    if not queries.is_mendable(batch):
        raise IllegalMove(
            _("这一批次没有入库，改正原文件后整份重新提交"), state=batch.status, code="not_landed"
        )
    contract = queries.contract_of(batch.dataset)
    if contract is None:
        raise IllegalMove(_("目录尚未发布或者已经撤回，不能归集"), state=batch.status)
    return Mending(batch, contract)
