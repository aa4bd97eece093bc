"""Sum up a day's access records once, so that pages and statements never read them all.

A day is counted again at each run until it is final, a day after its end: calls go on, and streams
that were open close. What a stream delivered counts for the day on which it began; one that never
closed counts as a call without rows.

What was asked for is noted beside it, a column at a time: those given, filtered by and compared.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import Max, Min
from django.utils import timezone

from apps.catalog import queries as catalog
from apps.sharing.models import Grant, MeteredDay

MOST_DAYS: Final = 31
ONE_DAY: Final = timedelta(days=1)
A_YEAR: Final = timedelta(days=366)
OVERLAP: Final = timedelta(hours=2)  # for records that were written late

_COUNT: Final = """
INSERT INTO sharing_dailyuse (grant_id, day, calls, rows, bytes, single_calls)
SELECT record.grant_id, %(day)s, count(*),
       sum(coalesce(record.rows, closed.rows, 0)), sum(coalesce(record.bytes, closed.bytes, 0)),
       count(*) FILTER (
           WHERE record.kind IN ('verify', 'record')
              OR record.kind = 'page' AND record.rows <= 1
             AND jsonb_path_exists(record.query, '$.where[*] ? (@.operator == "eq")'))
  FROM ledger_accessrecord AS record
  JOIN sharing_grant ON sharing_grant.id = record.grant_id
  LEFT JOIN ledger_accessclose AS closed
    ON record.rows IS NULL AND closed.record_id = record.id
   AND closed.opened_at = record.opened_at
   AND closed.opened_at >= %(begins)s AND closed.opened_at < %(ends)s
 WHERE record.opened_at >= %(begins)s AND record.opened_at < %(ends)s
 GROUP BY record.grant_id
    ON CONFLICT (grant_id, day) DO UPDATE
   SET calls = excluded.calls, rows = excluded.rows, bytes = excluded.bytes,
       single_calls = excluded.single_calls
"""
# Few questions differ in what they ask for: they are told apart before they are taken to pieces.
_ASKED: Final = """
SELECT asked.grant_id, array_agg(DISTINCT piece), bool_or(asked.is_comparison)
  FROM (SELECT DISTINCT record.grant_id, record.kind = 'verify' AS is_comparison,
               coalesce(record.query -> 'fields', '[]') || coalesce(record.query -> 'items', '[]')
               || jsonb_path_query_array(record.query, '$.where[*].item') AS columns
          FROM ledger_accessrecord AS record
          JOIN sharing_grant ON sharing_grant.id = record.grant_id
         WHERE record.opened_at >= %(begins)s AND record.opened_at < %(ends)s) AS asked,
       jsonb_array_elements_text(asked.columns) AS piece
 GROUP BY asked.grant_id
"""
_NOTE: Final = """
INSERT INTO sharing_columnuse (grant_id, "column", last_on)
SELECT grant_id, name, %(day)s
  FROM unnest(%(grants)s::bigint[], %(columns)s::text[]) AS asked (grant_id, name)
    ON CONFLICT (grant_id, "column") DO UPDATE SET last_on = excluded.last_on
 WHERE sharing_columnuse.last_on < excluded.last_on
"""
_FIRST: Final = "SELECT min(opened_at) FROM ledger_accessrecord WHERE grant_id IS NOT NULL"


def count_use(at: datetime) -> list[date]:
    """Sum up the days that are not final yet, oldest first; return those counted. Repeat-safe.

    After a long pause some days are left for the next run, and so are days of the past year whose
    columns were not noted yet.

    Source: house rule (issue 5: metering)
    """
    today = timezone.localdate(at)
    first = _first_open_day() or today
    days = [first + ONE_DAY * step for step in range(min((today - first).days + 1, MOST_DAYS))]
    earlier = _days_without_columns(before=first, since=today - A_YEAR, most=MOST_DAYS - len(days))
    counted = [*earlier, *days]
    for day in counted:
        _count_day(day, at)
    return counted


@transaction.atomic
def _count_day(day: date, at: datetime) -> None:
    begins, ends = (_midnight(each) for each in (day, day + ONE_DAY))
    is_final = at >= ends + ONE_DAY
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"day": day, "begins": begins, "ends": ends})
        since = begins if is_final else max(begins, _columns_noted_until(day))
        cursor.execute(_ASKED, {"begins": since, "ends": ends})
        _note_columns(day, cursor.fetchall())
    MeteredDay.objects.update_or_create(
        day=day, defaults={"counted_at": at, "is_final": is_final, "has_columns": True}
    )


def _columns_noted_until(day: date) -> datetime:
    """Return from when on a day's questions are looked at: a question does not change any more.

    What was asked is dearer to read than how much, so only the final count takes the whole day.
    """
    noted = MeteredDay.objects.filter(day=day, has_columns=True).first()
    return noted.counted_at - OVERLAP if noted else _midnight(day)


def _note_columns(day: date, asked: Iterable[tuple[int, list[str], bool]]) -> None:
    """Note what was asked for under each grant; a comparison names records by the whole key."""
    rows = [(grant, set(columns), compared) for grant, columns, compared in asked]
    keys = _keys_of([grant for grant, _columns, compared in rows if compared])
    pairs = [
        (grant, name)
        for grant, columns, _compared in rows
        for name in sorted(columns | keys.get(grant, set()))
    ]
    if pairs:
        grants, columns = zip(*pairs, strict=True)
        with connection.cursor() as cursor:
            cursor.execute(_NOTE, {"day": day, "grants": list(grants), "columns": list(columns)})


def _keys_of(grants: list[int]) -> dict[int, set[str]]:
    """Return the key columns of the datasets that these grants are on."""
    found = Grant.objects.filter(pk__in=grants).select_related("dataset")
    return {grant.pk: set(catalog.contract_of(grant.dataset).key) for grant in found}


def _days_without_columns(*, before: date, since: date, most: int) -> list[date]:
    days = MeteredDay.objects.filter(has_columns=False, day__lt=before, day__gte=since)
    return list(days.order_by("-day").values_list("day", flat=True)[: max(most, 0)])


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
