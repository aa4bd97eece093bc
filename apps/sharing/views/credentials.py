"""Credentials (调用凭证): those I answer for, one of them, collecting, replacing, ending."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Case, Count, Q, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from apps.core import access
from apps.core.errors import DomainError
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.forms.credentials import ReplaceForm, RevokeForm, VoidForm
from apps.sharing.gateway.credentials import IssuedSecret
from apps.sharing.models import Credential
from apps.sharing.views.moves import done

PAGE_ROWS = 50
RELATED = ("system__department", "holder", "security_contact", "application", "issued_by")
VOIDED_BY = ("credential", "system", "holder")
FILTERS = ("q", "environment", "all")


@login_required
def credentials(request: HttpRequest) -> HttpResponse:
    """The credentials that I may see: in use before those that are over, mine before others."""
    user: Any = request.user
    words, environment = request.GET.get("q", "").strip(), request.GET.get("environment", "")
    rows = access.rows(user, "view", Credential).select_related(*RELATED)
    if request.GET.get("all") != "yes":
        rows = rows.filter(status__in=Credential.LIVE)
    if environment in Credential.Environment.values:
        rows = rows.filter(environment=environment)
    if words:
        rows = rows.filter(
            Q(system__name__icontains=words)
            | Q(holder__name__icontains=words)
            | Q(client_id__iexact=words)
            | Q(system__department__name__icontains=words)
        )
    ordered = rows.order_by(
        Case(When(status__in=Credential.LIVE, then=0), default=1),
        Case(When(holder=user, then=0), default=1),
        "expires_at",
        "pk",
    )
    page = Paginator(ordered, PAGE_ROWS).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "words": words,
        "environment": environment,
        "environments": Credential.Environment.choices,
        "with_past": request.GET.get("all") == "yes",
        "is_filtered": any(request.GET.get(name) for name in FILTERS),
    }
    return render(request, "sharing/credentials.html", context)


@never_cache
@login_required
def credential(request: HttpRequest, pk: int) -> HttpResponse:
    """One credential; on POST its holder collects it and sees the secret this one time."""
    user: Any = request.user
    row = _credential_or_404(request, pk)
    issued: IssuedSecret | None = None
    if request.method == "POST":
        try:
            issued = sharing.collect_credential(credential=row, actor=user, at=timezone.now())
        except DomainError as error:
            messages.error(request, str(error))
            return redirect("sharing:credential", pk=pk)
        row.refresh_from_db()
    is_replaced = row.replacements.filter(status__in=Credential.LIVE).exists()
    context = {
        "credential": row,
        "issued": issued,
        "may_collect": row.holder_id == user.pk and access.allowed(user, "collect", row),
        "may": {
            "replace": not is_replaced and access.allowed(user, "replace_credential", row),
            "revoke": access.allowed(user, "revoke", row),
            "void": access.allowed(user, "void", row),
        },
        "replacement": row.replacements.order_by("-pk").first(),
        "origin": f"{request.scheme}://{request.get_host()}",
    }
    return render(request, "sharing/credential.html", context)


@login_required
def replace(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose until when the old one is good beside the new."""
    user: Any = request.user
    row = _credential_or_404(request, pk)
    if not access.allowed(user, "replace_credential", row):
        raise PermissionDenied
    form = ReplaceForm(request.POST or None)
    made: list[Credential] = []
    if (
        request.method == "POST"
        and form.is_valid()
        and done(
            request,
            form,
            lambda at: made.append(
                sharing.replace_credential(credential=row, actor=user, at=at, **form.cleaned_data)
            ),
        )
    ):
        messages.success(request, _("新凭证已签发，领取后与旧凭证同时可用，直到旧凭证截止"))
        return redirect("sharing:credential", pk=made[0].pk)
    return render(request, "sharing/credential_replace.html", {"credential": row, "form": form})


@login_required
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one credential away; every token drawn with it ends at once."""
    user: Any = request.user
    row = _credential_or_404(request, pk)
    if not access.allowed(user, "revoke", row):
        raise PermissionDenied
    form = RevokeForm(request.POST or None)
    if (
        request.method == "POST"
        and form.is_valid()
        and done(
            request,
            form,
            lambda at: sharing.revoke_credential(
                credential=row, actor=user, at=at, reason=form.cleaned_data["reason"]
            ),
        )
    ):
        messages.success(request, _("凭证已吊销，用它取得的令牌同时失效"))
        return redirect("sharing:system", pk=row.system_id)
    return render(request, "sharing/credential_revoke.html", {"credential": row, "form": form})


@login_required
def void(request: HttpRequest) -> HttpResponse:
    """Show what a leak hits, and on POST make it all void: one, a system's, or a holder's."""
    user: Any = request.user
    chosen = _chosen(request)
    hit = queries.hit_by(chosen)
    if not hit.credentials:
        messages.error(request, _("没有可以作废的凭证，可能已经失效"))
        return redirect("sharing:credentials")
    form = VoidForm(request.POST or None)
    voided: list[Sequence[Credential]] = []
    if (
        request.method == "POST"
        and form.is_valid()
        and done(
            request,
            form,
            lambda at: voided.append(
                sharing.void_credentials(
                    credentials=chosen, actor=user, at=at, reason=form.cleaned_data["reason"]
                )
            ),
        )
    ):
        count = {"count": len(voided[0])}
        messages.success(request, _("已作废 %(count)s 个凭证，下一次调用即被拒绝") % count)
        return redirect("sharing:credentials")
    context = {"hit": hit, "form": form, "holders": _holders(hit.credentials)}
    return render(request, "sharing/credentials_void.html", context)


def _holders(chosen: Sequence[Credential]) -> list[tuple[int, str, int]]:
    """Return who keeps what was chosen, and how many he keeps in all: they may have leaked too."""
    people = {row.holder.pk: str(row.holder) for row in chosen if row.holder is not None}
    live = Credential.objects.filter(status__in=Credential.LIVE, holder__in=people)
    kept = dict(live.order_by().values_list("holder").annotate(Count("pk")))
    return [(number, name, kept.get(number, 0)) for number, name in people.items()]


def _chosen(request: HttpRequest) -> "QuerySet[Credential]":
    """Return those that the address names and the person may make void."""
    rows = access.rows(request.user, "void", Credential)
    named = {name: request.GET[name] for name in VOIDED_BY if request.GET.get(name)}
    if len(named) != 1 or not all(value.isdecimal() for value in named.values()):
        return rows.none()
    ((name, value),) = named.items()
    return rows.filter(**{"pk" if name == "credential" else name: int(value[:18])})


def _credential_or_404(request: HttpRequest, pk: int) -> Credential:
    rows = access.rows(request.user, "view", Credential).select_related(*RELATED)
    return get_object_or_404(rows, pk=pk)
