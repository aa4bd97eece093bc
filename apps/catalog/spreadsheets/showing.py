"""Say in words what a sheet changes: labels for fields, labels for values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from apps.catalog.models import DataItem, Dataset, ImportEntry
from apps.catalog.spreadsheets.choices import label_for, words_of_list
from apps.catalog.spreadsheets.columns import BY_NAME, label_of
from apps.catalog.spreadsheets.comparing import ORDER, REMOVED

_WHOLE: Final = {"added", REMOVED}


@dataclass(frozen=True, slots=True)
class DifferenceLine:
    item: str
    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ClashLine:
    """place: by which the form names it; choice: "mine", "current" or "" while undecided."""

    place: int
    item: str
    label: str
    base: str
    yours: str
    current: str
    choice: str


def difference_lines(entry: ImportEntry) -> list[DifferenceLine]:
    """Return what the sheet changes, each as label, old and new."""
    return [
        DifferenceLine(
            each["item"],
            _label(each),
            words(each["field"], each["old"], each["item"]),
            words(each["field"], each["new"], each["item"]),
        )
        for each in entry.proposal.get("differences", ())
    ]


def clash_lines(entry: ImportEntry) -> list[ClashLine]:
    """Return the entry's conflicts: the sheet's origin, the sheet, the present, the decision."""
    lines = []
    for place, each in enumerate(entry.proposal.get("clashes", ())):
        field, item = each["field"], each["item"]
        base = words(field, each["base"], item) if each["base_known"] else _("（不知道）")
        lines.append(
            ClashLine(
                place,
                item,
                _label(each),
                base,
                words(field, each["yours"], item),
                words(field, each["current"], item),
                entry.decisions.get(each["key"], ""),
            )
        )
    return lines


def item_lines(entry: ImportEntry) -> list[tuple[Mapping[str, Any], str]]:
    """Return the items that the entry would have, each with its type in words."""
    return [
        (item, words("data_type", item.get("data_type") or "C", "item"))
        for item in entry.proposal.get("items") or ()
    ]


def _label(each: Mapping[str, Any]) -> str:
    field = each["field"]
    if field in _WHOLE:
        return _("数据项")
    if field == ORDER:
        return _("数据项的顺序")
    model: Any = DataItem if each["item"] else Dataset
    known = {found.name for found in model._meta.get_fields()}
    if field in known and field != "related":
        return str(model._meta.get_field(field).verbose_name)
    return label_of(f"item.{field}" if each["item"] else field)


def words(field: str, value: Any, item: str = "") -> str:
    """Return a plain value as people read it."""
    if isinstance(value, Mapping):
        return str(value.get("name", ""))
    if value in (None, "", []):
        return _("（空）")
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, list):
        return "、".join(words_of_list(field, value))
    column = BY_NAME.get(f"item.{field}" if item else field)
    if column is not None and column.kind == "choice":
        return label_for(field, str(value))
    return str(value)
