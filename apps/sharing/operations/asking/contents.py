"""What a request must say before it may go on, and how its contents are written."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import Department, InformationSystem, User
from apps.catalog import queries as catalog
from apps.catalog.models import DataItem, Dataset
from apps.core import conditions as row_conditions
from apps.core.errors import Conflict, InvalidInput, required_text
from apps.sharing import queries
from apps.sharing.models import (
    LIMIT_FIELDS,
    Mode,
    RequestedItem,
    SharingRequest,
    limits_of,
)
from apps.sharing.operations.asking import return_flow_terms
from apps.sharing.operations.deciding.limits import checked_limits, refuse_unanswerable
from apps.sharing.queries.coded import refuse_unknown_codes
from apps.sharing.terms_sql import check_mask

WRITTEN_FIELDS: Final = (
    "basis",
    "scenario",
    "scope",
    "mode",
    "starts_on",
    "ends_on",
    "vouched",
    *LIMIT_FIELDS,
)


def refuse_incomplete(request: SharingRequest, at: datetime) -> None:
    """Check the five mandatory statements, the promise, the items and the dataset.

    Source: 《政务数据共享条例》第二十条
    """
    refuse_unavailable(request.dataset, request.consumer)
    required_text(request.basis, _("填写使用依据"), field="basis")
    required_text(request.scenario, _("填写使用场景"), field="scenario")
    required_text(request.scope, _("填写使用范围"), field="scope")
    if request.starts_on is None or request.ends_on is None:
        raise InvalidInput(_("填写使用时限的起止日期"), field="ends_on")
    refuse_bad_period(request.starts_on, request.ends_on)
    if request.ends_on < timezone.localtime(at).date():
        raise InvalidInput(_("使用截止日期已过"), field="ends_on")
    if not request.vouched:
        raise InvalidInput(_("须承诺申请真实、合法、必要"), field="vouched")
    if not request.requested_items.exists():
        raise InvalidInput(_("至少选择一个数据项"), code="no_items", field="items")
    _refuse_retired(request)
    return_flow_terms.refuse_other_way(request)
    refuse_unanswerable(
        request.mode,
        queries.written_items(request.requested_items.select_related("item")),
        catalog.contract_of(request.dataset),
    )
    _refuse_doubled(request)


def record_asked(request: SharingRequest, *, actor: User, at: datetime) -> None:
    """Keep the terms as asked, so that every version can be shown beside what was decided."""
    rows = request.requested_items.select_related("item")
    assert request.starts_on is not None  # checked before anything is sent
    assert request.ends_on is not None
    request.decisions.create(
        version=request.decisions.count() + 1,
        outcome="asked",
        items=queries.written_items(rows),
        row_condition=request.row_condition,
        mode=request.mode,
        starts_on=request.starts_on,
        ends_on=request.ends_on,
        reason=request.supplement_answer,
        proposed_by=actor,
        proposed_at=at,
        **limits_of(request),
    )


def refuse_unfit_system(system: InformationSystem, consumer: Department) -> None:
    """Check that the system is the asking department's own and in service."""
    if system.department_id != consumer.pk or not system.is_in_service():
        raise InvalidInput(_("使用系统须是本部门在用的信息系统"), field="system")


def refuse_unavailable(dataset: Dataset, consumer: Department) -> None:
    obstacle = queries.obstacles_to_asking([dataset], consumer).get(dataset.pk)
    if obstacle is not None:
        raise obstacle


def _refuse_retired(request: SharingRequest) -> None:
    """An item that the entry dropped while the request was being written is given to nobody."""
    rows = request.requested_items.exclude(item__retired_at=None).select_related("item")
    gone = rows.first()
    if gone is not None:
        raise InvalidInput(
            _("目录已停用数据项“%(item)s”，从申请中去掉") % {"item": gone.item.name},
            code="unknown_item",
            field="items",
            item=gone.item.column_name,
        )


def _refuse_doubled(request: SharingRequest) -> None:
    """One system asks once at a time, and not around a suspension."""
    other = queries.request_in_the_way(request)
    if other is not None:
        raise Conflict(
            _("该系统对此目录已有办理中的申请 %(number)s") % {"number": other.number},
            code="already_asked",
        )
    if queries.open_grants().filter(
        system=request.system, dataset=request.dataset, status="suspended"
    ):
        raise Conflict(_("该系统对此目录的授权已暂停，整改恢复后再申请"), code="grant_suspended")


