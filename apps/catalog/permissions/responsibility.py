"""Who may do what with responsibility lists and their duties.

    list     view                     members of the department                own, once consulted
                                      authority's officers, leaders, auditor   all
             create (compile, import) authority officer
             revise, consult, recall, authority officer                        all
               issue, adjust, close
             reply                    department approver                      own department's
    duty     view                     members of the performing department,    own, once consulted
                                      and of the list's department
                                      authority's officers, leaders, auditor   all
             accept, raise_objection  department editor and approver           own list's
             settle, drop, verify,    authority officer                        all
               return_performance
             release                  authority officer                        all
                                      editor and approver of the list's        parts of their duties
                                      department
             split                    editor and approver of the performing    own
                                      department
             perform (name_dataset)   editor of the performing department      own

`reconsult` and `enforce` are done by revising and by issuing; nobody does them alone.

Source: 渝大数据复函〔2019〕124号; house rule (design §3.2)
"""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import access
from apps.core.access import EVERYBODY, NOBODY
from apps.ledger import phrases

OVERSEERS = ("authority_officer", "authority_leader", "audit_admin")
STAFF = ("department_editor", "department_approver")

phrases.register(
    {
        "catalog.compile_lists": _("分解目录，编制了责任清单"),
        "catalog.add_duty": _("列入了责任事项"),
        "catalog.revise_duties": _("修改了责任清单"),
        "catalog.accept_duties": _("确认了责任事项"),
        "catalog.reply": _("回复了征求意见"),
        "catalog.name_dataset": _("对应了目录"),
        "catalog.split_duty": _("拆分了责任事项"),
    }
)


@access.scope("catalog.ResponsibilityList", "view")
def reader_of_list(actor: User) -> Q:
    if actor.holds(*OVERSEERS):
        return EVERYBODY
    return Q(department=actor.department_id) & ~Q(status="compiling")


@access.ability("catalog.ResponsibilityList", "create")
def compiles_lists(actor: User) -> bool:
    return actor.holds("authority_officer")


@access.scope(
    "catalog.ResponsibilityList", "revise", "consult", "recall", "issue", "adjust", "close"
)
@access.scope("catalog.Duty", "settle", "drop", "verify", "return_performance")
def officer(actor: User) -> Q:
    return EVERYBODY if actor.holds("authority_officer") else NOBODY


@access.scope("catalog.ResponsibilityList", "reply")
def head_of_listed_department(actor: User) -> Q:
    return Q(department=actor.department_id) if actor.holds("department_approver") else NOBODY


@access.scope("catalog.Duty", "view")
def reader_of_duty(actor: User) -> Q:
    if actor.holds(*OVERSEERS):
        return EVERYBODY
    own = Q(department=actor.department_id) | Q(responsibility_list__department=actor.department_id)
    return own & ~Q(responsibility_list__status="compiling")


@access.scope("catalog.Duty", "accept", "raise_objection")
def staff_of_listed_department(actor: User) -> Q:
    if not actor.holds(*STAFF):
        return NOBODY
    return Q(responsibility_list__department=actor.department_id, parent=None) & ~Q(
        responsibility_list__status="compiling"
    )


@access.scope("catalog.Duty", "release")
def who_gave_it(actor: User) -> Q:
    if actor.holds("authority_officer"):
        return EVERYBODY
    if actor.holds(*STAFF):
        return Q(parent__department=actor.department_id)
    return NOBODY


@access.scope("catalog.Duty", "split")
def staff_of_performing_department(actor: User) -> Q:
    if not actor.holds(*STAFF):
        return NOBODY
    return Q(department=actor.department_id) & ~Q(responsibility_list__status="compiling")


@access.scope("catalog.Duty", "perform")
def editor_of_performing_department(actor: User) -> Q:
    if not actor.holds("department_editor"):
        return NOBODY
    return Q(department=actor.department_id) & ~Q(responsibility_list__status="compiling")
