"""Files of a grant: killed workers, what stops them, and how many there may be."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from apps.core import outgoing
from apps.core.errors import DomainError
from apps.ledger.models import Event
from apps.sharing import operations as sharing
from apps.sharing.gateway import credentials, from_within
from apps.sharing.gateway.files import asking, making, workbooks, writers
from apps.sharing.gateway.files.asking import read_wanted
from apps.sharing.gateway.files.handing_out import stored_name
from apps.sharing.gateway.shapes import shape_of
from apps.sharing.models import Export, Grant, QuotaUse
from apps.warehouse.models import DataTable
from tests import stories
from tests.factories.copies import CONDITION, ITEMS, Killed, make_copied_scene
from tests.factories.exports import (
    after_a_chunk,
    asked,
    body_of,
    fetched,
    files_in_house,
    made,
)
from tests.factories.gateway import (
    access_records,
    closes,
    problem,
)
from tests.factories.sharing import Scene
from tests.sharing.test_concurrency import at_once

pytestmark = pytest.mark.usefixtures("no_earlier_records")
LATER = timedelta(minutes=5)


@pytest.fixture
def landed_scene(server: None) -> Scene:
    """Forty rows with every type and what is hard to write."""
    return make_copied_scene()


@pytest.fixture
def landed_grant(landed_scene: Scene, now: datetime) -> Grant:
    chosen = {"items": ITEMS, "row_condition": CONDITION}
    return stories.delivered(landed_scene, now, mode="file", **chosen).grant


class TestDying:
    def test_a_killed_worker_leaves_no_half_file_and_the_next_makes_it_anew(
        self,
        client: Client,
        address: str,
        now: datetime,
        landed_grant: Grant,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(rows_a_day=1000)
        streamed = body_of(client.get(f"{address}/export.csv"))
        counted = QuotaUse.objects.get().rows
        number = asked(client, address)["id"]

        def die() -> None:
            raise Killed

        with monkeypatch.context() as patch:
            after_a_chunk(patch, die, rows=5)
            with pytest.raises(Killed):
                sharing.make_exports(at=now)
        left = Export.objects.get(pk=number)
        assert (left.status, left.sha256, files_in_house()) == ("running", "", [])
        assert problem(fetched(client, address, left), 409)["code"] == "export_not_ready"
        assert sharing.make_exports(at=timezone.now()) == 0  # it may still live

        Export.objects.filter(pk=number).update(heartbeat_at=timezone.now() - LATER)
        assert sharing.make_exports(at=timezone.now()) == 1
        export = Export.objects.get(pk=number)
        assert (export.status, export.attempts) == ("ready", 2)
        assert body_of(fetched(client, address, export)) == streamed
        assert files_in_house() == [stored_name(export)]
        assert QuotaUse.objects.get().rows - counted in (export.rows, export.rows + 5)

    def test_rows_of_a_dead_attempt_are_not_counted_again(
        self,
        client: Client,
        address: str,
        now: datetime,
        landed_grant: Grant,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(rows_a_day=1000)
        number = asked(client, address)["id"]

        def die() -> None:
            if Export.objects.get(pk=number).rows:  # the second chunk: the first was written down
                raise Killed

        with monkeypatch.context() as patch:
            after_a_chunk(patch, lambda: None, rows=5)
            real = making._chunk

            def chunk(work: Any) -> None:
                die()
                real(work)

            patch.setattr(making, "_chunk", chunk)
            with pytest.raises(Killed):
                sharing.make_exports(at=now)
        assert Export.objects.get(pk=number).counted_rows == 5
        Export.objects.filter(pk=number).update(heartbeat_at=timezone.now() - LATER)
        sharing.make_exports(at=timezone.now())
        assert QuotaUse.objects.get().rows == Export.objects.get(pk=number).rows

    def test_one_that_kills_every_worker_is_given_up(
        self, client: Client, address: str, now: datetime
    ) -> None:
        number = asked(client, address)["id"]
        Export.objects.filter(pk=number).update(attempts=3)
        sharing.make_exports(at=now)
        export = Export.objects.get(pk=number)
        assert (export.status, export.message_code) == ("failed", "attempts_exhausted")

    def test_one_that_breaks_every_time_gives_back_what_it_took_and_no_more(
        self,
        client: Client,
        address: str,
        now: datetime,
        landed_grant: Grant,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(rows_a_day=1000)
        client.get(address, {"limit": "9"})
        number = asked(client, address)["id"]

        def broken(self: object) -> None:
            raise RuntimeError("out of ideas")

        monkeypatch.setattr(making, "CHUNK_ROWS", 5)
        monkeypatch.setattr(writers.CsvWriter, "finish", broken)
        for attempt in range(4):
            sharing.make_exports(at=timezone.now())
            export = Export.objects.get(pk=number)
            assert export.status == ("running" if attempt < 3 else "failed")
            assert QuotaUse.objects.get().rows == 9 + export.counted_rows
            Export.objects.filter(pk=number).update(heartbeat_at=timezone.now() - LATER)
        assert QuotaUse.objects.get().rows == 9
        delivered = [record["rows"] for record in closes()]
        assert set(delivered) == {0}, "nobody received anything"

    def test_what_a_dead_worker_left_goes_with_the_file_that_nobody_wants(
        self,
        client: Client,
        address: str,
        now: datetime,
        landed_grant: Grant,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(rows_a_day=1000)
        number = asked(client, address)["id"]

        def die(work: Any) -> None:
            raise Killed

        left = Path(django_settings.HUILIU_HOME) / "work" / f"export-{number}-0badcafe"
        with monkeypatch.context() as patch:
            patch.setattr(making, "_chunk", die)
            with pytest.raises(Killed):
                sharing.make_exports(at=now)
        left.mkdir()
        (left / "file").write_text("张三")
        left.with_name(f"{left.name}.lock").touch()
        Export.objects.filter(pk=number).update(counted_rows=0)
        client.get(address, {"limit": "7"})
        Export.objects.filter(pk=number).update(counted_rows=5)

        assert client.delete(f"{address}/exports/{number}").status_code in (200, 204)
        sharing.keep_exports(at=timezone.now())

        assert not left.exists()
        assert QuotaUse.objects.get().rows == 2

    def test_yesterdays_rows_are_not_given_back_to_today(
        self, client: Client, address: str, now: datetime, landed_grant: Grant
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(rows_a_day=1000)
        client.get(address, {"limit": "9"})
        number = asked(client, address)["id"]
        earlier = now - timedelta(days=1)
        Export.objects.filter(pk=number).update(counted_rows=800, created_at=earlier, attempts=3)
        sharing.make_exports(at=now)
        assert Export.objects.get(pk=number).status == "failed"
        assert QuotaUse.objects.get().rows == 9

    def test_a_worker_that_was_overtaken_leaves_the_other_alone(
        self, client: Client, address: str, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        number = asked(client, address)["id"]

        def overtake() -> None:
            monkeypatch.undo()
            Export.objects.filter(pk=number).update(heartbeat_at=timezone.now() - LATER)
            assert sharing.make_exports(at=timezone.now()) == 1

        after_a_chunk(monkeypatch, overtake, rows=2)
        sharing.make_exports(at=now)
        export = Export.objects.get(pk=number)
        assert (export.status, export.attempts) == ("ready", 2)
        assert files_in_house() == [stored_name(export)]


def _suspend(scene: Scene, grant: Grant) -> None:
    sharing.suspend(grant=grant, actor=scene.provider_head, at=timezone.now(), reason="超范围")


def _end(scene: Scene, grant: Grant) -> None:
    sharing.end(grant=grant, actor=scene.provider_head, at=timezone.now(), reason="不再使用")


def _narrow(scene: Scene, grant: Grant) -> None:
    items = {name: mask for name, mask in ITEMS.items() if name != "rate"}
    sharing.narrow(
        grant=grant, actor=scene.provider_head, at=timezone.now(), reason="用不到", items=items
    )


def _expire(scene: Scene, grant: Grant) -> None:
    now = timezone.now()
    Grant.objects.filter(pk=grant.pk).update(starts_at=now - LATER, expires_at=now)


def _retire(scene: Scene, grant: Grant) -> None:
    type(scene.system).objects.filter(pk=scene.system.pk).update(status="retired")


def _revoke(scene: Scene, grant: Grant) -> None:
    [held] = credentials.credentials_of(scene.system)
    sharing.revoke_credential(
        credential=held,
        actor=scene.consumer_head,
        at=timezone.now(),
        reason="泄露",
    )


ENDS: dict[str, tuple[Callable[[Scene, Grant], None], str]] = {
    "suspension": (_suspend, "grant_suspended"),
    "end": (_end, "grant_ended"),
    "narrowing": (_narrow, "resync_required"),
    "expiry": (_expire, "grant_expired"),
    "retirement": (_retire, "system_disabled"),
}


class TestStopping:
    @pytest.mark.parametrize("what", [*ENDS, "credential"])
    def test_it_stops_the_making_and_says_why(
        self,
        client: Client,
        address: str,
        now: datetime,
        landed_scene: Scene,
        landed_grant: Grant,
        monkeypatch: pytest.MonkeyPatch,
        what: str,
    ) -> None:
        act, code = {**ENDS, "credential": (_revoke, "credential_revoked")}[what]
        after_a_chunk(monkeypatch, lambda: act(landed_scene, landed_grant), rows=2)
        number = asked(client, address)["id"]
        sharing.make_exports(at=now)
        export = Export.objects.get(pk=number)
        assert (export.status, export.message_code) == ("stopped", code)
        assert export.message
        assert export.rows == 0 or export.rows == 2
        assert files_in_house() == []
        assert closes()[-1]["outcome"] == "failed"
        assert Event.objects.filter(verb="sharing.stop_export").exists()

    @pytest.mark.parametrize("what", list(ENDS))
    def test_a_finished_file_is_not_handed_out_and_is_removed(
        self,
        client: Client,
        address: str,
        now: datetime,
        landed_scene: Scene,
        landed_grant: Grant,
        what: str,
    ) -> None:
        export, waiting = made(client, address, now), asked(client, address)["id"]
        records = len(access_records())
        act, code = ENDS[what]
        act(landed_scene, landed_grant)
        answer = fetched(client, address, export)
        assert answer.status_code in (403, 410)
        assert len(access_records()) == records

        sharing.keep_exports(at=timezone.now())
        for number in (export.pk, waiting):
            found = Export.objects.get(pk=number)
            assert (found.status, found.message_code) == ("stopped", code)
        assert files_in_house() == []
        sharing.keep_exports(at=timezone.now())
        assert sharing.make_exports(at=timezone.now()) == 0

    def test_a_large_transfer_breaks_off_when_the_grant_is_suspended(
        self,
        client: Client,
        address: str,
        now: datetime,
        landed_scene: Scene,
        landed_grant: Grant,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        from apps.sharing.gateway.exports import ExportStoppedError
        from apps.sharing.gateway.files import handing_out

        monkeypatch.setattr(handing_out, "BLOCK_BYTES", 100)
        monkeypatch.setattr(handing_out, "LOOKED_AT_BYTES", 200)
        export = made(client, address, now)
        parts = iter(fetched(client, address, export).streaming_content)
        next(parts)
        _suspend(landed_scene, landed_grant)
        with pytest.raises(ExportStoppedError):
            list(parts)

    def test_it_is_kept_for_some_days_and_then_removed(
        self, client: Client, address: str, now: datetime
    ) -> None:
        export = made(client, address, now)
        assert export.expires_at
        sharing.keep_exports(at=export.expires_at - LATER)
        assert files_in_house() == [stored_name(export)]
        sharing.keep_exports(at=export.expires_at)
        export.refresh_from_db()
        assert (export.status, files_in_house()) == ("expired", [])
        assert problem(fetched(client, address, export), 410)["code"] == "export_gone"

    def test_a_file_without_a_row_is_swept_out_after_a_while(
        self, client: Client, address: str, now: datetime, tmp_path: Path, monkeypatch: Any
    ) -> None:
        export = made(client, address, now)
        stray = tmp_path / "stray"
        stray.write_bytes(b"half")
        outgoing.put(stray, "999999-1")
        sharing.keep_exports(at=now)
        assert files_in_house() == sorted([stored_name(export), "999999-1"])
        monkeypatch.setattr("apps.sharing.operations.serving.exports.STRAY_SECONDS", -60)
        sharing.keep_exports(at=now)
        assert files_in_house() == [stored_name(export)]

    def test_discarding_one_that_is_being_made_ends_it(
        self,
        client: Client,
        address: str,
        now: datetime,
        landed_grant: Grant,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(rows_a_day=1000)
        number = asked(client, address)["id"]
        gone = f"{address}/exports/{number}"
        after_a_chunk(monkeypatch, lambda: client.delete(gone), rows=2)
        sharing.make_exports(at=now)
        export = Export.objects.get(pk=number)
        assert (export.status, export.message_code) == ("stopped", "discarded")
        assert files_in_house() == []
        assert QuotaUse.objects.get().rows == 0


class TestRoom:
    def test_a_grant_may_wait_for_so_many_and_is_told_when_to_come_again(
        self, client: Client, address: str, now: datetime
    ) -> None:
        places = [asked(client, address)["queue_place"] for _each in range(5)]
        assert places == [1, 2, 3, 4, 5]
        refused = client.post(f"{address}/exports")
        assert problem(refused, 429)["code"] == "too_many_exports"
        assert int(refused["Retry-After"]) > 0
        assert Export.objects.count() == 5
        sharing.make_exports(at=now)
        assert set(Export.objects.values_list("status", flat=True)) == {"ready"}
        assert asked(client, address)["queue_place"] == 1

    def test_only_so_many_files_are_kept(
        self, client: Client, address: str, now: datetime, settings: Any
    ) -> None:
        settings.EXPORTS_KEPT = 1
        made(client, address, now)
        refused = problem(client.post(f"{address}/exports"), 409)
        assert refused["code"] == "too_many_files"

    def test_no_more_are_made_at_once_than_there_are_places(
        self, client: Client, address: str, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second = (asked(client, address)["id"] for _each in range(2))
        seen = []

        def another_worker_comes() -> None:
            seen.append(sharing.make_exports(at=timezone.now()))
            with pytest.raises(IntegrityError), transaction.atomic():
                Export.objects.filter(pk=second).update(status="running", slot=0, heartbeat_at=now)

        after_a_chunk(monkeypatch, another_worker_comes)
        assert sharing.make_exports(at=now) == 2
        assert seen[0] == 0
        assert Export.objects.get(pk=first).status == "ready"

    def test_a_workbook_that_would_be_too_long_is_refused_before_it_is_begun(
        self,
        client: Client,
        address: str,
        landed_grant: Grant,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(asking, "SHEET_ROWS", 10)
        table = DataTable.objects.get(dataset=landed_grant.dataset)
        assert table.row_count > 10
        refused = problem(client.post(f"{address}/exports?format=xlsx"), 400)
        assert refused["code"] == "rows_too_many"
        assert Export.objects.count() == 0
        assert asked(client, address, "xlsx", code="000001")["status"] == "queued"

    def test_a_workbook_never_cuts_rows_or_texts(
        self, client: Client, address: str, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(workbooks, "LONGEST", 3)
        export = made(client, address, now, "xlsx")
        assert (export.status, export.message_code) == ("failed", "value_not_writable")
        assert "CSV" in export.message
        assert files_in_house() == []

    def test_the_same_key_gives_the_same_export(self, client: Client, address: str) -> None:
        headers = {"Idempotency-Key": "2026-11"}
        first = client.post(f"{address}/exports", headers=headers)
        again = client.post(f"{address}/exports", headers=headers)
        assert first["Location"] == again["Location"]
        assert Export.objects.count() == 1
        other = client.post(f"{address}/exports?format=ndjson", headers=headers)
        assert problem(other, 409)["code"] == "idempotency_conflict"
        long = client.post(f"{address}/exports", headers={"Idempotency-Key": "k" * 201})
        assert problem(long, 400)["code"] == "idempotency_key_too_long"

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("format=pdf", "unknown_format"),
            ("format=csv&format=xlsx", "doubled_parameter"),
            ("fields=secret", "unknown_field"),
            ("secret=1", "unknown_filter"),
            ("name=1", "filter_not_supported"),
            ("cursor=x", "unknown_filter"),
            ("size=x", "invalid_value"),
        ],
    )
    def test_what_it_cannot_be_asked_is_refused(
        self, client: Client, address: str, query: str, code: str
    ) -> None:
        assert problem(client.post(f"{address}/exports?{query}"), 400)["code"] == code
        assert Export.objects.count() == 0

    def test_of_twelve_who_ask_at_once_as_many_are_queued_as_may_be(
        self, landed_scene: Scene, landed_grant: Grant, now: datetime
    ) -> None:
        call = from_within.call_of(landed_grant, at=now)
        wanted = read_wanted({}, shape_of(call))
        ask = partial(
            sharing.request_export, call=call, wanted=wanted, actor=landed_scene.consumer, at=now
        )
        results = at_once([ask] * 12)
        assert sum(isinstance(each, Export) for each in results) == 5
        assert {each.code for each in results if isinstance(each, DomainError)} == {
            "too_many_exports"
        }
        assert Export.objects.count() == 5

    def test_two_workers_make_each_file_once(
        self, client: Client, address: str, now: datetime
    ) -> None:
        for _each in range(4):
            asked(client, address)
        made_by = at_once([partial(sharing.make_exports, at=now)] * 2)
        sharing.make_exports(at=timezone.now())
        assert sum(made_by) <= 4
        found = Export.objects.values_list("status", "attempts", "slot")
        assert set(found) == {("ready", 1, None)}
        assert len(files_in_house()) == 4


def test_as_many_are_kept_as_the_documentation_says() -> None:
    written = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    assert f"至多 {django_settings.EXPORTS_WAITING} 个在排队或生成" in written
    assert f"保留 {django_settings.EXPORT_DAYS} 天" in written
    assert f"至多保留 {django_settings.EXPORTS_KEPT} 个" in written
