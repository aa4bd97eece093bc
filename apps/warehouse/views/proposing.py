"""Draft an entry from a file, and see what speaks for every proposal."""

import hashlib
import time
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from apps.catalog.models import DataItem, Dataset
from apps.core import access
from apps.core.errors import DomainError, NotAllowed
from apps.ledger import queries as ledger
from apps.standards.normalisers import NORMALISERS
from apps.warehouse import operations as warehouse
from apps.warehouse.forms import ProposeForm
from apps.warehouse.lifecycle import OPEN_PROPOSAL
from apps.warehouse.models import FileProposal, ProposalRun

_LOOK_SECONDS: Final = 0.1


@dataclass(frozen=True)
class ItemLine:
    """One item as it stands in the draft now, and what spoke for it when it was proposed."""

    item: DataItem
    is_key: bool
    normalisers: list[str]
    evidence: list[dict[str, str]]


@login_required
def new(request: HttpRequest) -> HttpResponse:
    """Take a file and have an entry drafted from it; what was refused stands here again."""
    user: Any = request.user
    at = timezone.now()
    if not access.able(user, "create", Dataset, at=at):
        raise PermissionDenied
    earlier = _earlier(request)
    if request.method != "POST":
        return _asked(request, _said_before(earlier), earlier)
    form = ProposeForm(request.POST, request.FILES, earlier=_with_good_file(earlier))
    if not form.is_valid():
        return _asked(request, form, earlier)
    file = form.cleaned_data["file"]
    kept = {} if file or earlier is None else {"sha256": earlier.file.sha256}
    try:
        run = warehouse.request_proposal(
            file=file or None,
            file_name=file.name if file or earlier is None else earlier.file_name,
            classification=form.cleaned_data["classification"],
            name=form.cleaned_data["name"],
            idempotency_key=_once(form),
            actor=user,
            at=at,
            **kept,
        )
    except DomainError as error:
        _blame(form, str(error), error.details.get("field"))
        return _asked(request, form, earlier)
    return _after_a_moment(request, run)


def _once(form: ProposeForm) -> str:
    """What a form has in common with itself sent twice, and not with another choice in it."""
    if not form.cleaned_data["key"]:
        return ""
    asked = [form.cleaned_data[name] for name in ("key", "name", "classification", "file")]
    asked.append(asked[-1].size if asked[-1] else 0)
    return f"page-{hashlib.sha256('|'.join(map(str, asked)).encode()).hexdigest()}"


def _asked(request: HttpRequest, form: ProposeForm, earlier: ProposalRun | None) -> HttpResponse:
    context = {"form": form, "earlier": earlier}
    return render(request, "warehouse/propose.html", context)


def _earlier(request: HttpRequest) -> ProposalRun | None:
    """The run of which no draft came, and after which the address asks again."""
    key = request.POST.get("again") or request.GET.get("again", "")
    if not key.isdecimal() or len(key) > 18:
        return None
    rows = access.rows(request.user, "discard", ProposalRun).select_related("file")
    over = (ProposalRun.Status.REFUSED, ProposalRun.Status.DISCARDED)
    return rows.filter(pk=int(key), status__in=over).first()


def _with_good_file(earlier: ProposalRun | None) -> ProposalRun | None:
    """The earlier run if it was not its file that was wrong, so that this serves again."""
    return earlier if earlier is not None and earlier.problem_field != "file" else None


def _said_before(earlier: ProposalRun | None) -> ProposeForm:
    """The empty form; or, after a run that came to nothing, what was asked and what is wrong."""
    if earlier is None:
        return ProposeForm()
    said = {
        "classification": earlier.classification_id,
        "name": earlier.name,
        "key": uuid4().hex,
    }
    kept = _with_good_file(earlier)
    form = ProposeForm(said, earlier=kept)
    form.fields["file"].required = False  # that none is chosen yet is no fault
    form.full_clean()
    form.fields["file"].required = kept is None
    if earlier.problem:
        _blame(form, earlier.problem, earlier.problem_field)
    return form


def _blame(form: ProposeForm, words: str, field: str | None) -> None:
    form.add_error(field if field in form.fields else None, words)


def _after_a_moment(request: HttpRequest, run: ProposalRun) -> HttpResponse:
    """Wait a little for the worker, as most files are soon read; else show how far it is."""
    deadline = time.monotonic() + settings.HUILIU_PROPOSAL_WAIT_SECONDS
    while run.status in OPEN_PROPOSAL and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
        run.refresh_from_db(fields=["status", "proposal"])
    return redirect(run.get_absolute_url()) if run.status in OPEN_PROPOSAL else _over(run)


def _over(run: ProposalRun) -> HttpResponse:
    """Lead to what came of it: the draft, or the form with what is wrong."""
    if run.proposal is not None:
        return redirect("warehouse:proposal", run.proposal.dataset.dashed_code)
    return redirect(f"{reverse('warehouse:propose')}?again={run.pk}")


@login_required
def run_page(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is; once it is over, what came of it."""
    run = run_or_404(request, pk)
    is_running = run.status in OPEN_PROPOSAL
    is_mine = access.allowed(request.user, "discard", run)
    if run.proposal is not None or (is_mine and not is_running):
        return _over(run)
    context = {
        "subject": run,
        "is_running": is_running,
        "may_discard": is_mine and is_running,
        "trail": ledger.trail(run),
    }
    return render(request, "warehouse/proposal_run.html", context)


@login_required
def run_state(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the page that changes while the worker is at it; empty once it is over."""
    run = run_or_404(request, pk)
    if run.status not in OPEN_PROPOSAL:
        return HttpResponse(status=204)
    return render(request, "warehouse/_proposal_state.html", {"subject": run})


@login_required
@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Give it up; the form stands there again with what was asked."""
    user: Any = request.user
    run = run_or_404(request, pk)
    try:
        warehouse.discard_proposal(run=run, actor=user, at=timezone.now())
    except NotAllowed as error:
        raise PermissionDenied from error
    except DomainError as error:
        messages.error(request, str(error))
        return redirect(run.get_absolute_url())
    messages.success(request, _("已放弃由“%(name)s”生成草案") % {"name": run.file_name})
    return _over(run)


def run_or_404(request: HttpRequest, pk: int) -> ProposalRun:
    rows = access.rows(request.user, "view", ProposalRun)
    run = rows.select_related(
        "department", "file", "classification", "requested_by", "proposal__dataset"
    )
    found: ProposalRun | None = run.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


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
