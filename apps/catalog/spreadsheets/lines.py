"""Entries as rows of the template: texts by column, one row an item."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from apps.catalog.spreadsheets.choices import label_for, words_of_list
from apps.catalog.spreadsheets.columns import BY_NAME, CENSUS, COLUMNS, Column
from apps.catalog.spreadsheets.known import KnownEntry, known_entries, present_states
from apps.catalog.spreadsheets.references import References

CHUNK: Final = 300
# Of an entry in several rows the first says everything; these tell the others whose they are.
ON_EVERY_ROW: Final = ("name", "code", "version")
_ENTRY: Final = tuple(
    column
    for column in COLUMNS
    if column.scope == "entry"
    and "." not in column.name
    and column.name not in {"provider", "related"}
)
_ITEM: Final = tuple(column for column in COLUMNS if column.scope == "item")

Line = dict[str, str]


def lines_of(entries: Any) -> Iterator[Line]:
    """Yield the rows of the entries (a queryset), in the order of their codes.

    A few statements for each few hundred entries.
    """
    references = References.load()
    known = sorted(known_entries(entries), key=lambda entry: (entry.department_id, entry.code))
    for start in range(0, len(known), CHUNK):
        chunk = known[start : start + CHUNK]
        states = present_states([entry.pk for entry in chunk])
        for entry in chunk:
            yield from _lines(entry, states[entry.pk], references)


def _lines(entry: KnownEntry, state: Mapping[str, Any], references: References) -> Iterator[Line]:
    first = _entry_cells(entry, state, references)
    every: Line = {name: first[name] for name in ON_EVERY_ROW if name in first}
    items = state["items"] or [{}]
    for place, item in enumerate(items):
        yield {**(first if place == 0 else every), **_item_cells(item, state["key_items"])}


def _entry_cells(
    entry: KnownEntry, state: Mapping[str, Any], references: References
) -> dict[str, str]:
    cells = {}
    for column in _ENTRY:
        text = _text(column, state.get(column.name))
        if text:
            cells[column.name] = text
    department = references.department_by_id.get(entry.department_id)
    cells["related"] = "、".join(state["related"])
    cells["version"] = entry.whole_stamp
    cells["code"] = entry.code
    cells["provider"] = department.name if department else state["department"]
    cells["provider_code"] = (department.uscc or department.code) if department else ""
    for column in CENSUS:
        cells[column.name] = state["census"].get(column.name[7:]) or ""
    for level, text in enumerate(_classes(state["classification"], references), 1):
        cells[f"class.{level}"] = text
    return {name: text for name, text in cells.items() if text}


def _classes(code: str, references: References) -> list[str]:
    """The names of the classes from the top down, each with its own digits before it."""
    path = []
    node = references.classes.get(code)
    while node is not None:
        above = references.classes.get(node.parent.code) if node.parent else None
        path.append(f"{node.code.removeprefix(above.code if above else '')} {node.name}")
        node = above
    return path[::-1]


def _item_cells(item: Mapping[str, Any], keys: Sequence[str]) -> dict[str, str]:
    cells = {}
    for column in _ITEM:
        text = _text(column, item.get(column.field))
        if text:
            cells[column.name] = text
    if item.get("column_name") in keys:
        cells["item.key"] = "主体标识" if item["column_name"] == keys[0] else "主键"
    return cells


def _text(column: Column, value: Any) -> str:
    if value in (None, "", []):
        return ""
    writer = _WRITERS.get(column.kind)
    return str(value) if writer is None else writer(column.field, value)


def _number(_field: str, value: Any) -> str:
    return str(int(value)) if value == int(value) else repr(value)


_WRITERS: Final[dict[str, Callable[[str, Any], str]]] = {
    "choice": lambda field, value: label_for(field, str(value)),
    "flag": lambda _field, value: "是" if value else "否",
    "words": lambda field, value: "、".join(words_of_list(field, value)),
    "ratio": _number,
}


def headings() -> list[str]:
    return [column.label for column in COLUMNS]


def cells_of(line: Line) -> list[str]:
    """Return a row in the order of the columns; a list of codes stands as text."""
    return [line.get(name, "") for name in BY_NAME]
