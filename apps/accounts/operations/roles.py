"""Giving and taking roles, naming and dismissing stand-ins."""

from collections.abc import Iterable
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts import evidence
from apps.accounts.models import SEPARATED_ROLES, Delegation, Role, RoleAssignment, User
from apps.accounts.queries import acting_circle, holders_of, separated_roles_of
from apps.core import access
from apps.core.errors import Conflict, InvalidInput, NotAllowed, required_text

AUTHORITY_ROLES = ("authority_officer", "authority_leader")


@transaction.atomic
def assign_role(
    *,
    user: User,
    role: str,
    actor: User,
    at: datetime,
    starts_on: date | None = None,
    ends_on: date | None = None,
) -> RoleAssignment:
    """Give a role to somebody else.

    Nobody gives himself a role, and nobody comes to hold, alone or as a stand-in, two of the three
    administrators' roles; the database refuses both as well.

    Source: GB/T 22239-2019 第三级安全管理中心（三员分立）
    Raises:
        NotAllowed: the actor is not the security administrator, or it is his own account.
        InvalidInput: unknown role, dates in the wrong order, an authority's role elsewhere.
        Conflict: the role is held already, or two administrators' roles would meet.
    """
    standing = access.require(actor, "assign_role", user)
    if user.pk in {actor.pk, getattr(standing.principal, "pk", None)}:
        raise NotAllowed(_("不能给自己授予角色"))
    user = _locked([user])[0]
    starts_on = starts_on or timezone.localtime(at).date()
    found = Role.objects.filter(code=role).first()
    if found is None:
        raise InvalidInput(_("没有这个角色：%(role)s") % {"role": role}, field="role")
    if ends_on is not None and ends_on < starts_on:
        raise InvalidInput(_("截止日期早于起始日期"), field="ends_on")
    _check_fit(user, role)
    _refuse_held(user, role, starts_on, ends_on)
    _refuse_meeting_roles(user, role)
    assignment = RoleAssignment(
        user=user,
        role=found,
        starts_on=starts_on,
        ends_on=ends_on,
        assigned_by=actor,
        assigned_at=at,
    )
    try:
        with transaction.atomic():
            assignment.save()
    except IntegrityError as error:
        raise _separated() from error
    user.forget_standing()
    evidence.record(
        standing,
        "accounts.assign_role",
        user,
        at=at,
        details={"role": role, "starts_on": str(starts_on), "ends_on": str(ends_on or "")},
        department=user.department,
    )
    return assignment


@transaction.atomic
def revoke_role(
    *, assignment: RoleAssignment, actor: User, at: datetime, reason: str
) -> RoleAssignment:
    """Take a role back, at once.

    Raises:
        NotAllowed: the actor is not the security administrator, or it is his own role.
        Conflict: nobody else would hold this administrator's role.
    """
    standing = access.require(actor, "revoke_role", assignment)
    if assignment.user_id == actor.pk:
        raise NotAllowed(_("不能收回自己的角色"))
    reason = required_text(reason, _("请填写收回理由"), field="reason")
    assignment = RoleAssignment.objects.select_for_update(of=["self"]).get(pk=assignment.pk)
    code = assignment.role_id
    if code in SEPARATED_ROLES and not holders_of(code).exclude(pk=assignment.user_id).exists():
        raise Conflict(
            _("不能收回最后一名该类管理员的角色，请先授予他人"), code="last_administrator"
        )
    assignment.revoked_at = at
    assignment.revoked_by = actor
    assignment.save(update_fields=["revoked_at", "revoked_by"])
    evidence.record(
        standing,
        "accounts.revoke_role",
        assignment.user,
        at=at,
        details={"role": code, "reason": reason},
        department=assignment.user.department,
    )
    return assignment


