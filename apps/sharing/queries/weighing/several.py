"""What is to be warned of before several requests are decided at once, in few statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from apps.catalog.models import DataItem, DatasetVersion
from apps.core.contracts import Contract
from apps.sharing.models import Decision, Grant, Mode, ReturnFlow, SharingRequest
from apps.sharing.queries.lists import open_grants
from apps.sharing.queries.weighing.aggregation import (
    SHOWN,
    Holding,
    holding_of,
    identifying,
    kinds_of,
    known_of,
    plain_in_grant,
)
from apps.sharing.queries.weighing.findings import Finding, findings_of
from apps.sharing.queries.weighing.terms import Level, Weighed, weighed

LOOKED_AT: Final = SHOWN + 1  # of each consumer's grants; one may be on the very entry


@dataclass(frozen=True, slots=True)
class Warned:
    """What one request's terms break, and the gravest of what its consumer could join them with.

    findings: the gravest first. joined: None where nothing weighs.
    """

    findings: tuple[Finding, ...]
    joined: Holding | None

    @property
    def level(self) -> Level:
        levels = [finding.level for finding in self.findings]
        return max([*levels, self.joined.level if self.joined else Level.LOW, Level.LOW])

    @property
    def is_grave(self) -> bool:
        """Whether it is to be looked at alone."""
        return self.level == Level.HIGH

    @property
    def grave(self) -> tuple[str, ...]:
        """The sentences for which it is looked at alone."""
        return tuple(f.sentence for f in self.findings if f.level == Level.HIGH)


def warnings_of_each(
    terms: Sequence[tuple[SharingRequest, Decision]], at: datetime
) -> dict[int, Warned]:
    """Return by request what is to be warned of under these terms. Five statements at most.

    As on the page of a single one; of each consumer its `LOOKED_AT` gravest grants are joined.

    Source: 《政务数据共享条例》第二十五条; house rule (issue 5: batch decisions)
    """
    several = _weighed_each(terms)
    holdings = _holdings_of_each(several, at)
    return {
        each.request.pk: Warned(tuple(findings_of(each)), holdings.get(each.request.pk))
        for each in several
    }


def _weighed_each(terms: Sequence[tuple[SharingRequest, Decision]]) -> list[Weighed]:
    datasets = {request.dataset_id for request, _decision in terms}
    items = DataItem.ever.filter(dataset__in=datasets).select_related("dataset", "data_element")
    known: dict[int, dict[str, DataItem]] = {}
    for item in items:
        known.setdefault(item.dataset_id, {})[item.column_name] = item
    contracts = _contracts_of(datasets)
    flows = ReturnFlow.objects.filter(request__in=[request.pk for request, _decision in terms])
    returned = set(flows.values_list("request", flat=True))
    return [
        weighed(
            request,
            decision,
            known=known.get(request.dataset_id, {}),
            contract=contracts[request.dataset_id],
            is_return_flow=request.pk in returned,
        )
        for request, decision in terms
    ]


def _contracts_of(datasets: set[int]) -> Mapping[int, Contract]:
    newest = DatasetVersion.objects.filter(dataset__in=datasets)
    rows = newest.order_by("dataset", "-number").distinct("dataset")
    return {key: Contract.from_json(kept) for key, kept in rows.values_list("dataset", "contract")}


def _holdings_of_each(several: Sequence[Weighed], at: datetime) -> dict[int, Holding]:
    kinds = {each.request.pk: kinds_of(each) for each in several if each.gives_rows}
    asked = set().union(*kinds.values()) if kinds else set()
    if not asked:
        return {}
    consumers = {each.request.consumer_id for each in several if kinds.get(each.request.pk)}
    grants = list(_joinable(consumers, asked, at))
    items: dict[int, list[DataItem]] = {}
    theirs = DataItem.ever.filter(dataset__in={grant.dataset_id for grant in grants})
    for item in theirs.select_related("dataset", "data_element"):
        items.setdefault(item.dataset_id, []).append(item)
    found = {}
    for each in several:
        joined = _joined(each, kinds.get(each.request.pk, set()), grants, items)
        if joined:
            found[each.request.pk] = max(joined, key=lambda holding: holding.level)
    return found


def _joined(
    terms: Weighed, kinds: set[str], grants: Sequence[Any], items: Mapping[int, list[DataItem]]
) -> list[Holding]:
    request = terms.request
    mine = known_of(terms, kinds)
    found = []
    for grant in grants if kinds else ():
        if grant.consumer_id != request.consumer_id or grant.dataset_id == request.dataset_id:
            continue
        grant.reaches = grant.system_id == request.system_id or grant.may_redistribute
        joined = holding_of(terms, kinds, grant, items.get(grant.dataset_id, []), mine, set())
        if joined.keys and joined.level > Level.LOW:
            found.append(joined)
    return found


def _joinable(consumers: set[int], kinds: set[str], at: datetime) -> QuerySet[Grant]:
    """Return the consumers' grants that give one of the identifiers, the gravest of each."""
    given = (
        DataItem.ever.filter(dataset=OuterRef("dataset"))
        .alias(entry=plain_in_grant())
        .filter(entry__contained_by=OuterRef("columns"))
    )
    named = identifying(kinds)
    ranked = Window(
        RowNumber(),
        partition_by=[F("consumer")],
        order_by=["-holds_sensitive", "-dataset__contains_personal", "-pk"],
    )
    return (
        open_grants()
        .filter(Exists(given.filter(named)))
        .filter(consumer__in=consumers, expires_at__gt=at)
        .exclude(mode=Mode.VERIFY)
        .annotate(holds_sensitive=Exists(given.filter(~named & Q(sensitive=True))))
        .annotate(rank=ranked)
        .filter(rank__lte=LOOKED_AT)
        .select_related("dataset")
    )
