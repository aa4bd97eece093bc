"""Information systems and the users in whose name they act."""

from datetime import date, datetime
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts import evidence
from apps.accounts.history import remember
from apps.accounts.lifecycle import SYSTEM
from apps.accounts.models import Department, InformationSystem, User
from apps.accounts.queries import next_system_number
from apps.core import access
from apps.core.errors import Conflict, InvalidInput, StaleRevision, required_text

DESCRIBED = ("name", "purpose", "built_on", "protection_level", "contact_name", "contact_phone")


@transaction.atomic
def register_system(
    *,
    name: str,
    department: Department,
    actor: User,
    at: datetime,
    built_on: date | None = None,
    **fields: Any,
) -> InformationSystem:
    """Enter a department's system, with a user of its own that can never sign in by password.

    `fields`: purpose, protection_level, contact_name, contact_phone.

    Raises:
        NotAllowed: the actor keeps neither the systems nor those of this department.
        InvalidInput: no name, or the department has ended.
        Conflict: the department has a system of this name.
    """
    standing = access.require(actor, "register_system", department)
    name = required_text(name, _("请填写系统名称"), field="name")
    if department.valid_to is not None:
        raise InvalidInput(_("该部门已撤销，不能登记系统"), field="department")
    _refuse_unknown(fields)
    if _of_that_name(department, name).exists():
        raise Conflict(_("该部门已登记同名系统"), field="name")
    number = next_system_number()
    code = f"S-{number:04d}"
    system = InformationSystem(
        pk=number,
        code=code,
        name=name,
        department=department,
        service_user=make_service_user(code=code, name=name, department=department, at=at),
        built_on=built_on,
        created_at=at,
        updated_at=at,
        **fields,
    )
    remember(system, actor=actor, at=at, reason=_("登记系统"))
    system.save(force_insert=True)
    evidence.record(standing, "accounts.register_system", system, at=at, department=department)
    return system


def make_service_user(*, code: str, name: str, department: Department, at: datetime) -> User:
    """Make the user in whose name a system acts, in its department's group."""
    user = User.objects.create(
        username=f"sys-{code.lower()}",
        name=name[:50],
        kind=User.Kind.SERVICE,
        department=department,
        password=make_password(None),
        joined_at=at,
    )
    user.groups.add(department.group_id)
    return user


@transaction.atomic
def change_system(
    *,
    system: InformationSystem,
    actor: User,
    at: datetime,
    revision: int | None = None,
    **fields: Any,
) -> InformationSystem:
    """Correct what is written about a system.

    Raises:
        NotAllowed: the actor keeps neither the systems nor those of its department.
        StaleRevision: somebody changed it after the page was opened.
        Conflict: the department has another system of this name.
    """
    standing = access.require(actor, "change_system", system)
    _refuse_unknown(fields)
    system = InformationSystem.objects.select_for_update(of=["self"]).get(pk=system.pk)
    if revision is not None and revision != system.revision:
        raise StaleRevision
    name = required_text(fields.get("name", system.name), _("请填写系统名称"), field="name")
    if _of_that_name(system.department, name).exclude(pk=system.pk).exists():
        raise Conflict(_("该部门已登记同名系统"), field="name")
    changed = [key for key, value in fields.items() if getattr(system, key) != value]
    for key in changed:
        setattr(system, key, fields[key])
    system.revision += 1
    system.updated_at = at
    remember(system, actor=actor, at=at, reason=_("更正系统信息"))
    system.save()
    evidence.record(
        standing,
        "accounts.change_system",
        system,
        at=at,
        details={"fields": changed},
        department=system.department,
    )
    return system


@transaction.atomic
def launch(
    *,
    system: InformationSystem,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> InformationSystem:
    """Note that a system has gone into service.

    Raises:
        NotAllowed: the actor answers neither for all systems nor for this department's.
        IllegalMove: it is not being built.
    """
    return _move(system, "launch", actor=actor, at=at, reason=reason, revision=revision)


@transaction.atomic
def retire(
    *,
    system: InformationSystem,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> InformationSystem:
    """Take a system out of service; its user can act no more.

    Raises:
        NotAllowed: the actor answers neither for all systems nor for this department's.
        IllegalMove: it is retired already.
    """
    system = _move(system, "retire", actor=actor, at=at, reason=reason, revision=revision)
    User.objects.filter(pk=system.service_user_id).update(is_active=False, disabled_at=at)
    return system


@transaction.atomic
def reinstate(
    *,
    system: InformationSystem,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> InformationSystem:
    """Put a retired system back into service; its user may act again under the grants it has.

    Raises:
        NotAllowed: the actor answers neither for all systems nor for this department's.
        IllegalMove: it is not retired.
    """
    system = _move(system, "reinstate", actor=actor, at=at, reason=reason, revision=revision)
    User.objects.filter(pk=system.service_user_id).update(is_active=True, disabled_at=None)
    return system


def _move(
    system: InformationSystem,
    name: str,
    *,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None,
) -> InformationSystem:
    standing = access.require(actor, name, system)
    SYSTEM.apply(system, name, actor=actor, at=at, reason=reason, revision=revision)
    evidence.record(
        standing,
        f"accounts.{name}",
        system,
        at=at,
        details={"reason": reason},
        department=system.department,
    )
    return system


def _of_that_name(department: Department, name: str) -> Any:
    live = InformationSystem.objects.exclude(status=InformationSystem.Status.RETIRED)
    return live.filter(department=department, name=name)


def _refuse_unknown(fields: dict[str, Any]) -> None:
    unknown = sorted(set(fields) - set(DESCRIBED))
    if unknown:
        raise InvalidInput(_("不能直接更改：%(fields)s") % {"fields": "、".join(unknown)})
