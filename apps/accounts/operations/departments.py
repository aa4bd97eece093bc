"""Departments and their sharing offices."""

from datetime import date, datetime
from typing import Any

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts import evidence
from apps.accounts.history import remember
from apps.accounts.models import Department, Region, SharingOffice, User
from apps.accounts.queries import subtree_of
from apps.core import access
from apps.core.errors import Conflict, InvalidInput, required_text

# What may be corrected without a reform: a new name is a succession, not a correction.
CORRECTABLE = ("short_name", "uscc", "category", "parent", "region", "is_authority", "is_bound")


@transaction.atomic
def register_department(
    *,
    code: str,
    name: str,
    region: Region,
    actor: User,
    at: datetime,
    valid_from: date | None = None,
    **fields: Any,
) -> Department:
    """Enter a department, with the group that carries its rights.

    `fields`: short_name, uscc, category, parent, is_authority, is_bound.

    Raises:
        NotAllowed: the actor does not keep the directory.
        Conflict: code, credit code or the authority's place is taken.
    """
    standing = access.require(actor, "create", Department)
    code = required_text(code, _("请填写部门编码"), field="code")
    name = required_text(name, _("请填写部门名称"), field="name")
    _refuse_unknown(fields)
    department = make_department(
        code=code, name=name, region=region, valid_from=valid_from, actor=actor, at=at, **fields
    )
    evidence.record(
        standing, "accounts.register_department", department, at=at, department=department
    )
    return department


def make_department(
    *, code: str, name: str, actor: User | None, at: datetime, **fields: Any
) -> Department:
    """Make the row and its group; asks nobody's leave (loaders and reforms call it, too)."""
    if Department.objects.filter(code=code).exists():
        raise Conflict(_("部门编码 %(code)s 已被使用") % {"code": code}, field="code")
    group = Group.objects.create(name=f"department:{code}")
    department = Department(code=code, name=name, group=group, **fields)
    remember(department, actor=actor, at=at, reason=_("登记部门"))
    _save(department)
    return department


@transaction.atomic
def change_department(
    *, department: Department, actor: User, at: datetime, reason: str = "", **fields: Any
) -> Department:
    """Correct what is written about a department; its name changes by a reform only.

    Raises:
        NotAllowed: the actor does not keep the directory.
        InvalidInput: a field that may not be corrected, or a parent below the department.
        Conflict: credit code or the authority's place is taken.
    """
    standing = access.require(actor, "change_department", department)
    _refuse_unknown(fields)
    department = Department.objects.select_for_update().get(pk=department.pk)
    parent = fields.get("parent")
    if parent is not None and parent.pk in subtree_of(department):
        raise InvalidInput(_("上级部门不能是本部门或其下级"), field="parent")
    changed = [name for name, value in fields.items() if getattr(department, name) != value]
    for name in changed:
        setattr(department, name, fields[name])
    remember(department, actor=actor, at=at, reason=reason or _("更正部门信息"))
    _save(department)
    evidence.record(
        standing,
        "accounts.change_department",
        department,
        at=at,
        details={"fields": changed, "reason": reason},
        department=department,
    )
    return department


@transaction.atomic
def name_sharing_office(
    *,
    department: Department,
    name: str,
    head: User | None,
    actor: User,
    at: datetime,
    phone: str = "",
) -> SharingOffice:
    """Name the department's sharing office and its head, as every department must.

    Source: 《政务数据共享条例》第十一条
    Raises:
        NotAllowed: the actor neither heads the office nor keeps the directory.
        InvalidInput: the head belongs elsewhere or is disabled.
    """
    standing = access.require(actor, "name_sharing_office", department)
    name = required_text(name, _("请填写共享工作机构名称"), field="name")
    if head is not None and not (head.is_active and head.department_id == department.pk):
        raise InvalidInput(_("负责人应为本部门在用的人员"), field="head")
    office, _made = SharingOffice.objects.update_or_create(
        department=department, defaults={"name": name, "head": head, "phone": phone}
    )
    evidence.record(
        standing,
        "accounts.name_sharing_office",
        office,
        at=at,
        details={"head": str(head) if head else ""},
        department=department,
    )
    return office


def _refuse_unknown(fields: dict[str, Any]) -> None:
    unknown = sorted(set(fields) - set(CORRECTABLE))
    if unknown:
        raise InvalidInput(_("不能直接更改：%(fields)s") % {"fields": "、".join(unknown)})


def _save(department: Department) -> None:
    try:
        with transaction.atomic():
            department.save()
    except IntegrityError as error:
        constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
        if constraint == "accounts_department_one_authority_per_region":
            raise Conflict(_("该区划已有政务数据主管部门"), field="is_authority") from error
        if constraint == "accounts_department_uscc_once_in_force":
            raise Conflict(_("该统一社会信用代码已有部门使用"), field="uscc") from error
        if constraint == "accounts_department_uscc_form":
            raise InvalidInput(
                _("统一社会信用代码应为 18 位数字或大写字母"), field="uscc"
            ) from error
        raise
