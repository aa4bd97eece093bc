"""One sheet of cells: find the heading, write the table below it as delimited text."""

import csv
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from django.utils.translation import gettext_lazy as _

from apps.core.contracts import Contract
from apps.core.workbooks.refusal import Refusal
from apps.warehouse.landing.layout import (
    HEADER_WITHIN,
    Body,
    Heading,
    Layout,
    Numbered,
    StrayColumnError,
    find_heading,
)


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet's table: the text it was written to, the rows its records were, what was found."""

    path: Path
    sheet: str
    heading: Heading
    lines: Sequence[int] = ()
    notes: dict[str, Any] = field(default_factory=dict)


class Sheet:
    """Takes the rows of one sheet: looks for the heading first, then writes what is below it.

    opened: closes the text that is written when the reading ends before `finish`.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        contract: Contract,
        layout: Layout,
        opened: ExitStack,
        *,
        only_key: bool,
    ) -> None:
        self._opened = opened
        self._name, self._path = name, path
        self._contract, self._layout, self._only_key = contract, layout, only_key
        self._head: list[Numbered] = []
        self._is_searched = False
        self._heading: Heading | None = None
        self._body: Body | None = None
        self._file: IO[str] | None = None
        self._writer: Any = None

    def feed(self, row: Numbered) -> None:
        """Take a row: its number in the sheet, its cells."""
        if self._body is not None:
            self._write(row)
        elif not self._is_searched:
            self._head.append(row)
            if len(self._head) == max(HEADER_WITHIN, self._layout.header_row + 1):
                self._begin()

    def finish(self) -> list[Table]:
        """Return the table, or nothing when no heading was found."""
        if not self._is_searched:
            self._begin()
        if self._file is not None:
            self._file.close()
        if self._heading is None or self._body is None:
            return []
        body = self._body
        notes = {
            "sheet": self._name,
            "header_row": self._heading.row,
            "header_rows": self._heading.height,
            "left_out": [word for word in body.left_out if word],
            "passed_over": body.passed_over,
            "passed_over_count": body.passed_over_count,
        }
        return [Table(self._path, self._name, self._heading, body.lines, notes)]

    def _begin(self) -> None:
        self._is_searched = True
        self._heading = heading = find_heading(
            self._head, self._contract, self._layout, only_key=self._only_key
        )
        if heading is None:
            return
        self._body = Body(heading, self._contract, self._layout)
        self._file = self._path.open("w", encoding="utf-8", newline="")
        self._opened.callback(self._file.close)
        self._writer = csv.writer(self._file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        self._writer.writerow(self._body.headings)
        for row in self._head:
            if row[0] >= heading.row + heading.height:
                self._write(row)
        self._head.clear()

    def _write(self, row: Numbered) -> None:
        assert self._body is not None  # the heading was found
        number, cells = row
        try:
            record = self._body.record(number, cells)
        except StrayColumnError as stray:
            raise Refusal(
                _("第 %(line)s 行第 %(place)s 列有内容，这一列却没有表头")
                % {"line": f"{number:,}", "place": stray.place + 1},
                code="columns_unknown",
            ) from stray
        if record is not None:
            self._writer.writerow([_one_line_end(cell) for cell in record])


def _one_line_end(cell: str) -> str:
    """Write line ends within a cell as the text around it does."""
    return cell.replace("\r\n", "\n").replace("\r", "\n") if "\r" in cell else cell
