"""Which days are working days, and why.

Pure: the published schedules come from the package `chinesecalendar`; what the city's authority
entered over them comes in as arguments. A year that neither knows has weekends only and is
provisional: its make-up Saturdays and holidays are announced late in the year before.

Source: 《全国年节及纪念日放假办法》; the State Council's yearly schedule of days off
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from chinese_calendar.constants import Holiday, holidays, workdays
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SATURDAY = 5
HOLIDAY_NAMES: dict[str, str | Promise] = {
    Holiday.new_years_day.value: _("元旦"),
    Holiday.spring_festival.value: _("春节"),
    Holiday.tomb_sweeping_day.value: _("清明节"),
    Holiday.labour_day.value: _("劳动节"),
    Holiday.dragon_boat_festival.value: _("端午节"),
    Holiday.national_day.value: _("国庆节"),
    Holiday.mid_autumn_festival.value: _("中秋节"),
    Holiday.anti_fascist_70th_day.value: _("抗战胜利纪念日"),
}
_FIRST_YEAR = min(holidays).year
_LAST_YEAR = max(holidays).year


class DayKind(StrEnum):
    WORKDAY = "workday"
    MAKE_UP = "make_up"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"


@dataclass(frozen=True)
class Day:
    """One day of the calendar: what kind of day it is, and its name where it has one."""

    day: date
    kind: DayKind
    note: str | Promise = ""
    provisional: bool = False

    @property
    def is_workday(self) -> bool:
        return self.kind in {DayKind.WORKDAY, DayKind.MAKE_UP}


@dataclass(frozen=True)
class Override:
    """What the authority entered for a day; it stands above the published schedule."""

    is_workday: bool
    note: str


@dataclass(frozen=True)
class WorkCalendar:
    """The working days as known now. Make a new one when an entry changes; it never looks again."""

    overrides: Mapping[date, Override] = field(default_factory=dict)
    published_years: frozenset[int] = frozenset()

    def look_up(self, day: date) -> Day:
        """Say what kind of day this is."""
        provisional = not self.knows(day.year)
        override = self.overrides.get(day)
        if override is not None:
            kind = DayKind.MAKE_UP if override.is_workday else DayKind.HOLIDAY
            return Day(day, kind, override.note, provisional)
        if day in workdays:
            name = HOLIDAY_NAMES.get(workdays[day], workdays[day])
            return Day(day, DayKind.MAKE_UP, name)
        if day in holidays:
            name = HOLIDAY_NAMES.get(holidays[day], holidays[day])
            return Day(day, DayKind.HOLIDAY, name)
        if day.weekday() >= SATURDAY:
            return Day(day, DayKind.WEEKEND, provisional=provisional)
        return Day(day, DayKind.WORKDAY, provisional=provisional)

    def is_workday(self, day: date) -> bool:
        return self.look_up(day).is_workday

    def knows(self, year: int) -> bool:
        """Say whether the schedule of this year has been published, or entered here."""
        return _FIRST_YEAR <= year <= _LAST_YEAR or year in self.published_years

    def next_workday(self, day: date) -> date:
        """Return the first working day after `day`."""
        following = day + timedelta(days=1)
        while not self.is_workday(following):
            following += timedelta(days=1)
        return following

    def add_workdays(self, day: date, count: int) -> date:
        """Return the working day that is the `count`-th after `day`; `day` itself is day 0."""
        for _step in range(count):
            day = self.next_workday(day)
        return day

    def count_workdays(self, after: date, until: date) -> int:
        """Count the working days in (after, until]; none when `until` does not lie later."""
        return sum(map(self.is_workday, days_between(after, until)))


def days_between(after: date, until: date) -> Iterable[date]:
    """Yield every day in (after, until]."""
    for offset in range(1, (until - after).days + 1):
        yield after + timedelta(days=offset)
