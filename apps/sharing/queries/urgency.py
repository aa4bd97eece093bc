"""Urgent requests (急件): which clock they answer by, what papers are owed, how many there are."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, Q, QuerySet

from apps.clocks import queries as clocks
from apps.sharing.models import Grant, SharingRequest, Urgency
from apps.sharing.queries.return_flow import RETURN_FLOW, return_flow_of

CONDITIONAL: Final = "request.conditional"
URGENT: Final = "request.urgent"
BACKFILL: Final = "request.backfill"


@dataclass(frozen=True, slots=True)
class UrgentCount:
    """How often a department asked urgently, and what the authority found afterwards."""

    department: str
    total: int
    justified: int
    unjustified: int

    @property
    def unreviewed(self) -> int:
        return self.total - self.justified - self.unjustified


def urgency_of(request: SharingRequest) -> Urgency | None:
    """Return the order that made the request urgent, None for every other request."""
    return Urgency.objects.filter(request=request).select_related("ordered_by").first()


def reply_clock_of(request: SharingRequest) -> str:
    """Return the code of the clock within which the provider answers."""
    if Urgency.objects.filter(request=request).exists():
        return URGENT
    return RETURN_FLOW if return_flow_of(request) is not None else CONDITIONAL


def grants_without_papers(at: datetime) -> QuerySet[Grant]:
    """Return grants in force whose missing papers were not handed in by their time."""
    overdue = clocks.overdue_of(SharingRequest, BACKFILL, at)
    return Grant.objects.filter(status="in_force", request__in=overdue).order_by("pk")


def urgent_counts(requests: QuerySet[SharingRequest]) -> list[UrgentCount]:
    """Count the urgent ones of these requests by who asked, the most frequent first."""
    rows = (
        requests.filter(urgency__isnull=False)
        .order_by()
        .values_list("consumer__name")
        .annotate(
            total=Count("pk"),
            justified=Count("pk", filter=Q(urgency__is_justified=True)),
            unjustified=Count("pk", filter=Q(urgency__is_justified=False)),
        )
    )
    counts = [UrgentCount(*row) for row in rows]
    return sorted(counts, key=lambda count: (-count.total, count.department))
