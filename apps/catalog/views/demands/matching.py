"""Supply and demand beside each other: the authority's page, and what people say of a match."""

from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from apps.catalog import queries
from apps.catalog.forms.demands import DeclineForm
from apps.catalog.models import Demand, DemandMatch, DemandStatus
from apps.catalog.operations import demands
from apps.catalog.views.demands.detail import demand_or_404
from apps.clocks import queries as clocks
from apps.core import access
from apps.core.chips import Chip
from apps.core.errors import DomainError
from apps.core.paging import page_of

PAGE_ROWS: Final = 30
KINDS: Final = {
    "": gettext_lazy("全部未满足"),
    "with": gettext_lazy("有可能满足的目录"),
    "without": gettext_lazy("没有匹配的目录"),
}
RECEIVED: Final = (
    DemandStatus.SUBMITTED,
    DemandStatus.FORWARDED,
    DemandStatus.AWAITING_SIGNATURE,
    DemandStatus.RETURNED,
)


@login_required
def matching(request: HttpRequest) -> HttpResponse:
    """Open demands beside the entries that may meet them; demands that departments share."""
    user: Any = request.user
    at = timezone.now()
    if not access.able(user, "seek_supply", Demand, at=at):
        raise PermissionDenied
    proposals = DemandMatch.objects.filter(decision="").order_by("-score", "pk")
    base = queries.visible_demands(user, at).filter(status__in=RECEIVED)
    base = base.annotate(has_match=Exists(proposals.filter(demand=OuterRef("pk"))))
    kind = request.GET.get("kind", "")
    rows = base if kind not in ("with", "without") else base.filter(has_match=kind == "with")
    fetched = Prefetch("matches", proposals.select_related("dataset__department"), "open_matches")
    page = page_of(rows.prefetch_related(fetched), request.GET, size=PAGE_ROWS)
    counts = {
        "": base.count(),
        "with": base.filter(has_match=True).count(),
        "without": base.filter(has_match=False).count(),
    }
    context = {
        "page": page,
        "lines": clocks.with_clocks(page.rows, at),
        "chips": [Chip(key, label, counts[key], key == kind) for key, label in KINDS.items()],
        "groups": queries.similar_groups(base.order_by("-pk")[: queries.MOST_COMPARED]),
        "is_filtered": bool(kind),
    }
    return render(request, "catalog/demand_matching.html", context)


@login_required
@require_POST
def look(request: HttpRequest, pk: int) -> HttpResponse:
    """Look anew for entries that may meet the demand."""
    user: Any = request.user
    subject = demand_or_404(request, pk)
    try:
        found = demands.match(demand=subject, actor=user, at=timezone.now())
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("找到 %(count)s 个可能满足的目录") % {"count": len(found)})
    return redirect(f"{subject.get_absolute_url()}#matches")


@login_required
def decline(request: HttpRequest, pk: int) -> HttpResponse:
    """Say why a proposed entry does not meet the demand."""
    user: Any = request.user
    match: DemandMatch = get_object_or_404(
        access.rows(user, "view", DemandMatch).select_related("demand", "dataset__department"),
        pk=pk,
    )
    if not access.allowed(user, "decline", match):
        raise PermissionDenied
    form = DeclineForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            demands.decline(match=match, actor=user, at=timezone.now(), **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("已记下，该目录不再为此需求提出"))
            return redirect(f"{match.demand.get_absolute_url()}#matches")
    context = {"match": match, "subject": match.demand, "form": form}
    return render(request, "catalog/demand_decline.html", context)
