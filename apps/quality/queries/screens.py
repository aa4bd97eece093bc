"""What the pages of quality show, each only of what the person may see."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Sum
from django.http import QueryDict

from apps.accounts.models import Department, User
from apps.catalog.models import DataItem, Dataset
from apps.core import access
from apps.quality.models import (
    Dimension,
    DimensionWeights,
    Finding,
    QualityRule,
    RuleResult,
    Score,
    WorkOrder,
)
from apps.quality.models.findings import LIVE_ORDERS
from apps.quality.queries import scores
from apps.quality.queries.scores import Standing
from apps.warehouse.models import DataTable, Store

TREND_DAYS: Final = 90
ORDER_POINTS: Final = 40


@dataclass(frozen=True)
class Ranked:
    """One department, store or dataset of a ranking; `place` is None where it has no score."""

    place: int | None
    subject: Any
    standing: Standing
    datasets: int


@dataclass(frozen=True)
class OrderPoint:
    """What the rule of an order found in one run: `failed` of `evaluated`."""

    run_id: int
    at: Any
    failed: int
    evaluated: int
    basis: str


def visible_scores(actor: User, at: Any = None) -> QuerySet[Score]:
    return access.rows(actor, "view", Score, at=at)


def narrowed(rows: QuerySet[Any], query: QueryDict, *, dataset: str = "dataset") -> QuerySet[Any]:
    """Keep what the address asks for: of a department, a store, a dataset, by their codes."""
    if code := query.get("department"):
        rows = rows.filter(**{f"{dataset}__department__code": code})
    if code := query.get("store"):
        rows = rows.filter(**{f"{dataset}__data_table__store__code": code})
    if code := query.get("dataset"):
        rows = rows.filter(**{f"{dataset}__code": code.replace("-", "/")})
    return rows


def current(rows: QuerySet[Score], on: date) -> QuerySet[Score]:
    """Keep of each dataset the scores of its last day till then.

    Nearly always that is one day for all, as every dataset is scored every night; so the days are
    looked up first, instead of asking of each of a year's scores whether a later one follows.
    """
    last_days = rows.filter(on__lte=on).order_by().values_list("dataset").annotate(Max("on"))
    by_day: dict[date, list[int]] = defaultdict(list)
    for dataset, day in last_days:
        by_day[day].append(dataset)
    if len(by_day) == 1:
        return rows.filter(on__in=by_day)
    wanted = Q(pk__in=[])
    for day, datasets in by_day.items():
        wanted |= Q(on=day, dataset__in=datasets)
    return rows.filter(wanted)


def standing_of_scores(present: QuerySet[Score], on: date) -> Standing:
    """Return how the `current` scores of a day stand together."""
    return scores.standing_of(_shares(present), scores.weights_on(on), on)


def trend_of(rows: QuerySet[Score], on: date) -> list[Standing]:
    """Return the standings of these scores together over the last ninety days, in two statements.

    Each day by the weights that were in force on it.
    """
    by_day: dict[date, dict[str, tuple[int, int]]] = defaultdict(dict)
    shown = rows.filter(on__gt=on - timedelta(days=TREND_DAYS), on__lte=on)
    for day, indicator, good, of in _summed(shown, "on", "indicator"):
        by_day[day][indicator] = (good, of)
    known = list(DimensionWeights.objects.filter(valid_from__lte=on).order_by("-valid_from"))
    return [scores.standing_of(by_day[day], _weights_of(day, known), day) for day in sorted(by_day)]


def _weights_of(day: date, known: Sequence[DimensionWeights]) -> Mapping[str, Decimal]:
    """Return what each dimension weighed that day; `known`: the latest first."""
    for row in known:
        if row.valid_from <= day:
            return {dimension.value: row.of(dimension.value) for dimension in Dimension}
    return scores.HOUSE_WEIGHTS


RANKED_BY: Final[dict[str, tuple[str, type[Any]]]] = {
    "department": ("dataset__department", Department),
    "store": ("dataset__data_table__store", Store),
    "dataset": ("dataset", Dataset),
}


def ranking(present: QuerySet[Score], by: str, on: date, *, dimension: str = "") -> list[Ranked]:
    """Rank departments, stores or datasets by the whole or by one dimension, best first.

    What cannot be evaluated has no place and stands last.
    """
    path, model = RANKED_BY[by]
    placed = present.exclude(**{path: None}).order_by()
    counts = dict(placed.values_list(path).annotate(Count("dataset", distinct=True)))
    standings = standings_of(present, by, on)
    subjects = model._default_manager.filter(pk__in=standings)
    if by == "dataset":
        subjects = subjects.select_related("department")
    valued = [(_value(standings[one.pk], dimension), one, standings[one.pk]) for one in subjects]
    valued.sort(key=lambda one: (one[0] is None, -(one[0] or 0), str(one[1])))
    ranked: list[Ranked] = []
    place, before = 0, None
    for number, (value, subject, standing) in enumerate(valued, 1):
        if value is not None and value != before:
            place, before = number, value
        ranked.append(
            Ranked(None if value is None else place, subject, standing, counts[subject.pk])
        )
    return ranked


def standings_of(present: QuerySet[Score], by: str, on: date) -> dict[int, Standing]:
    """Return the standing of each department, store or dataset among the scores, by its key."""
    path, _model = RANKED_BY[by]
    shares: dict[int, dict[str, tuple[int, int]]] = defaultdict(dict)
    for key, indicator, good, of in _summed(present.exclude(**{path: None}), path, "indicator"):
        shares[key][indicator] = (good, of)
    weights = scores.weights_on(on)
    return {key: scores.standing_of(found, weights, on) for key, found in shares.items()}


def _value(standing: Standing, dimension: str) -> float | None:
    if not dimension:
        return standing.ratio
    return next(
        (one.ratio for one in standing.dimensions if one.dimension.value == dimension), None
    )


def stores_seen(actor: User, at: Any = None) -> QuerySet[Store]:
    """Return the stores that hold a table of a dataset whose quality the person may see."""
    measured = access.rows(actor, "view_quality", Dataset, at=at).values("pk")
    tables = DataTable.objects.filter(dataset__in=measured)
    return Store.objects.filter(pk__in=tables.values("store"))


def departments_seen(actor: User, at: Any = None) -> QuerySet[Department]:
    """Return the departments of the datasets that have rules, as far as the person may see them."""
    measured = access.rows(actor, "view_quality", Dataset, at=at)
    ruled = measured.filter(Exists(QualityRule.objects.filter(dataset=OuterRef("pk"))))
    found: QuerySet[Department] = Department.objects.filter(
        pk__in=ruled.order_by().values("department")
    )
    return found.order_by("code")


def open_findings_by_rule(rules: Iterable[QualityRule]) -> dict[int, int]:
    """Count the rows that fail now by each of the rules."""
    rows = Finding.objects.filter(
        rule__in=[rule.pk for rule in rules], status__in=("open", "disputed")
    )
    return dict(rows.order_by().values_list("rule").annotate(Count("pk")))


def live_orders_by_rule(rules: Iterable[QualityRule]) -> dict[int, WorkOrder]:
    rows = WorkOrder.objects.filter(rule__in=[rule.pk for rule in rules], status__in=LIVE_ORDERS)
    return {order.rule_id: order for order in rows}


def results_over_time(order: WorkOrder) -> list[OrderPoint]:
    """Return what the order's rule found in its last runs, oldest first."""
    rows = (
        RuleResult.objects.filter(rule=order.rule_id, evaluated__isnull=False, run__status="done")
        .select_related("run")
        .order_by("-run_id", "basis")[: 2 * ORDER_POINTS]
    )
    by_run: dict[int, OrderPoint] = {}
    for row in rows:
        kept = by_run.get(row.run_id)
        if kept is None or row.basis == order.basis:
            by_run[row.run_id] = OrderPoint(
                row.run_id, row.run.started_at, row.failed or 0, row.evaluated or 0, row.basis
            )
    return [by_run[key] for key in sorted(by_run)][-ORDER_POINTS:]


def results_of_rule(rule: QualityRule, *, most: int = 20) -> list[RuleResult]:
    """Return what the rule found in its latest finished runs, the newest first."""
    return list(
        RuleResult.objects.filter(rule=rule, run__status="done")
        .select_related("run__batch")
        .order_by("-run_id", "basis")[:most]
    )


def _shares(rows: QuerySet[Score]) -> dict[str, tuple[int, int]]:
    return {indicator: (good, of) for indicator, good, of in _summed(rows, "indicator")}


def _summed(rows: QuerySet[Score], *names: str) -> Sequence[tuple[Any, ...]]:
    grouped = rows.order_by(*names).values(*names)
    summed = grouped.annotate(good=Sum("numerator"), of=Sum("denominator"))
    return [tuple(row[name] for name in (*names, "good", "of")) for row in summed]


def labels_by_dataset(datasets: Iterable[int]) -> dict[int, dict[str, str]]:
    """Return column → Chinese name of the items of several datasets, in one statement."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    items = DataItem.objects.filter(dataset__in=list(datasets))
    for dataset, column, name in items.values_list("dataset", "column_name", "name"):
        found[dataset][column] = name
    return found
