"""Every pair of status and move of tasks and returns, legal and illegal."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from apps.core.errors import IllegalMove, NotAllowed, StaleRevision
from apps.ledger.models import Event
from apps.supervision.lifecycle import RETURN, TASK
from apps.supervision.models import ReturnStatus, TaskReturn, TaskStatus
from apps.supervision.operations import task_returns as returns
from apps.supervision.operations import tasks
from tests.supervision.task_stories import RETURN_STORIES, TASK_STORIES, Bureau

BY: dict[str, str] = {
    "take_in": "editor",
    "submit": "editor",
    "sign": "head",
    "accept": "officer",
    "excuse": "officer",
}
# A return lapses only as its task is closed, which `test_task_operations` plays.
MOVES = [move for move in RETURN.moves if move.name != "lapse"]


def done() -> int:
    return Event.objects.filter(outcome="done").count()


@pytest.mark.parametrize("status", TaskStatus.values)
@pytest.mark.parametrize("name", [move.name for move in TASK.moves])
def test_a_task_moves_only_along_the_table(
    status: str, name: str, bureau: Bureau, at: datetime
) -> None:
    task = TASK_STORIES[status](bureau, at)
    move = TASK.move(name)
    more = {"reason": "理由"} if move.reason else {}
    act: Callable[..., Any] = getattr(tasks, name)
    revision, history, events = task.revision, task.history.count(), done()
    if status in move.sources:
        act(task=task, actor=bureau.officer, at=at, **more)
        task.refresh_from_db()
        assert (task.status, task.revision) == (move.target, revision + 1)
        assert task.history.count() == history + 1
        return
    with pytest.raises(IllegalMove):
        act(task=task, actor=bureau.officer, at=at, **more)
    task.refresh_from_db()
    assert (task.status, task.revision, done()) == (status, revision, events)


@pytest.mark.parametrize("status", ReturnStatus.values)
@pytest.mark.parametrize("name", [move.name for move in MOVES])
def test_a_return_moves_only_along_the_table(
    status: str, name: str, bureau: Bureau, at: datetime
) -> None:
    row = RETURN_STORIES[status](bureau, at)
    assert row.status == status
    move = RETURN.move(name)
    who = BY.get(name) or ("head" if status == "awaiting_head" else "officer")
    more = {"reason": "理由"} if move.reason else {}
    revision, history, events = row.revision, row.history.count(), done()
    if status in move.sources:
        getattr(returns, name)(row=row, actor=getattr(bureau, who), at=at, **more)
        row.refresh_from_db()
        assert (row.status, row.revision) == (move.target, revision + 1)
        assert row.history.count() == history + 1
        assert done() == events + 1
        return
    # To send back is nobody's turn in other statuses, so nobody may.
    with pytest.raises(NotAllowed if name == "send_back" else IllegalMove):
        getattr(returns, name)(row=row, actor=getattr(bureau, who), at=at, **more)
    row.refresh_from_db()
    assert (row.status, row.revision, row.history.count()) == (status, revision, history)
    assert done() == events


@pytest.mark.parametrize("name", ["sign", "accept"])
def test_what_was_decided_on_an_old_page_is_refused(
    name: str, bureau: Bureau, at: datetime
) -> None:
    status, who = (
        ("awaiting_head", bureau.head) if name == "sign" else ("submitted", bureau.officer)
    )
    row = RETURN_STORIES[status](bureau, at)
    with pytest.raises(StaleRevision):
        getattr(returns, name)(row=row, actor=who, at=at, revision=row.revision - 1)
    assert TaskReturn.objects.get(pk=row.pk).status == status
