"""Workbooks: what may be opened at all, and how far it is read."""

import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from apps.core.workbooks import reading, tables
from apps.core.workbooks.guarding import form_of
from apps.core.workbooks.reading import Excess, Row, SheetBegins, pieces_of
from apps.core.workbooks.refusal import Refusal
from apps.core.workbooks.tables import rows_of
from tests.catalog.sheets.hostile import xml_bomb, zipped

ENCODINGS = (
    "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be",
    "utf-7", "cp037", "gb18030",
)  # fmt: skip


@pytest.fixture
def parsers(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The processes that parse, as they are started."""
    started: list[subprocess.Popen[bytes]] = []

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    return started


def long_workbook(path: Path, *, rows: int = 20_000, sheets: int = 1) -> Path:
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    for _sheet in range(sheets):
        page = book.add_worksheet()
        for number in range(rows):
            page.write_row(number, 0, [f"第{number}行", "乙", "丙"])
    book.close()
    return path


class TestGuard:
    @pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/Worksheets/SHEET1.XML", "_rels/.rels"])
    @pytest.mark.parametrize("encoding", ENCODINGS)
    def test_entities_are_seen_in_every_encoding_and_part(
        self, tmp_path: Path, encoding: str, part: str
    ) -> None:
        path = tmp_path / "book"
        bomb = "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"
        parts = {"xl/workbook.xml": b"<workbook/>"}
        for declaration in ("", f'<?xml version="1.0" encoding="{encoding}"?>'):
            path.write_bytes(zipped(**{**parts, part: (declaration + bomb).encode(encoding)}))
            with pytest.raises(Refusal) as refused:
                form_of(path, "目录.xlsx")
            assert refused.value.code == "workbook_suspicious"

    def test_remarks_do_not_hide_entities(self, tmp_path: Path) -> None:
        path = tmp_path / "book"
        tricks = (
            b"<!-- one --><?two?><!DOCTYPE x []><x/>",
            b"<!-- one --><!DOCTYPE x []> --> <x/>",
            b"<?one?><!DOCTYPE x []> ?> <x/>",
        )
        for content in (*tricks, xml_bomb(remark="a" * 10_000)):
            is_part = not content.startswith(b"PK")
            path.write_bytes(zipped(**{"xl/workbook.xml": content}) if is_part else content)
            with pytest.raises(Refusal) as refused:
                form_of(path, "目录.xlsx")
            assert refused.value.code == "workbook_suspicious"

    def test_what_office_programs_write_is_let_through(self, tmp_path: Path) -> None:
        """Power Query, for one, keeps its own part in UTF-16."""
        path = tmp_path / "book"
        query = '<?xml version="1.0" encoding="utf-16"?><DataMashup>查询</DataMashup>'
        parts = {
            "xl/workbook.xml": b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>\r\n<workbook/>',
            "xl/styles.xml": b"<?xml version='1.0'?><!-- NPOI --> <s:styleSheet/>",
            "customXml/item1.xml": query.encode("utf-16"),
            "customXml/item2.xml": b"",
        }
        path.write_bytes(zipped(**parts))
        assert form_of(path, "目录.xlsx") == "xlsx"


class TestReading:
    def test_whoever_has_enough_does_not_wait_for_the_rest(
        self, tmp_path: Path, parsers: list[subprocess.Popen[bytes]]
    ) -> None:
        path = long_workbook(tmp_path / "book.xlsx")
        with pieces_of(path, "book.xlsx") as pieces:
            assert isinstance(next(pieces), SheetBegins)
            assert next(pieces) == Row(1, ["第0行", "乙", "丙"])
        assert [parser.returncode for parser in parsers] == [-signal.SIGKILL]

    def test_a_table_is_not_read_beyond_what_is_wanted(
        self, tmp_path: Path, parsers: list[subprocess.Popen[bytes]]
    ) -> None:
        content = long_workbook(tmp_path / "book.xlsx").read_bytes()
        rows = rows_of(content, "book.xlsx", {"one": ["乙"]}, ["one"])
        next(rows)
        rows.close()  # type: ignore[attr-defined]
        assert [parser.returncode for parser in parsers] == [-signal.SIGKILL]

    def test_a_table_that_is_refused_is_not_read_on(
        self,
        tmp_path: Path,
        parsers: list[subprocess.Popen[bytes]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The heading is looked for on every sheet, up to a row beyond any table."""
        monkeypatch.setattr(tables, "ROWS", 1_000)
        content = long_workbook(tmp_path / "book.xlsx").read_bytes()
        with pytest.raises(Refusal) as refused:
            next(rows_of(content, "book.xlsx", {"one": ["丁"]}, ["one"]))
        assert refused.value.code == "rows_too_many"
        assert [parser.returncode for parser in parsers] == [-signal.SIGKILL]

    def test_what_is_too_much_is_counted_to_its_end(self, tmp_path: Path) -> None:
        path = long_workbook(tmp_path / "book.xlsx", rows=100, sheets=3)
        with pieces_of(path, "book.xlsx", rows_limit=150) as pieces:
            read = list(pieces)
        assert len([piece for piece in read if isinstance(piece, Row)]) == 150
        assert read[-1] == Excess("rows", 300, 150)
        with pieces_of(path, "book.xlsx", cells_limit=310) as pieces:
            read = list(pieces)
        assert len([piece for piece in read if isinstance(piece, Row)]) == 103
        assert read[-1] == Excess("cells", 900, 310)

    def test_sheets_beyond_the_limit_are_counted(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = long_workbook(tmp_path / "book.xlsx", rows=1, sheets=4)
        monkeypatch.setattr(reading, "SHEETS_LIMIT", 3)
        with pieces_of(path, "book.xlsx") as pieces:
            read = list(pieces)
        assert len([piece for piece in read if isinstance(piece, SheetBegins)]) == 3
        assert read[-1] == Excess("sheets", 4, 3)
