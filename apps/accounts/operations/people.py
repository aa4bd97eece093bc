"""People: registering, moving, handing over, disabling."""

from datetime import datetime
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts import evidence
from apps.accounts.models import (
    SEPARATED_ROLES,
    Delegation,
    Department,
    InformationSystem,
    User,
)
from apps.accounts.open_matters import open_matters
from apps.accounts.pointers import turn
from apps.accounts.queries import holders_of
from apps.core import access
from apps.core.errors import Conflict, InvalidInput, required_text

PERSONAL = ("name", "email", "phone", "language")


@transaction.atomic
def register_user(
    *,
    username: str,
    name: str,
    department: Department,
    password: str,
    actor: User,
    at: datetime,
    email: str = "",
    phone: str = "",
) -> User:
    """Make an account for a person of a department; he changes the password at his first sign-in.

    Raises:
        NotAllowed: the actor is not the system administrator.
        InvalidInput: the password breaks a rule, or the department has ended.
        Conflict: the user name is taken.
    """
    standing = access.require(actor, "create", User)
    username = required_text(username, _("请填写用户名"), field="username")
    name = required_text(name, _("请填写姓名"), field="name")
    if department.valid_to is not None:
        raise InvalidInput(_("该部门已撤销，不能新增人员"), field="department")
    user = User(
        username=User.normalize_username(username),
        name=name,
        email=email,
        phone=phone,
        department=department,
        joined_at=at,
    )
    _set_password(user, password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        raise Conflict(_("该用户名已被使用"), field="username") from error
    _demand_new_password(user)
    user.groups.add(department.group_id)
    evidence.record(standing, "accounts.register_user", user, at=at, department=department)
    return user


@transaction.atomic
def register_supplier(
    *,
    system: InformationSystem,
    username: str,
    name: str,
    password: str,
    actor: User,
    at: datetime,
    phone: str = "",
) -> User:
    """Make an account for a supplier's engineer, of no department, to be bound to the system.

    He changes the password at his first sign-in.

    Raises:
        NotAllowed: the actor is not the head of the system's department, or it is retired.
        InvalidInput: no name. Conflict: the user name is taken.
    """
    standing = access.require(actor, "open_supplier", system)
    username = required_text(username, _("请填写用户名"), field="username")
    name = required_text(name, _("请填写姓名"), field="name")
    user = User(
        username=User.normalize_username(username),
        name=name,
        phone=phone,
        kind=User.Kind.SUPPLIER,
        joined_at=at,
    )
    _set_password(user, password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        raise Conflict(_("该用户名已被使用"), field="username") from error
    _demand_new_password(user)
    evidence.record(
        standing, "accounts.register_supplier", user, at=at, department=system.department
    )
    return user


@transaction.atomic
def shut_supplier(*, user: User, at: datetime) -> None:
    """Let a supplier's engineer in no more; whoever is signed in is out with the next page."""
    suppliers = User.objects.filter(pk=user.pk, kind=User.Kind.SUPPLIER, is_active=True)
    suppliers.update(is_active=False, disabled_at=at, login_key="")


@transaction.atomic
def change_user(*, user: User, actor: User, at: datetime, **fields: Any) -> User:
    """Correct what is written about a person: name, email, phone, language.

    Raises:
        NotAllowed: the actor is not the system administrator.
        InvalidInput: another field was given.
    """
    standing = access.require(actor, "change_user", user)
    unknown = sorted(set(fields) - set(PERSONAL))
    if unknown:
        raise InvalidInput(_("不能直接更改：%(fields)s") % {"fields": "、".join(unknown)})
    changed = [name for name, value in fields.items() if getattr(user, name) != value]
    for name in changed:
        setattr(user, name, fields[name])
    if changed:
        user.save(update_fields=changed)
    evidence.record(
        standing,
        "accounts.change_user",
        user,
        at=at,
        details={"fields": changed},
        department=user.department,
    )
    return user


@transaction.atomic
def issue_password(*, user: User, password: str, actor: User, at: datetime) -> User:
    """Give somebody a password to sign in with once; he changes it then.

    Raises:
        NotAllowed: the actor is not the system administrator, or it is his own account.
        InvalidInput: the password breaks a rule.
    """
    standing = access.require(actor, "issue_password", user)
    _set_password(user, password)
    user.login_key = ""
    user.save(update_fields=["password", "login_key"])
    _demand_new_password(user)
    evidence.record(standing, "accounts.issue_password", user, at=at, department=user.department)
    return user


@transaction.atomic
def move_user(*, user: User, department: Department, actor: User, at: datetime) -> User:
    """Move a person to another department, once nothing open is left in the old one.

    Raises:
        NotAllowed: the actor is not the system administrator.
        InvalidInput: the department has ended.
        Conflict: something open names the person still, or he holds a role of the old department.
    """
    standing = access.require(actor, "move_user", user)
    user = User.objects.select_for_update().get(pk=user.pk)
    if department.valid_to is not None:
        raise InvalidInput(_("该部门已撤销，不能调入人员"), field="department")
    _refuse_while_open(user)
    if user.role_assignments.filter(revoked_at=None).exclude(role__in=SEPARATED_ROLES).exists():
        raise Conflict(_("调动前须先收回其在原部门的角色"), code="roles_held")
    former = user.department
    if former is not None:
        user.groups.remove(former.group_id)
    user.department = department
    user.save(update_fields=["department"])
    user.groups.add(department.group_id)
    _end_delegations(user, actor, at)
    evidence.record(
        standing,
        "accounts.move_user",
        user,
        at=at,
        details={"from": str(former or ""), "to": str(department)},
        department=department,
    )
    return user


@transaction.atomic
def hand_over(
    *, user: User, successor: User, actor: User, at: datetime, reason: str = ""
) -> dict[str, int]:
    """Hand everything open of one person to a colleague; returns the rows per model.

    Raises:
        NotAllowed: the actor may not dispose of this person's matters.
        InvalidInput: the successor is the same person, disabled, or of another department.
    """
    standing = access.require(actor, "hand_over", user)
    if successor.pk == user.pk:
        raise InvalidInput(_("不能移交给本人"), field="successor")
    if not successor.is_active or successor.kind != User.Kind.PERSON:
        raise InvalidInput(_("接手人的账号未启用"), field="successor")
    if successor.department_id != user.department_id:
        raise InvalidInput(_("接手人应为同一部门的人员"), field="successor")
    why = str(_("由%(user)s移交给%(successor)s") % {"user": user, "successor": successor})
    why = f"{why}：{reason}" if reason else why
    moved: dict[str, int] = {}
    for matter in open_matters(user):
        changes = {
            key: {matter.pointer.field: successor}
            for key in matter.rows.values_list("pk", flat=True)
        }
        label = matter.model_label
        moved[label] = moved.get(label, 0) + turn(
            matter.pointer.model,
            changes,
            actor=actor,
            at=at,
            reason=why,
        )
    evidence.record(
        standing,
        "accounts.hand_over",
        user,
        at=at,
        details={"successor": str(successor), "moved": moved, "reason": reason},
        department=user.department,
    )
    return moved


@transaction.atomic
def disable_user(*, user: User, actor: User, at: datetime, reason: str) -> User:
    """Disable an account once everything open of it is handed over; its delegations end.

    Raises:
        NotAllowed: the actor is not the system administrator, or it is his own account.
        Conflict: something open names the person still (`matters` lists it), he is the last of the
            three administrators' kind, or is disabled already.
    """
    standing = access.require(actor, "disable_user", user)
    reason = required_text(reason, _("请填写停用理由"), field="reason")
    user = User.objects.select_for_update().get(pk=user.pk)
    if not user.is_active:
        raise Conflict(_("该账号已停用"))
    _refuse_while_open(user)
    _refuse_last_administrator(user)
    user.is_active = False
    user.disabled_at = at
    user.login_key = ""
    user.save(update_fields=["is_active", "disabled_at", "login_key"])
    _end_delegations(user, actor, at)
    evidence.record(
        standing,
        "accounts.disable_user",
        user,
        at=at,
        details={"reason": reason},
        department=user.department,
    )
    return user


@transaction.atomic
def enable_user(*, user: User, actor: User, at: datetime) -> User:
    """Enable a disabled account again.

    Raises:
        NotAllowed: the actor is not the system administrator, or it is his own account.
        Conflict: the account is not disabled.
    """
    standing = access.require(actor, "enable_user", user)
    user = User.objects.select_for_update().get(pk=user.pk)
    if user.is_active:
        raise Conflict(_("该账号未停用"))
    user.is_active = True
    user.disabled_at = None
    user.save(update_fields=["is_active", "disabled_at"])
    evidence.record(standing, "accounts.enable_user", user, at=at, department=user.department)
    return user


def _set_password(user: User, password: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidInput("；".join(error.messages), field="password") from error
    user.set_password(password)


def _demand_new_password(user: User) -> None:
    # A password that another person knows is good for one sign-in only.
    User.objects.filter(pk=user.pk).update(password_changed_at=None)
    user.password_changed_at = None


def _refuse_while_open(user: User) -> None:
    matters = open_matters(user)
    if matters:
        listed = "、".join(f"{matter.label} {matter.count} 项" for matter in matters)
        raise Conflict(
            _("%(user)s还有未办结事项，须先移交：%(listed)s") % {"user": user, "listed": listed},
            code="matters_open",
            matters=[{"label": matter.label, "count": matter.count} for matter in matters],
        )


def _refuse_last_administrator(user: User) -> None:
    for code in SEPARATED_ROLES:
        if user.holds(code) and not holders_of(code).exclude(pk=user.pk).exists():
            raise Conflict(
                _("不能停用最后一名该类管理员，请先授予他人"), code="last_administrator", role=code
            )


def _end_delegations(user: User, actor: User, at: datetime) -> None:
    for held in (Delegation.objects.filter(principal=user), Delegation.objects.filter(deputy=user)):
        held.filter(revoked_at=None).update(revoked_at=at, revoked_by=actor)
