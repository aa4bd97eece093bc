"""Read a workbook in a process of its own, under limits of memory and time; stands alone.

    python child.py <path> <megabytes> <seconds> <sheets> <rows> <cells>

Writes one JSON value a line: {"sheet": name, "hidden": bool}, then that sheet's rows as
[number, [cells as text]]; blank rows are left out, merged cells filled, control characters dropped.
A cell that begins with U+E000 is an error of a formula, or "=" for a formula that was never worked
out. What lies beyond the limits is counted and not written: {"excess": "sheets" | "rows" | "cells",
"count": how many there are, "limit": how many are read} comes last.
"""

import datetime
import html
import io
import json
import re
import resource
import struct
import sys
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any
from xml.parsers import expat

Area = tuple[int, int, int, int]
Faults = dict[tuple[int, int], str]

MARK = "\ue000"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
FAULTS_LIMIT = 10_000
WINDOW_BYTES = 1 << 20
# What no cell can mean and no database keeps: _x0000_ in a cell becomes one of them.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SHEET = re.compile(r'<sheet [^>]*?name="([^"]*)"[^>]*?r:id="([^"]*)"')
_TARGET = re.compile(r"<Relationship ([^>]*)>")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_ERROR = re.compile(
    rb'<c r="([A-Z]{1,3})([0-9]{1,7})"[^>]*\bt="e"[^>]*>'
    rb"(?:<f[^>]*>[^<]*</f>|<f[^>]*/>)?<v>([^<]{0,20})"
)
_UNWORKED = re.compile(
    rb'<c r="([A-Z]{1,3})([0-9]{1,7})"[^>]*>(?:<f[^>]*>[^<]*</f>|<f[^>]*/>)(?:<v></v>|<v/>)?</c>'
)

_ODS_ERROR = b'calcext:value-type="error"'
_XLS_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}


def main() -> None:
    path, megabytes, seconds, sheets, rows, cells = sys.argv[1], *map(int, sys.argv[2:7])
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum

    with open(path, "rb") as file:
        content = file.read()
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
    except PasswordError:
        say({"problem": "encrypted"})
        return
    except (CalamineError, ValueError, OSError) as error:
        say({"problem": "encrypted" if "assword" in str(error) else "damaged"})
        return
    faults = formula_faults(content)
    budget = Budget(rows, cells)
    pages = [about for about in workbook.sheets_metadata if about.typ == SheetTypeEnum.WorkSheet]
    for about in pages[:sheets]:
        try:
            sheet = workbook.get_sheet_by_name(about.name)
        except (CalamineError, ValueError, OSError):
            say({"problem": "damaged", "sheet": about.name})
            return
        hidden = not str(about.visible).endswith(".Visible")
        say({"sheet": _CONTROLS.sub("", about.name), "hidden": hidden})
        say_rows(sheet, faults.get(about.name, {}), budget)
    budget.say_excess()
    if len(pages) > sheets:
        say({"excess": "sheets", "count": len(pages), "limit": sheets})


class Budget:
    """Counts the rows and the cells that hold something; so many of them are written."""

    def __init__(self, rows_limit: int, cells_limit: int) -> None:
        self.rows_limit = rows_limit
        self.cells_limit = cells_limit
        self.rows = 0
        self.cells = 0

    def take(self, cells: list[str]) -> bool:
        """Count a row in; false when it is one too many."""
        self.rows += 1
        self.cells += len(cells) - cells.count("")
        return self.rows <= self.rows_limit and self.cells <= self.cells_limit

    def say_excess(self) -> None:
        if self.rows > self.rows_limit:
            say({"excess": "rows", "count": self.rows, "limit": self.rows_limit})
        elif self.cells > self.cells_limit:
            say({"excess": "cells", "count": self.cells, "limit": self.cells_limit})


