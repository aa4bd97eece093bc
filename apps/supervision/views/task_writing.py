"""Writing a task in steps: content → form → recipients → confirm; every step saves the draft."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from apps.clocks import queries as clocks
from apps.core import access
from apps.core.errors import DomainError
from apps.supervision.forms.tasks import (
    ContentForm,
    FileForm,
    QuestionsForm,
    RecipientsForm,
    TargetForm,
    initial_questions,
)
from apps.supervision.models import WorkTask
from apps.supervision.operations import tasks
from apps.supervision.queries import tasks as queries
from apps.supervision.questions import stored
from apps.supervision.views.tasks import task_or_404

STEPS: Final = {
    "content": gettext_lazy("任务内容"),
    "form": gettext_lazy("填报表"),
    "recipients": gettext_lazy("填报单位"),
    "confirm": gettext_lazy("核对下发"),
}
SUGGESTED_WORKDAYS: Final = (5, 10, 15, 20, 30)


@login_required
def new(request: HttpRequest) -> HttpResponse:
    """The first step of a task that does not exist yet."""
    user: Any = request.user
    if not access.able(user, "create", WorkTask):
        raise PermissionDenied
    form = ContentForm(request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            task = tasks.create_task(actor=user, at=timezone.now(), **form.cleaned_data)
        except DomainError as error:
            _tell(form, error)
        else:
            return _onward(request, task, "content")
    context = {
        "form": form,
        "steps": [
            (label, name, "current" if name == "content" else "") for name, label in STEPS.items()
        ],
        "days": _suggested_days(),
    }
    return render(request, "supervision/task_edit_content.html", context)


@login_required
def edit(request: HttpRequest, pk: int, step: str = "content") -> HttpResponse:
    """One step of a draft: save it and go on, or stay and be told what is wrong."""
    task = task_or_404(request, pk)
    if not access.allowed(request.user, "revise", task):
        raise PermissionDenied
    if task.status != "draft":
        return redirect(task)
    if step not in PAGES:
        raise Http404
    return PAGES[step](request, task)


def edit_content(request: HttpRequest, task: WorkTask) -> HttpResponse:
    form = ContentForm(request.POST or None, instance=WorkTask.objects.get(pk=task.pk))
    if form.is_bound and form.is_valid() and _save(request, task, form, **form.cleaned_data):
        return _onward(request, task, "content")
    context = {
        "form": form,
        "days": _suggested_days(),
        "files": task.files.all(),
        "file_form": FileForm(),
        "span": _span(task),
    }
    return _show(request, task, "content", context)


def edit_form(request: HttpRequest, task: WorkTask) -> HttpResponse:
    """The questions as a table; adding lines saves what was typed, too."""
    typed = request.POST if request.method == "POST" else None
    form: Any = QuestionsForm(typed, initial=initial_questions(stored(task.questions)), prefix="q")
    target = TargetForm(typed, initial={"target_list": task.target_list})
    if form.is_bound and form.is_valid() and target.is_valid():
        written = {"questions": form.written(), **target.cleaned_data}
        if _save(request, task, target, **written):
            if "more" in request.POST:
                return redirect(f"{request.path}#more")
            return _onward(request, task, "form")
    return _show(request, task, "form", {"form": form, "target": target})


def edit_recipients(request: HttpRequest, task: WorkTask) -> HttpResponse:
    chosen = set(task.recipients.values_list("pk", flat=True))
    form = RecipientsForm(
        request.POST or None,
        departments=queries.possible_recipients(timezone.localdate()),
        initial={"city": chosen, "district": chosen},
    )
    if form.is_bound and form.is_valid() and _save(request, task, form, recipients=form.chosen()):
        return _onward(request, task, "recipients")
    return _show(request, task, "recipients", {"form": form, "count": len(chosen)})


def edit_confirm(request: HttpRequest, task: WorkTask) -> HttpResponse:
    """Everything once more, and to how many it goes."""
    user: Any = request.user
    errors: list[str] = []
    if request.method == "POST":
        revision = request.POST.get("revision", "")
        try:
            tasks.issue(
                task=task,
                actor=user,
                at=timezone.now(),
                revision=int(revision) if revision.isdecimal() else None,
            )
        except DomainError as error:
            listed = error.details.get("errors")
            errors = listed if isinstance(listed, list) else [str(error)]
            task.refresh_from_db()
        else:
            count = task.returns.count()
            messages.success(request, _("已下发给 %(count)s 个单位") % {"count": count})
            return redirect(task)
    asked = task.recipients.filter(valid_to=None).select_related("region")
    context = {
        "errors": errors,
        "lacking": tasks.what_lacks(task, on=timezone.localdate()),
        "asked": list(asked.order_by("region__code", "code")),
        "span": _span(task),
        "files": task.files.all(),
    }
    return _show(request, task, "confirm", context)


PAGES: Final[dict[str, Callable[[HttpRequest, WorkTask], HttpResponse]]] = {
    "content": edit_content,
    "form": edit_form,
    "recipients": edit_recipients,
    "confirm": edit_confirm,
}


@login_required
@require_POST
def copy(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin next year's task from this one."""
    user: Any = request.user
    task = task_or_404(request, pk)
    if not access.allowed(user, "copy", task):
        raise PermissionDenied
    copied = tasks.copy_task(task=task, actor=user, at=timezone.now())
    messages.success(request, _("已沿用内容、填报表和填报单位；改好名称和截止日期后下发"))
    return redirect("supervision:task-edit", copied.pk, "content")


