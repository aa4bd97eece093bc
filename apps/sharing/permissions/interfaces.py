"""Registered interfaces of providers.

    action                            who                                          rows
    Dataset register_interface        editor of the department                     own department's
    Interface change_interface,       editor of the department                     own department's
      try_interface, resume, pause,
      retire
    Interface view, its calls         editor, approver of the department           own department's
                                      authority's officers and leaders,            all
                                      audit and system administrators

A secret is shown to nobody. A consumer learns of an interface by what its calls are answered.
"""

from django.db.models import Q

from apps.accounts.models import User
from apps.core import access
from apps.core.access import EVERYBODY, NOBODY
from apps.sharing.permissions.parties import is_overseer


@access.scope("catalog.Dataset", "register_interface")
def editor_of_published_dataset(actor: User) -> Q:
    if not actor.holds("department_editor"):
        return NOBODY
    return Q(department=actor.department_id, status="published")


@access.scope("sharing.Interface", "view")
def provider_and_overseers(actor: User) -> Q:
    if is_overseer(actor) or actor.holds("audit_admin", "system_admin"):
        return EVERYBODY
    if not actor.holds("department_editor", "department_approver"):
        return NOBODY
    return Q(dataset__department=actor.department_id)


@access.scope("sharing.InterfaceCall", "view")
def calls_of_viewed_interface(actor: User) -> Q:
    if is_overseer(actor) or actor.holds("audit_admin", "system_admin"):
        return EVERYBODY
    if not actor.holds("department_editor", "department_approver"):
        return NOBODY
    return Q(interface__dataset__department=actor.department_id)


@access.scope("sharing.Interface", "change_interface", "try_interface", "resume", "pause", "retire")
def editor_of_interface(actor: User) -> Q:
    if not actor.holds("department_editor"):
        return NOBODY
    return Q(dataset__department=actor.department_id)


@access.scope("sharing.Interface", "change", "delete")
def no_interface_by_hand(actor: User) -> Q:
    return NOBODY


@access.ability("sharing.Interface", "create")
def nobody_creates_interfaces_alone(actor: User) -> bool:
    """An interface is registered for a dataset: `register_interface` on it says who may."""
    return False
