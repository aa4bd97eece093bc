"""A credential for tests reads invented rows by the same addresses, and never a real one."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from django.db import connection
from django.test import Client
from hypothesis import given
from hypothesis import strategies as some
from psycopg import errors, sql

from apps.core import conditions
from apps.core.contracts import Column, Contract
from apps.sharing import naming, provisioning
from apps.sharing import operations as sharing
from apps.sharing.gateway.trial import invented
from apps.sharing.models import Credential, DailyUse, Grant, TrialSample, VerifiedKey
from apps.standards.checks import CHECKS, macros_sql
from tests import stories
from tests.factories.gateway import access_records, caller, credential_of, draw_token, problem
from tests.factories.sharing import ROWS, Scene
from tests.sharing.conftest import consumer_connection

REAL = {value for row in ROWS for value in (row[0], row[1])}


@pytest.fixture
def tester(landed_grant: Grant, landed_scene: Scene, now: datetime) -> Client:
    made = credential_of(landed_scene.system, landed_scene.consumer_head, now, "test")
    return caller(draw_token(made))


def no_real_row(answer: Any) -> bool:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return not any(value in body.decode() for value in REAL)


class TestTrial:
    def test_a_page_is_invented_masked_within_the_condition_and_marked(
        self, tester: Client, address: str
    ) -> None:
        answer = tester.get(address, {"limit": 50})
        body = answer.json()
        assert (answer.status_code, answer["Huiliu-Test"], body["test"]) == (200, "true", True)
        assert body["count"] == 50
        assert list(body["data"][0]) == [
            *("_id", "identity_number", "name", "division_code", "registered_on")
        ]
        assert {row["division_code"] for row in body["data"]} == {"500103"}
        assert all(row["identity_number"].startswith("509999********") for row in body["data"])
        assert all((row["name"] or "测试").startswith("测试") for row in body["data"])
        assert any(row["name"] for row in body["data"])
        assert no_real_row(answer)

    def test_filters_cursors_and_formats_are_those_of_the_real_one(
        self, tester: Client, address: str
    ) -> None:
        first = tester.get(address, {"limit": 120}).json()
        rest = tester.get(address, {"limit": "120", "cursor": first["next"]}).json()
        assert [row["_id"] for row in first["data"] + rest["data"]] == list(range(1, 201))
        assert rest["next"] is None
        day = next(row["registered_on"] for row in first["data"] if row["registered_on"])
        found = tester.get(address, {"registered_on": day, "fields": "name"}).json()
        assert 0 < found["count"] < 120
        assert tester.get(address, {"amount": "1"}).status_code == 400
        table = tester.get(address, {"format": "csv", "limit": "2"})
        assert table["Huiliu-Test"] == "true"
        assert len(table.content.decode().splitlines()) == 3

    def test_the_same_rows_come_again(self, tester: Client, address: str) -> None:
        assert tester.get(address).content == tester.get(address).content
        assert TrialSample.objects.count() == 1

    def test_the_feed_the_export_and_the_columns_are_offered(
        self, tester: Client, address: str
    ) -> None:
        feed: Any = tester.get(f"{address}/changes", {"limit": 1000})
        assert (feed.json()["count"], feed.json()["is_complete"]) == (200, True)
        again = tester.get(f"{address}/changes", {"cursor": feed.json()["next"]}).json()
        assert again["data"] == []
        whole: Any = tester.get(f"{address}/export.csv")
        assert whole["Huiliu-Test"] == "true"
        assert len(b"".join(whole.streaming_content).splitlines()) == 201
        assert tester.get(f"{address}/columns").status_code == 200
        assert no_real_row(feed)

    @pytest.mark.parametrize(
        "path", ["/changes/proof?cursor=x", "/changes/rows?cursor=x", "/exports"]
    )
    def test_what_is_not_offered_says_so(self, tester: Client, address: str, path: str) -> None:
        assert problem(tester.get(address + path), 403)["code"] == "not_in_test"

    def test_it_is_no_use_of_the_grant_and_takes_nothing_of_its_quota(
        self, tester: Client, address: str, no_earlier_records: None, now: datetime
    ) -> None:
        Grant.objects.update(calls_a_day=1)
        assert [tester.get(address).status_code for _ in range(3)] == [200] * 3
        sharing.count_use(now)
        assert not DailyUse.objects.exists()
        records = access_records()
        assert {(row["grant_id"], row["table"]) for row in records} == {(None, "test")}
        assert len(records) == 3

    def test_its_first_call_is_remembered(
        self, tester: Client, address: str, landed_scene: Scene, now: datetime
    ) -> None:
        assert Credential.objects.get().tried_at is None
        tester.get(address)
        assert Credential.objects.get().tried_at is not None
        sharing.offer_credential(
            system=landed_scene.system,
            holder=landed_scene.consumer,
            actor=landed_scene.consumer_head,
            at=now,
        )

    @pytest.mark.parametrize("path", ["", "/changes"])
    def test_a_cursor_of_one_environment_starts_anew_in_the_other(
        self, tester: Client, client: Client, address: str, path: str
    ) -> None:
        invented_one = tester.get(address + path, {"limit": 2}).json()["next"]
        real_one = client.get(address + path, {"limit": 2}).json()["next"]
        for person, cursor in ((client, invented_one), (tester, real_one)):
            refused = problem(person.get(address + path, {"cursor": cursor}), 409)
            assert refused["code"] == "resync_required"
        assert tester.get(address + path, {"cursor": invented_one}).status_code == 200
        assert client.get(address + path, {"cursor": real_one}).status_code == 200

    def test_a_call_that_fails_is_no_trial(self, tester: Client, address: str) -> None:
        assert tester.get(address, {"limit": "many"}).status_code == 400
        assert tester.get(address, {"cursor": "x"}).status_code == 400
        assert Credential.objects.get().tried_at is None

    def test_it_neither_pushes_nor_reads_anything_else(
        self, tester: Client, landed_scene: Scene
    ) -> None:
        code = landed_scene.dataset.code.replace("/", "-")
        assert tester.get("/api/v1/datasets").status_code == 200
        for path in ("/api/v1/grants", "/api/v1/requests", "/api/v1/usage", "/api/v1/corrections"):
            assert problem(tester.get(path), 403)["code"] == "not_in_test"
        pushed = tester.post(f"/api/v1/batches/{code}", b"a", content_type="text/csv")
        assert problem(pushed, 403)["code"] == "not_in_test"

    def test_a_suspended_grant_is_still_tried(
        self, tester: Client, address: str, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        sharing.suspend(
            grant=landed_grant, actor=landed_scene.provider_head, at=now, reason="超范围使用"
        )
        assert tester.get(address).status_code == 200


class TestBeforeTheDecision:
    def test_a_request_that_was_received_can_be_tried(
        self, landed_scene: Scene, address: str, now: datetime
    ) -> None:
        made = credential_of(landed_scene.system, landed_scene.consumer_head, now, "test")
        tester = caller(draw_token(made))
        request = stories.draft(landed_scene, now, items={"name": "cover_name", "amount": ""})
        assert problem(tester.get(address), 403)["code"] == "no_grant"
        sharing.submit(request=request, actor=landed_scene.consumer, at=now)
        sharing.approve_by_head(request=request, actor=landed_scene.consumer_head, at=now)
        answer = tester.get(address, {"limit": 1})
        assert list(answer.json()["data"][0]) == ["_id", "name", "amount"]
        assert "*" in answer.json()["data"][0]["name"]

    def test_verification_of_a_key_is_tried_without_quota(
        self, landed_scene: Scene, address: str, now: datetime
    ) -> None:
        items = {"identity_number": "", "name": ""}
        stories.delivered(landed_scene, now, items=items, mode="verify")
        made = credential_of(landed_scene.system, landed_scene.consumer_head, now, "test")
        tester = caller(draw_token(made))
        assert problem(tester.get(address), 403)["code"] == "verify_only"
        number = invented.IDENTIFIERS["identity_number"](1)
        asked = [
            {"identity_number": number, "name": "李四"},
            {"identity_number": ROWS[0][0], "name": "x"},
        ]
        answer = tester.post(
            f"{address}/verify", {"records": asked}, content_type="application/json"
        )
        assert [row["found"] for row in answer.json()["data"]] == [True, False]
        assert not VerifiedKey.objects.exists()


def test_the_role_of_trials_reads_invented_rows_and_no_other_relation(
    tester: Client, address: str, landed_grant: Grant
) -> None:
    assert tester.get(address).status_code == 200
    role = naming.trial_role(provisioning.database())
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n"
            " ON n.oid = c.relnamespace WHERE n.nspname !~ '^pg_' AND relkind IN ('r','p','v','S')"
            " AND n.nspname <> 'information_schema' AND CASE relkind WHEN 'S' THEN"
            " has_sequence_privilege(%s, c.oid, 'SELECT,USAGE') ELSE"
            " has_any_column_privilege(%s, c.oid, 'SELECT,INSERT,UPDATE') END",
            [role, role],
        )
        assert cursor.fetchall() == [("sharing_testsample",)]
    with consumer_connection() as plane:
        plane.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        for relation in (
            naming.relation_of_grant(landed_grant.pk),
            f"{landed_grant.table_schema}.{landed_grant.table_name}",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                plane.execute(f"SELECT * FROM {relation}".encode())


def contract_of(*columns: Column) -> Contract:
    serial = Column("serial", "编号", "C", length=20, required=True)
    return Contract(1, "307001/000001", (serial, *columns), ("serial",))


class TestInvented:
    @pytest.mark.parametrize("check", CHECKS)
    def test_identifiers_pass_their_check(self, check: str) -> None:
        texts = [invented.IDENTIFIERS[check](number) for number in range(1, 201)]
        with duckdb.connect() as engine:
            engine.execute(macros_sql(on=date(2026, 11, 18)))
            statement = f"SELECT DISTINCT {CHECKS[check].macro}(x) FROM unnest(?) AS given (x)"
            assert engine.execute(statement, [texts]).fetchall() == [(True,)]

    def test_identifiers_are_of_nobody(self) -> None:
        for number in range(1, 201):
            assert invented.IDENTIFIERS["identity_number"](number).startswith("50999918990101")
            assert "509999XXXXX" in invented.IDENTIFIERS["uscc"](number)

    @given(number=some.integers(1, 10_000))
    def test_texts_fit_their_pattern(self, number: int) -> None:
        import re

        for pattern in (r"[A-Z]{2}\d{6}", r"(男|女)", r"^\d{4}-(0[1-9]|1[0-2])$", r"[^a-z]\w+"):
            column = Column("x", "编码", "C", pattern=pattern, required=True)
            row = invented.rows_of(contract_of(column), ())[number % 100]
            assert re.fullmatch(pattern, row["x"])

    def test_values_keep_to_types_codes_lengths_and_bounds(self) -> None:
        rows = invented.rows_of(
            contract_of(
                Column("sex", "性别", "C", codes=("1", "2", "9"), required=True),
                Column("short", "简码", "C", length=2, required=True),
                Column("price", "金额", "Y", length=6, scale=2, minimum="10", maximum="20"),
                Column("born", "出生日期", "D", minimum="2010-01-01", maximum="2010-12-31"),
                Column("open", "是否", "L"),
                Column("seen", "时间", "T"),
                Column("size", "个数", "I"),
            ),
            (),
        )
        assert len(rows) == 200
        assert {row["sex"] for row in rows} == {"1", "2", "9"}
        assert {len(row["short"]) for row in rows} == {2}
        prices = [row["price"] for row in rows if row["price"] is not None]
        assert 0 < len(prices) < 200
        assert all(10 <= price <= 20 and -price.as_tuple().exponent == 2 for price in prices)
        assert {row["born"].year for row in rows if row["born"]} == {2010}
        assert {row["open"] for row in rows} == {True, False, None}

    def test_numbers_and_days_are_those_that_the_type_holds(self) -> None:
        rows = invented.rows_of(
            contract_of(
                Column("rate", "比率", "N", length=3, scale=2, minimum="5", required=True),
                Column("wide", "大数", "N", length=38, scale=2, minimum="1e35", required=True),
                Column("count", "个数", "I", minimum=str(2**63 - 5), required=True),
                Column("until", "有效期至", "D", minimum="9999-12-01", required=True),
            ),
            (),
        )
        assert len(rows) == 200
        assert all(5 <= row["rate"] <= Decimal("9.99") for row in rows)
        assert all(Decimal("1e35") <= row["wide"] < Decimal("1e36") for row in rows)
        assert all(2**63 - 5 <= row["count"] < 2**63 for row in rows)

    @pytest.mark.parametrize(
        ("item", "operator", "value"),
        [
            ("rate", "gt", "9.99"),
            ("rate", "eq", "9.999"),
            ("rate", "gte", "12"),
            ("count", "gt", str(2**63 - 1)),
            ("day", "gt", "9999-12-31"),
        ],
    )
    def test_a_condition_beyond_the_type_has_no_rows(
        self, item: str, operator: str, value: str
    ) -> None:
        contract = contract_of(
            Column("rate", "比率", "N", length=3, scale=2),
            Column("count", "个数", "I"),
            Column("day", "日期", "D"),
        )
        asked = conditions.parse(
            [{"item": item, "operator": operator, "value": value}], contract.columns
        )
        assert invented.rows_of(contract, asked) == []

    @pytest.mark.parametrize(
        ("item", "operator", "value", "is_within"),
        [
            ("day", "gt", "2020-01-01", lambda held: held > date(2020, 1, 1)),
            ("day", "lt", "2020-01-01", lambda held: held < date(2020, 1, 1)),
            ("code", "in", ["a", "b"], lambda held: held in {"a", "b"}),
            ("code", "prefix", "渝", lambda held: held.startswith("渝")),
            ("code", "is_null", "true", lambda held: held is None),
            ("code", "is_null", "false", lambda held: held is not None),
            ("code", "gt", "x", lambda held: held > "x"),
            ("size", "gte", "7", lambda held: held >= 7),
            ("size", "lt", "7", lambda held: held < 7),
            ("rate", "gt", "9.98", lambda held: held > Decimal("9.98")),
            ("rate", "lt", "-9.98", lambda held: held < Decimal("-9.98")),
        ],
    )
    def test_rows_are_within_the_condition(
        self, item: str, operator: str, value: Any, is_within: Callable[[Any], bool]
    ) -> None:
        contract = contract_of(
            Column("day", "日期", "D"),
            Column("code", "编码", "C"),
            Column("size", "个数", "I"),
            Column("rate", "比率", "N", length=3, scale=2),
        )
        asked = conditions.parse(
            [{"item": item, "operator": operator, "value": value}], contract.columns
        )
        rows = invented.rows_of(contract, asked)
        assert len(rows) == 200
        assert all(is_within(row[item]) for row in rows)
