"""Rejected records are mended in the browser or by file, and land as a batch of their own."""

import csv
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.catalog.models import Dataset
from apps.core.errors import IllegalMove, InvalidInput, NotAllowed
from apps.ledger.models import Event
from apps.ledger.queries import open_todos_of
from apps.warehouse import operations as warehouse
from apps.warehouse import queries
from apps.warehouse.models import Batch, MendedRecord
from tests.factories.warehouse import (
    AT,
    IDENTITIES,
    balance,
    column,
    landed,
    publish_contract,
    published,
)
from tests.warehouse.conftest import Rows
from tests.warehouse.test_views import BAD, GOOD, HEADER, READS_REJECTED, signed_in

pytestmark = pytest.mark.django_db

A, B, C, D = IDENTITIES[:4]


def person(identity: str, name: str = "张三", born: str = "1990-01-01", grade: str = "甲") -> str:
    return f"{identity},{name},{born},13800000000,1.50,{grade}\n"


CONTENT = HEADER + person(A) + person(B, born="1990-13-01") + person(C, grade="丁") + person(D)


@pytest.fixture
def batch(dataset: Dataset, provider: Any) -> Batch:
    made = landed(dataset, CONTENT, actor=provider)
    assert balance(made) == {"landed": 2, "rejected": 2}
    return made


def mend(batch: Batch, provider: Any, **rows: dict[str, str]) -> int:
    numbered = {int(number.removeprefix("r")): cells for number, cells in rows.items()}
    return warehouse.save_mended(batch=batch, rows=numbered, actor=provider, at=AT)


def submitted(batch: Batch, provider: Any) -> Batch:
    made = warehouse.submit_mended(batch=batch, actor=provider, at=AT)
    return warehouse.land(batch_id=made.pk, at=AT)


