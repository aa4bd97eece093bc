"""盲审: two opinions, neither seeing the other's; alike they go on, unlike they are opened."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.clocks import queries as clocks
from apps.core import access
from apps.core.errors import Conflict, InvalidInput, NotAllowed
from apps.ledger.models import Event, Notice, Todo
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.models import BlindReviewOrder, SealedOpinion, SharingRequest
from tests import stories
from tests.factories.accounts import (
    DelegationFactory,
    DepartmentFactory,
    InformationSystemFactory,
    UserFactory,
)
from tests.factories.sharing import Scene, make_scene
from tests.sharing.fingerprint import fingerprint
from tests.sharing.test_views import buttons_on, signed_in

pytestmark = pytest.mark.django_db
SECRET = "只给核对所需的两项"
NARROWER: dict[str, Any] = {
    "outcome": "narrow",
    "items": {"identity_number": "cover_identity", "name": "cover_name"},
    "reason": SECRET,
}
ITEMS = ["identity_number", "name", "registered_on"]


@pytest.fixture
def leader(scene: Scene) -> User:
    return UserFactory(department=scene.authority.department, roles=["authority_leader"])


@pytest.fixture
def order(leader: User, at: datetime) -> BlindReviewOrder:
    return sharing.order_blind_review(actor=leader, at=at, reason="专项检查期间")


@pytest.fixture
def sealed(scene: Scene, order: BlindReviewOrder, at: datetime) -> SharingRequest:
    """The first opinion is written: narrower terms, with a reason."""
    request = stories.reviewing(scene, at, items=ITEMS)
    return sharing.propose(request=request, actor=scene.provider, at=at, **NARROWER)


@pytest.fixture
def opine(scene: Scene, sealed: SharingRequest, at: datetime) -> Callable[..., SharingRequest]:
    def opined(**words: Any) -> SharingRequest:
        given = {"actor": scene.second, "at": at, **words}
        return sharing.opine(request=sealed, **given)

    return opined


class TestTheOrder:
    def test_it_is_off_until_the_leader_orders_it(
        self, scene: Scene, leader: User, at: datetime
    ) -> None:
        request = stories.awaiting_second_review(scene, at)
        assert queries.sealed_opinion(request) is None
        order = sharing.order_blind_review(actor=leader, at=at, reason="专项检查期间")
        assert queries.blind_review_order() == order
        assert Event.objects.filter(verb="sharing.order_blind_review", outcome="done").exists()
        # What waited for its confirmation already goes on as it began.
        sharing.confirm(request=request, actor=scene.second, at=at)
        assert request.status == "awaiting_signature"

    @pytest.mark.parametrize(
        "person", ["provider_head", "authority", "system_admin", "security_admin", "auditor"]
    )
    def test_nobody_else_orders_or_lifts_it(
        self, cast: dict[str, Any], order: BlindReviewOrder, at: datetime, person: str
    ) -> None:
        before = fingerprint()
        with pytest.raises(NotAllowed):
            sharing.lift_blind_review(order=order, actor=cast[person], at=at, reason="不用了")
        with pytest.raises(NotAllowed):
            sharing.order_blind_review(actor=cast[person], at=at, reason="再来")
        assert fingerprint() == before

    def test_it_is_ordered_and_lifted_once_with_a_reason(
        self, leader: User, order: BlindReviewOrder, at: datetime
    ) -> None:
        before = fingerprint()
        with pytest.raises(Conflict) as refusal:
            sharing.order_blind_review(actor=leader, at=at, reason="再来")
        assert refusal.value.code == "already_blind"
        with pytest.raises(InvalidInput):
            sharing.lift_blind_review(order=order, actor=leader, at=at, reason=" ")
        assert fingerprint() == before
        sharing.lift_blind_review(order=order, actor=leader, at=at, reason="检查结束")
        assert queries.blind_review_order() is None
        with pytest.raises(Conflict) as refusal:
            sharing.lift_blind_review(order=order, actor=leader, at=at, reason="检查结束")
        assert refusal.value.code == "not_blind"

    def test_below_python_one_is_in_force(self, leader: User, order: BlindReviewOrder) -> None:
        with pytest.raises(IntegrityError, match="one_in_force"), transaction.atomic():
            BlindReviewOrder.objects.create(
                reason="x", ordered_by=leader, ordered_at=order.ordered_at
            )

    def test_what_one_person_may_answer_and_what_is_urgent_is_not_blind(
        self, scene: Scene, order: BlindReviewOrder, at: datetime
    ) -> None:
        plain = make_scene(grade="2")
        request = stories.awaiting_second_review(plain, at, items=["name"])
        assert request.status == "awaiting_signature"
        urgent = stories.form_check(scene, at)
        sharing.mark_urgent(
            request=urgent, actor=scene.authority, at=at, kind="order", hours=12, reason="急令"
        )
        sharing.propose(request=urgent, outcome="agree", actor=scene.provider, at=at, reason="最少")
        assert queries.sealed_opinion(urgent) is None
        sharing.confirm(request=urgent, actor=scene.second, at=at)


class TestTheFirstOpinion:
    def test_nothing_tells_what_it_says(
        self, scene: Scene, sealed: SharingRequest, at: datetime
    ) -> None:
        assert (sealed.status, sealed.proposal) == ("awaiting_second_review", "")
        assert queries.latest_decision(sealed) is None
        event = Event.objects.get(verb="sharing.propose", outcome="done")
        assert event.details == {"sealed": True, "round": 1}
        history = sealed.history.first()
        assert (history.proposal, history.history_change_reason) == ("", "提出处理意见，送复核")
        assert not Notice.objects.filter(body__contains=SECRET).exists()
        assert not Todo.objects.filter(title__contains=SECRET).exists()

    def test_nobody_sees_it_on_a_page_or_over_the_api(
        self, scene: Scene, leader: User, sealed: SharingRequest
    ) -> None:
        people = [scene.second, scene.provider_head, scene.consumer, scene.authority, leader]
        for person in [*people, scene.provider]:
            client = signed_in(person)
            for address in ("", "opine/"):
                page = client.get(f"/work/requests/{sealed.pk}/{address}").content.decode()
                assert SECRET not in page
            assert SECRET not in client.get(f"/api/v1/requests/{sealed.pk}").content.decode()
            assert not access.rows(person, "view", SealedOpinion).exists()

    def test_it_lies_with_the_second_person_who_writes_his_own(
        self, scene: Scene, sealed: SharingRequest, at: datetime
    ) -> None:
        todos = Todo.objects.filter(object_id=sealed.pk, done_at=None)
        assert [todo.assignee for todo in todos] == [scene.second]
        page = signed_in(scene.second).get(f"/work/requests/{sealed.pk}/").content.decode()
        assert "写出独立意见" in page
        assert buttons_on(page) == set()
        before = fingerprint()
        for answer in (
            lambda: sharing.confirm(request=sealed, actor=scene.second, at=at),
            lambda: sharing.send_back_proposal(
                request=sealed, actor=scene.second, at=at, reason="再核"
            ),
        ):
            with pytest.raises(Conflict) as refusal:
                answer()
            assert refusal.value.code == "blind_review"
        assert fingerprint() == before

    def test_an_acceptance_of_negotiated_terms_is_no_opinion_and_not_blind(
        self, scene: Scene, order: BlindReviewOrder, at: datetime
    ) -> None:
        request = stories.reviewing(scene, at, items=ITEMS)
        made = sharing.offer(
            request=request, actor=scene.provider, at=at, items=["name"], reason="够用"
        )
        sharing.accept_offer(
            request=request, version=made.version, actor=scene.consumer_head, at=at
        )
        request.refresh_from_db()
        assert request.status == "awaiting_second_review"
        sharing.confirm(request=request, actor=scene.second, at=at)


class TestTheSecondOpinion:
    def test_alike_they_go_to_the_head_as_confirmed(
        self,
        scene: Scene,
        sealed: SharingRequest,
        opine: Callable[..., SharingRequest],
        at: datetime,
    ) -> None:
        before = clocks.running(sealed).values("state", "due_on").get()
        request = opine(**{**NARROWER, "reason": "两项即可"})
        assert (request.status, request.proposal) == ("awaiting_signature", "narrow")
        decision = queries.latest_decision(request)
        assert decision is not None
        assert (decision.proposed_by, decision.confirmed_by) == (scene.provider, scene.second)
        assert (decision.reason, decision.confirmation_remark) == (SECRET, "两项即可")
        assert [row["name"] for row in decision.items] == ["identity_number", "name"]
        assert clocks.running(request).values("state", "due_on").get() == before
        sharing.sign(request=request, actor=scene.provider_head, at=at)
        assert [column["name"] for column in request.grant.columns] == ["identity_number", "name"]

    @pytest.mark.parametrize(
        "words",
        [
            {"outcome": "agree"},
            {"outcome": "refuse", "reason": "用途不符", "legal_basis": stories.STATUTE},
            {**NARROWER, "items": ["name"]},
            {**NARROWER, "calls_a_day": 100},
            {**NARROWER, "ends_on": date(2026, 12, 31)},
        ],
        ids=["outcome", "refusal", "items", "limits", "end"],
    )
    def test_unlike_they_are_opened_and_reviewed_again_together(
        self,
        scene: Scene,
        opine: Callable[..., SharingRequest],
        at: datetime,
        words: dict[str, Any],
    ) -> None:
        request = opine(**words)
        assert (request.status, request.proposal) == ("reviewing", "")
        assert queries.latest_decision(request) is None
        assert [row.place for row in queries.opened_opinions(request)] == [1, 2]
        told = Notice.objects.filter(title__contains="两份独立意见不一致").values_list("recipient")
        assert set(told) == {(scene.provider.pk,), (scene.second.pk,)}
        assert Todo.objects.filter(
            object_id=request.pk, done_at=None, kind="sharing.reviewing"
        ).exists()
        assert clocks.running(request).get().state == "running"
        # They see each other's now, and go on openly.
        sharing.propose(request=request, actor=scene.second, at=at, **NARROWER)
        assert queries.sealed_opinion(request) is None
        sharing.confirm(request=request, actor=scene.provider, at=at)
        assert request.status == "awaiting_signature"

    def test_once_open_the_provider_and_the_authority_see_both_and_the_consumer_neither(
        self, scene: Scene, opine: Callable[..., SharingRequest]
    ) -> None:
        request = opine(outcome="agree")
        for person in (scene.provider, scene.second, scene.provider_head, scene.authority):
            page = signed_in(person).get(f"/work/requests/{request.pk}/").content.decode()
            assert "两份独立意见" in page
            assert SECRET in page
        page = signed_in(scene.consumer).get(f"/work/requests/{request.pk}/").content.decode()
        assert SECRET not in page

    def test_the_authoritys_people_see_neither_where_it_asked_itself(
        self, order: BlindReviewOrder, leader: User, at: datetime
    ) -> None:
        scene = make_scene()
        own = replace(
            scene,
            consumer=UserFactory(department=leader.department, roles=["department_editor"]),
            consumer_head=UserFactory(department=leader.department, roles=["department_approver"]),
            system=InformationSystemFactory(department=leader.department),
        )
        request = stories.reviewing(own, at, items=ITEMS)
        sharing.propose(request=request, actor=scene.provider, at=at, **NARROWER)
        sharing.opine(request=request, actor=scene.second, at=at, outcome="agree")
        for person in (own.consumer, leader, own.authority):
            assert not access.rows(person, "view", SealedOpinion).exists()
        assert access.rows(scene.provider_head, "view", SealedOpinion).count() == 2

    def test_what_was_typed_in_another_order_is_alike(
        self, scene: Scene, order: BlindReviewOrder, at: datetime
    ) -> None:
        request = stories.reviewing(scene, at, items=ITEMS)
        conditions: list[dict[str, Any]] = [
            {"item": "division_code", "operator": "in", "value": ["500103", "500112"]},
            {"item": "registered_on", "operator": "is_null", "value": False},
        ]
        written = {**NARROWER, "row_condition": conditions}
        sharing.propose(request=request, actor=scene.provider, at=at, **written)
        turned = [
            conditions[1],
            {**conditions[0], "value": ["500112", "500103"]},
        ]
        sharing.opine(
            request=request, actor=scene.second, at=at, **{**written, "row_condition": turned}
        )
        assert request.status == "awaiting_signature"

    def test_the_author_writes_no_second_one_nor_does_who_stands_in_for_him(
        self, scene: Scene, opine: Callable[..., SharingRequest], at: datetime
    ) -> None:
        deputy = UserFactory(department=DepartmentFactory())
        DelegationFactory(
            principal=scene.provider,
            deputy=deputy,
            starts_on=date(2026, 1, 1),
            ends_on=date(2026, 12, 31),
        )
        before = fingerprint()
        for person in (scene.provider, deputy, scene.consumer_head, scene.authority):
            with pytest.raises(NotAllowed):
                opine(actor=person, outcome="agree")
        assert fingerprint() == before

    def test_the_only_one_who_could_sign_writes_none(
        self, scene: Scene, opine: Callable[..., SharingRequest]
    ) -> None:
        before = fingerprint()
        with pytest.raises(Conflict) as refusal:
            opine(actor=scene.provider_head, outcome="agree")
        assert refusal.value.code == "no_signer_left"
        assert fingerprint() == before

    def test_one_that_lacks_its_words_changes_nothing(
        self, opine: Callable[..., SharingRequest]
    ) -> None:
        before = fingerprint()
        for words in ({"outcome": "refuse", "reason": "不符"}, {"outcome": "narrow"}):
            with pytest.raises(InvalidInput):
                opine(**words)
        assert fingerprint() == before

    def test_it_is_written_once(
        self, scene: Scene, opine: Callable[..., SharingRequest], at: datetime
    ) -> None:
        opine(**NARROWER)
        before = fingerprint()
        with pytest.raises(Conflict) as refusal:
            opine(**NARROWER)
        assert refusal.value.code == "not_blind"
        assert fingerprint() == before


class TestOtherWays:
    def test_an_urgent_order_drops_it_unread(
        self, scene: Scene, sealed: SharingRequest, at: datetime
    ) -> None:
        sealed = sharing.mark_urgent(
            request=sealed, actor=scene.authority, at=at, kind="order", hours=12, reason="急令"
        )
        assert queries.sealed_opinion(sealed) is None
        assert sealed.sealed_opinions.get().dropped_at == at
        sharing.propose(request=sealed, outcome="agree", actor=scene.second, at=at, reason="最少")
        assert queries.sealed_opinion(sealed) is None
        assert queries.opened_opinions(sealed).count() == 0
        sharing.confirm(request=sealed, actor=scene.provider, at=at)

    def test_a_withdrawal_leaves_it_unread(
        self, scene: Scene, sealed: SharingRequest, at: datetime
    ) -> None:
        sharing.withdraw(request=sealed, actor=scene.consumer, at=at, reason="不需要了")
        assert sealed.sealed_opinions.get().dropped_at == at
        assert queries.opened_opinions(sealed).count() == 0
        assert not Todo.objects.filter(object_id=sealed.pk, done_at=None).exists()

    def test_lifting_the_order_lets_it_end_as_it_began(
        self,
        leader: User,
        order: BlindReviewOrder,
        opine: Callable[..., SharingRequest],
        at: datetime,
    ) -> None:
        later = at + timedelta(hours=1)
        sharing.lift_blind_review(order=order, actor=leader, at=later, reason="检查结束")
        assert opine(**NARROWER).status == "awaiting_signature"


class TestOnTheScreen:
    def test_the_leader_switches_it_on_and_off(self, leader: User, scene: Scene) -> None:
        client = signed_in(leader)
        assert "未开启" in client.get("/work/blind-review/").content.decode()
        client.post("/work/blind-review/", {"reason": "专项检查期间"})
        assert queries.blind_review_order() is not None
        page = signed_in(scene.provider).get("/work/blind-review/").content.decode()
        assert "专项检查期间" in page
        assert 'href="/work/blind-review/"' in page  # everybody's navigation leads to it
        assert "停止盲审" not in page
        assert "由主管部门负责人开启和停止" in page
        assert (
            signed_in(scene.provider).post("/work/blind-review/", {"reason": "x"}).status_code
            == 403
        )
        client.post("/work/blind-review/", {"reason": "检查结束"})
        assert queries.blind_review_order() is None

    def test_the_second_person_writes_on_the_page(
        self, scene: Scene, sealed: SharingRequest
    ) -> None:
        client = signed_in(scene.second)
        page = client.get(f"/work/requests/{sealed.pk}/opine/").content.decode()
        assert "先协商" not in page
        answer = client.post(
            f"/work/requests/{sealed.pk}/opine/",
            {
                "outcome": "agree",
                "items": list(sealed.requested_items.values_list("item__column_name", flat=True)),
                "revision": sealed.revision,
            },
            follow=True,
        )
        assert "已公开并退回合议" in answer.content.decode()
        again = client.get(f"/work/requests/{sealed.pk}/opine/", follow=True)
        assert "本件没有待公开的盲审意见" in again.content.decode()

    def test_what_was_taken_back_before_gives_way_to_the_two(
        self, scene: Scene, leader: User, at: datetime
    ) -> None:
        request = stories.reviewing(scene, at, items=ITEMS)
        request = sharing.propose(request=request, actor=scene.provider, at=at, **NARROWER)
        request = sharing.retract_proposal(request=request, actor=scene.provider, at=at)
        page = signed_in(scene.second).get(f"/work/requests/{request.pk}/").content.decode()
        assert "处理意见（已由提出人撤回）" in page
        sharing.order_blind_review(actor=leader, at=at, reason="专项检查期间")
        later = at + timedelta(minutes=1)
        request = sharing.propose(request=request, actor=scene.provider, at=later, **NARROWER)
        sharing.opine(request=request, actor=scene.second, at=later, outcome="agree")
        page = signed_in(scene.second).get(f"/work/requests/{request.pk}/").content.decode()
        assert "两份独立意见" in page
        assert "处理意见（已由提出人撤回）" not in page

    def test_the_api_takes_it(self, scene: Scene, sealed: SharingRequest) -> None:
        answer = signed_in(scene.second).post(
            f"/api/v1/requests/{sealed.pk}/opine",
            {
                "outcome": "narrow",
                "items": NARROWER["items"],
                "reason": "同意收窄",
                "revision": sealed.revision,
            },
            content_type="application/json",
        )
        assert answer.status_code == 200, answer.content
        sealed.refresh_from_db()
        assert sealed.status == "awaiting_signature"
