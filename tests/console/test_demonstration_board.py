"""The demonstration's board: what it shows came about, and departments differ for true reasons."""

from datetime import datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from apps.accounts.models import Department, User
from apps.catalog.models import LegalDuty
from apps.console.demo import catalogue, city, duties, landing, people
from apps.supervision.queries import board
from apps.warehouse.freshness import DAYS

EARLY, LATE = "D008", "D061"


@pytest.fixture
def two_departments(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """A department of which the catalogue has entries of every kind, and one that came late."""
    names = sorted((settings.BASE_DIR / "fixtures" / "reference").glob("*.json"))
    call_command("loaddata", *map(str, names), verbosity=0)
    chosen = [plan for plan in city.datasets() if plan.department in (EARLY, LATE)]
    monkeypatch.setattr(catalogue, "datasets", lambda: chosen)
    at = timezone.now()
    people.load_people(at=at)
    catalogue.load_catalogue(at=at)
    return at


def test_a_duty_in_law_lacks_an_entry_only_where_the_catalogue_has_none_of_its_kind(
    two_departments: datetime,
) -> None:
    duties._load_law(User.objects.get(username="authority"), two_departments)
    figures = board.figures_by_department(two_departments)
    topics = {plan.code: plan.topics for plan in city.departments()}
    kinds = {(plan.topic, plan.name.removeprefix(plan.topic)) for plan in city.datasets()}
    for code in (EARLY, LATE):
        found = figures[Department.objects.get(code=code).pk]
        rewarded = topics[code][::3]
        unrewarded = [topic for topic in rewarded if (topic, "奖惩信息") not in kinds]
        certified = [topic for topic in topics[code] if city.subject_of(topic) == "certificate"]
        lacking = (found["legal_duties"], found["service_items"])
        assert lacking == (len(unrewarded), len(certified)), code
    assert LegalDuty.objects.filter(department__code=LATE, kind="reward").exists()
    assert figures[Department.objects.get(code=LATE).pk]["legal_duties"] > 0


def test_what_departments_began_with_weeks_ago_is_still_fresh() -> None:
    begun = landing.first_deliveries()
    assert len({plan.department for plan in begun}) == len(begun) > 20
    assert max(landing.BEGINNINGS) < min(DAYS[cycle] for cycle in landing.SLOW)  # type: ignore[index]
    assert {plan.name for plan in begun}.isdisjoint(name for name, _rows, _dirty in landing.LANDED)
