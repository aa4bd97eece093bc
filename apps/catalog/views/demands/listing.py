"""The lists of demands: filters in the address, clocks, keyset pages, export; a printable sheet."""

from datetime import datetime
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department
from apps.catalog import queries
from apps.catalog.models import DEMAND_OVER, Demand, DemandStatus
from apps.catalog.views.demands.export import exported
from apps.clocks import queries as clocks
from apps.core import access
from apps.core.chips import Chip, carried
from apps.core.paging import page_of

PAGE_ROWS: Final = 50
SOON_WORKDAYS: Final = 3
SIDES: Final[dict[str, str | Promise]] = {
    "asked": _("本部门提出"),
    "received": _("转本部门答复"),
}
DUES: Final[dict[str, str | Promise]] = {
    "overdue": _("已超时限"),
    "soon": _("3 个工作日内到期"),
}
CHOICES: Final[dict[str, dict[str, str | Promise]]] = {
    "owed": {"me": _("待我办理")},
    "side": SIDES,
    "due": DUES,
}
FILTERS: Final = ("q", "status", "side", "due", "owed", "department", "provider")


@login_required
def demands(request: HttpRequest) -> HttpResponseBase:
    """The demands that I may see, filtered as the address says."""
    user: Any = request.user
    query = request.GET
    at = timezone.now()
    visible = queries.visible_demands(user, at)
    base = narrowed(visible, query, user, at)
    rows = of_status(base, query.get("status", ""))
    if query.get("format") in ("csv", "xlsx"):
        return exported(rows.order_by("-pk"), query["format"], name="demands")
    page = page_of(rows, query, size=PAGE_ROWS)
    context = {
        "page": page,
        "lines": clocks.with_clocks(page.rows, at),
        "status_chips": status_chips(base, query.get("status", "")),
        "owed_chips": choice_chips(visible, query, user, at, "owed"),
        "side_chips": choice_chips(visible, query, user, at, "side"),
        "due_chips": choice_chips(visible, query, user, at, "due"),
        "departments": _departments(visible, "department", query.get("department", "")),
        "providers": _departments(visible, "provider", query.get("provider", "")),
        "hidden_filters": carried(query, "q", "department", "provider"),
        "is_filtered": any(query.get(name) for name in FILTERS),
        "can_create": access.able(user, "create", Demand, at=at),
        "can_match": access.able(user, "seek_supply", Demand, at=at),
        "own_sheet": user.department,
    }
    return render(request, "catalog/demands.html", context)


@login_required
def sheet(request: HttpRequest, code: str) -> HttpResponseBase:
    """A department's demand list as it is filed: printable, and as a workbook."""
    user: Any = request.user
    at = timezone.now()
    department = Department.objects.filter(code=code).first()
    rows = queries.visible_demands(user, at).filter(department__code=code)
    rows = rows.exclude(status=DemandStatus.WITHDRAWN).order_by("pk")
    if department is None or not (department.pk == user.department_id or rows.exists()):
        raise Http404
    if request.GET.get("format") in ("csv", "xlsx"):
        return exported(rows, request.GET["format"], name=f"demands-{code}")
    context = {"department": department, "rows": list(rows), "at": at}
    return render(request, "catalog/demand_sheet.html", context)


def narrowed(rows: QuerySet[Demand], query: QueryDict, user: Any, at: datetime) -> QuerySet[Demand]:
    """Apply every filter but the status, whose chips show the counts of the others."""
    if words := query.get("q", "").strip():
        rows = rows.filter(
            Q(number__icontains=words)
            | Q(title__icontains=words)
            | Q(scenario__icontains=words)
            | Q(department__name__icontains=words)
            | Q(provider__name__icontains=words)
        )
    if query.get("owed") == "me":
        rows = rows.filter(pk__in=queries.demands_awaiting(user, at).values("pk"))
    field = {"asked": "department", "received": "provider"}.get(query.get("side", ""))
    if field:
        rows = rows.filter(**{field: user.department_id})
    for name in ("department", "provider"):
        if query.get(name):
            rows = rows.filter(**{f"{name}__code": query[name]})
    return clocks.of_due(rows, query.get("due", ""), at, workdays=SOON_WORKDAYS)


def of_status(rows: QuerySet[Demand], chosen: str) -> QuerySet[Demand]:
    if chosen == "open":
        return rows.exclude(status__in=DEMAND_OVER)
    return rows.filter(status=chosen) if chosen in DemandStatus.values else rows


def status_chips(rows: QuerySet[Demand], chosen: str) -> list[Chip]:
    counts = dict(rows.order_by().values_list("status").annotate(Count("pk")))
    open_count = sum(n for status, n in counts.items() if status not in DEMAND_OVER)
    return [
        Chip("", _("全部"), sum(counts.values()), not chosen),
        Chip("open", _("办理中"), open_count, chosen == "open"),
        *(
            Chip(value, label, counts.get(value, 0), chosen == value)
            for value, label in DemandStatus.choices
            if counts.get(value) or chosen == value
        ),
    ]


def choice_chips(
    visible: QuerySet[Demand], query: QueryDict, user: Any, at: datetime, name: str
) -> list[Chip]:
    """Return the chips of one filter, each with what it would leave beside the other filters."""
    chosen = query.get(name, "")
    chips = []
    for value, label in CHOICES[name].items():
        asked = query.copy()
        asked[name] = value
        rows = of_status(narrowed(visible, asked, user, at), query.get("status", ""))
        chips.append(Chip(value, label, rows.count(), chosen == value))
    return chips


def _departments(rows: QuerySet[Demand], field: str, chosen: str) -> list[Chip]:
    counted = dict(
        rows.order_by().values_list(f"{field}__code").annotate(Count("pk")).exclude(**{field: None})
    )
    found = Department.objects.filter(code__in={*counted, chosen}).order_by("code")
    return [Chip(row.code, str(row), counted.get(row.code, 0), row.code == chosen) for row in found]
