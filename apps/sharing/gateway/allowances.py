"""A grant's own quota: calls and rows a day, calls a minute, in one statement a call.

Room is taken before the read and what was not needed given back after it, so that calls at once
never get more than there is. A page is cut to the rows that are left; the caller goes on with its
cursor when there are some again. Days and minutes are those of the calendar, so that a caller can
reckon with them.

The statement is a transaction of its own and does not wait for the disk: nobody stands behind
another's flush, and a server that crashes forgets at most the last moment's calls. What was
delivered is told by the access records, which do wait. A grant without quota costs nothing.

Source: house rule (issue 5: quota exact to 1 %, no page slower for it)
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from apps.sharing.gateway.calls import Call, Quota, Reservation
from apps.sharing.gateway.refusals import (
    AllowanceExceeded,
    DailyCallsExceeded,
    DailyRowsExceeded,
    RateExceeded,
)
from apps.sharing.models import Grant

MINUTE: Final = timedelta(minutes=1)

# What counts of the row as it stands: nothing, once its day or minute lies behind. A call that was
# late at midnight counts for the day that has begun.
_CALLS: Final = "CASE WHEN q.day >= excluded.day THEN q.calls ELSE 0 END"
_ROWS: Final = "CASE WHEN q.day >= excluded.day THEN q.rows ELSE 0 END"
_IN_MINUTE: Final = "CASE WHEN q.minute >= excluded.minute THEN q.calls_in_minute ELSE 0 END"
_GIVEN: Final = f"GREATEST(0, LEAST(%(rows)s::bigint, %(rows_a_day)s::bigint - {_ROWS}))"
_QUIETLY: Final = "set_config('synchronous_commit', 'off', TRUE)"

_TAKE: Final = f"""
INSERT INTO sharing_quotause AS q
       (grant_id, day, calls, rows, minute, calls_in_minute, reserved_rows)
VALUES (%(grant)s, %(day)s, %(calls)s, LEAST(%(rows)s::bigint, %(rows_a_day)s::bigint),
        %(minute)s, %(calls)s, LEAST(%(rows)s::bigint, %(rows_a_day)s::bigint))
ON CONFLICT (grant_id) DO UPDATE SET
       day = GREATEST(q.day, excluded.day),
       minute = GREATEST(q.minute, excluded.minute),
       calls = {_CALLS} + %(calls)s,
       calls_in_minute = {_IN_MINUTE} + %(calls)s,
       reserved_rows = {_GIVEN},
       rows = {_ROWS} + {_GIVEN}
 WHERE (%(calls)s = 0 OR (
           ({_CALLS} < %(calls_a_day)s::bigint) IS NOT FALSE
       AND ({_IN_MINUTE} < %(calls_a_minute)s::bigint) IS NOT FALSE))
   AND (%(rows)s::bigint = 0 OR ({_ROWS} < %(rows_a_day)s::bigint) IS NOT FALSE)
RETURNING reserved_rows, {_QUIETLY}
"""  # noqa: S608 (pieces of our own; values are bound)

_GIVE_BACK: Final = f"""
UPDATE sharing_quotause
   SET rows = GREATEST(0, rows - %(rows)s), calls = GREATEST(0, calls - %(calls)s),
       calls_in_minute = GREATEST(0, calls_in_minute - CASE WHEN minute = %(minute)s
                                                            THEN %(calls)s ELSE 0 END)
 WHERE grant_id = %(grant)s AND day = %(day)s
