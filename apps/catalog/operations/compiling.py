"""Compile responsibility lists from the catalogue, and next year's from this year's."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from simple_history.utils import bulk_create_with_history

from apps.accounts.models import Department, User
from apps.catalog.lifecycle.responsibility import LIVE, RESPONSIBILITY_LIST
from apps.catalog.models import (
    DataItem,
    Dataset,
    Demand,
    Duty,
    DutyOrigin,
    ResponsibilityList,
    UpdateCycle,
)
from apps.catalog.queries import responsibility as queries
from apps.core import access
from apps.core.errors import InvalidInput, required_text
from apps.ledger import operations as ledger


@dataclass
class Compiled:
    """What a decomposition made: `passed_by` are lists too far on to be added to."""

    lists: list[ResponsibilityList] = field(default_factory=list)
    duty_count: int = 0
    passed_by: list[ResponsibilityList] = field(default_factory=list)


@transaction.atomic
def compile_lists(
    *,
    year: int,
    batch: str,
    actor: User,
    at: datetime,
    due_on: date | None = None,
    departments: Iterable[Department] | None = None,
) -> Compiled:
    """Decompose the city catalogue into one list per department, for the officer to correct.

    Each published, shareable entry that no open list promises yet becomes a duty with its items,
    cycle and contact, and so does each agreed demand for data that no entry holds. The rows
    expected are those of its last duty, if it ever had one.
    Repeat-safe: a second run adds what is new, and only to lists that are still being compiled.

    departments: all, unless told.
    Source: 渝大数据复函〔2019〕124号 (目录分解为部门责任清单)
    Raises:
        NotAllowed: the actor does not act for the authority.
        InvalidInput: no batch, or a year out of the calendar.
    """
    standing = access.require(actor, "create", ResponsibilityList, at=at)
    batch = required_text(batch, _("请填写批次，如“第一批”"), field="batch")[:40]
    if not 2000 <= year <= 2100:
        raise InvalidInput(_("年度应为四位年份，如 2026"), field="year")
    datasets = list(queries.datasets_to_promise(departments).order_by("department_id", "pk"))
    demands = list(queries.demands_to_promise(departments).order_by("provider_id", "pk"))
    providers = {demand.provider_id for demand in demands if demand.provider_id is not None}
    concerned = providers | {dataset.department_id for dataset in datasets}
    lists = _lists_for(concerned, year, batch, actor, at)
    open_lists = {key: row for key, row in lists.items() if row.status == "compiling"}
    chosen = [dataset for dataset in datasets if dataset.department_id in open_lists]
    duties = _proposed(chosen, open_lists, due_on=due_on, at=at)
    duties += [
        _demanded(demand, open_lists[demand.provider_id], due_on, at)
        for demand in demands
        if demand.provider_id in open_lists
    ]
    bulk_create_with_history(
        duties,
        Duty,
        batch_size=1000,
        default_user=actor,
        default_change_reason=str(_("目录分解")),
        default_date=at,
    )
    ledger.record(
        standing,
        "catalog.compile_lists",
        None,
        at=at,
        details={"year": year, "batch": batch, "lists": len(open_lists), "duties": len(duties)},
    )
    passed_by = [row for row in lists.values() if row.status != "compiling"]
    return Compiled(list(open_lists.values()), len(duties), passed_by)


@transaction.atomic
def adjust(
    *,
    responsibility_list: ResponsibilityList,
    actor: User,
    at: datetime,
    revision: int | None = None,
) -> ResponsibilityList:
    """Begin the yearly adjustment; return next year's list with the duties carried over.

    Every duty still held to is copied with its day a year on and points to the one it came from,
    so that both the difference and what was performed can be seen.

    Source: 渝大数据复函〔2019〕124号 (年度调整)
    Raises:
        NotAllowed: the actor does not act for the authority.
        IllegalMove: the list is not in force.
    """
    standing = access.require(actor, "adjust", responsibility_list, at=at)
    RESPONSIBILITY_LIST.apply(responsibility_list, "adjust", actor=actor, at=at, revision=revision)
    department = responsibility_list.department
    following = _new_list(department, responsibility_list.year + 1, responsibility_list.batch, at)
    following.previous = responsibility_list
    bulk_create_with_history(
        [following],
        ResponsibilityList,
        default_user=actor,
        default_change_reason=str(_("年度调整")),
        default_date=at,
    )
    following = ResponsibilityList.objects.get(code=following.code)
    carried = responsibility_list.duties.filter(status__in=LIVE, parent=None).order_by("pk")
    bulk_create_with_history(
        [_carried(duty, following, at) for duty in carried],
        Duty,
        batch_size=1000,
        default_user=actor,
        default_change_reason=str(_("上年转入")),
        default_date=at,
    )
    ledger.record(
        standing,
        "catalog.adjust",
        responsibility_list,
        at=at,
        details={"following": following.code},
        department=department,
    )
    return following


def _lists_for(
    departments: set[int], year: int, batch: str, actor: User, at: datetime
) -> dict[int, ResponsibilityList]:
    """Return the batch's list of each department, made where there is none."""
    found = Department.objects.in_bulk(departments)
    wanted = {row.pk: _new_list(row, year, batch, at) for row in found.values()}
    codes = [row.code for row in wanted.values()]
    known = set(
        ResponsibilityList.objects.select_for_update()
        .filter(code__in=codes)
        .values_list("code", flat=True)
    )
    bulk_create_with_history(
        [row for row in wanted.values() if row.code not in known],
        ResponsibilityList,
        default_user=actor,
        default_change_reason=str(_("新建")),
        default_date=at,
    )
    by_code = {
        row.code: row
        for row in ResponsibilityList.objects.filter(code__in=codes).select_related("department")
    }
    return {key: by_code[row.code] for key, row in wanted.items()}


