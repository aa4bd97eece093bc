"""Which grants nobody uses any more, and which are to be looked at again."""

from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import DateField, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Greatest, TruncDate
from django.utils import timezone

from apps.clocks.derivation import add_months
from apps.clocks.queries import policy_in_force, work_calendar
from apps.sharing.models import (
    DailyUse,
    Grant,
    IdleNotice,
    LandedCopy,
    MeteredDay,
    Recertification,
)
from apps.sharing.queries.lists import grants_in_force

IDLE: Final = "grant.unused"
EVERY: Final = "grant.recertify_every"
DECIDE: Final = "grant.recertify"


def idle_since() -> Greatest:
    """Return, for a queryset of grants, the day from which each has not been used.

    What was asked for and agreed anew counts from that day. A landed copy that is kept up to date
    counts as used: its reads do not pass the platform.
    """
    uses = DailyUse.objects.filter(grant=OuterRef("pk")).order_by("-day")
    copies = LandedCopy.objects.filter(grant=OuterRef("pk"), disposed_at=None)
    copied = copies.annotate(day=TruncDate("complete_at"))
    return Greatest(
        Subquery(uses.values("day")[:1]),
        TruncDate("provisioned_at"),
        TruncDate("renewed_at"),
        TruncDate("resumed_at"),
        Subquery(copied.values("day")[:1]),
        output_field=DateField(),
    )


def months_of_idleness(at: datetime) -> date:
    """Return the day before which the last use of an idle grant lies."""
    today = timezone.localdate(at)
    months = policy_in_force(IDLE, today).length or 0
    return add_months(today, -months)


def idle_grants(at: datetime) -> QuerySet[Grant]:
    """Return grants in force, with `idle_since`, that nobody used for the months of the policy.

    Source: comparator (黑龙江 2025 年规定第二十七条)
    """
    return (
        grants_in_force(at)
        .annotate(idle_since=idle_since())
        .filter(idle_since__lt=months_of_idleness(at))
        .select_related("dataset", "consumer", "provider", "system", "request")
        .order_by("pk")
    )


def grants_to_notice(at: datetime) -> QuerySet[Grant]:
    """Return idle grants about which nobody was told yet."""
    told = IdleNotice.objects.filter(status__in=IdleNotice.OPEN)
    return idle_grants(at).exclude(pk__in=told.values("grant"))


def is_metering_current(at: datetime) -> bool:
    """Say whether uses were summed up until today; nobody is called idle on old figures."""
    newest = MeteredDay.objects.aggregate(day=Max("day"))["day"]
    return newest is not None and newest >= timezone.localdate(at)


def grants_to_recertify(at: datetime) -> QuerySet[Any]:
    """Return grants, with `last_certified`, in force for a year since they were last looked at.

    A version that was asked for and agreed is such a look. One that ends before the decision would
    be due is not asked about any more.

    Source: house rule (issue 5: yearly re-certification)
    """
    today = timezone.localdate(at)
    years = policy_in_force(EVERY, today).length or 1
    decide = policy_in_force(DECIDE, today).length or 0
    after = work_calendar().add_workdays(today, decide) + timedelta(days=1)
    reviews = Recertification.objects.filter(grant=OuterRef("pk"))
    decided = reviews.filter(status="decided").order_by("-decided_at")
    underway = Recertification.objects.filter(status__in=Recertification.OPEN)
    return (
        grants_in_force(at)
        .annotate(
            last_certified=Greatest(
                TruncDate("provisioned_at"),
                TruncDate("renewed_at"),
                Subquery(decided.annotate(day=TruncDate("decided_at")).values("day")[:1]),
                output_field=DateField(),
            )
        )
        .filter(last_certified__lte=add_months(today, -12 * years), expires_at__date__gt=after)
        .exclude(pk__in=underway.values("grant"))
        .select_related("dataset", "consumer", "provider", "system", "request")
        .order_by("pk")
    )


def open_recertification(grant: Grant) -> Recertification | None:
    return Recertification.objects.filter(grant=grant, status__in=Recertification.OPEN).first()


def open_idle_notice(grant: Grant) -> IdleNotice | None:
    return IdleNotice.objects.filter(grant=grant, status__in=IdleNotice.OPEN).first()
