"""The exported workbook as its editors have it: entries, their rows, cells by field."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import xlsxwriter
from python_calamine import CalamineWorkbook

from apps.catalog.spreadsheets.columns import COLUMNS
from apps.core.workbooks.refusal import letters

LABELS = [column.label for column in COLUMNS]
PLACES = {column.name: place for place, column in enumerate(COLUMNS)}


@dataclass(frozen=True)
class Formula:
    """A formula with what it came to, "" when it was never worked out."""

    text: str
    result: str = ""


Cell = str | Formula


@dataclass(eq=False)
class Row:
    """One row by field; `number` as the spreadsheet counts, once the page is written.

    column: the item's as it came, whatever its cell says now.
    """

    cells: dict[str, Cell]
    column: str = ""
    number: int = 0

    def text(self, name: str) -> str:
        return str(self.cells.get(name, ""))


@dataclass(eq=False)
class Entry:
    """The rows of one entry, and what the platform knew of it when the page went out.

    state: as `spreadsheets.known.present_states` gives it; taken: what an edit has changed already.
    """

    code: str
    rows: list[Row]
    state: dict[str, Any] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def take(self, *keys: str) -> bool:
        """Reserve parts of the entry for one edit; false when another has one of them."""
        if self.taken & {*keys}:
            return False
        self.taken |= {*keys}
        return True

    @property
    def first(self) -> Row:
        return self.rows[0]

    @property
    def items(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.state["items"]
        return rows

    def row_of(self, column: str) -> Row:
        return next(row for row in self.rows if row.column == column)

    def write(self, name: str, text: Cell, *, everywhere: bool = False) -> None:
        """Fill a cell of the entry's own, in its first row or in all of them."""
        for row in self.rows if everywhere else self.rows[:1]:
            row.cells[name] = text


class Page:
    """All rows in their order. merged: a field and the rows over which its cell is merged."""

    def __init__(self, headings: Sequence[str], lines: Sequence[Sequence[Any]]) -> None:
        names = {column.label: column.name for column in COLUMNS}
        self.names = [names[str(heading)] for heading in headings]
        self.entries: dict[str, Entry] = {}
        self.rows: list[Row] = []
        self.merged: list[tuple[str, Sequence[Row]]] = []
        for line in lines:
            pairs = zip(self.names, line, strict=True)
            row = Row({name: str(cell) for name, cell in pairs if cell not in ("", None)})
            row.column = row.text("item.column_name")
            self.rows.append(row)
            entry = self.entries.setdefault(row.text("code"), Entry(row.text("code"), []))
            entry.rows.append(row)

    @classmethod
    def read(cls, content: bytes) -> "Page":
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        lines = book.get_sheet_by_index(0).to_python()
        return cls([str(cell) for cell in lines[0]], lines[1:])

    def add_after(self, row: Row, new: Row) -> None:
        self.rows.insert(self.rows.index(row) + 1, new)

    def move(self, row: Row, *, before: Row) -> None:
        self.rows.remove(row)
        self.rows.insert(self.rows.index(before), row)

    def written(self) -> bytes:
        """Return the workbook with its headings and stamps; every row learns its number."""
        content = io.BytesIO()
        book = xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_urls": False})
        sheet = book.add_worksheet("数据目录")
        for place, name in enumerate(self.names):
            sheet.write_string(0, place, LABELS[PLACES[name]])
        places = {name: place for place, name in enumerate(self.names)}
        for number, row in enumerate(self.rows, 2):
            row.number = number
            for name, cell in row.cells.items():
                if isinstance(cell, Formula):
                    sheet.write_formula(number - 1, places[name], cell.text, None, cell.result)
                elif cell:
                    sheet.write_string(number - 1, places[name], cell)
        for name, rows in self.merged:
            first, last = rows[0].number - 1, rows[-1].number - 1
            sheet.merge_range(first, places[name], last, places[name], rows[0].text(name))
        book.close()
        return content.getvalue()

    def cell(self, row: Row, name: str) -> str:
        """Return the cell's name (F12), "" where the page has no such column."""
        return f"{letters(self.names.index(name))}{row.number}" if name in self.names else ""
