"""What the public portal tells about the city's data."""

from dataclasses import dataclass

from django.db.models import Count, Q

from apps.accounts.models import InformationSystem
from apps.catalog.models import Dataset


@dataclass(frozen=True)
class CityFigures:
    """Published entries by attribute and cycle, and who provides them."""

    datasets: int
    unconditional: int
    conditional: int
    realtime: int
    periodic: int
    opened: int
    departments: int
    systems: int
    by_department: list[tuple[str, int]]


def city_figures() -> CityFigures:
    """Count what is published now, in three statements."""
    published = Dataset.objects.published()
    counts = published.aggregate(
        all=Count("pk"),
        unconditional=Count("pk", filter=Q(sharing_attribute="unconditional")),
        conditional=Count("pk", filter=Q(sharing_attribute="conditional")),
        realtime=Count("pk", filter=Q(update_cycle="realtime")),
        departments=Count("department", distinct=True),
        opened=Count("pk", filter=~Q(opening_attribute="not_opened")),
    )
    by_department = (
        published.values_list("department__name").annotate(n=Count("pk")).order_by("-n")[:8]
    )
    return CityFigures(
        datasets=counts["all"],
        unconditional=counts["unconditional"],
        conditional=counts["conditional"],
        realtime=counts["realtime"],
        periodic=counts["all"] - counts["realtime"],
        opened=counts["opened"],
        departments=counts["departments"],
        systems=InformationSystem.objects.count(),
        by_department=[(name, number) for name, number in by_department],
    )
