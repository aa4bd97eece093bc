"""Who opens and closes the database logins of consumers' systems.

===========================  ======================================================================
open, on a grant             system administrator, where the grant is for database exchange
view                         members of the consumer; the three administrators; the authority
renew                        system administrator
close                        system administrator, security administrator, head of the consumer
===========================  ======================================================================

Source: GB/T 22239-2019 第三级（访问控制）; house rule (design §4)
"""

from django.db.models import Q

from apps.accounts.models import User
from apps.core import access
from apps.sharing.models import Mode
from apps.sharing.permissions.parties import EVERY, NOBODY, is_overseer


@access.scope("sharing.Grant", "open_login")
def operator_of_database_exchange(actor: User) -> Q:
    return Q(mode=Mode.DATABASE) if actor.holds("system_admin") else NOBODY


@access.scope("sharing.DatabaseLogin", "view")
def consumer_or_overseer(actor: User) -> Q:
    if is_overseer(actor) or actor.holds("system_admin", "security_admin", "audit_admin"):
        return EVERY
    return Q(system__department=actor.department_id)


@access.scope("sharing.DatabaseLogin", "renew")
def operator(actor: User) -> Q:
    return EVERY if actor.holds("system_admin") else NOBODY


@access.scope("sharing.DatabaseLogin", "close")
def operator_security_or_head(actor: User) -> Q:
    if actor.holds("system_admin", "security_admin"):
        return EVERY
    if not actor.holds("department_approver"):
        return NOBODY
    return Q(system__department=actor.department_id)


@access.scope("sharing.DatabaseLogin", "open", "change", "delete")
def no_login_by_hand(actor: User) -> Q:
    return NOBODY


@access.ability("sharing.DatabaseLogin", "create")
def nobody_creates_logins_alone(actor: User) -> bool:
    """A login is opened on a grant: `open_login` says who may."""
    return False
