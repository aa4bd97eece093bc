"""Writing a demand on one page; what the catalogue has already stands beside it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.catalog import queries
from apps.catalog.forms.demands import DemandForm, read_items
from apps.catalog.models import Demand
from apps.catalog.operations import demands
from apps.catalog.operations.demands.drafting import missing_fields
from apps.catalog.views.demands.detail import demand_or_404
from apps.core import access
from apps.core.errors import DomainError

LONGEST_QUESTION = 4000


@login_required
def new(request: HttpRequest) -> HttpResponse:
    """A demand that does not exist yet; a search that found nothing hands its words over."""
    user: Any = request.user
    at = timezone.now()
    if not access.able(user, "create", Demand, at=at):
        raise PermissionDenied
    department = (access.require(user, "create", Demand, at=at).principal or user).department
    first = {
        "title": request.GET.get("q", "").strip()[:80],
        "contact_name": user.get_full_name(),
    }
    form = DemandForm(request.POST or None, initial=first, department=department)
    if request.method == "POST" and form.is_valid():
        try:
            made = demands.draft(actor=user, at=at, **form.cleaned_data)
        except DomainError as error:
            form.add_error(_field(form, error), str(error))
        else:
            return _onward(request, made)
    context = {
        "form": form,
        "proposals": _proposals(first["title"], [], department.pk) if first["title"] else [],
        "asked": bool(first["title"]),
        "keep": "demand-new:0",
    }
    return render(request, "catalog/demand_edit.html", context)


@login_required
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a draft or a returned demand."""
    user: Any = request.user
    subject = demand_or_404(request, pk)
    if not access.allowed(user, "change", subject):
        raise PermissionDenied
    form = DemandForm(
        request.POST or None,
        instance=Demand.objects.get(pk=pk),
        department=subject.department,
    )
    if request.method == "POST" and form.is_valid():
        try:
            demands.revise(
                demand=subject,
                actor=user,
                at=timezone.now(),
                revision=_revision(request),
                **form.cleaned_data,
            )
        except DomainError as error:
            form.add_error(_field(form, error), str(error))
        else:
            return _onward(request, subject)
    context = {
        "form": form,
        "subject": subject,
        "lacking": missing_fields(subject) if "complete" in request.GET else {},
        "proposals": _proposals(subject.title, subject.item_names, subject.department_id),
        "asked": True,
        "keep": f"demand-{subject.pk}:{subject.revision}",
    }
    return render(request, "catalog/demand_edit.html", context)


@login_required
def similar(request: HttpRequest) -> HttpResponse:
    """The entries that may meet what is being written; a part of the page."""
    user: Any = request.user
    if not access.able(user, "create", Demand):
        raise PermissionDenied
    title = request.GET.get("title", "").strip()[:LONGEST_QUESTION]
    items = [
        row["name"] for row in read_items(request.GET.get("wanted_items", "")[:LONGEST_QUESTION])
    ]
    context = {
        "proposals": _proposals(title, items, user.department_id) if title else [],
        "asked": bool(title),
    }
    return render(request, "catalog/_demand_proposals.html", context)


def _proposals(title: str, items: list[str], department_id: int | None) -> list[queries.Supply]:
    if department_id is None:
        return []
    return queries.supply_for(title, items, visible=queries.to_be_had_by(department_id))


def _onward(request: HttpRequest, demand: Demand) -> HttpResponse:
    """Save and look at it, or save and send it on at once; back to the form for what is lacking."""
    if "submit" in request.POST:
        if missing_fields(demand):
            address = reverse("catalog:demand-edit", args=[demand.pk])
            return redirect(f"{address}?complete=1")
        return redirect("catalog:demand-move", pk=demand.pk, name="submit")
    messages.success(request, _("已保存草稿 %(number)s") % {"number": demand.number})
    return redirect(demand.get_absolute_url())


def _revision(request: HttpRequest) -> int | None:
    text = request.POST.get("revision", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _field(form: DemandForm, error: DomainError) -> str | None:
    field = error.details.get("field")
    return field if isinstance(field, str) and field in form.fields else None
