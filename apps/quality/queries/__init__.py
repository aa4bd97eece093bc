"""What is asked of rules, runs, findings, work orders, profiles and scores.

For the screens, by what they show (an `actor` sees what `permissions` says):

    rules      rules_of(dataset), rule_states(dataset) -> list[RuleState]
    runs       runs_of(dataset), results_of(run), due(at), last_done(dataset)
    findings   visible_orders(actor, at), orders_awaiting(actor, at), findings_of(order),
               open_findings(dataset), versions_of(finding), rejections_of(result)
    profiles   profile_of(dataset) -> list[ColumnProfile]
    scores     standing(Subject…) -> Standing; history(Subject…) -> list[Point];
               standings_by_department(on), standings_by_store(on), standings_by_dataset(on, rows)
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
