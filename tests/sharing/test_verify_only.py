"""A grant for verification only: it answers, and no row can be had, by the database's own word."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client
from psycopg import errors, sql

from apps.ledger.models import Event
from apps.sharing import operations as sharing
from apps.sharing import provisioning, queries, reconciliation
from apps.sharing.gateway import pool
from apps.sharing.gateway.single_rows import GrantReader
from apps.sharing.models import Grant
from tests import stories
from tests.factories.gateway import access_records, caller, credential_of, draw_token, problem
from tests.factories.sharing import ROWS, Scene
from tests.sharing.conftest import consumer_connection

pytestmark = pytest.mark.usefixtures("no_earlier_records")
ZHANG, _LI, _WANG, ZHAO = (row[0] for row in ROWS[:4])
ITEMS = {"identity_number": "", "name": "", "registered_on": ""}
CONDITION = [{"item": "division_code", "operator": "eq", "value": "500103"}]


@pytest.fixture
def landed_grant(landed_scene: Scene, now: datetime) -> Grant:
    return stories.delivered(
        landed_scene, now, mode="verify", items=ITEMS, row_condition=CONDITION
    ).grant


@pytest.fixture
def consumer(landed_grant: Grant) -> Iterator[psycopg.Connection[Any]]:
    """Logged in as the consumer's system, whose role is made although it has nothing to read."""
    provisioning.reserve_roles(ahead=0)
    with consumer_connection() as plane:
        plane.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(_system(landed_grant))))
        yield plane


def _system(grant: Grant) -> str:
    return f"{provisioning.database()}_sys_{grant.system_id}"


def ask(client: Client, address: str, *records: dict[str, str]) -> Any:
    return client.post(
        f"{address}/verify", {"records": list(records)}, content_type="application/json"
    )


def holds(client: Client, address: str) -> bool:
    answer = ask(client, address, {"identity_number": ZHANG, "name": "张小三"})
    assert answer.status_code == 200, answer.content
    return bool(answer.json()["data"][0]["items"]["name"])


class TestAnswer:
    def test_it_answers_verification(self, client: Client, address: str) -> None:
        answer = ask(
            client,
            address,
            {"identity_number": ZHANG, "name": "张小三", "registered_on": "2026-01-06"},
            {"identity_number": ZHAO, "name": "赵六"},  # outside the rows
        )
        assert answer.status_code == 200, answer.content
        assert answer.json()["data"] == [
            {"found": True, "items": {"name": True, "registered_on": False}},
            {"found": False, "items": {"name": None}},
        ]
        [record] = access_records()
        assert (record["kind"], record["rows"]) == ("verify", 1)

    @pytest.mark.parametrize(
        "path",
        [
            "",
            "?limit=1",
            "/changes",
            "/changes/proof",
            "/changes/rows",
            "/columns",
            "/export.csv",
            "?identity_number=x&limit=bad",
        ],
    )
    def test_everything_else_is_refused_and_told(
        self, client: Client, address: str, landed_grant: Grant, path: str
    ) -> None:
        body = problem(client.get(f"{address}{path}"), 403)
        assert (body["code"], body["grant"]) == ("verify_only", landed_grant.pk)
        assert access_records() == []
        assert Event.objects.filter(verb="sharing.read", outcome="refused").count() == 1

    def test_whoever_doubts_a_record_does_not_read_it(
        self, landed_scene: Scene, landed_grant: Grant, now: datetime
    ) -> None:
        reader, person = GrantReader(), landed_scene.consumer
        assert landed_scene.dataset.pk in reader.datasets_read_by(person, now)
        for named in ({"row_id": 1}, {"key": {"identity_number": ZHANG}}):
            assert (
                reader.read_row(actor=person, dataset=landed_scene.dataset, at=now, **named) is None
            )

    def test_it_is_explained(self, landed_grant: Grant, now: datetime) -> None:
        reasons = queries.explain(landed_grant.system, landed_grant.dataset, now, item="name")
        assert [(reason.rule, reason.ok) for reason in reasons][-1] == ("mode", False)


