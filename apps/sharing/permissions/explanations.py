"""Who may ask whether a system can read a dataset, an item, a record, and what he is told.

===========================  ======================  =====================  =======================
question                     consumer                provider               authority's officer and
                                                                            leader; auditor
===========================  ======================  =====================  =======================
dataset, item                every member, of own    every member, of the   of every system and
                             systems and entries     systems known to it,   entry
                             he may view; the        on entries it answers
                             system, of itself       for
record                       editor, approver        editor, approver       the same
told of a record             readable or not         not in the table,      as the provider
                                                     outside of which
                                                     condition, within
===========================  ======================  =====================  =======================

A provider knows the systems that have, or had, a grant of its entries, or asked for one that was
received. Of a system of his own department everybody is told as a consumer is, whatever his office.
Anybody else is answered as if system or entry did not exist.

Source: 《个人信息保护法》第六条; house rule (issue 5: explain)
"""

from django.db.models import Q

from apps.accounts.models import User
from apps.core import access
from apps.sharing.permissions.parties import EVERY, NOBODY, entries_answered_for, is_overseer

HANDLERS = ("department_editor", "department_approver")


def _oversees(actor: User) -> bool:
    return is_overseer(actor) or actor.holds("audit_admin")


@access.scope("accounts.InformationSystem", "explain")
def own_system_or_every_one_to_overseers(actor: User) -> Q:
    if actor.kind == User.Kind.SERVICE:
        return Q(service_user=actor.pk)
    return EVERY if _oversees(actor) else Q(department=actor.department_id)


@access.scope("accounts.InformationSystem", "explain_record")
def own_system_to_handlers(actor: User) -> Q:
    if actor.kind == User.Kind.SERVICE:
        return NOBODY
    if _oversees(actor):
        return EVERY
    return Q(department=actor.department_id) if actor.holds(*HANDLERS) else NOBODY


@access.scope("catalog.Dataset", "explain")
def entry_answered_for(actor: User) -> Q:
    if actor.kind == User.Kind.SERVICE:
        return NOBODY
    return EVERY if _oversees(actor) else entries_answered_for(actor)


@access.scope("catalog.Dataset", "explain_record")
def entry_answered_for_to_handlers(actor: User) -> Q:
    if actor.kind == User.Kind.SERVICE:
        return NOBODY
    if _oversees(actor):
        return EVERY
    return entries_answered_for(actor) if actor.holds(*HANDLERS) else NOBODY
