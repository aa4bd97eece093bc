"""The index is never behind: whatever changes an entry writes its row, in the same transaction."""

from datetime import datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.queries import platform_user
from apps.catalog import operations as catalog
from apps.catalog import queries
from apps.catalog.models import Dataset, SearchEntry
from apps.core import access
from tests.catalog.stories import STORIES, People
from tests.conftest import CAST
from tests.factories.accounts import DepartmentFactory
from tests.factories.catalog import (
    ClassificationFactory,
    DatasetFactory,
    PublishedDatasetFactory,
)

pytestmark = pytest.mark.django_db


def picture() -> list[dict[str, Any]]:
    rows: Any = SearchEntry.objects.order_by("pk").values()
    return [{name: row[name] for name in row if name != "indexed_at"} for row in rows]


@pytest.mark.parametrize("status", sorted(STORIES))
def test_every_move_leaves_the_index_as_a_rebuild_would(
    people: People, at: datetime, status: str
) -> None:
    STORIES[status](people, at)
    before = picture()
    assert [row["status"] for row in before] == [status]
    SearchEntry.objects.all().delete()
    call_command("rebuild_search")
    assert picture() == before


def test_writing_and_assessing_leave_the_index_as_a_rebuild_would(
    people: People, at: datetime
) -> None:
    made = catalog.create_dataset(
        actor=people.editor,
        at=at,
        classification=ClassificationFactory(),
        name="困境儿童基本信息",
        items=[{"name": "姓名", "column_name": "person_name"}],
    )
    catalog.revise_dataset(
        dataset=made,
        actor=people.editor,
        at=at,
        name="留守儿童基本信息",
        items=[{"name": "监护人", "column_name": "guardian"}],
    )
    catalog.record_assessment(
        dataset=made,
        actor=people.editor,
        at=at,
        kind="secrecy",
        conclusion="passed",
        assessed_on=at.date(),
        assessor="保密办",
    )
    before = picture()
    words = SearchEntry.objects.values_list("words", flat=True).get()
    assert "'留守'" in words
    assert "'guardian'" in words
    assert "'困境'" not in words
    call_command("rebuild_search")
    assert picture() == before


def test_taking_over_costs_as_many_statements_for_many_as_for_one(
    at: datetime, django_assert_max_num_queries: Any
) -> None:
    entries = [DatasetFactory(status="published", published_at=at) for _ in range(7)]
    SearchEntry.objects.all().delete()
    platform = platform_user()
    with CaptureQueriesContext(connection) as one:
        catalog.take_over(datasets=entries[:1], actor=platform, at=at)
    with CaptureQueriesContext(connection) as many:
        catalog.take_over(datasets=entries[1:], actor=platform, at=at)
    # a version is a row of long JSON and travels alone
    assert len(many) - len(one) == len(entries) - 2
    assert SearchEntry.objects.count() == len(entries)


def test_what_changed_past_the_operations_is_caught_up_with(at: datetime) -> None:
    moved, gone = PublishedDatasetFactory(), PublishedDatasetFactory()
    PublishedDatasetFactory()
    successor = DepartmentFactory(name="市社会工作局")
    Dataset.objects.filter(pk=moved.pk).update(department=successor)
    SearchEntry.objects.filter(pk=gone.pk).delete()
    assert catalog.refresh_stale(at=at) == 2
    assert catalog.refresh_stale(at=at) == 0
    assert "'社会'" in SearchEntry.objects.get(pk=moved.pk).words


@pytest.mark.parametrize("status", sorted(STORIES))
def test_who_may_see_the_entry_may_see_its_row_and_nobody_else(
    people: People, cast: dict[str, Any], at: datetime, status: str
) -> None:
    dataset = STORIES[status](people, at)
    for name in CAST:
        entry = access.allowed(cast[name], "view", dataset, at=at)
        row = access.allowed(cast[name], "view", SearchEntry.objects.get(pk=dataset.pk), at=at)
        assert entry == row, name


class TestSimilar:
    def test_the_rare_word_decides_and_the_shared_words_are_named(self) -> None:
        wanted = PublishedDatasetFactory(name="残疾人两项补贴发放信息")
        for number in range(5):
            PublishedDatasetFactory(name=f"低保补贴发放信息{number}")
        found = queries.similar_to(
            "希望取得残疾人补贴的发放信息", visible=Dataset.objects.published(), limit=3
        )
        assert len(found) == 3
        assert found[0].dataset == wanted
        assert {"残疾人", "补贴", "发放", "信息"} <= set(found[0].words)
        assert 1 >= found[0].score > found[1].score

    def test_nothing_is_proposed_that_may_not_be_seen(self, consumer: Any) -> None:
        DatasetFactory(name="残疾人两项补贴发放信息")
        assert queries.similar_to("残疾人补贴", visible=queries.visible_to(consumer)) == []

    @pytest.mark.parametrize("text", ["", "，。", "x", "没有任何目录会写的话语", "it's \\ : & | *"])
    def test_no_text_is_too_odd(self, text: str) -> None:
        PublishedDatasetFactory()
        assert queries.similar_to(text, visible=Dataset.objects.all()) == []

    def test_more_entries_cost_no_more_statements(self) -> None:
        PublishedDatasetFactory()
        with CaptureQueriesContext(connection) as few:
            queries.similar_to("困难群众救助", visible=Dataset.objects.all())
        for _ in range(4):
            PublishedDatasetFactory()
        with CaptureQueriesContext(connection) as many:
            found = queries.similar_to("困难群众救助", visible=Dataset.objects.all())
            assert [each.dataset.department.name for each in found]
        assert len(many) == len(few)
