"""A demand that an entry in force meets becomes a request in one step."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from apps.accounts.models import InformationSystem, User
from apps.catalog import queries as catalog
from apps.catalog.models import Dataset, Demand
from apps.catalog.operations import demands
from apps.core import access
from apps.ledger import operations as ledger
from apps.sharing import queries
from apps.sharing.models import Mode, SharingRequest
from apps.sharing.operations.asking.drafting import begin
from apps.sharing.operations.attempts import attempt


@attempt("sharing.draft_request_from_demand", "demand")
def draft_request_from_demand(
    *,
    demand: Demand,
    dataset: Dataset,
    system: InformationSystem,
    actor: User,
    at: datetime,
    revision: int | None = None,
) -> SharingRequest:
    """Draft a request for an entry in force out of a demand, with what the demand says already.

    Basis, scenario, scope, mode and period are taken over, and the entry's items that the demand
    names; nothing is vouched for yet. The demand is met when the request is delivered, and its
    department's again when the request is refused or withdrawn.

    Source: 《政务数据共享条例》第二十条
    Raises:
        NotAllowed: the actor does not edit for the wanting department.
        InvalidInput: the entry cannot be asked for, or the system is another department's.
        IllegalMove: a request came of the demand already, or it is over.
    """
    standing = access.require(actor, "create", SharingRequest, at=at)
    demands.take_up(demand=demand, dataset=dataset, actor=actor, at=at, revision=revision)
    request = begin(
        standing,
        dataset=dataset,
        system=system,
        at=at,
        items=wanted_columns(demand, dataset),
        written=_written(demand, at),
        demand=demand,
    )
    ledger.record(
        standing,
        "sharing.draft_request_from_demand",
        request,
        at=at,
        details={"demand": demand.number},
    )
    return request


def wanted_columns(demand: Demand, dataset: Dataset) -> list[str] | None:
    """Return the columns of the entry that the demand names; None, all of them, if it names none.

    What is not shared is left out.
    """
    if not demand.wanted_items:
        return None
    items = catalog.items_named(dataset, demand.item_names)
    refused = queries.unshareable(items)
    return [item.column_name for item in items if item not in refused]


def _written(demand: Demand, at: datetime) -> dict[str, Any]:
    today = timezone.localdate(at)
    starts_on = max(today, demand.needed_by or today)
    has_end = demand.ends_on is not None and demand.ends_on > starts_on
    return {
        "basis": demand.basis,
        "scenario": demand.scenario,
        "scope": demand.scope,
        "mode": demand.mode if demand.mode in Mode.values else Mode.INTERFACE,
        "starts_on": starts_on,
        "ends_on": demand.ends_on if has_end else None,
    }
