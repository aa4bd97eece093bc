"""The items of terms that may be cut down: each as it stands, and as it was typed so far."""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.catalog.models import Dataset
from apps.sharing import queries
from apps.sharing.operations.deciding.narrowing import masks_left


def item_rows(
    dataset: Dataset, entries: Sequence[Mapping[str, str]], data: Any
) -> list[dict[str, Any]]:
    """Return a row for each entry of the terms; data: what was posted, None at first."""
    known = {item.column_name: item for item in dataset.items.select_related("dataset")}
    return [
        {
            "name": entry["name"],
            "label": entry["label"],
            "item": known.get(entry["name"]),
            "asked_mask": queries.mask_label(entry["mask"]),
            "must_mask": bool(entry["mask"]),
            "ticked": data is None or entry["name"] in data.getlist("items"),
            "mask": _mask_of(entry, data),
            "masks": masks_left(known.get(entry["name"]), entry["mask"]),
        }
        for entry in entries
    ]


def chosen_items(entries: Sequence[Mapping[str, str]], data: Any) -> dict[str, str]:
    """Return the items to give with their masks: as typed, or as they stand at first."""
    return {
        entry["name"]: _mask_of(entry, data)
        for entry in entries
        if data is None or entry["name"] in data.getlist("items")
    }


def _mask_of(entry: Mapping[str, str], data: Any) -> str:
    return entry["mask"] if data is None else data.get(f"mask-{entry['name']}", entry["mask"])
