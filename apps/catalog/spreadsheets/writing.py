"""Write entries as the template: xlsx, xls or csv; and the empty template with its instructions."""

import csv
import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import xlsxwriter
import xlwt
from django.utils.translation import gettext as _

from apps.catalog.spreadsheets.choices import labels_of
from apps.catalog.spreadsheets.columns import COLUMNS, NEEDED
from apps.catalog.spreadsheets.instructions import instructions
from apps.catalog.spreadsheets.lines import Line, cells_of, headings
from apps.catalog.spreadsheets.references import References

SHEET: Final = "数据目录"
XLS_ROWS: Final = 65_536
UTF8_MARK: Final = "\ufeff"
FORMULA: Final = re.compile(r"'*[=+\-@]")
"""How a formula begins; also behind the apostrophes of what once was told to be none."""
_OFFERED_ROWS = 2_000


def write_xlsx(path: Path, lines: Iterable[Line], references: References) -> int:
    """Write the workbook row by row; return how many rows it has below the headings."""
    book = xlsxwriter.Workbook(
        str(path), {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_urls": False}
    )
    heading = {"bold": True, "border": 1, "text_wrap": True}
    needed = book.add_format({**heading, "bg_color": "#FBE3B5"})
    old = book.add_format({**heading, "bg_color": "#E4E9F2"})
    new = book.add_format({**heading, "bg_color": "#DDEEE4"})
    text = book.add_format({"num_format": "@"})
    sheet = book.add_worksheet(SHEET)
    for place, column in enumerate(COLUMNS):
        sheet.set_column(place, place, column.width, text)
        look = needed if column.name in NEEDED else old if column.of_2017 else new
        sheet.write_string(0, place, column.label, look)
    sheet.freeze_panes(1, 5)
    count = 0
    for count, line in enumerate(lines, 1):
        for place, cell in enumerate(cells_of(line)):
            if cell:
                sheet.write_string(count, place, cell)
    sheet.autofilter(0, 0, max(count, 1), len(COLUMNS) - 1)
    _offer(book, sheet, references, max(count, 0) + _OFFERED_ROWS)
    _instruct(book)
    book.close()
    return count


def _offered(references: References) -> dict[str, list[str]]:
    """The closed lists by column, as the drop-down lists show them."""
    offered = {
        column.name: labels_of(column.field)
        for column in COLUMNS
        if column.kind == "choice" and column.field in {*_LISTS}
    }
    flags = {column.name: ["是", "否"] for column in COLUMNS if column.kind == "flag"}
    classes: dict[int, list[str]] = {1: [], 2: [], 3: []}
    for node in references.classes.values():
        if node.level in classes:
            above = node.parent.code if node.parent else ""
            classes[node.level].append(f"{node.code.removeprefix(above)} {node.name}")
    return {
        **{f"class.{level}": names for level, names in classes.items()},
        **offered,
        **flags,
        "item.key": ["主体标识", "主键"],
        "item.operation": ["删除"],
    }


_LISTS: Final = (
    "format_class",
    "data_type",
    "sharing_attribute",
    "mode_class",
    "mode_type",
    "mode",
    "opening_attribute",
    "update_cycle",
    "grade",
    "value_check",
    "mask",
)


def _offer(book: Any, sheet: Any, references: References, rows: int) -> None:
    """Keep the lists in a sheet of their own and let the cells choose from it."""
    offered = _offered(references)
    options = book.add_worksheet("选项")
    depth = max(len(values) for values in offered.values())
    labels = {column.name: column.label for column in COLUMNS}
    for place, name in enumerate(offered):
        options.write_string(0, place, labels[name])
        options.set_column(place, place, 22)
    for row in range(depth):
        for place, values in enumerate(offered.values()):
            if row < len(values):
                options.write_string(row + 1, place, values[row])
    places = {column.name: place for place, column in enumerate(COLUMNS)}
    for place, (name, values) in enumerate(offered.items()):
        if not values:
            continue
        letter = xlsxwriter.utility.xl_col_to_name(place)
        sheet.data_validation(
            1,
            places[name],
            rows,
            places[name],
            {
                "validate": "list",
                "source": f"=选项!${letter}$2:${letter}${len(values) + 1}",
                "error_type": "warning",
                "error_title": _("不在列表中"),
                "error_message": _("从列表中选择；上传后平台会逐格检查。"),
            },
        )


def _instruct(book: Any) -> None:
    sheet = book.add_worksheet("填写说明")
    bold = book.add_format({"bold": True, "valign": "top"})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 90)
    for row, (heading, words) in enumerate(instructions()):
        sheet.write_string(row, 0, heading, bold)
        sheet.write_string(row, 1, words, wrap)


def write_xls(path: Path, lines: Iterable[Line]) -> int:
    """Write the old format; entries beyond its 65,536 rows go on, each whole, in further sheets."""
    book = xlwt.Workbook(encoding="utf-8")
    bold = xlwt.easyxf("font: bold on; align: wrap on")
    sheet: Any = None
    count = row = number = 0
    for _code, group in itertools.groupby(lines, key=lambda line: line["code"]):
        entry = list(group)
        count += len(entry)
        if sheet is None or row + len(entry) > XLS_ROWS - 1:
            number += 1
            sheet = _xls_sheet(book, number, bold)
            row = 0
        for line in entry:
            row += 1
            _xls_row(sheet, row, line)
    if sheet is None:
        _xls_sheet(book, 1, bold)
    if number > 1:
        note = book.add_sheet("说明")
        words = _("旧格式（xls）一张表至多 65,536 行，已分成 %(count)s 张表；各表一起上传即可。")
        note.write(0, 0, words % {"count": number})
    book.save(str(path))
    return count


def _xls_row(sheet: Any, row: int, line: Line) -> None:
    for place, cell in enumerate(cells_of(line)):
        if cell:
            sheet.write(row, place, cell)
    if row % 500 == 0:
        sheet.flush_row_data()


def _xls_sheet(book: Any, number: int, bold: Any) -> Any:
    sheet = book.add_sheet(SHEET if number == 1 else f"{SHEET}{number}")
    for place, heading in enumerate(headings()):
        sheet.write(0, place, heading, bold)
        sheet.col(place).width = 256 * COLUMNS[place].width
    sheet.set_panes_frozen(True)
    sheet.set_horz_split_pos(1)
    return sheet


class _Echo:
    def write(self, text: str) -> str:
        return text


def csv_lines(lines: Iterable[Line]) -> Iterator[str]:
    """Yield the rows as CSV with a UTF-8 mark; no cell can become a formula when it is opened."""
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    yield UTF8_MARK + str(writer.writerow(headings()))
    for line in lines:
        yield str(writer.writerow([_harmless(cell) for cell in cells_of(line)]))


def _harmless(cell: str) -> str:
    return f"'{cell}" if FORMULA.match(cell) else cell
