"""Certificates of disposal: the consumer files, the provider confirms or sends back."""

from django.db.models import Q

from apps.accounts.models import User
from apps.core import access
from apps.sharing.permissions.parties import EVERY, NOBODY, is_overseer


@access.scope("sharing.Disposal", "view")
def parties_of_disposal(actor: User) -> Q:
    if is_overseer(actor) or actor.holds("audit_admin"):
        return EVERY
    return Q(consumer=actor.department_id) | Q(provider=actor.department_id)


@access.scope("sharing.Disposal", "file_disposal")
def consumer_of_disposal(actor: User) -> Q:
    if not actor.holds("department_editor", "department_approver"):
        return NOBODY
    return Q(consumer=actor.department_id)


@access.scope("sharing.Disposal", "confirm_disposal", "return_disposal")
def provider_of_disposal(actor: User) -> Q:
    if not actor.holds("department_editor", "department_approver"):
        return NOBODY
    return Q(provider=actor.department_id) & ~Q(consumer=actor.department_id)


@access.scope("sharing.Disposal", "change", "delete")
def no_disposal_by_hand(actor: User) -> Q:
    return NOBODY


@access.ability("sharing.Disposal", "create")
def nobody_creates_disposals(actor: User) -> bool:
    """The platform opens one when a grant is over."""
    return False
