"""What was written anew on the way in is declared, counted, and still there as it was sent."""

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.catalog.models import Dataset
from apps.core import files
from apps.core.contracts import Contract
from apps.warehouse.models import Batch
from tests.factories.warehouse import IDENTITIES, column, landed, publish_contract, published
from tests.warehouse.conftest import Rows

pytestmark = pytest.mark.django_db

HEADER = "identity_number,name,born_on,mobile,amount,grade\n"
A, B, C = IDENTITIES[:3]


def person(
    identity: str, born: str = "1990-01-01", amount: str = "1.50", name: str = "张三"
) -> str:
    return f'{identity},{name},{born},13800000000,"{amount}",甲\n'


def counted(batch: Batch) -> dict[str, tuple[int, dict[str, int]]]:
    return {row.column: (row.count, row.ways) for row in batch.normalisations.all()}


def test_it_counts_what_it_rewrote_of_a_first_file(dataset: Dataset, provider: Any) -> None:
    batch = landed(
        dataset,
        HEADER
        + person(A, "1990/1/1", "1,234.50")
        + person(B, "１９９０年１月２日")
        + person(C, name=" 李四"),
        actor=provider,
    )
    assert batch.status == "landed", batch.message
    assert counted(batch) == {
        "name": (1, {"trim": 1}),
        "born_on": (2, {"date": 2, "half_width": 1}),
        "amount": (1, {"thousands": 1}),
    }
    examples = batch.normalisations.get(column="amount").examples
    assert examples == [["1,234.50", "1234.50"]]


def test_it_counts_the_same_into_a_table_that_has_rows(dataset: Dataset, provider: Any) -> None:
    landed(dataset, HEADER + person(A), actor=provider)
    batch = landed(dataset, HEADER + person(A, "1990/1/1") + person(B, "1990.1.2"), actor=provider)
    assert (batch.unchanged, batch.landed) == (1, 1)
    assert counted(batch) == {"born_on": (2, {"date": 2})}


def test_it_says_nothing_of_a_file_that_needed_nothing(dataset: Dataset, provider: Any) -> None:
    for content in (person(A), person(A) + person(B)):
        assert counted(landed(dataset, HEADER + content, actor=provider)) == {}


def test_it_marks_more_columns_than_a_word_has_bits(
    provider: Any, provider_department: Any
) -> None:
    columns = [column("key", "编号", required=True)]
    columns += [column(f"c{place}", f"列{place}") for place in range(130)]
    wide = published(*columns, department=provider_department)
    header = ",".join(each.name for each in columns) + "\n"
    landed(wide, header + "1" + ",x" * 130 + "\n", actor=provider)
    cells = ["x"] * 130
    cells[0], cells[60], cells[129] = " x", "x ", " x "
    batch = landed(wide, header + "2," + ",".join(cells) + "\n", actor=provider)
    assert list(counted(batch)) == ["c0", "c60", "c129"]


def test_it_shows_every_value_as_it_was_sent(
    dataset: Dataset, provider: Any, provider_head: Any, client: Client
) -> None:
    batch = landed(
        dataset,
        HEADER + person(A, "1990/1/1") + "坏行\n" + person(B, "19900102", "=1,000.00"),
        actor=provider,
    )
    assert batch.rejected == 2
    client.force_login(provider_head)
    answer = client.get(reverse("warehouse:batch-normalised", args=[batch.pk]))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[1:] == [
        ["1", "出生日期", "born_on", "1990/1/1", "1990-01-01"],
        ["3", "出生日期", "born_on", "19900102", "1990-01-02"],
    ]
    page = client.get(reverse("warehouse:batch", args=[batch.pk])).content.decode()
    assert "统一日期写法" in page
    assert "1990/1/1" in page


def test_it_makes_blanks_around_a_value_visible(
    dataset: Dataset, provider: Any, client: Client
) -> None:
    batch = landed(dataset, HEADER + person(A, name="  李四　"), actor=provider)
    client.force_login(provider)
    page = client.get(reverse("warehouse:batch", args=[batch.pk])).content.decode()
    assert "␣␣李四␣" in page


def test_it_shows_no_values_to_whoever_may_not_read_them(
    dataset: Dataset, provider: Any, consumer: Any, authority: Any, client: Client
) -> None:
    batch = landed(dataset, HEADER + person(A, "1990/1/1"), actor=provider)
    address = reverse("warehouse:batch-normalised", args=[batch.pk])
    client.force_login(consumer)
    assert client.get(address).status_code == 404
    client.force_login(authority)
    assert client.get(address).status_code == 403
    page = client.get(reverse("warehouse:batch", args=[batch.pk])).content.decode()
    assert "统一日期写法" in page
    assert "1990/1/1" not in page


