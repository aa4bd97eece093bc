"""Let the catalogue's own rules speak of an entry as the sheet would make it.

Typing and importing obey one truth: what `validation` says of an entry, and what would keep a
change of it from coming into force.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.utils.translation import gettext as _

from apps.catalog import queries
from apps.catalog.contracts import contract_without_codes, unfollowable
from apps.catalog.models import DataItem, Dataset, DatasetVersion
from apps.catalog.snapshots import ITEM_FIELDS
from apps.catalog.spreadsheets.columns import BY_NAME
from apps.catalog.spreadsheets.comparing import REMOVED, Difference, Merged
from apps.catalog.spreadsheets.faults import Fault, Level
from apps.catalog.spreadsheets.known import IN_FORCE, KnownEntry
from apps.catalog.spreadsheets.references import References
from apps.catalog.spreadsheets.rows import RawEntry
from apps.catalog.spreadsheets.stating import Stated
from apps.catalog.spreadsheets.trial import trial_of
from apps.catalog.surroundings import Around, latest_conclusions
from apps.catalog.validation import Remark, remarks_about
from apps.core.contracts import Contract
from apps.core.workbooks.refusal import cell_name

State = Mapping[str, Any]
Changed = Sequence[tuple[KnownEntry, Sequence[Difference]]]
# What is not written in a sheet but done in the entry's own pages.
_ELSEWHERE: Final = frozenset({"assessments"})
_ITEMS_NAMED: Final = 3
_COLUMN_OF: Final = {"key_items": "item.key"}
_STORED: Final = ("data_type", "length", "scale")


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules with what they must know of the entries of one chunk.

    contracts: every one that was in force, by entry; used: keys of items that requests name.
    """

    references: References
    on: date
    conclusions: Mapping[int, Mapping[str, str]]
    contracts: Mapping[int, Sequence[Contract]]
    used: frozenset[int]

    @classmethod
    def load(
        cls, references: References, on: date, changed: Changed, states: Mapping[int, State]
    ) -> "Rules":
        """Read it for the entries that the sheet changes, in a few statements."""
        standing = [
            (known.pk, differences)
            for known, differences in changed
            if known.status in IN_FORCE and any(map(_is_of_the_table, differences))
        ]
        leaving = [
            item["pk"]
            for pk, differences in standing
            for column in (each.item for each in differences if each.field == REMOVED)
            for item in states[pk]["items"]
            if item["column_name"] == column
        ]
        return cls(
            references,
            on,
            latest_conclusions([known.pk for known, _differences in changed]),
            _contracts([pk for pk, _differences in standing]),
            queries.items_in_use(leaving),
        )

    def note(
        self,
        stated: Stated,
        merged: Merged,
        differences: Sequence[Difference],
        known: KnownEntry | None,
        state: State | None,
    ) -> None:
        """Note what is wrong with the entry, or with getting there; of the rest of it nothing."""
        rows = merged.items
        if rows is None:
            rows = state["items"] if state else []
        dataset, items = trial_of(
            {**(state or {}), **merged.fields}, rows, self.references, stated.department
        )
        touched = _touched(differences, rows)
        remarks = [
            remark
            for remark in remarks_about(dataset, items, self._around(stated, known))
            if remark.field not in _ELSEWHERE
            and (state is None or remark.is_error or (remark.item, remark.field) in touched)
        ]
        _note_all(stated, rows, remarks)
        if known is not None and state is not None:
            contracts = self.contracts.get(known.pk, ())
            for remark in self._obstacles(dataset, items, differences, contracts, state):
                _note(stated, rows, remark)

    def _around(self, stated: Stated, known: KnownEntry | None) -> Around:
        department = stated.department.pk if stated.department else 0
        return Around(
            self.on,
            self.references.system_names.get(department, frozenset()),
            self.conclusions.get(known.pk, {}) if known else {},
        )

    def _obstacles(
        self,
        dataset: Dataset,
        items: Sequence[DataItem],
        differences: Sequence[Difference],
        earlier: Sequence[Contract],
        state: State,
    ) -> Iterator[Remark]:
        """What would keep the change from coming into force: its table, or who uses an item."""
        if not earlier:
            return
        names = {item.column_name: item.name for item in items}
        pks = {item["column_name"]: item["pk"] for item in state["items"]}
        for each in differences:
            if each.field == "column_name" and each.item:
                words = queries.rename_refused(each.old, each.new)
                yield Remark("error", "column_name", words, names.get(each.new, ""))
            elif each.field == REMOVED and pks.get(each.item) in self.used:
                yield Remark("warning", "operation", queries.removal_noted(each.old), each.old)
        wanted = contract_without_codes(dataset, items)
        for column, words in unfollowable(earlier, wanted) if wanted else ():
            field = _stored_field(column, differences) if column else "key_items"
            yield Remark("error", field, words, names.get(column, ""))


