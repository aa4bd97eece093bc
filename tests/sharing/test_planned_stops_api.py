"""`/api/v1/planned-stops`: announced, taken back, ended by those who may, and once a key."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from apps.core.errors import Conflict
from apps.ledger.models import Event, Notice
from apps.sharing import operations as sharing
from apps.sharing.models import PlannedStop
from tests import stories
from tests.factories.accounts import UserFactory
from tests.factories.gateway import problem
from tests.factories.sharing import Scene, make_scene
from tests.sharing.api_cast import REFUSED, knocking, send, untouched
from tests.sharing.test_concurrency import at_once
from tests.sharing.test_planned_stops import HOUR, WEEK, announced, running
from tests.sharing.test_views import signed_in

pytestmark = pytest.mark.django_db
PLACE = "/api/v1/planned-stops"
REASON = "机房断电检修"


def written(scene: Scene, now: datetime, **more: Any) -> dict[str, Any]:
    """The body of an announcement a fortnight ahead."""
    starts_at = (now + 2 * WEEK).replace(microsecond=0)
    return {
        "reach": "dataset",
        "dataset": scene.dataset.code,
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + 2 * HOUR).isoformat(),
        "reason": REASON,
        **more,
    }


class TestAnnouncing:
    def test_it_is_announced_as_by_page(self, scene: Scene, now: datetime) -> None:
        stories.grant_in("in_force", scene, now)
        answer = send(signed_in(scene.provider_head), PLACE, written(scene, now))
        assert answer.status_code == 201, answer.content
        body = answer.json()
        assert (body["reach"], body["dataset"], body["status"], body["revision"]) == (
            "dataset", scene.dataset.code, "announced", 1,
        )  # fmt: skip
        stop = PlannedStop.objects.get()
        assert (stop.announced_by, body["number"]) == (scene.provider_head, str(stop))
        assert Notice.objects.filter(recipient=scene.consumer, title__contains="停机").exists()
        assert Event.objects.filter(verb="sharing.announce_stop", outcome="done").count() == 1
        assert signed_in(scene.consumer).get(f"{PLACE}/{stop.pk}").json() == body

    def test_a_code_may_be_written_as_in_addresses(self, scene: Scene, now: datetime) -> None:
        given = written(scene, now, dataset=scene.dataset.code.replace("/", "-"))
        assert send(signed_in(scene.provider_head), PLACE, given).status_code == 201

    @pytest.mark.parametrize(
        ("reach", "winners"),
        [
            ("dataset", {"provider_head"}),
            ("department", {"provider_head", "consumer_head", "other_head", "outsider"}),
            ("platform", {"authority", "authority_leader", "system_admin"}),
        ],
    )
    def test_who_may_and_nobody_else(
        self,
        cast: dict[str, Any],
        scene: Scene,
        now: datetime,
        reach: str,
        winners: set[str],
    ) -> None:
        given = written(scene, now, reach=reach)
        if reach != "dataset":
            del given["dataset"]
        won = set()
        for name, client in knocking(scene, cast, now):
            before = untouched()
            answer = send(client, PLACE, given)
            if answer.status_code == 201:
                won.add(name)
                continue
            assert problem(answer, answer.status_code)["code"] == REFUSED[answer.status_code], name
            assert untouched() == before, name
        assert won == winners

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"reach": "all"}, "invalid_input"),
            ({"reach": "department"}, "invalid_input"),
            ({"reach": "platform"}, "invalid_input"),
            ({"dataset": None}, "invalid_input"),
            ({"dataset": ""}, "invalid_input"),
            ({"reason": " "}, "invalid_input"),
            ({"reason": "长" * 501}, "invalid_input"),
            ({"reason": "坏\x00"}, "invalid_input"),
            ({"starts_at": "明天"}, "invalid_input"),
            ({"starts_at": "2020-01-01T00:00:00+08:00"}, "too_early"),
            ({"ends_at": "2020-01-01T00:00:00+08:00"}, "invalid_input"),
            ({"ends_at": "9999-12-31T23:59:59+08:00"}, "too_long"),
        ],
    )
    def test_bad_input_changes_nothing(
        self, scene: Scene, now: datetime, wrong: dict[str, Any], code: str
    ) -> None:
        client = signed_in(scene.provider_head)
        before = untouched()
        assert problem(send(client, PLACE, written(scene, now, **wrong)), 400)["code"] == code
        assert untouched() == before

    def test_a_list_or_nothing_is_no_announcement(self, scene: Scene) -> None:
        client = signed_in(scene.provider_head)
        bodies: list[Any] = [[], {}]
        for body in bodies:
            assert problem(send(client, PLACE, body), 400)["code"] == "invalid_input"
        answer = client.post(PLACE, "{", "application/json")
        assert problem(answer, 400)["code"] == "parse_error"

    def test_short_notice_says_why(self, scene: Scene, now: datetime) -> None:
        soon = (now + HOUR).replace(microsecond=0)
        given = written(scene, now, starts_at=soon.isoformat(), ends_at=(soon + HOUR).isoformat())
        client = signed_in(scene.provider_head)
        before = untouched()
        refused = problem(send(client, PLACE, given), 400)
        assert (refused["code"], refused["field"]) == ("short_notice", "short_notice_reason")
        assert untouched() == before
        answer = send(client, PLACE, {**given, "short_notice_reason": "漏洞修复"})
        assert answer.json()["short_notice_reason"] == "漏洞修复"

    def test_an_unseen_entry_is_not_found(self, scene: Scene, now: datetime) -> None:
        client = signed_in(scene.provider_head)
        before = untouched()
        answer = send(client, PLACE, written(scene, now, dataset="999999/999999"))
        assert problem(answer, 404)["code"] == "not_found"
        elsewhere = written(scene, now, dataset=make_scene().dataset.code)
        before = untouched()
        assert problem(send(client, PLACE, elsewhere), 403)["code"] == "not_allowed"
        assert untouched() == before


class TestOnceAKey:
    def test_sent_again_it_is_announced_and_told_once(self, scene: Scene, now: datetime) -> None:
        client = signed_in(scene.provider_head)
        given = written(scene, now)
        key = {"Idempotency-Key": "2026-12-power"}
        first = send(client, PLACE, given, **key)
        before = untouched()
        again = send(client, PLACE, given, **key)
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json() == first.json()
        assert untouched() == before
        other = send(client, PLACE, {**given, "reason": "另一件事"}, **key)
        refused = problem(other, 409)
        assert (refused["code"], refused["stop"]) == ("idempotency_conflict", first.json()["id"])
        assert untouched() == before

    def test_it_is_given_back_after_it_was_taken_back(self, scene: Scene, now: datetime) -> None:
        client = signed_in(scene.provider_head)
        given = written(scene, now)
        first = send(client, PLACE, given, **{"Idempotency-Key": "a"}).json()
        send(client, f"{PLACE}/{first['id']}/withdraw_stop", {"reason": "改期"})
        again = send(client, PLACE, given, **{"Idempotency-Key": "a"})
        assert (again.status_code, again.json()["status"]) == (200, "withdrawn")

    def test_a_key_is_its_owners_and_without_one_each_is_new(
        self, scene: Scene, now: datetime
    ) -> None:
        given = written(scene, now)
        heads = [
            scene.provider_head,
            UserFactory(department=scene.provider_department, roles=["department_approver"]),
        ]
        for head in heads:
            answer = send(signed_in(head), PLACE, given, **{"Idempotency-Key": "a"})
            assert answer.status_code == 201
        for _time in range(2):
            assert send(signed_in(heads[0]), PLACE, given).status_code == 201
        assert PlannedStop.objects.count() == 4

    def test_a_key_too_long_is_refused(self, scene: Scene, now: datetime) -> None:
        before = untouched()
        answer = send(
            signed_in(scene.provider_head),
            PLACE,
            written(scene, now),
            **{"Idempotency-Key": "x" * 201},
        )
        assert problem(answer, 400)["code"] == "idempotency_key_too_long"
        assert {k: v for k, v in untouched().items() if "plannedstop" in k} == {
            k: v for k, v in before.items() if "plannedstop" in k
        }


class TestMoving:
    def test_taken_back_and_ended(self, scene: Scene, now: datetime) -> None:
        client = signed_in(scene.provider_head)
        ahead, runs = announced(scene, now), running(scene, now)
        back = send(client, f"{PLACE}/{ahead.pk}/withdraw_stop", {"reason": "改期", "revision": 1})
        assert (back.json()["status"], back.json()["end_reason"]) == ("withdrawn", "改期")
        ended = send(client, f"{PLACE}/{runs.pk}/end_stop_early", {"reason": "已修好"})
        assert (ended.json()["status"], ended.json()["revision"]) == ("over", 2)
        assert not PlannedStop.objects.running_at(timezone.now()).exists()

    @pytest.mark.parametrize(
        ("move", "reach", "winners"),
        [
            ("withdraw_stop", "dataset", {"provider_head", "authority", "authority_leader"}),
            ("end_stop_early", "dataset", {"provider_head", "authority", "authority_leader"}),
            ("end_stop_early", "platform", {"system_admin", "authority", "authority_leader"}),
        ],
    )
    def test_who_may_and_nobody_else(
        self,
        cast: dict[str, Any],
        scene: Scene,
        now: datetime,
        move: str,
        reach: str,
        winners: set[str],
    ) -> None:
        stories.grant_in("in_force", scene, now)
        make = announced if move == "withdraw_stop" else running
        more = {"of": None, "actor": scene.authority} if reach == "platform" else {}
        won = set()
        for name, client in knocking(scene, cast, now):
            stop = make(scene, now, **more)
            before = untouched()
            answer = send(client, f"{PLACE}/{stop.pk}/{move}", {"reason": "x"})
            if answer.status_code == 200:
                won.add(name)
                continue
            assert problem(answer, answer.status_code)["code"] == REFUSED[answer.status_code], name
            assert untouched() == before, name
        assert won == winners

    @pytest.mark.parametrize(
        ("move", "body", "status", "code"),
        [
            ("withdraw_stop", {}, 400, "invalid_input"),
            ("withdraw_stop", {"reason": " "}, 400, "invalid_input"),
            ("withdraw_stop", {"reason": "x", "revision": 0}, 400, "invalid_input"),
            ("withdraw_stop", {"reason": "x", "revision": 9}, 409, "stale_revision"),
            ("end_stop_early", {"reason": "x"}, 409, "illegal_move"),
            ("begin_stop", {"reason": "x"}, 404, "not_found"),
            ("delete", {"reason": "x"}, 404, "not_found"),
        ],
    )
    def test_bad_input_changes_nothing(
        self, scene: Scene, now: datetime, move: str, body: Any, status: int, code: str
    ) -> None:
        stop = announced(scene, now)
        client = signed_in(scene.provider_head)
        before = untouched()
        answer = send(client, f"{PLACE}/{stop.pk}/{move}", body)
        assert problem(answer, status)["code"] == code
        assert untouched() == before

    def test_there_is_no_other_way_to_change_one(self, scene: Scene, now: datetime) -> None:
        stop = announced(scene, now)
        client = signed_in(scene.provider_head)
        before = untouched()
        for method in (client.put, client.patch, client.delete):
            answer = method(f"{PLACE}/{stop.pk}", {}, "application/json")
            assert problem(answer, 405)["code"] == "method_not_allowed"
        assert untouched() == before


@pytest.mark.usefixtures("server")
@pytest.mark.django_db(transaction=True)
def test_of_two_who_announce_with_one_key_at_once_one_does(now: datetime) -> None:
    scene = make_scene()
    works: list[Callable[[], Any]] = [
        partial(announced, scene, now, idempotency_key="k") for _number in range(4)
    ]
    results = at_once(works)
    made = {result.pk for result in results if isinstance(result, PlannedStop)}
    others = [result for result in results if not isinstance(result, PlannedStop)]
    assert len(made) == PlannedStop.objects.count() == 1
    assert all(isinstance(other, Conflict) for other in others)
    assert Event.objects.filter(verb="sharing.announce_stop", outcome="done").count() == 1


@pytest.mark.usefixtures("server")
@pytest.mark.django_db(transaction=True)
def test_of_two_who_end_at_once_with_what_they_saw_one_does(now: datetime) -> None:
    scene = make_scene()
    stop = announced(scene, now, ends_at=now + WEEK + timedelta(hours=3))
    works: list[Callable[[], Any]] = [
        partial(sharing.withdraw_stop, stop=stop, actor=who, at=now, reason="改期", revision=1)
        for who in (scene.provider_head, scene.authority)
    ]
    results = at_once(works)
    assert sum(isinstance(result, PlannedStop) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 1
    stop.refresh_from_db()
    assert (stop.status, stop.revision) == ("withdrawn", 2)
