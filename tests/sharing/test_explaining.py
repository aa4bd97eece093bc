"""能不能读: whoever may ask is told the rule, its version and date; of records no more than due."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts import operations as accounts
from apps.ledger.models import Event
from apps.sharing.models import Grant, QuotaUse
from apps.warehouse.models import DataTable
from tests import stories
from tests.factories.accounts import InformationSystemFactory, UserFactory
from tests.factories.catalog import PublishedDatasetFactory
from tests.factories.gateway import problem
from tests.factories.sharing import ROWS, Scene, make_scene
from tests.sharing.api_cast import REFUSED, knocking, untouched
from tests.sharing.test_planned_stops import running
from tests.sharing.test_views import signed_in

pytestmark = pytest.mark.django_db
PLACE = "/api/v1/explanations"
PAGE = "/work/explanations/"
ZHANG, ZHAO = ROWS[0][0], ROWS[3][0]  # inside and outside of district 500103
PLAIN = {"identity_number": "", "name": "", "division_code": ""}
DISTRICT = [{"item": "division_code", "operator": "eq", "value": "500103"}]
OUTSIDE = "读不到这条记录：不存在，或者不在授权的范围内"


def ask(who: Any, scene: Scene, **more: str) -> Any:
    """Ask the API about the scene's system and entry."""
    client = who if isinstance(who, Client) else signed_in(who)
    given = {"system": scene.system.code, "dataset": scene.dataset.code, **more}
    return client.get(PLACE, {name.replace("key_", "key."): text for name, text in given.items()})


def told(who: Any, scene: Scene, **more: str) -> dict[str, Any]:
    answer = ask(who, scene, **more)
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def last(who: Any, scene: Scene, **more: str) -> tuple[str, bool, str]:
    reason = told(who, scene, **more)["reasons"][-1]
    return reason["rule"], reason["ok"], reason["sentence"]


class TestReasons:
    def test_without_a_grant_nothing_is_read_and_hidden_requests_stay_hidden(
        self, scene: Scene, now: datetime
    ) -> None:
        draft = stories.request_in("draft", scene, now)
        body = told(scene.consumer, scene)
        assert (body["may_read"], body["may_verify"]) == (False, False)
        assert draft.number in body["reasons"][-1]["sentence"]
        assert draft.number not in told(scene.authority, scene)["reasons"][-1]["sentence"]
        problem(ask(scene.provider, scene), 404)  # it knows nothing of the system yet

    @pytest.mark.parametrize("status", ["delivering", "suspended", "ended", "expired"])
    def test_a_grant_that_is_not_in_force(self, scene: Scene, now: datetime, status: str) -> None:
        grant = stories.grant_in(status, scene, now)
        body = told(scene.provider, scene)
        reason = body["reasons"][-1]
        assert (reason["rule"], reason["ok"], reason["grant"]) == ("status", False, grant.pk)
        assert (reason["since"] is None) == (status == "delivering")

    def test_one_that_has_not_begun(self, scene: Scene, now: datetime) -> None:
        grant = stories.grant_in("in_force", scene, now)
        Grant.objects.filter(pk=grant.pk).update(starts_at=now + timedelta(days=1))
        assert last(scene.consumer, scene)[:2] == ("period", False)

    def test_verification_only(self, scene: Scene, now: datetime) -> None:
        stories.delivered(scene, now, mode="verify", items=PLAIN)
        body = told(scene.consumer, scene, row_id="1")
        assert (body["may_read"], body["may_verify"]) == (False, True)
        assert body["reasons"][-1]["rule"] == "mode"

    def test_items_by_version_and_date(self, scene: Scene, now: datetime) -> None:
        grant = stories.grant_in("in_force", scene, now, items={"name": "cover_name"})
        assert last(scene.consumer, scene, item="amount")[:2] == ("item", False)
        body = told(scene.consumer, scene, item="name")
        assert [reason["rule"] for reason in body["reasons"]][-2:] == ["item", "mask"]
        mask = body["reasons"][-1]
        assert (mask["ok"], mask["version"], body["may_read"]) == (True, grant.version, True)
        assert mask["name"] == "脱敏方式"
        assert mask["since"] is not None

    def test_the_days_quota(self, scene: Scene, now: datetime) -> None:
        grant = stories.grant_in("in_force", scene, now)
        Grant.objects.filter(pk=grant.pk).update(calls_a_day=5)
        QuotaUse.objects.create(grant=grant, day=timezone.localdate(), calls=5, rows=0, minute=now)
        assert last(scene.consumer, scene)[:2] == ("quota", False)

    def test_a_planned_stop(self, scene: Scene, now: datetime) -> None:
        stories.grant_in("in_force", scene, now)
        running(scene, now)
        assert last(scene.consumer, scene)[:2] == ("stop", False)

    def test_a_retired_system(self, scene: Scene, now: datetime) -> None:
        stories.grant_in("in_force", scene, now)
        accounts.retire(system=scene.system, actor=scene.consumer_head, at=now, reason="下线")
        assert last(scene.consumer, scene)[:2] == ("system", False)


