"""One batch: how far it is, how it ended, and every record that did not land."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core import access
from apps.core.errors import DomainError
from apps.core.paging import Page, page_of
from apps.ledger import queries as ledger
from apps.standards.normalisers import BLANKS
from apps.standards.rewritings import REWRITINGS
from apps.warehouse import operations as warehouse
from apps.warehouse import queries
from apps.warehouse.forms import MendedFileForm
from apps.warehouse.landing.reasons import reason_label
from apps.warehouse.models import Batch, Normalisation, Rejection
from apps.warehouse.rejected_file import encoding_reason, rejected_lines
from apps.warehouse.rewritten_file import rewritten_lines
from apps.warehouse.views.covering import cover_pairs, shown_rejections

REJECTION_ROWS = 50
LAYOUT_CODES = (
    "columns_missing",
    "columns_unknown",
    "heading_missing",
    "sheets_ambiguous",
    "encoding_invalid",
)
"""What a person can mend by saying how the file is laid out."""


@dataclass(frozen=True)
class Progress:
    """How far a running batch is; rates are judged by the rows that passed so far."""

    stage: str
    rows: int
    total: int | None
    seconds: float | None
    rows_per_second: int | None
    seconds_left: float | None


@dataclass(frozen=True)
class ReasonChip:
    """One reason with its count; choosing it narrows the list."""

    code: str
    column: str
    words: str
    count: int
    is_on: bool


@dataclass(frozen=True)
class RewrittenLine:
    """One column of which values were rewritten: how many, how, and for example."""

    label: str
    column: str
    count: int
    ways: list[tuple[str, int]]
    examples: list[list[str]]
    is_covered: bool


@login_required
def batch(request: HttpRequest, pk: int) -> HttpResponse:
    return _shown(request, batch_or_404(request, pk), in_clear=False)


@login_required
def reveal(request: HttpRequest, pk: int) -> HttpResponse:
    """The same page with its records in the clear, after writing down who saw which.

    Its links lead back to the batch, where values are covered again.
    """
    subject = batch_or_404(request, pk)
    if request.method != "POST":
        return redirect(_with_query(request, "warehouse:batch", subject))
    if not access.allowed(request.user, "view_rejections", subject):
        raise PermissionDenied
    return _shown(request, subject, in_clear=True)


def _shown(request: HttpRequest, subject: Batch, *, in_clear: bool) -> HttpResponse:
    may_read = access.allowed(request.user, "view_rejections", subject)
    may_land = access.allowed(request.user, "land", subject.dataset)
    chips = reason_chips(request, subject) if may_read else []
    chosen = next((chip for chip in chips if chip.is_on), None)
    page = _page(request, subject, chosen) if may_read else None
    context = {
        "subject": subject,
        **_values(request, subject, page, in_clear=in_clear),
        "is_running": subject.status in queries.OPEN,
        "progress": progress_of(subject, timezone.now()),
        "may_read": may_read,
        "chips": chips,
        "chosen": chosen,
        "page": page,
        "trail": ledger.trail(subject),
        "encoding_reason": encoding_reason(subject),
        "encoding": subject.encoding or (subject.details.get("encoding") or {}).get("label", ""),
        **mending_of(request, subject),
        "may_land": may_land,
        "may_lay_out": may_land and subject.message_code in LAYOUT_CODES,
        "faults": {
            name: value for name, value in subject.details.items() if name in ("line", "offset")
        },
    }
    return render(request, "warehouse/batch.html", context)


@login_required
def state(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the page that changes while the batch runs; empty once it is over."""
    subject = batch_or_404(request, pk)
    if subject.status not in queries.OPEN:
        return HttpResponse(status=204)
    context = {"subject": subject, "progress": progress_of(subject, timezone.now())}
    return render(request, "warehouse/_state.html", context)


