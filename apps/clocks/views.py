"""Why a due date is what it is: the derivation of one clock, day by day."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from apps.clocks import queries
from apps.clocks.models import Clock
from apps.core import access

MOST_LINES = 120


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