def say(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n")


def say_rows(sheet: Any, faults: Faults, budget: Budget) -> None:
    """Write the sheet's rows that hold something, as far as the budget goes; count them all."""
    if sheet.start is None:
        return
    left_column = sheet.start[1]
    areas = merged(sheet)
    spoilt: dict[int, dict[int, str]] = {}
    for (row, column), text in faults.items():
        spoilt.setdefault(row, {})[column] = text
    corners: dict[Area, str] = {}
    for row, values in enumerate(sheet.iter_rows()):  # rows from the first, cells from `start`
        cells = [""] * left_column + [text_of(value) for value in values]
        for column, text in spoilt.get(row, {}).items():
            put(cells, column, text)
        fill(cells, row, areas.get(row, ()), corners)
        while cells and not cells[-1]:
            cells.pop()
        if cells and budget.take(cells):
            say([row + 1, cells])


def fill(cells: list[str], row: int, areas: Iterable[Area], corners: dict[Area, str]) -> None:
    """Write what stands in the corner of a merged area into every cell that it covers."""
    for area in areas:
        top, left, _bottom, right = area
        if row == top:
            corners[area] = cells[left] if left < len(cells) else ""
        text = corners.get(area, "")
        for column in range(left, right + 1) if text else ():
            if column >= len(cells) or not cells[column]:
                put(cells, column, text)


def put(cells: list[str], column: int, text: str) -> None:
    cells += [""] * (column + 1 - len(cells))
    cells[column] = text


def merged(sheet: Any) -> dict[int, list[Area]]:
    """Return the merged areas by every row that they cover; areas as high as a sheet are none."""
    found: dict[int, list[Area]] = {}
    total = 0
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        total += bottom - top + 1
        if bottom - top > 5_000 or right - left > 500 or total > 500_000:
            continue
        for row in range(top, bottom + 1):
            found.setdefault(row, []).append((top, left, bottom, right))
    return found


def text_of(value: Any) -> str:
    if isinstance(value, str):
        return _CONTROLS.sub("", value).strip()
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ") if value.time() != datetime.time() else value.date().isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value)


def formula_faults(content: bytes) -> dict[str, Faults]:
    """Return, by sheet and place, the errors that formulas came to: the parser gives them empty."""
    if content.startswith(OLE):
        return faults_of_xls(content)
    if not content.startswith(b"PK"):
        return {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = set(archive.namelist())
        if {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
            return faults_of_xlsx(archive, names)
        return faults_of_ods(archive) if "content.xml" in names else {}


def faults_of_xlsx(archive: zipfile.ZipFile, names: set[str]) -> dict[str, Faults]:
    found: dict[str, Faults] = {}
    book = archive.read("xl/workbook.xml").decode("utf-8", "replace")
    targets = {}
    for relation in _TARGET.findall(
        archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
    ):
        about = dict(_ATTRIBUTE.findall(relation))
        target = about.get("Target", "").lstrip("/")
        targets[about.get("Id")] = target if target.startswith("xl/") else f"xl/{target}"
    for name, key in _SHEET.findall(book):
        part = targets.get(key, "")
        if part in names:
            with archive.open(part) as stream:
                faults = faults_in(stream)
            if faults:
                found[html.unescape(name)] = faults
    return found


def faults_in(stream: Any) -> Faults:
    found: Faults = {}
    held = b""
    while block := stream.read(WINDOW_BYTES):
        window = held + block
        if b"<f" in window or b't="e"' in window:
            for match in _ERROR.finditer(window):
                found[place(match)] = MARK + match[3].decode("ascii", "replace")
            for match in _UNWORKED.finditer(window):
                found.setdefault(place(match), MARK + "=")
        if len(found) > FAULTS_LIMIT:
            break
        held = window[-20_000:]
    return found


def place(match: Any) -> tuple[int, int]:
    column = 0
    for letter in match[1]:
        column = column * 26 + letter - 64
    return int(match[2]) - 1, column - 1


def faults_of_ods(archive: zipfile.ZipFile) -> dict[str, Faults]:
    """Go through the cells of an OpenDocument, if any of them is an error at all."""
    held = b""
    with archive.open("content.xml") as stream:
        while block := stream.read(WINDOW_BYTES):
            if _ODS_ERROR in held + block:
                break
            held = block[-len(_ODS_ERROR) :]
        else:
            return {}
    tables = OpenTables()
    with archive.open("content.xml") as stream:
        try:
            tables.parser.ParseFile(stream)
        except expat.ExpatError:
            return {}
    return tables.found


class OpenTables:
    """Counts rows and cells, with their repetitions; takes the text of those that are errors."""

    def __init__(self) -> None:
        self.found: dict[str, Faults] = {}
        self.name = ""
        self.row = self.rows = self.column = 0
        self.at: tuple[int, int] | None = None
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self.begin
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.take

    def begin(self, tag: str, about: dict[str, str]) -> None:
        if tag in ("table:table-cell", "table:covered-table-cell"):
            if about.get("calcext:value-type") == "error":
                self.at = (self.row, self.column)
            self.column += int(about.get("table:number-columns-repeated", 1))
        elif tag == "table:table-row":
            self.column, self.rows = 0, int(about.get("table:number-rows-repeated", 1))
        elif tag == "table:table":
            self.name, self.row = about.get("table:name", ""), 0

    def end(self, tag: str) -> None:
        if tag == "table:table-cell":
            self.at = None
        elif tag == "table:table-row":
            self.row += self.rows

    def take(self, text: str) -> None:
        faults = self.found.setdefault(self.name, {}) if self.at else {}
        if self.at and len(faults) < FAULTS_LIMIT:
            faults[self.at] = faults.get(self.at, MARK) + text.strip()


def faults_of_xls(content: bytes) -> dict[str, Faults]:
    """Go through the records of an old workbook.

    Source: [MS-XLS] 2.4.28 BoundSheet8, 2.4.24 BoolErr, 2.4.127 Formula
    """
    book = stream_of(content)
    found: dict[str, Faults] = {}
    for kind, body in records(book, 0):
        if kind == 0x85 and len(body) > 8:
            wide = body[7] & 1
            name = body[8 : 8 + body[6] * (1 + wide)].decode("utf-16-le" if wide else "latin-1")
            faults: Faults = {}
            for cell, text in errors_from(book, int.from_bytes(body[:4], "little")):
                faults[cell] = MARK + text
                if len(faults) > FAULTS_LIMIT:
                    break
            found[name] = faults
    return found


def records(book: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Yield kind and content of the records from there to the end of their part."""
    while at + 4 <= len(book):
        kind, length = struct.unpack_from("<HH", book, at)
        yield kind, book[at + 4 : at + 4 + length]
        if kind == 0x0A:
            return
        at += 4 + length


def errors_from(book: bytes, start: int) -> Iterator[tuple[tuple[int, int], str]]:
    for kind, body in records(book, start):
        if kind == 0x205 and len(body) >= 8 and body[7]:
            code = body[6]
        elif kind == 0x06 and len(body) >= 14 and body[12:14] == b"\xff\xff" and body[6] == 2:
            code = body[8]
        else:
            continue
        row, column = struct.unpack_from("<HH", body)
        yield (row, column), _XLS_ERRORS.get(code, "#VALUE!")


def stream_of(content: bytes) -> bytes:
    """Return the workbook's stream of a compound file, nothing where it is not as usual.

    Source: [MS-CFB] 2.2 header, 2.4 mini stream, 2.5 DIFAT, 2.6 directory
    """
    size = 1 << min(content[30], 31)
    if len(content) < 512 or not 512 <= size <= 4096:
        return b""
    body = content[size:]
    links = table_of(content, body, size)
    first, mini_first = struct.unpack_from("<I8xI", content, 48)
    directory = chain(body, links, first, size)
    whole = b""
    for at in range(0, len(directory) - 127, 128):
        name = directory[at : at + 64].decode("utf-16-le", "replace").partition("\0")[0]
        start, length = struct.unpack_from("<II", directory, at + 116)
        if at == 0:
            whole = chain(body, links, start, size)
        elif name in ("Workbook", "Book"):
            if length >= 4096:
                return chain(body, links, start, size)[:length]
            mini_links = numbers(chain(body, links, mini_first, size))
            return chain(whole, mini_links, start, 64)[:length]
    return b""


def table_of(content: bytes, body: bytes, size: int) -> list[int]:
    """Return which sector follows each sector."""
    places = list(struct.unpack_from("<109I", content, 76))
    following = int.from_bytes(content[68:72], "little")
    while following * size < len(body) and len(places) < len(body) // size + 109:
        *more, following = numbers(body[following * size : (following + 1) * size])
        places += more
    return [
        link
        for place in places
        if place * size < len(body)
        for link in numbers(body[place * size : (place + 1) * size])
    ]


def numbers(block: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(block) // 4}I", block[: len(block) // 4 * 4]))


def chain(body: bytes, links: list[int], sector: int, size: int) -> bytes:
    blocks: list[bytes] = []
    while sector < len(links) and len(blocks) <= len(body) // size:
        blocks.append(body[sector * size : (sector + 1) * size])
        sector = links[sector]
    return b"".join(blocks)


if __name__ == "__main__":
    main()
