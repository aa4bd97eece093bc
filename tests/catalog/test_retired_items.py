"""An item that a request names is retired when a version leaves it out, and may come back."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.catalog import operations as catalog
from apps.catalog import queries
from apps.catalog.models import DataItem, Dataset
from apps.catalog.proposals import plain_items
from apps.core.errors import Conflict
from apps.sharing.models import RequestedItem
from tests import stories
from tests.catalog.stories import STORIES, People
from tests.catalog.test_changes import begin, through
from tests.factories.sharing import make_scene


@pytest.fixture
def dataset(people: People, at: datetime) -> Dataset:
    return STORIES["published"](people, at)


@pytest.fixture
def requested(dataset: Dataset, at: datetime) -> RequestedItem:
    """Somebody asked for the district."""
    scene = replace(make_scene(), dataset=dataset)
    request = stories.draft(scene, at, items=["division_code"])
    found: RequestedItem = request.requested_items.get()
    return found


def without(dataset: Dataset, *names: str) -> list[dict[str, Any]]:
    return [each for each in plain_items(dataset) if each["column_name"] not in names]


def test_it_leaves_the_entry_but_stays_for_the_request(
    dataset: Dataset, requested: RequestedItem, people: People, at: datetime
) -> None:
    items = without(dataset, "division_code", "amount")
    change = begin(dataset, people, at, items=items, reason="精简")
    remarks = queries.remarks_on_change(change, on=at.date())
    assert [str(each) for each in remarks if "保留期" in str(each)]
    assert not [each for each in remarks if each.is_error]
    through(change, people, at)
    dataset.refresh_from_db()
    listed = {"identity_number", "name", "registered_on"}
    assert {item.column_name for item in dataset.items.all()} == listed
    assert {column.name for column in queries.contract_of(dataset).columns} == listed
    assert set(queries.dropped_columns(dataset.pk)) == {"division_code", "amount"}
    requested.refresh_from_db()
    assert requested.item.retired_at == at
    assert requested.item.history.latest("history_id").history_change_reason == "停用"
    assert not DataItem.ever.filter(dataset=dataset, column_name="amount").exists(), "nobody asked"


def test_another_item_may_take_its_name_and_it_goes_on_when_its_column_returns(
    dataset: Dataset, requested: RequestedItem, people: People, at: datetime
) -> None:
    items = plain_items(dataset)
    old = next(each for each in items if each["column_name"] == "division_code")
    other = {**old, "pk": None, "column_name": "district"}
    shorter = without(dataset, "division_code")
    through(begin(dataset, people, at, items=[*shorter, other], reason="改列名"), people, at)
    dataset.refresh_from_db()
    found = queries.dropped_columns(dataset.pk)["division_code"]
    assert found.replaced_by == "district"
    back = {**old, "pk": None, "name": "原行政区划代码"}
    now_listed = plain_items(dataset)
    through(begin(dataset, people, at, items=[*now_listed, back], reason="恢复"), people, at)
    requested.refresh_from_db()
    assert (requested.item.retired_at, requested.item.name) == (None, "原行政区划代码")
    assert queries.dropped_columns(dataset.pk) == {}


def test_of_a_column_there_is_one_item_and_of_a_name_one_that_is_listed(
    dataset: Dataset, at: datetime
) -> None:
    item = dataset.items.get(column_name="division_code")
    item.retired_at = at
    item.save()
    facts = {"dataset": dataset, "position": 9, "name": item.name, "data_type": "C"}
    with pytest.raises(IntegrityError), transaction.atomic():
        DataItem.objects.create(column_name="division_code", **facts)
    DataItem.objects.create(column_name="district", **facts)
    with pytest.raises(IntegrityError), transaction.atomic():
        DataItem.objects.create(column_name="district_code", **facts)


def test_an_item_of_a_draft_that_somebody_names_cannot_go(
    requested: RequestedItem, dataset: Dataset, people: People, at: datetime
) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(status="draft")
    dataset.refresh_from_db()
    with pytest.raises(Conflict) as refused:
        catalog.revise_dataset(
            dataset=dataset, actor=people.editor, at=at, items=without(dataset, "division_code")
        )
    assert refused.value.code == "item_in_use"
    assert dataset.items.filter(column_name="division_code").exists()
