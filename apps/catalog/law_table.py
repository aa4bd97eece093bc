"""Read a spreadsheet of the law's lists as text, in bounded memory: CSV, .xlsx, .xls.

Every fault names its cell and what to do, in the clerk's words.
"""

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.utils.translation import gettext as _
from python_calamine import CalamineError, CalamineWorkbook

from apps.core.errors import InvalidInput

LIMIT_BYTES: Final = 20 << 20
UNPACKED_BYTES: Final = 300 << 20
ROWS: Final = 50_000
HEADER_WITHIN: Final = 10  # rows in which the heading is looked for, below titles
_OLE: Final = b"\xd0\xcf\x11\xe0"
_DAY: Final = re.compile(r"^(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?(?: 00:00:00)?$")


class TableRefused(InvalidInput):
    """Nothing of the file can be read; the words say why and what to do."""

    code = "table_refused"


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row by field; `number` as the spreadsheet counts, `cells` names each field's cell (C7)."""

    number: int
    values: dict[str, str]
    cells: dict[str, str]


def rows_of(
    content: bytes, file_name: str, headings: Mapping[str, Sequence[str]], needed: Sequence[str]
) -> Iterator[TableRow]:
    """Yield the rows below the heading, by the fields whose headings the file has.

    headings: per field, the words by which its column may be headed; needed: fields without which
    the file is of no use. Empty rows are left out.

    Raises:
        TableRefused: the file cannot be read, or has no such heading.
    """
    lines = _lines(content, file_name)
    columns: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not columns:
            columns = _columns(line, headings)
            if not set(needed) <= set(columns):
                columns = {}
                if number >= HEADER_WITHIN:
                    break
            continue
        if number > ROWS:
            raise TableRefused(_("超过 %(rows)s 行，分成几个文件导入") % {"rows": f"{ROWS:,}"})
        cells = [tidy(cell) for cell in line]
        if any(cells):
            yield TableRow(
                number,
                {name: cells[at] if at < len(cells) else "" for name, at in columns.items()},
                {name: f"{_letters(at)}{number}" for name, at in columns.items()},
            )
    if not columns:
        words = "、".join(headings[name][0] for name in needed)
        raise TableRefused(
            _("前 %(rows)s 行里没有找到表头；至少要有“%(words)s”这几列")
            % {"rows": HEADER_WITHIN, "words": words}
        )


def tidy(text: str) -> str:
    """Return the text with plain letters and digits for full-width ones, and no outer space."""
    return unicodedata.normalize("NFKC", text).strip()


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


def _lines(content: bytes, file_name: str) -> Iterator[list[str]]:
    if len(content) > LIMIT_BYTES:
        raise TableRefused(_("文件超过 20 MB，分成几个文件导入"))
    if not content.strip():
        raise TableRefused(_("文件是空的"))
    if content[:2] == b"PK" or content[:4] == _OLE:
        return _workbook(content)
    if file_name.lower().endswith((".xlsx", ".xls", ".et")):
        raise TableRefused(_("文件名是表格，内容却不是；用表格软件打开后另存再导入"))
    return csv.reader(io.StringIO(_text(content), newline=""))


def _workbook(content: bytes) -> Iterator[list[str]]:
    if content[:2] == b"PK":
        _require_harmless(content)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheet = book.get_sheet_by_index(0)
    except (CalamineError, OSError, ValueError, IndexError) as error:
        raise TableRefused(
            _("表格不能读取：可能有密码，或者已经损坏；去掉密码、另存后再导入")
        ) from error
    for row in sheet.iter_rows():
        yield [_cell(value) for value in row]


def _require_harmless(content: bytes) -> None:
    """Refuse a workbook that unpacks to far more than it is."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
    except (zipfile.BadZipFile, ValueError) as error:
        raise TableRefused(_("表格已经损坏，另存后再导入")) from error
    if unpacked > UNPACKED_BYTES:
        raise TableRefused(_("表格解开后过大，不像是正常的文件"))


def _text(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise TableRefused(_("文字编码不能识别；另存为 UTF-8 的 CSV 再导入"))


def _cell(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, date):
        return str(value)
    return "" if value is None else str(value)


def _columns(line: Sequence[str], headings: Mapping[str, Sequence[str]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for at, cell in enumerate(line):
        words = re.sub(r"[\s*＊（）()]", "", tidy(cell))
        for name, known in headings.items():
            if words in known:
                found.setdefault(name, at)
    return found


def _letters(index: int) -> str:
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name
