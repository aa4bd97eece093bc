"""Work orders: list with clocks, one order with its evidence, moves, and the rows to mend."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalog.views.detail import clock_lines
from apps.clocks import queries as clocks
from apps.core import access
from apps.core.chips import Chip
from apps.core.downloads import Cell, table_response
from apps.core.errors import DomainError, StaleRevision
from apps.core.lifecycle import Move
from apps.core.paging import page_of
from apps.ledger import queries as ledger
from apps.ledger.models import Todo
from apps.quality import operations as quality
from apps.quality.forms import OrderMoveForm
from apps.quality.lifecycle import WORK_ORDER
from apps.quality.models import Basis, Finding, QualityRule, WorkOrder
from apps.quality.models.findings import LIVE_ORDERS
from apps.quality.queries import findings as queries
from apps.quality.queries import screens
from apps.quality.views.drawing import Chart, line_of
from apps.quality.views.findings import finding_rows
from apps.quality.views.history import history_of
from apps.quality.views.rules import Button
from apps.quality.wording import in_words, labels_of

PAGE_ROWS: Final = 50
ROWS_SHOWN: Final = 20
SOON_WORKDAYS: Final = 3
ORDER_OF_TONES: Final = ("primary", "neutral", "danger")
BY_HAND: Final = ("acknowledge", "accept", "contest", "let_stand")
DUES: Final[dict[str, str | Promise]] = {
    "overdue": gettext_lazy("已超时限"),
    "soon": gettext_lazy("3 个工作日内到期"),
}
FILTERS: Final = ("q", "status", "due", "owed", "dataset", "department")
CONSEQUENCES: Final[dict[str, str | Promise]] = {
    "acknowledge": gettext_lazy("工单由本部门整改；重新提交的数据通过检查后，工单自动核销。"),
    "accept": gettext_lazy("工单办结，这些记录不再计为不符合；主管部门可以不予认可。"),
    "contest": gettext_lazy("这些记录重新计为不符合，由提供部门整改，整改时限重新计算。"),
    "let_stand": gettext_lazy("工单办结，这些记录不再计为不符合。"),
}


@login_required
def list_orders(request: HttpRequest) -> HttpResponseBase:
    """The work orders that I may see, filtered as the address says."""
    user: Any = request.user
    at = timezone.now()
    query = request.GET
    visible = queries.visible_orders(user, at)
    base = narrowed(visible, query, user, at)
    found = of_status(base, query.get("status", ""))
    if query.get("format") in ("csv", "xlsx"):
        return _listed(found, query["format"])
    page = page_of(found.select_related("dataset__department"), query, size=PAGE_ROWS)
    departments = list(screens.departments_seen(user, at))
    context = {
        "page": page,
        "lines": clocks.with_clocks(page.rows, at),
        "status_chips": _status_chips(base, query.get("status", "")),
        "due_chips": _due_chips(visible, query, user, at),
        "owed": of_status(
            narrowed(visible, _with(query, owed="me"), user, at), query.get("status", "")
        ).count(),
        "departments": departments if len(departments) > 1 else [],
        "hidden_filters": [
            (name, query[name]) for name in ("status", "due", "owed", "dataset") if query.get(name)
        ],
        "is_filtered": any(query.get(name) for name in FILTERS),
    }
    return render(request, "quality/orders.html", context)


@login_required
def order(request: HttpRequest, pk: int) -> HttpResponse:
    """What fails, since when, who mends it, and by what it was closed."""
    user: Any = request.user
    at = timezone.now()
    subject = order_or_404(request, pk)
    todos = list(ledger.open_todos_of(subject))
    mine = access.rows(user, "view", Todo, at=at).filter(pk__in=[todo.pk for todo in todos])
    may_read = access.allowed(user, "view_findings", subject)
    rows = queries.findings_of(subject) if may_read else Finding.objects.none()
    failing = rows.filter(status__in=("open", "disputed"))
    points = screens.results_over_time(subject)
    labels = labels_of(subject.dataset)
    shown = finding_rows(failing.select_related("first_run")[:ROWS_SHOWN], user)
    context = {
        "subject": subject,
        "words": in_words(subject.rule, labels),
        "buttons": buttons(user, subject),
        "clocks": clock_lines(subject, at),
        "points": list(reversed(points)),
        "chart": _chart(points),
        "may_read": may_read,
        "rows": shown,
        "is_covered": any(row.is_covered for row in shown),
        "reveal_url": _reveal_url(subject),
        "failing_count": failing.count(),
        "status_counts": _counts(rows),
        # A count tells nothing of the data, and the authority judges by it.
        "accepted_count": queries.findings_of(subject).filter(status="accepted").count(),
        "is_landed": subject.basis == Basis.LANDED,
        "delivered_batch": queries.delivered_batch_of(subject),
        "reason": _reason_of(subject.rule),
        "owed": todos,
        "my_todos": set(mine.values_list("pk", flat=True)),
        "trail": ledger.trail(subject),
        "history": history_of(subject.history),
        "marks": range(40),
        "seen_at": at,
    }
    return render(request, "quality/order.html", context)


@login_required
def rows_to_mend(request: HttpRequest, pk: int) -> HttpResponse:
    """The failing rows as a file: key, offending values, and room to say what is right."""
    user: Any = request.user
    subject = order_or_404(request, pk)
    if not access.allowed(user, "view_findings", subject):
        raise PermissionDenied
    labels = labels_of(subject.dataset)
    rows = queries.findings_of(subject).filter(status__in=("open", "disputed")).order_by("pk")
    first = rows.first()
    keys = list(first.key) if first else []
    columns = [name for name in subject.rule.columns if name not in keys]
    heading = [*(labels.get(name, name) for name in (*keys, *columns)), _("问题")]
    words = in_words(subject.rule, labels) or subject.rule.name
    quality.download_rows(order=subject, rows=rows.count(), actor=user, at=timezone.now())

    def lines() -> Iterator[list[Cell]]:
        for one in rows.iterator(chunk_size=2_000):
            found = {**one.values, **one.key}
            yield [*(found.get(name) for name in (*keys, *columns)), words]

    form = "xlsx" if request.GET.get("format") == "xlsx" else "csv"
    return table_response(f"{subject}", heading, lines(), form=form)


@login_required
def move(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Confirm a move of an order, and on POST make it."""
    user: Any = request.user
    subject = order_or_404(request, pk)
    found = next((one for one in WORK_ORDER.moves if one.name == name), None)
    if found is None or name not in BY_HAND:
        raise Http404
    if not access.allowed(user, name, subject):
        raise PermissionDenied
    form = OrderMoveForm(request.POST or None, move=found, initial={"revision": subject.revision})
    if request.method == "POST" and form.is_valid() and _done(request, form, found, subject):
        messages.success(request, _("已办理：%(move)s") % {"move": found.label})
        return redirect(subject.get_absolute_url())
    context = {
        "subject": subject,
        "move": found,
        "form": form,
        "consequence": CONSEQUENCES[name],
        "why_not": ""
        if subject.status in found.sources
        else _("当前状态为“%(status)s”，不能办理") % {"status": subject.get_status_display()},
        "back_url": subject.get_absolute_url(),
        "keep": f"work-order-{pk}",
    }
    return render(request, "quality/order_move.html", context)