@login_required
def rejected(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """Everything that did not land, in the columns of the file, with line and reasons."""
    subject = batch_or_404(request, pk)
    if not access.allowed(request.user, "view_rejections", subject):
        raise PermissionDenied
    rows = _rejections(request, subject, None)
    user: Any = request.user
    warehouse.record_download(
        batch=subject, what="rejections", rows=rows.count(), actor=user, at=timezone.now()
    )
    lines = rejected_lines(subject, rows, for_office=True)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{subject}-rejections.csv"'
    return response


@login_required
def normalised(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Every value that normalising changed, as sent and as kept, read from the file again."""
    subject = batch_or_404(request, pk)
    if not access.allowed(request.user, "view_rejections", subject):
        raise PermissionDenied
    try:
        lines = rewritten_lines(subject, for_office=True)
    except DomainError as error:
        messages.error(request, str(error))
        return redirect("warehouse:batch", subject.pk)
    user: Any = request.user
    values = subject.normalisations.aggregate(values=Sum("count"))["values"] or 0
    warehouse.record_download(
        batch=subject, what="normalised", rows=values, actor=user, at=timezone.now()
    )
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{subject}-normalised.csv"'
    return response


def mending_of(request: HttpRequest, subject: Batch) -> dict[str, Any]:
    """What the page says of mended records, and whether the person may mend them."""
    is_mendable = queries.is_mendable(subject)
    may_mend = is_mendable and access.allowed(request.user, "mend", subject)
    return {
        "may_mend": may_mend,
        "is_mendable": is_mendable,
        "mended": queries.mended_rows(subject) if is_mendable else 0,
        "drafts": queries.drafts_of(subject).count() if may_mend else 0,
        "mended_by": list(subject.mended_by.order_by("pk")),
        "is_owed": may_mend and ledger.open_todos_of(subject).exists(),
        "file_form": MendedFileForm() if may_mend else None,
    }


def progress_of(subject: Batch, at: datetime) -> Progress:
    total = subject.declared or subject.declared_by_source
    if subject.started_at is None:
        return Progress(str(_("排队等待")), 0, total, None, None, None)
    seconds = max(0.0, (at - subject.started_at).total_seconds())
    rate = int(subject.progress_rows / seconds) if seconds and subject.progress_rows else None
    left = max(0, total - subject.progress_rows) / rate if rate and total else None
    return Progress(subject.get_stage_display(), subject.progress_rows, total, seconds, rate, left)


def batch_or_404(request: HttpRequest, pk: int) -> Batch:
    found = (
        access.rows(request.user, "view", Batch)
        .select_related("dataset__department", "file", "source", "version", "table", "mends")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise Http404
    return found


def _rejections(
    request: HttpRequest, subject: Batch, chosen: ReasonChip | None
) -> QuerySet[Rejection]:
    rows = access.rows(request.user, "view", Rejection).filter(batch=subject)
    if chosen is None:
        return rows
    return rows.filter(reasons__contains=[{"code": chosen.code, "column": chosen.column}])


def _page(request: HttpRequest, subject: Batch, chosen: ReasonChip | None) -> Page[Rejection]:
    rows = _rejections(request, subject, chosen)
    return page_of(rows, request.GET, size=REJECTION_ROWS, key="record_number")


def _values(
    request: HttpRequest, subject: Batch, page: Page[Rejection] | None, *, in_clear: bool
) -> dict[str, Any]:
    """What the page shows of the data; in the clear only after that is written down."""
    rows = page.rows if page is not None else []
    rewritten = _rewritten(request, subject, may_read=page is not None, in_clear=in_clear)
    if in_clear:
        user: Any = request.user
        warehouse.reveal_rejections(
            batch=subject,
            records=[row.record_number for row in rows],
            examples=sum(len(line.examples) for line in rewritten),
            actor=user,
            at=timezone.now(),
        )
    records = shown_rejections(subject, rows, in_clear=in_clear)
    is_covered = any(row.is_covered for row in records) or any(row.is_covered for row in rewritten)
    return {
        "records": records,
        "rewritten": rewritten,
        "in_clear": in_clear,
        "is_covered": is_covered,
        "reveal_url": _with_query(request, "warehouse:batch-reveal", subject),
        "covered_url": _with_query(request, "warehouse:batch", subject),
    }


def _with_query(request: HttpRequest, name: str, subject: Batch) -> str:
    query = request.GET.urlencode()
    return f"{reverse(name, args=[subject.pk])}{'?' + query if query else ''}#rejections"


def _rewritten(
    request: HttpRequest, subject: Batch, *, may_read: bool, in_clear: bool
) -> list[RewrittenLine]:
    found = access.rows(request.user, "view", Normalisation).filter(batch=subject)
    rows = list(found.order_by("position"))
    columns = [
        (row.column, [(raw or "", kept or "") for raw, kept in row.examples if may_read])
        for row in rows
    ]
    as_they_are = [pairs for _column, pairs in columns]
    shown = as_they_are if in_clear else cover_pairs(subject, columns)
    return [
        RewrittenLine(
            row.label,
            row.column,
            row.count,
            [(str(REWRITINGS[name].label), count) for name, count in row.ways.items()],
            [[_visible(part) for part in pair] for pair in covered],
            is_covered=covered != pairs,
        )
        for row, covered, pairs in zip(rows, shown, as_they_are, strict=True)
    ]


def _visible(text: str) -> str:
    """Show the blanks around a value, which nobody would see."""
    bare = text.strip(BLANKS)
    if not bare:
        return "␣" * len(text)
    start = text.index(bare)
    return "␣" * start + bare + "␣" * (len(text) - start - len(bare))


def reason_chips(request: HttpRequest, subject: Batch) -> list[ReasonChip]:
    """Return the reasons of the batch with their counts; the address chooses one."""
    wanted = (request.GET.get("reason", ""), request.GET.get("column", ""))
    return [
        ReasonChip(
            reason.code,
            reason.column,
            reason_label(reason.code, reason.label),
            reason.count,
            (reason.code, reason.column) == wanted,
        )
        for reason in queries.reasons_of(subject)
    ]
