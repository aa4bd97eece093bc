"""What differs between two snapshots of an entry, in the labels of the screens.

Items are matched by their columns, and by their names where a column was renamed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import SequenceMatcher
from typing import Any, Final

from django.db.models import ForeignKey, QuerySet
from django.utils.translation import gettext as _

from apps.catalog.models import Classification, DataItem, Dataset, DatasetChange
from apps.catalog.snapshots import DATASET_FIELDS, ITEM_FIELDS, plain
from apps.core.templatetags.dates import day, minute
from apps.standards.checks import CHECKS
from apps.standards.masks import MASKS
from apps.standards.normalisers import NORMALISERS

NAMED: Final[dict[str, Any]] = {"value_check": CHECKS, "mask": MASKS}
LISTED: Final[dict[str, Any]] = {"normalise": NORMALISERS}
CHANGED_FIELDS: Final = (*DATASET_FIELDS, "related")
ENTRY_FIELDS: Final = ("department", "classification", *CHANGED_FIELDS)
DETAILS: Final = tuple(
    name for name in ITEM_FIELDS if name not in ("position", "name", "column_name")
)
SMALL_FIELDS: Final = frozenset(
    {
        "abstract",
        "internal_unit",
        "note",
        "legal_duty",
        "service_item",
        "related",
        "themes",
        "contact_name",
        "contact_phone",
        "release_on",
    }
)
"""What may change without touching what others may do with the data, or what lands."""

_WORD = re.compile(r"[A-Za-z0-9_.]+|\s+|.", re.DOTALL)

Snapshot = Mapping[str, Any]
Spans = tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One field's old and new value in words.

    item: column name in the new snapshot (in the old one for a removed item), "" for the entry;
    item_label: the item's name. kind: "changed", or "added" / "removed" for whole items, whose
    fields `details` tells as label and value.
    """

    field: str
    label: str
    old: str
    new: str
    item: str = ""
    item_label: str = ""
    kind: str = "changed"
    details: tuple[tuple[str, str], ...] = ()

    @property
    def old_spans(self) -> Spans:
        """The old words in pieces, each with whether it is gone."""
        return _spans(self.old, self.new)[0]

    @property
    def new_spans(self) -> Spans:
        """The new words in pieces, each with whether it is new."""
        return _spans(self.old, self.new)[1]

    def __str__(self) -> str:
        place = f"{self.item_label} · {self.label}" if self.item and self.field else self.label
        return _("%(place)s：%(old)s → %(new)s") % {
            "place": place,
            "old": self.old,
            "new": self.new,
        }


@dataclass(frozen=True, slots=True)
class Smallness:
    """Whether a change may be reviewed together with others, and why (not)."""

    why: str
    is_small: bool = False


def differences(old: Snapshot, new: Snapshot) -> list[Difference]:
    """Return what differs, the entry's own fields first, then items in their new order.

    A field that one of the snapshots does not know is not compared: older versions kept fewer.
    """
    pairs = list(_differing(old, new))
    names = _Names([*pairs, *_inside(pairs)])
    return [_in_words(pair, names) for pair in pairs]


def field_differences(change: DatasetChange) -> list[Difference]:
    """Return what an open change differs in on the entry itself, from the entry as it is loaded."""
    entry = change.dataset
    now = {name: plain(getattr(entry, name)) for name in change.fields if name != "related"}
    if "related" in change.fields:
        now["related"] = sorted(other.code for other in entry.related.all())
    return differences(now, change.fields)


