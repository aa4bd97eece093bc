"""Tell three states of an entry apart: the one the sheet came from, the sheet, the present one.

Plain values throughout, as snapshots keep them. Only what both sides changed, and differently, is a
conflict; what the sheet leaves as it was never undoes what somebody changed meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from apps.catalog.surroundings import significant

Values = Mapping[str, Any]
REMOVED: Final = "removed"
"""In the place of a field's name: the item as a whole, taken out by one side."""


class _Unknown:
    """The base of a field when nobody knows what the sheet came from."""


UNKNOWN: Final = _Unknown()


@dataclass(frozen=True, slots=True)
class Difference:
    """item: the item's column, "" for the entry; field `added` or `removed` speaks of the item."""

    item: str
    field: str
    old: Any
    new: Any

    def to_json(self) -> dict[str, Any]:
        return {"item": self.item, "field": self.field, "old": self.old, "new": self.new}


@dataclass(frozen=True, slots=True)
class Clash:
    """Both sides changed it, differently. Until a person decides the present value stands."""

    item: str
    field: str
    base: Any
    yours: Any
    current: Any

    @property
    def key(self) -> str:
        return f"{self.item}.{self.field}"

    def to_json(self) -> dict[str, Any]:
        base = None if isinstance(self.base, _Unknown) else self.base
        return {
            "key": self.key,
            "item": self.item,
            "field": self.field,
            "base": base,
            "base_known": not isinstance(self.base, _Unknown),
            "yours": self.yours,
            "current": self.current,
        }


@dataclass(slots=True)
class Merged:
    """What becomes of an entry. items: all rows in order, or None when they stay as they are."""

    fields: dict[str, Any] = field(default_factory=dict)
    items: list[dict[str, Any]] | None = None
    differences: list[Difference] = field(default_factory=list)
    clashes: list[Clash] = field(default_factory=list)


def merge(base: Values | _Unknown, yours: Values, current: Values, item: str = "") -> Merged:
    """Compare field by field what `yours` states."""
    merged = Merged()
    for name, mine in yours.items():
        now = current.get(name)
        was = base if isinstance(base, _Unknown) else base.get(name, now)
        if mine in (now, was):
            continue
        if was == now:
            merged.fields[name] = mine
            merged.differences.append(Difference(item, name, now, mine))
        else:
            merged.clashes.append(Clash(item, name, was, mine, now))
    return merged


@dataclass(frozen=True, slots=True)
class Line:
    """What the sheet says of an item; `removes` takes it out."""

    values: Values
    removes: bool = False


def merge_items(
    base: Sequence[Values] | _Unknown, lines: Sequence[Line], current: Sequence[Values]
) -> Merged:
    """Compare items, known by their column and else by their name; those unmentioned stay.

    New lines come back under `fields` of nothing: as rows at the end of `items`, marked `is_new`.
    """
    merged = Merged()
    place = _Places(current)
    former = _Places([] if isinstance(base, _Unknown) else base)
    rows = {index: dict(row) for index, row in enumerate(current)}
    order: list[int] = []
    added: list[dict[str, Any]] = []
    for line in lines:
        at = place.of(line.values)
        was = former.of(line.values)
        old: Values | _Unknown = (
            UNKNOWN if isinstance(base, _Unknown) else base[was] if was is not None else {}
        )
        if at is None:
            _absent(merged, line, old if was is not None else None, added)
            continue
        column = str(current[at]["column_name"])
        if line.removes:
            _remove(merged, rows, at, old if was is not None else UNKNOWN, base, current[at])
            continue
        if at not in order:
            order.append(at)
        if was is None and not isinstance(base, _Unknown):
            old = current[at]  # it came after the version that the sheet is from
        found = merge(old, line.values, current[at], column)
        rows[at] |= found.fields
        merged.differences += found.differences
        merged.clashes += found.clashes
    _arrange(merged, rows, order, added, len(current))
    return merged


def _arrange(
    merged: Merged,
    rows: dict[int, dict[str, Any]],
    order: list[int],
    added: list[dict[str, Any]],
    count: int,
) -> None:
    """Follow the sheet's order where it names every item; else keep the present one."""
    kept = [index for index in range(count) if index in rows]
    if sorted(order) == kept and order != kept:
        merged.differences.append(Difference("", "order", None, None))
        kept = order
    if merged.differences or merged.clashes or added:
        merged.items = [rows[index] for index in kept] + added


def _absent(
    merged: Merged, line: Line, old: Values | _Unknown | None, added: list[dict[str, Any]]
) -> None:
    """The sheet speaks of an item that there is not now: a new one, or one taken out meanwhile."""
    if line.removes:
        return
    label = str(line.values.get("column_name") or line.values.get("name") or "")
    if old is None or isinstance(old, _Unknown):
        added.append({**line.values, "is_new": True})
        merged.differences.append(Difference(label, "added", None, line.values.get("name", label)))
        return
    if any(old.get(name) != value for name, value in line.values.items()):
        merged.clashes.append(Clash(label, REMOVED, old.get("name"), {**old, **line.values}, None))


def _remove(
    merged: Merged,
    rows: dict[int, dict[str, Any]],
    at: int,
    old: Values | _Unknown,
    base: Sequence[Values] | _Unknown,
    now: Values,
) -> None:
    column = str(now["column_name"])
    untouched = not isinstance(old, _Unknown) and all(
        old.get(name) == value for name, value in now.items() if name not in {"pk", "position"}
    )
    if untouched:
        del rows[at]
        merged.differences.append(Difference(column, REMOVED, now.get("name"), None))
    else:
        was = UNKNOWN if isinstance(base, _Unknown) else now.get("name")
        merged.clashes.append(Clash(column, REMOVED, was, None, now.get("name")))


class _Places:
    """Find an item by its column, else by its name."""

    def __init__(self, rows: Sequence[Values]) -> None:
        self._columns = {row.get("column_name"): index for index, row in enumerate(rows)}
        self._names = {significant(str(row.get("name"))): index for index, row in enumerate(rows)}

    def of(self, values: Values) -> int | None:
        column = values.get("column_name")
        if column and column in self._columns:
            return self._columns[column]
        name = values.get("name")
        return self._names.get(significant(str(name))) if name else None


def decided(
    fields: Values,
    items: Sequence[Values] | None,
    clashes: Sequence[Mapping[str, Any]],
    decisions: Mapping[str, str],
) -> tuple[dict[str, Any], list[dict[str, Any]] | None]:
    """Return fields and items with what a person decided: "mine" takes the sheet's value over."""
    mine = [clash for clash in clashes if decisions.get(clash["key"]) == "mine"]
    settled = dict(fields)
    rows = None if items is None else [dict(row) for row in items]
    for clash in mine:
        if not clash["item"]:
            settled[clash["field"]] = clash["yours"]
        elif rows is not None:
            rows = _settle(rows, clash)
    return settled, rows


def _settle(rows: list[dict[str, Any]], clash: Mapping[str, Any]) -> list[dict[str, Any]]:
    if clash["field"] != REMOVED:
        for row in rows:
            if row.get("column_name") == clash["item"]:
                row[clash["field"]] = clash["yours"]
        return rows
    if clash["yours"] is None:
        return [row for row in rows if row.get("column_name") != clash["item"]]
    return [*rows, {**clash["yours"], "is_new": True}]
