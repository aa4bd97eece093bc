"""Files that nobody should send: each gets a verdict in words, never half an import."""

import io
import zipfile
from collections.abc import Callable
from datetime import datetime

import pytest
import xlsxwriter

from apps.catalog.models import Dataset
from tests.catalog.sheets.workbooks import HEADINGS, faults, row, upload, workbook
from tests.catalog.stories import People
from tests.factories.catalog import ClassificationFactory

pytestmark = pytest.mark.django_db
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def zipped(**parts: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return content.getvalue()


def bomb() -> bytes:
    """Half a gigabyte of blanks in half a megabyte."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as part:
            for _block in range(500):
                part.write(b" " * (1 << 20))
    return content.getvalue()


def xml_bomb() -> bytes:
    entities = "".join(
        f'<!ENTITY a{number} "{f"&a{number - 1};" * 10}">' for number in range(1, 10)
    )
    kind = f'<!DOCTYPE x [<!ENTITY a0 "aaaa">{entities}]>'
    text = f'<?xml version="1.0"?>{kind}<workbook>&a9;</workbook>'
    return zipped(**{"xl/workbook.xml": text.encode()})


def many_parts() -> bytes:
    return zipped(**{"xl/workbook.xml": b"<workbook/>", **{f"x{n}": b"" for n in range(4_000)}})


def replaced(content: bytes, old: bytes, new: bytes) -> bytes:
    """The workbook with bytes of its parts replaced, as no office program would write it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(out, "w") as after:
        for part in before.namelist():
            after.writestr(part, before.read(part).replace(old, new))
    return out.getvalue()


def truncated() -> bytes:
    content = workbook([row()])
    return content[: len(content) // 2]


def damaged_inside() -> bytes:
    return zipped(**{"xl/workbook.xml": b"<workbook><sheets>", "[Content_Types].xml": b"<x"})


REFUSED: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "empty": ("目录.xlsx", lambda: b"", "file_empty"),
    "truncated": ("目录.xlsx", truncated, "workbook_damaged"),
    "damaged inside": ("目录.xlsx", damaged_inside, "workbook_damaged"),
    "encrypted": (
        "目录.xlsx",
        lambda: OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600,
        "workbook_encrypted",
    ),
    "zip bomb": ("目录.xlsx", bomb, "workbook_too_heavy"),
    "thousands of parts": ("目录.xlsx", many_parts, "workbook_too_heavy"),
    "XML bomb": ("目录.xlsx", xml_bomb, "workbook_suspicious"),
    "nested archive": (
        "目录.zip",
        lambda: zipped(**{"a.xlsx": workbook([row()])}),
        "archive_uploaded",
    ),
    "Word": ("目录.xlsx", lambda: zipped(**{"word/document.xml": b"<x/>"}), "file_not_as_named"),
    "PDF as xlsx": ("目录.xlsx", lambda: b"%PDF-1.7 ...", "file_not_as_named"),
    "web page as xls": ("目录.xls", lambda: b"<html><table></table></html>", "file_not_as_named"),
    "noise as csv": ("目录.csv", lambda: bytes([0x81, 0x20, 0xFF]) * 50, "encoding_invalid"),
    "no headings": ("目录.csv", "甲,乙\n1,2\n".encode, "nothing_found"),
    "headings alone": ("目录.csv", lambda: ",".join(HEADINGS).encode(), "nothing_found"),
    "quote left open": (
        "目录.csv",
        (",".join(HEADINGS) + '\n"307001,名称\n').encode,
        "csv_malformed",
    ),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_file_that_cannot_be_read_is_refused_in_words(
    people: People, at: datetime, name: str
) -> None:
    file_name, make, code = REFUSED[name]
    subject = upload(make(), people.editor, at, name=file_name)
    assert (subject.status, subject.problem_code) == ("refused", code), subject.problem
    assert subject.problem
    assert not subject.entries.exists()
    assert not Dataset.objects.exists()


def test_145_sheets_are_read_one_by_one(people: People, at: datetime) -> None:
    ClassificationFactory()
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    for number in range(145):
        page = book.add_worksheet(f"表{number + 1}")
        for place, heading in enumerate(HEADINGS):
            page.write_string(0, place, heading)
            cell = row(信息资源名称=f"第{number}号目录的信息").get(heading, "")
            page.write_string(1, place, cell)
    book.close()
    subject = upload(content.getvalue(), people.editor, at)
    assert subject.summary["counts"]["create"] == 145


def test_a_hundred_thousand_rows_get_their_verdict(people: People, at: datetime) -> None:
    ClassificationFactory()
    lines = [",".join(HEADINGS)]
    first = ",".join(row().get(heading, "") for heading in HEADINGS)
    lines += [first.replace("姓名", f"第{number}项的名称") for number in range(100_000)]
    subject = upload("\n".join(lines).encode(), people.editor, at, name="目录.csv")
    assert (subject.status, subject.summary["counts"]["faulty"]) == ("checked", 1)
    assert any("超过 1000 个" in fault["message"] for fault in subject.entries.get().faults)


@pytest.mark.parametrize(
    "heading",
    ["信息资源名称", "信息资源代码", "信息资源提供方", "信息资源摘要", "信息项名称", "审批人"],
)
def test_characters_that_no_database_keeps_are_dropped(
    people: People, at: datetime, heading: str
) -> None:
    ClassificationFactory()
    headings = [*HEADINGS, "审批人"]
    cells = row(**{heading: row().get(heading, "") + "MARK"})
    if heading == "审批人":
        headings[-1] = "审批MARK人"
    content = replaced(workbook([cells], headings=headings), b"MARK", b"_x0000__x0007_")
    subject = upload(content, people.editor, at)
    assert subject.status == "checked", subject.problem
    kept = str([*subject.entries.values()]) + str(subject.summary)
    assert not [sign for sign in ("\x00", "\\x00", "\x07", "_x0000_") if sign in kept]
    assert [entry.action for entry in subject.entries.all()] == ["create"]


def test_a_code_longer_than_any_is_named(people: People, at: datetime) -> None:
    ClassificationFactory()
    subject = upload(workbook([row(信息资源代码=f"307001{'1' * 100}/1")]), people.editor, at)
    assert ("error", "C2") in [fault[:2] for fault in faults(subject)]
    assert "太长" in str(faults(subject))


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig", "utf-16"])
def test_csv_of_every_usual_encoding_is_read(people: People, at: datetime, encoding: str) -> None:
    ClassificationFactory()
    text = ",".join(HEADINGS) + "\n" + ",".join(row().get(name, "") for name in HEADINGS)
    subject = upload(text.encode(encoding), people.editor, at, name="目录.csv")
    assert subject.summary["counts"]["create"] == 1, subject.problem


def test_a_workbook_under_another_name_is_read_and_told_of(people: People, at: datetime) -> None:
    ClassificationFactory()
    subject = upload(workbook([row()]), people.editor, at, name="目录.csv")
    assert subject.summary["counts"]["create"] == 1
    assert "扩展名" in subject.summary["notes"][0]


def test_titles_above_the_headings_and_headings_in_two_rows(people: People, at: datetime) -> None:
    ClassificationFactory()
    headings = list(HEADINGS)
    lower = ["目" if name == "信息资源分类(目)" else "" for name in headings]
    lines = [dict(zip(headings, lower, strict=True))]
    content = workbook(
        [*lines, row()],
        headings=headings,
        titles=["市民政局信息资源目录", "填报日期：2019年5月"],
    )
    assert upload(content, people.editor, at).summary["counts"]["create"] == 1
