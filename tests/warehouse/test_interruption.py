"""Killed workers, take-overs, senders and readers at once: all of a batch or nothing of it.

A batch is held in its last step, its rows written but not committed, by a lock that the test takes
on the table of rejected records.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from threading import Barrier, Thread
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from psycopg import sql

from apps.catalog.models import Dataset
from apps.core import files
from apps.core.errors import IllegalMove, StaleRevision
from apps.warehouse import operations as warehouse
from apps.warehouse import queries
from apps.warehouse.models import Batch, Rejection
from apps.warehouse.tasks import land_due
from tests.factories.warehouse import AT, IDENTITIES, balance, landed, received
from tests.warehouse.conftest import Rows

HEADER = "identity_number,name,born_on,mobile,amount,grade\n"
A, B, C = IDENTITIES[:3]
PATIENCE_SECONDS = 60
LATER = queries.LEASE + timedelta(minutes=1)


def person(identity: str, name: str = "张三", grade: str = "甲") -> str:
    return f"{identity},{name},1990-01-01,13800000000,1.50,{grade}\n"


OLD = HEADER + person(A) + person(B)
NEW = HEADER + person(A, "新") + person(C) + person("500103199001011233")  # the last is rejected


@pytest.fixture
def committed(transactional_db: None) -> Iterator[None]:
    """Work that other connections see; the data tables are dropped afterwards."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname ~ '^pool_'")
        for (schema,) in cursor.fetchall():
            cursor.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))


def connect() -> psycopg.Connection[Any]:
    """A connection of the test's own, outside Django's."""
    place = connection.settings_dict
    return psycopg.connect(
        host=place["HOST"],
        port=place["PORT"],
        user=place["USER"],
        password=place["PASSWORD"],
        dbname=place["NAME"],
    )


@contextmanager
def last_step_held() -> Iterator[psycopg.Connection[Any]]:
    """Keep batches from writing their rejections, until the end of the block."""
    with connect() as holder:
        holder.execute("LOCK TABLE warehouse_rejection IN SHARE MODE")
        yield holder
        holder.rollback()


def wait_until(found: Callable[[], Any], *, what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if answer := found():
            return answer
        time.sleep(0.02)  # between two looks
    raise AssertionError(f"waited in vain for {what}")


def held(watcher: psycopg.Connection[Any]) -> list[int]:
    """The server processes that wait for a lock while they write rejections."""
    found = watcher.execute(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock' AND query LIKE 'COPY warehouse_rejection%'"
    ).fetchall()
    watcher.rollback()
    return [pid for (pid,) in found]


def worker(batch: Batch) -> subprocess.Popen[bytes]:
    place = connection.settings_dict
    where = psycopg.conninfo.make_conninfo(
        host=place["HOST"],
        port=place["PORT"],
        user=place["USER"],
        password=place["PASSWORD"],
        dbname=place["NAME"],
    )
    environment = {
        **os.environ,
        "DATABASE_URL": where,
        "GATEWAY_DATABASE_URL": where,
        "HUILIU_HOME": str(settings.HUILIU_HOME),
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
    }
    command = [sys.executable, "-m", "tests.warehouse.land_elsewhere", str(batch.pk)]
    return subprocess.Popen(
        [*command, timezone.now().isoformat()], env=environment, cwd=settings.BASE_DIR
    )


def at_once(works: list[Callable[[], Any]]) -> list[Any]:
    """Run each in a thread of its own, started together; return results or errors."""
    results: list[Any] = [None] * len(works)
    ready = Barrier(len(works))

    def run(place: int) -> None:
        try:
            ready.wait(timeout=PATIENCE_SECONDS)
            results[place] = works[place]()
        except Exception as error:  # noqa: BLE001 (handed to the test)
            results[place] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE_SECONDS)
    return results


