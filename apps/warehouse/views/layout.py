"""Where the table lies in a file that was refused, and which column is which item."""

from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core import access
from apps.core.contracts import Contract
from apps.core.errors import DomainError
from apps.core.workbooks.refusal import Refusal
from apps.warehouse import operations as warehouse
from apps.warehouse import queries
from apps.warehouse.landing.encodings import SAID
from apps.warehouse.landing.layout import HEADER_WITHIN, Layout
from apps.warehouse.models import Batch
from apps.warehouse.previewing import Preview, preview
from apps.warehouse.views.batches import batch_or_404

CELLS_SHOWN: Final = 12
AS_READ: Final = "-"
"""A choice that leaves the heading to be understood as it is."""


@dataclass(frozen=True)
class Choice:
    """One column of the file: its words, the first value, and the item chosen for it."""

    place: int
    words: str
    sample: str
    chosen: str


@login_required
def layout(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the first rows as they would land; POST hands the file in again, so laid out."""
    user: Any = request.user
    subject = batch_or_404(request, pk)
    if not access.allowed(user, "land", subject.dataset):
        raise PermissionDenied
    contract = queries.contract_of(subject.dataset)
    if contract is None:
        raise Http404
    said = _said(request)
    problem = ""
    found: Preview | None = None
    try:
        found = preview(subject, contract, said)
        if request.method == "POST" and request.POST.get("do") == "land":
            wanted = _with_columns(request, said, found)
            made = warehouse.relay(
                batch=subject,
                layout=wanted,
                actor=user,
                at=timezone.now(),
                remember="remember" in request.POST,
            )
            return redirect("warehouse:batch", made.pk)
    except (Refusal, DomainError) as error:
        problem = str(error)
    context = {
        "subject": subject,
        "found": found,
        "said": said,
        "problem": problem,
        "choices": _choices(found, contract) if found else [],
        "items": contract.columns,
        "headings": _labels(found, contract) if found else [],
        "uncovered": _uncovered(subject, found, contract) if found else [],
        "rows": _first_rows(found),
        "as_read": AS_READ,
        "encodings": SAID.items(),
    }
    return render(request, "warehouse/layout.html", context, status=400 if problem else 200)


def _said(request: HttpRequest) -> Layout:
    given = request.POST if request.method == "POST" else request.GET
    return Layout(
        sheet=given.get("sheet", ""),
        header_row=_number(given.get("header_row", ""), 1_000),
        header_rows=_number(given.get("header_rows", ""), 2),
        encoding=given.get("encoding", "") if given.get("encoding", "") in SAID else "",
    )


def _number(text: str, most: int) -> int:
    return min(int(text), most) if text.isascii() and text.isdigit() else 0


def _with_columns(request: HttpRequest, said: Layout, found: Preview) -> Layout:
    """Add what was chosen for each heading, and the heading's place as it was shown."""
    columns = {}
    for place, word in enumerate(found.heading.words if found.heading else ()):
        chosen = request.POST.get(f"column-{place}", AS_READ)
        if chosen != AS_READ and word:
            columns[word] = chosen
    heading = found.heading
    return Layout(
        sheet=found.sheet,
        header_row=heading.row if heading else said.header_row,
        header_rows=heading.height if heading else said.header_rows,
        columns=columns,
        encoding=said.encoding,
    )


def _choices(found: Preview, contract: Contract) -> list[Choice]:
    if found.heading is None:
        return []
    first = found.rows
    below = [
        cells
        for number, cells in first
        if number >= found.heading.row + found.heading.height and any(cells)
    ]
    return [
        Choice(
            place,
            word or str(_("（第 %(place)s 列，没有表头）") % {"place": place + 1}),
            next((cells[place] for cells in below if place < len(cells) and cells[place]), ""),
            found.heading.names[place] or AS_READ,
        )
        for place, word in enumerate(found.heading.words)
    ]


def _first_rows(found: Preview | None) -> list[tuple[int, list[str], bool]]:
    return [
        (number, list(cells[:CELLS_SHOWN]), _is_heading(found, number))
        for number, cells in (found.rows[:HEADER_WITHIN] if found else [])
    ]


def _labels(found: Preview, contract: Contract) -> list[str]:
    labels = {column.name: column.label for column in contract.columns}
    return [labels.get(name, name) for name in found.headings]


def _uncovered(subject: Batch, found: Preview, contract: Contract) -> list[str]:
    """Return the items that no column of the file stands for; a deletion wants only the key."""
    if found.heading is None:
        return []
    only_key = subject.mode == Batch.Mode.DELETE
    return [
        column.label
        for column in contract.columns
        if column.name not in found.heading.names and (not only_key or column.name in contract.key)
    ]


def _is_heading(found: Preview | None, number: int) -> bool:
    if found is None or found.heading is None:
        return False
    return found.heading.row <= number < found.heading.row + found.heading.height
