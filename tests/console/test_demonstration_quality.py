"""The demonstration's rules are asked of its landed records, and what they find is true."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from apps.catalog.models import Dataset
from apps.console.demo import catalogue, city, landing, people, quality
from apps.quality.models import Finding, QualityRule, QualityRun, RuleResult, Score, WorkOrder
from apps.quality.queries.scores import standings_by_department
from apps.warehouse import operations as warehouse

POPULATION = "户籍人口基本信息"
ROWS = 400


@pytest.fixture
def landed_city(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The tables that the plans speak of, with a few hundred records each."""
    names = sorted((settings.BASE_DIR / "fixtures" / "reference").glob("*.json"))
    call_command("loaddata", *map(str, names), verbosity=0)
    spoken_of = {*(plan.dataset for plan in quality.RULES), POPULATION}
    chosen = [plan for plan in city.datasets() if plan.name in spoken_of]
    monkeypatch.setattr(catalogue, "datasets", lambda: chosen)
    few = [(name, ROWS, dirty) for name, _rows, dirty in landing.LANDED if name in spoken_of]
    monkeypatch.setattr(landing, "LANDED", few)
    at = timezone.now()
    people.load_people(at=at)
    catalogue.load_catalogue(at=at)
    warehouse.ensure_stores(at=at)
    landing.load_records(at=at, progress=lambda line: None)
    return at


def test_the_city_shows_rules_of_every_kind_findings_and_orders(landed_city: datetime) -> None:
    said: list[str] = []
    found = quality.load_quality(at=landed_city, progress=said.append)
    assert said
    added = QualityRule.objects.filter(origin="added")
    assert added.count() == len(quality.RULES)
    assert set(added.values_list("kind", flat=True)) >= {
        "required", "length", "range", "pattern", "code_list", "identifier", "cross_column",
        "cross_table", "unique", "population", "reference_in_time",
    }  # fmt: skip
    assert set(QualityRun.objects.values_list("status", flat=True)) == {"done"}
    assert found == Finding.objects.filter(status="open").count() > 0
    assert {"in_mending", "contested", "open"} <= set(
        WorkOrder.objects.values_list("status", flat=True)
    )
    assert Score.objects.exists()
    runs = QualityRun.objects.count()
    assert quality.load_quality(at=landed_city, progress=said.append) == found
    assert QualityRun.objects.count() == runs, "a second run finds everything there"


def test_what_is_shown_was_counted_in_the_records(landed_city: datetime) -> None:
    quality.load_quality(at=landed_city, progress=lambda line: None)
    rule = QualityRule.objects.get(name="登记日期不早于出生日期")
    table = Dataset.objects.get(name=quality.ALLOWANCE).data_table
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT count(*) FROM "{table.schema}"."{table.name}" WHERE registered_on < birth_date'
        )
        (counted,) = cursor.fetchone()
    result = RuleResult.objects.filter(rule=rule).latest("pk")
    assert (result.failed, result.evaluated) == (counted, table.row_count)


def test_scores_come_about_day_by_day_and_most_lapses_are_mended(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = sorted((settings.BASE_DIR / "fixtures" / "reference").glob("*.json"))
    call_command("loaddata", *map(str, names), verbosity=0)
    begun = landing.first_deliveries()[:9]
    steady = landing._small_datasets()[landing.STEADY]
    monkeypatch.setattr(catalogue, "datasets", lambda: [*begun, steady])
    monkeypatch.setattr(landing, "first_deliveries", lambda: begun)
    at = timezone.now()
    people.load_people(at=at)
    catalogue.load_catalogue(at=at)
    warehouse.ensure_stores(at=at)
    assert landing.load_beginnings(at=at) == len(begun)
    today = timezone.localdate(at)
    days = sorted(set(Score.objects.values_list("on", flat=True)))
    first = max(days_ago for days_ago in landing.BEGINNINGS[1:])
    assert days == [today - timedelta(days=ago) for ago in range(first, 0, -1)]
    ratios = {
        round(found.ratio or 0, 4)
        for found in standings_by_department(today - timedelta(days=1)).values()
    }
    assert len(ratios) > 3, "departments differ"
    assert min(ratios) > 0.8
    lacking = [number for number in range(len(begun)) if landing.LAPSES[number]]
    assert WorkOrder.objects.count() == len(lacking) + 1
    falling = WorkOrder.objects.get(dataset__name=steady.name)
    failed = RuleResult.objects.filter(rule=falling.rule, basis="landed").order_by("run_id")
    assert list(failed.values_list("failed", flat=True)) == [
        landing.STEADY_ROWS // every for every in landing.BETTER
    ]
    assert falling.failed == landing.STEADY_ROWS // landing.BETTER[-1]
    closed = WorkOrder.objects.filter(status="closed")
    assert 0 < closed.count() < len(lacking)
    for order in closed.select_related("opened_by_run", "closed_by_batch"):
        assert order.closed_by_batch is not None
        assert order.closed_at is not None
        assert order.opened_at < order.closed_by_batch.received_at <= order.closed_at
    assert landing.load_beginnings(at=at) == len(begun)
    assert Score.objects.filter(on=days[-1]).exists()
