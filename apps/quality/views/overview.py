"""How good the data is that this person answers for, by dimension, over time, and ranked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department
from apps.core.paging import page_of_list
from apps.quality.models import Dimension, Indicator
from apps.quality.queries import screens
from apps.quality.queries.scores import DimensionStanding, Standing
from apps.quality.views.drawing import Chart, line_of
from apps.quality.wording import MEANINGS
from apps.warehouse.models import Store

RANKINGS: Final[dict[str, str | Promise]] = {
    "department": _("按部门"),
    "store": _("按数据库"),
    "dataset": _("按数据目录"),
}
RANKED_ROWS: Final = 50
TREND_ROWS: Final = 14


@dataclass(frozen=True)
class IndicatorLine:
    """One indicator with its fraction; `of` is 0 where it cannot be evaluated."""

    code: str
    label: str
    meaning: str | Promise
    good: int
    of: int

    @property
    def ratio(self) -> float | None:
        return self.good / self.of if self.of else None


@dataclass(frozen=True)
class DimensionLine:
    """A dimension with its evaluable indicators; `good` and `of` only where one speaks alone."""

    standing: DimensionStanding
    indicators: list[IndicatorLine]

    @property
    def weight(self) -> float:
        return float(self.standing.weight)


@dataclass(frozen=True)
class Scope:
    """What the page speaks of, and where to go back to everything."""

    label: str
    is_narrow: bool


@login_required
def overview(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    at = timezone.now()
    on = timezone.localdate(at)
    query = request.GET
    departments = list(screens.departments_seen(user, at))
    by = query.get("by", "")
    if by not in RANKINGS:
        by = "department" if len(departments) > 1 and not query.get("department") else "dataset"
    chosen = query.get("dimension", "")
    dimension = chosen if chosen in Dimension.values else ""
    rows = screens.narrowed(screens.visible_scores(user, at), query)
    present = screens.current(rows, on)
    whole = screens.standing_of_scores(present, on)
    is_lowest_first = query.get("order") == "low"
    ranked = screens.ranking(present, by, on, dimension=dimension)
    if is_lowest_first:
        ranked.sort(key=lambda one: (one.place is None, -(one.place or 0)))
    trend = screens.trend_of(rows, on)
    stores = list(screens.stores_seen(user, at))
    context = {
        "whole": whole,
        "dimensions": dimension_lines(whole),
        "trend": trend_chart(trend),
        "trend_rows": trend_rows(trend),
        "by": by,
        "rankings": RANKINGS.items(),
        "dimension": dimension,
        "direction": "ascending" if is_lowest_first else "descending",
        "other_order": "" if is_lowest_first else "low",
        "page": page_of_list(ranked, query, size=RANKED_ROWS),
        "columns": [(one.value, one.label) for one in Dimension],
        "departments": departments if len(departments) > 1 else [],
        "stores": stores if len(stores) > 1 else [],
        "scope": _scope(request, departments, stores),
        "rules_url": _rules_url(query),
    }
    return render(request, "quality/overview.html", context)


def dimension_lines(standing: Standing) -> list[DimensionLine]:
    """Return the six dimensions, each with its indicators that could be evaluated."""
    return [
        DimensionLine(one, [_line(code, pair) for code, pair in sorted(one.indicators.items())])
        for one in standing.dimensions
    ]


def trend_chart(trend: Sequence[Standing]) -> Chart | None:
    values = [
        (one.on, one.ratio, f"{one.on} {one.ratio:.1%}" if one.ratio is not None else "")
        for one in trend
    ]
    return line_of(values, top=1.0, top_words="100%")


def trend_rows(trend: Sequence[Standing]) -> list[Standing]:
    """Return the last days for the table, the newest first."""
    return list(reversed(trend))[:TREND_ROWS]


def _line(code: str, pair: tuple[int, int]) -> IndicatorLine:
    return IndicatorLine(code, str(Indicator(code).label), MEANINGS[code], *pair)


def _rules_url(query: QueryDict) -> str:
    """Where the rules of what the page speaks of are listed; an indicator is appended."""
    kept = {name: query[name] for name in ("department", "store") if query.get(name)}
    return f"{reverse('quality:rules')}?{urlencode({**kept, 'indicator': ''})}"


def _scope(
    request: HttpRequest, departments: Sequence[Department], stores: Sequence[Store]
) -> Scope:
    user: Any = request.user
    names = [
        *(str(one) for one in departments if one.code == request.GET.get("department")),
        *(str(one) for one in stores if one.code == request.GET.get("store")),
    ]
    if names:
        return Scope(" · ".join(names), is_narrow=True)
    if len(departments) == 1:
        return Scope(str(departments[0]), is_narrow=False)
    is_overseer = user.holds("authority_officer", "authority_leader", "audit_admin")
    return Scope(str(_("全市") if is_overseer else _("本部门")), is_narrow=False)
