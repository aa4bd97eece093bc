"""The demonstration's rules are asked of its landed records, and what they find is true."""

from datetime import datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from apps.catalog.models import Dataset
from apps.console.demo import catalogue, city, landing, people, quality
from apps.quality.models import Finding, QualityRule, QualityRun, RuleResult, Score, WorkOrder
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
