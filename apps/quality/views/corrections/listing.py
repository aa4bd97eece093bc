"""The list of corrections: filters in the address, clocks, keyset pages, export."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department
from apps.catalog.models import Dataset
from apps.clocks import queries as clocks
from apps.core import access
from apps.core.chips import Chip, carried
from apps.core.downloads import table_response
from apps.core.paging import page_of
from apps.quality import queries
from apps.quality.models import CORRECTION_OVER, Correction, CorrectionScope, CorrectionStatus

PAGE_ROWS: Final = 50
SOON_WORKDAYS: Final = 3
CHOICES: Final[dict[str, dict[str, str | Promise]]] = {
    "owed": {"me": _("待我办理")},
    "side": {
        "raised": _("本部门提出"),
        "received": _("本部门核实"),
        "own": _("本部门的数据"),
    },
    "due": {"overdue": _("已超时限"), "soon": _("3 个工作日内到期")},
    "scope": dict(CorrectionScope.choices),
}
FILTERS: Final = ("q", "status", "side", "due", "owed", "scope", "department", "dataset")
SIDES: Final = {"raised": "department", "received": "handler", "own": "dataset__department"}
PLAIN: Final = {"scope": "scope", "department": "department__code", "dataset": "dataset__code"}
HEADING: Final = (
    _("校核编号"), _("目录"), _("校核范围"), _("数据项"), _("提出部门"), _("核实部门"), _("状态"),
    _("核实结果"), _("提出时间"), _("认定时间"), _("更正时间"), _("办结时间"),
)  # fmt: skip


@login_required
def corrections(request: HttpRequest) -> HttpResponse:
    """The corrections that I may see, filtered as the address says."""
    user: Any = request.user
    query = request.GET
    at = timezone.now()
    visible = queries.visible_corrections(user, at)
    base = narrowed(visible, query, user, at)
    rows = of_status(base, query.get("status", ""))
    if query.get("format") in ("csv", "xlsx"):
        lines = (_line(row) for row in rows.order_by("-pk").iterator(chunk_size=500))
        return table_response("corrections", HEADING, lines, form=query["format"])
    page = page_of(rows, query, size=PAGE_ROWS)
    context = {
        "page": page,
        "lines": clocks.with_clocks(page.rows, at),
        "status_chips": status_chips(base, query.get("status", "")),
        "choice_chips": [(name, choice_chips(visible, query, user, at, name)) for name in CHOICES],
        "departments": _departments(visible, query.get("department", "")),
        "dataset": Dataset.objects.filter(
            code=query.get("dataset", "").replace("-", "/"), pk__in=visible.values("dataset")
        ).first(),
        "hidden_filters": carried(query, "q", "department"),
        "is_filtered": any(query.get(name) for name in FILTERS),
        "can_raise": access.rows(user, "raise_correction", Dataset, at=at).exists(),
    }
    return render(request, "quality/corrections.html", context)


def narrowed(
    rows: QuerySet[Correction], query: QueryDict, user: Any, at: datetime
) -> QuerySet[Correction]:
    """Apply every filter but the status, whose chips show the counts of the others."""
    if words := query.get("q", "").strip():
        rows = rows.filter(
            Q(number__icontains=words)
            | Q(dataset__name__icontains=words)
            | Q(item_label__icontains=words)
            | Q(department__name__icontains=words)
            | Q(handler__name__icontains=words)
        )
    if query.get("owed") == "me":
        rows = rows.filter(pk__in=queries.corrections_awaiting(user, at).values("pk"))
    if field := SIDES.get(query.get("side", "")):
        rows = rows.filter(**{field: user.department_id})
    for name, field in PLAIN.items():
        if value := str(query.get(name, "")):
            rows = rows.filter(**{field: value.replace("-", "/") if name == "dataset" else value})
    return clocks.of_due(rows, query.get("due", ""), at, workdays=SOON_WORKDAYS)


def of_status(rows: QuerySet[Correction], chosen: str) -> QuerySet[Correction]:
    if chosen == "open":
        return rows.exclude(status__in=CORRECTION_OVER)
    return rows.filter(status=chosen) if chosen in CorrectionStatus.values else rows


def status_chips(rows: QuerySet[Correction], chosen: str) -> list[Chip]:
    counts = dict(rows.order_by().values_list("status").annotate(Count("pk")))
    open_count = sum(n for status, n in counts.items() if status not in CORRECTION_OVER)
    return [
        Chip("", _("全部"), sum(counts.values()), not chosen),
        Chip("open", _("办理中"), open_count, chosen == "open"),
        *(
            Chip(value, label, counts.get(value, 0), chosen == value)
            for value, label in CorrectionStatus.choices
            if counts.get(value) or chosen == value
        ),
    ]


def choice_chips(
    visible: QuerySet[Correction], query: QueryDict, user: Any, at: datetime, name: str
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


def _departments(rows: QuerySet[Correction], chosen: str) -> list[Chip]:
    counted = dict(rows.order_by().values_list("department__code").annotate(Count("pk")))
    found = Department.objects.filter(code__in={*counted, chosen}).order_by("code")
    return [Chip(row.code, str(row), counted.get(row.code, 0), row.code == chosen) for row in found]


def _line(row: Correction) -> Sequence[Any]:
    """A line of the export; values stay out of it, for they are the data itself."""
    return (
        row.number, row.dataset.name, row.get_scope_display(), row.item_label,
        row.department.name, row.handler.name, row.get_status_display(),
        row.get_outcome_display() if row.outcome else "", row.raised_at, row.decided_at,
        row.corrected_at, row.closed_at,
    )  # fmt: skip
