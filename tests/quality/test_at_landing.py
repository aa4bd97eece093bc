"""Added rules that keep rows from landing, or set them aside until somebody has looked."""

from typing import Any

import pytest

from apps.catalog.models import Dataset
from apps.core.errors import IllegalMove, NotAllowed
from apps.quality import operations as quality
from apps.warehouse import operations as warehouse
from apps.warehouse import queries
from apps.warehouse.models import Batch, Rejection
from tests.factories.quality import added, checked, person, persons, result
from tests.factories.warehouse import AT, balance, landed, published

ENDS = {"parameters": {"maximum": "20"}, "columns": ["amount"]}


def test_a_rejecting_rule_keeps_rows_out_and_says_why(dataset: Dataset, provider: Any) -> None:
    rule = added(dataset, "range", severity="reject", name="金额上限", actor=provider, **ENDS)
    lines = (person(0), person(1, amount="20.01"), person(2, amount="x"))
    batch = landed(dataset, persons(*lines), actor=provider)

    assert balance(batch) == {"landed": 1, "rejected": 2}
    kept = Rejection.objects.get(batch=batch, record_number=2)
    assert kept.kind == "rejected"
    assert kept.reasons == [
        {
            "code": f"rule_{rule.pk}",
            "column": "amount",
            "label": "金额上限",
            "value": "20.01",
            "message": "第 3 行不符合质量规则‘金额上限’：‘金额’写作 20.01",
        }
    ]
    run = checked(dataset)
    assert result(rule, run, "delivered") == (3, 1, "")
    assert result(rule, run) == (1, 0, "")
    counted = {(one.code, one.label): one.count for one in queries.reasons_of(batch)}
    assert counted[f"rule_{rule.pk}", "金额上限"] == 1


def test_rows_set_aside_balance_and_leave_the_dirty_limit_alone(
    provider: Any, provider_department: Any
) -> None:
    """Three of four rows are set aside; a limit of a quarter would refuse them as rejected."""
    dataset = published(department=provider_department, dirty_limit_ratio=0.25)
    added(dataset, "range", severity="quarantine", actor=provider, **ENDS)
    lines = [person(n, amount="21") for n in range(3)]
    batch = landed(dataset, persons(*lines, person(3)), actor=provider)
    assert balance(batch) == {"landed": 1, "rejected": 3}
    assert set(batch.rejections.values_list("kind", flat=True)) == {"quarantine"}

    # Through the other way in, with one row that is rejected for good: within the limit.
    again = landed(
        dataset,
        persons(person(0, amount="22"), person(1), person(2), person(3, mobile="1")),
        actor=provider,
    )
    assert balance(again) == {"landed": 2, "rejected": 2}
    kinds = dict(again.rejections.values_list("record_number", "kind"))
    assert kinds == {1: "quarantine", 4: "rejected"}


def test_what_breaks_both_is_rejected(dataset: Dataset, provider: Any) -> None:
    added(dataset, "range", severity="quarantine", actor=provider, **ENDS)
    batch = landed(dataset, persons(person(0, amount="21", mobile="1")), actor=provider)
    assert [row.kind for row in batch.rejections.all()] == ["rejected"]


def test_rows_set_aside_land_once_the_head_releases_them(
    dataset: Dataset, provider: Any, provider_head: Any, authority: Any
) -> None:
    added(dataset, "range", severity="quarantine", actor=provider, **ENDS)
    batch = landed(
        dataset, persons(person(0, amount="21"), person(1, amount="22"), person(2)), actor=provider
    )
    for actor in (provider, authority):
        with pytest.raises(NotAllowed):
            warehouse.release(batch=batch, reason="属实", actor=actor, at=AT)
    assert Batch.objects.count() == 1

    made = warehouse.release(batch=batch, reason="属实", records=[1], actor=provider_head, at=AT)
    done = warehouse.land(batch_id=made.pk, at=AT)
    assert balance(done) == {"landed": 1}
    table = queries.table_of(dataset)
    assert table is not None
    assert table.row_count == 2

    # The other one, after a later batch: appended, so that nothing newer is overwritten.
    rest = warehouse.release(batch=batch, reason="属实", actor=provider_head, at=AT)
    assert rest.mode == "append"
    assert balance(warehouse.land(batch_id=rest.pk, at=AT)) == {"landed": 1}
    with pytest.raises(IllegalMove):
        warehouse.release(batch=batch, reason="属实", actor=provider_head, at=AT)


def test_a_list_of_keys_to_delete_is_asked_no_added_rule(dataset: Dataset, provider: Any) -> None:
    landed(dataset, persons(person(0), person(1)), actor=provider)
    added(dataset, "required", columns=["grade"], severity="reject", actor=provider)
    batch = landed(
        dataset, "身份证号\n" + person(0).split(",")[0] + "\n", actor=provider, mode="delete"
    )
    assert (batch.status, batch.deleted) == ("landed", 1)


def test_the_same_file_is_judged_anew_when_an_added_rule_changed(
    dataset: Dataset, provider: Any
) -> None:
    rule = added(dataset, "range", severity="reject", actor=provider, **ENDS)
    content = persons(person(0), person(1, amount="21"))
    landed(dataset, content, actor=provider)
    assert landed(dataset, content, actor=provider).status == "unchanged"

    quality.retire_rule(rule=rule, reason="上限取消", actor=provider, at=AT)

    assert balance(landed(dataset, content, actor=provider)) == {"landed": 1, "unchanged": 1}
    assert landed(dataset, content, actor=provider).status == "unchanged"
