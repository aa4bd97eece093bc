"""Every status of lists and duties × every move: along the table, or refused without a trace."""

from datetime import datetime
from typing import Any

import pytest

from apps.catalog.lifecycle import DUTY, RESPONSIBILITY_LIST
from apps.catalog.models import Duty, DutyStatus, ResponsibilityListStatus
from apps.catalog.operations import compiling, duties, performing, responsibility
from apps.core.errors import IllegalMove, InvalidInput, StaleRevision
from apps.ledger.models import Event
from tests.catalog.duty_stories import ANSWER_BY, DUTIES, LISTS, Side, proposed

pytestmark = pytest.mark.django_db

LIST_PAIRS = [
    (s, m.name) for s in ResponsibilityListStatus.values for m in RESPONSIBILITY_LIST.moves
]
# What nobody does alone: `reconsult` comes of revising, `enforce` of issuing.
ALONE = [move.name for move in DUTY.moves if move.name not in {"reconsult", "enforce"}]
DUTY_PAIRS = [(status, name) for status in DutyStatus.values for name in ALONE]


@pytest.fixture
def side(authority: Any, provider: Any, provider_head: Any) -> Side:
    return Side(officer=authority, editor=provider, head=provider_head)


def move_list(name: str, found: Any, side: Side, at: datetime) -> Any:
    given: dict[str, Any] = {"responsibility_list": found, "actor": side.officer, "at": at}
    if RESPONSIBILITY_LIST.move(name).reason:
        given["reason"] = "理由"
    if name == "consult":
        given["consult_due_on"] = ANSWER_BY
    if name == "issue" and found.status == "consulting":
        responsibility.reply(responsibility_list=found, actor=side.head, at=at)
    room = compiling if name == "adjust" else responsibility
    return getattr(room, name)(**given)


def move_duty(name: str, duty: Duty, side: Side, at: datetime, **more: Any) -> Any:
    who = {"accept": side.editor, "raise_objection": side.editor, "perform": side.editor}
    given: dict[str, Any] = {"duty": duty, "actor": who.get(name, side.officer), "at": at, **more}
    if DUTY.move(name).reason:
        given["reason"] = "理由"
    if name == "perform":
        given["evidence"] = "已入库"
    room = performing if hasattr(performing, name) else duties
    return getattr(room, name)(**given)


@pytest.mark.parametrize(("status", "name"), LIST_PAIRS)
def test_a_list_moves_only_along_the_table(
    status: str, name: str, side: Side, at: datetime
) -> None:
    found = LISTS[status](side, at)
    found.refresh_from_db()
    assert found.status == status
    if status in RESPONSIBILITY_LIST.move(name).sources:
        move_list(name, found, side, at)
        found.refresh_from_db()
        assert found.status == RESPONSIBILITY_LIST.move(name).target
        assert found.history.count() == found.revision
        assert Event.objects.filter(verb=f"catalog.{name}", outcome="done").exists()
        return
    before = (found.revision, found.history.count(), Event.objects.filter(outcome="done").count())
    with pytest.raises(IllegalMove):
        move_list(name, found, side, at)
    found.refresh_from_db()
    events = Event.objects.filter(outcome="done").count()
    assert (found.revision, found.history.count(), events) == before
    assert found.status == status


@pytest.mark.parametrize(("status", "name"), DUTY_PAIRS)
def test_a_duty_moves_only_along_the_table(
    status: str, name: str, side: Side, at: datetime
) -> None:
    duty = DUTIES[status](side, at)
    duty.refresh_from_db()
    assert duty.status == status
    history = duty.history.count()
    if status in DUTY.move(name).sources:
        move_duty(name, duty, side, at)
        duty.refresh_from_db()
        assert duty.status == DUTY.move(name).target
        assert duty.history.count() == history + 1
        assert Event.objects.filter(verb=f"catalog.{name}", outcome="done").exists()
        return
    before = (duty.revision, Event.objects.filter(outcome="done").count())
    with pytest.raises(IllegalMove):
        move_duty(name, duty, side, at)
    duty.refresh_from_db()
    assert (duty.revision, Event.objects.filter(outcome="done").count()) == before
    assert (duty.status, duty.history.count()) == (status, history)


@pytest.mark.parametrize("name", [move.name for move in DUTY.moves if move.reason])
def test_a_move_that_needs_a_reason_gets_one(name: str, side: Side, at: datetime) -> None:
    duty = DUTIES[DUTY.move(name).sources[0]](side, at)
    room: Any = performing if hasattr(performing, name) else duties
    actor = side.editor if name == "raise_objection" else side.officer
    with pytest.raises(InvalidInput):
        getattr(room, name)(duty=duty, actor=actor, at=at, reason="  ")
    assert Duty.objects.get(pk=duty.pk).status == duty.status


def test_an_old_page_is_refused(side: Side, at: datetime) -> None:
    duty = proposed(side, at)
    with pytest.raises(StaleRevision):
        move_duty("accept", duty, side, at, revision=duty.revision + 1)
    assert Duty.objects.get(pk=duty.pk).status == "proposed"
