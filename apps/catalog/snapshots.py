"""A catalogue entry's fields as they stood, as plain values: what a version keeps."""

from datetime import date, datetime
from typing import Any, Final

from django.db.models import Model

from apps.catalog.models import DataItem, Dataset

DATASET_FIELDS: Final = (
    "name",
    "internal_unit",
    "abstract",
    "format_class",
    "format_type",
    "sharing_attribute",
    "sharing_scope",
    "sharing_condition",
    "sharing_reason",
    "sharing_statute",
    "mode_class",
    "mode_type",
    "note",
    "opening_attribute",
    "opening_condition",
    "update_cycle",
    "release_on",
    "holds_no_secrets",
    "legal_duty",
    "service_item",
    "system",
    "source_department",
    "grade",
    "contains_personal",
    "contains_sensitive",
    "themes",
    "contact_name",
    "contact_phone",
    "key_items",
    "dirty_limit_ratio",
    "dirty_limit_rows",
    "dirty_limit_action",
)
"""What an editor may change; department, classification and code stay."""

ITEM_FIELDS: Final = (
    "position",
    "name",
    "column_name",
    "data_type",
    "length",
    "scale",
    "required",
    "sharing_attribute",
    "sharing_condition",
    "mode",
    "opening_attribute",
    "opening_condition",
    "grade",
    "personal",
    "sensitive",
    "data_element",
    "code_list",
    "value_check",
    "pattern",
    "minimum",
    "maximum",
    "mask",
    "headings",
    "normalise",
    "description",
)


def snapshot_of(dataset: Dataset) -> dict[str, Any]:
    """Return the entry with its items in plain JSON values; pointers as codes.

    Fetch `department`, `classification`, `system`, `source_department` and the items with their
    `data_element` and `code_list`, and `related`, beforehand when there are many.
    """
    return {
        "code": dataset.code,
        "department": dataset.department.code,
        "classification": dataset.classification.code,
        **{name: plain(getattr(dataset, name)) for name in DATASET_FIELDS},
        "related": sorted(other.code for other in dataset.related.all()),
        "items": [
            {name: plain(getattr(item, name)) for name in ITEM_FIELDS} for item in _items(dataset)
        ],
    }


def _items(dataset: Dataset) -> list[DataItem]:
    return sorted(dataset.items.all(), key=lambda item: (item.position, item.pk))


def plain(value: Any) -> Any:
    """Return a field's value as a snapshot keeps it: JSON, pointers as codes."""
    if isinstance(value, Model):
        return getattr(value, "code", str(value.pk))
    if isinstance(value, date | datetime):
        return value.isoformat()
    return list(value) if isinstance(value, list | tuple) else value
