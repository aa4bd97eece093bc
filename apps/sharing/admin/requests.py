"""Requests and grants in the administration: to look at, and to move, never to edit.

The sharing-request screens are where people work; here the authority and the auditor search.
"""

from dataclasses import replace
from types import ModuleType
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from apps.core.admin import MoveButton, ScopedAdmin
from apps.core.errors import DomainError
from apps.core.lifecycle import Lifecycle, Move
from apps.sharing import operations, queries
from apps.sharing.lifecycle import GRANT, REQUEST
from apps.sharing.models import (
    LIMIT_FIELDS,
    Credential,
    Export,
    Grant,
    IdleNotice,
    Interface,
    Recertification,
    RequestPackage,
    SharingRequest,
    TermsTemplate,
    UsageReport,
)
from apps.standards import masks

REQUEST_COLOURS = {
    "delivered": "success",
    "agreed": "success",
    "refused": "danger",
    "supplement": "warning",
    "head_returned": "warning",
}
PAGES = {"propose": "sharing:request-propose", "mark_urgent": "sharing:request-urgent"}
GRANT_COLOURS = {
    "in_force": "success",
    "delivering": "info",
    "suspended": "warning",
    "ended": "danger",
}

EXPORT_COLOURS = {"ready": "success", "running": "info", "failed": "danger", "stopped": "warning"}


@admin.register(SharingRequest)
class SharingRequestAdmin(ScopedAdmin):
    view_only = True
    lifecycle: ClassVar[Lifecycle | None] = REQUEST
    operations: ClassVar[ModuleType | None] = operations
    list_display = ("number", "dataset", "consumer", "provider", "state", "received_at")
    list_filter = (
        "status",
        "mode",
        "is_automatic",
        ("urgency__kind", admin.ChoicesFieldListFilter),
        ("received_at", RangeDateTimeFilter),
        "dataset__sharing_attribute",
    )
    list_select_related = ("dataset__department", "consumer")
    search_fields = ("number", "dataset__name", "dataset__code", "consumer__name", "scenario")
    search_help_text = _("申请编号、目录名称或代码、使用部门、使用场景")
    fields = (
        ("number", "status", "screen"),
        ("dataset", "consumer", "system"),
        ("basis", "scenario", "scope"),
        ("mode", "starts_on", "ends_on"),
        LIMIT_FIELDS,
        "items_asked",
        "rows_asked",
        ("applicant", "approved_by", "received_at"),
        ("supplement_notice", "supplement_answer"),
        ("decided_by", "decided_at"),
        ("decision_reason", "legal_basis", "is_automatic"),
        "delivered_at",
        "urgent_order",
    )
    readonly_fields = ("screen", "items_asked", "rows_asked", "urgent_order")

    @display(description=_("提供部门"), ordering="dataset__department__name")
    def provider(self, request: SharingRequest) -> str:
        return str(request.dataset.department)

    @display(description=_("状态"), ordering="status", label=REQUEST_COLOURS)
    def state(self, request: SharingRequest) -> tuple[str, str]:
        return request.status, request.get_status_display()

    def move_buttons(self, request: HttpRequest, obj: SharingRequest) -> list[MoveButton]:
        """Moves that say more than a reason lead to their own pages."""
        return [
            replace(button, url=reverse(PAGES[button.move.name], args=[obj.pk]))
            if button.move.name in PAGES
            else button
            for button in super().move_buttons(request, obj)
        ]

    @display(description=_("急件"))
    def urgent_order(self, request: SharingRequest) -> str:
        urgency = queries.urgency_of(request)
        if urgency is None:
            return "—"
        found = {True: _("确属紧急"), False: _("不属紧急"), None: _("尚未审查")}
        return _("%(kind)s，%(hours)s 小时，%(basis)s（%(found)s）") % {
            "kind": urgency.get_kind_display(),
            "hours": urgency.hours,
            "basis": urgency.basis,
            "found": found[urgency.is_justified],
        }

    @display(description=_("办理页面"))
    def screen(self, request: SharingRequest) -> Any:
        url = reverse("sharing:request", args=[request.pk])
        return format_html('<a href="{}">{}</a>', url, _("打开申请"))

    @display(description=_("申请数据项"))
    def items_asked(self, request: SharingRequest) -> Any:
        rows = request.requested_items.select_related("item")
        return _listed((row.item.name, row.mask) for row in rows)

    @display(description=_("数据范围条件"))
    def rows_asked(self, request: SharingRequest) -> str:
        return _conditions(request)


