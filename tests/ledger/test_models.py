"""What the database itself refuses: facts are facts."""

from datetime import datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from apps.ledger import operations as ledger
from apps.ledger.models import Event

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "statement",
    ["UPDATE ledger_event SET verb = 'x'", "DELETE FROM ledger_event"],
)
def test_it_never_changes_or_deletes_an_event(provider: Any, at: datetime, statement: str) -> None:
    ledger.record(provider, "ledger.sign_in", provider, at=at)
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert Event.objects.filter(verb="ledger.sign_in").count() == 1
