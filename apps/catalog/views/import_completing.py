"""What the drafts of a spreadsheet still lack: filled in together, then submitted."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.catalog import operations as catalog
from apps.catalog import queries
from apps.catalog.forms import CompleteForm
from apps.catalog.lifecycle import EDITABLE_CHANGE
from apps.catalog.models import CatalogImport
from apps.catalog.queries import Lacking
from apps.catalog.validation import Remark
from apps.catalog.views.imports import import_or_404
from apps.catalog.views.steps import with_steps
from apps.core import access
from apps.core.errors import DomainError


@dataclass(frozen=True)
class Line:
    """A draft, and what it lacks, each with the page where it is mended."""

    draft: Lacking
    due: list[tuple[Remark, str]]


@login_required
def import_complete(request: HttpRequest, pk: int) -> HttpResponse:
    """Fill in what many lack; what only one lacks is a click away."""
    user: Any = request.user
    subject = import_or_404(request, pk)
    may = access.allowed(user, "submit_all", subject) and subject.department_id is not None
    if not may or subject.status != CatalogImport.Status.ADOPTED:
        raise PermissionDenied
    lacking = queries.lacking_in(subject, on=timezone.localdate())
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = CompleteForm(*sent, lacking=lacking)
    if sent and form.is_valid():
        if _complete(request, subject, form):
            return redirect(request.path)
        lacking = queries.lacking_in(subject, on=timezone.localdate())
    lines = [_line(draft) for draft in lacking]
    context = {
        "subject": subject,
        "form": form,
        "groups": [
            (heading, [[(field, ()) for field in row] for row in rows])
            for heading, rows in form.groups
        ],
        "lines": lines,
        "ready": sum(not line.due for line in lines),
        "changes": subject.entries.filter(change__status__in=EDITABLE_CHANGE).count(),
    }
    return render(request, "catalog/import_complete.html", context)


def _complete(request: HttpRequest, subject: CatalogImport, form: CompleteForm) -> bool:
    user: Any = request.user
    values, assessments, keys = form.values(), form.assessments(), form.keys()
    if not values and not assessments and not keys:
        form.add_error(None, _("什么也没有填"))
        return False
    try:
        done = catalog.complete_drafts(
            subject=subject,
            actor=user,
            at=timezone.now(),
            values=values,
            assessments=assessments,
            keys=keys,
        )
    except DomainError as error:
        form.add_error(None, str(error))
        return False
    messages.success(request, _("已补到 %(count)s 条草稿") % {"count": done})
    return True


def _line(draft: Lacking) -> Line:
    code = draft.dataset.dashed_code
    due = with_steps(draft.errors, lambda step: reverse("catalog:dataset-edit", args=[code, step]))
    return Line(draft, due)
