"""How data comes in (接入): every source and unfinished upload, with its state in words."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Dataset
from apps.core import access
from apps.core.chips import Chip
from apps.core.paging import page_of
from apps.warehouse import queries
from apps.warehouse.models import FrontNode, PullSource, Upload

PAGE_ROWS = 50
UPLOAD_ROWS = 20
TROUBLE = "trouble"


@login_required
def ways_in(request: HttpRequest) -> HttpResponse:
    """The sources and unfinished uploads that I may see; those in trouble can be singled out."""
    user: Any = request.user
    query = request.GET
    sources = _narrowed(access.rows(user, "view", PullSource), query)
    chosen = query.get("status", "")
    chips = _chips(sources, chosen)
    if chosen == TROUBLE:
        sources = sources.filter(status="active", failures__gt=0)
    elif chosen in PullSource.Status.values:
        sources = sources.filter(status=chosen)
    page = page_of(
        sources.select_related("dataset__department", "system"),
        query,
        size=PAGE_ROWS,
        total=next(chip.count for chip in chips if chip.is_on),
    )
    uploads = access.rows(user, "view", Upload).filter(status="open")
    uploads = uploads.filter(_of_dataset(query.get("dataset", "")))
    context = {
        "page": page,
        "lines": queries.source_lines(page.rows, timezone.now()),
        "chips": chips,
        "uploads": uploads.select_related("dataset", "source")[:UPLOAD_ROWS],
        "uploads_count": uploads.count(),
        "nodes": queries.node_lines(access.rows(user, "view", FrontNode), timezone.now()),
        "dataset": _dataset_to_connect(user, query.get("dataset", "")),
        "is_filtered": any(query.get(name) for name in ("q", "status", "dataset")),
    }
    return render(request, "warehouse/ways_in.html", context)


def _dataset_to_connect(user: Any, code: str) -> Dataset | None:
    """The dataset that the list is about, where the person may register a source for it."""
    if not code:
        return None
    may = access.rows(user, "register_source", Dataset)
    return may.filter(code=code.replace("-", "/")).first()


def _of_dataset(code: str) -> Q:
    return Q(dataset__code=code.replace("-", "/")) if code else Q()


def _narrowed(sources: QuerySet[PullSource], query: Any) -> QuerySet[PullSource]:
    sources = sources.filter(_of_dataset(query.get("dataset", "")))
    if words := query.get("q", "").strip():
        return sources.filter(
            Q(name__icontains=words)
            | Q(dataset__name__icontains=words)
            | Q(dataset__code__icontains=words)
            | Q(dataset__department__name__icontains=words)
        )
    return sources


def _chips(sources: QuerySet[Any], chosen: str) -> list[Chip]:
    counts = dict(sources.order_by().values_list("status").annotate(Count("pk")))
    trouble = sources.filter(status="active", failures__gt=0).count()
    known = chosen == TROUBLE or chosen in PullSource.Status.values
    return [
        Chip("", _("全部"), sum(counts.values()), not known),
        Chip(TROUBLE, _("有故障"), trouble, chosen == TROUBLE),
        *(
            Chip(value, label, counts.get(value, 0), chosen == value)
            for value, label in PullSource.Status.choices
        ),
    ]