def test_it_says_so_when_the_file_is_no_longer_kept(
    dataset: Dataset, provider: Any, client: Client
) -> None:
    batch = landed(dataset, HEADER + person(A, "1990/1/1"), actor=provider)
    files.path_of(batch.file.sha256).unlink()
    client.force_login(provider)
    answer = client.get(reverse("warehouse:batch-normalised", args=[batch.pk]), follow=True)
    assert "已按保存期限清理" in answer.content.decode()


def test_it_rewrites_only_what_is_declared(
    provider: Any, provider_department: Any, rows: Rows
) -> None:
    plain = published(
        column("code", "编码", length=6, required=True, normalise=("as_is",)),
        column("amount", "金额", "Y", length=18, scale=2),
        department=provider_department,
    )
    batch = landed(plain, "code,amount\n 12,800万人民币\n34,1.00\n", actor=provider)
    assert (batch.landed, batch.rejected) == (1, 1)

    contract = Contract.from_json(plain.versions.latest("number").contract)
    publish_contract(
        plain,
        column("code", "编码", length=6, required=True, normalise=("trim", "zeros")),
        column("amount", "金额", "Y", length=18, scale=2, normalise=("number", "unit")),
        key=contract.key,
    )
    batch = landed(plain, "code,amount\n 12,800万人民币\n000034,3.2亿元\n", actor=provider)
    assert rows(plain, "code", "amount::text", order="code") == [
        ("000012", "8000000.00"),
        ("000034", "320000000.00"),
        ("34", "1.00"),
    ]
    assert counted(batch)["amount"] == (2, {"unit": 2})
    assert counted(batch)["code"] == (1, {"trim": 1, "zeros": 1})


def test_it_restores_what_is_whole_and_refuses_what_lost_digits(
    provider: Any, provider_department: Any, rows: Rows
) -> None:
    numbers = published(
        column("code", "编号", length=18, required=True, normalise=("trim", "scientific")),
        department=provider_department,
    )
    batch = landed(numbers, "code\n1.23456E+5\n5.001E+17\n", actor=provider)
    assert rows(numbers, "code") == [("123456",)]
    (reason,) = batch.rejections.get().reasons
    assert reason["code"] == "digits_lost"
    assert "末尾的数字可能已经丢失" in reason["message"]


def test_it_says_why_an_identity_number_in_scientific_notation_is_none(
    dataset: Dataset, provider: Any
) -> None:
    batch = landed(dataset, HEADER + person("5.001E+17"), actor=provider)
    reasons = batch.rejections.get().reasons
    assert "科学计数法" in next(r for r in reasons if r["column"] == "identity_number")["message"]


def test_it_makes_old_identity_numbers_long(
    provider: Any, provider_department: Any, rows: Rows
) -> None:
    people = published(
        column(
            "identity_number",
            "身份证号",
            length=18,
            required=True,
            check="identity_number",
            normalise=("identifier", "identity_18"),
        ),
        department=provider_department,
    )
    batch = landed(people, "identity_number\n110105491231002\n110105499931002\n", actor=provider)
    assert rows(people, "identity_number") == [("11010519491231002X",)]
    assert counted(batch) == {"identity_number": (1, {"identity_18": 1})}
    assert batch.rejected == 1


def test_amounts_land_in_the_unit_that_their_item_declares(
    provider: Any, provider_department: Any, rows: Rows
) -> None:
    plain = published(
        column("code", "编码", length=6, required=True),
        column("yuan", "金额（元）", "Y", length=18, scale=2, normalise=("number", "unit")),
        column("wan", "金额（万元）", "Y", length=18, scale=2, normalise=("number", "unit_wan")),
        department=provider_department,
    )
    content = "code,yuan,wan\n1,800万人民币,800万人民币\n2,800,800\n3,8000元,8000元\n4,1,¥800\n"
    batch = landed(plain, content, actor=provider)
    assert rows(plain, "code", "yuan::text", "wan::text", order="code") == [
        ("1", "8000000.00", "800.00"),
        ("2", "800.00", "800.00"),
        ("3", "8000.00", "0.80"),
    ]
    assert batch.rejected == 1, "a currency alone says no unit"
    assert counted(batch)["wan"] == (2, {"unit": 2})
