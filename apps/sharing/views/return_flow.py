"""Return flow: a district asks for its rows; a provider says which item tells the region."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.catalog import queries as catalog
from apps.catalog.models import Dataset
from apps.core import access
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.forms.return_flow import RegionItemForm, ReturnFlowForm
from apps.sharing.models import SharingRequest
from apps.sharing.views.moves import done
from apps.sharing.views.wizard import asking_department


@login_required
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin the request for the rows about the own district; the items are chosen next."""
    user: Any = request.user
    at = timezone.now()
    if not access.able(user, "create", SharingRequest, at=at):
        raise PermissionDenied
    dataset = _dataset_or_404(user, pk)
    department = asking_department(user, at)
    form = ReturnFlowForm(request.POST or None, department=department)
    if request.method == "POST" and form.is_valid():
        made: list[SharingRequest] = []
        if done(
            request,
            form,
            lambda at: made.append(
                sharing.draft_return_flow(dataset=dataset, actor=user, at=at, **form.cleaned_data)
            ),
        ):
            messages.success(request, _("已建立回流申请草稿，选择要回流的数据项"))
            return redirect("sharing:request-edit", pk=made[0].pk, step="items")
    region = department.region
    column = queries.region_item_of(dataset)
    context = {
        "dataset": dataset,
        "region": region,
        "form": form,
        "column": column,
        "label": dict(dataset.items.values_list("column_name", "name")).get(column, column),
        "codes": queries.codes_of(region),
        "why_not": queries.obstacle_to_return_flow(region, dataset),
    }
    return render(request, "sharing/return_flow_new.html", context)


@login_required
def declare(request: HttpRequest, pk: int) -> HttpResponse:
    """Say which item of an own entry tells the region."""
    user: Any = request.user
    dataset = _dataset_or_404(user, pk)
    if not access.allowed(user, "declare_region_item", dataset):
        raise PermissionDenied
    columns = filter(queries.could_tell_region, catalog.contract_of(dataset).columns)
    labels = dict(dataset.items.values_list("column_name", "name"))
    form = RegionItemForm(
        request.POST or None,
        choices=[("", _("选择数据项"))]
        + [(c.name, f"{labels.get(c.name, c.name)}（{c.name}）") for c in columns],
        initial={"column_name": queries.region_item_of(dataset)},
    )
    is_sent = request.method == "POST" and form.is_valid()
    if is_sent and done(
        request,
        form,
        lambda at: sharing.declare_region_item(
            dataset=dataset, actor=user, at=at, **form.cleaned_data
        ),
    ):
        messages.success(request, _("已声明区划数据项，区县可以申请回流"))
        return redirect(dataset.get_absolute_url())
    return render(request, "sharing/return_flow_item.html", {"dataset": dataset, "form": form})


def _dataset_or_404(user: Any, pk: int) -> Dataset:
    found: Dataset = get_object_or_404(
        access.rows(user, "view", Dataset).filter(pk__in=catalog.published().values("pk")), pk=pk
    )
    return found
