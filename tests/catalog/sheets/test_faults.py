"""Every fault that departments really make is named, at its cell, with what to do."""

import io
from datetime import datetime
from typing import Any

import pytest
import xlsxwriter

from tests.catalog.sheets.workbooks import HEADINGS, faults, row, upload, workbook
from tests.catalog.stories import People
from tests.factories.accounts import InformationSystemFactory
from tests.factories.catalog import ClassificationFactory, DatasetFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _class(db: None) -> None:
    ClassificationFactory()


def cell(heading: str, number: int = 2) -> str:
    return f"{chr(65 + HEADINGS.index(heading))}{number}"


# what the row says → level, heading of the cell, a part of the words
FAULTS: dict[str, tuple[dict[str, str], str, str, str]] = {
    "name of a system": ({"信息资源名称": "社会救助管理系统"}, "due", "信息资源名称", "信息系统"),
    "blank abstract": ({"信息资源摘要": ""}, "due", "信息资源摘要", "请填写摘要"),
    "blank provider": ({"信息资源提供方": ""}, "warning", "信息资源提供方", "没有填写"),
    "unknown provider": (
        {"信息资源提供方": "市某某局"},
        "error",
        "信息资源提供方",
        "没有“市某某局”",
    ),
    "code too short": ({"信息资源代码": "307/1"}, "error", "信息资源代码", "太短"),
    "code as a number": ({"信息资源代码": "3.07001E+11"}, "error", "信息资源代码", "科学计数"),
    "full-width digits in a code": (
        {"信息资源代码": "３０７００１/０００００１"},
        "warning",
        "信息资源代码",
        "读作 307001/000001",
    ),
    "format and type": ({"信息资源格式类型": "docx"}, "due", "信息资源格式类型", "不属于"),
    "mode and format": ({"共享方式类型": "文件"}, "due", "共享方式类型", "不能以"),
    "unit in a number": ({"数据长度": "50个字符"}, "warning", "数据长度", "单位写进了数字"),
    "wrong unit in a number": ({"数据长度": "800万"}, "error", "数据长度", "单位写进了数字"),
    "full-width digits": ({"数据长度": "５０"}, "warning", "数据长度", "全角数字"),
    "data type not in the list": ({"数据类型": "字符窜型"}, "error", "数据类型", "没有“字符窜型”"),
    "date as text": ({"发布日期": "2019年5月10日"}, "warning", "发布日期", "读作 2019-05-10"),
    "date as a serial": ({"发布日期": "43595"}, "warning", "发布日期", "读作 2019-05-10"),
    "month 13": ({"发布日期": "2019-13-05"}, "error", "发布日期", "1–12"),
    "no such day": ({"发布日期": "2019/2/30"}, "error", "发布日期", "不存在"),
    "a month alone": ({"发布日期": "2019年5月"}, "error", "发布日期", "缺少“日”"),
    "cycle not in the list": ({"更新周期": "常常"}, "error", "更新周期", "没有“常常”"),
    "no such class": ({"信息资源分类(目)": "999999"}, "error", "信息资源分类(目)", "分类中没有"),
    "name too long": ({"信息资源名称": "长" * 51}, "error", "信息资源名称", "不能超过 50"),
    "formula error": ({"信息资源摘要": "#REF!"}, "error", "信息资源摘要", "公式错误 #REF!"),
}


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_is_named_at_its_cell(people: People, at: datetime, name: str) -> None:
    changes, level, heading, words = FAULTS[name]
    subject = upload(workbook([row(**changes)]), people.editor, at)
    assert subject.status == "checked", subject.problem
    found = faults(subject)
    assert [
        fault for fault in found if fault[:2] == (level, cell(heading)) and words in fault[2]
    ], found


def test_a_good_row_has_only_what_a_draft_still_lacks(people: People, at: datetime) -> None:
    found = faults(upload(workbook([row()]), people.editor, at))
    assert {level for level, _cell, _words in found} <= {"due", "warning"}
    assert not [each for each in found if each[1] and each[0] != "warning"], found


def test_the_name_of_a_known_system_is_no_name(people: People, at: datetime) -> None:
    InformationSystemFactory(department=people.editor.department, name="阳光救助")
    found = faults(upload(workbook([row(信息资源名称="阳光 救助")]), people.editor, at))
    assert [each for each in found if "信息系统" in each[2]]


