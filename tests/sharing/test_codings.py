"""Answers packed for the way, and pages that the caller holds already."""

import gzip
import json
import zlib
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
import zstandard
from django.test import Client

from apps.quality.operations import corrections
from apps.sharing import operations as sharing
from apps.sharing.gateway import codings, exports
from apps.sharing.models import Grant, QuotaUse
from apps.warehouse.models import DataTable
from tests.factories.gateway import access_records, caller, credential_of, draw_token, streamed
from tests.factories.sharing import Scene, land, make_scene

pytestmark = pytest.mark.usefixtures("no_earlier_records")
UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
}


@pytest.fixture
def landed_scene(server: None) -> Scene:
    """Two hundred rows of the district, so that a page is worth packing."""
    scene = make_scene()
    day = date(2026, 1, 5)
    land(
        scene.dataset,
        tuple((f"50010319900101{n:04}", f"张{n}", "500103", day, None) for n in range(200)),
    )
    return scene


class TestPacking:
    @pytest.mark.parametrize(
        ("accepted", "coding"),
        [
            ("", ""),
            ("gzip", "gzip"),
            ("gzip, deflate, br, zstd", "zstd"),
            ("gzip;q=1.0, zstd;q=0.5", "gzip"),
            ("zstd;q=0, gzip;q=0.1", "gzip"),
            ("GZIP ; q=0.8", "gzip"),
            ("*", "zstd"),
            ("*;q=0", ""),
            ("*, zstd;q=0", "gzip"),
            ("identity", ""),
            ("br", ""),
            ("gzip;q=much", ""),
            (" , ,", ""),
        ],
    )
    def test_the_coding_is_what_the_caller_takes_best(self, accepted: str, coding: str) -> None:
        assert codings.chosen(accepted) == coding

    @pytest.mark.parametrize("coding", ["gzip", "zstd"])
    @pytest.mark.parametrize(
        ("path", "asked"),
        [
            ("", {"limit": "200"}),
            ("", {"limit": "200", "format": "csv"}),
            ("", {"limit": "200", "format": "ndjson"}),
            ("/changes", {"limit": "200", "format": "ndjson"}),
        ],
    )
    def test_what_is_unpacked_is_what_was_asked_for(
        self, client: Client, address: str, coding: str, path: str, asked: dict[str, str]
    ) -> None:
        plain = client.get(address + path, asked)
        packed = client.get(address + path, asked, headers={"accept-encoding": coding})
        assert packed["Content-Encoding"] == coding
        assert len(packed.content) == int(packed["Content-Length"]) < len(plain.content) / 2
        assert UNPACK[coding](packed.content) == plain.content
        assert "Content-Encoding" not in plain
        for answer in (plain, packed):
            assert "Accept-Encoding" in answer["Vary"]
        first, second = access_records()
        assert first["bytes"] == second["bytes"] == len(plain.content)  # before it is packed

    def test_what_fits_a_packet_is_left_as_it_is(self, client: Client, address: str) -> None:
        answer = client.get(address, {"limit": "3"}, headers={"accept-encoding": "gzip"})
        assert answer.json()["count"] == 3
        assert "Content-Encoding" not in answer

    @pytest.mark.parametrize("coding", ["gzip", "zstd"])
    def test_a_stream_is_packed_as_it_flows(
        self, client: Client, address: str, coding: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(exports, "CHUNK_ROWS", 60)
        plain = b"".join(streamed(client.get(f"{address}/export.csv")))
        answer = client.get(f"{address}/export.csv", headers={"accept-encoding": coding})
        assert answer["Content-Encoding"] == coding
        blocks = list(streamed(answer))
        assert UNPACK[coding](b"".join(blocks)) == plain
        assert len(blocks) == 5  # four chunks, each to be read when it comes, and the end

    def test_a_packed_stream_that_breaks_off_says_why_and_has_no_end(
        self,
        client: Client,
        address: str,
        landed_grant: Grant,
        landed_scene: Scene,
        now: datetime,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(exports, "CHUNK_ROWS", 60)
        answer = client.get(f"{address}/export.csv", headers={"accept-encoding": "gzip"})
        stream, unpacker = streamed(answer), zlib.decompressobj(31)
        text = unpacker.decompress(next(stream))
        assert text.count(b"\n") == 61
        head = landed_scene.provider_head
        sharing.suspend(grant=landed_grant, actor=head, at=now, reason="超范围使用")
        text = unpacker.decompress(next(stream))
        assert text.decode().startswith("# grant_suspended: ")
        with pytest.raises(exports.ExportStoppedError):
            next(stream)
        assert not unpacker.eof


class TestMark:
    def get(self, client: Client, address: str, mark: str = "", **asked: Any) -> Any:
        headers = {"if-none-match": mark} if mark else {}
        return client.get(address, {"limit": "5", **asked}, headers=headers)

    def test_a_page_that_is_held_is_not_read_again(self, client: Client, address: str) -> None:
        first = self.get(client, address)
        mark = first["ETag"]
        assert mark.startswith('W/"')
        assert first["Cache-Control"] == "private, no-cache"
        for held in (mark, mark.removeprefix("W/"), f'"other", {mark}', "*"):
            again = self.get(client, address, held)
            assert (again.status_code, again.content, again["ETag"]) == (304, b"", mark), held
            assert "Content-Length" not in again
        assert self.get(client, address, '"other"').status_code == 200
        records = access_records()
        assert [record["rows"] for record in records] == [5, 0, 0, 0, 0, 5]
        assert json.loads(records[1]["query"])["unchanged"] is True
        assert records[1]["bytes"] == 0

    def test_each_question_has_a_mark_of_its_own(self, client: Client, address: str) -> None:
        whole = self.get(client, address)
        asked: list[dict[str, str]] = [
            {"limit": "6"},
            {"fields": "name"},
            {"shape": "arrays"},
            {"format": "csv"},
            {"division_code": "500103"},
            {"cursor": whole.json()["next"]},
        ]
        marks = {whole["ETag"], *(self.get(client, address, **each)["ETag"] for each in asked)}
        assert len(marks) == len(asked) + 1

    def test_a_batch_or_a_change_of_terms_makes_it_another(
        self,
        client: Client,
        address: str,
        landed_grant: Grant,
        landed_scene: Scene,
        now: datetime,
    ) -> None:
        mark = self.get(client, address)["ETag"]
        table = DataTable.objects.filter(dataset=landed_scene.dataset)
        table.update(batch_counter=2)
        landed = self.get(client, address, mark)
        assert (landed.status_code, landed["ETag"] != mark) == (200, True)
        table.update(last_landed_at=now)  # restored from a copy, then landed to the same number
        restored = self.get(client, address, landed["ETag"])
        assert (restored.status_code, restored["ETag"] != landed["ETag"]) == (200, True)
        sharing.narrow(
            grant=landed_grant,
            revision=landed_grant.revision,
            actor=landed_scene.provider_head,
            at=now,
            reason="用不到",
            calls_a_day=100,
        )
        assert self.get(client, address, restored["ETag"]).status_code == 200

    def test_it_counts_as_a_call_and_takes_no_rows(
        self, client: Client, address: str, landed_grant: Grant
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(rows_a_day=10, calls_a_day=10)
        mark = self.get(client, address)["ETag"]
        assert self.get(client, address, mark).status_code == 304
        used = QuotaUse.objects.get(grant=landed_grant)
        assert (used.calls, used.rows) == (2, 5)

    def test_a_page_cut_by_the_quota_is_not_taken_for_a_whole_one(
        self, client: Client, address: str, landed_grant: Grant
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(rows_a_day=8)
        whole = self.get(client, address)
        cut = self.get(client, address, whole["ETag"])
        assert (cut.status_code, cut.json()["count"]) == (200, 3)

    def test_a_grant_that_is_suspended_is_refused_whatever_is_held(
        self, client: Client, address: str, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        mark = self.get(client, address)["ETag"]
        head = landed_scene.provider_head
        sharing.suspend(grant=landed_grant, actor=head, at=now, reason="超范围使用")
        assert self.get(client, address, mark).status_code == 403

    def test_there_is_none_where_it_would_not_hold(
        self, client: Client, address: str, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        tester = caller(
            draw_token(credential_of(landed_scene.system, landed_scene.consumer_head, now, "test"))
        )
        assert self.get(client, address).has_header("ETag")
        corrections.raise_correction(
            dataset=landed_scene.dataset,
            actor=landed_scene.consumer,
            at=now,
            row_id=2,
            item="registered_on",
            claimed_value="2026-02-16",
        )
        for answer in (self.get(client, address, "*"), self.get(tester, address, "*")):
            assert (answer.status_code, answer.json()["count"]) == (200, 5)
            assert "ETag" not in answer
            assert answer["Cache-Control"] == "no-store"
