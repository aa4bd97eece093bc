"""Supplier accounts: opened for one system, extended, closed at once, ended on their day.

Source: GB/T 22239-2019 第三级（外部人员访问管理）; house rule (issue 5: suppliers' accounts)
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _

from apps.accounts import operations as accounts_operations
from apps.accounts import queries as accounts
from apps.accounts.models import InformationSystem, User
from apps.core import access
from apps.core.access import Standing
from apps.core.errors import IllegalMove, InvalidInput, required_text
from apps.core.templatetags.dates import day as written_day
from apps.ledger import operations as ledger
from apps.sharing.lifecycle import SUPPLIER_ACCOUNT
from apps.sharing.models import SupplierAccount
from apps.sharing.models.suppliers import LONGEST_DAYS
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.one_by_one import each_by_itself
from apps.sharing.operations.versions import save_version

WARNED_DAYS: Final = 7
LONGEST_REASON: Final = 300
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(frozen=True, slots=True)
class OpenedSupplier:
    """An account that was opened, with the password for its first sign-in: shown this once."""

    account: SupplierAccount
    password: str


@attempt("sharing.open_supplier", "system")
def open_supplier(
    *,
    system: InformationSystem,
    username: str,
    name: str,
    firm: str,
    basis: str,
    starts_on: date,
    ends_on: date,
    actor: User,
    at: datetime,
    phone: str = "",
) -> OpenedSupplier:
    """Open an account for a supplier's engineer, bound to the system, from one day to another.

    Source: GB/T 22239-2019 第三级（外部人员访问管理）
    Raises:
        NotAllowed: the actor is not the head of the system's department, or it is out of service.
        InvalidInput: something is missing, or the days are past, reversed or too far apart.
        Conflict: the user name is taken.
    """
    standing = access.require(actor, "open_supplier", system, at=at)
    firm = required_text(firm, _("请填写供应商名称"), field="firm")
    basis = required_text(basis, _("请填写合同或者依据"), field="basis")
    today = timezone.localdate(at)
    if starts_on < today:
        raise InvalidInput(_("开始日期不能早于今天"), field="starts_on")
    _check_end(starts_on, ends_on)
    password = _first_password()
    user = accounts_operations.register_supplier(
        system=system,
        username=username,
        name=name,
        phone=phone,
        password=password,
        actor=actor,
        at=at,
    )
    account = SupplierAccount(
        user=user,
        system=system,
        firm=firm,
        basis=basis,
        starts_on=starts_on,
        ends_on=ends_on,
        opened_by=actor,
        created_at=at,
        updated_at=at,
    )
    save_version(account, actor=actor, at=at, reason=_("开通"), insert=True)
    days = {"from": starts_on.isoformat(), "until": ends_on.isoformat()}
    _record(standing, "sharing.open_supplier", account, at=at, basis=basis, **days)
    return OpenedSupplier(account, password)


@attempt("sharing.extend_supplier", "account")
def extend_supplier(
    *, account: SupplierAccount, ends_on: date, basis: str, actor: User, at: datetime
) -> SupplierAccount:
    """Let an account last longer, on the contract that says so.

    Raises:
        NotAllowed: the actor is not the head of the system's department, or it is over.
        InvalidInput: no contract, or no later day, or one too far away.
    """
    standing = access.require(actor, "extend_supplier", account, at=at)
    basis = required_text(basis, _("请填写合同或者依据"), field="basis")
    held = _held(account)
    if held.status != SupplierAccount.Status.OPEN:
        raise IllegalMove
    if ends_on <= held.ends_on:
        raise InvalidInput(_("新的截止日期须晚于原来的"), field="ends_on")
    _check_end(max(held.starts_on, timezone.localdate(at)), ends_on)
    before, held.ends_on, held.basis = held.ends_on, ends_on, basis
    held.warned_at = None
    held.revision += 1
    held.updated_at = at
    save_version(held, actor=actor, at=at, reason=_("延长：%(basis)s") % {"basis": basis})
    days = {"before": before.isoformat(), "until": ends_on.isoformat()}
    _record(standing, "sharing.extend_supplier", held, at=at, basis=basis, **days)
    return held


@attempt("sharing.close_supplier", "account")
def close_supplier(
    *, account: SupplierAccount, actor: User, at: datetime, reason: str
) -> SupplierAccount:
    """Close an account at once: whoever is signed in with it is out with the next page.

    Raises:
        NotAllowed: neither the head of the system's department nor the security administrator.
        InvalidInput: no reason, or one too long. IllegalMove: it is over.
    """
    standing = access.require(actor, "close_supplier", account, at=at)
    reason = reason.strip()
    if len(reason) > LONGEST_REASON:
        raise InvalidInput(_("至多 %(most)s 字") % {"most": LONGEST_REASON}, field="reason")
    held = _held(account)
    _end(held, "close_supplier", actor=actor, at=at, reason=reason)
    _record(standing, "sharing.close_supplier", held, at=at, reason=reason)
    return held


def keep_suppliers(at: datetime) -> dict[str, int]:
    """Warn of accounts that end within a week; end those whose day or system's service is over.

    Repeat-safe. The day itself shuts the person out, whether this has run or not.
    """
    today = timezone.localdate(at)
    opened = SupplierAccount.objects.filter(status=SupplierAccount.Status.OPEN)
    opened = opened.select_related("user", "system__department").order_by("pk")
    served = Q(system__in=InformationSystem.objects.in_service())
    over = opened.filter(_over(today))
    near = opened.filter(
        served,
        warned_at=None,
        ends_on__gte=today,
        ends_on__lte=today + timedelta(days=WARNED_DAYS),
    )
    ended, _problems = each_by_itself(over, lambda account: _end_by_itself(account, at))
    warned, _problems = each_by_itself(near, lambda account: _warn(account, at))
    return {"ended": len(ended), "warned": len(warned)}


@transaction.atomic
def _end_by_itself(account: SupplierAccount, at: datetime) -> SupplierAccount:
    today = timezone.localdate(at)
    account = _held(account)
    if not SupplierAccount.objects.filter(_over(today), pk=account.pk).exists():
        return account  # extended meanwhile
    platform = accounts.platform_user()
    reason = str(_("期满") if account.ends_on < today else _("信息系统已停用"))
    _end(account, "end_supplier", actor=platform, at=at, reason=reason)
    _record(Standing(platform), "sharing.end_supplier", account, at=at, reason=reason)
    _tell(
        account,
        _("供应商账号已关闭：%(who)s"),
        _("“%(system)s”的供应商账号自动关闭：%(reason)s。"),
        at=at,
    )
    return account


@transaction.atomic
def _warn(account: SupplierAccount, at: datetime) -> SupplierAccount:
    near = SupplierAccount.objects.filter(pk=account.pk, status="open", warned_at=None)
    if near.update(warned_at=at):
        _tell(
            account,
            _("供应商账号即将到期：%(who)s，%(until)s"),
            _("“%(system)s”的供应商账号 %(until)s 之后自动关闭；合同延续的，在系统页延长。"),
            at=at,
        )
    return account


def _end(account: SupplierAccount, move: str, *, actor: User, at: datetime, reason: str) -> None:
    SUPPLIER_ACCOUNT.apply(
        account,
        move,
        actor=actor,
        at=at,
        reason=reason,
        closed_at=at,
        closed_by=actor,
        close_reason=reason,
    )
    accounts_operations.shut_supplier(user=account.user, at=at)


def _held(account: SupplierAccount) -> SupplierAccount:
    rows = SupplierAccount.objects.select_for_update(of=("self",))
    return rows.select_related("user", "system__department").get(pk=account.pk)


def _over(today: date) -> Q:
    """Return the condition that an account is to end: its days or its system's service are over."""
    return Q(ends_on__lt=today) | ~Q(system__in=InformationSystem.objects.in_service())


