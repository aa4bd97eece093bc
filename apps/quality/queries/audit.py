"""The audit of a dataset over a period: who changed what and why; what landed; what was doubted.

Kept rows alone speak here: histories, batches, corrections. The values of the data are left out:
the report goes to people who may not read them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.apps import apps
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from apps.catalog.models import DataItem, Dataset
from apps.core.templatetags.dates import day, minute
from apps.quality.models import Correction
from apps.warehouse.models import Batch

QUIET: Final = frozenset({"revision", "updated_at", "created_at", "checked_at"})
UNTOLD: Final = frozenset({"seen_value", "claimed_value", "final_value", "row_key"})
"""Values of the data: that they changed is told, not what they are."""

MOST_CHANGES: Final = 2_000


@dataclass(frozen=True)
class FieldChange:
    """One field's old and new value as words."""

    label: str
    old: str
    new: str


@dataclass(frozen=True)
class Change:
    """One kept version: of what, when, by whom, why, and which fields it changed."""

    kind: str
    subject: str
    at: datetime
    person: str
    reason: str
    fields: list[FieldChange]


@dataclass(frozen=True)
class Audit:
    """The report: changes by kind of thing, batches with their balance, corrections."""

    changes: list[tuple[str, list[Change]]]
    batches: list[Batch]
    totals: dict[str, int]
    corrections: list[Correction]


def audit_of(dataset: Dataset, begin: date, end: date) -> Audit:
    """Draw the report of the days from `begin` to `end`, both included."""
    batches = list(
        Batch.objects.filter(
            dataset=dataset, received_at__date__gte=begin, received_at__date__lte=end
        )
        .select_related("source")
        .order_by("pk")
    )
    names = ("declared", "landed", "changed", "unchanged", "duplicate", "rejected", "deleted")
    landed = [batch for batch in batches if batch.status == Batch.Status.LANDED]
    return Audit(
        changes=[
            (str(model._meta.verbose_name), found)
            for model in _models_with_history()
            if (found := list(_changes(model, dataset, begin, end)))
        ],
        batches=batches,
        totals={name: sum(getattr(batch, name) or 0 for batch in landed) for name in names},
        corrections=_corrections(dataset, begin, end),
    )


def _corrections(dataset: Dataset, begin: date, end: date) -> list[Correction]:
    """Those raised, decided, corrected or closed in the period."""
    within = Q()
    for name in ("raised_at", "decided_at", "corrected_at", "closed_at"):
        within |= Q(**{f"{name}__date__gte": begin, f"{name}__date__lte": end})
    rows = Correction.objects.filter(within, dataset=dataset)
    return list(
        rows.select_related("department", "handler", "decided_by", "batch", "dataset").order_by(
            "pk"
        )
    )


def _models_with_history() -> list[type[Model]]:
    """The entry, its items, and everything of quality that belongs to a dataset."""
    own = [
        model
        for model in apps.get_app_config("quality").get_models()
        if hasattr(model, "history") and any(field.name == "dataset" for field in _fields(model))
    ]
    return [Dataset, DataItem, *own]


def _changes(model: Any, dataset: Dataset, begin: date, end: date) -> Iterator[Change]:
    """Yield the versions of the period, each beside the one before it, oldest first."""
    versions = _versions(model, dataset, end)
    names = _names_of_pointers(model, versions)
    before: dict[Any, Any] = {}
    for version in versions:
        older = before.get(version.id)
        before[version.id] = version
        if version.history_date.date() < begin:
            continue
        yield Change(
            kind=str(model._meta.verbose_name),
            subject=_subject(version),
            at=version.history_date,
            person=str(version.history_user or _("平台")),
            reason=version.history_change_reason or "",
            fields=list(_differences(model, older, version, names)) if older else [],
        )


def _versions(model: Any, dataset: Dataset, end: date) -> list[Any]:
    place = {"id": dataset.pk} if model is Dataset else {"dataset": dataset}
    rows: QuerySet[Any] = model.history.filter(**place, history_date__date__lte=end)
    latest = rows.select_related("history_user").order_by("-history_date", "-history_id")
    return list(reversed(latest[:MOST_CHANGES]))


def _differences(
    model: Any, older: Any, newer: Any, names: dict[tuple[str, Any], str]
) -> Iterator[FieldChange]:
    for field in _fields(model):
        if field.name in QUIET or not hasattr(newer, field.attname):
            continue
        old, new = getattr(older, field.attname), getattr(newer, field.attname)
        if old == new:
            continue
        label = str(field.verbose_name)
        if field.name in UNTOLD:
            yield FieldChange(label, "", _("（有变化，数据的值不列出）"))
        else:
            yield FieldChange(label, _in_words(field, old, names), _in_words(field, new, names))


def _in_words(field: Any, value: Any, names: dict[tuple[str, Any], str]) -> str:
    if value in (None, "", [], {}):
        return _("（空）")
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
        case list() | dict():
            return _("%(count)s 条") % {"count": len(value)}
        case _:
            return str(value)


def _names_of_pointers(model: Any, versions: Sequence[Any]) -> dict[tuple[str, Any], str]:
    """Read the names of everything that changed pointers point to, one query per pointer."""
    names: dict[tuple[str, Any], str] = {}
    for field in _fields(model):
        if not field.is_relation:
            continue
        keys = {getattr(version, field.attname, None) for version in versions}
        if len(keys) < 2:
            continue
        related: Any = field.related_model
        for row in related._base_manager.filter(pk__in=keys - {None}):
            names[field.name, row.pk] = str(row)
    return names


def _fields(model: Any) -> Iterable[Any]:
    found: Iterable[Any] = model._meta.concrete_fields
    return found


def _subject(version: Any) -> str:
    """What the version is of, in its own words: a number, or a name."""
    return str(getattr(version, "number", "") or getattr(version, "name", ""))
