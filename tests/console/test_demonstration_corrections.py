"""The demonstration's corrections, played on a small table by the real operations."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.console.demo.corrections import CASES, load_corrections
from apps.quality.models import Correction
from apps.warehouse.models import Batch
from tests import stories
from tests.factories.sharing import land, make_scene
from tests.factories.warehouse import IDENTITIES
from tests.sharing.conftest import server

__all__ = ["server"]


@pytest.fixture
def granted(server: Any) -> datetime:
    """A grant that has been in force for a month, over as many records as are doubted."""
    at = timezone.now()
    scene = make_scene()
    # Eighteen-digit numbers with valid check digits are six; what is corrected lands among them.
    rows = [(IDENTITIES[n], f"王{n}", "500103", "2026-01-05", "1.00") for n in range(6)]
    more = [(f"X{n:017d}", f"李{n}", "500103", "2026-01-05", "1.00") for n in range(8)]
    land(scene.dataset, (*more[:4], *rows, *more[4:]))
    stories.delivered(
        scene, at - timedelta(days=30), items={"name": "", "division_code": "", "registered_on": ""}
    )
    return at


def test_they_stand_in_many_statuses_and_a_second_run_finds_them(granted: datetime) -> None:
    made = load_corrections(at=granted)
    assert made == len(CASES)
    assert load_corrections(at=granted) == made
    told = list(Batch.objects.values_list("status", "message"))
    assert [status for status, _message in told] == ["landed"], told
    found = set(Correction.objects.values_list("status", flat=True))
    assert found == {
        *("raised", "accepted", "verifying", "correcting", "feedback", "contested"),
        *("closed", "withdrawn"),
    }
    assert Correction.objects.filter(status="feedback", outcome="wrong").exists()
    assert set(Correction.objects.values_list("scope", flat=True)) == {"value", "row", "dataset"}
