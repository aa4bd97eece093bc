"""Write a work task, send it out, urge, end it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.core.files.base import File
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.history import remember
from apps.accounts.models import Department, User
from apps.accounts.queries import members_with
from apps.core import access
from apps.core.errors import Conflict, IllegalMove, InvalidInput, StaleRevision, required_text
from apps.ledger import operations as ledger
from apps.ledger.models import Todo
from apps.ledger.queries import open_todos_of
from apps.supervision import queries
from apps.supervision.lifecycle import RETURN, TASK
from apps.supervision.models import (
    OUTSTANDING,
    TargetList,
    TaskFile,
    TaskKind,
    TaskReturn,
    TaskStatus,
    WorkTask,
)
from apps.supervision.operations.files import kept_file
from apps.supervision.questions import read_questions

FIELDS: Final = (
    "kind",
    "title",
    "basis",
    "content",
    "target_list",
    "due_on",
    "contact_name",
    "contact_phone",
)
TEAM: Final = ("department_editor", "department_approver")


@dataclass(frozen=True)
class Urged:
    """How many were urged, and how many had been within the last hour."""

    done: int
    skipped: int


@transaction.atomic
def create_task(*, actor: User, at: datetime, **fields: Any) -> WorkTask:
    """Begin a task in the name of the actor's authority.

    Raises:
        NotAllowed: the actor is no officer of a data authority.
        InvalidInput: a field is unknown or its value wrong.
    """
    standing = access.require(actor, "create", WorkTask, at=at)
    own = (standing.principal or actor).department
    task = WorkTask(department=own, created_by=actor, created_at=at, updated_at=at)
    _write(task, fields)
    _number(task, at)
    remember(task, actor=actor, at=at, reason=_("新建"))
    task.save(force_insert=True)
    ledger.record(standing, "supervision.create_task", task, at=at)
    return task


@transaction.atomic
def copy_task(*, task: WorkTask, actor: User, at: datetime) -> WorkTask:
    """Begin next year's task from this one: words, form, recipients; not its days or papers.

    Who has gone is left out of the recipients; what the departments answered is filled in later.

    Raises:
        NotAllowed: the actor is no officer of the authority that sent it.
    """
    standing = access.require(actor, "copy", task, at=at)
    copied = WorkTask(
        department=task.department,
        previous=task,
        questions=task.questions,
        created_by=actor,
        created_at=at,
        updated_at=at,
        **{name: getattr(task, name) for name in FIELDS if name != "due_on"},
    )
    _number(copied, at)
    remember(copied, actor=actor, at=at, reason=_("沿用"))
    copied.save(force_insert=True)
    asked = Department.objects.filter(task_returns__task=task, valid_to=None)
    copied.recipients.set(asked if task.issued_at else task.recipients.filter(valid_to=None))
    ledger.record(standing, "supervision.copy_task", copied, at=at, details={"from": task.number})
    return copied


@transaction.atomic
def revise_task(
    *,
    task: WorkTask,
    actor: User,
    at: datetime,
    questions: Sequence[Mapping[str, Any]] | None = None,
    recipients: Iterable[Department] | None = None,
    revision: int | None = None,
    **fields: Any,
) -> WorkTask:
    """Change a draft; what is absent is left alone.

    Raises:
        NotAllowed: the actor is no officer of the sending authority.
        IllegalMove: it was sent out already.
        StaleRevision: somebody changed it after `revision`.
        InvalidInput: a field, a question or a recipient is wrong.
    """
    standing = access.require(actor, "revise", task, at=at)
    current = _draft(task, revision)
    _write(current, fields)
    if questions is not None:
        current.questions = [each.to_json() for each in read_questions(questions)]
    if recipients is not None:
        chosen = list(recipients)
        if any(each.valid_to is not None for each in chosen):
            raise InvalidInput(_("所选单位中有已撤销的，刷新后再选"), field="recipients")
        current.recipients.set(chosen)
    current.revision += 1
    current.updated_at = at
    remember(current, actor=actor, at=at, reason=_("修改"))
    current.save()
    ledger.record(standing, "supervision.revise_task", current, at=at)
    task.refresh_from_db()
    return task


@transaction.atomic
def attach(*, task: WorkTask, actor: User, at: datetime, title: str, file: File[Any]) -> TaskFile:
    """Put a paper beside the task: the letter, a template, a guide; also after it was sent out.

    Raises:
        NotAllowed: the actor is no officer of the sending authority.
        IllegalMove: the task has ended.
        InvalidInput: the file is too large or of a kind that is not taken.
    """
    standing = access.require(actor, "attach", task, at=at)
    if task.status not in (TaskStatus.DRAFT, TaskStatus.ISSUED):
        raise IllegalMove(_("任务已结束，不能再添加附件"), state=task.status)
    kept = kept_file(task=task, title=title, file=file, actor=actor, at=at)
    ledger.record(
        standing,
        "supervision.attach",
        task,
        at=at,
        details={"title": kept.title, "sha256": kept.sha256},
    )
    return kept


@transaction.atomic
def detach(*, file: TaskFile, actor: User, at: datetime) -> None:
    """Take a paper off a draft.

    Raises:
        NotAllowed: the actor is no officer of the sending authority.
        IllegalMove: the task was sent out; its papers stay.
    """
    standing = access.require(actor, "attach", file.task, at=at)
    current = _draft(file.task, None)
    if file.task_return_id is not None:
        raise InvalidInput(_("填报单位的文件不能移除"))
    ledger.record(standing, "supervision.detach", current, at=at, details={"title": file.title})
    file.delete()


@transaction.atomic
def issue(*, task: WorkTask, actor: User, at: datetime, revision: int | None = None) -> WorkTask:
    """Send the task to its recipients: each owes a return until the last day.

    Raises:
        NotAllowed: the actor is no officer of the sending authority.
        InvalidInput: content, questions, recipients or the last day are missing.
        IllegalMove: it was sent out already.
    """
    standing = access.require(actor, "issue", task, at=at)
    current = WorkTask.objects.select_for_update().get(pk=task.pk)
    lacking = what_lacks(current, on=timezone.localdate(at))
    if lacking and current.status in TASK.move("issue").sources:
        raise InvalidInput(
            _("还不能下发：%(first)s") % {"first": lacking[0]},
            errors=[str(each) for each in lacking],
        )
    TASK.apply(task, "issue", actor=actor, at=at, revision=revision, issued_at=at, issued_by=actor)
    asked = list(task.recipients.filter(valid_to=None).order_by("code"))
    for department in asked:
        row = TaskReturn(task=task, department=department, created_at=at, updated_at=at)
        remember(row, actor=actor, at=at, reason=_("下发"))
        row.save(force_insert=True)
        ask(row, at)
    ledger.record(standing, "supervision.issue", task, at=at, details={"count": len(asked)})
    return task


def ask(row: TaskReturn, at: datetime) -> None:
    """Open the to-do of a return that was just asked for, and tell the department."""
    title = _("填报：%(title)s") % {"title": row.task.title}
    ledger.open_todo(
        row,
        "supervision.fill",
        title=title,
        url=row.get_absolute_url(),
        department=row.department,
        role="department_editor",
        at=at,
        due_on=row.task.due_on,
    )
    ledger.notify(
        members_with(TEAM, row.department),
        title=_("新的工作任务：%(title)s") % {"title": row.task.title},
        body=_("%(sender)s 部署，%(day)s 前报送。")
        % {"sender": row.task.department, "day": row.task.due_on},
        url=row.get_absolute_url(),
        at=at,
        subject=row,
    )


@transaction.atomic
def urge_late(*, task: WorkTask, actor: User, at: datetime, note: str = "") -> Urged:
    """Urge every department that is late, at once; who was urged within the hour is let be.

    Source: house rule (look: 催办)
    Raises:
        NotAllowed: the actor is no officer of the sending authority.
        Conflict: nobody is late.
    """
    standing = access.require(actor, "urge_late", task, at=at)
    behind = list(task.returns.filter(queries.tasks.late(at)).order_by("department__code"))
    if not behind:
        raise Conflict(_("现在没有逾期的单位，不必催办"), code="nobody_late")
    done = skipped = 0
    for row in behind:
        for todo in open_todos_of(row):
            if _urged(todo, actor, at, note):
                done += 1
            else:
                skipped += 1
    ledger.record(
        standing,
        "supervision.urge_late",
        task,
        at=at,
        details={"urged": done, "skipped": skipped},
    )
    return Urged(done, skipped)


@transaction.atomic
def close(*, task: WorkTask, actor: User, at: datetime, revision: int | None = None) -> WorkTask:
    """End the task; who still owes a return is put down as not having reported.

    Raises:
        NotAllowed: the actor is no officer of the sending authority.
        Conflict: returns still wait to be accepted.
        IllegalMove: it is not out.
    """
    standing = access.require(actor, "close", task, at=at)
    WorkTask.objects.select_for_update().get(pk=task.pk)
    waiting = queries.tasks.awaiting_acceptance(task).count()
    if waiting and task.status in TASK.move("close").sources:
        raise Conflict(
            _("还有 %(count)s 份填报待验收，验收或退回后再结束") % {"count": waiting},
            code="returns_waiting",
        )
    TASK.apply(task, "close", actor=actor, at=at, revision=revision, closed_at=at, closed_by=actor)
    lapsed = _end_returns(task, "lapse", actor, at, "")
    ledger.close_todos(task, at=at, by=actor)
    ledger.record(standing, "supervision.close", task, at=at, details={"lapsed": lapsed})
    return task


@transaction.atomic
def cancel(
    *, task: WorkTask, actor: User, at: datetime, reason: str, revision: int | None = None
) -> WorkTask:
    """Call a task off; nobody owes anything any more, what was written stays readable.

    Raises:
        NotAllowed: the actor is no officer of the sending authority.
        InvalidInput: no reason.
        IllegalMove: it has ended.
    """
    standing = access.require(actor, "cancel", task, at=at)
    was_out = task.issued_at is not None
    TASK.apply(
        task,
        "cancel",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        closed_at=at,
        closed_by=actor,
    )
    if was_out:
        reason = required_text(reason, _("请填写作废理由"), field="reason")
        _end_returns(task, "excuse", actor, at, reason)
        for row in task.returns.select_related("department"):
            ledger.notify(
                members_with(TEAM, row.department),
                title=_("工作任务已作废：%(title)s") % {"title": task.title},
                body=reason,
                url=row.get_absolute_url(),
                at=at,
                subject=row,
            )
    ledger.close_todos(task, at=at, by=actor)
    ledger.record(standing, "supervision.cancel", task, at=at, details={"reason": reason.strip()})
    return task


def what_lacks(task: WorkTask, *, on: date) -> list[Any]:
    """Say what keeps a draft from being sent out."""
    lacking = []
    if not task.title.strip() or not task.content.strip():
        lacking.append(_("写明任务名称和任务要求"))
    if task.due_on is None:
        lacking.append(_("写明截止日期"))
    elif task.due_on <= on:
        lacking.append(_("截止日期应晚于今天"))
    if not task.contact_name.strip() or not task.contact_phone.strip():
        lacking.append(_("写明联系人和电话"))
    if not task.questions and not task.target_list:
        lacking.append(_("至少设一个问题，或者选择逐项核对的清单"))
    if task.line_form() and not task.target_list:
        lacking.append(_("有逐项填写的问题，还没有选择逐项核对的清单"))
    if not task.recipients.filter(valid_to=None).exists():
        lacking.append(_("选择填报单位"))
    return lacking


def _write(task: WorkTask, fields: Mapping[str, Any]) -> None:
    unknown = sorted(set(fields) - set(FIELDS))
    if unknown:
        raise InvalidInput(
            _("没有字段“%(names)s”") % {"names": "、".join(unknown)}, field=unknown[0]
        )
    for name, value in fields.items():
        setattr(task, name, value.strip() if isinstance(value, str) else value)
    task.title = required_text(task.title, _("请填写任务名称"), field="title")
    for name, choices in (("kind", TaskKind), ("target_list", TargetList)):
        if getattr(task, name) not in choices.values:
            raise InvalidInput(_("所选的值不在选项中"), field=name)
    for name in ("title", "basis", "contact_name", "contact_phone"):
        longest = getattr(task._meta.get_field(name), "max_length", 0)
        if len(getattr(task, name)) > longest:
            raise InvalidInput(_("不超过 %(count)s 个字") % {"count": longest}, field=name)


def _number(task: WorkTask, at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('supervision_worktask', 'id'))")
        (task.pk,) = cursor.fetchone()
    task.number = f"RW-{timezone.localtime(at).year}-{task.pk:06d}"


def _draft(task: WorkTask, revision: int | None) -> WorkTask:
    current = WorkTask.objects.select_for_update().get(pk=task.pk)
    if current.status != TaskStatus.DRAFT:
        raise IllegalMove(_("任务已下发，不能再修改"), state=current.status)
    if revision is not None and revision != current.revision:
        raise StaleRevision
    return current


def _urged(todo: Todo, actor: User, at: datetime, note: str) -> bool:
    try:
        ledger.urge(todo, actor=actor, at=at, note=note)
    except Conflict:
        return False
    return True


def _end_returns(task: WorkTask, move: str, actor: User, at: datetime, reason: str) -> int:
    rows = list(task.returns.filter(status__in=OUTSTANDING).select_related("department"))
    words: dict[str, Any] = {"remark": reason} if reason else {}
    for row in rows:
        RETURN.apply(row, move, actor=actor, at=at, reason=reason, **words)
        ledger.close_todos(row, at=at, by=actor)
    return len(rows)
