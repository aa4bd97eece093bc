"""From bad rows to a work order, and how it ends."""

from datetime import timedelta
from typing import Any

import pytest

from apps.catalog.models import Dataset
from apps.clocks.models import Clock
from apps.core.errors import Conflict, IllegalMove, InvalidInput, NotAllowed
from apps.ledger.models import Event, Notice, Todo
from apps.ledger.queries import trail
from apps.quality import operations as quality
from apps.quality.models import Finding, QualityRule, Score, WorkOrder
from apps.quality.queries.findings import findings_of
from apps.quality.views.history import history_of
from apps.warehouse import operations as warehouse
from tests.factories.quality import added, checked, person, persons
from tests.factories.warehouse import AT, IDENTITIES, landed

REASON = "民政系统原始档案如此，已逐条核对"


@pytest.fixture
def rule(dataset: Dataset, provider: Any) -> QualityRule:
    """Two of three rows break it."""
    rule = added(dataset, "range", columns=["amount"], parameters={"maximum": "20"}, actor=provider)
    lines = (person(0, amount="21"), person(1, amount="22"), person(2))
    landed(dataset, persons(*lines), actor=provider)
    checked(dataset)
    return rule


@pytest.fixture
def order(rule: QualityRule) -> WorkOrder:
    return WorkOrder.objects.get(rule=rule)


def statuses(rule: QualityRule) -> list[str]:
    return sorted(Finding.objects.filter(rule=rule).values_list("status", flat=True))


def test_a_failing_rule_opens_one_order_with_clock_and_todo(order: WorkOrder) -> None:
    assert order.number == f"WO-2026-{order.pk:06d}"
    assert (order.failed, order.evaluated, order.basis) == (2, 3, "landed")
    assert order.department == order.dataset.department
    clock = Clock.objects.get(object_id=order.pk, policy__code="quality.mend")
    assert clock.due_on.isoformat() == "2026-12-02"
    todo = Todo.objects.get(kind="quality.mend", object_id=order.pk)
    assert (todo.department, todo.role, todo.due_on) == (
        order.department,
        "department_editor",
        clock.due_on,
    )
    assert findings_of(order).count() == 2


def test_it_is_reused_while_the_rule_fails(
    dataset: Dataset, provider: Any, rule: QualityRule, order: WorkOrder
) -> None:
    landed(dataset, persons(person(3, amount="99")), actor=provider)
    checked(dataset)

    order.refresh_from_db()
    assert WorkOrder.objects.filter(rule=rule).count() == 1
    assert (order.failed, order.failed_at_first, order.evaluated) == (3, 2, 4)
    assert findings_of(order).count() == 3
    assert "问题数由 2 变为 3" in trail(order)[0].sentence


def test_it_closes_by_the_batch_that_mends_and_opens_anew_when_rows_fail_again(
    dataset: Dataset, provider: Any, rule: QualityRule, order: WorkOrder
) -> None:
    quality.acknowledge(order=order, actor=provider, at=AT, plan="下周重报")
    batch = landed(dataset, persons(person(0), person(1)), actor=provider)
    run = checked(dataset)

    order.refresh_from_db()
    assert (order.status, order.failed) == ("closed", 0)
    assert (order.closed_by_run, order.closed_by_batch) == (run, batch)
    assert not Todo.objects.filter(kind="quality.mend", done_at=None).exists()
    assert Clock.objects.get(object_id=order.pk, policy__code="quality.mend").met is True
    assert statuses(rule) == ["fixed", "fixed"]
    assert [h.status for h in order.history.order_by("history_id")] == [
        "open",
        "in_mending",
        "closed",
    ]

    landed(dataset, persons(person(0, amount="30")), actor=provider)
    checked(dataset)
    assert statuses(rule) == ["fixed", "open"]
    assert Finding.objects.get(rule=rule, status="open").times_found == 2
    assert WorkOrder.objects.filter(rule=rule, status="open").get() != order


