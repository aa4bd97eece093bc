"""Who keeps the credentials of information systems.

===========================  ======================================================================
view                         members of the system's department; its holder; the three
                             administrators; the authority's officer and leader
issue (offer), replace       head of the system's department; replace also its holder
collect                      its holder in person, no stand-in
revoke                       head of the system's department; security administrator
void, in an emergency        these, its holder, and the authority's officer and leader
expire, disable_unused       the platform
===========================  ======================================================================

Source: GB/T 22239-2019 第三级（访问控制）; house rule (issue 5: credentials)
"""

from django.db.models import Q

from apps.accounts.models import User
from apps.core import access
from apps.sharing.models import Credential
from apps.sharing.permissions.parties import EVERY, NOBODY, is_overseer

LIVE = Q(status__in=Credential.LIVE)


def _of_department(actor: User) -> Q:
    return NOBODY if actor.department_id is None else Q(system__department=actor.department_id)


def _of_head(actor: User) -> Q:
    return _of_department(actor) if actor.holds("department_approver") else NOBODY


@access.scope("sharing.Credential", "view", audience="internal")
def department_holder_or_overseer(actor: User) -> Q:
    if is_overseer(actor) or actor.holds("system_admin", "security_admin", "audit_admin"):
        return EVERY
    return Q(holder=actor.pk) | _of_department(actor)


@access.scope("sharing.Credential", "collect", audience="internal")
def named_holder(actor: User) -> Q:
    return Q(holder=actor.pk, status=Credential.Status.OFFERED)


@access.scope("sharing.Credential", "replace_credential", audience="internal")
def holder_or_head(actor: User) -> Q:
    return Q(status=Credential.Status.ACTIVE) & (Q(holder=actor.pk) | _of_head(actor))


@access.scope("sharing.Credential", "revoke")
def head_or_security_administrator(actor: User) -> Q:
    return LIVE & (EVERY if actor.holds("security_admin") else _of_head(actor))


@access.scope("sharing.Credential", "void", audience="internal")
def whoever_may_stop_it_in_an_emergency(actor: User) -> Q:
    if is_overseer(actor) or actor.holds("security_admin"):
        return LIVE
    return LIVE & (Q(holder=actor.pk) | _of_head(actor))


@access.scope("sharing.Credential", "expire", "disable_unused", "change", "delete")
def no_credential_by_hand(actor: User) -> Q:
    return NOBODY


@access.ability("sharing.Credential", "create")
def head_of_some_department(actor: User) -> bool:
    return actor.holds("department_approver")
