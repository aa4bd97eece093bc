"""Keep what the catalogue is searched by; called by every operation that changes an entry.

No use case of its own: it asks no permission and leaves no event, as it changes nothing but the
index.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import F, Prefetch, Q

from apps.catalog import search
from apps.catalog.models import DataItem, Dataset, DatasetStatus, SearchEntry
from apps.core import jobs

CHUNK: Final = 500


def refresh(dataset: Dataset, *, at: datetime) -> None:
    """Write the index of one entry anew, inside the operation that changed it.

    What came into force may be what another department collects, too: the radar is woken.
    """
    refresh_many([dataset.pk], at=at)
    if dataset.status == DatasetStatus.PUBLISHED:
        jobs.wake("catalog.scan_duplicates")


@transaction.atomic
def refresh_many(keys: Iterable[int], *, at: datetime) -> int:
    """Write the index of many entries anew; return of how many. Keys without an entry are left."""
    wanted = list(keys)
    done = 0
    for start in range(0, len(wanted), CHUNK):
        done += _refresh_chunk(wanted[start : start + CHUNK], at)
    return done


def _refresh_chunk(keys: list[int], at: datetime) -> int:
    items = DataItem.objects.order_by("position", "pk")
    datasets = (
        Dataset.objects.filter(pk__in=keys)
        .select_related("department__region", "classification", "system")
        .prefetch_related(Prefetch("items", items))
    )
    rows = [
        search.search_entry_of(dataset, list(dataset.items.all()), at=at) for dataset in datasets
    ]
    SearchEntry.objects.bulk_create(
        rows,
        update_conflicts=True,
        update_fields=list(search.FIELDS),
        unique_fields=["dataset"],
        batch_size=100,
    )
    return len(rows)


def refresh_stale(*, at: datetime) -> int:
    """Write anew what the index is behind with: entries that came or changed past an operation.

    A reform of departments changes entries so.
    """
    stale = Dataset.objects.filter(
        Q(search_entry=None)
        | ~Q(search_entry__revision=F("revision"))
        | ~Q(search_entry__status=F("status"))
        | ~Q(search_entry__department=F("department"))
    )
    return refresh_many(list(stale.values_list("pk", flat=True)), at=at)


def note_data(dataset: int, *, has_data: bool) -> None:
    """Note whether the entry of that key has rows; the warehouse says so when a batch lands."""
    SearchEntry.objects.filter(pk=dataset).exclude(has_data=has_data).update(has_data=has_data)
