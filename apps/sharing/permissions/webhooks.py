"""Who keeps the addresses to which a system's events are pushed.

===========================  ======================================================================
register, on a system        editor and head of its department
view                         members of its department; the three administrators; the authority
pause, resume, remove,       editor and head of its department; pause also the system
renew, ping                  administrator
resend, of a delivery        editor and head of its department; system administrator
===========================  ======================================================================

Source: house rule (issue 5: webhooks)
"""

from django.db.models import Q

from apps.accounts.models import User
from apps.core import access
from apps.sharing.permissions.parties import EVERY, NOBODY, is_overseer

KEEPERS = ("department_editor", "department_approver")


@access.scope("accounts.InformationSystem", "register_webhook")
def keeper_of_the_system(actor: User) -> Q:
    return Q(department=actor.department_id) if actor.holds(*KEEPERS) else NOBODY


@access.scope("sharing.Webhook", "view")
def department_or_overseer(actor: User) -> Q:
    if is_overseer(actor) or actor.holds("system_admin", "security_admin", "audit_admin"):
        return EVERY
    return Q(system__department=actor.department_id)


@access.scope("sharing.Webhook", "resume", "remove", "renew", "ping")
def keeper_of_its_system(actor: User) -> Q:
    return Q(system__department=actor.department_id) if actor.holds(*KEEPERS) else NOBODY


@access.scope("sharing.Webhook", "pause")
def keeper_or_operator(actor: User) -> Q:
    return EVERY if actor.holds("system_admin") else keeper_of_its_system(actor)


@access.scope("sharing.WebhookDelivery", "view", "resend")
def keeper_or_operator_of_delivery(actor: User) -> Q:
    if actor.holds("system_admin"):
        return EVERY
    if not actor.holds(*KEEPERS):
        return NOBODY
    return Q(webhook__system__department=actor.department_id)


@access.scope("sharing.Webhook", "change", "delete")
@access.scope("sharing.WebhookDelivery", "change", "delete")
def no_webhook_by_hand(actor: User) -> Q:
    return NOBODY


@access.ability("sharing.Webhook", "create")
def keeper_of_some_system(actor: User) -> bool:
    return actor.holds(*KEEPERS)
