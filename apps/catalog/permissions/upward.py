"""Who may do what with reporting upward and with the catalogues above.

    action                         who                                        rows
    package: view                  authority's officers and leaders,          all
                                   audit admin
    package: create, send,         authority officer                          all
      discard, take_receipts
    package: receipt               the platform, when all receipts are there  –
    dataset: map_upward            authority officer                          entries in force
    value: view                    officers, leaders, audit admin             all
    value: create, change, delete  authority officer                          all
    upper dataset: view            every member                               all
    upper dataset: import          authority officer                          –
    upper request: view            every member                               own department's
                                   officers, leaders, audit admin             filed ones
    upper request: create          editor                                     –
    upper request: submit          editor                                     own department's
    upper request: revise          editor                                     own drafts and
                                                                              returned ones
    upper request: withdraw,       editor, approver                           own department's
      close
    upper request: approve         approver                                   own department's
    upper request: send_back       approver, officer                          in turn
    upper request: forward, agree, officer                                    filed ones
      refuse, deliver

Source: house rule; 《政务数据共享条例》第十七条、第二十四条
"""

from typing import Final

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import access
from apps.core.access import EVERYBODY, NOBODY
from apps.ledger import phrases

OVERSEERS: Final = ("authority_officer", "authority_leader", "audit_admin")

phrases.register(
    {
        "catalog.map_upward": _("修改了上报对照"),
        "catalog.make_package": _("生成了上报数据包"),
        "catalog.take_receipts": _("导入了上级回执"),
        "catalog.import_upper": _("导入了上级目录"),
        "catalog.file_upper_request": _("起草了上级数据申请"),
        "catalog.save_upward_value": _("保存了上报取值对照"),
        "catalog.delete_upward_value": _("删除了上报取值对照"),
        "catalog.revise_upper_request": _("修改了上级数据申请"),
    }
)


@access.scope("catalog.UpwardPackage", "view")
@access.scope("catalog.UpwardValue", "view")
def overseer(actor: User) -> Q:
    return EVERYBODY if actor.holds(*OVERSEERS) else NOBODY


@access.scope("catalog.UpwardPackage", "send", "discard", "take_receipts")
@access.scope("catalog.UpwardValue", "change", "delete")
def reporting_officer(actor: User) -> Q:
    return EVERYBODY if actor.holds("authority_officer") else NOBODY


@access.scope("catalog.UpwardPackage", "receipt", "delete")
def nobody_by_hand(actor: User) -> Q:
    return NOBODY


@access.scope("catalog.Dataset", "map_upward")
def mapping_officer(actor: User) -> Q:
    published = Q(status__in=["published", "withdrawal_requested"])
    return published if actor.holds("authority_officer") else NOBODY


@access.ability("catalog.UpwardPackage", "create")
@access.ability("catalog.UpwardValue", "create")
@access.ability("catalog.UpperDataset", "import")
def some_reporting_officer(actor: User) -> bool:
    return actor.holds("authority_officer")


@access.scope("catalog.UpperDataset", "view")
def every_member(actor: User) -> Q:
    return EVERYBODY


@access.scope("catalog.UpperRequest", "view")
def applicants_and_overseers(actor: User) -> Q:
    own = Q(department=actor.department_id)
    return own | Q(filed_at__isnull=False) if actor.holds(*OVERSEERS) else own


@access.ability("catalog.UpperRequest", "create")
def some_editor(actor: User) -> bool:
    return actor.holds("department_editor")


@access.scope("catalog.UpperRequest", "submit")
def editor_of_request(actor: User) -> Q:
    own = Q(department=actor.department_id)
    return own if actor.holds("department_editor") else NOBODY


@access.scope("catalog.UpperRequest", "revise")
def editor_while_it_is_own(actor: User) -> Q:
    return editor_of_request(actor) & Q(status__in=["draft", "returned"])


@access.scope("catalog.UpperRequest", "withdraw", "close")
def handler_of_request(actor: User) -> Q:
    own = Q(department=actor.department_id)
    return own if actor.holds("department_editor", "department_approver") else NOBODY


@access.scope("catalog.UpperRequest", "approve")
def head_of_request(actor: User) -> Q:
    own = Q(department=actor.department_id)
    return own if actor.holds("department_approver") else NOBODY


@access.scope("catalog.UpperRequest", "send_back")
def reviewer_in_turn(actor: User) -> Q:
    rows = Q(pk__in=[])
    if actor.holds("department_approver"):
        rows |= Q(department=actor.department_id, status="awaiting_head")
    if actor.holds("authority_officer"):
        rows |= Q(status="filed")
    return rows


@access.scope("catalog.UpperRequest", "forward", "agree", "refuse", "deliver")
def forwarding_officer(actor: User) -> Q:
    return Q(filed_at__isnull=False) if actor.holds("authority_officer") else NOBODY
