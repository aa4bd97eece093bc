"""Which request becomes, or became, which version of a grant."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.accounts.models import InformationSystem
from apps.catalog.models import Dataset
from apps.sharing.models import Disposal, Grant, SharingRequest
from apps.sharing.queries.return_flow import return_flow_of
from apps.sharing.queries.urgency import urgency_of

SERVED: Final = (Grant.Status.IN_FORCE, Grant.Status.SUSPENDED)
OVER: Final = (Grant.Status.ENDED, Grant.Status.EXPIRED)


@dataclass(frozen=True, slots=True)
class GrantVersion:
    """One version of a grant: since when, by whom, of which request or for what reason."""

    number: int
    at: datetime
    person: str
    request: SharingRequest | None
    reason: str
    columns: int
    expires_at: datetime


def served_grant(system: InformationSystem, dataset: Dataset) -> Grant | None:
    """Return the grant that the system has of the entry, suspended or not; there is one at most."""
    served = Grant.objects.filter(system=system, dataset=dataset, status__in=SERVED)
    return served.select_related("request").first()


def expired_last(system: InformationSystem, dataset: Dataset) -> Grant | None:
    """Return the grant of the entry that the system had last, where it expired; else None."""
    over = Grant.objects.filter(system=system, dataset=dataset, status__in=OVER)
    last = over.order_by("-ended_at", "-pk").first()
    return last if last is not None and last.status == Grant.Status.EXPIRED else None


def was_replaced(grant: Grant) -> bool:
    """Say whether another grant took the place of one that is over: no data had to be disposed of.

    Who was ended for a reason owes that, and gets no other grant by an earlier signature.
    """
    others = Grant.objects.filter(system=grant.system_id, dataset=grant.dataset_id)
    takes_place = others.exclude(pk=grant.pk).filter(status__in=("delivering", *SERVED))
    return takes_place.exists() and not Disposal.objects.filter(grant=grant).exists()


def continued_by(request: SharingRequest, mode: str, at: datetime) -> Grant | None:
    """Return the grant of which the request, agreed to for a mode, makes the next version.

    None where it makes a new one. The grant is served, for the same consumer in the same way. What
    is urgent is temporary and stays a grant of its own, and what is sent back to a district is
    never mixed with what was asked for otherwise.

    Source: house rule (issue 5: every change is a new version of the same grant)
    """
    grant = served_grant(request.system, request.dataset)
    if grant is None or grant.expires_at <= at:
        return None
    if (grant.mode, grant.consumer_id) != (mode, request.consumer_id):
        return None
    if urgency_of(request) is not None or urgency_of(grant.request) is not None:
        return None
    is_same_kind = (return_flow_of(request) is None) == (return_flow_of(grant.request) is None)
    return grant if is_same_kind else None


def waiting_versions() -> QuerySet[SharingRequest]:
    """Return agreed requests that are to become the next version of their grant."""
    return SharingRequest.objects.filter(
        status=SharingRequest.Status.AGREED, grant__isnull=False, grant_version=None
    )


def waiting_version_of(grant: Grant) -> SharingRequest | None:
    """Return the request that waits to become the grant's next version."""
    return waiting_versions().filter(grant=grant).first()


def versions_without_grant(at: datetime) -> QuerySet[SharingRequest]:
    """Return waiting requests that can be no version of their grant any more.

    The grant is over, the entry withdrawn, or the time that was agreed is past.
    """
    past = Q(decisions__signed_at__isnull=False, decisions__ends_on__lt=timezone.localdate(at))
    gone = Q(grant__status__in=OVER) | Q(dataset__status="withdrawn") | past
    return waiting_versions().filter(gone).distinct().order_by("pk")


def versions_to_write(at: datetime) -> QuerySet[SharingRequest]:
    """Return waiting requests whose first day has come, of grants that are served.

    One that follows on the last day of its grant finds it not expired yet.
    """
    begun = waiting_versions().filter(
        starts_on__lte=timezone.localdate(at), grant__status__in=SERVED
    )
    return begun.exclude(pk__in=versions_without_grant(at).values("pk"))


def versions_of_grant(grant: Grant) -> list[GrantVersion]:
    """Return the versions of a grant, the newest first, each with what made it."""
    requests = {each.grant_version: each for each in grant.requests.all()}
    found: dict[int, Any] = {}
    for row in grant.history.select_related("history_user").order_by("history_date", "history_id"):
        found.setdefault(row.version, row)
    return [
        GrantVersion(
            number=number,
            at=row.history_date,
            person=str(row.history_user or ""),
            request=requests.get(number),
            reason=row.history_change_reason or "",
            columns=len(row.columns),
            expires_at=row.expires_at,
        )
        for number, row in sorted(found.items(), reverse=True)
    ]


def version_since(grant: Grant) -> datetime | None:
    """Return since when the terms of a grant's present version stand."""
    rows = grant.history.filter(version=grant.version).order_by("history_date", "history_id")
    found: datetime | None = rows.values_list("history_date", flat=True).first()
    return found


def columns_added(grants: Collection[int]) -> dict[int, dict[str, datetime]]:
    """Return, by grant, since when it has each column that came with a later version.

    One that was taken out and came back counts from its return. One statement; of grants that were
    never renewed nothing is read.
    """
    renewed = Grant.objects.filter(pk__in=grants, renewed_at__isnull=False)
    rows = (
        Grant.history.filter(id__in=renewed.values("pk"))
        .order_by("id", "version", "history_date", "history_id")
        .distinct("id", "version")
    )
    found: dict[int, dict[str, datetime]] = {}
    before: dict[int, set[str]] = {}
    for grant, at, columns in rows.values_list("id", "history_date", "columns"):
        names = {column["name"] for column in columns}
        came = {name: then for name, then in found.get(grant, {}).items() if name in names}
        new = names - before[grant] if grant in before else set()
        found[grant] = {**came, **dict.fromkeys(new, at)}
        before[grant] = names
    return found
