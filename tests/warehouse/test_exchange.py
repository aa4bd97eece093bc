"""An exchange table takes plain INSERTs from a login that can do nothing else; each lands once."""

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client
from psycopg import errors, sql

from apps.catalog.models import Dataset
from apps.core import access
from apps.core.errors import Conflict, IllegalMove, InvalidInput, NotAllowed
from apps.warehouse import exchanging
from apps.warehouse import operations as warehouse
from apps.warehouse.lifecycle import EXCHANGE
from apps.warehouse.models import Batch, ExchangeTable
from apps.warehouse.operations import exchange
from apps.warehouse.operations.exchange import Login
from tests.factories.accounts import DepartmentFactory, InformationSystemFactory, UserFactory
from tests.factories.catalog import LONG_AGO
from tests.factories.warehouse import AT, column, publish_contract, published

COLUMNS = (
    column("id_no", "编号", length=20, required=True),
    column("name", "姓名", length=100),
)
INSERT = "INSERT INTO exchange.{} (id_no, name) VALUES (%s, %s)"


def _department_of(dataset: Dataset) -> Any:
    return UserFactory(department=dataset.department, roles=["department_editor"])


@pytest.fixture
def committed(transactional_db: None) -> Iterator[Dataset]:
    """A dataset that other connections see; what was made for it is dropped at the end."""
    dataset = published(*COLUMNS, department=DepartmentFactory(name="市民政局"))
    yield dataset
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS exchange CASCADE")
        for role in (exchanging.login_of(dataset.pk), exchanging.writers_role()):
            cursor.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


@pytest.fixture
def editor(committed: Dataset) -> Any:
    return _department_of(committed)


def opened(dataset: Dataset, actor: Any, mode: str = "upsert") -> Login:
    system = InformationSystemFactory(department=dataset.department)
    return warehouse.open_exchange(dataset=dataset, system=system, mode=mode, actor=actor, at=AT)


def signed_in(login: Login) -> psycopg.Connection[Any]:
    place = connection.settings_dict
    return psycopg.connect(
        host=place["HOST"],
        port=place["PORT"],
        dbname=place["NAME"],
        user=login.name,
        password=login.password,
        autocommit=True,
    )


def write(login: Login, *rows: tuple[str, str]) -> None:
    with signed_in(login) as line, line.cursor() as cursor:
        cursor.executemany(INSERT.format(login.table.name), rows)


