"""Work tasks of the authority, and what the departments returned: in time, late, or not at all.

Last year's catalogue update is over; this year's is copied from it, so that last year's answers
stand in the forms. The census of systems is past its day; the collection of demands is a draft.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Department, User
from apps.catalog.models import Dataset
from apps.console.demo.city import departments
from apps.console.demo.people import clerk_and_head
from apps.console.demo.writing import morning
from apps.supervision.models import AnswerKind, TargetList, TaskKind, TaskReturn, WorkTask
from apps.supervision.operations import task_returns as returns
from apps.supervision.operations import tasks

CONTACT: Final = {"contact_name": "刘洋", "contact_phone": "023-12345678"}
UPDATE_FORM: Final[list[dict[str, Any]]] = [
    {"key": "entries", "label": "现有目录条数", "kind": "number", "required": True},
    {"key": "added", "label": "本年新增条数", "kind": "number", "required": True},
    {"key": "checked", "label": "是否逐条核对完毕", "kind": "yes_no", "required": True},
    {"key": "difficulty", "label": "存在的困难和建议", "kind": "long_text"},
]
CENSUS_FORM: Final[list[dict[str, Any]]] = [
    {
        "key": "in_use",
        "label": "是否在用",
        "kind": "yes_no",
        "required": True,
        "per_line": True,
    },
    {"key": "rows", "label": "数据量（万条）", "kind": "number", "per_line": True},
    {"key": "note", "label": "说明", "kind": "text", "per_line": True},
]
WISH_FORM: Final[list[dict[str, Any]]] = [
    {
        "key": "wishes",
        "label": "明年需要其他部门提供的数据",
        "kind": "table",
        "columns": [
            {"key": "name", "label": "数据名称", "kind": "text", "required": True},
            {"key": "provider", "label": "可能的提供部门", "kind": "text"},
            {"key": "matter", "label": "用于什么事项", "kind": "text", "required": True},
        ],
    }
]
# How far the returns of a running task have come, one after another through the departments.
PROGRESS: Final = (
    "accepted",
    "submitted",
    "accepted",
    "writing",
    "unopened",
    "accepted",
    "awaiting_head",
    "returned",
    "submitted",
    "unopened",
)


def load_tasks(*, at: datetime) -> int:
    """Send out the city's tasks and bring their returns on; return how many tasks there are."""
    if WorkTask.objects.exists():
        return WorkTask.objects.count()
    officer = User.objects.get(username="authority")
    city = list(
        Department.objects.filter(code__in=[plan.code for plan in departments()]).order_by("code")
    )
    last = _update_of_last_year(officer, city[:30], at)
    _update_of_this_year(officer, last, at)
    _census(officer, city[:20], at)
    _collection(officer, city, at)
    return WorkTask.objects.count()


@transaction.atomic
def _update_of_last_year(officer: User, asked: Sequence[Department], at: datetime) -> WorkTask:
    begun = morning(at, 330)
    task = _send(
        officer,
        asked,
        begun,
        due_in=15,
        questions=UPDATE_FORM,
        kind=TaskKind.CATALOG_UPDATE,
        title="上年度数据目录更新",
        content="逐条核对本部门数据目录的名称、数据项、更新周期和共享条件，变动的按目录变更办理。",
    )
    for number, row in enumerate(_returns(task)):
        until = "unopened" if number % 15 == 14 else "accepted"
        _bring(row, until, officer, begun + timedelta(days=3), answers=_update_answers(row))
    return tasks.close(task=task, actor=officer, at=begun + timedelta(days=25))


@transaction.atomic
def _update_of_this_year(officer: User, last: WorkTask, at: datetime) -> None:
    begun = morning(at, 9)
    task = tasks.copy_task(task=last, actor=officer, at=begun)
    tasks.revise_task(
        task=task,
        actor=officer,
        at=begun,
        title="本年度数据目录更新",
        due_on=timezone.localdate(at) + timedelta(days=6),
    )
    tasks.issue(task=task, actor=officer, at=begun)
    for number, row in enumerate(_returns(task)):
        until = PROGRESS[number % len(PROGRESS)]
        kind = AnswerKind.NO_CHANGE if number % 9 == 5 else AnswerKind.DATA
        _bring(
            row,
            until,
            officer,
            begun + timedelta(days=1),
            answers=_update_answers(row),
            kind=kind,
        )


