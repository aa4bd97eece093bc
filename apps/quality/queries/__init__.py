"""What is asked of rules, runs, findings, work orders, profiles and scores.

For the screens, by what they show (an `actor` sees what `permissions` says):

    rules      rules_of(dataset), rule_states(dataset) -> [RuleState]: rule, landed, delivered,
               counted (what scores go by), failed
    runs       runs_of(dataset), results_of(run), last_done(dataset), due(at)
    findings   visible_orders(actor, at), orders_awaiting(actor, at), findings_of(order),
               open_findings(dataset), versions_of(finding), rejections_of(result)
    profiles   profile_of(dataset) -> [ColumnProfile]
    scores     standing_of_dataset(dataset, on), standing_of_department(department, on),
               standing_of_store(store, on), standing_of_all(on) -> Standing: ratio, dimensions;
               standings_by_dataset(datasets, on), standings_by_department(on),
               standings_by_store(on) -> {key: Standing};
               history_of_dataset(dataset, on=, days=), history_of(Score rows, begin=, end=)
               -> [Standing] by day

Whoever shows findings, rejections or profiles asks first for "view" on Finding and ColumnProfile
or "view_findings" on the order, scores for "view_quality" on the dataset.
"""

from apps.quality.queries import findings, profiles, rules, runs, scores
from apps.quality.queries.corrections import (
    changed_marks,
    corrections_awaiting,
    has_marks,
    marks_between,
    marks_of_row,
    open_on_dataset,
    shown_marks,
    visible_corrections,
)

__all__ = [
    "changed_marks",
    "corrections_awaiting",
    "findings",
    "has_marks",
    "marks_between",
    "marks_of_row",
    "open_on_dataset",
    "profiles",
    "rules",
    "runs",
    "scores",
    "shown_marks",
    "visible_corrections",
]