@login_required
@require_POST
def attach(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a paper beside the task, from the first step or from the board."""
    user: Any = request.user
    task = task_or_404(request, pk)
    if not access.allowed(user, "attach", task):
        raise PermissionDenied
    form = FileForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            kept = tasks.attach(task=task, actor=user, at=timezone.now(), **form.cleaned_data)
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("已添加附件“%(title)s”") % {"title": kept.title})
    else:
        messages.error(request, _("选择要添加的文件"))
    if task.status == "draft":
        return redirect("supervision:task-edit", task.pk, "content")
    return redirect(task)


@login_required
@require_POST
def detach(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    user: Any = request.user
    task = task_or_404(request, pk)
    if not access.allowed(user, "attach", task):
        raise PermissionDenied
    found = get_object_or_404(task.files.filter(task_return=None), pk=number)
    try:
        tasks.detach(file=found, actor=user, at=timezone.now())
    except DomainError as error:
        messages.error(request, str(error))
    return redirect("supervision:task-edit", task.pk, "content")


def _save(request: HttpRequest, task: WorkTask, form: Any, **written: Any) -> bool:
    user: Any = request.user
    revision = request.POST.get("revision", "")
    try:
        tasks.revise_task(
            task=task,
            actor=user,
            at=timezone.now(),
            revision=int(revision) if revision.isdecimal() else None,
            **written,
        )
    except DomainError as error:
        _tell(form, error)
        task.refresh_from_db()
        return False
    return True


def _tell(form: Any, error: DomainError) -> None:
    field = error.details.get("field")
    form.add_error(field if field in form.fields else None, str(error))


def _onward(request: HttpRequest, task: WorkTask, step: str) -> HttpResponse:
    if "leave" in request.POST:
        messages.success(request, _("草稿已保存"))
        return redirect("supervision:tasks")
    names = list(STEPS)
    return redirect("supervision:task-edit", task.pk, names[names.index(step) + 1])


def _show(request: HttpRequest, task: WorkTask, step: str, context: dict[str, Any]) -> HttpResponse:
    names = list(STEPS)
    common = {
        "task": task,
        "step": step,
        "step_label": STEPS[step],
        "steps": [
            (label, name, "current" if name == step else "") for name, label in STEPS.items()
        ],
        "previous_step": names[names.index(step) - 1] if step != "content" else "",
    }
    return render(request, f"supervision/task_edit_{step}.html", {**common, **context})


def _steps(here: str) -> list[tuple[str | Promise, str, str]]:
    return [(label, name, "current" if name == here else "") for name, label in STEPS.items()]


def _suggested_days() -> list[tuple[int, Any]]:
    """Days that are so many working days from today, for those who think in working days."""
    calendar, today = clocks.work_calendar(), timezone.localdate()
    return [(count, calendar.add_workdays(today, count)) for count in SUGGESTED_WORKDAYS]


def _span(task: WorkTask) -> queries.Span | None:
    if task.due_on is None:
        return None
    return queries.span(timezone.localdate(), task.due_on, clocks.work_calendar())
