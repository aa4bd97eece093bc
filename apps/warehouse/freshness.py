"""Whether a table is as fresh as its update cycle promises."""

from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.db import models
from django.db.models import Case, OuterRef, Q, QuerySet, Subquery, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Dataset, UpdateCycle
from apps.warehouse.models import Batch, NoChange

# Whole days that may lie between two deliveries; a cycle that is not here promises nothing.
# Source: house rule
DAYS: Final = {
    UpdateCycle.REALTIME: 1,
    UpdateCycle.DAILY: 1,
    UpdateCycle.WEEKLY: 7,
    UpdateCycle.TEN_DAYS: 11,
    UpdateCycle.MONTHLY: 31,
    UpdateCycle.QUARTERLY: 92,
    UpdateCycle.HALF_YEARLY: 184,
    UpdateCycle.YEARLY: 366,
}


class Freshness(models.TextChoices):
    IN_TIME = "in_time", _("按期更新")
    OVERDUE = "overdue", _("逾期未更新")
    EMPTY = "empty", _("尚未入库")


def with_freshness(datasets: QuerySet[Dataset], at: datetime) -> Any:
    """Add `delivered_at`, `confirmed_to` (see `with_deliveries`) and `freshness`."""
    return with_deliveries(datasets).annotate(
        freshness=Case(
            When(delivered_at=None, then=Value(Freshness.EMPTY.value)),
            When(is_late(at), then=Value(Freshness.OVERDUE.value)),
            default=Value(Freshness.IN_TIME.value),
        )
    )


def with_deliveries(rows: QuerySet[Any], dataset: str = "pk") -> Any:
    """Add when the dataset that each row points to was delivered last.

    delivered_at: of the last batch that landed or changed nothing.
    confirmed_to: the last day up to which its provider confirmed that nothing changed (无变化).
    """
    delivered = Batch.objects.filter(
        dataset=OuterRef(dataset), status__in=(Batch.Status.LANDED, Batch.Status.UNCHANGED)
    ).order_by("-id")
    confirmed = NoChange.objects.filter(dataset=OuterRef(dataset)).order_by("-period_to")
    return rows.annotate(
        delivered_at=Subquery(delivered.values("finished_at")[:1]),
        confirmed_to=Subquery(confirmed.values("period_to")[:1]),
    )


def is_late(at: datetime, cycle: str = "update_cycle") -> Q:
    """Return the condition that more than a cycle has passed since the last delivery.

    What was confirmed unchanged is not late; what was never delivered is not late but empty.
    `cycle`: the field in which the rows of `with_deliveries` promise how often.
    """
    today = timezone.localdate(at)
    first = {value: today - timedelta(days=days) for value, days in DAYS.items()}
    first_day = Case(*(When(**{cycle: value, "then": Value(day)}) for value, day in first.items()))
    first_moment = Case(
        *(When(**{cycle: value, "then": Value(_beginning(day))}) for value, day in first.items())
    )
    return Q(delivered_at__lt=first_moment) & (Q(confirmed_to=None) | Q(confirmed_to__lt=first_day))


def _beginning(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
