"""A grant in force is narrowed: the same grant, a new version, from the system's next read."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.core.errors import IllegalMove, InvalidInput, NotAllowed, StaleRevision
from apps.ledger.models import Event, Notice
from apps.sharing import operations as sharing
from apps.sharing import provisioning, reconciliation
from apps.sharing.models import Grant, QuotaUse
from tests import stories
from tests.factories.gateway import access_records, problem, streamed
from tests.factories.sharing import Scene
from tests.sharing.conftest import Read
from tests.sharing.fingerprint import fingerprint
from tests.sharing.test_views_forms import signed_in

FEWER = ["name", "division_code"]
AND_MORE = [{"item": "name", "operator": "prefix", "value": "张"}]
Narrow = Callable[..., Grant]

pytestmark = pytest.mark.usefixtures("no_earlier_records")


@pytest.fixture
def narrow(landed_grant: Grant, landed_scene: Scene, now: datetime) -> Narrow:
    def narrowed(**terms: Any) -> Grant:
        return sharing.narrow(
            grant=landed_grant,
            actor=landed_scene.provider_head,
            at=now,
            **{"reason": "超出需要", **terms},
        )

    return narrowed


class TestNextRead:
    def test_fewer_items_and_rows_are_read(
        self, client: Client, address: str, narrow: Narrow, read: Read, landed_grant: Grant
    ) -> None:
        assert client.get(address).json()["count"] == 3
        narrow(items=FEWER, row_condition=AND_MORE)
        page = client.get(address).json()
        assert page["data"] == [{"_id": 1, "name": "张小三", "division_code": "500103"}]
        assert page["grant"]["version"] == 2
        view = f"share.g_{landed_grant.pk}"
        assert read(landed_grant, f"SELECT * FROM {view}") == [(1, 1, "张小三", "500103")]
        assert [record["grant_version"] for record in access_records()] == [1, 2]

    def test_stronger_masks_are_read(self, client: Client, address: str, narrow: Narrow) -> None:
        narrow(items={"name": "cover_name", "division_code": ""})
        assert client.get(address).json()["data"][0]["name"] == "张*三"

    def test_limits_act_without_new_roles(
        self, client: Client, address: str, narrow: Narrow, landed_grant: Grant
    ) -> None:
        before = provisioning.state(provisioning.place_of(landed_grant))
        narrow(calls_a_day=1, allowed_addresses=["127.0.0.0/8"])
        assert provisioning.state(provisioning.place_of(landed_grant)) == before
        assert client.get(address).status_code == 200
        assert problem(client.get(address), 429)["code"] == "daily_calls_exceeded"
        refused = client.get(address, REMOTE_ADDR="10.0.0.1")
        assert problem(refused, 403)["code"] == "address_not_allowed"

    def test_a_quota_below_what_was_used_is_used_up(
        self, client: Client, address: str, narrow: Narrow, landed_grant: Grant
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(calls_a_day=5)
        landed_grant.refresh_from_db()
        assert [client.get(address).status_code for _ in range(3)] == [200] * 3
        narrow(calls_a_day=2)
        assert problem(client.get(address), 429)["code"] == "daily_calls_exceeded"
        assert QuotaUse.objects.get().calls == 3

    def test_rows_below_what_was_used_are_used_up_for_exports_too(
        self, client: Client, address: str, narrow: Narrow, landed_grant: Grant
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(rows_a_day=5)
        landed_grant.refresh_from_db()
        assert client.get(address).json()["count"] == 3
        narrow(rows_a_day=1)
        assert problem(client.get(f"{address}/export.csv"), 429)["code"] == "daily_rows_exceeded"
        assert QuotaUse.objects.get().rows == 3

    def test_a_mask_stays_or_hides_all(self, narrow: Narrow, landed_grant: Grant) -> None:
        narrow(items={"name": "cover_name", "division_code": ""})
        landed_grant.refresh_from_db()
        with pytest.raises(InvalidInput) as refusal:
            narrow(items={"name": "keep_ends", "division_code": ""})
        assert (refusal.value.code, "姓名" in str(refusal.value)) == ("wider_than_asked", True)
        landed_grant.refresh_from_db()
        assert (landed_grant.version, landed_grant.columns[0]["mask"]) == (2, "cover_name")
        assert narrow(items={"name": "hide", "division_code": ""}).version == 3

    def test_an_earlier_end_stands_in_the_policy(
        self, narrow: Narrow, landed_grant: Grant, now: datetime
    ) -> None:
        day = timezone.localdate(now) + timedelta(days=3)
        narrowed = narrow(ends_on=day)
        assert timezone.localtime(narrowed.expires_at).date() == day + timedelta(days=1)
        assert list(reconciliation.reconcile()) == []
        with pytest.raises(InvalidInput):
            narrow(ends_on=day + timedelta(days=1))
        with pytest.raises(InvalidInput):
            narrow(ends_on=timezone.localdate(now) - timedelta(days=1))

    @pytest.mark.parametrize("path", ["", "/changes"])
    def test_a_cursor_of_the_version_before_is_refused(
        self, client: Client, address: str, narrow: Narrow, path: str
    ) -> None:
        cursor = client.get(f"{address}{path}", {"limit": "1"}).json()["next"]
        narrow(calls_a_minute=100)
        refused = client.get(f"{address}{path}", {"cursor": cursor})
        assert problem(refused, 409)["code"] == "resync_required"

    def test_an_export_under_way_stops_and_says_so(
        self, client: Client, address: str, narrow: Narrow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("apps.sharing.gateway.exports.CHUNK_ROWS", 1)
        stream = streamed(client.get(f"{address}/export.csv"))
        next(stream)
        narrow(items=FEWER)
        assert next(stream).decode().startswith("# resync_required: ")

    def test_a_suspended_one_stays_suspended(
        self, narrow: Narrow, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        head = landed_scene.provider_head
        sharing.suspend(grant=landed_grant, actor=head, at=now, reason="超范围使用")
        narrowed = narrow(items=FEWER)
        assert (narrowed.status, narrowed.version) == ("suspended", 2)
        assert provisioning.is_read_by(provisioning.place_of(narrowed), ())
        assert list(reconciliation.reconcile()) == []


class TestVersions:
    def test_every_version_is_kept_and_told(
        self, narrow: Narrow, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        columns = landed_grant.columns
        narrow(items=FEWER, may_redistribute=False)
        narrowed = narrow(calls_a_day=100, reason="用不到")
        assert narrowed.version == 3
        kept = {row.version: row for row in landed_grant.history.order_by("history_id")}
        assert kept[1].columns == columns
        assert [column["name"] for column in kept[2].columns] == FEWER
        assert (kept[3].calls_a_day, kept[3].history_change_reason) == (100, "用不到")
        assert kept[3].history_user == landed_scene.provider_head
        told = Event.objects.filter(verb="sharing.narrow").order_by("id")
        assert [(event.details["version"], event.details["changed"]) for event in told] == [
            (2, ["columns"]),
            (3, ["calls_a_day"]),
        ]
        notices = Notice.objects.filter(recipient=landed_scene.consumer_head)
        assert notices.filter(title__contains="第 3 版").get().body == "用不到"
        labels = dict(landed_scene.dataset.items.values_list("column_name", "name"))
        gone = [labels[each["name"]] for each in columns if each["name"] not in FEWER]
        first = notices.filter(title__contains="第 2 版").get()
        assert gone
        assert first.body.endswith(f"不再提供：{'、'.join(gone)}")


class TestRefusal:
    @pytest.mark.parametrize(
        ("terms", "code"),
        [
            ({}, "not_narrower"),
            ({"items": ["amount"]}, "wider_than_asked"),
            ({"items": {"identity_number": ""}}, "wider_than_asked"),
            ({"items": []}, "no_items"),
            (
                {"row_condition": [{"item": "nonsense", "operator": "eq", "value": 1}]},
                "unknown_item",
            ),
            ({"may_redistribute": True}, "wider_than_asked"),
            ({"mode": "file"}, "wider_than_asked"),
            ({"mode": "verify"}, "key_not_readable"),
            ({"calls_a_day": 0}, "invalid_limit_of_use"),
            ({"calls_a_day": 1, "reason": " "}, "invalid_input"),
        ],
        ids=str,
    )
    def test_what_is_wider_or_wrong_changes_nothing(
        self, narrow: Narrow, terms: dict[str, Any], code: str
    ) -> None:
        before = fingerprint()
        with pytest.raises(InvalidInput) as refusal:
            narrow(**terms)
        assert refusal.value.code == code
        assert fingerprint() == before

    def test_only_the_providers_head_and_the_authority_may(
        self, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        before = fingerprint()
        for person in (landed_scene.consumer_head, landed_scene.consumer, landed_scene.provider):
            with pytest.raises(NotAllowed):
                sharing.narrow(grant=landed_grant, actor=person, at=now, reason="少", calls_a_day=1)
        assert fingerprint() == before
        narrowed = sharing.narrow(
            grant=landed_grant, actor=landed_scene.authority, at=now, reason="少", calls_a_day=1
        )
        assert narrowed.version == 2

    def test_a_stale_page_and_a_closed_grant_are_refused(
        self, narrow: Narrow, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        narrow(calls_a_day=9)
        with pytest.raises(StaleRevision):
            narrow(calls_a_day=8, revision=landed_grant.revision)
        landed_grant.refresh_from_db()
        head = landed_scene.provider_head
        sharing.end(grant=landed_grant, actor=head, at=now, reason="拒不整改")
        before = fingerprint()
        with pytest.raises(IllegalMove):
            narrow(calls_a_day=8)
        assert fingerprint() == before

    def test_a_failure_in_the_database_leaves_the_terms_as_they_were(
        self, client: Client, address: str, narrow: Narrow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The terms and what is derived from them are one transaction."""

        def broken(*_args: Any) -> None:
            raise RuntimeError("no views today")

        before = fingerprint()
        with monkeypatch.context() as fault:
            fault.setattr("apps.sharing.provisioning._make_views", broken)
            with pytest.raises(RuntimeError):
                narrow(items=FEWER)
        assert fingerprint() == before
        assert client.get(address).json()["count"] == 3


