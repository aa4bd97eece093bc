"""Files that nobody should send: each gets a verdict in words, never half an import."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from apps.catalog import operations as catalog
from apps.catalog.models import (
    CatalogImport,
    CensusFigures,
    DataItem,
    Dataset,
    DatasetChange,
    DatasetVersion,
)
from apps.core.errors import InvalidInput
from apps.core.workbooks import reading
from tests.catalog.sheets import hostile
from tests.catalog.sheets.hostile import replaced, zipped
from tests.catalog.sheets.workbooks import HEADINGS, faults, row, upload, workbook
from tests.catalog.stories import People
from tests.factories.catalog import ClassificationFactory, PublishedDatasetFactory

pytestmark = pytest.mark.django_db
KEPT: tuple[Any, ...] = (
    Dataset, DataItem, DatasetVersion, DatasetChange, CensusFigures, Dataset.history,
    DataItem.history,
)  # fmt: skip
Make = Callable[[], bytes]


@pytest.fixture
def kept(people: People) -> list[Any]:
    """The catalogue with an entry in force, as it stands before the file comes."""
    PublishedDatasetFactory(department=people.editor.department)
    return everything()


def everything() -> list[Any]:
    return [sorted(getattr(model, "objects", model).values_list()) for model in KEPT]


# file name, content, code, a part of the words
REFUSED: dict[str, tuple[str, Make, str, str]] = {
    "empty": ("目录.xlsx", lambda: b"", "file_empty", "文件是空的"),
    "no longer a file": ("目录.xlsx", lambda: b"PK\x03\x04", "workbook_damaged", "已经损坏"),
    "truncated": ("目录.xlsx", hostile.truncated, "workbook_damaged", "已经损坏"),
    "damaged inside": ("目录.xlsx", hostile.damaged_inside, "workbook_damaged", "已经损坏"),
    "encrypted": ("目录.xlsx", hostile.locked_xlsx, "workbook_encrypted", "取消密码后另存"),
    "encrypted, old": ("目录.xls", hostile.locked_xls, "workbook_encrypted", "取消密码后另存"),
    "encrypted, open": ("目录.ods", hostile.locked_ods, "workbook_encrypted", "取消密码后另存"),
    "zip bomb": ("目录.xlsx", hostile.bomb, "workbook_too_heavy", "异常地大"),
    "thousands of parts": ("目录.xlsx", hostile.many_parts, "workbook_too_heavy", "异常地大"),
    "XML bomb": ("目录.xlsx", hostile.xml_bomb, "workbook_suspicious", "自定义的 XML 实体"),
    **{
        f"XML bomb in {encoding}": (
            "目录.xlsx",
            partial(hostile.xml_bomb, encoding),
            "workbook_suspicious",
            "自定义的 XML 实体",
        )
        for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32-le", "utf-7", "cp037", "gbk")
    },
    "XML bomb below a long remark": (
        "目录.xlsx",
        lambda: hostile.xml_bomb(remark="说明" * 5_000),
        "workbook_suspicious",
        "自定义的 XML 实体",
    ),
    "nested archive": (
        "目录.zip",
        lambda: zipped(**{"a.xlsx": workbook([row()])}),
        "archive_uploaded",
        "里面有 1 个文件",
    ),
    "Word": (
        "目录.xlsx",
        lambda: zipped(**{"word/document.xml": b"<x/>"}),
        "file_not_as_named",
        "不是工作簿",
    ),
    "PDF as xlsx": ("目录.xlsx", lambda: b"%PDF-1.7 ...", "file_not_as_named", "PDF 文件"),
    "web page as xls": (
        "目录.xls",
        lambda: b"<html><table></table></html>",
        "file_not_as_named",
        "网页",
    ),
    "noise as csv": (
        "目录.csv",
        lambda: bytes([0x81, 0x20, 0xFF]) * 50,
        "encoding_invalid",
        "第 1 行有不能识别的字节",
    ),
    "no headings": ("目录.csv", "甲,乙\n1,2\n".encode, "nothing_found", "没有找到表头"),
    "headings too far down": (
        "目录.xlsx",
        lambda: workbook([row()], titles=["标题"] * 30),
        "nothing_found",
        "前 30 行没有找到表头",
    ),
    "headings alone": (
        "目录.csv",
        lambda: ",".join(HEADINGS).encode(),
        "nothing_found",
        "表头以下没有内容",
    ),
    "quote left open": (
        "目录.csv",
        (",".join(HEADINGS) + '\n"307001,名称\n').encode,
        "csv_malformed",
        "引号不成对",
    ),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_file_that_cannot_be_read_is_refused_in_words(
    people: People, at: datetime, kept: list[Any], name: str
) -> None:
    file_name, make, code, words = REFUSED[name]
    assert_refused(upload(make(), people.editor, at, name=file_name), people, at, code, words)
    assert everything() == kept


def assert_refused(
    subject: CatalogImport, people: People, at: datetime, code: str, words: str
) -> None:
    assert (subject.status, subject.problem_code) == ("refused", code), subject.problem
    assert words in subject.problem
    assert not subject.entries.exists()
    with pytest.raises(InvalidInput) as refused:
        catalog.adopt(subject=subject, actor=people.editor, at=at, scope="good")
    assert refused.value.code == "nothing_to_adopt"


# what is judged and found wrong: content, file name, a part of the words
WRONG: dict[str, tuple[Make, str, str]] = {
    "two codes within one entry": (
        lambda: workbook(
            [
                row(信息资源代码="307001/000091"),
                row(信息资源代码="307001/000092", 信息项名称="金额"),
            ]
        ),
        "目录.xlsx",
        "同一目录用了两个代码",
    ),
    "a name that differs by a space": (
        lambda: workbook([row(), row(信息资源名称="临时救助 发放信息", 信息项名称="金额")]),
        "目录.xlsx",
        "只差空格或标点",
    ),
    "an error of a formula": (
        lambda: hostile.with_formulas((4, "=Z1", "#REF!")),
        "目录.xlsx",
        "单元格是公式错误 #REF!",
    ),
    "an error of a formula, old": (
        lambda: hostile.old_with_error(4, "#DIV/0!"),
        "目录.xls",
        "单元格是公式错误 #DIV/0!",
    ),
    "an error of a formula, open": (
        lambda: hostile.open_with_error(4, "#DIV/0!"),
        "目录.ods",
        "单元格是公式错误 #DIV/0!",
    ),
    "an error of a formula, text": (
        lambda: table_of([row(信息资源摘要="#DIV/0!")], "csv"),
        "目录.csv",
        "单元格是公式错误 #DIV/0!",
    ),
    "a formula never worked out": (
        lambda: hostile.with_formulas((9, "=25*2", "")),
        "目录.xlsx",
        "公式没有计算结果",
    ),
    "another's department": (
        lambda: workbook([row(信息资源提供方="市教委")]),
        "目录.xlsx",
        "不是本部门；只能导入本部门的目录",
    ),
    "100,000 rows": (lambda: hostile.long_csv(100_000), "目录.csv", "数据项超过 1000 个"),
}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_what_is_wrong_is_named_and_nothing_of_it_taken_over(
    people: People, cast: Any, at: datetime, kept: list[Any], name: str
) -> None:
    make, file_name, words = WRONG[name]
    subject = upload(make(), people.editor, at, name=file_name)
    assert (subject.status, [entry.action for entry in subject.entries.all()]) == (
        "checked",
        ["faulty"],
    ), subject.problem
    assert [each for each in faults(subject) if each[0] == "error" and words in each[2]]
    for scope, code in (("all", "import_has_faults"), ("good", "nothing_to_adopt")):
        with pytest.raises(InvalidInput) as refused:
            catalog.adopt(subject=subject, actor=people.editor, at=at, scope=scope)
        assert refused.value.code == code
    assert everything() == kept


class TestBounds:
    """What is too much is refused as a whole, however small its file; memory and time end it."""

    @pytest.mark.parametrize(
        ("limit", "value"), [("CPU_LIMIT_SECONDS", 1), ("MEMORY_LIMIT_MB", 128)]
    )
    def test_of_time_and_memory(
        self,
        people: People,
        at: datetime,
        kept: list[Any],
        monkeypatch: pytest.MonkeyPatch,
        limit: str,
        value: int,
    ) -> None:
        monkeypatch.setattr(reading, limit, value)
        subject = upload(hostile.dense(), people.editor, at)
        assert_refused(subject, people, at, "workbook_too_heavy", "在限定的内存和时间内读不完")
        assert everything() == kept
        assert upload(workbook([row()]), people.editor, at).status == "checked"

    @pytest.mark.parametrize("form", ["xlsx", "csv"])
    @pytest.mark.parametrize(
        ("limit", "value", "code", "words"),
        [
            ("ROWS_LIMIT", 3, "rows_too_many", "文件有 5 行内容，一次最多 3 行"),
            ("CELLS_LIMIT", 50, "cells_too_many", "个填了内容的单元格，一次最多 50 个"),
        ],
    )
    def test_of_rows_and_cells(
        self,
        people: People,
        at: datetime,
        kept: list[Any],
        monkeypatch: pytest.MonkeyPatch,
        form: str,
        limit: str,
        value: int,
        code: str,
        words: str,
    ) -> None:
        """The first entry stands within the limit, and would be half an import."""
        monkeypatch.setattr(reading, limit, value)
        ClassificationFactory()
        for count, status in ((2, "checked"), (4, "refused")):
            content = table_of([row(信息项名称=f"第{n}项") for n in range(count)], form)
            subject = upload(content, people.editor, at, name=f"目录.{form}")
            assert subject.status == status, subject.problem
        assert_refused(subject, people, at, code, words)
        assert "分成几个文件上传" in subject.problem
        assert everything() == kept

    def test_of_rows_on_all_sheets_together(
        self, people: People, at: datetime, kept: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reading, "ROWS_LIMIT", 5)
        subject = upload(hostile.many_sheets(4), people.editor, at)
        assert_refused(subject, people, at, "rows_too_many", "文件有 8 行内容，一次最多 5 行")
        assert everything() == kept

    def test_of_sheets(
        self, people: People, at: datetime, kept: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reading, "SHEETS_LIMIT", 3)
        subject = upload(hostile.many_sheets(4), people.editor, at)
        words = "工作簿有 4 张表，一次最多 3 张"
        assert_refused(subject, people, at, "sheets_too_many", words)
        assert everything() == kept
        assert upload(hostile.many_sheets(3), people.editor, at).status == "checked"

    def test_of_more_rows_than_any_catalogue_has(
        self, people: People, at: datetime, kept: list[Any]
    ) -> None:
        subject = upload(hostile.long_csv(200_000), people.editor, at, name="目录.csv")
        words = "文件有 200,001 行内容，一次最多 200,000 行"
        assert_refused(subject, people, at, "rows_too_many", words)
        assert everything() == kept


def table_of(rows: list[dict[str, str]], form: str) -> bytes:
    if form == "xlsx":
        return workbook(rows)
    lines = [HEADINGS, *([each.get(name, "") for name in HEADINGS] for each in rows)]
    return "\n".join(",".join(line) for line in lines).encode()


def test_145_sheets_are_read_one_by_one(people: People, at: datetime) -> None:
    ClassificationFactory()
    subject = upload(hostile.many_sheets(145), people.editor, at)
    assert subject.summary["counts"] == {
        "create": 145,
        **dict.fromkeys(("revise", "unchanged", "conflict", "faulty"), 0),
    }
    assert len({entry.sheet for entry in subject.entries.all()}) == 145


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
    """The headings stand in row 3, and go on in row 4."""
    ClassificationFactory()
    headings = list(HEADINGS)
    lower = ["目" if name == "信息资源分类(目)" else "" for name in headings]
    lines = [dict(zip(headings, lower, strict=True))]
    content = workbook(
        [*lines, row()],
        headings=headings,
        titles=["市民政局信息资源目录", "填报日期：2019年5月"],
    )
    subject = upload(content, people.editor, at)
    assert subject.summary["counts"]["create"] == 1
    assert subject.summary["tables"][0]["last_row"] == 3  # the row above the first of an entry
