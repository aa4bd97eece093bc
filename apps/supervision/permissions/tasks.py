"""Who may do what with work tasks and the returns to them.

    action                   who                                             rows
    WorkTask
    view                     the sending authority's officers and leaders    own department's
                             every member of a department asked              issued to it
                             audit admin                                     all
    administer (the board)   the sending authority's officers and leaders    own department's
                             audit admin                                     all
    create                   an authority's officer                          (own department)
    revise, attach, copy,    the sending authority's officers                own department's
      issue, close, cancel,
      urge_late, accept_all
    TaskReturn
    view (how far it is)     every member of the department                  own department's
                             members of its successor                        the predecessor's
                             the sending authority's officers and leaders    own tasks'
                             audit admin                                     all
    read (what it says)      whoever views it; the sending authority's       signed by the head
                             people only what was signed
    belong                   every member of the department                  own department's
    take_in, save_answers,   department editor                               own department's
      submit
    sign                     department approver (sharing office's head)     own department's
    send_back                department approver                             own, awaiting the head
                             the sending authority's officers                submitted ones
    accept, excuse, lapse    the sending authority's officers                own tasks'
    TaskFile
    view                     whoever sees the task, or reads the return it answers

Source: house rule (domain §3, 工作任务); 《政务数据共享条例》第十一条 (the head signs)
"""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User
from apps.core import access
from apps.core.access import EVERYBODY, NOBODY
from apps.ledger import phrases
from apps.supervision.models import TaskReturn, WorkTask

phrases.register(
    {
        "supervision.create_task": _("起草了工作任务"),
        "supervision.copy_task": _("沿用上一次任务，起草了"),
        "supervision.revise_task": _("修改了工作任务"),
        "supervision.attach": _("添加了附件"),
        "supervision.detach": _("移除了附件"),
        "supervision.save_answers": _("保存了填报"),
        "supervision.accept_all": _("一次验收了全部已报送的填报"),
        "supervision.urge_late": _("催办了全部逾期单位"),
        "supervision.tell_head": _("逾期未报送，已告知负责人"),
        "supervision.tell_leader": _("逾期未报送，已报告主管部门领导"),
    }
)


@access.scope("supervision.WorkTask", "view")
def sender_or_asked(actor: User) -> Q:
    if actor.holds("audit_admin"):
        return EVERYBODY
    asked = TaskReturn.objects.filter(_of_department(actor)).values("task")
    return _sent_by(actor) | (Q(issued_at__isnull=False) & Q(pk__in=asked))


@access.scope("supervision.WorkTask", "administer")
def overseer_of_task(actor: User) -> Q:
    return EVERYBODY if actor.holds("audit_admin") else _sent_by(actor)


@access.ability("supervision.WorkTask", "create")
def officer_of_an_authority(actor: User) -> bool:
    return actor.holds("authority_officer")


@access.scope(
    "supervision.WorkTask",
    "revise",
    "attach",
    "copy",
    "issue",
    "close",
    "cancel",
    "urge_late",
    "accept_all",
)
def officer_of_sender(actor: User) -> Q:
    return Q(department=actor.department_id) if actor.holds("authority_officer") else NOBODY


@access.scope("supervision.TaskReturn", "view")
def viewer_of_return(actor: User) -> Q:
    if actor.holds("audit_admin"):
        return EVERYBODY
    rows = _of_department(actor)
    if actor.holds("authority_officer", "authority_leader"):
        rows |= Q(task__department=actor.department_id)
    return rows


@access.scope("supervision.TaskReturn", "read")
def reader_of_answers(actor: User) -> Q:
    """What a department still writes is its own; the authority reads what its head signed."""
    if actor.holds("audit_admin"):
        return EVERYBODY
    rows = _of_department(actor)
    if actor.holds("authority_officer", "authority_leader"):
        rows |= Q(task__department=actor.department_id, status__in=("submitted", "accepted"))
    return rows


@access.scope("supervision.TaskReturn", "belong")
def member_of_department(actor: User) -> Q:
    return Q(department=actor.department_id)


@access.scope("supervision.TaskReturn", "take_in", "save_answers", "submit")
def editor_of_department(actor: User) -> Q:
    return Q(department=actor.department_id) if actor.holds("department_editor") else NOBODY


@access.scope("supervision.TaskReturn", "sign")
def head_of_department(actor: User) -> Q:
    return Q(department=actor.department_id) if actor.holds("department_approver") else NOBODY


@access.scope("supervision.TaskReturn", "send_back")
def reviewer_in_turn(actor: User) -> Q:
    """The own head while it lies with him, the authority while it lies there."""
    rows = NOBODY
    if actor.holds("department_approver"):
        rows |= Q(department=actor.department_id, status="awaiting_head")
    if actor.holds("authority_officer"):
        rows |= Q(task__department=actor.department_id, status="submitted")
    return rows


@access.scope("supervision.TaskReturn", "accept", "excuse", "lapse")
def officer_of_returns_sender(actor: User) -> Q:
    return Q(task__department=actor.department_id) if actor.holds("authority_officer") else NOBODY


@access.scope("supervision.TaskFile", "view")
def reader_of_file(actor: User) -> Q:
    tasks = WorkTask.objects.filter(sender_or_asked(actor)).values("pk")
    returns = TaskReturn.objects.filter(reader_of_answers(actor)).values("pk")
    return Q(task_return=None, task__in=tasks) | Q(task_return__in=returns)


def _sent_by(actor: User) -> Q:
    if actor.holds("authority_officer", "authority_leader"):
        return Q(department=actor.department_id)
    return NOBODY


def _of_department(actor: User) -> Q:
    """Own returns, and what the departments handed in that went into this one."""
    before = Department.objects.filter(
        successions_out__successors=actor.department_id,
        successions_out__kind__in=("renamed", "merged", "split", "abolished"),
    )
    return Q(department=actor.department_id) | Q(department__in=before.values("pk"))
