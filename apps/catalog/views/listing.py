"""Find entries: filters with counts, kept in the address; pages by keyset."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.catalog import queries, search
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.errors import InvalidInput
from apps.core.paging import page_of

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
        "page": page_of(
            found.select_related("department", "classification"), request.GET, size=PAGE_ROWS
        ),
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