def order_or_404(request: HttpRequest, pk: int) -> WorkOrder:
    """Return the order when the person may see it; nobody learns of others that they exist."""
    user: Any = request.user
    found = (
        queries.visible_orders(user, timezone.now())
        .select_related(
            "rule",
            "dataset__department",
            "department",
            "last_run__batch",
            "opened_by_run__batch",
            "closed_by_run",
            "closed_by_batch",
            "acknowledged_by",
            "contested_by",
        )
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise Http404
    return found


def buttons(user: Any, subject: WorkOrder) -> list[Button]:
    """Return what this person may do with the order now, the main thing first."""
    found = [
        Button(one.label, reverse("quality:work-order-move", args=[subject.pk, one.name]), one.tone)
        for one in WORK_ORDER.moves_from(subject.status)
        if one.name in BY_HAND and access.allowed(user, one.name, subject)
    ]
    return sorted(found, key=lambda button: ORDER_OF_TONES.index(button.tone))


def narrowed(
    rows: QuerySet[WorkOrder], query: QueryDict, user: Any, at: datetime
) -> QuerySet[WorkOrder]:
    """Apply every filter but the status, whose chips show the counts of the others."""
    if words := query.get("q", "").strip():
        rows = rows.filter(
            Q(number__icontains=words)
            | Q(rule__name__icontains=words)
            | Q(dataset__name__icontains=words)
            | Q(dataset__code__icontains=words)
        )
    if code := query.get("department"):
        rows = rows.filter(department__code=code)
    if code := query.get("dataset"):
        rows = rows.filter(dataset__code=code.replace("-", "/"))
    if query.get("owed") == "me":
        rows = rows.filter(pk__in=queries.orders_awaiting(user, at).values("pk"))
    return clocks.of_due(rows, query.get("due", ""), at, workdays=SOON_WORKDAYS)


def of_status(rows: QuerySet[WorkOrder], chosen: str) -> QuerySet[WorkOrder]:
    if chosen == "live":
        return rows.filter(status__in=LIVE_ORDERS)
    return rows.filter(status=chosen) if chosen in WorkOrder.Status.values else rows


def _done(request: HttpRequest, form: OrderMoveForm, move: Move, subject: WorkOrder) -> bool:
    """Make the call; on a refusal write it into the form, keeping everything that was typed."""
    try:
        getattr(quality, move.name)(
            order=subject, actor=request.user, at=timezone.now(), **form.cleaned_data
        )
    except DomainError as error:
        field = error.details.get("field")
        form.add_error(field if field in form.fields else None, str(error))
        subject.refresh_from_db()
        if isinstance(error, StaleRevision):
            form.add_error(None, _("填写的内容都保留在下面；看过最新内容后可以再次提交"))
            fresh: Any = request.POST.copy()
            fresh["revision"] = str(subject.revision)
            form.data = fresh
        return False
    return True


def _reveal_url(subject: WorkOrder) -> str:
    """Where the rows that fail now are shown in the clear."""
    status = "disputed" if subject.status == WorkOrder.Status.CONTESTED else "open"
    query = urlencode({"order": subject.pk, "status": status})
    return f"{reverse('quality:findings-reveal')}?{query}"


def _reason_of(rule: QualityRule) -> str:
    """Return what narrows a batch's rejected records to those that break the rule."""
    if not rule.columns or rule.code in ("dirty", "structure"):
        return ""
    code = f"rule_{rule.pk}" if rule.origin == QualityRule.Origin.ADDED else rule.code
    return f"?{urlencode({'reason': code, 'column': rule.columns[0]})}"


def _chart(points: list[screens.OrderPoint]) -> Chart | None:
    most = max((point.failed for point in points), default=0)
    values: list[Any] = [
        (timezone.localdate(point.at), float(point.failed), f"{point.failed:,}") for point in points
    ]
    return line_of(values, top=float(most or 1), top_words=f"{most:,}")


def _counts(rows: QuerySet[Finding]) -> list[tuple[str, str, int]]:
    counts = dict(rows.order_by().values_list("status").annotate(Count("pk")))
    return [
        (value, str(label), counts[value])
        for value, label in Finding.Status.choices
        if counts.get(value)
    ]


def _status_chips(rows: QuerySet[WorkOrder], chosen: str) -> list[Chip]:
    counts = dict(rows.order_by().values_list("status").annotate(Count("pk")))
    live = sum(counts.get(status, 0) for status in LIVE_ORDERS)
    return [
        Chip("", _("全部"), sum(counts.values()), not chosen),
        Chip("live", _("办理中"), live, chosen == "live"),
        *(
            Chip(value, label, counts.get(value, 0), chosen == value)
            for value, label in WorkOrder.Status.choices
            if counts.get(value) or chosen == value
        ),
    ]


def _due_chips(
    visible: QuerySet[WorkOrder], query: QueryDict, user: Any, at: datetime
) -> list[Chip]:
    chosen = query.get("due", "")
    status = query.get("status", "")
    return [
        Chip(
            value,
            label,
            of_status(narrowed(visible, _with(query, due=value), user, at), status).count(),
            chosen == value,
        )
        for value, label in DUES.items()
    ]


def _with(query: QueryDict, **changes: str) -> QueryDict:
    asked = query.copy()
    for name, value in changes.items():
        asked[name] = value
    return asked


def _listed(found: QuerySet[WorkOrder], form: str) -> HttpResponse:
    heading = [
        _("工单编号"), _("数据目录"), _("目录代码"), _("规则"), _("整改部门"), _("状态"),
        _("现有问题数"), _("评价数"), _("最初问题数"), _("开具时间"), _("签收时间"), _("办结时间"),
    ]  # fmt: skip
    rows = found.order_by("-pk").iterator(chunk_size=500)
    return table_response(_("整改工单"), heading, (_line(one) for one in rows), form=form)


def _line(one: WorkOrder) -> list[Cell]:
    return [
        one.number, one.dataset.name, one.dataset.code, one.rule.name, str(one.department),
        one.get_status_display(), one.failed, one.evaluated, one.failed_at_first,
        one.opened_at, one.acknowledged_at, one.closed_at,
    ]  # fmt: skip
