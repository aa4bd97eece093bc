"""The monthly statement: what was used under grants, for both sides, on the screen and as CSV."""

import csv
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core import access
from apps.core.chips import Chip
from apps.core.csv_lines import Echo, harmless
from apps.core.templatetags.dates import day as written_day
from apps.sharing.models import DailyUse, Grant, Mode
from apps.sharing.queries import metering
from apps.sharing.queries.metering import Used
from apps.sharing.views.lists import GRANT_SIDES

MONTHS_BACK: Final = 24
GROUP_WORDS: Final[dict[str, str | Promise]] = {
    "grant": _("按授权"),
    "system": _("按系统"),
    "department": _("按部门"),
    "day": _("按日"),
}
# What a line stands for and the CSV says before its figures, by group: heading and path from a
# day's use.
COLUMNS: Final[dict[str, tuple[tuple[str | Promise, str], ...]]] = {
    "grant": (
        (_("授权"), "grant"),
        (_("目录代码"), "grant__dataset__code"),
        (_("数据目录"), "grant__dataset__name"),
        (_("使用系统"), "grant__system__name"),
        (_("使用部门"), "grant__consumer__name"),
        (_("提供部门"), "grant__provider__name"),
        (_("共享方式"), "grant__mode"),
    ),
    "system": (
        (_("使用系统"), "grant__system__name"),
        (_("系统编号"), "grant__system__code"),
        (_("使用部门"), "grant__consumer__name"),
    ),
    "department": (
        (_("使用部门"), "grant__consumer__name"),
        (_("提供部门"), "grant__provider__name"),
    ),
    "day": ((_("日期"), "day"),),
}


@login_required
def usage(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """What was used in a month, grouped and narrowed as the address says."""
    user: Any = request.user
    at = timezone.now()
    query = request.GET
    month = metering.month_of(query.get("month", ""), timezone.localdate(at))
    uses = _of_side(metering.uses_in_month(user, month, at=at), query.get("side", ""), user)
    grant = _grant(request)
    if grant is not None:
        uses = uses.filter(grant=grant)
    group = query.get("by", "") if query.get("by", "") in GROUP_WORDS else "grant"
    lines = metering.used_by(uses, [path for _label, path in COLUMNS[group]])
    if query.get("format") == "csv":
        return _as_csv(month, group, lines)
    context = {
        "month": month,
        "months": _months(timezone.localdate(at)),
        "group": group,
        "group_chips": [
            Chip(name, label, None, name == group) for name, label in GROUP_WORDS.items()
        ],
        "side": query.get("side", ""),
        "side_chips": [
            Chip(name, label, None, name == query.get("side", ""))
            for name, label in GRANT_SIDES.items()
        ],
        "grant": grant,
        "columns": _shown(group),
        "lines": [
            (line, [(label, _written(path, line.of[path])) for label, path in _shown(group)])
            for line in lines
        ],
        "total": metering.total_of(lines),
        "counted_until": metering.counted_until(),
        "department": user.department,
    }
    return render(request, "sharing/usage.html", context)


def _of_side(uses: QuerySet[DailyUse], side: str, user: Any) -> QuerySet[DailyUse]:
    field = {"asked": "grant__consumer", "received": "grant__provider"}.get(side)
    return uses.filter(**{field: user.department_id}) if field else uses


def _grant(request: HttpRequest) -> Grant | None:
    """Return the grant that the address names, when the person may see it."""
    key = request.GET.get("grant", "")
    if not key.isdecimal() or len(key) > 18:
        return None
    visible = access.rows(request.user, "view", Grant).select_related("dataset", "system")
    found: Grant = get_object_or_404(visible, pk=int(key))
    return found


def _months(today: date) -> list[date]:
    index = today.year * 12 + today.month - 1
    return [date((index - back) // 12, (index - back) % 12 + 1, 1) for back in range(MONTHS_BACK)]


def _shown(group: str) -> tuple[tuple[str | Promise, str], ...]:
    """Return the columns of the page: a grant's number and code stand below its entry's name."""
    return tuple(
        column for column in COLUMNS[group] if column[1] not in {"grant", "grant__dataset__code"}
    )


def _cells(line: Used, group: str) -> list[str]:
    return [_written(path, line.of[path]) for _label, path in COLUMNS[group]]


def _written(path: str, value: Any) -> str:
    if path == "grant":
        return str(Grant(pk=value))
    if path == "grant__mode":
        return str(Mode(value).label)
    return written_day(value) if path == "day" else str(value)


def _as_csv(month: date, group: str, lines: Sequence[Used]) -> StreamingHttpResponse:
    """Stream the statement as it is shown, figures bare, the sum last."""
    writer = csv.writer(Echo())
    headings = [str(label) for label, _path in COLUMNS[group]]
    figures = [str(label) for label in (_("调用次数"), _("记录条数"), _("字节数"))]

    def rows() -> Iterator[str]:
        yield "\ufeff" + writer.writerow([str(_("月份")), *headings, *figures])
        for line in [*lines, metering.total_of(lines)]:
            cells = (
                _cells(line, group) if line.of else [str(_("合计")), *[""] * (len(headings) - 1)]
            )
            written = [f"{month:%Y-%m}", *map(harmless, cells), line.calls, line.rows, line.bytes]
            yield writer.writerow(written)

    response = StreamingHttpResponse(rows(), content_type="text/csv; charset=utf-8")
    name = f"usage-{month:%Y-%m}-{group}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
