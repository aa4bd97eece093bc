"""Compare what the database holds with the grants, rebuild what is missing or differs, say so.

Source: house rule (design §8: grants are data, roles and views are derived)
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.sharing import naming, provisioning
from apps.sharing.models import Grant
from apps.warehouse import queries as warehouse

OPEN: Final = (Grant.Status.IN_FORCE, Grant.Status.SUSPENDED)


@dataclass(frozen=True, slots=True)
class Repair:
    """One thing that was found and what was done about it; `failed` when it could not be done."""

    subject: str
    found: str | Promise
    done: str | Promise
    failed: bool = False

    def __str__(self) -> str:
        return f"{self.subject}：{self.found}，{self.done}"


def reconcile() -> Iterator[Repair]:
    """Repair every grant and remove what belongs to none. Repeat-safe; silent when all is well."""
    provisioning.persistently(provisioning.ensure_foundation)
    grants = Grant.objects.filter(status__in=OPEN).select_related("dataset", "system")
    for grant in grants.order_by("pk").iterator():
        fault = _fault_of(grant)
        if fault:
            yield _repaired(grant, fault)
    yield from _leftovers()


def _fault_of(grant: Grant) -> str | Promise:
    place = provisioning.place_of(grant)
    table = warehouse.table_of(grant.dataset)
    if table is None or (table.schema, table.name) != (grant.table_schema, grant.table_name):
        return _("数据表已变更")
    found = provisioning.state(place)
    if not found:
        return _("角色缺失")
    if found != provisioning.remembered_state(place):
        return _("角色、列权限、行级策略或视图与授权不一致")
    if not provisioning.reader_is_ready(place):
        return _("使用系统的角色缺失或不完整")
    if provisioning.may_read(place) != (grant.status == Grant.Status.IN_FORCE):
        return _("使用系统的读取权限与授权状态不一致")
    return ""


def _repaired(grant: Grant, fault: str | Promise) -> Repair:
    def work() -> None:
        current = Grant.objects.select_for_update(of=("self",)).get(pk=grant.pk)
        if current.status not in OPEN:
            return
        provisioning.tear_down(current)
        provisioning.provision(current)
        if current.status == Grant.Status.SUSPENDED:
            provisioning.revoke(current)
        Grant.objects.filter(pk=current.pk).update(
            table_schema=current.table_schema, table_name=current.table_name
        )

    try:
        provisioning.persistently(work)
    except DomainError as error:
        return Repair(str(grant), fault, _("未能重建：%(why)s") % {"why": error}, failed=True)
    return Repair(str(grant), fault, _("已重建"))


def _leftovers() -> Iterator[Repair]:
    """Remove roles of grants that are closed or never were; those made ahead stay."""
    numbers = sorted(
        _numbers_in_roles(naming.role_of_grant) | _numbers_in_roles(naming.role_of_verifier)
    )
    standing = Grant.objects.filter(pk__in=numbers, status__in=("delivering", *OPEN))
    kept = set(standing.values_list("pk", flat=True))
    for number in numbers:
        if number not in kept and not _is_made_ahead(number):
            yield _removed(number)


def _is_made_ahead(number: int) -> bool:
    role = naming.role_of_grant(provisioning.database(), number)
    return number > provisioning.last_number() and provisioning.is_blank(role)


def _numbers_in_roles(role_of: Callable[[str, int], str]) -> set[int]:
    """Return the numbers of grants for which the server has a role of that kind."""
    prefix = role_of(provisioning.database(), 0)[:-1]
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)", [prefix])
        roles = [str(row[0]) for row in cursor.fetchall()]
    return {int(role[len(prefix) :]) for role in roles if role[len(prefix) :].isdecimal()}


def _removed(number: int) -> Repair:
    role = naming.role_of_grant(provisioning.database(), number)

    def work() -> None:
        provisioning.remove_numbered(number)

    try:
        provisioning.persistently(work)
    except DomainError as error:
        return Repair(role, _("无对应的授权"), str(error), failed=True)
    return Repair(role, _("无对应的授权"), _("已清除"))
