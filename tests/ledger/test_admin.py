"""The auditor reads the ledger in the admin; nobody writes there."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from apps.ledger import operations as ledger
from tests.factories.ledger import access_values

pytestmark = pytest.mark.django_db


def signed_in(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_the_auditor_sees_events_and_access_records(
    auditor: Any, provider: Any, at: datetime
) -> None:
    event = ledger.record(provider, "ledger.urge", provider.department, at=at)
    ledger.record_access(**access_values(purpose="低保资格核查"))
    client = signed_in(auditor)
    assert "催办" in client.get("/admin/ledger/event/?area=ledger").content.decode()
    shown = client.get(f"/admin/ledger/event/?area=clocks&q={provider.department}")
    assert f"催办 {provider.department}" not in shown.content.decode()
    assert client.get(f"/admin/ledger/event/{event.pk}/change/").status_code == 200
    assert "低保资格核查" in client.get("/admin/ledger/accessrecord/").content.decode()


def test_nobody_writes_events(auditor: Any, system_admin: Any, at: datetime) -> None:
    event = ledger.record(auditor, "ledger.urge", auditor, at=at)
    for person in (auditor, system_admin):
        client = signed_in(person)
        assert client.get("/admin/ledger/event/add/").status_code == 403
        address = f"/admin/ledger/event/{event.pk}"
        assert client.post(f"{address}/delete/", {"post": "yes"}).status_code in {302, 403}
        assert client.post(f"{address}/change/", {"verb": "x"}).status_code in {302, 403}
    event.refresh_from_db()
    assert event.verb == "ledger.urge"


def test_a_citizen_does_not_get_in(citizen: Any) -> None:
    assert signed_in(citizen).get("/admin/ledger/event/").status_code in {302, 403}
