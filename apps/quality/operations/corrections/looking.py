"""Look one record up: one's own department's, or one that a grant shows; with its marks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.contracts import Column, Contract
from apps.core.errors import InvalidInput, NotFound
from apps.ledger import operations as ledger
from apps.quality import queries, readership
from apps.quality.claims import settled
from apps.quality.queries import records
from apps.quality.queries.corrections import WHOLE_ROW
from apps.warehouse import queries as warehouse


@dataclass(frozen=True, slots=True)
class Cell:
    """One item of a record; `is_marked` while a correction on it is open."""

    column: Column
    value: Any
    is_masked: bool
    is_marked: bool


@dataclass(frozen=True, slots=True)
class Record:
    """A record as the person is shown it; `is_own` when his department provides it."""

    row_id: int
    cells: list[Cell]
    is_own: bool
    is_marked: bool


def look_up(
    *,
    dataset: Dataset,
    actor: User,
    at: datetime,
    row_id: int | None = None,
    key: Mapping[str, str] | None = None,
) -> Record:
    """Show one record, named by `_id` or business key; the look is recorded.

    Raises:
        NotAllowed: neither the actor's own dataset nor one under a grant of his department.
        NotFound: `row_not_found`, there is none that he may see.
        InvalidInput: a part of the key has no such form.
    """
    contract = warehouse.contract_of(dataset)
    if contract is None:
        raise NotFound(_("授权范围内没有这条记录"), code="row_not_found")
    is_own = access.allowed(actor, "look_up_own_row", dataset, at=at)
    if is_own:
        found, values = _own(dataset, contract, actor, at, row_id, key)
        masked: frozenset[str] = frozenset()
    else:
        access.require(actor, "raise_correction", dataset, at=at)
        row = readership.require_row(actor=actor, dataset=dataset, at=at, row_id=row_id, key=key)
        found, masked = row.row_id, row.masked
        values = {name: _plain(contract, name, value) for name, value in row.values.items()}
    marks = queries.marks_of_row(dataset.pk, found)
    whole = WHOLE_ROW in marks
    return Record(
        row_id=found,
        cells=[
            Cell(
                column,
                values[column.name],
                column.name in masked,
                whole or column.name in marks,
            )
            for column in contract.columns
            if column.name in values
        ],
        is_own=is_own,
        is_marked=whole,
    )


def _plain(contract: Contract, name: str, value: Any) -> Any:
    """Return a value of the interface as the table shows it: its instants have a `T`."""
    is_instant = contract.column(name).type == "T" and isinstance(value, str)
    return value.replace("T", " ", 1) if is_instant else value


def _own(
    dataset: Dataset,
    contract: Contract,
    actor: User,
    at: datetime,
    row_id: int | None,
    key: Mapping[str, str] | None,
) -> tuple[int, Mapping[str, Any]]:
    table = warehouse.table_of(dataset)
    if table is None:
        raise NotFound(_("数据表中没有这条记录"), code="row_not_found")
    if row_id is not None:
        row = records.standing_row(table, row_id)
    else:
        row = records.row_by_key(table, contract, _settled_key(contract, key or {}, at))
    ledger.record_access(
        opened_at=at,
        grant_id=None,
        grant_version=None,
        system_id=None,
        user_id=actor.pk,
        dataset_id=dataset.pk,
        table=str(table),
        kind="preview",
        query={"fields": list(table.column_names), "by": "_id" if row_id else list(contract.key)},
        horizon=table.batch_counter,
        rows=1 if row else 0,
        bytes=sum(len(value or "") for value in row.values.values()) if row else 0,
        first_id=row.row_id if row else None,
        last_id=row.row_id if row else None,
        purpose=str(_("校核查看本部门记录")),
        client_address=None,
    )
    if row is None:
        raise NotFound(_("数据表中没有这条记录"), code="row_not_found")
    return row.row_id, row.values


def _settled_key(contract: Contract, key: Mapping[str, str], at: datetime) -> dict[str, str]:
    unknown = set(key) - set(contract.key)
    if unknown:
        raise InvalidInput(
            _("“%(item)s”不是主键数据项") % {"item": min(unknown)[:60]},
            code="unknown_item",
            field="key",
        )
    return {
        name: settled(
            contract.column(name), key.get(name) or "", on=timezone.localdate(at), field=name
        )
        for name in contract.key
    }
