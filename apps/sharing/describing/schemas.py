"""JSON Schema of what is read and sent, item by item, and values that look like theirs.

Source: JSON Schema 2020-12, of which OpenAPI 3.1 is a user; `gateway.formats` writes the values
"""

from typing import Any, Final

from apps.sharing.describing.subjects import Item
from apps.sharing.gateway.trial import invented
from apps.standards.masks import MASKS
from apps.standards.types import TEXT_TYPES, DataType

MOST_CODES: Final = 300
Schema = dict[str, Any]

_DECIMAL: Final = r"^-?\d+(\.\d+)?$"
_BY_TYPE: Final[dict[str, Schema]] = {
    **{letter: {"type": "string"} for letter in TEXT_TYPES},
    DataType.NUMBER: {"type": "string", "pattern": _DECIMAL},
    DataType.MONEY: {"type": "string", "pattern": _DECIMAL},
    DataType.INTEGER: {"type": "integer", "format": "int64"},
    DataType.DOUBLE: {"type": "number", "format": "double"},
    DataType.FLOAT: {"type": "number", "format": "double"},
    DataType.BOOLEAN: {"type": "boolean"},
    DataType.DATE: {"type": "string", "format": "date"},
    DataType.DATETIME: {
        "type": "string",
        "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$",
    },
}
_EXAMPLES: Final[dict[str, Any]] = {
    DataType.NUMBER: "12.5",
    DataType.MONEY: "1200.50",
    DataType.INTEGER: 12,
    DataType.DOUBLE: 12.5,
    DataType.FLOAT: 12.5,
    DataType.BOOLEAN: True,
    DataType.DATE: "2026-01-05",
    DataType.DATETIME: "2026-01-05T08:30:00",
}


def of_item(item: Item) -> Schema:
    """Return the schema of an item as it is read: named in Chinese, null where it may be."""
    schema: Schema = {"title": item.label, **of_value(item)}
    ending = item.ending
    if item.readable.is_masked or ending or not item.column.required:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    notes = [str(item.about)] if item.about else []
    if item.codes:
        notes.append("；".join(f"{code} {name}" for code, name in _few(item.codes).items()))
    if notes:
        schema["description"] = "\n".join(notes)
    if ending:
        schema["deprecated"] = True
    if item.mask:
        schema["x-mask"] = str(item.mask_label)
    schema["examples"] = [example_of(item)]
    return schema


def of_value(item: Item) -> Schema:
    """Return the schema of a value of the item, as answered or in a filter."""
    schema = dict(_BY_TYPE[item.readable.type])
    column = item.column
    if item.readable.is_masked:
        return schema
    if item.codes and len(item.codes) <= MOST_CODES:
        schema["enum"] = list(item.codes)
    elif item.readable.type in TEXT_TYPES and column.length:
        schema["maxLength"] = column.length
    return schema


def example_of(item: Item) -> Any:
    """Return a value that looks like the item's and is nobody's; of a masked text, a masked one."""
    if item.mask:
        return _masked_example(item)
    if item.codes:
        return next(iter(item.codes))
    if item.readable.type in TEXT_TYPES:
        return invented.text_of(item.column, 1)
    return _EXAMPLES[item.readable.type]


def written_example(item: Item) -> str:
    """Return the example as an address or a file writes it."""
    value = example_of(item)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _masked_example(item: Item) -> Any:
    if item.mask == "hide":
        return "***" if item.readable.type in TEXT_TYPES else None
    if item.readable.type in TEXT_TYPES:
        return MASKS[item.mask].example[1]
    return 2026 if item.mask == "year_of_date" else _EXAMPLES[item.readable.type]


def _few(codes: dict[str, str]) -> dict[str, str]:
    return dict(list(codes.items())[:MOST_CODES])