@admin.register(RequestPackage)
class RequestPackageAdmin(ScopedAdmin):
    """The matters; their parts are requests of their own."""

    view_only = True
    list_display = ("number", "title", "consumer", "system", "created_at")
    list_select_related = ("consumer", "system")
    search_fields = ("number", "title", "consumer__name")
    search_help_text = _("编号、事项名称、使用部门")
    fields = (
        ("number", "title", "service_item"),
        ("consumer", "system", "applicant"),
        ("basis", "scenario", "scope"),
        ("mode", "starts_on", "ends_on"),
    )


@admin.register(Grant)
class GrantAdmin(ScopedAdmin):
    view_only = True
    lifecycle: ClassVar[Lifecycle | None] = GRANT
    operations: ClassVar[ModuleType | None] = operations
    list_display = ("name", "dataset", "system", "consumer", "provider", "state", "expires_at")
    list_display_links = ("name",)
    list_filter = ("status", "mode", ("expires_at", RangeDateTimeFilter))
    list_select_related = ("dataset", "system", "consumer", "provider")
    search_fields = ("=id", "dataset__name", "dataset__code", "system__name", "consumer__name")
    search_help_text = _("授权编号、目录名称或代码、系统名称、使用部门")
    fields = (
        ("status", "version", "request"),
        ("dataset", "provider"),
        ("consumer", "system"),
        ("mode", "purpose"),
        LIMIT_FIELDS,
        "items_granted",
        "rows_granted",
        ("starts_at", "expires_at", "provisioned_at", "renewed_at"),
        "problem",
        ("suspended_at", "suspended_by", "suspension_reason", "rectify_by"),
        ("ended_at", "ended_by", "end_reason"),
    )
    readonly_fields = ("items_granted", "rows_granted")

    @display(description=_("授权"), ordering="id")
    def name(self, grant: Grant) -> str:
        return str(grant)

    @display(description=_("状态"), ordering="status", label=GRANT_COLOURS)
    def state(self, grant: Grant) -> tuple[str, str]:
        return grant.status, grant.get_status_display()

    @display(description=_("授权数据项"))
    def items_granted(self, grant: Grant) -> Any:
        labels = queries.labels_of(grant)
        return _listed((labels.get(c["name"], c["name"]), c["mask"]) for c in grant.columns)

    @display(description=_("数据范围条件"))
    def rows_granted(self, grant: Grant) -> str:
        return _conditions(grant)

    def consequence(self, row: Grant, move: Move) -> Any:
        words = {
            "suspend": _("将立即停止 %(system)s 对此目录的访问"),
            "end": _("将立即并永久停止 %(system)s 对此目录的访问"),
            "resume": _("将立即恢复 %(system)s 对此目录的访问"),
        }
        if move.name not in words:
            return super().consequence(row, move)
        return words[move.name] % {"system": row.system}


@admin.register(Credential)
class CredentialAdmin(ScopedAdmin):
    view_only = True
    list_display = ("__str__", "system", "environment", "status", "holder", "expires_at")
    list_filter = ("environment", "status", ("expires_at", RangeDateTimeFilter))
    list_select_related = ("system", "holder")
    search_fields = ("system__name", "system__code", "holder__name", "client_id")
    fields = (
        ("system", "environment", "status"),
        ("client_id", "note"),
        ("holder", "security_contact", "issued_by"),
        ("collected_at", "expires_at", "replaces"),
        ("tried_at", "untested_reason"),
        ("ended_at", "ended_by", "end_reason"),
    )


@admin.register(Recertification)
class RecertificationAdmin(ScopedAdmin):
    view_only = True
    list_display = ("name", "dataset", "state", "outcome", "due_on", "decided_by")
    list_display_links = ("name",)
    list_filter = ("status", "outcome")
    list_select_related = ("grant__dataset", "decided_by")
    search_fields = ("=grant__id", "grant__dataset__name", "grant__consumer__name")
    fields = (
        ("grant", "grant_version", "status"),
        ("since", "due_on"),
        ("need", "need_stated_by", "need_stated_at"),
        ("outcome", "decision_reason", "decided_by", "decided_at"),
        "figures",
        ("reminded_at", "escalated_at"),
    )

    @display(description=_("复核"), ordering="id")
    def name(self, row: Recertification) -> str:
        return str(row)

    @display(description=_("数据目录"), ordering="grant__dataset__name")
    def dataset(self, row: Recertification) -> str:
        return str(row.grant.dataset)

    @display(description=_("状态"), ordering="status")
    def state(self, row: Recertification) -> str:
        return row.get_status_display()


