"""What was refused is asked for once more, with the refused request's content."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core import access
from apps.core.errors import DomainError
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.operations.asking.asking_changes import still_shared
from apps.sharing.views.detail import condition_words, subject_or_404


@login_required
def ask_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Show why it was refused and what is taken over, and on POST draft the new request."""
    user: Any = request.user
    subject = subject_or_404(request, pk)
    if not access.allowed(user, "ask_again", subject):
        raise PermissionDenied
    error = ""
    if request.method == "POST":
        try:
            draft = sharing.ask_again(request=subject, actor=user, at=timezone.now())
        except DomainError as refusal:
            error = str(refusal)
        else:
            messages.success(request, _("已按被拒绝的申请建立草稿，改好后提交审批"))
            return redirect("sharing:request-edit", pk=draft.pk, step="items")
    asked = queries.written_items(subject.requested_items.select_related("item"))
    kept = still_shared(subject.dataset, asked)
    context = {
        "subject": subject,
        "error": error,
        "other": queries.request_under_way(subject.system, subject.dataset),
        "columns": [
            (entry["label"], queries.mask_label(kept[entry["name"]]))
            for entry in asked
            if entry["name"] in kept
        ],
        "left_out": [entry["label"] for entry in asked if entry["name"] not in kept],
        "conditions": condition_words(subject, subject.row_condition),
    }
    return render(request, "sharing/request_ask_again.html", context)
