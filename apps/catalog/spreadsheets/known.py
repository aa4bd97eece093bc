"""The entries that a file may mean: by code, by name in their department, as they now are."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import Max

from apps.catalog.models import Dataset, DatasetChange, DatasetVersion
from apps.catalog.models.change import OPEN_CHANGE
from apps.catalog.models.imports import CensusFigures
from apps.catalog.snapshots import snapshot_of
from apps.catalog.spreadsheets.cells import plain_number
from apps.catalog.surroundings import significant

CENSUS_FIELDS: Final = (
    "storage_total",
    "records_total",
    "storage_shared",
    "records_shared",
    "storage_opened",
    "records_opened",
)


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """What tells one entry from others. version: the number in force, 0 before any."""

    pk: int
    code: str
    name: str
    department_id: int
    status: str
    revision: int
    version: int
    has_open_change: bool

    @property
    def stamp(self) -> str:
        """What an export writes for where the row came from."""
        return str(self.version) if self.version else f"草稿{self.revision}"


@dataclass(slots=True)
class KnownEntries:
    by_code: dict[str, KnownEntry] = field(default_factory=dict)
    by_name: dict[tuple[int, str], KnownEntry] = field(default_factory=dict)

    @classmethod
    def load(cls, departments: Collection[int] | None, codes: Collection[str]) -> "KnownEntries":
        """Read the entries of the departments (None: of all) and those of the codes."""
        known = cls()
        entries = Dataset.objects.all()
        if departments is not None:
            entries = entries.filter(department__in=departments) | entries.filter(code__in=codes)
        for entry in known_entries(entries):
            known.by_code[entry.code] = entry
            if entry.status != "withdrawn":
                known.by_name[entry.department_id, significant(entry.name)] = entry
        return known


def known_entries(entries: Any) -> Iterable[KnownEntry]:
    """Return what tells these entries apart, in three statements."""
    rows = list(
        entries.order_by().values_list("pk", "code", "name", "department_id", "status", "revision")
    )
    keys = [row[0] for row in rows]
    versions = dict(
        DatasetVersion.objects.filter(dataset__in=keys)
        .order_by()
        .values("dataset")
        .annotate(number=Max("number"))
        .values_list("dataset", "number")
    )
    changing = set(
        DatasetChange.objects.filter(dataset__in=keys, status__in=OPEN_CHANGE).values_list(
            "dataset", flat=True
        )
    )
    return [
        KnownEntry(
            pk=key,
            code=code,
            name=name,
            department_id=department,
            status=status,
            revision=revision,
            version=versions.get(key, 0),
            has_open_change=key in changing,
        )
        for key, code, name, department, status, revision in rows
    ]


def present_states(keys: Collection[int]) -> dict[int, dict[str, Any]]:
    """Return entries as snapshots with their items' keys, their census, and `related`."""
    entries = (
        Dataset.objects.filter(pk__in=keys)
        .select_related("department", "classification", "system", "source_department")
        .prefetch_related("items__data_element", "items__code_list", "related")
    )
    census = census_of(keys)
    states = {}
    for entry in entries:
        state = snapshot_of(entry)
        items = sorted(entry.items.all(), key=lambda item: (item.position, item.pk))
        for row, item in zip(state["items"], items, strict=True):
            row["pk"] = item.pk
        state["related"] = sorted(other.code for other in entry.related.all())
        state["census"] = census.get(entry.pk, {})
        states[entry.pk] = state
    return states


def census_of(keys: Collection[int]) -> dict[int, dict[str, str | None]]:
    """Return the census numbers of entries as plain texts."""
    return {
        row.dataset_id: {
            name: None if getattr(row, name) is None else plain_number(getattr(row, name))
            for name in CENSUS_FIELDS
        }
        for row in CensusFigures.objects.filter(dataset__in=keys)
    }


def former_states(wanted: Collection[tuple[int, int]]) -> dict[tuple[int, int], dict[str, Any]]:
    """Return the snapshots of versions by (entry, number); an empty one tells nothing."""
    rows = DatasetVersion.objects.filter(
        dataset__in={key for key, _number in wanted}, number__in={n for _key, n in wanted}
    ).values_list("dataset", "number", "snapshot")
    return {
        (dataset, number): snapshot
        for dataset, number, snapshot in rows
        if (dataset, number) in wanted and snapshot.get("items") is not None
    }
