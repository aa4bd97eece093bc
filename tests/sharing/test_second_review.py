"""审核 and 复核: on data of high grade two people in turn, and a third who signs."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from guardian.shortcuts import assign_perm

from apps.accounts.models import User
from apps.clocks import queries as clocks
from apps.core import access
from apps.core.errors import Conflict, IllegalMove, NotAllowed
from apps.ledger.models import Event, Notice, Todo
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.models import SharingRequest
from tests import stories
from tests.factories.accounts import DelegationFactory, DepartmentFactory, UserFactory
from tests.factories.sharing import Scene, make_scene
from tests.sharing.fingerprint import fingerprint
from tests.sharing.test_views import buttons_on, signed_in

pytestmark = pytest.mark.django_db
MISSING = "sharing.second_missing"


@pytest.fixture
def alone(scene: Scene) -> Scene:
    """A department of two: a clerk and a head."""
    User.objects.filter(pk=scene.second.pk).update(is_active=False)
    return scene


@pytest.fixture
def waiting(scene: Scene, at: datetime) -> SharingRequest:
    return stories.awaiting_second_review(scene, at)


def _desks(request: SharingRequest, kind: str = "sharing.awaiting_second_review") -> set[Any]:
    todos = Todo.objects.filter(object_id=request.pk, done_at=None, kind=kind)
    return {todo.assignee or (todo.department, todo.role) for todo in todos}


def _stands_in(deputy: User, principal: User) -> None:
    DelegationFactory(
        principal=principal,
        deputy=deputy,
        starts_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 31),
    )
    deputy.forget_standing()


class TestWhatNeedsIt:
    @pytest.mark.parametrize(
        ("dataset", "items", "needed"),
        [
            ({"grade": "2"}, ["name"], False),
            ({"grade": "1"}, ["name", "division_code"], False),
            ({"grade": "2"}, ["identity_number"], True),
            ({"grade": "3"}, ["division_code"], True),
            ({"grade": "4"}, ["division_code"], True),
            ({"grade": "important"}, ["division_code"], True),
            ({"grade": "core"}, ["division_code"], True),
        ],
    )
    def test_it_is_high_grade_or_a_sensitive_item_asked_for(
        self, at: datetime, dataset: dict[str, Any], items: list[str], needed: bool
    ) -> None:
        scene = make_scene(**dataset)
        request = stories.awaiting_second_review(scene, at, items=items)
        assert queries.needs_second_review(request) is needed
        expected = "awaiting_second_review" if needed else "awaiting_signature"
        assert request.status == expected
        assert request.decisions.get(outcome="agree").needs_confirmation is needed

    def test_an_item_may_be_of_higher_grade_than_its_entry(self, at: datetime) -> None:
        scene = make_scene(grade="2")
        scene.dataset.items.filter(column_name="amount").update(grade="3")
        other = stories.awaiting_second_review(scene, at, items=["name"])
        assert other.status == "awaiting_signature"
        sharing.withdraw(request=other, actor=scene.consumer, at=at, reason="改申请")
        request = stories.awaiting_second_review(scene, at, items=["name", "amount"])
        assert request.status == "awaiting_second_review"

    def test_what_was_handed_in_counts_and_not_what_is_half_rewritten(self, at: datetime) -> None:
        """A supplement was begun when the authority's order cut it short."""
        scene = make_scene(grade="2")
        request = stories.supplement(scene, at, items=["identity_number"])
        sharing.revise(request=request, actor=scene.consumer, at=at, items=["name"])
        order: dict[str, Any] = {"kind": "order", "hours": 12, "reason": "市政府紧急通知"}
        sharing.mark_urgent(request=request, actor=scene.authority, at=at, **order)
        sharing.propose(
            request=request, outcome="agree", actor=scene.provider, at=at, reason="最少"
        )
        assert request.status == "awaiting_second_review"

    def test_an_entry_that_does_not_say_in_which_items_counts_as_sensitive(
        self, at: datetime
    ) -> None:
        scene = make_scene(grade="2")
        scene.dataset.items.update(sensitive=False)
        request = stories.awaiting_second_review(scene, at, items=["division_code"])
        assert request.status == "awaiting_second_review"

    def test_a_refusal_is_confirmed_too(self, scene: Scene, at: datetime) -> None:
        request = stories.awaiting_second_review(scene, at, "refuse")
        assert request.status == "awaiting_second_review"
        stories.confirmed(request, scene, at)
        sharing.sign(request=request, actor=scene.provider_head, at=at)
        assert request.status == "refused"


