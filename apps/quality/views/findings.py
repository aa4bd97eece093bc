"""The rows that break a rule: list, download, and vouching for many at once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalog.covering import cover_rows
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.chips import Chip
from apps.core.downloads import Cell, table_response
from apps.core.errors import DomainError
from apps.core.paging import page_of
from apps.quality import operations as quality
from apps.quality.forms import AcceptFindingsForm
from apps.quality.models import Finding, QualityRule, WorkOrder
from apps.quality.queries import screens

PAGE_ROWS: Final = 50
MARKS: Final = 90
"""How often the watermark of a page of rows is repeated."""
MOST_AT_ONCE: Final = 5_000
MOST_LINES: Final = 100_000
BLOCK: Final = 2_000
"""Rows of a file that are covered at once."""
FILTERS: Final = ("dataset", "rule", "status", "order", "department", "store")
HEADING: Final = (
    gettext_lazy("数据目录"),
    gettext_lazy("目录代码"),
    gettext_lazy("规则"),
    gettext_lazy("状态"),
    gettext_lazy("主键"),
    gettext_lazy("问题数据"),
    gettext_lazy("首次发现"),
    gettext_lazy("发现次数"),
    gettext_lazy("核实说明"),
)


@dataclass(frozen=True)
class FindingRow:
    """One failing row with its key and values under the items' names.

    is_covered: something of it does not stand as it is.
    """

    finding: Finding
    key: list[tuple[str, Any]]
    values: list[tuple[str, Any]]
    can_accept: bool
    is_covered: bool


@login_required
def list_findings(request: HttpRequest) -> HttpResponseBase:
    """The failing rows that I may read, as the address says."""
    return _listed(request, in_clear=False)


@login_required
def reveal(request: HttpRequest) -> HttpResponseBase:
    """The same page with its values in the clear, after writing down who saw which rows.

    Its links lead back to the list, where values are covered again.
    """
    if request.method != "POST":
        return redirect(_with_query(request, "quality:findings"))
    return _listed(request, in_clear=True)


def _listed(request: HttpRequest, *, in_clear: bool) -> HttpResponseBase:
    user: Any = request.user
    at = timezone.now()
    query = request.GET
    visible = access.rows(user, "view", Finding, at=at)
    base = narrowed(visible, query)
    found = of_status(base, query.get("status", ""))
    if query.get("format") in ("csv", "xlsx") and not in_clear:
        return _download(found, query["format"])
    page = page_of(
        found.select_related("rule", "dataset", "work_order", "first_run", "decided_by"),
        query,
        size=PAGE_ROWS,
    )
    if in_clear:
        quality.reveal_findings(findings=page.rows, actor=user, at=at)
    rows = finding_rows(page.rows, user, in_clear=in_clear)
    context = {
        "in_clear": in_clear,
        "reveal_url": _with_query(request, "quality:findings-reveal"),
        "covered_url": _with_query(request, "quality:findings"),
        "is_covered": any(row.is_covered for row in rows),
        "page": page,
        "rows": rows,
        "can_accept": any(row.can_accept for row in rows),
        "status_chips": _status_chips(base, query.get("status", "")),
        "datasets": _datasets(visible),
        "rules": _rules(visible, query),
        "chosen_dataset": query.get("dataset", "").replace("-", "/"),
        "chosen_rule": query.get("rule", ""),
        "hidden_filters": [(name, query[name]) for name in ("status", "order") if query.get(name)],
        "is_filtered": any(query.get(name) for name in FILTERS),
        "filters": query.urlencode(),
        "marks": range(MARKS),
        "seen_at": at,
        "overseer": user.holds("authority_officer", "authority_leader", "audit_admin"),
    }
    return render(request, "quality/findings.html", context)


@login_required
def accept(request: HttpRequest) -> HttpResponse:
    """Say how many rows are vouched for, ask why, and vouch; order by order."""
    user: Any = request.user
    chosen = _chosen(request)
    kept = chosen.filter(work_order__in=access.rows(user, "accept", WorkOrder))
    if not chosen.exists():
        messages.error(request, _("没有选中可以核实的记录：已改正、已核实的不用再核实"))
        return redirect(_back(request))
    if not kept.exists():
        raise PermissionDenied
    count = kept.count()
    form = AcceptFindingsForm(request.POST if "confirm" in request.POST else None)
    if count > MOST_AT_ONCE:
        words = _("一次最多核实 %(most)s 条，请缩小范围") % {"most": f"{MOST_AT_ONCE:,}"}
        messages.error(request, words)
        return redirect(_back(request))
    if form.is_bound and form.is_valid() and _accepted(request, form, kept):
        return redirect(_back(request))
    context = {
        "form": form,
        "count": count,
        "left_out": chosen.count() - count,
        "by_rule": _by_rule(kept),
        "keys": request.POST.getlist("finding"),
        "filters": request.POST.get("filters", ""),
        "everything": request.POST.get("everything", ""),
        "back_url": _back(request),
    }
    return render(request, "quality/findings_accept.html", context)


def narrowed(rows: QuerySet[Finding], query: QueryDict) -> QuerySet[Finding]:
    """Apply every filter but the status, whose chips show the counts of the others."""
    rows = screens.narrowed(rows, query)
    for name, field in (("rule", "rule"), ("order", "work_order")):
        text = query.get(name, "")
        if text.isascii() and text.isdigit() and len(text) < 19:
            rows = rows.filter(**{field: int(text)})
    return rows


def of_status(rows: QuerySet[Finding], chosen: str) -> QuerySet[Finding]:
    return rows.filter(status=chosen) if chosen in Finding.Status.values else rows


def finding_rows(
    found: Iterable[Finding], user: Any, *, in_clear: bool = False
) -> list[FindingRow]:
    """Return the rows of a page, in a constant number of statements; covered unless told."""
    known = list(found)
    as_they_are = [(one.key, one.values) for one in known]
    shown = as_they_are if in_clear else covered_findings(known)
    labels = screens.labels_by_dataset({one.dataset_id for one in known})
    orders = {one.work_order_id for one in known if one.work_order_id}
    mine = set(
        access.rows(user, "accept", WorkOrder)
        .filter(pk__in=orders, status__in=("open", "in_mending"))
        .values_list("pk", flat=True)
    )
    return [
        FindingRow(
            one,
            _named(key, labels.get(one.dataset_id, {})),
            _named(values, labels.get(one.dataset_id, {})),
            one.status == Finding.Status.OPEN and one.work_order_id in mine,
            (key, values) != (one.key, one.values),
        )
        for one, (key, values) in zip(known, shown, strict=True)
    ]


def covered_findings(
    known: Sequence[Finding],
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return key and values of each row as a screen shows them, in two statements."""
    keys = cover_rows((one.dataset_id, one.key) for one in known)
    values = cover_rows((one.dataset_id, one.values) for one in known)
    return list(zip(keys, values, strict=True))


