"""The authority's pages: the tasks it sent, and the board of each."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import Region
from apps.clocks import queries as clocks
from apps.core import access
from apps.core.chips import Chip
from apps.core.errors import DomainError
from apps.core.lifecycle import Move
from apps.core.paging import page_of
from apps.ledger import queries as ledger
from apps.ledger.models import Todo
from apps.supervision.forms.tasks import FileForm, MoveForm
from apps.supervision.lifecycle import TASK
from apps.supervision.models import (
    ReturnStatus,
    TaskFile,
    TaskKind,
    TaskReturn,
    TaskStatus,
    WorkTask,
)
from apps.supervision.operations import task_returns as returns
from apps.supervision.operations import tasks
from apps.supervision.queries import tasks as queries

PAGE_ROWS: Final = 50
CONSEQUENCES: Final[dict[str, str | Promise]] = {
    "close": gettext_lazy("任务结束后不能再报送；尚未报送的单位记为“未报送”。"),
    "cancel": gettext_lazy("任务作废，各单位不必再报送，并收到通知；已经填写的内容仍可查看。"),
}


@dataclass(frozen=True)
class TaskLine:
    """One task of the list with how far it is."""

    task: WorkTask
    progress: queries.Progress
    remaining: clocks.Remaining | None


@dataclass(frozen=True)
class ReturnLine:
    """One department on the board, with what can be urged."""

    row: Any
    todo: Todo | None
    over: int

    @property
    def is_district(self) -> bool:
        return bool(self.row.department.region.kind != Region.Kind.CITY)


@login_required
def task_list(request: HttpRequest) -> HttpResponse:
    """The tasks that my authority sent or is writing."""
    user: Any = request.user
    at = timezone.now()
    found = access.rows(user, "administer", WorkTask).select_related("department")
    query = request.GET
    words = query.get("q", "").strip()
    if words:
        found = found.filter(Q(title__icontains=words) | Q(number__icontains=words))
    kind = query.get("kind", "")
    if kind in TaskKind.values:
        found = found.filter(kind=kind)
    status = query.get("status", "")
    chips = _counted(found, "status", TaskStatus.choices, status)
    if status in TaskStatus.values:
        found = found.filter(status=status)
    page = page_of(found, query, size=PAGE_ROWS)
    progress = queries.progress_of_all(page.rows, at)
    calendar = clocks.work_calendar()
    context = {
        "page": page,
        "lines": [
            TaskLine(row, progress[row.pk], _remaining(row, at, calendar)) for row in page.rows
        ],
        "chips": chips,
        "kinds": TaskKind.choices,
        "is_filtered": bool(words or status or kind),
        "can_create": access.able(user, "create", WorkTask),
    }
    return render(request, "supervision/tasks.html", context)


@login_required
def board(request: HttpRequest, pk: int) -> HttpResponse:
    """How far each department is; whoever was only asked goes to his department's return."""
    user: Any = request.user
    at = timezone.now()
    task = task_or_404(request, pk)
    if not access.allowed(user, "administer", task):
        own = access.rows(user, "belong", TaskReturn).filter(task=task).first()
        if own is None:
            raise Http404
        return redirect(own)
    calendar = clocks.work_calendar()
    shown = list(returns_shown(request, task, at))
    progress = queries.progress_of(task, at)
    since = task.issued_at or at
    context = {
        "task": task,
        "lines": _lines(user, shown, at, calendar),
        "progress": progress,
        "chips": _board_chips(progress, request.GET.get("status", "")),
        "is_filtered": any(request.GET.get(name) for name in ("status", "q", "place")),
        "remaining": _remaining(task, at, calendar),
        "span": queries.span(timezone.localdate(since), task.due_on, calendar)
        if task.due_on
        else None,
        "buttons": [
            move
            for move in TASK.moves_from(task.status)
            if move.name != "issue" and access.allowed(user, move.name, task)
        ],
        "may_keep": access.allowed(user, "revise", task),
        "waiting": progress.counts.get("submitted", 0),
        "files": task.files.filter(task_return=None),
        "file_form": FileForm(),
        "previous": queries.previous_task(task),
        "trail": ledger.trail(task),
    }
    return render(request, "supervision/task.html", context)


def task_or_404(request: HttpRequest, pk: int) -> WorkTask:
    visible = access.rows(request.user, "view", WorkTask)
    return get_object_or_404(visible.select_related("department", "previous"), pk=pk)


def returns_shown(request: HttpRequest, task: WorkTask, at: datetime) -> QuerySet[Any]:
    """The departments of a board as the address filters them, the late ones first."""
    found = queries.with_lateness(
        task.returns.select_related("department__region", "signed_by", "task"), at
    )
    status = request.GET.get("status", "")
    if status == "late":
        found = found.filter(queries.late(at))
    elif status in ReturnStatus.values:
        found = found.filter(status=status)
    words = request.GET.get("q", "").strip()
    if words:
        found = found.filter(
            Q(department__name__icontains=words) | Q(department__short_name__icontains=words)
        )
    place = request.GET.get("place", "")
    if place == "district":
        found = found.filter(department__in=queries.district_departments().values("pk"))
    elif place == "city":
        found = found.exclude(department__in=queries.district_departments().values("pk"))
    return found