class TestWho:
    def test_the_cast_asks_about_the_entry_and_a_record(
        self, cast: dict[str, Any], scene: Scene, now: datetime
    ) -> None:
        stories.grant_in("in_force", scene, now, items=PLAIN)
        both = {"provider", "provider_head", "consumer", "consumer_head", "authority"}
        both |= {"authority_leader", "auditor"}
        for name, client in knocking(scene, cast, now):
            before = untouched()
            of_entry, of_record = ask(client, scene), ask(client, scene, row_id="1")
            assert (of_entry.status_code == 200) == (name in both | {"system"}), name
            assert (of_record.status_code == 200) == (name in both), name
            for answer in (of_entry, of_record):
                if answer.status_code != 200:
                    assert REFUSED[answer.status_code] == answer.json()["code"], name
            if name not in both:
                assert untouched() == before, name

    def test_a_member_who_handles_nothing_asks_about_no_record(
        self, scene: Scene, now: datetime
    ) -> None:
        stories.grant_in("in_force", scene, now)
        for department in (scene.consumer_department, scene.provider_department):
            member = UserFactory(department=department, roles=[])
            told(member, scene)
            problem(ask(member, scene, row_id="1"), 403)
        assert not Event.objects.filter(verb="sharing.explain_record", outcome="done").exists()

    def test_a_provider_asks_about_its_own_entries_only(self, scene: Scene, now: datetime) -> None:
        stories.grant_in("in_force", scene, now)
        other = PublishedDatasetFactory()
        assert problem(ask(scene.provider, scene, dataset=other.code), 404)["code"] == "not_found"
        stranger = InformationSystemFactory()
        before = problem(ask(scene.provider, scene, system=stranger.code), 404)
        assert before == problem(ask(scene.provider, scene, system="S-999999"), 404)

    def test_what_is_misspelt_is_named(self, scene: Scene, now: datetime) -> None:
        stories.grant_in("in_force", scene, now, items=PLAIN)
        before = untouched()
        for given, status, code in (
            ({"colour": "red"}, 400, "unknown_filter"),
            ({"system": "S-999999"}, 404, "not_found"),
            ({"dataset": "999999/000001"}, 404, "not_found"),
            ({"item": "no_such_item"}, 400, "unknown_item"),
            ({"row_id": "x"}, 400, "invalid_value"),
            ({"row_id": "1", "key_identity_number": ZHANG}, 400, "invalid_value"),
            ({"key_name": "张小三"}, 400, "key_incomplete"),
        ):
            assert problem(ask(scene.consumer, scene, **given), status)["code"] == code
        assert {name: count for name, count in untouched().items() if count != before[name]} == {}


class TestRecords:
    @pytest.fixture
    def granted(self, landed_scene: Scene, now: datetime) -> Grant:
        request = stories.delivered(landed_scene, now, items=PLAIN, row_condition=DISTRICT)
        return request.grant

    def test_who_answers_for_the_data_learns_where_it_lies(
        self, landed_scene: Scene, granted: Grant
    ) -> None:
        auditor = UserFactory(department=landed_scene.authority.department, roles=["audit_admin"])
        for person in (landed_scene.provider, landed_scene.authority, auditor):
            rule, ok, words = last(person, landed_scene, key_identity_number=ZHANG)
            assert (rule, ok) == ("row", True)
            rule, ok, words = last(person, landed_scene, key_identity_number=ZHAO)
            assert (rule, ok) == ("row", False)
            assert "500103" in words
            assert "500112" not in words
            assert last(person, landed_scene, key_identity_number="无此人")[:2] == (
                "record",
                False,
            )

    def test_the_consumer_cannot_tell_what_is_absent_from_what_is_outside(
        self, landed_scene: Scene, granted: Grant
    ) -> None:
        inside = told(landed_scene.consumer, landed_scene, key_identity_number=ZHANG)
        assert inside["may_read"]
        answers = []
        for named in (
            {"key_identity_number": ZHAO},
            {"key_identity_number": "无此人"},
            {"row_id": "999999"},
        ):
            body = told(landed_scene.consumer, landed_scene, **named)
            assert body["reasons"][-1]["sentence"] == OUTSIDE
            answers.append({name: value for name, value in body.items() if name != "at"})
        assert answers[0] == answers[1] == answers[2]

    def test_an_overseer_is_told_of_his_own_departments_system_as_a_consumer(
        self, landed_scene: Scene, granted: Grant
    ) -> None:
        judge = UserFactory(
            department=landed_scene.consumer_department, roles=["authority_officer"]
        )
        assert last(judge, landed_scene, key_identity_number=ZHAO) == ("record", False, OUTSIDE)

    def test_the_consumer_names_by_no_key_that_it_is_not_shown(
        self, landed_scene: Scene, now: datetime
    ) -> None:
        masked = {**PLAIN, "identity_number": "cover_identity"}
        stories.delivered(landed_scene, now, items=masked, row_condition=DISTRICT)
        refused = problem(ask(landed_scene.consumer, landed_scene, key_identity_number=ZHANG), 400)
        assert refused["code"] == "key_not_readable"
        table = DataTable.objects.get(dataset=landed_scene.dataset)
        assert table.row_count == len(ROWS)
        assert told(landed_scene.consumer, landed_scene, row_id="1")["may_read"]

    def test_asking_is_written_down_without_the_key(
        self, landed_scene: Scene, granted: Grant
    ) -> None:
        told(landed_scene.consumer, landed_scene, key_identity_number=ZHANG)
        told(landed_scene.provider, landed_scene, row_id="2")
        by_key, by_id = Event.objects.filter(verb="sharing.explain_record").order_by("pk")
        assert (by_key.actor, by_id.actor) == (landed_scene.consumer, landed_scene.provider)
        assert set(by_key.details) == {"system", "grant", "key"}
        assert ZHANG not in str(by_key.details)
        assert by_id.details["row_id"] == 2
        assert by_key.subject_id == str(landed_scene.dataset.pk)


