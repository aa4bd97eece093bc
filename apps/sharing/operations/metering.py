"""Sum up a day's access records once, so that pages and statements never read them all.

A day is counted again at each run until it is final, a day after its end: calls go on, and streams
that were open close. What a stream delivered counts for the day on which it began; one that never
closed counts as a call without rows.
"""

from datetime import date, datetime, time, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import Max, Min
from django.utils import timezone

from apps.sharing.models import MeteredDay

MOST_DAYS: Final = 31
ONE_DAY: Final = timedelta(days=1)

_COUNT: Final = """
INSERT INTO sharing_dailyuse (grant_id, day, calls, rows, bytes)
SELECT record.grant_id, %(day)s, count(*),
       sum(coalesce(record.rows, closed.rows, 0)), sum(coalesce(record.bytes, closed.bytes, 0))
  FROM ledger_accessrecord AS record
  JOIN sharing_grant ON sharing_grant.id = record.grant_id
  LEFT JOIN ledger_accessclose AS closed
    ON record.rows IS NULL AND closed.record_id = record.id
   AND closed.opened_at = record.opened_at
   AND closed.opened_at >= %(begins)s AND closed.opened_at < %(ends)s
 WHERE record.opened_at >= %(begins)s AND record.opened_at < %(ends)s
 GROUP BY record.grant_id
    ON CONFLICT (grant_id, day) DO UPDATE
   SET calls = excluded.calls, rows = excluded.rows, bytes = excluded.bytes
"""
_FIRST: Final = "SELECT min(opened_at) FROM ledger_accessrecord WHERE grant_id IS NOT NULL"


def count_use(at: datetime) -> list[date]:
    """Sum up the days that are not final yet, oldest first; return those counted. Repeat-safe.

    After a long pause some days are left for the next run.

    Source: house rule (issue 5: metering)
    """
    today = timezone.localdate(at)
    first = _first_open_day() or today
    days = [first + ONE_DAY * step for step in range(min((today - first).days + 1, MOST_DAYS))]
    for day in days:
        _count_day(day, at)
    return days


@transaction.atomic
def _count_day(day: date, at: datetime) -> None:
    begins, ends = (_midnight(each) for each in (day, day + ONE_DAY))
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"day": day, "begins": begins, "ends": ends})
    MeteredDay.objects.update_or_create(
        day=day, defaults={"counted_at": at, "is_final": at >= ends + ONE_DAY}
    )


def _first_open_day() -> date | None:
    """Return the day after the last final one; before there is one, the day of the first record."""
    final: date | None = MeteredDay.objects.filter(is_final=True).aggregate(d=Max("day"))["d"]
    if final is not None:
        return final + ONE_DAY
    counted: date | None = MeteredDay.objects.aggregate(d=Min("day"))["d"]
    if counted is not None:
        return counted
    with connection.cursor() as cursor:
        cursor.execute(_FIRST)
        (opened_at,) = cursor.fetchone()
    return None if opened_at is None else timezone.localdate(opened_at)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())
