"""Who may do what with demands and their matches.

The wanting department asks, the authority finds the provider, the provider answers. The statuses
are the lifecycle's; what a scope narrows beyond them is said here.

    action               wanting department    provider (once forwarded)   authority
    view                 every member          every member                officer, leader, audit
                                                                           admin: once received
    create               editor                –                           –
    revise, change       editor, while his     –                           –
    submit, recall       editor                –                           –
    approve              approver              –                           –
    send_back            approver, in turn     –                           officer, in turn
    forward, split,      –                     –                           officer
      point_out
    propose, fulfil      –                     editor, approver            –
    agree, refuse,       –                     approver, as was proposed   –
      disown
    send_back_proposal   –                     approver                    –
    take_up              editor                –                           –
    close, contest,      editor, approver      –                           –
      withdraw
    deliver, resume      the platform          –                           –
    match                editor                –                           officer
    seek_supply          –                     –                           officer, leader
    match: view          every member          –                           officer, leader, audit
    match: decline       editor                –                           officer

Nobody answers for a provider a demand of his own department. Only active members of a department
are asked at all.

Source: 《政务数据共享条例》第十一条、第二十条
"""

from typing import Final

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog.models import Demand
from apps.core import access
from apps.core.access import NOBODY
from apps.ledger import phrases

OVERSEERS: Final = ("authority_officer", "authority_leader")

phrases.register(
    {
        "catalog.draft_demand": _("提出了数据需求"),
        "catalog.revise_demand": _("修改了数据需求"),
        "catalog.split_demand": _("拆分了数据需求"),
        "catalog.match_demand": _("为数据需求查找目录"),
        "catalog.decline_match": _("认为目录不能满足需求"),
    }
)


def _own(actor: User) -> Q:
    return Q(department=actor.department_id)


def _provider(actor: User) -> Q:
    return Q(provider=actor.department_id, forwarded_at__isnull=False) & ~_own(actor)


@access.scope("catalog.Demand", "view")
def parties_and_overseers(actor: User) -> Q:
    if actor.holds(*OVERSEERS, "audit_admin"):
        return _own(actor) | Q(received_at__isnull=False)
    return _own(actor) | _provider(actor)


@access.ability("catalog.Demand", "create")
def editor_of_some_department(actor: User) -> bool:
    return actor.holds("department_editor")


@access.ability("catalog.Demand", "seek_supply")
def who_matches(actor: User) -> bool:
    return actor.holds(*OVERSEERS)


@access.scope("catalog.Demand", "revise", "change")
def editor_while_his(actor: User) -> Q:
    return editor_of_demand(actor) & Q(status__in=("draft", "returned"))


@access.scope("catalog.Demand", "submit", "recall", "take_up")
def editor_of_demand(actor: User) -> Q:
    return _own(actor) if actor.holds("department_editor") else NOBODY


@access.scope("catalog.Demand", "approve")
def head_of_demand(actor: User) -> Q:
    return _own(actor) if actor.holds("department_approver") else NOBODY


@access.scope("catalog.Demand", "close", "contest", "withdraw")
def editor_or_head_of_demand(actor: User) -> Q:
    return _own(actor) if actor.holds("department_editor", "department_approver") else NOBODY


@access.scope("catalog.Demand", "send_back")
def reviewer_in_turn(actor: User) -> Q:
    """Own head while it lies with him, the authority while it lies there."""
    rows = Q(pk__in=[])
    if actor.holds("department_approver"):
        rows |= _own(actor) & Q(status="awaiting_head")
    if actor.holds("authority_officer"):
        rows |= Q(status="submitted")
    return rows


@access.scope("catalog.Demand", "forward", "split", "point_out")
def reviewing_authority(actor: User) -> Q:
    return Q(received_at__isnull=False) if actor.holds("authority_officer") else NOBODY


@access.scope("catalog.Demand", "match")
def whoever_looks_for_supply(actor: User) -> Q:
    return editor_of_demand(actor) | reviewing_authority(actor)


@access.scope("catalog.Demand", "propose", "fulfil")
def answering_member(actor: User) -> Q:
    if not actor.holds("department_editor", "department_approver"):
        return NOBODY
    return _provider(actor)


@access.scope("catalog.Demand", "send_back_proposal")
def answering_head(actor: User) -> Q:
    return _provider(actor) if actor.holds("department_approver") else NOBODY


@access.scope("catalog.Demand", "agree")
def head_with_agreement(actor: User) -> Q:
    """The head signs what was proposed; a no cannot become a yes in the signing."""
    return answering_head(actor) & Q(proposal=Demand.Reply.AGREE)


@access.scope("catalog.Demand", "refuse")
def head_with_refusal(actor: User) -> Q:
    return answering_head(actor) & Q(proposal=Demand.Reply.REFUSE)


@access.scope("catalog.Demand", "disown")
def head_with_disclaimer(actor: User) -> Q:
    return answering_head(actor) & Q(proposal=Demand.Reply.DISOWN)


@access.scope("catalog.Demand", "deliver", "resume", "delete")
def nobody_by_hand(actor: User) -> Q:
    """What the platform does by itself once its conditions hold."""
    return NOBODY


@access.scope("catalog.DemandMatch", "view")
def whoever_matches(actor: User) -> Q:
    own = Q(demand__department=actor.department_id)
    if actor.holds(*OVERSEERS, "audit_admin"):
        return own | Q(demand__received_at__isnull=False)
    return own


@access.scope("catalog.DemandMatch", "decline")
def who_may_decline(actor: User) -> Q:
    rows = Q(pk__in=[])
    if actor.holds("department_editor"):
        rows |= Q(demand__department=actor.department_id)
    if actor.holds("authority_officer"):
        rows |= Q(demand__received_at__isnull=False)
    return rows
