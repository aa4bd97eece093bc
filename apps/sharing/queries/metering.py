"""What was used in a month: by grant, system, departments or day, from the days summed up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db.models import QuerySet, Sum

from apps.accounts.models import User
from apps.core import access
from apps.sharing.models import DailyUse, Grant, MeteredDay

# What a line stands for, as paths from a day's use, where all that is known of it is told.
GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "grant": (
        "grant",
        "grant__mode",
        "grant__dataset__code",
        "grant__dataset__name",
        "grant__system__name",
        "grant__consumer__name",
        "grant__provider__name",
    ),
    "system": ("grant__system__name", "grant__system__code", "grant__consumer__name"),
    "department": ("grant__consumer__name", "grant__provider__name"),
    "day": ("day",),
}


@dataclass(frozen=True, slots=True)
class Used:
    """One line of a statement; `of` has the values by which it is grouped.

    Units: rows are records delivered, bytes those of the bodies before compression.
    """

    of: dict[str, Any]
    calls: int
    rows: int
    bytes: int

    @property
    def number(self) -> str:
        """The grant's number as people write it; empty where the line stands for several."""
        return str(Grant(pk=self.of["grant"])) if "grant" in self.of else ""


def month_of(text: str, today: date) -> date:
    """Return the first day of a month written 2026-11; of the present one when it is none."""
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        first = today
    return min(first, today).replace(day=1)


def next_month(first: date) -> date:
    year, month = divmod(first.year * 12 + first.month, 12)
    return date(year, month + 1, 1)


def uses_in_month(actor: User, first: date, *, at: datetime) -> QuerySet[DailyUse]:
    """Return the days' uses of a month that the person may see, of both sides."""
    return access.rows(actor, "view", DailyUse, at=at).filter(
        day__gte=first, day__lt=next_month(first)
    )


def used_by(uses: QuerySet[DailyUse], paths: Sequence[str]) -> list[Used]:
    """Sum the uses up by what the paths lead to, most calls first; days in their order."""
    sums = {"total_calls": Sum("calls"), "total_rows": Sum("rows"), "total_bytes": Sum("bytes")}
    order = paths if "day" in paths else ("-total_calls", *paths)
    lines = uses.order_by().values(*paths).annotate(**sums).order_by(*order)
    return [
        Used(
            of={path: line[path] for path in paths},
            calls=line["total_calls"],
            rows=int(line["total_rows"]),
            bytes=int(line["total_bytes"]),
        )
        for line in lines
    ]


def total_of(lines: Sequence[Used]) -> Used:
    return Used(
        of={},
        calls=sum(line.calls for line in lines),
        rows=sum(line.rows for line in lines),
        bytes=sum(line.bytes for line in lines),
    )


def counted_until() -> datetime | None:
    """Return until when access records were summed up, None before the first time."""
    newest = MeteredDay.objects.order_by("-day").first()
    return newest.counted_at if newest else None
