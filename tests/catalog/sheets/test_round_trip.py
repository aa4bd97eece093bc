"""Out as a workbook and back again: nothing changes that nobody changed; three-way differences."""

import io
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from apps.catalog import operations as catalog
from apps.catalog.models import CensusFigures, Dataset, DatasetChange, ImportEntry, SearchEntry
from apps.catalog.proposals import fresh, plain_items
from apps.catalog.spreadsheets import writing
from apps.catalog.spreadsheets.lines import lines_of
from apps.catalog.spreadsheets.references import References
from apps.catalog.spreadsheets.writing import csv_lines, write_xls, write_xlsx
from apps.core.errors import Conflict, InvalidInput
from tests.catalog import stories
from tests.catalog.sheets.workbooks import adopted, exported, faults, row, upload, workbook
from tests.catalog.stories import People
from tests.factories.accounts import DepartmentFactory, InformationSystemFactory
from tests.factories.catalog import PERSONS, ClassificationFactory, DatasetFactory

pytestmark = pytest.mark.django_db


def edited(content: bytes, **cells: Any) -> bytes:
    """The workbook with some cells changed: by heading, then by row below the headings, from 0."""
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    headings = [str(heading) for heading in rows[0]]
    for heading, changes in cells.items():
        for place, value in changes.items():
            rows[1 + place][headings.index(heading)] = value
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    page = book.add_worksheet("目录")
    for number, line in enumerate(rows):
        for place, cell in enumerate(line):
            page.write_string(number, place, str(cell))
    book.close()
    return out.getvalue()


def actions(subject: Any) -> list[str]:
    return [entry.action for entry in subject.entries.order_by("position")]


def published_one(people: People, at: datetime, **fields: Any) -> Dataset:
    dataset = stories.published(people, at, name=fields.pop("name", "困难群众救助信息"), **fields)
    dataset.refresh_from_db()
    return dataset


def sent_out(folder: Path, form: str) -> Path:
    """Every entry as a file of that form."""
    path = folder / f"out.{form}"
    entries = Dataset.objects.all()
    if form == "xlsx":
        write_xlsx(path, lines_of(entries), References.load())
    elif form == "xls":
        write_xls(path, lines_of(entries))
    else:
        path.write_text("".join(csv_lines(lines_of(entries))), "utf-8", newline="")
    return path


# What stands in fields as nobody would write it anew, and still is no change.
ODD: dict[str, Any] = {
    "a formula's sign": {"note": "=1+1", "abstract": "-"},
    "an apostrophe before it": {"note": "'=1+1"},
    "lines": {"note": "第一行\r\n第二行\n\n第四行\t后"},
    "quotes": {"note": '“引号”"a",b;c'},
    "what looks like a number": {"note": "12.0", "contact_phone": "02312345678", "abstract": "1e5"},
    "capitals": {"format_type": "MySQL"},
    "a condition and no statute": {"sharing_attribute": "not_shared", "sharing_reason": "涉密"},
    "a condition and a statute": {"sharing_attribute": "not_shared", "sharing_statute": "某法"},
    "no conditions": {"opening_attribute": "conditional", "sharing_condition": ""},
    "no type of mode": {"mode_class": "mail", "mode_type": ""},
    "a small share": {"dirty_limit_ratio": 1e-7, "dirty_limit_rows": 0},
    "all of it": {"dirty_limit_ratio": 1.0, "themes": ["救助", "民政"], "grade": "important"},
}


@pytest.mark.parametrize("form", ["xlsx", "xls", "csv"])
def test_what_goes_out_comes_back_unchanged(
    people: People, at: datetime, tmp_path: Path, form: str
) -> None:
    published_one(people, at)
    stories.draft(people, at, name="临时救助", key_items=["name", "identity_number"])
    for name, fields in ODD.items():
        stories.draft(people, at, name=f"{name}的目录", **fields)
    path = sent_out(tmp_path, form)
    subject = upload(path.read_bytes(), people.editor, at, name=path.name)
    assert subject.status == "checked", subject.problem
    assert faults(subject) == []
    assert {entry.name for entry in subject.entries.exclude(action="unchanged")} == set()
    assert subject.summary["entries"] == len(ODD) + 2


