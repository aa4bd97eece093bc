"""What the database itself refuses: facts that belong together cannot part."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.catalog.models import Classification, Dataset, Demand, Duty, UpperRequest
from apps.catalog.operations import demands
from tests.catalog import demand_stories, duty_stories
from tests.catalog.demand_stories import Parties
from tests.catalog.duty_stories import Side
from tests.catalog.test_upper_requests import PATH, in_status
from tests.factories.catalog import ClassificationFactory, PublishedDatasetFactory

pytestmark = pytest.mark.django_db


def refused_by(constraint: str, act: Callable[[], Any]) -> None:
    with pytest.raises(IntegrityError) as raised, transaction.atomic():
        act()
    assert raised.value.__cause__.diag.constraint_name == constraint  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "wrong",
    [
        {"level": 2},
        {"level": 4},
        {"parent": None},
        {"code": "3070011"},
        {"code": "307"},
        {"code": "3", "level": 1},
    ],
)
def test_a_class_has_the_level_and_the_node_above_that_its_code_says(wrong: dict[str, Any]) -> None:
    node = ClassificationFactory(code="308001")
    refused_by(
        "catalog_classification_level_follows_code",
        lambda: Classification.objects.filter(pk=node.pk).update(**wrong),
    )


def test_every_length_of_a_code_has_its_level() -> None:
    made = [ClassificationFactory(code=code) for code in ("1", "108", "108002", "1080021234")]
    assert [node.level for node in made] == [1, 2, 3, 4]
    assert [node.parent for node in made] == [None, *made[:3]]


@pytest.mark.parametrize("wrong", [{"item_names": ["姓名"]}, {"item_columns": []}])
def test_a_duty_names_as_many_items_as_columns(
    authority: Any, provider: Any, provider_head: Any, at: datetime, wrong: dict[str, Any]
) -> None:
    duty_stories.in_force(Side(authority, provider, provider_head), at)
    refused_by("catalog_duty_items_in_step", lambda: Duty.objects.update(**wrong))
    Duty.objects.update(item_names=[], item_columns=[])


@pytest.mark.parametrize("status", sorted(demand_stories.STORIES))
def test_a_demand_is_met_and_closed_with_its_time(
    parties: Parties, at: datetime, status: str
) -> None:
    made = demand_stories.STORIES[status](parties, at)
    found = Demand.objects.filter(pk=made.pk)
    if status == "fulfilled":
        refused_by("catalog_demand_fulfilled_has_time", lambda: found.update(fulfilled_at=None))
    elif status != "closed":
        refused_by("catalog_demand_fulfilled_has_time", lambda: found.update(fulfilled_at=at))
    other = None if status == "closed" else at
    refused_by("catalog_demand_closed_has_time", lambda: found.update(closed_at=other))


def test_what_was_pointed_out_and_is_asked_for_is_not_met_yet(
    parties: Parties, at: datetime
) -> None:
    demand = demand_stories.submitted(parties, at)
    entry = demand_stories.entry_of(parties)
    demands.point_out(demand=demand, dataset=entry, actor=parties.officer, at=at)
    assert demand.fulfilled_at == at
    demands.take_up(demand=demand, dataset=entry, actor=parties.editor, at=at)
    demand.refresh_from_db()
    assert demand.status == "requested"
    assert demand.fulfilled_at is None


LATER = ("forwarded", "agreed", "refused", "delivered", "closed")


@pytest.mark.parametrize("status", sorted(PATH))
def test_a_request_for_upper_data_has_the_times_of_its_status(
    parties: Parties, at: datetime, status: str
) -> None:
    made = in_status(status, parties, at)
    found = UpperRequest.objects.filter(pk=made.pk)

    def update(**values: Any) -> Callable[[], Any]:
        return lambda: found.update(**values)

    if status == "filed":
        refused_by("catalog_upperrequest_filed_has_time", update(filed_at=None))
    forwarded = "catalog_upperrequest_forwarded_has_time"
    if status in LATER:
        for name in ("filed_at", "forwarded_at", "outside_on"):
            refused_by(forwarded, update(**{name: None}))
    else:
        refused_by(forwarded, update(forwarded_at=at))
        refused_by(forwarded, update(outside_on=date(2026, 11, 18)))
    is_answered = status in LATER and status != "forwarded"
    answered = "catalog_upperrequest_answered_has_time"
    refused_by(answered, update(answered_at=None if is_answered else at))
    closed = "catalog_upperrequest_closed_has_time"
    refused_by(closed, update(closed_at=None if status == "closed" else at))


@pytest.mark.parametrize("missing", ["sharing_reason", "sharing_statute"])
def test_a_published_entry_is_withheld_with_reason_and_statute(db: None, missing: str) -> None:
    given = {"sharing_reason": "涉及国家统计秘密", "sharing_statute": "《统计法》第九条"}
    dataset = PublishedDatasetFactory(sharing_attribute="not_shared", **given)
    found = Dataset.objects.filter(pk=dataset.pk)
    refused_by("catalog_dataset_not_shared_has_reason", lambda: found.update(**{missing: ""}))
    found.update(status="draft", published_at=None, **{missing: ""})
