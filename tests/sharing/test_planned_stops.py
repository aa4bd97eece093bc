"""停机公告: everybody who uses a service is told, calls wait, and the figures leave it out."""

import html
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core import access
from apps.core.errors import DomainError, IllegalMove, InvalidInput, NotAllowed
from apps.core.templatetags.dates import minute
from apps.ledger.models import Event, Notice
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.gateway import from_within
from apps.sharing.gateway.refusals import PlannedStopped
from apps.sharing.lifecycle import PLANNED_STOP
from apps.sharing.models import Export, Grant, Interface, InterfaceCall, PlannedStop
from apps.sharing.queries.interfaces import health_of, reasons_of
from apps.sharing.queries.planned_stops import longest_running, reached_by, usual_from
from apps.sharing.views import lists
from tests import stories
from tests.factories.accounts import InformationSystemFactory, UserFactory
from tests.factories.gateway import access_records, caller, credential_of, draw_token, problem
from tests.factories.sharing import Scene, make_scene
from tests.sharing.fingerprint import fingerprint
from tests.sharing.test_views import signed_in

pytestmark = pytest.mark.django_db
REASON = "数据库升级"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)


def announced(scene: Scene, at: datetime, **more: Any) -> PlannedStop:
    """A stop of the scene's dataset, a week ahead unless told."""
    given: dict[str, Any] = {
        "of": scene.dataset,
        "starts_at": at + WEEK,
        "ends_at": at + WEEK + 2 * HOUR,
        "reason": REASON,
        "actor": scene.provider_head,
        **more,
    }
    return sharing.announce_stop(at=at, **given)


def running(scene: Scene, at: datetime, **more: Any) -> PlannedStop:
    """A stop that began an hour ago and ends in an hour."""
    begun = at - HOUR
    terms = {"starts_at": begun, "ends_at": at + HOUR, "short_notice_reason": "紧急修复", **more}
    return announced(scene, begun, **terms)


def told(stop: PlannedStop) -> set[int]:
    notices = Notice.objects.filter(subject_type="sharing.plannedstop", subject_id=str(stop.pk))
    return set(notices.values_list("recipient", flat=True))


