"""Correct a batch's rejected records in a table, or by the file that was downloaded."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.catalog.covering import screen_masks
from apps.core import access
from apps.core.contracts import Column
from apps.core.errors import DomainError
from apps.core.paging import page_of
from apps.warehouse import operations as warehouse
from apps.warehouse import queries
from apps.warehouse.forms import MendedFileForm
from apps.warehouse.landing.reasons import in_cell
from apps.warehouse.models import Batch, Rejection
from apps.warehouse.rejected_file import Mending
from apps.warehouse.views.batches import batch_or_404, reason_chips

MOST_ROWS: Final = 100
FEWEST_ROWS: Final = 10
CELLS_IN_FORM: Final = 900
"""A form holds no more than 1,000 fields."""
WIDE_FROM: Final = 12
LONGEST_CELL: Final = 500
_CELL: Final = re.compile(r"cell-(\d{1,18})-(\d{1,4})")


@dataclass(frozen=True)
class Cell:
    """One cell to be corrected; `is_long` when it is better mended in a file."""

    name: str
    label: str
    text: str
    reasons: list[str]
    is_changed: bool
    is_long: bool

    @property
    def is_wide(self) -> bool:
        return len(self.text) > WIDE_FROM

    @property
    def has_lines(self) -> bool:
        return "\n" in self.text


@dataclass(frozen=True)
class Line:
    """One record: its place in the file, what is wrong with it as a whole, its cells.

    raw: the record as it stood, where it could not be split as the headings ask.
    """

    number: int
    line: int
    reasons: list[str]
    raw: str
    cells: list[Cell]
    is_mended: bool

    @property
    def wrong(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.reasons]


@login_required
def mend(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the records to mend; POST keeps what was typed, and hands it in when told to."""
    user: Any = request.user
    subject = mendable_or_404(request, pk)
    if request.method == "POST":
        return _kept(request, subject)
    mending = _mending(subject)
    chips = reason_chips(request, subject)
    chosen = next((chip for chip in chips if chip.is_on), None)
    rows = queries.to_mend(subject)
    if chosen is not None:
        rows = rows.filter(reasons__contains=[{"code": chosen.code, "column": chosen.column}])
    at = timezone.now()
    size = max(FEWEST_ROWS, min(MOST_ROWS, CELLS_IN_FORM // max(1, len(mending.columns))))
    page = page_of(rows, request.GET, size=size, key="record_number")
    is_personal = bool(screen_masks([subject.dataset_id]))
    if is_personal and page.rows:
        # Who corrects a value must read it: the page opens in the clear, and that is written down.
        numbers = [row.record_number for row in page.rows]
        warehouse.reveal_rejections(batch=subject, records=numbers, actor=user, at=at)
    context = {
        "is_personal": is_personal,
        "subject": subject,
        "chips": chips,
        "chosen": chosen,
        "page": page,
        "columns": mending.columns,
        "key": mending.contract.key,
        "lines": [_line(rejection, mending) for rejection in page.rows],
        "drafts": queries.drafts_of(subject).count(),
        "left": rows.count() if chosen is None else queries.to_mend(subject).count(),
        "mended": queries.mended_rows(subject),
        "later": queries.landed_since(subject).count(),
        "mode": Batch.Mode(warehouse.mode_of(subject)).label,
        "here": request.get_full_path(),
    }
    return render(request, "warehouse/mend.html", context)


@login_required
@require_POST
def mend_row(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep one record as it is being typed; answers with a word for its place in the table."""
    user: Any = request.user
    subject = mendable_or_404(request, pk)
    rows = _typed(request, _mending(subject).columns)
    try:
        drafts = warehouse.save_mended(batch=subject, rows=rows, actor=user, at=timezone.now())
    except DomainError as error:
        return HttpResponse(str(error), status=error.status)
    saved = _mended_among(subject, list(rows))
    return render(request, "warehouse/_mend_saved.html", {"saved": saved, "drafts": drafts})


@login_required
@require_POST
def mend_file(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the mended file and go to its batch."""
    user: Any = request.user
    subject = mendable_or_404(request, pk)
    form = MendedFileForm(request.POST, request.FILES)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, " ".join(str(error) for error in errors))
        return redirect("warehouse:batch", subject.pk)
    file = form.cleaned_data["file"]
    try:
        made = warehouse.mend_by_file(
            batch=subject, file=file, file_name=file.name, actor=user, at=timezone.now()
        )
    except DomainError as error:
        messages.error(request, str(error))
        return redirect("warehouse:batch", subject.pk)
    return redirect("warehouse:batch", made.pk)


@login_required
@require_POST
def set_aside(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that the rest will not be mended."""
    user: Any = request.user
    subject = mendable_or_404(request, pk)
    try:
        warehouse.set_aside(
            batch=subject, reason=request.POST.get("reason", ""), actor=user, at=timezone.now()
        )
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("已记下，这一批次不再列入待办"))
    return redirect("warehouse:batch", subject.pk)


def mendable_or_404(request: HttpRequest, pk: int) -> Batch:
    subject = batch_or_404(request, pk)
    if not access.allowed(request.user, "mend", subject):
        raise PermissionDenied
    return subject


def _mending(subject: Batch) -> Mending:
    contract = queries.contract_of(subject.dataset)
    if contract is None or not queries.is_mendable(subject):
        raise Http404
    return Mending(subject, contract)


def _kept(request: HttpRequest, subject: Batch) -> HttpResponse:
    """Keep what the page holds, then do what its button said."""
    user: Any = request.user
    at = timezone.now()
    do = request.POST.get("do", "")
    rows = _typed(request, _mending(subject).columns)
    try:
        drafts = warehouse.save_mended(batch=subject, rows=rows, actor=user, at=at)
        if do == "submit":
            made = warehouse.submit_mended(batch=subject, actor=user, at=at)
            return redirect("warehouse:batch", made.pk)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        if do == "save":
            messages.success(request, _("已保存，改动了 %(rows)s 条") % {"rows": f"{drafts:,}"})
    query = do if do.startswith("?") else request.get_full_path().partition("?")[2]
    return redirect(f"{request.path}?{query.removeprefix('?')}")


def _typed(request: HttpRequest, columns: Sequence[Column]) -> dict[int, dict[str, str]]:
    """Return the cells of the form by record number and column name."""
    rows: dict[int, dict[str, str]] = {}
    for name, text in request.POST.items():
        found = _CELL.fullmatch(name)
        if found is None:
            continue
        place = int(found[2])
        if place < len(columns):
            rows.setdefault(int(found[1]), {})[columns[place].name] = str(text)
    return rows


def _mended_among(subject: Batch, numbers: list[int]) -> bool:
    rows: QuerySet[Any] = queries.drafts_of(subject)
    return rows.filter(rejection__record_number__in=numbers).exists()


def _line(rejection: Rejection, mending: Mending) -> Line:
    sent, now = mending.cells_sent(rejection), mending.cells_now(rejection)
    of_cells: dict[str, list[str]] = {}
    whole = []
    for reason in rejection.reasons:
        if reason["column"] in now:
            of_cells.setdefault(reason["column"], []).append(in_cell(reason))
        else:
            whole.append(reason["message"])
    cells = [
        Cell(
            f"cell-{rejection.record_number}-{place}",
            column.label,
            now[column.name],
            of_cells.get(column.name, []),
            now[column.name] != sent[column.name],
            len(now[column.name]) > LONGEST_CELL,
        )
        for place, column in enumerate(mending.columns)
    ]
    mended = getattr(rejection, "mended", None)
    is_whole = mending.is_whole(rejection)
    return Line(
        rejection.record_number,
        rejection.line,
        whole,
        "" if is_whole else rejection.raw,
        cells,
        mended is not None,
    )
