"""Make files that nobody should send."""

import io
import random
import struct
import zipfile
from collections.abc import Callable
from typing import Any, Final

import xlsxwriter
import xlwt
from xlwt.CompoundDoc import XlsDoc

from tests.catalog.sheets.workbooks import HEADINGS, row, workbook

OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MANIFEST: Final = (
    '<?xml version="1.0"?><manifest:manifest '
    'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
)
SHEET: Final = "xl/worksheets/sheet1.xml"


def zipped(**parts: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return content.getvalue()


def rewritten(content: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """The workbook with its parts changed, as no office program would write it."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as before,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for part in before.namelist():
            after.writestr(part, change(part, before.read(part)))
    return out.getvalue()


def replaced(content: bytes, old: bytes, new: bytes) -> bytes:
    return rewritten(content, lambda _name, part: part.replace(old, new))


def bomb() -> bytes:
    """Half a gigabyte of blanks in half a megabyte."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        with archive.open(SHEET, "w") as part:
            for _block in range(500):
                part.write(b" " * (1 << 20))
    return content.getvalue()


def xml_bomb(encoding: str = "utf-8", remark: str = "") -> bytes:
    """Entities of entities, a thousand million of the letter a in the end."""
    entities = "".join(
        f'<!ENTITY a{number} "{f"&a{number - 1};" * 10}">' for number in range(1, 10)
    )
    kind = f'<!--{remark}--><!DOCTYPE x [<!ENTITY a0 "aaaa">{entities}]>'
    text = f'<?xml version="1.0" encoding="{encoding}"?>{kind}<workbook>&a9;</workbook>'
    return zipped(**{"xl/workbook.xml": text.encode(encoding)})


def many_parts() -> bytes:
    return zipped(**{"xl/workbook.xml": b"<workbook/>", **{f"x{n}": b"" for n in range(4_000)}})


def truncated() -> bytes:
    content = workbook([row()])
    return content[: len(content) // 2]


def damaged_inside() -> bytes:
    return zipped(**{"xl/workbook.xml": b"<workbook><sheets>", "[Content_Types].xml": b"<x"})


def locked_xlsx() -> bytes:
    """What a password makes of a workbook: a container with an encrypted package."""
    return OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600


def locked_xls() -> bytes:
    """An old workbook whose records say that a password keeps them."""
    book = xlwt.Workbook()
    sheet: Any = book.add_sheet("目录")
    for place, heading in enumerate(HEADINGS):
        sheet.write(0, place, heading)
    records = book.get_biff_data()
    first = 4 + struct.unpack("<H", records[2:4])[0]
    file_pass = struct.pack("<HHHHH", 0x002F, 6, 0, 0x1234, 0x5678)
    out = io.BytesIO()
    XlsDoc().save(out, records[:first] + file_pass + records[first:])
    return out.getvalue()


def locked_ods() -> bytes:
    """What a password makes of an OpenDocument: noise, and a manifest that says how it was made."""
    manifest = (
        b'<?xml version="1.0" encoding="UTF-8"?><manifest:manifest><manifest:file-entry '
        b'manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry>'
        b"</manifest:manifest>"
    )
    noise = random.Random(1).randbytes(2_000)
    return zipped(**{"content.xml": noise, "META-INF/manifest.xml": manifest})


def dense(rows: int = 8_000, columns: int = 250) -> bytes:
    """A small file with very many cells, none of them a repetition that gives it away."""
    pick = random.Random(1)
    lines = [
        "".join(f"<c><v>{pick.randrange(10**9)}</v></c>" for _column in range(columns))
        for _line in range(50)
    ]
    body = "".join(f'<row r="{n + 1}">{lines[n % 50]}</row>' for n in range(rows))
    sheet = (
        '<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns='
        '"http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<sheetData>{body}</sheetData></worksheet>"
    ).encode()
    return rewritten(workbook([row()]), lambda name, part: sheet if name == SHEET else part)


def with_formulas(*formulas: tuple[int, str, str]) -> bytes:
    """A good row with formulas in some columns: place, formula, what it came to."""
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    page = book.add_worksheet()
    for place, heading in enumerate(HEADINGS):
        page.write_string(0, place, heading)
        page.write_string(1, place, row().get(heading, ""))
    for place, formula, result in formulas:
        page.write_formula(1, place, formula, None, result)
    book.close()
    return content.getvalue()


def old_with_error(place: int, error: str) -> bytes:
    """A good row in an old workbook, with an error in one column."""
    book = xlwt.Workbook()
    page: Any = book.add_sheet("目录", cell_overwrite_ok=True)
    for column, heading in enumerate(HEADINGS):
        page.write(0, column, heading)
        page.write(2, column, row().get(heading, ""))  # the second stays empty
    page.rows[2].set_cell_error(place, error)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def open_with_error(place: int, error: str) -> bytes:
    """A good row in an OpenDocument, with an error in one column, as LibreOffice writes it."""

    def cell(text: str) -> str:
        kind = 'office:value-type="string" calcext:value-type="string"'
        return f"<table:table-cell {kind}><text:p>{text}</text:p></table:table-cell>"

    fault = (
        '<table:table-cell table:formula="of:=1/0" office:value-type="string" '
        f'office:string-value="" calcext:value-type="error"><text:p>{error}</text:p>'
        "</table:table-cell>"
    )
    cells = [cell(row().get(heading, "")) for heading in HEADINGS]
    cells[place] = fault
    names = ("office", "table", "text")
    opened = "urn:oasis:names:tc:opendocument:xmlns"
    spaces = " ".join(f'xmlns:{name}="{opened}:{name}:1.0"' for name in names)
    calc = 'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces} {calc}>'
        '<office:body><office:spreadsheet><table:table table:name="目录"><table:table-row>'
        f"{''.join(map(cell, HEADINGS))}</table:table-row>"
        '<table:table-row table:number-rows-repeated="2"><table:table-cell/></table:table-row>'
        f"<table:table-row>{''.join(cells)}</table:table-row></table:table>"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    kind = b"application/vnd.oasis.opendocument.spreadsheet"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr("META-INF/manifest.xml", MANIFEST)
        archive.writestr("content.xml", content)
    return out.getvalue()


def many_sheets(count: int) -> bytes:
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    for number in range(count):
        page = book.add_worksheet(f"表{number + 1}")
        for place, heading in enumerate(HEADINGS):
            page.write_string(0, place, heading)
            cell = row(信息资源名称=f"第{number}号目录的信息").get(heading, "")
            page.write_string(1, place, cell)
    book.close()
    return content.getvalue()


def long_csv(count: int) -> bytes:
    """One entry with so many items."""
    lines = [",".join(HEADINGS)]
    first = ",".join(row().get(heading, "") for heading in HEADINGS)
    lines += [first.replace("姓名", f"第{number}项的名称") for number in range(count)]
    return "\n".join(lines).encode()
