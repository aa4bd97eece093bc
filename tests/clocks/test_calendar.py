"""The calendar against the schedules as published, and against our own entries over them."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from apps.clocks.calendar import Override, WorkCalendar

SCHEDULES = Path(__file__).resolve().parents[3] / "shared" / "data" / "holidays"
CALENDAR = WorkCalendar()


def _year(year: int) -> Iterator[date]:
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(days=1)


@pytest.mark.parametrize("year", range(2019, 2027))
def test_it_agrees_with_the_published_schedule_on_every_day(year: int) -> None:
    path = SCHEDULES / f"{year}.json"
    if not path.exists():
        pytest.skip("the published schedules lie beside the repository only where it is built")
    published = {
        date.fromisoformat(row["date"]): not row["isOffDay"]
        for row in json.loads(path.read_text())["days"]
    }
    expected = {day: published.get(day, day.weekday() < 5) for day in _year(year)}
    assert {day: CALENDAR.is_workday(day) for day in _year(year)} == expected


@pytest.mark.parametrize(
    ("day", "kind", "note"),
    [
        (date(2026, 10, 1), "holiday", "国庆节"),
        (date(2026, 10, 8), "workday", ""),
        (date(2026, 10, 10), "make_up", "国庆节"),  # a Saturday
        (date(2026, 9, 20), "make_up", "国庆节"),  # a Sunday
        (date(2026, 2, 14), "make_up", "春节"),
        (date(2026, 2, 17), "holiday", "春节"),
        (date(2026, 11, 21), "weekend", ""),
        (date(2026, 11, 23), "workday", ""),
    ],
)
def test_it_names_what_kind_of_day_it_is(day: date, kind: str, note: str) -> None:
    known = CALENDAR.look_up(day)
    assert (known.kind, str(known.note), known.provisional) == (kind, note, False)


def test_it_has_only_weekends_for_a_year_that_is_not_published() -> None:
    new_year = CALENDAR.look_up(date(2027, 1, 1))
    assert (new_year.kind, new_year.provisional) == ("workday", True)
    assert CALENDAR.look_up(date(2027, 1, 2)).kind == "weekend"


def test_it_takes_an_entered_day_over_the_schedule() -> None:
    flood = date(2026, 11, 23)
    calendar = WorkCalendar({flood: Override(is_workday=False, note="防汛停工")})
    assert calendar.look_up(flood).note == "防汛停工"
    assert calendar.next_workday(date(2026, 11, 20)) == date(2026, 11, 24)
    assert CALENDAR.next_workday(date(2026, 11, 20)) == flood


def test_it_trusts_a_year_that_was_entered() -> None:
    calendar = WorkCalendar({}, frozenset({2027}))
    assert not calendar.look_up(date(2027, 1, 4)).provisional


@pytest.mark.parametrize(
    ("start", "count", "expected"),
    [
        (date(2026, 11, 20), 0, date(2026, 11, 20)),
        (date(2026, 11, 20), 1, date(2026, 11, 23)),
        (date(2026, 9, 30), 1, date(2026, 10, 8)),
        (date(2026, 9, 30), 3, date(2026, 10, 10)),  # the make-up Saturday counts
        (date(2026, 9, 30), 4, date(2026, 10, 12)),
        (date(2026, 2, 13), 1, date(2026, 2, 14)),  # Saturday before Spring Festival
        (date(2026, 2, 14), 1, date(2026, 2, 24)),
        (date(2026, 12, 31), 1, date(2027, 1, 1)),  # provisional: nobody said it is a holiday
    ],
)
def test_it_adds_working_days(start: date, count: int, expected: date) -> None:
    assert CALENDAR.add_workdays(start, count) == expected
