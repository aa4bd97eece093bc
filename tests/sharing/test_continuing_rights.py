"""Who may do what about idle grants and reports of use; every pair of status and move."""

from datetime import date, datetime, timedelta
from typing import Any, Final

import pytest

from apps.core import access
from apps.core.errors import IllegalMove
from apps.core.lifecycle import Lifecycle
from apps.sharing.lifecycle import IDLE_NOTICE, RECERTIFICATION
from apps.sharing.models import Grant, IdleNotice, Recertification, UsageReport
from tests import stories
from tests.conftest import CAST
from tests.factories.sharing import Scene

BOTH_SIDES: Final = {"consumer", "consumer_head", "provider", "provider_head"}
LOOKING: Final = BOTH_SIDES | {"authority", "authority_leader", "auditor"}
CONSUMER: Final = {"consumer", "consumer_head"}
MATRIX: Final[dict[type[Any], dict[str, set[str]]]] = {
    IdleNotice: {"view": LOOKING, "ask_back": CONSUMER},
    UsageReport: {"view": LOOKING, "file": CONSUMER},
}


@pytest.fixture
def grant(scene: Scene, at: datetime) -> Grant:
    return stories.delivered(scene, at).grant


def notice_of(grant: Grant, at: datetime, **fields: Any) -> IdleNotice:
    return IdleNotice.objects.create(
        grant=grant, idle_since=at.date(), created_at=at, updated_at=at, **fields
    )


@pytest.mark.parametrize("model", [IdleNotice, UsageReport])
def test_each_of_the_cast_may_what_the_matrix_says(
    cast: dict[str, Any], scene: Scene, at: datetime, model: type[Any]
) -> None:
    grant = stories.delivered(scene, at).grant
    Grant.objects.filter(pk=grant.pk).update(
        provider=cast["provider"].department, consumer=cast["consumer"].department
    )
    if model is IdleNotice:
        row: Any = notice_of(grant, at)
    else:
        row = UsageReport.objects.create(
            grant=grant,
            first_day=date(2026, 1, 1),
            last_day=date(2026, 6, 30),
            due_on=date(2026, 7, 15),
            opened_at=at,
        )
    assert set(access.actions_of(model)) == set(MATRIX[model])
    wrong = []
    for action, admitted in MATRIX[model].items():
        for name in CAST:
            listed = row in access.rows(cast[name], action, model)
            alone = access.allowed(cast[name], action, row)
            if listed != alone or alone != (name in admitted):
                wrong.append((action, name, listed, alone))
    assert wrong == []


def _pairs(table: Lifecycle) -> list[tuple[str, str]]:
    return [(status, move.name) for status in table.states.values for move in table.moves]


def _needed(table: Lifecycle, status: str, at: datetime, scene: Scene) -> dict[str, Any]:
    """Return what a row of a status needs beside it, so that the constraints let it stand."""
    fields: dict[str, Any] = {}
    if table is IDLE_NOTICE:
        fields["closed_at"] = None if status in IdleNotice.OPEN else at
        if status == "need_stated":
            fields |= {"need": "需要", "need_stated_at": at, "need_stated_by": scene.consumer}
    elif status == "decided":
        fields |= {"outcome": "continue", "decided_at": at, "decided_by": scene.provider_head}
    return fields


@pytest.mark.parametrize(
    ("table", "status", "move"),
    [
        (table, status, move)
        for table in (IDLE_NOTICE, RECERTIFICATION)
        for status, move in _pairs(table)
    ],
)
def test_every_pair_moves_or_changes_nothing(
    grant: Grant, scene: Scene, at: datetime, table: Lifecycle, status: str, move: str
) -> None:
    needed = _needed(table, status, at, scene)
    if table is IDLE_NOTICE:
        row: Any = notice_of(grant, at, status=status, **needed)
    else:
        row = Recertification.objects.create(
            grant=grant,
            grant_version=1,
            since=at.date(),
            due_on=at.date() + timedelta(days=30),
            created_at=at,
            updated_at=at,
            status=status,
            **needed,
        )
    target = table.move(move).target
    fields = _needed(table, target, at, scene)
    if status in table.move(move).sources:
        table.apply(row, move, actor=scene.provider_head, at=at, reason="理由", **fields)
        assert (row.status, row.revision) == (target, 2)
        newest = row.history.order_by("history_id").last()
        assert (newest.history_user, newest.history_date) == (scene.provider_head, at)
    else:
        with pytest.raises(IllegalMove):
            table.apply(row, move, actor=scene.provider_head, at=at, reason="理由", **fields)
        row.refresh_from_db()
        assert (row.status, row.revision) == (status, 1)
