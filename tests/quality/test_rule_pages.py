"""Rules by the screens: every kind can be written, tried, changed, stopped and restored."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from apps.catalog.models import Dataset
from apps.quality.forms import ADDABLE
from apps.quality.models import QualityRule, QualityRun, WorkOrder
from tests.factories.quality import added, checked, person, persons
from tests.factories.standards import CodeListFactory
from tests.factories.warehouse import landed, published

pytestmark = pytest.mark.django_db

GIVEN: dict[str, dict[str, Any]] = {
    "required": {"column": "mobile"},
    "length": {"column": "name", "minimum": "2"},
    "type": {"column": "name", "type": "D"},
    "code_list": {"column": "grade", "codes": "甲、乙"},
    "identifier": {"column": "name", "check": "uscc"},
    "range": {"column": "amount", "minimum": "5"},
    "pattern": {"column": "mobile", "pattern": "1[0-9]{10}"},
    "cross_column": {
        "when-item-0": "grade",
        "when-operator-0": "in",
        "when-value-0": "甲，乙",
        "then-item-0": "amount",
        "then-operator-0": "gt",
        "then-value-0": "0",
    },
    "unique": {"columns": ["mobile", "grade"]},
    "freshness": {},
    "population": {"expected": "12"},
}
KEPT: dict[str, Any] = {
    "length": {"minimum": 2},
    "type": {"type": "D"},
    "code_list": {"codes": ["甲", "乙"]},
    "identifier": {"check": "uscc"},
    "range": {"minimum": "5"},
    "pattern": {"pattern": "1[0-9]{10}"},
    "cross_column": {
        "when": [{"item": "grade", "operator": "in", "value": ["甲", "乙"]}],
        "then": [{"item": "amount", "operator": "gt", "value": "0"}],
    },
    "population": {"expected": 12},
}


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[1])
    return client


def form_of(kind: str, **facts: Any) -> dict[str, Any]:
    return {"name": f"规则 {kind}", "indicator": "0104", "severity": "warn", **GIVEN[kind], **facts}


def new_url(dataset: Dataset, kind: str) -> str:
    return f"{reverse('quality:rule-new', args=[dataset.dashed_code])}?kind={kind}"


@pytest.fixture
def table(dataset: Dataset, provider: Any) -> Dataset:
    landed(dataset, persons(person(0), person(1, amount="1.00"), person(2)), actor=provider)
    return dataset


@pytest.mark.parametrize("kind", sorted(GIVEN))
def test_each_kind_is_added_in_the_words_of_the_field(
    table: Dataset, provider: Any, kind: str
) -> None:
    client = signed_in(provider)
    assert client.get(new_url(table, kind)).status_code == 200
    answer = client.post(new_url(table, kind), form_of(kind))
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    rule = QualityRule.objects.get(kind=kind, origin="added")
    assert rule.parameters == KEPT.get(kind, {})
    assert rule.made_by == provider
    assert client.get(reverse("quality:rule", args=[rule.pk])).status_code == 200
    edit = client.get(reverse("quality:rule-edit", args=[rule.pk])).content.decode()
    assert "规则 " in edit


def test_codes_valid_in_time_are_taken_from_a_list(table: Dataset, provider: Any) -> None:
    codes = CodeListFactory()
    given = {"name": "等级有效", "indicator": "0501", "column": "grade"}
    given |= {"code_list": codes.code, "on": "born_on"}
    answer = signed_in(provider).post(new_url(table, "reference_in_time"), given)
    assert answer.status_code == 302
    rule = QualityRule.objects.get(kind="reference_in_time")
    assert rule.parameters == {"code_list": codes.code, "on": "born_on"}


def test_a_table_of_the_own_department_is_compared_with(
    table: Dataset, provider: Any, consumer: Any
) -> None:
    other = published(department=provider.department)
    landed(other, persons(person(0)), actor=provider)
    foreign = published(department=consumer.department)
    landed(foreign, persons(person(0)), actor=consumer)
    client = signed_in(provider)
    shown = client.get(new_url(table, "cross_table")).content.decode()
    assert other.name in shown
    assert foreign.code not in shown
    asked = {"name": "应在名册中", "indicator": "0402", "dataset": other.code, "choose": "1"}
    listed = client.post(new_url(table, "cross_table"), asked).content.decode()
    assert "match-theirs-0" in listed
    given = {**asked, "match-own-0": "identity_number", "match-theirs-0": "identity_number"}
    del given["choose"]
    answer = client.post(new_url(table, "cross_table"), given)
    assert answer.status_code == 302
    rule = QualityRule.objects.get(kind="cross_table")
    assert rule.parameters["match"] == {"identity_number": "identity_number"}


def test_every_kind_that_can_be_added_has_a_form() -> None:
    assert set(ADDABLE) == {*GIVEN, "reference_in_time", "cross_table"}


@pytest.mark.parametrize("kind", ["range", "unique"])
def test_a_trial_counts_what_would_fail_and_leaves_nothing(
    table: Dataset, provider: Any, kind: str
) -> None:
    runs = QualityRun.objects.count()
    given = form_of(kind, **({"columns": ["grade"]} if kind == "unique" else {}))
    shown = signed_in(provider).post(new_url(table, kind), {**given, "try": "1"})
    words = shown.content.decode().replace("\u2009", " ")
    failed = 1 if kind == "range" else 3
    assert f"适用的 3 条记录中，有 {failed} 条不符合" in words
    assert not QualityRule.objects.filter(origin="added").exists()
    assert QualityRun.objects.count() == runs


def test_what_cannot_be_a_rule_is_refused_with_everything_typed(
    table: Dataset, provider: Any
) -> None:
    client = signed_in(provider)
    answer = client.post(new_url(table, "range"), form_of("range", minimum=""))
    page = answer.content.decode()
    assert "请填写下限或者上限" in page
    assert "规则 range" in page
    answer = client.post(new_url(table, "pattern"), form_of("pattern", pattern="["))
    assert "格式表达式写法不对" in answer.content.decode()
    assert not QualityRule.objects.filter(origin="added").exists()


def test_a_rule_is_changed_stopped_and_restored(table: Dataset, provider: Any) -> None:
    rule = added(table, "range", actor=provider, columns=["amount"], parameters={"minimum": "5"})
    checked(table)
    client = signed_in(provider)
    given = form_of("range", name=rule.name, minimum="0", version=rule.version, reason="放宽")
    address = reverse("quality:rule-edit", args=[rule.pk])
    assert client.post(address, {**given, "version": rule.version + 1}).status_code == 200
    assert client.post(address, given).status_code == 302
    rule.refresh_from_db()
    assert (rule.version, rule.parameters) == (2, {"minimum": "0"})
    shown = client.get(reverse("quality:rule", args=[rule.pk])).content.decode()
    shown = shown.replace("\u2009", " ")
    assert "放宽" in shown
    assert "下限 5" in shown, "field by field"
    retire = reverse("quality:rule-retire", args=[rule.pk])
    assert client.post(retire, {"version": rule.version}).status_code == 200
    assert client.post(retire, {"version": rule.version, "reason": "不再需要"}).status_code == 302
    rule.refresh_from_db()
    assert not rule.is_active
    assert set(WorkOrder.objects.values_list("status", flat=True)) == {"cancelled"}
    client.post(reverse("quality:rule-restore", args=[rule.pk]))
    rule.refresh_from_db()
    assert rule.is_active
