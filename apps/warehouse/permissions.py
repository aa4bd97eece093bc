"""Who may see and hand in batches: the providing department, its systems, and the overseers.

Consumers never see a batch: it shows rows that no grant covers.
"""

from django.db.models import Q

from apps.accounts.models import User
from apps.core import access
from apps.core.access import EVERYBODY, NOBODY

PROVIDERS = ("department_editor", "department_approver")
OVERSEERS = ("authority_officer", "authority_leader")


def provides(actor: User) -> bool:
    """Say whether he acts for his department's data: its staff by role, or its own systems."""
    return actor.kind == User.Kind.SERVICE or actor.holds(*PROVIDERS)


@access.scope("warehouse.Batch", "view")
def batch_of_own_department(actor: User) -> Q:
    if actor.holds(*OVERSEERS):
        return EVERYBODY
    if provides(actor):
        return Q(dataset__department=actor.department_id)
    return NOBODY


@access.scope("warehouse.Rejection", "view")
def rejection_of_own_department(actor: User) -> Q:
    """Rejected rows hold the data itself, so not even the authority reads them."""
    if provides(actor):
        return Q(batch__dataset__department=actor.department_id)
    return NOBODY


@access.scope("catalog.Dataset", "land")
def provider_of_dataset(actor: User) -> Q:
    if provides(actor):
        return Q(department=actor.department_id)
    return NOBODY


@access.scope("warehouse.Store", "view", audience="internal")
@access.scope("warehouse.DataTable", "view", audience="internal")
def staff_who_keep_the_warehouse(actor: User) -> Q:
    """What stores and tables there are is seen by the authority and the system administrator."""
    if actor.holds(*OVERSEERS, "system_admin"):
        return EVERYBODY
    return NOBODY
