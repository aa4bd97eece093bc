"""Which half-years of use are to be reported, which reports are late."""

from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.sharing.models import Grant, UsageReport


def half_year_before(day: date) -> tuple[date, date]:
    """Return the first and last day of the half-year that was over before the day."""
    this_begins = date(day.year, 1 if day.month <= 6 else 7, 1)
    last = this_begins - timedelta(days=1)
    return date(last.year, 1 if last.month <= 6 else 7, 1), last


def grants_without_report(first_day: date, last_day: date) -> QuerySet[Grant]:
    """Return grants that could be used within the half-year and were not asked about it yet."""
    ended = Q(ended_at__isnull=True) | Q(ended_at__date__gt=first_day)
    asked = UsageReport.objects.filter(first_day=first_day)
    return (
        Grant.objects.filter(ended, provisioned_at__date__lte=last_day)
        .exclude(pk__in=asked.values("grant"))
        .select_related("dataset", "consumer", "provider", "request")
        .order_by("pk")
    )


def late(at: datetime) -> QuerySet[UsageReport]:
    """Return reports whose last day is over and that were not filed."""
    return UsageReport.objects.filter(
        filed_at=None, due_on__lt=timezone.localdate(at)
    ).select_related("grant__dataset", "grant__consumer", "grant__request")