class TestDatabase:
    def test_the_consumers_role_reads_neither_view_nor_table(
        self, consumer: psycopg.Connection[Any], landed_grant: Grant
    ) -> None:
        for relation in (
            f"share.g_{landed_grant.pk}",
            f"{landed_grant.table_schema}.{landed_grant.table_name}",
            f"{landed_grant.table_schema}.{landed_grant.table_name}__past",
        ):
            for what in ("*", "count(*)", "1", "_id"):
                with pytest.raises(errors.InsufficientPrivilege):
                    consumer.execute(f"SELECT {what} FROM {relation}".encode())

    def test_of_all_relations_it_may_read_none(self, consumer: psycopg.Connection[Any]) -> None:
        readable = consumer.execute(
            "SELECT c.oid::regclass::text FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
            " AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
            " AND (has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid,"
            " 'SELECT,INSERT,UPDATE,REFERENCES'))"
        ).fetchall()
        assert readable == []

    def test_it_cannot_take_the_role_that_compares(
        self, consumer: psycopg.Connection[Any], landed_grant: Grant
    ) -> None:
        place = provisioning.place_of(landed_grant)
        for role in (place.reader, place.role):
            may = consumer.execute(
                "SELECT pg_has_role(current_user, %s, 'MEMBER')", [role]
            ).fetchone()
            assert may == (False,)

    def test_the_verifier_sees_the_grants_rows_and_columns_only(self, landed_grant: Grant) -> None:
        place = provisioning.place_of(landed_grant)
        with consumer_connection() as plane:
            plane.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(place.reader)))
            view = f"share.g_{landed_grant.pk}"
            assert plane.execute(f"SELECT count(*) FROM {view}".encode()).fetchone() == (3,)
            table = f"{landed_grant.table_schema}.{landed_grant.table_name}"
            with pytest.raises(errors.InsufficientPrivilege):
                plane.execute(f"SELECT amount FROM {table}".encode())

    def test_there_is_no_view_over_the_past(self, landed_grant: Grant) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = 'share'::regnamespace"
            )
            assert cursor.fetchall() == [(f"g_{landed_grant.pk}",)]
            cursor.execute("SELECT tablename FROM pg_policies")
            assert cursor.fetchall() == [(landed_grant.table_name,)]


class TestLife:
    def test_suspension_and_end_act_on_the_next_call_and_leave_nothing(
        self,
        client: Client,
        address: str,
        landed_scene: Scene,
        landed_grant: Grant,
        now: datetime,
    ) -> None:
        head = landed_scene.provider_head
        assert holds(client, address)
        sharing.suspend(grant=landed_grant, actor=head, at=now, reason="超范围使用")
        assert provisioning.is_read_by(provisioning.place_of(landed_grant), ())
        refused = ask(client, address, {"identity_number": ZHANG, "name": "x"})
        assert problem(refused, 403)["code"] == "grant_suspended"
        sharing.resume(grant=landed_grant, actor=head, at=now, reason="已整改")
        assert holds(client, address)
        sharing.end(grant=landed_grant, actor=head, at=now, reason="不再使用")
        sharing.tear_down(grant=landed_grant, at=now)
        assert _roles(landed_grant) == []

    def test_an_expired_one_finds_nothing_even_if_no_task_ran(
        self, landed_scene: Scene, landed_grant: Grant, now: datetime
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(
            starts_at=now - timedelta(days=2), expires_at=now - timedelta(days=1)
        )
        landed_grant.refresh_from_db()
        provisioning.persistently(lambda: provisioning.provision(landed_grant))
        with consumer_connection() as plane:
            reader = provisioning.place_of(landed_grant).reader
            plane.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(reader)))
            view = f"share.g_{landed_grant.pk}"
            assert plane.execute(f"SELECT count(*) FROM {view}".encode()).fetchone() == (0,)

    def test_reconciling_rebuilds_it_and_is_silent_afterwards(
        self, client: Client, address: str, landed_grant: Grant
    ) -> None:
        assert list(reconciliation.reconcile()) == []
        with connection.cursor() as cursor:
            cursor.execute(f"DROP VIEW share.g_{landed_grant.pk}")
        assert [str(repair.done) for repair in reconciliation.reconcile()] == ["已重建"]
        assert list(reconciliation.reconcile()) == []
        assert holds(client, address)

    def test_reconciling_removes_a_verifier_without_a_grant(
        self, landed_scene: Scene, landed_grant: Grant
    ) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE ROLE "{provisioning.database()}_v_999999"')
        [repair] = reconciliation.reconcile()
        assert str(repair.done) == "已清除"
        assert list(reconciliation.reconcile()) == []

    def test_reading_narrowed_to_verification_takes_the_rows_away_at_once(
        self, landed_scene: Scene, now: datetime, address: str
    ) -> None:
        grant = stories.delivered(landed_scene, now, items=ITEMS).grant
        credential = credential_of(landed_scene.system, landed_scene.consumer_head, now)
        client = caller(draw_token(credential))
        assert client.get(address).json()["count"] == 6
        sharing.narrow(
            grant=grant,
            actor=landed_scene.provider_head,
            at=now,
            reason="只需核对",
            mode="verify",
            row_condition=CONDITION,
        )
        assert problem(client.get(address), 403)["code"] == "verify_only"
        assert holds(client, address)
        with consumer_connection() as plane:
            plane.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(_system(grant))))
            with pytest.raises(errors.InsufficientPrivilege):
                plane.execute(f"SELECT * FROM share.g_{grant.pk}".encode())
        assert list(reconciliation.reconcile()) == []


def _roles(grant: Grant) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)",
            [[f"{pool.database()}_{kind}_{grant.pk}" for kind in ("g", "v")]],
        )
        return list(cursor.fetchall())
