"""The first rows of a file that was kept, as its layout has them: for a person to correct."""

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.core import files
from apps.core.contracts import Contract
from apps.core.workbooks.reading import FORMULA_MARK, Row, SheetBegins, pieces_of
from apps.core.workbooks.refusal import Refusal
from apps.warehouse.landing.encodings import said_encoding
from apps.warehouse.landing.forms.kinds import WORKBOOKS, kind_of
from apps.warehouse.landing.layout import (
    HEADER_WITHIN,
    Body,
    Heading,
    Layout,
    Numbered,
    StrayColumnError,
    find_heading,
)
from apps.warehouse.models import Batch

SHOWN: Final = 10
"""Records that are shown as they would land."""

_HEAD_BYTES = 256 << 10


@dataclass(frozen=True, slots=True)
class Preview:
    """sheets: the names to choose from; rows: the first of the sheet, with their numbers; heading:
    what was found or said; records: the first rows below it under `headings`; passed_over: the rows
    among them that are no records.
    """

    sheets: list[str]
    sheet: str
    rows: list[Numbered]
    heading: Heading | None
    headings: list[str]
    records: list[tuple[int, list[str]]]
    passed_over: list[dict[str, object]]


def preview(batch: Batch, contract: Contract, layout: Layout) -> Preview:
    """Read the first rows and lay them out.

    Raises:
        Refusal: the file cannot be read.
    """
    path = files.path_of(batch.file.sha256)
    if kind_of(path, batch.file_name) not in ("text", *WORKBOOKS):
        raise Refusal(
            _("只有文本和工作簿可以指定版式；JSON、Parquet 的键须写数据项的名称或者列名"),
            code="layout_not_for_form",
        )
    most = max(HEADER_WITHIN, layout.header_row + 1) + SHOWN
    sheets = first_rows(path, batch.file_name, most, layout.encoding)
    sheet = layout.sheet if layout.sheet in sheets else _best(sheets, contract)
    rows = sheets.get(sheet, [])
    only_key = batch.mode == Batch.Mode.DELETE
    heading = find_heading(rows, contract, layout, only_key=only_key)
    if heading is None:
        return Preview(list(sheets), sheet, rows, None, [], [], [])
    body = Body(heading, contract, layout)
    records: list[tuple[int, list[str]]] = []
    for number, cells in rows:
        if number < heading.row + heading.height or len(records) == SHOWN:
            continue
        try:
            record = body.record(number, cells)
        except StrayColumnError:
            record = list(cells)
        if record is not None:
            records.append((number, record))
    return Preview(list(sheets), sheet, rows, heading, body.headings, records, body.passed_over)


def _best(sheets: dict[str, list[Numbered]], contract: Contract) -> str:
    def found(name: str) -> int:
        heading = find_heading(sheets[name], contract, Layout())
        return heading.found if heading else 0

    return max(sheets, key=found, default="")


def first_rows(path: Path, file_name: str, most: int, said: str) -> dict[str, list[Numbered]]:
    if kind_of(path, file_name) not in WORKBOOKS:
        return {"": list(_first_lines(path, most, said))}
    found: dict[str, list[Numbered]] = {}
    name = ""
    with pieces_of(path, file_name) as pieces:
        for piece in pieces:
            if isinstance(piece, SheetBegins):
                name = piece.name
                if not piece.is_hidden:
                    found[name] = []
            elif isinstance(piece, Row) and name in found and len(found[name]) < most:
                cells = [cell.removeprefix(FORMULA_MARK) for cell in piece.cells]
                found[name].append((piece.number, cells))
    return found


def _first_lines(path: Path, most: int, said: str) -> Iterator[Numbered]:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    text = _decoded(path, head, said)
    delimiter = max(",\t;|", key=text[:20_000].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    count = 0
    while count < most:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except (StopIteration, csv.Error):
            return
        count += 1
        yield number, [cell.strip() for cell in cells]


def _decoded(path: Path, head: bytes, said: str) -> str:
    """Return the text of the beginning; the last character may be cut off."""
    if said:
        encoding = said_encoding(path, said)
        decoder = codecs.getincrementaldecoder(encoding.name)("replace")
        return decoder.decode(head[encoding.bom_bytes :])
    for mark, name in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le")):
        if head.startswith(mark):
            return codecs.getincrementaldecoder(name)("replace").decode(head[len(mark) :])
    for name in ("utf-8", "gb18030"):
        try:
            return codecs.getincrementaldecoder(name)("strict").decode(head)
        except UnicodeDecodeError:
            continue
    return head.decode("gb18030", "replace")
