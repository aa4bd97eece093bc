"""Who issues credentials for information systems. Imported by the app's `permissions`.

The head of the department that runs the system; `permissions.credentials` has what follows.

Source: GB/T 22239-2019 第三级（访问控制）; house rule
"""

from django.db.models import Q

from apps.accounts.models import User
from apps.core import access
from apps.core.access import NOBODY


@access.scope("accounts.InformationSystem", "issue_credential")
def head_of_the_systems_department(actor: User) -> Q:
    return Q(department=actor.department_id) if actor.holds("department_approver") else NOBODY
