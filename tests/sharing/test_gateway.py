"""The data plane as a consumer's system meets it: exactly the grant, recorded, or a clear no."""

import csv
import io
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from apps.ledger.models import Event
from apps.sharing import operations as sharing
from apps.sharing.gateway import pool, statements
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
from tests.factories.sharing import Scene, make_scene

COLUMNS = ["_id", "identity_number", "name", "division_code", "registered_on"]


pytestmark = pytest.mark.usefixtures("no_earlier_records")


class TestPage:
    def test_it_shows_the_granted_items_and_rows_with_their_masks(
        self, client: Client, address: str, landed_grant: Grant
    ) -> None:
        answer = client.get(address).json()
        assert [list(row) for row in answer["data"]] == [COLUMNS] * 3
        assert answer["data"][0] == {
            "_id": 1,
            "identity_number": "110105********002X",
            "name": "张小三",
            "division_code": "500103",
            "registered_on": "2026-01-05",
        }
        assert answer["grant"]["id"] == landed_grant.pk
        assert answer["count"] == 3
        assert answer["next"] is None

    def test_it_reads_as_the_systems_own_role(self, landed_grant: Grant) -> None:
        role = f"{pool.database()}_sys_{landed_grant.system_id}"
        with pool.connection() as lent:
            assert lent.execute("SELECT current_user").fetchone() == ("huiliu_gateway",)
            with lent.transaction():
                lent.execute(statements.take_role(role))
                assert lent.execute("SELECT current_user").fetchone() == (role,)
            assert lent.execute("SELECT current_user").fetchone() == ("huiliu_gateway",)

    def test_it_records_the_page_in_full(
        self, client: Client, address: str, landed_grant: Grant
    ) -> None:
        response = client.get(address, {"division_code": "500103", "limit": "2"})
        [record] = access_records()
        assert record["kind"] == "page"
        assert (record["grant_id"], record["system_id"]) == (
            landed_grant.pk,
            landed_grant.system_id,
        )
        assert (record["rows"], record["first_id"], record["last_id"]) == (2, 1, 2)
        assert record["bytes"] == len(response.content)
        assert record["horizon"] == 1
        query = json.loads(record["query"])
        assert query["where"] == [{"item": "division_code", "operator": "eq", "value": "500103"}]

    def test_it_turns_pages_without_a_gap(self, client: Client, address: str) -> None:
        seen, cursor = [], None
        for _turn in range(5):
            parameters = {"limit": "1"} | ({"cursor": cursor} if cursor else {})
            answer = client.get(address, parameters).json()
            seen += [row["_id"] for row in answer["data"]]
            cursor = answer["next"]
            if cursor is None:
                break
        assert seen == [1, 2, 3]

    def test_it_offers_arrays_lines_and_csv(self, client: Client, address: str) -> None:
        arrays = client.get(address, {"shape": "arrays", "fields": "name"}).json()
        assert arrays["columns"] == ["_id", "name"]
        assert arrays["data"] == [[1, "张小三"], [2, "李四"], [3, "王五"]]

        lines = client.get(address, headers={"Accept": "application/x-ndjson"})
        assert lines["Content-Type"] == "application/x-ndjson"
        assert [json.loads(line)["_id"] for line in lines.content.splitlines()] == [1, 2, 3]

        table = client.get(address, {"format": "csv", "limit": "2"})
        rows = list(csv.reader(io.StringIO(table.content.decode())))
        assert rows[0] == COLUMNS
        assert [row[0] for row in rows[1:]] == ["1", "2"]
        following = client.get(address, {"format": "csv", "cursor": table["Huiliu-Next-Cursor"]})
        assert following.content.decode().splitlines()[1].startswith("3,")

    @pytest.mark.parametrize("where", ["", "/changes"])
    def test_a_format_there_is_not_is_refused(
        self, client: Client, address: str, where: str
    ) -> None:
        refusal = client.get(f"{address}{where}", headers={"Accept": "application/xml"})
        assert problem(refusal, 406)["code"] == "not_acceptable"
        for accepted in ("application/xml, */*;q=0.1", "text/html,application/json", "", " "):
            answer = client.get(f"{address}{where}", headers={"Accept": accepted})
            assert answer["Content-Type"] == "application/json", accepted
        by_name = client.get(f"{address}{where}?format=ndjson", headers={"Accept": "text/xml"})
        assert by_name["Content-Type"] == "application/x-ndjson"

    def test_it_filters_by_granted_items(self, client: Client, address: str) -> None:
        for parameters, expected in [
            ({"registered_on__gte": "2026-02-01"}, [2, 3]),
            ({"registered_on__lt": "2026-02-06"}, [1]),
            ({"name__prefix": "张"}, [1]),
            ({"name__in": "李四,王五"}, [2, 3]),
            ({"registered_on__isnull": "true"}, []),
            ({"division_code": "500112"}, []),
            ({"name": "王五", "registered_on__gt": "2026-01-01"}, [3]),
        ]:
            answer = client.get(address, parameters).json()
            assert [row["_id"] for row in answer["data"]] == expected, parameters


