"""Open, reuse and close the work orders of a run's rules, by what is failing now."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.history import remember
from apps.accounts.models import Department
from apps.accounts.queries import members_with
from apps.clocks import operations as clocks
from apps.clocks import queries as running_clocks
from apps.core.copying import draw_keys
from apps.ledger import operations as ledger
from apps.quality.lifecycle import WORK_ORDER
from apps.quality.models import Basis, Finding, QualityRule, QualityRun, RuleResult, WorkOrder
from apps.quality.models.findings import FAILING
from apps.quality.outstanding import outstanding
from apps.quality.queries.findings import live_order_of
from apps.quality.queries.rules import RuleState, states_of
from apps.warehouse.models import Batch

CLOCK: Final = "quality.mend"
MEND: Final = "quality.mend"

# What the platform counts but asks nobody to mend: the last record of a doubled key is taken,
# what did not pass has orders by the rules it broke, lateness has clocks of its own.
_WITHOUT_ORDER: Final = ("file_duplicate", "dirty", "freshness")


def settle_orders(run: QualityRun, rules: Sequence[QualityRule], at: datetime) -> None:
    """See that each failing rule has one live order with its counts, and close what is mended.

    The order goes to the department that provides the dataset: it alone can send better rows. It
    closes by evidence: a finished run in which the rule could be evaluated and nothing failed, and
    of rejected records that they have landed since.

    Source: 《政务数据共享条例》第二十六条; house rule
    """
    for state in states_of(rule for rule in rules if rule.code not in _WITHOUT_ORDER):
        order = live_order_of(state.rule.pk)
        failing = _failing(state)
        if failing is not None and (order is not None or failing.run_id == run.pk):
            _open_or_reuse(order, state.rule, failing, run, at)
        elif failing is None and order is not None and _is_mended(state, run):
            _close_unless_awaited(order, run, at)


def responsible_department(rule: QualityRule) -> Department:
    """Return who can mend rows of the rule's dataset: its provider."""
    return rule.dataset.department


def _failing(state: RuleState) -> RuleResult | None:
    """Return the result that fails: of the table, or else of the last file."""
    for result in (state.landed, state.delivered):
        if result is not None and result.failed:
            return result
    return None


def _is_mended(state: RuleState, run: QualityRun) -> bool:
    """Nothing failed, and this run could say so; where no row is left, none fails."""
    found = [one for one in (state.landed, state.delivered) if one is not None]
    return any(
        one.run_id == run.pk and (one.failed == 0 or one.not_evaluable == "no_rows")
        for one in found
    )


def _open_or_reuse(
    order: WorkOrder | None,
    rule: QualityRule,
    result: RuleResult,
    run: QualityRun,
    at: datetime,
) -> None:
    assert result.failed is not None  # it failed
    assert result.evaluated is not None
    if order is None:
        order = _open(rule, result, run, at)
    elif (order.failed, order.basis) != (result.failed, result.basis):
        _record_reuse(order, result.failed, at)
    WorkOrder.objects.filter(pk=order.pk).update(
        failed=result.failed,
        evaluated=result.evaluated,
        basis=result.basis,
        last_run=run,
        updated_at=at,
    )
    Finding.objects.filter(rule=rule, dataset=rule.dataset_id, status__in=FAILING).exclude(
        work_order=order
    ).update(work_order=order)


def _record_reuse(order: WorkOrder, failed: int, at: datetime) -> None:
    words = _("问题数由 %(before)s 变为 %(now)s")
    reason = words % {"before": f"{order.failed:,}", "now": f"{failed:,}"}
    ledger.record(
        None,
        "quality.reuse_order",
        order,
        at=at,
        department=order.department,
        details={"failed": failed, "before": order.failed, "reason": reason},
    )


def _open(rule: QualityRule, result: RuleResult, run: QualityRun, at: datetime) -> WorkOrder:
    assert result.failed is not None  # it failed
    assert result.evaluated is not None
    department = responsible_department(rule)
    order = WorkOrder(
        rule=rule,
        dataset=rule.dataset,
        department=department,
        basis=result.basis,
        failed=result.failed,
        failed_at_first=result.failed,
        evaluated=result.evaluated,
        opened_by_run=run,
        last_run=run,
        opened_at=at,
        created_at=at,
        updated_at=at,
    )
    draw_keys([order])
    order.number = f"WO-{timezone.localtime(at).year}-{order.pk:06d}"
    reason = _("检查发现 %(rows)s 条不符合规则，开具整改工单") % {"rows": f"{result.failed:,}"}
    remember(order, actor=None, at=at, reason=reason)
    order.save(force_insert=True)
    title = _("整改数据质量问题：%(dataset)s，%(rule)s（%(rows)s 条）") % {
        "dataset": rule.dataset.name,
        "rule": rule.name,
        "rows": f"{result.failed:,}",
    }
    begin_mending(order, title, at)
    _tell_editors(order, title, at)
    ledger.record(
        None,
        "quality.open_order",
        order,
        at=at,
        department=department,
        details={"dataset": rule.dataset.code, "reason": title},
    )
    return order


def _tell_editors(order: WorkOrder, words: str, at: datetime) -> None:
    ledger.notify(
        members_with("department_editor", order.department),
        title=_("整改工单 %(number)s") % {"number": order},
        body=words,
        url=order.get_absolute_url(),
        at=at,
        subject=order,
    )


def begin_mending(order: WorkOrder, title: str, at: datetime) -> None:
    """Start the order's clock, and put it on its department's list."""
    clock = clocks.start(order, CLOCK, department=order.department, at=at)
    ledger.open_todo(
        order,
        MEND,
        title=title[:200],
        url=order.get_absolute_url(),
        department=order.department,
        role="department_editor",
        at=at,
        due_on=clock.due_on,
    )


def _close_unless_awaited(order: WorkOrder, run: QualityRun, at: datetime) -> None:
    """Close an order; one about rejected records only once they have landed themselves."""
    left = 0
    if order.basis == Basis.DELIVERED:
        left = outstanding(order, on=timezone.localdate(at))
    if not left:
        _close(order, run, at)
        return
    if order.failed != left:
        _record_reuse(order, left, at)
    WorkOrder.objects.filter(pk=order.pk).update(failed=left, last_run=run, updated_at=at)


def _close(order: WorkOrder, run: QualityRun, at: datetime) -> None:
    batch = run.batch or _last_landed(run)
    WORK_ORDER.apply(
        order,
        "close",
        actor=None,
        at=at,
        reason=_("再次检查没有问题"),
        failed=0,
        closed_by_run=run,
        closed_by_batch=batch,
        last_run=run,
        closed_at=at,
    )
    end_order(order, at)
    ledger.record(
        None,
        "quality.close",
        order,
        at=at,
        department=order.department,
        details={"batch": str(batch) if batch else "", "run": str(run)},
    )


def end_order(order: WorkOrder, at: datetime) -> None:
    """Stop the clock and close the to-dos of an order that is over."""
    if running_clocks.running(order).filter(policy__code=CLOCK).exists():
        clocks.stop(order, CLOCK, at=at)
    ledger.close_todos(order, at=at, by=None)


def _last_landed(run: QualityRun) -> Batch | None:
    return (
        Batch.objects.filter(dataset=run.dataset_id, status=Batch.Status.LANDED)
        .order_by("-horizon")
        .first()
    )
