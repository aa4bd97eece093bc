"""The exchange table of a dataset: opened here, its password shown this one time, closed here."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from apps.accounts.models import InformationSystem
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.errors import DomainError, NotAllowed
from apps.ledger import queries as ledger
from apps.warehouse import exchanging, queries
from apps.warehouse import operations as warehouse
from apps.warehouse.forms import ExchangeForm
from apps.warehouse.models import ExchangeTable
from apps.warehouse.operations.exchange import Login


@never_cache
@login_required
def exchange(request: HttpRequest, code: str) -> HttpResponse:
    """Look at it; on POST open it (again) or close it."""
    user: Any = request.user
    dataset = _dataset_or_404(request, code)
    table = ExchangeTable.objects.filter(dataset=dataset).select_related("last_batch").first()
    form = _form(request, dataset)
    login: Login | None = None
    if request.method == "POST":
        try:
            if request.POST.get("move") == "close" and table is not None:
                warehouse.close_exchange(table=table, actor=user, at=timezone.now())
                messages.success(request, _("已关闭：登录已停用，表里剩下的已取走"))
                return redirect("warehouse:exchange", code)
            login = _opened(request, dataset, form)
        except NotAllowed as error:
            raise PermissionDenied from error
        except DomainError as error:
            messages.error(request, str(error))
        table = ExchangeTable.objects.filter(dataset=dataset).select_related("last_batch").first()
    is_open = table is not None and table.status == ExchangeTable.Status.OPEN
    context = {
        "dataset": dataset,
        "table": table,
        "is_open": is_open,
        "waiting": exchanging.waiting_rows(table) if table is not None and is_open else 0,
        "login": login,
        "login_name": exchanging.login_of(dataset.pk),
        "database": settings.DATABASES["default"]["NAME"],
        "contract": queries.contract_of(dataset),
        "form": form,
        "may": access.allowed(user, "open_exchange", dataset),
        "trail": ledger.trail(table) if table is not None else [],
    }
    return render(request, "warehouse/exchange.html", context)


def _opened(request: HttpRequest, dataset: Dataset, form: ExchangeForm) -> Login | None:
    user: Any = request.user
    access.require(user, "open_exchange", dataset)
    if not form.is_valid():
        return None
    return warehouse.open_exchange(
        dataset=dataset, actor=user, at=timezone.now(), **form.cleaned_data
    )


def _form(request: HttpRequest, dataset: Dataset) -> ExchangeForm:
    systems = InformationSystem.objects.in_service().filter(department=dataset.department_id)
    is_opening = request.method == "POST" and request.POST.get("move") != "close"
    return ExchangeForm(
        request.POST if is_opening else None,
        systems=systems,
        initial={"system": dataset.system_id},
    )


def _dataset_or_404(request: HttpRequest, code: str) -> Dataset:
    user: Any = request.user
    places = queries.landing_places(user, timezone.now()).select_related("department", "system")
    found = places.filter(code=code.replace("-", "/")).first()
    if found is None:
        raise Http404
    return found
