"""The first page after signing in: what I owe, what I was told, what I wait for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.clocks import queries as clocks
from apps.console import diagnosis
from apps.console.figures import figures_for
from apps.core import access
from apps.core.errors import DomainError
from apps.ledger import operations as ledger
from apps.ledger.models import Event, Notice, Todo
from apps.ledger.queries import notices_of, todos_of, told, unread_notices_of

NOTICES_ON_PAGE = 50
TODOS_SHOWN = 50
RECENT_EVENTS = 12


@dataclass(frozen=True)
class TodoLine:
    """A to-do with its clock; `for_whom` names the person it is done for when standing in."""

    todo: Todo
    remaining: clocks.Remaining | None
    is_mine: bool
    is_late: bool


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """My to-dos with their clocks, unread notices, and figures that lead to lists."""
    user: Any = request.user
    at = timezone.now()
    if user.kind == "citizen":
        return redirect("/")
    todos = todos_of(user)
    lines = todo_lines(todos[:TODOS_SHOWN], user)
    context = {
        "lines": lines,
        "todo_count": todos.count(),
        "overdue_count": sum(line.is_late for line in lines),
        "notices": unread_notices_of(user)[:8],
        "figures": figures_for(user, at),
        "events": recent_events(user),
    }
    return render(request, "console/home.html", context)


def todo_lines(todos: Iterable[Todo], user: Any) -> list[TodoLine]:
    """Pair to-dos with the soonest live clock of their subjects, in a fixed number of queries."""
    rows = list(todos)
    live = clocks.live_clocks_by_key((todo.content_type_id, todo.object_id) for todo in rows)
    calendar = clocks.work_calendar()
    at = timezone.now()
    lines = []
    for todo in rows:
        running = live.get((todo.content_type_id, todo.object_id), [])
        remaining = clocks.remaining(running[0], at, calendar) if running else None
        lines.append(TodoLine(todo, remaining, _is_own(todo, user), _is_late(todo, remaining, at)))
    return lines


def _is_late(todo: Todo, remaining: clocks.Remaining | None, at: datetime) -> bool:
    """By its clock where it has one, else by the day it was due."""
    if remaining is not None:
        return remaining.is_over
    return todo.due_on is not None and todo.due_on < timezone.localdate(at)


def _is_own(todo: Todo, user: Any) -> bool:
    if todo.assignee_id is not None:
        return bool(todo.assignee_id == user.pk)
    return user.holds(todo.role) and todo.department_id in (None, user.department_id)


def recent_events(user: Any) -> list[Any]:
    """What happened lately, for those whose work is to look at it."""
    if not user.holds("audit_admin"):
        return []
    events = access.rows(user, "view", Event).select_related("actor", "on_behalf_of", "department")
    return [told(event) for event in events[:RECENT_EVENTS]]


@login_required
def notices(request: HttpRequest) -> HttpResponse:
    """All my notices, the unread ones first in sight."""
    user: Any = request.user
    rows = notices_of(user)
    only_unread = request.GET.get("show") == "unread"
    if only_unread:
        rows = rows.filter(read_at=None)
    page = Paginator(rows, NOTICES_ON_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "only_unread": only_unread,
        "unread_count": unread_notices_of(user).count(),
    }
    return render(request, "console/notices.html", context)


@login_required
@require_POST
def read_notice(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark a notice as read and go to what it is about."""
    user: Any = request.user
    notice = get_object_or_404(access.rows(user, "read", Notice), pk=pk)
    ledger.read(notice, actor=user, at=timezone.now())
    return redirect(notice.url or "console:notices")


@login_required
@require_POST
def read_all_notices(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    count = ledger.read_all(actor=user, at=timezone.now())
    messages.success(request, _("已将 %(count)s 条通知标为已读") % {"count": count})
    return redirect("console:notices")


@login_required
@require_POST
def urge(request: HttpRequest, pk: int) -> HttpResponse:
    """Remind those who owe a to-do (催办), and return to the page it was done from."""
    user: Any = request.user
    todo = get_object_or_404(access.rows(user, "urge", Todo), pk=pk)
    try:
        ledger.urge(todo, actor=user, at=timezone.now(), note=request.POST.get("note", ""))
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("已催办：%(title)s") % {"title": todo.title})
    return HttpResponseRedirect(_back(request))


@login_required
def health(request: HttpRequest) -> HttpResponse:
    """What `manage.py doctor` finds, for those who keep the platform running."""
    user: Any = request.user
    if not user.holds("system_admin"):
        raise PermissionDenied
    tones = {"FINE": "ok", "ATTENTION": "attention", "BLOCKING": "bad"}
    found = [(finding, tones[finding.level.name]) for finding in diagnosis.findings()]
    return render(request, "console/health.html", {"found": found, "at": timezone.now()})


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Remember the language of the screens in a cookie."""
    response = HttpResponseRedirect(_back(request))
    wanted = request.POST.get("language", "")
    if translation.check_for_language(wanted) and wanted in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, wanted, max_age=365 * 86400, samesite="Lax"
        )
    return response


def _back(request: HttpRequest) -> str:
    target = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure()):
        parts = urlsplit(target)
        return parts.path + (f"?{parts.query}" if parts.query else "")
    return "/work/" if request.user.is_authenticated else "/"
