"""What the worker does for the ledger may be repeated."""

from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from apps.ledger import operations as ledger
from apps.ledger import tasks

pytestmark = pytest.mark.django_db


def partitions() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = 'ledger_accessrecord'::regclass"
        )
        return {name for (name,) in cursor.fetchall()}


def test_it_makes_the_coming_months() -> None:
    tasks.make_partitions()
    before = partitions()
    tasks.make_partitions()
    assert partitions() == before
    assert f"ledger_accessrecord_{timezone.localdate():%Y_%m}" in before
    assert "ledger_accessrecord_default" in before


def test_it_sends_what_is_due_once(settings: Any, provider: Any) -> None:
    settings.HUILIU_NOTICE_CHANNELS = ("in_site", "mail")
    provider.email = "provider@example.org"
    provider.save(update_fields=["email"])
    ledger.notify([provider], title="已送达", at=timezone.now())
    tasks.deliver()
    tasks.deliver()
    assert len(mail.outbox) == 1
