"""What the database itself refuses: columns, rows, tables, functions that leak, after every end."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg import errors, sql

from apps.core.errors import InvalidInput
from apps.sharing import naming, provisioning
from apps.sharing import operations as sharing
from apps.sharing.models import Grant
from tests import stories
from tests.factories.sharing import ROWS, Scene, land, make_scene
from tests.sharing.conftest import Read, consumer_connection

IN_DISTRICT = 3


def _view(grant: Grant) -> str:
    return f"share.g_{grant.pk}"


def _table(grant: Grant) -> str:
    return f"{grant.table_schema}.{grant.table_name}"


def _count(grant: Grant, read: Read) -> int:
    return int(read(grant, f"SELECT count(*) FROM {_view(grant)}")[0][0])


@pytest.fixture
def leaky_function(server: None) -> Iterator[str]:
    """A function that tells everything it is given, cheap enough to be tried first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION public.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001"
            " AS $$ BEGIN RAISE NOTICE 'leaked %', $1; RETURN true; END $$"
        )
    yield "public.leak"
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION public.leak(text)")


class TestInForce:
    def test_it_reads_exactly_the_granted_columns_and_rows(
        self, landed_grant: Grant, read: Read
    ) -> None:
        rows = read(landed_grant, f"SELECT * FROM {_view(landed_grant)} ORDER BY _id")
        assert [row[2:4] for row in rows] == [
            ("110105********002X", "张小三"),
            ("440524********0014", "李四"),
            ("500103********0111", "王五"),
        ]
        assert len(rows[0]) == len(naming.SYSTEM_COLUMNS) + 4

    def test_it_has_no_column_outside_the_grant(self, landed_grant: Grant, read: Read) -> None:
        with pytest.raises(errors.UndefinedColumn):
            read(landed_grant, f"SELECT amount FROM {_view(landed_grant)}")

    @pytest.mark.parametrize("column", ["amount", "name", "_id", "*"])
    def test_it_cannot_read_the_table_behind_the_view(
        self, landed_grant: Grant, read: Read, column: str
    ) -> None:
        with pytest.raises(errors.InsufficientPrivilege):
            read(landed_grant, f"SELECT {column} FROM {_table(landed_grant)}")

    def test_even_the_owner_of_the_view_has_no_other_column_and_row(
        self, landed_grant: Grant
    ) -> None:
        place = provisioning.place_of(landed_grant)
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(place.role)))
            try:
                cursor.execute(f"SELECT count(*) FROM {_table(landed_grant)} WHERE _id > 0")
                assert cursor.fetchone() == (IN_DISTRICT,)
                with pytest.raises(Exception, match="permission denied"):
                    cursor.execute(f"SELECT amount FROM {_table(landed_grant)}")
            finally:
                cursor.execute("RESET ROLE")

    def test_it_cannot_write(self, landed_grant: Grant, read: Read) -> None:
        for statement in (
            f"DELETE FROM {_view(landed_grant)}",
            f"UPDATE {_view(landed_grant)} SET name = ''",
            f"INSERT INTO {_view(landed_grant)} (name) VALUES ('x')",
            "CREATE TABLE share.mine (a int)",
            "CREATE TEMP TABLE mine (a int)",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                read(landed_grant, statement)

    def test_it_cannot_become_anybody_else(self, landed_grant: Grant, read: Read) -> None:
        place = provisioning.place_of(landed_grant)
        for role in (place.role, "huiliu"):
            with consumer_connection() as plane, pytest.raises(errors.InsufficientPrivilege):
                plane.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))

    def test_the_gateway_itself_reads_nothing(self, landed_grant: Grant) -> None:
        with consumer_connection() as plane, pytest.raises(errors.InsufficientPrivilege):
            plane.execute(f"SELECT 1 FROM {_view(landed_grant)}".encode())

    def test_it_cannot_read_the_platforms_own_tables(self, landed_grant: Grant, read: Read) -> None:
        for table in ("sharing_grant", "accounts_user", "ledger_event", "ledger_accessrecord"):
            with pytest.raises(errors.InsufficientPrivilege):
                read(landed_grant, f"SELECT * FROM public.{table}")

    def test_it_cannot_read_another_systems_grant(
        self, landed_grant: Grant, now: datetime, read: Read
    ) -> None:
        other = make_scene()
        land(other.dataset)
        foreign = stories.delivered(other, now).grant
        with pytest.raises(errors.InsufficientPrivilege):
            read(landed_grant, f"SELECT * FROM {_view(foreign)}")
        with pytest.raises(errors.InsufficientPrivilege):
            read(landed_grant, f"SELECT * FROM {_table(foreign)}")

    def test_a_leaky_function_learns_nothing_outside_the_grant(
        self, landed_grant: Grant, leaky_function: str
    ) -> None:
        heard: list[str] = []
        role = provisioning.place_of(landed_grant).reader
        with consumer_connection() as plane:
            plane.add_notice_handler(lambda notice: heard.append(str(notice.message_primary)))
            plane.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
            for column in ("name", "division_code", "identity_number"):
                statement = f"SELECT * FROM {_view(landed_grant)} WHERE {leaky_function}({column})"
                plane.execute(statement.encode())
        told = " ".join(heard)
        assert "张小三" in told
        assert "110105********002X" in told
        for identity, name, district, *_rest in ROWS:
            assert identity not in told
            assert district == "500103" or name not in told
        assert "500112" not in told

    def test_past_versions_pass_the_same_policy(self, landed_grant: Grant, read: Read) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {_table(landed_grant)}__past (identity_number, name, division_code,"
                " _id, _batch, _hash, _until_batch) VALUES ('1','旧','500103',91,1,0,2),"
                " ('2','外','500112',92,1,0,2)"
            )
        view = f"{_view(landed_grant)}__past"
        assert read(landed_grant, f"SELECT _id, _until_batch, name FROM {view}") == [(91, 2, "旧")]
        with pytest.raises(errors.UndefinedColumn):
            read(landed_grant, f"SELECT amount FROM {view}")

    def test_a_condition_may_use_a_column_that_is_not_granted(
        self, landed_scene: Scene, now: datetime, read: Read
    ) -> None:
        grant = stories.delivered(
            landed_scene,
            now,
            items={"name": ""},
            row_condition=[{"item": "amount", "operator": "gte", "value": "900"}],
        ).grant
        assert sorted(row[2] for row in read(grant, f"SELECT * FROM {_view(grant)}")) == sorted(
            ["张小三", "赵六", "孙八"]
        )


