"""The entries that a file may mean: by code, by name in their department, as they now are."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import Count, Max

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
IN_FORCE: Final = frozenset({"published", "withdrawal_requested"})
COUNTED: Final = "·普查"


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """What tells one entry from others.

    version: the number in force, 0 before any; count: how often its census numbers were written.
    """

    pk: int
    code: str
    name: str
    department_id: int
    status: str
    revision: int
    version: int
    has_open_change: bool
    count: int = 0

    @property
    def stamp(self) -> str:
        """What an export writes for where the row's fields came from."""
        return str(self.version) if self.version else f"草稿{self.revision}"

    @property
    def whole_stamp(self) -> str:
        """The same with its census numbers, which go their own way: 3, or 3·普查2."""
        return f"{self.stamp}{COUNTED}{self.count}" if self.count else self.stamp


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
    """Return what tells these entries apart, in four statements."""
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
    counts = dict(
        CensusFigures.history.filter(dataset__in=keys)
        .order_by()
        .values("dataset")
        .annotate(number=Count("pk"))
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
            count=counts.get(key, 0),
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
        row.dataset_id: _plain_census(row) for row in CensusFigures.objects.filter(dataset__in=keys)
    }


def former_census(wanted: Mapping[int, int]) -> dict[int, dict[str, str | None]]:
    """Return the numbers as they stood when they had been written so often, by entry."""
    rows = CensusFigures.history.filter(dataset__in=wanted.keys())
    found: dict[int, dict[str, str | None]] = {}
    times: dict[int, int] = {}
    for row in rows.order_by("history_date", "history_id"):
        times[row.dataset_id] = times.get(row.dataset_id, 0) + 1
        if times[row.dataset_id] == wanted[row.dataset_id]:
            found[row.dataset_id] = _plain_census(row)
    return found


def _plain_census(row: Any) -> dict[str, str | None]:
    values = ((name, getattr(row, name)) for name in CENSUS_FIELDS)
    return {name: None if value is None else plain_number(value) for name, value in values}


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
