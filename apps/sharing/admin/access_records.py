"""Access records as the auditor reads them: who read what, under which grant, how much of it."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter, TextFilter

from apps.core.admin import ScopedAdmin
from apps.core.templatetags.dates import second
from apps.core.templatetags.numbers import exact
from apps.ledger import queries as ledger
from apps.ledger.models import AccessClose, AccessRecord
from apps.sharing import queries

NONE = "—"


def _two_lines(first: str, *beside: str | None) -> SafeString:
    second_line = " · ".join(filter(None, beside))
    return format_html('<div>{}<span class="beside">{}</span></div>', first, second_line)


class ReachedRecordFilter(TextFilter):
    """By one record of a dataset: the reads that it may have been in."""

    title = _("可能读到的记录（_id）")
    parameter_name = "record"

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[AccessRecord]
    ) -> QuerySet[AccessRecord]:
        asked = (self.value() or "").strip()
        if not asked:
            return queryset
        if not (asked.isascii() and asked.isdigit() and len(asked) <= 18):
            return queryset.none()
        return ledger.reaching(queryset, int(asked))


@admin.register(AccessRecord)
class AccessRecordAdmin(ScopedAdmin):
    view_only = True
    list_display = ("moment", "reader", "dataset", "deed", "sent", "right", "purpose")
    list_display_links = ("moment",)
    list_filter = (("opened_at", RangeDateTimeFilter), "kind", ReachedRecordFilter)
    search_fields = ("purpose",)  # shows the box; `get_search_results` answers it
    search_help_text = _("数据目录名称或代码，信息系统、部门，授权编号（如 G-000012）；可写几个词")
    ordering = ("-opened_at", "-id")
    fields = (
        "moment",
        "reader",
        "dataset",
        "right",
        "grant_version",
        "deed",
        "purpose",
        "sent",
        "sent_size",
        "ending",
        "span",
        "horizon",
        "client_address",
        "asked",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessRecord]:
        return queries.told_by_name(super().get_queryset(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AccessRecord], search_term: str
    ) -> tuple[QuerySet[AccessRecord], bool]:
        return queries.found_among(queryset, search_term), False

    @admin.display(description=_("开始时间"), ordering="opened_at")
    def moment(self, record: Any) -> str:
        return second(record.opened_at)

    @admin.display(description=_("由谁读取"))
    def reader(self, record: Any) -> SafeString:
        system = f"{record.system_name}（{record.system_code}）" if record.system_name else ""
        who = record.person or system or NONE
        if record.person:
            return _two_lines(who, record.office, system)
        return _two_lines(who, record.consumer)

    @admin.display(description=_("数据目录"))
    def dataset(self, record: Any) -> SafeString:
        name = record.dataset_name or record.table
        return _two_lines(name, record.dataset_code, record.provider)

    @admin.display(description=_("方式"), ordering="kind")
    def deed(self, record: AccessRecord) -> str:
        tried = isinstance(record.query, dict) and record.query.get("console")
        deed = queries.deed_of(record)
        return f"{deed}（{_('在线调试')}）" if tried else deed

    @admin.display(description=_("记录条数"))
    def sent(self, record: Any) -> str:
        if record.sent_rows is None:
            return str(_("没有结束记录"))
        return exact(record.sent_rows)

    @admin.display(description=_("授权"), ordering="grant_id")
    def right(self, record: AccessRecord) -> Any:
        if record.grant_id is None:
            return NONE
        url = reverse("sharing:grant", args=[record.grant_id])
        return format_html('<a href="{}">{}</a>', url, f"G-{record.grant_id:06d}")

    @admin.display(description=_("字节数"))
    def sent_size(self, record: Any) -> str:
        return exact(record.sent_bytes)

    @admin.display(description=_("怎样结束"))
    def ending(self, record: Any) -> str:
        if record.ended:
            return f"{AccessClose.Outcome(record.ended).label} {second(record.ended_at)}"
        if record.sent_rows is None:
            return str(_("没有结束记录：按批次界限以内的全部记录都已送达计"))
        return str(_("一次答完"))

    @admin.display(description=_("记录编号（_id）"))
    def span(self, record: Any) -> str:
        return NONE if record.from_id is None else f"{record.from_id} — {record.to_id}"

    @admin.display(description=_("查询条件"))
    def asked(self, record: AccessRecord) -> Any:
        words = json.dumps(record.query, ensure_ascii=False, indent=1)
        return format_html('<pre class="breaks">{}</pre>', words)
