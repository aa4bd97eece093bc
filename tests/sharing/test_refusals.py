"""Whoever may not, and whatever does not fit the status: nothing at all changes, and it is told."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import pytest
from django.db import connection

from apps.core.errors import DomainError, IllegalMove, NotAllowed
from apps.ledger.models import Event
from apps.sharing import operations as sharing
from apps.sharing.lifecycle import GRANT, REQUEST
from apps.sharing.models import Grant, SharingRequest
from tests import stories
from tests.factories.accounts import UserFactory
from tests.factories.sharing import Scene
from tests.sharing.fingerprint import fingerprint

# move → who makes it, and what it takes beside request, actor, at.
MOVES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "submit": ("consumer", {}),
    "recall": ("consumer", {}),
    "approve_by_head": ("consumer_head", {}),
    "return_by_head": ("consumer_head", {"reason": "退"}),
    "pass_on": ("district", {}),
    "return_by_district": ("district", {"reason": "依据不足"}),
    "accept_form": ("provider", {}),
    "ask_supplement": ("provider", {"reason": "缺"}),
    "supplement": ("consumer", {"reason": "补"}),
    "propose": ("provider", {"outcome": "agree"}),
    "confirm": ("second", {}),
    "send_back_proposal": ("provider_head", {"reason": "退"}),
    "retract_proposal": ("provider", {}),
    "mark_urgent": ("authority", {"kind": "order", "hours": 24, "reason": "市政府紧急通知"}),
    "agree": ("provider_head", {}),
    "refuse": ("provider_head", {}),
    "withdraw": ("consumer", {"reason": "不要了"}),
}
NOT_MOVES: Final[dict[str, dict[str, Any]]] = {
    "revise": {"basis": "另一条"},
    "extend": {"workdays": 3, "reason": "忙"},
    "backfill": {"reason": "补"},
    "review_urgent": {"justified": True, "reason": "属实"},
    "preview": {},
    "attach": {"title": "函", "document_number": "1"},
}
GRANT_MOVES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "suspend": ("provider_head", {"reason": "超范围使用"}),
    "resume": ("provider_head", {"reason": "已整改"}),
    "end": ("provider_head", {"reason": "拒不整改"}),
}
NARROWER: Final[dict[str, Any]] = {"calls_a_day": 100, "reason": "超出需要"}
PLATFORM_MOVES: Final[dict[str, set[str]]] = {
    "request": {
        "send_to_district",
        "grant_automatically",
        "drop_agreed",
        "propose_for_confirmation",
        "deliver",
    },
    "grant": {"deliver", "expire"},
}


def test_every_move_that_a_person_makes_is_tried_here() -> None:
    assert {move.name for move in REQUEST.moves} == {*MOVES, *PLATFORM_MOVES["request"]}
    assert {move.name for move in GRANT.moves} == {*GRANT_MOVES, *PLATFORM_MOVES["grant"]}


@pytest.mark.parametrize("status", sorted(stories.REQUEST_STORIES))
def test_a_stranger_changes_nothing_and_every_attempt_is_recorded(
    scene: Scene, at: datetime, status: str
) -> None:
    request = stories.request_in(status, scene, at)
    stranger = UserFactory(roles=["department_editor", "department_approver"])
    attempts = {name: words for name, (_who, words) in MOVES.items()} | NOT_MOVES
    attempts["route"] = {"steps": [("业务处室", stranger)]}
    before = fingerprint()
    for name, words in attempts.items():
        with pytest.raises(NotAllowed):
            getattr(sharing, name)(request=request, actor=stranger, at=at, **words)
    assert fingerprint() == before
    refused = Event.objects.filter(outcome="refused", actor_id=stranger.pk)
    assert {event.verb for event in refused} >= {f"sharing.{name}" for name in attempts}


@pytest.mark.parametrize("status", sorted(stories.REQUEST_STORIES))
def test_the_right_person_changes_nothing_where_the_move_does_not_fit_the_status(
    scene: Scene, at: datetime, status: str
) -> None:
    request = stories.request_in(status, scene, at)
    illegal = [name for name in MOVES if status not in REQUEST.move(name).sources]
    before = fingerprint()
    for name in illegal:
        who, words = MOVES[name]
        with pytest.raises(DomainError) as refusal:
            getattr(sharing, name)(request=request, actor=getattr(scene, who), at=at, **words)
        assert refusal.value.code in {"illegal_move", "not_allowed", "supplement_asked"}, name
        # The row in hand tells no lie either.
        assert request.status == status
    assert fingerprint() == before


@pytest.mark.parametrize("status", sorted(stories.REQUEST_STORIES))
def test_the_right_person_makes_every_move_that_fits(
    scene: Scene, at: datetime, status: str
) -> None:
    for name, (who, words) in MOVES.items():
        if status not in REQUEST.move(name).sources or name == "refuse":
            continue  # to refuse, a refusal must have been proposed: see test_operations
        if (name, status) == ("retract_proposal", "awaiting_signature"):
            continue  # confirmed here, so that it stays: see test_retracting
        request = stories.request_in(status, scene, at)
        getattr(sharing, name)(request=request, actor=getattr(scene, who), at=at, **words)
        fresh = SharingRequest.objects.get(pk=request.pk)
        # The scene's data is of grade 3: its opinion goes to a second person.
        move = "propose_for_confirmation" if name == "propose" else name
        assert fresh.status == REQUEST.move(move).target
        _clear(fresh, scene, at)


def _clear(request: SharingRequest, scene: Scene, at: datetime) -> None:
    """Let the next story begin: a system asks for a dataset once at a time."""
    if request.status == "agreed":
        sharing.end(grant=request.grant, actor=scene.provider_head, at=at, reason="试毕")
        SharingRequest.objects.filter(pk=request.pk).update(grant=None, grant_version=None)
        Grant.objects.filter(request=request).delete()
    SharingRequest.objects.filter(pk=request.pk).update(status="withdrawn")


@pytest.mark.parametrize("status", Grant.Status.values)
def test_a_grant_moves_for_nobody_else_and_from_no_other_status(
    scene: Scene, at: datetime, status: str
) -> None:
    grant = stories.grant_in(status, scene, at)
    stranger = UserFactory(roles=["department_editor", "department_approver"])
    before = fingerprint()
    for name, (who, words) in GRANT_MOVES.items():
        with pytest.raises(NotAllowed):
            getattr(sharing, name)(grant=grant, actor=stranger, at=at, **words)
        if status not in GRANT.move(name).sources:
            with pytest.raises(IllegalMove):
                getattr(sharing, name)(grant=grant, actor=getattr(scene, who), at=at, **words)
    with pytest.raises(NotAllowed):
        sharing.narrow(grant=grant, actor=stranger, at=at, **NARROWER)
    if status not in ("in_force", "suspended"):
        with pytest.raises(IllegalMove):
            sharing.narrow(grant=grant, actor=scene.provider_head, at=at, **NARROWER)
    assert fingerprint() == before


def test_a_refusal_in_the_last_beat_takes_everything_back(
    scene: Scene, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The move, decision, clocks, to-dos and grant are one transaction with the evidence."""

    def without_evidence(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the ledger cannot be written")

    request = stories.awaiting_signature(scene, at)
    before = fingerprint()
    with monkeypatch.context() as broken:
        broken.setattr("apps.sharing.operations.deciding.review.ledger.record", without_evidence)
        with pytest.raises(RuntimeError):
            sharing.agree(request=request, actor=scene.provider_head, at=at)
    assert fingerprint() == before


# What is done, the code of its refusal, and the field at which it is told.
WRONG: Final[list[tuple[Callable[[SharingRequest, Scene, datetime], object], str, str | None]]] = [
    (
        lambda request, scene, at: sharing.propose(
            request=request, outcome="refuse", actor=scene.provider, at=at, reason="无关"
        ),
        "invalid_input",
        "legal_basis",
    ),
    (
        lambda request, scene, at: sharing.propose(
            request=request,
            outcome="narrow",
            items=["no_such"],
            reason="少",
            actor=scene.provider,
            at=at,
        ),
        "wider_than_asked",
        "items",
    ),
    (
        lambda request, scene, at: sharing.ask_supplement(
            request=request, actor=scene.provider, at=at, reason=" "
        ),
        "invalid_input",
        "reason",
    ),
    (
        lambda request, scene, at: sharing.extend(
            request=request, actor=scene.provider, at=at, workdays=11, reason="忙"
        ),
        "invalid_input",
        "workdays",
    ),
    (
        lambda request, scene, at: sharing.propose(
            request=request, outcome="agree", actor=scene.provider, at=at, revision=1
        ),
        "stale_revision",
        None,
    ),
    (
        lambda request, scene, at: sharing.attach(
            request=request, actor=scene.provider, at=at, title="", document_number="1 号"
        ),
        "invalid_input",
        "title",
    ),
]


@pytest.mark.parametrize(("act", "code", "field"), WRONG)
def test_wrong_words_of_the_right_person_change_nothing(
    scene: Scene,
    at: datetime,
    act: Callable[[SharingRequest, Scene, datetime], object],
    code: str,
    field: str | None,
) -> None:
    request = stories.request_in("reviewing", scene, at)
    before = fingerprint()
    with pytest.raises(DomainError) as refusal:
        act(request, scene, at)
    assert (refusal.value.code, refusal.value.details.get("field")) == (code, field)
    assert fingerprint() == before


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE sharing_sharingrequest SET scope = scope || '多'",
        "DELETE FROM ledger_todo WHERE id = (SELECT max(id) FROM ledger_todo)",
        "GRANT SELECT (number) ON sharing_sharingrequest TO huiliu_gateway",
        "ALTER TABLE sharing_provisioninglock ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY more ON sharing_provisioninglock USING (true)",
        "CREATE VIEW public.more AS SELECT 1",
    ],
)
def test_the_fingerprint_sees_every_kind_of_change(scene: Scene, at: datetime, change: str) -> None:
    stories.request_in("reviewing", scene, at)
    before = fingerprint()
    assert fingerprint() == before
    with connection.cursor() as cursor:
        cursor.execute(change)
    assert fingerprint() != before
