"""供应商账号: opened on a system's page, extended and closed on their own; and a list of all."""

from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from apps.accounts.models import InformationSystem
from apps.core import access
from apps.core.chips import Chip, carried
from apps.ledger import queries as ledger
from apps.sharing import operations as sharing
from apps.sharing.forms.suppliers import CloseSupplierForm, ExtendSupplierForm, SupplierForm
from apps.sharing.models import SupplierAccount
from apps.sharing.operations.serving.suppliers import OpenedSupplier
from apps.sharing.views.lists import page_of
from apps.sharing.views.moves import done

STATES: Final[dict[str, Any]] = {
    "": gettext_lazy("全部"),
    "open": gettext_lazy("有效"),
    "closed": gettext_lazy("已关闭"),
    "ended": gettext_lazy("已到期"),
}


@login_required
def suppliers(request: HttpRequest) -> HttpResponse:
    """List the accounts of suppliers that I may see, filtered as the address says."""
    query = request.GET
    visible = access.rows(request.user, "view", SupplierAccount)
    if words := query.get("q", "").strip():
        visible = visible.filter(
            Q(firm__icontains=words)
            | Q(user__name__icontains=words)
            | Q(system__name__icontains=words)
            | Q(system__code__iexact=words)
        )
    state = query.get("state", "")
    rows = _of_state(visible, state)
    context = {
        "page": page_of(rows.select_related("user", "system__department"), query),
        "state_chips": [
            Chip(name, label, _of_state(visible, name).count(), name == state)
            for name, label in STATES.items()
        ],
        "hidden_filters": carried(query, "q"),
        "is_filtered": any(query.get(name) for name in ("q", "state")),
    }
    return render(request, "sharing/suppliers.html", context)


@never_cache
@login_required
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """Open an account for a system; its first password is shown this one time."""
    user: Any = request.user
    rows = access.rows(user, "open_supplier", InformationSystem).select_related("department")
    system: InformationSystem = get_object_or_404(rows, pk=pk)
    form = SupplierForm(request.POST or None)
    made: list[OpenedSupplier] = []
    if request.method == "POST" and form.is_valid():
        written = form.cleaned_data
        done(
            request,
            form,
            lambda at: made.append(
                sharing.open_supplier(system=system, actor=user, at=at, **written)
            ),
        )
    context = {"system": system, "form": form, "opened": made[0] if made else None}
    return render(request, "sharing/supplier_new.html", context)


@login_required
def supplier(request: HttpRequest, pk: int) -> HttpResponse:
    """Show an account; extend it, or close it at once."""
    user: Any = request.user
    rows = access.rows(user, "view", SupplierAccount)
    subject: SupplierAccount = get_object_or_404(
        rows.select_related("user", "system__department", "opened_by", "closed_by"), pk=pk
    )
    moves = {
        name: access.allowed(user, name, subject) for name in ("extend_supplier", "close_supplier")
    }
    chosen = request.POST.get("move", "")
    data = request.POST
    extending = ExtendSupplierForm(
        data if chosen == "extend_supplier" else None, account=subject, prefix="extend"
    )
    closing = CloseSupplierForm(data if chosen == "close_supplier" else None, prefix="close")
    forms: dict[str, Any] = {"extend_supplier": extending, "close_supplier": closing}
    if request.method == "POST":
        if not moves.get(chosen):
            raise PermissionDenied
        form, operate = forms[chosen], getattr(sharing, chosen)
        if form.is_valid() and done(
            request,
            form,
            lambda at: operate(account=subject, actor=user, at=at, **form.cleaned_data),
        ):
            messages.success(
                request, _("已关闭") if chosen == "close_supplier" else _("截止日期已延长")
            )
            return redirect("sharing:supplier", pk=pk)
    context = {
        "subject": subject,
        "extending": extending if moves["extend_supplier"] else None,
        "closing": closing if moves["close_supplier"] else None,
        "form": forms.get(chosen),
        "today": timezone.localdate(),
        "trail": ledger.trail(subject),
    }
    return render(request, "sharing/supplier.html", context)


def _of_state(rows: QuerySet[SupplierAccount], state: str) -> QuerySet[SupplierAccount]:
    return rows.filter(status=state) if state in STATES and state else rows
