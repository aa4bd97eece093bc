"""撤回意见: the reviewer takes his opinion back as long as nobody has acted on it."""

from datetime import date, datetime
from typing import Any

import pytest

from apps.clocks import queries as clocks
from apps.core.errors import Conflict, IllegalMove, NotAllowed
from apps.ledger.models import Event, Todo
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.models import SharingRequest
from tests import stories
from tests.factories.accounts import DelegationFactory, UserFactory
from tests.factories.sharing import Scene, make_scene
from tests.sharing.fingerprint import fingerprint
from tests.sharing.test_views import buttons_on, signed_in

pytestmark = pytest.mark.django_db


def _retract(request: SharingRequest, scene: Scene, at: datetime, **more: Any) -> SharingRequest:
    words: dict[str, Any] = {"actor": scene.provider, "reason": "漏看了一项", **more}
    return sharing.retract_proposal(request=request, at=at, **words)


def _plain(at: datetime) -> tuple[Scene, SharingRequest]:
    """An opinion that needs no second person: it lies with the head."""
    scene = make_scene(grade="2")
    return scene, stories.awaiting_second_review(scene, at, items=["name"])


def _kinds(request: SharingRequest) -> set[str]:
    todos = Todo.objects.filter(object_id=request.pk, done_at=None)
    return set(todos.values_list("kind", flat=True))