def test_an_entry_keeps_what_nobody_may_choose_any_more(
    people: People, at: datetime, tmp_path: Path
) -> None:
    ended = DepartmentFactory(name="市撤并了的局")
    theirs = InformationSystemFactory()
    published_one(people, at, system=theirs, source_department=ended)
    stories.draft(people, at, name="临时救助")
    ended.valid_to = at.date()
    ended.save()
    content = exported(tmp_path)
    subject = upload(content, people.editor, at)
    assert (actions(subject), faults(subject)) == (["unchanged", "unchanged"], [])
    last = len(PERSONS)
    given = edited(content, 来源信息系统={last: theirs.code}, 数源部门={last: ended.code})
    subject = upload(given, people.editor, at)
    assert actions(subject) == ["unchanged", "faulty"]
    assert [each[2] for each in faults(subject) if each[0] == "error"] == [
        f"提供部门没有“{theirs.code}”这个信息系统",
        f"没有“{ended.code}”这个数源部门",
    ]


def test_no_entry_is_torn_apart_where_an_old_workbook_is_full(
    people: People, at: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "XLS_ROWS", 9)
    for letter in "甲乙丙":
        stories.draft(people, at, name=f"{letter}类救助")
    subject = upload(sent_out(tmp_path, "xls").read_bytes(), people.editor, at, name="目录.xls")
    assert (actions(subject), faults(subject)) == (["unchanged"] * 3, [])
    assert len({entry.sheet for entry in subject.entries.all()}) == 3


def test_a_new_entry_becomes_a_draft_with_its_items(people: People, at: datetime) -> None:
    ClassificationFactory()
    content = workbook(
        [row(), {"信息项名称": "救助金额", "数据类型": "货币型", "数据长度": "12,2"}]
    )
    subject = upload(content, people.editor, at)
    assert actions(subject) == ["create"], faults(subject)
    adopted(subject, people.editor, at)
    dataset = Dataset.objects.get(name="临时救助发放信息")
    assert (dataset.status, dataset.code) == ("draft", "307001/000001")
    assert [(item.name, item.length, item.scale) for item in dataset.items.order_by("pk")] == [
        ("姓名", 50, None),
        ("救助金额", 12, 2),
    ]
    assert dataset.history.count() == 1
    assert SearchEntry.objects.filter(dataset=dataset).exists()
    assert subject.status == "adopted"
    assert subject.entries.get().outcome == "created"


def test_a_changed_cell_of_a_published_entry_becomes_a_change(
    people: People, at: datetime, tmp_path: Path
) -> None:
    dataset = published_one(people, at)
    content = edited(exported(tmp_path), 更新周期={0: "每年"}, 信息项名称={1: "居民姓名"})
    subject = adopted(upload(content, people.editor, at), people.editor, at, "all")
    dataset.refresh_from_db()
    assert dataset.update_cycle == "daily"
    change = DatasetChange.objects.get(dataset=dataset)
    assert (change.status, change.channel) == ("draft", "spreadsheet")
    assert change.fields == {"update_cycle": "yearly"}
    assert [item["name"] for item in change.items or ()][1] == "居民姓名"
    assert subject.entries.get().outcome == "changed"
    catalog.submit_change(change=change, actor=people.editor, at=at)
    catalog.approve_change(change=change, actor=people.head, at=at)
    catalog.publish_change(change=change, actor=people.officer, at=at)
    dataset.refresh_from_db()
    assert dataset.update_cycle == "yearly"
    assert dataset.items.get(column_name="name").name == "居民姓名"
    assert dataset.items.count() == 5


