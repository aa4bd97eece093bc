"""The audit report: who changed what, when and why; batches that balance; no value of the data."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.test import Client
from django.utils import timezone

from apps.ledger.models import Event
from apps.quality.queries.audit import audit_of
from tests.factories.warehouse import IDENTITIES
from tests.quality.correction_stories import REASON, RIGHT, STORIES, WRONG, Doubt


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[1])
    return client


def test_it_tells_changes_batches_and_corrections_of_the_period(doubt: Doubt, at: datetime) -> None:
    correction = STORIES["corrected"](doubt, at)
    day = timezone.localdate(at)
    report = audit_of(doubt.dataset, day - timedelta(days=1), day + timedelta(days=1))
    changes = dict(report.changes)["校核"]
    assert [change.person for change in changes][:4] == [
        str(doubt.editor),
        str(doubt.provider),
        str(doubt.provider),
        str(doubt.provider_head),
    ]
    assert any(REASON in change.reason for change in changes)
    assert [field.label for field in changes[1].fields] == ["状态"]
    assert [(batch.declared, batch.landed, batch.changed) for batch in report.batches] == [
        (3, 3, 0),
        (1, 0, 1),
    ]
    assert report.totals["declared"] == 4
    assert report.corrections == [correction]
    told = str([(c.subject, c.reason, c.fields) for c in changes])
    for value in (WRONG, RIGHT, IDENTITIES[0]):
        assert value not in told
    later = audit_of(doubt.dataset, day + timedelta(days=30), day + timedelta(days=60))
    assert (later.batches, later.corrections) == ([], [])
    assert "校核" not in dict(later.changes)


def test_the_page_is_for_the_provider_and_the_overseers_and_leaves_a_trace(
    doubt: Doubt, auditor: Any, at: datetime
) -> None:
    STORIES["corrected"](doubt, at)
    address = f"/work/quality/audit/{doubt.dataset.dashed_code}/"
    query = "?begin=2026-11-01&end=2026-12-31"
    for user in (doubt.provider, doubt.officer, auditor):
        page = signed_in(user).get(address + query).content.decode()
        assert "谁改了什么" in page
        for value in (RIGHT, IDENTITIES[0]):
            assert value not in page
    assert signed_in(doubt.editor).get(address).status_code == 404
    assert Event.objects.filter(verb="quality.draw_audit").count() == 3
    page = signed_in(auditor).get(f"{address}?begin=2026-12-31&end=2026-01-01").content.decode()
    assert "止日不早于起日" in page
    assert Event.objects.filter(verb="quality.draw_audit").count() == 3