@transaction.atomic
def _census(officer: User, asked: Sequence[Department], at: datetime) -> None:
    """Past its day: those who are late were urged once."""
    begun = morning(at, 24)
    task = _send(
        officer,
        asked,
        begun,
        due_in=20,
        questions=CENSUS_FORM,
        kind=TaskKind.SYSTEM_CENSUS,
        target_list=TargetList.SYSTEMS,
        title="政务信息系统普查",
        content="逐个核对本部门的信息系统是否在用、数据量多少；停用的写明停用时间，遗漏的自行补充。",
    )
    for number, row in enumerate(_returns(task)):
        until = PROGRESS[(number * 3) % len(PROGRESS)]
        _bring(row, until, officer, begun + timedelta(days=5), in_use=True)
    tasks.urge_late(
        task=task,
        actor=officer,
        at=min(morning(at, 2) + timedelta(hours=1), at),
        note="普查已过截止日期，结果要报市政府，请于两日内报送。",
    )


@transaction.atomic
def _collection(officer: User, asked: Sequence[Department], at: datetime) -> None:
    task = tasks.create_task(
        actor=officer,
        at=morning(at, 1),
        kind=TaskKind.DEMAND_COLLECTION,
        title="明年数据需求征集",
        content="请各单位结合明年重点工作，提出需要其他部门提供的数据。没有的作零报告。",
        due_on=timezone.localdate(at) + timedelta(days=30),
        **CONTACT,
    )
    tasks.revise_task(
        task=task, actor=officer, at=morning(at, 1), questions=WISH_FORM, recipients=asked
    )


def _send(
    officer: User,
    asked: Sequence[Department],
    at: datetime,
    *,
    due_in: int,
    questions: list[dict[str, Any]],
    **fields: Any,
) -> WorkTask:
    task = tasks.create_task(
        actor=officer,
        at=at,
        due_on=timezone.localdate(at) + timedelta(days=due_in),
        **CONTACT,
        **fields,
    )
    tasks.revise_task(task=task, actor=officer, at=at, questions=questions, recipients=asked)
    return tasks.issue(task=task, actor=officer, at=at)


def _returns(task: WorkTask) -> list[TaskReturn]:
    rows = task.returns.select_related("department", "task").order_by("department__code")
    return list(rows)


def _update_answers(row: TaskReturn) -> dict[str, str]:
    count = Dataset.objects.published().filter(department=row.department).count()
    return {"entries": str(count), "added": str(row.pk % 4), "checked": "是"}


def _bring(
    row: TaskReturn,
    until: str,
    officer: User,
    at: datetime,
    *,
    answers: dict[str, str] | None = None,
    kind: str = AnswerKind.DATA,
    in_use: bool = False,
) -> None:
    """Take the return in, fill it, sign it, accept it or send it back, as far as `until` says."""
    if until == "unopened":
        return
    clerk, head = clerk_and_head(row.department)
    returns.take_in(row=row, actor=clerk, at=at)
    note = "经逐条核对，与上次填报一致。" if kind == AnswerKind.NO_CHANGE else ""
    lines = None
    if in_use:
        lines = [
            {"number": number, "answers": {"in_use": "是", "rows": str(3 + number * 7 % 90)}}
            for number in range(1, len(row.lines) + 1)
        ]
    returns.save_answers(
        row=row,
        actor=clerk,
        at=at,
        answer_kind=kind,
        answers=answers if kind == AnswerKind.DATA else None,
        lines=lines,
        note=note,
    )
    if until == "writing":
        return
    returns.submit(row=row, actor=clerk, at=at + timedelta(hours=1))
    if until == "awaiting_head":
        return
    returns.sign(row=row, actor=head, at=at + timedelta(days=1))
    if until == "accepted":
        returns.accept(row=row, actor=officer, at=at + timedelta(days=2))
    elif until == "returned":
        returns.send_back(
            row=row,
            actor=officer,
            at=at + timedelta(days=2),
            reason="新增条数与平台目录不一致，核对后重新报送。",
        )
