"""Which rules a dataset has, and how each stands."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from apps.catalog.models import Dataset
from apps.core.contracts import Contract
from apps.quality.models import AT_LANDING_KINDS, QualityRule, RuleResult, Severity
from apps.quality.row_rules import CannotCompile, at_landing, lists_of
from apps.warehouse.landing.rules import Rule


@dataclass(frozen=True)
class RuleState:
    """A rule with its latest result by the rows that count; None where it never ran."""

    rule: QualityRule
    landed: RuleResult | None
    delivered: RuleResult | None

    @property
    def counted(self) -> RuleResult | None:
        """The result that scores go by: of the later run; of one run, that of the table."""
        found = [result for result in (self.landed, self.delivered) if result is not None]
        if not found:
            return None
        return max(found, key=lambda one: (one.run_id, one.basis == "landed"))

    @property
    def failed(self) -> int:
        """What is wrong by the rule now, in the table or else in the last file."""
        for result in (self.landed, self.delivered):
            if result is not None and result.failed:
                return result.failed
        return 0


def rules_of(dataset: Dataset) -> QuerySet[QualityRule]:
    """Return the dataset's rules, those that are no longer asked last."""
    rules = QualityRule.objects.filter(dataset=dataset).select_related("owner", "made_by")
    return rules.order_by("-is_active", "indicator", "id")


def active_rules(dataset: Dataset) -> QuerySet[QualityRule]:
    return QualityRule.objects.filter(dataset=dataset, is_active=True).order_by("pk")


def rules_at_landing(dataset_id: int) -> QuerySet[QualityRule]:
    """Return the added rules that may keep rows of the dataset from landing."""
    return QualityRule.objects.filter(
        dataset=dataset_id,
        is_active=True,
        origin=QualityRule.Origin.ADDED,
        severity__in=(Severity.REJECT, Severity.QUARANTINE),
        kind__in=AT_LANDING_KINDS,
    ).order_by("pk")


def rules_for_landing(dataset_id: int, contract: Contract, on: date) -> list[Rule]:
    """Return those rules as landing knows rules; one whose column left the contract is passed by.

    Registered with the warehouse, which may not know this app.
    """
    rules = list(rules_at_landing(dataset_id))
    lists = lists_of(rules)
    found = []
    for rule in rules:
        with suppress(CannotCompile):
            found.append(at_landing(rule, contract, lists, on=on))
    return found


def latest_results(rules: Iterable[QualityRule]) -> dict[tuple[int, str], RuleResult]:
    """Return the latest result of each rule in a finished run, by rule and basis."""
    found = (
        RuleResult.objects.filter(rule__in=[rule.pk for rule in rules], run__status="done")
        .select_related("run")
        .order_by("rule_id", "basis", "-run_id")
        .distinct("rule_id", "basis")
    )
    return {(result.rule_id, result.basis): result for result in found}


def rule_states(dataset: Dataset) -> list[RuleState]:
    """Return the dataset's active rules with how each stands, in two statements."""
    rules = list(active_rules(dataset).select_related("owner"))
    return states_of(rules)


def states_of(rules: Iterable[QualityRule]) -> list[RuleState]:
    known = list(rules)
    found = latest_results(known)
    return [
        RuleState(rule, found.get((rule.pk, "landed")), found.get((rule.pk, "delivered")))
        for rule in known
    ]
