"""How datasets, departments and stores stand, by indicator, dimension and as a whole.

An indicator's share is the sum of what satisfies over the sum of what was evaluated. A dimension is
the mean of its evaluable indicators; the whole is the weighted mean of the evaluable dimensions,
their weights summing to 1 again. What has no rule that could be evaluated is not evaluable: it is
shown as such, and never counts as 100 %.

Source: GB/T 36344-2018; means and weights are a house rule
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db.models import OuterRef, QuerySet, Subquery, Sum

from apps.accounts.models import Department
from apps.accounts.queries import lineage_of
from apps.catalog.models import Dataset
from apps.quality.models import Dimension, DimensionWeights, Indicator, Score
from apps.warehouse.models import Store

HOUSE_WEIGHTS: Final[Mapping[str, Decimal]] = {
    Dimension.CONFORMITY: Decimal("0.20"),
    Dimension.COMPLETENESS: Decimal("0.20"),
    Dimension.ACCURACY: Decimal("0.25"),
    Dimension.CONSISTENCY: Decimal("0.15"),
    Dimension.TIMELINESS: Decimal("0.15"),
    Dimension.ACCESSIBILITY: Decimal("0.05"),
}
"""Until the authority sets others; house rule."""

Shares = Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class DimensionStanding:
    """A dimension: `ratio` is 0–1, None when it is not evaluable; weight 0–1."""

    dimension: Dimension
    ratio: float | None
    weight: Decimal
    indicators: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return str(self.dimension.label)

    def lines(self) -> list[tuple[str, str, int, int, float]]:
        """Return (indicator, label, satisfied, evaluated, ratio) of what could be evaluated."""
        return [
            (code, str(Indicator(code).label), good, of, good / of)
            for code, (good, of) in sorted(self.indicators.items())
        ]


@dataclass(frozen=True)
class Standing:
    """How something stood on a day; `ratio` is 0–1, None when nothing is evaluable."""

    on: date
    ratio: float | None
    dimensions: list[DimensionStanding]


def weights_on(day: date) -> Mapping[str, Decimal]:
    """Return what each dimension weighs that day, by its number."""
    row = DimensionWeights.objects.filter(valid_from__lte=day).order_by("-valid_from").first()
    if row is None:
        return HOUSE_WEIGHTS
    return {dimension.value: row.of(dimension.value) for dimension in Dimension}


def standing_of(shares: Shares, weights: Mapping[str, Decimal], on: date) -> Standing:
    """Draw dimensions and the whole from (satisfied, evaluated) by indicator."""
    dimensions = []
    for dimension in Dimension:
        own = {code: pair for code, pair in shares.items() if code[:2] == dimension.value}
        ratios = [good / of for good, of in own.values()]
        mean = sum(ratios) / len(ratios) if ratios else None
        dimensions.append(DimensionStanding(dimension, mean, weights[dimension.value], own))
    known = [(float(one.weight), one.ratio) for one in dimensions if one.ratio is not None]
    total = sum(weight for weight, _ratio in known)
    whole = sum(weight * ratio for weight, ratio in known) / total if total else None
    return Standing(on, whole, dimensions)


def scores_on(day: date) -> QuerySet[Score]:
    """Return each dataset's scores as they stood at the end of the day: its last ones till then."""
    last = Score.objects.filter(dataset=OuterRef("dataset"), on__lte=day).order_by("-on")
    return Score.objects.filter(on=Subquery(last.values("on")[:1]))


def standing_of_dataset(dataset: Dataset, on: date) -> Standing | None:
    """Return how a dataset stood that day; None when it was never scored."""
    last = Score.objects.filter(dataset=dataset, on__lte=on).order_by("-on").first()
    if last is None:
        return None
    rows = Score.objects.filter(dataset=dataset, on=last.on)
    return standing_of(_shares(rows), weights_on(on), last.on)


def standing_of_department(department: Department, on: date) -> Standing:
    """Return how a department's datasets stood together, with those it took over."""
    rows = scores_on(on).filter(department__in=lineage_of(department))
    return standing_of(_shares(rows), weights_on(on), on)


def standing_of_store(store: Store, on: date) -> Standing:
    """Return how the datasets whose tables lie in the store stood together."""
    rows = scores_on(on).filter(dataset__data_table__store=store)
    return standing_of(_shares(rows), weights_on(on), on)


def standing_of_all(on: date) -> Standing:
    return standing_of(_shares(scores_on(on)), weights_on(on), on)


def standings_by_dataset(datasets: Iterable[Dataset], on: date) -> dict[int, Standing]:
    """Return the standing of each dataset that was scored, by its key, for lists."""
    return _grouped(scores_on(on).filter(dataset__in=[one.pk for one in datasets]), "dataset", on)


def standings_by_department(on: date) -> dict[int, Standing]:
    """Return the standing of each department that has scored datasets, by its key."""
    return _grouped(scores_on(on), "department", on)


def standings_by_store(on: date) -> dict[int, Standing]:
    """Return the standing of each store that has scored datasets, by its key."""
    return _grouped(scores_on(on), "dataset__data_table__store", on)


def history_of(rows: QuerySet[Score], *, begin: date, end: date) -> list[Standing]:
    """Return the standing of these scores together on each day that has some, oldest first.

    Every dataset is scored every night, so a day has all of them. rows: `Score.objects.filter(…)`
    by dataset, department or store.
    """
    by_day: dict[date, dict[str, tuple[int, int]]] = defaultdict(dict)
    found = rows.filter(on__gte=begin, on__lte=end).order_by("on", "indicator")
    for row in _summed(found, "on", "indicator"):
        by_day[row["on"]][row["indicator"]] = (row["good"], row["of"])
    # Weights change seldom; each day keeps those that were in force.
    return [standing_of(shares, weights_on(day), day) for day, shares in by_day.items()]


def history_of_dataset(dataset: Dataset, *, on: date, days: int = 90) -> list[Standing]:
    rows = Score.objects.filter(dataset=dataset)
    return history_of(rows, begin=on - timedelta(days=days), end=on)


def _grouped(rows: QuerySet[Score], name: str, on: date) -> dict[int, Standing]:
    shares: dict[int, dict[str, tuple[int, int]]] = defaultdict(dict)
    for row in _summed(rows, name, "indicator"):
        if row[name] is not None:
            shares[row[name]][row["indicator"]] = (row["good"], row["of"])
    weights = weights_on(on)
    return {key: standing_of(found, weights, on) for key, found in shares.items()}


def _shares(rows: QuerySet[Score]) -> dict[str, tuple[int, int]]:
    return {row["indicator"]: (row["good"], row["of"]) for row in _summed(rows, "indicator")}


def _summed(rows: QuerySet[Score], *names: str) -> Iterable[dict[str, Any]]:
    grouped: Any = rows.order_by(*names).values(*names)
    summed: Iterable[dict[str, Any]] = grouped.annotate(
        good=Sum("numerator"), of=Sum("denominator")
    )
    return summed
