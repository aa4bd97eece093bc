"""Information systems and their credentials (调用凭证): who calls, by which key, by what right."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from apps.accounts.models import InformationSystem
from apps.core import access
from apps.sharing.forms.credentials import IssueForm, RevokeForm
from apps.sharing.gateway import credentials
from apps.sharing.models import Grant
from apps.sharing.views.moves import done

PAGE_ROWS = 50
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
        held=Count("service_user__oauth2_provider_application", distinct=True),
    ).order_by("department__code", "code")
    page = Paginator(rows, PAGE_ROWS).get_page(request.GET.get("page"))
    return render(request, "sharing/systems.html", {"page": page, "words": words})


@never_cache
@login_required
def system_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One system; on POST a credential is issued and its secret shown this one time."""
    user: Any = request.user
    system = _system_or_404(request, pk)
    may_issue = access.allowed(user, "issue_credential", system)
    form = IssueForm(request.POST or None)
    issued: list[credentials.Credential] = []
    if request.method == "POST":
        if not may_issue:
            raise PermissionDenied
        if form.is_valid() and done(
            request,
            form,
            lambda at: issued.append(
                credentials.issue_credential(
                    system=system, actor=user, at=at, note=form.cleaned_data["note"]
                )
            ),
        ):
            form = IssueForm()
    grants = Grant.objects.filter(system=system).select_related("dataset", "provider")
    context = {
        "system": system,
        "form": form,
        "issued": issued[0] if issued else None,
        "may_issue": may_issue,
        "may_revoke": access.allowed(request.user, "revoke_credential", system),
        "held": credentials.credentials_of(system),
        "most": credentials.MOST_CREDENTIALS,
        "grants": access.rows(request.user, "view", grants, at=timezone.now()).order_by("-pk")[:50],
        "origin": f"{request.scheme}://{request.get_host()}",
    }
    return render(request, "sharing/system.html", context)


@login_required
def revoke(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Take one credential away; every token drawn with it ends at once."""
    user: Any = request.user
    system = _system_or_404(request, pk)
    if not access.allowed(user, "revoke_credential", system):
        raise PermissionDenied
    held = credentials.credentials_of(system).filter(pk=number).first()
    if held is None:
        raise Http404
    form = RevokeForm(request.POST or None)
    if (
        request.method == "POST"
        and form.is_valid()
        and done(
            request,
            form,
            lambda at: credentials.revoke_credential(
                system=system,
                client_id=held.client_id,
                actor=user,
                at=at,
                reason=form.cleaned_data["reason"],
            ),
        )
    ):
        messages.success(request, _("凭证已吊销，用它取得的令牌同时失效"))
        return redirect("sharing:system", pk=pk)
    context = {"system": system, "credential": held, "form": form}
    return render(request, "sharing/credential_revoke.html", context)


def _system_or_404(request: HttpRequest, pk: int) -> InformationSystem:
    rows = access.rows(request.user, "view", InformationSystem)
    return get_object_or_404(rows.select_related("department", "service_user"), pk=pk)
