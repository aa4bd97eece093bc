"""Stores, tables, batches and rejected records in the administration: to look at, never to edit.

Files are handed in on the tables' own pages; here the authority and the auditor search.
"""

from types import ModuleType
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from apps.core.admin import ScopedAdmin
from apps.core.lifecycle import Lifecycle
from apps.core.templatetags.numbers import exact
from apps.warehouse import operations
from apps.warehouse.landing.reasons import reason_label
from apps.warehouse.lifecycle import BATCH
from apps.warehouse.models import Batch, DataTable, Rejection, Store

BATCH_COLOURS = {
    "landed": "success",
    "unchanged": "success",
    "received": "info",
    "checking": "info",
    "refused": "danger",
    "failed": "danger",
}


@admin.register(Store)
class StoreAdmin(ScopedAdmin):
    view_only = True
    list_display = ("name", "kind", "code", "schema", "department", "tables_count")
    list_filter = ("kind",)
    list_select_related = ("department",)
    search_fields = ("name", "code", "schema", "department__name")
    search_help_text = _("名称、代号、存放位置或者部门")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        stores: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = stores.annotate(tables_number=Count("tables"))
        return counted

    @display(description=_("数据表"), ordering="tables_number")
    def tables_count(self, store: Any) -> int:
        return int(store.tables_number)


@admin.register(DataTable)
class DataTableAdmin(ScopedAdmin):
    view_only = True
    list_display = ("dataset", "place", "store", "rows_in_force", "batch_counter", "last_landed_at")
    list_filter = ("store__kind", ("last_landed_at", RangeDateTimeFilter))
    list_select_related = ("dataset", "store")
    search_fields = ("dataset__name", "dataset__code", "schema", "name")
    search_help_text = _("目录名称或代码、存放位置")
    fields = (
        ("dataset", "screen"),
        ("store", "schema", "name"),
        ("version", "is_indexed"),
        "column_names",
        ("rows_in_force", "batch_counter"),
        ("created_at", "last_landed_at"),
    )
    readonly_fields = ("screen", "rows_in_force")

    @display(description=_("现有条数"), ordering="row_count")
    def rows_in_force(self, table: DataTable) -> str:
        return exact(table.row_count)

    @display(description=_("存放位置"), ordering="schema")
    def place(self, table: DataTable) -> str:
        return str(table)

    @display(description=_("办理页面"))
    def screen(self, table: DataTable) -> Any:
        url = reverse("warehouse:table", args=[table.dataset.dashed_code])
        return format_html('<a href="{}">{}</a>', url, _("打开数据表"))


@admin.register(Batch)
class BatchAdmin(ScopedAdmin):
    view_only = True
    lifecycle: ClassVar[Lifecycle | None] = BATCH
    operations: ClassVar[ModuleType | None] = operations
    list_display = ("number", "dataset", "provider", "state", "mode", "handed_in", "sent_back",
                    "received_at")  # fmt: skip
    list_filter = ("status", "mode", ("received_at", RangeDateTimeFilter))
    list_select_related = ("dataset__department",)
    search_fields = ("=id", "dataset__name", "dataset__code", "file_name", "=idempotency_key")
    search_help_text = _("批次编号、目录名称或代码、文件名、批次号")
    fields = (
        ("status", "stage", "screen"),
        ("dataset", "version", "mode"),
        ("source", "idempotency_key"),
        ("file", "file_name", "encoding"),
        ("declared_by_source", "declared"),
        ("landed", "changed", "unchanged", "duplicate", "rejected", "deleted"),
        ("message_code", "message"),
        ("table", "horizon", "attempts"),
        ("received_at", "started_at", "heartbeat_at", "finished_at"),
    )
    readonly_fields = ("screen",)

    @display(description=_("批次"), ordering="id")
    def number(self, batch: Batch) -> str:
        return str(batch)

    @display(description=_("提供部门"), ordering="dataset__department__name")
    def provider(self, batch: Batch) -> str:
        return str(batch.dataset.department)

    @display(description=_("状态"), ordering="status", label=BATCH_COLOURS)
    def state(self, batch: Batch) -> tuple[str, str]:
        return batch.status, batch.get_status_display()

    @display(description=_("文件条数"), ordering="declared")
    def handed_in(self, batch: Batch) -> str:
        return exact(batch.declared)

    @display(description=_("未通过"), ordering="rejected")
    def sent_back(self, batch: Batch) -> str:
        return exact(batch.rejected)

    @display(description=_("办理页面"))
    def screen(self, batch: Batch) -> Any:
        url = reverse("warehouse:batch", args=[batch.pk])
        return format_html('<a href="{}">{}</a>', url, _("打开批次"))


@admin.register(Rejection)
class RejectionAdmin(ScopedAdmin):
    view_only = True
    list_display = ("batch", "line", "kind", "why", "screen")
    list_filter = ("kind",)
    list_select_related = ("batch__dataset",)
    search_fields = ("=batch__id", "batch__dataset__name", "batch__dataset__code")
    search_help_text = _("批次编号、目录名称或代码")
    fields = (("batch", "kind"), ("record_number", "line"), "why", "screen")
    readonly_fields = ("why", "screen")

    @display(description=_("原因"))
    def why(self, rejection: Rejection) -> Any:
        """The reasons without the values; those are on the batch's page, covered."""
        labels = ((reason_label(one["code"], one["label"]),) for one in rejection.reasons)
        return format_html_join("", "<div>{}</div>", labels)

    @display(description=_("办理页面"))
    def screen(self, rejection: Rejection) -> Any:
        url = reverse("warehouse:batch", args=[rejection.batch_id])
        return format_html('<a href="{}#rejections">{}</a>', url, _("打开批次"))
