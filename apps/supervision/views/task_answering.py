"""The department's pages: what it was asked, the answers, the signature."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.clocks import queries as clocks
from apps.core import access
from apps.core.chips import Chip
from apps.core.errors import DomainError
from apps.core.paging import page_of
from apps.ledger import queries as ledger
from apps.supervision.forms.task_answers import (
    AnswerForm,
    given_lines,
    line_inputs,
    new_line_inputs,
)
from apps.supervision.forms.tasks import MoveForm
from apps.supervision.lifecycle import RETURN, WRITABLE
from apps.supervision.models import OUTSTANDING, ReturnStatus, TaskFile, TaskReturn
from apps.supervision.operations import task_returns as returns
from apps.supervision.queries import tasks as queries
from apps.supervision.questions import Question, QuestionKind, in_words

PAGE_ROWS: Final = 50
LINES_ON_PAGE: Final = 40
BY_PAGE: Final = ("take_in", "submit", "sign", "send_back", "accept", "excuse")
TONES: Final = ("primary", "neutral", "danger")
CONSEQUENCES: Final[dict[str, str | Promise]] = {
    "take_in": gettext_lazy("签收后可以开始填写；上一次填报过的内容会自动带入，核对后修改。"),
    "submit": gettext_lazy("将送本单位共享工作机构负责人签发，签发期间不能修改。"),
    "sign": gettext_lazy("将以本单位名义报送部署单位，并记录签发人和时间。"),
    "send_back": gettext_lazy("将退回填报人补正，补正后重新签发。"),
    "accept": gettext_lazy("验收后这份填报即告办结，填报单位会收到通知。"),
    "excuse": gettext_lazy("这个单位不必再报送，也不计入未报送。"),
}


@dataclass(frozen=True)
class AnswerLine:
    """One question with its answer in words, and last time's where it differs."""

    question: Question
    words: str
    before: str
    rows: list[list[str]]
    file: TaskFile | None


@login_required
def return_list(request: HttpRequest) -> HttpResponse:
    """What my department owes and handed in, the soonest due first."""
    user: Any = request.user
    at = timezone.now()
    found = queries.returns_of_department(user)
    counts = dict(found.order_by().values_list("status").annotate(Count("pk")))
    status = request.GET.get("status", "open")
    chips = [
        Chip("open", _("待报送"), sum(counts.get(s, 0) for s in OUTSTANDING), status == "open"),
        *(
            Chip(value, label, counts.get(value, 0), status == value)
            for value, label in ReturnStatus.choices
            if counts.get(value) or value == status
        ),
        Chip("all", _("全部"), sum(counts.values()), status == "all"),
    ]
    if status == "open":
        found = found.filter(status__in=OUTSTANDING)
    elif status in ReturnStatus.values:
        found = found.filter(status=status)
    page = page_of(found, request.GET, size=PAGE_ROWS)
    calendar = clocks.work_calendar()
    lines = [
        (
            row,
            queries.remaining_until(
                row.task.due_on, since=row.task.issued_at, at=at, calendar=calendar
            )
            if row.status in OUTSTANDING
            else None,
        )
        for row in page.rows
    ]
    context = {"page": page, "lines": lines, "chips": chips, "status": status}
    return render(request, "supervision/task_returns.html", context)


@login_required
def task_return(request: HttpRequest, pk: int) -> HttpResponse:
    """One return: what was asked, what was answered, who does what next."""
    user: Any = request.user
    row = return_or_404(request, pk)
    owed = row.status in OUTSTANDING
    context = {
        **answers_context(row),
        "may_read": access.allowed(user, "read", row),
        "buttons": sorted(
            (
                move
                for move in RETURN.moves_from(row.status)
                if move.name in BY_PAGE and access.allowed(user, move.name, row)
            ),
            key=lambda move: TONES.index(move.tone),
        ),
        "may_write": row.status in WRITABLE and access.allowed(user, "save_answers", row),
        "oversees": access.allowed(user, "administer", row.task),
        "remaining": queries.remaining_until(
            row.task.due_on,
            since=row.task.issued_at,
            at=timezone.now(),
            calendar=clocks.work_calendar(),
        )
        if owed
        else None,
        "files": row.task.files.filter(task_return=None),
        "problems": returns.problems_of(row) if row.status in WRITABLE else [],
        "trail": ledger.trail(row),
    }
    return render(request, "supervision/task_return.html", context)


@login_required
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """The questions; saving keeps everything, complete or not."""
    row = _writable_or_refused(request, pk)
    if row.status not in WRITABLE:
        return redirect(row)
    typed = request.method == "POST"
    form = AnswerForm(request.POST if typed else None, request.FILES if typed else None, row=row)
    if typed and form.is_valid():
        saved = _save(
            request,
            row,
            answer_kind=form.cleaned_data["answer_kind"],
            note=form.cleaned_data["note"],
            answers=form.given(),
            files=form.given_files(),
        )
        if saved:
            return _onward(request, row)
    context = {
        "row": row,
        "task": row.task,
        "form": form,
        "step": "answers",
        "kept_files": {file.pk: file for file in row.files.all()},
        "problems": returns.problems_of(row),
    }
    return render(request, "supervision/task_answer.html", context)


