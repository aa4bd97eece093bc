"""The responsibility board, the list behind every figure, and both to take away."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import Department
from apps.core import access
from apps.core.downloads import Cell, table_response
from apps.core.paging import page_of
from apps.supervision.models import BoardDay
from apps.supervision.queries import findings
from apps.supervision.queries.board import Board, Line, board, figures_by_department
from apps.supervision.views.finding_rows import HEADINGS, row_of, with_names

PAGE_ROWS: Final = 50
EVERYWHERE: Final = "all"
WIDTH, HEIGHT = 96, 24
TREND_TABLE_DAYS: Final = 10


@dataclass(frozen=True)
class Figure:
    """One cell: its count, the address of the rows behind it (empty where not his to open)."""

    column: findings.Column
    count: int
    url: str


@dataclass(frozen=True)
class TrendTable:
    """The trends in figures: the days, and of each department its share on each of them."""

    days: list[date]
    rows: list[tuple[str, list[str]]]


@dataclass(frozen=True)
class Row:
    """One line of the page; `points` draws the trend in a box of 96 × 24."""

    line: Line
    name: str
    figures: list[Figure]
    points: str
    is_own: bool


@login_required
def responsibility_board(request: HttpRequest) -> HttpResponse:
    """Per department what was promised and what landed: the own first, then the worst."""
    user: Any = request.user
    if not access.able(user, "open", BoardDay):
        raise PermissionDenied
    at = timezone.now()
    found = board(at)
    if request.GET.get("format"):
        return _download(found, request.GET["format"])
    openable = set(access.rows(user, "view_findings", Department).values_list("pk", flat=True))
    sees_all = user.holds("authority_officer", "authority_leader", "audit_admin")
    sort = request.GET.get("sort", "")
    lines = _sorted(found.lines, sort, user.department_id)
    rows = [_row(line, openable, user.department_id) for line in lines]
    total = _row(found.total, openable, None, everywhere=sees_all)
    context = {
        "rows": rows,
        "total": total,
        "columns": findings.COLUMNS,
        "sort": sort if sort in findings.BY_KEY else "",
        "at": at,
        "trend": _trend_table([found.total, *lines]),
        "shows_trend": bool(total.points),
    }
    return render(request, "supervision/responsibility_board.html", context)


@login_required
def board_rows(request: HttpRequest, department: str, key: str) -> HttpResponse:
    """The rows that a figure of the board counts."""
    user: Any = request.user
    at = timezone.now()
    column = findings.BY_KEY.get(key)
    if column is None:
        raise Http404
    allowed = access.rows(user, "view_findings", Department)
    place = None
    if department != EVERYWHERE:
        place = allowed.filter(code=department).first()
        if place is None:
            raise Http404
    rows = column.rows(at)
    rows = rows.filter(department=place) if place else rows.filter(department__in=allowed)
    if words := request.GET.get("q", "").strip():
        rows = rows.filter(**{f"{_NAME[column.kind]}__icontains": words})
    sees_all = user.holds("authority_officer", "authority_leader", "audit_admin")
    title = f"{place or (_('全市') if sees_all else _('可查看的部门'))} · {column.label}"
    if request.GET.get("format"):
        shown = with_names(column, rows.order_by("department__code", "pk"))
        lines = (row_of(column, row) for row in shown.iterator(2000))
        return table_response(title, HEADINGS[column.kind], lines, form=request.GET["format"])
    page = page_of(with_names(column, rows), request.GET, size=PAGE_ROWS, key="pk")
    if column.kind == "duty":
        _name_what_is_missing(page.rows)
    counts = _counts(at, place, allowed)
    context = {
        "column": column,
        "place": place,
        "title": title,
        "page": page,
        "words": words,
        "others": _others(department, column, counts),
        "today": timezone.localdate(at),
    }
    return render(request, "supervision/board_rows.html", context)


def _others(
    department: str, chosen: findings.Column, counts: Mapping[str, int]
) -> list[tuple[findings.Column, str, bool, int]]:
    """The figures of the same place: column, address, whether it is shown now, count."""
    return [
        (
            column,
            reverse("supervision:board-rows", args=[department, column.key]),
            column == chosen,
            counts[column.key],
        )
        for column in findings.COLUMNS
    ]


def _sorted(lines: Sequence[Line], sort: str, own: int | None) -> list[Line]:
    """The own department first; the others by the column asked for, else as they come."""
    found = list(lines)
    if sort in findings.BY_KEY:
        found.sort(key=lambda line: -line.figures[sort])
    found.sort(key=lambda line: line.department is None or line.department.pk != own)
    return found


def _counts(at: datetime, place: Department | None, allowed: QuerySet[Any]) -> dict[str, int]:
    """How many rows each column of the board has here."""
    keys = {place.pk} if place else set(allowed.values_list("pk", flat=True))
    figures = [row for key, row in figures_by_department(at).items() if key in keys]
    return {column.key: sum(row[column.key] for row in figures) for column in findings.COLUMNS}


_NAME: Final = {
    "duty": "title",
    "system": "name",
    "legal_duty": "name",
    "service_item": "name",
}


def _row(line: Line, openable: set[int], own: int | None, *, everywhere: bool = False) -> Row:
    department = line.department
    may_open = department.pk in openable if department else everywhere
    code = department.code if department else EVERYWHERE
    figures = [
        Figure(
            column,
            line.figures[column.key],
            reverse("supervision:board-rows", args=[code, column.key]) if may_open else "",
        )
        for column in findings.COLUMNS
    ]
    is_own = department is not None and department.pk == own
    return Row(line, str(department or _("全市")), figures, _points(line.trend), is_own)


def _points(trend: Sequence[tuple[date, float]]) -> str:
    """The trend as points of a polyline; nothing where there are not two days to join."""
    if len(trend) < 2:
        return ""
    first, last = trend[0][0], trend[-1][0]
    span = max((last - first).days, 1)
    return " ".join(
        f"{(day - first).days / span * WIDTH:.1f},{HEIGHT - 2 - ratio * (HEIGHT - 4):.1f}"
        for day, ratio in trend
    )


def _trend_table(lines: Sequence[Line]) -> TrendTable | None:
    """The same figures for those who do not see the line: the last days of each department."""
    drawn = [line for line in lines if len(line.trend) > 1]
    if not drawn:
        return None
    days = sorted({day for line in drawn for day, _ratio in line.trend})[-TREND_TABLE_DAYS:]
    rows = []
    for line in drawn:
        known = dict(line.trend)
        ratios = [f"{known[day]:.1%}" if day in known else "—" for day in days]
        rows.append((str(line.department or _("全市")), ratios))
    return TrendTable(days, rows)


def _name_what_is_missing(rows: Sequence[Any]) -> None:
    names = findings.missing_item_names([row.pk for row in rows if row.is_lacking])
    for row in rows:
        row.missing_names = names.get(row.pk, [])
        row.is_kept = not (
            row.is_connected or row.is_missing or row.is_lacking or row.is_short or row.is_stale
        )


def _download(found: Board, form: str) -> HttpResponse:
    heading = [_("部门"), *(column.label for column in findings.COLUMNS), _("兑现率")]
    return table_response(str(_("责任落实看板")), heading, _lines(found), form=form)


def _lines(found: Board) -> Iterator[list[Cell]]:
    for line in (*found.lines, found.total):
        ratio = line.kept_ratio
        yield [
            str(line.department or _("全市")),
            *(line.figures[column.key] for column in findings.COLUMNS),
            None if ratio is None else round(ratio, 4),
        ]
