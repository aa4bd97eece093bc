"""Searches kept under a name: the list, keeping one, letting go of one."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.catalog import operations as catalog
from apps.catalog.forms import SavedFilterForm
from apps.catalog.models import SavedFilter
from apps.core import access
from apps.core.errors import DomainError


@login_required
def saved_filters(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    saved = access.rows(user, "view", SavedFilter).select_related("owner", "department")
    context = {"saved": saved, "mine": set(access.rows(user, "delete", SavedFilter))}
    return render(request, "catalog/saved_filters.html", context)


@login_required
def new(request: HttpRequest) -> HttpResponse:
    """Keep the filters that the address carries under a name."""
    user: Any = request.user
    if not access.able(user, "save", SavedFilter):
        raise PermissionDenied
    form = SavedFilterForm(request.POST or None, initial={"query": request.GET.urlencode()})
    if request.method == "POST" and form.is_valid():
        try:
            saved = catalog.save_filter(actor=user, at=timezone.now(), **form.cleaned_data)
        except DomainError as error:
            field = error.details.get("field")
            form.add_error(field if field in ("name", "audience") else None, str(error))
        else:
            messages.success(request, _("已保存常用筛选“%(name)s”") % {"name": saved.name})
            return redirect(f"{reverse('catalog:datasets')}?{saved.query}")
    back = form["query"].value() or ""
    context = {"form": form, "back": f"{reverse('catalog:datasets')}?{back}"}
    return render(request, "catalog/saved_filter_new.html", context)


@login_required
@require_POST
def delete(request: HttpRequest, number: int) -> HttpResponse:
    user: Any = request.user
    saved = get_object_or_404(access.rows(user, "view", SavedFilter), pk=number)
    try:
        catalog.delete_filter(saved=saved, actor=user, at=timezone.now())
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("已删除常用筛选“%(name)s”") % {"name": saved.name})
    return redirect("catalog:saved-filters")
