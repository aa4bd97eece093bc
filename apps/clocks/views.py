"""Why a due date is what it is: the derivation of one clock, and the calendar it goes by."""

from datetime import date
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from apps.clocks import queries
from apps.clocks.models import Clock
from apps.core import access
from apps.core.chips import Chip

MOST_LINES: Final = 120
EARLIEST_YEAR: Final = 2020


@login_required
def clock(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the kept inputs of a clock and every day that was counted, or not, and why."""
    user: Any = request.user
    at = timezone.now()
    found = get_object_or_404(queries.with_inputs(access.rows(user, "view", Clock)), pk=pk)
    calendar = queries.work_calendar()
    lines = queries.explain(found, calendar, at=at)
    context = {
        "clock": found,
        "subject": found.subject,
        "policy": found.policy,
        "length": found.length or found.policy.length,
        "extension": getattr(found, "extension", None),
        "remaining": queries.remaining(found, at, calendar),
        "lines": lines[:MOST_LINES],
        "lines_left": max(len(lines) - MOST_LINES, 0),
        "counted": sum(line.counted for line in lines),
        "today": timezone.localdate(at),
    }
    return render(request, "clocks/clock.html", context)


@login_required
def calendar(request: HttpRequest) -> HttpResponse:
    """Show a year's days off and the working days that make up for them, as the clocks count."""
    today = timezone.localdate()
    years = range(EARLIEST_YEAR, today.year + 2)
    asked = request.GET.get("year", "")
    year = int(asked) if asked.isdecimal() and int(asked) in years else today.year
    known = queries.work_calendar()
    context = {
        "year": year,
        "year_chips": [Chip(str(each), str(each), None, each == year) for each in reversed(years)],
        "schedule": queries.schedule_of(year, known),
        "is_published": known.knows(year),
        "workdays": known.count_workdays(date(year - 1, 12, 31), date(year, 12, 31)),
    }
    return render(request, "clocks/calendar.html", context)
