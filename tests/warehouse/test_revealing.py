"""Records that did not land are covered on screens; who opens or takes them is written down."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from apps.catalog.models import Dataset
from apps.ledger import queries as ledger
from apps.warehouse.models import Batch
from apps.warehouse.views import covering
from tests.factories.quality import person, persons
from tests.factories.warehouse import IDENTITIES, landed, with_items

pytestmark = pytest.mark.django_db

WRONG = "500103199001021230"  # the check digit is not right
COVERED = "500103********1230"


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[1])
    return client


@pytest.fixture
def batch(dataset: Dataset, provider: Any) -> Batch:
    with_items(dataset, name={"personal": True, "mask": "cover_name"})
    wrong = person(1, identity_number=WRONG, amount="1.00")
    return landed(dataset, persons(person(0), wrong, "只有一列\n"), actor=provider)


def verbs(batch: Batch) -> list[str]:
    return [event.verb for event in ledger.events_of(batch) if event.verb != "warehouse.receive"]


def test_the_page_covers_text_and_reasons(batch: Batch, provider: Any) -> None:
    shown = signed_in(provider).get(f"/work/batches/{batch.pk}/").content.decode()
    assert WRONG not in shown
    assert f"写作 {COVERED}，" in shown
    assert f"{COVERED},人*,1990-01-01,138****0001,1.00,甲" in shown
    assert "只有一列" not in shown, "what cannot be split may be anything"
    assert "查看明文" in shown
    assert "warehouse.reveal" not in verbs(batch)


def test_opening_them_is_recorded(batch: Batch, provider: Any) -> None:
    address = reverse("warehouse:batch-reveal", args=[batch.pk])
    shown = signed_in(provider).post(address).content.decode()
    assert WRONG in shown
    assert "只有一列" in shown
    event = ledger.events_of(batch).get(verb="warehouse.reveal")
    assert event.actor == provider
    assert event.details == {"rows": 2, "records": [2, 3], "examples": 0}
    assert "查看了 2 条记录的明文" in ledger.told(event).sentence
    away = signed_in(provider).get(f"{address}?after=1")
    assert away.headers["Location"] == f"/work/batches/{batch.pk}/?after=1#rejections"


def test_they_leave_over_the_api_on_record(batch: Batch, provider: Any) -> None:
    address = f"/api/v1/batches/{batch.pk}/rejections"
    page = signed_in(provider).get(address, {"limit": "1"}).json()
    assert len(page["results"]) == 1
    event = ledger.events_of(batch).get(verb="warehouse.reveal")
    assert (event.actor, event.details["records"]) == (provider, [2])


def test_a_covered_value_leaves_the_numbers_of_the_sentence_alone() -> None:
    covered = covering._covered_reason
    assert covered("第 1,021 行：不符合“等级” 1", "1", "***") == "第 1,021 行：不符合“等级” ***"
    assert (
        covered("第 11 行：证件号码 11，位数不对", "11", "**") == "第 11 行：证件号码 **，位数不对"
    )


def test_nobody_else_opens_or_takes_them(batch: Batch, authority: Any, consumer: Any) -> None:
    addresses = [
        reverse(f"warehouse:batch-{name}", args=[batch.pk])
        for name in ("reveal", "rejections", "normalised")
    ]
    before = verbs(batch)
    for user, status in ((authority, 403), (consumer, 404)):
        client = signed_in(user)
        assert client.post(addresses[0]).status_code == status
        for address in addresses[1:]:
            assert client.get(address).status_code == status
    assert verbs(batch) == before


def test_taking_them_and_mending_them_is_recorded(batch: Batch, provider: Any) -> None:
    client = signed_in(provider)
    answer: Any = client.get(reverse("warehouse:batch-rejections", args=[batch.pk]))
    assert WRONG in b"".join(answer.streaming_content).decode()
    event = ledger.events_of(batch).get(verb="warehouse.download_rejections")
    assert (event.actor, event.details) == (provider, {"rows": 2})
    mend = client.get(reverse("warehouse:batch-mend", args=[batch.pk])).content.decode()
    assert WRONG in mend, "who corrects a value must read it"
    event = ledger.events_of(batch).get(verb="warehouse.reveal")
    assert event.details["records"] == [2, 3]


def test_values_that_were_rewritten_are_covered_too(dataset: Dataset, provider: Any) -> None:
    with_items(dataset, name={"personal": True, "mask": "cover_name"})
    mobile = "１３８００００００００"
    batch = landed(dataset, persons(person(0, mobile=mobile)), actor=provider)
    shown = signed_in(provider).get(f"/work/batches/{batch.pk}/").content.decode()
    assert "138****0000" in shown
    assert "13800000000" not in shown
    assert mobile not in shown
    client = signed_in(provider)
    opened = client.post(reverse("warehouse:batch-reveal", args=[batch.pk])).content.decode()
    assert "13800000000" in opened
    address = reverse("warehouse:batch-normalised", args=[batch.pk])
    answer: Any = client.get(address)
    assert mobile in b"".join(answer.streaming_content).decode()
    event = ledger.events_of(batch).get(verb="warehouse.download_normalised")
    assert event.details == {"rows": 1}
    assert IDENTITIES[0] not in str(event.details)
