"""What people write beside, below and instead of what the template asks for is understood."""

import io
from datetime import datetime
from pathlib import Path

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from apps.catalog.spreadsheets.footings import is_footing
from apps.catalog.spreadsheets.marking import write_marked
from tests.catalog.sheets.workbooks import HEADINGS, faults, row, upload, workbook
from tests.catalog.stories import People
from tests.factories.catalog import ClassificationFactory, DatasetFactory
from tests.factories.standards import DataElementFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _class(db: None) -> None:
    ClassificationFactory()


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["合计", "", "12"], True),
        (["总 计："], True),
        (["填报人：李敏    审核人：王强"] * 11, True),
        (["", "备注：本表一式两份"], True),
        (["说明1：只报新增的"], True),
        (["1", "3 部门信息资源", "合计信息"], False),
        (["联系人", "电话", "地址"], False),
        ([""], False),
        ([], False),
    ],
)
def test_a_total_or_a_signature_is_no_entry(cells: list[str], expected: bool) -> None:
    assert is_footing(cells) is expected


def test_what_stands_below_the_table_is_passed_over_and_told_of(
    people: People, at: datetime
) -> None:
    total = {"信息资源分类(目)": "合计", "数据长度": "50"}
    signature = dict.fromkeys(HEADINGS[:8], "填报人：李敏  审核人：王强")
    subject = upload(workbook([row(), total, signature]), people.editor, at)
    entry = subject.entries.get()
    assert (entry.action, entry.first_row, entry.last_row) == ("create", 2, 2)
    assert [note for note in subject.summary["notes"] if "没有读取" in note] == [
        "表“目录”第 3 行是合计、落款或者说明，没有读取",
        "表“目录”第 4 行是合计、落款或者说明，没有读取",
    ]


def test_an_item_may_be_called_total(people: People, at: datetime) -> None:
    below = {"信息项名称": "合计", "数据类型": "整型I"}
    subject = upload(workbook([row(), below]), people.editor, at)
    names = [item["name"] for item in subject.entries.get().proposal["items"]]
    assert names == ["姓名", "合计"]


def test_a_department_may_leave_its_city_out(people: People, at: datetime) -> None:
    own = people.editor.department
    subject = upload(workbook([row(信息资源提供方=own.name[-3:])]), people.editor, at)
    entry = subject.entries.get()
    assert (entry.action, entry.department) == ("create", own)
    assert [each for each in faults(subject) if each[0] == "warning" and "按本部门" in each[2]]


def test_a_space_more_in_a_name_renames_nothing(people: People, at: datetime) -> None:
    known = DatasetFactory(department=people.editor.department, name="临时救助发放信息")
    rows = [row(信息资源名称="临时救助 发放信息", 信息资源摘要="按月发放的临时救助金明细和去向")]
    subject = upload(workbook(rows), people.editor, at)
    entry = subject.entries.get()
    assert (entry.action, entry.dataset) == ("revise", known)
    assert "name" not in entry.proposal["fields"]
    assert [each[:2] for each in faults(subject) if "只差空格或标点" in each[2]] == [
        ("warning", "B2")
    ]


def test_names_and_codes_that_both_count_up_are_refused_unless_known(
    people: People, at: datetime
) -> None:
    rows = [
        row(信息资源名称=f"救助设施{n}", 信息资源代码=f"307001/00030{n}", 信息项名称=f"项{n}")
        for n in (1, 2, 3)
    ]
    subject = upload(workbook(rows), people.editor, at)
    assert [entry.action for entry in subject.entries.order_by("position")] == [
        "create",
        "faulty",
        "faulty",
    ]
    for n in (1, 2, 3):
        DatasetFactory(
            department=people.editor.department, name=f"救助设施{n}", code=f"307001/00030{n}"
        )
    subject = upload(workbook(rows), people.editor, at)
    assert {entry.action for entry in subject.entries.all()} == {"revise"}


@pytest.mark.parametrize(
    ("heading", "text", "words"),
    [
        ("数据类型", "文本型", "“文本型”读作“字符型C”"),
        ("数据类型", "字符型", ""),
        ("数据类型", "C", ""),
        ("是否向社会开放", "是", "“是”读作“无条件开放”"),
        ("是否向社会开放", "否", ""),
    ],
)
def test_a_word_of_ones_own_is_told_of(
    people: People, at: datetime, heading: str, text: str, words: str
) -> None:
    subject = upload(workbook([row(**{heading: text})]), people.editor, at)
    told = [message for _level, _cell, message in faults(subject) if "读作" in message]
    assert told == ([words] if words else [])


@pytest.mark.parametrize("name", ["身份证号", "居民身份证号码", "申请人身份证号", "公民身份号码"])
def test_an_identity_number_is_one_under_any_name(people: People, at: datetime, name: str) -> None:
    DataElementFactory(
        name="公民身份号码",
        column_name="identity_number",
        value_check="identity_number",
        personal=True,
        sensitive=True,
    )
    subject = upload(workbook([row(信息项名称=name, 数据长度="18")]), people.editor, at)
    proposal = subject.entries.get().proposal
    item = proposal["items"][0]
    assert (item["value_check"], item["sensitive"]) == ("identity_number", True)
    assert proposal["fields"]["contains_sensitive"] is True
    assert (item["column_name"] == "identity_number") is (name != "申请人身份证号")


def test_what_holds_for_many_items_is_said_once(people: People, at: datetime) -> None:
    rows = [row(信息项名称=f"{letter}项") for letter in "甲乙丙丁戊"]
    found = [each[2] for each in faults(upload(workbook(rows), people.editor, at))]
    assert [words for words in found if "暂定" in words] == [
        "数据项“甲项、乙项、丙项”等 5 个：列名是系统暂定的，请改为有意义的英文或拼音"
    ]


def test_a_marked_sheet_keeps_titles_once_and_comes_back_unharmed(
    people: People, at: datetime, tmp_path: Path
) -> None:
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    page = book.add_worksheet("目录")
    page.merge_range(0, 0, 0, len(HEADINGS) - 1, "市民政局目录")
    for place, heading in enumerate(HEADINGS):
        page.write_string(1, place, heading)
        page.write_string(2, place, row(更新周期="常常").get(heading, ""))
    page.merge_range(3, 0, 3, 8, "填报人：李敏")
    book.close()
    subject = upload(content.getvalue(), people.editor, at)
    path = tmp_path / "marked.xlsx"
    write_marked(subject, path)
    lines = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    assert [line.count("市民政局目录") + line.count("填报人：李敏") for line in lines] == [
        1,
        0,
        0,
        1,
    ]
    assert lines[1][-2:] == ["检查结果", "问题和改法"]
    assert "常常" in str(lines[2][-1])
    again = upload(path.read_bytes(), people.editor, at)
    assert faults(again) == faults(subject)
    assert again.summary["notes"] == subject.summary["notes"]
    write_marked(again, path)
    lines = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    assert lines[1].count("检查结果") == 1
