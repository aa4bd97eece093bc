"""Supplier accounts: who opens, extends, closes and sees them, and the little that they see.

    action                                who                              rows
    InformationSystem open_supplier       approver of the department       own department's, in
                                                                           service
    SupplierAccount extend_supplier,      approver of the department       own department's systems
      close_supplier
    SupplierAccount close_supplier        security administrator           all
    SupplierAccount view                  members of the department        own department's systems
                                          authority, three administrators  all
    InformationSystem view_confined       the supplier                     his system, on his days
    Credential view_confined              the supplier                     that system's
    Grant view_confined                   the supplier                     that system's live ones

A supplier is a confined person: of all rules he is admitted to those with the audience "confined"
alone, which are the last three here, and nobody else is admitted to them. He reads what an
interface is called with; no row, request, purpose, condition, secret or other system.

Source: GB/T 22239-2019 第三级（外部人员访问管理）; house rule (issue 5: suppliers' accounts)
"""

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import InformationSystem, User
from apps.core import access
from apps.ledger import phrases
from apps.sharing.models import Grant, SupplierAccount
from apps.sharing.permissions.parties import EVERY, NOBODY, is_overseer

phrases.register(
    {
        "sharing.open_supplier": _("开通了供应商账号"),
        "sharing.extend_supplier": _("延长了供应商账号"),
        "sharing.close_supplier": _("关闭了供应商账号"),
        "sharing.end_supplier": _("自动关闭了供应商账号"),
    }
)


def _of_department(actor: User) -> Q:
    return NOBODY if actor.department_id is None else Q(system__department=actor.department_id)


@access.scope("sharing.SupplierAccount", "view")
def department_or_overseer(actor: User) -> Q:
    if is_overseer(actor) or actor.holds("system_admin", "security_admin", "audit_admin"):
        return EVERY
    return _of_department(actor)


@access.scope("sharing.SupplierAccount", "extend_supplier")
def head_of_its_system(actor: User) -> Q:
    if not actor.holds("department_approver"):
        return NOBODY
    return Q(status="open") & _of_department(actor)


@access.scope("sharing.SupplierAccount", "close_supplier")
def head_of_its_system_or_security(actor: User) -> Q:
    if actor.holds("security_admin"):
        return Q(status="open")
    return head_of_its_system(actor)


@access.scope("sharing.SupplierAccount", "end_supplier", "change", "delete")
def no_supplier_by_hand(actor: User) -> Q:
    return NOBODY


@access.ability("sharing.SupplierAccount", "create")
def nobody_creates_suppliers_alone(actor: User) -> bool:
    """An account is opened for a system: `open_supplier` on it says who may."""
    return False


def _bound_to(actor: User) -> "QuerySet[SupplierAccount]":
    """Return the accounts by which the supplier may look today; there is one at most."""
    today = timezone.localdate()
    valid = SupplierAccount.objects.filter(
        user=actor.pk, status="open", starts_on__lte=today, ends_on__gte=today
    )
    return valid.filter(system__in=InformationSystem.objects.in_service())


@access.scope("accounts.InformationSystem", "view_confined", audience="confined")
def the_system_of_the_supplier(actor: User) -> Q:
    return Q(pk__in=_bound_to(actor).values("system"))


@access.scope("sharing.Credential", "view_confined", audience="confined")
def credentials_of_that_system(actor: User) -> Q:
    """That there is one, for what environment, until when; never its secret."""
    return Q(system__in=_bound_to(actor).values("system"))


@access.scope("sharing.Grant", "view_confined", audience="confined")
def interfaces_of_that_system(actor: User) -> Q:
    """What an interface is called with; purpose, rows and use are not shown."""
    return Q(system__in=_bound_to(actor).values("system"), status__in=Grant.LIVE)