def test_two_codes_within_one_entry(people: People, at: datetime) -> None:
    rows = [
        row(信息资源代码="307001/000001"),
        row(信息资源代码="307001/000002", 信息项名称="金额"),
        row(信息资源代码="307001/000003", 信息项名称="日期"),
    ]
    subject = upload(workbook(rows), people.editor, at)
    found = [each for each in faults(subject) if "两个代码" in each[2]]
    assert [each[1] for each in found] == ["C3", "C4"]
    assert subject.entries.count() == 1


def test_codes_that_run_into_those_of_the_next_entry_spoil_only_their_own(
    people: People, at: datetime
) -> None:
    codes = [f"307001/00000{number}" for number in (1, 2, 3)]
    rows = [row(信息资源代码=code, 信息项名称=f"甲{code[-1]}") for code in codes]
    rows += [row(信息资源名称="另一条", 信息资源代码=codes[1], 信息项名称=name) for name in "乙丙"]
    for order in (rows, [*rows[3:], *rows[:3]]):
        subject = upload(workbook(order), people.editor, at)
        entries = {entry.name: entry for entry in subject.entries.all()}
        assert {name: entry.error_count for name, entry in entries.items()} == {
            "临时救助发放信息": 2,
            "另一条": 0,
        }
        assert len(entries["另一条"].proposal["items"]) == 2


def test_a_name_that_is_anothers_is_told_of_where_it_is_taken(people: People, at: datetime) -> None:
    taker, owner = (
        DatasetFactory(department=people.editor.department, name=name) for name in ("甲类", "乙类")
    )
    rows = [
        row(信息资源名称="乙 类", 信息资源代码=taker.code, 信息资源摘要="甲"),
        row(信息资源名称="乙类", 信息资源代码=owner.code, 信息资源摘要="乙"),
    ]
    subject = upload(workbook(rows), people.editor, at)
    assert [bool(entry.error_count) for entry in subject.entries.order_by("position")] == [
        True,
        False,
    ]


def test_an_item_without_a_name_is_none(people: People, at: datetime) -> None:
    dataset = DatasetFactory(department=people.editor.department, name="临时救助")
    headings = ("信息资源名称", "信息资源代码", "信息项名称", "数据类型")
    common = {"信息资源名称": "临时救助", "信息资源代码": dataset.code}
    rows = [{**common, "数据类型": "字符型C"}, {**common, "信息项名称": "备注说明"}]
    subject = upload(workbook(rows, headings=headings), people.editor, at)
    assert [each["new"] for each in subject.entries.get().proposal["differences"]] == ["备注说明"]
    assert [each[:2] for each in faults(subject) if each[0] == "error"] == [("error", "C2")]
    assert [each[2] for each in faults(subject) if "暂定" in each[2] and "备注说明" in each[2]]


def test_names_that_a_dragged_cell_counted_up(people: People, at: datetime) -> None:
    rows = [row(信息资源名称=f"救助信息{n}", 信息资源代码="307001/000001") for n in (1, 2, 3)]
    found = faults(upload(workbook(rows), people.editor, at))
    assert [each[:2] for each in found if "各行的数字" in each[2]] == [
        ("error", "B3"),
        ("error", "B4"),
    ]
    rows = [row(信息资源名称=f"救助信息{n}") for n in (1, 2)]
    found = faults(upload(workbook(rows), people.editor, at))
    assert [each[:2] for each in found if "拖动填充" in each[2] and each[0] == "error"]


def test_names_that_differ_by_a_space(people: People, at: datetime) -> None:
    rows = [row(), row(信息资源名称="临时救助 发放信息", 信息项名称="金额")]
    subject = upload(workbook(rows), people.editor, at)
    assert subject.entries.count() == 1
    assert [each[:2] for each in faults(subject) if "只差空格" in each[2]] == [("error", "B3")]
    DatasetFactory(department=people.editor.department, name="临时救助，发放信息")
    rows = [row(信息资源代码="307001/000077")]
    found = faults(upload(workbook(rows), people.editor, at))
    assert [each for each in found if each[0] == "error" and "名称与目录" in each[2]], found


