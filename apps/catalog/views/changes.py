"""A change of an entry in force: what would differ, what reviewers say, what can be done now."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.catalog import operations as catalog
from apps.catalog import queries, validation
from apps.catalog.differences import smallness
from apps.catalog.forms import BeginChangeForm, ExtendForm
from apps.catalog.lifecycle import CHANGE
from apps.catalog.models import DatasetChange
from apps.catalog.views.buttons import Button, main_first
from apps.catalog.views.detail import clock_lines, dataset_or_404
from apps.catalog.views.reviewing import lines_of, review_of
from apps.catalog.views.steps import with_steps
from apps.clocks import queries as clocks
from apps.core import access
from apps.core.errors import DomainError
from apps.ledger import queries as ledger
from apps.ledger.models import Todo


def change_or_404(request: HttpRequest, pk: int) -> DatasetChange:
    """Return the change when the person may see it; nobody learns of others that they exist."""
    user: Any = request.user
    found: DatasetChange = get_object_or_404(
        queries.changes_visible_to(user).select_related("started_by"), pk=pk
    )
    return found


@login_required
def change(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    at = timezone.now()
    subject = change_or_404(request, pk)
    proposal = queries.proposal_of(subject)
    remarks = []
    if subject.is_open:
        today = timezone.localdate(at)
        remarks = queries.remarks_on_proposal(proposal.entry, subject, on=today)
    review = review_of(user, subject.dataset, subject)
    said = [line for each in review["rounds"][:1] for line in each.remarks]
    todos = list(ledger.open_todos_of(subject))
    mine = access.rows(user, "view", Todo, at=at).filter(pk__in=[todo.pk for todo in todos])
    context = {
        "subject": subject,
        "dataset": subject.dataset,
        "found": lines_of(proposal.found, said),
        "smallness": smallness(subject),
        "remarks": with_steps(remarks, _step_url(user, subject)),
        "errors": [remark for remark in remarks if remark.is_error],
        "buttons": change_buttons(user, subject, remarks),
        "clocks": clock_lines(subject, at),
        "owed": todos,
        "my_todos": set(mine.values_list("pk", flat=True)),
        "trail": ledger.trail(subject),
        **review,
    }
    return render(request, "catalog/change.html", context)


def _step_url(user: Any, subject: DatasetChange) -> Callable[[str], str] | None:
    if not access.allowed(user, "change", subject):
        return None
    return lambda step: reverse("catalog:change-edit", args=[subject.pk, step])


def change_buttons(
    user: Any, subject: DatasetChange, remarks: list[validation.Remark]
) -> list[Button]:
    """Return what this person may do with the change now, the main thing first."""
    found = [
        Button(
            move.name,
            move.label,
            reverse("catalog:change-move", args=[subject.pk, move.name]),
            move.tone,
            validation.why_not(move.name, remarks),
        )
        for move in CHANGE.moves_from(subject.status)
        if access.allowed(user, move.name, subject)
    ]
    if access.allowed(user, "change", subject):
        url = reverse("catalog:change-edit", args=[subject.pk])
        found.append(Button("revise_change", _("继续修改"), url))
    running = clocks.running(subject).filter(policy__code="catalog.update")
    if running.filter(extension=None).exists() and access.allowed(user, "extend_change", subject):
        url = reverse("catalog:change-extend", args=[subject.pk])
        found.append(Button("extend_change", _("同意延期"), url))
    return main_first(found)


@login_required
def begin(request: HttpRequest, code: str) -> HttpResponse:
    """Begin a change of an entry in force, or go on with the one that was begun."""
    user: Any = request.user
    subject = dataset_or_404(request, code)
    under_way = queries.open_change_of(subject)
    if under_way is not None:
        visible = queries.changes_visible_to(user).filter(pk=under_way.pk).exists()
        return redirect(under_way if visible else subject)
    if not access.allowed(user, "begin_change", subject):
        raise PermissionDenied
    form = BeginChangeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            begun = catalog.begin_change(
                dataset=subject,
                actor=user,
                at=timezone.now(),
                reason=form.cleaned_data["reason"],
                trigger=form.trigger(),
            )
        except DomainError as error:
            field = error.details.get("field")
            form.add_error(field if field in form.fields else None, str(error))
        else:
            return redirect("catalog:change-edit", begun.pk)
    version = queries.current_version(subject)
    context = {"subject": subject, "form": form, "version": version}
    return render(request, "catalog/change_begin.html", context)


@login_required
def extend(request: HttpRequest, pk: int) -> HttpResponse:
    """Consent to a longer time for an update."""
    user: Any = request.user
    subject = change_or_404(request, pk)
    if not access.allowed(user, "extend_change", subject):
        raise PermissionDenied
    form = ExtendForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            catalog.extend_change(
                change=subject, actor=user, at=timezone.now(), **form.cleaned_data
            )
        except DomainError as error:
            field = error.details.get("field")
            form.add_error(field if field in form.fields else None, str(error))
        else:
            messages.success(request, _("已同意延期"))
            return redirect(subject)
    return render(request, "catalog/change_extend.html", {"subject": subject, "form": form})
