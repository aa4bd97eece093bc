"""Every pair of status and move: the legal ones move, the others change nothing."""

from datetime import datetime
from typing import Any

import pytest

from apps.core.errors import IllegalMove, InvalidInput, StaleRevision
from apps.core.lifecycle import Lifecycle
from apps.core.models import Governed
from apps.sharing.lifecycle import GRANT, REQUEST
from apps.sharing.models import Grant, SharingRequest
from tests import stories
from tests.factories.sharing import Scene

# What a row needs beside its status, so that the constraints let the move through.
WITH: dict[str, dict[str, Any]] = {
    "refuse": {"decision_reason": "无关", "legal_basis": "条例"},
    "suspend": {"suspension_reason": "超范围"},
    "end": {"end_reason": "不再使用"},
}


def _fields(move: str, scene: Scene, at: datetime) -> dict[str, Any]:
    fields = dict(WITH.get(move, {}))
    if move == "suspend":
        fields |= {"suspended_at": at, "suspended_by": scene.provider_head}
    if move == "end":
        fields |= {"ended_at": at, "ended_by": scene.provider_head}
    if move == "deliver":
        fields |= {"provisioned_at": at, "table_name": "t1"}
    return fields


def _pairs(table: Lifecycle) -> list[tuple[str, str]]:
    return [(status, move.name) for status in table.states.values for move in table.moves]


def _check(
    table: Lifecycle, row: Governed, move: str, scene: Scene, at: datetime, **fields: Any
) -> None:
    before, revision = row.status, row.revision
    versions = row.history.count()  # type: ignore[attr-defined]
    arguments = {"actor": scene.provider_head, "at": at, "reason": "理由", **fields}
    if before in table.move(move).sources:
        table.apply(row, move, **arguments)
        assert (row.status, row.revision) == (table.move(move).target, revision + 1)
        assert row.history.count() == versions + 1  # type: ignore[attr-defined]
        newest = row.history.first()  # type: ignore[attr-defined]
        assert newest.history_user == scene.provider_head
        assert newest.history_date == at
        assert newest.history_change_reason.endswith("：理由")
    else:
        with pytest.raises(IllegalMove):
            table.apply(row, move, **arguments)
        row.refresh_from_db()
        assert (row.status, row.revision) == (before, revision)
        assert row.history.count() == versions  # type: ignore[attr-defined]


@pytest.mark.parametrize(("status", "move"), _pairs(REQUEST))
def test_a_request_moves_by_its_table_only(
    scene: Scene, at: datetime, status: str, move: str
) -> None:
    request = stories.request_in(status, scene, at)
    fields = _fields(move, scene, at) if move == "refuse" else {}
    _check(REQUEST, request, move, scene, at, **fields)


@pytest.mark.parametrize(("status", "move"), _pairs(GRANT))
def test_a_grant_moves_by_its_table_only(
    scene: Scene, at: datetime, status: str, move: str
) -> None:
    grant = stories.grant_in(status, scene, at)
    _check(GRANT, grant, move, scene, at, **_fields(move, scene, at))


def test_every_status_can_be_reached_and_told() -> None:
    for table in (REQUEST, GRANT):
        reached = {move.target for move in table.moves}
        begun = {table.states.values[0]}
        assert reached | begun == set(table.states.values)
        assert all(str(move.owed) for move in table.moves)


def test_a_move_that_needs_a_reason_asks_for_it(scene: Scene, at: datetime) -> None:
    request = stories.request_in("awaiting_head", scene, at)
    with pytest.raises(InvalidInput):
        REQUEST.apply(request, "return_by_head", actor=scene.consumer_head, at=at, reason=" ")


def test_a_page_that_was_opened_before_a_change_is_refused(scene: Scene, at: datetime) -> None:
    request = stories.request_in("awaiting_head", scene, at)
    with pytest.raises(StaleRevision):
        REQUEST.apply(
            request,
            "approve_by_head",
            actor=scene.consumer_head,
            at=at,
            revision=request.revision - 1,
        )
    assert SharingRequest.objects.get(pk=request.pk).status == "awaiting_head"


def test_the_open_statuses_are_those_with_a_way_out() -> None:
    closed = {status for status in REQUEST.states.values if not REQUEST.is_open(status)}
    assert closed == {"delivered", "refused", "withdrawn"}
    ended = {status for status in GRANT.states.values if not GRANT.is_open(status)}
    assert ended == {Grant.Status.ENDED, Grant.Status.EXPIRED}
