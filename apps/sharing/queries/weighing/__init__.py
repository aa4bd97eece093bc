"""What whoever decides on a request should know first: the rules each stand in one module."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.accounts.models import User
from apps.sharing.queries.weighing.aggregation import Aggregation, aggregation_of
from apps.sharing.queries.weighing.findings import Finding, findings_of
from apps.sharing.queries.weighing.least_data import LeastData, least_data_for
from apps.sharing.queries.weighing.past_use import PastUses, past_use_of
from apps.sharing.queries.weighing.precedents import Precedent, precedents_of
from apps.sharing.queries.weighing.several import Warned, warnings_of_each
from apps.sharing.queries.weighing.terms import Level, Weighed, weighed_terms


@dataclass(frozen=True, slots=True)
class Weighing:
    """What speaks for and against the terms, gathered for one reader."""

    terms: Weighed
    findings: Sequence[Finding]
    aggregation: Aggregation
    past_use: PastUses
    precedents: Sequence[Precedent]
    least: LeastData

    @property
    def level(self) -> Level:
        return max((f.level for f in self.findings), default=Level.LOW)


def weigh(terms: Weighed, actor: User, at: datetime) -> Weighing:
    """Gather everything for a reader who may `weigh` the request.

    The number of statements, and of rows read, is bounded: it grows neither with the consumer's
    grants nor with the calls under them.

    Source: 《政务数据共享条例》第二十五条; house rule (issue 5: before signing)
    """
    return Weighing(
        terms=terms,
        findings=findings_of(terms),
        aggregation=aggregation_of(terms, actor, at),
        past_use=past_use_of(terms, actor, at),
        precedents=precedents_of(terms, actor, at),
        least=least_data_for(terms, at),
    )


__all__ = [
    "Aggregation",
    "Finding",
    "LeastData",
    "Level",
    "PastUses",
    "Precedent",
    "Warned",
    "Weighed",
    "Weighing",
    "aggregation_of",
    "findings_of",
    "least_data_for",
    "warnings_of_each",
    "weigh",
    "weighed_terms",
]
