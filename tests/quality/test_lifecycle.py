"""Every pair of status and move of runs, findings and work orders, legal and illegal."""

from typing import Any

import pytest

from apps.catalog.models import Dataset
from apps.core.errors import IllegalMove
from apps.core.lifecycle import Lifecycle
from apps.quality.lifecycle import FINDING, RUN, WORK_ORDER
from apps.quality.models import Finding, QualityRun, WorkOrder
from apps.quality.recording import move_findings
from tests.factories.quality import added, checked, person, persons
from tests.factories.warehouse import AT, landed

RUN_MOVES = {
    ("waiting", "check"): "running",
    ("running", "check"): "running",
    ("running", "finish"): "done",
    ("running", "fail"): "failed",
}
ORDER_MOVES = {
    ("open", "acknowledge"): "in_mending",
    **{(status, "close"): "closed" for status in ("open", "in_mending", "contested")},
    **{(status, "cancel"): "cancelled" for status in ("open", "in_mending", "contested")},
    ("open", "accept"): "accepted",
    ("in_mending", "accept"): "accepted",
    ("accepted", "contest"): "contested",
    ("contested", "let_stand"): "accepted",
}
FINDING_MOVES = {
    **{(status, "fix"): "fixed" for status in ("open", "accepted", "disputed")},
    **{(status, "void"): "void" for status in ("open", "accepted", "disputed")},
    **{(status, "reopen"): "open" for status in ("fixed", "accepted", "void")},
    ("open", "accept"): "accepted",
    ("accepted", "contest"): "disputed",
    ("disputed", "let_stand"): "accepted",
}


@pytest.fixture
def order(dataset: Dataset, provider: Any) -> WorkOrder:
    rule = added(dataset, "required", columns=["mobile"], actor=provider)
    landed(dataset, persons(person(0, mobile="")), actor=provider)
    checked(dataset)
    return WorkOrder.objects.get(rule=rule)


def _play(table: Lifecycle, row: Any, legal: dict[tuple[str, str], str], **whole: Any) -> None:
    for status in table.states.values:
        for move in table.moves:
            facts = whole.get(status, {})
            type(row).objects.filter(pk=row.pk).update(status=status, **facts)
            row.refresh_from_db()
            revision = row.revision
            target = legal.get((status, move.name))
            if target is None:
                with pytest.raises(IllegalMove):
                    table.apply(row, move.name, actor=None, at=AT, reason="理由")
                row.refresh_from_db()
                assert (row.status, row.revision) == (status, revision)
            else:
                ends = {
                    name: fact for name, fact in whole.get(target, {}).items() if name != "reason"
                }
                table.apply(row, move.name, actor=None, at=AT, reason="理由", **ends)
                assert (row.status, row.revision) == (target, revision + 1)


def test_every_move_of_a_run(dataset: Dataset) -> None:
    run = QualityRun.objects.create(
        dataset=dataset, trigger="schedule", created_at=AT, updated_at=AT
    )
    over = {"finished_at": AT}
    _play(RUN, run, RUN_MOVES, done=over, failed=over)


def test_every_move_of_a_work_order(order: WorkOrder) -> None:
    live: dict[str, Any] = {"closed_at": None}
    over = {"closed_at": AT, "closed_by_run": order.last_run, "failed": 0}
    _play(
        WORK_ORDER, order, ORDER_MOVES, open=live, in_mending=live, contested=live,
        closed=over, accepted=over, cancelled=over,
    )  # fmt: skip


def test_every_move_of_a_finding_one_by_one_and_in_sets(order: WorkOrder, provider: Any) -> None:
    Finding.objects.filter(work_order=order).update(reason="属实")
    finding = Finding.objects.get(work_order=order)
    decided = {"decided_by": provider, "decided_at": AT, "reason": "属实"}
    fixed = {"fixed_at": AT}
    _play(FINDING, finding, FINDING_MOVES, accepted=decided, disputed=decided, fixed=fixed)
    for status in FINDING.states.values:
        for move in FINDING.moves:
            Finding.objects.update(status=status, fixed_at=AT, **decided)
            target = FINDING_MOVES.get((status, move.name))
            moved = move_findings(Finding.objects.all(), move.name, at=AT)
            finding.refresh_from_db()
            assert (moved, finding.status) == (int(target is not None), target or status)