def _new_list(department: Department, year: int, batch: str, at: datetime) -> ResponsibilityList:
    return ResponsibilityList(
        code=f"{year}-{batch}-{department.code}",
        department=department,
        year=year,
        batch=batch,
        created_at=at,
        updated_at=at,
    )


def _proposed(
    datasets: Sequence[Dataset],
    lists: dict[int, ResponsibilityList],
    *,
    due_on: date | None,
    at: datetime,
) -> list[Duty]:
    items, rows = _items_of(datasets), _rows_before(datasets)
    return [
        Duty(
            responsibility_list=lists[dataset.department_id],
            department_id=dataset.department_id,
            internal_unit=dataset.internal_unit,
            dataset=dataset,
            title=dataset.name,
            item_columns=items.get(dataset.pk, {}).get("columns", []),
            item_names=items.get(dataset.pk, {}).get("names", []),
            expected_rows=rows.get(dataset.pk),
            update_cycle=dataset.update_cycle,
            due_on=due_on,
            contact_name=dataset.contact_name,
            contact_phone=dataset.contact_phone,
            sharing_attribute=dataset.effective_sharing_attribute,
            opening_attribute=dataset.opening_attribute,
            system_id=dataset.system_id,
            created_at=at,
            updated_at=at,
        )
        for dataset in datasets
    ]


def _demanded(
    demand: Demand, responsibility_list: ResponsibilityList, due_on: date | None, at: datetime
) -> Duty:
    """A dataset that was agreed to on demand and is still to be made."""
    names = [name[:50] for name in demand.item_names]
    return Duty(
        responsibility_list=responsibility_list,
        department_id=responsibility_list.department_id,
        origin=DutyOrigin.DEMAND,
        demand=demand,
        title=demand.title,
        item_columns=[""] * len(names),
        item_names=names,
        update_cycle=demand.update_cycle or UpdateCycle.YEARLY,
        due_on=demand.promised_on or due_on,
        created_at=at,
        updated_at=at,
    )


def _items_of(datasets: Sequence[Dataset]) -> dict[int, Any]:
    """Return columns and names of each entry's items, in order, by the entry's key."""
    rows = (
        DataItem.objects.filter(dataset__in=[dataset.pk for dataset in datasets])
        .order_by()
        .values("dataset")
        .annotate(
            columns=ArrayAgg("column_name", order_by=("position", "pk")),
            names=ArrayAgg("name", order_by=("position", "pk")),
        )
    )
    return {row["dataset"]: row for row in rows}


def _rows_before(datasets: Sequence[Dataset]) -> dict[int | None, int | None]:
    """Return how many rows were expected of each entry by its last duty."""
    keys = [dataset.pk for dataset in datasets]
    earlier = Duty.objects.filter(dataset__in=keys, parent=None, expected_rows__isnull=False)
    return dict(earlier.order_by("pk").values_list("dataset", "expected_rows"))


def _carried(duty: Duty, following: ResponsibilityList, at: datetime) -> Duty:
    kept = (
        "department_id", "internal_unit", "dataset_id", "title", "item_columns", "item_names",
        "expected_rows", "update_cycle", "contact_name", "contact_phone", "sharing_attribute",
        "opening_attribute", "system_id", "demand_id",
    )  # fmt: skip
    return Duty(
        responsibility_list=following,
        previous=duty,
        origin=DutyOrigin.CARRIED,
        due_on=queries.a_year_on(duty.due_on) if duty.due_on else None,
        created_at=at,
        updated_at=at,
        **{name: getattr(duty, name) for name in kept},
    )
