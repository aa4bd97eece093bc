"""From the kept inputs of a clock to its due date, day by day.

Pure: start, terms, pauses and calendar come in, the steps and the due date go out. Nothing is
remembered, so the same inputs always give the same answer and a changed calendar another one.

The rules. The day of receipt is day 0; what arrives after closing time or on a day off counts as
received on the next working day. A day on which the clock was paused at any time is not counted,
and the day on which a pause ends is again a day of receipt. Hours run from the instant itself.

Source: 《政务数据共享条例》第二十一条; house rule (domain §2) for receipt and pauses
"""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from apps.clocks.calendar import Day, WorkCalendar, days_between

ZONE = ZoneInfo("Asia/Shanghai")
MONTHS_OF = {"month": 1, "year": 12}


class Unit(StrEnum):
    WORKDAY = "workday"
    DAY = "day"
    HOUR = "hour"
    MONTH = "month"
    YEAR = "year"
    FIXED_DAY = "fixed_day"


@dataclass(frozen=True)
class Pause:
    """A span without running; `until` is empty while it lasts."""

    since: datetime
    until: datetime | None
    reason: str = ""


@dataclass(frozen=True)
class Leg:
    """A stretch of the clock: its own length, or what an extension adds."""

    length: int
    unit: Unit


@dataclass(frozen=True)
class Terms:
    """All that a due date is derived from, but the calendar.

    `fixed` is (month, day) of what falls due on a day of the year; then there are no legs.
    """

    started_at: datetime
    legs: tuple[Leg, ...]
    closing: time
    pauses: tuple[Pause, ...] = ()
    fixed: tuple[int, int] | None = None

    @property
    def in_hours(self) -> bool:
        return any(leg.unit is Unit.HOUR for leg in self.legs)

    @property
    def counts_workdays(self) -> bool:
        return any(leg.unit is Unit.WORKDAY for leg in self.legs)


@dataclass(frozen=True)
class Step:
    """One day of the derivation. `number` is the place of a counted day in its leg."""

    day: Day
    why: "Why"
    number: int | None = None
    leg: int = 0
    reason: str = ""

    @property
    def counted(self) -> bool:
        return self.number is not None


@dataclass(frozen=True)
class Derivation:
    """Units: `due_at` is the first instant that is too late; `due_on` the last day in time."""

    received_on: date
    due_on: date
    due_at: datetime
    provisional: bool
    steps: tuple[Step, ...]

    @property
    def counted(self) -> int:
        return sum(step.counted for step in self.steps)


class Why(StrEnum):
    """Why a day counts or does not; the words stand in `queries`."""

    RECEIPT = "receipt"
    LATE = "late"
    COUNTED = "counted"
    MAKE_UP = "make_up"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    PAUSED = "paused"
    RESUMED = "resumed"


def receipt_day(at: datetime, closing: time, calendar: WorkCalendar) -> date:
    """Return the working day on which something counts as received.

    Source: house rule (domain §2)
    """
    local = at.astimezone(ZONE)
    day = local.date()
    if calendar.is_workday(day) and local.time() <= closing:
        return day
    return calendar.next_workday(day)


def derive(terms: Terms, calendar: WorkCalendar) -> Derivation:
    """Derive the due date with every day on the way.

    An open pause is taken to end on the day it began: the least it can be.
    """
    if terms.in_hours:
        return _derive_hours(terms)
    start = terms.started_at.astimezone(ZONE).date()
    if terms.counts_workdays:
        received_on = receipt_day(terms.started_at, terms.closing, calendar)
    else:
        received_on = start
    steps = [_receipt_step(calendar, day, received_on) for day in _inclusive(start, received_on)]
    paused = _paused_days(terms, calendar)
    due_on = received_on
    if terms.fixed is not None:
        due_on = _next_fixed(received_on, *terms.fixed)
        steps += _plain_days(received_on, due_on, calendar, {}, leg=0)
    for index, leg in enumerate(terms.legs):
        stretch = _stretch(due_on, leg, calendar, paused, index)
        steps += stretch
        due_on = stretch[-1].day.day if stretch else due_on
    provisional = terms.counts_workdays and any(step.day.provisional for step in steps)
    return Derivation(received_on, due_on, _midnight_after(due_on), provisional, tuple(steps))


