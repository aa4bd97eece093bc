"""Files of a grant: what is in them, what evidence they leave, how they are fetched."""

import csv
import hashlib
import io
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from python_calamine import CalamineWorkbook

from apps.quality.operations import corrections
from apps.sharing import naming
from apps.sharing import operations as sharing
from apps.sharing.gateway.files import making
from apps.sharing.models import Export, Grant, QuotaUse
from apps.sharing.queries.manifests import manifest_of
from tests import stories
from tests.factories.copies import CONDITION, ITEMS, make_copied_scene, put, record
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

pytestmark = pytest.mark.usefixtures("no_earlier_records")
Read = Callable[..., list[tuple[Any, ...]]]


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


def test_what_stands_in_a_body_is_not_passed_over(client: Client, address: str) -> None:
    answer = client.post(
        f"{address}/exports", '{"format": "parquet"}', content_type="application/json"
    )
    assert problem(answer, 400)["code"] == "unknown_parameter"
    assert not Export.objects.exists()


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

    def test_the_manifest_says_the_terms_of_its_own_version(
        self, client: Client, address: str, now: datetime, landed_scene: Scene, landed_grant: Grant
    ) -> None:
        export = made(client, address, now)
        more = [{"item": "is_open", "operator": "eq", "value": True}]
        sharing.narrow(
            grant=landed_grant,
            actor=landed_scene.provider_head,
            at=timezone.now(),
            reason="够用即可",
            row_condition=more,
        )
        export.refresh_from_db()
        export.grant.refresh_from_db()
        terms = manifest_of(export)["terms"]
        assert export.grant.version == 2
        assert terms["row_condition"] == CONDITION

    def test_the_list_asks_no_more_for_more_files(
        self, client: Client, address: str, now: datetime
    ) -> None:
        made(client, address, now)
        with CaptureQueriesContext(connection) as of_one:
            client.get(f"{address}/exports")
        made(client, address, now, "ndjson")
        with CaptureQueriesContext(connection) as of_two:
            client.get(f"{address}/exports")
        assert len(of_two) == len(of_one)

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

    @pytest.mark.parametrize("form", ["csv", "xlsx", "parquet", "ndjson"])
    def test_when_the_days_rows_do_not_reach_it_fails_and_takes_none(
        self, client: Client, address: str, now: datetime, landed_grant: Grant, form: str
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(rows_a_day=5)
        export = made(client, address, now, form)
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
