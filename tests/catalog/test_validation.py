"""Every remark: what brings it about, and that the same entry without it is clean."""

from datetime import date
from typing import Any

import pytest

from apps.catalog import validation
from apps.catalog.models import Dataset
from apps.catalog.surroundings import significant
from tests.factories.accounts import InformationSystemFactory
from tests.factories.catalog import DatasetAssessmentFactory, DatasetFactory

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 18)


@pytest.fixture
def clean() -> Dataset:
    """An entry about which nothing is to be said."""
    dataset: Dataset = DatasetFactory(name="困难群众救助信息", legal_duty="社会救助")
    DatasetAssessmentFactory(dataset=dataset)
    DatasetAssessmentFactory(dataset=dataset, kind="personal_information")
    assert validation.remarks_on(dataset, on=TODAY) == []
    return dataset


def said(dataset: Dataset) -> set[tuple[str, str, str]]:
    return {
        (remark.level, remark.field, remark.item)
        for remark in validation.remarks_on(dataset, on=TODAY)
    }


@pytest.mark.parametrize(
    ("changes", "remark"),
    [
        ({"name": "困难群众救助管理系统"}, ("error", "name", "")),
        ({"name": "困难群众救助信息2"}, ("warning", "name", "")),
        ({"abstract": " "}, ("error", "abstract", "")),
        ({"abstract": "困难群众、救助信息"}, ("warning", "abstract", "")),
        ({"format_type": ""}, ("error", "format_type", "")),
        ({"format_type": "xlsx"}, ("error", "format_type", "")),
        ({"format_class": "spreadsheet", "format_type": "xlsx"}, ("error", "mode_type", "")),
        ({"mode_type": "file"}, ("error", "mode_type", "")),
        ({"mode_type": ""}, ("error", "mode_type", "")),
        ({"mode_class": "disk"}, ("error", "mode_type", "")),
        ({"sharing_scope": ""}, ("error", "sharing_scope", "")),
        ({"sharing_condition": " "}, ("error", "sharing_condition", "")),
        (
            {"sharing_attribute": "not_shared", "sharing_statute": "某法第一条"},
            ("error", "sharing_reason", ""),
        ),
        (
            {"sharing_attribute": "not_shared", "sharing_reason": "涉密"},
            ("error", "sharing_statute", ""),
        ),
        ({"opening_attribute": "conditional"}, ("error", "opening_condition", "")),
        ({"opening_attribute": "unconditional"}, ("error", "opening_attribute", "")),
        ({"release_on": date(2026, 11, 19)}, ("error", "release_on", "")),
        ({"holds_no_secrets": False}, ("error", "holds_no_secrets", "")),
        ({"grade": "1"}, ("error", "grade", "")),
        ({"sharing_attribute": "unconditional"}, ("error", "sharing_attribute", "")),
        ({"sharing_attribute": "unconditional", "grade": "2"}, ("warning", "grade", "")),
        ({"grade": "4", "opening_attribute": "conditional"}, ("error", "opening_attribute", "")),
        ({"contact_phone": ""}, ("warning", "contact_name", "")),
        ({"legal_duty": ""}, ("warning", "legal_duty", "")),
        ({"key_items": []}, ("error", "key_items", "")),
        ({"key_items": ["nobody"]}, ("error", "key_items", "")),
        ({"key_items": ["amount"]}, ("error", "key_items", "")),
        ({"key_items": ["identity_number", "identity_number"]}, ("error", "key_items", "")),
        (
            {"contains_personal": False, "contains_sensitive": False},
            ("error", "contains_sensitive", ""),
        ),
    ],
)
def test_it_says_what_is_wrong_with_the_entry(
    clean: Dataset, changes: dict[str, Any], remark: tuple[str, str, str]
) -> None:
    Dataset.objects.filter(pk=clean.pk).update(**changes)
    clean.refresh_from_db()
    assert remark in said(clean)