WRONG: list[tuple[dict[str, Any], str, str | None]] = [
    ({"age": "3"}, "unknown_filter", "age"),
    ({"amount__gte": "3"}, "unknown_filter", "amount__gte"),
    ({"name__like": "3"}, "unknown_operator", "name__like"),
    ({"name__": "3"}, "unknown_operator", "name__"),
    ({"identity_number": "11010519491231002X"}, "filter_not_supported", "identity_number"),
    ({"registered_on": "2026-13-05"}, "invalid_value", None),
    ({"name": "a\x00b"}, "invalid_value", None),
    ({"name__in": ""}, "invalid_value", None),
    ({"name__in": ", "}, "invalid_value", None),
    ({"limit": "0"}, "invalid_limit", "limit"),
    ({"limit": "1000000000"}, "invalid_limit", "limit"),
    ({"limit": "٣"}, "invalid_limit", "limit"),
    ({"fields": "name,amount"}, "unknown_field", "amount"),
    ({"format": "xml"}, "unknown_format", "format"),
    ({"shape": "tree"}, "unknown_shape", "shape"),
    ({"name": ["张三", "李四"]}, "doubled_parameter", "name"),
    ({"cursor": "x"}, "cursor_invalid", None),
]


class TestBadInput:
    def test_it_names_what_is_wrong(self, client: Client, address: str) -> None:
        for parameters, code, field in WRONG:
            body = problem(client.get(address, parameters), 400)
            assert body["code"] == code, parameters
            assert field is None or body["field"] == field
        assert access_records() == []

    def test_it_refuses_a_tampered_cursor(self, client: Client, address: str) -> None:
        cursor = client.get(address, {"limit": "1"}).json()["next"]
        for position in range(len(cursor)):
            other = "A" if cursor[position] != "A" else "B"
            tampered = cursor[:position] + other + cursor[position + 1 :]
            response = client.get(address, {"cursor": tampered})
            # The last character carries two bits that mean nothing.
            if position == len(cursor) - 1 and response.status_code == 200:
                continue
            assert problem(response, 400)["code"] == "cursor_invalid"

    def test_it_asks_to_begin_anew_when_the_terms_have_changed(
        self, client: Client, address: str, landed_grant: Grant
    ) -> None:
        cursor = client.get(address, {"limit": "1"}).json()["next"]
        Grant.objects.filter(pk=landed_grant.pk).update(version=2)
        body = problem(client.get(address, {"cursor": cursor}), 409)
        assert body["code"] == "resync_required"


