"""Access records: one role that may insert and nothing else, months apart, never changed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from psycopg import sql

from apps.ledger import access_sql, partitions
from apps.ledger import operations as ledger
from apps.ledger.models import AccessClose, AccessRecord
from apps.ledger.queries import records_of_grant
from tests.factories.ledger import AT, access_parameters, access_values


@pytest.fixture
def raw(recorder: str) -> Iterator[psycopg.Cursor[Any]]:
    with connection.cursor() as cleaning:
        # Django flushes between tests the tables that it manages only.
        cleaning.execute("TRUNCATE ledger_accessrecord, ledger_accessclose")
    parameters = connection.get_connection_params()
    names = ("dbname", "user", "password", "host", "port")
    conninfo = {name: parameters[name] for name in names if parameters.get(name)}
    with psycopg.connect(**conninfo, autocommit=True) as plain, plain.cursor() as cursor:
        cursor.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(recorder)))
        yield cursor


@pytest.mark.django_db(transaction=True)
def test_the_recorder_records_a_page_in_one_statement(raw: psycopg.Cursor[Any]) -> None:
    raw.execute(access_sql.PAGE, access_parameters())
    record = records_of_grant(12).get()
    assert (record.rows, record.first_id, record.last_id, record.horizon) == (3, 1, 3, 4)
    assert record.query == {"fields": ["name"], "filters": [["code", "eq"]]}
    assert record.opened_at == AT


@pytest.mark.django_db(transaction=True)
def test_the_recorder_opens_and_closes_a_stream(raw: psycopg.Cursor[Any]) -> None:
    (number,) = raw.execute(access_sql.NEXT_RECORD_ID).fetchone() or (0,)
    raw.execute(access_sql.OPEN, access_parameters(id=number, kind="export", rows=None, bytes=None))
    assert records_of_grant(12).get().rows is None
    raw.execute(
        access_sql.CLOSE,
        {
            "record_id": number,
            "opened_at": AT,
            "closed_at": AT + timedelta(minutes=2),
            "rows": 1000,
            "bytes": 40_000,
            "first_id": 1,
            "last_id": 1000,
            "outcome": "complete",
        },
    )
    assert AccessClose.objects.get(record_id=number).rows == 1000


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM ledger_accessrecord",
        "SELECT id FROM ledger_accessrecord",
        "SELECT * FROM ledger_accessclose",
        "UPDATE ledger_accessrecord SET rows = 0",
        "DELETE FROM ledger_accessrecord",
        "TRUNCATE ledger_accessrecord",
        "SELECT setval('ledger_accessrecord_id_seq', 1)",
        "SELECT * FROM ledger_event",
        "INSERT INTO ledger_event (at, verb) VALUES (now(), 'x')",
        "SELECT * FROM accounts_user",
        "INSERT INTO ledger_accessrecord_default DEFAULT VALUES",
        "CREATE TABLE public.mine (a int)",
    ],
)
def test_the_recorder_can_do_nothing_else(raw: psycopg.Cursor[Any], statement: str) -> None:
    raw.execute(access_sql.PAGE, access_parameters())
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        raw.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_the_recorder_has_no_right_anywhere_else(recorder: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, privilege_type FROM information_schema.role_table_grants"
            " WHERE grantee = %s",
            [recorder],
        )
        assert set(cursor.fetchall()) == {
            ("ledger_accessrecord", "INSERT"),
            ("ledger_accessclose", "INSERT"),
        }
        cursor.execute(
            "SELECT rolcanlogin, rolsuper, rolcreaterole, rolinherit FROM pg_roles"
            " WHERE rolname = %s",
            [recorder],
        )
        assert cursor.fetchone()[:3] == (False, False, False)


@pytest.mark.django_db
def test_its_members_take_the_role_but_do_not_inherit_it(recorder: str, settings: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.rolname, bool_or(inherit_option), bool_or(set_option)"
            " FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid"
            " JOIN pg_roles m ON m.oid = a.member WHERE r.rolname = %s GROUP BY m.rolname",
            [recorder],
        )
        members = {name: (inherits, sets) for name, inherits, sets in cursor.fetchall()}
        cursor.execute("SELECT current_user")
        (owner,) = cursor.fetchone()
    assert members[owner] == (False, True)
    assert members[settings.GATEWAY["user"]] == (False, True)


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["ledger_accessrecord", "ledger_accessclose"])
@pytest.mark.parametrize("change", ["UPDATE {} SET rows = 0", "DELETE FROM {}"])
def test_not_even_the_owner_changes_a_record(table: str, change: str) -> None:
    number = ledger.open_access(**access_values(kind="export", rows=None, bytes=None))
    ledger.close_access(
        number, opened_at=AT, closed_at=AT, rows=1, bytes=1, outcome=AccessClose.Outcome.CUT
    )
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql.SQL(change).format(sql.Identifier(table)))
    assert AccessRecord.objects.get(pk=number).rows is None


@pytest.mark.django_db
def test_a_record_lies_in_the_partition_of_its_month() -> None:
    partitions.make_months(date(2031, 5, 1), 1)
    # In Chongqing it is 1 June already.
    ledger.record_access(**access_values(opened_at=datetime(2031, 5, 31, 16, 0, tzinfo=UTC)))
    ledger.record_access(**access_values(opened_at=datetime(2031, 5, 31, 15, 59, tzinfo=UTC)))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tableoid::regclass::text, count(*) FROM ledger_accessrecord"
            " WHERE opened_at >= '2031-01-01' GROUP BY 1"
        )
        assert dict(cursor.fetchall()) == {
            "ledger_accessrecord_2031_05": 1,
            "ledger_accessrecord_default": 1,
        }


@pytest.mark.django_db
def test_months_are_made_once_and_a_late_one_never_stops_service() -> None:
    made = partitions.make_months(date(2032, 11, 15), 3)
    assert made == [
        f"{table}_{month}"
        for month in ("2032_11", "2032_12", "2033_01")
        for table in partitions.TABLES
    ]
    assert partitions.make_months(date(2032, 11, 15), 3) == []
    ledger.record_access(**access_values(opened_at=datetime(2033, 2, 10, tzinfo=UTC)))
    assert partitions.make_months(date(2033, 2, 1), 1) == ["ledger_accessclose_2033_02"]
    ledger.record_access(**access_values(opened_at=datetime(2033, 2, 11, tzinfo=UTC)))
    assert AccessRecord.objects.filter(opened_at__year=2033).count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong", [{"kind": "peek"}, {"system_id": None, "user_id": None}, {"dataset_id": None}]
)
def test_a_record_without_its_facts_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        ledger.record_access(**access_values(**wrong))


def test_a_parameter_that_no_column_has_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="rowz"):
        access_sql.record_parameters(rowz=3)
