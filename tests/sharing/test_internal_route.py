"""The optional way inside a department: pass, forward, co-sign, step back, recall."""

from datetime import datetime
from typing import Any

import pytest

from apps.accounts.models import User
from apps.clocks import queries as clocks
from apps.core.errors import Conflict, IllegalMove, InvalidInput, NotAllowed
from apps.ledger.models import Todo
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.models import RouteStep, SharingRequest
from tests import stories
from tests.factories.accounts import UserFactory
from tests.factories.sharing import Scene

pytestmark = pytest.mark.django_db


@pytest.fixture
def unit(scene: Scene) -> User:
    return UserFactory(department=scene.consumer_department)


@pytest.fixture
def deputy_head(scene: Scene) -> User:
    return UserFactory(department=scene.consumer_department)


@pytest.fixture
def routed(scene: Scene, at: datetime, unit: User, deputy_head: User) -> SharingRequest:
    """Submitted, and on the desk of the first of two steps."""
    request = stories.draft(scene, at)
    steps = [("业务处室", unit), ("分管负责人", deputy_head)]
    sharing.route(request=request, actor=scene.consumer, at=at, steps=steps)
    return sharing.submit(request=request, actor=scene.consumer, at=at)


def _desk(request: SharingRequest, side: str = "consumer") -> list[RouteStep]:
    return list(queries.current_steps(request, side))


def _assignees(request: SharingRequest) -> list[User]:
    return [step.assignee for step in _desk(request)]


def test_it_goes_from_desk_to_desk_and_then_to_the_head(
    scene: Scene, at: datetime, routed: SharingRequest, unit: User, deputy_head: User
) -> None:
    assert _assignees(routed) == [unit]
    with pytest.raises(Conflict) as refusal:
        sharing.approve_by_head(request=routed, actor=scene.consumer_head, at=at)
    assert refusal.value.code == "route_unfinished"
    sharing.pass_step(step=_desk(routed)[0], actor=unit, at=at, opinion="同意")
    assert _assignees(routed) == [deputy_head]
    sharing.pass_step(step=_desk(routed)[0], actor=deputy_head, at=at)
    owed = Todo.objects.get(object_id=routed.pk, done_at=None, kind="sharing.awaiting_head")
    assert owed.role == "department_approver"
    sharing.approve_by_head(request=routed, actor=scene.consumer_head, at=at)
    assert routed.status == "form_check"


def test_only_whose_desk_it_is_on_may_handle_it(
    scene: Scene, at: datetime, routed: SharingRequest, unit: User, deputy_head: User
) -> None:
    step = _desk(routed)[0]
    for person in (scene.consumer, deputy_head, scene.provider):
        with pytest.raises(NotAllowed):
            sharing.pass_step(step=step, actor=person, at=at)
    sharing.pass_step(step=step, actor=unit, at=at)
    with pytest.raises(NotAllowed):
        sharing.pass_step(step=step, actor=unit, at=at)


def test_a_step_is_forwarded_to_a_colleague(
    scene: Scene, at: datetime, routed: SharingRequest, unit: User
) -> None:
    colleague = UserFactory(department=scene.consumer_department)
    with pytest.raises(InvalidInput):
        sharing.forward(step=_desk(routed)[0], to=scene.provider, actor=unit, at=at)
    sharing.forward(step=_desk(routed)[0], to=colleague, actor=unit, at=at, opinion="由其承办")
    assert _assignees(routed) == [colleague]


def test_co_signers_must_all_have_spoken(
    scene: Scene, at: datetime, routed: SharingRequest, unit: User, deputy_head: User
) -> None:
    asked = [UserFactory(department=scene.consumer_department) for _number in range(2)]
    sharing.co_sign(step=_desk(routed)[0], people=asked, actor=unit, at=at)
    for person in (unit, asked[0]):
        step = next(step for step in _desk(routed) if step.assignee == person)
        sharing.pass_step(step=step, actor=person, at=at)
    assert _assignees(routed) == [asked[1]]
    sharing.pass_step(step=_desk(routed)[0], actor=asked[1], at=at)
    assert _assignees(routed) == [deputy_head]


