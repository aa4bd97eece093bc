"""Find the row of headings below titles and remarks, in one row or two, by any of their names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from apps.catalog.spreadsheets.columns import COLUMNS
from apps.catalog.surroundings import significant
from apps.core.workbooks.refusal import letters

SEARCHED_ROWS: Final = 30
LEAST_FOUND: Final = 3
MARKED: Final = ("检查结果", "问题和改法")
"""The columns that the result file adds; when it is uploaded again nobody reads them."""

_NUMBERING: Final = frozenset({"序号", "编号", "no", "行号"})
"""Columns that count the rows: nobody misses them."""

_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Table:
    """What each column of a sheet means.

    places: column by its field's name, from 0; unknown: headings that mean nothing to us, by their
    cell; doubled: headings that say again what an earlier column says; last_row: of the headings.
    """

    sheet: str
    places: Mapping[str, int]
    last_row: int
    unknown: Sequence[tuple[str, str]] = ()
    doubled: Sequence[tuple[str, str]] = ()
    headings: Sequence[str] = field(default=())


def _named() -> dict[str, str]:
    known: dict[str, str] = {}
    for column in COLUMNS:
        for heading in (column.label, *column.aliases):
            known.setdefault(plain(heading), column.name)
    return known


def plain(heading: str) -> str:
    """Return what distinguishes a heading: no space, no bracket, no star, one width."""
    return significant(heading)


_BY_HEADING: Final = _named()


def table_of(sheet: str, rows: Sequence[tuple[int, Sequence[str]]]) -> Table | None:
    """Return the headings found in the sheet's first rows, or None when there are none.

    rows: (number, cells). The row with the most headings wins; a second row below it that names
    columns the first leaves open (类, 项, 目, 细目 under 信息资源分类) belongs to it.
    """
    best: Table | None = None
    for index, (number, cells) in enumerate(rows):
        below = rows[index + 1] if index + 1 < len(rows) else None
        single = _table(sheet, number, cells, ())
        candidates = [single]
        if below is not None and below[0] == number + 1:
            candidates.append(_table(sheet, below[0], cells, below[1]))
        for found in candidates:
            if best is None or len(found.places) > len(best.places):
                best = found
    if best is None or len(best.places) < LEAST_FOUND or not {"name", "item.name"} & {*best.places}:
        return None
    return best


def _table(sheet: str, last_row: int, upper: Sequence[str], lower: Sequence[str]) -> Table:
    width = max(len(upper), len(lower))
    places: dict[str, int] = {}
    unknown, doubled, headings = [], [], []
    carried = ""
    for column in range(width):
        top = upper[column] if column < len(upper) else ""
        bottom = lower[column] if column < len(lower) else ""
        carried = top or (carried if bottom else "")
        name = _name(carried if bottom else top, bottom)
        text = (bottom or top)[:_LONGEST]
        headings.append(text)
        cell = f"{letters(column)}{last_row}"
        if name is None:
            if text and text not in MARKED and plain(text) not in _NUMBERING:
                unknown.append((cell, text))
        elif name in places:
            doubled.append((cell, text))
        else:
            places[name] = column
    while headings and headings[-1] in MARKED:
        headings.pop()
    return Table(sheet, places, last_row, unknown, doubled, headings)


def _name(top: str, bottom: str) -> str | None:
    """Two rows together say it, or the lower alone, or the upper alone."""
    for heading in (top + bottom, bottom, top if not bottom or bottom == top else ""):
        if heading and len(heading) <= _LONGEST:
            found = _BY_HEADING.get(plain(heading))
            if found is not None:
                return found
    return None
