"""Find the record that is doubted, and raise the correction on it or on one of its values."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.catalog.covering import cover_rows
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.errors import DomainError
from apps.core.paging import page_of
from apps.quality import operations as quality
from apps.quality import queries
from apps.quality.forms.corrections import LookUpForm, RaiseForm
from apps.quality.models import CorrectionScope
from apps.quality.operations import corrections
from apps.quality.operations.corrections import Record
from apps.quality.operations.corrections.looking import Cell
from apps.warehouse import queries as warehouse

PAGE_ROWS: Final = 50


@login_required
def datasets(request: HttpRequest) -> HttpResponse:
    """The datasets of which I may look at a record: under a grant, or my department's own."""
    found = _open_datasets(request.user, timezone.now()).select_related("department")
    words = request.GET.get("q", "").strip()
    if words:
        found = found.filter(
            Q(name__icontains=words)
            | Q(code__icontains=words)
            | Q(department__name__icontains=words)
        )
    page = page_of(found, request.GET, size=PAGE_ROWS)
    return render(request, "quality/correction_new.html", {"page": page, "words": words})


@login_required
def find(request: HttpRequest, code: str) -> HttpResponse:
    """Ask which record; it is named in a POST, so that no identity number stands in an address."""
    dataset = _dataset_or_404(request, code)
    contract = warehouse.contract_of(dataset)
    if contract is None:
        raise Http404
    key = tuple(contract.column(name) for name in contract.key)
    form = LookUpForm(request.POST or None, key=key)
    if request.method == "POST" and form.is_valid():
        try:
            found = corrections.look_up(
                dataset=dataset,
                actor=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
                **form.named(),
            )
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            return redirect("quality:correction-record", dataset.dashed_code, found.row_id)
    context = {
        "dataset": dataset,
        "form": form,
        "may_raise": access.allowed(request.user, "raise_correction", dataset),
        "open_ones": _open_ones(request, dataset),
    }
    return render(request, "quality/correction_find.html", context)


@login_required
def record(request: HttpRequest, code: str, row_id: int) -> HttpResponse:
    """One record as I am shown it, with what is under correction marked."""
    return _shown(request, code, row_id, in_clear=False)


@login_required
def reveal(request: HttpRequest, code: str, row_id: int) -> HttpResponse:
    """The same record in the clear, as far as I read it at all, after writing that down."""
    if request.method != "POST":
        return redirect("quality:correction-record", code, row_id)
    return _shown(request, code, row_id, in_clear=True)


def _shown(request: HttpRequest, code: str, row_id: int, *, in_clear: bool) -> HttpResponse:
    user: Any = request.user
    dataset = _dataset_or_404(request, code)
    found = _record_or_404(request, dataset, row_id)
    on_row = queries.visible_corrections(request.user).filter(  # type: ignore[arg-type]
        dataset=dataset, row_id=row_id
    )
    if in_clear:
        quality.reveal_record(dataset=dataset, row_id=row_id, actor=user, at=timezone.now())
    cells = found.cells if in_clear else covered_cells(dataset, found.cells)
    context = {
        "dataset": dataset,
        "record": found,
        "cells": cells,
        "in_clear": in_clear,
        "is_covered": cells != found.cells,
        "reveal_url": reverse("quality:correction-record-reveal", args=[code, row_id]),
        "covered_url": reverse("quality:correction-record", args=[code, row_id]),
        "may_raise": access.allowed(request.user, "raise_correction", dataset),
        "on_row": list(on_row.order_by("-pk")[:PAGE_ROWS]),
    }
    return render(request, "quality/correction_record.html", context)


@login_required
def raise_one(request: HttpRequest, code: str) -> HttpResponse:
    """Write down the doubt about a value, a record, or the whole dataset."""
    dataset = _dataset_or_404(request, code)
    if not access.allowed(request.user, "raise_correction", dataset):
        raise Http404
    row_id, item = _place(request)
    found = None if row_id is None else _record_or_404(request, dataset, row_id)
    cells = covered_cells(dataset, found.cells) if found else []
    cell = next((each for each in cells if each.column.name == item), None)
    if item and cell is None:
        raise Http404
    scope = _scope(row_id, item)
    form = RaiseForm(request.POST or None, request.FILES or None, scope=scope)
    if request.method == "POST" and form.is_valid():
        try:
            made = corrections.raise_correction(
                dataset=dataset,
                actor=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
                row_id=row_id,
                item=item,
                **form.given(),
            )
        except DomainError as error:
            field = error.details.get("field")
            form.add_error(field if field in form.fields else None, str(error))
        else:
            messages.success(
                request,
                _("已提出校核 %(number)s，由%(handler)s核实")
                % {"number": made.number, "handler": made.handler},
            )
            return redirect(made.get_absolute_url())
    context = {"dataset": dataset, "record": found, "cell": cell, "form": form, "scope": scope}
    return render(request, "quality/correction_raise.html", context)


def covered_cells(dataset: Dataset, cells: Sequence[Cell]) -> list[Cell]:
    """Return a record's cells as a screen shows them; what its grant masks stays as it comes."""
    values = {cell.column.name: cell.value for cell in cells if not cell.is_masked}
    (shown,) = cover_rows([(dataset.pk, values)])
    return [
        cell if cell.is_masked else replace(cell, value=shown[cell.column.name]) for cell in cells
    ]


def _open_datasets(user: Any, at: datetime) -> QuerySet[Dataset]:
    read = access.rows(user, "raise_correction", Dataset, at=at)
    own = access.rows(user, "look_up_own_row", Dataset, at=at).filter(data_table__isnull=False)
    either = Q(pk__in=read.values("pk")) | Q(pk__in=own.values("pk"))
    found: QuerySet[Dataset] = Dataset.objects.filter(either)
    return found


def _dataset_or_404(request: HttpRequest, code: str) -> Dataset:
    found: Dataset = get_object_or_404(
        _open_datasets(request.user, timezone.now()).select_related("department"),
        code=code.replace("-", "/"),
    )
    return found


def _record_or_404(request: HttpRequest, dataset: Dataset, row_id: int) -> Record:
    user: Any = request.user
    try:
        return corrections.look_up(dataset=dataset, actor=user, at=timezone.now(), row_id=row_id)
    except DomainError as error:
        raise Http404(str(error)) from error


def _place(request: HttpRequest) -> tuple[int | None, str]:
    text = request.GET.get("row", "")
    if not text:
        return None, ""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Http404
    return int(text), request.GET.get("item", "")[:60]


def _scope(row_id: int | None, item: str) -> CorrectionScope:
    if row_id is None:
        return CorrectionScope.DATASET
    return CorrectionScope.VALUE if item else CorrectionScope.ROW


def _open_ones(request: HttpRequest, dataset: Dataset) -> list[Any]:
    visible = queries.visible_corrections(request.user)  # type: ignore[arg-type]
    return list(visible.filter(dataset=dataset, is_marked=True).order_by("-pk")[:PAGE_ROWS])
