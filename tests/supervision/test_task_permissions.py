"""The matrix: cast × action × status; list and row agree; a refusal changes nothing."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import pytest
from django.core.files.base import ContentFile

from apps.core import access
from apps.core.errors import NotAllowed
from apps.ledger.models import Event
from apps.supervision.models import TaskFile, TaskReturn, WorkTask
from apps.supervision.operations import task_returns as returns
from apps.supervision.operations import tasks
from tests.conftest import CAST
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.supervision.task_stories import RETURN_STORIES, TASK_STORIES, Bureau

TASKS: Final = frozenset(TASK_STORIES)
SENT: Final = TASKS - {"draft"}
RETURNS: Final = frozenset(RETURN_STORIES)
OFFICER: Final = dict.fromkeys(["authority"], TASKS)
TASK_MATRIX: Final[dict[str, dict[str, frozenset[str]]]] = {
    "view": {
        **dict.fromkeys(["authority", "authority_leader", "auditor"], TASKS),
        **dict.fromkeys(["provider", "provider_head"], SENT),
    },
    "administer": dict.fromkeys(["authority", "authority_leader", "auditor"], TASKS),
    **dict.fromkeys(
        ["revise", "attach", "copy", "issue", "close", "cancel", "urge_late", "accept_all"], OFFICER
    ),
}
RETURN_MATRIX: Final[dict[str, dict[str, frozenset[str]]]] = {
    "view": dict.fromkeys(
        ["provider", "provider_head", "authority", "authority_leader", "auditor"], RETURNS
    ),
    "read": {
        **dict.fromkeys(["provider", "provider_head", "auditor"], RETURNS),
        **dict.fromkeys(["authority", "authority_leader"], frozenset({"submitted", "accepted"})),
    },
    "belong": dict.fromkeys(["provider", "provider_head"], RETURNS),
    **{key: {"provider": RETURNS} for key in ["take_in", "save_answers", "submit"]},
    "sign": {"provider_head": RETURNS},
    "send_back": {
        "provider_head": frozenset({"awaiting_head"}),
        "authority": frozenset({"submitted"}),
    },
    **{key: {"authority": RETURNS} for key in ["accept", "excuse", "lapse"]},
}


def test_the_matrices_know_every_action() -> None:
    assert set(TASK_MATRIX) == set(access.actions_of(WorkTask))
    assert set(RETURN_MATRIX) == set(access.actions_of(TaskReturn))


def wrong_answers(
    matrix: dict[str, dict[str, frozenset[str]]],
    row: WorkTask | TaskReturn,
    status: str,
    cast: dict[str, Any],
    at: datetime,
) -> list[tuple[str, str, bool, bool]]:
    wrong = []
    for action, admitted in matrix.items():
        for name in CAST:
            expected = status in admitted.get(name, frozenset())
            on_row = access.allowed(cast[name], action, row, at=at)
            listed = access.rows(cast[name], action, type(row), at=at).filter(pk=row.pk).exists()
            if (on_row, listed) != (expected, expected):
                wrong.append((name, action, on_row, listed))
    return wrong


@pytest.mark.parametrize("status", sorted(TASK_STORIES))
def test_who_may_do_what_with_a_task(
    bureau: Bureau, cast: dict[str, Any], at: datetime, status: str
) -> None:
    task = TASK_STORIES[status](bureau, at)
    assert wrong_answers(TASK_MATRIX, task, status, cast, at) == []


@pytest.mark.parametrize("status", sorted(RETURN_STORIES))
def test_who_may_do_what_with_a_return(
    bureau: Bureau, cast: dict[str, Any], at: datetime, status: str
) -> None:
    row = RETURN_STORIES[status](bureau, at)
    assert wrong_answers(RETURN_MATRIX, row, status, cast, at) == []


def test_only_an_authoritys_officer_begins_a_task(cast: dict[str, Any], at: datetime) -> None:
    may = {name for name in CAST if access.able(cast[name], "create", WorkTask, at=at)}
    assert may == {"authority"}
    for name in set(CAST) - may:
        with pytest.raises(NotAllowed):
            tasks.create_task(actor=cast[name], at=at, title="越权")
    assert not WorkTask.objects.exists()


Act = Callable[[Any, Any, datetime], Any]
TASK_ACTS: Final[dict[str, tuple[str, Act]]] = {
    "revise": ("draft", lambda t, who, at: tasks.revise_task(task=t, actor=who, at=at, title="新")),
    "attach": ("draft", lambda t, who, at: tasks.attach(
        task=t, actor=who, at=at, title="函", file=ContentFile(b"1", "a.pdf"))),
    "copy": ("issued", lambda t, who, at: tasks.copy_task(task=t, actor=who, at=at)),
    "issue": ("draft", lambda t, who, at: tasks.issue(task=t, actor=who, at=at)),
    "close": ("issued", lambda t, who, at: tasks.close(task=t, actor=who, at=at)),
    "cancel": ("issued", lambda t, who, at: tasks.cancel(task=t, actor=who, at=at, reason="x")),
    "urge_late": ("issued", lambda t, who, at: tasks.urge_late(task=t, actor=who, at=at)),
    "accept_all": ("issued", lambda t, who, at: returns.accept_all(task=t, actor=who, at=at)),
}  # fmt: skip
RETURN_ACTS: Final[dict[str, tuple[str, Act]]] = {
    "take_in": ("unopened", lambda r, who, at: returns.take_in(row=r, actor=who, at=at)),
    "save_answers": ("writing", lambda r, who, at: returns.save_answers(
        row=r, actor=who, at=at, note="x")),
    "submit": ("writing", lambda r, who, at: returns.submit(row=r, actor=who, at=at)),
    "sign": ("awaiting_head", lambda r, who, at: returns.sign(row=r, actor=who, at=at)),
    "send_back": ("submitted", lambda r, who, at: returns.send_back(
        row=r, actor=who, at=at, reason="x")),
    "accept": ("submitted", lambda r, who, at: returns.accept(row=r, actor=who, at=at)),
    "excuse": ("unopened", lambda r, who, at: returns.excuse(
        row=r, actor=who, at=at, reason="x")),
}  # fmt: skip


def picture() -> tuple[Any, ...]:
    """Everything that an act could leave behind."""
    return (
        list(WorkTask.objects.order_by("pk").values()),
        list(TaskReturn.objects.order_by("pk").values()),
        WorkTask.history.count(),
        TaskReturn.history.count(),
        TaskFile.objects.count(),
        Event.objects.filter(outcome="done").count(),
    )


@pytest.mark.parametrize("name", sorted(TASK_ACTS))
def test_who_may_not_is_refused_a_task_and_changes_nothing(
    bureau: Bureau, cast: dict[str, Any], at: datetime, name: str
) -> None:
    status, act = TASK_ACTS[name]
    task = TASK_STORIES[status](bureau, at)
    before = picture()
    for who in set(CAST) - set(TASK_MATRIX[name]):
        with pytest.raises(NotAllowed):
            act(WorkTask.objects.get(pk=task.pk), cast[who], at)
        assert picture() == before, who


@pytest.mark.parametrize("name", sorted(RETURN_ACTS))
def test_who_may_not_is_refused_a_return_and_changes_nothing(
    bureau: Bureau, cast: dict[str, Any], at: datetime, name: str
) -> None:
    status, act = RETURN_ACTS[name]
    row = RETURN_STORIES[status](bureau, at)
    admitted = {who for who, statuses in RETURN_MATRIX[name].items() if status in statuses}
    before = picture()
    for who in set(CAST) - admitted:
        with pytest.raises(NotAllowed):
            act(TaskReturn.objects.get(pk=row.pk), cast[who], at)
        assert picture() == before, who


def test_another_authoritys_task_is_not_mine(bureau: Bureau, at: datetime) -> None:
    elsewhere = UserFactory(
        department=DepartmentFactory(name="江津区大数据局"), roles=["authority_officer"]
    )
    task = TASK_STORIES["issued"](bureau, at)
    for action in TASK_MATRIX:
        assert not access.allowed(elsewhere, action, task, at=at), action
    assert not access.rows(elsewhere, "view", TaskReturn, at=at).exists()


def test_a_file_is_seen_by_who_sees_what_it_goes_with(
    bureau: Bureau, cast: dict[str, Any], at: datetime
) -> None:
    row = RETURN_STORIES["writing"](bureau, at)
    paper = tasks.attach(
        task=row.task, actor=bureau.officer, at=at, title="通知", file=ContentFile(b"1", "a.pdf")
    )
    returns.save_answers(
        row=row, actor=bureau.editor, at=at, files={"q5": ContentFile(b"2", "b.pdf")}
    )
    answer = TaskFile.objects.get(task_return=row)

    def seen(file: TaskFile) -> set[str]:
        return {name for name in CAST if access.allowed(cast[name], "view", file, at=at)}

    assert seen(paper) == set(RETURN_MATRIX["view"])
    assert seen(answer) == {"provider", "provider_head", "auditor"}, "it is not signed yet"
    returns.save_answers(
        row=row, actor=bureau.editor, at=at, answer_kind="data", answers={"q1": "30", "q2": "是"}
    )
    returns.submit(row=row, actor=bureau.editor, at=at)
    returns.sign(row=row, actor=bureau.head, at=at)
    assert seen(answer) == set(RETURN_MATRIX["view"])
