"""Append, upsert, snapshot, delete: what each does to rows that are there, and what stays."""

from typing import Any

import pytest

from apps.catalog.models import Dataset
from apps.warehouse import queries
from tests.factories.warehouse import IDENTITIES, balance, landed, publish_contract
from tests.warehouse.conftest import Rows

pytestmark = pytest.mark.django_db

HEADER = "identity_number,name,born_on,mobile,amount,grade\n"
A, B, C, D = IDENTITIES[:4]


def person(identity: str, name: str = "张三", amount: str = "1.50") -> str:
    return f"{identity},{name},1990-01-01,13800000000,{amount},甲\n"


def test_it_lands_a_first_file_and_makes_the_table(
    dataset: Dataset, provider: Any, rows: Rows
) -> None:
    batch = landed(dataset, HEADER + person(A) + person(B, "李四"), actor=provider)

    assert batch.status == "landed", (batch.message_code, batch.message)
    assert (batch.declared, balance(batch), batch.horizon) == (2, {"landed": 2}, 1)
    assert sorted(rows(dataset, "identity_number", "name", "amount::text", "_batch")) == [
        (A, "张三", "1.50", 1),
        (B, "李四", "1.50", 1),
    ]
    table = queries.table_of(dataset)
    assert table is not None
    assert (table.row_count, table.batch_counter, table.is_indexed) == (2, 1, True)


def test_it_updates_in_place_and_keeps_the_old_version(
    dataset: Dataset, provider: Any, rows: Rows
) -> None:
    landed(dataset, HEADER + person(A) + person(B) + person(C), actor=provider)
    before: dict[str, int] = dict(rows(dataset, "identity_number", "_id"))

    batch = landed(
        dataset, HEADER + person(A) + person(B, amount="2.00") + person(D), actor=provider
    )

    assert balance(batch) == {"landed": 1, "changed": 1, "unchanged": 1}
    after: dict[str, int] = dict(rows(dataset, "identity_number", "_id"))
    assert {key: after[key] for key in before} == before
    changed = rows(dataset, "identity_number", "amount::text", "_batch")
    assert (B, "2.00", 2) in changed
    assert (A, "1.50", 1) in changed
    assert rows(
        dataset, "identity_number", "amount::text", "_batch", "_until_batch", past=True
    ) == [(B, "1.50", 1, 2)]


def test_it_moves_what_a_snapshot_lacks_to_the_past(
    dataset: Dataset, provider: Any, rows: Rows
) -> None:
    landed(dataset, HEADER + person(A) + person(B) + person(C), actor=provider)

    batch = landed(dataset, HEADER + person(A) + person(B, "李四"), actor=provider, mode="snapshot")

    assert balance(batch) == {"unchanged": 1, "changed": 1, "deleted": 1}
    assert sorted(rows(dataset, "identity_number")) == [(A,), (B,)]
    assert sorted(rows(dataset, "identity_number", "_until_batch", past=True)) == [(B, 2), (C, 2)]
    table = queries.table_of(dataset)
    assert table is not None
    assert table.row_count == 2
    assert len(queries.state_as_of(table, 1)) == 3
    assert len(queries.state_as_of(table, 2)) == 2


def test_it_keeps_the_row_whose_new_version_a_snapshot_rejects(
    dataset: Dataset, provider: Any, rows: Rows
) -> None:
    landed(dataset, HEADER + person(A) + person(B), actor=provider)

    batch = landed(
        dataset, HEADER + person(A) + person(B, amount="-1"), actor=provider, mode="snapshot"
    )

    assert balance(batch) == {"unchanged": 1, "rejected": 1}
    assert len(rows(dataset, "_id")) == 2


def test_it_appends_new_keys_and_rejects_those_it_would_overwrite(
    dataset: Dataset, provider: Any, rows: Rows
) -> None:
    landed(dataset, HEADER + person(A) + person(B), actor=provider)

    batch = landed(
        dataset,
        HEADER + person(A) + person(B, "李四") + person(C),
        actor=provider,
        mode="append",
    )

    assert balance(batch) == {"landed": 1, "unchanged": 1, "rejected": 1}
    [rejection] = batch.rejections.all()
    assert (rejection.record_number, rejection.line) == (2, 3)
    assert [reason["code"] for reason in rejection.reasons] == ["key_exists"]
    assert (B, "张三") in rows(dataset, "identity_number", "name")


def test_it_deletes_by_key_alone(dataset: Dataset, provider: Any, rows: Rows) -> None:
    landed(dataset, HEADER + person(A) + person(B), actor=provider)

    batch = landed(dataset, f"identity_number\n{B}\n{C}\n{B}\n", actor=provider, mode="delete")

    assert batch.declared == 3
    assert balance(batch) == {"changed": 1, "unchanged": 1, "duplicate": 1, "deleted": 1}
    assert rows(dataset, "identity_number") == [(A,)]
    assert rows(dataset, "identity_number", "_until_batch", past=True) == [(B, 2)]


def test_it_ends_the_same_file_as_unchanged_but_not_an_older_one(
    dataset: Dataset, provider: Any
) -> None:
    first = HEADER + person(A)
    second = HEADER + person(A, "李四")
    outcomes = [
        landed(dataset, content, actor=provider).status for content in (first, first, second, first)
    ]
    assert outcomes == ["landed", "unchanged", "landed", "landed"]


def test_it_follows_a_contract_that_gained_a_column(
    dataset: Dataset, provider: Any, rows: Rows
) -> None:
    from tests.factories.warehouse import PERSON_COLUMNS, column

    landed(dataset, HEADER + person(A) + person(B), actor=provider)
    publish_contract(dataset, *PERSON_COLUMNS, column("note", "备注", "M"))

    wider = HEADER.strip() + ",note\n"
    batch = landed(
        dataset, wider + person(A).strip() + ",\n" + person(B).strip() + ",新\n", actor=provider
    )

    assert balance(batch) == {"unchanged": 1, "changed": 1}, "an empty new column changes nothing"
    assert sorted(rows(dataset, "identity_number", "note")) == [(A, None), (B, "新")]


def test_it_compares_few_rows_with_a_large_table_by_asking_for_their_keys(
    dataset: Dataset, provider: Any
) -> None:
    landed(dataset, HEADER + "".join(person(key) for key in IDENTITIES), actor=provider)
    batch = landed(dataset, HEADER + person(B, "李四"), actor=provider)
    assert balance(batch) == {"changed": 1}