class TestTakingItBack:
    def test_it_is_reviewed_as_before_and_the_clock_goes_on(self, at: datetime) -> None:
        scene, request = _plain(at)
        before = clocks.running(request).values("state", "due_on").get()
        _retract(request, scene, at)
        assert request.status == "reviewing"
        assert _kinds(request) == {"sharing.reviewing"}
        assert clocks.running(request).values("state", "due_on").get() == before
        assert [row.outcome for row in request.decisions.order_by("version")] == ["asked", "agree"]
        assert queries.standing_decision(request) is None
        event = Event.objects.get(verb="sharing.retract_proposal", outcome="done")
        assert event.details == {"reason": "漏看了一项"}
        with pytest.raises(IllegalMove):
            sharing.agree(request=request, actor=scene.provider_head, at=at)

    def test_it_comes_back_from_the_second_person_and_another_is_written(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.awaiting_second_review(scene, at)
        _retract(request, scene, at, reason="")
        assert _kinds(request) == {"sharing.reviewing"}
        sharing.propose(
            request=request,
            outcome="narrow",
            items=["name"],
            reason="只需姓名",
            actor=scene.provider,
            at=at,
        )
        stories.confirmed(request, scene, at)
        sharing.agree(request=request, actor=scene.provider_head, at=at)
        assert [row.signed_at for row in request.decisions.order_by("version")] == [None, None, at]

    def test_a_sealed_opinion_comes_back_unread(self, scene: Scene, at: datetime) -> None:
        leader = UserFactory(department=scene.authority.department, roles=["authority_leader"])
        sharing.order_blind_review(actor=leader, at=at, reason="抽查")
        request = stories.awaiting_second_review(scene, at)
        _retract(request, scene, at)
        sealed = request.sealed_opinions.get()
        assert (request.status, sealed.dropped_at, sealed.opened_at) == ("reviewing", at, None)
        assert queries.sealed_opinion(request) is None


class TestRefusing:
    def test_it_is_only_for_who_gave_it(self, at: datetime) -> None:
        scene, request = _plain(at)
        before = fingerprint()
        for other in (scene.provider_head, scene.second, scene.consumer_head, scene.authority):
            with pytest.raises(NotAllowed):
                _retract(request, scene, at, actor=other)
        assert fingerprint() == before

    def test_a_stand_in_takes_back_his_own_and_not_his_principals(self, at: datetime) -> None:
        scene, request = _plain(at)
        deputy = UserFactory(department=scene.provider_department)
        DelegationFactory(
            principal=scene.provider,
            deputy=deputy,
            starts_on=date(2026, 1, 1),
            ends_on=date(2026, 12, 31),
        )
        before = fingerprint()
        with pytest.raises(NotAllowed) as refusal:
            _retract(request, scene, at, actor=deputy)
        assert refusal.value.code == "others_proposal"
        assert fingerprint() == before
        _retract(request, scene, at)
        sharing.propose(request=request, outcome="agree", actor=deputy, at=at)
        before = fingerprint()
        with pytest.raises(NotAllowed) as refusal:
            _retract(request, scene, at)
        assert refusal.value.code == "others_proposal"
        assert fingerprint() == before
        _retract(request, scene, at, actor=deputy)
        assert request.status == "reviewing"

    def test_what_was_confirmed_stays(self, scene: Scene, at: datetime) -> None:
        request = stories.awaiting_signature(scene, at)
        before = fingerprint()
        with pytest.raises(Conflict) as refusal:
            _retract(request, scene, at)
        assert refusal.value.code == "already_handled"
        assert fingerprint() == before

    def test_what_a_colleague_on_the_way_inside_agreed_to_stays(self, at: datetime) -> None:
        scene = make_scene(grade="2")
        request = stories.reviewing(scene, at, items=["name"])
        steps = sharing.route(
            request=request,
            actor=scene.provider,
            at=at,
            steps=[("分管负责人", scene.second)],
        )
        sharing.propose(request=request, outcome="agree", actor=scene.provider, at=at)
        sharing.pass_step(step=request.route_steps.get(pk=steps[0].pk), actor=scene.second, at=at)
        before = fingerprint()
        with pytest.raises(Conflict) as refusal:
            _retract(request, scene, at)
        assert refusal.value.code == "already_handled"
        assert fingerprint() == before

    def test_what_the_consumer_accepted_stays(self, at: datetime) -> None:
        scene = make_scene(grade="2")
        request = stories.reviewing(scene, at, items=["name", "division_code"])
        sharing.offer(
            request=request,
            items=["name"],
            reason="只需姓名",
            actor=scene.provider,
            at=at,
        )
        sharing.accept_offer(request=request, version=1, actor=scene.consumer_head, at=at)
        before = fingerprint()
        with pytest.raises(Conflict) as refusal:
            _retract(request, scene, at)
        assert refusal.value.code == "offer_accepted"
        assert fingerprint() == before

    def test_a_signed_one_and_a_stale_page_change_nothing(self, at: datetime) -> None:
        scene, request = _plain(at)
        before = fingerprint()
        with pytest.raises(Conflict):
            _retract(request, scene, at, revision=1)
        assert fingerprint() == before
        sharing.agree(request=request, actor=scene.provider_head, at=at)
        before = fingerprint()
        with pytest.raises(IllegalMove):
            _retract(request, scene, at)
        assert fingerprint() == before


class TestOnTheScreen:
    def test_the_one_who_gave_it_presses_the_button_and_reads_what_became_of_it(
        self, at: datetime
    ) -> None:
        scene, request = _plain(at)
        client = signed_in(scene.provider)
        page = client.get(f"/work/requests/{request.pk}/")
        assert "retract_proposal" in buttons_on(page.content.decode())
        url = f"/work/requests/{request.pk}/move/retract_proposal/"
        shown = client.get(url)
        assert "原意见留在经过里" in shown.content.decode()
        client.post(url, {"reason": "", "revision": request.revision})
        page = client.get(f"/work/requests/{request.pk}/")
        assert "已由提出人撤回" in page.content.decode()
        request.refresh_from_db()
        assert request.status == "reviewing"

    def test_nobody_else_has_it_and_the_consumer_does_not_learn_of_it(self, at: datetime) -> None:
        scene, request = _plain(at)
        page = signed_in(scene.provider_head).get(f"/work/requests/{request.pk}/")
        assert "retract_proposal" not in buttons_on(page.content.decode())
        _retract(request, scene, at)
        for person, learns in ((scene.provider_head, True), (scene.consumer, False)):
            page = signed_in(person).get(f"/work/requests/{request.pk}/")
            assert ("撤回处理意见" in page.content.decode()) is learns
            assert ("漏看了一项" in page.content.decode()) is learns

    def test_it_is_off_with_the_reason_once_it_was_confirmed(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.awaiting_signature(scene, at)
        page = signed_in(scene.provider).get(f"/work/requests/{request.pk}/")
        assert "后续环节已经办理，不能撤回" in page.content.decode()


class TestByTheApi:
    def test_it_is_a_move_like_the_others(self, at: datetime) -> None:
        scene, request = _plain(at)
        url = f"/api/v1/requests/{request.pk}/retract_proposal"
        refused = signed_in(scene.provider_head).post(url, {}, "application/json")
        assert refused.status_code == 403
        answer = signed_in(scene.provider).post(url, {"reason": "漏看"}, "application/json")
        assert (answer.status_code, answer.json()["status"]) == (200, "reviewing")
