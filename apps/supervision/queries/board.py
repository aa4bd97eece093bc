"""The responsibility board: per department, what was promised and what came of it.

Its number of statements is fixed: one for all figures of duties, one per other column, one for the
departments, one for the trend.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.db.models import Count, QuerySet
from django.utils import timezone

from apps.accounts.models import Department
from apps.supervision.models import BoardDay
from apps.supervision.queries.findings import COLUMNS, duty_facts

TREND_DAYS: Final = 90
KEYS: Final = tuple(column.key for column in COLUMNS)
Figures = dict[str, int]
_FLAGS: Final = ("is_connected", "is_missing", "is_lacking", "is_short", "is_stale")
_COUNT: Final = """
SELECT department_id, count(*),
  count(*) FILTER (WHERE NOT (is_connected OR is_missing OR is_lacking OR is_short OR is_stale)),
  count(*) FILTER (WHERE is_connected),
  count(*) FILTER (WHERE is_missing), count(*) FILTER (WHERE is_lacking),
  count(*) FILTER (WHERE is_short), count(*) FILTER (WHERE is_stale),
  count(*) FILTER (
    WHERE due_on < %s AND (is_missing OR is_lacking OR is_short OR is_stale))
FROM ({facts}) AS facts GROUP BY department_id
"""
_COUNTED: Final = (
    "promised",
    "kept",
    "connected",
    "missing",
    "lacking",
    "short",
    "stale",
    "overdue",
)


@dataclass(frozen=True)
class Line:
    """One department of the board; `trend` is the share of promises kept, day by day (0–1)."""

    department: Department | None
    figures: Figures
    trend: list[tuple[date, float]] = field(default_factory=list)

    @property
    def kept_ratio(self) -> float | None:
        promised = self.figures["promised"]
        return self.figures["kept"] / promised if promised else None

    @property
    def gaps(self) -> int:
        """How many things are wanting, each counted in its column."""
        return sum(self.figures[column.key] for column in COLUMNS if column.is_gap)


@dataclass(frozen=True)
class Board:
    """The lines, the worst first, and their sum."""

    lines: list[Line]
    total: Line


def board(at: datetime, *, with_trend: bool = True) -> Board:
    """Return the board as it stands."""
    figures = figures_by_department(at)
    departments = Department.objects.in_bulk(figures)
    trends = _trends(at) if with_trend else {}
    lines = [
        Line(departments[key], counted, trends.get(key, [])) for key, counted in figures.items()
    ]
    lines.sort(key=_worst_first)
    total = _sum(figures.values())
    return Board(lines, Line(None, total, trends.get(None, [])))


def figures_by_department(at: datetime) -> dict[int, Figures]:
    """Return every figure of every department that has any, by the department's key."""
    found: dict[int, Figures] = {}
    for key, values in _duty_figures(at):
        found.setdefault(key, _nothing()).update(values)
    for column in COLUMNS:
        if column.kind == "duty":
            continue
        for key, count in _counted(column.rows(at)):
            found.setdefault(key, _nothing())[column.key] = count
    return found


def _duty_figures(at: datetime) -> Iterable[tuple[int, Figures]]:
    facts = duty_facts(at).order_by().values("department_id", "due_on", *_FLAGS)
    text, parameters = facts.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_COUNT.format(facts=text), [timezone.localdate(at), *parameters])
        return [(row[0], dict(zip(_COUNTED, row[1:], strict=True))) for row in cursor.fetchall()]


def _counted(rows: QuerySet[Any]) -> Iterable[tuple[int, int]]:
    found: Any = rows.order_by().values_list("department_id").annotate(Count("pk"))
    return found  # type: ignore[no-any-return]


def _trends(at: datetime) -> dict[int | None, list[tuple[date, float]]]:
    """The share kept of each department and, under None, of the city, oldest day first."""
    since = timezone.localdate(at) - timedelta(days=TREND_DAYS)
    trends: dict[int | None, list[tuple[date, float]]] = {}
    city: dict[date, Figures] = {}
    rows = BoardDay.objects.filter(day__gt=since).order_by("day")
    for key, day, figures in rows.values_list("department_id", "day", "figures"):
        if figures.get("promised"):
            trends.setdefault(key, []).append((day, figures["kept"] / figures["promised"]))
            city[day] = _sum([city.get(day, _nothing()), figures])
    trends[None] = [(day, sums["kept"] / sums["promised"]) for day, sums in city.items()]
    return trends


def _worst_first(line: Line) -> tuple[float, int, str]:
    ratio = line.kept_ratio
    code = line.department.code if line.department else ""
    return (2.0 if ratio is None else ratio, -line.gaps, code)


def _nothing() -> Figures:
    return dict.fromkeys(KEYS, 0)


def _sum(many: Iterable[Mapping[str, int]]) -> Figures:
    total = _nothing()
    for figures in many:
        for key in KEYS:
            total[key] += figures.get(key, 0)
    return total
