"""The uploaded sheet again, with a verdict beside each row and the faulty cells coloured."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import xlsxwriter
from django.utils.translation import gettext as _

from apps.catalog.models.imports import CatalogImport, ImportEntry
from apps.catalog.spreadsheets.headings import MARKED
from apps.core import files
from apps.core.workbooks.reading import FORMULA_MARK, Row, SheetBegins, pieces_of

_COLOURS: Final = {"error": "#F8C9C4", "due": "#FBE3B5", "warning": "#FFF6CC"}
_WEIGHT: Final = {"error": 3, "due": 2, "warning": 1}
_CELL_LIMIT = 32_000


@dataclass(slots=True)
class _Marks:
    """What is said of one row: the verdict, words, and its cells by column letters."""

    verdict: str = ""
    words: list[str] = field(default_factory=list)
    cells: dict[str, str] = field(default_factory=dict)


def write_marked(subject: CatalogImport, path: Path) -> None:
    """Write the result file of a checked import.

    Raises:
        Refusal: the kept file cannot be read again.
    """
    marks = _marks_of(subject.entries.defer("proposal").order_by("position").iterator())
    tables = {table["sheet"]: table for table in subject.summary.get("tables", ())}
    book = xlsxwriter.Workbook(
        str(path), {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_urls": False}
    )
    formats = {name: book.add_format({"bg_color": colour}) for name, colour in _COLOURS.items()}
    formats["heading"] = book.add_format({"bold": True, "bg_color": "#E4E9F2"})
    formats["wrap"] = book.add_format({"text_wrap": True, "valign": "top"})
    used: set[str] = set()
    sheet: Any = None
    name, width, heading_row = "", 0, 0
    with pieces_of(files.path_of(subject.sha256), subject.file_name) as pieces:
        for piece in pieces:
            if isinstance(piece, SheetBegins):
                table = tables.get(piece.name)
                name, sheet = piece.name, None
                if table is not None:
                    sheet = book.add_worksheet(_free_name(piece.name, used))
                    width, heading_row = table["width"], table["last_row"]
                    _lay_out(sheet, width, heading_row)
            elif isinstance(piece, Row) and sheet is not None:
                mark = marks.get((name, piece.number))
                if piece.number == heading_row:
                    _write_headings(sheet, piece, formats["heading"], width)
                elif piece.number < heading_row or len({*piece.cells} - {""}) == 1:
                    _write(sheet, Row(piece.number, _unmerged(piece.cells)), mark, formats, width)
                else:
                    _write(sheet, piece, mark, formats, width)
    if not used:
        book.add_worksheet()
    book.close()


def _lay_out(sheet: Any, width: int, heading_row: int) -> None:
    sheet.set_column(0, max(width - 1, 0), 14)
    sheet.set_column(width, width, 12)
    sheet.set_column(width + 1, width + 1, 80)
    sheet.freeze_panes(heading_row, 0)


def _write_headings(sheet: Any, row: Row, look: Any, width: int) -> None:
    for place, text in enumerate([*row.cells[:width], *[""] * (width - len(row.cells)), *MARKED]):
        if text:
            sheet.write_string(row.number - 1, place, text[:_CELL_LIMIT], look)


def _unmerged(cells: Sequence[str]) -> list[str]:
    """Write a title once, where reading filled it into every cell that it covers."""
    return ["" if place and cell == cells[place - 1] else cell for place, cell in enumerate(cells)]


def _free_name(name: str, used: set[str]) -> str:
    plain = "".join("_" if letter in "[]:*?/\\'" else letter for letter in name)[:28] or "Sheet"
    free, number = plain, 1
    while free.lower() in used:
        number += 1
        free = f"{plain}{number}"
    used.add(free.lower())
    return free


def _write(
    sheet: Any, row: Row, mark: _Marks | None, formats: Mapping[str, Any], width: int
) -> None:
    from apps.core.workbooks.refusal import letters

    line = row.number - 1
    coloured = mark.cells if mark else {}
    last = max(len(row.cells), width if coloured else 0)
    for place in range(min(last, width)):
        cell = row.cells[place] if place < len(row.cells) else ""
        look = formats.get(coloured.get(letters(place), ""))
        if cell:
            text = cell.removeprefix(FORMULA_MARK)[:_CELL_LIMIT]
            sheet.write_string(line, place, text, look)
        elif look is not None:
            sheet.write_blank(line, place, None, look)
    if mark is None:
        return
    if mark.verdict:
        sheet.write_string(line, width, mark.verdict)
    if mark.words:
        sheet.write_string(line, width + 1, "\n".join(mark.words)[:_CELL_LIMIT], formats["wrap"])


def _marks_of(entries: Iterable[ImportEntry]) -> dict[tuple[str, int], _Marks]:
    marks: dict[tuple[str, int], _Marks] = {}
    for entry in entries:
        first = marks.setdefault((entry.sheet, entry.first_row), _Marks())
        first.verdict = str(entry.get_action_display())
        if entry.note:
            first.words.append(entry.note)
        for fault in entry.faults:
            mark = marks.setdefault((entry.sheet, fault["row"] or entry.first_row), _Marks())
            mark.words.append(_words(fault))
            letter = fault["cell"].rstrip("0123456789")
            if letter:
                known = mark.cells.get(letter, "warning")
                worse = _WEIGHT[fault["level"]] >= _WEIGHT[known]
                mark.cells[letter] = fault["level"] if worse else known
    return marks


def _words(fault: Mapping[str, Any]) -> str:
    place = f"{fault['cell']}：" if fault["cell"] else ""
    remedy = _("（改法：%(remedy)s）") % {"remedy": fault["remedy"]} if fault["remedy"] else ""
    return f"{place}{fault['message']}{remedy}"
