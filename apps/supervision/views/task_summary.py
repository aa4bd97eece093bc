"""All answers of a task: as a page to print, as a workbook, as CSV."""

from dataclasses import dataclass
from typing import Final

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone

from apps.core import access
from apps.core.templatetags.numbers import exact
from apps.supervision.models import WorkTask
from apps.supervision.queries.tasks import progress_of
from apps.supervision.summaries import Sheet, as_csv, as_workbook, number_of, sheets_of
from apps.supervision.views.tasks import returns_shown, task_or_404

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

ROWS_SHOWN: Final = 300
Line = list[tuple[str, bool]]


@dataclass(frozen=True)
class Shown:
    """A sheet as the page sets it: each cell with whether it stands in a column of numbers."""

    name: str
    total: int
    heading: Line
    lines: list[Line]
    totals: Line


@login_required
def summary(request: HttpRequest, pk: int) -> HttpResponse:
    task, sheets = _sheets(request, pk)
    context = {
        "task": task,
        "sheets": [_shown(sheet) for sheet in sheets],
        "progress": progress_of(task, timezone.now()),
    }
    return render(request, "supervision/task_summary.html", context)


@login_required
def workbook(request: HttpRequest, pk: int) -> HttpResponse:
    task, sheets = _sheets(request, pk)
    response = HttpResponse(as_workbook(sheets), content_type=WORKBOOK)
    response["Content-Disposition"] = f'attachment; filename="{task.number}.xlsx"'
    return response


@login_required
def table(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    task, sheets = _sheets(request, pk)
    response = StreamingHttpResponse(as_csv(sheets[0]), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{task.number}.csv"'
    return response


def _shown(sheet: Sheet) -> Shown:
    return Shown(
        sheet.name,
        len(sheet.rows),
        [(words, place in sheet.numeric) for place, words in enumerate(sheet.headings)],
        [_line(sheet, row) for row in sheet.rows[:ROWS_SHOWN]],
        _line(sheet, sheet.totals),
    )


def _line(sheet: Sheet, row: list[str]) -> Line:
    cells = []
    for place, words in enumerate(row):
        value = number_of(words) if place in sheet.numeric else None
        cells.append((words if value is None else exact(value), place in sheet.numeric))
    return cells


def _sheets(request: HttpRequest, pk: int) -> tuple[WorkTask, list[Sheet]]:
    task = task_or_404(request, pk)
    if not access.allowed(request.user, "administer", task):
        raise PermissionDenied
    return task, sheets_of(task, returns_shown(request, task, timezone.now()))