def test_rows_can_be_vouched_for_and_the_authority_contests(
    dataset: Dataset,
    provider: Any,
    provider_head: Any,
    authority: Any,
    rule: QualityRule,
    order: WorkOrder,
) -> None:
    first, second = findings_of(order)
    quality.accept_findings(
        order=order, findings=[first.pk], reason=REASON, actor=provider_head, at=AT
    )
    assert (order.status, order.failed) == ("open", 1)
    quality.accept_findings(
        order=order, findings=[second.pk], reason=REASON, actor=provider_head, at=AT
    )
    assert (order.status, order.failed) == ("accepted", 0)
    assert order.remark == REASON

    # What was vouched for satisfies, and a run of all rows does not find it again.
    quality.ask_run(dataset=dataset, actor=provider, at=AT)
    checked(dataset)
    assert statuses(rule) == ["accepted", "accepted"]
    assert WorkOrder.objects.filter(rule=rule).count() == 1
    assert Score.objects.get(dataset=dataset, indicator="0104").ratio == 1

    quality.contest(order=order, reason="与人社数据不符", actor=authority, at=AT)
    assert (order.status, order.failed, order.closed_at) == ("contested", 2, None)
    assert statuses(rule) == ["disputed", "disputed"]
    assert Todo.objects.filter(kind="quality.mend", done_at=None).count() == 1
    with pytest.raises(IllegalMove):
        quality.accept(order=order, reason=REASON, actor=provider_head, at=AT)

    quality.let_stand(order=order, reason="已补充证明", actor=authority, at=AT)
    assert (order.status, order.failed) == ("accepted", 0)
    assert statuses(rule) == ["accepted", "accepted"]


def test_a_row_that_was_vouched_for_is_found_again_when_it_changes(
    dataset: Dataset, provider: Any, provider_head: Any, rule: QualityRule, order: WorkOrder
) -> None:
    quality.accept(order=order, reason=REASON, actor=provider_head, at=AT)
    landed(dataset, persons(person(0, amount="23"), person(1, amount="22", name="改名")),
           actor=provider)  # fmt: skip
    checked(dataset)

    # The amount of the first is another; of the second only the name, which the rule does not read.
    assert statuses(rule) == ["accepted", "open"]
    assert WorkOrder.objects.filter(rule=rule, status="open").count() == 1


def test_vouching_needs_a_reason_and_the_head(
    provider: Any, provider_head: Any, outsider: Any, rule: QualityRule, order: WorkOrder
) -> None:
    before = (order.history.count(), Event.objects.filter(outcome="done").count())
    with pytest.raises(InvalidInput):
        quality.accept(order=order, reason=" ", actor=provider_head, at=AT)
    for actor in (provider, outsider):
        with pytest.raises(NotAllowed):
            quality.accept(order=order, reason=REASON, actor=actor, at=AT)
    order.refresh_from_db()
    assert (order.status, statuses(rule)) == ("open", ["open", "open"])
    assert (order.history.count(), Event.objects.filter(outcome="done").count()) == before


def test_a_stopped_rule_cancels_its_order_and_a_restored_one_finds_again(
    dataset: Dataset, provider: Any, rule: QualityRule, order: WorkOrder
) -> None:
    quality.retire_rule(rule=rule, reason="上限取消", actor=provider, at=AT)
    order.refresh_from_db()
    assert (order.status, statuses(rule)) == ("cancelled", ["void", "void"])
    assert not Todo.objects.filter(kind="quality.mend", done_at=None).exists()

    quality.restore_rule(rule=rule, actor=provider, at=AT)
    checked(dataset)
    assert statuses(rule) == ["open", "open"]
    assert WorkOrder.objects.filter(rule=rule, status="open").exists()


def test_an_overdue_order_is_told_to_the_head_then_to_the_leader(
    provider_head: Any, authority_leader: Any, order: WorkOrder
) -> None:
    assert quality.escalate_due(at=AT + timedelta(days=14)) == 0  # the last day
    late = AT + timedelta(days=15)
    assert quality.escalate_due(at=late) == 1
    assert quality.escalate_due(at=late) == 0
    assert Notice.objects.filter(recipient=provider_head, subject_id=str(order.pk)).exists()
    assert quality.escalate_due(at=AT + timedelta(days=21)) == 1
    assert Notice.objects.filter(recipient=authority_leader).exists()