def told(snapshot: Snapshot) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return a snapshot in words: (name, column, fields as label and value), the entry first.

    What is left empty is not told, nor what an item is not.
    """
    places: list[tuple[str, str, Any, Sequence[str], Snapshot]] = [
        ("", "", Dataset, ENTRY_FIELDS, snapshot)
    ]
    places += [
        (item["name"], item["column_name"], DataItem, DETAILS, item)
        for item in snapshot.get("items", ())
    ]
    names = _Names(
        [
            (model, name, None, row.get(name), {})
            for *_, model, fields, row in places
            for name in fields
        ]
    )
    return [
        (
            title,
            column,
            [
                (
                    str(model._meta.get_field(name).verbose_name),
                    _said(model._meta.get_field(name), row[name], names),
                )
                for name in fields
                if row.get(name) not in (None, "", []) and not (column and row[name] is False)
            ],
        )
        for title, column, model, fields, row in places
    ]


def smallness(change: DatasetChange) -> Smallness:
    """Say whether a change is small: only what describes the entry, no item and no rule of it.

    Source: house rule (批量审核只用于不影响共享、开放、分级和数据项的小改动)
    """
    changed = [name for name in CHANGED_FIELDS if name in change.fields]
    grave = [label_of(name) for name in changed if name not in SMALL_FIELDS]
    if change.items is not None:
        grave.append(label_of("items"))
    if grave:
        return Smallness(_("改动了%(what)s，须逐条审核") % {"what": "、".join(grave)})
    if not changed:
        return Smallness(_("没有改动"))
    labels = "、".join(label_of(name) for name in changed)
    return Smallness(_("只改了%(what)s") % {"what": labels}, is_small=True)


def only_small(changes: QuerySet[DatasetChange]) -> QuerySet[DatasetChange]:
    """Narrow to the small ones, by the same rule."""
    grave = sorted(set(CHANGED_FIELDS) - SMALL_FIELDS)
    return changes.filter(items__isnull=True).exclude(fields={}).exclude(fields__has_any_keys=grave)


def words_of(field: Any, value: Any) -> str:
    """Return a field's value, plain or not, as the screens say it."""
    if value is None or value in ("", []):
        return _("（空）")
    if field.name in NAMED and value in NAMED[field.name]:
        return str(NAMED[field.name][value].label)
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    match value:
        case bool():
            return _("是") if value else _("否")
        case datetime():
            return minute(value)
        case date():
            return day(value)
        case list():
            known = LISTED.get(field.name, {})
            return "、".join(str(known[part].word if part in known else part) for part in value)
        case _:
            return str(value)


def item_names(snapshot: Snapshot) -> dict[str, str]:
    """Return the items' names by their columns."""
    return {item["column_name"]: item["name"] for item in snapshot.get("items", ())}


def label_of(field: str, *, is_item: bool = False) -> str:
    """Return what the screens call a field of a snapshot; "" for what is none."""
    if field == "items":
        return str(DataItem._meta.verbose_name)
    if field == "assessments":
        return _("评估")
    known = ITEM_FIELDS if is_item else ENTRY_FIELDS
    model: Any = DataItem if is_item else Dataset
    return str(model._meta.get_field(field).verbose_name) if field in known else ""


Pair = tuple[Any, str, Any, Any, dict[str, Any]]
"""Model, field ("" for a whole item, whose plain values stand for the value), old, new, place."""


def _differing(old: Snapshot, new: Snapshot) -> Iterator[Pair]:
    yield from _fields_of(Dataset, ENTRY_FIELDS, old, new, {})
    if "items" not in old or "items" not in new:
        return
    matched = match_items(old["items"], new["items"])
    staying = {id(before) for before, _after in matched if before is not None}
    for before in old["items"]:
        if id(before) not in staying:
            yield DataItem, "", before, None, _named(before, "removed")
    order = [id(before) for before, _after in matched if before is not None]
    is_moved = order != [id(item) for item in old["items"] if id(item) in staying]
    for before, after in matched:
        if before is None:
            yield DataItem, "", None, after, _named(after, "added")
            continue
        names = ITEM_FIELDS if is_moved else [name for name in ITEM_FIELDS if name != "position"]
        yield from _fields_of(DataItem, names, before, after, _named(after, "changed"))


