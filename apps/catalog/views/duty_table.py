"""Duties as a table to take away."""

from collections.abc import Iterator
from typing import Final

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Duty
from apps.core.downloads import Cell, table_response

HEADING: Final = (
    _("清单"), _("承担部门"), _("承担处室"), _("责任事项"), _("目录代码"), _("数据项"),
    _("应归集条数"), _("更新周期"), _("完成期限"), _("联系人"), _("联系电话"), _("共享属性"),
    _("开放属性"), _("来源信息系统"), _("状态"), _("部门异议"), _("异议答复"), _("完成说明"),
    _("已归集条数"),
)  # fmt: skip


def download(name: str, duties: QuerySet[Duty], form: str) -> HttpResponse:
    """Answer with the duties as a workbook or CSV, in two statements however many there are."""
    return table_response(name, HEADING, _rows(duties), form=form)


def _rows(duties: QuerySet[Duty]) -> Iterator[list[Cell]]:
    found = duties.select_related(
        "responsibility_list__department", "department", "dataset", "system"
    ).order_by("department__code", "responsibility_list", "pk")
    for duty in found:
        yield [
            str(duty.responsibility_list), str(duty.department), duty.internal_unit, duty.title,
            duty.dataset.code if duty.dataset else "", "、".join(duty.item_names),
            duty.expected_rows, duty.get_update_cycle_display(), duty.due_on, duty.contact_name,
            duty.contact_phone, duty.get_sharing_attribute_display(),
            duty.get_opening_attribute_display(), duty.system.name if duty.system else "",
            duty.get_status_display(), duty.objection, duty.settlement, duty.evidence,
            duty.performed_rows,
        ]  # fmt: skip
