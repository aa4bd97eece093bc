"""What is asked of uploaded spreadsheets."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Q, QuerySet

from apps.catalog.models import CatalogImport, ImportEntry

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


def undecided(subject: CatalogImport) -> list[ImportEntry]:
    """Return the entries with a conflict that nobody has decided."""
    conflicting = subject.entries.filter(action=ImportEntry.Action.CONFLICT)
    return [entry for entry in conflicting if entry.open_clashes]
