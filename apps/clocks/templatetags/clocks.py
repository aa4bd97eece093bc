"""{% clock c %}: one clock as every page shows it, leading to its derivation."""

from typing import Any

from django import template
from django.urls import reverse
from django.utils import timezone

from apps.clocks import queries
from apps.clocks.calendar import WorkCalendar
from apps.clocks.models import Clock

register = template.Library()


@register.inclusion_tag("includes/clock.html", takes_context=True)
def clock(context: template.Context, clock: Clock | None) -> dict[str, Any]:
    """Draw the clock; load it by `queries.with_inputs` when there are several on the page."""
    if clock is None:
        return {"remaining": None}
    at = context.get("at") or timezone.now()
    return {
        "clock": clock,
        "remaining": queries.remaining(clock, at, _calendar(context)),
        "url": reverse("clocks:clock", args=[clock.pk]),
    }


def _calendar(context: template.Context) -> WorkCalendar:
    """Load the calendar once for a page, however many clocks it shows."""
    request = context.get("request")
    if request is None:
        return queries.work_calendar()
    if not hasattr(request, "work_calendar"):
        request.work_calendar = queries.work_calendar()
    calendar: WorkCalendar = request.work_calendar
    return calendar
