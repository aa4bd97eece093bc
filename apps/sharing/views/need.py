"""The consumer's word on why a grant is still needed."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core import access
from apps.sharing import operations as sharing
from apps.sharing.forms.continuing import NeedForm
from apps.sharing.models import Grant, IdleNotice, Recertification
from apps.sharing.queries import continuing
from apps.sharing.queries.figures import figures_of
from apps.sharing.views.detail import clock_lines
from apps.sharing.views.moves import done, freshen
from apps.sharing.views.standing import to_answer


@login_required
def need(request: HttpRequest, pk: int) -> HttpResponse:
    """Say why the grant is still needed: for the yearly look, or after it was cut off as idle."""
    user: Any = request.user
    subject = get_object_or_404(
        access.rows(user, "view", Grant).select_related("dataset", "provider", "system"), pk=pk
    )
    asked = to_answer(
        user, continuing.open_idle_notice(subject), continuing.open_recertification(subject)
    )
    if asked is None:
        if user.department_id != subject.consumer_id:
            raise PermissionDenied
        messages.info(request, _("这项授权现在不必说明继续使用的理由"))
        return redirect("sharing:grant", pk=pk)
    at = timezone.now()
    form = NeedForm(request.POST or None, initial={"revision": asked.revision})
    if request.method == "POST" and form.is_valid():
        if done(request, form, lambda at: _state(asked, user, at, form.cleaned_data)):
            messages.success(request, _("已送%(provider)s") % {"provider": subject.provider})
            return redirect("sharing:grant", pk=pk)
        asked.refresh_from_db()
        freshen(form, asked.revision)
    context = {
        "subject": subject,
        "asked": asked,
        "is_idle": isinstance(asked, IdleNotice),
        "form": form,
        "clocks": clock_lines(asked, at),
        "figures": figures_of([subject], at)[subject.pk],
    }
    return render(request, "sharing/grant_need.html", context)


def _state(
    asked: IdleNotice | Recertification, user: Any, at: datetime, written: dict[str, Any]
) -> None:
    if isinstance(asked, IdleNotice):
        sharing.ask_back(notice=asked, actor=user, at=at, **written)
    else:
        sharing.state_need(recertification=asked, actor=user, at=at, **written)