@pytest.mark.parametrize(
    ("column", "changes", "remark"),
    [
        ("name", {"column_name": "limit"}, ("error", "column_name")),
        ("name", {"column_name": "name__gte"}, ("error", "column_name")),
        ("name", {"column_name": "item_3"}, ("warning", "column_name")),
        ("name", {"length": None}, ("warning", "length")),
        ("amount", {"length": None}, ("error", "length")),
        ("amount", {"length": 39}, ("error", "length")),
        ("amount", {"length": 4, "scale": 5}, ("error", "length")),
        ("amount", {"value_check": "mobile"}, ("error", "value_check")),
        ("name", {"value_check": "horoscope"}, ("error", "value_check")),
        ("name", {"mask": "paint"}, ("error", "mask")),
        ("amount", {"mask": "cover_name"}, ("error", "mask")),
        ("name", {"pattern": "("}, ("error", "pattern")),
        ("identity_number", {"mask": ""}, ("warning", "mask")),
        ("identity_number", {"required": False}, ("warning", "required")),
        ("name", {"sharing_attribute": "unconditional"}, ("error", "sharing_attribute")),
        ("name", {"normalise": ["unit"]}, ("error", "normalise")),
        ("name", {"normalise": ["as_is", "trim"]}, ("error", "normalise")),
        ("name", {"normalise": ["paint"]}, ("error", "normalise")),
    ],
)
def test_it_says_what_is_wrong_with_an_item(
    clean: Dataset, column: str, changes: dict[str, Any], remark: tuple[str, str]
) -> None:
    item = clean.items.get(column_name=column)
    clean.items.filter(pk=item.pk).update(**changes)
    assert (*remark, item.name) in said(clean)


def test_items_that_differ_by_punctuation_only_are_alike(clean: Dataset) -> None:
    clean.items.filter(column_name="amount").update(name="登记-日期")
    assert {("error", "name", "登记-日期"), ("error", "name", "登记日期")} <= said(clean)


def test_an_entry_named_like_one_of_the_departments_systems_is_no_data(clean: Dataset) -> None:
    InformationSystemFactory(department=clean.department, name="困难群众·救助信息")
    assert ("error", "name", "") in said(clean)


def test_without_items_nothing_else_is_said_of_the_key(clean: Dataset) -> None:
    clean.items.all().delete()
    assert ("error", "items", "") in said(clean)
    assert ("error", "key_items", "") not in said(clean)


@pytest.mark.parametrize("kind", ["secrecy", "personal_information"])
def test_each_assessment_is_asked_for_and_the_latest_counts(clean: Dataset, kind: str) -> None:
    found = clean.assessments.filter(kind=kind)
    DatasetAssessmentFactory(
        dataset=clean, kind=kind, conclusion="failed", assessed_on=date(2026, 1, 3)
    )
    assert validation.remarks_on(clean, on=TODAY) == []  # an older failure is superseded
    found.filter(conclusion="passed").delete()
    assert ("error", "assessments", "") in said(clean)


def test_without_personal_information_no_impact_assessment_is_asked_for(clean: Dataset) -> None:
    clean.assessments.filter(kind="personal_information").delete()
    clean.items.update(personal=False, sensitive=False)
    Dataset.objects.filter(pk=clean.pk).update(contains_personal=False, contains_sensitive=False)
    clean.refresh_from_db()
    assert ("error", "assessments", "") not in said(clean)


def test_errors_come_first_and_the_button_says_the_first(clean: Dataset) -> None:
    Dataset.objects.filter(pk=clean.pk).update(legal_duty="", abstract="", holds_no_secrets=False)
    clean.refresh_from_db()
    remarks = validation.remarks_on(clean, on=TODAY)
    assert [remark.is_error for remark in remarks] == [True, True, False]
    assert "另有 1 处" in validation.why_not("submit", remarks)
    assert validation.why_not("send_back", remarks) == ""


def test_it_costs_the_same_however_many_items_there_are(
    clean: Dataset, django_assert_max_num_queries: Any
) -> None:
    for number in range(40):
        clean.items.create(
            position=10 + number, name=f"附加项{number}甲", column_name=f"extra_{number}", length=9
        )
    with django_assert_max_num_queries(3):
        validation.remarks_on(clean, on=TODAY)


@pytest.mark.parametrize(
    ("one", "other"), [("ＡＢＣ 信息", "abc信息"), ("甲（乙）", "甲乙"), ("数·据", "数据")]
)
def test_names_are_compared_by_what_distinguishes_them(one: str, other: str) -> None:
    assert significant(one) == significant(other)
    first = DatasetFactory(name=one)
    second = DatasetFactory(name=other)
    for dataset in (first, second):
        dataset.refresh_from_db()
    assert first.name_key == second.name_key  # the database agrees
