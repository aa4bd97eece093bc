"""Nothing changed: who says so, what it makes fresh, and what cannot be so."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from apps.catalog.models import Dataset
from apps.core.errors import Conflict, InvalidInput, NotAllowed
from apps.ledger.models import Event, Notice
from apps.warehouse import operations as warehouse
from apps.warehouse.freshness import with_freshness
from apps.warehouse.models import Batch, NoChange
from tests.conftest import CAST
from tests.factories.warehouse import IDENTITIES, landed, published

pytestmark = pytest.mark.django_db

HEADER = "身份证号,姓名,出生日期,手机号,金额,等级\n"
FILE = f"{HEADER}{IDENTITIES[0]},张三,1990-01-01,13800000000,1.50,甲\n"
NOW = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
LANDED_AT = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
TODAY = date(2026, 11, 18)


@pytest.fixture
def weekly(provider: Any, provider_department: Any) -> Dataset:
    """A weekly dataset that landed sixteen days ago."""
    dataset = published(department=provider_department, update_cycle="weekly")
    landed(dataset, FILE, actor=provider)
    Batch.objects.update(finished_at=LANDED_AT)
    return dataset


def freshness(dataset: Dataset, at: datetime = NOW) -> str:
    found: Any = with_freshness(Dataset.objects.filter(pk=dataset.pk), at).get()
    return str(found.freshness)


def confirm(dataset: Dataset, actor: Any, begin: date, end: date) -> NoChange:
    return warehouse.confirm_no_change(
        dataset=dataset, period_from=begin, period_to=end, actor=actor, at=NOW, note="业务停办"
    )


def test_a_confirmed_period_is_not_stale(
    weekly: Dataset, provider: Any, provider_head: Any
) -> None:
    assert freshness(weekly) == "overdue"
    confirm(weekly, provider, date(2026, 11, 3), date(2026, 11, 10))
    assert freshness(weekly) == "overdue", "confirmed up to eight days ago"
    confirm(weekly, provider, date(2026, 11, 11), TODAY)
    assert freshness(weekly) == "in_time"
    assert freshness(weekly, NOW + timedelta(days=8)) == "overdue"
    assert Event.objects.filter(verb="warehouse.confirm_no_change", outcome="done").count() == 2
    assert Notice.objects.filter(recipient=provider_head).count() == 2


def test_what_never_landed_stays_empty(provider: Any, provider_department: Any) -> None:
    dataset = published(department=provider_department)
    with pytest.raises(InvalidInput) as refusal:
        confirm(dataset, provider, TODAY, TODAY)
    assert refusal.value.code == "nothing_landed"
    assert freshness(dataset) == "empty"


def test_it_cannot_be_said_of_days_on_which_rows_changed(weekly: Dataset, provider: Any) -> None:
    with pytest.raises(InvalidInput) as refusal:
        confirm(weekly, provider, date(2026, 11, 1), date(2026, 11, 5))
    assert refusal.value.code == "period_changed"
    assert not NoChange.objects.exists()


@pytest.mark.parametrize(
    ("begin", "end"),
    [(TODAY, TODAY - timedelta(days=1)), (TODAY, TODAY + timedelta(days=1))],
)
def test_it_refuses_days_in_disorder_and_days_to_come(
    weekly: Dataset, provider: Any, begin: date, end: date
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        confirm(weekly, provider, begin, end)
    assert refusal.value.code == "period_invalid"
    assert not NoChange.objects.exists()


def test_one_period_is_confirmed_once(weekly: Dataset, provider: Any) -> None:
    confirm(weekly, provider, TODAY, TODAY)
    with pytest.raises(Conflict):
        confirm(weekly, provider, TODAY, TODAY)
    assert NoChange.objects.count() == 1


def test_only_the_departments_editors_and_systems_confirm(
    cast: dict[str, Any], weekly: Dataset
) -> None:
    for name in CAST:
        if name == "provider":
            continue
        with pytest.raises(NotAllowed):
            confirm(weekly, cast[name], TODAY, TODAY)
    assert not NoChange.objects.exists()
    assert not Event.objects.filter(verb="warehouse.confirm_no_change", outcome="done").exists()


def test_the_database_keeps_the_days_in_order(weekly: Dataset, provider: Any) -> None:
    wrong = NoChange(
        dataset=weekly,
        period_from=TODAY,
        period_to=TODAY - timedelta(days=1),
        confirmed_by=provider,
        confirmed_at=NOW,
    )
    rule = "warehouse_nochange_period_in_order"
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        wrong.save()


def client_of(person: Any) -> Client:
    client = Client()
    client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[1])
    return client


def test_a_clerk_confirms_on_the_page_of_the_table(weekly: Dataset, provider: Any) -> None:
    Batch.objects.update(finished_at=timezone.now() - timedelta(days=16))
    client = client_of(provider)
    address = f"/work/tables/{weekly.dashed_code}/"
    assert "确认无变化" in client.get(address).content.decode()
    today = timezone.localdate()
    answer = client.post(
        f"{address}no-change/",
        {"period_from": today - timedelta(days=15), "period_to": today, "note": "无业务"},
        follow=True,
    )
    page = answer.content.decode()
    assert "按已更新计" in page
    assert "按期更新" in page
    assert NoChange.objects.get().note == "无业务"
    again = client.post(f"{address}no-change/", {"period_from": today}, follow=True)
    assert "填写期间的起止日期" in again.content.decode()


def test_an_overseer_sees_and_may_not(weekly: Dataset, authority: Any) -> None:
    today = timezone.localdate()
    days = {"period_from": today, "period_to": today}
    answer = client_of(authority).post(f"/work/tables/{weekly.dashed_code}/no-change/", days)
    assert answer.status_code == 403
    assert not NoChange.objects.exists()


def test_a_system_confirms_over_the_api(weekly: Dataset, provider: Any, outsider: Any) -> None:
    Batch.objects.update(finished_at=timezone.now() - timedelta(days=16))
    today = timezone.localdate()
    address = f"/api/v1/datasets/{weekly.dashed_code}/no-changes"
    body = {"period_from": str(today), "period_to": str(today)}
    answer = client_of(provider).post(address, body, content_type="application/json")
    assert answer.status_code == 201, answer.content
    assert answer.json()["dataset"] == weekly.dashed_code
    listed = client_of(provider).get(address).json()["results"]
    assert [row["period_to"] for row in listed] == [str(today)]
    assert client_of(outsider).get(address).json()["results"] == []
    refused = client_of(outsider).post(address, body, content_type="application/json")
    assert refused.status_code == 403
    repeated = client_of(provider).post(address, body, content_type="application/json")
    assert (repeated.status_code, repeated.json()["code"]) == (409, "period_confirmed")
