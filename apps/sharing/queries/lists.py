"""What is asked of requests and grants."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet

from apps.accounts.models import Department, InformationSystem, User
from apps.catalog.models import Dataset
from apps.clocks.models import Clock
from apps.clocks.queries import LIVE
from apps.core import access
from apps.sharing.models import Grant, RouteStep, SharingRequest
from apps.sharing.queries.versions import versions_to_write

CLOSED = ("delivered", "refused", "withdrawn")
WIND_DOWN: Final = "catalog.withdraw_wind_down"


def awaiting_my_decision(actor: User, at: datetime | None = None) -> QuerySet[SharingRequest]:
    """Return the requests on which the person, or who he stands in for, owes the next step."""
    moves = {
        "awaiting_head": ("approve_by_head",),
        "district_review": ("pass_on",),
        "form_check": ("accept_form",),
        "reviewing": ("propose",),
        "awaiting_second_review": ("confirm",),
        "awaiting_signature": ("agree", "refuse"),
        "supplement": ("supplement",),
        "head_returned": ("submit",),
    }
    found = Q(pk__in=[])
    for status, names in moves.items():
        for name in names:
            rows = access.rows(actor, name, SharingRequest.objects.filter(status=status), at=at)
            found |= Q(pk__in=rows.values("pk"))
    offered = SharingRequest.objects.filter(status="reviewing", offers__status="open")
    answering = access.rows(actor, "accept_offer", offered, at=at)
    found |= Q(pk__in=answering.values("pk"))
    return SharingRequest.objects.filter(found).select_related(
        "dataset__department", "consumer", "system", "applicant"
    )


def visible_requests(actor: User, at: datetime | None = None) -> QuerySet[SharingRequest]:
    """Return the requests that the person may see, with what a list shows of them."""
    return access.rows(actor, "view", SharingRequest, at=at).select_related(
        "dataset__department", "consumer", "system", "applicant", "urgency", "package"
    )


def requests_of_department(department: Department) -> QuerySet[SharingRequest]:
    """Return what the department asked of others."""
    return SharingRequest.objects.filter(consumer=department)


def requests_to_department(department: Department) -> QuerySet[SharingRequest]:
    """Return what others asked of the department, once it was received."""
    return SharingRequest.objects.filter(dataset__department=department, received_at__isnull=False)


def request_under_way(system: InformationSystem, dataset: Dataset) -> SharingRequest | None:
    """Return the system's request for the entry that is not over yet, a draft too."""
    open_ones = SharingRequest.objects.exclude(status__in=CLOSED)
    return open_ones.filter(system=system, dataset=dataset).order_by("pk").last()


def request_in_the_way(request: SharingRequest) -> SharingRequest | None:
    """Return what the same system asked of the same entry, sent and not over: it goes first."""
    others = SharingRequest.objects.filter(system=request.system, dataset=request.dataset)
    sent = others.exclude(pk=request.pk).exclude(status__in=(*CLOSED, "draft", "head_returned"))
    return sent.first()


def grants_in_force(at: datetime) -> QuerySet[Grant]:
    """Return the grants that can be read under at that time."""
    return Grant.objects.filter(status="in_force", starts_at__lte=at, expires_at__gt=at)


def open_grants() -> QuerySet[Grant]:
    """Return the grants that are being delivered, in force or suspended."""
    return Grant.objects.filter(status__in=("delivering", "in_force", "suspended"))


def grants_to_deliver(at: datetime) -> QuerySet[Grant]:
    """Return agreed grants, and grants with an agreed next version, whose first day has come."""
    begun = Q(status="delivering", starts_at__lte=at, expires_at__gt=at)
    renewed = Q(pk__in=versions_to_write(at).values("grant"))
    return Grant.objects.filter(begun | renewed).order_by("pk")


def grants_to_expire(at: datetime) -> QuerySet[Grant]:
    """Return grants past their last day; what follows on it is given a day to be written first."""
    due = open_grants().filter(expires_at__lte=at)
    followed = Q(
        pk__in=versions_to_write(at).values("grant"), expires_at__gt=at - timedelta(days=1)
    )
    return due.exclude(followed).order_by("pk")


def grants_to_tear_down() -> QuerySet[Grant]:
    """Return closed grants of which roles and views may still stand."""
    return Grant.objects.filter(status__in=("ended", "expired"), torn_down_at=None).order_by("pk")


def open_steps(request: SharingRequest, side: str) -> QuerySet[RouteStep]:
    """Return the steps inside one department that still have to be handled, waiting ones too."""
    return request.route_steps.filter(side=side, done_at=None)


def first_open_steps(requests: Iterable[SharingRequest], side: str) -> dict[int, RouteStep]:
    """Return the first of these steps of each of several requests; those without are left out."""
    rows = RouteStep.objects.filter(
        request__in=[request.pk for request in requests], side=side, done_at=None
    )
    ordered = rows.order_by("request_id", "position", "pk").distinct("request_id")
    return {row.request_id: row for row in ordered.select_related("assignee")}


def current_steps(request: SharingRequest, side: str) -> QuerySet[RouteStep]:
    """Return the steps that lie on somebody's desk now; several when there is co-signing."""
    return open_steps(request, side).filter(opened_at__isnull=False)


def grants_out_of_service(at: datetime) -> QuerySet[Grant]:
    """Return open grants on withdrawn entries whose further service is over, or never began.

    It never begins for what was agreed but not delivered when the entry was withdrawn.
    """
    over = Q(dataset__in=_winding_down().filter(due_at__lte=at).values("object_id"))
    return (
        open_grants()
        .filter(over | Q(status="delivering"), dataset__status="withdrawn")
        .order_by("pk")
    )


def datasets_wound_down() -> QuerySet[Dataset]:
    """Return withdrawn entries whose time of further service runs for nobody any more."""
    found: QuerySet[Dataset] = Dataset.objects.filter(
        status="withdrawn", pk__in=_winding_down().values("object_id")
    )
    return found.exclude(pk__in=open_grants().values("dataset")).select_related("department")


def _winding_down() -> QuerySet[Clock]:
    kind = ContentType.objects.get_for_model(Dataset)
    return Clock.objects.filter(policy__code=WIND_DOWN, content_type=kind, state__in=LIVE)


def is_last_grant(grant: Grant) -> bool:
    """Say whether the department has no other open grant on the dataset."""
    others = open_grants().filter(consumer=grant.consumer, dataset=grant.dataset)
    return not others.exclude(pk=grant.pk).exists()
