"""Read a workbook in a process of its own, under limits of memory and time; stands alone.

    python child.py <path> <megabytes> <seconds> <sheets> <rows>

Writes one JSON value a line: {"sheet": name, "hidden": bool, "unread": bool}, then that sheet's
rows as [number, [cells as text]]; blank rows are left out, merged cells filled, control characters
dropped. A cell that begins with U+E000 is an error of a formula, or "=" for a formula that was
never worked out.
"""

import datetime
import html
import io
import json
import re
import resource
import sys
import zipfile
from collections.abc import Iterable
from typing import Any

Area = tuple[int, int, int, int]

MARK = "\ue000"
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


def main() -> None:
    path, megabytes, seconds, sheets, rows = sys.argv[1], *map(int, sys.argv[2:6])
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
    left = rows
    for number, about in enumerate(workbook.sheets_metadata):
        if about.typ != SheetTypeEnum.WorkSheet:
            continue
        hidden = not str(about.visible).endswith(".Visible")
        unread = number >= sheets or left <= 0
        if not unread:
            try:
                sheet = workbook.get_sheet_by_name(about.name)
            except (CalamineError, ValueError, OSError):
                say({"problem": "damaged", "sheet": about.name})
                return
        say({"sheet": _CONTROLS.sub("", about.name), "hidden": hidden, "unread": unread})
        if not unread:
            left -= say_rows(sheet, faults.get(about.name, {}), left)
    say({"more": left <= 0})


def say(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n")


def say_rows(sheet: Any, faults: dict[tuple[int, int], str], most: int) -> int:
    """Write the sheet's rows that hold something; return how many."""
    if sheet.start is None:
        return 0
    left_column = sheet.start[1]
    areas = merged(sheet)
    spoilt: dict[int, dict[int, str]] = {}
    for (row, column), text in faults.items():
        spoilt.setdefault(row, {})[column] = text
    corners: dict[Area, str] = {}
    said = 0
    for row, values in enumerate(sheet.iter_rows()):  # rows from the first, cells from `start`
        cells = [""] * left_column + [text_of(value) for value in values]
        for column, text in spoilt.get(row, {}).items():
            put(cells, column, text)
        fill(cells, row, areas.get(row, ()), corners)
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            say([row + 1, cells])
            said += 1
            if said >= most:
                break
    return said


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


def formula_faults(content: bytes) -> dict[str, dict[tuple[int, int], str]]:
    """Return, by sheet and place, the errors that formulas came to; of xlsx files alone."""
    if not content.startswith(b"PK"):
        return {}
    found: dict[str, dict[tuple[int, int], str]] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = set(archive.namelist())
        if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
            return {}
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


def faults_in(stream: Any) -> dict[tuple[int, int], str]:
    found: dict[tuple[int, int], str] = {}
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


if __name__ == "__main__":
    main()
