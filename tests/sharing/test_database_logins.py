"""A system logs in to PostgreSQL and sees the views of its own database exchanges, nothing else."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction
from psycopg import errors, sql

from apps.accounts.models import InformationSystem
from apps.core import access
from apps.core.errors import Conflict, IllegalMove, NotAllowed
from apps.ledger.models import Event, Notice, Todo
from apps.sharing import naming, provisioning
from apps.sharing import operations as sharing
from apps.sharing.models import DatabaseLogin, Grant
from apps.sharing.operations.serving.database_logins import _close_out_of_service
from apps.sharing.queries.database_logins import logins_out_of_service
from tests import stories
from tests.factories.accounts import UserFactory
from tests.factories.catalog import PublishedDatasetFactory
from tests.factories.sharing import Scene, land
from tests.sharing.test_new_versions import renewed
from tests.sharing.test_views import signed_in

TERMS: dict[str, Any] = {
    "mode": "database",
    "items": {"identity_number": "cover_identity", "name": "", "division_code": ""},
    "row_condition": [{"item": "division_code", "operator": "eq", "value": "500103"}],
}


@pytest.fixture
def operator(landed_scene: Scene) -> Any:
    return UserFactory(department=landed_scene.authority.department, roles=["system_admin"])


@pytest.fixture
def exchange(landed_scene: Scene, now: datetime) -> Grant:
    return stories.delivered(landed_scene, now, **TERMS).grant


def another(scene: Scene, now: datetime, **terms: Any) -> Grant:
    """One more database exchange of the same system, of another dataset."""
    dataset = PublishedDatasetFactory(department=scene.provider_department)
    land(dataset)
    return stories.delivered(replace(scene, dataset=dataset), now, **{**TERMS, **terms}).grant


@contextmanager
def logged_in(opened: Any, database: str = "") -> Iterator[psycopg.Connection[Any]]:
    place = settings.GATEWAY
    with psycopg.connect(
        host=place["host"],
        port=place["port"],
        user=opened.role,
        password=opened.password,
        dbname=database or provisioning.database(),
        autocommit=True,
    ) as own:
        yield own


def can_log_in(opened: Any) -> bool:
    try:
        with logged_in(opened):
            return True
    except psycopg.OperationalError:
        return False


def rows(own: psycopg.Connection[Any], grant: Grant) -> list[Any]:
    return own.execute(f"SELECT * FROM share.g_{grant.pk} ORDER BY _id".encode()).fetchall()


class TestLogin:
    def test_it_reads_the_rows_and_masks_of_the_grant_and_writes_nothing(
        self, exchange: Grant, operator: Any, now: datetime
    ) -> None:
        opened = sharing.open_login(grant=exchange, actor=operator, at=now)
        with logged_in(opened) as own:
            found = rows(own, exchange)
            assert [row[3] for row in found] == ["张小三", "李四", "王五"]
            assert found[0][2] == "110105********002X"
            assert own.execute("SELECT current_user").fetchone() == (opened.role,)
            own.execute("SET default_transaction_read_only = off")  # a session may lift that
            with pytest.raises(errors.InsufficientPrivilege, match=f"for view g_{exchange.pk}"):
                own.execute(f"DELETE FROM share.g_{exchange.pk}".encode())

    def test_of_all_relations_it_reads_those_of_its_exchanges_only(
        self, exchange: Grant, landed_scene: Scene, operator: Any, now: datetime
    ) -> None:
        other = PublishedDatasetFactory(department=landed_scene.provider_department)
        land(other)
        by_interface = stories.delivered(replace(landed_scene, dataset=other), now).grant
        assert by_interface.system_id == exchange.system_id
        opened = sharing.open_login(grant=exchange, actor=operator, at=now)
        with logged_in(opened) as own:
            readable = own.execute(
                "SELECT c.oid::regclass::text FROM pg_class c"
                " JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
                " AND relkind IN ('r', 'p', 'v', 'm', 'f')"
                " AND has_any_column_privilege(c.oid, 'SELECT,INSERT,UPDATE,REFERENCES')"
            ).fetchall()
            assert {name.rpartition(".")[2] for (name,) in readable} == {
                f"g_{exchange.pk}",
                f"g_{exchange.pk}__past",
            }
            for relation in (f"share.g_{by_interface.pk}", "public.accounts_user"):
                with pytest.raises(errors.InsufficientPrivilege):
                    own.execute(f"SELECT * FROM {relation}".encode())
            for role in (provisioning.place_of(exchange).reader, "huiliu"):
                with pytest.raises(errors.InsufficientPrivilege):
                    own.execute(f'SET ROLE "{role}"'.encode())

    def test_a_suspension_acts_on_the_next_read_and_a_resumption_too(
        self, exchange: Grant, landed_scene: Scene, operator: Any, now: datetime
    ) -> None:
        opened = sharing.open_login(grant=exchange, actor=operator, at=now)
        head = landed_scene.provider_head
        with logged_in(opened) as own:
            assert len(rows(own, exchange)) == 3
            sharing.suspend(grant=exchange, actor=head, at=now, reason="超范围使用")
            with pytest.raises(errors.InsufficientPrivilege):
                rows(own, exchange)
            sharing.resume(grant=exchange, actor=head, at=now, reason="已整改")
            assert len(rows(own, exchange)) == 3

    def test_a_suspension_ends_a_read_in_the_middle(
        self, exchange: Grant, landed_scene: Scene, operator: Any, now: datetime
    ) -> None:
        opened = sharing.open_login(grant=exchange, actor=operator, at=now)
        with logged_in(opened) as own, logged_in(opened) as idle:
            own.autocommit = False
            own.execute(f"DECLARE whole CURSOR FOR SELECT * FROM share.g_{exchange.pk}".encode())
            assert own.execute("FETCH whole").fetchone()
            sharing.suspend(
                grant=exchange, actor=landed_scene.provider_head, at=now, reason="超范围使用"
            )
            with pytest.raises(psycopg.OperationalError):
                own.execute("FETCH whole")
            assert idle.execute("SELECT 1").fetchone() == (1,)

    def test_a_narrowed_grant_shows_what_is_left(
        self, exchange: Grant, landed_scene: Scene, operator: Any, now: datetime
    ) -> None:
        opened = sharing.open_login(grant=exchange, actor=operator, at=now)
        sharing.narrow(
            grant=exchange,
            actor=landed_scene.provider_head,
            at=now,
            reason="用不到",
            items={"name": "", "division_code": ""},
        )
        with logged_in(opened) as own:
            assert rows(own, exchange)[0][2:] == ("张小三", "500103")

    def test_a_widened_grant_shows_more_to_the_same_login(
        self, exchange: Grant, landed_scene: Scene, operator: Any, now: datetime
    ) -> None:
        opened = sharing.open_login(grant=exchange, actor=operator, at=now)
        renewed(landed_scene, exchange, now, items={"name": "", "amount": ""}, row_condition=[])
        with logged_in(opened) as own:
            assert len(rows(own, exchange)) == 6
        assert DatabaseLogin.objects.get().status == "open"
        assert not Todo.objects.filter(kind="sharing.open_login", done_at=None).exists()

    def test_the_end_of_the_last_exchange_shuts_it_and_ends_its_sessions(
        self, exchange: Grant, landed_scene: Scene, operator: Any, now: datetime
    ) -> None:
        opened = sharing.open_login(grant=exchange, actor=operator, at=now)
        with logged_in(opened) as own:
            sharing.end(grant=exchange, actor=landed_scene.provider_head, at=now, reason="不再使用")
            with pytest.raises(psycopg.OperationalError):
                own.execute("SELECT 1")
        assert not can_log_in(opened)
        assert DatabaseLogin.objects.get().status == "closed"

    def test_a_closed_one_cannot_connect_until_it_is_opened_anew(
        self, exchange: Grant, landed_scene: Scene, operator: Any, now: datetime
    ) -> None:
        opened = sharing.open_login(grant=exchange, actor=operator, at=now)
        login = DatabaseLogin.objects.get()
        with logged_in(opened) as own:
            sharing.close_login(
                login=login, actor=landed_scene.consumer_head, at=now, reason="服务器下线"
            )
            with pytest.raises(psycopg.OperationalError):
                own.execute("SELECT 1")
        assert not can_log_in(opened)
        again = sharing.open_login(grant=exchange, actor=operator, at=now)
        assert not can_log_in(opened)
        assert can_log_in(again)

    def test_a_client_that_comes_back_while_it_is_being_shut_is_put_out(
        self, exchange: Grant, landed_scene: Scene, operator: Any, now: datetime
    ) -> None:
        opened = sharing.open_login(grant=exchange, actor=operator, at=now)
        login = DatabaseLogin.objects.get()
        with ExitStack() as stack:
            with transaction.atomic():
                sharing.close_login(
                    login=login, actor=landed_scene.consumer_head, at=now, reason="服务器下线"
                )
                back = stack.enter_context(logged_in(opened))
                assert rows(back, exchange)
            with pytest.raises(psycopg.OperationalError):
                rows(back, exchange)

    def test_the_watch_puts_out_whoever_is_left_in_a_closed_one(
        self, exchange: Grant, operator: Any, now: datetime
    ) -> None:
        opened = sharing.open_login(grant=exchange, actor=operator, at=now)
        with logged_in(opened) as own:
            assert sharing.watch_logins(at=now) == 0
            with connection.cursor() as cursor:
                cursor.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(sql.Identifier(opened.role)))
            assert sharing.watch_logins(at=now) == 1
            with pytest.raises(psycopg.OperationalError):
                own.execute("SELECT 1")

    def test_another_password_makes_the_old_one_void(
        self, exchange: Grant, operator: Any, now: datetime
    ) -> None:
        opened = sharing.open_login(grant=exchange, actor=operator, at=now)
        newer = sharing.renew_login(login=DatabaseLogin.objects.get(), actor=operator, at=now)
        assert not can_log_in(opened)
        assert can_log_in(newer)

    def test_it_has_so_many_connections_and_no_more(
        self, exchange: Grant, operator: Any, now: datetime
    ) -> None:
        opened = sharing.open_login(grant=exchange, actor=operator, at=now)
        with ExitStack() as stack:
            for _number in range(provisioning.MOST_CONNECTIONS):
                stack.enter_context(logged_in(opened))
            with pytest.raises(psycopg.OperationalError, match="too many connections"):
                stack.enter_context(logged_in(opened))

    def test_a_statement_runs_out_and_a_session_that_lifts_its_limit_is_ended(
        self, exchange: Grant, operator: Any, now: datetime
    ) -> None:
        opened = sharing.open_login(grant=exchange, actor=operator, at=now)
        with logged_in(opened) as own:
            assert own.execute("SHOW statement_timeout").fetchone() == ("1min",)
            own.execute("SET statement_timeout = 0")
            own.autocommit = False
            own.execute("SELECT 1")
            time.sleep(1.2)
            assert provisioning.end_overdue(seconds=600) == 0
            assert provisioning.end_overdue(seconds=1) == 1
            with pytest.raises(psycopg.OperationalError):
                own.execute("SELECT 1")

    def test_the_watch_reaches_the_other_databases_of_the_server(
        self, exchange: Grant, operator: Any, now: datetime
    ) -> None:
        opened = sharing.open_login(grant=exchange, actor=operator, at=now)
        with logged_in(opened, "postgres") as own:
            own.autocommit = False
            own.execute("SELECT 1")
            time.sleep(1.2)
            assert provisioning.end_overdue(seconds=1) == 1
            with pytest.raises(psycopg.OperationalError):
                own.execute("SELECT 1")

    def test_a_retired_system_is_shut_by_the_watch(
        self, exchange: Grant, operator: Any, now: datetime
    ) -> None:
        opened = sharing.open_login(grant=exchange, actor=operator, at=now)
        assert sharing.watch_logins(at=now) == 0
        InformationSystem.objects.filter(pk=exchange.system_id).update(status="retired")
        assert sharing.watch_logins(at=now) == 1
        assert sharing.watch_logins(at=now) == 0
        assert not can_log_in(opened)

    def test_one_that_got_an_exchange_meanwhile_stays_open(
        self, exchange: Grant, operator: Any, now: datetime
    ) -> None:
        sharing.open_login(grant=exchange, actor=operator, at=now)
        Grant.objects.filter(pk=exchange.pk).update(mode="interface")
        idle = logins_out_of_service().get()
        Grant.objects.filter(pk=exchange.pk).update(mode="database")
        _close_out_of_service(idle, now)
        assert DatabaseLogin.objects.get().status == "open"


class TestLimits:
    """What a login reads is not counted, and its address is checked for the login as a whole."""

    LIMITED: ClassVar[list[dict[str, Any]]] = [
        {"rows_a_day": 2},
        {"calls_a_day": 2},
        {"calls_a_minute": 2},
        {"allowed_addresses": ["10.20.0.0/16"]},
    ]

    @pytest.mark.parametrize("limits", LIMITED)
    def test_another_exchange_with_limits_is_not_read(
        self,
        exchange: Grant,
        landed_scene: Scene,
        operator: Any,
        now: datetime,
        limits: dict[str, Any],
    ) -> None:
        before = another(landed_scene, now, **limits)
        opened = sharing.open_login(grant=exchange, actor=operator, at=now)
        after = another(landed_scene, now, **limits)
        free = another(landed_scene, now)
        head = landed_scene.provider_head
        sharing.suspend(grant=before, actor=head, at=now, reason="超范围使用")
        sharing.resume(grant=before, actor=head, at=now, reason="已整改")
        with logged_in(opened) as own:
            for grant in (before, after):
                with pytest.raises(errors.InsufficientPrivilege):
                    rows(own, grant)
            assert rows(own, exchange)
            assert rows(own, free)

    @pytest.mark.parametrize("limits", LIMITED)
    def test_a_limit_that_comes_by_narrowing_takes_the_views_away(
        self,
        exchange: Grant,
        landed_scene: Scene,
        operator: Any,
        now: datetime,
        limits: dict[str, Any],
    ) -> None:
        opened = sharing.open_login(grant=exchange, actor=operator, at=now)
        with logged_in(opened) as own:
            assert rows(own, exchange)
            sharing.narrow(
                grant=exchange,
                actor=landed_scene.provider_head,
                at=now,
                reason="用量过大",
                **limits,
            )
            for view in (f"g_{exchange.pk}", f"g_{exchange.pk}__past"):
                with pytest.raises(errors.InsufficientPrivilege):
                    own.execute(f"SELECT * FROM share.{view}".encode())

    def test_it_is_opened_for_the_networks_of_a_grant_and_reads_those_of_the_same(
        self, exchange: Grant, landed_scene: Scene, operator: Any, now: datetime
    ) -> None:
        near = another(landed_scene, now, allowed_addresses=["10.20.0.0/16"])
        alike = another(landed_scene, now, allowed_addresses=["10.20.0.0/16"])
        far = another(landed_scene, now, allowed_addresses=["10.30.0.0/16"])
        opened = sharing.open_login(grant=near, actor=operator, at=now)
        assert DatabaseLogin.objects.get().networks == ["10.20.0.0/16"]
        with logged_in(opened) as own:
            assert all(rows(own, grant) for grant in (exchange, near, alike))
            with pytest.raises(errors.InsufficientPrivilege):
                rows(own, far)
        page = signed_in(operator).get(f"/work/grants/{exchange.pk}/login/").content.decode()
        assert page.count("不经登录读取") == 1
        assert "10.20.0.0/16" in page


class TestOpening:
    def test_the_operator_owes_it_and_both_sides_are_told(
        self, exchange: Grant, landed_scene: Scene, operator: Any, now: datetime
    ) -> None:
        assert Todo.objects.get(kind="sharing.open_login").role == "system_admin"
        opened = sharing.open_login(grant=exchange, actor=operator, at=now)
        assert Todo.objects.get(kind="sharing.open_login").done_at is not None
        told = Notice.objects.filter(title__contains="数据库登录已开通")
        assert landed_scene.consumer_head.pk in told.values_list("recipient", flat=True)
        kept = str(list(Event.objects.values_list("details", flat=True)))
        assert opened.password not in kept + str(list(Notice.objects.values_list("body")))

    def test_the_operator_owes_it_still_after_a_suspension(
        self, exchange: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        head = landed_scene.provider_head
        sharing.suspend(grant=exchange, actor=head, at=now, reason="超范围使用")
        sharing.resume(grant=exchange, actor=head, at=now, reason="已整改")
        open_ones = Todo.objects.filter(object_id=exchange.pk, done_at=None)
        assert [todo.kind for todo in open_ones] == ["sharing.open_login"]

    def test_one_opening_serves_all_exchanges_of_the_system(
        self, exchange: Grant, landed_scene: Scene, operator: Any, now: datetime
    ) -> None:
        another(landed_scene, now)
        owed = Todo.objects.filter(kind="sharing.open_login", done_at=None)
        assert owed.count() == 2
        sharing.open_login(grant=exchange, actor=operator, at=now)
        assert not owed.exists()
        another(landed_scene, now)
        assert not owed.exists()

    def test_nobody_else_opens_it(
        self, exchange: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        for person in (landed_scene.consumer_head, landed_scene.provider_head):
            with pytest.raises(NotAllowed):
                sharing.open_login(grant=exchange, actor=person, at=now)
        assert not DatabaseLogin.objects.exists()

    def test_a_grant_in_another_way_has_none(
        self, landed_grant: Grant, operator: Any, now: datetime
    ) -> None:
        with pytest.raises(NotAllowed):
            sharing.open_login(grant=landed_grant, actor=operator, at=now)
        assert not DatabaseLogin.objects.exists()

    def test_a_quota_that_it_would_pass_by_stands_in_the_way(
        self, exchange: Grant, operator: Any, now: datetime
    ) -> None:
        Grant.objects.filter(pk=exchange.pk).update(rows_a_day=10)
        with pytest.raises(Conflict) as refusal:
            sharing.open_login(grant=exchange, actor=operator, at=now)
        assert refusal.value.code == "quota_in_the_way"
        assert not DatabaseLogin.objects.filter(status="open").exists()

    def test_it_is_not_opened_twice_nor_while_suspended(
        self, exchange: Grant, landed_scene: Scene, operator: Any, now: datetime
    ) -> None:
        sharing.open_login(grant=exchange, actor=operator, at=now)
        with pytest.raises(IllegalMove):
            sharing.open_login(grant=exchange, actor=operator, at=now)
        sharing.suspend(
            grant=exchange, actor=landed_scene.provider_head, at=now, reason="超范围使用"
        )
        with pytest.raises(Conflict):
            sharing.open_login(grant=exchange, actor=operator, at=now)

    def test_who_may_see_renew_and_close_it(
        self, exchange: Grant, landed_scene: Scene, operator: Any, outsider: Any, now: datetime
    ) -> None:
        sharing.open_login(grant=exchange, actor=operator, at=now)
        login = DatabaseLogin.objects.get()
        people = {
            "consumer": landed_scene.consumer,
            "consumer_head": landed_scene.consumer_head,
            "provider_head": landed_scene.provider_head,
            "authority": landed_scene.authority,
            "operator": operator,
            "outsider": outsider,
        }
        may = {
            action: {who for who, person in people.items() if access.allowed(person, action, login)}
            for action in ("view", "renew", "close", "open", "change", "delete")
        }
        assert may == {
            "view": {"consumer", "consumer_head", "authority", "operator"},
            "renew": {"operator"},
            "close": {"consumer_head", "operator"},
            "open": set(),
            "change": set(),
            "delete": set(),
        }


def crumbs_of(page: Any) -> str:
    return str(page.content.decode().partition('class="breadcrumbs')[2].partition("</ol>")[0])


class TestPages:
    def test_the_password_is_shown_once_to_the_operator(
        self, exchange: Grant, landed_scene: Scene, operator: Any
    ) -> None:
        address = f"/work/grants/{exchange.pk}/login/"
        client = signed_in(operator)
        assert str(exchange) in client.get("/work/database-logins/").content.decode()
        shown = client.post(address).content.decode()
        again = client.get(address).content.decode()
        assert "口令</dt>" in shown
        assert "口令</dt>" not in again
        seen = signed_in(landed_scene.consumer_head).get(address).content.decode()
        assert naming.role_of_login(provisioning.database(), exchange.system_id) in seen
        assert signed_in(landed_scene.consumer).post(address).status_code == 302
        assert DatabaseLogin.objects.get().opened_by == operator

    def test_the_way_back_leads_where_the_person_came_from(
        self, exchange: Grant, landed_scene: Scene, operator: Any, now: datetime
    ) -> None:
        sharing.open_login(grant=exchange, actor=operator, at=now)
        for path in ("login/", "login/close/"):
            address = f"/work/grants/{exchange.pk}/{path}"
            crumbs = crumbs_of(signed_in(operator).get(address))
            assert 'href="/work/database-logins/"' in crumbs
        seen = signed_in(landed_scene.consumer_head).get(f"/work/grants/{exchange.pk}/login/")
        assert f'href="/work/grants/{exchange.pk}/"' in crumbs_of(seen)

    def test_others_see_nothing_of_it(self, exchange: Grant, outsider: Any) -> None:
        client = signed_in(outsider)
        assert client.get(f"/work/grants/{exchange.pk}/login/").status_code == 404
        assert client.post(f"/work/grants/{exchange.pk}/login/").status_code == 404
        assert str(exchange) not in client.get("/work/database-logins/").content.decode()
