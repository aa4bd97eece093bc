"""Where things meet: cursors of others, an end between two pages, a delivery meanwhile."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import InformationSystem
from apps.sharing import operations as sharing
from apps.sharing.gateway import calls, pages
from apps.sharing.gateway.credentials import credentials_of
from apps.sharing.gateway.filters import read_query
from apps.sharing.gateway.refusals import GrantRefused
from apps.sharing.gateway.shapes import shape_of
from apps.sharing.gateway.single_rows import GrantReader
from apps.sharing.models import Grant
from tests import stories
from tests.factories.accounts import InformationSystemFactory
from tests.factories.gateway import (
    access_records,
    caller,
    closes,
    credential_of,
    draw_token,
    problem,
    streamed,
)
from tests.factories.sharing import Scene, land, make_scene

pytestmark = pytest.mark.usefixtures("no_earlier_records")


@pytest.fixture
def neighbour(landed_scene: Scene, landed_grant: Grant, now: datetime) -> Client:
    """Another system of the department, with a grant of its own on the same dataset."""
    system = InformationSystemFactory(department=landed_scene.consumer_department)
    stories.delivered(
        replace(landed_scene, system=system),
        now,
        items={"amount": "", "division_code": ""},
        row_condition=[{"item": "division_code", "operator": "eq", "value": "500112"}],
    )
    return caller(draw_token(credential_of(system, landed_scene.consumer_head, now)))


class TestCursor:
    def test_of_another_grant_on_the_same_data_it_asks_to_begin_anew(
        self, client: Client, neighbour: Client, address: str
    ) -> None:
        cursor = client.get(address, {"limit": "1"}).json()["next"]
        body = problem(neighbour.get(address, {"cursor": cursor}), 409)
        assert body["code"] == "resync_required"

    def test_of_another_dataset_it_is_invalid(
        self, client: Client, address: str, landed_scene: Scene, now: datetime
    ) -> None:
        other = make_scene()
        land(other.dataset)
        stories.delivered(
            replace(
                other,
                system=landed_scene.system,
                consumer=landed_scene.consumer,
                consumer_head=landed_scene.consumer_head,
            ),
            now,
        )
        foreign = f"/api/v1/data/{other.dataset.code.replace('/', '-')}"
        cursor = client.get(foreign, {"limit": "1"}).json()["next"]
        assert problem(client.get(address, {"cursor": cursor}), 400)["code"] == "cursor_invalid"

    def test_of_a_grant_that_was_renewed_it_asks_to_begin_anew(
        self, client: Client, address: str, landed_scene: Scene, now: datetime
    ) -> None:
        cursor = client.get(address, {"limit": "1"}).json()["next"]
        stories.delivered(landed_scene, now)
        assert problem(client.get(address, {"cursor": cursor}), 409)["code"] == "resync_required"

    @pytest.mark.parametrize("cursor", ["", "A" * 5000, "é", "====", "null", "-1"])
    def test_nonsense_is_refused_and_an_empty_one_begins(
        self, client: Client, address: str, cursor: str
    ) -> None:
        response = client.get(address, {"cursor": cursor})
        if cursor:
            assert problem(response, 400)["code"] == "cursor_invalid"
        else:
            assert response.json()["count"] == 3


class TestWhoseGrant:
    def test_each_system_reads_under_its_own_grant(
        self, client: Client, neighbour: Client, address: str
    ) -> None:
        own, other = client.get(address).json(), neighbour.get(address).json()
        assert {row["division_code"] for row in own["data"]} == {"500103"}
        assert {row["division_code"] for row in other["data"]} == {"500112"}
        assert set(other["data"][0]) == {"_id", "amount", "division_code"}
        assert [record["system_id"] for record in access_records()] == [
            own_system(own),
            own_system(other),
        ]

    def test_what_is_not_granted_is_as_if_it_did_not_exist(
        self, client: Client, address: str
    ) -> None:
        """`amount` is a column of the table, `nonsense` of nothing: both answers are alike."""
        for ask in ({"{}": "3"}, {"{}__gte": "3"}, {"fields": "{}"}, {"{}__like": "3"}):
            answers = []
            for name in ("amount", "nonsense"):
                parameters = {k.format(name): v.format(name) for k, v in ask.items()}
                response = client.get(address, parameters)
                assert response.status_code == 400
                answers.append(response.content.decode().replace(name, "…"))
            assert answers[0] == answers[1]

    def test_a_retired_system_is_refused(
        self, client: Client, address: str, landed_scene: Scene
    ) -> None:
        InformationSystem.objects.filter(pk=landed_scene.system.pk).update(status="retired")
        assert problem(client.get(address), 403)["code"] == "system_disabled"

    def test_a_revoked_credential_takes_its_tokens_with_it(
        self, client: Client, address: str, landed_scene: Scene, now: datetime
    ) -> None:
        assert client.get(address).status_code == 200
        [held] = credentials_of(landed_scene.system)
        sharing.revoke_credential(
            credential=held, actor=landed_scene.consumer_head, at=now, reason="密钥泄露"
        )
        assert problem(client.get(address), 401)["code"] == "not_authenticated"


def own_system(answer: dict[str, Any]) -> int:
    return Grant.objects.get(pk=answer["grant"]["id"]).system_id


class TestTheEndInTheMiddle:
    def test_a_grant_that_expires_between_two_pages(
        self, client: Client, address: str, landed_grant: Grant, now: datetime
    ) -> None:
        cursor = client.get(address, {"limit": "1"}).json()["next"]
        Grant.objects.filter(pk=landed_grant.pk).update(
            starts_at=now - timedelta(days=2), expires_at=now
        )
        body = problem(client.get(address, {"limit": "1", "cursor": cursor}), 403)
        assert body["code"] == "grant_expired"
        assert len(access_records()) == 1

    @pytest.mark.parametrize("form", ["json", "csv"])
    def test_a_grant_that_expires_between_admission_and_reading(
        self, address: str, landed_scene: Scene, landed_grant: Grant, now: datetime, form: str
    ) -> None:
        token = draw_token(credential_of(landed_scene.system, landed_scene.consumer_head, now))
        call = calls.admit(token, landed_scene.dataset.code, at=now)
        query = read_query({"format": [form]}, shape_of(call))
        Grant.objects.filter(pk=landed_grant.pk).update(
            starts_at=now - timedelta(days=2), expires_at=now
        )
        with pytest.raises(GrantRefused) as refusal:
            pages.read_page(replace(call, expires_at=now), query)
        assert refusal.value.code == "grant_expired"
        assert access_records() == []

    def test_a_grant_that_ends_between_admission_and_reading(
        self, landed_scene: Scene, landed_grant: Grant, now: datetime
    ) -> None:
        token = draw_token(credential_of(landed_scene.system, landed_scene.consumer_head, now))
        call = calls.admit(token, landed_scene.dataset.code, at=now)
        sharing.end(grant=landed_grant, actor=landed_scene.provider_head, at=now, reason="拒不整改")
        with pytest.raises(GrantRefused) as refusal:
            pages.read_page(call, read_query({}, shape_of(call)))
        assert refusal.value.code == "grant_ended"
        assert access_records() == []

    def test_a_delivery_comes_between_the_chunks_of_an_export(
        self,
        client: Client,
        address: str,
        landed_scene: Scene,
        now: datetime,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A slow consumer holds nothing in the database: the delivery does not wait for him."""
        monkeypatch.setattr("apps.sharing.gateway.exports.CHUNK_ROWS", 1)
        monkeypatch.setattr("apps.sharing.provisioning.locking.ATTEMPTS", 1)
        stream = streamed(client.get(f"{address}/export.csv"))
        first = next(stream)
        system = InformationSystemFactory(department=landed_scene.consumer_department)
        request = stories.delivered(replace(landed_scene, system=system), now)
        assert request.status == "delivered"
        rest = b"".join(stream)
        assert [line[:2] for line in (first + rest).decode().splitlines()[1:]] == ["1,", "2,", "3,"]
        [closed] = closes()
        assert closed["outcome"] == "complete"


class TestWhoReadsARecord:
    def test_grants_that_choose_their_rows_alike_are_asked_about_once(
        self, landed_scene: Scene, landed_grant: Grant, now: datetime
    ) -> None:
        system = InformationSystemFactory(department=landed_scene.consumer_department)
        stories.delivered(
            replace(landed_scene, system=system),
            now,
            items={"amount": "", "division_code": ""},
            row_condition=landed_grant.row_condition,
        )
        with CaptureQueriesContext(connection) as asked:
            reading = GrantReader().departments_reading(
                dataset=landed_scene.dataset, item="", row_id=1, at=now
            )
        assert reading == [landed_grant.consumer_id]
        assert len([each for each in asked if "SELECT EXISTS (SELECT FROM" in each["sql"]]) == 1
