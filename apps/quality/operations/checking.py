"""One run from end to end: inspect, note findings, results, orders and scores, finish."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.catalog.models import Dataset
from apps.catalog.queries.responsibility import duties_in_force
from apps.core import files
from apps.core.contracts import Contract
from apps.core.heartbeat import Heartbeat
from apps.ledger import operations as ledger
from apps.quality.delivered import delivered
from apps.quality.inspecting import Answer, Inspected, Inspection
from apps.quality.lifecycle import RUN
from apps.quality.models import (
    ROW_KINDS,
    SET_KINDS,
    Basis,
    QualityRule,
    QualityRun,
    RuleKind,
    RuleResult,
)
from apps.quality.operations.contract import synchronise
from apps.quality.operations.ordering import settle_orders
from apps.quality.operations.scoring import score_dataset
from apps.quality.queries import rules as queries
from apps.quality.queries.runs import answered_before
from apps.quality.recording import Recording, Tally
from apps.warehouse import queries as warehouse
from apps.warehouse.freshness import DAYS, Freshness, with_freshness
from apps.warehouse.models import DataTable

NotEvaluable = RuleResult.NotEvaluable

# Answers that say something about every row that was found before.
_TELLING = ("", NotEvaluable.NO_ROWS)


@dataclass(frozen=True, slots=True)
class _Found:
    """What one rule found, on its way into a result."""

    rule: QualityRule
    basis: str
    evaluated: int
    failed: int
    not_evaluable: str = ""
    fingerprint: str = ""
    newly_failed: int = 0
    newly_fixed: int = 0


def check_dataset(run: QualityRun, at: datetime) -> None:
    """Make a run that this worker took."""
    synchronise(dataset=run.dataset, at=at)
    rules = list(queries.active_rules(run.dataset))
    table = warehouse.table_of(run.dataset)
    workplace = files.make_workplace(f"quality-{run.pk}")
    try:
        with Heartbeat(run, status=QualityRun.Status.RUNNING) as heartbeat:
            looked = None
            if table is not None:
                looked = _inspect(run.dataset, table, rules, workplace, at)
            with transaction.atomic():
                found = _findings(run, table, looked, at)
                found += _delivered(run, rules)
                found += _asked_of_the_whole(run.dataset, table, rules, at)
                heartbeat.stop()
                _note(run, rules, found, looked, at)
    finally:
        files.clear_workplace(workplace)


def _inspect(
    dataset: Dataset,
    table: DataTable,
    rules: Sequence[QualityRule],
    workplace: Path,
    at: datetime,
) -> Inspected:
    """Ask what is published now: a table that has not followed yet lacks its new columns only."""
    asked = [rule for rule in rules if _is_asked_of_table(rule)]
    contract = warehouse.contract_of(dataset) or Contract.from_json(table.version.contract)
    return Inspection(
        table,
        contract,
        asked,
        known=answered_before(asked),
        counterparts=_counterparts(asked),
        workplace=workplace,
        at=at,
    ).look()


def _is_asked_of_table(rule: QualityRule) -> bool:
    """Landed rows obey the contract; one that changed since is asked of the older rows too."""
    if rule.origin == QualityRule.Origin.CONTRACT:
        return rule.version > 1 and rule.kind in ROW_KINDS
    return rule.kind in (*ROW_KINDS, *SET_KINDS)


def _counterparts(rules: Sequence[QualityRule]) -> dict[str, tuple[DataTable, Contract]]:
    codes = {rule.parameters["dataset"] for rule in rules if rule.kind == RuleKind.CROSS_TABLE}
    tables = DataTable.objects.filter(dataset__code__in=codes).select_related("dataset", "version")
    return {
        table.dataset.code: (table, Contract.from_json(table.version.contract)) for table in tables
    }


def _findings(
    run: QualityRun, table: DataTable | None, looked: Inspected | None, at: datetime
) -> list[_Found]:
    """Write the failing rows as findings, and count what fails now."""
    if table is None or looked is None:
        return []
    recording = Recording(run, table, looked.horizon, at)
    recording.take(looked.failing)
    telling = [one for one in looked.answers if one.not_evaluable in _TELLING]
    tally = recording.note(
        whole=[one.rule for one in telling if one.is_whole],
        touched=[one.rule for one in telling if not one.is_whole],
    )
    run.rows_read = looked.rows_read
    return [_landed(one, tally) for one in looked.answers]


def _landed(answer: Answer, tally: Tally) -> _Found:
    failed = min(tally.failing.get(answer.rule.pk, 0), answer.evaluated)
    return _Found(
        answer.rule,
        Basis.LANDED,
        answer.evaluated,
        failed,
        answer.not_evaluable,
        answer.fingerprint,
        tally.newly_failed.get(answer.rule.pk, 0),
        tally.newly_fixed.get(answer.rule.pk, 0),
    )


def _delivered(run: QualityRun, rules: Sequence[QualityRule]) -> list[_Found]:
    if run.batch is None:
        return []
    return [
        _Found(one.rule, Basis.DELIVERED, one.evaluated, one.failed, one.not_evaluable)
        for one in delivered(run.batch, rules)
    ]


def _asked_of_the_whole(
    dataset: Dataset, table: DataTable | None, rules: Sequence[QualityRule], at: datetime
) -> list[_Found]:
    """Ask whether the table is fresh, and holds as many rows as it should."""
    found = []
    for rule in rules:
        if rule.kind == RuleKind.FRESHNESS:
            found.append(_freshness(rule, dataset, at))
        elif rule.kind == RuleKind.POPULATION:
            found.append(_population(rule, dataset, table))
    return found


def _freshness(rule: QualityRule, dataset: Dataset, at: datetime) -> _Found:
    if dataset.update_cycle not in DAYS:
        return _Found(rule, Basis.LANDED, 0, 0, NotEvaluable.NO_EXPECTATION)
    state = with_freshness(Dataset.objects.filter(pk=dataset.pk), at).get().freshness
    if state == Freshness.EMPTY:
        return _Found(rule, Basis.LANDED, 0, 0, NotEvaluable.NO_TABLE)
    return _Found(rule, Basis.LANDED, 1, int(state == Freshness.OVERDUE))


def _population(rule: QualityRule, dataset: Dataset, table: DataTable | None) -> _Found:
    """Rows that are missing of those expected; more than expected is not wrong by this rule."""
    expected = rule.parameters.get("expected")
    if expected is None:
        duties = duties_in_force().filter(dataset=dataset, expected_rows__gt=0, parent=None)
        expected = duties.order_by("-pk").values_list("expected_rows", flat=True).first()
    if not expected:
        return _Found(rule, Basis.LANDED, 0, 0, NotEvaluable.NO_EXPECTATION)
    present = table.row_count if table is not None else 0
    return _Found(rule, Basis.LANDED, expected, max(0, expected - present))


def _note(
    run: QualityRun,
    rules: Sequence[QualityRule],
    found: Sequence[_Found],
    looked: Inspected | None,
    at: datetime,
) -> None:
    """Write results, settle orders, score the day, and finish the run if it is still ours."""
    RuleResult.objects.filter(run=run).delete()
    RuleResult.objects.bulk_create(_result(run, one) for one in found)
    horizon = looked.horizon if looked else None
    failing = sum(one.failed > 0 for one in found if not one.not_evaluable)
    RUN.apply(
        run,
        "finish",
        actor=None,
        at=at,
        revision=run.revision,
        horizon=horizon,
        rows_read=looked.rows_read if looked else 0,
        finished_at=max(at, timezone.now()),
        message=_("共检查 %(rules)s 条规则，%(failing)s 条有问题")
        % {"rules": len({one.rule.pk for one in found}), "failing": failing},
    )
    settle_orders(run, rules, at)
    score_dataset(run, at)
    ledger.record(
        None,
        "quality.finish",
        run,
        at=at,
        department=run.dataset.department,
        details={"dataset": run.dataset.code, "reason": run.message},
    )


def _result(run: QualityRun, one: _Found) -> RuleResult:
    reason = one.not_evaluable or ("" if one.evaluated else NotEvaluable.NO_ROWS.value)
    return RuleResult(
        run=run,
        rule=one.rule,
        rule_version=one.rule.version,
        basis=one.basis,
        evaluated=None if reason else one.evaluated,
        failed=None if reason else one.failed,
        not_evaluable=reason,
        newly_failed=one.newly_failed,
        newly_fixed=one.newly_fixed,
        fingerprint=one.fingerprint,
    )
