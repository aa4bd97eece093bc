"""机构改革: one operation, previewed, that moves what a department had to its successors."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts import evidence
from apps.accounts.history import remember
from apps.accounts.models import Department, SharingOffice, Succession, User
from apps.accounts.operations.departments import make_department
from apps.accounts.pointers import turn
from apps.accounts.reform import (
    MovingRows,
    Selection,
    Share,
    clashes,
    described,
    move_rights,
    overlap,
    part,
    whole,
    without,
)
from apps.core import access
from apps.core.errors import Conflict, InvalidInput, required_text

Kind = Succession.Kind
# The successor's key → what is chosen for it; for a split, the first successor takes the rest.
Selections = Mapping[int, Selection]


def preview_succession(
    *,
    kind: str,
    predecessors: Sequence[Department],
    successors: Sequence[Department],
    actor: User,
    selections: Selections | None = None,
) -> list[MovingRows]:
    """Say what a reform would move, per successor and kind of row; changes nothing.

    Raises:
        NotAllowed: the actor carries out no reforms.
        InvalidInput: departments or selection do not fit the kind of reform.
    """
    access.require(actor, "succeed", Succession)
    _check_parties(kind, predecessors, successors)
    return [
        line
        for predecessor in predecessors
        for share in _shares(kind, predecessor, successors, selections or {})
        for line in described(share)
    ]


@transaction.atomic
def succeed(
    *,
    kind: str,
    predecessors: Sequence[Department],
    successors: Sequence[Department],
    effective_on: date,
    basis: str,
    actor: User,
    at: datetime,
    selections: Selections | None = None,
    note: str = "",
) -> Succession:
    """Carry out a reform: turn every pointer, the rights and the people to the successors.

    Nothing is deleted; a predecessor ends on `effective_on` unless only a function was moved.
    Codes, views and database roles of live services stay as they are: only pointers turn.

    Source: house rule (domain §3, 机构改革)
    Raises:
        NotAllowed: the actor carries out no reforms.
        InvalidInput: departments, day or selection do not fit the kind of reform.
        Conflict: a department has ended already, or the successor has what may exist only once.
    """
    standing = access.require(actor, "succeed", Succession)
    basis = required_text(basis, _("请填写改革依据文号"), field="basis")
    predecessors, successors = _locked(predecessors), _locked(successors)
    _check_parties(kind, predecessors, successors)
    _check_day(kind, predecessors, effective_on, at)
    shares = [
        (predecessor, share)
        for predecessor in predecessors
        for share in _shares(kind, predecessor, successors, selections or {})
    ]
    if kind != Kind.FUNCTION_MOVED:
        for predecessor in predecessors:
            _end(predecessor, kind, effective_on, actor, at)
    _refuse_clashes([share for _predecessor, share in shares])
    moved = _carry_out(shares, str(Kind(kind).label), basis, actor, at)
    _name_missing_offices(kind, predecessors, successors)
    succession = Succession.objects.create(
        kind=kind,
        effective_on=effective_on,
        basis=basis,
        note=note,
        moved=moved,
        carried_out_by=actor,
        carried_out_at=at,
    )
    succession.predecessors.set(predecessors)
    succession.successors.set(successors)
    for department in (*predecessors, *successors):
        evidence.record(
            standing,
            "accounts.succeed",
            succession,
            at=at,
            details=_in_words(kind, predecessors, successors, basis, moved),
            department=department,
        )
    return succession


@transaction.atomic
def rename_department(
    *,
    department: Department,
    code: str,
    name: str,
    effective_on: date,
    basis: str,
    actor: User,
    at: datetime,
    short_name: str = "",
    note: str = "",
) -> Succession:
    """Give a department a new name: a new row takes over, the old name keeps the past figures.

    Raises:
        NotAllowed: the actor carries out no reforms.
        InvalidInput: the day lies ahead or before the department began.
        Conflict: the code is taken, or the department has ended.
    """
    access.require(actor, "succeed", Succession)
    name = required_text(name, _("请填写新名称"), field="name")
    successor = make_department(
        code=required_text(code, _("请填写部门编码"), field="code"),
        name=name,
        short_name=short_name,
        category=department.category,
        parent=department.parent,
        region=department.region,
        is_bound=department.is_bound,
        valid_from=effective_on,
        actor=actor,
        at=at,
    )
    uscc, is_authority = department.uscc, department.is_authority
    succession = succeed(
        kind=Kind.RENAMED,
        predecessors=[department],
        successors=[successor],
        effective_on=effective_on,
        basis=basis,
        note=note,
        actor=actor,
        at=at,
    )
    # Only now: while the old row was in force, both could not have them.
    successor.uscc, successor.is_authority = uscc, is_authority
    remember(successor, actor=actor, at=at, reason=_("更名"))
    successor.save()
    return succession


def _check_parties(
    kind: str, predecessors: Sequence[Department], successors: Sequence[Department]
) -> None:
    if kind not in Kind.values:
        raise InvalidInput(_("不认识的改革类型"), field="kind")
    if not predecessors or not successors:
        raise InvalidInput(_("请选择原部门和承接部门"), field="predecessors")
    if {d.pk for d in predecessors} & {d.pk for d in successors}:
        raise InvalidInput(_("原部门不能同时是承接部门"), field="successors")
    _check_numbers(kind, len(predecessors), len(successors))
    for department in (*predecessors, *successors):
        if department.valid_to is not None:
            raise Conflict(
                _("“%(name)s”已撤销，不能再办理") % {"name": department.name},
                code="department_ended",
            )


def _check_numbers(kind: str, predecessors: int, successors: int) -> None:
    if kind == Kind.SPLIT and successors < 2:
        raise InvalidInput(_("分设应有至少两个承接部门"), field="successors")
    if kind != Kind.SPLIT and successors != 1:
        raise InvalidInput(_("应有且只有一个承接部门"), field="successors")
    if kind != Kind.MERGED and predecessors != 1:
        raise InvalidInput(_("应有且只有一个原部门"), field="predecessors")


def _check_day(
    kind: str, predecessors: Sequence[Department], effective_on: date, at: datetime
) -> None:
    if effective_on > timezone.localtime(at).date():
        raise InvalidInput(_("生效日期未到，届时再办理"), field="effective_on")
    for department in predecessors:
        begun = department.valid_from
        if kind != Kind.FUNCTION_MOVED and begun is not None and begun >= effective_on:
            raise InvalidInput(_("生效日期应晚于原部门的设立日期"), field="effective_on")


def _shares(
    kind: str,
    predecessor: Department,
    successors: Sequence[Department],
    selections: Selections,
) -> list[Share]:
    """Return what each successor takes; the parts first, the rest of a split last."""
    if kind not in {Kind.SPLIT, Kind.FUNCTION_MOVED}:
        return [whole(predecessor, successors[0])]
    takers = successors if kind == Kind.FUNCTION_MOVED else successors[1:]
    parts = [part(predecessor, taker, selections.get(taker.pk, {})) for taker in takers]
    if not any(share.keys for share in parts):
        raise InvalidInput(_("请选择要划转的数据目录、信息系统或人员"), field="selections")
    for pointer, keys in overlap(parts):
        raise InvalidInput(
            _("有 %(count)d 条“%(label)s”同时划给了两个承接部门")
            % {"count": len(keys), "label": pointer.model._meta.verbose_name},
            model=pointer.model._meta.label,
        )
    if kind == Kind.SPLIT:
        parts.append(without(whole(predecessor, successors[0]), parts))
    return parts


def _refuse_clashes(shares: Sequence[Share]) -> None:
    found = clashes(shares)
    if found:
        listed = "；".join(f"{clash.label}：{'，'.join(clash.examples)}" for clash in found)
        raise Conflict(
            _("承接部门会有重复的内容，请先改名或撤下其一：%(listed)s") % {"listed": listed},
            code="succession_clash",
            clashes=[{"label": clash.label, "examples": clash.examples} for clash in found],
        )


def _carry_out(
    shares: Sequence[tuple[Department, Share]], kind: str, basis: str, actor: User, at: datetime
) -> dict[str, dict[str, int]]:
    """Turn the pointers; returns the rows per successor's code and model."""
    moved: dict[str, dict[str, int]] = {}
    for predecessor, share in shares:
        counts = moved.setdefault(share.successor.code, {})
        reason = f"{kind}：{predecessor.name} → {share.successor.name}（{basis}）"
        _change_groups(predecessor, share)
        for model in share.models():
            changes: dict[Any, dict[str, Model]] = {}
            for pointer, keys in share.keys.items():
                if pointer.model is model:
                    for key in keys:
                        changes.setdefault(key, {})[pointer.field] = share.successor
            label = model._meta.label
            counts[label] = counts.get(label, 0) + turn(
                model, changes, actor=actor, at=at, reason=reason
            )
        move_rights(share, predecessor.group, share.successor.group)
    return moved


