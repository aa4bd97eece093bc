"""The demonstration's corrections, played on a small table by the real operations."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.console.demo.corrections import CASES, load_corrections
from apps.console.demo.rows import identity_number
from apps.quality.models import Correction
from apps.warehouse.models import Batch
from tests import stories
from tests.factories.sharing import make_scene
from tests.factories.warehouse import landed
from tests.sharing.conftest import server

__all__ = ["server"]


@pytest.fixture
def granted(server: Any) -> datetime:
    """A grant that has been in force for a month, over as many records as are doubted."""
    at = timezone.now()
    scene = make_scene()
    picker = random.Random(7)
    lines = ["identity_number,name,division_code,registered_on,amount"]
    lines += [f"{identity_number(picker, n)},王小明,500103,2026-01-05,1.00" for n in range(14)]
    landed(scene.dataset, "\n".join([*lines, ""]), actor=scene.provider)
    stories.delivered(
        scene, at - timedelta(days=30), items={"name": "", "division_code": "", "registered_on": ""}
    )
    return at


def test_they_stand_in_many_statuses_and_a_second_run_finds_them(granted: datetime) -> None:
    made = load_corrections(at=granted)
    assert made == len(CASES)
    assert load_corrections(at=granted) == made
    told = list(Batch.objects.values_list("status", "message"))
    assert [status for status, _message in told] == ["landed", "landed"], told
    found = set(Correction.objects.values_list("status", flat=True))
    assert found == {
        *("raised", "accepted", "verifying", "correcting", "feedback", "contested"),
        *("closed", "withdrawn"),
    }
    assert Correction.objects.filter(status="feedback", outcome="wrong").exists()
    assert set(Correction.objects.values_list("scope", flat=True)) == {"value", "row", "dataset"}
