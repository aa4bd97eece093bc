"""A department takes a task in, answers, has its head sign; the authority accepts or returns."""

from datetime import datetime

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.accounts.queries import members_with
from apps.core import access
from apps.core.errors import Conflict, IllegalMove, InvalidInput
from apps.ledger import operations as ledger
from apps.supervision import queries
from apps.supervision.lifecycle import RETURN
from apps.supervision.models import TaskReturn, TaskStatus, WorkTask
from apps.supervision.operations.task_answers import problems_of, save_answers, take_in

__all__ = [
    "accept",
    "accept_all",
    "excuse",
    "problems_of",
    "save_answers",
    "send_back",
    "sign",
    "submit",
    "take_in",
]

TEAM = ("department_editor", "department_approver")


@transaction.atomic
def submit(
    *, row: TaskReturn, actor: User, at: datetime, revision: int | None = None
) -> TaskReturn:
    """Put the complete return before the head of the own sharing office.

    Raises:
        NotAllowed: the actor does not edit for the department.
        InvalidInput: something is missing; `errors` lists all of it.
        IllegalMove: it is not being written.
    """
    standing = access.require(actor, "submit", row, at=at)
    _require_complete(row, "submit")
    RETURN.apply(row, "submit", actor=actor, at=at, revision=revision)
    _hand_on(
        row,
        actor,
        at,
        "supervision.sign",
        _("签发任务填报：%(title)s") % {"title": row.task.title},
        "department_approver",
    )
    ledger.record(standing, "supervision.submit", row, at=at)
    return row


@transaction.atomic
def sign(*, row: TaskReturn, actor: User, at: datetime, revision: int | None = None) -> TaskReturn:
    """Sign the return and send it to the authority in the department's name.

    Source: 《政务数据共享条例》第十一条
    Raises:
        NotAllowed: the actor does not head the department's sharing office.
        InvalidInput: it is no longer complete.
        IllegalMove: it does not await him.
    """
    standing = access.require(actor, "sign", row, at=at)
    _require_complete(row, "sign")
    RETURN.apply(
        row, "sign", actor=actor, at=at, revision=revision, signed_by=actor, signed_at=at, remark=""
    )
    ledger.close_todos(row, at=at, by=actor)
    ledger.open_todo(
        row.task,
        "supervision.accept",
        title=_("验收任务填报：%(title)s") % {"title": row.task.title},
        url=f"{row.task.get_absolute_url()}?status=submitted",
        department=row.task.department,
        role="authority_officer",
        at=at,
    )
    ledger.record(
        standing, "supervision.sign", row, at=at, details={"kind": row.get_answer_kind_display()}
    )
    return row


@transaction.atomic
def send_back(
    *, row: TaskReturn, actor: User, at: datetime, reason: str, revision: int | None = None
) -> TaskReturn:
    """Return it to those who wrote it, with what to mend, as own head or as the authority.

    Raises:
        NotAllowed: it is not the actor's turn.
        InvalidInput: no remark.
        IllegalMove: it lies with neither, or the task has ended.
    """
    standing = access.require(actor, "send_back", row, at=at)
    _require_running(row.task)
    RETURN.apply(
        row,
        "send_back",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        remark=reason.strip(),
        signed_by=None,
        signed_at=None,
    )
    title = _("补正任务填报：%(title)s") % {"title": row.task.title}
    _hand_on(row, actor, at, "supervision.fill", title, "department_editor")
    _settle(row.task, actor, at)
    ledger.notify(
        members_with(TEAM, row.department),
        title=_("任务填报被退回补正：%(title)s") % {"title": row.task.title},
        body=reason.strip(),
        url=row.get_absolute_url(),
        at=at,
        subject=row,
    )
    ledger.record(
        standing,
        "supervision.send_back",
        row,
        at=at,
        details={"reason": reason.strip()},
        department=row.department,
    )
    return row


