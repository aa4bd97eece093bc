"""Which changes of live services are open, unanswered, or due to take effect."""

from datetime import datetime
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from apps.clocks import queries as clocks
from apps.sharing.models import Grant, ServiceChange

ANSWER_CHANGE: Final = "grant.change_answer"
FILE_CHANGE: Final = "grant.change_filing"


def open_change(grant: Grant) -> ServiceChange | None:
    """Return the change that is announced of a grant and not over yet."""
    return ServiceChange.objects.filter(grant=grant, status__in=ServiceChange.OPEN).first()


def changes_under_way() -> QuerySet[ServiceChange]:
    """Return the changes that are not over, each with the consumer's last day to answer: due_on.

    The day that was announced stays on the row; the calendar moves the clock's.
    """
    dated = ServiceChange.objects.annotate(due_on=clocks.due_days(ServiceChange, ANSWER_CHANGE))
    return dated.filter(status__in=ServiceChange.OPEN)


def changes_unanswered(at: datetime) -> QuerySet[ServiceChange]:
    """Return changes whose time to be answered is over."""
    overdue = clocks.overdue_of(ServiceChange, ANSWER_CHANGE, at)
    noticed = ServiceChange.objects.filter(status=ServiceChange.Status.NOTICED)
    return noticed.filter(pk__in=overdue).order_by("pk")


def changes_to_carry_out(at: datetime) -> QuerySet[ServiceChange]:
    """Return filed changes whose day has come."""
    return ServiceChange.objects.filter(
        status=ServiceChange.Status.FILED, effective_on__lte=timezone.localdate(at)
    ).order_by("pk")
