"""The last periods of a table's update cycle: delivered in time, late, or not at all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.catalog.models import Dataset, UpdateCycle
from apps.warehouse.models import Batch, NoChange

SHOWN: Final = 12
_MARKS: Final = {
    "punctual": "✓",
    "confirmed": pgettext_lazy("期间", "无"),
    "late": pgettext_lazy("期间", "迟"),
    "missing": pgettext_lazy("期间", "缺"),
    "pending": "·",
}
_MONTHS: Final = {
    UpdateCycle.MONTHLY: 1,
    UpdateCycle.QUARTERLY: 3,
    UpdateCycle.HALF_YEARLY: 6,
    UpdateCycle.YEARLY: 12,
}


class Delivered(models.TextChoices):
    PUNCTUAL = "punctual", _("按期")
    CONFIRMED = "confirmed", _("确认无变化")
    LATE = "late", _("迟交")
    MISSING = "missing", _("未交")
    PENDING = "pending", _("本期未到期")

    @property
    def mark(self) -> str:
        """One character of the same meaning, so that colour is not all there is."""
        return str(_MARKS[self.value])


@dataclass(frozen=True, slots=True)
class Period:
    """Days of one period, both included, and what came in it; `batches` that landed then."""

    begin: date
    end: date
    delivered: Delivered
    batches: int


def last_periods(dataset: Dataset, at: datetime, count: int = SHOWN) -> list[Period]:
    """Return the periods up to the running one, oldest first; none where the cycle promises none.

    A period is in time when a batch landed or found nothing changed in it, or the provider
    confirmed 无变化 for days of it; late when that happened only in the period after. Those before
    the first delivery are left out: nothing was promised yet.

    Source: house rule (统计口径: 更新及时率)
    """
    spans = _spans(dataset.update_cycle, timezone.localdate(at), count)
    if not spans:
        return []
    delivered = _days_delivered(dataset, spans[0][0])
    confirmed = list(
        NoChange.objects.filter(dataset=dataset, period_to__gte=spans[0][0]).values_list(
            "period_from", "period_to"
        )
    )
    first = _first_day(dataset)
    return [
        _period(begin, end, following, delivered, confirmed)
        for (begin, end), following in zip(spans, [*spans[1:], None], strict=True)
        if first is not None and end >= first
    ]


def _period(
    begin: date,
    end: date,
    following: tuple[date, date] | None,
    delivered: Sequence[date],
    confirmed: Iterable[tuple[date, date]],
) -> Period:
    batches = sum(begin <= day <= end for day in delivered)
    if batches:
        kind = Delivered.PUNCTUAL
    elif any(start <= end and stop >= begin for start, stop in confirmed):
        kind = Delivered.CONFIRMED
    elif following is None:
        kind = Delivered.PENDING
    elif any(following[0] <= day <= following[1] for day in delivered):
        kind = Delivered.LATE
    else:
        kind = Delivered.MISSING
    return Period(begin, end, kind, batches)


def _days_delivered(dataset: Dataset, since: date) -> list[date]:
    moments = Batch.objects.filter(
        dataset=dataset,
        status__in=(Batch.Status.LANDED, Batch.Status.UNCHANGED),
        finished_at__date__gte=since,
    ).values_list("finished_at", flat=True)
    return [timezone.localdate(moment) for moment in moments if moment is not None]


def _first_day(dataset: Dataset) -> date | None:
    moment = (
        Batch.objects.filter(dataset=dataset, status=Batch.Status.LANDED)
        .order_by("id")
        .values_list("finished_at", flat=True)
        .first()
    )
    return None if moment is None else timezone.localdate(moment)


def _spans(cycle: str, today: date, count: int) -> list[tuple[date, date]]:
    """Return first and last day of the last periods, the running one at the end."""
    spans: list[tuple[date, date]] = []
    end_before = today
    while len(spans) < count:
        begin = _begin_of(cycle, end_before)
        if begin is None:
            return []
        spans.append((begin, end_before))
        end_before = begin - timedelta(days=1)
    spans.reverse()
    return spans


def _begin_of(cycle: str, day: date) -> date | None:
    match cycle:
        case UpdateCycle.REALTIME | UpdateCycle.DAILY:
            return day
        case UpdateCycle.WEEKLY:
            return day - timedelta(days=day.weekday())
        case UpdateCycle.TEN_DAYS:
            return day.replace(day=1 if day.day <= 10 else 11 if day.day <= 20 else 21)
    months = _MONTHS.get(UpdateCycle(cycle)) if cycle in UpdateCycle.values else None
    if months is None:
        return None
    return day.replace(month=(day.month - 1) // months * months + 1, day=1)
