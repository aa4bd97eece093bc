"""Verification: yes or no on what the grant shows, and nothing else, within the hour's room."""

import json
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import InformationSystem
from apps.core.contracts import Contract
from apps.ledger.models import Event
from apps.sharing import operations as sharing
from apps.sharing.gateway import calls, pool, verifying
from apps.sharing.gateway.refusals import GrantRefused, QuotaExceeded
from apps.sharing.gateway.shapes import shape_of
from apps.sharing.models import Grant
from apps.warehouse import physical
from tests import stories
from tests.factories.accounts import InformationSystemFactory
from tests.factories.gateway import access_records, caller, credential_of, draw_token, problem
from tests.factories.sharing import ROWS, Scene
from tests.sharing.conftest import Read

pytestmark = pytest.mark.usefixtures("no_earlier_records")
ZHANG, LI, WANG, ZHAO = (row[0] for row in ROWS[:4])
NOBODY = "500103199001011232"


@pytest.fixture
def landed_grant(landed_scene: Scene, now: datetime) -> Grant:
    """The key, day and amount in plain, the name masked, the district not granted."""
    items = {"identity_number": "", "name": "cover_name", "registered_on": "", "amount": ""}
    condition = [{"item": "division_code", "operator": "eq", "value": "500103"}]
    return stories.delivered(landed_scene, now, items=items, row_condition=condition).grant


@pytest.fixture
def place(address: str) -> str:
    return f"{address}/verify"


def ask(client: Client, place: str, *records: Any) -> Any:
    return client.post(place, {"records": list(records)}, content_type="application/json")


def answers(client: Client, place: str, *records: Any) -> list[Any]:
    response = ask(client, place, *records)
    assert response.status_code == 200, response.content
    return [(row["found"], row["items"]) for row in response.json()["data"]]


def person(identity: Any, **items: Any) -> dict[str, Any]:
    return {"identity_number": identity, **(items or {"registered_on": "2026-01-05"})}