def _change_groups(predecessor: Department, share: Share) -> None:
    """Take the moving people out of the old department's group and into the successor's."""
    memberships = User.groups.through
    people = share.keys_of(User)
    old = memberships.objects.filter(group_id=predecessor.group_id, user_id__in=people)
    members = set(old.values_list("user_id", flat=True))
    old.delete()
    memberships.objects.bulk_create(
        [
            memberships(user_id=key, group_id=share.successor.group_id)
            for key in sorted(members | people)
        ],
        ignore_conflicts=True,
    )


def _end(department: Department, kind: str, effective_on: date, actor: User, at: datetime) -> None:
    department.valid_to = effective_on
    remember(department, actor=actor, at=at, reason=Kind(kind).label)
    department.save()


def _name_missing_offices(
    kind: str, predecessors: Sequence[Department], successors: Sequence[Department]
) -> None:
    """Let the office go on under a successor that has none: somebody must sign from day one."""
    if kind == Kind.FUNCTION_MOVED:
        return
    for office in SharingOffice.objects.filter(department__in=predecessors).order_by("pk"):
        successor = successors[0]
        head = office.head
        if head is not None:
            head.refresh_from_db(fields=["department"])
        follows = head is not None and head.department_id == successor.pk
        SharingOffice.objects.get_or_create(
            department=successor,
            defaults={
                "name": office.name,
                "head": head if follows else None,
                "phone": office.phone,
            },
        )


def _locked(departments: Sequence[Department]) -> list[Department]:
    wanted = [department.pk for department in departments]
    found = {
        department.pk: department
        for department in Department.objects.select_for_update(of=["self"])
        .filter(pk__in=wanted)
        .select_related("group", "region")
        .order_by("pk")
    }
    return [found[key] for key in wanted]


def _in_words(
    kind: str,
    predecessors: Sequence[Department],
    successors: Sequence[Department],
    basis: str,
    moved: dict[str, dict[str, int]],
) -> dict[str, Any]:
    return {
        "kind": kind,
        "predecessors": [department.name for department in predecessors],
        "successors": [department.name for department in successors],
        "basis": basis,
        "moved": moved,
    }
