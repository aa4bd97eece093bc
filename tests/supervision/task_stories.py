"""Reach a status of a work task and of a return by real operations, never by assigning it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from apps.supervision.models import TaskReturn, WorkTask
from apps.supervision.operations import task_returns as returns
from apps.supervision.operations import tasks

DUE: Final = date(2026, 11, 25)  # a Wednesday, five working days after the tests' day
QUESTIONS: Final[list[dict[str, Any]]] = [
    {"key": "q1", "label": "目录条数", "kind": "number", "required": True},
    {"key": "q2", "label": "是否完成自查", "kind": "yes_no", "required": True},
    {"key": "q3", "label": "存在的问题", "kind": "long_text"},
    {
        "key": "q4",
        "label": "新增的数据",
        "kind": "table",
        "columns": [
            {"key": "c1", "label": "名称", "kind": "text", "required": True},
            {"key": "c2", "label": "条数", "kind": "number"},
        ],
    },
    {"key": "q5", "label": "加盖公章的报告", "kind": "file"},
]


@dataclass(frozen=True)
class Bureau:
    """Those who bring a task through: the authority's officer, a department's editor and head."""

    officer: Any
    editor: Any
    head: Any


def draft(people: Bureau, at: datetime, **more: Any) -> WorkTask:
    """A complete draft for the editor's department; `recipients` and any field may be given."""
    recipients: Sequence[Any] = more.pop("recipients", [people.editor.department])
    questions = more.pop("questions", QUESTIONS)
    task = tasks.create_task(
        actor=people.officer,
        at=at,
        **{
            "title": "2026 年目录更新",
            "content": "逐条核对本部门目录。",
            "due_on": DUE,
            "contact_name": "王敏",
            "contact_phone": "023-63000000",
            **more,
        },
    )
    return tasks.revise_task(
        task=task, actor=people.officer, at=at, questions=questions, recipients=recipients
    )


def issued(people: Bureau, at: datetime, **more: Any) -> WorkTask:
    return tasks.issue(task=draft(people, at, **more), actor=people.officer, at=at)


def closed(people: Bureau, at: datetime, **more: Any) -> WorkTask:
    return tasks.close(task=issued(people, at, **more), actor=people.officer, at=at)


def cancelled(people: Bureau, at: datetime, **more: Any) -> WorkTask:
    task = issued(people, at, **more)
    return tasks.cancel(task=task, actor=people.officer, at=at, reason="部署有误")


TASK_STORIES: Final[dict[str, Callable[..., WorkTask]]] = {
    "draft": draft,
    "issued": issued,
    "closed": closed,
    "cancelled": cancelled,
}


def unopened(people: Bureau, at: datetime, **more: Any) -> TaskReturn:
    task = issued(people, at, **more)
    return task.returns.get(department=people.editor.department)


def writing(people: Bureau, at: datetime, **more: Any) -> TaskReturn:
    return returns.take_in(row=unopened(people, at, **more), actor=people.editor, at=at)


def written(people: Bureau, at: datetime, **more: Any) -> TaskReturn:
    """Complete, but not yet with the head."""
    return returns.save_answers(
        row=writing(people, at, **more),
        actor=people.editor,
        at=at,
        answer_kind="data",
        answers={"q1": "1，204", "q2": "是"},
    )


def awaiting_head(people: Bureau, at: datetime, **more: Any) -> TaskReturn:
    return returns.submit(row=written(people, at, **more), actor=people.editor, at=at)


def submitted(people: Bureau, at: datetime, **more: Any) -> TaskReturn:
    return returns.sign(row=awaiting_head(people, at, **more), actor=people.head, at=at)


def returned(people: Bureau, at: datetime, **more: Any) -> TaskReturn:
    row = submitted(people, at, **more)
    return returns.send_back(row=row, actor=people.officer, at=at, reason="条数与目录不符")


def accepted(people: Bureau, at: datetime, **more: Any) -> TaskReturn:
    return returns.accept(row=submitted(people, at, **more), actor=people.officer, at=at)


def excused(people: Bureau, at: datetime, **more: Any) -> TaskReturn:
    row = unopened(people, at, **more)
    return returns.excuse(row=row, actor=people.officer, at=at, reason="职能已划出")


def lapsed(people: Bureau, at: datetime, **more: Any) -> TaskReturn:
    row = unopened(people, at, **more)
    tasks.close(task=row.task, actor=people.officer, at=at)
    row.refresh_from_db()
    return row


RETURN_STORIES: Final[dict[str, Callable[..., TaskReturn]]] = {
    "unopened": unopened,
    "writing": written,
    "awaiting_head": awaiting_head,
    "returned": returned,
    "submitted": submitted,
    "accepted": accepted,
    "excused": excused,
    "lapsed": lapsed,
}