RETURNING {_QUIETLY}
"""  # noqa: S608

_STANDING: Final = (
    "SELECT day, calls, minute, calls_in_minute FROM sharing_quotause WHERE grant_id = %s"
)


@contextmanager
def counted(
    call: Call, *, rows: int, in_full: bool = False, calls: int = 1
) -> Iterator[tuple[Call, int]]:
    """Count a call and let the block read up to so many rows: as asked, or those that are left.

    in_full: fewer than asked are of no use. calls: 0 where the platform asks for itself. Whatever
    the block's access record does not tell is given back; of a block that fails, the call as well.

    Raises:
        AllowanceExceeded: the day or the minute is used up; `wait` says when it begins anew.
    """
    if call.quota is None:
        yield call, rows
        return
    is_limited = call.quota.rows_a_day is not None
    taken = _take(call, call.quota, rows=rows if is_limited else 0, calls=calls)
    if in_full and is_limited and taken < rows:
        _give_back(call, rows=taken, calls=calls)
        raise _exceeded(call, call.quota)
    reservation = Reservation()
    try:
        yield replace(call, reservation=reservation), taken if is_limited else rows
    except BaseException:
        _give_back(call, rows=taken, calls=calls)
        raise
    if reservation.used < taken:
        _give_back(call, rows=taken - reservation.used)


@contextmanager
def call_counted(call: Call) -> Iterator[None]:
    """Count a call whose rows are taken piece by piece; not one that the block cannot begin.

    Raises:
        AllowanceExceeded: the day or the minute is used up.
    """
    if call.quota is None:
        yield
        return
    _take(call, call.quota, rows=0, calls=1)
    try:
        yield
    except BaseException:
        _give_back(call, calls=1)
        raise


def take_rows(call: Call, rows: int) -> int:
    """Return how many of the rows may be read now, at least one.

    Raises:
        AllowanceExceeded: none is left today.
    """
    if call.quota is None or call.quota.rows_a_day is None:
        return rows
    return _take(replace(call, at=timezone.now()), call.quota, rows=rows, calls=0)


def give_rows_back(call: Call, rows: int) -> None:
    """Give back what was taken and not read."""
    if rows and call.quota is not None and call.quota.rows_a_day is not None:
        _give_back(replace(call, at=timezone.now()), rows=rows)


def give_back_to(grant: Grant, rows: int, *, at: datetime) -> None:
    """Give back to today's quota what was taken today for something that nobody gets."""
    if rows and grant.rows_a_day is not None:
        with connection.cursor() as cursor:
            cursor.execute(_GIVE_BACK, {**_when(grant.pk, at), "rows": rows, "calls": 0})


def _take(call: Call, quota: Quota, *, rows: int, calls: int) -> int:
    limits = {
        "calls_a_day": quota.calls_a_day,
        "rows_a_day": quota.rows_a_day,
        "calls_a_minute": quota.calls_a_minute,
    }
    with connection.cursor() as cursor:
        when = _when(call.grant_id, call.at)
        cursor.execute(_TAKE, {**when, **limits, "rows": rows, "calls": calls})
        found = cursor.fetchone()
    if found is None:
        raise _exceeded(call, quota)
    return int(found[0])


def _give_back(call: Call, *, rows: int = 0, calls: int = 0) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, {**_when(call.grant_id, call.at), "rows": rows, "calls": calls})


def _when(grant_id: int, at: datetime) -> dict[str, Any]:
    local = timezone.localtime(at)
    return {
        "grant": grant_id,
        "day": local.date(),
        "minute": local.replace(second=0, microsecond=0),
    }


def _exceeded(call: Call, quota: Quota) -> AllowanceExceeded:
    """Say which limit it was, as the count stands now; the day's first, for it lasts longer."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, [call.grant_id])
        day, calls, minute, calls_in_minute = cursor.fetchone()
    local = timezone.localtime(call.at)
    tomorrow = datetime.combine(day + timedelta(days=1), time.min, tzinfo=local.tzinfo)
    if quota.calls_a_day is not None and calls >= quota.calls_a_day:
        return _refusal(DailyCallsExceeded, tomorrow - local, quota.calls_a_day)
    if quota.calls_a_minute is not None and calls_in_minute >= quota.calls_a_minute:
        return _refusal(RateExceeded, minute + MINUTE - local, quota.calls_a_minute)
    if quota.rows_a_day is not None:
        return _refusal(DailyRowsExceeded, tomorrow - local, quota.rows_a_day)
    # Another call gave its room back meanwhile.
    return _refusal(RateExceeded, timedelta(), quota.calls_a_minute or quota.calls_a_day or 1)


def _refusal(kind: type[AllowanceExceeded], wait: timedelta, limit: int) -> AllowanceExceeded:
    return kind(wait=max(1, math.ceil(wait.total_seconds())), limit=limit)
