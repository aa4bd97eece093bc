"""Split a duty further, to internal units and to the departments of districts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User
from apps.catalog.lifecycle.responsibility import LIVE
from apps.catalog.models import Dataset, Duty, DutyOrigin
from apps.catalog.operations.duties import check
from apps.catalog.operations.performing import require_running
from apps.catalog.queries import responsibility as queries
from apps.core import access
from apps.core.errors import IllegalMove, InvalidInput
from apps.ledger import operations as ledger


@dataclass(frozen=True)
class Part:
    """What one unit or department takes of a duty. Units: expected_rows are records.

    dataset: the entry of the other department that holds this part, where it has one of its own.
    """

    department: Department
    internal_unit: str = ""
    expected_rows: int | None = None
    due_on: date | None = None
    contact_name: str = ""
    contact_phone: str = ""
    dataset: Dataset | None = None


@transaction.atomic
def split_duty(*, duty: Duty, parts: Sequence[Part], actor: User, at: datetime) -> list[Duty]:
    """Give parts of a duty to own units or to departments of the regions directly below.

    The parts' expected rows may stay behind the whole, which is shown as a gap, but not exceed it.
    A part is due no later than the whole.

    Source: 渝大数据复函〔2019〕124号 (市级责任分解到区县); house rule
    Raises:
        NotAllowed: the actor is not of the performing department's staff.
        IllegalMove: the duty is not in force, or its list has ended.
        InvalidInput: nobody is named, a department that is not directly below is, the rows add up
            to more than the whole, or a part is due after it.
    """
    standing = access.require(actor, "split", duty, at=at)
    current = (
        Duty.objects.select_for_update(of=("self",)).select_related("department").get(pk=duty.pk)
    )
    if current.status not in LIVE:
        raise IllegalMove(_("印发后的责任事项才能拆分"), state=current.status)
    require_running(duty.responsibility_list)
    if not parts:
        raise InvalidInput(_("至少写明一个承担处室或者区县部门"), field="parts")
    for part in parts:
        _check_part(current, part)
    _check_sum(current, parts)
    made = [_made(current, part, actor, at) for part in parts]
    ledger.record(
        standing,
        "catalog.split_duty",
        current,
        at=at,
        details={"parts": [_named(part) for part in parts]},
    )
    return made


def _check_part(duty: Duty, part: Part) -> None:
    own = part.department.pk == duty.department_id
    if own and not part.internal_unit.strip():
        raise InvalidInput(_("拆分给本部门的，请写明处室"), field="internal_unit")
    if not own and part.department.region.parent_id != duty.department.region_id:
        raise InvalidInput(
            _("“%(department)s”不是下级部门；只能拆分给本部门处室或者下一级区县的部门")
            % {"department": part.department},
            field="department",
        )
    if not own and part.department.valid_to is not None:
        raise InvalidInput(_("该部门已撤销"), field="department")
    if part.due_on and duty.due_on and part.due_on > duty.due_on:
        raise InvalidInput(
            _("下级事项的期限不能晚于本事项的期限 %(day)s") % {"day": duty.due_on}, field="due_on"
        )
    if part.dataset is not None and part.dataset.department_id != part.department.pk:
        raise InvalidInput(_("这条目录不是该部门的"), field="dataset")


def _check_sum(duty: Duty, parts: Sequence[Part]) -> None:
    if duty.expected_rows is None:
        return
    total = queries.assigned_rows(duty) + sum(part.expected_rows or 0 for part in parts)
    if total > duty.expected_rows:
        raise InvalidInput(
            _("下级事项合计 %(total)s 条，超出本事项应归集的 %(expected)s 条")
            % {"total": f"{total:,}", "expected": f"{duty.expected_rows:,}"},
            code="parts_exceed",
            field="expected_rows",
        )


def _made(duty: Duty, part: Part, actor: User, at: datetime) -> Duty:
    child = Duty(
        responsibility_list_id=duty.responsibility_list_id,
        parent=duty,
        department=part.department,
        internal_unit=part.internal_unit.strip(),
        origin=DutyOrigin.SPLIT,
        dataset=part.dataset,
        title=f"{duty.title}（{_named(part)}）"[:100],
        item_columns=duty.item_columns,
        item_names=duty.item_names,
        expected_rows=part.expected_rows,
        update_cycle=duty.update_cycle,
        due_on=part.due_on or duty.due_on,
        contact_name=part.contact_name.strip(),
        contact_phone=part.contact_phone.strip(),
        sharing_attribute=duty.sharing_attribute,
        opening_attribute=duty.opening_attribute,
        status="in_force",
        created_at=at,
        updated_at=at,
    )
    check(child)
    unsaved: Any = child
    unsaved._history_user, unsaved._history_date = actor, at
    unsaved._change_reason = str(_("拆分"))
    child.save(force_insert=True)
    ledger.open_todo(
        child,
        "catalog.perform_duty",
        title=_("落实拆分的责任事项：%(duty)s") % {"duty": child},
        url=child.get_absolute_url(),
        department=part.department,
        role="department_editor",
        at=at,
        due_on=child.due_on,
    )
    return child


def _named(part: Part) -> str:
    return part.internal_unit.strip() or str(part.department)
