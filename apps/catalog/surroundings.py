"""What the rules of validation need to know beside the entry itself, for one or for many."""

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from apps.accounts.models import InformationSystem
from apps.catalog.models import DatasetAssessment


@dataclass(frozen=True, slots=True)
class Around:
    """What the rules need to know beside the entry itself.

    on: today; systems: significant names of the department's information systems; conclusions: the
    latest conclusion of each kind of assessment.
    """

    on: date
    systems: frozenset[str] = frozenset()
    conclusions: Mapping[str, str] = field(default_factory=dict)


def significant(name: str) -> str:
    """Return what distinguishes a name: no space, no punctuation, one width, one case."""
    plain = unicodedata.normalize("NFKC", name).lower()
    return "".join(letter for letter in plain if letter.isalnum())


def significant_systems(departments: Collection[int]) -> dict[int, frozenset[str]]:
    """Return, per department's key, what distinguishes the names of its information systems."""
    found: dict[int, set[str]] = {}
    systems = InformationSystem.objects.filter(department__in=departments)
    for department, name in systems.values_list("department", "name"):
        found.setdefault(department, set()).add(significant(name))
    return {department: frozenset(names) for department, names in found.items()}


def latest_conclusions(datasets: Collection[int]) -> dict[int, dict[str, str]]:
    """Return, per entry's key, the latest conclusion of each kind of assessment."""
    latest: dict[int, dict[str, str]] = {}
    assessments = DatasetAssessment.objects.filter(dataset__in=datasets)
    rows = assessments.order_by("assessed_on", "pk").values_list("dataset", "kind", "conclusion")
    for dataset, kind, conclusion in rows:
        latest.setdefault(dataset, {})[kind] = conclusion
    return latest
