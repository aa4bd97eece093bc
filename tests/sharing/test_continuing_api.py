"""What goes on about a grant by the API: certificates of disposal, and the words on its use."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client

from apps.core.errors import Conflict
from apps.ledger.models import Event
from apps.sharing import operations as sharing
from apps.sharing.models import Disposal, Grant, UsageReport
from tests import stories
from tests.factories.accounts import InformationSystemFactory
from tests.factories.gateway import problem
from tests.factories.sharing import Scene, make_scene
from tests.sharing.api_cast import REFUSED, knocking, send, untouched
from tests.sharing.test_concurrency import at_once
from tests.sharing.test_usage_reports import WRITTEN as USED
from tests.sharing.test_views import signed_in

pytestmark = pytest.mark.django_db
DISPOSALS = "/api/v1/disposals"
REPORTS = "/api/v1/usage-reports"
PAPER = {"name": "C:\\扫描\\销毁记录.pdf", "content": base64.b64encode(b"%PDF-1.7 x").decode()}


@pytest.fixture
def ended(scene: Scene, now: datetime) -> Grant:
    return stories.grant_in("ended", scene, now)


@pytest.fixture
def owed(ended: Grant) -> Disposal:
    return Disposal.objects.get(grant=ended)


def certificate(now: datetime, **more: Any) -> dict[str, Any]:
    return {
        "outcome": "destroyed",
        "held": "资助系统库表 t_check",
        "method": "删除库表，覆写备份介质",
        "disposed_by": "李晓燕，资助管理中心",
        "disposed_on": now.astimezone().date().isoformat(),
        **more,
    }


def file(disposal: Disposal, scene: Scene, now: datetime, **more: Any) -> Any:
    place = f"{DISPOSALS}/{disposal.pk}/file_disposal"
    return send(signed_in(scene.consumer), place, certificate(now, **more))


class TestDisposing:
    def test_it_is_filed_with_its_paper_checked_and_confirmed(
        self, owed: Disposal, scene: Scene, now: datetime
    ) -> None:
        filed = file(owed, scene, now, paper=PAPER, revision=1).json()
        assert (filed["status"], filed["has_paper"], filed["revision"]) == ("filed", True, 2)
        provider = signed_in(scene.provider)
        read = provider.get(f"{DISPOSALS}/{owed.pk}").json()
        assert read["obtained"] == {
            "calls": 0, "rows": 0, "last_at": None, "files": 0, "has_landed_copy": False,
        }  # fmt: skip
        assert (read["number"], read["filed_by"]) == (str(owed), scene.consumer.name)
        fetched = provider.get(f"{DISPOSALS}/{owed.pk}/paper")
        assert b"".join(fetched.streaming_content) == b"%PDF-1.7 x"  # type: ignore[attr-defined]
        assert "attachment" in fetched["Content-Disposition"]
        assert ".pdf" in fetched["Content-Disposition"]
        back = send(
            provider, f"{DISPOSALS}/{owed.pk}/return_disposal", {"reason": "备份没有写明"}
        ).json()
        assert (back["status"], back["remark"]) == ("returned", "备份没有写明")
        again = file(owed, scene, now, method="删除库表，粉碎备份磁带").json()
        assert (again["status"], again["sha256"]) == ("filed", filed["sha256"])  # it stays
        yes = send(provider, f"{DISPOSALS}/{owed.pk}/confirm_disposal", {"revision": 4}).json()
        assert (yes["status"], yes["checked_by"]) == ("confirmed", scene.provider.name)
        done = Event.objects.filter(verb__endswith="_disposal", outcome="done")
        assert list(done.order_by("pk").values_list("verb", flat=True))[-4:] == [
            "sharing.file_disposal", "sharing.return_disposal",
            "sharing.file_disposal", "sharing.confirm_disposal",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("move", "winners"),
        [
            ("file_disposal", {"consumer", "consumer_head"}),
            ("confirm_disposal", {"provider", "provider_head"}),
            ("return_disposal", {"provider", "provider_head"}),
        ],
    )
    def test_who_may_and_nobody_else(
        self, cast: dict[str, Any], scene: Scene, now: datetime, move: str, winners: set[str]
    ) -> None:
        def wanting() -> Disposal:
            """One that waits for the move, of a system of its own."""
            system = InformationSystemFactory(department=scene.consumer_department)
            grant = stories.delivered(replace(scene, system=system), now).grant
            sharing.end(grant=grant, actor=scene.provider_head, at=now, reason="不再需要")
            disposal = Disposal.objects.get(grant=grant)
            if move != "file_disposal":
                sharing.file_disposal(
                    disposal=disposal, outcome="nothing", actor=scene.consumer, at=now
                )
            return disposal

        body = {"outcome": "nothing"} if move == "file_disposal" else {"reason": "x"}
        disposal, won = wanting(), set()
        for name, client in knocking(scene, cast, now):
            before = untouched()
            answer = send(client, f"{DISPOSALS}/{disposal.pk}/{move}", body)
            if answer.status_code == 200:
                won.add(name)
                disposal = wanting()
                continue
            assert problem(answer, answer.status_code)["code"] == REFUSED[answer.status_code], name
            assert untouched() == before, name
        assert won == winners

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"outcome": "burnt"}, "invalid_input"),
            ({"outcome": None}, "invalid_input"),
            ({"held": " "}, "invalid_input"),
            ({"method": ""}, "invalid_input"),
            ({"outcome": "kept"}, "invalid_input"),
            ({"disposed_by": "长" * 61}, "invalid_input"),
            ({"disposed_on": "昨天"}, "invalid_input"),
            ({"disposed_on": "2999-01-01"}, "invalid_input"),
            ({"paper": "x"}, "invalid_input"),
            ({"paper": {"name": "a.pdf", "content": "不是"}}, "invalid_input"),
            ({"paper": {**PAPER, "name": "virus.exe"}}, "unknown_type"),
            ({"paper": {**PAPER, "name": "dir/"}}, "unknown_type"),
            ({"revision": 0}, "invalid_input"),
        ],
    )
    def test_bad_input_changes_nothing(
        self, owed: Disposal, scene: Scene, now: datetime, wrong: dict[str, Any], code: str
    ) -> None:
        before = untouched()
        assert problem(file(owed, scene, now, **wrong), 400)["code"] == code
        assert untouched() == before

    @pytest.mark.parametrize(
        ("move", "body", "status", "code"),
        [
            ("confirm_disposal", {}, 409, "illegal_move"),
            ("return_disposal", {"reason": "x"}, 409, "illegal_move"),
            ("return_disposal", {}, 400, "invalid_input"),
            ("void_disposal", {}, 404, "not_found"),
        ],
    )
    def test_nothing_is_checked_before_it_was_filed(
        self, owed: Disposal, scene: Scene, move: str, body: Any, status: int, code: str
    ) -> None:
        client = signed_in(scene.provider)
        before = untouched()
        answer = send(client, f"{DISPOSALS}/{owed.pk}/{move}", body)
        assert problem(answer, status)["code"] == code
        assert untouched() == before

    def test_a_stale_revision_is_refused(self, owed: Disposal, scene: Scene, now: datetime) -> None:
        before = untouched()
        assert problem(file(owed, scene, now, revision=9), 409)["code"] == "stale_revision"
        assert untouched() == before

    def test_each_side_lists_its_own_and_no_paper_is_not_found(
        self, owed: Disposal, ended: Grant, scene: Scene, now: datetime
    ) -> None:
        for person in (scene.consumer, scene.provider, scene.authority):
            [row] = signed_in(person).get(DISPOSALS).json()["results"]
            assert (row["id"], row["grant"], row["status"]) == (owed.pk, ended.pk, "owed")
            assert row["due_on"] is not None
            assert "obtained" not in row
        client = signed_in(scene.consumer)
        assert client.get(f"{DISPOSALS}?grant={ended.pk}&status=owed").json()["results"] == [row]
        assert client.get(DISPOSALS, {"status": "filed"}).json()["results"] == []
        assert client.get(DISPOSALS, {"grant": ended.pk + 1}).json()["results"] == []
        assert problem(client.get(f"{DISPOSALS}/{owed.pk}/paper"), 404)["code"] == "not_found"
        file(owed, scene, now, paper=PAPER)
        paper = signed_in(scene.consumer).get(f"{DISPOSALS}/{owed.pk}/paper")
        assert b"".join(paper.streaming_content) == b"%PDF-1.7 x"  # type: ignore[attr-defined]
        stranger = signed_in(make_scene().provider_head)
        assert stranger.get(DISPOSALS).json()["results"] == []
        for more in ("", "/paper"):
            assert stranger.get(f"{DISPOSALS}/{owed.pk}{more}").status_code == 404


@pytest.mark.parametrize("place", [DISPOSALS, REPORTS, "/api/v1/service-changes"])
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"status": "burnt"}, "unknown_status"),
        ({"grant": "x"}, "invalid_filter"),
        ({"grant": "-1"}, "invalid_filter"),
        ({"grant": "9" * 19}, "invalid_filter"),
        ({"colour": "red"}, "unknown_filter"),
        ({"limit": "0"}, "invalid_limit"),
        ({"cursor": "AAAA"}, "cursor_invalid"),
    ],
)
def test_a_wrong_filter_is_told(place: str, query: dict[str, str], code: str, scene: Scene) -> None:
    assert problem(signed_in(scene.consumer).get(place, query), 400)["code"] == code
    assert problem(Client().get(place, query), 401)["code"] == "not_authenticated"


@pytest.mark.usefixtures("server")
@pytest.mark.django_db(transaction=True)
def test_of_two_who_check_at_once_by_what_they_saw_one_does(now: datetime) -> None:
    scene = make_scene()
    owed = Disposal.objects.get(grant=stories.grant_in("ended", scene, now))
    filed = sharing.file_disposal(disposal=owed, outcome="nothing", actor=scene.consumer, at=now)
    place = f"{DISPOSALS}/{filed.pk}"
    works: list[Callable[[], Any]] = [
        partial(send, signed_in(person), f"{place}/{move}", {"reason": "x", "revision": 2})
        for person, move in (
            (scene.provider, "confirm_disposal"),
            (scene.provider_head, "return_disposal"),
        )
    ]
    answers = at_once(works)
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    filed.refresh_from_db()
    assert filed.revision == 3


@pytest.fixture
def report(scene: Scene, now: datetime) -> UsageReport:
    """The report of the half-year before, asked for now of a grant that has stood since."""
    return asked(scene, now)


def asked(scene: Scene, now: datetime) -> UsageReport:
    """A report of a system of its own."""
    system = InformationSystemFactory(department=scene.consumer_department)
    grant = stories.delivered(replace(scene, system=system), now).grant
    Grant.objects.filter(pk=grant.pk).update(provisioned_at=now - timedelta(days=200))
    assert sharing.ask_usage_reports(now) == 1
    return UsageReport.objects.get(grant=grant)


class TestReporting:
    def test_it_is_asked_for_read_and_filed(self, report: UsageReport, scene: Scene) -> None:
        client = signed_in(scene.consumer)
        [row] = client.get(REPORTS, {"status": "open"}).json()["results"]
        assert (row["id"], row["filed_at"], row["figures"]) == (report.pk, None, {})
        filed = send(client, f"{REPORTS}/{report.pk}/file", USED).json()
        assert (filed["filed_by"], filed["scenario"]) == (scene.consumer.name, USED["scenario"])
        assert filed["figures"] == {"calls": 0, "rows": 0}
        assert signed_in(scene.provider).get(f"{REPORTS}/{report.pk}").json() == filed
        assert client.get(REPORTS, {"status": "open"}).json()["results"] == []
        [row] = client.get(REPORTS, {"status": "filed"}).json()["results"]
        assert row == filed
        before = untouched()
        again = send(client, f"{REPORTS}/{report.pk}/file", USED)
        assert problem(again, 409)["code"] == "illegal_move"
        assert untouched() == before

    def test_a_late_one_is_found(self, report: UsageReport, scene: Scene) -> None:
        client = signed_in(scene.consumer)
        assert client.get(REPORTS, {"status": "late"}).json()["results"] == []
        days = {"first_day": date(2020, 1, 1), "last_day": date(2020, 6, 30)}
        UsageReport.objects.filter(pk=report.pk).update(due_on=date(2020, 7, 15), **days)
        [row] = client.get(f"{REPORTS}?status=late&grant={report.grant_id}").json()["results"]
        assert row["id"] == report.pk

    def test_who_may_and_nobody_else(
        self, cast: dict[str, Any], report: UsageReport, scene: Scene, now: datetime
    ) -> None:
        won = set()
        for name, client in knocking(scene, cast, now):
            before = untouched()
            answer = send(client, f"{REPORTS}/{report.pk}/file", USED)
            if answer.status_code == 200:
                won.add(name)
                report = asked(scene, now)
                continue
            assert problem(answer, answer.status_code)["code"] == REFUSED[answer.status_code], name
            assert untouched() == before, name
        assert won == {"consumer", "consumer_head"}

    @pytest.mark.parametrize(
        "wrong", [{"scenario": " "}, {"effect": None}, {"storage": ""}, {"effect": "坏\x00"}]
    )
    def test_half_a_report_changes_nothing(
        self, report: UsageReport, scene: Scene, wrong: dict[str, Any]
    ) -> None:
        client = signed_in(scene.consumer)
        before = untouched()
        answer = send(client, f"{REPORTS}/{report.pk}/file", {**USED, **wrong})
        assert problem(answer, 400)["code"] == "invalid_input"
        assert untouched() == before

    def test_of_a_grant_that_is_over_the_disposal_is_told(
        self, report: UsageReport, scene: Scene, now: datetime
    ) -> None:
        sharing.end(grant=report.grant, actor=scene.provider_head, at=now, reason="不再需要")
        client = signed_in(scene.consumer)
        before = untouched()
        refused = problem(send(client, f"{REPORTS}/{report.pk}/file", USED), 400)
        assert (refused["code"], refused["field"]) == ("invalid_input", "disposal")
        assert untouched() == before
        told = {**USED, "disposal": "已销毁"}
        assert send(client, f"{REPORTS}/{report.pk}/file", told).json()["disposal"] == "已销毁"


@pytest.mark.usefixtures("server")
@pytest.mark.django_db(transaction=True)
def test_of_two_who_report_at_once_one_does(now: datetime) -> None:
    scene = make_scene()
    report = asked(scene, now)
    works: list[Callable[[], Any]] = [
        partial(
            sharing.file_usage_report,
            report=UsageReport.objects.get(),
            actor=person,
            at=now,
            **USED,
        )
        for person in (scene.consumer, scene.consumer_head)
    ]
    results = at_once(works)
    assert sum(isinstance(result, UsageReport) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 1
    report.refresh_from_db()
    assert report.filed_at == now
