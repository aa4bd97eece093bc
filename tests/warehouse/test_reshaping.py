"""A contract changes: the table and its past follow it, or say in words why they cannot."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from apps.catalog.models import Dataset
from apps.core.contracts import Column, Contract
from apps.core.errors import Conflict
from apps.standards.types import widens
from apps.warehouse import physical, queries, shapes
from apps.warehouse.models import DataTable
from tests.factories.warehouse import balance, column, landed, publish_contract, published
from tests.warehouse.conftest import Rows

pytestmark = pytest.mark.django_db

COLUMNS = (
    column("code", "编号", length=10, required=True),
    column("amount", "金额", "Y", length=10, scale=2),
    column("people", "人数", "I"),
    column("opened_on", "开业日期", "D"),
    column("grade", "等级", length=10),
    column("note", "备注", length=20),
)
HEADER = "code,amount,people,opened_on,grade,note\n"
FILE = HEADER + "A1,1.50,3,2020-01-02,甲,好\nA2,2.00,,,乙,\nA3,,7,2021-03-04,,差\n"


@pytest.fixture
def shops(provider_department: Any) -> Dataset:
    return published(*COLUMNS, department=provider_department)


def changed(**changes: dict[str, Any]) -> tuple[Column, ...]:
    return tuple(replace(each, **changes.get(each.name, {})) for each in COLUMNS)


def types_of(table: DataTable, *, past: bool = False) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            [f"{table.schema}.{table.past_name if past else table.name}"],
        )
        return dict(cursor.fetchall())


WIDER = changed(
    amount={"type": "N", "length": 14, "scale": 4},
    people={"type": "N", "length": 20, "scale": 1},
    opened_on={"type": "T", "normalise": ("datetime",)},
    grade={"type": "M", "length": None},
)


def test_widening_changes_both_tables_and_no_value(
    shops: Dataset, provider: Any, rows: Rows
) -> None:
    landed(shops, FILE, actor=provider)
    before = rows(shops, "code", "_hash", "_batch")
    publish_contract(shops, *WIDER)
    table = physical.ensure_table(shops)
    for past in (False, True):
        found = types_of(table, past=past)
        assert found["amount"] == "numeric(14,4)"
        assert found["people"] == "numeric(20,1)"
        assert found["opened_on"] == "timestamp(0) without time zone"
    assert rows(shops, "code", "_hash", "_batch") == before

    batch = landed(shops, FILE + "A4,1.2345,1.5,2020-01-02 08:00,丙,\n", actor=provider)
    assert balance(batch) == {"landed": 1, "unchanged": 3}, batch.message
    again = landed(shops, FILE + "A4,1.2345,1.5,2020-01-02 08:00,丙,\n\n", actor=provider)
    assert balance(again) == {"unchanged": 4}


def test_widening_twice_still_changes_no_value(shops: Dataset, provider: Any) -> None:
    landed(shops, FILE, actor=provider)
    publish_contract(shops, *changed(amount={"length": 12, "scale": 3}))
    middle = FILE + "A4,1.234,,,,\n"
    landed(shops, middle, actor=provider)
    publish_contract(shops, *changed(amount={"length": 14, "scale": 5}))
    batch = landed(shops, middle + "A5,1.23456,,,,\n", actor=provider)
    assert balance(batch) == {"landed": 1, "unchanged": 4}


def test_a_retired_column_is_kept_and_comes_back(shops: Dataset, provider: Any, rows: Rows) -> None:
    landed(shops, FILE, actor=provider)
    publish_contract(shops, *(each for each in COLUMNS if each.name != "grade"))
    without = "code,amount,people,opened_on,note\n" + "\n".join(
        ",".join(cell for place, cell in enumerate(line.split(",")) if place != 4)
        for line in FILE.splitlines()[1:]
    )
    batch = landed(shops, without, actor=provider)
    assert balance(batch) == {"unchanged": 3}, batch.message
    assert rows(shops, "code", "grade", order="code") == [("A1", "甲"), ("A2", "乙"), ("A3", None)]

    publish_contract(shops, *COLUMNS)
    batch = landed(shops, FILE, actor=provider)
    assert balance(batch) == {"unchanged": 3}
    assert queries.table_of(shops).column_names == [each.name for each in COLUMNS]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (changed(amount={"length": 8}), "缩小"),
        (changed(amount={"length": 12, "scale": 4, "type": "C"}), "金额"),
        (changed(opened_on={"type": "C", "length": 20}), "另用新列名"),
        (changed(people={"type": "N", "length": 18, "scale": 2}), "人数"),
    ],
)
def test_what_would_change_a_value_is_refused_in_words(
    shops: Dataset, provider: Any, columns: tuple[Column, ...], words: str
) -> None:
    landed(shops, FILE, actor=provider)
    table = physical.ensure_table(shops)
    before = (types_of(table), types_of(table, past=True))
    publish_contract(shops, *columns)
    with pytest.raises(Conflict) as refused:
        physical.ensure_table(shops)
    assert words in str(refused.value)
    assert refused.value.code == "table_shape_changed"
    assert (types_of(table), types_of(table, past=True)) == before
    table.refresh_from_db()
    assert table.version.number == 1


def test_another_key_is_refused(shops: Dataset, provider: Any) -> None:
    landed(shops, FILE, actor=provider)
    publish_contract(shops, *COLUMNS, key=("code", "grade"))
    with pytest.raises(Conflict) as refused:
        physical.ensure_table(shops)
    assert refused.value.code == "table_key_changed"


def test_a_batch_says_why_its_table_cannot_follow(shops: Dataset, provider: Any) -> None:
    landed(shops, FILE, actor=provider)
    publish_contract(shops, *changed(amount={"length": 8}))
    batch = landed(shops, FILE + "A4,,,,,\n", actor=provider)
    assert (batch.status, batch.message_code) == ("refused", "table_shape_changed")
    assert "金额" in batch.message


def test_it_tells_beforehand_what_will_happen(shops: Dataset, provider: Any) -> None:
    landed(shops, FILE, actor=provider)
    table = physical.ensure_table(shops)
    wanted = (
        *(each for each in WIDER if each.name != "note"),
        column("added", "新列"),
    )
    strict = tuple(
        replace(each, required=True)
        if each.name == "people"
        else replace(each, type="C", length=1)
        if each.name == "code"
        else each
        for each in wanted
    )
    contract = Contract(shops.pk, shops.code, strict, ("code",))
    told = [(step.kind, step.column) for step in shapes.steps(table, contract)]
    assert told == [
        ("rule", "code"),
        ("widen", "amount"),
        ("widen", "people"),
        ("rule", "people"),
        ("widen", "opened_on"),
        ("rule", "grade"),
        ("add", "added"),
        ("retire", "note"),
    ]
    words = {step.column: str(step.words) for step in shapes.steps(table, contract)}
    assert "3 条更长" in words["code"]
    assert "1 条为空" in words["people"]
    assert "3 条在这一列为空" in words["added"]


def test_the_page_shows_the_version_that_the_table_has_not_followed(
    shops: Dataset, provider: Any, consumer: Any, client: Client
) -> None:
    landed(shops, FILE, actor=provider)
    publish_contract(shops, *changed(amount={"length": 8}))
    address = reverse("warehouse:table-change", args=[shops.dashed_code])
    client.force_login(provider)
    assert address in client.get(f"/work/tables/{shops.dashed_code}/").content.decode()
    page = client.get(address).content.decode()
    assert "不能" in page
    assert "金额" in page
    client.force_login(consumer)
    assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    ("was", "now", "answer"),
    [
        ("numeric(10,2)", "numeric(12,2)", True),
        ("numeric(10,2)", "numeric(12,4)", True),
        ("numeric(10,2)", "numeric(11,4)", False),
        ("numeric(10,2)", "numeric(12,1)", False),
        ("bigint", "numeric(19,0)", True),
        ("bigint", "numeric(18,0)", False),
        ("bigint", "double precision", False),
        ("date", "timestamp(0)", True),
        ("timestamp(0)", "date", False),
        ("numeric(10,0)", "bigint", False),
        ("date", "text", False),
    ],
)
def test_it_knows_which_type_holds_every_value_of_another(was: str, now: str, answer: bool) -> None:
    assert widens(was, now) is answer
