"""Out as a workbook and back again: nothing changes that nobody changed; three-way differences."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from apps.catalog import operations as catalog
from apps.catalog import queries as catalog_queries
from apps.catalog.models import Dataset, DatasetChange, ImportEntry, SearchEntry
from apps.catalog.proposals import fresh, plain_items
from apps.core.errors import Conflict, InvalidInput
from tests.catalog import stories
from tests.catalog.sheets.workbooks import (
    actions,
    adopted,
    changed_meanwhile,
    edited,
    exported,
    faults,
    published_one,
    row,
    upload,
    workbook,
)
from tests.catalog.stories import People
from tests.factories.catalog import ClassificationFactory, DatasetFactory

pytestmark = pytest.mark.django_db


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


def test_a_deleted_row_of_an_export_takes_nothing_out_and_is_told_of(
    people: People, at: datetime, tmp_path: Path
) -> None:
    published_one(people, at)
    gone = {1: "", 3: ""}
    content = edited(exported(tmp_path), 信息项名称=gone, 列名=gone, 数据类型=gone, 数据长度=gone)
    for heading in ("必填", "个人信息", "敏感个人信息", "默认脱敏方式"):
        content = edited(content, **{heading: gone})
    subject = upload(content, people.editor, at)
    assert actions(subject) == ["unchanged"]
    assert [(each[0], each[2]) for each in faults(subject)] == [
        ("warning", "有 2 个数据项没有写到，保持原样：“姓名”、“登记日期”")
    ]
    content = edited(content, 版本=dict.fromkeys(range(5), ""))  # written by hand, not an export
    assert faults(upload(content, people.editor, at)) == []


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
    assert any("没有主键" in each[2] for each in faults(subject))


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


def test_how_an_item_is_normalised_goes_out_and_comes_back(
    people: People, at: datetime, tmp_path: Path
) -> None:
    dataset = published_one(people, at)
    content = edited(exported(tmp_path), 规范化={4: "单位、数字"})
    subject = adopted(upload(content, people.editor, at), people.editor, at, "all")
    change = DatasetChange.objects.get(dataset=dataset)
    assert [item["normalise"] for item in change.items or ()] == [
        [],
        [],
        [],
        [],
        ["unit", "number"],
    ]
    assert subject.entries.get().outcome == "changed"
    catalog.submit_change(change=change, actor=people.editor, at=at)
    catalog.approve_change(change=change, actor=people.head, at=at)
    catalog.publish_change(change=change, actor=people.officer, at=at)
    amount = catalog_queries.contract_of(dataset).column("amount")
    assert amount.normalise == ("number", "unit")
    assert actions(upload(exported(tmp_path), people.editor, at)) == ["unchanged"]


def test_a_word_that_names_no_normaliser_is_shown(
    people: People, at: datetime, tmp_path: Path
) -> None:
    published_one(people, at)
    content = edited(exported(tmp_path), 规范化={4: "随便"})
    subject = upload(content, people.editor, at)
    assert "规范化" in str(faults(subject))
