"""A batch moves as its table says, and the worker is the only one who moves it."""

from typing import Any

import pytest

from apps.catalog.models import Dataset
from apps.core.errors import IllegalMove, StaleRevision
from apps.warehouse.lifecycle import BATCH
from apps.warehouse.models import Batch
from tests.factories.warehouse import AT, received

pytestmark = pytest.mark.django_db

LEGAL = {
    ("received", "check"): "checking",
    ("checking", "check"): "checking",
    ("checking", "land"): "landed",
    ("checking", "find_unchanged"): "unchanged",
    ("checking", "refuse"): "refused",
    ("checking", "fail"): "failed",
}
FIELDS: dict[str, dict[str, Any]] = {
    "land": {"declared": 0, "horizon": 1, "finished_at": AT},
    "refuse": {"message_code": "file_empty"},
    "fail": {"message_code": "attempts_exhausted"},
}


@pytest.mark.parametrize("status", Batch.Status.values)
@pytest.mark.parametrize("move", [move.name for move in BATCH.moves])
def test_every_pair_of_status_and_move(
    dataset: Dataset, provider: Any, status: str, move: str
) -> None:
    from apps.warehouse.physical import ensure_table

    batch = received(dataset, "a", actor=provider)
    Batch.objects.filter(pk=batch.pk).update(
        status=status, **(FIELDS["land"] | {"message_code": "x", "table": ensure_table(dataset)})
    )
    batch.refresh_from_db()
    if (status, move) in LEGAL:
        BATCH.apply(batch, move, actor=None, at=AT, **FIELDS.get(move, {}))
        assert batch.status == LEGAL[status, move]
        return
    before = Batch.objects.filter(pk=batch.pk).values().get()
    with pytest.raises(IllegalMove):
        BATCH.apply(batch, move, actor=None, at=AT, **FIELDS.get(move, {}))
    assert Batch.objects.filter(pk=batch.pk).values().get() == before


def test_a_worker_that_was_overtaken_moves_nothing(dataset: Dataset, provider: Any) -> None:
    batch = received(dataset, "a", actor=provider)
    slow = Batch.objects.get(pk=batch.pk)
    BATCH.apply(slow, "check", actor=None, at=AT)
    BATCH.apply(Batch.objects.get(pk=batch.pk), "check", actor=None, at=AT)
    with pytest.raises(StaleRevision):
        BATCH.apply(
            slow, "refuse", actor=None, at=AT, revision=slow.revision, message_code="file_empty"
        )