def match_items(
    old: Sequence[Snapshot], new: Sequence[Snapshot]
) -> list[tuple[Snapshot | None, Snapshot]]:
    """Return each new item with the old one that it continues: same column, else same name."""
    by_column = {item["column_name"]: item for item in old}
    claimed = {item["column_name"] for item in new}
    by_name = {item["name"]: item for item in old if item["column_name"] not in claimed}
    return [(by_column.get(item["column_name"]) or by_name.get(item["name"]), item) for item in new]


def _named(item: Snapshot, kind: str) -> dict[str, str]:
    return {"item": item["column_name"], "item_label": item["name"], "kind": kind}


def _fields_of(
    model: Any, names: Iterable[str], old: Snapshot, new: Snapshot, more: dict[str, str]
) -> Iterator[Pair]:
    for name in names:
        if name in old and name in new and old[name] != new[name]:
            yield model, name, old[name], new[name], more


def _inside(pairs: Sequence[Pair]) -> Iterator[Pair]:
    """The fields of whole items, as if each had been empty before."""
    for model, name, before, after, more in pairs:
        if not name:
            item = after or before
            yield from ((model, field, None, item.get(field), more) for field in DETAILS)


class _Names:
    """What pointers' codes are called; asked only for the kinds of rows that differ."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        wanted: dict[Any, set[str]] = {}
        for model, name, before, after, _more in pairs:
            field = model._meta.get_field(name) if name else None
            if isinstance(field, ForeignKey):
                codes = {code for code in (before, after) if code}
                wanted.setdefault(field.related_model, set()).update(codes)
            elif name == "related":
                wanted.setdefault(Dataset, set()).update(before or (), after or ())
        self._names = {
            (model, code): name
            for model, codes in wanted.items()
            for code, name in model._default_manager.filter(code__in=codes).values_list(
                "code", "name"
            )
        }

    def of(self, model: Any, code: str) -> str:
        name = self._names.get((model, code))
        if name is None:
            return code
        return f"{code} {name}" if model is Classification else name


def _in_words(pair: Pair, names: _Names) -> Difference:
    model, name, before, after, more = pair
    if not name:
        label = str(DataItem._meta.verbose_name)
        old, new = (_("（无）") if each is None else each["name"] for each in (before, after))
        return Difference("", label, old, new, details=_details(after or before, names), **more)
    field = model._meta.get_field(name)
    old, new = _said(field, before, names), _said(field, after, names)
    return Difference(name, str(field.verbose_name), old, new, **more)


def _details(item: Snapshot, names: _Names) -> tuple[tuple[str, str], ...]:
    """What is written of an item, by label; what is left empty is not told."""
    written = [name for name in DETAILS if item.get(name, "") not in (None, "", [])]
    fields: list[Any] = [
        DataItem._meta.get_field(name) for name in written if item[name] is not False
    ]
    return tuple(
        (str(field.verbose_name), _said(field, item[field.name], names)) for field in fields
    )


def _said(field: Any, value: Any, names: _Names) -> str:
    if isinstance(field, ForeignKey) and value:
        return names.of(field.related_model, value)
    if field.name == "related" and value:
        return "、".join(names.of(Dataset, code) for code in value)
    return words_of(field, value)


def _spans(old: str, new: str) -> tuple[Spans, Spans]:
    """Both texts in pieces; Chinese is compared letter by letter, Latin words and figures whole.

    The word for an empty value is no value: it is never marked.
    """
    nothing = (_("（无）"), _("（空）"))
    if old in nothing or new in nothing:
        return ((old, old not in nothing),), ((new, new not in nothing),)
    before, after = _WORD.findall(old), _WORD.findall(new)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if matcher.quick_ratio() < 0.3:
        return ((old, True),), ((new, True),)
    gone, come = [], []
    for kind, first, last, start, end in matcher.get_opcodes():
        if last > first:
            gone.append(("".join(before[first:last]), kind != "equal"))
        if end > start:
            come.append(("".join(after[start:end]), kind != "equal"))
    return tuple(gone), tuple(come)
