"""A consumer doubts a value, a record or a dataset; it goes to who can verify it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.core.files.base import File
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.history import remember
from apps.accounts.models import InformationSystem, User
from apps.catalog.models import Dataset
from apps.clocks import operations as clocks
from apps.core import access
from apps.core.contracts import Column, Contract
from apps.core.copying import draw_keys
from apps.core.errors import Conflict, InvalidInput, required_text
from apps.ledger import operations as ledger
from apps.quality import readership
from apps.quality.claims import settled
from apps.quality.lifecycle import CORRECTION
from apps.quality.models import CORRECTION_OVER, Correction, CorrectionScope
from apps.quality.operations.corrections import owed
from apps.quality.queries import records
from apps.quality.readership import ReadRow
from apps.warehouse import queries as warehouse

LARGEST_EVIDENCE_BYTES: Final = 20 * 1024 * 1024
EVIDENCE_TYPES: Final = (
    *(".pdf", ".ofd", ".jpg", ".jpeg", ".png", ".doc", ".docx", ".wps"),
    *(".xls", ".xlsx", ".et", ".csv", ".txt"),
)
LONGEST_VALUE: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Doubted:
    """What is doubted, as its raiser sees it and as the table has it."""

    scope: CorrectionScope
    row: ReadRow | None = None
    standing: records.StandingRow | None = None
    column: Column | None = None
    key: Mapping[str, str | None] | None = None
    is_key_known: bool = False

    @property
    def item(self) -> str:
        return self.column.name if self.column else ""

    @property
    def seen(self) -> str | None:
        if self.row is None or not self.item:
            return None
        value = self.row.values[self.item]
        return None if value is None else _written(value)


@transaction.atomic
def raise_correction(
    *,
    dataset: Dataset,
    actor: User,
    at: datetime,
    row_id: int | None = None,
    key: Mapping[str, str] | None = None,
    item: str = "",
    claimed_value: str | None = None,
    description: str = "",
    evidence: str = "",
    file: File[Any] | None = None,
) -> Correction:
    """Raise a correction on a dataset, on one record, or on one value of it.

    The record is named by `_id` or by business key and read through the raiser's own grant.
    claimed_value: None is "not stated", "" is "should be empty".

    Source: 《政务数据共享条例》第二十六条
    Raises:
        NotAllowed: no grant of the actor's covers the dataset.
        NotFound: `row_not_found`, no grant of his shows that record.
        InvalidInput: nothing is said, the item is not shown or is masked, the claimed value could
            never stand there or stands there already; the file is too large or of another kind.
        Conflict: `already_raised`, his department has an open one on the same place.
    """
    standing = access.require(actor, "raise_correction", dataset, at=at)
    doubted = _doubted(dataset, actor, at, row_id=row_id, key=key, item=item)
    claimed = _claim(doubted, claimed_value, description, at)
    correction = _composed(dataset, standing.principal or actor, doubted, at)
    correction.raised_by = actor
    correction.claimed_value = claimed
    correction.description = description.strip()
    correction.evidence = evidence.strip()
    if file is not None:
        correction.evidence_sha256 = _digest(file)
        correction.evidence_file = file
    _save_once(correction, actor=actor, at=at)
    owed.start_clock(correction, received_at=at)
    owed.hand_on(correction, by=actor, at=at)
    owed.tell([correction.handler], correction, _("收到校核：%(what)s"), at=at)
    details = {"dataset": dataset.code, "scope": doubted.scope.value, "item": doubted.item}
    ledger.record(
        standing,
        "quality.raise_correction",
        correction,
        at=at,
        details={**details, "handler": str(correction.handler)},
    )
    return correction


@transaction.atomic
def withdraw(
    *,
    correction: Correction,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> Correction:
    """Take the doubt back before it is decided; the mark goes.

    Raises:
        NotAllowed: the actor does not act for who raised it.
        IllegalMove: it was decided.
    """
    standing = access.require(actor, "withdraw", correction, at=at)
    CORRECTION.apply(
        correction,
        "withdraw",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        is_marked=False,
    )
    clocks.cancel(correction, at=at)
    owed.hand_on(correction, by=actor, at=at)
    owed.tell([correction.handler], correction, _("校核已撤回：%(what)s"), reason.strip(), at=at)
    ledger.record(
        standing, "quality.withdraw", correction, at=at, details={"reason": reason.strip()}
    )
    return correction


def _doubted(
    dataset: Dataset,
    actor: User,
    at: datetime,
    *,
    row_id: int | None,
    key: Mapping[str, str] | None,
    item: str,
) -> _Doubted:
    if row_id is None and not key:
        if item:
            raise InvalidInput(
                _("校核单个数据项的值，须同时指明是哪条记录"), code="row_required", field="row_id"
            )
        return _Doubted(CorrectionScope.DATASET)
    row = readership.require_row(actor=actor, dataset=dataset, at=at, row_id=row_id, key=key)
    table, contract = warehouse.table_of(dataset), warehouse.contract_of(dataset)
    assert table is not None  # a grant showed a record of it
    assert contract is not None
    column = _column(contract, row, item) if item else None
    standing = records.standing_row(table, row.row_id)
    return _Doubted(
        scope=CorrectionScope.VALUE if item else CorrectionScope.ROW,
        row=row,
        standing=standing,
        column=column,
        key={name: standing.values.get(name) for name in contract.key} if standing else {},
        is_key_known=all(name in row.values and name not in row.masked for name in contract.key),
    )


def _column(contract: Contract, row: ReadRow, item: str) -> Column:
    """The item's column, if the raiser is shown its true value."""
    if item not in row.values or item not in {column.name for column in contract.columns}:
        raise InvalidInput(
            _("授权中没有数据项“%(item)s”") % {"item": item[:60]}, code="unknown_item", field="item"
        )
    if item in row.masked:
        raise InvalidInput(
            _("数据项“%(item)s”已脱敏，看不到原值；可以对整条记录提出校核")
            % {"item": contract.column(item).label},
            code="item_masked",
            field="item",
        )
    return contract.column(item)


