"""Quality over the API: who reads what, and the moves with their refusals."""

from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.catalog.models import Dataset
from apps.quality.models import Finding, QualityRule, QualityRun, WorkOrder
from tests.factories.quality import added, checked, person, persons
from tests.factories.warehouse import landed

pytestmark = pytest.mark.django_db

SEES = {"provider", "provider_head", "authority", "authority_leader", "auditor"}
READS_ROWS = {"provider", "provider_head"}
BASE = "/api/v1/quality"


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[1])
    return client


def post(user: Any, path: str, body: dict[str, Any]) -> Any:
    return signed_in(user).post(f"{BASE}{path}", body, content_type="application/json")


@pytest.fixture
def rule(dataset: Dataset, provider: Any) -> QualityRule:
    lines = (person(0), person(1, amount="1.00"), person(2, amount="1.00"))
    landed(dataset, persons(*lines), actor=provider)
    made = added(dataset, "range", actor=provider, columns=["amount"], parameters={"minimum": "5"})
    checked(dataset)
    return made


@pytest.fixture
def order(rule: QualityRule) -> WorkOrder:
    found: WorkOrder = WorkOrder.objects.get(rule=rule)
    return found


def test_lists_and_rows_are_scoped_alike(
    cast: dict[str, Any], rule: QualityRule, order: WorkOrder
) -> None:
    run = QualityRun.objects.latest("pk")
    finding = Finding.objects.latest("pk")
    rows = {"rules": rule.pk, "runs": run.pk, "work-orders": order.pk, "findings": finding.pk}
    for name, someone in cast.items():
        if name == "inactive":
            continue  # he cannot sign in
        client = signed_in(someone)
        for kind, key in rows.items():
            sees = name in (READS_ROWS if kind == "findings" else SEES)
            listed = client.get(f"{BASE}/{kind}").json()["results"]
            assert (key in {row["id"] for row in listed}) is sees, (name, kind)
            status = client.get(f"{BASE}/{kind}/{key}").status_code
            assert status == (200 if sees else 404), (name, kind)
        scores = client.get(f"{BASE}/scores").json()["results"]
        assert bool(scores) is (name in SEES), name


def test_scores_by_dataset_department_and_store(
    dataset: Dataset, rule: QualityRule, authority: Any
) -> None:
    client = signed_in(authority)
    (found,) = client.get(f"{BASE}/scores?dataset={dataset.dashed_code}").json()["results"]
    assert found["code"] == dataset.dashed_code
    dimensions = {one["dimension"]: one for one in found["dimensions"]}
    assert dimensions["06"]["ratio"] is None, "not evaluable is never 1"
    indicator = {one["indicator"]: one for one in dimensions["01"]["indicators"]}["0104"]
    assert indicator["ratio"] < 1
    assert indicator["numerator"] < indicator["denominator"]
    (department,) = client.get(f"{BASE}/scores?by=department").json()["results"]
    assert department["code"] == dataset.department.code
    assert client.get(f"{BASE}/scores?by=store").json()["results"]
    for wrong in ("by=nothing", "on=yesterday", "misspelt=1"):
        answer = client.get(f"{BASE}/scores?{wrong}")
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_filter")


def test_a_rule_is_added_changed_stopped_and_restored(
    dataset: Dataset, rule: QualityRule, provider: Any
) -> None:
    body = {
        "dataset": dataset.dashed_code,
        "kind": "required",
        "name": "手机号须填写",
        "columns": ["mobile"],
        "indicator": "0201",
    }
    answer = post(provider, "/rules", body)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["words"], made["version"]) == ("“mobile”必须填写", 1)
    twice = post(provider, "/rules", body)
    assert (twice.status_code, twice.json()["code"]) == (409, "name_taken")
    changed = post(provider, f"/rules/{made['id']}/change", {"name": "电话须填写", "version": 1})
    assert (changed.json()["name"], changed.json()["version"]) == ("电话须填写", 2)
    stale = post(provider, f"/rules/{made['id']}/change", {"name": "电话", "version": 1})
    assert stale.json()["code"] == "stale_revision"
    unsaid = post(provider, f"/rules/{made['id']}/retire", {})
    assert (unsaid.status_code, unsaid.json()["code"]) == (400, "invalid_input")
    stopped = post(provider, f"/rules/{made['id']}/retire", {"reason": "不再需要"})
    assert stopped.json()["is_active"] is False
    assert post(provider, f"/rules/{made['id']}/restore", {}).json()["is_active"] is True
    assert post(provider, f"/rules/{made['id']}/nothing", {}).status_code == 404


