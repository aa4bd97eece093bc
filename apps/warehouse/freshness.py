"""Whether a table is as fresh as its update cycle promises."""

from datetime import datetime, time, timedelta
from typing import Final

from django.db import models
from django.db.models import Case, OuterRef, Q, QuerySet, Subquery, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Dataset, UpdateCycle
from apps.warehouse.models import Batch

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


def with_freshness(datasets: QuerySet[Dataset], at: datetime) -> QuerySet[Dataset]:
    """Add `delivered_at` (of the last batch that landed or changed nothing) and `freshness`."""
    delivered = Batch.objects.filter(
        dataset=OuterRef("pk"), status__in=(Batch.Status.LANDED, Batch.Status.UNCHANGED)
    ).order_by("-id")
    late = Q()
    for cycle, days in DAYS.items():
        late |= Q(update_cycle=cycle, delivered_at__lt=_latest(at, days))
    return datasets.annotate(delivered_at=Subquery(delivered.values("finished_at")[:1])).annotate(
        freshness=Case(
            When(delivered_at=None, then=Value(Freshness.EMPTY.value)),
            When(late, then=Value(Freshness.OVERDUE.value)),
            default=Value(Freshness.IN_TIME.value),
        )
    )


def _latest(at: datetime, days: int) -> datetime:
    """Return the beginning of the first day on which a delivery still counts."""
    day = timezone.localdate(at) - timedelta(days=days)
    return timezone.make_aware(datetime.combine(day, time.min))
