"""A demand that an entry meets becomes a request: choose the system, and the draft is there."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import InformationSystem
from apps.catalog import queries as catalog
from apps.catalog.lifecycle import DEMAND
from apps.catalog.models import Demand
from apps.core import access
from apps.core.errors import DomainError
from apps.sharing import operations as sharing
from apps.sharing.forms.drafting import BeginForm
from apps.sharing.operations.asking.from_demand import wanted_columns


@login_required
def from_demand(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what is taken over from the demand, and on POST draft the request."""
    user: Any = request.user
    demand: Demand = get_object_or_404(
        catalog.visible_demands(user).select_related("system"), pk=pk
    )
    if not access.allowed(user, "take_up", demand):
        raise PermissionDenied
    available = catalog.to_be_had_by(demand.department_id).select_related("department")
    chosen = (request.POST or request.GET).get("dataset", "") or str(demand.dataset_id or "")
    dataset = get_object_or_404(available, pk=int(chosen) if _is_key(chosen) else 0)
    systems = InformationSystem.objects.in_service().filter(department=demand.department)
    form = BeginForm(
        request.POST or None,
        datasets=available,
        systems=systems,
        initial={"dataset": dataset, "system": demand.system},
    )
    if request.method == "POST" and form.is_valid():
        try:
            draft = sharing.draft_request_from_demand(
                demand=demand, actor=user, at=timezone.now(), **form.cleaned_data
            )
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("已按需求建立共享申请草稿，核对后提交审批"))
            return redirect("sharing:request-edit", pk=draft.pk, step="items")
    columns = wanted_columns(demand, dataset)
    items = dataset.items.order_by("position", "pk")
    context = {
        "form": form,
        "demand": demand,
        "dataset": dataset,
        "taken": items if columns is None else [i for i in items if i.column_name in columns],
        "why_not": ""
        if demand.status in DEMAND.move("take_up").sources
        else _("当前状态为“%(status)s”，不能办理") % {"status": demand.get_status_display()},
    }
    return render(request, "sharing/request_from_demand.html", context)


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
