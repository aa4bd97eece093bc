"""The one sheet of a workbook that carries the table, as delimited text."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.core.contracts import Contract
from apps.core.workbooks.reading import (
    FORMULA_MARK,
    Excess,
    Piece,
    SheetBegins,
    pieces_of,
)
from apps.core.workbooks.refusal import Refusal
from apps.warehouse.landing.forms.sheet import Sheet, Table
from apps.warehouse.landing.layout import HEADER_WITHIN, Layout

ROWS_LIMIT: Final = 1_048_576
CELLS_LIMIT: Final = ROWS_LIMIT * 16_384  # as many as a row can have: rows are passed on


def write_table(
    path: Path, target: Path, *, contract: Contract, layout: Layout, only_key: bool = False
) -> Table:
    """Write the table below its heading as text.

    Raises:
        Refusal: no sheet has a heading that names an item; several sheets carry the table.
    """
    reading = pieces_of(path, path.name, rows_limit=ROWS_LIMIT, cells_limit=CELLS_LIMIT)
    with ExitStack() as opened, reading as pieces:
        begin = partial(Sheet, contract=contract, layout=layout, opened=opened, only_key=only_key)
        tables = [
            table
            for sheet in _sheets(pieces, target, begin, layout.sheet)
            for table in sheet.finish()
        ]
    best = max((table.heading.found for table in tables), default=0)
    fitting = [table for table in tables if table.heading.found == best]
    if not fitting:
        raise Refusal(
            _("各工作表前 %(rows)s 行里都没有找到表头；指定表头所在的行，或者按目录的数据项改表头")
            % {"rows": HEADER_WITHIN},
            code="heading_missing",
        )
    if len(fitting) > 1:
        names = "、".join(table.sheet for table in fitting[:10])
        raise Refusal(
            _("工作簿里有 %(count)s 个表都像这张数据表（%(names)s）；指定其中一个，或者分开提交")
            % {"count": len(fitting), "names": names},
            code="sheets_ambiguous",
            sheets=[table.sheet for table in fitting],
        )
    return fitting[0]


def _sheets(
    pieces: Iterable[Piece], target: Path, begin: Callable[[str, Path], Sheet], asked: str
) -> Iterator[Sheet]:
    """Yield each sheet that may carry the table, when its rows are through."""
    sheet: Sheet | None = None
    for number, piece in enumerate(pieces):
        if isinstance(piece, Excess):
            _require_rows_within(piece)
            continue
        if not isinstance(piece, SheetBegins):
            if sheet is not None:
                sheet.feed(
                    (piece.number, [cell.removeprefix(FORMULA_MARK) for cell in piece.cells])
                )
            continue
        if sheet is not None:
            yield sheet
        is_asked = piece.name == asked if asked else not piece.is_hidden
        sheet = None
        if is_asked:
            path = target.with_name(f"{target.stem}-{number}.csv")
            sheet = begin(piece.name, path)
    if sheet is not None:
        yield sheet


def _require_rows_within(excess: Excess) -> None:
    """Refuse what goes on beyond the rows; sheets beyond the limit are not looked at."""
    if excess.unit != "sheets":
        raise Refusal(
            _("工作簿超过 %(rows)s 行；另存为 CSV 后再提交") % {"rows": f"{ROWS_LIMIT:,}"},
            code="rows_too_many",
        )