def offered(page: str, item: str) -> list[str]:
    """The masks that the page offers for an item, "" for plain text."""
    [choice] = re.findall(f'<select name="mask-{item}".*?</select>', page, re.DOTALL)
    return re.findall('<option value="([^"]*)"', choice)


class TestPage:
    def test_the_head_narrows_on_the_page(
        self, landed_grant: Grant, landed_scene: Scene, client: Client, address: str
    ) -> None:
        head = signed_in(landed_scene.provider_head)
        place = f"/work/grants/{landed_grant.pk}/narrow/"
        assert place in head.get(f"/work/grants/{landed_grant.pk}/").content.decode()
        assert head.get(place).status_code == 200
        sent = {
            "items": FEWER,
            "mask-name": "cover_name",
            "mask-division_code": "",
            "item-0": "name",
            "operator-0": "prefix",
            "value-0": "张",
            "calls_a_day": "50",
            "allowed_addresses": "127.0.0.1",
            "reason": "超出需要",
            "revision": landed_grant.revision,
        }
        more = head.post(place, {**sent, "add_line": "1"}).content.decode()
        assert 'value="50"' in more
        answer = head.post(place, sent)
        assert answer.status_code == 302, answer.content.decode()
        page = head.get(answer["Location"]).content.decode()
        for words in ("第 2 版", "每日 50 次", "127.0.0.1/32"):
            assert words in page
        assert client.get(address).json()["data"] == [
            {"_id": 1, "name": "张*三", "division_code": "500103"}
        ]

    def test_what_is_wider_is_told_at_its_field_and_stays(
        self, landed_grant: Grant, landed_scene: Scene
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(calls_a_day=10)
        page = signed_in(landed_scene.provider_head).post(
            f"/work/grants/{landed_grant.pk}/narrow/",
            {
                "items": FEWER,
                "calls_a_day": "11",
                "reason": "超出需要",
                "revision": landed_grant.revision,
            },
        )
        text = page.content.decode()
        assert "不能比原来放宽" in text
        assert 'value="11"' in text
        landed_grant.refresh_from_db()
        assert (landed_grant.version, landed_grant.calls_a_day) == (1, 10)

    def test_of_a_masked_item_only_what_is_taken_is_offered(
        self, landed_grant: Grant, landed_scene: Scene, narrow: Narrow
    ) -> None:
        narrow(items={"name": "cover_name", "division_code": ""})
        head = signed_in(landed_scene.provider_head)
        page = head.get(f"/work/grants/{landed_grant.pk}/narrow/").content.decode()
        assert offered(page, "name") == ["cover_name", "hide"]
        assert {"", "hide", "keep_ends"} <= set(offered(page, "division_code"))

    @pytest.mark.parametrize("person", ["consumer_head", "provider"])
    def test_nobody_else_opens_it(self, scene: Scene, at: datetime, person: str) -> None:
        grant = stories.delivered(scene, at).grant
        client = signed_in(getattr(scene, person))
        assert client.get(f"/work/grants/{grant.pk}/narrow/").status_code == 403
        assert "/narrow/" not in client.get(f"/work/grants/{grant.pk}/").content.decode()