def write(request: SharingRequest, written: Mapping[str, Any]) -> None:
    unknown = set(written) - set(WRITTEN_FIELDS)
    if unknown:
        raise TypeError(f"a request has no {sorted(unknown)}")
    for name, value in {**written, **checked_limits(written)}.items():
        setattr(request, name, value.strip() if isinstance(value, str) else value)
    if request.mode not in Mode.values:
        raise InvalidInput(_("没有这种共享方式"), field="mode")
    refuse_bad_period(request.starts_on, request.ends_on)


def written_down(request: SharingRequest) -> dict[str, Any]:
    """Return what is written beside the items, to tell what a revision changes."""
    return {name: getattr(request, name) for name in (*WRITTEN_FIELDS, "row_condition")}


def refuse_bad_period(starts_on: date | None, ends_on: date | None) -> None:
    if starts_on and ends_on and ends_on <= starts_on:
        raise InvalidInput(_("截止日期须在开始日期之后"), field="ends_on")


def checked_condition(
    request: SharingRequest, row_condition: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return conditions that are checked and typed, as they are stored."""
    contract = catalog.contract_of(request.dataset)
    return [c.to_json() for c in row_conditions.parse(row_condition, contract.columns)]


def refuse_unmeetable(dataset: Dataset, row_condition: Sequence[dict[str, Any]]) -> None:
    """Refuse what a person wrote that no record meets: a value that is no code of the item's."""
    if row_condition:
        refuse_unknown_codes(dataset, row_condition)


def choose_items(request: SharingRequest, chosen: Sequence[str] | Mapping[str, str] | None) -> None:
    """Write down the items asked for and their masks; all shareable ones when None."""
    RequestedItem.objects.bulk_create(_checked_items(request, chosen))


def choose_anew(request: SharingRequest, chosen: Sequence[str] | Mapping[str, str]) -> list[str]:
    """Choose other items, or other masks; return in words what turned, [] of nothing."""
    wanted = _checked_items(request, chosen)
    before = _by_name(request.requested_items.select_related("item"))
    after = _by_name(wanted)
    turned = [
        _("减少“%(item)s”") % {"item": entry["label"]}
        for name, entry in before.items()
        if name not in after
    ]
    for name, entry in after.items():
        words = {"item": entry["label"], "way": queries.mask_words(entry["mask"])}
        if name not in before:
            turned.append(_("增加“%(item)s”（%(way)s）") % words)
        elif entry["mask"] != before[name]["mask"]:
            turned.append(_("“%(item)s”改为%(way)s") % words)
    if turned:
        request.requested_items.all().delete()
        RequestedItem.objects.bulk_create(wanted)
    return turned


def _by_name(rows: Iterable[RequestedItem]) -> dict[str, dict[str, str]]:
    return {entry["name"]: entry for entry in queries.written_items(rows)}


def _checked_items(
    request: SharingRequest, chosen: Sequence[str] | Mapping[str, str] | None
) -> list[RequestedItem]:
    known = {item.column_name: item for item in request.dataset.items.select_related("dataset")}
    names = list(known) if chosen is None else list(chosen)
    picked = [_item_named(known, name) for name in dict.fromkeys(names)]
    refused = queries.unshareable(picked)
    if chosen is None:
        picked = [item for item in picked if item not in refused]
    elif refused:
        raise InvalidInput(
            _("数据项“%(item)s”不予共享") % {"item": refused[0].name},
            code="item_not_shared",
            field="items",
            item=refused[0].column_name,
        )
    asked_masks = chosen if isinstance(chosen, Mapping) else {}
    rows = [
        RequestedItem(
            request=request,
            item=item,
            mask=asked_masks.get(item.column_name, queries.default_mask(item)),
        )
        for item in picked
    ]
    for row in rows:
        check_mask(row.mask, row.item.data_type, row.item.column_name)
    return rows


def _item_named(known: Mapping[str, DataItem], name: str) -> DataItem:
    if name not in known:
        raise InvalidInput(
            _("目录中没有数据项“%(item)s”") % {"item": name},
            code="unknown_item",
            field="items",
            item=name,
        )
    return known[name]
