"""What a supplier sees: its one system, its credentials without secrets, what interfaces take."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from apps.accounts.models import InformationSystem
from apps.core import access
from apps.sharing.describing import subjects
from apps.sharing.models import Credential, Grant, SupplierAccount
from apps.sharing.views.interfaces import described


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The system to which the supplier is bound; 404 for everybody else."""
    user: Any = request.user
    systems = access.rows(user, "view_confined", InformationSystem).select_related("department")
    system: InformationSystem = get_object_or_404(systems)
    account = SupplierAccount.objects.get(user=user)
    context = {
        "system": system,
        "account": account,
        "days_left": (account.ends_on - timezone.localdate()).days,
        "interfaces": access.rows(user, "view_confined", Grant)
        .select_related("dataset")
        .order_by("dataset__name"),
        "credentials": access.rows(user, "view_confined", Credential)
        .filter(status__in=Credential.LIVE)
        .order_by("environment", "pk"),
        "origin": f"{request.scheme}://{request.get_host()}",
    }
    return render(request, "sharing/supplier_home.html", context)


@login_required
def interface(request: HttpRequest, pk: int) -> HttpResponse:
    """What an interface of the system is called with, and how it answers; invented values only."""
    user: Any = request.user
    rows = access.rows(user, "view_confined", Grant).select_related("dataset", "system")
    grant: Grant = get_object_or_404(rows, pk=pk)
    context = described(request, subjects.of_grant(grant))
    context.pop("grant", None)
    return render(request, "sharing/supplier_interface.html", {**context, "number": str(grant)})
