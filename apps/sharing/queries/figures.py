"""How much of what was granted was used: by grant, over the last twelve months."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Max, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.clocks.derivation import add_months
from apps.sharing.models import ColumnUse, DailyUse, Grant, UsageReport
from apps.sharing.queries.versions import columns_added

MONTHS: Final = 12
LEAST_DAYS: Final = timedelta(days=30)  # as asked, before anything is called waste


@dataclass(frozen=True, slots=True)
class Figures:
    """What was used under a grant since a day; columns are those granted now.

    never_read: those nobody asked for. One that came with a later version counts from its own day;
    too_new: those of them that have not been there for `LEAST_DAYS`, of which nothing is said yet;
    newer: since when each is there that came after `since`.
    single_calls: of the calls those that named a record and got at most one, or only compared.
    most_calls, most_rows: of the busiest day. calls_a_day, rows_a_day: the limits, None without.
    Units: rows are records delivered; percents are of the limit of a day, None without one.
    """

    since: date
    calls: int
    rows: int
    single_calls: int
    days: int
    last_on: date | None
    most_calls: int
    most_rows: int
    columns: int
    never_read: tuple[str, ...]
    too_new: tuple[str, ...]
    newer: Mapping[str, date]
    calls_a_day: int | None
    rows_a_day: int | None

    @property
    def calls_percent(self) -> float | None:
        return _percent(self.most_calls, self.calls_a_day)

    @property
    def rows_percent(self) -> float | None:
        return _percent(self.most_rows, self.rows_a_day)

    def to_json(self) -> dict[str, Any]:
        """Return what a recertification keeps."""
        return {
            "since": self.since.isoformat(),
            "calls": self.calls,
            "rows": self.rows,
            "single_calls": self.single_calls,
            "days": self.days,
            "last_on": self.last_on.isoformat() if self.last_on else None,
            "most_calls_a_day": self.most_calls,
            "most_rows_a_day": self.most_rows,
            "calls_percent": self.calls_percent,
            "rows_percent": self.rows_percent,
            "columns": self.columns,
            "never_read": list(self.never_read),
            "newer": {name: day.isoformat() for name, day in self.newer.items()},
        }


def window_start(at: datetime) -> date:
    """Return the first day of the twelve months that end today."""
    return add_months(timezone.localdate(at), -MONTHS)


def figures_of(grants: Iterable[Grant], at: datetime) -> dict[int, Figures]:
    """Return the figures of each grant, in three statements however many there are.

    Access records are not read: days and columns were summed up by the counting.
    """
    shown = list(grants)
    keys = [grant.pk for grant in shown]
    start = window_start(at)
    used = _used(keys, start)
    read: dict[int, set[str]] = {}
    asked = ColumnUse.objects.filter(grant__in=keys, last_on__gte=start).order_by()
    for grant_id, column in asked.values_list("grant", "column"):
        read.setdefault(grant_id, set()).add(column)
    came = columns_added(keys)
    return {
        grant.pk: _figures(
            grant,
            at,
            used.get(grant.pk, {}),
            read.get(grant.pk, set()),
            came.get(grant.pk, {}),
        )
        for grant in shown
    }


def _used(keys: list[int], start: date) -> dict[int, dict[str, Any]]:
    sums = (
        DailyUse.objects.filter(grant__in=keys, day__gte=start)
        .order_by()
        .values("grant")
        .annotate(
            total_calls=Sum("calls"),
            total_rows=Sum("rows"),
            total_single=Sum("single_calls"),
            days=Count("day"),
            last_on=Max("day"),
            most_calls=Max("calls"),
            most_rows=Max("rows"),
        )
    )
    return {line["grant"]: dict(line) for line in sums}


def _figures(
    grant: Grant, at: datetime, used: dict[str, Any], read: set[str], came: Mapping[str, datetime]
) -> Figures:
    start = window_start(at)
    began = timezone.localdate(grant.provisioned_at) if grant.provisioned_at else start
    since = max(start, began)
    granted = [column["name"] for column in grant.columns]
    unread = [name for name in granted if name not in read]
    too_new = tuple(name for name in unread if name in came and came[name] > at - LEAST_DAYS)
    days = {name: timezone.localdate(came[name]) for name in granted if name in came}
    return Figures(
        since=since,
        calls=int(used.get("total_calls", 0)),
        rows=int(used.get("total_rows", 0)),
        single_calls=int(used.get("total_single", 0)),
        days=used.get("days", 0),
        last_on=used.get("last_on"),
        most_calls=used.get("most_calls", 0),
        most_rows=used.get("most_rows", 0),
        columns=len(granted),
        never_read=tuple(name for name in unread if name not in too_new),
        too_new=too_new,
        newer={name: day for name, day in days.items() if day > since},
        calls_a_day=grant.calls_a_day,
        rows_a_day=grant.rows_a_day,
    )


def since_when(label: str, day: str | None) -> str:
    """Name a column with the day (ISO) since when it is there, where it came later."""
    return label if day is None else _("%(item)s（%(day)s 起提供）") % {"item": label, "day": day}


def _percent(part: int, whole: int | None) -> float | None:
    return None if not whole else round(100 * part / whole, 3)


def figures_in_period(report: UsageReport) -> dict[str, int]:
    """Return the calls and rows of a report's half year, as far as they were counted."""
    uses = DailyUse.objects.filter(
        grant=report.grant, day__gte=report.first_day, day__lte=report.last_day
    )
    sums = uses.aggregate(calls=Sum("calls"), rows=Sum("rows"))
    return {name: int(total or 0) for name, total in sums.items()}
