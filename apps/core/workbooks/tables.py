"""Read a plain table, the rows below a heading, by field; every value stays text.

The heading may stand below titles, its columns in any order, under any of their usual names.
"""

import re
import tempfile
import unicodedata
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from django.utils.translation import gettext as _

from apps.core.workbooks.reading import FORMULA_MARK, Excess, Row, SheetBegins, pieces_of
from apps.core.workbooks.refusal import Refusal, cell_name

LIMIT_BYTES: Final = 20 << 20
ROWS: Final = 100_000
HEADER_WITHIN: Final = 10  # rows in which the heading is looked for, below titles
_DAY: Final = re.compile(r"^(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?(?: 00:00:00)?$")
_WIDE: Final = {
    wide: wide - 0xFEE0
    for first, last in ((0xFF10, 0xFF19), (0xFF21, 0xFF3A), (0xFF41, 0xFF5A))
    for wide in range(first, last + 1)
} | {0x3000: 0x20}


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row by field; `number` as the spreadsheet counts, `cells` names each field's cell (C7)."""

    number: int
    values: dict[str, str]
    cells: dict[str, str]


def rows_of(
    content: bytes, file_name: str, headings: Mapping[str, Sequence[str]], needed: Sequence[str]
) -> Iterator[TableRow]:
    """Yield the rows below the first heading of a workbook or CSV file, empty rows left out.

    headings: per field, the words by which its column may be headed; needed: fields without which
    the file is of no use. A field without a column is in no row's values.

    Raises:
        Refusal: the file cannot be read, is too long, or has no such heading.
    """
    if len(content) > LIMIT_BYTES:
        raise Refusal(
            _("文件超过 %(limit)s MB，分成几个文件导入") % {"limit": LIMIT_BYTES >> 20},
            code="file_too_large",
        )
    with closing(_rows(content, file_name)) as rows:  # at the heading's refusal too
        columns = _heading(rows, headings, set(needed))
        for row in rows:
            if isinstance(row, SheetBegins):
                return
            cells = [tidy(cell) for cell in row.cells]
            if any(cells):
                values = {
                    name: cells[at] if at < len(cells) else "" for name, at in columns.items()
                }
                places = {name: cell_name(at, row.number) for name, at in columns.items()}
                yield TableRow(row.number, values, places)


def tidy(text: str) -> str:
    """Return the text with plain letters and digits for full-width ones, and no outer space.

    Punctuation stays as it is: it belongs to names.
    """
    return text.removeprefix(FORMULA_MARK).translate(_WIDE).strip()


def day_of(text: str) -> date | None:
    """Return the day that is written, None for an empty cell.

    Raises:
        ValueError: it is no day.
    """
    if not text:
        return None
    found = _DAY.match(text)
    if found is None:
        raise ValueError(text)
    return date(int(found[1]), int(found[2]), int(found[3]))


def _rows(content: bytes, file_name: str) -> Generator[SheetBegins | Row]:
    with tempfile.TemporaryDirectory(prefix="huiliu-") as folder:
        path = Path(folder) / "table"
        path.write_bytes(content)
        with pieces_of(path, file_name, cells_limit=ROWS * 16_384) as pieces:
            for piece in pieces:
                if isinstance(piece, Excess) and piece.unit == "sheets":
                    return
                if isinstance(piece, Excess) or (isinstance(piece, Row) and piece.number > ROWS):
                    raise Refusal(
                        _("超过 %(rows)s 行，分成几个文件导入") % {"rows": f"{ROWS:,}"},
                        code="rows_too_many",
                    )
                yield piece


def _heading(
    rows: Iterator[SheetBegins | Row], headings: Mapping[str, Sequence[str]], needed: set[str]
) -> dict[str, int]:
    """Go through the sheets up to the first heading; return the places of its columns."""
    looked_at = 0
    for piece in rows:
        looked_at = 0 if isinstance(piece, SheetBegins) else looked_at + 1
        if isinstance(piece, Row) and looked_at <= HEADER_WITHIN:
            columns = _columns(piece.cells, headings)
            if needed <= set(columns):
                return columns
    words = "、".join(headings[name][0] for name in headings if name in needed)
    raise Refusal(
        _("前 %(rows)s 行里没有找到表头；至少要有“%(words)s”这几列")
        % {"rows": HEADER_WITHIN, "words": words},
        code="heading_missing",
    )


def _columns(line: Sequence[str], headings: Mapping[str, Sequence[str]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for at, cell in enumerate(line):
        words = re.sub(r"[\s*()]", "", unicodedata.normalize("NFKC", cell))
        for name, known in headings.items():
            if words in known:
                found.setdefault(name, at)
    return found
