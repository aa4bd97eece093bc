"""Points of an entry: a hundred in all, each lost one with its mend."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from apps.catalog import queries, scoring
from apps.catalog.models import DataItem, Dataset, SearchEntry
from apps.catalog.views.editing import PAGES
from tests.factories.accounts import DepartmentFactory, InformationSystemFactory
from tests.factories.catalog import LONG_AGO, DatasetFactory, PublishedDatasetFactory
from tests.factories.standards import CodeListFactory

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 1)


def score(dataset: Dataset, on: date = TODAY) -> scoring.Score:
    return scoring.score_of(dataset, list(dataset.items.all()), on=on)


def whole(**fields: Any) -> Dataset:
    """An entry that loses nothing."""
    dataset: Dataset = DatasetFactory(
        abstract="领取救助的困难群众的基本信息，供民政、教育等部门核对救助资格使用",
        legal_duty="三定规定第三条",
        internal_unit="救助处",
        system=InformationSystemFactory(),
        themes=["救助"],
        **fields,
    )
    dataset.items.update(description="说明", code_list=CodeListFactory())
    return dataset


def test_the_table_gives_a_hundred_points() -> None:
    assert sum(criterion.points for criterion in scoring.LOSSES.values()) == 100


def test_every_mend_has_its_step_in_the_editor() -> None:
    assert {criterion.step for criterion in scoring.LOSSES.values()} <= set(PAGES)


def test_a_whole_entry_loses_nothing() -> None:
    assert score(whole()) == scoring.Score(100, ())


@pytest.mark.parametrize(
    ("kind", "fields", "lost"),
    [
        ("abstract", {"abstract": ""}, 10),
        ("abstract", {"abstract": "短"}, 7),
        ("key", {"key_items": []}, 8),
        ("key", {"key_items": ["nothing"]}, 8),
        ("conditions", {"sharing_condition": ""}, 5),
        ("conditions", {"sharing_attribute": "not_shared"}, 10),
        ("format", {"format_type": "xlsx"}, 5),
        ("mode", {"mode_type": "file"}, 5),
        ("legal_duty", {"legal_duty": " "}, 8),
        ("contact", {"contact_phone": ""}, 3),
        ("internal_unit", {"internal_unit": ""}, 2),
        ("system", {"system": None}, 4),
        ("themes", {"themes": []}, 2),
        ("freshness", {"updated_at": LONG_AGO - timedelta(days=400)}, 4),
        ("freshness", {"updated_at": LONG_AGO - timedelta(days=800)}, 8),
    ],
)
def test_it_names_what_is_lost(kind: str, fields: dict[str, Any], lost: float) -> None:
    dataset = whole()
    for name, value in fields.items():
        setattr(dataset, name, value)
    found = score(dataset)
    assert [(loss.kind, loss.points) for loss in found.losses] == [(kind, lost)]
    assert found.points == round(100 - lost)


@pytest.mark.parametrize(
    ("kind", "fields", "lost"),
    [
        ("item_lengths", {"length": None}, 6),
        ("item_standards", {"code_list": None}, 8),
        ("item_descriptions", {"description": ""}, 3),
    ],
)
def test_items_lose_in_proportion(kind: str, fields: dict[str, Any], lost: float) -> None:
    dataset = whole()
    dataset.items.update(**fields)
    assert [(loss.kind, loss.points) for loss in score(dataset).losses] == [(kind, lost)]
    half = dataset.items.first()
    assert half is not None


def test_an_entry_without_items_loses_what_items_bring() -> None:
    dataset = whole()
    dataset.items.all().delete()
    kinds = {loss.kind for loss in score(dataset).losses}
    assert kinds == {
        "items",
        "key",
        "item_lengths",
        "item_standards",
        "item_descriptions",
        "item_columns",
    }


def test_departments_are_ranked_and_each_count_is_the_list_behind_it(authority: Any) -> None:
    good, poor = DepartmentFactory(name="市甲局"), DepartmentFactory(name="市乙局")
    PublishedDatasetFactory(department=good, legal_duty="有")
    for _ in range(3):
        PublishedDatasetFactory(department=poor, contact_name="", contact_phone="", abstract="")
    rows = queries.quality_by_department(SearchEntry.objects.all())
    assert [row.name for row in rows] == ["市甲局", "市乙局"]
    assert (rows[1].entries, rows[1].losses["abstract"]) == (3, 3)
    assert "legal_duty" not in rows[0].losses
    client = Client()
    client.force_login(authority, backend=settings.AUTHENTICATION_BACKENDS[1])
    page = client.get("/work/catalog-quality/").content.decode()
    assert "?loss=contact&amp;sort=score" in page
    assert f"?department={poor.code}&amp;loss=" in page
    behind = client.get(f"/work/datasets/?department={poor.code}&loss=contact")
    assert behind.context["page"].total == 3


def test_the_entry_page_says_what_is_lost_to_those_who_can_mend_it(provider: Any) -> None:
    dataset = DatasetFactory(department=provider.department, legal_duty="")
    client = Client()
    client.force_login(provider, backend=settings.AUTHENTICATION_BACKENDS[1])
    page = client.get(dataset.get_absolute_url()).content.decode()
    assert f"{score(dataset).points} 分" in page
    assert f"/work/datasets/{dataset.dashed_code}/edit/basics/" in page
    assert DataItem.objects.exists()
