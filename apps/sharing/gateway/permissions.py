"""Who keeps the credentials of information systems. Imported by the app's `permissions`.

The head of the department that runs the system issues and revokes them; the security administrator
may revoke any, in an emergency.

Source: GB/T 22239-2019 第三级（访问控制）; house rule
"""

from django.db.models import Q

from apps.accounts.models import User
from apps.core import access
from apps.core.access import EVERYBODY, NOBODY


@access.scope("accounts.InformationSystem", "issue_credential")
def head_of_the_systems_department(actor: User) -> Q:
    return Q(department=actor.department_id) if actor.holds("department_approver") else NOBODY


@access.scope("accounts.InformationSystem", "revoke_credential")
def head_or_security_administrator(actor: User) -> Q:
    if actor.holds("security_admin"):
        return EVERYBODY
    return head_of_the_systems_department(actor)
