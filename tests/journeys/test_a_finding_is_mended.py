"""A department sends bad rows, is asked to mend them, does, and the score shows it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.ledger import queries as ledger
from apps.ledger.models import Event, Todo
from apps.quality import operations as quality
from apps.quality import tasks
from apps.quality.models import Finding, Score, WorkOrder
from apps.quality.queries import findings, scores
from apps.quality.queries.rules import rule_states
from tests.factories.clocks import install_policies
from tests.factories.quality import person, persons
from tests.factories.warehouse import landed, published


@pytest.mark.usefixtures("authority_department")
def test_bad_rows_become_an_order_that_the_corrected_file_closes(
    provider_department: Any, provider: Any, authority: Any
) -> None:
    install_policies()
    dataset = published(department=provider_department)
    at = timezone.now()

    # The authority asks that payments of grade 甲 be at least 100 yuan.
    rule = quality.add_rule(
        dataset=dataset,
        kind="cross_column",
        name="甲等金额不低于 100 元",
        columns=[],
        parameters={
            "when": [{"item": "grade", "operator": "eq", "value": "甲"}],
            "then": [{"item": "amount", "operator": "gte", "value": "100"}],
        },
        indicator="0104",
        severity="warn",
        actor=authority,
        at=at,
    )

    # Three rows come, two of them wrong; one more breaks the contract and does not land.
    first = landed(
        dataset,
        persons(
            person(0, amount="12"),
            person(1, amount="13"),
            person(2, amount="100"),
            person(3, mobile="12"),
        ),
        actor=provider,
    )
    tasks.check_due()

    order = WorkOrder.objects.get(rule=rule)
    assert (order.status, order.failed, order.evaluated) == ("open", 2, 3)
    assert WorkOrder.objects.filter(rule__code="invalid_mobile", failed=1).exists()
    assert findings.orders_awaiting(provider).count() == 2
    assert {row.key["identity_number"] for row in findings.findings_of(order)} == {
        person(0).split(",")[0],
        person(1).split(",")[0],
    }
    today = timezone.localdate(at)
    before = scores.standing_of_dataset(dataset, today)
    assert before is not None
    ruled = next(state for state in rule_states(dataset) if state.rule == rule)
    assert ruled.counted is not None
    assert ruled.counted.ratio == pytest.approx(1 / 3)

    # The department takes it on, and sends the corrected rows.
    quality.acknowledge(order=order, actor=provider, at=at, plan="核对发放台账后重报")
    second = landed(
        dataset,
        persons(person(0, amount="120"), person(1, amount="130"), person(3, amount="300")),
        actor=provider,
    )
    tasks.check_due()

    order.refresh_from_db()
    assert (order.status, order.failed, order.closed_by_batch) == ("closed", 0, second)
    assert not WorkOrder.objects.filter(status__in=("open", "in_mending")).exists()
    assert not Todo.objects.filter(kind="quality.mend", done_at=None).exists()
    assert set(Finding.objects.values_list("status", flat=True)) == {"fixed"}
    after = scores.standing_of_dataset(dataset, today)
    assert after is not None
    assert after.ratio is not None
    assert before.ratio is not None
    assert after.ratio > before.ratio
    assert Score.objects.get(dataset=dataset, indicator="0104", on=today).ratio == 1

    # Who did what, and when, is written down; the row's own history shows the mended value.
    verbs = list(
        Event.objects.filter(subject_type=ledger.subject_type(order), subject_id=str(order.pk))
        .order_by("pk")
        .values_list("verb", flat=True)
    )
    assert verbs == ["quality.open_order", "quality.acknowledge", "quality.close"]
    steps = order.history.order_by("history_id").values_list("status", flat=True)
    assert list(steps) == ["open", "in_mending", "closed"]
    finding = Finding.objects.filter(rule=rule).earliest("pk")
    amounts = [str(version["amount"]) for version in findings.versions_of(finding)]
    assert amounts in (["12.00", "120.00"], ["13.00", "130.00"])
    assert first.horizon == 1

    # Tomorrow's score is as good, though nothing came.
    quality.record_scores(at=at + timedelta(days=1))
    series = scores.history_of_dataset(dataset, on=today + timedelta(days=1))
    assert [one.ratio for one in series] == [after.ratio, after.ratio]
