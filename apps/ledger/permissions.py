"""Who may read the ledger, and who may urge.

Source: GB/T 22239-2019 (audit records are read by the audit administrator); house rule
"""

from django.db.models import Q

from apps.accounts.models import User
from apps.core import access

ROLE_CODES = (
    "department_editor",
    "department_approver",
    "authority_officer",
    "authority_leader",
    "system_admin",
    "security_admin",
    "audit_admin",
)


@access.scope("ledger.Event", "view", audience="internal")
def auditor_or_own_department(actor: User) -> Q:
    if actor.holds("audit_admin"):
        return access.EVERYBODY
    if actor.department_id is None:
        return access.NOBODY
    return Q(department=actor.department_id)


@access.scope("ledger.AccessRecord", "view", audience="internal")
@access.scope("ledger.AccessClose", "view", audience="internal")
def auditor(actor: User) -> Q:
    return access.EVERYBODY if actor.holds("audit_admin") else access.NOBODY


@access.scope("ledger.Todo", "view", "forward")
def debtor(actor: User) -> Q:
    roles = [code for code in ROLE_CODES if actor.holds(code)]
    shared = Q(assignee=None, role__in=roles)
    return Q(assignee=actor) | (shared & (Q(department=actor.department_id) | Q(department=None)))


@access.scope("ledger.Todo", "urge")
def waiting_for_somebody_else(actor: User) -> Q:
    """The operation also asks that he may see the subject."""
    return Q(done_at=None) & (Q(assignee=None) | ~Q(assignee=actor))


@access.scope("ledger.Notice", "view", "read", audience="internal")
def recipient(actor: User) -> Q:
    return Q(recipient=actor)