class TestAnswer:
    def test_it_says_item_by_item_whether_it_agrees(
        self, client: Client, place: str, landed_grant: Grant
    ) -> None:
        response = ask(
            client,
            place,
            person(ZHANG, registered_on="2026-01-05", amount="1200.5"),
            person(LI, registered_on="2026-02-07"),
            person(ZHANG, amount=1200.51),
        )
        body = response.json()
        assert (body["count"], body["found"]) == (3, 3)
        assert body["grant"]["id"] == landed_grant.pk
        assert [row["items"] for row in body["data"]] == [
            {"registered_on": True, "amount": True},
            {"registered_on": False},
            {"amount": False},
        ]
        for value in (ROWS[0][1], "2026-02-06", "800"):
            assert value not in response.content.decode()

    def test_values_are_written_alike_before_they_are_compared(
        self, client: Client, place: str
    ) -> None:
        for identity, day in [
            (ZHANG.lower(), "2026-01-05"),
            (f" {ZHANG} ", "2026/1/5"),
            (ZHANG, "2026年1月5日"),
        ]:
            assert answers(client, place, person(identity, registered_on=day)) == [
                (True, {"registered_on": True})
            ], (identity, day)

    def test_a_value_beyond_the_scale_is_not_rounded_until_it_fits(
        self, client: Client, place: str
    ) -> None:
        for amount in ("1200.501", "1200.499", "1e400", "much"):
            assert answers(client, place, person(ZHANG, amount=amount)) == [
                (True, {"amount": False})
            ], amount

    def test_masked_items_and_missing_values_are_not_compared(
        self, client: Client, place: str
    ) -> None:
        asked = [
            person(ZHANG, name="张小三"),
            person(ZHANG, name="张**"),
            person(WANG, amount="5"),
            person(WANG, amount=None),
            person(ZHANG, amount=""),
        ]
        assert [items for _found, items in answers(client, place, *asked)] == [
            {"name": None},
            {"name": None},
            {"amount": None},  # the record has none
            {"amount": True},  # and so it is said
            {"amount": False},
        ]

    def test_outside_the_rows_is_as_if_it_did_not_exist(self, client: Client, place: str) -> None:
        """The record of another district, one of nobody, and a text that is no key: alike."""
        records = [person(key, registered_on="2026-01-08") for key in (ZHAO, NOBODY, "x", "")]
        assert answers(client, place, *records) == [(False, {"registered_on": None})] * 4
        assert answers(client, place, person(None)) == [(False, {"registered_on": None})]

    def test_a_hundred_records_are_one_statement(
        self, client: Client, place: str, sent: list[str]
    ) -> None:
        ask(client, place, person(ZHANG))
        with pool.connection() as used:
            prepared = used.drawn
        sent.clear()
        ask(client, place, person(ZHANG))
        of_one = [*sent]
        sent.clear()
        with CaptureQueriesContext(connection) as more:
            found = answers(client, place, *[person(ROWS[n % 3][0]) for n in range(100)])
        with pool.connection() as used:
            assert used.drawn == prepared  # the same statements, planned already
        assert len(found) == 100
        assert of_one
        assert sent == of_one
        assert not more.captured_queries  # nor does anything else grow with the records

    def test_it_looks_records_up_by_their_key(
        self, landed_scene: Scene, landed_grant: Grant, now: datetime, read: Read
    ) -> None:
        table = f"{landed_grant.table_schema}.{landed_grant.table_name}"
        contract = Contract.from_json(landed_scene.dataset.versions.get().contract)
        physical.create_indexes(
            contract, schema=landed_grant.table_schema, name=landed_grant.table_name
        )
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} (identity_number, division_code, _batch, _hash)"
                " SELECT 'x' || n, '500103', 2, 0 FROM generate_series(1, 20000) n"
            )
            cursor.execute(f"ANALYZE {table}")
        token = draw_token(credential_of(landed_scene.system, landed_scene.consumer_head, now))
        call = calls.admit(token, landed_scene.dataset.code, at=now)
        question = verifying.read_verification({"records": [person(ZHANG)]}, call, shape_of(call))
        statement = verifying.statement(call.relation, question.key, question.compared)
        keys = [f"x{number}" for number in range(100)]
        asked = json.dumps([[place, key, "2026-01-05"] for place, key in enumerate(keys)])
        [(plan,)] = read(landed_grant, f"EXPLAIN (FORMAT JSON) {statement}", asked)
        assert "Index Scan" in str(plan)
        assert "Seq Scan" not in str(plan)
        assert len(read(landed_grant, statement, asked)) == 99  # x0 is none


class TestEvidence:
    def test_it_is_recorded_without_keys_or_values(
        self, client: Client, place: str, landed_grant: Grant
    ) -> None:
        response = ask(client, place, person(LI, amount="800.00"), person(ZHAO, amount="1"))
        [record] = access_records()
        assert (record["kind"], record["grant_id"]) == ("verify", landed_grant.pk)
        assert (record["rows"], record["first_id"], record["last_id"]) == (1, 2, 2)
        assert (record["bytes"], record["horizon"]) == (len(response.content), 1)
        query = json.loads(record["query"])
        assert (query["records"], query["items"], len(query["keys"])) == (2, ["amount"], 2)
        assert not [word for word in (LI, ZHAO, "800") if word in record["query"]]


