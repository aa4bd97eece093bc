"""All answers of a task: as a page to print, as a workbook, as CSV."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone

from apps.core import access
from apps.supervision.models import WorkTask
from apps.supervision.queries.tasks import progress_of
from apps.supervision.summaries import Sheet, as_csv, as_workbook, sheets_of
from apps.supervision.views.tasks import returns_shown, task_or_404

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@login_required
def summary(request: HttpRequest, pk: int) -> HttpResponse:
    task, sheets = _sheets(request, pk)
    context = {"task": task, "sheets": sheets, "progress": progress_of(task, timezone.now())}
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


def _sheets(request: HttpRequest, pk: int) -> tuple[WorkTask, list[Sheet]]:
    task = task_or_404(request, pk)
    if not access.allowed(request.user, "administer", task):
        raise PermissionDenied
    return task, sheets_of(task, returns_shown(request, task, timezone.now()))
