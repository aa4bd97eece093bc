"""What awaits my review, oldest first; small changes are decided together."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from apps.catalog import operations as catalog
from apps.catalog import queries
from apps.catalog.differences import Smallness, field_differences, only_small, smallness
from apps.catalog.models import Dataset, DatasetChange
from apps.clocks import queries as clocks
from apps.core.paging import page_of

PAGE_ROWS: Final = 50
KINDS: Final[dict[str, str | Promise]] = {
    "changes": _("目录变更"),
    "first": _("首次发布"),
    "withdrawals": _("撤回"),
}
DUES: Final[dict[str, str | Promise]] = {
    "overdue": _("已超时限"),
    "soon": _("1 个工作日内到期"),
}


@dataclass(frozen=True)
class Scope:
    """One way to narrow the queue, how many it leaves, and the address that chooses or drops it."""

    label: str | Promise
    count: int
    is_chosen: bool
    url: str


@dataclass(frozen=True)
class Line:
    """One matter that awaits me, how its clock stands, and whether it is decided with others."""

    matter: Dataset | DatasetChange
    dataset: Dataset
    since: datetime
    remaining: clocks.Remaining | None
    small: Smallness | None


@login_required
def queue(request: HttpRequest) -> HttpResponse:
    """The matters whose review is my turn, of one kind at a time."""
    user: Any = request.user
    at = timezone.now()
    waiting = queries.awaiting(user)
    kind = request.GET.get("kind", "")
    if kind not in KINDS:
        kind = next((name for name, rows in waiting.items() if rows.exists()), "changes")
    rows: QuerySet[Any] = waiting[kind]
    prefix = _prefix(kind)
    departments = list(
        rows.order_by()
        .values_list(f"{prefix}department__code", f"{prefix}department__name")
        .annotate(Count("pk"))
        .order_by(f"{prefix}department__code")
    )
    page = page_of(_narrowed(rows, request.GET, prefix, at), request.GET, size=PAGE_ROWS, key="pk")
    lines = _lines(page.rows, at)
    context = {
        "kind": kind,
        "kinds": [(name, label, waiting[name].count()) for name, label in KINDS.items()],
        "scopes": _scopes(rows, request.GET, kind, at),
        "departments": departments,
        "page": page,
        "lines": lines,
        "small_count": sum(line.small is not None and line.small.is_small for line in lines),
        "is_filtered": any(request.GET.get(name) for name in ("q", "department", "due", "size")),
    }
    return render(request, "catalog/queue.html", context)


@login_required
@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """Show the ticked small changes once more; confirmed, decide each and say what became of it."""
    user: Any = request.user
    keys = [int(key) for key in request.POST.getlist("change") if key.isdecimal()]
    waiting = queries.awaiting(user)["changes"].filter(pk__in=keys[: catalog.BULK_LIMIT])
    ticked = list(waiting.order_by("pk").prefetch_related("dataset__related"))
    if not ticked:
        return redirect("catalog:review-queue")
    if "confirmed" in request.POST:
        outcomes = catalog.decide_small(changes=ticked, actor=user, at=timezone.now())
        context: dict[str, Any] = {
            "outcomes": outcomes,
            "done": sum(outcome.done for outcome in outcomes),
            "refused": sum(not outcome.done for outcome in outcomes),
        }
        return render(request, "catalog/queue_decided.html", context)
    lines = [(change, smallness(change), field_differences(change)) for change in ticked]
    small = [line for line in lines if line[1].is_small]
    return render(request, "catalog/queue_decide.html", {"lines": lines, "small": small})


def _prefix(kind: str) -> str:
    """How a matter's entry is reached in lookups."""
    return "dataset__" if kind == "changes" else ""


def _scopes(rows: QuerySet[Any], query: QueryDict, kind: str, at: datetime) -> list[Scope]:
    prefix = _prefix(kind)
    choices: list[tuple[str, str, str | Promise]] = [("due", *due) for due in DUES.items()]
    if prefix:
        choices.append(("size", "small", _("小改动")))
    found = []
    for name, value, label in choices:
        asked = query.copy()
        for place in ("after", "before"):
            asked.pop(place, None)
        asked["kind"], asked[name] = kind, value
        count = _narrowed(rows, asked, prefix, at).count()
        is_chosen = query.get(name) == value
        if is_chosen:
            del asked[name]
        found.append(Scope(label, count, is_chosen, f"?{asked.urlencode()}"))
    return found


def _narrowed(rows: QuerySet[Any], query: QueryDict, prefix: str, at: datetime) -> QuerySet[Any]:
    if words := query.get("q", "").strip():
        rows = rows.filter(
            Q(**{f"{prefix}name__icontains": words}) | Q(**{f"{prefix}code__icontains": words})
        )
    if department := query.get("department", ""):
        rows = rows.filter(**{f"{prefix}department__code": department})
    if query.get("size") == "small" and prefix:
        rows = only_small(rows)
    return clocks.of_due(rows, query.get("due", ""), at, workdays=1)


def _lines(rows: list[Any], at: datetime) -> list[Line]:
    live = clocks.live_clocks_of(rows)
    calendar = clocks.work_calendar()
    lines = []
    for row in rows:
        kind = ContentType.objects.get_for_model(row).pk
        found = live.get((kind, row.pk), [])
        is_change = isinstance(row, DatasetChange)
        since = row.submitted_at if row.status == "submitted" else None
        lines.append(
            Line(
                row,
                row.dataset if is_change else row,
                since or row.updated_at,
                clocks.remaining(found[0], at, calendar) if found else None,
                smallness(row) if is_change else None,
            )
        )
    return lines
