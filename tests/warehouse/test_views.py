"""The screens of tables and batches: who opens what, and what a clerk sees and can do there."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.catalog.models import Dataset
from apps.warehouse import operations as warehouse
from apps.warehouse.models import Batch
from tests.factories.warehouse import IDENTITIES, landed, publish_contract, published, received

pytestmark = pytest.mark.django_db

HEADER = "身份证号,姓名,出生日期,手机号,金额,等级\n"
GOOD = f"{IDENTITIES[0]},张三,1990-01-01,13800000000,1.50,甲\n"
BAD = "500103199001011233,=1+1,1990-13-01,13800000000,-3,丁\n"

SEES = {"provider", "provider_head", "authority", "authority_leader", "auditor"}
READS_REJECTED = {"provider", "provider_head"}


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[1])
    return client


def table_url(dataset: Dataset) -> str:
    return f"/work/tables/{dataset.code.replace('/', '-')}/"


def upload(content: str | bytes = HEADER + GOOD, name: str = "数据.csv", **fields: str) -> Any:
    raw = content.encode() if isinstance(content, str) else content
    return {"mode": "upsert", "file": SimpleUploadedFile(name, raw), "end": "1"} | fields


class TestWhoOpens:
    def test_tables_batches_and_rejected_rows(
        self, cast: dict[str, Any], dataset: Dataset, provider: Any
    ) -> None:
        batch = landed(dataset, HEADER + GOOD + BAD, actor=provider)
        for name, person in cast.items():
            if name == "inactive":
                continue  # he cannot sign in
            client = signed_in(person)
            seen = 200 if name in SEES else 404
            assert client.get(table_url(dataset)).status_code == seen, name
            answer = client.get(f"/work/batches/{batch.pk}/")
            assert answer.status_code == seen, name
            assert ("=1+1" in answer.content.decode()) is (name in READS_REJECTED), name
            listed = client.get("/work/tables/").content.decode()
            assert (dataset.code in listed) is (name in SEES), name
            rows = client.get(f"/work/batches/{batch.pk}/rejections.csv").status_code
            assert rows == (200 if name in READS_REJECTED else 403 if name in SEES else 404), name

    def test_nobody_without_signing_in(self, dataset: Dataset, provider: Any) -> None:
        batch = received(dataset, HEADER + GOOD, actor=provider)
        for path in (
            "/work/tables/",
            table_url(dataset),
            f"{table_url(dataset)}template.csv",
            f"/work/batches/{batch.pk}/",
            f"/work/batches/{batch.pk}/state/",
            f"/work/batches/{batch.pk}/rejections.csv",
        ):
            answer = Client().get(path)
            assert answer.status_code == 302, path
            assert answer["Location"].startswith("/accounts/login/")

    def test_only_the_departments_editors_hand_in(
        self, cast: dict[str, Any], dataset: Dataset
    ) -> None:
        for name, person in cast.items():
            if name == "inactive":
                continue
            before = Batch.objects.count()
            answer = signed_in(person).post(table_url(dataset), upload())
            if name == "provider":
                assert answer.status_code == 302
                assert Batch.objects.count() == before + 1
            else:
                assert answer.status_code == (403 if name in SEES else 404), name
                assert Batch.objects.count() == before, name


class TestHandingIn:
    def test_a_file_becomes_a_batch_and_lands(self, dataset: Dataset, provider: Any) -> None:
        client = signed_in(provider)
        answer = client.post(table_url(dataset), upload(declared="1"))
        batch = Batch.objects.get()
        assert answer["Location"] == f"/work/batches/{batch.pk}/"
        assert (batch.mode, batch.file_name, batch.declared_by_source) == ("upsert", "数据.csv", 1)
        waiting = client.get(answer["Location"]).content.decode()
        assert f'data-refresh="/work/batches/{batch.pk}/state/"' in waiting
        assert client.get(f"/work/batches/{batch.pk}/state/").status_code == 200

        warehouse.land_due(at=timezone.now())

        assert client.get(f"/work/batches/{batch.pk}/state/").status_code == 204
        page = client.get(answer["Location"]).content.decode()
        assert "data-refresh" not in page
        assert "收到 1 = 新增 1" in page

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"file": ""}, "选择要提交的文件"),
            ({"mode": "replace"}, "选择一个有效的选项"),
            ({"end": ""}, "文件没有传完"),
            ({"declared": "-1"}, "确保该值"),
        ],
    )
    def test_a_wrong_form_is_shown_again_and_queues_nothing(
        self, dataset: Dataset, provider: Any, fields: dict[str, str], words: str
    ) -> None:
        answer = signed_in(provider).post(table_url(dataset), upload() | fields)
        assert answer.status_code == 200
        assert words in answer.content.decode()
        assert not Batch.objects.exists()

    def test_an_empty_file_is_a_batch_that_says_so(self, dataset: Dataset, provider: Any) -> None:
        client = signed_in(provider)
        address = client.post(table_url(dataset), upload(""))["Location"]
        warehouse.land_due(at=timezone.now())
        page = client.get(address).content.decode()
        assert "文件是空的" in page
        assert "file_empty" in page

    def test_a_withdrawn_entry_takes_no_more(self, dataset: Dataset, provider: Any) -> None:
        landed(dataset, HEADER + GOOD, actor=provider)
        Dataset.objects.filter(pk=dataset.pk).update(
            status="withdrawn", withdrawn_at=timezone.now()
        )
        client = signed_in(provider)
        assert "data-upload" not in client.get(table_url(dataset)).content.decode()
        answer = client.post(table_url(dataset), upload())
        assert "不能提交文件" in answer.content.decode()
        assert Batch.objects.count() == 1

    def test_the_template_lands_again(self, dataset: Dataset, provider: Any) -> None:
        client = signed_in(provider)
        head = client.get(f"{table_url(dataset)}template.csv").content
        batch = landed(dataset, head + GOOD.encode(), actor=provider)
        assert (batch.status, batch.landed) == ("landed", 1)


class TestRejections:
    def test_they_are_told_with_line_item_and_reason(self, dataset: Dataset, provider: Any) -> None:
        batch = landed(dataset, HEADER + GOOD + BAD, actor=provider)
        page = signed_in(provider).get(f"/work/batches/{batch.pk}/").content.decode()
        page = page.replace("\u2009", "")
        assert "第3行‘出生日期’写作1990-13-01，月份应在1–12之间" in page.replace(" ", "")
        assert "不在代码集内" in page
        assert "未通过 1" in page

    def test_they_are_narrowed_by_reason(self, dataset: Dataset, provider: Any) -> None:
        other = GOOD.replace("甲", "戊").replace(IDENTITIES[0], IDENTITIES[1])
        batch = landed(dataset, HEADER + GOOD + BAD + other, actor=provider)
        client = signed_in(provider)
        address = f"/work/batches/{batch.pk}/?reason=not_a_date&column=born_on"
        page = client.get(address).content.decode()
        assert "1990-13-01" in page
        assert IDENTITIES[1] not in page
        unknown = client.get(f"/work/batches/{batch.pk}/?reason=nonsense&after=rubbish")
        assert IDENTITIES[1] in unknown.content.decode()

    def test_they_come_back_in_the_files_own_columns(self, dataset: Dataset, provider: Any) -> None:
        batch = landed(dataset, HEADER + GOOD + BAD + "只有一列\n", actor=provider)
        answer = signed_in(provider).get(f"/work/batches/{batch.pk}/rejections.csv")
        text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
        head, bad, ragged = csv.reader(io.StringIO(text))
        assert head[:6] == HEADER.strip().split(",")
        assert bad[1] == "'=1+1", "office software must not read it as a formula"
        assert bad[4] == "-3", "a number with its sign is no formula"
        assert bad[6] == "3"
        assert "月份应在" in bad[7]
        assert ragged[:6] == [""] * 6
        assert (ragged[6], ragged[8]) == ("4", "只有一列")

    def test_the_list_pages_by_record(
        self, dataset: Dataset, provider: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("apps.warehouse.views.batches.REJECTION_ROWS", 2)
        batch = landed(dataset, HEADER + GOOD + BAD * 5, actor=provider)
        client = signed_in(provider)
        lines: list[str] = []
        address = f"/work/batches/{batch.pk}/"
        while address:
            page = client.get(address).content.decode()
            lines += re.findall(r'data-label="行号">(\d+)<', page)
            found = re.search(r'href="(\?[^"]+)" rel="next"', page)
            address = f"/work/batches/{batch.pk}/{found.group(1)}" if found else ""
        assert lines == ["3", "4", "5", "6", "7"]


class TestList:
    def test_freshness_follows_the_cycle(self, provider: Any, provider_department: Any) -> None:
        daily = published(department=provider_department, update_cycle="daily", name="每日的")
        yearly = published(department=provider_department, update_cycle="yearly", name="每年的")
        published(department=provider_department, name="没有交付过的")
        for dataset in (daily, yearly):
            landed(dataset, HEADER + GOOD, actor=provider)
        Batch.objects.update(finished_at=timezone.now() - timedelta(days=3))
        client = signed_in(provider)

        def shown(query: str) -> set[str]:
            page = client.get(f"/work/tables/{query}").content.decode()
            return {name for name in ("每日的", "每年的", "没有交付过的") if name in page}

        assert shown("") == {"每日的", "每年的", "没有交付过的"}
        assert shown("?freshness=overdue") == {"每日的"}
        assert shown("?freshness=in_time") == {"每年的"}
        assert shown("?freshness=empty") == {"没有交付过的"}
        assert shown("?q=每年") == {"每年的"}
        assert shown("?q=没有这样的") == set()

    def test_it_takes_the_same_queries_however_long(
        self, provider: Any, provider_department: Any
    ) -> None:
        client = signed_in(provider)
        landed(published(department=provider_department), HEADER + GOOD, actor=provider)

        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                assert client.get("/work/tables/").status_code == 200
            return len(captured)

        queries()
        with_one = queries()
        for _number in range(3):
            landed(published(department=provider_department), HEADER + GOOD, actor=provider)
        assert queries() == with_one


@pytest.mark.parametrize("page", ["/work/tables/", "table", "batch"])
def test_no_page_carries_a_script_or_style_of_its_own(
    dataset: Dataset, provider: Any, page: str
) -> None:
    batch = landed(dataset, HEADER + GOOD + BAD, actor=provider)
    path = {"table": table_url(dataset), "batch": f"/work/batches/{batch.pk}/"}.get(page, page)
    text = signed_in(provider).get(path).content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)


def test_what_is_shown_is_escaped(provider: Any, provider_department: Any) -> None:
    dataset = published(department=provider_department)
    publish_contract(dataset)
    evil = BAD.replace("=1+1", "<script>alert(1)</script>")
    batch = landed(dataset, HEADER + evil + GOOD, actor=provider, file_name="<b>.csv")
    text = signed_in(provider).get(f"/work/batches/{batch.pk}/").content.decode()
    assert "<script>alert" not in text
    assert "<b>.csv" not in text


@pytest.mark.parametrize("path", ["store", "datatable", "batch", "rejection"])
def test_the_administration_only_shows(
    dataset: Dataset, provider: Any, outsider: Any, path: str
) -> None:
    batch = landed(dataset, HEADER + GOOD + BAD, actor=provider)
    subject = {
        "store": batch.table and batch.table.store_id,
        "datatable": batch.table_id,
        "batch": batch.pk,
        "rejection": batch.rejections.values_list("pk", flat=True).first(),
    }[path]
    client = signed_in(provider)
    assert client.get(f"/admin/warehouse/{path}/").status_code == 200
    shown = client.get(f"/admin/warehouse/{path}/{subject}/change/")
    assert shown.status_code == 200
    assert "1990-13-01" not in shown.content.decode(), "data is shown on the batch's page, covered"
    assert client.get(f"/admin/warehouse/{path}/add/").status_code == 403
    assert client.post(f"/admin/warehouse/{path}/{subject}/change/", {}).status_code == 403
    assert client.post(f"/admin/warehouse/{path}/{subject}/delete/", {}).status_code == 403
    refused = signed_in(outsider).get(f"/admin/warehouse/{path}/{subject}/change/")
    assert refused.status_code in (302, 403, 404)
