"""Rules, orders, runs and weights in the administration: to search, and who changed what when.

They are written on the pages of quality; here the authority and the auditor look across.
"""

from types import ModuleType
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from apps.core import access
from apps.core.admin import ScopedAdmin
from apps.core.lifecycle import Lifecycle
from apps.core.templatetags.numbers import exact
from apps.quality import operations
from apps.quality.lifecycle import RUN, WORK_ORDER
from apps.quality.models import Dimension, DimensionWeights, QualityRule, QualityRun, WorkOrder

ORDER_COLOURS = {
    "open": "info",
    "in_mending": "info",
    "contested": "danger",
    "closed": "success",
    "accepted": "success",
}
RUN_COLOURS = {"waiting": "info", "running": "info", "done": "success", "failed": "danger"}


class HistoryAdmin(SimpleHistoryAdmin, ScopedAdmin):
    """Rows that are read here, with the history of every field."""

    view_only = True


@admin.register(QualityRule)
class QualityRuleAdmin(HistoryAdmin):
    list_display = (
        "name", "dataset", "kind", "indicator", "severity", "origin", "version", "is_active",
    )  # fmt: skip
    list_filter = ("is_active", "origin", "kind", "indicator", "severity")
    list_select_related = ("dataset",)
    search_fields = ("name", "dataset__name", "dataset__code")
    search_help_text = _("规则名称、目录名称或者代码")
    fields = (
        ("name", "screen"),
        ("dataset", "owner"),
        ("kind", "indicator", "severity"),
        ("columns", "parameters"),
        ("origin", "code", "made_by"),
        ("version", "is_active"),
        ("created_at", "updated_at"),
    )
    readonly_fields = ("screen",)

    @display(description=_("办理页面"))
    def screen(self, rule: QualityRule) -> Any:
        url = reverse("quality:rule", args=[rule.pk])
        return format_html('<a href="{}">{}</a>', url, _("打开规则"))


@admin.register(WorkOrder)
class WorkOrderAdmin(HistoryAdmin):
    lifecycle: ClassVar[Lifecycle | None] = WORK_ORDER
    operations: ClassVar[ModuleType | None] = operations
    list_display = ("number", "rule", "dataset", "department", "state", "remaining", "opened_at")
    list_filter = ("status", "basis", ("opened_at", RangeDateTimeFilter))
    list_select_related = ("rule", "dataset", "department")
    search_fields = ("number", "rule__name", "dataset__name", "dataset__code")
    search_help_text = _("工单编号、规则、目录名称或者代码")
    fields = (
        ("number", "status", "screen"),
        ("dataset", "rule", "department"),
        ("basis", "failed", "failed_at_first", "evaluated"),
        ("opened_by_run", "last_run"),
        ("closed_by_run", "closed_by_batch"),
        ("acknowledged_by", "acknowledged_at"),
        "plan",
        ("contested_by", "remark"),
        ("opened_at", "closed_at"),
        ("head_told_at", "leader_told_at"),
    )
    readonly_fields = ("screen",)

    def subject_name(self) -> str:
        return "order"

    @display(description=_("状态"), ordering="status", label=ORDER_COLOURS)
    def state(self, order: WorkOrder) -> tuple[str, str]:
        return order.status, order.get_status_display()

    @display(description=_("现有问题数"), ordering="failed")
    def remaining(self, order: WorkOrder) -> str:
        return exact(order.failed)

    @display(description=_("办理页面"))
    def screen(self, order: WorkOrder) -> Any:
        return format_html('<a href="{}">{}</a>', order.get_absolute_url(), _("打开工单"))


@admin.register(QualityRun)
class QualityRunAdmin(ScopedAdmin):
    view_only = True
    lifecycle: ClassVar[Lifecycle | None] = RUN
    operations: ClassVar[ModuleType | None] = operations
    list_display = ("number", "dataset", "trigger", "state", "read", "finished_at")
    list_filter = ("status", "trigger", ("finished_at", RangeDateTimeFilter))
    list_select_related = ("dataset",)
    search_fields = ("=id", "dataset__name", "dataset__code")
    search_help_text = _("任务编号、目录名称或者代码")
    fields = (
        ("status", "screen"),
        ("dataset", "batch"),
        ("trigger", "asked_by"),
        ("horizon", "rows_read", "attempts"),
        "message",
        ("started_at", "heartbeat_at", "finished_at", "profiled_at"),
    )
    readonly_fields = ("screen",)

    @display(description=_("质检任务"), ordering="id")
    def number(self, run: QualityRun) -> str:
        return str(run)

    @display(description=_("状态"), ordering="status", label=RUN_COLOURS)
    def state(self, run: QualityRun) -> tuple[str, str]:
        return run.status, run.get_status_display()

    @display(description=_("读取条数"), ordering="rows_read")
    def read(self, run: QualityRun) -> str:
        return exact(run.rows_read)

    @display(description=_("办理页面"))
    def screen(self, run: QualityRun) -> Any:
        url = reverse("quality:run", args=[run.pk])
        return format_html('<a href="{}">{}</a>', url, _("打开质检任务"))


@admin.register(DimensionWeights)
class DimensionWeightsAdmin(HistoryAdmin):
    """The authority's officer sets weights that hold from a day on; the past stays as it was."""

    view_only = False
    list_display = (
        "valid_from", "conformity", "completeness", "accuracy", "consistency", "timeliness",
        "accessibility", "source", "set_by",
    )  # fmt: skip
    fields = (
        "valid_from",
        ("conformity", "completeness", "accuracy"),
        ("consistency", "timeliness", "accessibility"),
        "source",
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.able(request.user, "set", DimensionWeights)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Set them by the operation; its refusal is shown on the form."""
        user: Any = request.user
        kept = operations.set_weights(
            valid_from=obj.valid_from,
            weights={one.value: getattr(obj, one.name.lower()) for one in Dimension},
            source=obj.source,
            actor=user,
            at=timezone.now(),
        )
        obj.pk = kept.pk