@pytest.mark.usefixtures("committed")
class TestKilledWorker:
    @pytest.mark.parametrize("mode", ["upsert", "snapshot"])
    def test_a_reader_sees_the_old_state_until_the_new_one_and_never_between(
        self, dataset: Dataset, provider: Any, rows: Rows, mode: str
    ) -> None:
        landed(dataset, OLD, actor=provider)
        batch = received(dataset, NEW, actor=provider, mode=mode)
        before = rows(dataset, "*")

        with connect() as watcher, last_step_held():
            process = worker(batch)
            try:
                [server_process] = wait_until(lambda: held(watcher), what="the batch's last step")
                assert rows(dataset, "*") == before
                assert rows(dataset, "*", past=True) == []
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait(timeout=PATIENCE_SECONDS)
            assert rows(dataset, "*") == before
        gone = partial(self._is_gone, server_process)
        wait_until(gone, what="the end of the killed worker's transaction")

        batch.refresh_from_db()
        assert (batch.status, batch.attempts, batch.horizon) == ("checking", 1, None)
        assert rows(dataset, "*") == before, "nothing of it stayed"
        with pytest.raises(IllegalMove):
            warehouse.land(batch_id=batch.pk, at=timezone.now())  # he may be alive

        assert warehouse.land_due(at=timezone.now() + LATER) == 1

        batch.refresh_from_db()
        assert (batch.status, batch.attempts, batch.horizon) == ("landed", 2, 2)
        gone_row = {"deleted": 1} if mode == "snapshot" else {}
        assert balance(batch) == {"landed": 1, "changed": 1, "rejected": 1} | gone_row
        names = {(A, "新"), (C, "张三")} | ({(B, "张三")} if mode == "upsert" else set())
        assert set(rows(dataset, "identity_number", "name")) == names
        assert Rejection.objects.filter(batch=batch).count() == 1
        assert not list((files.path_of("x").parent.parent / "work").glob("*")), "no scrap is left"

    def test_a_batch_that_stops_its_worker_again_and_again_is_given_up(
        self, dataset: Dataset, provider: Any
    ) -> None:
        first = received(dataset, OLD, actor=provider)
        second = received(dataset, NEW, actor=provider)
        at = timezone.now()
        Batch.objects.filter(pk=first.pk).update(
            status="checking", attempts=3, heartbeat_at=at - LATER
        )
        assert warehouse.land_due(at=at) == 2
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.status, first.message_code) == ("failed", "attempts_exhausted")
        assert files.path_of(first.file.sha256).is_file()
        assert second.status == "landed", "the next one goes on"

    def test_a_worker_that_was_only_slow_loses_to_the_one_that_took_over(
        self, dataset: Dataset, provider: Any, rows: Rows
    ) -> None:
        landed(dataset, OLD, actor=provider)
        batch = received(dataset, NEW, actor=provider)
        land = partial(warehouse.land, batch_id=batch.pk)
        results: list[Any] = []

        def run(at: Any) -> None:
            try:
                results.append(land(at=at))
            except StaleRevision as error:
                results.append(error)
            finally:
                connection.close()

        slow = Thread(target=run, args=(timezone.now(),))
        quick = Thread(target=run, args=(timezone.now() + LATER,))
        with connect() as watcher, last_step_held():
            slow.start()
            wait_until(lambda: held(watcher), what="the slow worker's last step")
            quick.start()
            taken = Batch.objects.filter(pk=batch.pk, attempts=2)
            wait_until(taken.exists, what="the second worker")
        slow.join(timeout=PATIENCE_SECONDS)
        quick.join(timeout=PATIENCE_SECONDS)

        assert sorted(type(result).__name__ for result in results) == ["Batch", "StaleRevision"]
        batch.refresh_from_db()
        assert (batch.status, batch.attempts, batch.horizon) == ("landed", 2, 2)
        assert balance(batch) == {"landed": 1, "changed": 1, "rejected": 1}
        assert len(rows(dataset, "_id")) == 3
        assert len(rows(dataset, "_id", past=True)) == 1

    def _is_gone(self, server_process: int) -> bool:
        with connect() as watcher:
            found = watcher.execute(
                "SELECT 1 FROM pg_stat_activity WHERE pid = %s", [server_process]
            )
            return found.fetchone() is None


@pytest.mark.usefixtures("committed")
class TestAtOnce:
    def test_eight_senders_with_one_key_make_one_batch(
        self, dataset: Dataset, provider: Any
    ) -> None:
        send = partial(received, dataset, OLD, actor=provider, idempotency_key="每日-1")
        results = at_once([send] * 8)
        assert {getattr(result, "pk", result) for result in results} == {Batch.objects.get().pk}

    def test_eight_senders_without_a_key_change_the_table_once(
        self, dataset: Dataset, provider: Any, rows: Rows
    ) -> None:
        at_once([partial(received, dataset, OLD, actor=provider)] * 8)
        assert Batch.objects.count() == 8
        at_once([partial(warehouse.land_due, at=timezone.now())] * 4)
        land_due()
        statuses = sorted(Batch.objects.values_list("status", flat=True))
        assert statuses == ["landed"] + ["unchanged"] * 7
        assert len(rows(dataset, "_id")) == 2

    def test_four_workers_land_in_the_order_of_arrival(
        self, dataset: Dataset, provider: Any, rows: Rows
    ) -> None:
        batches = [
            received(dataset, HEADER + person(A, f"第{number}"), actor=provider)
            for number in range(6)
        ]
        at_once([land_due] * 4)
        land_due()
        horizons = [Batch.objects.get(pk=batch.pk).horizon for batch in batches]
        assert horizons == [1, 2, 3, 4, 5, 6]
        assert rows(dataset, "name") == [("第5",)]


@pytest.mark.django_db
def test_a_later_batch_waits_for_the_earlier_ones(dataset: Dataset, provider: Any) -> None:
    first = received(dataset, OLD, actor=provider)
    second = received(dataset, NEW, actor=provider)
    assert list(queries.due(AT)) == [first]
    with pytest.raises(IllegalMove):
        warehouse.land(batch_id=second.pk, at=AT)
    assert warehouse.land_due(at=AT) == 2
    assert [batch.horizon for batch in Batch.objects.order_by("pk")] == [1, 2]


@pytest.mark.django_db
def test_a_finished_batch_stays_as_it_is(dataset: Dataset, provider: Any) -> None:
    batch = landed(dataset, OLD, actor=provider)
    again = warehouse.land(batch_id=batch.pk, at=timezone.now())
    assert (again.revision, again.attempts, again.horizon) == (batch.revision, 1, 1)