def changed_meanwhile(
    people: People, dataset: Dataset, at: datetime, *, items: Any = None, **fields: Any
) -> None:
    change = catalog.begin_change(
        dataset=dataset, actor=people.editor, at=at, fields=fields, items=items
    )
    catalog.submit_change(change=change, actor=people.editor, at=at)
    catalog.approve_change(change=change, actor=people.head, at=at)
    catalog.publish_change(change=change, actor=people.officer, at=at)


def test_a_conflict_is_decided_by_a_person(people: People, at: datetime, tmp_path: Path) -> None:
    dataset = published_one(people, at)
    content = edited(exported(tmp_path), 信息资源摘要={0: "表里的摘要"}, 更新周期={0: "每年"})
    changed_meanwhile(people, dataset, at, abstract="平台的摘要", contact_name="新联系人")
    subject = upload(content, people.editor, at)
    entry = subject.entries.get()
    assert entry.action == "conflict", faults(subject)
    clash = entry.proposal["clashes"]
    assert [(each["field"], each["base"], each["yours"], each["current"]) for each in clash] == [
        ("abstract", "领取救助的困难群众的基本信息", "表里的摘要", "平台的摘要")
    ]
    assert [each["field"] for each in entry.proposal["differences"]] == ["update_cycle"]
    with pytest.raises(Conflict) as refused:
        catalog.adopt(subject=subject, actor=people.editor, at=at, scope="good")
    assert refused.value.code == "conflicts_undecided"
    catalog.decide_import(entry=entry, actor=people.editor, at=at, decisions={".abstract": "mine"})
    adopted(subject, people.editor, at)
    change = DatasetChange.objects.get(dataset=dataset, status="draft")
    assert change.fields == {"abstract": "表里的摘要", "update_cycle": "yearly"}


def test_keeping_the_present_value_changes_nothing(
    people: People, at: datetime, tmp_path: Path
) -> None:
    dataset = published_one(people, at)
    content = edited(exported(tmp_path), 信息资源摘要={0: "表里的摘要"})
    changed_meanwhile(people, dataset, at, abstract="平台的摘要")
    subject = upload(content, people.editor, at)
    catalog.decide_import(
        entry=subject.entries.get(), actor=people.editor, at=at, decisions={".abstract": "current"}
    )
    adopted(subject, people.editor, at)
    assert not DatasetChange.objects.filter(dataset=dataset, status="draft").exists()
    entry = subject.entries.get()
    assert (entry.outcome, entry.note) == ("skipped", "按决定保留平台现在的内容，没有改动")


def test_a_decision_about_one_item_takes_no_other_along(
    people: People, at: datetime, tmp_path: Path
) -> None:
    dataset = published_one(people, at)
    content = edited(exported(tmp_path), 联系人={0: "表里的人"}, 信息项名称={1: "居民姓名"})
    items = plain_items(fresh(dataset.pk))
    items[1]["name"] = "公民姓名"
    changed_meanwhile(people, dataset, at, items=items, contact_name="平台的人")
    subject = upload(content, people.editor, at)
    entry = subject.entries.get()
    decisions = {".contact_name": "mine", "name.name": "current"}
    assert {clash["key"] for clash in entry.proposal["clashes"]} == {*decisions}
    catalog.decide_import(entry=entry, actor=people.editor, at=at, decisions=decisions)
    adopted(subject, people.editor, at)
    change = DatasetChange.objects.get(dataset=dataset, status="draft")
    assert (change.fields, change.items) == ({"contact_name": "表里的人"}, None)


def test_an_untouched_sheet_does_not_undo_a_new_order(
    people: People, at: datetime, tmp_path: Path
) -> None:
    dataset = published_one(people, at)
    content = exported(tmp_path)
    changed_meanwhile(people, dataset, at, items=plain_items(fresh(dataset.pk))[::-1])
    assert actions(upload(content, people.editor, at)) == ["unchanged"]


