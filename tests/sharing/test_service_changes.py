"""服务变更: a provider changes a live service only with notice, an answer, and the filing."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from apps.clocks import operations as calendar
from apps.clocks.queries import clocks_of, running
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
from apps.sharing.lifecycle import SERVICE_CHANGE
from apps.sharing.models import Disposal, Grant, ServiceChange
from tests import stories
from tests.conftest import CAST
from tests.factories.accounts import DelegationFactory, InformationSystemFactory, UserFactory
from tests.factories.gateway import problem
from tests.factories.sharing import Scene, make_scene
from tests.sharing.fingerprint import fingerprint
from tests.sharing.test_concurrency import at_once
from tests.sharing.test_views import signed_in

pytestmark = pytest.mark.django_db
FEWER = ["name", "division_code"]
DAY = date(2026, 12, 1)
REASON = "婚姻登记改由省级系统提供"


@pytest.fixture
def grant(scene: Scene, at: datetime) -> Grant:
    return stories.grant_in("in_force", scene, at)


def announced(grant: Grant, scene: Scene, at: datetime, **more: Any) -> ServiceChange:
    given = {"kind": "narrow", "effective_on": DAY, "reason": REASON, "items": FEWER, **more}
    return sharing.open_change(grant=grant, actor=scene.provider_head, at=at, **given)


@pytest.fixture
def change(grant: Grant, scene: Scene, at: datetime) -> ServiceChange:
    return announced(grant, scene, at)


def agree(change: ServiceChange, scene: Scene, at: datetime) -> ServiceChange:
    return sharing.agree_change(change=change, actor=scene.consumer_head, at=at)


def object_to(change: ServiceChange, scene: Scene, at: datetime) -> ServiceChange:
    return sharing.object_change(
        change=change, actor=scene.consumer_head, at=at, reason="资助审核正在进行"
    )


def filed(change: ServiceChange, scene: Scene, at: datetime) -> ServiceChange:
    return sharing.file_change(change=agree(change, scene, at), actor=scene.authority, at=at)


def _on(day: date, at: datetime) -> datetime:
    return datetime.combine(day, at.timetz())


def _desks(change: ServiceChange) -> set[tuple[str, Any, str]]:
    todos = Todo.objects.filter(
        content_type__model="servicechange", object_id=change.pk, done_at=None
    )
    return {(todo.kind, todo.department, todo.role) for todo in todos}


class TestAnnouncing:
    def test_the_consumers_head_owes_an_answer_and_nothing_changes(
        self, change: ServiceChange, grant: Grant, scene: Scene
    ) -> None:
        grant.refresh_from_db()
        assert (grant.version, grant.status) == (1, "in_force")
        assert [entry["name"] for entry in change.items] == FEWER
        assert all(entry["label"] for entry in change.items)
        # Announced on Wednesday 18 November: five working days later is Wednesday 25 November.
        assert change.answer_due_on == date(2026, 11, 25)
        assert _desks(change) == {
            ("sharing.answer_change", scene.consumer_department, "department_approver")
        }
        told = Notice.objects.filter(title__contains="服务变更").values_list("recipient", flat=True)
        assert {scene.consumer.pk, scene.consumer_head.pk, scene.authority.pk} <= set(told)
        event = Event.objects.get(verb="sharing.open_change", outcome="done")
        assert event.details["day"] == str(DAY)

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"kind": "widen"}, "invalid_input"),
            ({"reason": " "}, "invalid_input"),
            ({"items": None}, "not_narrower"),
            ({"items": ["nothing"]}, "wider_than_asked"),
            ({"mode": "batch", "items": None}, "wider_than_asked"),
            ({"effective_on": date(2026, 11, 18)}, "too_early"),
            ({"effective_on": date(2026, 11, 25)}, "too_early"),
            ({"effective_on": date(2030, 1, 1)}, "invalid_input"),
            ({"effective_on": date(2026, 12, 2), "ends_on": DAY}, "invalid_input"),
        ],
    )
    def test_a_wrong_notice_changes_nothing(
        self, grant: Grant, scene: Scene, at: datetime, wrong: dict[str, Any], code: str
    ) -> None:
        before = fingerprint()
        with pytest.raises(InvalidInput) as refusal:
            announced(grant, scene, at, **wrong)
        assert refusal.value.code == code
        assert fingerprint() == before

    @pytest.mark.parametrize("status", ["delivering", "ended", "expired"])
    def test_only_of_a_live_service(self, scene: Scene, at: datetime, status: str) -> None:
        grant = stories.grant_in(status, scene, at)
        before = fingerprint()
        with pytest.raises(IllegalMove):
            announced(grant, scene, at)
        assert fingerprint() == before

    def test_one_at_a_time_and_by_the_providers_head_only(
        self, change: ServiceChange, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        before = fingerprint()
        with pytest.raises(Conflict) as refusal:
            announced(grant, scene, at)
        assert refusal.value.code == "service_change_open"
        for person in (scene.provider, scene.consumer_head, scene.authority):
            with pytest.raises(NotAllowed):
                sharing.open_change(
                    grant=grant, kind="stop", effective_on=DAY, reason="x", actor=person, at=at
                )
        assert fingerprint() == before

    def test_a_stale_page_announces_nothing(self, grant: Grant, scene: Scene, at: datetime) -> None:
        before = fingerprint()
        with pytest.raises(StaleRevision):
            announced(grant, scene, at, revision=grant.revision + 1)
        assert fingerprint() == before


class TestAnswering:
    def test_agreed_it_goes_to_the_authority(
        self, change: ServiceChange, scene: Scene, at: datetime
    ) -> None:
        agree(change, scene, at)
        assert (change.status, change.answered_by) == ("agreed", scene.consumer_head)
        assert _desks(change) == {
            ("sharing.file_change", scene.authority.department, "authority_officer")
        }
        assert [clock.policy.code for clock in running(change)] == ["grant.change_filing"]

    def test_an_objection_has_words_and_the_authority_decides(
        self, change: ServiceChange, scene: Scene, at: datetime
    ) -> None:
        before = fingerprint()
        with pytest.raises(InvalidInput):
            sharing.object_change(change=change, actor=scene.consumer_head, at=at, reason=" ")
        assert fingerprint() == before
        object_to(change, scene, at)
        assert (change.status, change.answer) == ("objected", "资助审核正在进行")
        with pytest.raises(InvalidInput):
            sharing.file_change(change=change, actor=scene.authority, at=at)
        sharing.file_change(
            change=change, actor=scene.authority, at=at, reason="职责已划转，给足过渡期"
        )
        assert change.status == "filed"

    def test_silence_is_no_objection(
        self, change: ServiceChange, scene: Scene, at: datetime
    ) -> None:
        due = running(change).get().due_at
        sharing.carry_out_changes(due - timedelta(seconds=1))
        change.refresh_from_db()
        assert change.status == "noticed"
        for _time in range(2):
            sharing.carry_out_changes(due)
        change.refresh_from_db()
        assert (change.status, change.answer) == ("agreed", "逾期未答复，视为没有异议")
        assert Event.objects.filter(verb="sharing.pass_over_change").count() == 1

    def test_the_provider_does_not_answer_in_the_consumers_name(
        self, change: ServiceChange, scene: Scene, at: datetime
    ) -> None:
        DelegationFactory(
            principal=scene.consumer_head,
            deputy=scene.provider,
            starts_on=date(2026, 1, 1),
            ends_on=date(2026, 12, 31),
        )
        scene.provider.forget_standing()
        before = fingerprint()
        with pytest.raises(NotAllowed) as refusal:
            sharing.agree_change(change=change, actor=scene.provider, at=at)
        assert refusal.value.code == "own_change"
        assert fingerprint() == before


class TestDeciding:
    def test_refused_the_service_goes_on(
        self, change: ServiceChange, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        object_to(change, scene, at)
        with pytest.raises(InvalidInput):
            sharing.refuse_change(change=change, actor=scene.authority, at=at, reason="")
        sharing.refuse_change(change=change, actor=scene.authority, at=at, reason="没有正当理由")
        assert (change.status, change.closed_at) == ("refused", at)
        assert _desks(change) == set()
        assert sharing.carry_out_changes(_on(DAY, at)) == 0
        grant.refresh_from_db()
        assert grant.version == 1
        assert announced(grant, scene, at).pk != change.pk

    def test_nothing_is_filed_before_it_was_answered(
        self, change: ServiceChange, scene: Scene, at: datetime
    ) -> None:
        before = fingerprint()
        with pytest.raises(IllegalMove):
            sharing.file_change(change=change, actor=scene.authority, at=at)
        for person in (scene.provider_head, scene.consumer_head):
            with pytest.raises(NotAllowed):
                sharing.file_change(change=change, actor=person, at=at)
        assert fingerprint() == before

    def test_who_announced_it_does_not_file_it(
        self, change: ServiceChange, scene: Scene, at: datetime
    ) -> None:
        agree(change, scene, at)
        DelegationFactory(
            principal=scene.authority,
            deputy=scene.provider_head,
            starts_on=date(2026, 1, 1),
            ends_on=date(2026, 12, 31),
        )
        scene.provider_head.forget_standing()
        before = fingerprint()
        with pytest.raises(NotAllowed) as refusal:
            sharing.file_change(change=change, actor=scene.provider_head, at=at)
        assert refusal.value.code == "own_change"
        assert fingerprint() == before

    @pytest.mark.parametrize("status", ["noticed", "agreed", "objected", "filed"])
    def test_the_provider_may_take_it_back_until_its_day(
        self, change: ServiceChange, scene: Scene, at: datetime, status: str
    ) -> None:
        {
            "noticed": lambda: None,
            "agreed": lambda: agree(change, scene, at),
            "objected": lambda: object_to(change, scene, at),
            "filed": lambda: filed(change, scene, at),
        }[status]()
        assert change.status == status
        sharing.withdraw_change(
            change=change, actor=scene.provider_head, at=at, reason="仍由本局提供"
        )
        assert (change.status, _desks(change)) == ("withdrawn", set())
        assert not running(change).exists()
        assert sharing.carry_out_changes(_on(DAY, at)) == 0


class TestTakingEffect:
    def test_narrowed_on_its_day_as_a_new_version_of_the_same_grant(
        self, change: ServiceChange, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        filed(change, scene, at)
        assert sharing.carry_out_changes(_on(DAY - timedelta(days=1), at)) == 0
        assert [sharing.carry_out_changes(_on(DAY, at)) for _ in range(2)] == [1, 0]
        change.refresh_from_db()
        grant.refresh_from_db()
        assert (change.status, grant.version, grant.status) == ("carried_out", 2, "in_force")
        assert [column["name"] for column in grant.columns] == FEWER
        assert Event.objects.filter(verb="sharing.narrow", outcome="done").count() == 1

    def test_filed_after_its_day_it_takes_effect_then(
        self, change: ServiceChange, scene: Scene, at: datetime
    ) -> None:
        agree(change, scene, at)
        late = _on(DAY + timedelta(days=3), at)
        assert sharing.carry_out_changes(late) == 0
        sharing.file_change(change=change, actor=scene.authority, at=late)
        assert sharing.carry_out_changes(late) == 1

    def test_stopped_on_its_day_and_the_data_is_disposed_of(
        self, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        change = announced(grant, scene, at, kind="stop", items=None)
        assert (len(change.items), change.mode) == (len(grant.columns), grant.mode)
        filed(change, scene, at)
        assert sharing.carry_out_changes(_on(DAY, at)) == 1
        grant.refresh_from_db()
        change.refresh_from_db()
        assert (grant.status, change.status) == ("ended", "carried_out")
        assert REASON in grant.end_reason
        assert Disposal.objects.get(grant=grant).status == "owed"

    def test_a_suspended_one_is_narrowed_and_stays_suspended(
        self, change: ServiceChange, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        filed(change, scene, at)
        sharing.suspend(grant=grant, actor=scene.provider_head, at=at, reason="超范围使用")
        assert sharing.carry_out_changes(_on(DAY, at)) == 1
        grant.refresh_from_db()
        assert (grant.status, grant.version) == ("suspended", 2)

    def test_another_narrowing_and_an_end_make_it_void(
        self, change: ServiceChange, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        filed(change, scene, at)
        sharing.narrow(
            grant=grant, actor=scene.provider_head, at=at, reason="用不到", items=["name"]
        )
        change.refresh_from_db()
        assert change.status == "void"
        grant.refresh_from_db()
        other = announced(grant, scene, at, items=None, calls_a_day=10)
        sharing.end(grant=grant, actor=scene.consumer_head, at=at, reason="不再使用")
        other.refresh_from_db()
        assert (other.status, _desks(other)) == ("void", set())
        assert sharing.carry_out_changes(_on(DAY, at)) == 0

    def test_what_cannot_be_done_is_written_down_and_stops_no_other(
        self, change: ServiceChange, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        filed(change, scene, at)
        ServiceChange.objects.filter(pk=change.pk).update(
            items=[*change.items, {"name": "nothing", "label": "没有", "mask": ""}]
        )
        elsewhere = make_scene()
        other = announced(stories.grant_in("in_force", elsewhere, at), elsewhere, at)
        filed(other, elsewhere, at)
        assert sharing.carry_out_changes(_on(DAY, at)) == 1
        change.refresh_from_db()
        other.refresh_from_db()
        assert (change.status, other.status) == ("filed", "carried_out")
        assert "nothing" in change.problem
        grant.refresh_from_db()
        assert grant.version == 1


class TestRules:
    @pytest.mark.parametrize("status", ServiceChange.Status.values)
    @pytest.mark.parametrize("move", [move.name for move in SERVICE_CHANGE.moves])
    def test_it_moves_by_its_table_only(
        self, change: ServiceChange, scene: Scene, at: datetime, status: str, move: str
    ) -> None:
        table = SERVICE_CHANGE
        facts = {
            "answered_by": scene.consumer_head,
            "answered_at": at,
            "answer": "意见",
            "decided_by": scene.authority,
            "decided_at": at,
            "decision": "意见",
        }
        is_open = status in ServiceChange.OPEN
        ServiceChange.objects.filter(pk=change.pk).update(
            status=status, closed_at=None if is_open else at, **facts
        )
        change.refresh_from_db()
        ends = table.move(move).target not in ServiceChange.OPEN
        arguments: dict[str, Any] = {"actor": scene.authority, "at": at, "reason": "理由"}
        arguments |= {"closed_at": at} if ends else {}
        if status in table.move(move).sources:
            table.apply(change, move, **arguments)
            assert change.status == table.move(move).target
        else:
            with pytest.raises(IllegalMove):
                table.apply(change, move, **arguments)
            change.refresh_from_db()
            assert change.status == status

    @pytest.mark.parametrize(
        "wrong",
        [
            {"reason": ""},
            {"effective_on": date(2026, 11, 25)},
            {"status": "filed"},
            {"status": "objected"},
            {"status": "withdrawn"},
            {"answer": "同意"},
        ],
    )
    def test_the_table_refuses_what_was_not_done(
        self, change: ServiceChange, wrong: dict[str, Any]
    ) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            ServiceChange.objects.filter(pk=change.pk).update(**wrong)

    def test_each_of_the_cast_may_what_the_matrix_says(
        self, cast: dict[str, Any], scene: Scene, at: datetime
    ) -> None:
        scene.dataset.department = cast["provider"].department
        scene.dataset.save()
        scene.system.department = cast["consumer"].department
        scene.system.save()
        names = ("authority", "provider", "provider_head", "consumer", "consumer_head")
        second = UserFactory(department=cast["provider"].department, roles=["department_editor"])
        played = replace(scene, second=second, **{name: cast[name] for name in names})
        change = announced(stories.grant_in("in_force", played, at), played, at)
        matrix = {
            "view": {
                *("provider", "provider_head", "consumer", "consumer_head"),
                *("authority", "authority_leader", "auditor"),
            },
            "agree_change": {"consumer_head"},
            "object_change": {"consumer_head"},
            "file_change": {"authority", "authority_leader"},
            "refuse_change": {"authority", "authority_leader"},
            "withdraw_change": {"provider_head"},
            "pass_over_change": set(),
            "carry_out_change": set(),
            "void_change": set(),
            "change": set(),
            "delete": set(),
        }
        assert set(access.actions_of(ServiceChange)) == set(matrix)
        for action, admitted in matrix.items():
            may = {name for name in CAST if access.allowed(cast[name], action, change)}
            assert may == admitted, action
        assert not any(access.able(person, "create", ServiceChange) for person in cast.values())


class TestPages:
    def test_the_story_on_the_screen(self, grant: Grant, scene: Scene, at: datetime) -> None:
        head = signed_in(scene.provider_head)
        assert "告知变更" in head.get(f"/work/grants/{grant.pk}/").content.decode()
        url = f"/work/grants/{grant.pk}/change/"
        assert head.get(url).status_code == 200
        last = grant.expires_at.date() - timedelta(days=3)
        posted = {
            "kind": "narrow",
            "effective_on": last,
            "reason": "",
            "items": FEWER,
            "revision": grant.revision,
        }
        assert "还不能提交" in head.post(url, posted).content.decode()
        sent = head.post(url, {**posted, "reason": REASON, "ends_on": ""})
        assert sent.status_code == 302
        change = ServiceChange.objects.get()
        assert head.get(url).status_code == 302
        page = f"/work/grants/changes/{change.pk}/"
        consumer = signed_in(scene.consumer_head)
        shown = consumer.get(page).content.decode()
        assert '<ins class="diff__new">不提供</ins>' in shown
        wrong = consumer.post(page, {"answer": "object_change"}).content.decode()
        assert "写明异议的理由" in wrong
        objection = {"answer": "object_change", "reason": "资助审核正在进行"}
        assert consumer.post(page, objection).status_code == 302
        authority = signed_in(scene.authority)
        assert "资助审核正在进行" in authority.get(page).content.decode()
        bare = authority.post(page, {"answer": "file_change"}).content.decode()
        assert "使用部门有异议，写明理由" in bare
        assert (
            authority.post(page, {"answer": "file_change", "reason": "职责划转"}).status_code == 302
        )
        change.refresh_from_db()
        assert change.status == "filed"
        assert "撤回变更" in head.get(page).content.decode()
        told = f"服务变更：{change.get_kind_display()}"
        assert told in consumer.get(f"/work/grants/{grant.pk}/").content.decode()

    def test_who_may_not_act_reads_it(self, change: ServiceChange, scene: Scene) -> None:
        page = f"/work/grants/changes/{change.pk}/"
        for person in (scene.provider, scene.consumer, scene.authority):
            client = signed_in(person)
            shown = client.get(page).content.decode()
            assert REASON in shown
            assert "<textarea" not in shown
            client.post(page, {"answer": "agree_change", "reason": "x"})
            change.refresh_from_db()
            assert change.status == "noticed"
        stranger = signed_in(make_scene().provider_head)
        assert stranger.get(page).status_code == 404
        assert stranger.get(f"/work/grants/{change.grant_id}/change/").status_code == 404
        clerk = signed_in(scene.provider)
        assert clerk.get(f"/work/grants/{change.grant_id}/change/").status_code == 403

    @pytest.mark.parametrize("state", ["", "noticed", "deciding", "filed", "over", "nonsense"])
    def test_the_list_is_filtered(self, change: ServiceChange, scene: Scene, state: str) -> None:
        page = signed_in(scene.authority).get("/work/grants/changes/", {"status": state})
        found = f"/work/grants/changes/{change.pk}/" in page.content.decode()
        assert found is (state in ("", "noticed", "nonsense"))

    def test_a_search_keeps_the_filters_and_a_further_page_the_search(
        self, change: ServiceChange, scene: Scene, at: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        system = InformationSystemFactory(department=scene.consumer_department)
        another = stories.grant_in("in_force", replace(scene, system=system), at)
        later = announced(another, scene, at)
        monkeypatch.setattr("apps.sharing.views.lists.PAGE_ROWS", 1)
        client = signed_in(scene.provider)
        asked = {"status": "noticed", "q": scene.dataset.name}
        first = client.get("/work/grants/changes/", asked)
        assert '<input type="hidden" name="status" value="noticed">' in first.content.decode()
        assert "清除全部筛选" in first.content.decode()
        assert f"/work/grants/changes/{later.pk}/" in first.content.decode()
        assert f"/work/grants/changes/{change.pk}/" not in first.content.decode()
        following = first.context["page"].next_url
        assert "status=noticed" in following
        second = client.get(f"/work/grants/changes/{following}").content.decode()
        assert f"/work/grants/changes/{change.pk}/" in second


class TestInterface:
    def test_the_consumer_reads_what_is_ahead_until_it_is_over(
        self, change: ServiceChange, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        client = signed_in(scene.consumer)
        url = f"/api/v1/grants/{grant.pk}"
        [shown] = client.get(url).json()["service_changes"]
        assert (shown["number"], shown["kind"], shown["status"]) == (
            str(change),
            "narrow",
            "noticed",
        )
        assert (shown["effective_on"], shown["reason"]) == (DAY.isoformat(), REASON)
        assert [entry["name"] for entry in shown["items"]] == FEWER
        sharing.withdraw_change(change=change, actor=scene.provider_head, at=at, reason="不变")
        assert client.get(url).json()["service_changes"] == []
        [listed] = client.get("/api/v1/grants").json()["results"]
        assert listed["service_changes"] == []

    def test_a_day_off_entered_later_moves_the_day_that_is_shown(
        self, change: ServiceChange, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        calendar.set_day(
            day=date(2026, 11, 20), is_workday=False, note="停工", actor=scene.authority, at=at
        )
        [shown] = (
            signed_in(scene.consumer).get(f"/api/v1/grants/{grant.pk}").json()["service_changes"]
        )
        assert shown["answer_due_on"] == "2026-11-26"
        page = signed_in(scene.consumer_head).get(f"/work/grants/changes/{change.pk}/")
        assert "11月26日" in page.content.decode()
        change.refresh_from_db()
        assert change.answer_due_on == date(2026, 11, 25)  # as it was announced


@pytest.mark.usefixtures("no_earlier_records")
@pytest.mark.django_db(transaction=True)
def test_the_systems_next_read_is_under_the_new_version(
    client: Client, address: str, landed_grant: Grant, landed_scene: Scene, now: datetime
) -> None:
    day = now.date() + timedelta(days=12)
    change = announced(landed_grant, landed_scene, now, effective_on=day)
    filed(change, landed_scene, now)
    cursor = client.get(address, {"limit": "1"}).json()["next"]
    assert sharing.carry_out_changes(now + timedelta(days=13)) == 1
    refused = client.get(address, {"cursor": cursor})
    assert problem(refused, 409)["code"] == "resync_required"
    assert list(client.get(address).json()["data"][0]) == ["_id", *FEWER]


@pytest.mark.usefixtures("server")
@pytest.mark.django_db(transaction=True)
def test_of_several_who_decide_at_once_one_wins(now: datetime) -> None:
    scene = make_scene()
    day = now.date() + timedelta(days=12)
    grant = stories.grant_in("in_force", scene, now)
    change = agree(announced(grant, scene, now, effective_on=day), scene, now)
    officers = [
        UserFactory(department=scene.authority.department, roles=["authority_officer"])
        for _number in range(2)
    ]

    def fresh() -> ServiceChange:
        return ServiceChange.objects.get(pk=change.pk)

    results = at_once(
        [
            partial(sharing.file_change, change=fresh(), actor=officers[0], at=now),
            partial(
                sharing.refuse_change, change=fresh(), actor=officers[1], at=now, reason="无理由"
            ),
        ]
    )
    assert sum(isinstance(each, ServiceChange) for each in results) == 1
    assert sum(isinstance(each, DomainError) for each in results) == 1
    assert fresh().status in ("filed", "refused")
    assert all(clock.state == "stopped" for clock in clocks_of(fresh()))
