"""Regions, the tree of departments, sharing offices."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from apps.accounts import operations
from apps.accounts.admin.acts import Act, ActsAdmin, past, signed_in
from apps.accounts.forms import SharingOfficeForm
from apps.accounts.models import Department, Region, SharingOffice
from apps.core import access
from apps.core.admin import ScopedAdmin

DESCRIBED = (
    "short_name",
    "uscc",
    "category",
    "parent",
    "region",
    "is_authority",
    "is_bound",
)


class ValidityFilter(admin.SimpleListFilter):
    """In force or ended; in force unless asked otherwise would hide what people search for."""

    title = _("有效性")
    parameter_name = "validity"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("in_force", _("现行")), ("ended", _("已撤销"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "in_force":
            return queryset.in_force(timezone.localdate())
        if self.value() == "ended":
            return queryset.filter(valid_to__lte=timezone.localdate())
        return queryset


@admin.register(Region)
class RegionAdmin(ScopedAdmin):
    view_only = True
    list_display = ("name", "code", "kind", "valid_from", "valid_to")
    list_filter = ("kind", ValidityFilter)
    search_fields = ("name", "code", "key")


@admin.register(Department)
class DepartmentAdmin(ActsAdmin):
    list_display = ("name", "code", "category", "parent", "region", "bound", "valid_to")
    list_filter = (ValidityFilter, "category", "is_authority", "is_bound", "region")
    list_select_related = ("parent", "region")
    search_fields = ("name", "short_name", "code", "uscc")
    search_help_text = _("名称、简称、编码、统一社会信用代码")
    actions_list: ClassVar[list[str]] = ["open_tree", "begin_reform"]
    acts = (
        Act(
            "name_sharing_office",
            _("指定共享工作机构"),
            lambda row, actor, at, given: operations.name_sharing_office(
                department=row, actor=actor, at=at, **given
            ),
            form=SharingOfficeForm,
            fits=lambda row: row.valid_to is None,
        ),
    )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        named = ("code", "name", *DESCRIBED, "valid_from")
        if obj is None:
            return named
        return (*named, "valid_to", "office", "below", "reforms", "changes")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = super().get_readonly_fields(request, obj)
        if obj is None:
            return shown
        fixed = ("code", "name", "valid_from", "valid_to", "office", "below", "reforms", "changes")
        return (*shown, *fixed)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        given = {name: form.cleaned_data[name] for name in DESCRIBED}
        if change:
            operations.change_department(
                department=obj, actor=signed_in(request), at=timezone.now(), **given
            )
            return
        made = operations.register_department(
            code=form.cleaned_data["code"],
            name=form.cleaned_data["name"],
            valid_from=form.cleaned_data["valid_from"],
            actor=signed_in(request),
            at=timezone.now(),
            **given,
        )
        obj.pk, obj.group_id = made.pk, made.group_id

    def get_urls(self) -> list[URLPattern]:
        tree = path(
            "tree/", self.admin_site.admin_view(self.tree_view), name=f"{self._stem()}_tree"
        )
        return [tree, *super().get_urls()]

    def tree_view(self, request: HttpRequest) -> HttpResponse:
        """Show the departments in force as a tree, region by region."""
        rows = (
            access.rows(request.user, "view", Department.objects.in_force(timezone.localdate()))
            .select_related("region")
            .order_by("region__kind", "region__code", "code")
        )
        shown = {row.pk for row in rows}
        children: dict[int | None, list[Department]] = {}
        for row in rows:
            parent = row.parent_id if row.parent_id in shown else None
            children.setdefault(parent, []).append(row)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": _("部门层级"),
            "branches": _branches(children, None, 0),
            "total": len(shown),
        }
        return TemplateResponse(request, "accounts/department_tree.html", context)

    @action(description=_("部门层级"), url_path="open-tree")
    def open_tree(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(self._url("tree"))

    @action(description=_("办理机构改革"), url_path="begin-reform", permissions=["begin_reform"])
    def begin_reform(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:accounts_succession_add"))

    def has_begin_reform_permission(self, request: HttpRequest, *_arguments: Any) -> bool:
        from apps.accounts.models import Succession

        return access.able(request.user, "succeed", Succession)

    @display(description=_("条例时限"), label={"适用": "success", "参照": "info"})
    def bound(self, row: Department) -> str:
        return "适用" if row.is_bound else "参照"

    @display(description=_("共享工作机构"))
    def office(self, row: Department) -> str:
        office = SharingOffice.objects.select_related("head").filter(department=row).first()
        if office is None:
            return str(_("尚未指定"))
        return f"{office.name}　{office.head or ''}　{office.phone}"

    @display(description=_("下级部门"))
    def below(self, row: Department) -> Any:
        links = [
            (self._url("change", child.pk), child.name)
            for child in row.children.filter(valid_to=None).order_by("code")
        ]
        return format_html_join("、", '<a href="{}">{}</a>', links) or "—"

    @display(description=_("机构改革"))
    def reforms(self, row: Department) -> Any:
        found = [*row.successions_in.all(), *row.successions_out.all()]
        links = [
            (reverse("admin:accounts_succession_change", args=[each.pk]), each, each.basis)
            for each in found
        ]
        return format_html_join("", '<div><a href="{}">{}</a>　{}</div>', links) or "—"

    @display(description=_("变更记录"))
    def changes(self, row: Department) -> Any:
        return past(row)


@admin.register(SharingOffice)
class SharingOfficeAdmin(ScopedAdmin):
    """To look at; an office is named on its department's page."""

    view_only = True
    list_display = ("department_link", "name", "head", "phone")
    list_select_related = ("department", "head")
    search_fields = ("name", "department__name", "head__name")

    @display(description=_("部门"), ordering="department__code")
    def department_link(self, row: SharingOffice) -> Any:
        url = reverse("admin:accounts_department_change", args=[row.department_id])
        return format_html('<a href="{}">{}</a>', url, row.department)


def _branches(
    children: dict[int | None, list[Department]], parent: int | None, depth: int
) -> list[dict[str, Any]]:
    return [
        {
            "department": row,
            "depth": depth,
            "children": _branches(children, row.pk, depth + 1),
        }
        for row in children.get(parent, [])
    ]
