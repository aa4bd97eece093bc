"""The lifecycle: one compare-and-set, one historical row, words for who came too late."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from apps.accounts.models import InformationSystem
from apps.core import lifecycle
from apps.core.errors import IllegalMove, InvalidInput, StaleRevision
from apps.core.lifecycle import Lifecycle, Move
from tests.factories.accounts import InformationSystemFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def life(monkeypatch: pytest.MonkeyPatch) -> Lifecycle:
    monkeypatch.setattr(lifecycle, "registry", {})
    return Lifecycle(
        "accounts.InformationSystem",
        states=InformationSystem.Status,
        moves=[
            Move("start", "启用", ("building",), "running", owed="使用部门"),
            Move("retire", "停用", ("running",), "retired", reason=True, tone="danger"),
        ],
    )


def test_it_moves_and_remembers_once(life: Lifecycle, provider: Any, at: datetime) -> None:
    system = InformationSystemFactory(status="building")
    before = system.history.count()
    life.apply(system, "start", actor=provider, at=at, contact_name="周工")
    assert (system.status, system.contact_name, system.revision) == ("running", "周工", 2)
    assert system.history.count() == before + 1
    latest = system.history.order_by("-history_id").first()
    assert (latest.history_user, latest.history_change_reason) == (provider, "启用")
    assert latest.status == "running"


def test_it_credits_a_move_to_its_mover_and_not_to_who_saved_before(
    life: Lifecycle, provider: Any, consumer: Any, at: datetime
) -> None:
    system = InformationSystemFactory(status="building")
    system._history_user, system._change_reason = consumer, "登记"
    system._history_date = at - timedelta(days=3)
    system.save()
    life.apply(system, "start", actor=provider, at=at)
    latest = system.history.latest("history_id")
    credit = (latest.history_user, latest.history_date, latest.history_change_reason)
    assert credit == (provider, at, "启用")


def test_a_second_decider_is_told_that_he_came_too_late(
    life: Lifecycle, provider: Any, at: datetime
) -> None:
    system = InformationSystemFactory(status="building")
    stale = InformationSystem.objects.get(pk=system.pk)
    life.apply(system, "start", actor=provider, at=at)
    with pytest.raises(IllegalMove) as refusal:
        life.apply(stale, "start", actor=provider, at=at)
    assert "运行" in str(refusal.value)
    assert system.history.count() == InformationSystem.objects.get(pk=system.pk).revision


def test_a_stale_page_is_refused(life: Lifecycle, provider: Any, at: datetime) -> None:
    system = InformationSystemFactory(status="building")
    with pytest.raises(StaleRevision):
        life.apply(system, "start", actor=provider, at=at, revision=system.revision + 1)
    system.refresh_from_db()
    assert system.status == "building"


def test_a_move_that_needs_a_reason_gets_one(life: Lifecycle, provider: Any, at: datetime) -> None:
    system = InformationSystemFactory(status="running")
    with pytest.raises(InvalidInput):
        life.apply(system, "retire", actor=provider, at=at, reason="  ")
    life.apply(system, "retire", actor=provider, at=at, reason="已由新系统替代")
    assert (
        system.history.order_by("-history_id").first().history_change_reason
        == "停用：已由新系统替代"
    )


def test_many_move_at_once_and_the_others_stay(
    life: Lifecycle, provider: Any, at: datetime, django_assert_num_queries: Any
) -> None:
    for _number in range(4):
        InformationSystemFactory(status="building")
    running = InformationSystemFactory(status="running")
    before = running.revision
    rows = InformationSystem.objects.all()
    with django_assert_num_queries(6):  # a savepoint, lock, change, read, history, release
        moved = life.apply_all(rows, "start", actor=provider, at=at, contact_name="周工")
    assert len(moved) == 4
    assert {(row.status, row.revision, row.contact_name) for row in moved} == {
        ("running", 2, "周工")
    }
    assert all(row.history.latest("history_id").history_user == provider for row in moved)
    running.refresh_from_db()
    assert running.revision == before
    assert life.apply_all(rows, "start", actor=provider, at=at) == []
    with pytest.raises(InvalidInput):
        life.apply_all(rows, "retire", actor=provider, at=at)


def test_it_refuses_a_table_that_names_no_status() -> None:
    with pytest.raises(ValueError, match="unknown status"):
        Lifecycle(
            "x.Y",
            states=InformationSystem.Status,
            moves=[Move("fly", "飞", ("building",), "sky")],
        )


def test_it_draws_itself(life: Lifecycle) -> None:
    assert "building --> running : 启用" in life.diagram()
    assert life.is_open("running")
    assert not life.is_open("retired")
