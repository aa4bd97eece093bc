"""The rows behind a figure as lines of a file, per kind of row."""

from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.downloads import Cell
from apps.core.templatetags.dates import day as written_day
from apps.supervision.queries.findings import Column

_RELATED: Final = {
    "duty": ("department", "dataset", "responsibility_list__department"),
    "system": ("department",),
    "legal_duty": ("department",),
    "service_item": ("department", "legal_duty"),
}
HEADINGS: Final = {
    "duty": (
        gettext_lazy("部门"), gettext_lazy("责任事项"), gettext_lazy("目录代码"),
        gettext_lazy("更新周期"), gettext_lazy("完成期限"), gettext_lazy("应归集条数"),
        gettext_lazy("现有条数"), gettext_lazy("缺数据项（个）"), gettext_lazy("最近交付"),
        gettext_lazy("确认无变化至"), gettext_lazy("联系人"), gettext_lazy("缺口"),
    ),
    "system": (
        gettext_lazy("部门"), gettext_lazy("系统编码"), gettext_lazy("名称"), gettext_lazy("用途"),
        gettext_lazy("状态"), gettext_lazy("联系人"),
    ),
    "legal_duty": (
        gettext_lazy("部门"), gettext_lazy("事项编码"), gettext_lazy("事项名称"),
        gettext_lazy("类别"), gettext_lazy("设定依据"),
    ),
    "service_item": (
        gettext_lazy("部门"), gettext_lazy("事项编码"), gettext_lazy("事项名称"),
        gettext_lazy("权责清单事项"),
    ),
}  # fmt: skip


def with_names(column: Column, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Fetch with each row what its line shows."""
    return rows.select_related(*_RELATED[column.kind])


def row_of(column: Column, row: Any) -> list[Cell]:
    """Return the line of a row, in the order of its kind's heading."""
    department = str(row.department)
    match column.kind:
        case "duty":
            return [
                department, row.title, row.dataset.code if row.dataset else "",
                row.get_update_cycle_display(), row.due_on, row.expected_rows, row.landed_rows,
                0 if row.is_missing or row.is_connected else row.missing_items,
                row.delivered_at, row.confirmed_to,
                row.contact_name, gap_words(row),
            ]  # fmt: skip
        case "system":
            return [
                department, row.code, row.name, row.purpose, row.get_status_display(),
                row.contact_name,
            ]  # fmt: skip
        case "legal_duty":
            return [department, row.code, row.name, row.get_kind_display(), row.basis]
        case _:
            return [department, row.code, row.name, str(row.legal_duty or "")]


def gap_words(duty: Any) -> str:
    """Say what of the promise is wanting."""
    if duty.is_connected:
        day = written_day(duty.interface_since)
        return _("接口提供，未落地（%(day)s 起）：%(reason)s") % {
            "day": day,
            "reason": duty.interface_reason,
        }
    words = [
        word
        for is_wanting, word in (
            (duty.is_missing, _("缺数据")),
            (duty.is_lacking, _("缺数据项")),
            (duty.is_short, _("条数不足")),
            (duty.is_stale, _("超期未更新")),
        )
        if is_wanting
    ]
    return "、".join(words)