def test_it_steps_back_to_the_desk_before_and_from_the_first_to_its_author(
    scene: Scene, at: datetime, routed: SharingRequest, unit: User, deputy_head: User
) -> None:
    sharing.pass_step(step=_desk(routed)[0], actor=unit, at=at)
    sharing.step_back(step=_desk(routed)[0], actor=deputy_head, at=at, opinion="用途不清")
    assert _assignees(routed) == [unit]
    sharing.step_back(step=_desk(routed)[0], actor=unit, at=at, opinion="请补写用途")
    routed.refresh_from_db()
    assert routed.status == "draft"
    assert not queries.open_steps(routed, "consumer").exists()


def test_after_a_step_back_the_route_goes_on_in_order(
    scene: Scene, at: datetime, routed: SharingRequest, unit: User, deputy_head: User
) -> None:
    sharing.pass_step(step=_desk(routed)[0], actor=unit, at=at)
    sharing.step_back(step=_desk(routed)[0], actor=deputy_head, at=at, opinion="用途不清")
    sharing.pass_step(step=_desk(routed)[0], actor=unit, at=at)
    assert _assignees(routed) == [deputy_head]


def test_an_opinion_is_recalled_until_somebody_after_it_acted(
    scene: Scene, at: datetime, routed: SharingRequest, unit: User, deputy_head: User
) -> None:
    first = _desk(routed)[0]
    sharing.pass_step(step=first, actor=unit, at=at)
    again = sharing.recall_step(step=first, actor=unit, at=at)
    assert _assignees(routed) == [unit]
    sharing.pass_step(step=again, actor=unit, at=at)
    sharing.pass_step(step=_desk(routed)[0], actor=deputy_head, at=at)
    with pytest.raises(Conflict):
        sharing.recall_step(step=again, actor=unit, at=at)


def test_the_author_recalls_the_whole_request(
    scene: Scene, at: datetime, routed: SharingRequest
) -> None:
    sharing.recall(request=routed, actor=scene.consumer, at=at, reason="改用途")
    assert routed.status == "draft"
    assert _desk(routed) == []
    assert not Todo.objects.filter(kind="sharing.step", done_at=None).exists()


def test_inside_the_provider_the_legal_clock_never_stops(scene: Scene, at: datetime) -> None:
    request = stories.request_in("reviewing", scene, at)
    before: Any = clocks.running(request).values("state", "due_on").get()
    unit = UserFactory(department=scene.provider_department)
    sharing.route(request=request, actor=scene.provider, at=at, steps=[("业务处室", unit)])
    assert clocks.running(request).values("state", "due_on").get() == before
    sharing.propose(request=request, outcome="agree", actor=scene.provider, at=at)
    stories.confirmed(request, scene, at)
    with pytest.raises(Conflict):
        sharing.agree(request=request, actor=scene.provider_head, at=at)
    sharing.pass_step(step=_desk(request, "provider")[0], actor=unit, at=at)
    sharing.agree(request=request, actor=scene.provider_head, at=at)
    assert request.status == "agreed"


@pytest.mark.parametrize("count", [0, 4])
def test_a_route_has_one_to_three_steps(scene: Scene, at: datetime, unit: User, count: int) -> None:
    request = stories.draft(scene, at)
    with pytest.raises(InvalidInput):
        sharing.route(request=request, actor=scene.consumer, at=at, steps=[("步骤", unit)] * count)


def test_one_department_lays_no_route_while_the_other_works(scene: Scene, at: datetime) -> None:
    request = stories.request_in("reviewing", scene, at)
    unit = UserFactory(department=scene.consumer_department)
    with pytest.raises(IllegalMove):
        sharing.route(request=request, actor=scene.consumer, at=at, steps=[("业务处室", unit)])
