"""The same table in whatever form lands the same; what is around it is told, nothing is guessed."""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
import xlwt

from apps.catalog.models import Dataset
from apps.warehouse.models import Batch
from tests.factories.warehouse import IDENTITIES, balance, landed
from tests.warehouse.conftest import Rows

pytestmark = pytest.mark.django_db

HEADINGS = ["身份证号", "姓名", "出生日期", "手机号", "金额", "等级"]
NAMES = ["identity_number", "name", "born_on", "mobile", "amount", "grade"]
RECORDS: list[list[Any]] = [
    [IDENTITIES[0], "张三", date(1990, 1, 1), "13800000000", Decimal("1204.50"), "甲"],
    [IDENTITIES[1], "李“四”", date(1990, 1, 2), None, Decimal("0.10"), "乙"],
    [IDENTITIES[2], "王,五\n六", None, "13800000002", None, None],
]


def texts() -> list[list[str]]:
    return [["" if cell is None else str(cell) for cell in row] for row in RECORDS]


def as_csv(delimiter: str = ",") -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows([HEADINGS, *texts()])
    return buffer.getvalue().encode()


def as_xlsx(rows: Sequence[Any] = (), **sheets: Sequence[Any]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for name, lines in (sheets or {"数据": rows or [HEADINGS, *RECORDS]}).items():
            sheet = book.add_worksheet(name)
            for number, line in enumerate(lines):
                for place, cell in enumerate(line):
                    if isinstance(cell, date):
                        sheet.write_datetime(number, place, cell, day)
                    elif cell is not None:
                        sheet.write(number, place, cell)
    return buffer.getvalue()


def as_xls() -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("数据")
    for number, line in enumerate([HEADINGS, *texts()]):
        for place, cell in enumerate(line):
            sheet.write(number, place, cell)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def as_ods() -> bytes:
    def cell(text: str) -> str:
        lines = "".join(f"<text:p>{part}</text:p>" for part in text.split("\n"))
        return f'<table:table-cell office:value-type="string">{lines}</table:table-cell>'

    rows = "".join(
        f"<table:table-row>{''.join(map(cell, line))}</table:table-row>"
        for line in [HEADINGS, *texts()]
    )
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0"?><office:document-content {spaces}><office:body><office:spreadsheet>'
        f'<table:table table:name="数据">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
    return buffer.getvalue()


def objects() -> list[dict[str, Any]]:
    return [
        {
            name: str(cell) if isinstance(cell, date) else float(cell) if name == "amount" else cell
            for name, cell in zip(NAMES, row, strict=True)
            if cell is not None
        }
        for row in RECORDS
    ]


def as_json() -> bytes:
    return json.dumps(objects(), ensure_ascii=False, indent=2).encode()


def as_wrapped_json() -> bytes:
    return json.dumps({"code": 0, "data": objects()}, ensure_ascii=False).encode()


def as_ndjson() -> bytes:
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in objects()).encode()


