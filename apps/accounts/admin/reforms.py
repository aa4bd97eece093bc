"""机构改革 step by step: who and what, what would move, confirm."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.accounts import operations
from apps.accounts.admin.acts import ActsAdmin, blame, signed_in
from apps.accounts.forms import SuccessionForm
from apps.accounts.models import Department, Succession
from apps.accounts.pointers import pointers_to_departments
from apps.accounts.reform import MovingRows, choosable
from apps.core import access
from apps.core.errors import DomainError, InvalidInput


@admin.register(Succession)
class SuccessionAdmin(ActsAdmin):
    list_display = ("kind", "from_names", "to_names", "effective_on", "basis", "carried_out_by")
    list_filter = ("kind",)
    search_fields = ("basis", "predecessors__name", "successors__name")
    fields = (
        ("kind", "effective_on"),
        "basis",
        ("from_names", "to_names"),
        "counts",
        "note",
        ("carried_out_by", "carried_out_at"),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("predecessors", "successors")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        own = ("kind", "effective_on", "basis", "note", "carried_out_by", "carried_out_at")
        return (*own, "from_names", "to_names", "counts")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Ask for the reform, show what it would move, and carry it out when confirmed."""
        if not access.able(request.user, "succeed", Succession):
            raise PermissionDenied
        form = SuccessionForm(request.POST or None)
        lines: list[MovingRows] = []
        choices: list[dict[str, Any]] = []
        if request.method == "POST" and form.is_valid():
            selections = _selections(request.POST)
            choices = _choices(form, request.POST) if form.is_partial else []
            try:
                lines = _preview(request, form, selections)
                if "confirm" in request.POST:
                    succession = _carry_out(request, form, selections)
                    messages.success(request, _("机构改革已办理"))
                    return HttpResponseRedirect(self._url("change", succession.pk))
            except InvalidInput as error:
                # Nothing chosen yet is where a partial reform begins, not a mistake.
                if error.details.get("field") != "selections" or "confirm" in request.POST:
                    blame(form, error)
            except DomainError as error:
                blame(form, error)
        return self._page(request, form, lines, choices)

    def _page(
        self,
        request: HttpRequest,
        form: SuccessionForm,
        lines: Sequence[MovingRows],
        choices: list[dict[str, Any]],
    ) -> TemplateResponse:
        checked = form.is_bound and not form.errors
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": _("办理机构改革"),
            "form": form,
            "media": form.media,
            "choices": choices,
            "previews": [
                (successor, list(group))
                for successor, group in groupby(
                    sorted(lines, key=lambda line: line.successor.code), lambda line: line.successor
                )
            ],
            "may_confirm": checked and (bool(lines) or not form.is_partial),
            "is_previewed": checked,
            "back_url": self._url("changelist"),
        }
        return TemplateResponse(request, "accounts/succession.html", context)

    @display(description=_("原部门"))
    def from_names(self, row: Succession) -> str:
        return "、".join(department.name for department in row.predecessors.all())

    @display(description=_("承接部门"))
    def to_names(self, row: Succession) -> str:
        return "、".join(department.name for department in row.successors.all())

    @display(description=_("划转内容"))
    def counts(self, row: Succession) -> Any:
        labels = {
            pointer.model._meta.label: pointer.model._meta.verbose_name_plural
            for pointer in pointers_to_departments()
        }
        names = {department.code: department.name for department in row.successors.all()}
        lines = [
            (names.get(code, code), labels.get(model, model), count)
            for code, counts in row.moved.items()
            for model, count in counts.items()
        ]
        return format_html_join("", "<div>{}：{} {} 项</div>", lines) or "—"


def _parties(form: SuccessionForm) -> tuple[list[Department], list[Department]]:
    given = form.cleaned_data
    predecessors = sorted(given["predecessors"], key=lambda department: department.code)
    if form.is_rename:
        return predecessors, [Department(code=given["new_code"], name=given["new_name"])]
    return predecessors, sorted(given["successors"], key=lambda department: department.code)


def _preview(
    request: HttpRequest, form: SuccessionForm, selections: dict[int, dict[str, list[int]]]
) -> list[MovingRows]:
    predecessors, successors = _parties(form)
    return operations.preview_succession(
        kind=form.cleaned_data["kind"],
        predecessors=predecessors,
        successors=successors,
        selections=selections,
        actor=signed_in(request),
    )


def _carry_out(
    request: HttpRequest, form: SuccessionForm, selections: dict[int, dict[str, list[int]]]
) -> Succession:
    given = form.cleaned_data
    shared: dict[str, Any] = {
        "effective_on": given["effective_on"],
        "basis": given["basis"],
        "note": given["note"],
        "actor": signed_in(request),
        "at": timezone.now(),
    }
    predecessors, successors = _parties(form)
    if form.is_rename:
        if len(predecessors) != 1:
            raise InvalidInput(_("应有且只有一个原部门"), field="predecessors")
        return operations.rename_department(
            department=predecessors[0],
            code=given["new_code"],
            name=given["new_name"],
            short_name=given["new_short_name"],
            **shared,
        )
    return operations.succeed(
        kind=given["kind"],
        predecessors=predecessors,
        successors=successors,
        selections=selections,
        **shared,
    )


def _selections(post: QueryDict) -> dict[int, dict[str, list[int]]]:
    """Read the ticked rows: fields named `take:<successor>:<model>`."""
    found: dict[int, dict[str, list[int]]] = {}
    for name in post:
        prefix, _colon, rest = name.partition(":")
        successor, _colon, model = rest.partition(":")
        if prefix == "take" and successor.isdecimal():
            keys = [int(value) for value in post.getlist(name) if value.isdecimal()]
            found.setdefault(int(successor), {})[model] = keys
    return found


def _choices(form: SuccessionForm, post: QueryDict) -> list[dict[str, Any]]:
    """Return, per successor that takes a part, the rows that can be ticked, by kind."""
    predecessors, successors = _parties(form)
    takers = successors[1:] if form.cleaned_data["kind"] == "split" else successors
    if len(predecessors) != 1:
        return []
    return [
        {
            "successor": taker,
            "kinds": [
                kind
                for model in choosable()
                if (kind := _kind(model, predecessors[0], taker, post))["rows"]
            ],
        }
        for taker in takers
    ]


def _kind(
    model: type[Any], predecessor: Department, taker: Department, post: QueryDict
) -> dict[str, Any]:
    name = f"take:{taker.pk}:{model._meta.label}"
    ticked = set(post.getlist(name))
    rows: dict[int, Any] = {}
    for pointer in pointers_to_departments():
        if pointer.model is model:
            rows |= {row.pk: row for row in pointer.rows(predecessor).order_by("pk")}
    return {
        "name": name,
        "label": model._meta.verbose_name_plural,
        "rows": [(key, str(row), str(key) in ticked) for key, row in sorted(rows.items())],
    }
