"""Rules, orders, runs and weights in the administration."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.catalog.models import Dataset
from apps.quality.models import DimensionWeights, QualityRule, QualityRun, WorkOrder
from tests.factories.quality import added, checked, person, persons
from tests.factories.warehouse import landed

pytestmark = pytest.mark.django_db

SEES = {"provider", "provider_head", "authority", "authority_leader", "auditor"}
WEIGHTS = {
    "conformity": "0.2",
    "completeness": "0.2",
    "accuracy": "0.2",
    "consistency": "0.2",
    "timeliness": "0.1",
    "accessibility": "0.1",
    "source": "市数据局〔2026〕8 号",
}


def signed_in(person_: Any) -> Client:
    client = Client()
    client.force_login(person_)
    return client


@pytest.fixture
def rule(dataset: Dataset, provider: Any) -> QualityRule:
    landed(dataset, persons(person(0), person(1, amount="1.00")), actor=provider)
    made = added(dataset, "range", actor=provider, columns=["amount"], parameters={"minimum": "5"})
    checked(dataset)
    return made


def test_rows_are_shown_to_those_who_may_see_them_and_changed_by_nobody(
    cast: dict[str, Any], rule: QualityRule
) -> None:
    order, run = WorkOrder.objects.get(rule=rule), QualityRun.objects.latest("pk")
    pages = {"qualityrule": rule.pk, "workorder": order.pk, "qualityrun": run.pk}
    for name in SEES:
        client = signed_in(cast[name])
        for model, key in pages.items():
            assert client.get(f"/admin/quality/{model}/").status_code == 200, (name, model)
            address = f"/admin/quality/{model}/{key}/change/"
            assert client.get(address).status_code == 200, (name, model)
            assert client.post(address, {"name": "别的"}).status_code == 403, (name, model)
        for model in ("qualityrule", "workorder"):
            history = client.get(f"/admin/quality/{model}/{pages[model]}/history/")
            assert history.status_code == 200, (name, model)
    rule.refresh_from_db()
    assert rule.name != "别的"


def test_others_see_nothing(cast: dict[str, Any], rule: QualityRule) -> None:
    for name in ("consumer", "system_admin", "citizen", "unassigned"):
        client = signed_in(cast[name])
        answer = client.get(f"/admin/quality/qualityrule/{rule.pk}/change/")
        assert answer.status_code in (302, 403), name
        assert rule.name not in answer.content.decode(), name


def test_the_officer_sets_weights_from_a_day_on(authority: Any, provider: Any) -> None:
    day = timezone.localdate() + timedelta(days=3)
    given = {"valid_from": day.isoformat(), **WEIGHTS}
    refused = signed_in(provider).post("/admin/quality/dimensionweights/add/", given)
    assert refused.status_code == 403
    assert not DimensionWeights.objects.exists()
    client = signed_in(authority)
    answer = client.post("/admin/quality/dimensionweights/add/", {**given, "accuracy": "0.3"})
    assert answer.status_code == 200
    assert "权重之和" in answer.content.decode()
    past = {**given, "valid_from": "2026-01-01"}
    answer = client.post("/admin/quality/dimensionweights/add/", past)
    assert "生效日不能早于今天" in answer.content.decode()
    assert not DimensionWeights.objects.exists()
    answer = client.post("/admin/quality/dimensionweights/add/", given)
    assert answer.status_code == 302, answer.content.decode()[-2000:]
    row = DimensionWeights.objects.get()
    assert (row.valid_from, row.set_by) == (day, authority)
    shown = client.get(f"/admin/quality/dimensionweights/{row.pk}/history/")
    assert shown.status_code == 200