def test_an_absent_column_leaves_alone_an_empty_cell_too_and_the_marker_clears(
    people: People, at: datetime
) -> None:
    dataset = DatasetFactory(
        department=people.editor.department, name="临时救助", note="旧备注", internal_unit="救助处"
    )
    headings = ("信息资源名称", "信息资源代码", "提供方内部部门", "联系人", "信息项名称")
    line = {"信息资源名称": "临时救助", "信息资源代码": dataset.code, "提供方内部部门": "［清空］"}
    subject = upload(workbook([line], headings=headings), people.editor, at)
    adopted(subject, people.editor, at)
    dataset.refresh_from_db()
    assert (dataset.internal_unit, dataset.contact_name, dataset.note) == (
        "",
        "测试联系人",
        "旧备注",
    )
    assert dataset.items.count() == 5


def test_what_is_sensitive_stays_personal(people: People, at: datetime, tmp_path: Path) -> None:
    dataset = published_one(people, at)
    not_personal = {"个人信息": {0: "否"}, "含个人信息": {0: "否"}}
    subject = upload(edited(exported(tmp_path), **not_personal), people.editor, at)
    assert actions(subject) == ["unchanged"]
    assert [each[:2] for each in faults(subject)] == [("warning", "BG2"), ("warning", "AL2")]
    headings = ("信息资源名称", "信息资源代码", "列名", "个人信息", "含个人信息")
    line = {"信息资源名称": dataset.name, "信息资源代码": dataset.code, "列名": "identity_number"}
    line |= {"个人信息": "否", "含个人信息": "否"}
    subject = upload(workbook([line], headings=headings), people.editor, at)
    assert actions(subject) == ["faulty"]
    found = {each[1] for each in faults(subject) if each[0] == "error"}
    assert found == {"D2", "E2"}


def test_an_item_goes_only_when_the_sheet_says_so(people: People, at: datetime) -> None:
    dataset = DatasetFactory(department=people.editor.department, name="临时救助")
    headings = ("信息资源名称", "信息资源代码", "操作", "信息项名称", "列名", "数据长度")
    common = {"信息资源名称": "临时救助", "信息资源代码": dataset.code}
    rows = [
        {**common, "信息项名称": "补助金额", "操作": "删除"},
        {**common, "信息项名称": "备注说明", "数据长度": "200"},
    ]
    subject = upload(workbook(rows, headings=headings), people.editor, at)
    assert actions(subject) == ["revise"], faults(subject)
    adopted(subject, people.editor, at)
    names = list(dataset.items.order_by("position").values_list("name", "column_name"))
    assert names[-1] == ("备注说明", "item_1")
    assert "补助金额" not in dict(names)
    assert len(names) == 5


@pytest.mark.parametrize("mark", ["［清空］", "否"])
def test_the_only_mark_of_the_key_can_be_taken_off(
    people: People, at: datetime, tmp_path: Path, mark: str
) -> None:
    stories.draft(people, at, name="临时救助")
    subject = upload(edited(exported(tmp_path), 主键={0: mark}), people.editor, at)
    assert subject.entries.get().proposal["fields"] == {"key_items": []}
    assert any("请填写主键列" in each[2] for each in faults(subject))


def test_census_numbers_are_kept_and_go_out_again(
    people: People, at: datetime, tmp_path: Path
) -> None:
    dataset = published_one(people, at)
    content = edited(exported(tmp_path), **{"数据存储总量(G)": {0: "12.5"}})
    subject = adopted(upload(content, people.editor, at), people.editor, at)
    assert subject.entries.get().outcome == "counted"
    assert str(CensusFigures.objects.get(dataset=dataset).storage_total) == "12.5000"
    again = upload(exported(tmp_path), people.editor, at)
    assert actions(again) == ["unchanged"]


def test_numbers_alone_leave_a_draft_as_it_is(people: People, at: datetime, tmp_path: Path) -> None:
    dataset = stories.draft(people, at, name="临时救助")
    content = edited(exported(tmp_path), **{"数据存储总量(G)": {0: "12.5"}})
    subject = adopted(upload(content, people.editor, at), people.editor, at)
    assert subject.entries.get().outcome == "counted"
    assert Dataset.objects.get().revision == dataset.revision


