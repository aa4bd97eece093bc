"""The basket: entries put aside while searching, asked for together in one application."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.catalog.models import Dataset
from apps.core import access
from apps.core.errors import DomainError
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.forms.drafting import usual_period
from apps.sharing.forms.packages import NewPackageForm
from apps.sharing.models import BasketEntry, RequestPackage
from apps.sharing.views.moves import done
from apps.sharing.views.wizard import asking_department


@login_required
def basket(request: HttpRequest) -> HttpResponse:
    """What was put aside; on POST one application for what is ticked."""
    user: Any = request.user
    at = timezone.now()
    if not access.able(user, "create", RequestPackage, at=at):
        raise PermissionDenied
    department = asking_department(user, at)
    entries = list(queries.basket_of(user))
    data = request.POST if request.method == "POST" else None
    form = NewPackageForm(data, department=department)
    ticked = set(data.getlist("datasets")) if data is not None else None
    if data is not None and form.is_valid():
        made: list[RequestPackage] = []
        chosen = [e.dataset for e in entries if str(e.dataset_id) in (ticked or ())]
        written = {**form.cleaned_data, **usual_period()}
        if done(
            request,
            form,
            lambda at: made.append(
                sharing.draft_package(datasets=chosen, actor=user, at=at, **written)
            ),
        ):
            messages.success(request, _("已建立草稿：写共同内容，再逐项选择数据项"))
            return redirect("sharing:package-edit", pk=made[0].pk)
    packages = queries.visible_packages(user, at).filter(consumer=department)
    obstacles = queries.obstacles_to_asking([entry.dataset for entry in entries], department)
    context = {
        "form": form,
        "entries": [
            (
                entry,
                ticked is None or str(entry.dataset_id) in ticked,
                obstacles.get(entry.dataset_id, ""),
            )
            for entry in entries
        ],
        "unsent": packages.filter(parts__status__in=("draft", "head_returned")).distinct()[:5],
    }
    return render(request, "sharing/basket.html", context)


@login_required
@require_POST
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """Put an entry aside and stay on the page where it was found."""
    user: Any = request.user
    dataset = get_object_or_404(access.rows(user, "view", Dataset), pk=pk)
    try:
        sharing.put_in_basket(dataset=dataset, actor=user, at=timezone.now())
    except DomainError as error:
        messages.error(request, str(error))
    else:
        count = queries.basket_of(user).count()
        messages.success(
            request,
            _("“%(dataset)s”已加入数据篮，共 %(count)s 项") % {"dataset": dataset, "count": count},
        )
    return redirect(_back(request) or "sharing:basket")


@login_required
@require_POST
def take_out(request: HttpRequest, pk: int) -> HttpResponse:
    """Put an entry back."""
    user: Any = request.user
    entry = get_object_or_404(access.rows(user, "view", BasketEntry), pk=pk)
    sharing.take_out(entry=entry, actor=user, at=timezone.now())
    messages.success(request, _("已移出数据篮"))
    return redirect("sharing:basket")


def _back(request: HttpRequest) -> str:
    """The page to return to; only one of ours."""
    url = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(url, {request.get_host()}, request.is_secure())
    return url if is_ours else ""