def _named(values: dict[str, Any], labels: dict[str, str]) -> list[tuple[str, Any]]:
    return [(labels.get(name, name), value) for name, value in values.items()]


def _chosen(request: HttpRequest) -> QuerySet[Finding]:
    """The open rows that were ticked, or every one of the filters."""
    visible = access.rows(request.user, "view", Finding).filter(status=Finding.Status.OPEN)
    if request.POST.get("everything"):
        return narrowed(visible, QueryDict(request.POST.get("filters", "")))
    keys = [key for key in request.POST.getlist("finding") if key.isascii() and key.isdigit()]
    return visible.filter(pk__in=[int(key) for key in keys if len(key) < 19])


def _accepted(request: HttpRequest, form: AcceptFindingsForm, kept: QuerySet[Finding]) -> bool:
    user: Any = request.user
    by_order: dict[int, list[int]] = defaultdict(list)
    for order_key, key in kept.values_list("work_order_id", "pk"):
        by_order[order_key].append(key)
    done = 0
    for order in WorkOrder.objects.filter(pk__in=by_order).order_by("pk"):
        try:
            done += quality.accept_findings(
                order=order,
                findings=by_order[order.pk],
                reason=form.cleaned_data["reason"],
                actor=user,
                at=timezone.now(),
            )
        except DomainError as error:
            form.add_error(None, f"{order}：{error}")
    if done:
        words = _("已核实 %(count)s 条记录无误")
        messages.success(request, words % {"count": f"{done:,}"})
    return not form.errors


