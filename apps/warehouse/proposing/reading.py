"""Open a file of which no contract is known: find its heading, then read it as landing does."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from apps.core.contracts import Column, Contract
from apps.core.workbooks.refusal import Refusal
from apps.warehouse.arriving import matched
from apps.warehouse.landing.forms import text_of
from apps.warehouse.landing.forms.kinds import LABELS, WORKBOOKS, kind_of
from apps.warehouse.landing.forms.packed import unpack
from apps.warehouse.landing.header import headings_of
from apps.warehouse.landing.layout import HEADER_WITHIN, Layout, Numbered
from apps.warehouse.landing.survey import Survey, survey
from apps.warehouse.previewing import first_rows

_NUMERIC: Final = re.compile(r"[-+]?[\d.,/:%\s-]+")
_FULL_SHARE: Final = 0.8


@dataclass(frozen=True, slots=True)
class Opened:
    """headings: by the column names under which the text is read; form: what the file was."""

    survey: Survey
    headings: Mapping[str, str]
    columns: Sequence[str]
    form: str
    notes: Mapping[str, Any]
    heading_is_doubtful: bool


def opened(path: Path, file_name: str, workplace: Path) -> Opened:
    """Read the file below the row that looks most like headings.

    Raises:
        Refusal: it holds no table, or one that cannot be read.
    """
    kind = kind_of(path, file_name)
    form = LABELS[kind]
    if kind in ("zip", "gz"):
        target = workplace / "unpacked"
        file_name = unpack(path, kind, file_name, target)
        path, kind = target, kind_of(target, file_name)
        form = f"{form} · {LABELS[kind]}"
    sheet, row = "", 0
    words: list[str] = []
    if kind == "text" or kind in WORKBOOKS:
        sheet, row, words = _headings(path, file_name)
    contract = _stand_in(words or ["_"])
    layout = Layout(
        sheet=sheet,
        header_row=row,
        header_rows=1 if row else 0,
        columns={each.label: each.name for each in contract.columns} if words else {},
    )
    text = text_of(path, file_name=file_name, workplace=workplace, contract=contract, layout=layout)
    found = survey(text.path, workplace=workplace, original=path, lines=text.lines)
    if not words:
        words = headings_of(found.header, found.delimiter)
        contract = _stand_in(words)
    read = matched(found, text, contract, workplace, layout, only_key=False)
    return Opened(
        read.survey,
        {each.name: each.label for each in contract.columns if each.name in read.columns},
        read.columns,
        form,
        read.notes,
        any(_NUMERIC.fullmatch(word) for word in words),
    )


def _stand_in(words: Sequence[str]) -> Contract:
    """A contract that takes any text under these headings, only to have the file read."""
    columns = tuple(
        Column(f"column_{place}", word, "M") for place, word in enumerate(words) if word.strip()
    )
    if not columns:
        raise Refusal(code="heading_missing")
    return Contract(0, "", columns, (columns[0].name,))


def _headings(path: Path, file_name: str) -> tuple[str, int, list[str]]:
    """Return sheet, row and words of what looks most like headings."""
    sheets = first_rows(path, file_name, HEADER_WITHIN + 20, "")
    best, filled = "", -1
    for name, rows in sheets.items():
        cells = sum(1 for _number, row in rows for cell in row if cell)
        if cells > filled:
            best, filled = name, cells
    number, cells_of_row = _heading_row(sheets.get(best, []))
    return best, number, list(cells_of_row)


def _heading_row(rows: Sequence[Numbered]) -> Numbered:
    """The first row as wide as the table of which no cell is a number; else the first one so wide.

    Raises:
        Refusal: `heading_missing`, where every row is empty.
    """
    width = max((sum(1 for cell in row if cell) for _number, row in rows), default=0)
    wide = [
        (number, row)
        for number, row in rows[:HEADER_WITHIN]
        if width and sum(1 for cell in row if cell) >= _FULL_SHARE * width
    ]
    for number, row in wide:
        filled = [cell for cell in row if cell]
        if len(set(filled)) == len(filled) and not any(map(_NUMERIC.fullmatch, filled)):
            return number, row
    if not wide:
        raise Refusal(code="heading_missing")
    return wide[0]