class TestRefusal:
    def refused(self, client: Client, address: str, code: str) -> None:
        before = len(access_records())
        assert problem(client.get(address), 403)["code"] == code
        assert problem(client.get(f"{address}/export.csv"), 403)["code"] == code
        assert len(access_records()) == before
        assert Event.objects.filter(verb="sharing.read", outcome="refused").count() == 2

    @pytest.mark.parametrize("authorization", [None, "Bearer nonsense", "Basic x", "Bearer a b"])
    def test_nobody_reads_without_a_token(
        self, address: str, landed_grant: Grant, authorization: str | None
    ) -> None:
        headers = {"Authorization": authorization} if authorization else {}
        response = Client(headers=headers).get(address)
        assert problem(response, 401)["code"] == "not_authenticated"
        assert response["WWW-Authenticate"].startswith("Bearer")

    def test_an_expired_token_is_refused(self, client: Client, address: str, now: datetime) -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE oauth2_provider_accesstoken SET expires = %s", [now])
        assert problem(client.get(address), 401)["code"] == "not_authenticated"

    def test_a_system_without_a_grant_is_refused(
        self, address: str, landed_scene: Scene, landed_grant: Grant, now: datetime
    ) -> None:
        other = InformationSystemFactory(department=landed_scene.consumer_department)
        credential = credential_of(other, landed_scene.consumer_head, now)
        self.refused(caller(draw_token(credential)), address, "no_grant")

    def test_another_dataset_is_refused_like_one_that_does_not_exist(
        self, client: Client, server: None
    ) -> None:
        other = make_scene().dataset.code.replace("/", "-")
        for code in (other, "307001-999999", "nonsense"):
            assert problem(client.get(f"/api/v1/data/{code}"), 403)["code"] == "no_grant"

    def test_suspension_is_effective_on_the_next_read(
        self, client: Client, address: str, landed_scene: Scene, landed_grant: Grant, now: datetime
    ) -> None:
        assert client.get(address).status_code == 200
        sharing.suspend(
            grant=landed_grant, actor=landed_scene.provider_head, at=now, reason="超范围使用"
        )
        self.refused(client, address, "grant_suspended")
        sharing.resume(
            grant=landed_grant, actor=landed_scene.provider_head, at=now, reason="已整改"
        )
        assert client.get(address).status_code == 200

    def test_an_ended_grant_is_refused(
        self, client: Client, address: str, landed_scene: Scene, landed_grant: Grant, now: datetime
    ) -> None:
        sharing.end(grant=landed_grant, actor=landed_scene.consumer_head, at=now, reason="不再需要")
        sharing.carry_out_due(now)
        self.refused(client, address, "grant_ended")

    def test_an_expired_grant_is_refused_before_any_task_has_run(
        self, client: Client, address: str, landed_grant: Grant, now: datetime
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(
            starts_at=now - timedelta(days=2), expires_at=now - timedelta(days=1)
        )
        self.refused(client, address, "grant_expired")

    def test_a_grant_that_begins_tomorrow_is_refused(
        self, client: Client, address: str, landed_grant: Grant, now: datetime
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(starts_at=now + timedelta(days=1))
        self.refused(client, address, "grant_not_started")

    def test_a_grant_not_yet_delivered_is_refused(
        self, address: str, landed_scene: Scene, now: datetime
    ) -> None:
        stories.agreed(landed_scene, now)
        credential = credential_of(landed_scene.system, landed_scene.consumer_head, now)
        self.refused(caller(draw_token(credential)), address, "grant_not_delivered")

    def test_a_disabled_service_user_is_refused_with_a_token_drawn_before(
        self, client: Client, address: str, landed_scene: Scene
    ) -> None:
        user = landed_scene.system.service_user
        user.is_active = False
        user.save()
        self.refused(client, address, "system_disabled")

    def test_the_database_refuses_where_the_application_would_not(
        self, client: Client, address: str, landed_grant: Grant
    ) -> None:
        with connection.cursor() as cursor:
            role = f"{pool.database()}_g_{landed_grant.pk}"
            reader = f"{pool.database()}_sys_{landed_grant.system_id}"
            cursor.execute(f'SET ROLE "{role}"')
            cursor.execute(f'REVOKE SELECT ON share.g_{landed_grant.pk} FROM "{reader}"')
            cursor.execute("RESET ROLE")
        assert problem(client.get(address), 503)["code"] == "grant_unavailable"
        assert access_records() == []


class TestExport:
    def test_it_streams_the_whole_grant_and_closes_the_record(
        self, client: Client, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("apps.sharing.gateway.exports.CHUNK_ROWS", 2)
        response = client.get(f"{address}/export.csv")
        [opened] = access_records()
        assert opened["kind"] == "export"
        assert opened["rows"] is None
        assert closes() == []
        body = b"".join(streamed(response))
        rows = list(csv.reader(io.StringIO(body.decode())))
        assert rows[0] == COLUMNS
        assert [row[0] for row in rows[1:]] == ["1", "2", "3"]
        [closed] = closes()
        assert closed["record_id"] == opened["id"]
        assert (closed["outcome"], closed["rows"], closed["bytes"]) == ("complete", 3, len(body))
        assert (closed["first_id"], closed["last_id"]) == (1, 3)

    def test_it_holds_no_more_of_wide_rows_than_it_may(
        self, client: Client, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = b"".join(streamed(client.get(f"{address}/export.csv")))
        monkeypatch.setattr("apps.sharing.gateway.exports.CHUNK_BYTES", 10)
        blocks = [block for block in streamed(client.get(f"{address}/export.csv")) if block]
        assert [block.count(b"\n") for block in blocks] == [2, 1, 1]  # the first with the heading
        assert b"".join(blocks) == whole
        assert [(each["outcome"], each["rows"]) for each in closes()] == [("complete", 3)] * 2

    def test_it_stops_and_says_so_when_the_grant_is_suspended_in_the_middle(
        self,
        client: Client,
        address: str,
        landed_scene: Scene,
        landed_grant: Grant,
        now: datetime,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("apps.sharing.gateway.exports.CHUNK_ROWS", 1)
        stream = streamed(client.get(f"{address}/export.csv"))
        assert next(stream).decode().splitlines()[1].startswith("1,")
        sharing.suspend(
            grant=landed_grant, actor=landed_scene.provider_head, at=now, reason="超范围使用"
        )
        last = next(stream).decode()
        assert last.startswith("# grant_suspended: ")
        with pytest.raises(Exception, match="grant_suspended"):
            next(stream)
        [closed] = closes()
        assert (closed["outcome"], closed["rows"]) == ("failed", 1)

    def test_it_can_be_continued_from_where_it_stopped(self, client: Client, address: str) -> None:
        cursor = client.get(address, {"limit": "2"}).json()["next"]
        response = client.get(f"{address}/export.csv", {"cursor": cursor, "fields": "name"})
        assert b"".join(streamed(response)).decode() == "_id,name\n3,王五\n"

    def test_a_consumer_that_goes_away_leaves_a_close(
        self, client: Client, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("apps.sharing.gateway.exports.CHUNK_ROWS", 1)
        response = client.get(f"{address}/export.csv")
        next(streamed(response))
        response.close()
        [closed] = closes()
        assert (closed["outcome"], closed["rows"]) == ("cut", 1)

    def test_it_takes_no_limit(self, client: Client, address: str) -> None:
        body = problem(client.get(f"{address}/export.csv", {"limit": "5"}), 400)
        assert body["code"] == "unknown_filter"
