"""Files of a grant: what is in them, how they are fetched, what stops them, who may have them."""

import csv
import hashlib
import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.conf import settings as django_settings
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from python_calamine import CalamineWorkbook

from apps.core import access, outgoing
from apps.core.errors import IllegalMove, NotAllowed
from apps.ledger.models import Event, Notice
from apps.quality.operations import corrections
from apps.sharing import naming
from apps.sharing import operations as sharing
from apps.sharing.gateway import credentials, from_within
from apps.sharing.gateway.files import asking, making, workbooks
from apps.sharing.gateway.files.asking import read_wanted
from apps.sharing.gateway.files.handing_out import stored_name
from apps.sharing.gateway.shapes import shape_of
from apps.sharing.lifecycle import EXPORT
from apps.sharing.models import Export, Grant, QuotaUse
from apps.warehouse.models import DataTable
from tests import stories
from tests.conftest import CAST
from tests.factories.accounts import InformationSystemFactory, UserFactory
from tests.factories.copies import CONDITION, ITEMS, Killed, make_copied_scene, put, record
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
    caller,
    closes,
    credential_of,
    draw_token,
    problem,
)
from tests.factories.sharing import Scene

pytestmark = pytest.mark.usefixtures("no_earlier_records")
Read = Callable[..., list[tuple[Any, ...]]]
LATER = timedelta(minutes=5)


@pytest.fixture
def landed_scene(server: None) -> Scene:
    """Forty rows with every type and what is hard to write."""
    return make_copied_scene()


@pytest.fixture
def landed_grant(landed_scene: Scene, now: datetime) -> Grant:
    chosen = {"items": ITEMS, "row_condition": CONDITION}
    return stories.delivered(landed_scene, now, mode="file", **chosen).grant


