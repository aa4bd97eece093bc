"""`/api/v1/service-changes`: announced by the provider, answered, filed, taken back."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from apps.core.errors import Conflict
from apps.sharing import operations as sharing
from apps.sharing.models import Grant, ServiceChange
from tests import stories
from tests.factories.gateway import problem
from tests.factories.sharing import Scene, make_scene
from tests.sharing.api_cast import REFUSED, knocking, send, untouched
from tests.sharing.test_concurrency import at_once
from tests.sharing.test_views import signed_in

pytestmark = pytest.mark.django_db
PLACE = "/api/v1/service-changes"
REASON = "婚姻登记改由省级系统提供"


@pytest.fixture
def grant(scene: Scene, now: datetime) -> Grant:
    return stories.grant_in("in_force", scene, now)


def far(now: datetime) -> date:
    return (now + timedelta(days=30)).date()


def written(of: Grant, now: datetime, **more: Any) -> dict[str, Any]:
    """The body of a change by which two of the grant's columns are left."""
    fewer = {
        each["name"]: each.get("mask") or ""
        for each in of.columns
        if each["name"] in ("name", "division_code")
    }
    return {
        "grant": of.pk,
        "kind": "narrow",
        "effective_on": far(now).isoformat(),
        "reason": REASON,
        "items": fewer,
        **more,
    }


def opened(grant: Grant, scene: Scene, now: datetime, status: str = "noticed") -> ServiceChange:
    """A change that came to the status by what people did."""
    change = sharing.open_change(
        grant=grant, kind="stop", effective_on=far(now), reason=REASON,
        actor=scene.provider_head, at=now,
    )  # fmt: skip
    if status in ("agreed", "filed"):
        sharing.agree_change(change=change, actor=scene.consumer_head, at=now)
    if status == "objected":
        sharing.object_change(change=change, actor=scene.consumer_head, at=now, reason="正用")
    if status == "filed":
        sharing.file_change(change=change, actor=scene.authority, at=now)
    return change


class TestAnnouncing:
    def test_it_is_announced_and_read_by_both(
        self, grant: Grant, scene: Scene, now: datetime
    ) -> None:
        answer = send(signed_in(scene.provider_head), PLACE, written(grant, now))
        assert answer.status_code == 201, answer.content
        body = answer.json()
        assert (body["status"], body["grant"], body["kind"]) == ("noticed", grant.pk, "narrow")
        assert [item["name"] for item in body["items"]] == ["name", "division_code"]
        assert body["answer_due_on"] < body["effective_on"]
        for person in (scene.consumer, scene.provider, scene.authority):
            client = signed_in(person)
            assert client.get(f"{PLACE}/{body['id']}").json() == body
            [row] = client.get(f"{PLACE}?status=noticed&grant={grant.pk}").json()["results"]
            assert row == body
        assert signed_in(make_scene().consumer).get(PLACE).json()["results"] == []
        grant.refresh_from_db()
        assert (grant.version, grant.status) == (1, "in_force")

    def test_who_may_and_nobody_else(
        self, cast: dict[str, Any], grant: Grant, scene: Scene, now: datetime
    ) -> None:
        won = set()
        for name, client in knocking(scene, cast, now):
            before = untouched()
            answer = send(client, PLACE, written(grant, now))
            if answer.status_code == 201:
                won.add(name)
                change = ServiceChange.objects.get(pk=answer.json()["id"])
                sharing.withdraw_change(
                    change=change, actor=scene.provider_head, at=now, reason="再议"
                )
                continue
            assert problem(answer, answer.status_code)["code"] == REFUSED[answer.status_code], name
            assert untouched() == before, name
        assert won == {"provider_head"}

    @pytest.mark.parametrize(
        ("wrong", "status", "code"),
        [
            ({"grant": None}, 400, "invalid_input"),
            ({"grant": 0}, 400, "invalid_input"),
            ({"grant": 1 << 63}, 400, "invalid_input"),
            ({"grant": (1 << 63) - 1}, 404, "not_found"),
            ({"kind": "widen"}, 400, "invalid_input"),
            ({"reason": " "}, 400, "invalid_input"),
            ({"items": ["name"]}, 400, "invalid_input"),
            ({"items": {}}, 400, "no_items"),
            ({"items": {"nothing": ""}}, 400, "wider_than_asked"),
            ({"items": None, "row_condition": "x"}, 400, "invalid_input"),
            ({"effective_on": "2020-01-01"}, 400, "too_early"),
            ({"effective_on": "9999-12-31"}, 400, "invalid_input"),
            ({"calls_a_day": 0}, 400, "invalid_input"),
            ({"allowed_addresses": ["x"]}, 400, "invalid_address"),
            ({"revision": 99}, 409, "stale_revision"),
        ],
    )
    def test_bad_input_changes_nothing(
        self,
        grant: Grant,
        scene: Scene,
        now: datetime,
        wrong: dict[str, Any],
        status: int,
        code: str,
    ) -> None:
        client = signed_in(scene.provider_head)
        before = untouched()
        answer = send(client, PLACE, written(grant, now, **wrong))
        assert problem(answer, status)["code"] == code
        assert untouched() == before

    def test_a_second_one_names_the_first(self, grant: Grant, scene: Scene, now: datetime) -> None:
        first = opened(grant, scene, now)
        client = signed_in(scene.provider_head)
        before = untouched()
        refused = problem(send(client, PLACE, written(grant, now)), 409)
        assert (refused["code"], refused["change"]) == ("service_change_open", first.pk)
        assert untouched() == before