class TestConfirming:
    def test_it_goes_from_the_second_person_to_the_head_and_the_clock_goes_on(
        self, scene: Scene, at: datetime, waiting: SharingRequest
    ) -> None:
        before = clocks.running(waiting).values("state", "due_on").get()
        assert _desks(waiting) == {scene.second}
        sharing.confirm(request=waiting, actor=scene.second, at=at, reason="范围恰当")
        assert waiting.status == "awaiting_signature"
        assert _desks(waiting) == set()
        assert _desks(waiting, "sharing.awaiting_signature") == {
            (scene.provider_department, "department_approver")
        }
        assert clocks.running(waiting).values("state", "due_on").get() == before
        decision = queries.latest_decision(waiting)
        assert decision is not None
        assert (decision.confirmed_by, decision.confirmed_at) == (scene.second, at)
        assert decision.confirmation_remark == "范围恰当"
        event = Event.objects.get(verb="sharing.confirm", outcome="done")
        assert event.details == {"version": decision.version, "reason": "范围恰当"}
        sharing.agree(request=waiting, actor=scene.provider_head, at=at)
        assert waiting.status == "agreed"

    def test_across_the_national_day_it_is_due_when_the_review_is(self, scene: Scene) -> None:
        """Received on Monday 28 September: ten working days, with the make-up Saturday."""
        asked_at = datetime.fromisoformat("2026-09-28T02:00:00+00:00")
        request = stories.awaiting_second_review(scene, asked_at)
        due_on = date(2026, 10, 16)
        assert clocks.running(request).get().due_on == due_on
        assert Todo.objects.get(object_id=request.pk, assignee=scene.second).due_on == due_on
        stories.confirmed(request, scene, asked_at + timedelta(days=3))
        assert clocks.running(request).get().due_on == due_on

    def test_who_disagrees_sends_it_back_and_it_is_proposed_anew(
        self, scene: Scene, at: datetime, waiting: SharingRequest
    ) -> None:
        sharing.send_back_proposal(request=waiting, actor=scene.second, at=at, reason="范围过宽")
        assert (waiting.status, _desks(waiting)) == ("reviewing", set())
        sharing.propose(request=waiting, outcome="agree", actor=scene.second, at=at)
        # Now the first reviewer is the second person.
        assert _desks(waiting) == {scene.provider}
        with pytest.raises(NotAllowed) as refusal:
            sharing.confirm(request=waiting, actor=scene.second, at=at)
        assert refusal.value.code == "own_proposal"
        sharing.confirm(request=waiting, actor=scene.provider, at=at)
        first, second, third = waiting.decisions.order_by("version")
        assert (first.confirmed_by, second.confirmed_by) == (None, None)
        assert third.confirmed_by == scene.provider

    def test_the_proposer_neither_confirms_nor_sends_back(
        self, scene: Scene, at: datetime, waiting: SharingRequest
    ) -> None:
        before = fingerprint()
        with pytest.raises(NotAllowed) as refusal:
            sharing.confirm(request=waiting, actor=scene.provider, at=at)
        assert refusal.value.code == "own_proposal"
        with pytest.raises(NotAllowed):
            sharing.send_back_proposal(request=waiting, actor=scene.provider, at=at, reason="改")
        assert fingerprint() == before

    def test_the_only_one_who_could_sign_does_not_confirm(
        self, scene: Scene, at: datetime, waiting: SharingRequest
    ) -> None:
        before = fingerprint()
        with pytest.raises(Conflict) as refusal:
            sharing.confirm(request=waiting, actor=scene.provider_head, at=at)
        assert refusal.value.code == "no_signer_left"
        assert fingerprint() == before

    def test_one_of_two_heads_confirms_and_the_other_signs(
        self, alone: Scene, at: datetime
    ) -> None:
        other = UserFactory(department=alone.provider_department, roles=["department_approver"])
        request = stories.awaiting_second_review(alone, at)
        assert _desks(request) == {alone.provider_head, other}
        sharing.confirm(request=request, actor=other, at=at)
        before = fingerprint()
        with pytest.raises(NotAllowed) as refusal:
            sharing.agree(request=request, actor=other, at=at)
        assert refusal.value.code == "own_second_review"
        assert fingerprint() == before
        sharing.agree(request=request, actor=alone.provider_head, at=at)
        assert request.status == "agreed"

    def test_nothing_is_signed_before_it_is_confirmed(
        self, scene: Scene, at: datetime, waiting: SharingRequest
    ) -> None:
        before = fingerprint()
        with pytest.raises(IllegalMove):
            sharing.agree(request=waiting, actor=scene.provider_head, at=at)
        assert fingerprint() == before

    def test_an_entry_graded_higher_meanwhile_is_sent_back_first(self, at: datetime) -> None:
        scene = make_scene(grade="2")
        request = stories.awaiting_signature(scene, at, items=["name"])
        scene.dataset.grade = "3"
        scene.dataset.save()
        request = SharingRequest.objects.get(pk=request.pk)
        before = fingerprint()
        with pytest.raises(Conflict) as refusal:
            sharing.agree(request=request, actor=scene.provider_head, at=at)
        assert refusal.value.code == "second_review_due"
        assert fingerprint() == before
        sharing.send_back_proposal(
            request=request, actor=scene.provider_head, at=at, reason="数据已升为 3 级"
        )
        sharing.propose(request=request, outcome="agree", actor=scene.provider, at=at)
        stories.confirmed(request, scene, at)
        sharing.agree(request=request, actor=scene.provider_head, at=at)
        assert request.status == "agreed"

    def test_a_department_to_which_reviewing_was_delegated_confirms(
        self, alone: Scene, at: datetime
    ) -> None:
        colleague = UserFactory(department=DepartmentFactory(), roles=["department_editor"])
        assign_perm("catalog.review_requests", colleague.department.group, alone.dataset)
        request = stories.awaiting_second_review(alone, at)
        assert _desks(request) == {colleague}
        sharing.confirm(request=request, actor=colleague, at=at)
        assert request.status == "awaiting_signature"

    def test_the_route_inside_does_not_hold_up_the_second_review(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.reviewing(scene, at)
        unit = UserFactory(department=scene.provider_department)
        sharing.route(request=request, actor=scene.provider, at=at, steps=[("业务处室", unit)])
        sharing.propose(request=request, outcome="agree", actor=scene.provider, at=at)
        assert _desks(request) == {scene.second}
        stories.confirmed(request, scene, at)
        assert _desks(request, "sharing.awaiting_signature") == set()
        step = queries.current_steps(request, "provider").get()
        sharing.pass_step(step=step, actor=unit, at=at)
        assert _desks(request, "sharing.awaiting_signature") == {
            (scene.provider_department, "department_approver")
        }

    def test_a_step_back_inside_returns_it_to_the_reviewer(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.reviewing(scene, at)
        unit = UserFactory(department=scene.provider_department)
        sharing.route(request=request, actor=scene.provider, at=at, steps=[("业务处室", unit)])
        sharing.propose(request=request, outcome="agree", actor=scene.provider, at=at)
        step = queries.current_steps(request, "provider").get()
        sharing.step_back(step=step, actor=unit, at=at, opinion="再核")
        request.refresh_from_db()
        assert (request.status, _desks(request)) == ("reviewing", set())


class TestStandIns:
    def test_a_stand_in_of_the_head_is_the_second_person(self, alone: Scene, at: datetime) -> None:
        deputy = UserFactory(department=alone.provider_department)
        _stands_in(deputy, alone.provider_head)
        request = stories.awaiting_second_review(alone, at)
        # It lies on the head's desk, where his stand-in finds it; the head himself has to sign.
        assert _desks(request) == {alone.provider_head}
        assert list(queries.awaiting_my_decision(deputy, at)) == [request]
        with pytest.raises(Conflict):
            sharing.confirm(request=request, actor=alone.provider_head, at=at)
        sharing.confirm(request=request, actor=deputy, at=at)
        with pytest.raises(NotAllowed) as refusal:
            sharing.agree(request=request, actor=deputy, at=at)
        assert refusal.value.code == "own_second_review"
        sharing.agree(request=request, actor=alone.provider_head, at=at)
        assert request.status == "agreed"

    def test_nobody_confirms_in_the_name_of_the_proposer(self, alone: Scene, at: datetime) -> None:
        deputy = UserFactory(department=alone.provider_department)
        _stands_in(deputy, alone.provider)
        request = stories.awaiting_second_review(alone, at)
        assert not access.allowed(deputy, "confirm", request, at=at)
        before = fingerprint()
        with pytest.raises(NotAllowed):
            sharing.confirm(request=request, actor=deputy, at=at)
        assert fingerprint() == before

    def test_the_proposer_does_not_confirm_as_somebodys_stand_in(
        self, scene: Scene, at: datetime
    ) -> None:
        _stands_in(scene.provider, scene.second)
        request = stories.awaiting_second_review(scene, at)
        with pytest.raises(NotAllowed) as refusal:
            sharing.confirm(request=request, actor=scene.provider, at=at)
        assert refusal.value.code == "own_proposal"

    def test_a_stand_in_from_the_asking_department_is_none(
        self, alone: Scene, at: datetime
    ) -> None:
        _stands_in(UserFactory(department=alone.consumer_department), alone.provider_head)
        request = stories.awaiting_second_review(alone, at)
        assert _desks(request, MISSING)


class TestNobodyThere:
    def test_head_and_authority_are_told_at_once_and_the_clock_goes_on(
        self, alone: Scene, at: datetime
    ) -> None:
        deputy = UserFactory(department=DepartmentFactory())  # stands in, but for nobody here
        request = stories.awaiting_second_review(alone, at)
        assert _desks(request) == set()
        assert _desks(request, MISSING) == {
            (alone.provider_department, "department_approver"),
            (alone.authority.department, "authority_officer"),
        }
        told = set(Notice.objects.filter(title__contains="无人可以复核").values_list("recipient"))
        assert {(alone.provider_head.pk,), (alone.authority.pk,)} <= told
        assert (deputy.pk,) not in told
        assert clocks.running(request).get().state == "running"
        for person in (alone.provider, alone.provider_head, alone.authority):
            page = signed_in(person).get(f"/work/requests/{request.pk}/").content.decode()
            assert "没有人可以复核" in page

    def test_it_is_said_once_and_unsaid_when_somebody_came(
        self, alone: Scene, at: datetime
    ) -> None:
        request = stories.awaiting_second_review(alone, at)
        notices = Notice.objects.count()
        sharing.carry_out_due(at + timedelta(hours=1))
        assert Notice.objects.count() == notices
        newcomer = UserFactory(department=alone.provider_department, roles=["department_editor"])
        sharing.carry_out_due(at + timedelta(hours=2))
        assert (_desks(request), _desks(request, MISSING)) == ({newcomer}, set())
        sharing.carry_out_due(at + timedelta(hours=3))
        assert Todo.objects.filter(object_id=request.pk, done_at=None).count() == 1

    def test_it_is_noticed_when_the_second_person_goes(
        self, scene: Scene, at: datetime, waiting: SharingRequest
    ) -> None:
        User.objects.filter(pk=scene.second.pk).update(is_active=False)
        sharing.carry_out_due(at + timedelta(hours=1))
        assert len(_desks(waiting, MISSING)) == 2

    def test_who_joins_later_is_asked_too(
        self, scene: Scene, at: datetime, waiting: SharingRequest
    ) -> None:
        newcomer = UserFactory(department=scene.provider_department, roles=["department_editor"])
        sharing.carry_out_due(at + timedelta(hours=1))
        assert _desks(waiting) == {scene.second, newcomer}
        notices = Notice.objects.count()
        sharing.carry_out_due(at + timedelta(hours=2))
        assert Notice.objects.count() == notices

    def test_what_was_said_is_done_when_it_goes_another_way(
        self, alone: Scene, at: datetime
    ) -> None:
        request = stories.awaiting_second_review(alone, at)
        sharing.withdraw(request=request, actor=alone.consumer, at=at, reason="不需要了")
        assert not Todo.objects.filter(object_id=request.pk, done_at=None).exists()


class TestInTheDatabase:
    @pytest.mark.parametrize(
        "who", ["provider", "nobody"], ids=["the proposer confirms", "nobody confirmed"]
    )
    def test_the_rule_holds_below_python(
        self, scene: Scene, at: datetime, waiting: SharingRequest, who: str
    ) -> None:
        rows = waiting.decisions.filter(outcome="agree")
        wrong: dict[str, Any] = {"signed_by": scene.provider_head, "signed_at": at}
        if who == "provider":
            wrong = {"confirmed_by": scene.provider, "confirmed_at": at}
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**wrong)
        rows.update(confirmed_by=scene.second, confirmed_at=at)
        for signer in (scene.second, scene.provider):
            with pytest.raises(IntegrityError), transaction.atomic():
                rows.update(signed_by=signer, signed_at=at)


class TestOnTheScreen:
    def test_the_second_person_sees_the_terms_and_confirms(
        self, scene: Scene, at: datetime, waiting: SharingRequest
    ) -> None:
        client = signed_in(scene.second)
        page = client.get(f"/work/requests/{waiting.pk}/").content.decode()
        assert {"confirm", "send_back_proposal"} <= buttons_on(page)
        assert "处理意见（待复核）" in page
        path = f"/work/requests/{waiting.pk}/move/confirm/"
        shown = client.get(path).content.decode()
        assert scene.provider.name in shown
        assert "公民身份号码" in shown
        assert client.post(path, {"reason": "", "revision": waiting.revision}).status_code == 302
        waiting.refresh_from_db()
        assert waiting.status == "awaiting_signature"

    def test_the_form_says_where_the_opinion_goes(self, scene: Scene, at: datetime) -> None:
        request = stories.reviewing(scene, at)
        page = signed_in(scene.provider).get(f"/work/requests/{request.pk}/propose/")
        assert "提交后先由另一人复核" in page.content.decode()

    def test_the_only_signer_sees_why_he_cannot_confirm(
        self, scene: Scene, waiting: SharingRequest
    ) -> None:
        page = signed_in(scene.provider_head).get(f"/work/requests/{waiting.pk}/").content.decode()
        assert "没有其他负责人可以签发" in page
        assert "confirm" not in buttons_on(page)

    def test_the_api_confirms(self, scene: Scene, waiting: SharingRequest) -> None:
        client: Client = signed_in(scene.second)
        answer = client.post(
            f"/api/v1/requests/{waiting.pk}/confirm", {}, content_type="application/json"
        )
        assert (answer.status_code, answer.json()["status"]) == (200, "awaiting_signature")
        again = client.post(
            f"/api/v1/requests/{waiting.pk}/confirm", {}, content_type="application/json"
        )
        assert (again.status_code, again.json()["code"]) == (409, "illegal_move")
