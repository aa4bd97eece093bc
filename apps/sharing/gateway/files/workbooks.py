"""A grant's rows as a workbook, row by row: codes are text, and a second sheet says what is what.

Numbers of more digits than a cell holds exactly are text, so are days and moments, which a
spreadsheet would write otherwise. Text is never a formula.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import xlsxwriter
from django.utils.translation import gettext as _
from xlsxwriter.exceptions import FileCreateError

from apps.core.downloads import LONGEST
from apps.core.errors import DomainError
from apps.sharing.gateway.files.asking import SHEET_ROWS, too_many_rows
from apps.sharing.gateway.files.writers import Described, Whole, Writer, whole_of
from apps.sharing.gateway.marks import SEPARATOR, Marks

EXACT_DIGITS: Final = 15  # that a cell's number holds
GREATEST: Final = 10**EXACT_DIGITS
Cell = Callable[[int, int, Any], Any]


class WorkbookWriter(Writer):
    takes_lines = False

    def __init__(self, path: Path, described: Described) -> None:
        self._path = path
        self._described = described
        # Rows wait in a file beside it, not in memory.
        options = {"constant_memory": True, "tmpdir": str(path.parent), "use_zip64": True}
        self._book = xlsxwriter.Workbook(str(path), options)
        self._bold = self._book.add_format({"bold": True})
        self._sheet = self._book.add_worksheet(_("数据"))
        self._sheet.freeze_panes(1, 0)
        for place, column in enumerate(described.columns):
            self._sheet.write_string(0, place, column["label"], self._bold)
        self._cells = [self._cell_of(column) for column in described.columns]
        self._rows = 0

    def write(self, rows: Sequence[Any], marks: Marks) -> None:
        if self._rows + len(rows) > SHEET_ROWS:
            raise too_many_rows()
        for row in rows:
            self._rows += 1
            for place, value in enumerate(row):
                if value is not None:
                    self._cells[place](self._rows, place, value)
            if marks and row[0] in marks:
                self._sheet.write_string(self._rows, len(row), SEPARATOR.join(marks[row[0]]))

    def finish(self) -> Whole:
        self._explain()
        try:
            self._book.close()
        except FileCreateError as error:  # in which xlsxwriter wraps what the disk says
            raise error.args[0] from None
        return whole_of(self._path)

    def abandon(self) -> None:
        for sheet in self._book.worksheets():
            with suppress(OSError):  # a full disk takes no last bytes
                sheet.row_data_fh.close()
        self._book.fileclosed = True

    def _cell_of(self, column: dict[str, Any]) -> Cell:
        match column["type"]:
            case "I":
                return self._write_whole_number
            case "B" | "F":
                return self._write_float
            case "L":
                return self._sheet.write_boolean  # type: ignore[no-any-return]
            case _ if column["digits"] is not None and column["digits"] <= EXACT_DIGITS:
                return self._write_decimal
            case _:
                return self._write_text

    def _write_text(self, row: int, place: int, value: Any) -> None:
        text = str(value)
        if len(text) > LONGEST:
            raise _too_long(self._described.columns[place]["label"])
        self._sheet.write_string(row, place, text)

    def _write_whole_number(self, row: int, place: int, value: int) -> None:
        if -GREATEST < value < GREATEST:
            self._sheet.write_number(row, place, value)
        else:
            self._sheet.write_string(row, place, str(value))

    def _write_decimal(self, row: int, place: int, value: str) -> None:
        self._sheet.write_number(row, place, float(value))

    def _write_float(self, row: int, place: int, value: float) -> None:
        if value - value == 0.0:
            self._sheet.write_number(row, place, value)
        else:  # infinite, or no number
            self._sheet.write_string(row, place, str(value))

    def _explain(self) -> None:
        sheet = self._book.add_worksheet(_("说明"))
        lines = [*self._described.facts, ("", "")]
        for number, words in enumerate(lines):
            for place, text in enumerate(words):
                sheet.write_string(number, place, text)
        heading = (_("数据项"), _("列名"), _("类型"), _("是否脱敏"))
        for place, text in enumerate(heading):
            sheet.write_string(len(lines), place, text, self._bold)
        for number, column in enumerate(self._described.columns, start=len(lines) + 1):
            is_masked = _("是") if column["is_masked"] else _("否")
            texts = (column["label"], column["name"], column["type"], is_masked)
            for place, text in enumerate(texts):
                sheet.write_string(number, place, text)


def _too_long(label: str) -> DomainError:
    return DomainError(
        _("“%(label)s”有超过 %(limit)s 个字符的值，表格放不下；改用 CSV")
        % {"label": label, "limit": f"{LONGEST:,}"},
        code="value_not_writable",
    )