@login_required
def move(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Confirm that a task ends or is called off, and on POST do it."""
    user: Any = request.user
    task = task_or_404(request, pk)
    found = next((each for each in TASK.moves if each.name == name and name != "issue"), None)
    if found is None:
        raise Http404
    if not access.allowed(user, name, task):
        raise PermissionDenied
    form = MoveForm(request.POST or None, move=found, initial={"revision": task.revision})
    if request.method == "POST" and form.is_valid():
        try:
            getattr(tasks, name)(task=task, actor=user, at=timezone.now(), **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, str(error))
            task.refresh_from_db()
        else:
            messages.success(request, _("已办理：%(move)s") % {"move": found.label})
            return redirect(task)
    context = {
        "task": task,
        "move": found,
        "form": form,
        "consequence": _consequence(task, found),
    }
    return render(request, "supervision/task_move.html", context)


@login_required
def urge_late(request: HttpRequest, pk: int) -> HttpResponse:
    """Name those who are late, and on POST urge them all."""
    user: Any = request.user
    at = timezone.now()
    task = task_or_404(request, pk)
    if not access.allowed(user, "urge_late", task):
        raise PermissionDenied
    if request.method == "POST":
        try:
            urged = tasks.urge_late(
                task=task, actor=user, at=at, note=request.POST.get("note", "").strip()[:200]
            )
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _urged_in_words(urged))
        return redirect(task)
    behind = list(
        task.returns.filter(queries.late(at)).select_related("department").order_by("department")
    )
    return render(request, "supervision/task_urge.html", {"task": task, "behind": behind})


@login_required
def accept_all(request: HttpRequest, pk: int) -> HttpResponse:
    """Name what was handed in, and on POST accept all of it."""
    user: Any = request.user
    task = task_or_404(request, pk)
    if not access.allowed(user, "accept_all", task):
        raise PermissionDenied
    if request.method == "POST":
        try:
            count = returns.accept_all(task=task, actor=user, at=timezone.now())
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("已验收 %(count)s 份填报") % {"count": count})
        return redirect(task)
    waiting = queries.awaiting_acceptance(task).select_related("department", "signed_by")
    context = {"task": task, "waiting": list(waiting.order_by("department__code"))}
    return render(request, "supervision/task_accept.html", context)


@login_required
def file(request: HttpRequest, pk: int) -> FileResponse:
    """A paper of a task, or a file of a return, for those who see what it goes with."""
    found = get_object_or_404(access.rows(request.user, "view", TaskFile), pk=pk)
    suffix = "." + str(found.file.name).rpartition(".")[2]
    name = found.title if found.title.lower().endswith(suffix.lower()) else found.title + suffix
    return FileResponse(found.file.open("rb"), as_attachment=True, filename=name)


def _remaining(task: WorkTask, at: datetime, calendar: Any) -> clocks.Remaining | None:
    if task.status != TaskStatus.ISSUED:
        return None
    return queries.remaining_until(task.due_on, since=task.issued_at, at=at, calendar=calendar)


def _lines(user: Any, rows: list[Any], at: datetime, calendar: Any) -> list[ReturnLine]:
    kind = ContentType.objects.get_for_model(TaskReturn)
    todos = access.rows(user, "urge", Todo).filter(
        content_type=kind, object_id__in=[row.pk for row in rows]
    )
    open_todos = {todo.object_id: todo for todo in todos}
    today = timezone.localdate(at)
    return [
        ReturnLine(
            row,
            open_todos.get(row.pk),
            max(calendar.count_workdays(row.task.due_on, today), 1) if row.is_late else 0,
        )
        for row in rows
    ]


def _counted(
    found: QuerySet[Any], field: str, choices: list[tuple[str, Any]], chosen: str
) -> list[Chip]:
    counts: dict[str, int] = {}
    for value in found.order_by().values_list(field, flat=True):
        counts[value] = counts.get(value, 0) + 1
    chips = [Chip("", _("全部"), sum(counts.values()), not chosen)]
    return chips + [
        Chip(value, label, counts.get(value, 0), chosen == value) for value, label in choices
    ]


def _board_chips(progress: queries.Progress, chosen: str) -> list[Chip]:
    found = [
        Chip("", _("全部单位"), progress.total, not chosen),
        Chip("late", _("逾期未报"), progress.late, chosen == "late", progress.late > 0),
    ]
    return found + [
        Chip(value, label, progress.counts.get(value, 0), chosen == value)
        for value, label in ReturnStatus.choices
        if value not in ("excused", "lapsed") or progress.counts.get(value)
    ]


def _consequence(task: WorkTask, move: Move) -> str:
    words = str(CONSEQUENCES[move.name])
    owed = queries.progress_of(task, timezone.now()).outstanding
    if not owed:
        return words
    return words + _("现在还有 %(count)s 个单位没有报送。") % {"count": owed}


def _urged_in_words(urged: tasks.Urged) -> str:
    if urged.skipped:
        return _("已催办 %(done)s 个单位；%(skipped)s 个一小时内刚催办过，没有重复催办") % {
            "done": urged.done,
            "skipped": urged.skipped,
        }
    return _("已催办全部 %(done)s 个逾期单位") % {"done": urged.done}
