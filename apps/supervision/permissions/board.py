"""Who sees the responsibility board, and the rows behind its figures.

    action                      who                                             rows
    BoardDay view, open         every member of a department                    all: a circular
    Department view_findings    members of the department                       own
                                authority's officers and leaders, audit admin   all

Source: 《政务数据共享条例》第三十八条 (通报); house rule
"""

from django.db.models import Q

from apps.accounts.models import User
from apps.core import access
from apps.core.access import EVERYBODY

OVERSEERS = ("authority_officer", "authority_leader", "audit_admin")


@access.scope("supervision.BoardDay", "view")
def every_member(_actor: User) -> Q:
    return EVERYBODY


@access.ability("supervision.BoardDay", "open")
def some_member(_actor: User) -> bool:
    return True


@access.scope("accounts.Department", "view_findings")
def own_or_overseen(actor: User) -> Q:
    return EVERYBODY if actor.holds(*OVERSEERS) else Q(pk=actor.department_id)
