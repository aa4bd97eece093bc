"""What is done about the quality of data.

For the screens (all keyword-only; `actor` and `at` always, `revision` or `version` where a page
may be stale):

    add_rule(dataset, kind, name, columns, parameters, indicator, severity) -> QualityRule
    change_rule(rule, name, columns, parameters, indicator, severity, reason, version)
    retire_rule(rule, reason, version) · restore_rule(rule, version)
    ask_run(dataset) -> QualityRun
    acknowledge(order, plan, revision) · accept(order, reason, revision)
    accept_findings(order, findings=[keys], reason) -> int
    contest(order, reason, revision) · let_stand(order, reason, revision)
    reveal_findings(findings) · reveal_record(dataset, row_id) · reveal_correction(correction)
    download_rows(order, rows)
    set_weights(valid_from, weights={"01": "0.2", …}, source) -> DimensionWeights

For the worker (`at` alone): check_due, ask_due, ask_scheduled, profile_due, record_scores,
escalate_due; `check(run_id, at)` and `profile(run, at)` do one. Which parameters a kind takes
is said at the head of `apps.quality.parameters`. Corrections have a package of their own.
"""

from apps.quality.operations import corrections
from apps.quality.operations.checking import check_dataset
from apps.quality.operations.contract import synchronise
from apps.quality.operations.escalating import escalate_due
from apps.quality.operations.findings import (
    accept,
    accept_findings,
    acknowledge,
    contest,
    let_stand,
)
from apps.quality.operations.profiling import profile, profile_due
from apps.quality.operations.revealing import (
    download_rows,
    reveal_correction,
    reveal_findings,
    reveal_record,
)
from apps.quality.operations.rules import add_rule, change_rule, restore_rule, retire_rule
from apps.quality.operations.running import ask_due, ask_run, ask_scheduled, check, check_due
from apps.quality.operations.scoring import record_scores, set_weights

__all__ = [
    "accept",
    "accept_findings",
    "acknowledge",
    "add_rule",
    "ask_due",
    "ask_run",
    "ask_scheduled",
    "change_rule",
    "check",
    "check_dataset",
    "check_due",
    "contest",
    "corrections",
    "download_rows",
    "escalate_due",
    "let_stand",
    "profile",
    "profile_due",
    "record_scores",
    "restore_rule",
    "retire_rule",
    "reveal_correction",
    "reveal_findings",
    "reveal_record",
    "set_weights",
    "synchronise",
]
