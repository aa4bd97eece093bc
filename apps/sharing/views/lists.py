"""The lists of requests and grants: filters in the address, clocks, keyset pages, export."""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, DateTimeField, Model, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.clocks import queries as clocks
from apps.clocks.models import Clock
from apps.core import access
from apps.core.chips import Chip, carried
from apps.core.csv_lines import Echo, harmless
from apps.core.templatetags.dates import day, minute
from apps.sharing import queries
from apps.sharing.models import Grant, SharingRequest

PAGE_ROWS = 50
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
SOON_WORKDAYS = 3
REQUEST_COLUMNS = {
    "status": _("状态"),
    "clock": _("时限"),
    "consumer": _("使用部门"),
    "provider": _("提供部门"),
    "system": _("使用系统"),
    "mode": _("共享方式"),
    "period": _("使用时限"),
    "applicant": _("经办人"),
    "submitted": _("提交时间"),
}
USUAL_COLUMNS = ("status", "clock", "consumer", "provider", "system", "submitted")


@dataclass(frozen=True)
class Page:
    """One page of a list by keyset; `total` counts everything that matches."""

    rows: list[Any]
    total: int
    next_url: str
    previous_url: str

    @property
    def shown(self) -> int:
        return len(self.rows)


@login_required
def requests(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """The requests that I may see, filtered as the address says."""
    user: Any = request.user
    query = request.GET
    at = timezone.now()
    base = _narrowed(queries.visible_requests(user, at), query, user, at)
    rows = _of_status(base, query.get("status", ""))
    if query.get("format") == "csv":
        return _as_csv(rows.order_by("-pk"))
    page = page_of(_with_due(rows), query)
    columns = _columns(query)
    context = {
        "page": page,
        "lines": clocks.with_clocks(page.rows, at),
        "columns": columns,
        "column_choices": [(key, label, key in columns) for key, label in REQUEST_COLUMNS.items()],
        "status_chips": _status_chips(base, query.get("status", "")),
        "side_chips": choice_chips(query, "side", SIDES),
        "due_chips": choice_chips(query, "due", DUES),
        "urgent_count": base.filter(urgency__isnull=False).count(),
        "urgent_counts": queries.urgent_counts(rows) if query.get("urgent") == "yes" else [],
        "hidden_filters": carried(query, "q"),
        "kept_filters": carried(query, "cols"),
        "owed_count": queries.awaiting_my_decision(user, at).count(),
        "is_filtered": any(query.get(name) for name in FILTERS),
        "can_create": access.able(user, "create", SharingRequest, at=at),
        "can_tick": query.get("owed") == "me" and page.total > 1,
    }
    return render(request, "sharing/requests.html", context)


@login_required
def grants(request: HttpRequest) -> HttpResponse:
    """The grants that I may see: in force, suspended, ended, expired."""
    user: Any = request.user
    query = request.GET
    rows = access.rows(user, "view", Grant).select_related(
        "dataset", "provider", "consumer", "system", "request"
    )
    if words := query.get("q", "").strip():
        rows = rows.filter(
            Q(dataset__name__icontains=words)
            | Q(dataset__code__icontains=words)
            | Q(system__name__icontains=words)
            | Q(consumer__name__icontains=words)
            | Q(request__number__iexact=words)
        )
    rows = of_side(rows, query.get("side", ""), user, consumer="consumer", provider="provider")
    counts = dict(rows.order_by().values_list("status").annotate(Count("pk")))
    chosen = query.get("status", "")
    if chosen in Grant.Status.values:
        rows = rows.filter(status=chosen)
    context = {
        "page": page_of(rows, query),
        "status_chips": [
            Chip("", _("全部"), sum(counts.values()), not chosen),
            *(
                Chip(value, label, counts.get(value, 0), chosen == value)
                for value, label in Grant.Status.choices
            ),
        ],
        "side_chips": choice_chips(query, "side", GRANT_SIDES),
        "hidden_filters": carried(query, "q"),
        "is_filtered": any(query.get(name) for name in ("q", "status", "side")),
        "at": timezone.now(),
    }
    return render(request, "sharing/grants.html", context)


FILTERS = ("q", "status", "side", "due", "owed", "urgent")
SIDES = {"asked": _("本部门提出"), "received": _("本部门收到")}
GRANT_SIDES = {"asked": _("本部门使用"), "received": _("本部门提供")}
DUES = {"overdue": _("已超时限"), "soon": _("3 个工作日内到期")}


def _narrowed(
    rows: QuerySet[SharingRequest], query: QueryDict, user: Any, at: datetime
) -> QuerySet[SharingRequest]:
    """Apply every filter but the status, whose chips show the counts of the others."""
    if words := query.get("q", "").strip():
        rows = rows.filter(
            Q(number__icontains=words)
            | Q(dataset__name__icontains=words)
            | Q(dataset__code__icontains=words)
            | Q(consumer__name__icontains=words)
            | Q(system__name__icontains=words)
        )
    if query.get("owed") == "me":
        rows = rows.filter(pk__in=queries.awaiting_my_decision(user, at).values("pk"))
    if query.get("urgent") == "yes":
        rows = rows.filter(urgency__isnull=False)
    rows = clocks.of_due(rows, query.get("due", ""), at, workdays=SOON_WORKDAYS)
    return of_side(
        rows, query.get("side", ""), user, consumer="consumer", provider="dataset__department"
    )


def of_side(
    rows: QuerySet[Any], side: str, user: Any, *, consumer: str, provider: str
) -> QuerySet[Any]:
    """Return the rows where the person's department is on the side that the address names."""
    field = {"asked": consumer, "received": provider}.get(side)
    return rows.filter(**{field: user.department_id}) if field else rows


def about_grants(
    request: HttpRequest,
    model: type[Model],
    *,
    consumer: str,
    provider: str,
    states: Mapping[str, Any],
    of_state: Callable[[QuerySet[Any], str], QuerySet[Any]],
) -> dict[str, Any]:
    """Return what a list of grants' matters shows: those the person may see, as the address says.

    consumer, provider: where the row has the departments of both sides; states: the choices with
    their words, of which `of_state` picks the rows.
    """
    user: Any = request.user
    query, at = request.GET, timezone.now()
    rows = access.rows(user, "view", model, at=at)
    rows = of_side(rows, query.get("side", ""), user, consumer=consumer, provider=provider)
    if words := query.get("q", "").strip():
        named = ("grant__dataset__name", "grant__system__name", f"{consumer}__name")
        rows = rows.filter(reduce(or_, (Q(**{f"{name}__icontains": words}) for name in named)))
    chosen = query.get("status", "")
    related = ("grant__dataset", "grant__system", consumer, provider)
    page = page_of(of_state(rows, chosen).select_related(*related), query)
    return {
        "page": page,
        "lines": clocks.with_clocks(page.rows, at),
        "status_chips": [
            Chip(name, label, of_state(rows, name).count(), name == chosen)
            for name, label in states.items()
        ],
        "side_chips": choice_chips(query, "side", GRANT_SIDES),
        "hidden_filters": carried(query, "q"),
        "is_filtered": any(query.get(name) for name in ("q", "status", "side")),
    }


def _of_status(rows: QuerySet[SharingRequest], chosen: str) -> QuerySet[SharingRequest]:
    if chosen == "open":
        return rows.exclude(status__in=queries.CLOSED)
    return rows.filter(status=chosen) if chosen in SharingRequest.Status.values else rows


def _with_due(rows: QuerySet[SharingRequest]) -> QuerySet[Any]:
    """Add the soonest due time among the live clocks of each request, `NEVER` without one."""
    live = Clock.objects.filter(
        content_type=ContentType.objects.get_for_model(SharingRequest),
        object_id=OuterRef("pk"),
        state__in=clocks.LIVE,
    ).order_by("due_at")
    return rows.annotate(
        due_at=Coalesce(
            Subquery(live.values("due_at")[:1]), Value(NEVER, output_field=DateTimeField())
        )
    )


def page_of(rows: QuerySet[Any], query: QueryDict) -> Page:
    """Return the page of the address; rows ordered by what is due first carry `due_at`."""
    total = rows.count()
    after = query.get("after", "")
    by_due = query.get("sort") == "due" and "due_at" in rows.query.annotations
    ordered = rows.order_by("due_at", "pk") if by_due else rows.order_by("-pk")
    try:
        ordered = _beyond(ordered, after, by_due=by_due) if after else ordered
    except ValueError:
        after = ""  # somebody wrote the address by hand: begin at the first page
    found = list(ordered[: PAGE_ROWS + 1])
    shown = found[:PAGE_ROWS]
    following = ""
    if len(found) > PAGE_ROWS:
        last = shown[-1]
        mark = f"{last.due_at.isoformat()}_{last.pk}" if by_due else str(last.pk)
        following = _with(query, after=mark)
    return Page(shown, total, following, _with(query, after="") if after else "")


def _beyond(rows: QuerySet[Any], after: str, *, by_due: bool) -> QuerySet[Any]:
    if not by_due:
        return rows.filter(pk__lt=int(after))
    when, _mark, key = after.rpartition("_")
    due = datetime.fromisoformat(when)
    return rows.filter(Q(due_at__gt=due) | Q(due_at=due, pk__gt=int(key)))


def _with(query: QueryDict, **changes: str) -> str:
    changed = query.copy()
    for key, value in changes.items():
        changed.pop(key, None)
        if value:
            changed[key] = value
    return "?" + changed.urlencode()


def _status_chips(rows: QuerySet[SharingRequest], chosen: str) -> list[Chip]:
    counts = dict(rows.order_by().values_list("status").annotate(Count("pk")))
    open_count = sum(n for status, n in counts.items() if status not in queries.CLOSED)
    return [
        Chip("", _("全部"), sum(counts.values()), not chosen),
        Chip("open", _("办理中"), open_count, chosen == "open"),
        *(
            Chip(value, label, counts.get(value, 0), chosen == value)
            for value, label in SharingRequest.Status.choices
            if counts.get(value) or chosen == value
        ),
    ]


def choice_chips(query: QueryDict, name: str, choices: dict[str, Any]) -> list[Chip]:
    """Return a chip for each value that the filter `name` may take, without counts."""
    chosen = query.get(name, "")
    return [Chip(value, label, None, chosen == value) for value, label in choices.items()]


def _columns(query: QueryDict) -> list[str]:
    chosen = [key for key in query.getlist("cols") if key in REQUEST_COLUMNS]
    return chosen or list(USUAL_COLUMNS)


CSV_COLUMNS: tuple[tuple[Any, Callable[[SharingRequest], Any]], ...] = (
    (_("申请编号"), lambda row: row.number),
    (_("数据目录"), lambda row: row.dataset.name),
    (_("目录代码"), lambda row: row.dataset.code),
    (_("状态"), lambda row: row.get_status_display()),
    (_("使用部门"), lambda row: row.consumer.name),
    (_("提供部门"), lambda row: row.dataset.department.name),
    (_("使用系统"), lambda row: row.system.name),
    (_("共享方式"), lambda row: row.get_mode_display()),
    (_("使用开始日期"), lambda row: day(row.starts_on)),
    (_("使用截止日期"), lambda row: day(row.ends_on)),
    (_("经办人"), lambda row: str(row.applicant)),
    (_("提交时间"), lambda row: minute(row.submitted_at)),
    (_("急件"), lambda row: row.urgency.get_kind_display() if hasattr(row, "urgency") else ""),
)


def _as_csv(rows: QuerySet[SharingRequest]) -> StreamingHttpResponse:
    """Stream every row of the list; the mark at the front tells office software: UTF-8."""
    writer = csv.writer(Echo())

    def lines() -> Iterator[str]:
        yield "\ufeff" + writer.writerow([str(label) for label, _value in CSV_COLUMNS])
        for row in rows.iterator(chunk_size=500):
            yield writer.writerow([harmless(value(row)) for _label, value in CSV_COLUMNS])

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="sharing-requests.csv"'
    return response
