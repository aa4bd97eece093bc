"""急件: answered within hours, for a few days, with papers that follow and a review afterwards."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string

from apps.accounts.models import User
from apps.clocks import queries as clocks
from apps.core.errors import Conflict, DomainError, IllegalMove, InvalidInput, NotAllowed
from apps.ledger.models import Event, Notice, Todo
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.models import Grant, SharingRequest, Urgency
from apps.sharing.operations.deciding.urgent import suspend_without_papers
from tests import stories
from tests.factories.accounts import DelegationFactory, UserFactory
from tests.factories.sharing import Scene, make_scene
from tests.sharing.conftest import Read
from tests.sharing.fingerprint import fingerprint
from tests.sharing.test_views import signed_in

pytestmark = pytest.mark.django_db
ORDER: dict[str, Any] = {"kind": "epidemic", "hours": 24, "reason": "市级三级应急响应通知"}
LEAST = "只核对身份，其余不给"
RECEIVED = ["form_check", "supplement", "reviewing", "awaiting_second_review", "awaiting_signature"]


@pytest.fixture
def leader(scene: Scene) -> User:
    return UserFactory(department=scene.authority.department, roles=["authority_leader"])


@pytest.fixture
def urgent(scene: Scene, at: datetime) -> SharingRequest:
    return _urgent(scene, at)


def _urgent(scene: Scene, at: datetime, status: str = "form_check", **more: Any) -> SharingRequest:
    request = stories.request_in(status, scene, at, **more)
    return sharing.mark_urgent(request=request, actor=scene.authority, at=at, **ORDER)


def _decided(scene: Scene, request: SharingRequest, at: datetime, **words: Any) -> SharingRequest:
    opinion: dict[str, Any] = {"outcome": "agree", "reason": LEAST, **words}
    sharing.propose(request=request, actor=scene.provider, at=at, **opinion)
    stories.confirmed(request, scene, at)
    return sharing.sign(request=request, actor=scene.provider_head, at=at)


def _delivered(scene: Scene, at: datetime, papers: str = "申请函原件") -> Grant:
    request = _decided(scene, _urgent(scene, at), at, missing_papers=papers)
    return sharing.deliver(grant=request.grant, at=at)


def _owed(subject: Any, kind: str) -> list[Todo]:
    return list(Todo.objects.filter(object_id=subject.pk, done_at=None, kind=kind))


class TestTheOrder:
    @pytest.mark.parametrize("status", RECEIVED)
    def test_it_is_reviewed_anew_within_hours(
        self, scene: Scene, at: datetime, status: str
    ) -> None:
        request = _urgent(scene, at, status)
        assert request.status == "reviewing"
        clock = clocks.running(request).get()
        assert (clock.policy.code, clock.length) == (queries.URGENT, 24)
        assert (clock.state, clock.due_at) == ("running", at + timedelta(hours=24))
        assert clock.department == scene.provider_department
        states = {row.policy.code: row.state for row in clocks.clocks_of(request)}
        assert states == {queries.CONDITIONAL: "cancelled", queries.URGENT: "running"}
        urgency = queries.urgency_of(request)
        assert urgency is not None
        assert (urgency.basis, urgency.grant_days) == (ORDER["reason"], 15)
        event = Event.objects.get(verb="sharing.mark_urgent", outcome="done")
        assert event.details == {"kind": "epidemic", "hours": 24, "reason": ORDER["reason"]}

    def test_head_and_stand_in_are_told_at_once(self, scene: Scene, at: datetime) -> None:
        deputy = UserFactory(department=scene.provider_department)
        DelegationFactory(
            principal=scene.provider_head,
            deputy=deputy,
            starts_on=date(2026, 1, 1),
            ends_on=date(2026, 12, 31),
        )
        request = _urgent(scene, at)
        told = set(Notice.objects.filter(title__startswith="急件（").values_list("recipient"))
        assert told == {
            (person.pk,) for person in (scene.provider_head, deputy, scene.provider, scene.second)
        }
        (head,) = _owed(request, "sharing.urgent")
        assert (head.department, head.role) == (scene.provider_department, "department_approver")
        assert "2026-11-19 10:00" in head.title
        assert len(_owed(request, "sharing.reviewing")) == 1
        assert Notice.objects.filter(recipient=scene.consumer, title__contains="已列为急件")

    def test_the_hours_run_through_the_national_day(self, scene: Scene) -> None:
        """On the evening before the holiday; ten working days would reach into mid-October."""
        eve = datetime.fromisoformat("2026-09-30T19:00:00+08:00")
        request = _urgent(scene, eve)
        clock = clocks.running(request).get()
        assert clock.due_at == datetime.fromisoformat("2026-10-01T19:00:00+08:00")
        left = clocks.remaining(clock, eve + timedelta(hours=20, minutes=30))
        assert (left.unit, left.left, left.over) == ("hour", 3, 0)
        late = clocks.remaining(clock, eve + timedelta(hours=25, minutes=30))
        assert (late.left, late.over) == (0, 2)

    def test_a_clock_in_hours_says_the_hour(self, scene: Scene, at: datetime) -> None:
        clock = clocks.running(_urgent(scene, at)).get()

        def shown(instant: datetime) -> str:
            return render_to_string(
                "includes/clock.html", {"remaining": clocks.remaining(clock, instant)}
            )

        assert "剩 23 小时" in shown(at + timedelta(minutes=30))
        assert "10:00 截止" in shown(at)
        assert "剩不足 1 小时" in shown(at + timedelta(hours=23, minutes=30))
        assert "已超 1 小时" in shown(at + timedelta(hours=24, minutes=10))

    def test_more_time_that_was_asked_for_is_given_up(self, scene: Scene, at: datetime) -> None:
        request = stories.reviewing(scene, at)
        extension = sharing.extend(
            request=request, workdays=5, reason="需会签", actor=scene.provider, at=at
        )
        sharing.mark_urgent(request=request, actor=scene.authority, at=at, **ORDER)
        extension.refresh_from_db()
        assert extension.consented is False
        assert _owed(extension, "sharing.consent_extension") == []

    def test_the_way_inside_is_cut_short(self, scene: Scene, at: datetime) -> None:
        request = stories.reviewing(scene, at)
        unit = UserFactory(department=scene.provider_department)
        sharing.route(request=request, actor=scene.provider, at=at, steps=[("业务处室", unit)])
        request = sharing.mark_urgent(request=request, actor=scene.authority, at=at, **ORDER)
        assert not queries.open_steps(request, "provider").exists()
        assert _decided(scene, request, at).status == "agreed"

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"hours": 0}, "hours"),
            ({"hours": 73}, "hours"),
            ({"kind": "wish"}, "kind"),
            ({"reason": " "}, "reason"),
        ],
        ids=str,
    )
    def test_it_has_kind_basis_and_hours(
        self, scene: Scene, at: datetime, wrong: dict[str, Any], field: str
    ) -> None:
        request = stories.form_check(scene, at)
        before = fingerprint()
        with pytest.raises(InvalidInput) as refusal:
            sharing.mark_urgent(request=request, actor=scene.authority, at=at, **{**ORDER, **wrong})
        assert refusal.value.details["field"] == field
        assert fingerprint() == before

    def test_it_is_sooner_than_it_was_due_anyway(self, scene: Scene, at: datetime) -> None:
        request = stories.form_check(scene, at)
        late = clocks.running(request).get().due_at - timedelta(hours=20)
        before = fingerprint()
        with pytest.raises(InvalidInput) as refusal:
            sharing.mark_urgent(request=request, actor=scene.authority, at=late, **ORDER)
        assert refusal.value.code == "not_sooner"
        assert fingerprint() == before
        order = {**ORDER, "hours": 8}
        sharing.mark_urgent(request=request, actor=scene.authority, at=late, **order)

    def test_it_is_ordered_once(
        self, scene: Scene, at: datetime, urgent: SharingRequest, leader: User
    ) -> None:
        before = fingerprint()
        with pytest.raises(Conflict) as refusal:
            sharing.mark_urgent(request=urgent, actor=leader, at=at, **ORDER)
        assert refusal.value.code == "already_urgent"
        assert fingerprint() == before

    @pytest.mark.parametrize("status", ["delivered", "refused", "withdrawn", "agreed"])
    def test_what_is_answered_is_not_urgent_any_more(
        self, scene: Scene, at: datetime, status: str
    ) -> None:
        request = stories.request_in(status, scene, at)
        before = fingerprint()
        with pytest.raises(IllegalMove):
            sharing.mark_urgent(request=request, actor=scene.authority, at=at, **ORDER)
        assert fingerprint() == before

    @pytest.mark.parametrize("who", ["provider_head", "consumer_head", "consumer"])
    def test_only_the_authority_orders(self, scene: Scene, at: datetime, who: str) -> None:
        request = stories.form_check(scene, at)
        before = fingerprint()
        with pytest.raises(NotAllowed):
            sharing.mark_urgent(request=request, actor=getattr(scene, who), at=at, **ORDER)
        assert fingerprint() == before

    def test_not_for_what_its_own_department_asks(self, scene: Scene, at: datetime) -> None:
        officer = UserFactory(department=scene.consumer_department, roles=["authority_officer"])
        request = stories.form_check(scene, at)
        with pytest.raises(NotAllowed):
            sharing.mark_urgent(request=request, actor=officer, at=at, **ORDER)

    def test_neither_supplement_nor_more_time_moves_it(
        self, scene: Scene, at: datetime, urgent: SharingRequest
    ) -> None:
        before = fingerprint()
        for attempt in (
            lambda: sharing.ask_supplement(
                request=urgent, actor=scene.provider, at=at, reason="缺申请函"
            ),
            lambda: sharing.extend(
                request=urgent, actor=scene.provider, at=at, workdays=3, reason="忙"
            ),
        ):
            with pytest.raises(Conflict) as refusal:
                attempt()
            assert refusal.value.code == "urgent_request"
        assert fingerprint() == before


class TestTheTemporaryGrant:
    def test_it_lasts_so_many_days_and_ends_by_itself(
        self, scene: Scene, at: datetime, urgent: SharingRequest
    ) -> None:
        request = _decided(scene, urgent, at)
        grant = request.grant
        # 18 November and the fourteen days after it.
        assert grant.expires_at == datetime.fromisoformat("2026-12-03T00:00:00+08:00")
        assert clocks.clocks_of(request).get(policy__code=queries.URGENT).met is True
        sharing.deliver(grant=grant, at=at)
        assert sharing.carry_out_due(grant.expires_at - timedelta(minutes=1)) == []
        grant.refresh_from_db()
        assert grant.status == "in_force"
        sharing.carry_out_due(grant.expires_at)
        grant.refresh_from_db()
        assert grant.status == "expired"

    def test_its_own_last_day_is_told(
        self, scene: Scene, at: datetime, urgent: SharingRequest
    ) -> None:
        sharing.deliver(grant=_decided(scene, urgent, at).grant, at=at)
        told = Notice.objects.filter(recipient=scene.consumer, body__contains="可以读取")
        assert {notice.body[-10:] for notice in told} == {"2026-12-02"}

    def test_the_days_are_a_setting(self, scene: Scene, at: datetime, settings: Any) -> None:
        settings.HUILIU_URGENT_GRANT_DAYS = 1
        request = _decided(scene, _urgent(scene, at), at)
        assert request.grant.expires_at == datetime.fromisoformat("2026-11-19T00:00:00+08:00")

    def test_a_shorter_use_stays_as_it_was_asked(self, scene: Scene, at: datetime) -> None:
        request = _urgent(scene, at, ends_on=date(2026, 11, 20))
        grant = _decided(scene, request, at).grant
        assert grant.expires_at == datetime.fromisoformat("2026-11-21T00:00:00+08:00")

    def test_it_is_not_handed_on_and_says_why_it_is_the_least(
        self, scene: Scene, at: datetime
    ) -> None:
        request = _urgent(scene, at, may_redistribute=True)
        before = fingerprint()
        with pytest.raises(InvalidInput) as refusal:
            sharing.propose(request=request, outcome="agree", actor=scene.provider, at=at)
        assert refusal.value.details["field"] == "reason"
        assert fingerprint() == before
        assert _decided(scene, request, at).grant.may_redistribute is False

    def test_it_is_narrowed_as_any_other(self, scene: Scene, at: datetime) -> None:
        request = _decided(scene, _urgent(scene, at), at, outcome="narrow", items=["name"])
        assert [column["name"] for column in request.grant.columns] == ["name"]
        assert request.grant.expires_at < at + timedelta(days=15)

    def test_it_may_be_refused_and_owes_no_papers(
        self, scene: Scene, at: datetime, urgent: SharingRequest
    ) -> None:
        _decided(scene, urgent, at, outcome="refuse", legal_basis="某法第一条", missing_papers="函")
        assert urgent.status == "refused"
        assert Urgency.objects.get().missing_papers == ""
        assert clocks.clocks_of(urgent).get(policy__code=queries.URGENT).state == "stopped"

    def test_only_an_urgent_request_lacks_papers(self, scene: Scene, at: datetime) -> None:
        request = stories.reviewing(scene, at)
        before = fingerprint()
        with pytest.raises(InvalidInput) as refusal:
            sharing.propose(
                request=request,
                outcome="agree",
                actor=scene.provider,
                at=at,
                missing_papers="申请函",
            )
        assert refusal.value.code == "not_urgent"
        assert fingerprint() == before

    def test_an_urgent_answer_that_comes_late_is_late(
        self, scene: Scene, at: datetime, urgent: SharingRequest
    ) -> None:
        late = at + timedelta(hours=25)
        assert urgent in [clock.subject for clock in clocks.overdue(late)]
        _decided(scene, urgent, late)
        assert clocks.clocks_of(urgent).get(policy__code=queries.URGENT).met is False


class TestThePapers:
    def test_they_are_owed_from_the_opening_on_over_the_holiday(self, scene: Scene) -> None:
        """Opened on Tuesday 29 September: 30 September, then 8 to 10 October, then the 12th."""
        opened_at = datetime.fromisoformat("2026-09-29T10:00:00+08:00")
        grant = _delivered(scene, opened_at)
        clock = clocks.running(grant.request).get(policy__code=queries.BACKFILL)
        assert clock.due_on == date(2026, 10, 12)
        assert clock.department == scene.consumer_department
        (todo,) = _owed(grant.request, "sharing.backfill")
        assert (todo.department, todo.due_on) == (scene.consumer_department, clock.due_on)

    def test_they_are_handed_in(self, scene: Scene, at: datetime) -> None:
        grant = _delivered(scene, at)
        request = grant.request
        before = fingerprint()
        with pytest.raises(Conflict) as refusal:
            sharing.backfill(request=request, actor=scene.consumer, at=at, reason="已补")
        assert refusal.value.code == "papers_missing"
        with pytest.raises(NotAllowed):
            sharing.backfill(request=request, actor=scene.provider, at=at, reason="已补")
        assert fingerprint() == before
        later = at + timedelta(days=1)
        sharing.attach(
            request=request, actor=scene.consumer, at=later, title="函", document_number="1 号"
        )
        sharing.backfill(request=request, actor=scene.consumer, at=later, reason="已补函")
        assert clocks.clocks_of(request).get(policy__code=queries.BACKFILL).met is True
        assert _owed(request, "sharing.backfill") == []
        assert Notice.objects.filter(recipient=scene.provider_head, title__contains="已补办")
        with pytest.raises(NotAllowed):
            sharing.backfill(request=request, actor=scene.consumer, at=later, reason="再补")
        with pytest.raises(NotAllowed):
            sharing.attach(
                request=request, actor=scene.consumer, at=later, title="函", document_number="2"
            )

    def test_without_them_the_grant_stops_until_they_come(self, scene: Scene, at: datetime) -> None:
        grant = _delivered(scene, at)
        request = grant.request
        due_at = clocks.running(request).get().due_at
        sharing.carry_out_due(due_at - timedelta(minutes=1))
        grant.refresh_from_db()
        assert grant.status == "in_force"
        assert sharing.carry_out_due(due_at) == []
        grant.refresh_from_db()
        assert (grant.status, grant.suspended_by_authority) == ("suspended", False)
        assert "申请函原件" in grant.suspension_reason
        event = Event.objects.get(verb="sharing.suspend", outcome="done")
        assert event.department_id == scene.provider_department.pk
        assert sharing.carry_out_due(due_at + timedelta(minutes=5)) == []
        before = fingerprint()
        with pytest.raises(Conflict) as refusal:
            sharing.resume(grant=grant, actor=scene.provider_head, at=due_at, reason="先用")
        assert refusal.value.code == "papers_due"
        assert fingerprint() == before
        sharing.attach(
            request=request, actor=scene.consumer, at=due_at, title="函", document_number="1 号"
        )
        sharing.backfill(request=request, actor=scene.consumer_head, at=due_at, reason="已补")
        assert clocks.clocks_of(request).get(policy__code=queries.BACKFILL).met is False
        (todo,) = _owed(grant, "sharing.resume")
        assert (todo.department, todo.role) == (scene.provider_department, "department_approver")
        sharing.resume(grant=grant, actor=scene.provider_head, at=due_at, reason="材料齐全")
        assert (grant.status, _owed(grant, "sharing.resume")) == ("in_force", [])

    def test_papers_that_came_in_the_last_moment_keep_it_open(
        self, scene: Scene, at: datetime
    ) -> None:
        grant = _delivered(scene, at)
        due_at = clocks.running(grant.request).get().due_at
        [due] = queries.grants_without_papers(due_at)
        self._handed_in(grant, scene, due_at)
        before = fingerprint()
        assert suspend_without_papers(grant=due, at=due_at).status == "in_force"
        assert fingerprint() == before

    def test_what_people_stopped_their_papers_do_not_ask_back(
        self, scene: Scene, at: datetime
    ) -> None:
        grant = _delivered(scene, at)
        sharing.suspend(grant=grant, actor=scene.provider_head, at=at, reason="超范围使用")
        self._handed_in(grant, scene, at)
        assert _owed(grant, "sharing.resume") == []

    def test_of_a_grant_that_is_over_none_are_handed_in(self, scene: Scene, at: datetime) -> None:
        grant = _delivered(scene, at)
        sharing.end(grant=grant, actor=scene.consumer_head, at=at, reason="响应解除")
        before = fingerprint()
        with pytest.raises(NotAllowed):
            sharing.backfill(request=grant.request, actor=scene.consumer, at=at, reason="已补")
        assert fingerprint() == before

    def _handed_in(self, grant: Grant, scene: Scene, at: datetime) -> None:
        request = SharingRequest.objects.get(pk=grant.request_id)
        sharing.attach(
            request=request, actor=scene.consumer, at=at, title="函", document_number="1 号"
        )
        sharing.backfill(request=request, actor=scene.consumer, at=at, reason="已补函")

    def test_nothing_is_owed_where_nothing_was_missing(self, scene: Scene, at: datetime) -> None:
        grant = _delivered(scene, at, papers="")
        assert not clocks.running(grant.request).exists()

    @pytest.mark.parametrize(("days", "state"), [(1, "cancelled"), (10, "stopped")])
    def test_with_the_grant_the_clock_ends(
        self, scene: Scene, at: datetime, days: int, state: str
    ) -> None:
        grant = _delivered(scene, at)
        over = at + timedelta(days=days)
        sharing.end(grant=grant, actor=scene.consumer_head, at=over, reason="响应解除")
        clock = clocks.clocks_of(grant.request).get(policy__code=queries.BACKFILL)
        assert clock.state == state
        assert _owed(grant.request, "sharing.backfill") == []

    def test_the_consumer_reads_nothing_while_it_is_stopped(
        self, landed_scene: Scene, now: datetime, read: Read
    ) -> None:
        grant = _delivered(landed_scene, now)
        view = f"SELECT count(*) FROM share.g_{grant.pk}"
        assert read(grant, view) == [(6,)]
        sharing.carry_out_due(clocks.running(grant.request).get().due_at)
        with pytest.raises(Exception, match="permission denied"):
            read(grant, view)


class TestTheReview:
    def test_another_of_the_authority_reviews_what_was_decided(
        self, scene: Scene, at: datetime, urgent: SharingRequest, leader: User
    ) -> None:
        words: dict[str, Any] = {"justified": False, "reason": "响应已于前一日解除"}
        before = fingerprint()
        with pytest.raises(NotAllowed):
            sharing.review_urgent(request=urgent, actor=leader, at=at, **words)
        assert fingerprint() == before
        _decided(scene, urgent, at)
        (todo,) = _owed(urgent, "sharing.review_urgent")
        assert (todo.department, todo.role) == (scene.authority.department, "authority_leader")
        before = fingerprint()
        for person, code in (
            (scene.authority, "own_order"),
            (scene.provider_head, "not_allowed"),
        ):
            with pytest.raises(NotAllowed) as refusal:
                sharing.review_urgent(request=urgent, actor=person, at=at, **words)
            assert refusal.value.code == code
        with pytest.raises(InvalidInput):
            sharing.review_urgent(request=urgent, actor=leader, at=at, justified=True, reason=" ")
        assert fingerprint() == before
        sharing.review_urgent(request=urgent, actor=leader, at=at, **words)
        urgency = Urgency.objects.get()
        assert (urgency.is_justified, urgency.reviewed_by) == (False, leader)
        assert _owed(urgent, "sharing.review_urgent") == []
        assert Notice.objects.filter(recipient=scene.consumer, title__contains="不属紧急")
        with pytest.raises(Conflict) as again:
            sharing.review_urgent(request=urgent, actor=leader, at=at, **words)
        assert again.value.code == "already_reviewed"

    def test_what_the_leader_ordered_an_officer_reviews(
        self, scene: Scene, at: datetime, leader: User
    ) -> None:
        request = stories.form_check(scene, at)
        request = sharing.mark_urgent(request=request, actor=leader, at=at, **ORDER)
        sharing.withdraw(request=request, actor=scene.consumer, at=at, reason="险情解除")
        (todo,) = _owed(request, "sharing.review_urgent")
        assert todo.role == "authority_officer"

    def test_the_rules_hold_below_python(
        self, scene: Scene, at: datetime, urgent: SharingRequest
    ) -> None:
        rows = Urgency.objects.filter(request=urgent)
        wrongs: list[dict[str, Any]] = [
            {"basis": ""},
            {"hours": 0},
            {"papers_at": at, "papers_by": scene.consumer},
            {"is_justified": True},
            {
                "is_justified": True,
                "review_remark": "属实",
                "reviewed_at": at,
                "reviewed_by": scene.authority,
            },
        ]
        for wrong in wrongs:
            with pytest.raises(IntegrityError), transaction.atomic():
                rows.update(**wrong)

    def test_they_are_counted_by_who_asked(
        self, scene: Scene, at: datetime, leader: User, urgent: SharingRequest
    ) -> None:
        sharing.withdraw(request=urgent, actor=scene.consumer, at=at, reason="险情解除")
        sharing.review_urgent(request=urgent, actor=leader, at=at, justified=True, reason="属实")
        _urgent(scene, at)
        _urgent(make_scene(), at)
        stories.form_check(make_scene(), at)
        first, second = queries.urgent_counts(SharingRequest.objects.all())
        assert (first.department, first.total) == (scene.consumer_department.name, 2)
        assert (first.justified, first.unjustified, first.unreviewed) == (1, 0, 1)
        assert second.total == 1


class TestFaces:
    def test_the_authority_orders_on_its_page(self, scene: Scene, at: datetime) -> None:
        request = stories.form_check(scene, at)
        client = signed_in(scene.authority)
        page = client.get(f"/work/requests/{request.pk}/").content.decode()
        path = f"/work/requests/{request.pk}/urgent/"
        assert path in page
        assert client.get(f"/work/requests/{request.pk}/move/mark_urgent/")["Location"] == path
        assert "至多 15 日" in client.get(path).content.decode()
        wrong = client.post(path, {**ORDER, "hours": 100, "revision": request.revision})
        assert "急件的答复时限至多 72 小时" in wrong.content.decode()
        sent = client.post(path, {**ORDER, "hours": 2, "revision": request.revision})
        assert sent["Location"] == f"/work/requests/{request.pk}/"
        assert "该申请已列为急件" in client.get(path).content.decode()
        for person in (scene.provider, scene.consumer):
            assert signed_in(person).get(path).status_code == 403

    def test_every_act_has_its_page(
        self, scene: Scene, at: datetime, urgent: SharingRequest, leader: User
    ) -> None:
        base = f"/work/requests/{urgent.pk}/"
        provider = signed_in(scene.provider)
        form = provider.get(f"{base}propose/").content.decode()
        assert "事后补办的材料" in form
        sent = provider.post(
            f"{base}propose/",
            {
                "outcome": "agree",
                "items": list(urgent.requested_items.values_list("item__column_name", flat=True)),
                "reason": LEAST,
                "missing_papers": "申请函",
                "revision": urgent.revision,
            },
        )
        assert sent.status_code == 302
        urgent.refresh_from_db()
        stories.confirmed(urgent, scene, at)
        sharing.sign(request=urgent, actor=scene.provider_head, at=at)
        sharing.deliver(grant=urgent.grant, at=at)
        consumer = signed_in(scene.consumer)
        page = consumer.get(base).content.decode()
        assert f"{base}backfill/" in page
        assert f"{base}papers/" in page
        consumer.post(
            f"{base}papers/", {"kind": "letter", "title": "函", "document_number": "1 号"}
        )
        assert consumer.post(f"{base}backfill/", {"reason": "已补"}).status_code == 302
        overseer = signed_in(leader)
        assert f"{base}urgent/review/" in overseer.get(base).content.decode()
        answer = overseer.post(f"{base}urgent/review/", {"justified": "no", "reason": "不属实"})
        assert answer.status_code == 302
        assert "不属紧急" in consumer.get(base).content.decode()

    def test_the_list_filters_and_counts(
        self, scene: Scene, at: datetime, urgent: SharingRequest
    ) -> None:
        other = stories.form_check(make_scene(), at)
        page = signed_in(scene.authority).get("/work/requests/?urgent=yes").content.decode()
        assert urgent.number in page
        assert other.number not in page
        assert "急件统计" in page

    def test_the_api_does_the_same(self, scene: Scene, at: datetime, leader: User) -> None:
        request = stories.form_check(scene, at)

        def post(person: User, move: str, **body: Any) -> Any:
            address = f"/api/v1/requests/{request.pk}/{move}"
            return signed_in(person).post(address, body, content_type="application/json")

        told = post(scene.authority, "mark_urgent", **ORDER).json()
        assert (told["status"], told["urgency"]["hours"]) == ("reviewing", 24)
        again = post(scene.authority, "mark_urgent", **ORDER)
        assert (again.status_code, again.json()["code"]) == (409, "already_urgent")
        proposed = post(
            scene.provider, "propose", outcome="agree", reason=LEAST, missing_papers="函"
        )
        assert proposed.json()["urgency"]["missing_papers"] == "函"
        request.refresh_from_db()
        stories.confirmed(request, scene, at)
        sharing.sign(request=request, actor=scene.provider_head, at=at)
        found = post(leader, "review_urgent", justified=True, reason="属实").json()
        assert found["urgency"]["is_justified"] is True
        late = post(scene.consumer, "backfill", reason="已补")
        assert late.status_code == 403


def test_who_may_nothing_learns_nothing(scene: Scene, at: datetime) -> None:
    request = _urgent(scene, at)
    stranger = UserFactory(roles=["department_editor", "department_approver"])
    before = fingerprint()
    for name, words in {
        "mark_urgent": ORDER,
        "backfill": {"reason": "已补"},
        "review_urgent": {"justified": True, "reason": "属实"},
    }.items():
        with pytest.raises(DomainError) as refusal:
            getattr(sharing, name)(request=request, actor=stranger, at=at, **words)
        assert refusal.value.code == "not_allowed"
    assert fingerprint() == before
