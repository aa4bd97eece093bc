"""The matrix: cast × action × status, and that list and row agree."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

import pytest

from apps.core import access
from apps.core.errors import NotAllowed
from apps.sharing import operations as sharing
from apps.sharing.models import Grant, SharingRequest
from tests import stories
from tests.conftest import CAST
from tests.factories.accounts import DelegationFactory, UserFactory
from tests.factories.sharing import Scene, make_scene

SENT: Final = frozenset(
    {
        "form_check",
        "supplement",
        "reviewing",
        "awaiting_second_review",
        "awaiting_signature",
        "agreed",
        "delivered",
        "refused",
        "withdrawn",
    }
)
EVERY: Final = frozenset(stories.REQUEST_STORIES)
AHEAD: Final = frozenset(
    {"form_check", "supplement", "reviewing", "awaiting_second_review", "awaiting_signature"}
)
OPEN: Final = EVERY - {"delivered", "refused", "withdrawn"}
PROPOSED: Final = frozenset(
    {"awaiting_second_review", "awaiting_signature", "agreed", "delivered", "refused"}
)
# action → who → the statuses in which the scope admits him; the lifecycle narrows it further.
MATRIX: Final[dict[str, dict[str, frozenset[str]]]] = {
    "view": {
        "consumer": EVERY,
        "consumer_head": EVERY,
        "provider": SENT,
        "provider_head": SENT,
        "authority": SENT,
        "authority_leader": SENT,
        "auditor": SENT,
    },
    "read_opinions": dict.fromkeys(
        ("provider", "provider_head", "authority", "authority_leader", "auditor"), SENT
    ),
    "revise": {"consumer": frozenset({"draft", "head_returned", "supplement"})},
    "submit": {"consumer": EVERY},
    "recall": {"consumer": EVERY},
    "supplement": {"consumer": EVERY, "consumer_head": EVERY},
    "approve_by_head": {"consumer_head": EVERY},
    "return_by_head": {"consumer_head": EVERY},
    "withdraw": {"consumer": EVERY, "consumer_head": EVERY},
    "accept_form": {"provider": SENT, "provider_head": SENT},
    "ask_supplement": {"provider": SENT, "provider_head": SENT},
    "propose": {"provider": SENT, "provider_head": SENT},
    "offer": {"provider": SENT, "provider_head": SENT},
    "retract_offer": {"provider": SENT, "provider_head": SENT},
    "accept_offer": {"consumer_head": EVERY},
    "decline_offer": {"consumer_head": EVERY},
    "preview": {"provider": SENT, "provider_head": SENT},
    "extend": {"provider": SENT, "provider_head": SENT},
    "confirm": {"provider": SENT - PROPOSED, "provider_head": SENT},
    "opine": {"provider": SENT - PROPOSED, "provider_head": SENT},
    "read_reply": dict.fromkeys(
        (
            *("consumer", "consumer_head", "provider", "provider_head"),
            *("authority", "authority_leader", "auditor"),
        ),
        frozenset({"agreed", "delivered", "refused"}),
    ),
    "weigh": {
        "provider": AHEAD,
        "provider_head": AHEAD,
        "authority": AHEAD,
        "authority_leader": AHEAD,
    },
    "send_back_proposal": {"provider_head": SENT},
    "retract_proposal": {"provider": PROPOSED},
    "ask_again": {"consumer": EVERY},
    "agree": {"provider_head": PROPOSED - {"refused"}},
    "refuse": {"provider_head": frozenset({"refused"})},
    "attach": {
        "consumer": OPEN,
        "consumer_head": OPEN,
        "provider": SENT & OPEN,
        "provider_head": SENT & OPEN,
    },
    "route": {
        "consumer": OPEN,
        "consumer_head": OPEN,
        "provider": SENT & OPEN,
        "provider_head": SENT & OPEN,
    },
    "mark_urgent": {"authority": SENT, "authority_leader": SENT},
    "review_urgent": {},
    "backfill": {},
    "deliver": {},
    "drop_agreed": {},
    "pass_on": {},  # by the district's authority: see test_district
    "return_by_district": {},
    "send_to_district": {},
    "grant_automatically": {},
    "propose_for_confirmation": {},
    "delete": {},
}
GRANT_MATRIX: Final[dict[str, frozenset[str]]] = {
    "view_confined": frozenset(),
    "view": frozenset(
        {
            "consumer",
            "consumer_head",
            "provider",
            "provider_head",
            "authority",
            "authority_leader",
            "auditor",
        }
    ),
    "suspend": frozenset({"provider_head", "authority", "authority_leader"}),
    "narrow": frozenset({"provider_head", "authority", "authority_leader"}),
    "open_change": frozenset({"provider_head"}),
    "ask_change": frozenset({"consumer"}),
    "resume": frozenset({"provider_head", "authority", "authority_leader"}),
    "end": frozenset({"provider_head", "consumer_head", "authority", "authority_leader"}),
    "try_out": frozenset({"consumer", "consumer_head"}),
    "export": frozenset(),  # of an interface the system alone; of files see test_exports
    "open_login": frozenset(),  # of database exchange the operator; see test_database_logins
    "deliver": frozenset(),
    "expire": frozenset(),
    "change": frozenset(),
    "delete": frozenset(),
}


@pytest.fixture
def scene(cast: dict[str, Any], scene: Scene) -> Scene:
    """The scene of the cast: its provider and consumer are those of the matrix."""
    scene.dataset.department = cast["provider"].department
    scene.dataset.save()
    scene.system.department = cast["consumer"].department
    scene.system.save()
    return replace(
        scene,
        **{
            name: cast[name]
            for name in ("authority", "provider", "provider_head", "consumer", "consumer_head")
        },
        second=UserFactory(department=cast["provider"].department, roles=["department_editor"]),
    )


@pytest.mark.parametrize("status", sorted(EVERY))
def test_each_of_the_cast_may_what_the_matrix_says(
    cast: dict[str, Any], scene: Scene, at: datetime, status: str
) -> None:
    request = stories.request_in(status, scene, at)
    wrong = []
    for action, admitted in MATRIX.items():
        for name in CAST:
            expected = status in admitted.get(name, frozenset())
            listed = request in access.rows(cast[name], action, SharingRequest, at=at)
            alone = access.allowed(cast[name], action, request, at=at)
            if (listed, alone) != (expected, expected):
                wrong.append((action, name, expected, listed, alone))
    assert wrong == []


@pytest.mark.parametrize("status", Grant.Status.values)
def test_each_of_the_cast_may_what_the_matrix_of_grants_says(
    cast: dict[str, Any], scene: Scene, at: datetime, status: str
) -> None:
    grant = stories.grant_in(status, scene, at)
    wrong = []
    for action, admitted in GRANT_MATRIX.items():
        for name in CAST:
            listed = grant in access.rows(cast[name], action, Grant, at=at)
            alone = access.allowed(cast[name], action, grant, at=at)
            if listed != alone or alone != (name in admitted):
                wrong.append((action, name, listed, alone))
    assert wrong == []


def test_every_registered_action_stands_in_the_matrix() -> None:
    assert set(access.actions_of(SharingRequest)) == {*MATRIX, "change"}
    assert set(access.actions_of(Grant)) == set(GRANT_MATRIX)


def test_only_editors_of_a_department_draft(cast: dict[str, Any], db: None) -> None:
    able = {name for name in CAST if access.able(cast[name], "create", SharingRequest)}
    assert able == {"provider", "consumer", "outsider"}
    assert not any(access.able(person, "create", Grant) for person in cast.values())


def test_the_provider_cannot_lift_what_the_authority_ordered(scene: Scene, at: datetime) -> None:
    grant = stories.grant_in("in_force", scene, at)
    sharing.suspend(grant=grant, actor=scene.authority, at=at, reason="超范围使用")
    with pytest.raises(NotAllowed):
        sharing.resume(grant=grant, actor=scene.provider_head, at=at, reason="已整改")
    sharing.resume(grant=grant, actor=scene.authority, at=at, reason="已整改")
    assert grant.status == "in_force"


def test_a_delegated_department_reviews_what_is_not_its_own(scene: Scene, at: datetime) -> None:
    from guardian.shortcuts import assign_perm

    request = stories.request_in("reviewing", scene, at)
    deputy = make_scene().provider
    assert not access.allowed(deputy, "propose", request)
    assert deputy.department is not None
    assign_perm("catalog.review_requests", deputy.department.group, scene.dataset)
    assert access.allowed(deputy, "propose", request)
    # A right to review is no right to decide on what one's own department asks.
    assign_perm("catalog.review_requests", scene.consumer_department.group, scene.dataset)
    assert not access.allowed(scene.consumer, "propose", request)


def _propose(scene: Scene, request: SharingRequest, actor: Any, at: datetime) -> None:
    sharing.propose(request=request, outcome="agree", actor=actor, at=at)


def _agree(scene: Scene, request: SharingRequest, actor: Any, at: datetime) -> None:
    sharing.agree(request=request, actor=actor, at=at)


@pytest.mark.parametrize(
    ("status", "role", "act"),
    [
        ("reviewing", "provider", _propose),
        ("awaiting_signature", "provider_head", _agree),
    ],
)
def test_a_stand_in_does_not_decide_for_the_provider_on_his_own_departments_request(
    scene: Scene,
    at: datetime,
    status: str,
    role: str,
    act: Callable[[Scene, SharingRequest, Any, datetime], None],
) -> None:
    request = stories.request_in(status, scene, at)
    colleague = UserFactory(department=scene.consumer_department)
    for deputy, fails in (
        (colleague, True),
        (UserFactory(department=scene.provider_department), False),
    ):
        DelegationFactory(
            principal=getattr(scene, role),
            deputy=deputy,
            starts_on=date(2026, 1, 1),
            ends_on=date(2026, 12, 31),
        )
        if fails:
            with pytest.raises(NotAllowed) as refusal:
                act(scene, request, deputy, at)
            assert refusal.value.code == "own_request"
        else:
            act(scene, request, deputy, at)