@login_required
def answer_lines(request: HttpRequest, pk: int) -> HttpResponse:
    """The target list, a page at a time."""
    row = _writable_or_refused(request, pk)
    if row.status not in WRITABLE or not row.task.target_list:
        return redirect(row)
    place = request.GET.get("page", "1")
    number = int(place) if place.isdecimal() and len(place) < 6 else 1
    pages = max(1, -(-len(row.lines) // LINES_ON_PAGE))
    number = min(max(number, 1), pages)
    first = (number - 1) * LINES_ON_PAGE
    if request.method == "POST":
        lines = given_lines(row, request.POST, first, LINES_ON_PAGE)
        if _save(request, row, lines=lines):
            if "stay" in request.POST:
                messages.success(request, _("已保存"))
                return redirect(f"{request.path}?page={number}")
            if "leave" not in request.POST and number < pages:
                return redirect(f"{request.path}?page={number + 1}")
            return redirect(row)
    context = {
        "row": row,
        "task": row.task,
        "step": "lines",
        "lines": line_inputs(row, first, LINES_ON_PAGE, request.POST or None),
        "questions": row.task.line_form(),
        "added": new_line_inputs(row),
        "number": number,
        "pages": range(1, pages + 1),
        "following": number + 1 if number < pages else 0,
    }
    return render(request, "supervision/task_lines.html", context)


@login_required
def move(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Confirm a move of a return, and on POST make it; made for a phone, too."""
    user: Any = request.user
    row = return_or_404(request, pk)
    if name not in BY_PAGE:
        raise Http404
    found = RETURN.move(name)
    if not access.allowed(user, name, row):
        raise PermissionDenied
    form = MoveForm(request.POST or None, move=found, initial={"revision": row.revision})
    if request.method == "POST" and form.is_valid():
        given = {key: value for key, value in form.cleaned_data.items() if name != "take_in"}
        try:
            getattr(returns, name)(row=row, actor=user, at=timezone.now(), **given)
        except DomainError as error:
            listed = error.details.get("errors")
            for message in listed if isinstance(listed, list) else [str(error)]:
                form.add_error(None, message)
            row.refresh_from_db()
        else:
            messages.success(request, _("已办理：%(move)s") % {"move": found.label})
            if name == "take_in":
                return redirect("supervision:task-answer", row.pk)
            return redirect(row.task if name in ("accept", "excuse") else row)
    context = {
        **answers_context(row),
        "may_read": access.allowed(user, "read", row),
        "move": found,
        "form": form,
        "consequence": CONSEQUENCES[name],
        "why_not": ""
        if row.status in found.sources
        else _("当前状态为“%(status)s”，不能办理") % {"status": row.get_status_display()},
    }
    return render(request, "supervision/task_return_move.html", context)


def return_or_404(request: HttpRequest, pk: int) -> TaskReturn:
    visible = access.rows(request.user, "view", TaskReturn).select_related(
        "task__department", "department", "signed_by", "accepted_by", "filled_by", "prefilled_from"
    )
    return get_object_or_404(visible, pk=pk)


def answers_context(row: TaskReturn) -> dict[str, Any]:
    """What every page that shows the answers needs."""
    before = row.prefilled_from
    files = {file.pk: file for file in row.files.all()}
    form = row.task.line_form()
    return {
        "row": row,
        "task": row.task,
        "answers": [
            _answer_line(question, row.answers, before.answers if before else {}, files)
            for question in row.task.form()
        ],
        "line_questions": form,
        "line_rows": [
            (
                line,
                [
                    (question, in_words(question, line["answers"].get(question.key)))
                    for question in form
                ],
            )
            for line in row.lines
        ],
        "before": before,
    }


def _answer_line(
    question: Question, answers: dict[str, Any], before: dict[str, Any], files: dict[int, TaskFile]
) -> AnswerLine:
    value = answers.get(question.key)
    words = in_words(question, value)
    last = in_words(question, before.get(question.key))
    is_file = question.kind == QuestionKind.FILE
    return AnswerLine(
        question,
        "" if is_file else words,
        last if last and last != words and not is_file else "",
        _cells(question.columns, value) if question.kind == QuestionKind.TABLE else [],
        files.get(value) if is_file and isinstance(value, int) else None,
    )


def _cells(columns: Sequence[Question], rows: Any) -> list[list[str]]:
    if not isinstance(rows, list):
        return []
    return [[in_words(column, row.get(column.key)) for column in columns] for row in rows]


def _writable_or_refused(request: HttpRequest, pk: int) -> TaskReturn:
    row = return_or_404(request, pk)
    if not access.allowed(request.user, "save_answers", row):
        raise PermissionDenied
    return row


def _save(request: HttpRequest, row: TaskReturn, **given: Any) -> bool:
    """Save; on a refusal the page says why and shows what was typed."""
    user: Any = request.user
    revision = request.POST.get("revision", "")
    try:
        returns.save_answers(
            row=row,
            actor=user,
            at=timezone.now(),
            revision=int(revision) if revision.isdecimal() else None,
            **given,
        )
    except DomainError as error:
        messages.error(request, str(error))
        return False
    return True


def _onward(request: HttpRequest, row: TaskReturn) -> HttpResponse:
    if "more" in request.POST:
        messages.success(request, _("已保存"))
        return redirect(f"{request.path}#{request.POST['more']}")
    if "leave" in request.POST:
        messages.success(request, _("草稿已保存"))
        return redirect(row)
    if row.task.target_list and row.answer_kind == "data":
        return redirect("supervision:task-lines", row.pk)
    return redirect(row)
