"""A provider's change to a live service: who announces, answers, files it."""

from django.db.models import Q

from apps.accounts.models import User
from apps.core import access
from apps.sharing.permissions.parties import EVERY, NOBODY, is_overseer


@access.scope("sharing.Grant", "open_change")
def provider_head_of_grant(actor: User) -> Q:
    """What the authority wants changed it orders itself; a change is the provider's own wish."""
    if not actor.holds("department_approver"):
        return NOBODY
    return Q(provider=actor.department_id)


@access.scope("sharing.ServiceChange", "view")
def parties_of_change(actor: User) -> Q:
    if is_overseer(actor) or actor.holds("audit_admin"):
        return EVERY
    return Q(grant__consumer=actor.department_id) | Q(grant__provider=actor.department_id)


@access.scope("sharing.ServiceChange", "agree_change", "object_change")
def consumer_head_of_change(actor: User) -> Q:
    if not actor.holds("department_approver"):
        return NOBODY
    return Q(grant__consumer=actor.department_id)


@access.scope("sharing.ServiceChange", "withdraw_change")
def provider_head_of_change(actor: User) -> Q:
    if not actor.holds("department_approver"):
        return NOBODY
    return Q(grant__provider=actor.department_id)


@access.scope("sharing.ServiceChange", "file_change", "refuse_change")
def authority_over_changes(actor: User) -> Q:
    return EVERY if is_overseer(actor) else NOBODY


@access.scope(
    "sharing.ServiceChange",
    "pass_over_change",
    "carry_out_change",
    "void_change",
    "change",
    "delete",
)
def no_change_by_hand(actor: User) -> Q:
    """What the platform does by itself once its conditions hold."""
    return NOBODY


@access.ability("sharing.ServiceChange", "create")
def nobody_creates_changes_alone(actor: User) -> bool:
    """A change is announced of a grant: `open_change` on the grant says who may."""
    return False