class TestAnnouncing:
    def test_everybody_who_uses_it_is_told_and_nothing_else_changes(
        self, scene: Scene, at: datetime
    ) -> None:
        grant = stories.grant_in("in_force", scene, at)
        holder = UserFactory(department=scene.consumer_department)
        sharing.offer_credential(
            system=scene.system,
            holder=holder,
            actor=scene.consumer_head,
            at=at,
            environment="test",
        )
        stranger = make_scene().consumer
        stop = announced(scene, at)
        assert (stop.status, stop.reach, stop.provider) == (
            "announced", "dataset", scene.provider_department,
        )  # fmt: skip
        assert {
            scene.consumer.pk,
            scene.consumer_head.pk,
            scene.provider.pk,
            scene.provider_head.pk,
            scene.authority.pk,
            holder.pk,
        } <= told(stop)
        assert stranger.pk not in told(stop)
        before = (grant.version, grant.status)
        grant.refresh_from_db()
        assert (grant.version, grant.status) == before
        event = Event.objects.get(verb="sharing.announce_stop", outcome="done")
        assert (event.details["grants"], event.details["reason"]) == (1, REASON)
        assert stop.history.count() == 1

    def test_the_usual_notice_is_three_working_days(self, scene: Scene, at: datetime) -> None:
        # Wednesday 18 November: the third working day after it is Monday 23 November.
        assert usual_from(at) == datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
        kept = announced(scene, at, short_notice_reason="不必写")
        assert kept.short_notice_reason == ""
        short = announced(
            scene, at, starts_at=at + DAY, ends_at=at + DAY + HOUR, short_notice_reason="机房断电"
        )
        assert short.short_notice_reason == "机房断电"

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"reason": " "}, "reason"),
            ({"reason": "长" * 501}, "reason"),
            ({"starts_at": -HOUR}, "starts_at"),
            ({"ends_at": WEEK}, "ends_at"),
            ({"ends_at": 3 * WEEK}, "ends_at"),
            ({"starts_at": DAY, "ends_at": DAY + HOUR}, "short_notice_reason"),
            (
                {"starts_at": DAY, "ends_at": DAY + HOUR, "short_notice_reason": " "},
                "short_notice_reason",
            ),
        ],
    )
    def test_a_wrong_announcement_changes_nothing(
        self, scene: Scene, at: datetime, wrong: dict[str, Any], field: str
    ) -> None:
        given = {k: at + v if isinstance(v, timedelta) else v for k, v in wrong.items()}
        before = fingerprint()
        with pytest.raises(InvalidInput) as refusal:
            announced(scene, at, **given)
        assert refusal.value.details["field"] == field
        assert fingerprint() == before

    def test_only_the_head_stops_what_is_his_and_the_operator_the_platform(
        self, scene: Scene, at: datetime
    ) -> None:
        admin = UserFactory(department=scene.authority.department, roles=["system_admin"])
        other = make_scene()
        own, whole = scene.dataset, scene.provider_department
        wrong = [
            *((own, who) for who in (scene.provider, scene.consumer_head, scene.authority, admin)),
            *((whole, who) for who in (scene.provider, scene.consumer_head, scene.authority)),
            *((None, who) for who in (scene.provider_head, scene.consumer_head)),
            (own, other.provider_head),
            (other.dataset, scene.provider_head),
        ]
        before = fingerprint()
        for of, who in wrong:
            with pytest.raises(NotAllowed):
                announced(scene, at, of=of, actor=who)
        assert fingerprint() == before
        assert announced(scene, at, of=whole).reach == "department"
        assert announced(scene, at, of=None, actor=admin).reach == "platform"
        assert announced(scene, at, of=None, actor=scene.authority).provider is None

    def test_it_reaches_the_grants_of_its_scope_only(self, scene: Scene, at: datetime) -> None:
        grant = stories.grant_in("in_force", scene, at)
        other = make_scene()
        elsewhere = stories.grant_in("in_force", other, at)
        stories.grant_in("ended", make_scene(), at)
        reaches = {
            "dataset": (scene.dataset, {grant.pk}),
            "department": (scene.provider_department, {grant.pk}),
            "platform": (None, {grant.pk, elsewhere.pk}),
        }
        for of, expected in reaches.values():
            who = scene.authority if of is None else scene.provider_head
            stop = announced(scene, at, of=of, actor=who)
            assert {each.pk for each in reached_by(stop).grants} == expected
            assert (other.consumer.pk in told(stop)) is (of is None)


