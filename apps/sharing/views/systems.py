"""Information systems and their credentials (调用凭证): who calls, by which key, by what right."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from apps.accounts.models import InformationSystem, User
from apps.core import access
from apps.sharing import operations as sharing
from apps.sharing.forms.credentials import IssueForm
from apps.sharing.gateway.credentials import IssuedSecret, credentials_of
from apps.sharing.models import Credential, Grant, SupplierAccount
from apps.sharing.operations.serving.credentials import MOST_CREDENTIALS
from apps.sharing.views.moves import done

PAGE_ROWS = 50
HELD = Q(credentials__status__in=Credential.LIVE)
LIVE = Q(grants__status__in=("delivering", "in_force", "suspended"))


@login_required
def systems(request: HttpRequest) -> HttpResponse:
    """The systems that the person may see; his own department's come first."""
    user: Any = request.user
    words = request.GET.get("q", "").strip()
    rows = access.rows(user, "view", InformationSystem).select_related("department")
    if words:
        rows = rows.filter(
            Q(name__icontains=words) | Q(code__iexact=words) | Q(department__name__icontains=words)
        )
    rows = rows.annotate(
        live_grants=Count("grants", filter=LIVE, distinct=True),
        held=Count("credentials", filter=HELD, distinct=True),
    ).order_by("department__code", "code")
    page = Paginator(rows, PAGE_ROWS).get_page(request.GET.get("page"))
    return render(request, "sharing/systems.html", {"page": page, "words": words})


@never_cache
@login_required
def system_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One system; on POST a credential is offered, to oneself with its secret this one time."""
    user: Any = request.user
    system = _system_or_404(request, pk)
    may_issue = access.allowed(user, "issue_credential", system)
    form = IssueForm(request.POST or None, system=system, actor=user)
    issued: list[IssuedSecret] = []
    if request.method == "POST":
        if not may_issue:
            raise PermissionDenied
        if form.is_valid() and done(
            request, form, lambda at: _issue(user, form, system, issued, at)
        ):
            if not issued:
                messages.success(request, _("已签发，保管人领取后生效"))
                return redirect("sharing:system", pk=pk)
            form = IssueForm(system=system, actor=user)
    grants = Grant.objects.filter(system=system).select_related("dataset", "provider")
    voidable = access.rows(user, "void", Credential).filter(system=system)
    context = {
        "system": system,
        "form": form,
        "issued": issued[0] if issued else None,
        "may_issue": may_issue,
        "may_void": voidable.exists(),
        "held": credentials_of(system),
        "suppliers": access.rows(user, "view", SupplierAccount)
        .filter(system=system, status="open")
        .select_related("user"),
        "may_open_supplier": access.allowed(user, "open_supplier", system),
        "past": Credential.objects.filter(system=system).exclude(status__in=Credential.LIVE)[:10],
        "most": MOST_CREDENTIALS,
        "grants": access.rows(request.user, "view", grants, at=timezone.now()).order_by("-pk")[:50],
        "origin": f"{request.scheme}://{request.get_host()}",
    }
    return render(request, "sharing/system.html", context)


def _issue(
    user: User,
    form: IssueForm,
    system: InformationSystem,
    issued: list[IssuedSecret],
    at: datetime,
) -> None:
    """Offer it, and let the person who named himself collect it at once."""
    given = form.cleaned_data
    with transaction.atomic():
        credential = sharing.offer_credential(system=system, actor=user, at=at, **given)
        if given["holder"].pk == user.pk:
            issued.append(sharing.collect_credential(credential=credential, actor=user, at=at))


def _system_or_404(request: HttpRequest, pk: int) -> InformationSystem:
    rows = access.rows(request.user, "view", InformationSystem)
    return get_object_or_404(rows.select_related("department", "service_user"), pk=pk)