def _with_query(request: HttpRequest, name: str) -> str:
    query = request.GET.urlencode()
    return f"{reverse(name)}{'?' + query if query else ''}"


def _by_rule(kept: QuerySet[Finding]) -> list[tuple[str, str, int]]:
    rows = kept.order_by().values_list("dataset__name", "rule__name").annotate(Count("pk"))
    return sorted(rows, key=lambda row: -row[2])


def _back(request: HttpRequest) -> str:
    filters = request.POST.get("filters", "")
    return f"{reverse('quality:findings')}{'?' + filters if filters else ''}"


def _status_chips(rows: QuerySet[Finding], chosen: str) -> list[Chip]:
    counts = dict(rows.order_by().values_list("status").annotate(Count("pk")))
    return [
        Chip("", _("全部"), sum(counts.values()), chosen not in Finding.Status.values),
        *(
            Chip(value, label, counts.get(value, 0), chosen == value)
            for value, label in Finding.Status.choices
            if counts.get(value) or chosen == value
        ),
    ]


def _datasets(visible: QuerySet[Finding]) -> list[Dataset]:
    """The datasets to choose from: looked up one by one, however many rows fail."""
    behind = visible.filter(dataset=OuterRef("pk"))
    return list(Dataset.objects.filter(Exists(behind)).order_by("name"))


def _rules(visible: QuerySet[Finding], query: QueryDict) -> list[QualityRule]:
    """The rules of the chosen dataset to choose from; of a chosen rule, that one."""
    if not (query.get("dataset") or query.get("rule")):
        return []
    behind = screens.narrowed(visible, query) if query.get("dataset") else narrowed(visible, query)
    return list(
        QualityRule.objects.filter(Exists(behind.filter(rule=OuterRef("pk")))).order_by("name")
    )


def _download(found: QuerySet[Finding], form: str) -> HttpResponse:
    """Exactly what the list shows, every page of it."""
    rows = found.select_related("rule", "dataset", "first_run").order_by("-pk")
    return table_response(_("质量问题"), HEADING, _lines(rows[:MOST_LINES]), form=form)


def _lines(rows: QuerySet[Finding]) -> Iterator[list[Cell]]:
    """As the list shows them, covered; who mends takes the plain rows of an order."""
    labels: dict[int, dict[str, str]] = {}
    for one, (key, values) in _covered_blocks(rows):
        if one.dataset_id not in labels:
            labels |= screens.labels_by_dataset({one.dataset_id}) or {one.dataset_id: {}}
        named = labels.get(one.dataset_id, {})
        yield [
            one.dataset.name,
            one.dataset.code,
            one.rule.name,
            one.get_status_display(),
            _told(key, named),
            _told(values, named),
            one.first_run.started_at,
            one.times_found,
            one.reason,
        ]


def _covered_blocks(
    rows: QuerySet[Finding],
) -> Iterator[tuple[Finding, tuple[dict[str, Any], dict[str, Any]]]]:
    found = rows.iterator(chunk_size=BLOCK)
    while block := list(islice(found, BLOCK)):
        yield from zip(block, covered_findings(block), strict=True)


def _told(values: dict[str, Any], labels: dict[str, str]) -> str:
    return "；".join(
        f"{labels.get(name, name)} {_('（空）') if value is None else value}"
        for name, value in values.items()
    )
