"""Providers' own services: which can be registered, and how each has been."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Avg, Count, Max, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Dataset
from apps.core.errors import Conflict
from apps.sharing.models import Interface, InterfaceCall
from apps.sharing.queries.planned_stops import during_a_stop
from apps.warehouse import queries as warehouse

WINDOW: Final = timedelta(days=7)
_OF_SERVICE: Final = Q(kind__in=("call", "probe"))


@dataclass(frozen=True, slots=True)
class Health:
    """The last seven days, planned stops left out. mean_ms: of the calls that were answered;
    dropped: rows out of terms.

    Units: availability_ratio 0–1, None before the first call.
    """

    calls: int = 0
    answered: int = 0
    forwarded: int = 0
    dropped: int = 0
    mean_ms: int | None = None
    last_at: datetime | None = None

    @property
    def availability_ratio(self) -> float | None:
        return self.answered / self.calls if self.calls else None


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason of failures, and how often."""

    outcome: str
    words: str
    count: int
    last_at: datetime


def registrable(datasets: QuerySet[Dataset]) -> QuerySet[Dataset]:
    """Keep the entries for which a service can be registered: no rows here, no other service."""
    landed = warehouse.landed_tables().values("dataset")
    return datasets.exclude(pk__in=landed).exclude(pk__in=_served())


def obstacle_to_registering(dataset: Dataset) -> Conflict | None:
    """Return why no service can be registered for the entry, None when one can."""
    if warehouse.has_landed(dataset):
        words = _("这项目录已有数据入库，由平台提供，不登记代理接口")
        return Conflict(words, code="already_landed")
    if _served().filter(dataset=dataset).exists():
        words = _("这项目录已登记了接口，修改它或者停用后再登记")
        return Conflict(words, code="interface_exists")
    return None


def _served() -> QuerySet[Any, Any]:
    """Return the entries for which a service stands."""
    standing = Interface.objects.exclude(status=Interface.Status.RETIRED)
    return standing.values("dataset")


def health_of(interfaces: Iterable[Interface], at: datetime) -> dict[int, Health]:
    """Return how each of the interfaces has been, in one statement."""
    keys = [interface.pk for interface in interfaces]
    answered = Q(outcome="")
    lines = (
        _recent(at)
        .filter(interface__in=keys)
        .order_by()
        .values("interface")
        .annotate(
            calls=Count("pk"),
            answered=Count("pk", filter=answered),
            forwarded=Count("pk", filter=Q(kind="call")),
            left_out=Sum("dropped"),
            mean=Avg("duration_ms", filter=answered),
            last=Max("at"),
        )
    )
    found = {
        line["interface"]: Health(
            line["calls"],
            line["answered"],
            line["forwarded"],
            line["left_out"] or 0,
            None if line["mean"] is None else round(line["mean"]),
            line["last"],
        )
        for line in lines
    }
    return {key: found.get(key, Health()) for key in keys}


def reasons_of(interface: Interface, at: datetime) -> list[Reason]:
    """Return why it failed in the last seven days, most often first."""
    lines = (
        _recent(at)
        .filter(interface=interface)
        .exclude(outcome="")
        .order_by()
        .values("outcome", "words")
        .annotate(count=Count("pk"), last=Max("at"))
        .order_by("-count", "outcome", "words")[:20]
    )
    return [Reason(each["outcome"], each["words"], each["count"], each["last"]) for each in lines]


def latest_calls(interface: Interface) -> QuerySet[InterfaceCall]:
    return InterfaceCall.objects.filter(interface=interface).order_by("-at", "-pk")


def _recent(at: datetime) -> QuerySet[InterfaceCall]:
    stopped = during_a_stop("interface__dataset", "interface__dataset__department", "at")
    return InterfaceCall.objects.filter(_OF_SERVICE, at__gt=at - WINDOW).exclude(stopped)
