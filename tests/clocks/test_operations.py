"""Clocks on a subject: start, rest, extend, stop; and what a changed calendar does to them."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from apps.clocks import operations as clocks
from apps.clocks import queries
from apps.clocks.models import CalendarDay, Clock, ClockPolicy
from apps.core.errors import Conflict, IllegalMove, InvalidInput, NotAllowed, NotFound
from apps.ledger.models import Event
from tests.factories.accounts import DepartmentFactory
from tests.factories.clocks import install_policies

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("Asia/Shanghai")
CONDITIONAL = "request.conditional"


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.fixture(autouse=True)
def _policies(db: None) -> None:
    install_policies()


@pytest.fixture
def subject(provider_department: Any) -> Any:
    """Anything with a key can have clocks; a department will do."""
    return provider_department


def started(subject: Any, text: str = "2026-11-18 10:00", code: str = CONDITIONAL) -> Clock:
    return clocks.start(subject, code, department=subject, at=local(text))


def test_it_starts_with_the_due_date_of_the_policy(subject: Any) -> None:
    clock = started(subject)
    assert clock.received_on == date(2026, 11, 18)
    assert clock.due_on == date(2026, 12, 2)
    assert clock.due_at == local("2026-12-03 00:00")
    assert (clock.state, clock.provisional, clock.is_reference) == ("running", False, False)
    assert list(queries.running(subject)) == [clock]


def test_it_runs_once_per_code(subject: Any) -> None:
    started(subject)
    with pytest.raises(Conflict):
        started(subject)
    started(subject, code="request.deliver")
    assert queries.running(subject).count() == 2


def test_it_runs_once_per_code_by_the_database_too(subject: Any) -> None:
    clock = started(subject)
    clock.pk = None
    with pytest.raises(IntegrityError, match="clocks_clock_one_live"), transaction.atomic():
        clock.save(force_insert=True)


def test_it_is_a_reference_for_departments_the_regulation_does_not_bind(subject: Any) -> None:
    court = DepartmentFactory(is_bound=False)
    assert clocks.start(
        court, CONDITIONAL, department=court, at=local("2026-11-18 10:00")
    ).is_reference
    assert started(subject, code="demand.reply").is_reference


def test_it_takes_the_policy_of_the_day(subject: Any) -> None:
    old = ClockPolicy.objects.get(code=CONDITIONAL)
    ClockPolicy.objects.filter(pk=old.pk).update(valid_to=date(2026, 12, 1))
    ClockPolicy.objects.create(
        code=CONDITIONAL,
        name="新规则",
        length=5,
        unit="workday",
        starts="收到共享申请",
        owed_by="provider",
        source="假设的修订",
        valid_from=date(2026, 12, 1),
    )
    assert started(subject).policy == old
    clocks.cancel(subject, at=local("2026-11-19 10:00"))
    assert started(subject, "2026-12-01 09:00").due_on == date(2026, 12, 8)
    with pytest.raises(NotFound):
        started(subject, "2025-07-31 09:00")


def test_it_needs_a_length_where_the_authority_sets_it(subject: Any) -> None:
    with pytest.raises(InvalidInput):
        started(subject, code="request.urgent")
    clock = clocks.start(
        subject, "request.urgent", department=subject, at=local("2026-11-18 22:00"), length=6
    )
    assert clock.due_at == local("2026-11-19 04:00")


def test_it_rests_while_papers_are_supplemented(subject: Any) -> None:
    started(subject, "2026-11-02 09:00")
    paused = clocks.pause(subject, CONDITIONAL, at=local("2026-11-04 11:00"), reason="补充材料")
    assert paused.state == "paused"
    standing = queries.remaining(paused, local("2026-11-20 10:00"))
    assert (standing.left, standing.over) == (9, 0)
    with pytest.raises(IllegalMove):
        clocks.pause(subject, CONDITIONAL, at=local("2026-11-05 11:00"), reason="再次")
    resumed = clocks.resume(subject, CONDITIONAL, at=local("2026-11-10 15:00"))
    assert (resumed.state, resumed.due_on) == ("running", date(2026, 11, 23))
    with pytest.raises(IllegalMove):
        clocks.resume(subject, CONDITIONAL, at=local("2026-11-10 16:00"))


def test_it_is_extended_once_and_within_the_limit(subject: Any, authority: Any) -> None:
    started(subject)
    extend = {"actor": authority, "at": local("2026-11-25 10:00"), "reason": "需核实数据"}
    with pytest.raises(InvalidInput):
        clocks.extend(subject, CONDITIONAL, length=11, **extend)
    with pytest.raises(InvalidInput):
        clocks.extend(subject, CONDITIONAL, length=0, **extend)
    assert clocks.extend(subject, CONDITIONAL, length=10, **extend).due_on == date(2026, 12, 16)
    with pytest.raises(Conflict) as again:
        clocks.extend(subject, CONDITIONAL, length=1, **extend)
    assert again.value.code == "already_extended"
    lines = queries.explain(queries.running(subject).get())
    assert sum(line.counted for line in lines) == 20
    assert sum(line.counted and line.is_extension for line in lines) == 10


def test_it_is_not_extended_where_the_policy_does_not_allow_it(
    subject: Any, authority: Any
) -> None:
    started(subject, code="request.deliver")
    with pytest.raises(InvalidInput):
        clocks.extend(
            subject,
            "request.deliver",
            length=1,
            actor=authority,
            at=local("2026-11-25 10:00"),
            reason="来不及",
        )


@pytest.mark.parametrize(
    ("stopped", "met"),
    [("2026-12-02 23:59", True), ("2026-12-03 00:00", False), ("2026-11-18 10:00", True)],
)
def test_it_notes_whether_it_was_met(subject: Any, stopped: str, met: bool) -> None:
    started(subject)
    clock = clocks.stop(subject, CONDITIONAL, at=local(stopped))
    assert (clock.state, clock.met) == ("stopped", met)
    assert not queries.running(subject).exists()
    with pytest.raises(NotFound):
        clocks.stop(subject, CONDITIONAL, at=local(stopped))


def test_it_ends_its_pause_when_it_is_stopped(subject: Any) -> None:
    started(subject, "2026-11-02 09:00")
    clocks.pause(subject, CONDITIONAL, at=local("2026-11-04 11:00"), reason="补充材料")
    clock = clocks.stop(subject, CONDITIONAL, at=local("2026-11-20 10:00"))
    assert clock.met
    assert clock.pauses.get().until == local("2026-11-20 10:00")


def test_it_is_cancelled_without_complaint(subject: Any) -> None:
    started(subject)
    started(subject, code="request.deliver")
    assert clocks.cancel(subject, CONDITIONAL, at=local("2026-11-19 10:00")) == 1
    assert clocks.cancel(subject, at=local("2026-11-19 10:00")) == 1
    assert clocks.cancel(subject, at=local("2026-11-19 10:00")) == 0


def test_it_moves_when_a_day_of_the_calendar_is_entered(subject: Any, authority: Any) -> None:
    clock = started(subject)
    day = clocks.set_day(
        day=date(2026, 11, 23),
        is_workday=False,
        note="防汛停工",
        actor=authority,
        at=local("2026-11-20 10:00"),
    )
    clock.refresh_from_db()
    assert clock.due_on == date(2026, 12, 3)
    why = {line.day: line.why for line in queries.explain(clock)}
    assert why[date(2026, 11, 23)] == "防汛停工"
    event = Event.objects.get(verb="clocks.set_day")
    assert (event.actor_id, event.details["moved"]) == (authority.pk, 1)
    clocks.clear_day(calendarday=day, actor=authority, at=local("2026-11-20 11:00"))
    clock.refresh_from_db()
    assert clock.due_on == date(2026, 12, 2)


def test_it_leaves_ended_clocks_alone_when_the_calendar_changes(
    subject: Any, authority: Any
) -> None:
    started(subject)
    clock = clocks.stop(subject, CONDITIONAL, at=local("2026-12-02 10:00"))
    clocks.set_day(
        day=date(2026, 11, 23),
        is_workday=False,
        note="防汛停工",
        actor=authority,
        at=local("2026-12-04 10:00"),
    )
    clock.refresh_from_db()
    assert clock.due_on == date(2026, 12, 2)


def test_it_is_provisional_until_the_schedule_arrives(subject: Any, authority: Any) -> None:
    clock = started(subject, "2026-12-30 09:00")
    assert (clock.due_on, clock.provisional) == (date(2027, 1, 13), True)
    assert clocks.recompute_due() == 0
    moved = clocks.publish_year(
        year=2027,
        days=[
            (date(2027, 1, 1), False, "元旦"),
            (date(2027, 1, 2), False, "元旦"),
            (date(2027, 1, 3), False, "元旦"),
            (date(2027, 1, 9), True, "元旦"),
        ],
        source="国办发明电〔2026〕1号",
        actor=authority,
        at=local("2026-12-31 10:00"),
    )
    clock.refresh_from_db()
    # The holiday takes the 1st away and the make-up Saturday gives the 9th.
    assert (moved, clock.due_on, clock.provisional) == (0, date(2027, 1, 13), False)
    why = {line.day: line.why for line in queries.explain(clock)}
    assert why[date(2027, 1, 1)] == "元旦"
    assert why[date(2027, 1, 9)] == "调休上班（元旦）"


def test_it_recomputes_what_was_provisional(subject: Any) -> None:
    clock = started(subject, "2026-12-30 09:00")
    CalendarDay.objects.create(day=date(2027, 1, 1), is_workday=False, note="元旦")
    assert clocks.recompute_due(2027) == 1
    clock.refresh_from_db()
    assert (clock.due_on, clock.provisional) == (date(2027, 1, 14), True)
    assert clocks.recompute_due(2028) == 0


def test_a_refused_change_of_the_calendar_changes_nothing(subject: Any, provider: Any) -> None:
    clock = started(subject)
    with pytest.raises(NotAllowed):
        clocks.set_day(
            day=date(2026, 11, 23),
            is_workday=False,
            note="自行放假",
            actor=provider,
            at=local("2026-11-20 10:00"),
        )
    clock.refresh_from_db()
    assert clock.due_on == date(2026, 12, 2)
    assert not CalendarDay.objects.exists()
    assert not Event.objects.filter(verb="clocks.set_day", outcome="done").exists()


def test_a_policy_in_use_keeps_its_length(subject: Any, authority: Any) -> None:
    policy = started(subject).policy
    policy.length = 5
    with pytest.raises(Conflict):
        clocks.change_policy(clockpolicy=policy, actor=authority, at=local("2026-11-20 10:00"))
    policy.refresh_from_db()
    policy.valid_to = date(2027, 1, 1)
    clocks.change_policy(clockpolicy=policy, actor=authority, at=local("2026-11-20 10:00"))
    assert policy.history.count() == 1
