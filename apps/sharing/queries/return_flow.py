"""Which codes stand for a region, and how many records nobody can place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Region
from apps.catalog import queries as catalog
from apps.catalog.models import Dataset
from apps.core.contracts import Column
from apps.core.errors import InvalidInput
from apps.sharing import terms_sql
from apps.sharing.models import RegionItem, ReturnFlow, SharingRequest
from apps.sharing.terms_sql import Terms
from apps.warehouse import queries as warehouse

RETURN_FLOW: Final = "return_flow.reply"
# What is checked as something else, an identity number say, cannot tell the region.
_CHECKS_THAT_TELL: Final = ("", "division_code", "chongqing_district")


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes of a region today; ambiguous as in `ReturnFlow`."""

    codes: Sequence[str]
    ambiguous: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Records under a code that went into several regions; rows is None where nobody counted."""

    code: str
    name: str
    successors: Sequence[str]
    rows: int | None


def return_flow_of(request: SharingRequest) -> ReturnFlow | None:
    """Return what makes the request one of return flow, None for every other request."""
    return ReturnFlow.objects.filter(request=request).select_related("region").first()


def region_item_of(dataset: Dataset) -> str:
    """Return the column that tells the region; empty where none is declared, or it is gone."""
    declared = RegionItem.objects.filter(dataset=dataset).first()
    if declared is None:
        return ""
    known = {column.name for column in catalog.contract_of(dataset).columns}
    return declared.column_name if declared.column_name in known else ""


def could_tell_region(column: Column) -> bool:
    """Say whether a column can hold the code of a region."""
    return column.type == "C" and column.check in _CHECKS_THAT_TELL


def obstacle_to_return_flow(region: Region, dataset: Dataset) -> InvalidInput | None:
    """Return why the region cannot ask for its rows of the dataset, None when it can."""
    if region.kind == Region.Kind.CITY:
        return InvalidInput(_("数据回流由区县的部门申请"), code="not_a_district")
    if not region_item_of(dataset):
        return InvalidInput(
            _("提供部门尚未声明哪个数据项是区划；由其在目录页声明后再申请"),
            code="no_region_item",
        )
    if not codes_of(region).codes:
        return InvalidInput(_("本区划没有行政区划代码，不能按代码回流"), code="no_region_code")
    return None


def codes_of(region: Region) -> Codes:
    """Return the region's own code and those of the abolished ones that went into it.

    An abolished region that went into this one alone gives its codes whole, and so do those that
    went into it before; one that went into several is ambiguous, with all that came before it.

    Source: house rule (issue 5); GB/T 2260
    """
    codes: list[str] = [region.code] if region.code else []
    ambiguous: list[dict[str, Any]] = []
    seen = {region.pk}
    waiting = [(before, False) for before in region.predecessors.order_by("code")]
    while waiting:
        before, is_doubtful = waiting.pop(0)
        if before.pk in seen:
            continue
        seen.add(before.pk)
        successors = [after.name for after in before.successors.order_by("code")]
        is_doubtful = is_doubtful or len(successors) > 1
        if before.code and is_doubtful:
            ambiguous.append({"code": before.code, "name": before.name, "successors": successors})
        elif before.code:
            codes.append(before.code)
        waiting += [(each, is_doubtful) for each in before.predecessors.order_by("code")]
    return Codes(codes, ambiguous)


def unplaced_rows(flow: ReturnFlow, *, counted: bool) -> list[Unplaced]:
    """Return the codes that nobody can place; if counted, with the records there are now."""
    dataset = flow.request.dataset
    table = warehouse.table_of(dataset)
    contract = catalog.contract_of(dataset)
    found = []
    for entry in flow.ambiguous:
        rows = None
        if table is not None and counted:
            condition = [{"item": flow.column_name, "operator": "eq", "value": entry["code"]}]
            columns = [{"name": flow.column_name, "mask": ""}]
            terms = Terms.of(contract, columns, condition)
            with connection.cursor() as cursor:
                cursor.execute(terms_sql.count(terms, schema=table.schema, table=table.name))
                rows = int(cursor.fetchone()[0])
        found.append(Unplaced(entry["code"], entry["name"], entry["successors"], rows))
    return found
