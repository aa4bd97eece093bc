"""Who may do what with corrections 校核.

A consumer raises, the department to which it was routed verifies, the provider of the dataset
corrects. The statuses are the lifecycle's.

    action               raiser                  handler              provider     authority
    dataset: raise_      editor, approver,       –                    –            –
      correction           system, by a grant
    view                 department's members;   every member         every        officer, leader,
                           a system its own                           member       audit admin
    see_values           as view                 as view              as view      –
    accept, verify       –                       editor, approver     –            –
    forward              –                       editor, approver     –            officer
    uphold, confirm      –                       approver             –            –
    hand_in, link        –                       –                    editor       –
    withdraw, close,     editor, approver,       –                    –            –
      contest              system its own
    send_back            –                       –                    –            officer
    correct, feed_back   the platform

The authority sees that and how something is corrected, not the values: they are the data itself.

Source: 《政务数据共享条例》第二十六条; house rule (design §3.2)
"""

from typing import Final

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import access
from apps.core.access import EVERYBODY, NOBODY
from apps.ledger import phrases
from apps.quality import readership

HANDLERS: Final = ("department_editor", "department_approver")
OVERSEERS: Final = ("authority_officer", "authority_leader", "audit_admin")

phrases.register(
    {
        "quality.raise_correction": _("提出校核"),
        "quality.hand_in_correction": _("按认定值提交更正批次"),
        "quality.link_batch": _("指定更正批次"),
        "quality.route_correction": _("转交核实"),
        "quality.draw_audit": _("生成审计报告"),
    }
)


def _raiser(actor: User) -> Q:
    """A system's own, or what the person's department raised."""
    if actor.kind == User.Kind.SERVICE:
        return Q(raised_by=actor.pk)
    return Q(department=actor.department_id)


def _party(actor: User) -> Q:
    own = Q(handler=actor.department_id) | Q(dataset__department=actor.department_id)
    return _raiser(actor) | own


@access.scope("catalog.Dataset", "raise_correction")
def dataset_under_a_grant(actor: User) -> Q:
    """A person asks for his department's grants, a system for its own."""
    if actor.kind != User.Kind.SERVICE and not actor.holds(*HANDLERS):
        return NOBODY
    return Q(pk__in=readership.reader().datasets_read_by(actor, timezone.now()))


@access.scope("catalog.Dataset", "look_up_own_row")
def dataset_of_own_department(actor: User) -> Q:
    """Whose own table it is looks at a record of it; nobody else without a grant."""
    return Q(department=actor.department_id) if actor.holds(*HANDLERS) else NOBODY


@access.scope("quality.Correction", "view")
def parties_and_overseers(actor: User) -> Q:
    return EVERYBODY if actor.holds(*OVERSEERS) else _party(actor)


@access.scope("quality.Correction", "see_values")
def parties(actor: User) -> Q:
    return _party(actor)


@access.scope("quality.Correction", "accept", "verify")
def handling_member(actor: User) -> Q:
    return Q(handler=actor.department_id) if actor.holds(*HANDLERS) else NOBODY


@access.scope("quality.Correction", "forward")
def handling_member_or_authority(actor: User) -> Q:
    return EVERYBODY if actor.holds("authority_officer") else handling_member(actor)


@access.scope("quality.Correction", "uphold", "confirm")
def handling_head(actor: User) -> Q:
    return Q(handler=actor.department_id) if actor.holds("department_approver") else NOBODY


@access.scope("quality.Correction", "hand_in", "link")
def editor_of_the_table(actor: User) -> Q:
    """Whoever may land rows in the dataset; see `warehouse.permissions`."""
    if not actor.holds("department_editor"):
        return NOBODY
    return Q(dataset__department=actor.department_id)


@access.scope("quality.Correction", "withdraw", "close", "contest")
def whoever_raised_it(actor: User) -> Q:
    if actor.kind != User.Kind.SERVICE and not actor.holds(*HANDLERS):
        return NOBODY
    return _raiser(actor)


@access.scope("quality.Correction", "send_back")
def coordinating_authority(actor: User) -> Q:
    return EVERYBODY if actor.holds("authority_officer") else NOBODY


@access.scope("quality.Correction", "correct", "feed_back", "change", "delete")
def nobody_by_hand(actor: User) -> Q:
    """What the platform does by itself once its conditions hold."""
    return NOBODY
