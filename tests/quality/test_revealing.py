"""What identifies a person is covered on the pages of quality until somebody opens it on record."""

import csv
import io
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from apps.catalog.models import Dataset
from apps.core.errors import NotAllowed
from apps.ledger import queries as ledger
from apps.ledger.models import Event
from apps.quality import operations as quality
from apps.quality.models import Finding, WorkOrder
from apps.warehouse.models import DataTable
from tests.factories.quality import added, checked, person, persons
from tests.factories.warehouse import AT, IDENTITIES, landed, with_items
from tests.quality.correction_stories import RIGHT, STORIES, WRONG, Doubt

pytestmark = pytest.mark.django_db

COVERED = "500103********1238"
PLAIN = IDENTITIES[1]


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[1])
    return client


def page(user: Any, address: str) -> str:
    answer = signed_in(user).get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.content.decode()


PERSONAL: dict[str, dict[str, Any]] = {
    "identity_number": {"personal": True, "sensitive": True},
    "name": {"personal": True, "mask": "cover_name"},
    "born_on": {"personal": True, "mask": "year_of_date"},
}
"""What the entry says of its items; that of numbers of identity and telephone follows by itself."""


@pytest.fixture
def order(dataset: Dataset, provider: Any) -> WorkOrder:
    """Amounts of at least 5; one of two landed rows breaks it."""
    with_items(dataset, **PERSONAL)
    landed(dataset, persons(person(0), person(1, amount="1.00")), actor=provider)
    added(
        dataset,
        "range",
        actor=provider,
        name="金额不低于五元",
        columns=["amount"],
        parameters={"minimum": "5"},
    )
    checked(dataset)
    return WorkOrder.objects.get()


def revealed(subject: Any) -> list[Event]:
    return list(ledger.events_of(subject).filter(verb="quality.reveal"))


class TestFindings:
    def test_lists_orders_and_files_of_a_list_cover_them(
        self, order: WorkOrder, provider: Any
    ) -> None:
        list_url = reverse("quality:findings")
        for address in (list_url, order.get_absolute_url()):
            shown = page(provider, address)
            assert COVERED in shown
            assert PLAIN not in shown
            assert ">1.00<" in shown, "what identifies nobody stands as it is"
            assert "查看明文" in shown
        assert f"findings/reveal/?order={order.pk}&amp;status=open" in shown
        text = signed_in(provider).get(f"{list_url}?format=csv").content.decode()
        assert COVERED in text
        assert PLAIN not in text
        assert not revealed(order)

    def test_opening_them_is_recorded_with_who_and_which(
        self, order: WorkOrder, provider: Any
    ) -> None:
        address = reverse("quality:findings-reveal")
        shown = signed_in(provider).post(f"{address}?order={order.pk}").content.decode()
        assert PLAIN in shown
        (event,) = revealed(order)
        assert event.actor == provider
        assert event.department == order.dataset.department
        assert event.details == {"rows": 1, "findings": [Finding.objects.get().pk]}
        assert "查看了 1 条记录的明文" in ledger.told(event).sentence

    def test_systems_and_people_take_them_over_the_api_on_record(
        self, order: WorkOrder, provider: Any, authority: Any
    ) -> None:
        finding = Finding.objects.get()
        address = f"/api/v1/quality/findings/{finding.pk}"
        assert signed_in(authority).get(address).status_code == 404
        assert not revealed(order)
        assert signed_in(provider).get(address).json()["key"] == {"identity_number": PLAIN}
        signed_in(provider).get("/api/v1/quality/findings")
        assert [event.actor for event in revealed(order)] == [provider, provider]

    def test_an_address_alone_opens_nothing(self, order: WorkOrder, provider: Any) -> None:
        address = f"{reverse('quality:findings-reveal')}?order={order.pk}"
        answer = signed_in(provider).get(address)
        assert answer.headers["Location"] == f"{reverse('quality:findings')}?order={order.pk}"
        assert not revealed(order)

    def test_nobody_else_opens_them(self, order: WorkOrder, authority: Any, consumer: Any) -> None:
        address = reverse("quality:findings-reveal")
        for user in (authority, consumer):
            assert PLAIN not in signed_in(user).post(address).content.decode()
            with pytest.raises(NotAllowed):
                quality.reveal_findings(findings=list(Finding.objects.all()), actor=user, at=AT)
        assert not revealed(order)

    def test_the_rows_to_mend_are_plain_and_taking_them_is_recorded(
        self, order: WorkOrder, provider: Any
    ) -> None:
        answer = signed_in(provider).get(reverse("quality:work-order-rows", args=[order.pk]))
        lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert lines[1][0] == PLAIN
        event = ledger.events_of(order).get(verb="quality.download_rows")
        assert (event.actor, event.details) == (provider, {"rows": 1})

    def test_a_refused_taking_leaves_no_record_of_one(
        self, order: WorkOrder, authority: Any
    ) -> None:
        address = reverse("quality:work-order-rows", args=[order.pk])
        assert signed_in(authority).get(address).status_code == 403
        assert not ledger.events_of(order).filter(verb="quality.download_rows").exists()


class TestCorrections:
    def test_a_doubted_value_is_covered_until_it_is_opened(self, doubt: Doubt, at: Any) -> None:
        with_items(doubt.dataset, **PERSONAL)
        correction = STORIES["raised"](doubt, at)
        for user in (doubt.editor, doubt.provider):
            shown = page(user, correction.get_absolute_url())
            assert WRONG not in shown
            assert RIGHT not in shown
            assert IDENTITIES[0] not in shown
        assert not revealed(correction)
        address = reverse("quality:correction-reveal", args=[correction.pk])
        shown = signed_in(doubt.provider).post(address).content.decode()
        assert WRONG in shown
        assert RIGHT in shown
        (event,) = revealed(correction)
        assert (event.actor, event.details["row_id"]) == (doubt.provider, correction.row_id)

    def test_who_is_no_party_opens_nothing(self, doubt: Doubt, at: Any) -> None:
        with_items(doubt.dataset, **PERSONAL)
        correction = STORIES["raised"](doubt, at)
        address = reverse("quality:correction-reveal", args=[correction.pk])
        answer = signed_in(doubt.officer).post(address)
        assert answer.status_code == 403
        assert not revealed(correction)

    def test_a_record_that_was_looked_up_is_covered_until_it_is_opened(self, doubt: Doubt) -> None:
        with_items(doubt.dataset, **PERSONAL)
        code = doubt.dataset.dashed_code
        address = reverse("quality:correction-record", args=[code, 1])
        for user in (doubt.editor, doubt.provider):
            shown = page(user, address)
            assert IDENTITIES[0] not in shown
            assert "张*" in shown
        opened = reverse("quality:correction-record-reveal", args=[code, 1])
        assert IDENTITIES[0] in signed_in(doubt.provider).post(opened).content.decode()
        table = DataTable.objects.get(dataset=doubt.dataset)
        (event,) = revealed(table)
        assert event.details == {"rows": 1, "row_id": 1, "dataset": doubt.dataset.code}
        shown = signed_in(doubt.editor).post(opened).content.decode()
        assert IDENTITIES[0] in shown
        assert "13800000001" not in shown, "what the grant masks stays masked"
        theirs = ledger.events_of(table).get(verb="quality.reveal", actor=doubt.editor)
        assert theirs.department == doubt.dataset.department, "the source sees who took its values"