class TestEnding:
    def test_withdrawn_before_it_begins_the_service_goes_on(
        self, scene: Scene, at: datetime
    ) -> None:
        stop = announced(scene, at)
        sharing.withdraw_stop(stop=stop, actor=scene.provider_head, at=at + DAY, reason="改期")
        stop.refresh_from_db()
        assert (stop.status, stop.ended_by, stop.end_reason) == (
            "withdrawn", scene.provider_head, "改期",
        )  # fmt: skip
        assert Notice.objects.filter(title__startswith="停机公告已撤回").exists()
        assert not PlannedStop.objects.running_at(at + WEEK + HOUR).exists()

    def test_ended_early_it_is_over_at_that_moment(self, scene: Scene, at: datetime) -> None:
        stop = announced(scene, at)
        moment = stop.starts_at + HOUR
        sharing.end_stop_early(stop=stop, actor=scene.authority, at=moment, reason="已修好")
        stop.refresh_from_db()
        assert (stop.status, stop.ended_at) == ("over", moment)
        assert not PlannedStop.objects.running_at(moment).exists()
        assert Notice.objects.filter(title__startswith="停机结束").exists()

    @pytest.mark.parametrize(
        ("operation", "after"),
        [
            ("withdraw_stop", WEEK),
            ("withdraw_stop", WEEK + HOUR),
            ("end_stop_early", DAY),
            ("end_stop_early", WEEK + 2 * HOUR),
        ],
    )
    def test_the_wrong_one_at_a_moment_changes_nothing(
        self, scene: Scene, at: datetime, operation: str, after: timedelta
    ) -> None:
        stop = announced(scene, at)
        before = fingerprint()
        operate = getattr(sharing, operation)
        with pytest.raises(IllegalMove):
            operate(stop=stop, actor=scene.provider_head, at=at + after, reason="x")
        assert fingerprint() == before

    @pytest.mark.parametrize(
        ("operation", "after"), [("withdraw_stop", DAY), ("end_stop_early", WEEK + HOUR)]
    )
    def test_no_stranger_and_nobody_without_a_reason(
        self, scene: Scene, at: datetime, operation: str, after: timedelta
    ) -> None:
        stop = announced(scene, at)
        operate = getattr(sharing, operation)
        admin = UserFactory(department=scene.authority.department, roles=["system_admin"])
        before = fingerprint()
        for who in (scene.provider, scene.consumer_head, make_scene().provider_head, admin):
            before = fingerprint()
            with pytest.raises(NotAllowed):
                operate(stop=stop, actor=who, at=at + after, reason="x")
            assert fingerprint() == before
        with pytest.raises(InvalidInput):
            operate(stop=stop, actor=scene.provider_head, at=at + after, reason=" ")
        assert fingerprint() == before

    @pytest.mark.parametrize("status", PlannedStop.Status.values)
    @pytest.mark.parametrize("move", [each.name for each in PLANNED_STOP.moves])
    def test_every_pair_of_status_and_move(
        self, scene: Scene, at: datetime, status: str, move: str
    ) -> None:
        stop = stop_in(status, scene, at)
        moment = {"withdraw_stop": at + DAY, "finish_stop": stop.ends_at}.get(
            move, stop.starts_at + HOUR
        )
        end: dict[str, Any] = {}
        if move != "begin_stop":
            end = {"ended_at": moment, "ended_by": scene.provider_head}
            if move != "finish_stop":
                end["end_reason"] = "x"
        legal = status in PLANNED_STOP.move(move).sources
        if legal:
            PLANNED_STOP.apply(stop, move, actor=scene.provider_head, at=moment, reason="x", **end)
            assert stop.status == PLANNED_STOP.move(move).target
        else:
            with pytest.raises(IllegalMove):
                PLANNED_STOP.apply(
                    stop, move, actor=scene.provider_head, at=moment, reason="x", **end
                )
            stop.refresh_from_db()
            assert stop.status == status


def stop_in(status: str, scene: Scene, at: datetime) -> PlannedStop:
    """A stop that came to the status by what people and the platform did."""
    stop = announced(scene, at)
    if status == "withdrawn":
        sharing.withdraw_stop(stop=stop, actor=scene.provider_head, at=at, reason="改期")
    elif status in ("running", "over"):
        sharing.carry_out_stops(stop.starts_at)
    if status == "over":
        sharing.carry_out_stops(stop.ends_at)
    stop.refresh_from_db()
    assert stop.status == status
    return stop


class TestByThePlatform:
    def test_it_reminds_once_notes_the_beginning_and_the_end(
        self, scene: Scene, at: datetime
    ) -> None:
        stop = announced(scene, at)
        of_stop = Notice.objects.filter(recipient=scene.provider_head)
        for moment in (at + DAY, stop.starts_at - DAY, stop.starts_at - HOUR):
            sharing.carry_out_stops(moment)
        assert of_stop.filter(title__startswith="停机提醒").count() == 1
        assert sharing.carry_out_stops(stop.starts_at) == 1
        assert sharing.carry_out_stops(stop.starts_at + HOUR) == 0
        assert sharing.carry_out_stops(stop.ends_at + HOUR) == 1
        assert sharing.carry_out_stops(stop.ends_at + HOUR) == 0
        stop.refresh_from_db()
        assert (stop.status, stop.ended_at, stop.end_reason) == ("over", stop.ends_at, "")
        assert of_stop.filter(title__startswith="停机结束").count() == 1
        verbs = Event.objects.filter(
            subject_type="sharing.plannedstop", subject_id=str(stop.pk), outcome="done"
        ).order_by("pk")
        assert list(verbs.values_list("verb", flat=True)) == [
            "sharing.announce_stop", "sharing.begin_stop", "sharing.finish_stop",
        ]  # fmt: skip

    def test_short_notice_is_not_reminded_of_again(self, scene: Scene, at: datetime) -> None:
        stop = announced(
            scene, at, starts_at=at + HOUR, ends_at=at + 2 * HOUR, short_notice_reason="断电"
        )
        sharing.carry_out_stops(at + HOUR / 2)
        stop.refresh_from_db()
        assert stop.reminded_at is None

    def test_a_worker_that_slept_through_it_ends_it_all_the_same(
        self, scene: Scene, at: datetime
    ) -> None:
        stop = announced(scene, at)
        assert sharing.carry_out_stops(stop.ends_at + DAY) == 1
        stop.refresh_from_db()
        assert (stop.status, stop.ended_at) == ("over", stop.ends_at)


