"""Sources that are read on a schedule: exactly once, never half, told in words when they fail."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.catalog.models import Dataset
from apps.core import access
from apps.core.errors import (
    Conflict,
    DomainError,
    IllegalMove,
    InvalidInput,
    NotAllowed,
    StaleRevision,
)
from apps.ledger.models import Event, Notice, Todo
from apps.warehouse import operations as warehouse
from apps.warehouse import queries
from apps.warehouse.lifecycle import PULL_RUN, PULL_SOURCE
from apps.warehouse.models import Batch, PullRun, PullSource
from apps.warehouse.operations import pulling
from apps.warehouse.pulling import http, schedule
from tests.factories.accounts import InformationSystemFactory
from tests.factories.sources import FILE_TERMS, TABLE_TERMS, registered
from tests.factories.warehouse import AT, IDENTITIES, landed, received
from tests.warehouse.file_server import FileServer, running

pytestmark = pytest.mark.django_db

HEADER = "身份证号,姓名,出生日期,手机号,金额,等级\n"
ROWS = [f"{IDENTITIES[n]},张三,1990-01-01,13800000000,1.50,甲\n" for n in range(3)]
CONTENT = (HEADER + "".join(ROWS)).encode()


@pytest.fixture(autouse=True)
def _allowed(settings: Any) -> None:
    settings.HUILIU_PULL_ALLOW = ["127.0.0.0/8"]


@pytest.fixture
def server() -> Iterator[FileServer]:
    with running() as started:
        started.content = CONTENT
        yield started


@pytest.fixture
def source(dataset: Dataset, provider: Any, server: FileServer) -> Any:
    return registered(dataset, provider, url=server.url())


def later(minutes: int) -> datetime:
    return AT + timedelta(minutes=minutes)


def count_rows(dataset: Dataset) -> int:
    table = queries.table_of(dataset)
    return 0 if table is None else table.row_count


class TestFiles:
    def test_a_changed_file_lands_and_an_unchanged_one_does_not(
        self, source: Any, server: FileServer, dataset: Dataset
    ) -> None:
        assert warehouse.pull_due(at=AT) == 1
        run = source.runs.get()
        assert (run.status, run.message) == ("landed", run.batch.message)
        assert count_rows(dataset) == 3
        source.refresh_from_db()
        assert source.etag == '"1"'
        assert source.next_run_at == later(60)
        assert run.batch.source == source.system.service_user

        assert warehouse.pull_due(at=later(30)) == 0
        assert warehouse.pull_due(at=later(60)) == 1
        assert source.runs.first().status == "nothing_new"
        assert Batch.objects.count() == 1

        server.etag, server.content = '"2"', (HEADER + ROWS[0]).encode()
        assert warehouse.pull_due(at=later(120)) == 1
        assert count_rows(dataset) == 1
        assert Batch.objects.count() == 2

    def test_the_same_content_under_another_tag_makes_no_batch(
        self, source: Any, server: FileServer
    ) -> None:
        warehouse.pull_due(at=AT)
        server.etag = '"2"'
        warehouse.pull_due(at=later(60))
        assert source.runs.first().status == "nothing_new"
        assert Batch.objects.count() == 1
        source.refresh_from_db()
        assert source.etag == '"2"'

    def test_a_file_that_breaks_off_lands_nothing(
        self, source: Any, server: FileServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http, "LONGEST_PAUSE_SECONDS", 0.01)
        server.cut_after = 100
        warehouse.pull_due(at=AT)
        run = source.runs.get()
        assert (run.status, run.message_code) == ("failed", "source_unreachable")
        assert not Batch.objects.exists()
        assert len(server.asked) == 3
        source.refresh_from_db()
        assert (source.failures, source.etag, source.last_success_at) == (1, "", None)
        assert AT < source.next_run_at <= later(1)

        server.cut_after = None
        warehouse.pull_due(at=later(1))
        source.refresh_from_db()
        assert (source.failures, source.runs.first().status) == (0, "landed")

    @pytest.mark.parametrize("announce", [True, False])
    def test_one_that_trickles_is_cut_off_in_time_and_lands_nothing(
        self, source: Any, server: FileServer, monkeypatch: pytest.MonkeyPatch, announce: bool
    ) -> None:
        monkeypatch.setattr(http, "WHOLE_SECONDS", 0.5)
        server.pause, server.announce = 0.05, announce
        begun = monotonic()
        warehouse.pull_due(at=AT)
        assert monotonic() - begun < 3
        assert source.runs.get().message_code == "source_too_slow"
        assert len(server.asked) == 1
        assert not Batch.objects.exists()

    def test_a_busy_server_is_asked_again(self, source: Any, server: FileServer) -> None:
        server.busy = 1
        warehouse.pull_due(at=AT)
        assert source.runs.get().status == "landed"
        assert len(server.asked) == 2

    @pytest.mark.parametrize(
        ("facts", "code"),
        [
            ({"status": 404}, "source_refused"),
            ({"status": 401}, "source_refused"),
            ({"content": b"x" * 2000}, "source_too_large"),
            ({"content": b"x" * 2000, "announce": False}, "source_too_large"),
            ({"redirects": {"/people.csv": "/people.csv"}}, "source_redirects"),
            ({"redirects": {"/people.csv": "http://10.0.0.1/x"}}, "address_refused"),
            ({"redirects": {"/people.csv": "file:///etc/passwd"}}, "url_invalid"),
            ({"redirects": {"/people.csv": "http://[::1]/x"}}, "address_refused"),
        ],
    )
    def test_what_must_not_be_taken_is_told_by_code(
        self, source: Any, server: FileServer, settings: Any, facts: Any, code: str
    ) -> None:
        settings.HUILIU_PULL_BYTES = 1000
        for name, value in facts.items():
            setattr(server, name, value)
        warehouse.pull_due(at=AT)
        run = source.runs.get()
        assert (run.status, run.message_code) == ("failed", code)
        assert run.message
        assert not Batch.objects.exists()

    def test_a_redirect_on_the_same_machine_is_followed(
        self, source: Any, server: FileServer
    ) -> None:
        server.redirects = {"/people.csv": "/today.csv"}
        warehouse.pull_due(at=AT)
        assert source.runs.get().status == "landed"
        assert source.runs.get().batch.file_name == "today.csv"

    def test_the_secret_goes_to_its_own_server_only(
        self, dataset: Dataset, provider: Any, server: FileServer
    ) -> None:
        source = registered(dataset, provider, url=server.url(), secret="s3cret", username="u")
        with running() as other:
            other.content = CONTENT
            server.redirects = {"/people.csv": f"http://localhost:{other.port}/x.csv"}
            warehouse.pull_due(at=AT)
            assert "Authorization" in server.asked[0]
            assert "Authorization" not in other.asked[0]
        assert "s3cret" not in source.sealed_secret

    def test_a_network_that_is_no_longer_allowed_is_not_connected_to(
        self, source: Any, server: FileServer, settings: Any
    ) -> None:
        settings.HUILIU_PULL_ALLOW = []
        warehouse.pull_due(at=AT)
        assert source.runs.get().message_code == "address_refused"
        assert not server.asked


class TestFaults:
    def test_a_worker_that_died_before_handing_in_leaves_nothing(
        self, source: Any, dataset: Dataset
    ) -> None:
        run = PullRun.objects.create(
            source=source, started_at=AT, heartbeat_at=timezone.now(), created_at=AT, updated_at=AT
        )
        assert warehouse.settle_runs(at=AT) == 0
        PullRun.objects.filter(pk=run.pk).update(heartbeat_at=AT - timedelta(days=30))
        assert warehouse.settle_runs(at=AT) == 1
        run.refresh_from_db()
        assert (run.status, run.message_code) == ("failed", "run_interrupted")
        assert not Batch.objects.exists()
        source.refresh_from_db()
        assert warehouse.pull_due(at=source.next_run_at) == 1
        assert count_rows(dataset) == 3

    def test_a_slow_worker_that_was_taken_for_dead_hands_nothing_in(
        self, source: Any, tmp_path: Path
    ) -> None:
        slow = pulling._begin(source, AT)
        assert slow is not None
        PullRun.objects.update(heartbeat_at=AT - timedelta(days=30))
        assert warehouse.settle_runs(at=AT) == 1
        (tmp_path / "rows.csv").write_bytes(CONTENT)
        with pytest.raises(StaleRevision):
            pulling._hand_in(source, slow, tmp_path / "rows.csv", AT)
        assert not Batch.objects.exists()

    def test_one_reading_at_a_time(self, source: Any) -> None:
        PullRun.objects.create(
            source=source, started_at=AT, heartbeat_at=later(99999), created_at=AT, updated_at=AT
        )
        assert warehouse.pull(source=source, at=AT) is None
        assert warehouse.pull_due(at=AT) == 0

    def test_rows_that_are_refused_leave_the_checkpoint_and_tell_the_department(
        self, source: Any, server: FileServer, provider: Any, dataset: Dataset
    ) -> None:
        server.content = b"a,b\n1,2\n"
        warehouse.pull_due(at=AT)
        run = source.runs.get()
        assert (run.status, run.message_code) == ("refused", run.batch.message_code)
        source.refresh_from_db()
        assert (source.etag, source.failures) == ("", 1)
        assert source.next_run_at >= later(60)
        assert Todo.objects.get(done_at=None).department == dataset.department
        assert Notice.objects.filter(recipient=provider).exists()
        server.content, server.etag = CONTENT, '"9"'
        source.refresh_from_db()
        warehouse.pull_due(at=source.next_run_at)
        assert source.runs.first().status == "landed"
        assert not Todo.objects.filter(done_at=None).exists()

    def test_the_third_failure_in_a_row_makes_a_to_do(
        self, source: Any, server: FileServer
    ) -> None:
        server.status = 404
        at = AT
        for _each in range(3):
            assert not Todo.objects.exists()
            warehouse.pull_due(at=at)
            source.refresh_from_db()
            at = source.next_run_at
        assert Todo.objects.filter(kind="warehouse.mend_source", done_at=None).count() == 1

    def test_a_batch_of_the_dataset_still_under_way_is_waited_for(
        self, source: Any, dataset: Dataset, provider: Any
    ) -> None:
        earlier = received(dataset, CONTENT, actor=provider, mode="upsert")
        warehouse.pull_due(at=AT)
        run = source.runs.get()
        assert run.status == "handed_in"
        warehouse.land(batch_id=earlier.pk, at=AT)
        warehouse.land(batch_id=run.batch_id, at=AT)
        warehouse.settle_runs(at=AT)
        run.refresh_from_db()
        assert run.status == "landed"

    def test_content_that_landed_before_but_not_last_lands_again(
        self, source: Any, dataset: Dataset, provider: Any, server: FileServer
    ) -> None:
        warehouse.pull_due(at=AT)
        landed(dataset, HEADER + ROWS[0], actor=provider, mode="snapshot")
        server.etag = '"2"'
        warehouse.pull_due(at=later(60))
        assert count_rows(dataset) == 3


class TestTerms:
    @pytest.mark.parametrize(
        ("terms", "code"),
        [
            ({"url": "ftp://example.com/x"}, "url_invalid"),
            ({"url": "http://user:pw@127.0.0.1/x"}, "url_invalid"),
            ({"url": "http://10.0.0.1/x"}, "address_refused"),
            ({"url": "http://no-such-host.invalid/x"}, "host_unknown"),
            ({"mode": "replace"}, "mode_unknown"),
            ({"every_minutes": 0}, "schedule_invalid"),
            ({"every_minutes": None}, "schedule_invalid"),
            ({"daily_at": time(3)}, "schedule_invalid"),
            ({"window_from": time(3)}, "schedule_invalid"),
            ({"name": " "}, "invalid_input"),
            ({"kind": "postgresql", "host": ""}, "invalid_input"),
            ({"kind": "postgresql", "port": 0}, "invalid_input"),
            ({"kind": "postgresql", "mode": "snapshot"}, "mode_unfit"),
            ({"kind": "mysql", "watermark_column": "", "mode": "append"}, "mode_unfit"),
            ({"kind": "mysql", "columns": {"name": "n"}}, "mapping_invalid"),
            ({"kind": "mysql", "columns": {**TABLE_TERMS["columns"], "x": "y"}}, "mapping_invalid"),
            ({"kind": "mysql", "host": "192.168.1.1"}, "address_refused"),
        ],
    )
    def test_what_cannot_be_is_refused(
        self, dataset: Dataset, provider: Any, terms: Any, code: str
    ) -> None:
        with pytest.raises(InvalidInput) as caught:
            registered(dataset, provider, **{"url": "http://127.0.0.1/x.csv", **terms})
        assert caught.value.code == code
        assert not PullSource.objects.exists()
        assert not Event.objects.filter(verb="warehouse.register_source").exists()

    def test_another_departments_system_cannot_hand_in(
        self, dataset: Dataset, provider: Any, consumer_department: Any
    ) -> None:
        with pytest.raises(InvalidInput) as caught:
            warehouse.register_source(
                dataset=dataset,
                system=InformationSystemFactory(department=consumer_department),
                terms={**FILE_TERMS, "url": "http://127.0.0.1/x"},
                actor=provider,
                at=AT,
            )
        assert caught.value.code == "foreign_system"

    def test_a_name_stands_once(self, dataset: Dataset, provider: Any) -> None:
        registered(dataset, provider, url="http://127.0.0.1/x")
        with pytest.raises(Conflict) as caught:
            registered(dataset, provider, url="http://127.0.0.1/x")
        assert caught.value.code == "name_taken"

    def test_a_secret_does_not_follow_to_another_place(
        self, dataset: Dataset, provider: Any
    ) -> None:
        source = registered(dataset, provider, kind="postgresql", secret="pw")
        kept = source.sealed_secret
        with pytest.raises(InvalidInput) as caught:
            warehouse.change_source(
                source=source, terms={"host": "127.0.0.2"}, actor=provider, at=AT
            )
        assert caught.value.code == "secret_needed"
        source.refresh_from_db()
        assert (source.host, source.sealed_secret) == ("127.0.0.1", kept)
        warehouse.change_source(source=source, terms={"every_minutes": 5}, actor=provider, at=AT)
        source.refresh_from_db()
        assert (source.every_minutes, source.sealed_secret) == (5, kept)

    def test_another_content_begins_at_the_beginning_and_history_keeps_no_secret(
        self, dataset: Dataset, provider: Any
    ) -> None:
        source = registered(dataset, provider, kind="postgresql", secret="pw")
        PullSource.objects.filter(pk=source.pk).update(checkpoint={"kind": "integer", "value": "5"})
        warehouse.change_source(source=source, terms={"every_minutes": 5}, actor=provider, at=AT)
        assert PullSource.objects.get().checkpoint is not None
        warehouse.change_source(source=source, terms={"table_name": "other"}, actor=provider, at=AT)
        assert PullSource.objects.get().checkpoint is None
        history = list(source.history.all())
        assert [each.history_change_reason for each in history] == ["修改", "修改", "启用", "登记"]
        assert all(each.history_user == provider for each in history)
        assert not any(hasattr(each, "sealed_secret") for each in history)

    def test_a_source_that_is_read_or_retired_is_not_changed(
        self, dataset: Dataset, provider: Any
    ) -> None:
        source = registered(dataset, provider, url="http://127.0.0.1/x")
        run = PullRun.objects.create(
            source=source, started_at=AT, heartbeat_at=AT, created_at=AT, updated_at=AT
        )
        for name in ("change_source", "run_source_now"):
            extra = {"terms": {"every_minutes": 7}} if name == "change_source" else {}
            with pytest.raises(Conflict):
                getattr(warehouse, name)(source=source, actor=provider, at=AT, **extra)
        run.delete()
        warehouse.retire_source(source=source, actor=provider, at=AT, reason="系统下线")
        with pytest.raises(Conflict):
            warehouse.change_source(
                source=source, terms={"every_minutes": 7}, actor=provider, at=AT
            )
        source.refresh_from_db()
        assert (source.every_minutes, source.sealed_secret) == (60, "")

    def test_now_is_refused_outside_the_window_and_while_paused(
        self, dataset: Dataset, provider: Any, server: FileServer
    ) -> None:
        source = registered(
            dataset,
            provider,
            url=server.url(),
            window_from=time(22),
            window_to=time(6),
            started=False,
        )
        with pytest.raises(Conflict) as caught:
            warehouse.run_source_now(source=source, actor=provider, at=AT)
        assert caught.value.code == "source_not_active"
        warehouse.resume_source(source=source, actor=provider, at=AT)
        assert source.next_run_at == datetime(2026, 11, 18, 14, 0, tzinfo=UTC)
        with pytest.raises(Conflict) as caught:
            warehouse.run_source_now(source=source, actor=provider, at=AT)
        assert caught.value.code == "outside_window"
        night = datetime(2026, 11, 18, 20, 0, tzinfo=UTC)
        warehouse.run_source_now(source=source, actor=provider, at=night)
        assert warehouse.pull_due(at=night) == 1

    def test_trying_reads_nothing_in(
        self, dataset: Dataset, provider: Any, source: Any, server: FileServer
    ) -> None:
        words = warehouse.try_source(source=source, actor=provider, at=AT)
        assert "people.csv" in words
        assert not Batch.objects.exists()
        server.status = 404
        with pytest.raises(DomainError):
            warehouse.try_source(source=source, actor=provider, at=AT)


def test_a_paused_source_is_not_read(source: Any, provider: Any, server: FileServer) -> None:
    warehouse.pause_source(source=source, actor=provider, at=AT)
    assert warehouse.pull_due(at=later(600)) == 0
    assert not server.asked


EDITORS = ("change_source", "try_source", "run_now", "resume", "pause", "retire")
STATE = {
    "provider", "provider_head", "authority", "authority_leader", "auditor", "system_admin",
    "security_admin",
}  # fmt: skip


def test_exactly_these_may_see_and_keep_it(
    dataset: Dataset, provider: Any, cast: dict[str, Any]
) -> None:
    source = registered(dataset, provider, url="http://127.0.0.1/x")
    run = PullRun.objects.create(
        source=source, started_at=AT, heartbeat_at=AT, created_at=AT, updated_at=AT
    )
    for row in (source, run):
        assert {n for n, who in cast.items() if access.allowed(who, "view", row)} == STATE
    for action in EDITORS:
        assert {n for n, who in cast.items() if access.allowed(who, action, source)} == {"provider"}
    may = {n for n, who in cast.items() if access.allowed(who, "register_source", dataset)}
    assert may == {"provider"}


def test_nobody_else_does_it(dataset: Dataset, provider: Any, cast: dict[str, Any]) -> None:
    source = registered(dataset, provider, url="http://127.0.0.1/x")
    before = PullSource.objects.values().get()
    calls: dict[str, dict[str, Any]] = {
        "change_source": {"terms": {"every_minutes": 7}},
        "try_source": {},
        "run_source_now": {},
        "resume_source": {},
        "pause_source": {},
        "retire_source": {"reason": "x"},
    }
    for name, person in cast.items():
        if name == "provider":
            continue
        for call, extra in calls.items():
            with pytest.raises(NotAllowed):
                getattr(warehouse, call)(source=source, actor=person, at=AT, **extra)
    assert PullSource.objects.values().get() == before


SOURCE_LEGAL = {
    ("paused", "resume"): "active",
    ("active", "pause"): "paused",
    ("active", "retire"): "retired",
    ("paused", "retire"): "retired",
}
RUN_LEGAL = {
    ("reading", "hand_in"): "handed_in",
    ("reading", "find_nothing"): "nothing_new",
    ("reading", "fail"): "failed",
    ("handed_in", "land"): "landed",
    ("handed_in", "refuse"): "refused",
}


@pytest.mark.parametrize("status", PullSource.Status.values)
@pytest.mark.parametrize("move", [move.name for move in PULL_SOURCE.moves])
def test_every_pair_of_a_source(dataset: Dataset, provider: Any, status: str, move: str) -> None:
    source = registered(dataset, provider, url="http://127.0.0.1/x", started=False)
    PullSource.objects.filter(pk=source.pk).update(status=status)
    histories = source.history.count()
    if (status, move) in SOURCE_LEGAL:
        PULL_SOURCE.apply(source, move, actor=provider, at=AT, reason="理由")
        assert source.status == SOURCE_LEGAL[status, move]
        assert source.history.count() == histories + 1
        return
    with pytest.raises(IllegalMove):
        PULL_SOURCE.apply(source, move, actor=provider, at=AT, reason="理由")
    assert PullSource.objects.get().status == status
    assert source.history.count() == histories


@pytest.mark.parametrize("status", PullRun.Status.values)
@pytest.mark.parametrize("move", [move.name for move in PULL_RUN.moves])
def test_every_pair_of_a_run(dataset: Dataset, provider: Any, status: str, move: str) -> None:
    source = registered(dataset, provider, url="http://127.0.0.1/x")
    batch = received(dataset, "a", actor=provider)
    ended = None if status in ("reading", "handed_in") else AT
    run = PullRun.objects.create(
        source=source,
        status=status,
        batch=batch,
        started_at=AT,
        heartbeat_at=AT,
        ended_at=ended,
        created_at=AT,
        updated_at=AT,
    )
    fields: dict[str, Any] = {} if move == "hand_in" else {"ended_at": AT}
    if (status, move) in RUN_LEGAL:
        PULL_RUN.apply(run, move, actor=None, at=AT, **fields)
        assert run.status == RUN_LEGAL[status, move]
        return
    with pytest.raises(IllegalMove):
        PULL_RUN.apply(run, move, actor=None, at=AT, **fields)
    assert PullRun.objects.get().status == status


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"every_minutes": None}, "warehouse_pullsource_one_schedule"),
        ({"every_minutes": 0}, "warehouse_pullsource_interval_fits"),
        ({"window_from": time(1)}, "warehouse_pullsource_window_whole"),
        ({"url": ""}, "warehouse_pullsource_place_whole"),
        ({"watermark_column": "w"}, "warehouse_pullsource_watermark_upserts"),
    ],
)
def test_the_database_keeps_the_terms_together(
    dataset: Dataset, provider: Any, facts: dict[str, Any], rule: str
) -> None:
    registered(dataset, provider, url="http://127.0.0.1/x")
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        PullSource.objects.update(**facts)


class TestSchedule:
    def at(self, hour: int, minute: int = 0) -> datetime:
        return datetime(2026, 11, 18, hour, minute, tzinfo=UTC) - timedelta(hours=8)

    def test_it_stays_within_the_window(self) -> None:
        night: Any = {"window_from": time(22), "window_to": time(6)}
        assert schedule.is_open(self.at(23), **night)
        assert schedule.is_open(self.at(5, 59), **night)
        assert not schedule.is_open(self.at(6), **night)
        next_one = schedule.next_run(self.at(5, 30), every_minutes=60, daily_at=None, **night)
        assert next_one == self.at(22)

    def test_once_a_day_is_tomorrow_once_it_was_today(self) -> None:
        rhythm: dict[str, Any] = {"every_minutes": None, "daily_at": time(2, 30)}
        assert schedule.next_run(self.at(1), **rhythm) == self.at(2, 30)
        assert schedule.next_run(self.at(2, 30), **rhythm) == self.at(2, 30) + timedelta(days=1)

    def test_it_waits_longer_after_each_failure_up_to_an_hour(self) -> None:
        waits = [schedule.back_off(n, chance=1.0) for n in range(1, 9)]
        minutes = [int(wait.total_seconds()) // 60 for wait in waits]
        assert minutes == [1, 2, 4, 8, 16, 32, 60, 60]
        assert schedule.back_off(3, chance=0.0) == timedelta(minutes=2)


def test_fetching_leaves_nothing_behind(source: Any, home: Path) -> None:
    warehouse.pull_due(at=AT)
    assert not list((home / "work").iterdir())
