"""Due dates by hand-checked examples, and what must hold for all of them."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.clocks.calendar import Override, WorkCalendar
from apps.clocks.derivation import Derivation, Leg, Pause, Terms, Unit, add_months, derive

ZONE = ZoneInfo("Asia/Shanghai")
CLOSING = time(17, 30)
CALENDAR = WorkCalendar()


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def due(start: str, *legs: Leg, pauses: tuple[Pause, ...] = ()) -> Derivation:
    return derive(Terms(local(start), legs, CLOSING, pauses), CALENDAR)


def workdays(length: int) -> Leg:
    return Leg(length, Unit.WORKDAY)


@pytest.mark.parametrize(
    ("start", "length", "received_on", "due_on", "provisional"),
    [
        # An ordinary week: Wednesday is day 0.
        ("2026-11-18 10:00", 1, "2026-11-18", "2026-11-19", False),
        ("2026-11-18 10:00", 10, "2026-11-18", "2026-12-02", False),
        # At closing time it still counts, a minute later it does not.
        ("2026-11-18 17:30", 1, "2026-11-18", "2026-11-19", False),
        ("2026-11-18 17:31", 1, "2026-11-19", "2026-11-20", False),
        # Friday evening and Saturday are received on Monday.
        ("2026-11-20 18:00", 1, "2026-11-23", "2026-11-24", False),
        ("2026-11-21 09:00", 1, "2026-11-23", "2026-11-24", False),
        # National Day 2026: off 1–7 October, Saturday 10 October is worked.
        ("2026-09-30 09:00", 1, "2026-09-30", "2026-10-08", False),
        ("2026-09-30 09:00", 10, "2026-09-30", "2026-10-20", False),
        ("2026-10-03 09:00", 1, "2026-10-08", "2026-10-09", False),
        # Received on a make-up Saturday.
        ("2026-10-10 09:00", 2, "2026-10-10", "2026-10-13", False),
        # Spring Festival 2026: Saturday 14 February worked, off 15–23, Saturday 28 worked.
        ("2026-02-13 09:00", 2, "2026-02-13", "2026-02-24", False),
        ("2026-02-13 09:00", 10, "2026-02-13", "2026-03-05", False),
        # Over New Year into a year whose schedule is not published.
        ("2026-12-30 09:00", 1, "2026-12-30", "2026-12-31", False),
        ("2026-12-30 09:00", 10, "2026-12-30", "2027-01-13", True),
    ],
)
def test_it_derives_working_days(
    start: str, length: int, received_on: str, due_on: str, provisional: bool
) -> None:
    derived = due(start, workdays(length))
    assert derived.received_on == date.fromisoformat(received_on)
    assert derived.due_on == date.fromisoformat(due_on)
    assert derived.provisional is provisional
    assert derived.counted == length
    assert derived.due_at == local(due_on) + timedelta(days=1)


def test_it_does_not_count_days_on_which_it_was_paused() -> None:
    # Received Monday 2nd; asked for papers on Wednesday 4th, they came on Tuesday 10th.
    pause = Pause(local("2026-11-04 11:00"), local("2026-11-10 15:00"), "补充材料")
    derived = due("2026-11-02 09:00", workdays(10), pauses=(pause,))
    # Counted: 3rd, then from the 11th on: 11 12 13 16 17 18 19 20 23.
    assert derived.due_on == date(2026, 11, 23)
    why = {step.day.day.day: step.why for step in derived.steps}
    assert (why[4], why[9], why[10], why[11]) == ("paused", "paused", "resumed", "counted")


def test_it_counts_papers_that_come_after_closing_from_the_next_working_day() -> None:
    pause = Pause(local("2026-11-04 11:00"), local("2026-11-06 18:00"))
    # Friday evening: received on Monday 9th, so Tuesday 10th is the next counted day.
    assert due("2026-11-02 09:00", workdays(2), pauses=(pause,)).due_on == date(2026, 11, 10)


def test_it_takes_an_open_pause_for_the_day_it_began() -> None:
    pause = Pause(local("2026-11-04 11:00"), None)
    assert due("2026-11-02 09:00", workdays(3), pauses=(pause,)).due_on == date(2026, 11, 6)


@pytest.mark.parametrize(
    ("start", "leg", "due_on"),
    [
        ("2026-11-21 20:00", Leg(30, Unit.DAY), "2026-12-21"),
        ("2026-08-31 09:00", Leg(6, Unit.MONTH), "2027-02-28"),
        ("2024-02-29 09:00", Leg(1, Unit.YEAR), "2025-02-28"),
        ("2025-08-01 09:00", Leg(3, Unit.YEAR), "2028-08-01"),
    ],
)
def test_it_counts_calendar_days_months_and_years(start: str, leg: Leg, due_on: str) -> None:
    derived = due(start, leg)
    assert derived.due_on == date.fromisoformat(due_on)
    assert not derived.provisional


def test_it_counts_hours_through_the_night() -> None:
    derived = due("2026-11-20 22:15", Leg(4, Unit.HOUR))
    assert derived.due_at == local("2026-11-21 02:15")
    assert derived.due_on == date(2026, 11, 21)


def test_it_moves_hours_by_the_length_of_a_pause() -> None:
    pause = Pause(local("2026-11-20 23:00"), local("2026-11-21 00:30"))
    derived = due("2026-11-20 22:15", Leg(4, Unit.HOUR), pauses=(pause,))
    assert derived.due_at == local("2026-11-21 03:45")


@pytest.mark.parametrize(
    ("start", "fixed", "due_on"),
    [
        ("2025-12-31 10:00", (1, 31), "2026-01-31"),
        ("2026-01-31 10:00", (1, 31), "2027-01-31"),
        ("2025-12-31 10:00", (2, 29), "2026-02-28"),
        ("2027-12-31 10:00", (2, 29), "2028-02-29"),
    ],
)
def test_it_falls_due_on_a_day_of_the_year(start: str, fixed: tuple[int, int], due_on: str) -> None:
    derived = derive(Terms(local(start), (), CLOSING, fixed=fixed), CALENDAR)
    assert derived.due_on == date.fromisoformat(due_on)


def test_it_changes_when_a_day_of_the_calendar_changes() -> None:
    terms = Terms(local("2026-11-18 10:00"), (workdays(10),), CLOSING)
    flood = {date(2026, 11, 23): Override(is_workday=False, note="防汛停工")}
    assert derive(terms, CALENDAR).due_on == date(2026, 12, 2)
    assert derive(terms, WorkCalendar(flood)).due_on == date(2026, 12, 3)


def test_it_adds_months_within_the_month() -> None:
    assert add_months(date(2026, 10, 31), 1) == date(2026, 11, 30)
    assert add_months(date(2026, 12, 15), 2) == date(2027, 2, 15)


starts = st.datetimes(datetime(2019, 1, 1), datetime(2026, 11, 30)).map(  # noqa: DTZ001 (hypothesis wants plain bounds)
    lambda moment: moment.replace(tzinfo=ZONE)
)
lengths = st.integers(1, 40)


@given(starts, lengths)
def test_it_counts_exactly_as_many_days_as_the_length(start: datetime, length: int) -> None:
    derived = derive(Terms(start, (workdays(length),), CLOSING), CALENDAR)
    assert derived.counted == length
    assert all(step.day.is_workday for step in derived.steps if step.counted)
    assert derived.steps[-1].counted
    days = [step.day.day for step in derived.steps]
    assert days == [days[0] + timedelta(days=n) for n in range(len(days))]
    assert CALENDAR.count_workdays(derived.received_on, derived.due_on) == length


@given(starts, lengths, st.integers(1, 20))
def test_it_only_moves_later_when_extended(start: datetime, length: int, more: int) -> None:
    base = derive(Terms(start, (workdays(length),), CLOSING), CALENDAR)
    extended = derive(Terms(start, (workdays(length), workdays(more)), CLOSING), CALENDAR)
    assert extended.due_on == CALENDAR.add_workdays(base.due_on, more)
    assert extended.due_on > base.due_on
    assert extended == derive(Terms(start, (workdays(length), workdays(more)), CLOSING), CALENDAR)


@given(starts, lengths, st.integers(0, 15), st.integers(0, 15))
def test_it_never_gets_earlier_by_a_pause(
    start: datetime, length: int, after: int, lasting: int
) -> None:
    since = start + timedelta(days=after)
    pause = Pause(since, since + timedelta(days=lasting))
    plain = derive(Terms(start, (workdays(length),), CLOSING), CALENDAR)
    paused = derive(Terms(start, (workdays(length),), CLOSING, (pause,)), CALENDAR)
    assert paused.due_on >= plain.due_on
    assert paused.counted == length


@given(starts, starts, lengths)
def test_it_falls_due_no_earlier_for_what_is_received_later(
    one: datetime, other: datetime, length: int
) -> None:
    early, late = sorted([one, other])
    first = derive(Terms(early, (workdays(length),), CLOSING), CALENDAR)
    second = derive(Terms(late, (workdays(length),), CLOSING), CALENDAR)
    assert first.due_on <= second.due_on