def rejected_order(dataset: Dataset, provider: Any) -> WorkOrder:
    """Of two records one is rejected, and an order is opened about it."""
    landed(dataset, persons(person(0, grade="丁"), person(1)), actor=provider)
    checked(dataset)
    order: WorkOrder = WorkOrder.objects.get()
    assert (order.rule.code, order.basis) == ("not_in_codes", "delivered")
    assert (order.failed, order.evaluated) == (1, 2)
    return order


def test_an_order_about_rejected_records_closes_once_they_landed(
    dataset: Dataset, provider: Any
) -> None:
    order = rejected_order(dataset, provider)
    landed(dataset, persons(person(2)), actor=provider)
    checked(dataset)
    order.refresh_from_db()
    assert (order.status, order.failed) == ("open", 1), "a clean file of other records mends none"

    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in IDENTITIES[0])
    batch = landed(dataset, persons(person(0, identity_number=wide)), actor=provider)
    checked(dataset)
    order.refresh_from_db()
    assert (order.status, order.closed_by_batch) == ("closed", batch), "by the key as it is kept"


def test_a_record_rejected_night_after_night_is_one(dataset: Dataset, provider: Any) -> None:
    order = rejected_order(dataset, provider)
    for night in ("丁", "戊"):
        landed(dataset, persons(person(0, grade=night), person(1)), actor=provider)
        checked(dataset)
    landed(dataset, persons(person(2)), actor=provider)
    checked(dataset)
    order.refresh_from_db()
    assert (order.status, order.failed) == ("open", 1)

    landed(dataset, persons(person(0)), actor=provider)
    checked(dataset)
    order.refresh_from_db()
    assert order.status == "closed"


def test_a_full_replacement_closes_it_too(dataset: Dataset, provider: Any) -> None:
    order = rejected_order(dataset, provider)
    batch = landed(dataset, persons(person(3)), actor=provider, mode="snapshot")
    checked(dataset)
    order.refresh_from_db()
    assert (order.status, order.closed_by_batch) == ("closed", batch)


def test_a_record_whose_key_was_wrong_closes_it_by_the_batch_that_corrects_it(
    dataset: Dataset, provider: Any
) -> None:
    wrong = person(0, identity_number="500103199001011230")
    first = landed(dataset, persons(wrong, person(1)), actor=provider)
    checked(dataset)
    order = WorkOrder.objects.get()
    landed(dataset, persons(person(2)), actor=provider)
    checked(dataset)
    order.refresh_from_db()
    assert order.status == "open"
    record = first.rejections.get()
    cells = {"identity_number": IDENTITIES[0]}
    warehouse.save_mended(batch=first, rows={record.record_number: cells}, actor=provider, at=AT)
    mended = warehouse.submit_mended(batch=first, actor=provider, at=AT)
    warehouse.land(batch_id=mended.pk, at=AT)
    checked(dataset)
    order.refresh_from_db()
    assert (order.status, order.closed_by_batch) == ("closed", mended)


def test_its_history_begins_with_its_opening(order: WorkOrder, provider: Any) -> None:
    (step,) = history_of(order.history)
    assert (step.at, step.person) == (AT, "")
    assert step.reason == "检查发现 2 条不符合规则，开具整改工单"
    quality.acknowledge(order=order, actor=provider, at=AT + timedelta(hours=1))
    assert [one.reason for one in history_of(order.history)][-1] == step.reason


def test_contesting_waits_while_a_newer_order_is_mended(
    dataset: Dataset,
    provider: Any,
    provider_head: Any,
    authority: Any,
    rule: QualityRule,
    order: WorkOrder,
) -> None:
    quality.accept(order=order, reason=REASON, actor=provider_head, at=AT)
    landed(dataset, persons(person(3, amount="99")), actor=provider)
    checked(dataset)
    with pytest.raises(Conflict):
        quality.contest(order=order, reason="不符", actor=authority, at=AT)
    order.refresh_from_db()
    assert order.status == "accepted"