class TestPage:
    def test_it_is_empty_until_something_is_asked(self, scene: Scene) -> None:
        answer = signed_in(scene.consumer).get(PAGE)
        assert answer.status_code == 200
        assert "选择信息系统和数据目录" in answer.content.decode()
        assert scene.system.code in answer.content.decode()

    def test_without_a_grant_it_says_what_to_do(self, scene: Scene) -> None:
        address = {"system": scene.system.code, "dataset": scene.dataset.dashed_code}
        page = signed_in(scene.consumer).get(PAGE, address).content.decode()
        assert "没有提出申请" in page
        assert f"/work/requests/new/?dataset={scene.dataset.pk}" in page
        overseen = signed_in(scene.authority).get(PAGE, address).content.decode()
        assert "由使用部门为该系统提出共享申请" in overseen

    def test_a_name_will_do_and_several_are_offered(self, scene: Scene) -> None:
        twin = PublishedDatasetFactory(name=f"{scene.dataset.name}（二）")
        page = signed_in(scene.consumer).get(
            PAGE, {"system": scene.system.name, "dataset": scene.dataset.name[:-1]}
        )
        assert page.status_code == 200
        assert "是哪一项" in page.content.decode()
        assert twin.code in page.content.decode()

    def test_what_is_not_his_is_not_found(self, scene: Scene, now: datetime) -> None:
        stories.grant_in("in_force", scene, now)
        address = {"system": scene.system.code, "dataset": scene.dataset.code}
        stranger = make_scene().consumer
        answer = signed_in(stranger).get(PAGE, address)
        assert answer.status_code == 404
        assert scene.system.name not in answer.content.decode()

    def test_it_shows_the_rules_with_version_and_date(self, scene: Scene, now: datetime) -> None:
        grant = stories.grant_in("in_force", scene, now, items=PLAIN)
        address = {"system": scene.system.code, "dataset": scene.dataset.code, "item": "name"}
        page = signed_in(scene.provider).get(PAGE, address).content.decode()
        for words in ("授权数据项", "条件第 1 版", str(grant), 'name="key.identity_number"'):
            assert words in page
        member = UserFactory(department=scene.provider_department, roles=[])
        assert 'name="row_id"' not in signed_in(member).get(PAGE, address).content.decode()

    def test_a_key_is_posted_and_stands_in_no_address(
        self, landed_scene: Scene, landed_grant: Grant
    ) -> None:
        client = signed_in(landed_scene.provider)
        address = {"system": landed_scene.system.code, "dataset": landed_scene.dataset.code}
        answer = client.post(PAGE, {**address, "key.identity_number": ZHANG})
        assert answer.status_code == 200
        assert "数据表中有这条记录" in answer.content.decode()
        by_address = client.get(PAGE, {**address, "key.identity_number": ZHANG})
        assert "数据表中有这条记录" not in by_address.content.decode()
        assert Event.objects.filter(verb="sharing.explain_record").count() == 1
        kept = client.post(PAGE, {**address, "row_id": "1", "key.identity_number": " "})
        assert kept.status_code == 302
        assert kept["Location"].startswith(f"{PAGE}?system={landed_scene.system.code}&")
        assert kept["Location"].endswith("&row_id=1")

    def test_outsiders_of_the_work_do_not_come_in(self, cast: dict[str, Any]) -> None:
        assert signed_in(cast["citizen"]).get(PAGE).status_code in (302, 403, 404)
        assert signed_in(cast["unassigned"]).get(PAGE).status_code == 403
        assert Client().get(PAGE).status_code == 302

    def test_what_was_chosen_for_another_entry_is_dropped_with_it(
        self, scene: Scene, now: datetime
    ) -> None:
        stories.grant_in("in_force", scene, now, items=PLAIN)
        address = {"system": scene.system.code, "dataset": scene.dataset.code, "item": "elsewhere"}
        client = signed_in(scene.consumer)
        assert client.get(PAGE, address).status_code == 400
        assert client.get(PAGE, {**address, "of": "999999/000001"}).status_code == 200
