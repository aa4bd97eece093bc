"""Tell three states of an entry apart: the one the sheet came from, the sheet, the present one.

Plain values throughout, as snapshots keep them. Only what both sides changed, and differently, is a
conflict; what the sheet leaves as it was never undoes what somebody changed meanwhile.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from apps.catalog.surroundings import significant

Values = Mapping[str, Any]
REMOVED: Final = "removed"
"""In the place of a field's name: the item as a whole, taken out by one side."""
ORDER: Final = "order"
"""In the place of a field's name: the items' order, as their names one after the other."""


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
    """Both sides changed it, differently. Until a person decides the present value stands.

    row: the column by which the merged items know it: not `item` where the sheet renames it.
    """

    item: str
    field: str
    base: Any
    yours: Any
    current: Any
    row: str = ""

    @property
    def key(self) -> str:
        return f"{self.item}.{self.field}"

    def to_json(self) -> dict[str, Any]:
        base = None if isinstance(self.base, _Unknown) else self.base
        return {
            "key": self.key,
            "item": self.item,
            "row": self.row,
            "field": self.field,
            "base": base,
            "base_known": not isinstance(self.base, _Unknown),
            "yours": self.yours,
            "current": self.current,
        }


@dataclass(slots=True)
class Merged:
    """What becomes of an entry.

    items: all rows in order, or None when they stay as they are; unmentioned: names of items that
    were there when the sheet came out, still are, and are not in it.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    items: list[dict[str, Any]] | None = None
    differences: list[Difference] = field(default_factory=list)
    clashes: list[Clash] = field(default_factory=list)
    unmentioned: list[str] = field(default_factory=list)


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
    columns = {line.values.get("column_name") for line in lines}
    place = _Places(current, columns)
    origin = _Places([] if isinstance(base, _Unknown) else base, columns)
    rows = {index: dict(row) for index, row in enumerate(current)}
    order: list[int] = []
    added: list[dict[str, Any]] = []
    for line in lines:
        at = place.of(line.values)
        was = origin.of(line.values)
        old: Values | _Unknown = UNKNOWN if isinstance(base, _Unknown) or was is None else base[was]
        if at is None:
            _absent(merged, line, old if was is not None else None, added)
        elif at not in rows:
            continue  # an earlier line took it out; that it stands twice is a fault
        elif line.removes:
            _remove(merged, rows, at, old, base, current[at])
        else:
            if at not in order:
                order.append(at)
            _merge_row(merged, rows[at], old, line, current[at])
    former = _former_order(base, current)
    mentioned = {place.of(line.values) for line in lines}
    merged.unmentioned = _names(rows, [at for at in former or () if at not in mentioned])
    kept = _arranged(merged, rows, order, former)
    if merged.differences or merged.clashes or added:
        merged.items = [rows[index] for index in kept] + added
    return merged


def _merge_row(
    merged: Merged, row: dict[str, Any], old: Values | _Unknown, line: Line, now: Values
) -> None:
    """Compare one item; nobody knows the base of one that came after the sheet's version."""
    found = merge(old, line.values, now, str(now["column_name"]))
    row |= found.fields
    merged.differences += found.differences
    merged.clashes += [replace(clash, row=str(row["column_name"])) for clash in found.clashes]


def _former_order(base: Sequence[Values] | _Unknown, current: Sequence[Values]) -> list[int] | None:
    """Return the present places of the items in the order that they had in the base."""
    if isinstance(base, _Unknown):
        return None
    place = _Places(current)
    return [index for index in map(place.of, base) if index is not None]


def _arranged(
    merged: Merged, rows: Mapping[int, Values], order: Sequence[int], former: Sequence[int] | None
) -> list[int]:
    """Return the items' places in their new order; a sheet that names only some moves none.

    Like a field, the order is the sheet's where the sheet alone moved items.
    """
    kept, named = list(rows), set(order)
    now = [index for index in kept if index in named]
    expected = set(kept if former is None else former) & set(kept)
    if not expected <= named or [*order] == now:
        return kept
    if former is not None:
        was = [index for index in former if index in named]
        if [index for index in order if index in {*was}] == was:
            return kept
        is_unmoved = [index for index in now if index in {*was}] == was
    else:
        was, is_unmoved = [], False
    yours, present = _names(rows, order), _names(rows, now)
    if is_unmoved:
        merged.differences.append(Difference("", ORDER, present, yours))
        places = iter(order)
        return [next(places) if index in named else index for index in kept]
    base = UNKNOWN if former is None else _names(rows, was)
    merged.clashes.append(Clash("", ORDER, base, yours, present))
    return kept


def _names(rows: Mapping[int, Values], places: Sequence[int]) -> list[str]:
    return [str(rows[index].get("name")) for index in places]


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
    """Find an item by its column, else by its name; one that `taken` names is that line's alone."""

    def __init__(self, rows: Sequence[Values], taken: Collection[Any] = ()) -> None:
        self._columns = {row.get("column_name"): index for index, row in enumerate(rows)}
        self._names = {
            significant(str(row.get("name"))): index
            for index, row in enumerate(rows)
            if row.get("column_name") not in taken
        }

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
    known = {row.get("column_name"): row for row in rows or ()}  # before any is renamed
    for clash in sorted(mine, key=lambda each: each["field"] != ORDER):
        if clash["field"] == ORDER:
            rows = _ordered(rows or [], clash["yours"])
        elif not clash["item"]:
            settled[clash["field"]] = clash["yours"]
        elif rows is not None:
            rows = _settle(rows, clash, known.get(clash.get("row") or clash["item"]))
    return settled, rows


def _ordered(rows: list[dict[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """Let the named rows stand as the names do; the others keep their places."""
    by_name = {row.get("name"): row for row in rows}
    wanted = iter([by_name[name] for name in names if name in by_name])
    return [next(wanted) if row.get("name") in {*names} else row for row in rows]


def _settle(
    rows: list[dict[str, Any]], clash: Mapping[str, Any], row: dict[str, Any] | None
) -> list[dict[str, Any]]:
    if clash["field"] != REMOVED:
        if row is not None:
            row[clash["field"]] = clash["yours"]
        return rows
    if clash["yours"] is None:
        return [each for each in rows if each is not row]
    return [*rows, {**clash["yours"], "is_new": True}]
