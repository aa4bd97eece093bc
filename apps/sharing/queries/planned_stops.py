"""Which planned stops there are of a service, whom each one reaches, and what does not count."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from apps.accounts import queries as accounts
from apps.accounts.models import User
from apps.catalog.models import Dataset
from apps.clocks import queries as clocks
from apps.sharing.models import Credential, Grant, PlannedStop
from apps.sharing.models.planned_stops import reaching
from apps.sharing.queries.credentials import keepers_of

NOTICE: Final = "service.planned_stop"
HANDLERS: Final = ("department_editor", "department_approver")


@dataclass(frozen=True, slots=True)
class Reached:
    """Whom a stop reaches: the live grants, the people who are told of it."""

    grants: Sequence[Grant]
    people: Sequence[User]

    @property
    def departments(self) -> int:
        return len({grant.consumer_id for grant in self.grants})

    @property
    def systems(self) -> int:
        return len({grant.system_id for grant in self.grants})


def usual_from(at: datetime) -> datetime:
    """Return the earliest beginning that keeps the usual notice when announced at that time."""
    return clocks.derivation_under(NOTICE, at).due_at


def usual_notice() -> Any:
    """Return the policy of the usual notice, to be shown beside it."""
    return clocks.policy_in_force(NOTICE, timezone.localdate())


def open_stops_of(dataset: Dataset, at: datetime) -> QuerySet[PlannedStop]:
    """Return the stops of a dataset's services that are running or ahead, the next one first."""
    ahead = PlannedStop.objects.stopping(dataset).filter(
        status__in=PlannedStop.OPEN, ends_at__gt=at
    )
    return ahead.select_related("dataset", "provider").order_by("starts_at")


def longest_running(dataset: Dataset, at: datetime) -> PlannedStop | None:
    """Return the stop until whose end the dataset's services stand still; None while they answer.

    Of several that run, the one that ends last. A data call asks the same in its own statement.
    """
    return PlannedStop.objects.running_at(at).stopping(dataset).longest()


def outlasting(stop: PlannedStop, at: datetime) -> PlannedStop | None:
    """Return the other stop by which all that one stops stands still the longest; None of none."""
    department = stop.provider_id if stop.dataset is None else stop.dataset.department_id
    others = PlannedStop.objects.running_at(at).filter(reaching(stop.dataset_id, department))
    return others.exclude(pk=stop.pk).longest()


def grants_in_reach(stop: PlannedStop) -> QuerySet[Grant]:
    """Return the live grants whose calls are not answered during the stop."""
    live = Grant.objects.filter(status__in=Grant.LIVE)
    if stop.dataset_id is not None:
        live = live.filter(dataset=stop.dataset_id)
    elif stop.provider_id is not None:
        live = live.filter(dataset__department=stop.provider_id)
    return live.select_related("dataset", "consumer", "system").order_by("pk")


def reached_by(stop: PlannedStop) -> Reached:
    """Return whom a stop reaches, announced or only thought of.

    Told are: who handles matters at the consumers, the holders and security contacts of their
    systems' credentials, the provider's handlers, and the authority. A stop of the whole platform
    reaches the holder of every credential.
    """
    grants = list(grants_in_reach(stop))
    systems = {grant.system_id for grant in grants}
    credentials = Credential.objects.filter(status__in=Credential.LIVE)
    if stop.reach != PlannedStop.Reach.PLATFORM:
        credentials = credentials.filter(system__in=systems)
    departments = {grant.consumer_id for grant in grants} | {stop.provider_id} - {None}
    handlers = Q(
        department__in=departments,
        pk__in=accounts.held(HANDLERS).values("user"),
    )
    overseers = accounts.holders_of("authority_officer").values("pk")
    people = User.objects.filter(
        handlers | Q(pk__in=keepers_of(credentials).values("pk")) | Q(pk__in=overseers),
        is_active=True,
        kind=User.Kind.PERSON,
    )
    return Reached(grants, list(people.order_by("pk")))


def stops_to_remind_of(at: datetime) -> QuerySet[PlannedStop]:
    """Return those that begin within a day and were announced more than a day before."""
    day = timedelta(days=1)
    return PlannedStop.objects.filter(
        status=PlannedStop.Status.ANNOUNCED,
        reminded_at=None,
        starts_at__gt=at,
        starts_at__lte=at + day,
        announced_at__lt=F("starts_at") - day,
    ).order_by("pk")


def stops_to_begin(at: datetime) -> QuerySet[PlannedStop]:
    return PlannedStop.objects.filter(
        status=PlannedStop.Status.ANNOUNCED, starts_at__lte=at, ends_at__gt=at
    ).order_by("pk")


def stops_to_finish(at: datetime) -> QuerySet[PlannedStop]:
    return PlannedStop.objects.filter(status__in=PlannedStop.OPEN, ends_at__lte=at).order_by("pk")


def stopped_at(dataset: str, department: str, at: datetime) -> Exists:
    """Return the condition that the services behind a row stand still at that instant."""
    reach = reaching(OuterRef(dataset), OuterRef(department))
    return Exists(PlannedStop.objects.running_at(at).filter(reach))


def during_a_stop(dataset: str, department: str, moment: str) -> Exists:
    """Return the condition that the moment of a row lies within a planned stop of its service.

    The paths lead from the row to its dataset, that one's department, and when it happened. What
    was withdrawn ended before it began.
    """
    when, reach = OuterRef(moment), reaching(OuterRef(dataset), OuterRef(department))
    begun = PlannedStop.objects.filter(reach, starts_at__lte=when)
    return Exists(begun.filter(_until_after(when)))


def stops_since(dataset: Dataset, since: datetime, at: datetime) -> list[PlannedStop]:
    """Return the stops of a dataset's services that ran since then, whole or in part."""
    ran = PlannedStop.objects.stopping(dataset).filter(_until_after(since), starts_at__lte=at)
    withdrawn = PlannedStop.Status.WITHDRAWN
    return list(ran.exclude(status=withdrawn).order_by("starts_at"))


def _until_after(moment: Any) -> Q:
    return Q(ended_at=None, ends_at__gt=moment) | Q(ended_at__gt=moment)