def _claim(doubted: _Doubted, claimed: str | None, description: str, at: datetime) -> str | None:
    """Return the claimed value as the table would hold it."""
    if doubted.column is None:
        required_text(description, _("写明有什么问题"), field="description")
        return None
    if claimed is None:
        required_text(description, _("填写应为的值，或者写明有什么问题"), field="description")
        return None
    if len(claimed) > LONGEST_VALUE:
        raise InvalidInput(_("主张的值过长"), code="value_not_valid", field="claimed_value")
    value = settled(doubted.column, claimed, on=timezone.localdate(at))
    seen = doubted.seen or ""
    if value == seen or (seen and settled_or(doubted.column, seen, at) == value):
        raise InvalidInput(
            _("主张的值与现在的值相同"), code="nothing_to_correct", field="claimed_value"
        )
    return value


def settled_or(column: Column, text: str, at: datetime) -> str:
    """Return the value as landing would write it, or as it is where it could not land today."""
    try:
        return settled(column, text, on=timezone.localdate(at))
    except InvalidInput:
        return text


def _composed(dataset: Dataset, raiser: User, doubted: _Doubted, at: datetime) -> Correction:
    handler, why = records.who_verifies(
        dataset, on=timezone.localdate(at), item=doubted.item, row=doubted.standing
    )
    assert raiser.department is not None  # members only
    correction = Correction(
        dataset=dataset,
        scope=doubted.scope,
        row_id=doubted.row.row_id if doubted.row else None,
        row_key=dict(doubted.key or {}),
        is_key_known=doubted.is_key_known,
        item=doubted.item,
        item_label=doubted.column.label if doubted.column else "",
        seen_value=doubted.seen,
        grant_number=doubted.row.grant_number if doubted.row else None,
        department=raiser.department,
        system=_system_of(raiser),
        raised_at=at,
        handler=handler,
        route_reason=why,
        created_at=at,
        updated_at=at,
    )
    draw_keys([correction])
    correction.number = f"JH-{timezone.localtime(at).year}-{correction.pk:06d}"
    return correction


def _save_once(correction: Correction, *, actor: User, at: datetime) -> None:
    """Save with history, unless the department has an open one on the same place.

    Two at once meet at the dataset's row. No constraint says it: departments that are merged may
    each have had one.
    """
    Dataset.objects.select_for_update(of=("self",), no_key=True).get(pk=correction.dataset_id)
    earlier = (
        Correction.objects.filter(
            department=correction.department,
            dataset=correction.dataset,
            row_id=correction.row_id,
            item=correction.item,
        )
        .exclude(status__in=CORRECTION_OVER)
        .first()
    )
    if earlier is not None:
        raise Conflict(
            _("本部门对这里已提出校核 %(number)s，尚未办结") % {"number": earlier},
            code="already_raised",
            number=str(earlier),
        )
    remember(correction, actor=actor, at=at, reason=_("提出校核"))
    correction.save(force_insert=True)


def _system_of(actor: User) -> InformationSystem | None:
    if actor.kind != User.Kind.SERVICE:
        return None
    return InformationSystem.objects.filter(service_user=actor).first()


def _digest(file: File[Any]) -> str:
    """Return the SHA-256 of the evidence.

    Raises:
        InvalidInput: it is empty, too large, or of a kind that is not taken.
    """
    if not file.size:
        raise InvalidInput(_("文件是空的"), code="invalid_input", field="file")
    if file.size > LARGEST_EVIDENCE_BYTES:
        raise InvalidInput(_("材料不能超过 20 MB"), code="evidence_too_large", field="file")
    if not (file.name or "").lower().endswith(EVIDENCE_TYPES):
        raise InvalidInput(
            _("材料须是 PDF、OFD、图片、表格或文字处理文件"),
            code="evidence_type_unknown",
            field="file",
        )
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.hexdigest()


def _written(value: Any) -> str:
    """The value as text, as the table's own text has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