def _is_of_the_table(difference: Difference) -> bool:
    return bool(difference.item) or difference.field == "key_items"


def _contracts(keys: Sequence[int]) -> dict[int, list[Contract]]:
    found: dict[int, list[Contract]] = {}
    versions = DatasetVersion.objects.filter(dataset__in=keys).order_by("number")
    for dataset, contract in versions.values_list("dataset", "contract"):
        found.setdefault(dataset, []).append(Contract.from_json(contract))
    return found


def _stored_field(column: str, differences: Sequence[Difference]) -> str:
    """Return what of the column's type the sheet changes, to name its cell."""
    changed = {each.field for each in differences if each.item == column}
    return next((name for name in _STORED if name in changed), _STORED[0])


def _touched(
    differences: Sequence[Difference], rows: Sequence[Mapping[str, Any]]
) -> set[tuple[str, str]]:
    """Return what the sheet changes as remarks name it: the item's name, or "", and the field.

    Of an item that is new, every field.
    """
    names = {row.get("column_name"): str(row.get("name")) for row in rows}
    renamed = {each.item: each.new for each in differences if each.field == "column_name"}
    found = set()
    for each in differences:
        if each.field == "added":
            found |= {(str(each.new), name) for name in ITEM_FIELDS}
        else:
            column = renamed.get(each.item, each.item)
            found.add((names.get(column, "") if each.item else "", each.field))
    return found


def _note_all(stated: Stated, rows: Sequence[Mapping[str, Any]], remarks: Sequence[Remark]) -> None:
    """Note remarks, once for all items where the sheet has no column to blame."""
    without_column: dict[tuple[Level, str, str], list[str]] = {}
    for remark in remarks:
        if remark.item and f"item.{remark.field}" not in stated.raw.table.places:
            key = (_level(remark), f"item.{remark.field}", str(remark.message))
            without_column.setdefault(key, []).append(remark.item)
        else:
            _note(stated, rows, remark)
    for (level, name, message), names in without_column.items():
        _note_items(stated.raw, level, name, message, names)


def _note(stated: Stated, rows: Sequence[Mapping[str, Any]], remark: Remark) -> None:
    """Note a remark at its cell, unless what stands there is wrong already."""
    raw = stated.raw
    name = f"item.{remark.field}" if remark.item else remark.field
    row = _row_of(stated, rows, remark.item) if remark.item else 0
    cell = raw.cell(name, row) if name in BY_NAME else cell_name(None, 0)
    if cell and any(fault.level == "error" and fault.cell == cell for fault in raw.faults):
        return
    raw.faults.append(
        Fault(
            _level(remark),
            name,
            str(remark),
            _remedy(raw, name, cell),
            cell,
            row or raw.first_row,
        )
    )


def _row_of(stated: Stated, rows: Sequence[Mapping[str, Any]], item: str) -> int:
    """Return the row that speaks of the item, by its name or by its column; 0 for none."""
    columns = {row.get("column_name") for row in rows if row.get("name") == item}
    for each in stated.items:
        if each.values.get("name") == item or each.values.get("column_name") in columns:
            return each.row
    return 0


def _remedy(raw: RawEntry, name: str, cell: str) -> str:
    if cell:
        return ""
    if name == "key_items" and "item.key" in raw.table.places:
        return _("在“主键”列中，说明“是谁的记录”的一列填“主体标识”，其余主键列填“主键”")
    column = BY_NAME.get(_COLUMN_OF.get(name, name))
    if column is None:
        return ""
    return _("表中没有“%(label)s”列；可以加上这一列，或者采用后在页面上填") % {
        "label": column.label
    }


def _level(remark: Remark) -> Level:
    return "due" if remark.is_error else "warning"


def _note_items(raw: RawEntry, level: Level, name: str, message: str, items: Sequence[str]) -> None:
    """Say once what holds for several items, where the sheet has no column to blame."""
    words = _("数据项“%(items)s”：%(message)s") % {
        "items": "、".join(items[:_ITEMS_NAMED]),
        "message": message,
    }
    if len(items) > _ITEMS_NAMED:
        words = _("数据项“%(items)s”等 %(count)s 个：%(message)s") % {
            "items": "、".join(items[:_ITEMS_NAMED]),
            "count": len(items),
            "message": message,
        }
    gist = _("数据项：%(message)s") % {"message": message}
    raw.faults.append(Fault(level, name, words, _remedy(raw, name, ""), "", raw.first_row, gist))