@transaction.atomic
def delegate(
    *,
    principal: User,
    deputy: User,
    starts_on: date,
    ends_on: date,
    reason: str,
    actor: User,
    at: datetime,
) -> Delegation:
    """Name a colleague who acts in somebody's name from one day to another; the trail says 代办.

    Raises:
        NotAllowed: the actor is neither the principal nor the security administrator, acts as a
            stand-in himself, or would become the deputy by his own word.
        InvalidInput: the deputy is disabled or of another department, or the dates are wrong.
        Conflict: a delegation between the two runs already, or administrators' roles would meet.
    """
    standing = access.require(actor, "delegate", principal)
    if standing.principal is not None:
        raise NotAllowed(_("代办人不能再委托他人"))
    if deputy.pk == actor.pk:
        raise NotAllowed(_("不能指定自己为代办人"))
    reason = required_text(reason, _("请填写委托事由"), field="reason")
    if ends_on < starts_on or ends_on < timezone.localtime(at).date():
        raise InvalidInput(_("截止日期应不早于起始日期和今天"), field="ends_on")
    _check_deputy(principal, deputy)
    principal, deputy = _locked([principal, deputy])
    _refuse_meeting_principals(principal, deputy)
    _refuse_doubled(principal, deputy, starts_on, ends_on)
    delegation = Delegation.objects.create(
        principal=principal,
        deputy=deputy,
        starts_on=starts_on,
        ends_on=ends_on,
        reason=reason,
        delegated_by=actor,
        delegated_at=at,
    )
    deputy.forget_standing()
    evidence.record(
        standing,
        "accounts.delegate",
        principal,
        at=at,
        details={
            "deputy": str(deputy),
            "starts_on": str(starts_on),
            "ends_on": str(ends_on),
            "reason": reason,
        },
        department=principal.department,
    )
    return delegation


@transaction.atomic
def revoke_delegation(*, delegation: Delegation, actor: User, at: datetime) -> Delegation:
    """End a delegation at once.

    Raises:
        NotAllowed: the actor is no party to it, or it has been revoked already.
    """
    standing = access.require(actor, "revoke_delegation", delegation)
    delegation.revoked_at = at
    delegation.revoked_by = actor
    delegation.save(update_fields=["revoked_at", "revoked_by"])
    evidence.record(
        standing,
        "accounts.revoke_delegation",
        delegation.principal,
        at=at,
        details={"deputy": str(delegation.deputy)},
        department=delegation.principal.department,
    )
    return delegation


def _locked(users: Iterable[User]) -> list[User]:
    """Lock people in the order of their keys, and return them in the order given."""
    wanted = [user.pk for user in users]
    found = {
        user.pk: user
        for user in User.objects.select_for_update(of=["self"])
        .filter(pk__in=wanted)
        .select_related("department")
        .order_by("pk")
    }
    return [found[key] for key in wanted]


def _check_fit(user: User, role: str) -> None:
    if not user.is_active or user.department is None:
        raise InvalidInput(_("账号未启用或未分配部门，不能授予角色"), field="user")
    if role in AUTHORITY_ROLES and not user.department.is_authority:
        raise InvalidInput(_("该角色只授予政务数据主管部门的人员"), field="role")


def _refuse_held(user: User, role: str, starts_on: date, ends_on: date | None) -> None:
    held = RoleAssignment.objects.filter(
        Q(ends_on=None) | Q(ends_on__gte=starts_on), user=user, role=role, revoked_at=None
    )
    if ends_on is not None:
        held = held.filter(starts_on__lte=ends_on)
    if held.exists():
        raise Conflict(_("%(user)s已持有该角色") % {"user": user})


def _refuse_meeting_roles(user: User, role: str) -> None:
    if role not in SEPARATED_ROLES:
        return
    for circle in acting_circle(user).values():
        if separated_roles_of(circle) - {role}:
            raise _separated()


def _refuse_meeting_principals(principal: User, deputy: User) -> None:
    circle = {principal} | acting_circle(deputy)[deputy]
    if len(separated_roles_of(circle)) > 1:
        raise _separated()


def _check_deputy(principal: User, deputy: User) -> None:
    if deputy.pk == principal.pk:
        raise InvalidInput(_("不能委托给本人"), field="deputy")
    if not deputy.is_active or deputy.kind != User.Kind.PERSON:
        raise InvalidInput(_("代办人的账号未启用"), field="deputy")
    if deputy.department_id is None or deputy.department_id != principal.department_id:
        raise InvalidInput(_("代办人应为同一部门的人员"), field="deputy")


def _refuse_doubled(principal: User, deputy: User, starts_on: date, ends_on: date) -> None:
    if Delegation.objects.filter(
        principal=principal,
        deputy=deputy,
        revoked_at=None,
        starts_on__lte=ends_on,
        ends_on__gte=starts_on,
    ).exists():
        raise Conflict(_("这段时间内已委托同一人代办"))


def _separated() -> Conflict:
    return Conflict(
        _("系统管理员、安全管理员、审计管理员须由不同的人担任，也不能互相代办"),
        code="roles_separated",
    )
