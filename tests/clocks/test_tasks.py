"""What the worker does for clocks may be repeated."""

from datetime import date, datetime
from typing import Any

import pytest

from apps.clocks import operations as clocks
from apps.clocks import tasks
from apps.clocks.models import CalendarDay
from tests.factories.clocks import install_policies

pytestmark = pytest.mark.django_db


def test_it_moves_what_the_calendar_moved(provider_department: Any) -> None:
    install_policies()
    clock = clocks.start(
        provider_department,
        "request.conditional",
        department=provider_department,
        at=datetime.fromisoformat("2026-12-30T09:00+08:00"),
    )
    CalendarDay.objects.create(day=date(2027, 1, 1), is_workday=False, note="元旦")
    for _time in range(2):
        tasks.recompute()
        clock.refresh_from_db()
        assert clock.due_on == date(2027, 1, 14)
