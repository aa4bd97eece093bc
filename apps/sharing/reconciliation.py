"""Compare what the database holds with the grants, rebuild what is missing or differs, say so.

Source: house rule (design §8: grants are data, roles and views are derived)
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from django.db import DatabaseError, connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.sharing import naming, provisioning
from apps.sharing.models import DatabaseLogin, Grant
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
    yield from _stray_logins()


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
    if not provisioning.is_read_by(place, provisioning.readers_of(grant)):
        return _("使用系统的读取权限与授权状态不一致")
    return ""


def _repaired(grant: Grant, fault: str | Promise) -> Repair:
    def work() -> str | Promise:
        current = Grant.objects.select_for_update(of=("self",)).get(pk=grant.pk)
        if current.status not in OPEN:
            return ""
        provisioning.tear_down(current)
        provisioning.provision(current)
        if current.status == Grant.Status.SUSPENDED:
            provisioning.revoke(current)
        Grant.objects.filter(pk=current.pk).update(
            table_schema=current.table_schema, table_name=current.table_name
        )
        return _fault_of(current)

    try:
        left: object = provisioning.persistently(work)
    except (DomainError, DatabaseError) as error:
        left = error
    if left:
        return Repair(str(grant), fault, _("未能重建：%(why)s") % {"why": left}, failed=True)
    return Repair(str(grant), fault, _("已重建"))


def _leftovers() -> Iterator[Repair]:
    """Remove roles of grants that are closed or never were; those made ahead stay."""
    numbers = _numbers_in_roles(naming.role_of_grant) | _numbers_in_roles(naming.role_of_verifier)
    for number in sorted(numbers - _standing(numbers)):
        if not _is_made_ahead(number):
            yield from _removed(number)


def _standing(numbers: set[int]) -> set[int]:
    standing = Grant.objects.filter(pk__in=numbers, status__in=("delivering", *OPEN))
    return set(standing.values_list("pk", flat=True))


def _is_made_ahead(number: int) -> bool:
    role = naming.role_of_grant(provisioning.database(), number)
    return number > provisioning.last_number() and provisioning.is_blank(role)


def _numbers_in_roles(role_of: Callable[[str, int], str], *, that_log_in: bool = False) -> set[int]:
    """Return the numbers of grants, or systems, for which the server has a role of that kind."""
    prefix = role_of(provisioning.database(), 0)[:-1]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s) AND rolcanlogin >= %s",
            [prefix, that_log_in],
        )
        roles = [str(row[0]) for row in cursor.fetchall()]
    return {int(role[len(prefix) :]) for role in roles if role[len(prefix) :].isdecimal()}


def _removed(number: int) -> Iterator[Repair]:
    role = naming.role_of_grant(provisioning.database(), number)

    def work() -> bool:
        if _standing({number}):  # the role was made ahead, and its grant came meanwhile
            return False
        provisioning.remove_numbered(number)
        return True

    try:
        if provisioning.persistently(work):
            yield Repair(role, _("无对应的授权"), _("已清除"))
    except (DomainError, DatabaseError) as error:
        yield Repair(role, _("无对应的授权"), str(error), failed=True)


def _stray_logins() -> Iterator[Repair]:
    """Shut logins that are not open as the portal has it: its database may come from a backup."""
    for number in sorted(_numbers_in_roles(naming.role_of_login, that_log_in=True)):
        if provisioning.persistently(partial(_is_shut, number)):
            login = naming.role_of_login(provisioning.database(), number)
            found = _("使用系统的读取权限与授权状态不一致")
            yield Repair(login, found, DatabaseLogin.Status.CLOSED.label)


def _is_shut(number: int) -> bool:
    """Shut the login of a system unless it is to be open; say whether that was done."""
    if DatabaseLogin.objects.filter(system=number, status=DatabaseLogin.Status.OPEN).exists():
        return False
    provisioning.close_login(number)
    return True
