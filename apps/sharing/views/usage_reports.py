"""The half-yearly reports of use: the list for both sides, and the form of the consumer."""

from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.clocks import queries as clocks
from apps.core import access
from apps.core.chips import Chip
from apps.sharing import operations as sharing
from apps.sharing.forms.continuing import UsageReportForm
from apps.sharing.models import UsageReport
from apps.sharing.queries.figures import figures_in_period
from apps.sharing.views.detail import clock_lines
from apps.sharing.views.lists import GRANT_SIDES
from apps.sharing.views.moves import done

MOST_ROWS: Final = 100
STATES: Final = {
    "": gettext_lazy("全部"),
    "open": gettext_lazy("待登记"),
    "late": gettext_lazy("逾期未登记"),
    "filed": gettext_lazy("已登记"),
}


@login_required
def reports(request: HttpRequest) -> HttpResponse:
    """List the reports that I may see, filtered as the address says."""
    user: Any = request.user
    query = request.GET
    at = timezone.now()
    visible = access.rows(user, "view", UsageReport, at=at)
    side = {"asked": "grant__consumer", "received": "grant__provider"}.get(query.get("side", ""))
    if side:
        visible = visible.filter(**{side: user.department_id})
    if words := query.get("q", "").strip():
        visible = visible.filter(
            Q(grant__dataset__name__icontains=words)
            | Q(grant__system__name__icontains=words)
            | Q(grant__consumer__name__icontains=words)
        )
    state = query.get("state", "")
    rows = _of_state(visible, state)
    related = ("grant__dataset", "grant__consumer", "grant__provider", "grant__system")
    shown = rows.select_related(*related, "filed_by")[:MOST_ROWS]
    context = {
        "lines": clocks.with_clocks(shown, at),
        "total": rows.count(),
        "most": MOST_ROWS,
        "state_chips": [
            Chip(name, label, _of_state(visible, name).count(), name == state)
            for name, label in STATES.items()
        ],
        "side_chips": [
            Chip(name, label, None, name == query.get("side", ""))
            for name, label in GRANT_SIDES.items()
        ],
        "is_filtered": any(query.get(name) for name in ("q", "state", "side")),
    }
    return render(request, "sharing/usage_reports.html", context)


@login_required
def report(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one report; whoever owes it files it here."""
    user: Any = request.user
    related = ("grant__dataset", "grant__system", "grant__consumer", "grant__provider", "filed_by")
    subject = get_object_or_404(
        access.rows(user, "view", UsageReport).select_related(*related), pk=pk
    )
    can_file = subject.filed_at is None and access.allowed(user, "file", subject)
    form = UsageReportForm(request.POST or None, initial={"scenario": subject.grant.purpose})
    if request.method == "POST" and form.is_valid():
        written = form.cleaned_data
        if done(
            request,
            form,
            lambda at: sharing.file_usage_report(report=subject, actor=user, at=at, **written),
        ):
            messages.success(request, _("已登记"))
            return redirect("sharing:usage-report", pk=pk)
    context = {
        "subject": subject,
        "form": form,
        "can_file": can_file,
        "figures": subject.figures if subject.filed_at else figures_in_period(subject),
        "clocks": clock_lines(subject, timezone.now()),
    }
    return render(request, "sharing/usage_report.html", context)


def _of_state(rows: QuerySet[UsageReport], state: str) -> QuerySet[UsageReport]:
    if state == "filed":
        return rows.exclude(filed_at=None)
    if state in ("open", "late"):
        rows = rows.filter(filed_at=None)
    return rows.filter(due_on__lt=timezone.localdate()) if state == "late" else rows
