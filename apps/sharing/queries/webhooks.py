"""What is asked for pushing events: the batches of a system's grants, and where to look on."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import CharField, F, Q, QuerySet
from django.db.models.functions import Cast

from apps.accounts.models import InformationSystem
from apps.core import access
from apps.sharing.models import Grant, PlannedStop, SharingRequest, Webhook


def in_service() -> QuerySet[Webhook]:
    """Return the addresses that push: not paused, and their systems in service."""
    return Webhook.objects.filter(
        status=Webhook.Status.ACTIVE, system__in=InformationSystem.objects.in_service()
    )


def events_of(system: InformationSystem) -> Q:
    """Return the condition on the ledger's events about the system's grants, requests and stops."""
    grants = Grant.objects.filter(system=system).annotate(key=Cast("pk", CharField()))
    requests = SharingRequest.objects.filter(system=system).annotate(key=Cast("pk", CharField()))
    stops = access.rows(system.service_user, "view", PlannedStop).annotate(
        key=Cast("pk", CharField())
    )
    return (
        Q(subject_type="sharing.grant", subject_id__in=grants.values("key"))
        | Q(subject_type="sharing.sharingrequest", subject_id__in=requests.values("key"))
        | Q(subject_type="sharing.plannedstop", subject_id__in=stops.values("key"))
    )


def batches_of(system: InformationSystem) -> Sequence[tuple[Grant, int]]:
    """Return the system's grants in force with the last batch of their tables."""
    grants = (
        Grant.objects.filter(system=system, status=Grant.Status.IN_FORCE)
        .select_related("dataset")
        .annotate(batch=F("dataset__data_table__batch_counter"))
        .exclude(batch=None)
        .order_by("pk")
    )
    return [(grant, grant.batch) for grant in grants]


def present_batches(system: InformationSystem) -> dict[str, int]:
    """Return the same by the grants' numbers, as JSON keeps it."""
    return {str(grant.pk): batch for grant, batch in batches_of(system)}


def later_than(number: int, moment: datetime) -> Q:
    """Return the condition on events that came after one, or not long before that moment."""
    return Q(pk__gt=number) | Q(at__gte=moment)
