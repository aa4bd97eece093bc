"""Every pair of status and move, legal and illegal."""

from datetime import datetime
from typing import Any

import pytest

from apps.catalog import operations as catalog
from apps.catalog.lifecycle import DATASET
from apps.catalog.models import Dataset, DatasetStatus
from apps.core.errors import IllegalMove, NotAllowed, StaleRevision
from apps.ledger.models import Event
from tests.catalog.stories import STORIES, People

PAIRS = [(status, move.name) for status in DatasetStatus.values for move in DATASET.moves]
ACTOR_OF = {
    "submit": "editor",
    "approve": "head",
    "publish": "officer",
    "request_withdrawal": "head",
    "decline_withdrawal": "officer",
    "withdraw": "officer",
}


def do(name: str, dataset: Dataset, people: People, at: datetime, **more: Any) -> Dataset:
    who = ACTOR_OF.get(name) or ("head" if dataset.status == "awaiting_head" else "officer")
    arguments: dict[str, Any] = {"dataset": dataset, "actor": getattr(people, who), "at": at}
    if DATASET.move(name).reason:
        arguments["reason"] = "理由"
    return getattr(catalog, name)(**arguments, **more)  # type: ignore[no-any-return]


@pytest.mark.parametrize(("status", "name"), PAIRS)
def test_it_moves_only_along_the_table(
    status: str, name: str, people: People, at: datetime
) -> None:
    dataset = STORIES[status](people, at)
    assert dataset.status == status
    revision, history = dataset.revision, dataset.history.count()
    done = Event.objects.filter(outcome="done").count()
    move = DATASET.move(name)
    if status in move.sources:
        do(name, dataset, people, at)
        dataset.refresh_from_db()
        assert dataset.status == move.target
        assert dataset.revision == revision + 1
        assert dataset.history.count() == history + 1
        assert Event.objects.filter(outcome="done").count() == done + 1
        return
    # To send back is nobody's turn in other statuses, so nobody may.
    with pytest.raises(NotAllowed if name == "send_back" else IllegalMove):
        do(name, dataset, people, at)
    dataset.refresh_from_db()
    assert (dataset.status, dataset.revision) == (status, revision)
    assert dataset.history.count() == history
    assert Event.objects.filter(outcome="done").count() == done


def test_it_refuses_what_was_decided_on_an_old_page(people: People, at: datetime) -> None:
    dataset = STORIES["submitted"](people, at)
    with pytest.raises(StaleRevision):
        catalog.publish(dataset=dataset, actor=people.officer, at=at, revision=dataset.revision - 1)
    dataset.refresh_from_db()
    assert dataset.status == "submitted"
    assert not dataset.versions.exists()


def test_it_writes_who_moved_it_and_why(people: People, at: datetime) -> None:
    dataset = STORIES["returned"](people, at)
    last = dataset.history.latest("history_id")
    assert last.history_user == people.officer
    assert last.history_date == at
    assert "摘要请写明数据范围" in last.history_change_reason
