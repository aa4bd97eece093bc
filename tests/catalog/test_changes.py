"""A change of an entry in force: written, reviewed, published or given up."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.catalog import operations as catalog
from apps.catalog import queries, validation
from apps.catalog.differences import differences, only_small, smallness
from apps.catalog.models import Dataset, DatasetChange, DatasetVersion, ReviewRemark, ReviewRound
from apps.catalog.proposals import plain_items, proposed
from apps.catalog.snapshots import snapshot_of
from apps.clocks.models import Clock
from apps.core.errors import Conflict, IllegalMove, InvalidInput, StaleRevision
from apps.ledger.models import Notice, Todo
from apps.standards.masks import MASKS
from apps.warehouse import operations as warehouse
from tests.catalog.stories import CHANGE_STORIES, NEW_ABSTRACT, STORIES, People
from tests.factories.accounts import InformationSystemFactory
from tests.factories.catalog import DatasetFactory
from tests.factories.standards import CodeListFactory


@pytest.fixture
def dataset(people: People, at: datetime) -> Dataset:
    return STORIES["published"](people, at)


def begin(dataset: Dataset, people: People, at: datetime, **more: Any) -> DatasetChange:
    return catalog.begin_change(dataset=dataset, actor=people.editor, at=at, **more)


def through(change: DatasetChange, people: People, at: datetime) -> DatasetChange:
    catalog.submit_change(change=change, actor=people.editor, at=at)
    catalog.approve_change(change=change, actor=people.head, at=at)
    return catalog.publish_change(change=change, actor=people.officer, at=at)


def columns(dataset: Dataset) -> list[str]:
    return list(dataset.items.order_by("position").values_list("column_name", flat=True))


def items_of(dataset: Dataset) -> list[dict[str, Any]]:
    return plain_items(dataset)


NEW_ITEM = {"name": "备注", "column_name": "remark", "data_type": "C", "length": 100}


def test_the_entry_stays_as_it_is_until_the_change_is_published(
    dataset: Dataset, people: People, at: datetime
) -> None:
    before = snapshot_of(Dataset.objects.get(pk=dataset.pk))
    change = begin(dataset, people, at, fields={"abstract": NEW_ABSTRACT}, reason="补充")
    catalog.submit_change(change=change, actor=people.editor, at=at)
    catalog.approve_change(change=change, actor=people.head, at=at)
    dataset.refresh_from_db()
    assert (dataset.status, dataset.versions.count()) == ("published", 1)
    assert snapshot_of(dataset) == before
    catalog.publish_change(change=change, actor=people.officer, at=at)
    dataset.refresh_from_db()
    assert dataset.abstract == NEW_ABSTRACT
    assert list(dataset.versions.values_list("number", flat=True)) == [2, 1]
    assert change.applied_version == 2
    assert dataset.versions.get(number=2).snapshot["abstract"] == NEW_ABSTRACT
    assert dataset.history.latest("history_id").history_change_reason == "第 2 版：补充"


def test_it_keeps_only_what_differs_in_one_plain_form(
    dataset: Dataset, people: People, at: datetime
) -> None:
    system = InformationSystemFactory(department=people.editor.department)
    change = begin(
        dataset,
        people,
        at,
        fields={
            "name": dataset.name,
            "system": system,
            "release_on": date(2026, 1, 5),
            "contact_name": "  张三 ",
        },
    )
    assert change.fields == {
        "system": system.code,
        "release_on": "2026-01-05",
        "contact_name": "张三",
    }
    catalog.revise_change(
        change=change, actor=people.editor, at=at, fields={"system": None, "contact_name": "李四"}
    )
    assert change.fields == {"release_on": "2026-01-05", "contact_name": "李四"}
    entry = proposed(change)
    assert entry.release_on == date(2026, 1, 5)
    assert Dataset.objects.get(pk=dataset.pk).contact_name == "测试联系人"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"code": "307001/000009"}, "code"),
        ({"name": "长" * 51}, "name"),
        ({"grade": "9"}, "grade"),
        ({"system": "S-0000"}, "system"),
        ({"contains_personal": "maybe"}, "contains_personal"),
        ({"themes": "社会保障"}, "themes"),
        ({"themes": {"a": 1}}, "themes"),
        ({"release_on": "2026-13-05"}, "release_on"),
        ({"abstract": None}, "abstract"),
        ({"abstract": "a\x00b"}, "abstract"),
        ({"dirty_limit_ratio": 3}, "dirty_limit_ratio"),
    ],
)
def test_it_refuses_what_could_not_be_kept(
    dataset: Dataset, people: People, at: datetime, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        begin(dataset, people, at, fields=fields)
    assert refusal.value.details["field"] == field
    assert not DatasetChange.objects.exists()


def test_it_refuses_a_name_that_another_entry_has(
    dataset: Dataset, people: People, at: datetime
) -> None:
    other = DatasetFactory(department=dataset.department)
    with pytest.raises(Conflict):
        begin(dataset, people, at, fields={"name": f" {other.name}。"})


def test_there_is_one_change_at_a_time(dataset: Dataset, people: People, at: datetime) -> None:
    first = begin(dataset, people, at)
    with pytest.raises(Conflict) as refusal:
        begin(dataset, people, at)
    assert refusal.value.details["change"] == first.pk
    with pytest.raises(IntegrityError), transaction.atomic():
        DatasetChange.objects.create(dataset=dataset, base_version=1, created_at=at, updated_at=at)
    catalog.abandon_change(change=first, actor=people.editor, at=at, reason="重来")
    assert begin(dataset, people, at).status == "draft"


@pytest.mark.parametrize("status", ["draft", "submitted", "withdrawn"])
def test_only_what_is_in_force_is_changed(people: People, at: datetime, status: str) -> None:
    with pytest.raises(IllegalMove):
        begin(STORIES[status](people, at), people, at)


def test_an_old_page_does_not_overwrite(dataset: Dataset, people: People, at: datetime) -> None:
    change = begin(dataset, people, at)
    catalog.revise_change(change=change, actor=people.editor, at=at, reason="一", revision=1)
    with pytest.raises(StaleRevision):
        catalog.revise_change(change=change, actor=people.editor, at=at, reason="二", revision=1)
    change.refresh_from_db()
    assert (change.reason, change.revision) == ("一", 2)


def test_items_continue_by_key_or_column(dataset: Dataset, people: People, at: datetime) -> None:
    rows = items_of(dataset)
    by_column = {"column_name": "name", "length": 60}
    change = begin(dataset, people, at, items=[rows[0], by_column, *rows[2:], NEW_ITEM])
    assert change.items is not None
    assert [row["pk"] for row in change.items] == [*(row["pk"] for row in rows), None]
    assert change.items[1] == {**rows[1], "length": 60}
    entry = proposed(change)
    assert [item.column_name for item in entry.items.all()][-1] == "remark"
    assert columns(dataset)[-1] == "amount"
    # A proposed item goes by the negative of its position.
    catalog.revise_change(
        change=change,
        actor=people.editor,
        at=at,
        items=[*change.items[:5], {"pk": -6, "length": 200}],
    )
    assert change.items[5] == {**change.items[5], "name": "备注", "length": 200}
    catalog.revise_change(change=change, actor=people.editor, at=at, items=rows)
    assert change.items is None


def test_a_proposal_is_read_without_asking_for_its_items(
    dataset: Dataset, people: People, at: datetime, django_assert_num_queries: Any
) -> None:
    rows = items_of(dataset)
    change = begin(dataset, people, at, items=[*rows, NEW_ITEM])
    entry = proposed(change)
    with django_assert_num_queries(0):
        assert len(entry.items.all()) == 6
    with django_assert_num_queries(2):  # the systems' names, the assessments
        assert not [r for r in validation.remarks_on(entry, on=at.date()) if r.is_error]
    many = [{**NEW_ITEM, "name": f"备注{n}", "column_name": f"remark_{n}"} for n in range(30)]
    catalog.revise_change(change=change, actor=people.editor, at=at, items=[*rows, *many])
    with django_assert_num_queries(2):  # the entry with its items, however many
        proposed(change)


def test_publishing_writes_items_in_place(dataset: Dataset, people: People, at: datetime) -> None:
    table = warehouse.make_table(dataset=dataset, at=at)
    assert table is not None
    rows = items_of(dataset)
    keys = dict(dataset.items.values_list("column_name", "pk"))
    changed = [rows[1], rows[0], {**rows[2], "name": "区划代码"}, rows[3], NEW_ITEM]
    change = through(begin(dataset, people, at, items=changed), people, at)
    assert columns(dataset) == [
        "name",
        "identity_number",
        "division_code",
        "registered_on",
        "remark",
    ]
    assert dataset.items.get(column_name="division_code").pk == keys["division_code"]
    assert change.status == "applied"
    followed = warehouse.make_table(dataset=dataset, at=at)
    assert followed is not None
    # What left the contract stays in the table; what is new is there.
    assert set(followed.column_names) == {*keys, "remark"}
    assert followed.version.number == 2


@pytest.mark.parametrize(
    ("mend", "words"),
    [
        (
            lambda rows: [*rows[:3], {**rows[3], "data_type": "C", "length": 20}, rows[4]],
            "登记日期",
        ),
        (lambda rows: [*rows[:4], {**rows[4], "length": 10}], "缩小"),
        (lambda rows: [*rows[:4], {**rows[4], "column_name": "sum"}], "补助金额"),
    ],
)
def test_what_no_table_can_follow_is_refused_before_it_is_submitted(
    dataset: Dataset, people: People, at: datetime, mend: Any, words: str
) -> None:
    change = begin(dataset, people, at, items=mend(items_of(dataset)))
    with pytest.raises(InvalidInput) as refusal:
        catalog.submit_change(change=change, actor=people.editor, at=at)
    assert any(words in error for error in refusal.value.details["errors"])
    change.refresh_from_db()
    assert change.status == "draft"
    assert not change.review_rounds.exists()


def test_another_key_is_refused(dataset: Dataset, people: People, at: datetime) -> None:
    change = begin(dataset, people, at, fields={"key_items": ["name"]})
    remarks = queries.remarks_on_change(change, on=at.date())
    assert [str(r) for r in remarks if r.is_error] == ["主键列与已有数据表不一致，须另编目录"]


def test_a_column_that_came_back_must_fit_the_table(
    dataset: Dataset, people: People, at: datetime
) -> None:
    rows = items_of(dataset)
    through(begin(dataset, people, at, items=rows[:4]), people, at)
    back = {"name": "补助金额", "column_name": "amount", "data_type": "C", "length": 20}
    change = begin(dataset, people, at, items=[*items_of(dataset), back])
    assert any(
        remark.item == "补助金额" and remark.field == "data_type"
        for remark in queries.remarks_on_change(change, on=at.date())
    )


def test_nothing_changed_is_not_submitted(dataset: Dataset, people: People, at: datetime) -> None:
    change = begin(dataset, people, at)
    with pytest.raises(InvalidInput, match="没有任何改动"):
        catalog.submit_change(change=change, actor=people.editor, at=at)


def test_it_is_refused_when_another_version_came_into_force(
    dataset: Dataset, people: People, at: datetime
) -> None:
    change = begin(dataset, people, at, fields={"abstract": NEW_ABSTRACT})
    catalog.submit_change(change=change, actor=people.editor, at=at)
    catalog.approve_change(change=change, actor=people.head, at=at)
    DatasetVersion.objects.create(
        dataset=dataset,
        number=2,
        contract=dataset.versions.get().contract,
        snapshot={},
        published_at=at,
    )
    with pytest.raises(Conflict) as refusal:
        catalog.publish_change(change=change, actor=people.officer, at=at)
    assert refusal.value.code == "base_version_changed"
    assert "第 2 版" in str(refusal.value)
    dataset.refresh_from_db()
    assert dataset.abstract != NEW_ABSTRACT


def test_it_comes_round_with_remarks_and_shows_which_are_settled(
    dataset: Dataset, people: People, at: datetime
) -> None:
    change = begin(dataset, people, at, fields={"abstract": NEW_ABSTRACT, "note": "一"})
    catalog.submit_change(change=change, actor=people.editor, at=at)
    catalog.approve_change(change=change, actor=people.head, at=at)
    first = queries.open_round(dataset, change)
    assert first is not None
    for field, item in (("abstract", ""), ("note", ""), ("length", "name")):
        catalog.write_remark(
            review_round=first, actor=people.officer, at=at, text="请核实", field=field, item=item
        )
    catalog.send_back_change(change=change, actor=people.officer, at=at, reason="见逐项意见")
    assert queries.unsettled(dataset, change).count() == 3
    catalog.revise_change(change=change, actor=people.editor, at=at, fields={"note": "二"})
    answered = queries.unsettled(dataset, change).get(field="length")
    catalog.settle_remark(remark=answered, actor=people.editor, at=at, answer="已核实，无误")
    catalog.submit_change(change=change, actor=people.editor, at=at)
    remarks = ReviewRemark.objects.filter(round=first)
    assert {remark.field: remark.settled_at is not None for remark in remarks} == {
        "abstract": False,
        "note": True,
        "length": True,
    }
    second = queries.open_round(dataset, change)
    assert second is not None
    assert second.number == 2
    found = differences(first.snapshot, second.snapshot)
    assert [(each.field, each.old, each.new) for each in found] == [("note", "一", "二")]


def test_first_publication_has_rounds_too(people: People, at: datetime) -> None:
    dataset = STORIES["submitted"](people, at)
    first = queries.open_round(dataset)
    assert first is not None
    remark = catalog.write_remark(
        review_round=first, actor=people.officer, at=at, text="写明范围", field="abstract"
    )
    catalog.send_back(dataset=dataset, actor=people.officer, at=at, reason="见逐项意见")
    catalog.revise_dataset(dataset=dataset, actor=people.editor, at=at, abstract="全市低保对象")
    catalog.submit(dataset=dataset, actor=people.editor, at=at)
    remark.refresh_from_db()
    assert remark.settled_at == at
    catalog.approve(dataset=dataset, actor=people.head, at=at)
    catalog.publish(dataset=dataset, actor=people.officer, at=at)
    outcomes = ReviewRound.objects.order_by("number").values_list("number", "outcome")
    assert list(outcomes) == [(1, "returned"), (2, "published")]


def test_a_remark_points_to_something(people: People, at: datetime) -> None:
    change = CHANGE_STORIES["submitted"](people, at)
    found = queries.open_round(change.dataset, change)
    assert found is not None
    for wrong in ({"field": "colour"}, {"item": "colour"}, {"text": " "}, {"text": "长" * 501}):
        with pytest.raises(InvalidInput):
            catalog.write_remark(
                review_round=found, actor=people.officer, at=at, **{"text": "请改", **wrong}
            )
    assert not found.remarks.exists()


def live(change: DatasetChange) -> dict[str, Clock]:
    clocks = Clock.objects.filter(object_id=change.pk, content_type__model="datasetchange")
    return {clock.policy.code: clock for clock in clocks if clock.state == "running"}


def test_the_clocks_follow_the_moves(dataset: Dataset, people: People, at: datetime) -> None:
    trigger = catalog.Trigger("statute", date(2026, 11, 16), "《社会救助法》施行")
    change = begin(dataset, people, at, fields={"abstract": NEW_ABSTRACT}, trigger=trigger)
    update = live(change)["catalog.update"]
    assert update.department == dataset.department
    assert update.due_on == date(2026, 11, 30)  # ten working days after Monday 16 November
    catalog.extend_change(change=change, actor=people.officer, at=at, length=5, reason="机构调整")
    assert live(change)["catalog.update"].due_on == date(2026, 12, 7)
    catalog.submit_change(change=change, actor=people.editor, at=at)
    assert set(live(change)) == {"catalog.update"}
    catalog.approve_change(change=change, actor=people.head, at=at)
    assert set(live(change)) == {"catalog.review"}
    catalog.send_back_change(change=change, actor=people.officer, at=at, reason="请改")
    assert set(live(change)) == {"catalog.first_review_fix"}
    catalog.submit_change(change=change, actor=people.editor, at=at)
    assert live(change) == {}
    catalog.approve_change(change=change, actor=people.head, at=at)
    catalog.publish_change(change=change, actor=people.officer, at=at)
    assert live(change) == {}
    assert Clock.objects.get(pk=update.pk).met is True


def test_an_occasion_that_is_corrected_starts_its_clock_again(
    dataset: Dataset, people: People, at: datetime
) -> None:
    change = begin(dataset, people, at, trigger=catalog.Trigger("reform", date(2026, 11, 16)))
    catalog.revise_change(
        change=change,
        actor=people.editor,
        at=at,
        trigger=catalog.Trigger("reform", date(2026, 11, 17)),
    )
    assert live(change)["catalog.update"].due_on == date(2026, 12, 1)
    for kind, day in (("whim", at.date()), ("reform", at.date() + timedelta(days=1))):
        with pytest.raises(InvalidInput):
            catalog.revise_change(
                change=change, actor=people.editor, at=at, trigger=catalog.Trigger(kind, day)
            )


def test_who_is_owed_and_told(people: People, at: datetime) -> None:
    change = CHANGE_STORIES["awaiting_head"](people, at)
    todo = Todo.objects.get(done_at=None)
    assert (todo.role, todo.department) == ("department_approver", people.head.department)
    assert todo.url == change.get_absolute_url()
    catalog.approve_change(change=change, actor=people.head, at=at)
    todo = Todo.objects.get(done_at=None)
    assert (todo.role, todo.department) == ("authority_officer", people.officer.department)
    catalog.publish_change(change=change, actor=people.officer, at=at)
    assert not Todo.objects.filter(done_at=None).exists()
    assert Notice.objects.filter(recipient=people.editor, title__contains="第 2 版").exists()


def test_withdrawing_the_entry_gives_its_change_up(people: People, at: datetime) -> None:
    change = CHANGE_STORIES["submitted"](people, at)
    dataset = change.dataset
    catalog.request_withdrawal(dataset=dataset, actor=people.head, at=at, reason="职能已划转")
    catalog.withdraw(dataset=dataset, actor=people.officer, at=at)
    change.refresh_from_db()
    assert change.status == "abandoned"
    assert live(change) == {}
    assert change.review_rounds.get().outcome == "abandoned"


def test_an_assessment_is_recorded_while_a_change_is_prepared(
    dataset: Dataset, people: People, at: datetime
) -> None:
    written: dict[str, Any] = {
        "dataset": dataset,
        "actor": people.editor,
        "at": at,
        "kind": "secrecy",
        "conclusion": "passed",
        "assessed_on": at.date(),
        "assessor": "保密办",
    }
    with pytest.raises(IllegalMove):
        catalog.record_assessment(**written)
    change = begin(dataset, people, at, fields={"abstract": NEW_ABSTRACT})
    catalog.record_assessment(**written)
    catalog.submit_change(change=change, actor=people.editor, at=at)
    with pytest.raises(IllegalMove):
        catalog.record_assessment(**written)


def test_the_state_of_any_day(dataset: Dataset, people: People, at: datetime) -> None:
    later = at + timedelta(days=10)
    through(begin(dataset, people, later, fields={"abstract": NEW_ABSTRACT}), people, later)
    numbers = {
        days: getattr(queries.version_on(dataset, (at + timedelta(days=days)).date()), "number", 0)
        for days in (-1, 0, 9, 10, 30)
    }
    assert numbers == {-1: 0, 0: 1, 9: 1, 10: 2, 30: 2}


def test_differences_are_told_in_the_labels_of_the_screens(
    dataset: Dataset, people: People, at: datetime
) -> None:
    rows = items_of(dataset)
    other = DatasetFactory(department=people.editor.department)
    change = begin(
        dataset,
        people,
        at,
        fields={"update_cycle": "monthly", "contains_sensitive": True},
        items=[rows[0], {**rows[1], "mask": "", "length": None}, *rows[3:], NEW_ITEM],
        related=[other],
    )
    found = queries.proposal_of(change).found
    told = {(each.kind, each.item_label, each.label): (each.old, each.new) for each in found}
    masked = str(MASKS["cover_name"].label)
    assert told == {
        ("changed", "", "更新周期"): ("每日", "每月"),
        ("changed", "", "关联目录"): ("（空）", other.name),
        ("removed", "行政区划代码", "数据项"): ("行政区划代码", "（无）"),
        ("changed", "姓名", "默认脱敏方式"): (masked, "（空）"),
        ("changed", "姓名", "长度"): ("50", "（空）"),
        ("added", "备注", "数据项"): ("（无）", "备注"),
    }


def test_a_new_item_is_told_with_what_is_written_of_it(
    dataset: Dataset, people: People, at: datetime
) -> None:
    code_list = CodeListFactory(name="行政区划代码")
    new = {**NEW_ITEM, "required": True, "code_list": code_list}
    change = begin(dataset, people, at, items=[*items_of(dataset), new])
    (added,) = queries.proposal_of(change).found
    told = dict(added.details)
    assert told == {
        "数据类型": "字符型",
        "长度": "100",
        "必填": "是",
        "代码集": "行政区划代码",
    }
    assert added.old_spans == (("（无）", False),)
    assert added.new_spans == (("备注", True),)


def test_changed_words_are_marked(dataset: Dataset) -> None:
    old = {"abstract": "领取救助的群众，每 12 月更新"}
    new = {"abstract": "领取救助的困难群众，每 3 月更新"}
    (found,) = differences(old, new)
    assert [text for text, is_gone in found.old_spans if is_gone] == ["12"]
    assert [text for text, is_new in found.new_spans if is_new] == ["困难", "3"]
    assert "".join(text for text, _marked in found.new_spans) == new["abstract"]


@pytest.mark.parametrize(
    ("fields", "is_small", "why"),
    [
        ({"abstract": NEW_ABSTRACT, "contact_name": "李四"}, True, "只改了摘要、联系人"),
        ({"abstract": NEW_ABSTRACT, "grade": "4"}, False, "改动了数据分级，须逐条审核"),
        ({"sharing_scope": "全市"}, False, "改动了共享范围，须逐条审核"),
        ({}, False, "没有改动"),
    ],
)
def test_what_is_small(
    dataset: Dataset, people: People, at: datetime, fields: dict[str, Any], is_small: bool, why: str
) -> None:
    change = begin(dataset, people, at, fields=fields)
    found = smallness(change)
    assert only_small(DatasetChange.objects.all()).exists() is is_small
    assert (found.is_small, found.why) == (is_small, why)
