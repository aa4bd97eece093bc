"""The consumer asks for a change of a grant: longer, wider, for another purpose."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core import access
from apps.core.errors import DomainError
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.models import Grant
from apps.sharing.views.detail import condition_words


@login_required
def ask_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the terms that a change begins with, and on POST draft it."""
    user: Any = request.user
    subject = get_object_or_404(
        access.rows(user, "view", Grant).select_related(
            "dataset", "provider", "consumer", "system", "request"
        ),
        pk=pk,
    )
    if not access.allowed(user, "ask_change", subject):
        raise PermissionDenied
    error = ""
    if request.method == "POST":
        try:
            draft = sharing.ask_change(grant=subject, actor=user, at=timezone.now())
        except DomainError as refusal:
            error = str(refusal)
        else:
            messages.success(request, _("已按现有授权建立申请草稿，改好后提交审批"))
            return redirect("sharing:request-edit", pk=draft.pk, step="items")
    other = queries.request_under_way(subject.system, subject.dataset)
    labels = queries.labelled_columns(subject)
    context = {
        "subject": subject,
        "error": error,
        "other": other,
        "columns": [(entry["label"], queries.mask_label(entry["mask"])) for entry in labels],
        "conditions": condition_words(subject, subject.row_condition),
    }
    return render(request, "sharing/grant_ask_change.html", context)