def test_a_new_entry_with_the_name_that_another_gives_up_is_not_that_other(
    people: People, at: datetime
) -> None:
    old = DatasetFactory(department=people.editor.department, name="临时救助发放信息")
    rows = [row(信息资源摘要="另一条"), row(信息资源代码=old.code, 信息资源名称="改了的名称信息")]
    subject = upload(workbook(rows), people.editor, at)
    assert [entry.action for entry in subject.entries.order_by("position")] == ["faulty", "revise"]
    assert [each[1] for each in faults(subject) if "同一条目录" in each[2]] == ["B2"]


def test_opened_or_not_is_read_for_each_entry_by_itself(people: People, at: datetime) -> None:
    said = {"是否向社会开放": "是"}
    rows = [
        row(**said, 开放条件="登记"),
        row(**said, 信息资源名称="另一条信息"),
    ]
    subject = upload(workbook(rows, headings=[*HEADINGS, "开放条件"]), people.editor, at)
    found = [entry.proposal["fields"]["opening_attribute"] for entry in subject.entries.all()]
    assert found == ["conditional", "unconditional"]


def test_items_that_differ_by_a_space(people: People, at: datetime) -> None:
    found = faults(upload(workbook([row(), row(信息项名称="姓 名")]), people.editor, at))
    assert [each[:2] for each in found if "重复" in each[2]] == [("error", "H3")]


def test_rows_of_one_entry_that_disagree(people: People, at: datetime) -> None:
    rows = [row(), row(信息项名称="金额", 更新周期="每年")]
    found = faults(upload(workbook(rows), people.editor, at))
    assert [each[1] for each in found if "不一致" in each[2]] == ["P3"]


def test_rows_that_share_differently_are_their_items_own(people: People, at: datetime) -> None:
    rows = [row(), row(信息项名称="金额", 共享类型="有条件共享", 共享条件="仅限核对")]
    subject = upload(workbook(rows), people.editor, at)
    proposal = subject.entries.get().proposal
    assert proposal["fields"]["sharing_attribute"] == "unconditional"
    assert proposal["items"][1]["sharing_attribute"] == "conditional"


def test_another_departments_rows_are_not_the_uploaders(people: People, at: datetime) -> None:
    theirs = DatasetFactory(name="别人的目录")
    rows = [
        row(信息资源提供方=theirs.department.name),
        row(信息资源名称="别人的目录", 信息资源代码=theirs.code),
    ]
    subject = upload(workbook(rows), people.editor, at)
    assert [entry.action for entry in subject.entries.all()] == ["faulty", "faulty"]
    assert any("不是本部门" in each[2] for each in faults(subject))


def test_merged_cells_belong_to_every_row_that_they_cover(people: People, at: datetime) -> None:
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    page = book.add_worksheet()
    for place, heading in enumerate(HEADINGS):
        page.write_string(0, place, heading)
        text = row().get(heading, "")
        if heading in {"信息项名称", "数据类型", "数据长度"}:
            for number in range(3):
                page.write_string(
                    number + 1, place, f"{text}{number or ''}" if heading == "信息项名称" else text
                )
        else:
            page.merge_range(1, place, 3, place, text)
    book.close()
    subject = upload(content.getvalue(), people.editor, at)
    entry = subject.entries.get()
    assert (entry.action, len(entry.proposal["items"])) == ("create", 3), faults(subject)


def test_formulas_that_came_to_nothing_are_named(people: People, at: datetime) -> None:
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    page = book.add_worksheet()
    for place, heading in enumerate(HEADINGS):
        page.write_string(0, place, heading)
        page.write_string(1, place, row().get(heading, ""))
    page.write_formula(1, 4, "=Z1", None, "#REF!")
    page.write_formula(1, 9, "=25*2", None, "")
    page.write_formula(1, 10, '="无条件"&"共享"', None, "无条件共享")
    book.close()
    found: list[Any] = faults(upload(content.getvalue(), people.editor, at))
    errors = [(each[1], each[2]) for each in found if each[0] == "error"]
    assert errors == [("E2", "单元格是公式错误 #REF!"), ("J2", "公式没有计算结果")]


def test_a_column_that_nobody_knows_is_told_of(people: People, at: datetime) -> None:
    content = workbook([{**row(), "审批人": "张三"}], headings=[*HEADINGS, "审批人"])
    subject = upload(content, people.editor, at)
    assert any("审批人" in note and "R1" in note for note in subject.summary["notes"])
