"""What a new item is given when whoever enters it says no more than its name."""

from collections.abc import Collection
from typing import Any, Final

from apps.standards.models import DataElement
from apps.standards.types import DataType

# What an element of the standards gives to an item of its name that says nothing else.
FROM_ELEMENT: Final = ("column_name", "length", "scale", "value_check", "mask")


def follow_element(row: dict[str, Any], element: DataElement, used: Collection[str]) -> None:
    """Give a new item what the standard says and its row leaves open; `used` columns are taken."""
    says_nothing = row.get("data_type", DataType.TEXT) == DataType.TEXT and not row.get("length")
    for name in FROM_ELEMENT:
        if row.get(name) in (None, "") and getattr(element, name) not in (None, ""):
            row[name] = getattr(element, name)
    if row["column_name"] in used:
        row["column_name"] = ""
    if says_nothing:
        row["data_type"] = element.data_type
    row["data_element"], row["code_list"] = element, element.code_list
    row["sensitive"] = row.get("sensitive") or element.sensitive
    row["personal"] = row.get("personal") or element.personal or element.sensitive


def provisional_column(used: Collection[str]) -> str:
    """Return a column name for an item that nobody has named yet."""
    number = 1
    while f"item_{number}" in used:
        number += 1
    return f"item_{number}"
