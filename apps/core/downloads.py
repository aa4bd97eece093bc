"""Tables to take away: a workbook or CSV of what a page shows."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final, Literal
from urllib.parse import quote

import xlsxwriter
from django.http import HttpResponse
from django.utils import timezone

Form = Literal["xlsx", "csv"]
Cell = str | int | float | date | None
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# A spreadsheet would take a text that begins so for a formula.
FORMULA_MARKS: Final = ("=", "+", "-", "@", "\t", "\r")
LONGEST: Final = 32_767  # characters of a workbook's cell


def table_response(
    name: str, heading: Sequence[Any], rows: Iterable[Sequence[Cell]], *, form: str
) -> HttpResponse:
    """Answer with the rows as a file of that name: "csv", a workbook for anything else."""
    if form == "csv":
        body, kind, ending = _as_csv(heading, rows), "text/csv; charset=utf-8", "csv"
    else:
        body, kind, ending = _as_workbook(name, heading, rows), XLSX, "xlsx"
    response = HttpResponse(body, content_type=kind)
    file_name = quote(f"{name}.{ending}")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{file_name}"
    return response


def _as_csv(heading: Sequence[Any], rows: Iterable[Sequence[Cell]]) -> bytes:
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow([str(words) for words in heading])
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + lines.getvalue().encode()


def _as_workbook(name: str, heading: Sequence[Any], rows: Iterable[Sequence[Cell]]) -> bytes:
    body = io.BytesIO()
    # Row by row: a large table is never in memory as a whole.
    with xlsxwriter.Workbook(body, {"constant_memory": True}) as book:
        sheet = book.add_worksheet(name[:31])
        bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.freeze_panes(1, 0)
        for column, words in enumerate(heading):
            sheet.write_string(0, column, str(words), bold)
        for number, row in enumerate(rows, start=1):
            for column, cell in enumerate(row):
                _write(sheet, number, column, cell, day)
    return body.getvalue()


def _write(sheet: Any, row: int, column: int, cell: Cell, day: Any) -> None:
    match cell:
        case None:
            return
        case datetime():
            sheet.write_string(row, column, _plain(cell))
        case date():
            sheet.write_datetime(row, column, datetime(cell.year, cell.month, cell.day), day)  # noqa: DTZ001 a day in a cell has no zone
        case int() | float():
            sheet.write_number(row, column, cell)
        case _:
            sheet.write_string(row, column, str(cell)[:LONGEST])


def _plain(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case datetime():
            return timezone.localtime(cell).strftime("%Y-%m-%d %H:%M")
        case str() if cell.startswith(FORMULA_MARKS):
            return f"'{cell}"
        case _:
            return str(cell)
