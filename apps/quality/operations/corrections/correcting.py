"""The provider lands what is right; the platform sees it stand there, and tells everybody.

A correction becomes corrected by nobody's word: a landed batch must hold the value.
"""

import csv
import io
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.history import remember
from apps.accounts.models import Department, User
from apps.core import access
from apps.core.contracts import Contract
from apps.core.errors import IllegalMove, InvalidInput, StaleRevision
from apps.ledger import operations as ledger
from apps.quality import readership
from apps.quality.lifecycle import CORRECTION
from apps.quality.models import Correction, CorrectionScope, CorrectionStatus
from apps.quality.operations.corrections import owed
from apps.quality.queries import records
from apps.warehouse import operations as warehouse_operations
from apps.warehouse import queries as warehouse
from apps.warehouse.models import Batch, DataTable

TO_SETTLE: Final = (
    CorrectionStatus.CORRECTING,
    CorrectionStatus.CORRECTED,
    CorrectionStatus.CONFIRMED_RIGHT,
)
FINISHED_AMISS: Final = (Batch.Status.REFUSED, Batch.Status.FAILED)
logger = logging.getLogger(__name__)


@transaction.atomic
def hand_in(
    *,
    correction: Correction,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> Correction:
    """Hand in one record as a batch: as it stands, but with the value that was found right.

    It lands like any other batch, under the same rules, and may be refused like any other.

    Raises:
        NotAllowed: the actor may not land in this dataset.
        InvalidInput: `not_one_value`, it takes a batch of the provider's own making.
        IllegalMove: it is not upheld, or was corrected meanwhile.
    """
    standing = access.require(actor, "hand_in", correction, at=at)
    current = _held(correction, revision)
    batch = warehouse_operations.receive(
        dataset=current.dataset,
        file=io.BytesIO(_file_of(current)),
        file_name=f"{current.number}.csv",
        mode=Batch.Mode.UPSERT,
        actor=actor,
        at=at,
        idempotency_key=f"correction:{current.number}:{current.revision}",
        declared=1,
    )
    _note_batch(current, batch, actor=actor, at=at, reason=reason)
    ledger.record(
        standing,
        "quality.hand_in_correction",
        current,
        at=at,
        details={"batch": str(batch), **({"reason": reason.strip()} if reason.strip() else {})},
    )
    correction.refresh_from_db()
    return correction


@transaction.atomic
def link(
    *,
    correction: Correction,
    batch: Batch,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> Correction:
    """Say which batch brings the correction; whether it did is seen in the table.

    Raises:
        NotAllowed: the actor may not land in this dataset.
        InvalidInput: `batch_unfit`, another dataset's batch, a refused one, or an older one.
        IllegalMove: it is not upheld, or was corrected meanwhile.
    """
    standing = access.require(actor, "link", correction, at=at)
    current = _held(correction, revision)
    if batch.dataset_id != current.dataset_id or batch.received_at < current.raised_at:
        raise InvalidInput(_("选择校核提出之后、本目录的批次"), code="batch_unfit", field="batch")
    if batch.status in FINISHED_AMISS:
        raise InvalidInput(_("该批次没有入库"), code="batch_unfit", field="batch")
    _note_batch(current, batch, actor=actor, at=at, reason=reason)
    details = {"batch": str(batch), **({"reason": reason.strip()} if reason.strip() else {})}
    ledger.record(standing, "quality.link_batch", current, at=at, details=details)
    correction.refresh_from_db()
    return correction


def settle_due(*, at: datetime) -> int:
    """Find what has been corrected, feed results back, each one step; return how many moved.

    Repeat-safe: each in a transaction of its own, held while it is looked at. Call it until nothing
    moves.
    """
    waiting = Correction.objects.filter(status__in=TO_SETTLE)
    moved = 0
    for key in list(waiting.order_by("pk").values_list("pk", flat=True)):
        try:
            moved += _settle(key, at)
        except (IllegalMove, StaleRevision):
            continue  # somebody was quicker
        except Exception:
            # One correction's trouble must not keep the others waiting.
            logger.exception("correction %s", key)
    return moved


@transaction.atomic
def _settle(key: int, at: datetime) -> bool:
    correction = (
        Correction.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("dataset__department", "department", "handler", "batch", "raised_by")
        .filter(pk=key, status__in=TO_SETTLE)
        .first()
    )
    if correction is None:
        return False  # another worker holds it, or was quicker
    if correction.status == CorrectionStatus.CORRECTING:
        batch = correcting_batch(correction)
        if batch is None:
            return False
        _correct(correction, batch, at)
    else:
        _feed_back(correction, at)
    return True


def correcting_batch(correction: Correction) -> Batch | None:
    """Return the landed batch by which the table now holds what was found right, if it does."""
    table = warehouse.table_of(correction.dataset)
    contract = warehouse.contract_of(correction.dataset)
    if correction.scope == CorrectionScope.DATASET:
        return _linked_and_landed(correction)
    if table is None or contract is None or correction.row_id is None:
        return None
    row_id = correction.row_id
    if correction.scope == CorrectionScope.ROW:
        row = records.standing_row(table, row_id)
        horizon = row.batch if row and row.batch > (correction.row_batch or 0) else 0
    elif correction.item in contract.key:
        horizon = _under_the_right_key(correction, table, contract)
    else:
        horizon = records.batch_holding(
            table, contract, row_id, correction.item, correction.final_value or ""
        )
    horizon = horizon or records.batch_that_removed(table, row_id)
    return records.batch_numbered(table, horizon) if horizon else None


def _under_the_right_key(correction: Correction, table: DataTable, contract: Contract) -> int:
    """A record of another key is another record: the old one must be gone, the new one there."""
    assert correction.row_id is not None  # a value lies in a record
    if records.standing_row(table, correction.row_id) is not None:
        return 0
    key = {**correction.row_key, correction.item: correction.final_value}
    found = records.row_by_key(table, contract, key)
    return found.batch if found is not None else 0


def _linked_and_landed(correction: Correction) -> Batch | None:
    batch = correction.batch
    if batch is not None and batch.status == Batch.Status.LANDED and batch.horizon is not None:
        return batch
    return None


def _correct(correction: Correction, batch: Batch, at: datetime) -> None:
    CORRECTION.apply(
        correction,
        "correct",
        actor=None,
        at=at,
        is_marked=False,
        batch=batch,
        corrected_at=batch.finished_at or at,
    )
    owed.hand_on(correction, by=None, at=at)
    ledger.record(
        None,
        "quality.correct",
        correction,
        at=at,
        department=correction.dataset.department,
        details={"batch": str(batch)},
    )
    _tell_other_readers(correction, at)


def _feed_back(correction: Correction, at: datetime) -> None:
    """Tell who raised it how it ended; the answer is his now."""
    CORRECTION.apply(correction, "feed_back", actor=None, at=at, fed_back_at=at)
    words = str(correction.get_outcome_display())
    owed.hand_on(correction, by=None, at=at)
    owed.tell(
        [correction.department],
        correction,
        _("校核结果：%(what)s"),
        f"{words}：{correction.explanation}",
        at=at,
    )
    ledger.record(
        None,
        "quality.feed_back",
        correction,
        at=at,
        department=correction.department,
        details={"reason": words},
    )


def _tell_other_readers(correction: Correction, at: datetime) -> None:
    """Tell the other departments that read the record that it has changed.

    Source: 《政务数据共享条例》第二十六条; house rule
    """
    reading = readership.reader().departments_reading(
        dataset=correction.dataset, item=correction.item, row_id=correction.row_id, at=at
    )
    others = Department.objects.filter(pk__in=reading, valid_to=None).exclude(
        pk=correction.department_id
    )
    place = (
        _("记录 _id %(row)s") % {"row": correction.row_id}
        if correction.row_id is not None
        else _("整个数据集")
    )
    owed.tell(
        list(others.order_by("code")),
        correction,
        _("数据已更正：%(what)s"),
        _("%(place)s已按校核 %(number)s 更正，请重新读取。")
        % {"place": place, "number": correction.number},
        at=at,
        url=correction.dataset.get_absolute_url(),
    )


def _held(correction: Correction, revision: int | None) -> Correction:
    """Hold the row of an upheld correction.

    Raises:
        StaleRevision, IllegalMove: it is not what the person saw, or no longer to be corrected.
    """
    current = (
        Correction.objects.select_for_update(of=("self",))
        .select_related("dataset__department")
        .get(pk=correction.pk)
    )
    if revision is not None and current.revision != revision:
        raise StaleRevision
    if current.status != CorrectionStatus.CORRECTING:
        raise IllegalMove(
            _("当前状态为“%(status)s”，不能提交更正") % {"status": current.get_status_display()},
            state=current.status,
        )
    return current


def _note_batch(
    correction: Correction, batch: Batch, *, actor: User, at: datetime, reason: str
) -> None:
    correction.batch = batch
    correction.revision += 1
    correction.updated_at = at
    words = str(_("更正批次 %(batch)s") % {"batch": batch})
    words = f"{words}：{reason.strip()}" if reason.strip() else words
    remember(correction, actor=actor, at=at, reason=words)
    correction.save(update_fields=["batch", "revision", "updated_at"])


def why_not_one_click(correction: Correction) -> str:
    """Say why one click cannot make the batch; empty when it can."""
    contract = warehouse.contract_of(correction.dataset)
    if correction.scope != CorrectionScope.VALUE:
        return str(_("不是单个值，须自行提交更正批次"))
    if contract is None or correction.item not in {column.name for column in contract.columns}:
        return str(_("目录已没有这个数据项"))
    if correction.item in contract.key:
        return str(_("主键数据项，须自行提交删除和新增的批次"))
    table = warehouse.table_of(correction.dataset)
    if table is None or records.standing_row(table, correction.row_id or 0) is None:
        return str(_("该记录已不在数据表中"))
    return ""


def _file_of(correction: Correction) -> bytes:
    """Write the record as it stands, with the right value, as a file of one row."""
    why_not = why_not_one_click(correction)
    if why_not:
        raise InvalidInput(why_not, code="not_one_value")
    contract, table = (
        warehouse.contract_of(correction.dataset),
        warehouse.table_of(correction.dataset),
    )
    assert contract is not None  # else one click was refused above
    assert table is not None
    row = records.standing_row(table, correction.row_id or 0)
    assert row is not None
    values: Mapping[str, str | None] = {**row.values, correction.item: correction.final_value}
    names = [column.name for column in contract.columns]
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, quoting=csv.QUOTE_ALL)
    writer.writerow(names)
    writer.writerow([values.get(name) or "" for name in names])
    return lines.getvalue().encode()
