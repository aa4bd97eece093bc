"""Find entries: words and filters with counts, kept in the address; ranked or sorted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.catalog import queries, search
from apps.catalog.models import CatalogImport, Dataset, Demand, SavedFilter, SearchEntry
from apps.catalog.scoring import LOSSES
from apps.core import access
from apps.core.errors import InvalidInput
from apps.core.paging import Page

PAGE_ROWS: Final = 50
ABSTRACT_SHOWN: Final = 60
LABELS: Final[dict[str, str | Promise]] = {
    "q": _("关键词"),
    "sharing": _("共享属性"),
    "status": _("状态"),
    "has_data": _("数据"),
    "quality": _("目录质量"),
    "theme": _("主题"),
    "opening": _("开放属性"),
    "cycle": _("更新周期"),
    "format_class": _("格式"),
    "department": _("提供部门"),
    "region": _("行政区划"),
    "classification": _("资源分类"),
    "loss": _("失分项"),
}
AS_CHIPS: Final = ("sharing", "status", "has_data", "quality", "theme")
FOLDED: Final = ("opening", "cycle", "format_class")
AS_LISTS: Final = ("department", "classification", "region")


@dataclass(frozen=True)
class Option:
    """One value of a filter as the page shows it; `url` chooses it, or lets go of it."""

    choice: search.Choice
    url: str


@dataclass(frozen=True)
class Facet:
    """One filter as the page shows it: its values with counts."""

    name: str
    label: str | Promise
    options: list[Option]

    @property
    def is_chosen(self) -> bool:
        return any(option.choice.is_chosen for option in self.options)


@dataclass(frozen=True)
class Line:
    """One entry that was found, with what was asked for marked in it.

    can_be_had: the person's department can ask for it.
    """

    dataset: Dataset
    name: SafeString
    abstract: SafeString
    entry: SearchEntry
    can_be_had: bool


@login_required
def datasets(request: HttpRequest) -> HttpResponse:
    """The entries that I may read about, filtered as the address says."""
    user: Any = request.user
    complaint = ""
    try:
        filters = search.Filters.read(request.GET.dict())
    except InvalidInput as error:
        filters, complaint = search.Filters(), str(error)
    found = search.Search(access.rows(user, "view", SearchEntry), filters)
    choices = found.choices
    page = _page(user, found, request.GET)
    context = {
        "page": page,
        "is_near": found.is_near,
        "is_only_near": found.is_only_near,
        "is_cut": not page.next_url and page.shown and found.total > search.RANKED_AT_MOST,
        "filters": filters,
        "complaint": complaint,
        "chips": _facets(AS_CHIPS, choices, request.GET),
        "folded": _facets(FOLDED, choices, request.GET),
        "lists": _facets(AS_LISTS, choices, request.GET),
        "own_url": _own_url(user, filters, request.GET),
        "hidden": _hidden(filters),
        "chosen": _chosen(filters, choices, request.GET),
        "sorts": _sorts(filters, request.GET),
        "is_filtered": bool(filters.chosen()),
        "can_create": access.able(user, "create", Dataset),
        "can_wish": access.able(user, "create", Demand),
        "can_ask": access.able(user, "create", apps.get_model("sharing.SharingRequest")),
        "can_import": access.able(user, "create", CatalogImport),
        "saved": access.rows(user, "view", SavedFilter).select_related("owner", "department"),
        "query": request.GET.urlencode(),
    }
    return render(request, "catalog/datasets.html", context)


def _own_url(user: Any, filters: search.Filters, query: QueryDict) -> str:
    """Where the own department's entries alone are listed; "" where they are."""
    if user.department is None or filters.department == user.department.code:
        return ""
    return _with(query, department=user.department.code)


def _page(user: Any, found: search.Search, query: QueryDict) -> Page[Line]:
    start = query.get("after", "")
    is_number = start.isascii() and start.isdigit() and len(start) < 19
    part = found.page(size=PAGE_ROWS, start=int(start) if is_number else None)
    following = _with(query, after=str(part.following)) if part.following is not None else ""
    return Page(
        lines(user, found, part.keys), found.total, following, _with(query) if is_number else ""
    )


def lines(user: Any, found: search.Search, keys: list[int]) -> list[Line]:
    """Return the entries of a page in its order, read once more under the rule of who sees what."""
    rows = queries.visible_to(user).select_related("department", "search_entry").in_bulk(keys)
    to_be_had = queries.to_be_had_by(user.department_id).filter(pk__in=keys)
    askable = set(to_be_had.values_list("pk", flat=True))
    marks = found.marks
    return [
        Line(
            rows[key],
            search.highlighted(rows[key].name, marks),
            search.highlighted(rows[key].abstract, marks, around=ABSTRACT_SHOWN),
            rows[key].search_entry,
            key in askable,
        )
        for key in keys
        if key in rows
    ]


def _facets(
    names: tuple[str, ...], choices: Mapping[str, list[search.Choice]], query: QueryDict
) -> list[Facet]:
    return [
        Facet(
            name,
            LABELS[name],
            [
                Option(choice, _with(query, **{name: "" if choice.is_chosen else choice.value}))
                for choice in choices[name]
            ],
        )
        for name in names
        if choices[name]
    ]


def _hidden(filters: search.Filters) -> list[tuple[str, str]]:
    """The filters that the form has no field for, so that another search keeps them."""
    shown = {"q", *AS_LISTS}
    kept = {**filters.chosen(), **({"sort": filters.sort} if filters.sort else {})}
    return [(name, value) for name, value in kept.items() if name not in shown]


def _chosen(
    filters: search.Filters, choices: Mapping[str, list[search.Choice]], query: QueryDict
) -> list[tuple[str | Promise, str | Promise, str]]:
    """Label, words and the address without it, of each filter in force."""
    words = {
        name: next((choice.label for choice in found if choice.is_chosen), "")
        for name, found in choices.items()
    }
    if filters.loss:
        words["loss"] = LOSSES[filters.loss].label
    return [
        (LABELS[name], words.get(name) or value, _with(query, **{name: ""}))
        for name, value in filters.chosen().items()
    ]


def _sorts(filters: search.Filters, query: QueryDict) -> list[tuple[str | Promise, str, bool]]:
    return [
        (label, _with(query, sort=name), name == filters.order)
        for name, label in search.SORTS.items()
        if name != "relevance" or filters.q
    ]


def _with(query: QueryDict, **changes: str) -> str:
    changed = query.copy()
    for name in ("after", *changes):
        changed.pop(name, None)
    for name, value in changes.items():
        if value:
            changed[name] = value
    return "?" + changed.urlencode()
