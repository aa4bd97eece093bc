"""Find entries: filters with counts, kept in the address; pages by keyset."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.catalog import queries, search
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.errors import InvalidInput

PAGE_ROWS = 50
LABELS: dict[str, str | Promise] = {
    "sharing": _("共享属性"),
    "cycle": _("更新周期"),
    "opening": _("开放属性"),
    "status": _("状态"),
    "department": _("提供部门"),
    "classification": _("资源分类"),
    "theme": _("主题"),
    "q": _("关键词"),
}
AS_CHIPS = ("sharing", "status", "cycle", "opening")
AS_LISTS = ("department", "classification")


@dataclass(frozen=True)
class Page:
    """One page of a list by keyset; `total` counts everything that matches."""

    rows: list[Dataset]
    total: int
    next_url: str
    previous_url: str

    @property
    def shown(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Facet:
    """One filter as the page shows it: its values with counts."""

    name: str
    label: str | Promise
    choices: list[search.Choice]


@login_required
def datasets(request: HttpRequest) -> HttpResponse:
    """The entries that I may read about, filtered as the address says."""
    user: Any = request.user
    visible = queries.visible_to(user)
    complaint = ""
    try:
        filters = search.Filters.read(request.GET.dict())
    except InvalidInput as error:
        filters, complaint = search.Filters(), str(error)
    found = search.find(visible, filters)
    choices = search.choices(visible, filters)
    context = {
        "page": _page(found.select_related("department", "classification"), request.GET),
        "filters": filters,
        "complaint": complaint,
        "chips": [Facet(name, LABELS[name], choices[name]) for name in AS_CHIPS],
        "lists": [Facet(name, LABELS[name], choices[name]) for name in AS_LISTS],
        "chosen": _chosen(filters, choices),
        "is_filtered": bool(filters.chosen()),
        "can_create": access.able(user, "create", Dataset),
    }
    return render(request, "catalog/datasets.html", context)


def _chosen(
    filters: search.Filters, choices: dict[str, list[search.Choice]]
) -> list[tuple[str, str | Promise, str | Promise]]:
    """Name, label and words of each filter in force, to be cleared one by one."""
    words = {
        name: next((choice.label for choice in found if choice.is_chosen), "")
        for name, found in choices.items()
    }
    return [
        (name, LABELS[name], words.get(name) or value) for name, value in filters.chosen().items()
    ]


def _page(found: QuerySet[Dataset], query: QueryDict) -> Page:
    total = found.count()
    after = query.get("after", "")
    ordered = found.order_by("-pk")
    if after.isascii() and after.isdigit() and len(after) < 19:
        ordered = ordered.filter(pk__lt=int(after))
    else:
        after = ""  # somebody wrote the address by hand: begin at the first page
    rows = list(ordered[: PAGE_ROWS + 1])
    shown = rows[:PAGE_ROWS]
    following = _with(query, after=str(shown[-1].pk)) if len(rows) > PAGE_ROWS else ""
    return Page(shown, total, following, _with(query, after="") if after else "")


def _with(query: QueryDict, **changes: str) -> str:
    changed = query.copy()
    for key, value in changes.items():
        changed.pop(key, None)
        if value:
            changed[key] = value
    return "?" + changed.urlencode()
