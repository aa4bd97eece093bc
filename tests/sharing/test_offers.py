"""协商: the provider offers narrower terms, the consumer accepts or declines, several rounds."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.clocks import operations as calendar
from apps.clocks import queries as clocks
from apps.core import access
from apps.core.errors import (
    Conflict,
    DomainError,
    IllegalMove,
    InvalidInput,
    NotAllowed,
    StaleRevision,
)
from apps.ledger.models import Event, Notice, Todo
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.lifecycle import OFFER
from apps.sharing.models import Offer, SharingRequest
from tests import stories
from tests.conftest import CAST
from tests.factories.accounts import DelegationFactory, UserFactory
from tests.factories.sharing import Scene, make_scene
from tests.sharing.fingerprint import fingerprint
from tests.sharing.test_concurrency import at_once
from tests.sharing.test_views import signed_in

pytestmark = pytest.mark.django_db
OWED = "sharing.answer_offer"
FEWER = {"name": "cover_name", "division_code": ""}
ORDER: dict[str, Any] = {"kind": "epidemic", "hours": 24, "reason": "市级三级应急响应通知"}


@pytest.fixture
def request_(scene: Scene, at: datetime) -> SharingRequest:
    return stories.reviewing(scene, at)


def offered(
    request: SharingRequest, scene: Scene, at: datetime, items: Any = None, **more: Any
) -> Offer:
    return sharing.offer(
        request=request,
        actor=scene.provider,
        at=at,
        items=FEWER if items is None else items,
        **{"reason": "用途只需姓名和区划", **more},
    )


def _accept(request: SharingRequest, scene: Scene, at: datetime, version: int = 1) -> Any:
    return sharing.accept_offer(
        request=request, version=version, actor=scene.consumer_head, at=at, reason="可以满足"
    )


def _owed(request: SharingRequest) -> list[Todo]:
    return list(Todo.objects.filter(object_id=request.pk, done_at=None, kind=OWED))


class TestOffering:
    def test_the_consumers_head_owes_an_answer_and_the_providers_clock_goes_on(
        self, scene: Scene, at: datetime, request_: SharingRequest
    ) -> None:
        before = clocks.running(request_).values("state", "due_on").get()
        made = offered(request_, scene, at, calls_a_day=500, ends_on=date(2027, 6, 30))
        request_.refresh_from_db()
        assert (request_.status, made.status, made.version) == ("reviewing", "open", 1)
        assert [(entry["name"], entry["mask"]) for entry in made.items] == list(FEWER.items())
        assert (made.calls_a_day, made.ends_on) == (500, date(2027, 6, 30))
        assert clocks.running(request_).values("state", "due_on").get() == before
        answer = clocks.running(made).get()
        assert (answer.policy.code, answer.department) == (
            "request.offer_answer",
            scene.consumer_department,
        )
        # Received on Wednesday: three working days later is Monday.
        assert answer.due_on == date(2026, 11, 23)
        [todo] = _owed(request_)
        assert (todo.department, todo.role) == (scene.consumer_department, "department_approver")
        assert todo.due_on == answer.due_on
        assert Todo.objects.filter(kind="sharing.reviewing", done_at=None).exists()
        told = Notice.objects.filter(title__contains="第 1 次协商条件").values_list("recipient")
        assert set(told) == {(scene.consumer.pk,), (scene.consumer_head.pk,)}
        event = Event.objects.get(verb="sharing.offer", outcome="done")
        assert event.details == {"offer": 1, "reason": "用途只需姓名和区划"}

    def test_across_the_national_day_the_answer_is_due_on_the_make_up_saturday(
        self, scene: Scene
    ) -> None:
        # Offered on Wednesday 30 September; 8, 9 and (made up) 10 October are the working days.
        offered_at = datetime.fromisoformat("2026-09-30T02:00:00+00:00")
        request = stories.reviewing(scene, offered_at)
        made = offered(request, scene, offered_at)
        assert clocks.due_day(made, queries.ANSWER) == date(2026, 10, 10)

    def test_a_day_off_entered_later_moves_the_day_that_is_shown(
        self, scene: Scene, at: datetime, request_: SharingRequest
    ) -> None:
        offered(request_, scene, at)
        client = signed_in(scene.provider)

        def shown() -> tuple[bool, ...]:
            pages = ("", "offers/1/")
            texts = [client.get(f"/work/requests/{request_.pk}/{page}") for page in pages]
            return tuple("11月24日" in text.content.decode() for text in texts)

        def told() -> str:
            [offer] = client.get(f"/api/v1/requests/{request_.pk}").json()["offers"]
            return str(offer["answer_due_on"])

        assert (told(), shown()) == ("2026-11-23", (False, False))
        calendar.set_day(
            day=date(2026, 11, 20), is_workday=False, note="停工", actor=scene.authority, at=at
        )
        assert (told(), shown()) == ("2026-11-24", (True, True))

    @pytest.mark.parametrize(
        ("terms", "code"),
        [
            ({"items": {"nothing": ""}}, "wider_than_asked"),
            ({"reason": " "}, "invalid_input"),
            ({"items": {}}, "no_items"),
            ({"mode": "batch"}, "wider_than_asked"),
            ({"ends_on": date(2029, 1, 1)}, "wider_than_asked"),
        ],
    )
    def test_wider_or_empty_terms_change_nothing(
        self,
        scene: Scene,
        at: datetime,
        request_: SharingRequest,
        terms: dict[str, Any],
        code: str,
    ) -> None:
        before = fingerprint()
        with pytest.raises(InvalidInput) as refusal:
            offered(request_, scene, at, **terms)
        assert refusal.value.code == code
        assert fingerprint() == before

    def test_what_was_asked_is_no_offer(
        self, scene: Scene, at: datetime, request_: SharingRequest
    ) -> None:
        asked = queries.asked_terms(request_)
        assert asked is not None
        before = fingerprint()
        with pytest.raises(InvalidInput) as refusal:
            offered(
                request_, scene, at, items={entry["name"]: entry["mask"] for entry in asked.items}
            )
        assert refusal.value.code == "not_narrower"
        assert fingerprint() == before

    @pytest.mark.parametrize(
        "status", [name for name in stories.REQUEST_STORIES if name != "reviewing"]
    )
    def test_only_while_it_is_reviewed(self, scene: Scene, at: datetime, status: str) -> None:
        request = stories.request_in(status, scene, at)
        before = fingerprint()
        with pytest.raises((IllegalMove, NotAllowed)):
            offered(request, scene, at)
        assert fingerprint() == before

    def test_one_at_a_time(self, scene: Scene, at: datetime, request_: SharingRequest) -> None:
        offered(request_, scene, at)
        before = fingerprint()
        with pytest.raises(Conflict) as refusal:
            offered(request_, scene, at)
        assert refusal.value.code == "offer_open"
        assert fingerprint() == before

    def test_not_of_an_urgent_request(self, scene: Scene, at: datetime) -> None:
        request = stories.form_check(scene, at)
        sharing.mark_urgent(request=request, actor=scene.authority, at=at, **ORDER)
        before = fingerprint()
        with pytest.raises(Conflict) as refusal:
            offered(request, scene, at)
        assert refusal.value.code == "urgent_request"
        assert fingerprint() == before

    def test_a_stale_page_offers_nothing(
        self, scene: Scene, at: datetime, request_: SharingRequest
    ) -> None:
        before = fingerprint()
        with pytest.raises(StaleRevision):
            offered(request_, scene, at, revision=request_.revision - 1)
        assert fingerprint() == before


class TestAnswering:
    def test_what_is_accepted_becomes_the_opinion_of_who_offered_it(
        self, scene: Scene, at: datetime, request_: SharingRequest
    ) -> None:
        made = offered(
            request_,
            scene,
            at,
            row_condition=[{"item": "division_code", "operator": "eq", "value": "500103"}],
            calls_a_day=500,
        )
        request = _accept(request_, scene, at)
        made.refresh_from_db()
        assert (made.status, made.closed_by, made.closing) == (
            "accepted",
            scene.consumer_head,
            "可以满足",
        )
        assert (request.status, request.proposal) == ("awaiting_second_review", "narrow")
        decision = queries.latest_decision(request)
        assert decision is not None
        assert decision.offer == made
        assert (decision.outcome, decision.proposed_by) == ("narrow", scene.provider)
        assert (decision.items, decision.row_condition) == (made.items, made.row_condition)
        assert (decision.calls_a_day, decision.reason) == (500, made.reason)
        assert _owed(request) == []
        assert not clocks.running(made).exists()
        assert clocks.clocks_of(made)[0].met is True
        # Who offered it neither confirms nor signs it.
        with pytest.raises(NotAllowed):
            sharing.confirm(request=request, actor=scene.provider, at=at)
        stories.confirmed(request, scene, at)
        sharing.agree(request=request, actor=scene.provider_head, at=at)
        assert request.status == "agreed"
        assert [column["name"] for column in request.grant.columns] == list(FEWER)
        assert request.grant.calls_a_day == 500

    def test_without_a_second_review_it_goes_to_the_head(self, at: datetime) -> None:
        scene = make_scene(grade="2")
        request = stories.reviewing(scene, at, items=["name", "division_code"])
        offered(request, scene, at, items=["name"])
        assert _accept(request, scene, at).status == "awaiting_signature"
        [todo] = Todo.objects.filter(object_id=request.pk, done_at=None)
        assert (todo.department, todo.role) == (scene.provider_department, "department_approver")

    def test_the_head_may_still_send_it_back_and_another_round_follows(self, at: datetime) -> None:
        scene = make_scene(grade="2")
        request = stories.reviewing(scene, at, items=["name", "division_code"])
        offered(request, scene, at, items=["name"])
        request = _accept(request, scene, at)
        sharing.send_back_proposal(
            request=request, actor=scene.provider_head, at=at, reason="姓名须脱敏"
        )
        assert offered(request, scene, at, items={"name": "cover_name"}).version == 2
        request = _accept(request, scene, at, version=2)
        assert request.decisions.exclude(offer=None).count() == 2

    def test_a_declined_one_leaves_the_provider_free(
        self, scene: Scene, at: datetime, request_: SharingRequest
    ) -> None:
        made = offered(request_, scene, at)
        sharing.decline_offer(
            request=request_,
            version=1,
            actor=scene.consumer_head,
            at=at,
            reason="须按身份号码核对",
        )
        made.refresh_from_db()
        assert (made.status, made.closing) == ("declined", "须按身份号码核对")
        told = Notice.objects.filter(title__contains="未接受").values_list("recipient", flat=True)
        assert set(told) == {scene.provider.pk, scene.second.pk, scene.provider_head.pk}
        again = offered(request_, scene, at, items={"identity_number": "cover_identity", **FEWER})
        assert again.version == 2
        sharing.decline_offer(
            request=request_, version=2, actor=scene.consumer_head, at=at, reason="须明文"
        )
        sharing.propose(request=request_, outcome="agree", actor=scene.provider, at=at)
        decision = queries.latest_decision(request_)
        assert decision is not None
        assert (decision.outcome, decision.offer) == ("agree", None)
        assert [each.status for each in queries.offers_of(request_)] == ["declined", "declined"]

    @pytest.mark.parametrize("words", ["", "  "])
    def test_a_no_has_words(
        self, scene: Scene, at: datetime, request_: SharingRequest, words: str
    ) -> None:
        offered(request_, scene, at)
        before = fingerprint()
        with pytest.raises(InvalidInput):
            sharing.decline_offer(
                request=request_, version=1, actor=scene.consumer_head, at=at, reason=words
            )
        with pytest.raises(InvalidInput):
            sharing.retract_offer(
                request=request_, version=1, actor=scene.provider, at=at, reason=words
            )
        assert fingerprint() == before

    def test_nobody_answers_a_round_that_he_has_not_read(
        self, scene: Scene, at: datetime, request_: SharingRequest
    ) -> None:
        offered(request_, scene, at)
        sharing.retract_offer(
            request=request_, version=1, actor=scene.provider, at=at, reason="另提"
        )
        offered(request_, scene, at, items=["name"])
        before = fingerprint()
        with pytest.raises(IllegalMove):
            _accept(request_, scene, at, version=1)
        with pytest.raises(Conflict) as refusal:
            _accept(request_, scene, at, version=3)
        assert refusal.value.code == "no_offer"
        assert fingerprint() == before

    def test_the_way_inside_the_provider_leaves_the_answer_owed(
        self, scene: Scene, at: datetime, request_: SharingRequest
    ) -> None:
        unit = UserFactory(department=scene.provider_department)
        steps = sharing.route(
            request=request_, actor=scene.provider, at=at, steps=[("业务处室", unit)]
        )
        offered(request_, scene, at)
        sharing.pass_step(step=steps[0], actor=unit, at=at, opinion="同意")
        assert [todo.department for todo in _owed(request_)] == [scene.consumer_department]
        steps[0].refresh_from_db()
        sharing.recall_step(step=steps[0], actor=unit, at=at)
        assert len(_owed(request_)) == 1

    @pytest.mark.parametrize("change", [{"is_active": False}, {"department": "consumer"}], ids=str)
    def test_what_nobody_of_the_provider_stands_for_is_not_accepted(
        self, scene: Scene, at: datetime, request_: SharingRequest, change: dict[str, Any]
    ) -> None:
        offered(request_, scene, at)
        moved = {"department": scene.consumer_department} if "department" in change else change
        User.objects.filter(pk=scene.provider.pk).update(**moved)
        before = fingerprint()
        with pytest.raises(Conflict) as refusal:
            _accept(request_, scene, at)
        assert refusal.value.code == "offerer_gone"
        assert fingerprint() == before

    def test_terms_that_hold_no_more_are_not_accepted(
        self, scene: Scene, at: datetime, request_: SharingRequest
    ) -> None:
        offered(request_, scene, at)
        version = scene.dataset.versions.get()
        columns = [each for each in version.contract["columns"] if each["name"] != "name"]
        version.contract = {**version.contract, "columns": columns}
        version.save()
        before = fingerprint()
        with pytest.raises(InvalidInput) as refusal:
            _accept(SharingRequest.objects.get(pk=request_.pk), scene, at)
        assert refusal.value.code == "unknown_item"
        assert fingerprint() == before

    def test_the_offerer_does_not_answer_in_the_consumers_name(
        self, scene: Scene, at: datetime, request_: SharingRequest
    ) -> None:
        offered(request_, scene, at)
        DelegationFactory(
            principal=scene.consumer_head,
            deputy=scene.provider,
            starts_on=date(2026, 1, 1),
            ends_on=date(2026, 12, 31),
        )
        scene.provider.forget_standing()
        before = fingerprint()
        with pytest.raises(NotAllowed) as refusal:
            sharing.accept_offer(request=request_, version=1, actor=scene.provider, at=at)
        assert refusal.value.code == "own_offer"
        assert fingerprint() == before

    def test_a_stand_in_of_the_consumers_head_answers(
        self, scene: Scene, at: datetime, request_: SharingRequest
    ) -> None:
        offered(request_, scene, at)
        deputy = UserFactory(department=scene.consumer_department)
        DelegationFactory(
            principal=scene.consumer_head,
            deputy=deputy,
            starts_on=date(2026, 1, 1),
            ends_on=date(2026, 12, 31),
        )
        sharing.accept_offer(request=request_, version=1, actor=deputy, at=at)
        assert Offer.objects.get().closed_by == deputy

    def test_it_waits_on_the_desk_of_who_answers(
        self, scene: Scene, at: datetime, request_: SharingRequest
    ) -> None:
        assert request_ not in queries.awaiting_my_decision(scene.consumer_head, at)
        offered(request_, scene, at)
        assert request_ in queries.awaiting_my_decision(scene.consumer_head, at)
        assert request_ not in queries.awaiting_my_decision(scene.consumer, at)


class TestOtherWays:
    def test_the_provider_does_not_decide_while_its_offer_is_out(
        self, scene: Scene, at: datetime, request_: SharingRequest
    ) -> None:
        offered(request_, scene, at)
        before = fingerprint()
        with pytest.raises(Conflict) as refusal:
            sharing.propose(request=request_, outcome="agree", actor=scene.provider, at=at)
        assert refusal.value.code == "offer_open"
        assert fingerprint() == before
        sharing.retract_offer(
            request=request_, version=1, actor=scene.second, at=at, reason="改为全部同意"
        )
        assert _owed(request_) == []
        request = SharingRequest.objects.get(pk=request_.pk)
        sharing.propose(request=request, outcome="agree", actor=scene.provider, at=at)
        assert request.status == "awaiting_second_review"

    def test_a_supplement_a_withdrawal_and_an_urgent_order_end_it(self, at: datetime) -> None:
        ways: list[Callable[[Scene, SharingRequest], Any]] = [
            lambda scene, request: sharing.ask_supplement(
                request=request, actor=scene.provider, at=at, reason="补充资助办法"
            ),
            lambda scene, request: sharing.withdraw(
                request=request, actor=scene.consumer, at=at, reason="项目取消"
            ),
            lambda scene, request: sharing.mark_urgent(
                request=request, actor=scene.authority, at=at, **ORDER
            ),
        ]
        for way in ways:
            scene = make_scene()
            request = stories.reviewing(scene, at)
            made = offered(request, scene, at)
            way(scene, request)
            made.refresh_from_db()
            assert made.status == "lapsed"
            assert made.closing
            assert not clocks.running(made).exists()
            assert _owed(request) == []
            with pytest.raises(IllegalMove):
                _accept(request, scene, at)

    def test_more_time_may_be_asked_for_meanwhile(
        self, scene: Scene, at: datetime, request_: SharingRequest
    ) -> None:
        made = offered(request_, scene, at)
        sharing.extend(request=request_, workdays=5, reason="协商未毕", actor=scene.provider, at=at)
        made.refresh_from_db()
        assert made.status == "open"


class TestLapsing:
    def test_unanswered_it_lapses_and_both_are_told_once(
        self, scene: Scene, at: datetime, request_: SharingRequest
    ) -> None:
        made = offered(request_, scene, at)
        due = clocks.running(made).get().due_at
        assert sharing.lapse_offers(due - timedelta(seconds=1)) == 0
        assert [sharing.lapse_offers(due) for _ in range(2)] == [1, 0]
        made.refresh_from_db()
        assert (made.status, made.closing) == ("lapsed", "使用部门逾期未答复")
        assert clocks.clocks_of(made)[0].met is False
        told = Notice.objects.filter(title__contains="逾期未答复").values_list("recipient")
        assert {scene.consumer_head.pk, scene.provider.pk} <= {pk for (pk,) in told}
        assert Event.objects.filter(verb="sharing.lapse_offer", outcome="done").count() == 1
        sharing.propose(request=request_, outcome="agree", actor=scene.provider, at=due)

    def test_it_cannot_be_accepted_afterwards(
        self, scene: Scene, at: datetime, request_: SharingRequest
    ) -> None:
        made = offered(request_, scene, at)
        sharing.lapse_offers(clocks.running(made).get().due_at)
        before = fingerprint()
        with pytest.raises(IllegalMove):
            _accept(request_, scene, at)
        assert fingerprint() == before


@pytest.mark.parametrize("status", Offer.Status.values)
@pytest.mark.parametrize("move", [move.name for move in OFFER.moves])
def test_a_round_moves_by_its_table_only(
    scene: Scene, at: datetime, request_: SharingRequest, status: str, move: str
) -> None:
    made = offered(request_, scene, at)
    closed = {"closed_by": scene.consumer_head, "closed_at": at, "closing": "说明"}
    if status != "open":
        Offer.objects.filter(pk=made.pk).update(status=status, **closed)
        made.refresh_from_db()
    arguments: dict[str, Any] = {"actor": scene.provider, "at": at, "reason": "说明", **closed}
    if status in OFFER.move(move).sources:
        OFFER.apply(made, move, **arguments)
        assert made.status == OFFER.move(move).target
    else:
        with pytest.raises(IllegalMove):
            OFFER.apply(made, move, **arguments)
        made.refresh_from_db()
        assert made.status == status


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": ""},
        {"status": "accepted"},
        {"status": "declined", "closing": ""},
        {"closing": "尚未答复"},
    ],
)
def test_the_table_refuses_half_an_answer(
    scene: Scene, at: datetime, request_: SharingRequest, wrong: dict[str, Any]
) -> None:
    made = offered(request_, scene, at)
    if wrong == {"status": "declined", "closing": ""}:
        wrong = {**wrong, "closed_by": scene.consumer_head, "closed_at": at}
    with pytest.raises(IntegrityError), transaction.atomic():
        Offer.objects.filter(pk=made.pk).update(**wrong)


def test_a_decision_by_agreement_is_a_narrower_one(
    scene: Scene, at: datetime, request_: SharingRequest
) -> None:
    made = offered(request_, scene, at)
    with pytest.raises(IntegrityError), transaction.atomic():
        request_.decisions.update(offer=made)


def test_whoever_sees_the_request_sees_its_rounds(
    cast: dict[str, Any], scene: Scene, at: datetime, request_: SharingRequest
) -> None:
    made = offered(request_, scene, at)
    for name in CAST:
        seen = access.allowed(cast[name], "view", request_)
        assert access.allowed(cast[name], "view", made) is seen
    assert access.allowed(scene.consumer, "view", made)
    assert not any(access.able(person, "create", Offer) for person in cast.values())
    assert not access.allowed(scene.provider, "change", made)


class TestPages:
    def test_the_provider_offers_from_the_page_of_its_opinion(
        self, scene: Scene, at: datetime, request_: SharingRequest
    ) -> None:
        client = signed_in(scene.provider)
        url = f"/work/requests/{request_.pk}/propose/"
        assert "先协商" in client.get(url).content.decode()
        posted = {"outcome": "offer", "revision": request_.revision, "items": ["name"]}
        lacking = client.post(url, {**posted, "mask-name": "cover_name", "reason": ""})
        assert "填写理由" in lacking.content.decode()
        sent = client.post(
            url, {**posted, "mask-name": "cover_name", "reason": "姓名足以核对"}, follow=True
        )
        page = sent.content.decode()
        assert "协商条件已送使用部门负责人答复" in page
        assert "待使用部门答复" in page
        assert "收回协商条件" in page
        made = Offer.objects.get()
        assert (made.items[0]["mask"], made.reason) == ("cover_name", "姓名足以核对")
        again = client.get(url, follow=True).content.decode()
        assert "要另作处理的，先收回" in again

    def test_an_urgent_one_cannot_be_negotiated(self, scene: Scene, at: datetime) -> None:
        request = stories.form_check(scene, at)
        sharing.mark_urgent(request=request, actor=scene.authority, at=at, **ORDER)
        page = signed_in(scene.provider).get(f"/work/requests/{request.pk}/propose/")
        assert page.status_code == 200
        assert "先协商" not in page.content.decode()

    def test_the_head_answers_beside_all_versions(
        self, scene: Scene, at: datetime, request_: SharingRequest
    ) -> None:
        offered(request_, scene, at, calls_a_day=500)
        client = signed_in(scene.consumer_head)
        page = client.get(f"/work/requests/{request_.pk}/").content.decode()
        assert "答复协商条件" in page
        url = f"/work/requests/{request_.pk}/offers/1/"
        shown = client.get(url).content.decode()
        assert '<ins class="diff__new">不提供</ins>' in shown
        assert '<ins class="diff__new">500</ins>' in shown
        assert "写明不接受的理由" in client.post(url, {"answer": "decline_offer"}).content.decode()
        assert client.post(url, {"answer": "accept_offer"}).status_code == 302
        request_.refresh_from_db()
        assert request_.status == "awaiting_second_review"
        after = client.get(f"/work/requests/{request_.pk}/").content.decode()
        assert "按使用部门接受的第 1 次协商条件" in after

    def test_who_may_not_answer_reads_it(
        self, scene: Scene, at: datetime, request_: SharingRequest
    ) -> None:
        offered(request_, scene, at)
        url = f"/work/requests/{request_.pk}/offers/1/"
        for person in (scene.consumer, scene.authority):
            client = signed_in(person)
            page = client.get(url).content.decode()
            assert "用途只需姓名和区划" in page
            assert "<textarea" not in page
            client.post(url, {"answer": "accept_offer", "reason": "x"})
            assert Offer.objects.get().status == "open"
        assert signed_in(make_scene().consumer).get(url).status_code == 404
        unknown = f"/work/requests/{request_.pk}/offers/9/"
        assert signed_in(scene.consumer).get(unknown).status_code == 404

    def test_the_provider_takes_it_back_there(
        self, scene: Scene, at: datetime, request_: SharingRequest
    ) -> None:
        offered(request_, scene, at)
        client = signed_in(scene.second)
        url = f"/work/requests/{request_.pk}/offers/1/"
        assert client.post(url, {"reason": "另提"}).status_code == 302
        assert Offer.objects.get().status == "retracted"
        assert client.get(url).status_code == 200


class TestInterface:
    def _post(self, person: User, request: SharingRequest, move: str, **body: Any) -> Any:
        url = f"/api/v1/requests/{request.pk}/{move}"
        return signed_in(person).post(url, body, content_type="application/json")

    def test_a_negotiation_by_the_interface(
        self, scene: Scene, at: datetime, request_: SharingRequest
    ) -> None:
        made = self._post(scene.provider, request_, "offer", items=FEWER, reason="只需姓名")
        assert made.status_code == 200
        [shown] = made.json()["offers"]
        assert (shown["version"], shown["status"], shown["reason"]) == (1, "open", "只需姓名")
        blocked = self._post(scene.provider, request_, "propose", outcome="agree")
        assert (blocked.status_code, blocked.json()["code"]) == (409, "offer_open")
        unread = self._post(scene.consumer_head, request_, "accept_offer")
        assert (unread.status_code, Offer.objects.get().status) == (400, "open")
        no = self._post(scene.consumer, request_, "accept_offer", version=1)
        assert (no.status_code, Offer.objects.get().status) == (403, "open")
        yes = self._post(scene.consumer_head, request_, "accept_offer", version=1)
        assert (yes.status_code, yes.json()["status"]) == (200, "awaiting_second_review")


@pytest.mark.usefixtures("server")
@pytest.mark.django_db(transaction=True)
def test_of_several_who_answer_retract_and_propose_at_once_one_wins(now: datetime) -> None:
    scene = make_scene(grade="2")
    request = stories.reviewing(scene, now, items=["name", "division_code"])
    offered(request, scene, now, items=["name"])

    def fresh() -> SharingRequest:
        return SharingRequest.objects.get(pk=request.pk)

    heads = [
        UserFactory(department=scene.consumer_department, roles=["department_approver"])
        for _number in range(2)
    ]
    results = at_once(
        [
            partial(
                sharing.accept_offer, request=fresh(), version=1, actor=heads[0], at=now, reason=""
            ),
            partial(
                sharing.decline_offer,
                request=fresh(),
                version=1,
                actor=heads[1],
                at=now,
                reason="不够用",
            ),
            partial(
                sharing.retract_offer,
                request=fresh(),
                version=1,
                actor=scene.provider,
                at=now,
                reason="另提",
            ),
            partial(
                sharing.withdraw, request=fresh(), actor=scene.consumer, at=now, reason="不要了"
            ),
        ]
    )
    made = Offer.objects.get()
    assert made.status != "open"
    assert made.closed_by is not None
    answered = [each for each in results[:3] if isinstance(each, SharingRequest)]
    assert len(answered) == (made.status != "lapsed")
    assert all(isinstance(each, SharingRequest | DomainError) for each in results)
    request.refresh_from_db()
    assert request.decisions.exclude(offer=None).count() == (made.status == "accepted")
