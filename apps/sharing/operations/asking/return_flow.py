"""A district asks that rows about its area be sent back to it; no condition may be added.

What is asked for is a request like any other: it is let out, passed on, answered and delivered by
the operations of requests. Its rows, its way and its answer are bound by `return_flow_terms`.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import InformationSystem, Region, User
from apps.catalog import queries as catalog
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.access import Standing
from apps.core.errors import InvalidInput
from apps.ledger import operations as ledger
from apps.sharing import queries
from apps.sharing.models import Mode, RegionItem, ReturnFlow, SharingRequest
from apps.sharing.operations.asking import drafting
from apps.sharing.operations.attempts import attempt

STANDING_YEARS: Final = 5
BASIS: Final = _("《政务数据共享条例》第二十四条")


@attempt("sharing.declare_region_item", "dataset")
def declare_region_item(
    *, dataset: Dataset, column_name: str, actor: User, at: datetime
) -> RegionItem:
    """Say which item of the entry tells the region; what was asked for before keeps its item.

    Raises:
        InvalidInput: the entry has no such item, or it cannot hold a region's code.
    """
    standing = access.require(actor, "declare_region_item", dataset, at=at)
    columns = {column.name: column for column in catalog.contract_of(dataset).columns}
    if column_name not in columns:
        raise InvalidInput(_("目录中没有这个数据项"), code="unknown_item", field="column_name")
    if not queries.could_tell_region(columns[column_name]):
        raise InvalidInput(
            _("区划数据项须为字符型，保存行政区划代码"), code="unfit_item", field="column_name"
        )
    declared, _made = RegionItem.objects.update_or_create(
        dataset=dataset,
        defaults={"column_name": column_name, "declared_by": actor, "declared_at": at},
    )
    details = {"item": column_name}
    ledger.record(standing, "sharing.declare_region_item", dataset, at=at, details=details)
    return declared


@attempt("sharing.draft_return_flow", "dataset")
def draft_return_flow(
    *,
    dataset: Dataset,
    system: InformationSystem,
    actor: User,
    at: datetime,
    items: Sequence[str] | Mapping[str, str] | None = None,
    scenario: str = "",
    scope: str = "",
) -> SharingRequest:
    """Begin the request of a district's department for the rows about its district.

    It is a standing subscription: batch exchange, landed in the department's pool, for five years
    [house] at a time.

    Source: 《政务数据共享条例》第二十四条
    Raises:
        NotAllowed: the actor does not edit for a department.
        InvalidInput: the department is not a district's; no item tells the region; the district
            has no code; as in `draft_request`.
    """
    standing = access.require(actor, "create", SharingRequest, at=at)
    return begin_return_flow(
        standing,
        dataset=dataset,
        system=system,
        at=at,
        items=items,
        scenario=scenario,
        scope=scope,
    )


def begin_return_flow(
    standing: Standing,
    *,
    dataset: Dataset,
    system: InformationSystem,
    at: datetime,
    items: Sequence[str] | Mapping[str, str] | None,
    scenario: str,
    scope: str,
    previous: SharingRequest | None = None,
) -> SharingRequest:
    """Write the request down and record it; who drafts it has been allowed to.

    Raises:
        InvalidInput: as in `draft_return_flow`.
    """
    actor: User = standing.actor
    department = (standing.principal or actor).department
    assert department is not None  # only members may draft
    region = department.region
    obstacle = queries.obstacle_to_return_flow(region, dataset)
    if obstacle is not None:
        raise obstacle
    flow = _flow_to(region, dataset)
    today = timezone.localdate(at)
    written = {
        "basis": str(BASIS),
        "scenario": scenario,
        "scope": scope,
        "mode": Mode.BATCH,
        "starts_on": today,
        "ends_on": _years_later(today),
    }
    request = drafting.begin(
        standing,
        dataset=dataset,
        system=system,
        at=at,
        items=items,
        row_condition=flow.row_condition,
        written=written,
        previous=previous,
    )
    flow.request = request
    flow.save()
    details = {"region": region.name, "codes": flow.codes}
    ledger.record(standing, "sharing.draft_return_flow", request, at=at, details=details)
    return request


def _flow_to(region: Region, dataset: Dataset) -> ReturnFlow:
    """What is sent back to the region, as the item and the codes stand today."""
    column, found = queries.region_item_of(dataset), queries.codes_of(region)
    codes, ambiguous = list(found.codes), list(found.ambiguous)
    return ReturnFlow(region=region, column_name=column, codes=codes, ambiguous=ambiguous)


def _years_later(day: date) -> date:
    try:
        return day.replace(year=day.year + STANDING_YEARS)
    except ValueError:  # 29 February
        return day.replace(year=day.year + STANDING_YEARS, day=28)
