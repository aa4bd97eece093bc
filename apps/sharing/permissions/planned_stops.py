"""Planned stops: who announces, takes back, ends and sees them.

    action                            who                                        rows
    Dataset announce_stop             approver of the department                 own, published
    Department announce_stop          approver of the department                 own department
    PlannedStop announce_platform     system administrator; authority's          –
                                      officers and leaders
    PlannedStop withdraw_stop,        approver of the department                 own department's
      end_stop_early                  system administrator                       whole platform's
                                      authority's officers and leaders           all
    PlannedStop view                  every member                               own department's,
                                                                                 of its live grants,
                                                                                 whole platform's
                                      authority, three administrators            all
    PlannedStop begin_stop,           the platform                               –
      finish_stop

A system sees those of its own live grants and of the whole platform.
"""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import access
from apps.ledger import phrases
from apps.sharing.models import Grant
from apps.sharing.permissions.parties import EVERY, NOBODY, is_overseer

phrases.register(
    {
        "sharing.announce_stop": _("公告停机"),
        "sharing.withdraw_stop": _("撤回停机公告"),
        "sharing.end_stop_early": _("提前结束停机"),
        "sharing.finish_stop": _("记下停机按时结束"),
        "sharing.begin_stop": _("记下停机开始"),
    }
)


@access.scope("catalog.Dataset", "announce_stop")
def head_of_published_dataset(actor: User) -> Q:
    """A stop interrupts what the department signed for: so it is the head's to announce."""
    if not actor.holds("department_approver"):
        return NOBODY
    served = ("published", "withdrawal_requested")
    return Q(department=actor.department_id, status__in=served)


@access.scope("accounts.Department", "announce_stop")
def head_of_the_department(actor: User) -> Q:
    return Q(pk=actor.department_id) if actor.holds("department_approver") else NOBODY


@access.ability("sharing.PlannedStop", "announce_platform")
def runs_the_platform(actor: User) -> bool:
    """The operator's system administrator, and the authority for which the platform is run."""
    return is_overseer(actor) or actor.holds("system_admin")


@access.scope("sharing.PlannedStop", "withdraw_stop", "end_stop_early")
def whose_services_stop(actor: User) -> Q:
    if is_overseer(actor):
        return EVERY
    stops = Q(reach="platform") if actor.holds("system_admin") else NOBODY
    if actor.holds("department_approver"):
        stops |= Q(provider=actor.department_id)
    return stops


@access.scope("sharing.PlannedStop", "view")
def whoever_it_reaches(actor: User) -> Q:
    if is_overseer(actor) or actor.holds("system_admin", "security_admin", "audit_admin"):
        return EVERY
    is_system = actor.kind == User.Kind.SERVICE
    held = Q(system__service_user=actor.pk) if is_system else Q(consumer=actor.department_id)
    live = Grant.objects.filter(held, status__in=Grant.LIVE)
    reached = Q(reach="dataset", dataset__in=live.values("dataset")) | Q(
        reach="department", provider__in=live.values("dataset__department")
    )
    return Q(reach="platform") | Q(provider=actor.department_id) | reached


@access.scope("sharing.PlannedStop", "begin_stop", "finish_stop", "change", "delete")
def no_stop_by_hand(actor: User) -> Q:
    """What the platform does by itself when the time has come."""
    return NOBODY


@access.ability("sharing.PlannedStop", "create")
def nobody_creates_stops_alone(actor: User) -> bool:
    """A stop is announced of a dataset, a department or the platform: `announce_…` says who may."""
    return False