class TestAnswering:
    @pytest.mark.parametrize(
        ("status", "move", "winners", "target"),
        [
            ("noticed", "agree_change", {"consumer_head"}, "agreed"),
            ("noticed", "object_change", {"consumer_head"}, "objected"),
            ("agreed", "file_change", {"authority", "authority_leader"}, "filed"),
            ("objected", "refuse_change", {"authority", "authority_leader"}, "refused"),
            ("filed", "withdraw_change", {"provider_head"}, "withdrawn"),
        ],
    )
    def test_who_may_and_nobody_else(
        self,
        cast: dict[str, Any],
        grant: Grant,
        scene: Scene,
        now: datetime,
        status: str,
        move: str,
        winners: set[str],
        target: str,
    ) -> None:
        change, won = opened(grant, scene, now, status), set()
        for name, client in knocking(scene, cast, now):
            before = untouched()
            answer = send(client, f"{PLACE}/{change.pk}/{move}", {"reason": "理由"})
            if answer.status_code == 200:
                won.add(name)
                assert answer.json()["status"] == target
                if target != "withdrawn" and target != "refused":
                    sharing.withdraw_change(
                        change=change, actor=scene.provider_head, at=now, reason="再议"
                    )
                change = opened(grant, scene, now, status)
                continue
            code = problem(answer, answer.status_code)["code"]
            assert code in (REFUSED[answer.status_code], "own_change"), name
            assert untouched() == before, name
        assert won == winners

    @pytest.mark.parametrize(
        ("status", "move", "who", "body", "code"),
        [
            ("noticed", "object_change", "consumer_head", {}, "invalid_input"),
            ("noticed", "agree_change", "consumer_head", {"revision": 9}, "stale_revision"),
            ("noticed", "file_change", "authority", {}, "illegal_move"),
            ("agreed", "agree_change", "consumer_head", {}, "illegal_move"),
            ("objected", "file_change", "authority", {}, "invalid_input"),
            ("agreed", "refuse_change", "authority", {"reason": " "}, "invalid_input"),
            ("agreed", "withdraw_change", "provider_head", {}, "invalid_input"),
            ("agreed", "file_change", "authority", {"revision": 1}, "stale_revision"),
            ("noticed", "carry_out_change", "authority", {}, "not_found"),
            ("noticed", "pass_over_change", "consumer_head", {}, "not_found"),
        ],
    )
    def test_bad_input_changes_nothing(
        self,
        grant: Grant,
        scene: Scene,
        now: datetime,
        status: str,
        move: str,
        who: str,
        body: dict[str, Any],
        code: str,
    ) -> None:
        change = opened(grant, scene, now, status)
        client = signed_in(getattr(scene, who))
        before = untouched()
        answer = send(client, f"{PLACE}/{change.pk}/{move}", body)
        assert problem(answer, answer.status_code)["code"] == code
        assert untouched() == before

    def test_each_said_is_read_by_the_others(
        self, grant: Grant, scene: Scene, now: datetime
    ) -> None:
        change = opened(grant, scene, now)
        send(
            signed_in(scene.consumer_head),
            f"{PLACE}/{change.pk}/object_change",
            {"reason": "资助审核到年底", "revision": change.revision},
        )
        send(signed_in(scene.authority), f"{PLACE}/{change.pk}/file_change", {"reason": "给足一月"})
        body = signed_in(scene.provider).get(f"{PLACE}/{change.pk}").json()
        assert (body["status"], body["answer"], body["decision"]) == (
            "filed", "资助审核到年底", "给足一月",
        )  # fmt: skip


@pytest.mark.usefixtures("server")
@pytest.mark.django_db(transaction=True)
def test_an_objection_and_a_consent_at_once_one_holds(now: datetime) -> None:
    scene = make_scene()
    change = opened(stories.grant_in("in_force", scene, now), scene, now)
    works: list[Callable[[], Any]] = [
        partial(
            send,
            signed_in(scene.consumer_head),
            f"{PLACE}/{change.pk}/{move}",
            {"reason": "x", "revision": 1},
        )
        for move in ("agree_change", "object_change")
    ]
    answers = at_once(works)
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    change.refresh_from_db()
    assert change.revision == 2


@pytest.mark.usefixtures("server")
@pytest.mark.django_db(transaction=True)
def test_of_two_changes_announced_at_once_one_is(now: datetime) -> None:
    scene = make_scene()
    grant = stories.grant_in("in_force", scene, now)
    results = at_once([partial(opened, grant, scene, now) for _number in range(2)])
    assert sum(isinstance(result, ServiceChange) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 1
    assert ServiceChange.objects.count() == 1
