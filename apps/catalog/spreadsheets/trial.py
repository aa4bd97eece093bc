"""Make an entry of plain values for the rules to look at; it is never saved."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from apps.accounts.models import Department
from apps.catalog.models import DataItem, Dataset
from apps.catalog.snapshots import DATASET_FIELDS, ITEM_FIELDS
from apps.catalog.spreadsheets.references import References

_POINTERS: Final = frozenset({"system", "source_department", "data_element", "code_list"})
_ENTRY: Final = tuple(name for name in DATASET_FIELDS if name not in _POINTERS)
_ITEM: Final = tuple(name for name in ITEM_FIELDS if name not in _POINTERS)


def trial_of(
    values: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    references: References,
    department: Department | None,
) -> tuple[Dataset, list[DataItem]]:
    """Return an unsaved entry and its items with these values; what is absent has its default."""
    fields = {name: values[name] for name in _ENTRY if name in values}
    if isinstance(fields.get("release_on"), str):
        fields["release_on"] = date.fromisoformat(fields["release_on"])
    dataset = Dataset(department=department, **fields)
    items = [
        DataItem(dataset=dataset, **{name: row[name] for name in _ITEM if name in row})
        for row in rows
    ]
    return dataset, items