def _check_end(starts_on: date, ends_on: date) -> None:
    if ends_on < starts_on:
        raise InvalidInput(_("截止日期不能早于开始日期"), field="ends_on")
    if (ends_on - starts_on).days > LONGEST_DAYS:
        raise InvalidInput(
            _("账号一次至多 %(days)s 天，到期前可以延长") % {"days": LONGEST_DAYS}, field="ends_on"
        )


def _first_password() -> str:
    """Return a password that fits the rules: letters of both kinds, figures and a sign."""
    return f"Hl{get_random_string(2, '23456789')}-{get_random_string(12, _LETTERS)}"


def _tell(account: SupplierAccount, title: Any, body: Any, *, at: datetime) -> None:
    names = {
        "who": account,
        "system": account.system.name,
        "until": written_day(account.ends_on),
        "reason": account.close_reason,
    }
    ledger.notify(
        accounts.approvers_of(account.system.department),
        title=title % names,
        body=body % names,
        url=f"/work/suppliers/{account.pk}/",
        at=at,
        subject=account,
    )


def _record(
    by: Standing, verb: str, account: SupplierAccount, *, at: datetime, **details: Any
) -> None:
    told = {"system": account.system.code, "firm": account.firm, **details}
    ledger.record(by, verb, account, at=at, department=account.system.department, details=told)