class TestTaking:
    def test_what_is_written_lands_once_and_the_last_of_a_key_wins(
        self, committed: Dataset, editor: Any, rows: Any
    ) -> None:
        login = opened(committed, editor)
        write(login, ("A1", "张三"), ("A2", '李,\n"四"'), ("A1", "张三改"))
        assert warehouse.drain_due(at=AT) == 1
        assert warehouse.drain_due(at=AT) == 0
        batch = Batch.objects.get()
        assert batch.declared_by_source == 3
        assert warehouse.land(batch_id=batch.pk, at=AT).status == "landed"
        assert rows(committed, "id_no", "name", order="id_no") == [
            ("A1", "张三改"),
            ("A2", '李,\n"四"'),
        ]
        table = ExchangeTable.objects.get()
        assert (table.last_batch, exchanging.waiting_rows(table)) == (batch, 0)

    def test_rows_not_yet_committed_are_left_for_the_next_time(
        self, committed: Dataset, editor: Any
    ) -> None:
        login = opened(committed, editor)
        with signed_in(login) as line:
            line.autocommit = False
            line.execute(INSERT.format(login.table.name), ("A1", "x"))
            write(login, ("A2", "y"))
            assert warehouse.drain_due(at=AT) == 1
            line.commit()
        assert exchanging.waiting_rows(login.table) == 1
        assert warehouse.drain_due(at=AT) == 1
        assert sorted(b.declared_by_source or 0 for b in Batch.objects.all()) == [1, 1]

    def test_a_death_before_the_commit_keeps_every_row(
        self, committed: Dataset, editor: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        login = opened(committed, editor)
        write(login, ("A1", "x"), ("A2", "y"))

        class Died(Exception):
            pass

        def dying(*_args: Any, **_more: Any) -> Any:
            raise Died

        with monkeypatch.context() as patch:
            patch.setattr(exchange, "receive", dying)
            with pytest.raises(Died):
                warehouse.drain(table=login.table, at=AT)
        assert exchanging.waiting_rows(login.table) == 2
        assert not Batch.objects.exists()
        assert warehouse.drain_due(at=AT) == 1

    def test_two_workers_take_each_row_once(self, committed: Dataset, editor: Any) -> None:
        login = opened(committed, editor)
        write(login, *((f"A{number}", "x") for number in range(500)))

        def work() -> None:
            try:
                warehouse.drain_due(at=AT)
            finally:
                connection.close()

        workers = [threading.Thread(target=work) for _each in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert [batch.declared_by_source for batch in Batch.objects.all()] == [500]

    def test_a_withdrawn_entry_keeps_the_rows(self, committed: Dataset, editor: Any) -> None:
        login = opened(committed, editor)
        write(login, ("A1", "x"))
        Dataset.objects.filter(pk=committed.pk).update(status="withdrawn", withdrawn_at=AT)
        assert warehouse.drain_due(at=AT) == 0
        assert exchanging.waiting_rows(login.table) == 1

    def test_it_follows_the_contract(self, committed: Dataset, editor: Any) -> None:
        login = opened(committed, editor)
        write(login, ("A1", "x"))
        publish_contract(committed, *COLUMNS, column("grade", "等级", length=10))
        assert warehouse.drain_due(at=AT) == 1
        with signed_in(login) as line:
            line.execute(
                f"INSERT INTO exchange.{login.table.name} (id_no, grade) VALUES ('A2', '甲')"
            )
        assert warehouse.drain_due(at=AT) == 1


class TestLogin:
    @pytest.mark.parametrize(
        "statement",
        [
            "SELECT * FROM exchange.{}",
            "INSERT INTO exchange.{} (id_no) VALUES ('A') RETURNING id_no",
            "INSERT INTO exchange.{} (_sequence) OVERRIDING SYSTEM VALUE VALUES (1)",
            "UPDATE exchange.{} SET name = 'x'",
            "DELETE FROM exchange.{}",
            "TRUNCATE exchange.{}",
            "COPY exchange.{} TO STDOUT",
            "ALTER TABLE exchange.{} ADD COLUMN x text",
            "DROP TABLE exchange.{}",
            "CREATE TABLE exchange.mine (x text)",
            "CREATE TEMP TABLE mine (x text)",
            "SELECT * FROM accounts_user",
            "SELECT * FROM catalog_dataset",
            "SET ROLE huiliu",
            "CREATE ROLE mine",
        ],
    )
    def test_it_may_insert_and_nothing_else(
        self, committed: Dataset, editor: Any, statement: str
    ) -> None:
        login = opened(committed, editor)
        write(login, ("A1", "x"))
        with signed_in(login) as line, pytest.raises(errors.InsufficientPrivilege):
            line.execute(statement.format(login.table.name))
        assert exchanging.waiting_rows(login.table) == 1

    def test_opening_again_replaces_the_password(self, committed: Dataset, editor: Any) -> None:
        first = opened(committed, editor)
        second = opened(committed, editor, mode="append")
        with pytest.raises(psycopg.OperationalError):
            signed_in(first)
        write(second, ("A1", "x"))
        assert ExchangeTable.objects.get().mode == "append"

    def test_closing_takes_the_rest_and_leaves_nothing(
        self, committed: Dataset, editor: Any
    ) -> None:
        login = opened(committed, editor)
        write(login, ("A1", "x"))
        warehouse.close_exchange(table=login.table, actor=editor, at=AT)
        assert Batch.objects.get().declared_by_source == 1
        assert not exchanging.is_made(login.table)
        with pytest.raises(psycopg.OperationalError):
            signed_in(login)
        with pytest.raises(IllegalMove):
            warehouse.close_exchange(table=ExchangeTable.objects.get(), actor=editor, at=AT)
        again = opened(committed, editor)
        write(again, ("A2", "y"))
        assert warehouse.drain_due(at=AT) == 1

    def test_closing_waits_for_no_open_transaction_but_shuts_the_door(
        self, committed: Dataset, editor: Any
    ) -> None:
        login = opened(committed, editor)
        with signed_in(login) as line:
            line.autocommit = False
            line.execute(INSERT.format(login.table.name), ("A1", "x"))
            with pytest.raises(exchanging.ExchangeBusy):
                warehouse.close_exchange(table=login.table, actor=editor, at=AT)
            with pytest.raises(psycopg.OperationalError):
                signed_in(login)
            line.commit()
        assert ExchangeTable.objects.get().status == "open"
        warehouse.close_exchange(table=login.table, actor=editor, at=AT)
        assert Batch.objects.get().declared_by_source == 1


@pytest.mark.django_db
class TestTerms:
    def test_a_whole_table_cannot_be_written_row_by_row(
        self, dataset: Dataset, provider: Any
    ) -> None:
        with pytest.raises(InvalidInput):
            opened(dataset, provider, mode="snapshot")
        assert not ExchangeTable.objects.exists()

    def test_only_the_departments_own_system_writes(
        self, dataset: Dataset, provider: Any, consumer_department: Any
    ) -> None:
        with pytest.raises(InvalidInput):
            warehouse.open_exchange(
                dataset=dataset,
                system=InformationSystemFactory(department=consumer_department),
                mode="upsert",
                actor=provider,
                at=AT,
            )

    def test_exactly_these_may(self, dataset: Dataset, provider: Any, cast: dict[str, Any]) -> None:
        system = InformationSystemFactory(department=dataset.department)
        table = ExchangeTable.objects.create(
            dataset=dataset,
            system=system,
            mode="upsert",
            opened_by=provider,
            created_at=LONG_AGO,
            updated_at=LONG_AGO,
        )
        seen = {name for name, person in cast.items() if access.allowed(person, "view", table)}
        assert seen == {
            "provider", "provider_head", "authority", "authority_leader", "auditor",
            "system_admin", "security_admin",
        }  # fmt: skip
        for name, person in cast.items():
            if name == "provider":
                continue
            with pytest.raises(NotAllowed):
                warehouse.open_exchange(
                    dataset=dataset, system=system, mode="upsert", actor=person, at=AT
                )
            with pytest.raises(NotAllowed):
                warehouse.close_exchange(table=table, actor=person, at=AT)
        table.refresh_from_db()
        assert table.status == "open"

    @pytest.mark.parametrize("status", ExchangeTable.Status.values)
    @pytest.mark.parametrize("move", [move.name for move in EXCHANGE.moves])
    def test_every_pair_of_status_and_move(
        self, dataset: Dataset, provider: Any, status: str, move: str
    ) -> None:
        table = ExchangeTable.objects.create(
            dataset=dataset,
            system=InformationSystemFactory(department=dataset.department),
            status=status,
            mode="upsert",
            opened_by=provider,
            created_at=LONG_AGO,
            updated_at=LONG_AGO,
        )
        legal = {("open", "close"): "closed", ("closed", "reopen"): "open"}
        if (status, move) in legal:
            EXCHANGE.apply(table, move, actor=provider, at=AT)
            assert table.status == legal[status, move]
            return
        with pytest.raises(Conflict):
            EXCHANGE.apply(table, move, actor=provider, at=AT)
        table.refresh_from_db()
        assert table.status == status


class TestPage:
    def test_the_password_is_shown_once_and_the_table_closed_again(
        self, committed: Dataset, editor: Any
    ) -> None:
        system = InformationSystemFactory(department=committed.department)
        client = Client()
        client.force_login(editor, backend="django.contrib.auth.backends.ModelBackend")
        page = f"/work/ways-in/{committed.dashed_code}/exchange/"
        assert client.get(page).status_code == 200
        answer = client.post(page, {"move": "open", "system": system.pk, "mode": "upsert"})
        table = ExchangeTable.objects.get()
        password = answer.context["login"].password
        assert password in answer.content.decode()
        write(answer.context["login"], ("A1", "x"))
        again = client.get(page).content.decode()
        assert password not in again
        assert exchanging.login_of(committed.pk) in again
        answer = client.post(page, {"move": "close"}, follow=True)
        assert "已关闭" in answer.content.decode()
        table.refresh_from_db()
        assert table.status == "closed"

    def test_others_of_the_department_look_and_strangers_do_not(
        self, committed: Dataset, editor: Any
    ) -> None:
        opened(committed, editor)
        head = UserFactory(department=committed.department, roles=["department_approver"])
        stranger = UserFactory(department=DepartmentFactory(), roles=["department_editor"])
        page = f"/work/ways-in/{committed.dashed_code}/exchange/"
        for person, looked, acted in ((head, 200, 403), (stranger, 404, 404)):
            client = Client()
            client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
            assert client.get(page).status_code == looked
            assert client.post(page, {"move": "close"}).status_code == acted
        assert ExchangeTable.objects.get().status == "open"
