"""A list of demands as a file: exactly what the list shows."""

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any, Final

import xlsxwriter
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Demand
from apps.core.csv_lines import Echo, harmless
from apps.core.templatetags.dates import day, minute


def items_in_words(row: Demand) -> str:
    return "；".join(
        f"{item['name']}（{item['note']}）" if item["note"] else item["name"]
        for item in row.wanted_items
    )


XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
COLUMNS: Final[tuple[tuple[str | Promise, int, Callable[[Demand], Any]], ...]] = (
    (_("需求编号"), 16, lambda row: row.number),
    (_("需求名称"), 28, lambda row: row.title),
    (_("需求部门"), 18, lambda row: row.department.name),
    (_("需要的数据项"), 36, items_in_words),
    (_("使用场景"), 36, lambda row: row.scenario),
    (_("使用依据"), 36, lambda row: row.basis),
    (_("数据范围"), 24, lambda row: row.scope),
    (_("希望的更新周期"), 12, lambda row: row.get_update_cycle_display()),
    (_("希望的共享方式"), 12, lambda row: row.get_mode_display()),
    (_("希望取得日期"), 12, lambda row: day(row.needed_by)),
    (_("提供部门"), 18, lambda row: row.provider.name if row.provider else ""),
    (_("状态"), 12, lambda row: row.get_status_display()),
    (
        _("满足需求的目录"),
        28,
        lambda row: row.dataset.name if row.decided_at and row.dataset else "",
    ),
    (_("收到时间"), 16, lambda row: minute(row.received_at)),
    (_("答复时间"), 16, lambda row: minute(row.decided_at)),
    (_("联系人"), 12, lambda row: row.contact_name),
    (_("联系电话"), 16, lambda row: row.contact_phone),
)


def exported(rows: QuerySet[Demand], kind: str, *, name: str) -> HttpResponseBase:
    """Answer with every row of the list as `csv` or `xlsx`."""
    answer = _as_csv(rows) if kind == "csv" else _as_xlsx(rows)
    answer["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return answer


def _as_csv(rows: QuerySet[Demand]) -> StreamingHttpResponse:
    """Stream the rows; the mark at the front tells office software: UTF-8."""
    writer = csv.writer(Echo())

    def lines() -> Iterator[str]:
        yield "\ufeff" + writer.writerow([str(label) for label, _width, _value in COLUMNS])
        for row in rows.iterator(chunk_size=500):
            yield writer.writerow([harmless(value(row)) for _label, _width, value in COLUMNS])

    return StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")


def _as_xlsx(rows: QuerySet[Demand]) -> HttpResponse:
    """Write a workbook whose cells are all text, so that nothing is read as a formula."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"constant_memory": True, "in_memory": True}) as book:
        page = book.add_worksheet(str(_("需求清单")))
        head = book.add_format({"bold": True, "text_wrap": True, "border": 1})
        cell = book.add_format({"text_wrap": True, "valign": "top", "border": 1})
        page.set_landscape()
        page.fit_to_pages(1, 0)
        page.repeat_rows(0)
        page.freeze_panes(1, 2)
        for column, (label, width, _value) in enumerate(COLUMNS):
            page.set_column(column, column, width)
            page.write_string(0, column, str(label), head)
        for number, row in enumerate(rows.iterator(chunk_size=500), 1):
            for column, (_label, _width, value) in enumerate(COLUMNS):
                page.write_string(number, column, str(value(row)), cell)
    return HttpResponse(buffer.getvalue(), content_type=XLSX)
