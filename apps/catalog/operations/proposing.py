"""Writing a proposal down: plain, checked, and only what differs from the entry in force."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import DataItem, Dataset, DatasetChange, TriggerKind
from apps.catalog.operations.writing import refuse_unknown
from apps.catalog.proposals import Pointers, check, fresh, plain_items, propose, python_values
from apps.catalog.snapshots import DATASET_FIELDS, ITEM_FIELDS, plain, snapshot_of
from apps.core.errors import InvalidInput

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Trigger:
    """The recorded occasion on which a catalogue has to be updated; its clock starts that day.

    kind: one of `TriggerKind`.

    Source: 《政务数据共享条例》第十七条
    """

    kind: str
    on: date
    note: str = ""


def write_proposal(
    change: DatasetChange,
    fields: Fields,
    items: Sequence[Fields] | None,
    related: Iterable[Dataset | str] | None,
    reason: str | None,
) -> None:
    """Lay what is given over what the change holds; what the entry has already is dropped.

    Raises:
        InvalidInput, Conflict: a value is unknown, wrong, or cannot stand beside another.
    """
    entry = fresh(change.dataset_id)
    in_force = snapshot_of(entry)
    given = dict(fields)
    if related is None:
        related = given.pop("related", None)
    refuse_unknown(given, DATASET_FIELDS)
    written = {**change.fields, **_canonical(Dataset, [given])[0]}
    if related is not None:
        written["related"] = _codes(entry, related)
    change.fields = {name: value for name, value in written.items() if value != in_force[name]}
    if items is not None:
        base = plain_items(entry)
        rows = _item_rows(base, base if change.items is None else change.items, items)
        change.items = None if rows == base else rows
    if reason is not None:
        change.reason = reason.strip()
    wanted = propose(entry, change.fields, change.items)
    check(wanted, list(wanted.items.all()) if change.items is not None else None)


def content_of(change: DatasetChange) -> tuple[Any, ...]:
    """Return everything an editor may have written, to be compared."""
    trigger = (change.trigger_kind, change.trigger_note, change.triggered_on)
    return (change.fields, change.items, change.reason, *trigger)


def set_trigger(change: DatasetChange, trigger: Trigger | None, at: datetime) -> None:
    """Record the occasion of an update.

    Raises:
        InvalidInput: there is no such kind, or the day has yet to come.
    """
    if trigger is None:
        return
    if trigger.kind not in TriggerKind.values:
        raise InvalidInput(_("请选择触发事项"), field="trigger_kind")
    if trigger.on > timezone.localdate(at):
        raise InvalidInput(_("触发事项的发生日期不能晚于今天"), field="triggered_on")
    change.trigger_kind, change.triggered_on = trigger.kind, trigger.on
    change.trigger_note = trigger.note.strip()


def _canonical(model: type[Dataset] | type[DataItem], rows: Sequence[Fields]) -> list[Fields]:
    """Return rows in the one plain form of snapshots, whatever they were given as."""
    plainly = [{name: plain(value) for name, value in row.items()} for row in rows]
    pointers = Pointers((model, row) for row in plainly)
    return [
        {name: plain(value) for name, value in python_values(model, row, pointers).items()}
        for row in plainly
    ]


def _codes(entry: Dataset, related: Iterable[Dataset | str]) -> list[str]:
    codes = {each.code if isinstance(each, Dataset) else str(each) for each in related}
    known = set(Dataset.objects.filter(code__in=codes).values_list("code", flat=True))
    unknown = sorted((codes - known) | (codes & {entry.code}))
    if unknown:
        raise InvalidInput(
            _("没有找到目录代码 %(codes)s") % {"codes": "、".join(unknown)}, field="related"
        )
    return sorted(codes)


def _item_rows(
    base: Sequence[Fields], current: Sequence[Fields], rows: Sequence[Fields]
) -> list[dict[str, Any]]:
    """Return the items whole: a row continues the one of its key, else the one of its column.

    Items in force go by their key, proposed ones by the negative of their position.
    """
    by_key = {row.get("pk") or -place: row for place, row in enumerate(current, 1)}
    claimed = {row.get("pk") for row in rows}
    free = {
        row["column_name"]: row
        for row in [*base, *by_key.values()]
        if (row.get("pk") or -int(row["position"])) not in claimed
    }
    nothing = {name: plain(getattr(DataItem(), name)) for name in ITEM_FIELDS}
    found = []
    for position, row in enumerate(rows, 1):
        given = {name: value for name, value in row.items() if name != "pk"}
        refuse_unknown(given, ITEM_FIELDS)
        column = str(given.get("column_name", "")).strip()
        former = by_key.get(row.get("pk", 0)) or free.pop(column, None) or {}
        found.append({"pk": None, **nothing, **former, **given, "position": position})
    written = _canonical(DataItem, found)
    return [{"pk": row["pk"], **values} for row, values in zip(found, written, strict=True)]
