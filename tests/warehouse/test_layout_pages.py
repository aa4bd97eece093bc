"""A person says where the table lies; the file lands, and the next one by itself."""

from typing import Any

import pytest
from django.test import Client

from apps.catalog.models import Dataset
from apps.ledger.models import Event
from apps.warehouse import operations as warehouse
from apps.warehouse.models import Batch, FileLayout
from tests.catalog.test_demand_views import signed_in
from tests.factories.warehouse import AT, IDENTITIES, balance, landed
from tests.warehouse.test_forms import as_xlsx

pytestmark = pytest.mark.django_db

HEADINGS = ["证号", "名", "生日", "手机号", "金额", "等级", "街道"]
ROW = [IDENTITIES[0], "张三", "1990-01-01", "13800000000", "1.50", "甲", "五里店"]


def strange(*more: list[str]) -> bytes:
    return as_xlsx([["名册"], HEADINGS, ROW, *more])


def refused(dataset: Dataset, actor: Any, content: bytes) -> Batch:
    batch = landed(dataset, content, actor=actor, file_name="名册.xlsx")
    assert batch.status == "refused"
    return batch


def said(client: Client, batch: Batch, **chosen: str) -> Any:
    columns = {"column-0": "identity_number", "column-1": "name", "column-2": "born_on"}
    page = f"/work/batches/{batch.pk}/layout/"
    data = {"do": "land", "header_row": "2", "header_rows": "1", "column-6": "", **columns}
    return client.post(page, {**data, **chosen})


def test_the_page_shows_the_rows_and_lands_as_was_said(dataset: Dataset, provider: Any) -> None:
    batch = refused(dataset, provider, strange())
    client = signed_in(provider)
    assert "指定版式" in client.get(f"/work/batches/{batch.pk}/").content.decode()
    page = client.get(f"/work/batches/{batch.pk}/layout/").content.decode()
    assert "五里店" in page
    answer = said(client, batch, remember="1")
    made = Batch.objects.latest("pk")
    assert answer.headers["Location"] == f"/work/batches/{made.pk}/"
    done = warehouse.land(batch_id=made.pk, at=AT)
    assert done.status == "landed", done.message
    assert (balance(done), done.details["left_out"]) == ({"landed": 1}, ["街道"])
    assert Event.objects.get(verb="warehouse.relay").details["from"] == str(batch)


def test_the_next_file_of_the_source_is_read_alike(dataset: Dataset, provider: Any) -> None:
    batch = refused(dataset, provider, strange())
    said(signed_in(provider), batch, remember="1")
    warehouse.land_due(at=AT)
    second = [IDENTITIES[1], "李四", "1990-01-02", "", "2", "乙", "大石坝"]
    again = landed(dataset, strange(second), actor=provider, file_name="名册.xlsx")
    assert balance(again) == {"landed": 1, "unchanged": 1}


def test_what_is_not_to_be_remembered_is_not(dataset: Dataset, provider: Any) -> None:
    said(signed_in(provider), refused(dataset, provider, strange()))
    assert not FileLayout.objects.exists()


def test_one_item_stands_under_one_column(dataset: Dataset, provider: Any) -> None:
    batch = refused(dataset, provider, strange())
    answer = said(signed_in(provider), batch, **{"column-1": "identity_number"})
    assert answer.status_code == 400
    assert "只能对应一列" in answer.content.decode()
    assert Batch.objects.count() == 1


def test_who_does_not_hand_in_does_not_lay_out(
    dataset: Dataset, provider: Any, provider_head: Any, authority: Any, outsider: Any
) -> None:
    batch = refused(dataset, provider, strange())
    page = f"/work/batches/{batch.pk}/layout/"
    assert signed_in(provider_head).get(page).status_code == 403
    assert signed_in(authority).get(page).status_code == 403
    assert signed_in(outsider).get(page).status_code == 404
    assert said(signed_in(provider_head), batch).status_code == 403
    assert Batch.objects.count() == 1


def test_json_is_no_matter_of_layout(dataset: Dataset, provider: Any) -> None:
    batch = landed(dataset, b'[{"nothing": 1}]', actor=provider, file_name="a.json")
    answer = signed_in(provider).get(f"/work/batches/{batch.pk}/layout/")
    assert answer.status_code == 400
    assert "JSON" in answer.content.decode()


def test_the_page_names_the_items_that_no_column_stands_for(
    dataset: Dataset, provider: Any
) -> None:
    short = as_xlsx([["名册"], ["身份证号", "姓名"], ROW[:2]])
    batch = refused(dataset, provider, short)
    page = signed_in(provider).get(f"/work/batches/{batch.pk}/layout/").content.decode()
    assert '<th scope="col" class="nowrap">身份证号</th>' in page
    assert "文件里没有对应的列" in page
    assert "出生日期" in page.partition("文件里没有对应的列")[2].partition("</p>")[0]
    first = signed_in(provider).get(f"/work/batches/{batch.pk}/").content.decode()
    assert "提交改正后的文件" in first
