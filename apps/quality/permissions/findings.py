"""Who may see failing rows, and what is done about orders to mend them.

    action                     who                                            rows
    WorkOrder view             editor, approver, systems of the department    own department's
                               authority's officers and leaders, audit admin  all
    WorkOrder view_findings,   editor, approver, systems of the department    own department's
      Finding view
    WorkOrder acknowledge      editor, approver of the department             own department's
    WorkOrder accept,          approver of the department                     own department's
      Finding accept
    WorkOrder contest,         authority officer                              all
      let_stand
    WorkOrder close, cancel;   the platform                                   –
      Finding fix, reopen,
      void, contest, let_stand

Findings hold the data itself, so not even the authority reads them: it contests by the order's
counts and the reason that was given, and the order's findings follow.

Source: 《政务数据共享条例》第二十六条; house rule (design §3.4)
"""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import access
from apps.core.access import EVERYBODY, NOBODY
from apps.ledger import phrases
from apps.quality.permissions.rules import PROVIDERS, of_department, own_department

phrases.register(
    {
        "quality.open_order": _("开具了整改工单"),
        "quality.reuse_order": _("更新了整改工单"),
        "quality.accept_findings": _("核实数据无误"),
        "quality.reveal": _("查看了 %(rows)s 条记录的明文"),
        "quality.download_rows": _("下载了 %(rows)s 条问题记录的明文"),
        "quality.tell_head": _("整改逾期，已告知部门负责人"),
        "quality.tell_leader": _("整改逾期，已报告主管部门负责人"),
    }
)


@access.scope("quality.WorkOrder", "view")
def order_of_own_department(actor: User) -> Q:
    return of_department(actor, "department")


@access.scope("quality.WorkOrder", "view_findings")
def order_with_rows_to_read(actor: User) -> Q:
    return own_department(actor, "dataset__department")


@access.scope("quality.Finding", "view")
def finding_of_own_department(actor: User) -> Q:
    return own_department(actor, "dataset__department")


@access.scope("quality.WorkOrder", "acknowledge")
def who_mends(actor: User) -> Q:
    return Q(department=actor.department_id) if actor.holds(*PROVIDERS) else NOBODY


@access.scope("quality.WorkOrder", "accept")
def head_who_vouches(actor: User) -> Q:
    if actor.holds("department_approver"):
        return Q(department=actor.department_id)
    return NOBODY


@access.scope("quality.Finding", "accept")
def head_who_vouches_for_rows(actor: User) -> Q:
    if actor.holds("department_approver"):
        return Q(dataset__department=actor.department_id)
    return NOBODY


@access.scope("quality.WorkOrder", "contest", "let_stand")
def contesting_authority(actor: User) -> Q:
    return EVERYBODY if actor.holds("authority_officer") else NOBODY


@access.scope("quality.WorkOrder", "close", "cancel")
@access.scope("quality.Finding", "fix", "reopen", "void", "contest", "let_stand")
@access.scope("quality.QualityRun", "check", "finish", "fail")
def nobody_by_hand(actor: User) -> Q:
    """What the platform does by itself once its conditions hold."""
    return NOBODY
