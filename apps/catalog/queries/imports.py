"""What is asked of uploaded spreadsheets."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import Count, Q, QuerySet

from apps.catalog.lifecycle import EDITABLE
from apps.catalog.models import CatalogImport, Dataset, ImportEntry
from apps.catalog.surroundings import Around, latest_conclusions, significant_systems
from apps.catalog.validation import Remark, remarks_about

SILENT_AFTER: Final = timedelta(minutes=5)
"""A worker that says nothing for so long is taken for dead."""


def imports_to_check(at: datetime) -> QuerySet[CatalogImport]:
    """Return those that wait to be checked, and those whose worker died, oldest first."""
    left = Q(status="checking", heartbeat_at__lt=at - SILENT_AFTER)
    return CatalogImport.objects.filter(Q(status="received") | left).order_by("pk")


def imports_to_adopt() -> QuerySet[CatalogImport]:
    return CatalogImport.objects.filter(status="adopting").order_by("pk")


def verdict_counts(subject: CatalogImport) -> dict[str, int]:
    """Return how many entries came to each verdict."""
    counted = dict(
        subject.entries.order_by()
        .values_list("action")
        .annotate(entries=Count("pk"))
        .values_list("action", "entries")
    )
    return {action: counted.get(action, 0) for action in ImportEntry.Action.values}


def outcome_counts(subject: CatalogImport) -> dict[str, int]:
    """Return how many entries came to each outcome of the adoption."""
    counted = dict(
        subject.entries.order_by()
        .exclude(outcome="")
        .values_list("outcome")
        .annotate(entries=Count("pk"))
        .values_list("outcome", "entries")
    )
    return {name: counted.get(name, 0) for name in ImportEntry.Outcome.values}


@dataclass(frozen=True, slots=True)
class Lacking:
    """A draft that a spreadsheet brought, with what validation finds in it."""

    entry: ImportEntry
    dataset: Dataset
    remarks: list[Remark]

    @property
    def errors(self) -> list[Remark]:
        return [remark for remark in self.remarks if remark.is_error]


def drafts_of(subject: CatalogImport) -> QuerySet[ImportEntry]:
    """Return the adopted entries that are drafts still, in the order of the file."""
    written = [ImportEntry.Outcome.CREATED, ImportEntry.Outcome.REVISED]
    return subject.entries.filter(outcome__in=written, dataset__status__in=EDITABLE).order_by(
        "position"
    )


def lacking_in(subject: CatalogImport, *, on: date) -> list[Lacking]:
    """Return the drafts with what they lack; the number of statements does not grow with them."""
    entries = list(
        drafts_of(subject)
        .select_related("dataset__department")
        .prefetch_related("dataset__items")
        .defer("proposal", "faults")
    )
    datasets = [entry.dataset for entry in entries if entry.dataset is not None]
    systems = significant_systems({dataset.department_id for dataset in datasets})
    conclusions = latest_conclusions([dataset.pk for dataset in datasets])
    found = []
    for entry, dataset in zip(entries, datasets, strict=True):
        around = Around(
            on, systems.get(dataset.department_id, frozenset()), conclusions.get(dataset.pk, {})
        )
        remarks = remarks_about(dataset, list(dataset.items.all()), around)
        found.append(Lacking(entry, dataset, remarks))
    return found


def undecided(subject: CatalogImport) -> list[ImportEntry]:
    """Return the entries with a conflict that nobody has decided."""
    conflicting = subject.entries.filter(action=ImportEntry.Action.CONFLICT)
    return [entry for entry in conflicting if entry.open_clashes]