def _derive_hours(terms: Terms) -> Derivation:
    """Hours run through nights and days off; a pause moves the end by its own length."""
    hours = sum(leg.length for leg in terms.legs)
    due_at = terms.started_at + timedelta(hours=hours)
    for pause in sorted(terms.pauses, key=lambda pause: pause.since):
        if pause.until is not None and pause.since < due_at:
            due_at += pause.until - pause.since
    received_on = terms.started_at.astimezone(ZONE).date()
    due_on = due_at.astimezone(ZONE).date()
    steps = [Step(WorkCalendar().look_up(received_on), Why.RECEIPT)]
    return Derivation(received_on, due_on, due_at, provisional=False, steps=tuple(steps))


def _stretch(
    after: date, leg: Leg, calendar: WorkCalendar, paused: dict[date, Step], index: int
) -> list[Step]:
    if leg.unit is Unit.WORKDAY:
        return _workdays(after, leg.length, calendar, paused, index)
    if leg.unit is Unit.DAY:
        until = after + timedelta(days=leg.length)
    else:
        until = add_months(after, leg.length * MONTHS_OF[leg.unit.value])
    return _plain_days(after, until, calendar, paused, leg=index)


def _workdays(
    after: date, length: int, calendar: WorkCalendar, paused: dict[date, Step], leg: int
) -> list[Step]:
    steps: list[Step] = []
    number = 0
    day = after
    while number < length:
        day += timedelta(days=1)
        known = calendar.look_up(day)
        if day in paused:
            steps.append(paused[day])
        elif known.is_workday:
            number += 1
            why = Why.MAKE_UP if known.kind == "make_up" else Why.COUNTED
            steps.append(Step(known, why, number, leg))
        else:
            why = Why.WEEKEND if known.kind == "weekend" else Why.HOLIDAY
            steps.append(Step(known, why, leg=leg))
    return steps


def _plain_days(
    after: date, until: date, calendar: WorkCalendar, paused: dict[date, Step], *, leg: int
) -> list[Step]:
    """Count every day; each paused day moves the end by one."""
    length = (until - after).days
    steps: list[Step] = []
    number = 0
    day = after
    while number < length:
        day += timedelta(days=1)
        if day in paused:
            steps.append(paused[day])
        else:
            number += 1
            steps.append(Step(calendar.look_up(day), Why.COUNTED, number, leg))
    return steps


def _paused_days(terms: Terms, calendar: WorkCalendar) -> dict[date, Step]:
    paused: dict[date, Step] = {}
    for pause in terms.pauses:
        first = pause.since.astimezone(ZONE).date()
        last = first
        if pause.until is not None:
            last = receipt_day(pause.until, terms.closing, calendar)
        for day in _inclusive(first, last):
            ended = pause.until is not None and day == last and day != first
            why = Why.RESUMED if ended else Why.PAUSED
            paused.setdefault(day, Step(calendar.look_up(day), why, reason=pause.reason))
    return paused


def _receipt_step(calendar: WorkCalendar, day: date, received_on: date) -> Step:
    known = calendar.look_up(day)
    if day == received_on:
        return Step(known, Why.RECEIPT)
    if known.is_workday:
        return Step(known, Why.LATE)
    return Step(known, Why.WEEKEND if known.kind == "weekend" else Why.HOLIDAY)


def add_months(day: date, months: int) -> date:
    """Return the same day of a later month, or that month's last day where it has none."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def _next_fixed(after: date, month: int, day: int) -> date:
    for year in (after.year, after.year + 1):
        candidate = date(year, month, min(day, monthrange(year, month)[1]))
        if candidate > after:
            return candidate
    raise AssertionError("a day of the year lies within two years")  # pragma: no cover


def _midnight_after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=ZONE)


def _inclusive(first: date, last: date) -> Iterable[date]:
    return days_between(first - timedelta(days=1), last)