class TestAfterwards:
    def test_suspension_ends_reading_at_once_and_resumption_restores_it(
        self, landed_scene: Scene, landed_grant: Grant, now: datetime, read: Read
    ) -> None:
        sharing.suspend(
            grant=landed_grant, actor=landed_scene.provider_head, at=now, reason="超范围使用"
        )
        for view in (_view(landed_grant), f"{_view(landed_grant)}__past"):
            with pytest.raises(errors.InsufficientPrivilege):
                read(landed_grant, f"SELECT * FROM {view}")
        sharing.resume(
            grant=landed_grant, actor=landed_scene.provider_head, at=now, reason="已整改"
        )
        assert _count(landed_grant, read) == IN_DISTRICT

    def test_a_suspension_hits_a_connection_that_is_already_open(
        self, landed_scene: Scene, landed_grant: Grant, now: datetime
    ) -> None:
        role = provisioning.place_of(landed_grant).reader
        with consumer_connection() as plane:
            plane.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
            plane.execute(f"SELECT * FROM {_view(landed_grant)}".encode())
            sharing.suspend(
                grant=landed_grant, actor=landed_scene.provider_head, at=now, reason="超范围使用"
            )
            with pytest.raises(errors.InsufficientPrivilege):
                plane.execute(f"SELECT * FROM {_view(landed_grant)}".encode())

    @pytest.mark.parametrize("how", ["end", "expire"])
    def test_the_end_closes_at_once_and_leaves_nothing_behind(
        self, landed_scene: Scene, landed_grant: Grant, now: datetime, read: Read, how: str
    ) -> None:
        place = provisioning.place_of(landed_grant)
        if how == "end":
            sharing.end(
                grant=landed_grant, actor=landed_scene.provider_head, at=now, reason="拒不整改"
            )
        else:
            sharing.expire(grant=landed_grant, at=landed_grant.expires_at)
        with pytest.raises(errors.InsufficientPrivilege):
            read(landed_grant, f"SELECT * FROM {_view(landed_grant)}")
        assert sharing.carry_out_due(now) == []
        assert provisioning.state(place) == ""
        with pytest.raises(errors.UndefinedTable):
            read(landed_grant, f"SELECT * FROM {_view(landed_grant)}")
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_policies WHERE policyname = %s", [place.policy])
            assert cursor.fetchone() == (0,)
        landed_grant.refresh_from_db()
        assert landed_grant.torn_down_at is not None

    def test_what_was_prolonged_meanwhile_does_not_expire(self, landed_grant: Grant) -> None:
        over = landed_grant.expires_at
        Grant.objects.filter(pk=landed_grant.pk).update(expires_at=over + timedelta(days=30))
        with pytest.raises(InvalidInput):
            sharing.expire(grant=landed_grant, at=over)
        landed_grant.refresh_from_db()
        assert landed_grant.status == "in_force"

    @pytest.mark.parametrize(
        ("starts", "expires"), [(-2, -1), (1, 2)], ids=["expired", "not begun"]
    )
    def test_the_policy_itself_knows_the_period(
        self, landed_grant: Grant, now: datetime, read: Read, starts: int, expires: int
    ) -> None:
        landed_grant.starts_at = now + timedelta(hours=starts)
        landed_grant.expires_at = now + timedelta(hours=expires)
        provisioning.persistently(lambda: provisioning.provision(landed_grant))
        assert _count(landed_grant, read) == 0

    def test_teardown_and_provisioning_may_come_twice(
        self, landed_grant: Grant, now: datetime, read: Read
    ) -> None:
        for _time in range(2):
            provisioning.persistently(lambda: provisioning.provision(landed_grant))
        assert _count(landed_grant, read) == IN_DISTRICT
        for _time in range(2):
            provisioning.persistently(lambda: provisioning.tear_down(landed_grant))
        assert provisioning.state(provisioning.place_of(landed_grant)) == ""


