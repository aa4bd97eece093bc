"""The pages of changes: begun, written in the steps of the editor, reviewed, compared."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.catalog import operations as catalog
from apps.catalog import queries
from apps.catalog.models import Dataset, DatasetChange, ReviewRemark
from apps.catalog.proposals import proposed
from tests.catalog.stories import CHANGE_STORIES, NEW_ABSTRACT, STORIES, People
from tests.factories.standards import DataElementFactory


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def text_of(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.content.decode()[:500]
    return answer.content.decode()


@pytest.fixture
def dataset(people: People, at: datetime) -> Dataset:
    return STORIES["published"](people, at)


def values_of(form: Any) -> dict[str, Any]:
    """What a browser would send back of a form as it stands."""
    found = {}
    for field in form:
        value = field.value()
        if value is True:
            found[field.html_name] = "on"
        elif value not in (None, False):
            found[field.html_name] = field.field.prepare_value(value)
    return found


def sent_of_items(formset: Any) -> dict[str, Any]:
    sent = values_of(formset.management_form)
    for line in formset:
        sent |= values_of(line)
    return sent


def test_an_entry_in_force_is_changed_in_the_same_steps(dataset: Dataset, people: People) -> None:
    client = client_of(people.editor)
    entry_url = dataset.get_absolute_url()
    begin_url = reverse("catalog:change-begin", args=[dataset.dashed_code])
    assert begin_url in text_of(client, entry_url)
    assert "开始修改" in text_of(client, begin_url)
    answer = client.post(begin_url, {"reason": "补充字段"})
    change = DatasetChange.objects.get()
    assert answer["Location"] == reverse("catalog:change-edit", args=[change.pk])

    step = reverse("catalog:change-edit", args=[change.pk, "basics"])
    page = client.get(step)
    sent = values_of(page.context["form"]) | {"abstract": NEW_ABSTRACT, "revision": "1"}
    answer = client.post(step, sent)
    assert answer.status_code == 302, answer.context["form"].errors
    change.refresh_from_db()
    assert change.fields == {"abstract": NEW_ABSTRACT}
    assert Dataset.objects.get(pk=dataset.pk).abstract != NEW_ABSTRACT

    step = reverse("catalog:change-edit", args=[change.pk, "items"])
    page = client.get(step)
    sent = sent_of_items(page.context["form"]) | {
        "items-5-name": "备注",
        "items-5-column_name": "remark",
        "items-5-data_type": "C",
        "items-5-length": "100",
        "revision": str(change.revision),
    }
    assert client.post(step, sent).status_code == 302
    change.refresh_from_db()
    assert change.items is not None
    assert [row["pk"] is None for row in change.items] == [False] * 5 + [True]
    assert set(change.fields) == {"abstract"}

    # The new item, which is in no table yet, has its page too.
    step = reverse("catalog:change-edit-item", args=[change.pk, -6])
    page = client.get(step)
    sent = values_of(page.context["form"]) | {"description": "说明", "revision": change.revision}
    answer = client.post(step, sent)
    assert answer.status_code == 302, answer.context["form"].errors
    change.refresh_from_db()
    assert change.items[5]["description"] == "说明"
    assert [item.column_name for item in proposed(change).items.all()][5] == "remark"

    for name in ("rules", "assessments"):
        text_of(client, reverse("catalog:change-edit", args=[change.pk, name]))
    review = reverse("catalog:change-edit", args=[change.pk, "review"])
    body = text_of(client, review)
    assert "与现行版本的差别" in body
    assert "备注" in body
    answer = client.post(review, {"revision": change.revision})
    assert answer["Location"] == change.get_absolute_url()
    change.refresh_from_db()
    assert change.status == "awaiting_head"
    assert dataset.items.count() == 5


def test_a_refusal_keeps_what_was_typed(dataset: Dataset, people: People, at: datetime) -> None:
    change = CHANGE_STORIES["draft"](people, at, dataset=dataset)
    step = reverse("catalog:change-edit", args=[change.pk, "basics"])
    client = client_of(people.editor)
    sent = values_of(client.get(step).context["form"])
    answer = client.post(step, {**sent, "note": "打好的字", "revision": "99"})
    assert "打好的字" in answer.content.decode()
    change.refresh_from_db()
    assert "note" not in change.fields


def test_the_entry_says_that_a_change_is_under_way(
    people: People, at: datetime, consumer: Any
) -> None:
    change = CHANGE_STORIES["submitted"](people, at)
    url = change.dataset.get_absolute_url()
    body = text_of(client_of(people.officer), url)
    assert "第 1 版有效" in body
    assert change.get_absolute_url() in body
    assert "第 1 版有效" not in text_of(client_of(consumer), url)


@pytest.mark.parametrize("status", sorted(CHANGE_STORIES))
def test_the_page_of_a_change(people: People, at: datetime, status: str, consumer: Any) -> None:
    change = CHANGE_STORIES[status](people, at)
    for who in (people.editor, people.head, people.officer):
        body = text_of(client_of(who), change.get_absolute_url())
        assert '<ins class="diff__new">' in body
    text_of(client_of(consumer), change.get_absolute_url(), 404)
    edit = reverse("catalog:change-edit", args=[change.pk])
    text_of(client_of(people.editor), edit, 200 if status in ("draft", "returned") else 403)
    text_of(client_of(people.officer), edit, 403)


def test_a_reviewer_speaks_at_a_field_and_the_editor_reads_it_there(
    people: People, at: datetime
) -> None:
    change = CHANGE_STORIES["submitted"](people, at)
    found = queries.open_round(change.dataset, change)
    assert found is not None
    officer, editor = client_of(people.officer), client_of(people.editor)
    write = reverse("catalog:remark-write", args=[found.pk])
    officer.post(write, {"place": ":abstract", "text": "频率请写到日"})
    officer.post(write, {"place": "name:length", "text": "五十字够吗"})
    officer.post(write, {"place": ":", "text": "总的意见"})
    editor.post(write, {"place": ":abstract", "text": "不是我的事"})
    assert ReviewRemark.objects.count() == 3
    remark = ReviewRemark.objects.get(text="总的意见")
    officer.post(reverse("catalog:remark-erase", args=[remark.pk]))
    assert ReviewRemark.objects.count() == 2
    send_back = reverse("catalog:change-move", args=[change.pk, "send_back_change"])
    page = officer.get(send_back)
    words = page.context["form"]["reason"].value()
    assert "摘要：频率请写到日" in words
    officer.post(send_back, {"reason": words, "revision": change.revision})
    step = reverse("catalog:change-edit", args=[change.pk, "basics"])
    assert "审核意见：频率请写到日" in text_of(editor, step)
    assert "审核意见：五十字够吗" in text_of(editor, step.replace("basics", "items"))
    number = change.dataset.items.get(column_name="name").pk
    item = reverse("catalog:change-edit-item", args=[change.pk, number])
    assert "五十字够吗" in text_of(editor, item)
    other = ReviewRemark.objects.get(field="length")
    editor.post(reverse("catalog:remark-settle", args=[other.pk]), {"answer": "够了"})
    body = text_of(editor, change.get_absolute_url())
    assert "答复：够了" in body
    assert "未处理" in body
    change.refresh_from_db()
    mended = {"abstract": "每日更新的名单"}
    catalog.revise_change(change=change, actor=people.editor, at=at, fields=mended)
    assert "审核意见：频率请写到日" not in text_of(editor, step), "mended, no longer due"
    body = text_of(editor, change.get_absolute_url())
    assert "已改，待提交" in body
    assert "未处理" not in body


def test_every_field_of_the_table_of_items_has_a_name(people: People, at: datetime) -> None:
    change = CHANGE_STORIES["draft"](people, at)
    items = reverse("catalog:change-edit", args=[change.pk, "items"])
    body = text_of(client_of(people.editor), items)
    assert 'aria-label="第 1 行：列名"' in body
    assert 'aria-label="第 2 行：移除"' in body


def test_a_remark_inside_a_new_item_stands_at_the_item(people: People, at: datetime) -> None:
    change = CHANGE_STORIES["draft"](people, at)
    new = {"name": "备注", "column_name": "remark", "data_type": "C", "length": 100}
    rows = [{"pk": item.pk} for item in change.dataset.items.all()]
    catalog.revise_change(change=change, actor=people.editor, at=at, items=[*rows, new])
    catalog.submit_change(change=change, actor=people.editor, at=at)
    catalog.approve_change(change=change, actor=people.head, at=at)
    found = queries.open_round(change.dataset, change)
    assert found is not None
    catalog.write_remark(
        review_round=found, actor=people.officer, at=at, text="够了", item="remark", field="length"
    )
    page = client_of(people.officer).get(change.get_absolute_url(), {"place": "remark:length"})
    (line,) = [each for each in page.context["found"] if each.difference.kind == "added"]
    assert [(said.place, said.remark.text) for said in line.remarks] == [
        ("数据项“备注” · 长度", "够了")
    ]
    assert '<option value="remark:length" selected>' in page.content.decode()


def test_a_resubmission_shows_what_changed(people: People, at: datetime) -> None:
    change = CHANGE_STORIES["returned"](people, at)
    newer = NEW_ABSTRACT.replace("按月", "按日")
    catalog.revise_change(change=change, actor=people.editor, at=at, fields={"abstract": newer})
    catalog.submit_change(change=change, actor=people.editor, at=at)
    body = text_of(client_of(people.head), change.get_absolute_url())
    assert "第 1 轮退回以后改了什么" in body
    assert '<ins class="diff__new">日</ins>' in body


def test_first_publication_shows_the_same(people: People, at: datetime) -> None:
    dataset = STORIES["returned"](people, at)
    catalog.revise_dataset(dataset=dataset, actor=people.editor, at=at, abstract="全市低保对象")
    catalog.submit(dataset=dataset, actor=people.editor, at=at)
    body = text_of(client_of(people.head), dataset.get_absolute_url())
    assert "第 1 轮退回以后改了什么" in body
    assert "写一条意见" in body
    assert "写一条意见" not in text_of(client_of(people.officer), dataset.get_absolute_url())


def test_versions_are_compared_and_any_day_is_shown(
    dataset: Dataset, people: People, at: datetime, consumer: Any
) -> None:
    later = at + timedelta(days=5)
    change = CHANGE_STORIES["applied"](people, later, dataset=dataset)
    assert change.applied_version == 2
    client = client_of(consumer)
    body = text_of(client, reverse("catalog:dataset-versions", args=[dataset.dashed_code]))
    assert "写明更新频率" in body
    assert '<ins class="diff__new">' in body
    assert change.get_absolute_url() not in body
    address = f"{dataset.get_absolute_url()}?on="
    then = client.get(f"{address}{(at + timedelta(days=1)).date()}", follow=True)
    assert "有效的是第 1 版" in then.content.decode()
    assert NEW_ABSTRACT not in then.content.decode()
    now = client.get(f"{address}{later.date()}", follow=True).content.decode()
    assert "有效的是第 2 版" in now
    assert NEW_ABSTRACT in now
    before = client.get(f"{address}2020-01-01", follow=True).content.decode()
    assert "没有有效的版本" in before
    for wrong in ("2026-13-01", "昨天"):
        assert client.get(f"{address}{wrong}", follow=True).status_code == 400


def test_the_queue_holds_what_awaits_me(people: People, at: datetime, consumer: Any) -> None:
    mine = CHANGE_STORIES["submitted"](people, at)
    heads = CHANGE_STORIES["awaiting_head"](people, at)
    first = STORIES["submitted"](people, at)
    gone = STORIES["withdrawal_requested"](people, at)
    queue = reverse("catalog:review-queue")
    officer = client_of(people.officer)
    body = text_of(officer, queue)
    assert mine.get_absolute_url() in body
    assert heads.get_absolute_url() not in body
    assert "只改了摘要" in body
    assert first.get_absolute_url() in text_of(officer, f"{queue}?kind=first")
    assert gone.get_absolute_url() in text_of(officer, f"{queue}?kind=withdrawals")
    assert heads.get_absolute_url() in text_of(client_of(people.head), queue)
    assert "没有等待审核的事项" in text_of(client_of(consumer), queue)
    assert "没有符合条件的事项" in text_of(officer, f"{queue}?kind=changes&q=没有这个")
    assert mine.get_absolute_url() in text_of(officer, f"{queue}?due=overdue&size=small")


def test_the_queue_asks_the_same_number_of_questions_for_many(people: People, at: datetime) -> None:
    officer = client_of(people.officer)
    queue = f"{reverse('catalog:review-queue')}?kind=changes"
    CHANGE_STORIES["submitted"](people, at)
    officer.get(queue)
    with CaptureQueriesContext(
        connection,
    ) as one:
        officer.get(queue)
    for _number in range(3):
        CHANGE_STORIES["submitted"](people, at)
    with CaptureQueriesContext(connection) as many:
        officer.get(queue)
    assert len(many) == len(one)


def test_the_page_of_a_change_asks_no_more_for_more_items(people: People, at: datetime) -> None:
    change = CHANGE_STORIES["submitted"](people, at)
    items = list(change.dataset.items.all())
    for item in items[1:]:
        type(item).objects.filter(pk=item.pk).update(data_element=None)
    type(items[0]).objects.filter(pk=items[0].pk).update(data_element=DataElementFactory())
    officer = client_of(people.officer)
    officer.get(change.get_absolute_url())
    with CaptureQueriesContext(connection) as one:
        officer.get(change.get_absolute_url())
    for item in items[1:]:
        type(item).objects.filter(pk=item.pk).update(data_element=DataElementFactory())
    with CaptureQueriesContext(connection) as many:
        officer.get(change.get_absolute_url())
    assert len(many) == len(one)


def test_small_changes_are_decided_together_and_each_by_itself(
    people: People, at: datetime
) -> None:
    small = CHANGE_STORIES["submitted"](people, at)
    grave = CHANGE_STORIES["submitted"](people, at, fields={"update_cycle": "monthly"})
    broken = CHANGE_STORIES["submitted"](people, at, fields={"contact_name": "李四"})
    broken.dataset.versions.create(
        number=2, contract=broken.dataset.versions.get().contract, snapshot={}, published_at=at
    )
    officer = client_of(people.officer)
    decide = reverse("catalog:review-decide")
    ticked = {"change": [small.pk, grave.pk, broken.pk]}
    shown = officer.post(decide, ticked).content.decode()
    assert "将办理 2 条" in shown
    assert "须逐条审核" in shown
    small.refresh_from_db()
    assert small.status == "submitted"
    body = officer.post(decide, {**ticked, "confirmed": "1"}).content.decode()
    assert "办成 1 条，未办成 2 条" in body
    assert "改动了更新周期" in body
    assert "请按现行版本重新修改" in body
    statuses = {}
    for change in (small, grave, broken):
        change.refresh_from_db()
        statuses[change.pk] = change.status
    assert statuses == {small.pk: "applied", grave.pk: "submitted", broken.pk: "submitted"}


def test_nobody_decides_what_is_not_his_turn(people: People, at: datetime) -> None:
    change = CHANGE_STORIES["submitted"](people, at)
    decide = reverse("catalog:review-decide")
    for who in (people.editor, people.head):
        client_of(who).post(decide, {"change": [change.pk], "confirmed": "1"})
    change.refresh_from_db()
    assert change.status == "submitted"
    outcomes = catalog.decide_small(changes=[change], actor=people.head, at=at)
    assert [outcome.done for outcome in outcomes] == [False]