@transaction.atomic
def accept(
    *, row: TaskReturn, actor: User, at: datetime, revision: int | None = None
) -> TaskReturn:
    """Accept a return: nothing more is owed for it.

    Raises:
        NotAllowed: the actor is no officer of the sending authority.
        IllegalMove: it was not signed, or is accepted already.
    """
    standing = access.require(actor, "accept", row, at=at)
    _accept(row, actor, at, revision)
    _settle(row.task, actor, at)
    ledger.record(standing, "supervision.accept", row, at=at, department=row.department)
    return row


@transaction.atomic
def accept_all(*, task: WorkTask, actor: User, at: datetime) -> int:
    """Accept everything that lies signed before the authority; return how many.

    Raises:
        NotAllowed: the actor is no officer of the sending authority.
        Conflict: nothing waits.
    """
    standing = access.require(actor, "accept_all", task, at=at)
    waiting = list(queries.tasks.awaiting_acceptance(task).select_related("department"))
    if not waiting:
        raise Conflict(_("现在没有待验收的填报"), code="nothing_waiting")
    for row in waiting:
        _accept(row, actor, at, None)
        ledger.record(standing, "supervision.accept", row, at=at, department=row.department)
    _settle(task, actor, at)
    ledger.record(standing, "supervision.accept_all", task, at=at, details={"count": len(waiting)})
    return len(waiting)


@transaction.atomic
def excuse(
    *, row: TaskReturn, actor: User, at: datetime, reason: str, revision: int | None = None
) -> TaskReturn:
    """Let a department off: it owes this return no more, and no figure counts it as missing.

    Raises:
        NotAllowed: the actor is no officer of the sending authority.
        InvalidInput: no reason.
        IllegalMove: it was handed in already.
    """
    standing = access.require(actor, "excuse", row, at=at)
    RETURN.apply(
        row, "excuse", actor=actor, at=at, reason=reason, revision=revision, remark=reason.strip()
    )
    ledger.close_todos(row, at=at, by=actor)
    ledger.notify(
        members_with(TEAM, row.department),
        title=_("免予报送：%(title)s") % {"title": row.task.title},
        body=reason.strip(),
        url=row.get_absolute_url(),
        at=at,
        subject=row,
    )
    ledger.record(
        standing,
        "supervision.excuse",
        row,
        at=at,
        details={"reason": reason.strip()},
        department=row.department,
    )
    return row


def _require_complete(row: TaskReturn, move: str) -> None:
    """Hold the row and look what lacks; a wrong status is left for the move to refuse."""
    current = TaskReturn.objects.select_for_update().select_related("task").get(pk=row.pk)
    if current.status not in RETURN.move(move).sources:
        return
    problems = problems_of(current)
    if problems:
        raise InvalidInput(
            _("还有 %(count)s 处须填写或修改：%(first)s")
            % {"count": len(problems), "first": problems[0]},
            code="return_incomplete",
            errors=[str(problem) for problem in problems],
        )


def _require_running(task: WorkTask) -> None:
    if task.status != TaskStatus.ISSUED:
        raise IllegalMove(_("任务已结束，填报不能再退回"), state=task.status)


def _accept(row: TaskReturn, actor: User, at: datetime, revision: int | None) -> None:
    RETURN.apply(
        row, "accept", actor=actor, at=at, revision=revision, accepted_by=actor, accepted_at=at
    )
    ledger.notify(
        members_with(TEAM, row.department),
        title=_("任务填报已验收：%(title)s") % {"title": row.task.title},
        url=row.get_absolute_url(),
        at=at,
        subject=row,
    )


def _settle(task: WorkTask, actor: User, at: datetime) -> None:
    """Close the authority's to-do when nothing is left to accept."""
    if not queries.tasks.awaiting_acceptance(task).exists():
        ledger.close_todos(task, at=at, by=actor, kind="supervision.accept")


def _hand_on(
    row: TaskReturn, actor: User, at: datetime, kind: str, title: str | Promise, role: str
) -> None:
    ledger.close_todos(row, at=at, by=actor)
    ledger.open_todo(
        row,
        kind,
        title=title,
        url=row.get_absolute_url(),
        department=row.department,
        role=role,
        at=at,
        due_on=row.task.due_on,
    )
