"""A row says that its worker lives, and how far it is, until it is moved or taken over."""

import time
from typing import Any

import pytest
from django.utils import timezone

from apps.catalog.models import Dataset
from apps.warehouse.heartbeat import LandingHeartbeat
from apps.warehouse.models import Batch
from tests.factories.quality import person, persons
from tests.factories.warehouse import landed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def batch(dataset: Dataset, provider: Any, monkeypatch: pytest.MonkeyPatch) -> Batch:
    monkeypatch.setattr(LandingHeartbeat, "seconds", 0.01)
    made = landed(dataset, persons(person(1)), actor=provider)
    Batch.objects.filter(pk=made.pk).update(status="checking", heartbeat_at=None)
    made.refresh_from_db()
    return made


def beaten(batch: Batch) -> bool:
    for _wait in range(300):
        batch.refresh_from_db()
        if batch.heartbeat_at is not None:
            return True
        time.sleep(0.01)
    return False


def test_it_writes_the_time_and_how_far_the_work_is(batch: Batch) -> None:
    with LandingHeartbeat(batch) as heartbeat:
        heartbeat.enter(Batch.Stage.LOADING)
        heartbeat.expect(100, 1000)
        heartbeat.advance(500)
        assert beaten(batch)
        for _wait in range(300):
            batch.refresh_from_db()
            if batch.progress_rows:
                break
            time.sleep(0.01)
    assert (batch.stage, batch.progress_rows, batch.declared) == ("loading", 50, 100)


def test_a_row_that_was_taken_over_is_not_written(batch: Batch) -> None:
    heartbeat = LandingHeartbeat(batch)
    Batch.objects.filter(pk=batch.pk).update(revision=batch.revision + 1)
    with heartbeat:
        time.sleep(0.2)
    batch.refresh_from_db()
    assert batch.heartbeat_at is None


def test_it_stops_before_the_row_is_moved(batch: Batch) -> None:
    moment = timezone.now()
    with LandingHeartbeat(batch) as heartbeat:
        assert beaten(batch)
        heartbeat.stop()
        Batch.objects.filter(pk=batch.pk).update(heartbeat_at=moment)
        time.sleep(0.1)
    batch.refresh_from_db()
    assert batch.heartbeat_at == moment
