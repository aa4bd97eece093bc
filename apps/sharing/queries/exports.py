"""What is asked of exported files: whose they are, which are due, which are void."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import F, Q, QuerySet

from apps.accounts.models import InformationSystem
from apps.sharing.models import Export, Grant
from apps.sharing.queries.planned_stops import stopped_at

WORKER_LOST_AFTER: Final = timedelta(minutes=2)
OPEN_EXPORTS: Final = (Export.Status.QUEUED, Export.Status.RUNNING)
LIVE_EXPORTS: Final = (*OPEN_EXPORTS, Export.Status.READY)


def exports_of(grant_id: int) -> QuerySet[Export]:
    """Return a grant's exports, newest first."""
    related = ("dataset", "system", "request", "consumer", "provider")
    found = Export.objects.filter(grant=grant_id).order_by("-pk")
    return found.select_related("asked_by", *(f"grant__{name}" for name in related))


def exports_to_make(at: datetime) -> QuerySet[Export]:
    """Return what waits, and what a dead worker left, in the order in which it was asked for.

    What is under a planned stop waits on.
    """
    left = Q(status="running", heartbeat_at__lt=at - WORKER_LOST_AFTER)
    return (
        Export.objects.filter(Q(status="queued") | left)
        .exclude(stopped_at("grant__dataset", "grant__dataset__department", at))
        .select_related("grant__dataset", "grant__system", "asked_by")
        .order_by("pk")
    )


def place_in_queue(export: Export) -> int:
    """Return the export's place among those that wait, 1 for the next; 0 when it does not wait."""
    if export.status != Export.Status.QUEUED:
        return 0
    return Export.objects.filter(status="queued", pk__lt=export.pk).count() + 1


def exports_void(at: datetime) -> QuerySet[Export]:
    """Return live exports of grants that are not in force now, or have other terms by now."""
    serves = Q(
        grant__status=Grant.Status.IN_FORCE,
        grant__version=F("grant_version"),
        grant__expires_at__gt=at,
        grant__system__in=InformationSystem.objects.in_service(),
    )
    return (
        Export.objects.filter(status__in=LIVE_EXPORTS)
        .exclude(serves)
        .select_related("grant__system__service_user", "grant__dataset", "asked_by")
        .order_by("pk")
    )


def exports_to_expire(at: datetime) -> QuerySet[Export]:
    """Return files that were kept long enough."""
    return Export.objects.filter(status="ready", expires_at__lte=at).select_related("grant")