def test_nobody_adds_or_asks_without_the_right(
    cast: dict[str, Any], dataset: Dataset, rule: QualityRule
) -> None:
    body = {
        "dataset": dataset.dashed_code,
        "kind": "required",
        "name": "手机号须填写",
        "columns": ["mobile"],
        "indicator": "0201",
    }
    rules, runs = QualityRule.objects.count(), QualityRun.objects.count()
    for name in set(cast) - {"provider", "authority", "inactive"}:
        expected = 403 if name in SEES else 404
        assert post(cast[name], "/rules", body).status_code == expected, name
        asked = post(cast[name], "/runs", {"dataset": dataset.dashed_code})
        assert asked.status_code == expected, name
        retired = post(cast[name], f"/rules/{rule.pk}/retire", {"reason": "理由"})
        assert retired.status_code == expected, name
    assert (QualityRule.objects.count(), QualityRun.objects.count()) == (rules, runs)
    rule.refresh_from_db()
    assert rule.is_active


def test_a_check_is_asked_for_and_its_results_are_read(
    dataset: Dataset, rule: QualityRule, provider: Any
) -> None:
    answer = post(provider, "/runs", {"dataset": dataset.dashed_code})
    assert (answer.status_code, answer.json()["status"]) == (202, "waiting")
    run = checked(dataset)
    results = signed_in(provider).get(f"{BASE}/runs/{run.pk}").json()["results"]
    (own,) = [one for one in results if one["rule"] == rule.pk]
    assert (own["evaluated"], own["failed"]) == (3, 2)
    assert own["ratio"] == pytest.approx(1 / 3)


def test_rows_are_vouched_for_all_or_none(
    order: WorkOrder, provider: Any, provider_head: Any
) -> None:
    keys = list(Finding.objects.values_list("pk", flat=True))
    refused = post(provider, "/findings/accept", {"findings": keys, "reason": "属实"})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    unknown = post(provider_head, "/findings/accept", {"findings": [*keys, 0], "reason": "属实"})
    assert unknown.status_code == 404
    assert set(Finding.objects.values_list("status", flat=True)) == {"open"}
    done = post(provider_head, "/findings/accept", {"findings": keys, "reason": "属实"})
    assert done.json() == {"accepted": 2}
    order.refresh_from_db()
    assert order.status == "accepted"


def test_an_order_is_moved(
    order: WorkOrder, provider: Any, provider_head: Any, authority: Any
) -> None:
    path = f"/work-orders/{order.pk}"
    taken = post(provider, f"{path}/acknowledge", {"plan": "三日内", "revision": order.revision})
    assert (taken.status_code, taken.json()["status"]) == (200, "in_mending")
    assert taken.json()["due_at"]
    stale = post(provider_head, f"{path}/accept", {"reason": "属实", "revision": order.revision})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_revision")
    assert post(provider, f"{path}/accept", {"reason": "属实"}).status_code == 403
    assert post(provider_head, f"{path}/accept", {}).json()["code"] == "invalid_input"
    accepted = post(provider_head, f"{path}/accept", {"reason": "属实"}).json()
    assert (accepted["status"], accepted["due_at"]) == ("accepted", None)
    assert post(authority, f"{path}/contest", {"reason": "不足"}).json()["status"] == "contested"
    assert post(authority, f"{path}/let_stand", {"reason": "已补"}).json()["status"] == "accepted"
    assert post(authority, f"{path}/close", {}).status_code == 404


def test_filters_are_exact_and_misspelt_ones_refused(
    dataset: Dataset, rule: QualityRule, order: WorkOrder, provider: Any
) -> None:
    client = signed_in(provider)
    added_rules = client.get(f"{BASE}/rules?origin=added&is_active=true").json()["results"]
    assert [row["id"] for row in added_rules] == [rule.pk]
    rows = client.get(f"{BASE}/findings?rule={rule.pk}&work_order={order.pk}").json()["results"]
    assert len(rows) == 2
    assert client.get(f"{BASE}/work-orders?status=closed").json()["results"] == []
    for path, code in (
        ("rules?misspelt=1", "unknown_filter"),
        ("findings?rule=x", "unknown_filter"),
        ("work-orders?status=gone", "unknown_status"),
        ("runs?limit=0", "invalid_limit"),
        ("runs?cursor=x", "cursor_invalid"),
    ):
        answer = client.get(f"{BASE}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (400, code), path


@pytest.mark.parametrize("kind", ["rules", "runs", "findings", "work-orders", "scores"])
def test_a_list_costs_a_constant_number_of_statements(
    dataset: Dataset, rule: QualityRule, provider: Any, kind: str
) -> None:
    client = signed_in(provider)
    client.get(f"{BASE}/{kind}")
    with CaptureQueriesContext(connection) as captured:
        client.get(f"{BASE}/{kind}")
    before = len(captured)
    lines = [person(place, amount="1.00", mobile="") for place in range(6)]
    added(dataset, "required", actor=provider, columns=["mobile"], indicator="0201")
    landed(dataset, persons(*lines), actor=provider)
    checked(dataset)
    with CaptureQueriesContext(connection) as captured:
        client.get(f"{BASE}/{kind}")
    assert len(captured) == before
