"""Database exchange: which systems log in, opening with the password this one time, closing."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from apps.core import access
from apps.core.errors import DomainError
from apps.sharing import naming, provisioning
from apps.sharing import operations as sharing
from apps.sharing.forms.database_logins import CloseLoginForm
from apps.sharing.models import DatabaseLogin, Grant, Mode
from apps.sharing.operations.serving.database_logins import OpenedLogin
from apps.sharing.queries.database_logins import exchanges_of
from apps.sharing.views.moves import done

PAGE_ROWS = 50
RELATED = ("system__database_login", "dataset", "provider", "consumer")


@login_required
def exchanges(request: HttpRequest) -> HttpResponse:
    """The grants for database exchange that the operator serves, those without a login first."""
    user: Any = request.user
    grants = access.rows(user, "open_login", Grant).filter(status__in=("in_force", "suspended"))
    rows = grants.select_related(*RELATED).order_by("-system__database_login__status", "-pk")
    page = Paginator(rows, PAGE_ROWS).get_page(request.GET.get("page"))
    return render(request, "sharing/exchanges.html", {"page": page})


@never_cache
@login_required
def login(request: HttpRequest, pk: int) -> HttpResponse:
    """How the grant's system logs in; on POST the operator opens it or changes the password."""
    user: Any = request.user
    grant = _grant_or_404(request, pk)
    held = DatabaseLogin.objects.filter(system=grant.system_id).first()
    opened: OpenedLogin | None = None
    if request.method == "POST":
        try:
            opened = _opened(user, grant, held)
        except DomainError as error:
            messages.error(request, str(error))
            return redirect("sharing:grant-login", pk=pk)
        held = DatabaseLogin.objects.get(system=grant.system_id)
    is_open = held is not None and held.status == DatabaseLogin.Status.OPEN
    networks = held.networks if held is not None and is_open else grant.allowed_addresses
    exchanges = list(exchanges_of(grant.system_id).select_related("dataset").order_by("pk"))
    context = {
        "subject": grant,
        "login": held,
        "is_open": is_open,
        "networks": networks,
        "opened": opened,
        **_way_back(user, grant),
        "may_close": held is not None and access.allowed(user, "close", held),
        "role": naming.role_of_login(provisioning.database(), grant.system_id),
        "place": _place(request),
        "grants": exchanges,
        "beyond": [row.pk for row in exchanges if not provisioning.suits_login(row, networks)],
        "most_connections": provisioning.MOST_CONNECTIONS,
        "most_seconds": provisioning.MOST_SECONDS,
    }
    return render(request, "sharing/grant_login.html", context)


@login_required
def close(request: HttpRequest, pk: int) -> HttpResponse:
    """Shut the login of the grant's system, with a reason."""
    user: Any = request.user
    grant = _grant_or_404(request, pk)
    held = DatabaseLogin.objects.filter(system=grant.system_id, status="open").first()
    if held is None:
        raise Http404
    if not access.allowed(user, "close", held):
        raise PermissionDenied
    form = CloseLoginForm(request.POST or None)
    if (
        request.method == "POST"
        and form.is_valid()
        and done(
            request,
            form,
            lambda at: sharing.close_login(
                login=held, actor=user, at=at, reason=form.cleaned_data["reason"]
            ),
        )
    ):
        messages.success(request, _("数据库登录已关闭，现有的连接已断开"))
        return redirect("sharing:grant-login", pk=pk)
    context = {
        "subject": grant,
        "form": form,
        "grants": exchanges_of(grant.system_id),
        **_way_back(user, grant),
    }
    return render(request, "sharing/grant_login_close.html", context)


def _way_back(user: Any, grant: Grant) -> dict[str, bool]:
    """Say which page the person came from: the operator's list, or the grant where he sees it."""
    return {
        "may_open": access.allowed(user, "open_login", grant),
        "sees_grant": access.allowed(user, "view", grant),
    }


def _opened(user: Any, grant: Grant, held: DatabaseLogin | None) -> OpenedLogin:
    at = timezone.now()
    if held is not None and held.status == DatabaseLogin.Status.OPEN:
        return sharing.renew_login(login=held, actor=user, at=at)
    return sharing.open_login(grant=grant, actor=user, at=at)


def _grant_or_404(request: HttpRequest, pk: int) -> Grant:
    """Return a grant for database exchange of which the person sees the grant or the login."""
    user: Any = request.user
    grant = Grant.objects.filter(pk=pk, mode=Mode.DATABASE).select_related(*RELATED[1:]).first()
    if grant is None:
        raise Http404
    held = DatabaseLogin.objects.filter(system=grant.system_id).first()
    if not (
        access.allowed(user, "open_login", grant)
        or access.allowed(user, "view", grant)
        or (held is not None and access.allowed(user, "view", held))
    ):
        raise Http404
    return grant


def _place(request: HttpRequest) -> dict[str, Any]:
    """Where a login connects: the portal's own server listens on a socket of this machine only."""
    server = settings.GATEWAY
    is_local = str(server["host"]).startswith("/")
    return {
        "host": server["host"] if is_local else request.get_host().partition(":")[0],
        "port": server["port"],
        "dbname": provisioning.database(),
        "is_local": is_local,
    }
