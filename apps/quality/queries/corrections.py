"""What is asked of corrections: lists, and the marks that readers of data are shown."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from django.db.models import Q, QuerySet

from apps.accounts.models import User
from apps.core import access
from apps.quality.models import CORRECTION_OVER, Correction

WHOLE_ROW: Final = ""
"""Stands among the items of a mark where the whole record is doubted."""

Marks = Mapping[int, frozenset[str]]

MY_MOVES: Final[dict[str, tuple[str, ...]]] = {
    "raised": ("accept",),
    "accepted": ("verify",),
    "verifying": ("uphold",),
    "correcting": ("hand_in",),
    "feedback": ("close",),
    "contested": ("send_back",),
}


def visible_corrections(actor: User, at: datetime | None = None) -> QuerySet[Correction]:
    """Return the corrections that the person may see, with what a list shows of them."""
    return access.rows(actor, "view", Correction, at=at).select_related(
        "dataset__department", "department", "handler", "system", "raised_by", "batch"
    )


def corrections_awaiting(actor: User, at: datetime | None = None) -> QuerySet[Correction]:
    """Return the corrections on which the person, or who he stands in for, owes the next step."""
    found = Q(pk__in=[])
    for status, names in MY_MOVES.items():
        for name in names:
            rows = access.rows(actor, name, Correction.objects.filter(status=status), at=at)
            found |= Q(pk__in=rows.values("pk"))
    return Correction.objects.filter(found)


def open_on_dataset(dataset_id: int) -> QuerySet[Correction]:
    """Return the corrections of the dataset as a whole that are open."""
    return Correction.objects.filter(dataset=dataset_id, scope="dataset").exclude(
        status__in=CORRECTION_OVER
    )


def has_marks(dataset_id: int) -> bool:
    """Say whether any record of the dataset is marked: one look into a small index."""
    return _marked(dataset_id).exists()


def marks_between(dataset_id: int, first: int, last: int) -> Marks:
    """Return, by `_id`, the items marked on the records from `first` to `last`, both included."""
    return _by_row(_marked(dataset_id).filter(row_id__gte=first, row_id__lte=last))


def marks_of_row(dataset_id: int, row_id: int) -> frozenset[str]:
    """Return the items marked on one record."""
    return marks_between(dataset_id, row_id, row_id).get(row_id, frozenset())


def changed_marks(dataset_id: int, since: datetime, items: Sequence[str] | None = None) -> Marks:
    """Return, by `_id`, what is marked now on records whose marks may have changed since then.

    Of corrections of these items (all unless told) or of a whole record; an empty set means that
    the record is no longer marked. For the change feed: a mark that comes or goes changes no row of
    the table.
    """
    corrections = Correction.objects.filter(
        dataset=dataset_id, row_id__isnull=False, updated_at__gte=since
    )
    if items is not None:
        corrections = corrections.filter(item__in=[*items, WHOLE_ROW])
    touched = set(corrections.values_list("row_id", flat=True))
    found = _by_row(_marked(dataset_id).filter(row_id__in=touched))
    return {row_id: found.get(row_id, frozenset()) for row_id in touched if row_id is not None}


def shown_marks(marked: frozenset[str], columns: Sequence[str]) -> list[str]:
    """Return those of the columns that are marked, in their order; the whole record means all."""
    if WHOLE_ROW in marked:
        return list(columns)
    return [name for name in columns if name in marked]


def _marked(dataset_id: int) -> QuerySet[Correction]:
    return Correction.objects.filter(dataset=dataset_id, row_id__isnull=False, is_marked=True)


def _by_row(rows: QuerySet[Correction]) -> dict[int, frozenset[str]]:
    found: dict[int, set[str]] = {}
    pairs: Iterable[tuple[int | None, str]] = rows.order_by().values_list("row_id", "item")
    for row_id, item in pairs:
        if row_id is not None:
            found.setdefault(row_id, set()).add(item)
    return {row_id: frozenset(items) for row_id, items in found.items()}
