"""How good departments' catalogues are described, and what they lose points for."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, Count, F, Func, Min, QuerySet

from apps.catalog.models import SearchEntry


@dataclass(frozen=True, slots=True)
class DepartmentQuality:
    """A department's entries: how many, their mean score, how many fall into no good band."""

    code: str
    name: str
    entries: int
    mean: float
    lowest: int
    losses: dict[str, int]


def quality_by_department(entries: QuerySet[SearchEntry]) -> list[DepartmentQuality]:
    """Return the departments with entries among these, the best first. Two statements."""
    lost: dict[int, dict[str, int]] = {}
    kinds: Any = (
        entries.order_by()
        .annotate(kind=Func(F("losses"), function="unnest"))
        .values("department", "kind")
        .annotate(count=Count("pk"))
    )
    for row in kinds:
        lost.setdefault(row["department"], {})[row["kind"]] = row["count"]
    rows: Any = (
        entries.order_by()
        .values("department", "department__code", "department__name", "department__short_name")
        .annotate(count=Count("pk"), mean=Avg("score"), lowest=Min("score"))
        .order_by("-mean", "department__code")
    )
    return [
        DepartmentQuality(
            row["department__code"],
            row["department__short_name"] or row["department__name"],
            row["count"],
            round(row["mean"], 1),
            row["lowest"],
            lost.get(row["department"], {}),
        )
        for row in rows
    ]