class TestWhoSees:
    def test_those_whom_it_reaches_and_the_overseers(
        self, cast: dict[str, Any], scene: Scene, at: datetime
    ) -> None:
        stories.grant_in("in_force", scene, at)
        other = make_scene()
        stops = {
            "dataset": announced(scene, at),
            "department": announced(scene, at, of=scene.provider_department),
            "platform": announced(scene, at, of=None, actor=scene.authority),
        }
        everything = set(stops)
        seers: dict[str, tuple[Any, set[str]]] = {
            "consumer": (scene.consumer, everything),
            "provider": (scene.provider, everything),
            "system": (scene.system.service_user, everything),
            "authority": (scene.authority, everything),
            "admin": (cast["system_admin"], everything),
            "security": (cast["security_admin"], everything),
            "auditor": (cast["auditor"], everything),
            "other consumer": (other.consumer, {"platform"}),
            "other system": (other.system.service_user, {"platform"}),
            "citizen": (cast["citizen"], set()),
            "unassigned": (cast["unassigned"], set()),
            "inactive": (cast["inactive"], set()),
        }
        for name, (who, expected) in seers.items():
            seen = set(access.rows(who, "view", PlannedStop).values_list("reach", flat=True))
            assert seen == expected, name

    def test_what_only_the_platform_does_nobody_may(
        self, cast: dict[str, Any], scene: Scene, at: datetime
    ) -> None:
        stop = announced(scene, at)
        for person in (*cast.values(), scene.provider_head, scene.provider, scene.consumer_head):
            for action in ("begin_stop", "finish_stop", "change", "delete"):
                assert not access.allowed(person, action, stop)
            assert not access.able(person, "create", PlannedStop)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"reach": "platform"}, "reach_whole"),
        ({"dataset": None}, "reach_whole"),
        ({"provider": None}, "reach_whole"),
        ({"reason": ""}, "has_reason"),
        ({"ends_at": WEEK}, "period_in_order"),
        ({"ends_at": 3 * WEEK}, "period_in_order"),
        ({"announced_at": 2 * WEEK}, "announced_before"),
        ({"usual_from": 2 * WEEK}, "short_notice_has_reason"),
        ({"status": "over"}, "closed_when_over"),
        ({"ended_at": DAY}, "closed_when_over"),
        ({"status": "over", "ended_at": WEEK + HOUR, "ended": True}, "over_within_plan"),
        (
            {"status": "over", "ended_at": 2 * WEEK, "ended": True, "end_reason": "x"},
            "over_within_plan",
        ),
        (
            {"status": "withdrawn", "ended_at": WEEK + HOUR, "ended": True, "end_reason": "x"},
            "withdrawn_before",
        ),
        ({"status": "withdrawn", "ended_at": DAY, "ended": True}, "withdrawn_before"),
    ],
)
def test_the_database_holds_the_rules(
    scene: Scene, at: datetime, change: dict[str, Any], rule: str
) -> None:
    stop = announced(scene, at)
    fields = {k: at + v if isinstance(v, timedelta) else v for k, v in change.items()}
    if fields.pop("ended", False):
        fields["ended_by"] = scene.provider_head
    with pytest.raises(IntegrityError, match=f"sharing_plannedstop_{rule}"), transaction.atomic():
        PlannedStop.objects.filter(pk=stop.pk).update(**fields)