def test_the_preview_equals_what_the_consumer_then_reads(
    landed_scene: Scene, now: datetime, read: Read
) -> None:
    request = stories.awaiting_signature(
        landed_scene,
        now,
        items={"identity_number": "cover_identity", "name": "cover_name", "amount": "band_number"},
        row_condition=[{"item": "registered_on", "operator": "gte", "value": "2026-02-01"}],
    )
    preview = sharing.preview(request=request, actor=landed_scene.provider_head, at=now)
    sharing.agree(request=request, actor=landed_scene.provider_head, at=now)
    grant = sharing.deliver(grant=request.grant, at=now)
    columns = ", ".join(name for name, _label, _mask in preview.columns)
    served = read(grant, f"SELECT {columns} FROM {_view(grant)} ORDER BY _id")
    assert [tuple(row) for row in preview.rows] == served
    assert preview.total == len(served) == IN_DISTRICT


def test_a_full_table_is_refused_in_words(
    landed_scene: Scene, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = stories.agreed(landed_scene, now)
    monkeypatch.setattr(provisioning, "MAXIMUM_GRANTS_A_TABLE", 0)
    (problem,) = sharing.carry_out_due(now)
    assert problem.code == "too_many_grants"
    grant = Grant.objects.get(request=request)
    assert grant.status == "delivering"
    assert grant.problem == str(problem)
    assert provisioning.state(provisioning.place_of(grant)) == ""


def test_no_role_of_ours_may_log_in_or_stands_above_others(landed_grant: Grant) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), bool_or(rolcanlogin OR rolsuper OR rolbypassrls OR rolcreaterole)"
            " FROM pg_roles WHERE starts_with(rolname, %s)",
            [f"{provisioning.database()}_"],
        )
        count, stands_out = cursor.fetchone()
    assert count >= IN_DISTRICT
    assert stands_out is False


def test_a_consumer_sees_no_rows_even_by_a_function_of_the_masks(
    landed_grant: Grant, read: Read
) -> None:
    """Masks may be run by readers, but read no table."""
    answer: list[Any] = read(landed_grant, "SELECT mask.cover_name('张小三')")
    assert answer == [("张*三",)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        read(landed_grant, f"SELECT mask.cover_name(name) FROM {_table(landed_grant)}")
