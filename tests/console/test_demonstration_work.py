"""A small city lives through its year by the demonstration's own plans, and shows every status."""

from datetime import datetime
from typing import Any, Final

import pytest
from django.core.management import call_command
from django.utils import timezone

from apps.catalog.models import (
    CatalogImport,
    ChangeStatus,
    Dataset,
    DatasetChange,
    Demand,
    DemandStatus,
    Duplicate,
    UpperRequest,
    UpwardPackage,
)
from apps.console.demo import (
    catalogue,
    changes,
    city,
    demands,
    landing,
    people,
    sources,
    tasks,
    upward,
)
from apps.supervision.models import ReturnStatus, TaskReturn, WorkTask

NAMED: Final = {
    *(wish.dataset for wish in demands.WISHES),
    *(plan.dataset for plan in changes.CHANGES),
    *(shape for shape, _name, _is_out in changes.WITHDRAWALS),
    *(name for name, _rows, _dirty in landing.LANDED),
}


@pytest.fixture
def small_city(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """People and systems as in the demonstration, and the entries that the plans speak of."""
    names = sorted((settings.BASE_DIR / "fixtures" / "reference").glob("*.json"))
    call_command("loaddata", *map(str, names), verbosity=0)
    chosen = [plan for plan in city.datasets() if plan.name in NAMED or plan.sequence == 1]
    monkeypatch.setattr(catalogue, "datasets", lambda: chosen)
    at = timezone.now()
    people.load_people(at=at)
    catalogue.load_catalogue(at=at)
    return at


def test_the_city_shows_demands_changes_duplicates_tasks_and_reports_in_every_status(
    small_city: datetime,
) -> None:
    for load in (
        demands.load_demands,
        changes.load_changes,
        sources.load_sources,
        tasks.load_tasks,
        upward.load_upward,
    ):
        first = load(at=small_city)
        assert first == load(at=small_city), "a second run finds everything there"
    assert set(Demand.objects.values_list("status", flat=True)) == set(DemandStatus)
    assert set(DatasetChange.objects.values_list("status", flat=True)) == set(ChangeStatus)
    assert {"withdrawal_requested", "withdrawn"} <= set(
        Dataset.objects.values_list("status", flat=True)
    )
    returns = set(TaskReturn.objects.values_list("status", flat=True))
    assert returns == set(ReturnStatus) - {"excused"}
    assert set(WorkTask.objects.values_list("status", flat=True)) == {"draft", "issued", "closed"}
    assert CatalogImport.objects.get().status == "checked"
    assert UpwardPackage.objects.get().status == "receipted"
    assert UpperRequest.objects.count() == len(upward.REQUESTS)


def test_every_pair_of_the_radar_is_of_two_departments(small_city: datetime) -> None:
    sources.load_sources(at=small_city)
    for pair in Duplicate.objects.select_related("first", "second"):
        assert pair.first.department_id != pair.second.department_id
        assert pair.evidence["items"]