def shown(client: Client, address: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(address, {"limit": "1000"}).json()["data"]
    return rows


class TestWhatIsInTheFile:
    def test_a_csv_is_byte_for_byte_the_streamed_one(
        self, client: Client, address: str, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(making, "CHUNK_ROWS", 7)
        streamed = body_of(client.get(f"{address}/export.csv"))

        export = made(client, address, now)

        assert export.status == "ready"
        assert body_of(fetched(client, address, export)) == streamed
        assert export.sha256 == hashlib.sha256(streamed).hexdigest()
        assert export.size_bytes == len(streamed)
        assert export.rows == len(list(csv.reader(io.StringIO(streamed.decode())))) - 1

    def test_it_holds_what_the_grants_reader_sees_and_no_more(
        self, client: Client, address: str, now: datetime, landed_grant: Grant, read: Read
    ) -> None:
        view = f"share.{naming.view_of_grant(landed_grant.pk)}"
        seen = read(landed_grant, f"SELECT _id, code, name FROM {view} ORDER BY _id")
        export = made(client, address, now)
        lines = csv.DictReader(io.StringIO(body_of(fetched(client, address, export)).decode()))
        held = [(int(line["_id"]), line["code"], line["name"] or None) for line in lines]
        assert held == seen
        assert "不给人看" not in body_of(fetched(client, address, export)).decode()

    def test_lines_of_json_are_those_of_the_pages(
        self, client: Client, address: str, now: datetime
    ) -> None:
        lines = client.get(address, {"limit": "1000", "format": "ndjson"}).content
        export = made(client, address, now, "ndjson")
        assert body_of(fetched(client, address, export)) == lines

    def test_parquet_keeps_codes_text_and_amounts_decimals(
        self, client: Client, address: str, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(making, "CHUNK_ROWS", 7)
        rows = shown(client, address)
        export = made(client, address, now, "parquet")
        table = pq.read_table(io.BytesIO(body_of(fetched(client, address, export))))
        kinds = {field.name: field.type for field in table.schema}
        assert (kinds["_id"], kinds["code"], kinds["area"]) == (
            pa.int64(),
            pa.string(),
            pa.string(),
        )
        assert (kinds["amount"], kinds["size"]) == (pa.decimal128(12, 2), pa.int64())
        assert (kinds["born_on"], kinds["is_open"]) == (pa.date32(), pa.bool_())
        assert table.schema.field("code").metadata[b"label"] == "编号".encode()
        assert table.column("code").to_pylist() == [row["code"] for row in rows]
        assert table.column("rate").to_pylist() == [row["rate"] for row in rows]
        assert table.column("name").to_pylist() == [row["name"] for row in rows]
        for name in ("amount", "born_on"):
            held = [None if v is None else str(v) for v in table.column(name).to_pylist()]
            assert held == [row[name] for row in rows]

    def test_a_workbook_keeps_codes_text_and_says_what_is_what(
        self, client: Client, address: str, now: datetime
    ) -> None:
        rows = shown(client, address)
        export = made(client, address, now, "xlsx")
        body = io.BytesIO(body_of(fetched(client, address, export)))
        book = CalamineWorkbook.from_filelike(body)
        heading, *lines = book.get_sheet_by_name("数据").to_python()
        place = heading.index("编号")
        assert [line[place] for line in lines] == [row["code"] for row in rows]
        assert str(lines[0][place]).startswith("00000")
        money = heading.index("金额")
        assert [line[money] for line in lines] == [
            "" if row["amount"] is None else float(row["amount"]) for row in rows
        ]
        explained = [line[:3] for line in book.get_sheet_by_name("说明").to_python()]
        assert ["编号", "code", "C"] in explained

    def test_fields_and_filters_choose_as_those_of_a_page(
        self, client: Client, address: str, now: datetime
    ) -> None:
        export = made(client, address, now, "ndjson", fields="code,size", is_open="true")
        lines = [
            json.loads(line) for line in body_of(fetched(client, address, export)).splitlines()
        ]
        page = client.get(address, {"fields": "code,size", "is_open": "true", "limit": "1000"})
        assert lines == page.json()["data"]
        assert lines
        assert export.query == {
            "fields": ["code", "size"],
            "where": [{"item": "is_open", "operator": "eq", "value": True}],
        }

    @pytest.mark.parametrize("form", ["csv", "ndjson"])
    def test_it_is_the_state_of_one_batch_however_long_it_takes(
        self,
        client: Client,
        address: str,
        now: datetime,
        landed_scene: Scene,
        monkeypatch: pytest.MonkeyPatch,
        form: str,
    ) -> None:
        before = client.get(address, {"limit": "1000", "format": form}).content
        monkeypatch.setattr(making, "ROWS_AT_ONCE", (3, 3))

        def land() -> None:
            put(landed_scene, [[*record(n)[:5], "99999", *record(n)[6:]] for n in range(30)])
            put(landed_scene, [record(n) for n in range(30, 34)], "delete")

        after_a_chunk(monkeypatch, land, rows=3)
        export = made(client, address, now, form)
        assert body_of(fetched(client, address, export)) == before
        assert export.horizon == 1
        assert client.get(address, {"limit": "1000", "format": form}).content != before

    def test_doubtful_values_are_marked(
        self, client: Client, address: str, now: datetime, landed_scene: Scene
    ) -> None:
        row_id = shown(client, address)[2]["_id"]
        corrections.raise_correction(
            dataset=landed_scene.dataset,
            actor=landed_scene.consumer,
            at=timezone.now(),
            row_id=row_id,
            item="size",
            claimed_value="3",
            description="核对",
        )
        streamed = body_of(client.get(f"{address}/export.csv"))
        export = made(client, address, now)
        assert b",_disputed\n" in streamed
        assert body_of(fetched(client, address, export)) == streamed
        lines = made(client, address, now, "ndjson")
        rows = [json.loads(line) for line in body_of(fetched(client, address, lines)).splitlines()]
        assert [row["_id"] for row in rows if "_disputed" in row] == [row_id]
        table = pq.read_table(
            io.BytesIO(body_of(fetched(client, address, made(client, address, now, "parquet"))))
        )
        assert [each for each in table.column("_disputed").to_pylist() if each] == ["size"]
        sheet = made(client, address, now, "xlsx")
        book = CalamineWorkbook.from_filelike(io.BytesIO(body_of(fetched(client, address, sheet))))
        assert [row[-1] for row in book.get_sheet_by_name("数据").to_python()[1:]].count(
            "size"
        ) == 1

    def test_the_manifest_says_what_was_delivered(
        self, client: Client, address: str, now: datetime, landed_grant: Grant
    ) -> None:
        export = made(client, address, now)
        body = client.get(f"{address}/exports/{export.pk}").json()
        manifest = body["manifest"]
        assert body["status"] == "ready"
        assert manifest["rows"] == export.rows
        assert manifest["sha256"] == export.sha256
        assert manifest["horizon"] == 1
        assert manifest["grant"] == {"id": landed_grant.pk, "version": 1}
        assert manifest["terms"]["row_condition"] == landed_grant.row_condition
        assert manifest["asked_by"] == landed_grant.system.name
        kinds = {column["name"]: column["type"] for column in manifest["columns"]}
        assert kinds == {"_id": "I", **{n: kinds[n] for n in ITEMS}}
        assert kinds["code"] == "C"


class TestEvidence:
    def test_the_making_and_each_download_are_recorded(
        self, client: Client, address: str, now: datetime, landed_grant: Grant
    ) -> None:
        export = made(client, address, now)
        [making_record] = access_records()
        [close] = closes()
        assert (making_record["kind"], making_record["rows"]) == ("export", None)
        assert json.loads(making_record["query"])["export"] == export.pk
        assert (close["rows"], close["bytes"], close["outcome"]) == (export.rows, 0, "complete")

        answer = fetched(client, address, export)  # not a byte of it is taken yet
        download = access_records()[-1]
        said = json.loads(download["query"])
        assert (download["kind"], download["rows"]) == ("export", 0)
        assert download["bytes"] == export.size_bytes
        assert download["horizon"] == export.horizon
        assert download["user_id"] == landed_grant.system.service_user_id
        assert (said["sha256"], said["rows"]) == (export.sha256, export.rows)
        body_of(answer)

    def test_rows_are_counted_once_and_downloads_as_calls(
        self, client: Client, address: str, now: datetime, landed_grant: Grant
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(rows_a_day=1000, calls_a_day=4)
        export = made(client, address, now)
        body_of(fetched(client, address, export))
        body_of(fetched(client, address, export))
        used = QuotaUse.objects.get()
        assert (used.rows, used.calls) == (export.rows, 3)
        body_of(fetched(client, address, export))
        refused = problem(fetched(client, address, export), 429)
        assert refused["code"] == "daily_calls_exceeded"
        assert len(access_records()) == 4

    def test_when_the_days_rows_do_not_reach_it_fails_and_takes_none(
        self, client: Client, address: str, now: datetime, landed_grant: Grant
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(rows_a_day=5)
        export = made(client, address, now)
        assert (export.status, export.message_code) == ("failed", "daily_rows_exceeded")
        assert QuotaUse.objects.get().rows == 0
        assert files_in_house() == []


class TestFetching:
    def test_it_goes_on_where_it_broke_off(
        self, client: Client, address: str, now: datetime
    ) -> None:
        export = made(client, address, now)
        whole = fetched(client, address, export)
        body, etag = body_of(whole), whole["ETag"]
        assert whole["Accept-Ranges"] == "bytes"
        assert whole["Content-Length"] == str(len(body))
        rest = fetched(client, address, export, Range="bytes=100-", If_Range=etag)
        assert rest.status_code == 206
        assert rest["Content-Range"] == f"bytes 100-{len(body) - 1}/{len(body)}"
        assert body[:100] + body_of(rest) == body
        assert access_records()[-1]["bytes"] == len(body) - 100

    @pytest.mark.parametrize(
        ("wanted", "first", "end"),
        [("bytes=0-9", 0, 10), ("bytes=-7", -7, None), ("bytes=5-99999999", 5, None)],
    )
    def test_it_gives_the_part_that_is_asked_for(
        self, client: Client, address: str, now: datetime, wanted: str, first: int, end: int | None
    ) -> None:
        export = made(client, address, now)
        body = body_of(fetched(client, address, export))
        part = fetched(client, address, export, Range=wanted)
        assert part.status_code == 206
        assert body_of(part) == body[first:end]

    @pytest.mark.parametrize(
        "headers",
        [
            {"Range": "bytes=0-1,3-4"},
            {"Range": "rows=1-2"},
            {"Range": "bytes=9-3"},
            {"Range": "bytes=-"},
            {"Range": "bytes=0-1", "If-Range": '"another"'},
        ],
    )
    def test_what_is_no_single_range_of_this_file_gives_all(
        self, client: Client, address: str, now: datetime, headers: dict[str, str]
    ) -> None:
        export = made(client, address, now)
        answer = client.get(f"{address}/exports/{export.pk}/file", headers=headers)
        assert answer.status_code == 200
        assert len(body_of(answer)) == export.size_bytes

    def test_a_range_behind_the_end_is_refused_without_record(
        self, client: Client, address: str, now: datetime
    ) -> None:
        export = made(client, address, now)
        before = len(access_records())
        answer = fetched(client, address, export, Range=f"bytes={export.size_bytes}-")
        assert problem(answer, 416)["code"] == "range_not_satisfiable"
        assert answer["Content-Range"] == f"bytes */{export.size_bytes}"
        assert len(access_records()) == before

    def test_who_has_it_already_is_told_so(
        self, client: Client, address: str, now: datetime
    ) -> None:
        export = made(client, address, now)
        before = len(access_records())
        answer = fetched(client, address, export, If_None_Match=f'"{export.sha256}"')
        assert answer.status_code == 304
        head = client.head(f"{address}/exports/{export.pk}/file")
        assert (head.status_code, head["Content-Length"]) == (200, str(export.size_bytes))
        assert len(access_records()) == before

    def test_what_is_not_made_yet_cannot_be_fetched(self, client: Client, address: str) -> None:
        number = asked(client, address)["id"]
        answer = client.get(f"{address}/exports/{number}/file")
        assert problem(answer, 409)["code"] == "export_not_ready"

    def test_a_discarded_one_is_gone(self, client: Client, address: str, now: datetime) -> None:
        export = made(client, address, now)
        assert client.delete(f"{address}/exports/{export.pk}").status_code == 204
        assert files_in_house() == []
        assert problem(fetched(client, address, export), 410)["code"] == "export_gone"
        assert (
            problem(client.delete(f"{address}/exports/{export.pk}"), 409)["code"] == "illegal_move"
        )


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
    credentials.revoke_credential(
        system=scene.system,
        client_id=held.client_id,
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
        monkeypatch.setattr("apps.sharing.operations.exports.STRAY_SECONDS", -60)
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


class TestWhoMay:
    def test_another_system_does_not_learn_of_it(
        self, client: Client, address: str, now: datetime, landed_scene: Scene
    ) -> None:
        export = made(client, address, now)
        system = InformationSystemFactory(department=landed_scene.consumer_department)
        other = caller(draw_token(credential_of(system, landed_scene.consumer_head, now)))
        for answer in (
            other.get(f"{address}/exports"),
            other.get(f"{address}/exports/{export.pk}"),
            fetched(other, address, export),
            other.post(f"{address}/exports"),
            other.delete(f"{address}/exports/{export.pk}"),
        ):
            assert problem(answer, 403)["code"] == "no_grant"
        assert problem(client.get(f"{address}/exports/{export.pk + 1}"), 404)["code"] == "not_found"
        assert problem(Client().get(f"{address}/exports"), 401)["code"] == "not_authenticated"
        assert [each["id"] for each in client.get(f"{address}/exports").json()["results"]] == [
            export.pk
        ]

    def test_from_another_address_it_is_neither_asked_for_nor_fetched(
        self, client: Client, address: str, now: datetime, landed_grant: Grant
    ) -> None:
        export = made(client, address, now)
        Grant.objects.filter(pk=landed_grant.pk).update(allowed_addresses=["10.9.0.0/16"])
        for answer in (client.post(f"{address}/exports"), fetched(client, address, export)):
            assert problem(answer, 403)["code"] == "address_not_allowed"

    def test_one_for_verification_gives_no_file(
        self, client: Client, address: str, landed_grant: Grant
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(mode="verify")
        assert problem(client.post(f"{address}/exports"), 403)["code"] == "verify_only"

    @pytest.mark.parametrize("mode", ["file", "interface", "verify"])
    def test_each_of_the_cast_may_what_the_matrix_says(
        self,
        cast: dict[str, Any],
        landed_scene: Scene,
        landed_grant: Grant,
        now: datetime,
        mode: str,
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(
            mode=mode,
            consumer=cast["consumer"].department,
            provider=cast["provider"].department,
        )
        landed_grant.refresh_from_db()
        export = Export.objects.create(
            grant=landed_grant,
            grant_version=1,
            asked_by=cast["consumer"],
            format="csv",
            query={"fields": [], "where": []},
            created_at=now,
            updated_at=now,
        )
        takers = {"consumer", "consumer_head"} if mode == "file" else set()
        viewers = {
            "consumer", "consumer_head", "provider", "provider_head", "authority",
            "authority_leader", "auditor",
        }  # fmt: skip
        allowed = {
            action: {n for n in CAST if access.allowed(cast[n], action, export, at=now)}
            for action in access.actions_of(Export)
        }
        by_nobody = ("begin", "finish", "fail", "stop", "expire", "change", "delete")
        nobody: dict[str, set[str]] = {action: set() for action in by_nobody}
        assert allowed == {"view": viewers, "download": takers, "discard": takers, **nobody}
        may_ask = {n for n in CAST if access.allowed(cast[n], "export", landed_grant, at=now)}
        assert may_ask == takers
        assert not any(access.able(person, "create", Export) for person in cast.values())
        system = landed_grant.system.service_user
        assert access.allowed(system, "export", landed_grant, at=now) == (mode != "verify")

    def test_a_person_who_may_not_changes_nothing(
        self, landed_scene: Scene, landed_grant: Grant, now: datetime
    ) -> None:
        call = from_within.call_of(landed_grant, at=now, user=landed_scene.provider_head)
        wanted = read_wanted({}, shape_of(call))
        with pytest.raises(NotAllowed):
            sharing.request_export(
                call=call, wanted=wanted, actor=landed_scene.provider_head, at=now
            )
        assert Export.objects.count() == 0
        refused = Event.objects.get(verb="sharing.request_export")
        assert refused.outcome == "refused"

    def test_who_lost_the_right_gets_no_file(
        self,
        landed_scene: Scene,
        landed_grant: Grant,
        now: datetime,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        person = UserFactory(
            department=landed_scene.consumer_department, roles=["department_editor"]
        )
        call = from_within.call_of(landed_grant, at=now, user=person)
        export = sharing.request_export(
            call=call, wanted=read_wanted({}, shape_of(call)), actor=person, at=now
        )
        after_a_chunk(
            monkeypatch,
            lambda: type(person).objects.filter(pk=person.pk).update(is_active=False),
            rows=2,
        )
        sharing.make_exports(at=now)
        export.refresh_from_db()
        assert (export.status, export.message_code) == ("stopped", "person_not_allowed")


class TestScreen:
    def test_the_consumer_asks_sees_it_made_and_fetches_it(
        self, landed_scene: Scene, landed_grant: Grant, now: datetime
    ) -> None:
        page = f"/work/grants/{landed_grant.pk}/"
        person = signed_in(landed_scene.consumer)
        assert "文件下载" in person.get(page).content.decode()
        assert person.post(f"{page}exports/", {"format": "csv"}).status_code == 302
        export = Export.objects.get()
        assert (export.asked_by, export.credential) == (landed_scene.consumer, "")
        assert "排队第 1" in person.get(page).content.decode()
        assert person.get(f"{page}exports/state/").status_code == 200

        sharing.make_exports(at=now)
        assert person.get(f"{page}exports/state/").status_code == 204
        shown_page = person.get(page).content.decode()
        export.refresh_from_db()
        assert export.sha256 in shown_page
        answer = person.get(f"{page}exports/{export.pk}/file/")
        assert hashlib.sha256(body_of(answer)).hexdigest() == export.sha256
        assert access_records()[-1]["user_id"] == landed_scene.consumer.pk
        manifest = person.get(f"{page}exports/{export.pk}/manifest/").json()
        assert manifest["rows"] == export.rows
        assert Notice.objects.filter(recipient=landed_scene.consumer, title__contains="可下载")
        assert person.post(f"{page}exports/{export.pk}/discard/").status_code == 302
        assert files_in_house() == []

    def test_the_provider_sees_that_it_was_made_and_gets_nothing(
        self, client: Client, address: str, landed_scene: Scene, landed_grant: Grant, now: datetime
    ) -> None:
        export = made(client, address, now)
        page = f"/work/grants/{landed_grant.pk}/"
        person = signed_in(landed_scene.provider_head)
        shown_page = person.get(page).content.decode()
        assert str(export) in shown_page
        assert f"{export.pk}/file/" not in shown_page
        assert "导出全部记录" not in shown_page
        assert person.get(f"{page}exports/{export.pk}/file/").status_code == 403
        assert person.post(f"{page}exports/", {"format": "csv"}).status_code == 403
        assert person.post(f"{page}exports/{export.pk}/discard/").status_code == 403
        assert Export.objects.get().status == "ready"

    def test_nobody_else_sees_it(
        self, citizen: Any, landed_grant: Grant, client: Client, address: str, now: datetime
    ) -> None:
        export = made(client, address, now)
        for person in (signed_in(citizen), signed_in(UserFactory())):
            for ending in ("state/", f"{export.pk}/file/", f"{export.pk}/manifest/"):
                answer = person.get(f"/work/grants/{landed_grant.pk}/exports/{ending}")
                assert answer.status_code in (302, 403, 404), ending
        assert len(access_records()) == 1

    def test_at_another_address_a_person_is_told_why_not(
        self, landed_scene: Scene, landed_grant: Grant
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(allowed_addresses=["10.9.0.0/16"])
        page = f"/work/grants/{landed_grant.pk}/"
        person = signed_in(landed_scene.consumer)
        answer = person.post(f"{page}exports/", {"format": "csv"}, follow=True)
        assert "不在授权允许的范围内" in answer.content.decode()
        assert Export.objects.count() == 0


def signed_in(person: Any) -> Client:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


EXTRA: dict[str, dict[str, Any]] = {
    "begin": {"slot": 0},
    "finish": {"slot": None, "sha256": "0" * 64, "horizon": 1},
    "fail": {"slot": None, "message_code": "x", "message": "x"},
    "stop": {"slot": None, "message_code": "x", "message": "x"},
    "discard": {"slot": None, "message_code": "x", "message": "x"},
    "expire": {},
}


@pytest.mark.parametrize("status", Export.Status.values)
@pytest.mark.parametrize("move", [move.name for move in EXPORT.moves])
def test_an_export_moves_by_its_table_only(
    scene: Scene, at: datetime, status: str, move: str
) -> None:
    grant = stories.grant_in("in_force", scene, at)
    is_whole = status in ("ready", "expired")
    export = Export.objects.create(
        grant=grant,
        grant_version=1,
        asked_by=scene.consumer,
        format="csv",
        status=status,
        slot=0 if status == "running" else None,
        heartbeat_at=at,
        finished_at=at,
        expires_at=at,
        horizon=1,
        sha256="0" * 64 if is_whole else "",
        message_code="x" if status in ("failed", "stopped") else "",
        message="x" if status in ("failed", "stopped") else "",
        created_at=at,
        updated_at=at,
    )
    fields = EXTRA[move]
    if status in EXPORT.move(move).sources:
        EXPORT.apply(export, move, actor=None, at=at, **fields)
        assert export.status == EXPORT.move(move).target
    else:
        with pytest.raises(IllegalMove):
            EXPORT.apply(export, move, actor=None, at=at, **fields)
        assert Export.objects.get(pk=export.pk).status == status


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "running"},
        {"slot": 1},
        {"status": "ready"},
        {"status": "stopped"},
        {"status": "failed", "message_code": "x"},
    ],
)
def test_the_database_holds_what_must_be_true(
    scene: Scene, at: datetime, wrong: dict[str, Any]
) -> None:
    grant = stories.grant_in("in_force", scene, at)
    with pytest.raises(IntegrityError), transaction.atomic():
        Export.objects.create(
            grant=grant,
            grant_version=1,
            asked_by=scene.consumer,
            format="csv",
            created_at=at,
            updated_at=at,
            **wrong,
        )


def test_as_many_are_kept_as_the_documentation_says() -> None:
    written = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    assert f"至多 {django_settings.EXPORTS_WAITING} 个在排队或生成" in written
    assert f"保留 {django_settings.EXPORT_DAYS} 天" in written
    assert f"至多保留 {django_settings.EXPORTS_KEPT} 个" in written
