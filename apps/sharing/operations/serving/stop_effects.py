"""What the platform does about planned stops when their time has come. Repeat-safe.

Calls are refused and answered again by the clock alone; here people are told, and it is noted.

Source: house rule (issue 5: planned stops)
"""

from datetime import datetime

from django.db import transaction

from apps.accounts import queries as accounts
from apps.ledger import operations as ledger
from apps.sharing.lifecycle import PLANNED_STOP
from apps.sharing.models import PlannedStop
from apps.sharing.operations.one_by_one import each_by_itself
from apps.sharing.operations.serving import stop_news
from apps.sharing.queries.planned_stops import (
    stops_to_begin,
    stops_to_finish,
    stops_to_remind_of,
)


def carry_out_stops(at: datetime) -> int:
    """Remind of those that are near, note those that begin and end; return how many moved."""
    each_by_itself(stops_to_remind_of(at), lambda stop: _remind(stop, at))
    begun, _problems = each_by_itself(stops_to_begin(at), lambda stop: _begin(stop, at))
    ended, _problems = each_by_itself(stops_to_finish(at), lambda stop: _finish(stop, at))
    return len(begun) + len(ended)


@transaction.atomic
def _remind(stop: PlannedStop, at: datetime) -> PlannedStop:
    near = PlannedStop.objects.filter(
        pk=stop.pk, status=PlannedStop.Status.ANNOUNCED, reminded_at=None
    )
    if near.update(reminded_at=at):
        stop_news.tell_near(stop, at=at)
    return stop


@transaction.atomic
def _begin(stop: PlannedStop, at: datetime) -> PlannedStop:
    PLANNED_STOP.apply(stop, "begin_stop", actor=accounts.platform_user(), at=at)
    _record("sharing.begin_stop", stop, at)
    return stop


@transaction.atomic
def _finish(stop: PlannedStop, at: datetime) -> PlannedStop:
    platform = accounts.platform_user()
    PLANNED_STOP.apply(
        stop, "finish_stop", actor=platform, at=at, ended_at=stop.ends_at, ended_by=platform
    )
    stop_news.tell_over(stop, at=at)
    _record("sharing.finish_stop", stop, at)
    return stop


def _record(verb: str, stop: PlannedStop, at: datetime) -> None:
    ledger.record(
        accounts.platform_user(),
        verb,
        stop,
        at=at,
        department=stop.provider,
        details={"what": stop.subject_words},
    )
