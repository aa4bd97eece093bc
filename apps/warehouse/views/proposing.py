"""Draft an entry from a file, and see what speaks for every proposal."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from apps.catalog.models import DataItem, Dataset
from apps.core import access
from apps.core.errors import DomainError
from apps.standards.normalisers import NORMALISERS
from apps.warehouse import operations as warehouse
from apps.warehouse.forms import ProposeForm
from apps.warehouse.models import FileProposal


@dataclass(frozen=True)
class ItemLine:
    """One item as it stands in the draft now, and what spoke for it when it was proposed."""

    item: DataItem
    is_key: bool
    normalisers: list[str]
    evidence: list[dict[str, str]]


@login_required
def new(request: HttpRequest) -> HttpResponse:
    """Take a file and draft an entry from it."""
    user: Any = request.user
    at = timezone.now()
    if not access.able(user, "create", Dataset, at=at):
        raise PermissionDenied
    form = ProposeForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            made = warehouse.propose(
                file=file,
                file_name=file.name,
                classification=form.cleaned_data["classification"],
                name=form.cleaned_data["name"],
                actor=user,
                at=at,
            )
        except DomainError as error:
            field = error.details.get("field")
            form.add_error(field if field in form.fields else None, str(error))
        else:
            return redirect("warehouse:proposal", made.dataset.dashed_code)
    return render(request, "warehouse/propose.html", {"form": form})


@login_required
def proposal(request: HttpRequest, code: str) -> HttpResponse:
    """The draft's items beside the evidence; correcting is done in the draft itself."""
    found = (
        access.rows(request.user, "view", FileProposal)
        .select_related("dataset__department", "file", "proposed_by")
        .filter(dataset__code=code.replace("-", "/"))
        .first()
    )
    if found is None:
        raise Http404
    dataset = found.dataset
    items = dataset.items.select_related("code_list", "data_element").order_by("position")
    context = {
        "subject": found,
        "dataset": dataset,
        "may_revise": access.allowed(request.user, "revise", dataset),
        "lines": [
            ItemLine(
                item,
                item.column_name in dataset.key_items,
                [str(NORMALISERS[name].word) for name in item.normalise],
                found.item_evidence.get(item.column_name, []),
            )
            for item in items
        ],
    }
    return render(request, "warehouse/proposal.html", context)