class TestQuota:
    @pytest.fixture(autouse=True)
    def room(self, settings: Any) -> None:
        settings.VERIFIED_KEYS_AN_HOUR = 3

    def test_it_counts_different_records_of_an_hour(self, client: Client, place: str) -> None:
        assert ask(client, place, person(ZHANG), person(NOBODY)).status_code == 200
        assert ask(client, place, person(ZHANG), person(LI)).status_code == 200
        refused = ask(client, place, person(WANG))
        assert problem(refused, 429)["code"] == "quota_exceeded"
        assert 3500 < int(refused["Retry-After"]) <= 3600
        assert len(access_records()) == 2
        assert ask(client, place, person(LI.lower(), amount="1")).status_code == 200

    def test_an_hour_later_there_is_room_again(
        self, landed_scene: Scene, landed_grant: Grant, now: datetime
    ) -> None:
        token = draw_token(credential_of(landed_scene.system, landed_scene.consumer_head, now))
        call = calls.admit(token, landed_scene.dataset.code, at=now)

        def found(after: timedelta, *keys: str) -> int:
            body = {"records": [person(key) for key in keys]}
            question = verifying.read_verification(body, call, shape_of(call))
            answer = json.loads(verifying.verify(replace(call, at=now + after), question))
            return int(answer["found"])

        assert found(timedelta(), ZHANG) == 1
        assert found(timedelta(minutes=20), LI, NOBODY) == 1
        with pytest.raises(QuotaExceeded) as one:
            found(timedelta(minutes=30), WANG)
        with pytest.raises(QuotaExceeded) as two:
            found(timedelta(minutes=30), WANG, ZHAO)
        assert (one.value.wait, two.value.wait) == (30 * 60, 50 * 60)
        assert found(timedelta(minutes=60), WANG) == 1

    def test_a_call_that_is_refused_asked_about_nothing(self, client: Client, place: str) -> None:
        records = [person(ROWS[n][0]) for n in range(4)]
        assert problem(ask(client, place, *records), 429)["code"] == "quota_exceeded"
        assert access_records() == []
        assert ask(client, place, *records[:3]).status_code == 200

    def test_another_system_has_an_hour_of_its_own(
        self, client: Client, place: str, landed_scene: Scene, now: datetime
    ) -> None:
        ask(client, place, person(ZHANG), person(LI), person(WANG))
        system = InformationSystemFactory(department=landed_scene.consumer_department)
        stories.delivered(
            replace(landed_scene, system=system), now, items={"identity_number": "", "amount": ""}
        )
        other = caller(draw_token(credential_of(system, landed_scene.consumer_head, now)))
        assert answers(other, place, person(ZHAO, amount="950.25")) == [(True, {"amount": True})]

    def test_calls_at_once_find_no_more_room_than_there_is(
        self, landed_scene: Scene, landed_grant: Grant, place: str, now: datetime
    ) -> None:
        token = draw_token(credential_of(landed_scene.system, landed_scene.consumer_head, now))
        statuses: list[int] = []
        start = threading.Barrier(6)

        def call(number: int) -> None:
            start.wait()
            try:
                statuses.append(ask(caller(token), place, person(f"{number}")).status_code)
            finally:
                connection.close()

        threads = [threading.Thread(target=call, args=[number]) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [200, 200, 200, 429, 429, 429]
        assert len(access_records()) == 3


class TestBadInput:
    def test_it_names_what_is_wrong(self, client: Client, place: str) -> None:
        wrong: list[tuple[Any, str]] = [
            ([], "invalid_records"),
            ({}, "invalid_records"),
            (None, "invalid_records"),
            ({"records": []}, "invalid_records"),
            ({"records": {}}, "invalid_records"),
            ({"records": [person(ZHANG)] * 101}, "invalid_records"),
            ({"records": [person(ZHANG)], "more": 1}, "invalid_records"),
            ({"records": ["x"]}, "invalid_records"),
            ({"records": [{"identity_number": ZHANG}]}, "invalid_records"),
            ({"records": [{"amount": "1"}]}, "key_incomplete"),
            ({"records": [person(ZHANG, amount=["1"])]}, "invalid_value"),
            ({"records": [person(ZHANG, amount={"gt": 1})]}, "invalid_value"),
            ({"records": [person(ZHANG, amount="a\x00b")]}, "invalid_value"),
            ({"records": [person(ZHANG, amount="1" * 5000)]}, "invalid_value"),
            ({"records": [person(["x"])]}, "invalid_value"),
        ]
        for body, code in wrong:
            response = client.post(place, json.dumps(body), content_type="application/json")
            assert problem(response, 400)["code"] == code, body
        assert access_records() == []

    def test_what_is_not_granted_is_as_if_it_did_not_exist(
        self, client: Client, place: str
    ) -> None:
        told = []
        for name in ("division_code", "nonsense"):
            response = ask(client, place, person(ZHANG, **{name: "500103"}))
            assert problem(response, 400)["code"] == "unknown_field"
            told.append(response.content.decode().replace(name, "…"))
        assert told[0] == told[1]
        assert access_records() == []

    @pytest.mark.parametrize(
        ("body", "kind", "status", "code"),
        [
            ("{", "application/json", 400, "parse_error"),
            ("[" * 100_000, "application/json", 400, "parse_error"),
            (
                '{"records": [{"identity_number": "\\ud800"}]}',
                "application/json",
                400,
                "parse_error",
            ),
            ("records=1", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
            (" " * ((1 << 20) + 1), "application/json", 413, "body_too_large"),
        ],
    )
    def test_a_body_that_is_no_json(
        self, client: Client, place: str, body: str, kind: str, status: int, code: str
    ) -> None:
        assert problem(client.post(place, body, content_type=kind), status)["code"] == code

    def test_it_is_not_read_by_get(self, client: Client, place: str) -> None:
        assert problem(client.get(place), 405)["code"] == "method_not_allowed"


class TestRefusal:
    def test_a_grant_that_masks_the_key_cannot_verify(
        self, place: str, landed_scene: Scene, now: datetime
    ) -> None:
        for items in ({"identity_number": "cover_identity", "amount": ""}, {"amount": ""}):
            system = InformationSystemFactory(department=landed_scene.consumer_department)
            stories.delivered(replace(landed_scene, system=system), now, items=items)
            own = caller(draw_token(credential_of(system, landed_scene.consumer_head, now)))
            for record in ({"identity_number": ZHANG, "amount": "1"}, {"amount": "1"}):
                assert problem(ask(own, place, record), 400)["code"] == "key_not_readable"
        assert access_records() == []

    def test_nobody_verifies_without_a_token_or_a_grant(
        self, place: str, landed_scene: Scene, landed_grant: Grant, now: datetime
    ) -> None:
        assert problem(ask(Client(), place, person(ZHANG)), 401)["code"] == "not_authenticated"
        system = InformationSystemFactory(department=landed_scene.consumer_department)
        other = caller(draw_token(credential_of(system, landed_scene.consumer_head, now)))
        # Refused before the body is looked at.
        for body in ({"records": [person(ZHANG)]}, {"records": "x"}):
            response = other.post(place, body, content_type="application/json")
            assert problem(response, 403)["code"] == "no_grant"
        assert access_records() == []

    @pytest.mark.parametrize("status", ["suspended", "ended", "retired", "expired"])
    def test_what_was_taken_back_is_not_verified(
        self,
        client: Client,
        place: str,
        landed_scene: Scene,
        landed_grant: Grant,
        now: datetime,
        status: str,
    ) -> None:
        assert ask(client, place, person(ZHANG)).status_code == 200
        head = landed_scene.provider_head
        if status == "suspended":
            sharing.suspend(grant=landed_grant, actor=head, at=now, reason="超范围使用")
        elif status == "ended":
            sharing.end(grant=landed_grant, actor=head, at=now, reason="拒不整改")
        elif status == "retired":
            InformationSystem.objects.filter(pk=landed_scene.system.pk).update(status="retired")
        else:
            Grant.objects.filter(pk=landed_grant.pk).update(
                starts_at=now - timedelta(days=2), expires_at=now
            )
        code = "system_disabled" if status == "retired" else f"grant_{status}"
        assert problem(ask(client, place, person(ZHANG)), 403)["code"] == code
        assert len(access_records()) == 1

    def test_a_grant_that_ends_between_admission_and_reading_leaves_its_refusal(
        self, landed_scene: Scene, landed_grant: Grant, now: datetime
    ) -> None:
        token = draw_token(credential_of(landed_scene.system, landed_scene.consumer_head, now))
        call = calls.admit(token, landed_scene.dataset.code, at=now)
        question = verifying.read_verification({"records": [person(ZHANG)]}, call, shape_of(call))
        sharing.end(grant=landed_grant, actor=landed_scene.provider_head, at=now, reason="拒不整改")
        with pytest.raises(GrantRefused):
            verifying.verify(call, question)
        assert access_records() == []
        assert Event.objects.filter(verb="sharing.read", outcome="refused").count() == 1