def as_parquet() -> bytes:
    table = pa.table(
        {
            "identity_number": pa.array([row[0] for row in RECORDS]),
            "name": pa.array([row[1] for row in RECORDS]),
            "born_on": pa.array([row[2] for row in RECORDS], pa.date32()),
            "mobile": pa.array([row[3] for row in RECORDS]),
            "amount": pa.array([row[4] for row in RECORDS], pa.decimal128(10, 2)),
            "grade": pa.array([row[5] for row in RECORDS]),
        }
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def zipped(name: str, content: bytes, *more: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
        for other in more:
            archive.writestr(other, "")
    return buffer.getvalue()


FORMS: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "csv": ("表.csv", as_csv, "CSV"),
    "tab": ("表.tsv", lambda: as_csv("\t"), "CSV"),
    "semicolon": ("表.csv", lambda: as_csv(";"), "CSV"),
    "xlsx": ("表.xlsx", as_xlsx, "XLSX"),
    "xls": ("表.xls", as_xls, "XLS"),
    "ods": ("表.ods", as_ods, "ODS"),
    "json": ("表.json", as_json, "JSON"),
    "wrapped json": ("表.json", as_wrapped_json, "JSON"),
    "ndjson": ("表.ndjson", as_ndjson, "JSON"),
    "parquet": ("表.parquet", as_parquet, "Parquet"),
    "zip of csv": ("表.zip", lambda: zipped("表.csv", as_csv(), "__MACOSX/._表.csv"), "ZIP · CSV"),
    "zip of xlsx": ("表.zip", lambda: zipped("表.xlsx", as_xlsx()), "ZIP · XLSX"),
    "gz of ndjson": ("表.ndjson.gz", lambda: gzip.compress(as_ndjson()), "GZ · JSON"),
    "gz of gb18030": (
        "表.csv.gz",
        lambda: gzip.compress(as_csv().decode().encode("gb18030")),
        "GZ · CSV",
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_table_lands_the_same_in_every_form(
    dataset: Dataset, provider: Any, rows: Rows, form: str
) -> None:
    name, write, label = FORMS[form]
    batch = landed(dataset, write(), actor=provider, file_name=name)
    assert (batch.status, batch.form) == ("landed", label), batch.message
    assert balance(batch) == {"landed": 3}
    found = rows(dataset, *NAMES, order="identity_number")
    assert found == [tuple(row) for row in RECORDS]


def test_one_form_after_another_changes_nothing(dataset: Dataset, provider: Any) -> None:
    """The same values have the same hash, whatever the file was."""
    landed(dataset, as_csv(), actor=provider)
    for name, write in (("表.xlsx", as_xlsx), ("表.json", as_json), ("表.parquet", as_parquet)):
        batch = landed(dataset, write(), actor=provider, file_name=name)
        assert balance(batch) == {"unchanged": 3}, name


MESSY: list[list[Any]] = [
    ["重庆市困难群众名册"],
    ["填报单位：市民政局", None, None, "2026年11月"],
    ["序号", "身份证号", "姓名", "基本情况", "基本情况", "联系", "等级"],
    [None, None, None, "出生日期", "金额", "手机号", None],
    ["城镇", "城镇", "城镇", "城镇", "城镇", "城镇", "城镇"],
    ["1", IDENTITIES[0], "张三", "1990-01-01", "1204.50", "13800000000", "甲"],
    [],
    ["2", IDENTITIES[1], "李四", "1990.1.2", "0.10", None, "乙"],
    ["合计", None, None, None, "1204.60", None, None],
    ["制表人：王敏", None, None, None, "审核：陈"],
]


class TestAroundTheTable:
    def test_titles_two_rows_of_headings_groups_totals_and_signatures_are_told(
        self, dataset: Dataset, provider: Any, rows: Rows
    ) -> None:
        batch = landed(dataset, as_xlsx(MESSY), actor=provider, file_name="名册.xlsx")
        assert batch.status == "landed", batch.message
        assert balance(batch) == {"landed": 2}
        assert rows(dataset, "name", "amount") == [
            ("张三", Decimal("1204.50")),
            ("李四", Decimal("0.10")),
        ]
        assert (batch.details["sheet"], batch.details["header_row"]) == ("数据", 3)
        assert batch.details["left_out"] == ["序号"]
        told = [(each["line"], each["why"]) for each in batch.details["passed_over"]]
        assert told == [(5, "group"), (9, "total"), (10, "footer")]

    def test_text_with_titles_is_read_as_a_sheet_is(self, dataset: Dataset, provider: Any) -> None:
        lines = [["" if cell is None else cell for cell in row] for row in MESSY]
        buffer = io.StringIO()
        csv.writer(buffer).writerows(lines)
        batch = landed(dataset, buffer.getvalue().encode("gb18030"), actor=provider)
        assert batch.status == "landed", batch.message
        assert balance(batch) == {"landed": 2}

    def test_a_fault_is_told_with_the_row_of_the_sheet(
        self, dataset: Dataset, provider: Any
    ) -> None:
        bad = [*MESSY[:7], ["2", IDENTITIES[1], "李四", "1990-13-02", "1", None, "乙"]]
        batch = landed(dataset, as_xlsx(bad), actor=provider, file_name="名册.xlsx")
        (rejection,) = batch.rejections.all()
        assert rejection.line == 8
        assert "第 8 行" in rejection.reasons[0]["message"]

    def test_a_row_that_names_its_key_is_never_passed_over(
        self, dataset: Dataset, provider: Any
    ) -> None:
        odd = [HEADINGS, [IDENTITIES[0], "合计", None, None, None, None], [IDENTITIES[1]]]
        batch = landed(dataset, as_xlsx(odd), actor=provider, file_name="表.xlsx")
        assert balance(batch) == {"landed": 1, "rejected": 1}

    def test_a_column_without_a_heading_may_count_but_not_hold_values(
        self, dataset: Dataset, provider: Any
    ) -> None:
        rows = [["", *HEADINGS], ["甲一", *texts()[0]]]
        batch = landed(dataset, as_xlsx(rows), actor=provider, file_name="表.xlsx")
        assert (batch.status, batch.message_code) == ("refused", "columns_unknown")

    def test_several_sheets_that_fit_are_not_chosen_from(
        self, dataset: Dataset, provider: Any
    ) -> None:
        table = [HEADINGS, *RECORDS]
        content = as_xlsx(一月=table, 二月=table, 说明=[["填表说明"]])
        batch = landed(dataset, content, actor=provider, file_name="表.xlsx")
        assert (batch.status, batch.message_code) == ("refused", "sheets_ambiguous")
        assert batch.details["sheets"] == ["一月", "二月"]


class TestRefused:
    @pytest.mark.parametrize(
        ("name", "content", "code"),
        [
            ("a.zip", zipped("一.csv", as_csv(), "二.csv"), "archive_not_one_table"),
            ("a.zip", zipped("一.zip", zipped("二.csv", as_csv())), "archive_nested"),
            ("a.zip", zipped("一.csv", b"0" * (300 << 20)), "archive_too_heavy"),
            ("a.zip", b"PK\x03\x04 broken", "file_damaged"),
            ("a.gz", gzip.compress(as_csv())[:40], "file_damaged"),
            ("a.json", b'[{"a": 1}, {"a": ', "json_malformed"),
            ("a.json", b'[{"a": 1}, 7]', "json_not_records"),
            ("a.json", b"[" * 100_000 + b"]" * 100_000, "json_malformed"),
            ("a.json", b'[{"identity_number": "1"}]', "columns_missing"),
            ("a.parquet", b"PAR1 broken PAR1", "file_damaged"),
            ("a.xlsx", as_xlsx([["甲", "乙"], ["1", "2"]]), "heading_missing"),
            ("a.docx", zipped("word/document.xml", b"<x/>"), "file_not_as_named"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_in_words_and_nothing_lands(
        self, dataset: Dataset, provider: Any, name: str, content: bytes, code: str
    ) -> None:
        batch = landed(dataset, content, actor=provider, file_name=name)
        assert (batch.status, batch.message_code) == ("refused", code), batch.message
        assert batch.message
        assert not Batch.objects.filter(status="landed").exists()