@pytest.mark.usefixtures("no_earlier_records")
class TestCalls:
    @pytest.mark.parametrize("reach", ["dataset", "department", "platform"])
    def test_a_call_is_told_to_come_again_when_it_is_over(
        self,
        client: Client,
        address: str,
        landed_scene: Scene,
        landed_grant: Grant,
        now: datetime,
        reach: str,
    ) -> None:
        of = {"dataset": landed_scene.dataset, "department": landed_scene.provider_department}
        who = landed_scene.authority if reach == "platform" else landed_scene.provider_head
        stop = running(landed_scene, now, of=of.get(reach), actor=who)
        places = ("", "/changes", "/columns", "/export.csv", "/exports", "/changes/proof")
        for place in places:
            refused = client.get(f"{address}{place}")
            body = problem(refused, 503)
            assert body["code"] == "planned_stop"
            assert 3500 < int(refused["Retry-After"]) <= 3600
            assert body["until"] == timezone.localtime(stop.ends_at).isoformat()
        verify = client.post(f"{address}/verify", "{}", content_type="application/json")
        assert problem(verify, 503)["code"] == "planned_stop"
        assert access_records() == []
        assert not Event.objects.filter(verb="sharing.read").exists()
        sharing.end_stop_early(stop=stop, actor=who, at=timezone.now(), reason="已恢复")
        assert client.get(address).status_code == 200

    def test_it_asks_nothing_more_of_the_database(
        self, client: Client, address: str, landed_scene: Scene, now: datetime, sent: list[str]
    ) -> None:
        client.get(address)
        sent.clear()
        with CaptureQueriesContext(connection) as without:
            assert client.get(address).status_code == 200
        before = [*sent]
        announced(landed_scene, now)
        sent.clear()
        with CaptureQueriesContext(connection) as ahead:
            assert client.get(address).status_code == 200
        assert before
        assert (sent, len(ahead)) == (before, len(without))

    def test_one_that_is_ahead_over_withdrawn_or_elsewhere_stops_nothing(
        self, client: Client, address: str, landed_scene: Scene, now: datetime
    ) -> None:
        announced(landed_scene, now)
        over = announced(
            landed_scene, now - 3 * HOUR, starts_at=now - 2 * HOUR, ends_at=now - HOUR,
            short_notice_reason="断电",
        )  # fmt: skip
        assert over.status == "announced"  # no task has run since
        elsewhere = make_scene()
        running(elsewhere, now)
        running(elsewhere, now, of=elsewhere.provider_department)
        taken_back = announced(
            landed_scene, now - 3 * HOUR, starts_at=now - HOUR, ends_at=now + HOUR,
            short_notice_reason="断电",
        )  # fmt: skip
        sharing.withdraw_stop(
            stop=taken_back, actor=landed_scene.provider_head, at=now - 2 * HOUR, reason="改期"
        )
        assert client.get(address).status_code == 200

    def test_who_has_no_grant_is_told_that_and_not_the_stop(
        self, client: Client, address: str, landed_scene: Scene, landed_grant: Grant, now: datetime
    ) -> None:
        running(landed_scene, now)
        stranger = make_scene()
        token = draw_token(credential_of(stranger.system, stranger.consumer_head, now))
        assert problem(caller(token).get(address), 403)["code"] == "no_grant"
        sharing.suspend(
            grant=landed_grant, actor=landed_scene.provider_head, at=now, reason="超范围使用"
        )
        assert problem(client.get(address), 403)["code"] == "grant_suspended"

    def test_the_last_second_still_waits_one(
        self, client: Client, address: str, landed_scene: Scene, now: datetime
    ) -> None:
        stop = running(landed_scene, now)
        moment = timezone.now()
        PlannedStop.objects.filter(pk=stop.pk).update(ends_at=moment + timedelta(seconds=5))
        assert 1 <= int(client.get(address)["Retry-After"]) <= 5

    def test_invented_rows_are_read_all_the_same(
        self, landed_grant: Grant, address: str, landed_scene: Scene, now: datetime
    ) -> None:
        running(landed_scene, now)
        made = credential_of(landed_scene.system, landed_scene.consumer_head, now, "test")
        assert caller(draw_token(made)).get(address)["Huiliu-Test"] == "true"

    def test_the_console_and_files_asked_for_at_a_screen_wait_too(
        self, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        running(landed_scene, now)
        with pytest.raises(DomainError) as refusal:
            sharing.open_console(
                grant=landed_grant, actor=landed_scene.consumer, at=now, address="127.0.0.1"
            )
        assert refusal.value.code == "planned_stop"

    def test_the_page_says_why_nothing_can_be_read(
        self, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        def last() -> Any:
            return queries.explain(landed_scene.system, landed_scene.dataset, timezone.now())[-1]

        assert last().ok
        stop = running(landed_scene, now)
        assert (last().ok, last().rule) == (False, "stop")
        sharing.end_stop_early(
            stop=stop, actor=landed_scene.provider_head, at=timezone.now(), reason="已恢复"
        )
        assert last().ok

    def test_of_two_that_overlap_all_ways_tell_the_later_end(
        self,
        client: Client,
        address: str,
        landed_scene: Scene,
        landed_grant: Grant,
        now: datetime,
    ) -> None:
        longer = running(landed_scene, now, ends_at=now + 5 * HOUR)
        begun_later = {"starts_at": now - HOUR / 2, "ends_at": now + HOUR}
        running(landed_scene, now, of=landed_scene.provider_department, **begun_later)
        until = timezone.localtime(longer.ends_at)
        assert problem(client.get(address), 503)["until"] == until.isoformat()
        with pytest.raises(PlannedStopped) as refusal:
            from_within.refuse_stopped(landed_grant, at=timezone.now())
        assert refusal.value.details["until"] == until.isoformat()
        why = queries.explain(landed_scene.system, landed_scene.dataset, timezone.now())[-1]
        assert minute(longer.ends_at) in why.sentence
        assert longest_running(landed_scene.dataset, timezone.now()) == longer
        assert longest_running(landed_scene.dataset, longer.ends_at) is None

    def test_a_file_that_waits_is_made_after_it(
        self, client: Client, address: str, landed_scene: Scene, now: datetime
    ) -> None:
        assert client.post(f"{address}/exports?format=csv").status_code == 202
        stop = running(landed_scene, now)
        assert sharing.make_exports(at=timezone.now()) == 0
        assert Export.objects.get().status == "queued"
        sharing.end_stop_early(
            stop=stop, actor=landed_scene.provider_head, at=timezone.now(), reason="已恢复"
        )
        assert sharing.make_exports(at=timezone.now()) == 1
        assert Export.objects.get().status == "ready"


@pytest.mark.usefixtures("no_earlier_records")
class TestLandedCopies:
    def test_a_copy_waits_and_has_no_problem(self, landed_scene: Scene, now: datetime) -> None:
        stories.delivered(landed_scene, now, mode="batch")
        stop = running(landed_scene, now)
        sharing.keep_copies(at=timezone.now())
        sharing.prove_copies(at=timezone.now())
        copy = queries.copies_kept().get()
        assert (copy.problem, copy.complete_at) == ("", None)
        sharing.end_stop_early(
            stop=stop, actor=landed_scene.provider_head, at=timezone.now(), reason="已恢复"
        )
        sharing.keep_copies(at=timezone.now())
        copy.refresh_from_db()
        assert (copy.problem, copy.rows) == ("", 6)


class TestAvailability:
    def test_what_happened_within_a_stop_does_not_count(self, scene: Scene, at: datetime) -> None:
        interface = Interface.objects.create(
            dataset=scene.dataset,
            name="婚姻登记查询",
            reason="上级统一提供",
            url="https://example.invalid/",
            items={"name": "name"},
            created_by=scene.provider,
            created_at=at,
            updated_at=at,
        )
        stop = announced(
            scene, at - DAY, starts_at=at - 4 * HOUR, ends_at=at - HOUR, short_notice_reason="断电"
        )
        sharing.end_stop_early(
            stop=stop, actor=scene.provider_head, at=at - 2 * HOUR, reason="已恢复"
        )
        for hours, outcome in ((5, ""), (3, "provider_timeout"), (1, "provider_answer")):
            InterfaceCall.objects.create(
                interface=interface, kind="probe", at=at - hours * HOUR, duration_ms=10 * hours,
                outcome=outcome, words=outcome,
            )  # fmt: skip
        health = health_of([interface], at)[interface.pk]
        assert (health.calls, health.answered, health.mean_ms) == (2, 1, 50)
        assert [each.outcome for each in reasons_of(interface, at)] == ["provider_answer"]

    def test_no_service_is_probed_that_stands_still(self, scene: Scene, at: datetime) -> None:
        Interface.objects.create(
            dataset=scene.dataset,
            name="婚姻登记查询",
            reason="上级统一提供",
            url="http://127.0.0.1:1/",
            items={"name": "name"},
            status="active",
            tested_at=at,
            active_since=at,
            created_by=scene.provider,
            created_at=at,
            updated_at=at,
        )
        running(scene, at)
        assert sharing.probe_interfaces(at) == {"answered": 0, "failed": 0, "odd": 0}
        assert not InterfaceCall.objects.exists()
        assert sharing.probe_interfaces(at + 2 * HOUR)["failed"] == 1


class TestPages:
    def test_the_head_announces_and_takes_it_back(self, scene: Scene, now: datetime) -> None:
        stories.grant_in("in_force", scene, now)
        head = signed_in(scene.provider_head)
        page = head.get("/work/planned-stops/")
        assert "没有停机公告" in page.content.decode()
        found = head.get("/work/planned-stops/", {"find": scene.dataset.name}).content.decode()
        place = f"/work/planned-stops/new/dataset/{scene.dataset.code.replace('/', '-')}/"
        assert place in found
        form = head.get(place).content.decode()
        assert "提交后立即通知" in form
        start = timezone.localtime(now + 2 * WEEK)
        written = {
            "starts_at": start.strftime("%Y-%m-%dT%H:%M"),
            "ends_at": (start + HOUR).strftime("%Y-%m-%dT%H:%M"),
            "reason": REASON,
        }
        wrong = head.post(place, {**written, "ends_at": written["starts_at"]})
        assert "结束时间须在开始时间之后" in wrong.content.decode()
        assert REASON in wrong.content.decode()
        assert not PlannedStop.objects.exists()
        answer = head.post(place, written)
        stop = PlannedStop.objects.get()
        assert answer["Location"] == f"/work/planned-stops/{stop.pk}/"
        for person in (scene.consumer, scene.provider):
            client = signed_in(person)
            grant = Grant.objects.get()
            assert "停机公告：" in client.get(f"/work/grants/{grant.pk}/").content.decode()
            assert "撤回公告" not in client.get(answer["Location"]).content.decode()
        assert (
            "停机公告："
            in head.get(f"/work/datasets/{scene.dataset.dashed_code}/").content.decode()
        )
        assert "撤回公告" in head.get(answer["Location"]).content.decode()
        head.post(answer["Location"], {"reason": "改期"})
        stop.refresh_from_db()
        assert stop.status == "withdrawn"
        shown = head.get("/work/planned-stops/", {"state": "withdrawn", "q": REASON})
        assert str(stop) in shown.content.decode()
        assert 'name="state" value="withdrawn"' in shown.content.decode()
        none = head.get("/work/planned-stops/", {"state": "running"}).content.decode()
        assert "没有符合条件的停机公告" in none

    def test_ended_while_another_runs_nobody_is_told_that_it_answers(
        self, scene: Scene, now: datetime
    ) -> None:
        stories.grant_in("in_force", scene, now)
        first = running(scene, now)
        other = running(scene, now, of=None, actor=scene.authority, ends_at=now + 5 * HOUR)
        head = signed_in(scene.provider_head)
        place = f"/work/planned-stops/{first.pk}/"
        page = head.post(place, {"reason": "已恢复"}, follow=True).content.decode()
        assert "服务已恢复" not in page
        assert f"公告 {other} 的停机还在进行，预计{minute(other.ends_at)}恢复" in page
        own = Notice.objects.filter(subject_id=str(first.pk), recipient=scene.consumer)
        assert not own.filter(title__startswith="停机结束").exists()
        notice = own.get(title__startswith="停机未完")
        assert minute(other.ends_at) in notice.title
        assert str(other) in notice.body

    def test_a_narrower_one_that_still_runs_does_not_hold_the_whole(
        self, scene: Scene, at: datetime
    ) -> None:
        running(scene, at, ends_at=at + 5 * HOUR)
        whole = running(scene, at, of=scene.provider_department)
        sharing.end_stop_early(stop=whole, actor=scene.provider_head, at=at, reason="已恢复")
        assert Notice.objects.filter(title__startswith="停机结束").exists()

    def test_the_list_goes_on_as_far_as_there_are_stops(
        self, scene: Scene, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lists, "PAGE_ROWS", 2)
        stops = [announced(scene, now) for _time in range(3)]
        head = signed_in(scene.provider_head)
        first = head.get("/work/planned-stops/", {"state": "ahead"})
        page = first.context["page"]
        assert (page.rows, page.total) == ([stops[2], stops[1]], 3)
        assert page.next_url in html.unescape(first.content.decode())
        rest = head.get(f"/work/planned-stops/{page.next_url}").context["page"]
        assert (rest.rows, rest.next_url) == ([stops[0]], "")

    def test_whom_it_does_not_concern_finds_nothing(self, scene: Scene, now: datetime) -> None:
        stop = announced(scene, now)
        stranger = signed_in(make_scene().consumer)
        assert stranger.get(f"/work/planned-stops/{stop.pk}/").status_code == 404
        assert str(stop) not in stranger.get("/work/planned-stops/").content.decode()
        code = scene.dataset.dashed_code
        for place, status in (
            (f"dataset/{code}", 404),
            ("department", 404),
            ("platform", 403),
        ):
            answer = stranger.post(f"/work/planned-stops/new/{place}/", {})
            assert answer.status_code == status

    def test_a_running_one_is_ended_on_its_page(self, scene: Scene, now: datetime) -> None:
        stop = running(scene, now, of=scene.provider_department)
        head = signed_in(scene.provider_head)
        assert "停机中" in head.get(f"/work/planned-stops/{stop.pk}/").content.decode()
        page = head.post(f"/work/planned-stops/{stop.pk}/", {"reason": "已恢复"}, follow=True)
        assert "服务已恢复" in page.content.decode()
        stop.refresh_from_db()
        assert (stop.status, stop.end_reason) == ("over", "已恢复")

    def test_the_operator_stops_the_platform(self, scene: Scene, now: datetime) -> None:
        admin = UserFactory(department=scene.authority.department, roles=["system_admin"])
        client = signed_in(admin)
        assert "planned-stops/new/platform/" in client.get("/work/planned-stops/").content.decode()
        assert client.get("/work/planned-stops/new/platform/").status_code == 200


class TestApi:
    def test_a_system_reads_the_stops_that_reach_it(
        self, client: Client, landed_scene: Scene, landed_grant: Grant, now: datetime
    ) -> None:
        stop = announced(landed_scene, now)
        unseen = announced(make_scene(), now)
        listed = client.get("/api/v1/planned-stops").json()["results"]
        assert [each["id"] for each in listed] == [stop.pk]
        assert listed[0]["dataset"] == landed_scene.dataset.code
        one = client.get(f"/api/v1/planned-stops/{stop.pk}").json()
        assert (one["number"], one["reach"], one["status"]) == (str(stop), "dataset", "announced")
        problem(client.get(f"/api/v1/planned-stops/{unseen.pk}"), 404)
        code = landed_scene.dataset.code.replace("/", "-")
        for query, count in (
            ({"dataset": code}, 1), ({"dataset": "307999-000001"}, 0), ({"status": "over"}, 0),
        ):  # fmt: skip
            found = client.get("/api/v1/planned-stops", query).json()["results"]
            assert len(found) == count
        wrong = client.get("/api/v1/planned-stops", {"state": "x"})
        assert problem(wrong, 400)["code"] == "unknown_filter"


def test_a_system_of_the_department_without_a_grant_is_not_concerned(
    scene: Scene, at: datetime
) -> None:
    stories.grant_in("in_force", scene, at)
    beside = InformationSystemFactory(department=scene.consumer_department)
    announced(scene, at)
    assert not access.rows(beside.service_user, "view", PlannedStop).exists()
