"""The console: a person's token for minutes, bound to grant, person and address."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from apps.core.errors import NotAllowed
from apps.ledger.models import Event
from apps.sharing import operations as sharing
from apps.sharing.gateway.refusals import GrantRefused
from apps.sharing.models import ConsoleToken, DailyUse, Grant
from apps.sharing.models.console import LONGEST
from tests import stories
from tests.factories.gateway import access_records, caller, problem
from tests.factories.sharing import Scene, land, make_scene

HERE = "127.0.0.1"


def opened(grant: Grant, actor: Any, at: datetime, address: str | None = HERE) -> str:
    return sharing.open_console(grant=grant, actor=actor, at=at, address=address).token


class TestCalls:
    def test_it_reads_as_the_system_reads_masked_counted_and_marked(
        self,
        landed_grant: Grant,
        landed_scene: Scene,
        address: str,
        now: datetime,
        no_earlier_records: None,
    ) -> None:
        token = opened(landed_grant, landed_scene.consumer, now)
        answer = caller(token).get(f"{address}?limit=2")
        assert answer.status_code == 200
        assert answer.json()["data"][0]["identity_number"] == "110105********002X"
        (record,) = access_records()
        assert record["user_id"] == landed_scene.consumer.pk
        assert json.loads(record["query"])["console"] is True
        assert record["purpose"].startswith("在线调试：")
        assert record["client_address"] == HERE
        sharing.count_use(now)
        assert DailyUse.objects.get(grant=landed_grant).calls == 1

    def test_a_systems_own_call_is_not_marked(
        self, client: Client, address: str, no_earlier_records: None
    ) -> None:
        client.get(address)
        (record,) = access_records()
        assert "console" not in record["query"]

    def test_it_counts_in_the_quota(self, landed_scene: Scene, address: str, now: datetime) -> None:
        grant = stories.delivered(landed_scene, now, items={"name": ""}, calls_a_day=1).grant
        person = caller(opened(grant, landed_scene.consumer, now))
        assert person.get(address).status_code == 200
        assert problem(person.get(address), 429)["code"] == "daily_calls_exceeded"

    def test_it_verifies_where_the_grant_only_does_that(
        self, landed_scene: Scene, address: str, now: datetime
    ) -> None:
        grant = stories.delivered(
            landed_scene, now, items={"identity_number": "", "name": ""}, mode="verify"
        ).grant
        person = caller(opened(grant, landed_scene.consumer, now))
        body = {"records": [{"identity_number": "11010519491231002X", "name": "张小三"}]}
        answer = person.post(f"{address}/verify", body, content_type="application/json")
        assert answer.json()["data"] == [{"found": True, "items": {"name": True}}]
        assert problem(person.get(address), 403)["code"] == "verify_only"

    def test_no_file_and_no_large_page(
        self, landed_grant: Grant, landed_scene: Scene, address: str, now: datetime
    ) -> None:
        person = caller(opened(landed_grant, landed_scene.consumer, now))
        for path in ("export.csv", "exports", "columns"):
            assert problem(person.get(f"{address}/{path}"), 403)["code"] == "console_only_tries"
        for path in ("", "/changes"):
            refused = person.get(f"{address}{path}?limit=101")
            assert problem(refused, 400)["code"] == "invalid_limit"
        assert person.get(f"{address}/changes?limit=100").status_code == 200


class TestBounds:
    @pytest.fixture
    def token(self, landed_grant: Grant, landed_scene: Scene, now: datetime) -> str:
        return opened(landed_grant, landed_scene.consumer, now)

    def refused(self, token: str, address: str, **more: Any) -> str:
        return str(problem(caller(token).get(address, **more), 401)["code"])

    def test_another_address_is_refused(self, token: str, address: str) -> None:
        assert self.refused(token, address, REMOTE_ADDR="10.1.2.3") == "not_authenticated"

    def test_it_is_over_after_minutes(self, token: str, address: str) -> None:
        past = ConsoleToken.objects.get()
        ConsoleToken.objects.update(
            created_at=past.created_at - LONGEST, expires_at=past.expires_at - LONGEST
        )
        assert self.refused(token, address) == "not_authenticated"

    @pytest.mark.parametrize("how", ["moved", "disabled"])
    def test_who_left_the_department_is_out_at_once(
        self, token: str, address: str, landed_scene: Scene, how: str
    ) -> None:
        person = landed_scene.consumer
        if how == "moved":
            person.department = landed_scene.provider_department
        else:
            person.is_active = False
        person.save()
        assert self.refused(token, address) == "not_authenticated"

    def test_a_suspended_grant_refuses_and_writes_it_down(
        self,
        token: str,
        address: str,
        landed_grant: Grant,
        landed_scene: Scene,
        now: datetime,
    ) -> None:
        sharing.suspend(
            grant=landed_grant, actor=landed_scene.provider_head, at=now, reason="超范围使用"
        )
        assert problem(caller(token).get(address), 403)["code"] == "grant_suspended"
        refusal = Event.objects.filter(verb="sharing.read").latest("pk")
        assert refusal.actor == landed_scene.consumer

    def test_another_dataset_is_not_its(
        self, token: str, client: Client, landed_scene: Scene, now: datetime
    ) -> None:
        """Not even one that the same system reads, and the same person may try."""
        other = make_scene()
        land(other.dataset)
        own = ("system", "consumer", "consumer_head")
        mine = {name: getattr(landed_scene, name) for name in own}
        stories.delivered(replace(other, **mine), now)
        place = f"/api/v1/data/{other.dataset.dashed_code}"
        assert client.get(place).status_code == 200
        assert problem(caller(token).get(place), 403)["code"] == "no_grant"

    def test_a_new_one_ends_the_one_before(
        self,
        token: str,
        address: str,
        landed_grant: Grant,
        landed_scene: Scene,
        now: datetime,
    ) -> None:
        newer = opened(landed_grant, landed_scene.consumer, now)
        assert self.refused(token, address) == "not_authenticated"
        assert caller(newer).get(address).status_code == 200

    def test_it_opens_nothing_but_the_data_plane(self, token: str) -> None:
        assert caller(token).get("/api/v1/grants").status_code == 401

    def test_it_does_not_outlive_the_grant_and_is_forgotten(
        self, token: str, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        ends_at = now + LONGEST / 2
        Grant.objects.filter(pk=landed_grant.pk).update(expires_at=ends_at)
        landed_grant.refresh_from_db()
        opened(landed_grant, landed_scene.consumer, now)
        assert ConsoleToken.objects.get().expires_at == ends_at
        assert sharing.forget_consoles(now) == 0
        assert sharing.forget_consoles(ends_at) == 1
        assert not ConsoleToken.objects.exists()

    def test_the_database_knows_no_long_one(
        self, token: str, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        with (
            pytest.raises(IntegrityError, match="sharing_consoletoken_short_lived"),
            transaction.atomic(),
        ):
            ConsoleToken.objects.create(
                grant=landed_grant,
                user=landed_scene.consumer,
                digest="0" * 64,
                created_at=now,
                expires_at=now + LONGEST + timedelta(seconds=1),
            )
        held = ConsoleToken.objects.get()
        held.pk = None
        with (
            pytest.raises(IntegrityError, match="sharing_consoletoken_digest_once"),
            transaction.atomic(),
        ):
            held.save()


class TestWhoOpensIt:
    @pytest.mark.parametrize("who", ["provider", "provider_head", "authority"])
    def test_the_other_side_does_not(
        self, who: str, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        with pytest.raises(NotAllowed):
            opened(landed_grant, getattr(landed_scene, who), now)
        assert not ConsoleToken.objects.exists()

    def test_not_from_where_the_grant_is_not_used(self, landed_scene: Scene, now: datetime) -> None:
        grant = stories.delivered(
            landed_scene, now, items={"name": ""}, allowed_addresses=["10.0.0.0/8"]
        ).grant
        with pytest.raises(GrantRefused):
            opened(grant, landed_scene.consumer, now)
        assert not ConsoleToken.objects.exists()
        assert opened(grant, landed_scene.consumer, now, "10.1.2.3")

    def test_the_page_gives_one_and_its_opening_is_told(
        self, landed_grant: Grant, landed_scene: Scene, address: str
    ) -> None:
        person = Client()
        person.force_login(landed_scene.consumer)
        assert person.get(f"/work/grants/{landed_grant.pk}/console/").status_code == 200
        answer = person.post(f"/work/grants/{landed_grant.pk}/console/open/")
        assert caller(answer.json()["token"]).get(address).status_code == 200
        assert Event.objects.filter(verb="sharing.open_console").exists()
        held = ConsoleToken.objects.get()
        assert answer.json()["token"] not in held.digest

    def test_a_provider_finds_no_console(self, landed_grant: Grant, landed_scene: Scene) -> None:
        person = Client()
        person.force_login(landed_scene.provider)
        assert person.get(f"/work/grants/{landed_grant.pk}/console/").status_code == 403
        answer = person.post(f"/work/grants/{landed_grant.pk}/console/open/")
        assert answer.status_code == 403
        assert answer.json()["code"] == "not_allowed"