class TestInTheBrowser:
    def test_only_mended_records_go_and_land_as_one_batch(
        self, batch: Batch, provider: Any, rows: Rows
    ) -> None:
        assert mend(batch, provider, r2={"born_on": "1990-12-01"}) == 1
        made = submitted(batch, provider)
        assert (made.mends, made.mode, made.file_name) == (batch, "upsert", f"{batch} 改正.csv")
        assert balance(made) == {"landed": 1}
        assert queries.mended_rows(batch) == 1
        assert [row.record_number for row in queries.to_mend(batch)] == [3]
        assert rows(batch.dataset, "born_on::text", order="identity_number")[1] == ("1990-12-01",)

    def test_what_is_typed_is_kept_as_it_is_typed(self, batch: Batch, provider: Any) -> None:
        client = signed_in(provider)
        address = f"/work/batches/{batch.pk}/mend/row/"
        answer = client.post(address, {"cell-2-2": "1990-1"})
        assert "已改" in answer.content.decode()
        page = client.get(f"/work/batches/{batch.pk}/mend/").content.decode()
        assert 'value="1990-1"' in page
        assert "月份应在 1–12 之间" in page.replace("\u2009", " ")
        client.post(address, {"cell-2-2": "1990-13-01"})
        assert not MendedRecord.objects.exists(), "as it was sent: not mended"

    def test_the_form_saves_turns_pages_and_submits(
        self, batch: Batch, provider: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("apps.warehouse.views.mending.MOST_ROWS", 1)
        monkeypatch.setattr("apps.warehouse.views.mending.FEWEST_ROWS", 1)
        client = signed_in(provider)
        address = f"/work/batches/{batch.pk}/mend/"
        first = client.get(address).content.decode()
        assert "cell-2-2" in first
        assert "cell-3-" not in first
        answer = client.post(address, {"cell-2-2": "1990-12-01", "do": "?after=2"})
        assert answer["Location"] == f"{address}?after=2"
        assert "cell-3-5" in client.get(answer["Location"]).content.decode()
        answer = client.post(f"{address}?after=2", {"cell-3-5": "乙", "do": "submit"})
        made = Batch.objects.get(mends=batch)
        assert answer["Location"] == f"/work/batches/{made.pk}/"
        warehouse.land_due(at=AT)
        assert queries.mended_rows(batch) == 2
        page = client.get(f"/work/batches/{batch.pk}/").content.decode()
        assert f"/work/batches/{made.pk}/" in page
        assert "2 条中已有 2 条改正入库" in page
        assert (
            f"/work/batches/{batch.pk}/" in client.get(f"/work/batches/{made.pk}/").content.decode()
        )

    def test_what_is_still_wrong_is_mended_again_along_the_chain(
        self, batch: Batch, provider: Any
    ) -> None:
        mend(batch, provider, r2={"born_on": "1990-12-01"}, r3={"grade": "戊"})
        second = submitted(batch, provider)
        assert balance(second) == {"landed": 1, "rejected": 1}
        assert queries.to_mend(batch).count() == 0
        mend(second, provider, r2={"grade": "乙"})
        third = submitted(second, provider)
        assert balance(third) == {"landed": 1}
        assert (queries.mended_rows(batch), queries.mended_rows(second)) == (2, 1)

    def test_a_record_that_was_no_row_is_typed_anew(
        self, dataset: Dataset, provider: Any, rows: Rows
    ) -> None:
        batch = landed(dataset, HEADER + person(A) + "只有一列\n" + "李\0四,\n", actor=provider)
        mend(batch, provider, r3={"name": "李四"})
        with pytest.raises(InvalidInput, match="␀"):
            submitted(batch, provider)
        assert not Batch.objects.filter(mends=batch).exists()
        mend(batch, provider, r3={"identity_number": C}, r2={"identity_number": B, "name": "王五"})
        made = submitted(batch, provider)
        assert balance(made) == {"landed": 2}
        assert rows(dataset, "name", order="identity_number")[1] == ("王五",)

    def test_the_contract_of_today_is_asked_for(self, batch: Batch, provider: Any) -> None:
        publish_contract(
            batch.dataset,
            *queries.contract_of(batch.dataset).columns,  # type: ignore[union-attr]
            column("note", "备注"),
        )
        mend(batch, provider, r2={"born_on": "1990-12-01", "note": "改"})
        assert balance(submitted(batch, provider)) == {"landed": 1}

    @pytest.mark.parametrize(
        ("mode", "becomes"), [("append", "append"), ("snapshot", "upsert"), ("upsert", "upsert")]
    )
    def test_a_few_rows_never_replace_the_table(
        self, dataset: Dataset, provider: Any, mode: str, becomes: str
    ) -> None:
        batch = landed(dataset, CONTENT, actor=provider, mode=mode)
        mend(batch, provider, r2={"born_on": "1990-12-01"})
        made = submitted(batch, provider)
        assert (made.mode, balance(made)) == (becomes, {"landed": 1})

    def test_a_batch_that_was_refused_gives_its_records_back(
        self, batch: Batch, provider: Any
    ) -> None:
        mend(batch, provider, r2={"born_on": "1990-12-01"})
        made = warehouse.submit_mended(batch=batch, actor=provider, at=AT)
        assert queries.drafts_of(batch).count() == 0
        Batch.objects.filter(pk=made.pk).update(status="failed", message_code="attempts_exhausted")
        assert queries.drafts_of(batch).count() == 1

    def test_nothing_mended_is_nothing_to_hand_in(self, batch: Batch, provider: Any) -> None:
        with pytest.raises(InvalidInput) as caught:
            warehouse.submit_mended(batch=batch, actor=provider, at=AT)
        assert caught.value.code == "nothing_mended"
        assert Batch.objects.count() == 1


class TestByFile:
    def downloaded(self, batch: Batch, client: Client) -> list[list[str]]:
        answer = client.get(f"/work/batches/{batch.pk}/rejections.csv")
        text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
        return list(csv.reader(io.StringIO(text)))

    def handed(self, batch: Batch, client: Client, lines: list[list[str]]) -> Batch:
        buffer = io.StringIO()
        csv.writer(buffer).writerows(lines)
        raw = buffer.getvalue().encode("utf-8-sig")
        answer = client.post(
            f"/work/batches/{batch.pk}/mend/file/",
            {"file": SimpleUploadedFile("改正.csv", raw), "end": "1"},
        )
        made = Batch.objects.get(mends=batch)
        assert answer["Location"] == f"/work/batches/{made.pk}/"
        return warehouse.land(batch_id=made.pk, at=AT)

    def test_the_download_comes_back_with_its_own_columns(
        self, batch: Batch, provider: Any
    ) -> None:
        client = signed_in(provider)
        lines = self.downloaded(batch, client)
        lines[1][2] = "1990-12-01"
        made = self.handed(batch, client, lines)
        assert balance(made) == {"landed": 1, "rejected": 1}
        assert made.details["header"] == HEADER.strip().split(",") or made.details["left_out"]
        assert queries.mended_rows(batch) == 1
        again = self.downloaded(made, client)
        assert again[0].count("行号") == 1

    def test_the_guard_against_formulas_is_taken_off(
        self, dataset: Dataset, provider: Any, rows: Rows
    ) -> None:
        batch = landed(dataset, HEADER + person(B, "=1+1", born="x"), actor=provider)
        client = signed_in(provider)
        lines = self.downloaded(batch, client)
        assert lines[1][1] == "'=1+1"
        lines[1][2] = "1990-12-01"
        assert balance(self.handed(batch, client, lines)) == {"landed": 1}
        assert rows(dataset, "name") == [("=1+1",)]

    def test_its_own_columns_may_be_gone(self, batch: Batch, provider: Any) -> None:
        client = signed_in(provider)
        lines = [line[:6] for line in self.downloaded(batch, client)]
        lines[1][2], lines[2][5] = "1990-12-01", "乙"
        assert balance(self.handed(batch, client, lines)) == {"landed": 2}

    def test_a_program_pushes_it(self, batch: Batch, provider: Any) -> None:
        client = signed_in(provider)
        code = batch.dataset.dashed_code
        raw = HEADER + person(B)
        sent = client.post(
            f"/api/v1/batches/{code}?mends={batch.pk}", raw.encode(), content_type="text/csv"
        )
        assert sent.status_code == 202, sent.content
        assert sent.json()["mends"] == batch.pk
        wrong = client.post(
            f"/api/v1/batches/{code}?mends=999999", raw.encode(), content_type="text/csv"
        )
        assert (wrong.status_code, wrong.json()["code"]) == (400, "mends_unknown")


class TestWho:
    def test_mends(self, cast: dict[str, Any], batch: Batch) -> None:
        for name, person_ in cast.items():
            if name == "inactive":
                continue
            client = signed_in(person_)
            page = client.get(f"/work/batches/{batch.pk}/mend/").status_code
            row = client.post(f"/work/batches/{batch.pk}/mend/row/", {"cell-2-2": "1990-12-01"})
            if name == "provider":
                assert (page, row.status_code) == (200, 200)
                MendedRecord.objects.all().delete()
                continue
            assert page in (403, 404), name
            assert row.status_code in (403, 404), name
            assert not MendedRecord.objects.exists(), name
            with pytest.raises(NotAllowed):
                warehouse.submit_mended(batch=batch, actor=person_, at=AT)
            with pytest.raises(NotAllowed):
                warehouse.mend_by_file(
                    batch=batch, file=io.BytesIO(b"x"), file_name="a.csv", actor=person_, at=AT
                )
        assert "provider" in READS_REJECTED

    def test_a_batch_that_did_not_land_is_not_mended(
        self, provider: Any, provider_department: Any
    ) -> None:
        dataset = published(department=provider_department, dirty_limit_ratio=0.1)
        batch = landed(dataset, HEADER + GOOD + BAD, actor=provider)
        assert batch.status == "refused"
        with pytest.raises(IllegalMove) as caught:
            mend(batch, provider, r2={"grade": "甲"})
        assert caught.value.code == "not_landed"
        assert signed_in(provider).get(f"/work/batches/{batch.pk}/mend/").status_code == 404
        assert (
            "在线改正" not in signed_in(provider).get(f"/work/batches/{batch.pk}/").content.decode()
        )


class TestQuarantine:
    @pytest.fixture
    def strict(self, provider_department: Any) -> Dataset:
        return published(
            department=provider_department, dirty_limit_ratio=0.1, dirty_limit_action="quarantine"
        )

    def test_sound_rows_land_and_the_rest_is_owed(
        self, strict: Dataset, provider: Any, monkeypatch: pytest.MonkeyPatch, rows: Rows
    ) -> None:
        monkeypatch.setattr("apps.warehouse.operations.landing.REFUSED_REJECTIONS_KEPT", 1)
        batch = landed(strict, CONTENT, actor=provider)
        assert (batch.status, balance(batch)) == ("landed", {"landed": 2, "rejected": 2})
        assert batch.rejections.count() == 2, "all are kept"
        assert batch.details["quarantined"]
        assert len(rows(strict, "_id")) == 2
        todo = open_todos_of(batch).get()
        assert (todo.department, todo.role) == (strict.department, "department_editor")
        mend(batch, provider, r2={"born_on": "1990-12-01"}, r3={"grade": "戊"})
        second = submitted(batch, provider)
        assert balance(second) == {"landed": 1, "rejected": 1}, "the limit does not judge it"
        assert open_todos_of(batch).exists()
        mend(second, provider, r2={"grade": "乙"})
        submitted(second, provider)
        assert not open_todos_of(batch).exists()

    def test_a_dirty_snapshot_takes_nothing_away(
        self, strict: Dataset, provider: Any, rows: Rows
    ) -> None:
        landed(strict, HEADER + person(A) + person(B), actor=provider, mode="snapshot")
        batch = landed(
            strict, HEADER + person(A, "新名") + "x\n" + "y\n", actor=provider, mode="snapshot"
        )
        assert balance(batch) == {"changed": 1, "rejected": 2}
        assert sorted(rows(strict, "name")) == [("张三",), ("新名",)]
        assert "没有移出" in batch.message
        landed(strict, HEADER + person(A, "新名"), actor=provider, mode="snapshot")
        assert rows(strict, "name") == [("新名",)]
        assert not open_todos_of(batch).exists(), "made good by the whole"

    def test_stop_is_as_it_was(self, provider: Any, provider_department: Any) -> None:
        dataset = published(department=provider_department, dirty_limit_ratio=0.1)
        batch = landed(dataset, CONTENT, actor=provider)
        assert (batch.status, batch.message_code) == ("refused", "dirty_limit")
        assert not open_todos_of(batch).exists()

    def test_the_rest_may_be_set_aside_with_a_reason(
        self, strict: Dataset, provider: Any, provider_head: Any
    ) -> None:
        batch = landed(strict, CONTENT, actor=provider)
        with pytest.raises(NotAllowed):
            warehouse.set_aside(batch=batch, reason="不改", actor=provider_head, at=AT)
        with pytest.raises(InvalidInput):
            warehouse.set_aside(batch=batch, reason=" ", actor=provider, at=AT)
        assert open_todos_of(batch).exists()
        client = signed_in(provider)
        client.post(f"/work/batches/{batch.pk}/set-aside/", {"reason": "原表已作废"})
        assert not open_todos_of(batch).exists()
        event = Event.objects.get(verb="warehouse.set_aside")
        assert event.details["reason"] == "原表已作废"
        with pytest.raises(IllegalMove):
            warehouse.set_aside(batch=batch, reason="再说", actor=provider, at=AT)