def test_a_draft_that_changed_since_the_export_is_a_conflict(
    people: People, at: datetime, tmp_path: Path
) -> None:
    dataset = stories.draft(people, at, name="临时救助")
    content = edited(exported(tmp_path), 联系人={0: "表里的人"})
    catalog.revise_dataset(dataset=dataset, actor=people.editor, at=at, contact_name="平台的人")
    assert actions(upload(content, people.editor, at)) == ["conflict"]


def test_what_moved_between_check_and_adoption_is_left_or_given_back(
    people: People, at: datetime, tmp_path: Path
) -> None:
    dataset = stories.draft(people, at, name="临时救助")
    content = edited(exported(tmp_path), 联系人={0: "表里的人"})
    subject = upload(content, people.editor, at)
    catalog.revise_dataset(dataset=dataset, actor=people.editor, at=at, contact_name="平台的人")
    adopted(subject, people.editor, at, "all")
    assert (subject.status, bool(subject.problem)) == ("checked", True)
    adopted(subject, people.editor, at, "good")
    assert subject.entries.get().outcome == "skipped"
    dataset.refresh_from_db()
    assert dataset.contact_name == "平台的人"


def test_all_or_nothing_refuses_faults_and_good_takes_the_rest(
    people: People, at: datetime
) -> None:
    ClassificationFactory()
    content = workbook([row(), row(信息资源名称="另一条", 更新周期="常常")])
    subject = upload(content, people.editor, at)
    assert actions(subject) == ["create", "faulty"]
    with pytest.raises(InvalidInput) as refused:
        catalog.adopt(subject=subject, actor=people.editor, at=at, scope="all")
    assert refused.value.code == "import_has_faults"
    assert not Dataset.objects.exists()
    adopted(subject, people.editor, at, "good")
    assert list(Dataset.objects.values_list("name", flat=True)) == ["临时救助发放信息"]
    assert list(ImportEntry.objects.values_list("outcome", flat=True)) == ["created", "skipped"]


def test_only_one_of_two_adoptions_wins(people: People, at: datetime) -> None:
    from apps.core.errors import IllegalMove

    ClassificationFactory()
    subject = upload(workbook([row()]), people.editor, at)
    catalog.adopt(subject=subject, actor=people.editor, at=at, scope="all")
    with pytest.raises(IllegalMove):
        catalog.adopt(subject=subject, actor=people.editor, at=at, scope="all")
    assert catalog.adopt_imports(at=at) == 1
    assert catalog.adopt_imports(at=at) == 0
    assert Dataset.objects.count() == 1


def test_a_worker_that_dies_leaves_nothing_half(
    people: People, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apps.catalog.lifecycle import IMPORT

    ClassificationFactory()
    subject = upload(workbook([row(), row(信息资源名称="另一条")]), people.editor, at)
    catalog.adopt(subject=subject, actor=people.editor, at=at, scope="all")

    class Killed(BaseException):
        pass

    def die(*_arguments: Any, **_more: Any) -> None:
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(IMPORT, "apply", die)
        with pytest.raises(Killed):
            catalog.adopt_imports(at=at)
    assert not Dataset.objects.exists()
    catalog.adopt_imports(at=at)
    subject.refresh_from_db()
    assert (subject.status, Dataset.objects.count()) == ("adopted", 2)


def test_everything_adopted_is_submitted_in_one_go_or_told_why_not(
    people: People, at: datetime
) -> None:
    ClassificationFactory()
    subject = adopted(upload(workbook([row()]), people.editor, at), people.editor, at)
    results = catalog.submit_all(subject=subject, actor=people.editor, at=at)
    assert ["保密" in result.problem for result in results] == [True]
    dataset = Dataset.objects.get()
    assert dataset.status == "draft"
