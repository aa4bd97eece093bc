"""How this consumer used what this provider gave it so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import (
    Case,
    Exists,
    IntegerField,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)

from apps.accounts.models import User
from apps.core import access
from apps.sharing.models import DailyUse, Grant
from apps.sharing.queries.weighing.terms import Weighed

SHOWN: Final = 6
LOOKED_BACK: Final = timedelta(days=365)
ALIVE: Final = (Grant.Status.DELIVERING, Grant.Status.IN_FORCE, Grant.Status.SUSPENDED)


@dataclass(frozen=True, slots=True)
class PastUse:
    """One grant and its use. Units: calls and rows of the last 365 days; last_on is a day.

    busiest: the most calls of a day within them, to be set beside the limit.
    """

    grant: Grant
    is_this_dataset: bool
    calls: int
    rows: int
    last_on: date | None
    busiest: int
    may_see: bool

    @property
    def is_never_used(self) -> bool:
        return self.last_on is None and self.grant.provisioned_at is not None


@dataclass(frozen=True, slots=True)
class PastUses:
    """The uses that matter most, how many grants there are, how many of those alive lie idle."""

    uses: Sequence[PastUse]
    total: int
    idle: int

    @property
    def left(self) -> int:
        return self.total - len(self.uses)


def past_use_of(terms: Weighed, actor: User, at: datetime) -> PastUses:
    """Return the consumer's use of this dataset, then of the provider's others that one may see.

    Five statements, and rows for `SHOWN` grants, however many there are.

    Source: 《政务数据共享条例》第二十五条; house rule (issue 5)
    """
    request = terms.request
    visible = access.rows(actor, "view", Grant, at=at)
    grants = Grant.objects.filter(
        Q(dataset=request.dataset_id) | Q(pk__in=visible.values("pk"), status__in=ALIVE),
        consumer=request.consumer_id,
        provider=request.dataset.department_id,
    )
    since = (at - LOOKED_BACK).date()
    shown = list(_most_telling(grants, terms)[:SHOWN])
    sums: dict[int, Any] = {
        row["grant"]: row
        for row in DailyUse.objects.filter(grant__in=shown, day__gte=since)
        .order_by()
        .values("grant")
        .annotate(all_calls=Sum("calls"), all_rows=Sum("rows"), last=Max("day"), most=Max("calls"))
    }
    seen = set(visible.filter(pk__in=[g.pk for g in shown]).values_list("pk", flat=True))
    used = Exists(DailyUse.objects.filter(grant=OuterRef("pk"), day__gte=since))
    counted = grants.filter(~used, status=Grant.Status.IN_FORCE)
    return PastUses(
        [_use(grant, sums.get(grant.pk, {}), terms, seen) for grant in shown],
        grants.count(),
        counted.count(),
    )


def _most_telling(grants: QuerySet[Grant], terms: Weighed) -> QuerySet[Grant]:
    rank = Case(
        When(dataset=terms.request.dataset_id, system=terms.request.system_id, then=Value(0)),
        When(dataset=terms.request.dataset_id, then=Value(1)),
        When(system=terms.request.system_id, then=Value(2)),
        default=Value(3),
        output_field=IntegerField(),
    )
    return grants.select_related("dataset", "system").order_by(rank, "-pk")


def _use(grant: Grant, sums: Mapping[str, Any], terms: Weighed, seen: set[int]) -> PastUse:
    return PastUse(
        grant=grant,
        is_this_dataset=grant.dataset_id == terms.request.dataset_id,
        calls=int(sums.get("all_calls") or 0),
        rows=int(sums.get("all_rows") or 0),
        last_on=sums.get("last"),
        busiest=int(sums.get("most") or 0),
        may_see=grant.pk in seen,
    )