@admin.register(IdleNotice)
class IdleNoticeAdmin(ScopedAdmin):
    view_only = True
    list_display = ("name", "dataset", "state", "idle_since", "closed_at")
    list_display_links = ("name",)
    list_filter = ("status",)
    list_select_related = ("grant__dataset",)
    search_fields = ("=grant__id", "grant__dataset__name", "grant__consumer__name")
    fields = (
        ("grant", "status", "idle_since"),
        ("need", "need_stated_by", "need_stated_at"),
        "closed_at",
    )

    @display(description=_("提醒"), ordering="id")
    def name(self, notice: IdleNotice) -> str:
        return str(notice)

    @display(description=_("数据目录"), ordering="grant__dataset__name")
    def dataset(self, notice: IdleNotice) -> str:
        return str(notice.grant.dataset)

    @display(description=_("状态"), ordering="status")
    def state(self, notice: IdleNotice) -> str:
        return notice.get_status_display()


@admin.register(UsageReport)
class UsageReportAdmin(ScopedAdmin):
    view_only = True
    list_display = ("grant", "dataset", "first_day", "due_on", "filed_by", "filed_at")
    list_filter = ("first_day",)
    list_select_related = ("grant__dataset", "filed_by")
    search_fields = ("=grant__id", "grant__dataset__name", "grant__consumer__name")
    fields = (
        ("grant", "first_day", "last_day", "due_on"),
        ("scenario", "effect"),
        ("storage", "disposal"),
        ("filed_by", "filed_at", "figures"),
    )

    @display(description=_("数据目录"), ordering="grant__dataset__name")
    def dataset(self, report: UsageReport) -> str:
        return str(report.grant.dataset)


@admin.register(TermsTemplate)
class TermsTemplateAdmin(ScopedAdmin):
    view_only = True
    list_display = ("name", "dataset", "is_recommended", "status", "updated_at")
    list_filter = ("status", "is_recommended")
    list_select_related = ("dataset",)
    search_fields = ("name", "dataset__name", "dataset__code")
    search_help_text = _("模板名称、目录名称或代码")
    fields = (
        ("name", "status", "is_recommended"),
        ("dataset", "note"),
        "items_kept",
        ("is_verify_only", "validity_months"),
        LIMIT_FIELDS,
    )
    readonly_fields = ("items_kept",)

    @display(description=_("数据项"))
    def items_kept(self, template: TermsTemplate) -> Any:
        labels = dict(template.dataset.items.values_list("column_name", "name"))
        return _listed((labels.get(e["name"], e["name"]), e["mask"]) for e in template.items)


@admin.register(Export)
class ExportAdmin(ScopedAdmin):
    view_only = True
    list_display = ("number", "grant", "format", "state", "rows", "asked_by", "created_at")
    list_filter = ("status", "format", ("created_at", RangeDateTimeFilter))
    list_select_related = ("grant", "asked_by")
    search_fields = ("=id", "=grant__id", "grant__dataset__name", "grant__dataset__code", "sha256")
    search_help_text = _("导出编号、授权编号、目录名称或代码、散列值")
    fields = (
        ("status", "grant", "grant_version"),
        ("asked_by", "credential", "client_address", "idempotency_key"),
        ("format", "query", "columns"),
        ("rows", "size_bytes", "sha256", "horizon"),
        ("progress_ratio", "counted_rows", "attempts"),
        ("message_code", "message"),
        ("created_at", "started_at", "heartbeat_at", "finished_at", "expires_at"),
    )

    @display(description=_("导出"), ordering="id")
    def number(self, export: Export) -> str:
        return str(export)

    @display(description=_("状态"), ordering="status", label=EXPORT_COLOURS)
    def state(self, export: Export) -> tuple[str, str]:
        return export.status, export.get_status_display()


@admin.register(Interface)
class InterfaceAdmin(ScopedAdmin):
    view_only = True
    list_display = ("name", "dataset", "status", "failures", "active_since")
    list_filter = ("status",)
    list_select_related = ("dataset",)
    search_fields = ("name", "dataset__name", "dataset__code")
    search_help_text = _("接口名称、目录名称或代码")
    fields = (
        ("name", "status", "dataset"),
        "reason",
        ("url", "method", "sign", "timeout_seconds"),
        ("parameters", "rows_path", "items", "test_query"),
        ("hours_from", "hours_to"),
        ("tested_at", "active_since", "failures", "rests_until"),
    )


def _listed(items: Any) -> Any:
    """Write items one a line, each with its mask."""
    return format_html_join(
        "",
        "<div>{}{}</div>",
        ((name, f"（{masks.MASKS[mask].label}）" if mask else "") for name, mask in items),
    )


def _conditions(subject: SharingRequest | Grant) -> str:
    """Write the row condition in words; the contract may since have dropped an item."""
    try:
        lines = queries.conditions_in_words(subject.row_condition, subject.dataset)
    except DomainError as error:
        return str(error)
    return "；".join(lines) or str(_("全部记录"))
