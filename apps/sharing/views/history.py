"""The history of a row, field by field: old and new in the words of the screens."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db.models import Model
from django.utils.translation import gettext as _

from apps.catalog.models import DataItem
from apps.core.templatetags.dates import day, minute
from apps.sharing import queries
from apps.sharing.lifecycle import REQUEST
from apps.standards.masks import MASKS

QUIET = {
    "revision",
    "updated_at",
    "created_at",
    "login_key",
    "table_schema",
    "table_name",
    "answer_due_on",
}
MOST_VERSIONS = 60
INNER_MOVES: Final = {
    (source, move.target)
    for move in map(REQUEST.move, ("confirm", "send_back_proposal", "propose_for_confirmation"))
    for source in move.sources
}


@dataclass(frozen=True)
class FieldChange:
    """One field's old and new value as words; empty where there is none."""

    label: str
    old: str
    new: str


@dataclass(frozen=True)
class Version:
    """One version: when, by whom, why, and what it changed."""

    at: datetime
    person: str
    reason: str
    changes: list[FieldChange]


def versions_of(row: Any, *, hidden: Callable[[Any, Any], bool] | None = None) -> list[Version]:
    """Return the versions of a row, newest first, in one query and one per kind of pointer.

    hidden: says of a version and the one before it that it is not told, as `is_inner` does.
    """
    found = list(row.history.select_related("history_user")[:MOST_VERSIONS])
    names = _names_of_pointers(found) | _labels_of_columns(row) | _words_of_conditions(row, found)
    return [
        Version(
            at=version.history_date,
            person=str(version.history_user or ""),
            reason=version.history_change_reason or "",
            changes=_changes(version, older, names) if older is not None else [],
        )
        for version, older in zip(found, [*found[1:], None], strict=True)
        if hidden is None or older is None or not hidden(version, older)
    ]


def is_inner(version: Any, older: Any) -> bool:
    """Say whether a version of a request tells what the provider's people think before they sign.

    Whoever wrote it, and wherever he works by now: an opinion, or its way back and forth.
    """
    told = ("proposal", "proposed_by_id")
    if any(getattr(version, name) != getattr(older, name) for name in told):
        return True
    return (older.status, version.status) in INNER_MOVES


def _changes(version: Any, older: Any, names: dict[tuple[str, Any], str]) -> list[FieldChange]:
    changes = []
    for field in version.tracked_fields:
        if field.name in QUIET:
            continue
        old, new = getattr(older, field.attname), getattr(version, field.attname)
        if old == new:
            continue
        label = str(field.verbose_name)
        if field.name == "columns":
            old, new = _differing(old, new), _differing(new, old)
        changes.append(
            FieldChange(label, _in_words(field, old, names), _in_words(field, new, names))
        )
    return changes


def _differing(columns: list[Any], others: list[Any]) -> list[Any]:
    """Return the granted columns that the others do not hold just so: what is told as changed."""
    return [column for column in columns if column not in others]


def _in_words(field: Any, value: Any, names: dict[tuple[str, Any], str]) -> str:
    if value in (None, "", [], {}):
        return ""
    if field.is_relation:
        return names.get((field.name, value), str(value))
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
            return _listed(field, value, names)
        case _:
            return f"{value:,}" if isinstance(value, int) else str(value)


def _listed(field: Any, value: list[Any], names: dict[tuple[str, Any], str]) -> str:
    """Write networks, granted columns and conditions out; of others say how many there are."""
    if all(isinstance(entry, str) for entry in value):
        return "、".join(value)
    if all("name" in entry for entry in value):
        return "、".join(_column(field, entry, names) for entry in value)
    words = names.get((field.name, json.dumps(value)))
    return words or _("%(count)s 条") % {"count": len(value)}


def _column(field: Any, entry: dict[str, str], names: dict[tuple[str, Any], str]) -> str:
    label = names.get((field.name, entry["name"]), entry["name"])
    mask = entry.get("mask")
    return f"{label}（{MASKS[mask].label}）" if mask in MASKS else label


def _labels_of_columns(row: Any) -> dict[tuple[str, Any], str]:
    """Return what the columns of a grant are called; a request has none."""
    if not hasattr(row, "columns"):
        return {}
    items = DataItem.ever.filter(dataset=row.dataset_id).values_list("column_name", "name")
    return {("columns", name): label for name, label in items}


def _words_of_conditions(row: Any, versions: Sequence[Any]) -> dict[tuple[str, Any], str]:
    """Return every version's row conditions in words; read only where they were changed."""
    if not hasattr(row, "row_condition"):
        return {}
    dataset = row.dataset if hasattr(row, "dataset") else row.grant.dataset
    found = {json.dumps(version.row_condition): version.row_condition for version in versions}
    if len(found) < 2:
        return {}
    return {
        ("row_condition", key): "；".join(queries.conditions_in_words(value, dataset))
        for key, value in found.items()
        if value
    }


def _names_of_pointers(versions: Sequence[Any]) -> dict[tuple[str, Any], str]:
    """Read the names of everything the versions point to, one query per pointer that changed."""
    names: dict[tuple[str, Any], str] = {}
    if not versions:
        return names
    for field in versions[0].tracked_fields:
        if not (field.many_to_one or field.one_to_one):
            continue
        keys = {getattr(version, field.attname) for version in versions} - {None}
        past = {getattr(version, field.attname) for version in versions}
        if len(past) < 2:
            continue
        related: type[Model] = field.related_model
        for row in related._base_manager.filter(pk__in=keys):
            names[field.name, row.pk] = str(row)
    return names
