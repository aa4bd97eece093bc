"""The pages and the API of use and need: recertification, thrift report, the grant's card."""

import csv
import io
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.sharing import operations as sharing
from apps.sharing.models import ColumnUse, DailyUse, Grant, IdleNotice, MeteredDay, Recertification
from tests import stories
from tests.factories.accounts import InformationSystemFactory
from tests.factories.gateway import caller, credential_of, draw_token, problem
from tests.factories.sharing import Scene, make_scene
from tests.sharing.test_views_forms import signed_in

ONE_DAY = timedelta(days=1)
RECERTIFY = "/work/grants/recertify/"
THRIFT = "/work/grants/thrift/"


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def grant(scene: Scene, now: datetime) -> Grant:
    """A grant in force for 400 days, of which only the name was ever read."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE ledger_accessrecord, ledger_accessclose")
    return used_grant(scene, now)


def used_grant(scene: Scene, now: datetime) -> Grant:
    at = now - timedelta(days=400)
    grant: Grant = stories.delivered(
        scene, at, ends_on=timezone.localdate(now) + timedelta(days=300), calls_a_day=1000
    ).grant
    day = timezone.localdate(now) - ONE_DAY
    DailyUse.objects.create(grant=grant, day=day, calls=20, rows=60, bytes=1)
    ColumnUse.objects.create(grant=grant, column="name", last_on=day)
    return grant


def another(scene: Scene) -> Scene:
    system = InformationSystemFactory(department=scene.consumer_department)
    return Scene(**{**scene.__dict__, "system": system})


@pytest.fixture
def review(grant: Grant, scene: Scene, now: datetime) -> Recertification:
    sharing.recertify_due(now)
    return sharing.state_need(
        recertification=Recertification.objects.get(),
        actor=scene.consumer,
        at=now,
        reason="每学期核对",
    )


class TestRecertifying:
    def test_the_head_sees_use_beside_the_right_and_decides_one(
        self, review: Recertification, grant: Grant, scene: Scene
    ) -> None:
        client = signed_in(scene.provider_head)
        page = client.get(RECERTIFY)
        [line] = page.context["lines"]
        assert (line.is_mine, line.quota) == (True, "调用 2.0%")
        assert "去掉" in line.proposal[0]
        text = page.content.decode()
        assert "每学期核对" in text
        assert "按建议收窄" in text
        asked = client.get(f"{RECERTIFY}?narrow={review.pk}").content.decode()
        assert 'id="narrow-reason"' in asked
        assert "放宽须重新申请" in asked
        assert 'id="narrow-reason"' not in client.get(f"{RECERTIFY}?narrow=999").content.decode()
        answer = client.post(
            RECERTIFY, {"one": f"{review.pk}:narrow", f"revision-{review.pk}": "2"}
        )
        assert answer.status_code == 302
        grant.refresh_from_db()
        assert [column["name"] for column in grant.columns] == ["name"]
        assert client.get(RECERTIFY).context["lines"] == []
        [decided] = client.get(f"{RECERTIFY}?scope=decided").context["lines"]
        assert (decided.quota, len(decided.never_read)) == ("调用 2.0%", len(line.never_read))

    def test_several_are_decided_and_what_failed_is_said(
        self, review: Recertification, scene: Scene, now: datetime
    ) -> None:
        used_grant(another(scene), now)
        sharing.recertify_due(now)
        waiting = Recertification.objects.exclude(pk=review.pk).get()
        client = signed_in(scene.provider_head)
        answer = client.post(
            RECERTIFY,
            {"rows": [review.pk, waiting.pk], "outcome": "continue", "reason": ""},
            follow=True,
        )
        said = [str(message) for message in answer.context["messages"]]
        assert said[0] == "已复核 1 项"
        assert said[1].startswith(f"{waiting.grant}：当前状态为")
        review.refresh_from_db()
        waiting.refresh_from_db()
        assert (review.status, waiting.status) == ("decided", "awaiting_need")

    def test_what_is_suspended_is_not_offered_to_be_narrowed(
        self, review: Recertification, grant: Grant, scene: Scene, now: datetime
    ) -> None:
        sharing.suspend(grant=grant, actor=scene.provider_head, at=now, reason="超范围使用")
        [line] = signed_in(scene.provider_head).get(RECERTIFY).context["lines"]
        assert not line.proposal

    def test_others_look_and_decide_nothing(self, review: Recertification, scene: Scene) -> None:
        for person in (scene.provider, scene.consumer_head, scene.authority):
            client = signed_in(person)
            assert client.get(RECERTIFY).context["lines"] == []
            [line] = client.get(f"{RECERTIFY}?scope=open").context["lines"]
            assert not line.is_mine
            client.post(RECERTIFY, {"one": f"{review.pk}:continue"})
        stranger = signed_in(make_scene().provider_head)
        assert stranger.get(f"{RECERTIFY}?scope=open").context["lines"] == []
        stranger.post(RECERTIFY, {"one": f"{review.pk}:continue"})
        review.refresh_from_db()
        assert review.status == "awaiting_decision"

    def test_nonsense_is_answered_with_words(self, review: Recertification, scene: Scene) -> None:
        client = signed_in(scene.provider_head)
        for sent in ({}, {"one": "x:y"}, {"rows": ["9" * 40]}, {"one": f"{review.pk}:keep"}):
            assert client.post(RECERTIFY, sent).status_code == 302
        review.refresh_from_db()
        assert review.status == "awaiting_decision"


class TestNeed:
    def test_the_consumer_answers_the_yearly_look(
        self, grant: Grant, scene: Scene, now: datetime
    ) -> None:
        sharing.recertify_due(now)
        place = f"/work/grants/{grant.pk}/need/"
        assert signed_in(scene.provider).get(place).status_code == 403
        client = signed_in(scene.consumer)
        assert "说明继续使用的理由" in client.get(f"/work/grants/{grant.pk}/").content.decode()
        assert client.post(place, {"reason": "", "revision": "1"}).status_code == 200
        assert client.post(place, {"reason": "每学期核对", "revision": "1"}).status_code == 302
        assert Recertification.objects.get().need == "每学期核对"
        assert client.get(place).status_code == 302

    def test_the_consumer_asks_back_what_was_cut_off(
        self, grant: Grant, scene: Scene, now: datetime
    ) -> None:
        DailyUse.objects.all().delete()
        MeteredDay.objects.create(day=timezone.localdate(now), counted_at=now)
        sharing.watch_idle(now)
        later = now + timedelta(days=40)
        MeteredDay.objects.create(day=timezone.localdate(later), counted_at=later)
        sharing.watch_idle(later)
        grant.refresh_from_db()
        assert grant.status == "suspended"
        place = f"/work/grants/{grant.pk}/need/"
        client = signed_in(scene.consumer)
        revision = IdleNotice.objects.get().revision
        assert client.post(place, {"reason": "年底使用", "revision": "1"}).status_code == 200
        sent = {"reason": "年底使用", "revision": str(revision)}
        assert client.post(place, sent).status_code == 302
        card = signed_in(scene.provider_head).get(f"/work/grants/{grant.pk}/").content.decode()
        assert "年底使用" in card


class TestThrift:
    def test_it_lists_filters_and_downloads(self, grant: Grant, scene: Scene) -> None:
        for person in (scene.provider, scene.consumer, scene.authority):
            client = signed_in(person)
            [line] = client.get(THRIFT).context["lines"]
            assert set(line[0].findings) == {"columns", "quota"}
            for query, count in (
                ("?kind=quota", 1),
                ("?kind=verify", 0),
                (f"?q={grant}", 1),
                ("?q=没有", 0),
                (f"?department={grant.consumer_id}", 1),
                ("?department=0", 0),
            ):
                assert len(client.get(THRIFT + query).context["lines"]) == count
            answer = client.get(f"{THRIFT}?format=csv")
            text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
            heading, row = list(csv.reader(io.StringIO(text[1:])))
            assert len(heading) == len(row)
            assert row[0] == str(grant)
        stranger = signed_in(make_scene().provider)
        assert stranger.get(THRIFT).context["lines"] == []

    def test_the_page_takes_the_same_queries_however_much_is_wasted(
        self, grant: Grant, scene: Scene, now: datetime
    ) -> None:
        client = signed_in(scene.provider_head)
        client.get(THRIFT)
        with CaptureQueriesContext(connection) as few:
            client.get(THRIFT)
        for _ in range(2):
            used_grant(another(scene), now)
        with CaptureQueriesContext(connection) as many:
            assert len(client.get(THRIFT).context["lines"]) == 3
        assert len(few) == len(many)

    def test_one_click_opens_the_narrowing_with_the_proposal(
        self, grant: Grant, scene: Scene
    ) -> None:
        page = signed_in(scene.provider_head).get(f"/work/grants/{grant.pk}/narrow/?proposal=1")
        ticked = [row["name"] for row in page.context["item_rows"] if row["ticked"]]
        assert ticked == ["name"]
        assert page.context["form"].initial["calls_a_day"] == 100
        assert page.context["form"].initial["reason"]
        usual = signed_in(scene.provider_head).get(f"/work/grants/{grant.pk}/narrow/")
        assert all(row["ticked"] for row in usual.context["item_rows"])

    def test_several_are_narrowed_after_one_confirmation(
        self, grant: Grant, scene: Scene, now: datetime
    ) -> None:
        other = used_grant(another(scene), now)
        client = signed_in(scene.provider_head)
        chosen = {"grants": [grant.pk, other.pk]}
        page = client.post(f"{THRIFT}narrow/", chosen)
        assert len(page.context["lines"]) == 2
        grant.refresh_from_db()
        assert grant.version == 1
        missing = client.post(f"{THRIFT}narrow/", {**chosen, "confirm": "1", "reason": ""})
        assert missing.status_code == 200
        done = client.post(
            f"{THRIFT}narrow/", {**chosen, "confirm": "1", "reason": "按使用收窄"}, follow=True
        )
        assert [str(message) for message in done.context["messages"]] == ["已收窄 2 项授权"]
        versions = Grant.objects.order_by("pk").values_list("version", flat=True)
        assert list(versions) == [2, 2]

    def test_who_may_not_narrow_is_offered_nothing(self, grant: Grant, scene: Scene) -> None:
        client = signed_in(scene.consumer_head)
        assert client.get(THRIFT).context["can_narrow"] is False
        sent = {"grants": [grant.pk], "confirm": "1", "reason": "收窄"}
        assert client.post(f"{THRIFT}narrow/", sent).status_code == 302
        assert client.get(f"{THRIFT}narrow/").status_code == 302
        grant.refresh_from_db()
        assert grant.version == 1


class TestApi:
    def test_a_system_reads_the_usage_of_its_department(
        self, grant: Grant, scene: Scene, now: datetime
    ) -> None:
        client = caller(draw_token(credential_of(scene.system, scene.consumer_head, now)))
        month = f"{timezone.localdate(now) - ONE_DAY:%Y-%m}"
        answer = client.get("/api/v1/usage", {"month": month})
        assert answer.status_code == 200, answer.content
        body = answer.json()
        assert body["total"] == {"calls": 20, "rows": 60, "bytes": 1}
        assert body["lines"][0]["grant"] == grant.pk
        for by in ("system", "department", "day"):
            body = client.get("/api/v1/usage", {"month": month, "by": by}).json()
            assert body["lines"][0]["calls"] == 20
        assert (
            client.get("/api/v1/usage", {"month": month, "side": "received"}).json()["lines"] == []
        )
        one = client.get("/api/v1/usage", {"month": month, "grant": str(grant.pk)})
        assert one.json()["total"]["calls"] == 20

    @pytest.mark.parametrize(
        ("query", "status", "code"),
        [
            ({"months": "2026-11"}, 400, "unknown_filter"),
            ({"by": "x"}, 400, "unknown_filter"),
            ({"side": "x"}, 400, "unknown_filter"),
            ({"month": "2026-13"}, 400, "invalid_month"),
            ({"month": "2999-01"}, 400, "invalid_month"),
            ({"grant": "x"}, 404, "not_found"),
            ({"grant": "9" * 30}, 404, "not_found"),
        ],
    )
    def test_a_wrong_question_is_refused(
        self, scene: Scene, query: dict[str, str], status: int, code: str
    ) -> None:
        answer = signed_in(scene.consumer).get("/api/v1/usage", query)
        assert problem(answer, status)["code"] == code

    def test_another_department_sees_nothing(self, grant: Grant) -> None:
        stranger = signed_in(make_scene().consumer)
        assert stranger.get("/api/v1/usage").json()["lines"] == []
        answer = stranger.get("/api/v1/usage", {"grant": str(grant.pk)})
        assert problem(answer, 404)["code"] == "not_found"

    def test_recertifications_are_read_answered_and_decided(
        self, grant: Grant, scene: Scene, now: datetime
    ) -> None:
        sharing.recertify_due(now)
        place = f"/api/v1/grants/{grant.pk}/recertifications"
        consumer, head = signed_in(scene.consumer), signed_in(scene.provider_head)
        [row] = consumer.get(place).json()["results"]
        assert (row["status"], row["figures"]["calls"]) == ("awaiting_need", 20)
        mine = f"{place}/{row['id']}"
        early = head.post(f"{mine}/decide", {"outcome": "continue"}, "application/json")
        assert problem(early, 409)["code"] == "illegal_move"
        need = {"reason": "每学期核对", "revision": row["revision"]}
        refused = head.post(f"{mine}/state_need", need, "application/json")
        assert problem(refused, 403)["code"] == "not_allowed"
        stated = consumer.post(f"{mine}/state_need", need, "application/json")
        assert stated.json()["status"] == "awaiting_decision"
        stale = {"outcome": "end", "reason": "不用了", "revision": 1}
        answer = head.post(f"{mine}/decide", stale, "application/json")
        assert problem(answer, 409)["code"] == "stale_revision"
        decided = head.post(f"{mine}/decide", {"outcome": "narrow"}, "application/json")
        assert decided.json()["outcome"] == "narrow"
        again = head.post(f"{mine}/decide", {"outcome": "continue"}, "application/json")
        assert problem(again, 409)["code"] == "illegal_move"

    def test_others_find_no_recertifications(
        self, review: Recertification, grant: Grant, scene: Scene
    ) -> None:
        stranger = signed_in(make_scene().provider_head)
        place = f"/api/v1/grants/{grant.pk}/recertifications"
        assert problem(stranger.get(place), 404)["code"] == "not_found"
        sent: tuple[dict[str, Any], str] = ({"outcome": "end", "reason": "x"}, "application/json")
        answer = stranger.post(f"{place}/{review.pk}/decide", *sent)
        assert problem(answer, 404)["code"] == "not_found"
        review.refresh_from_db()
        assert review.status == "awaiting_decision"
