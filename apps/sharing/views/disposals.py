"""Certificates of disposal: the list for both sides, the certificate, its filing and its check."""

from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.clocks import queries as clocks
from apps.core import access
from apps.ledger import queries as ledger
from apps.sharing import operations as sharing
from apps.sharing.forms.disposals import CheckForm, DisposalForm
from apps.sharing.models import Disposal
from apps.sharing.queries.disposals import CLOCK, obtained_under, of_late
from apps.sharing.views.detail import clock_lines
from apps.sharing.views.history import versions_of
from apps.sharing.views.lists import about_grants
from apps.sharing.views.moves import done, freshen

RELATED: Final = ("grant__dataset", "grant__system", "consumer", "provider", "filed_by")
STATES: Final = {
    "": gettext_lazy("全部"),
    "open": gettext_lazy("待处置"),
    "late": gettext_lazy("逾期未报"),
    "filed": gettext_lazy("待核对"),
    "confirmed": gettext_lazy("已确认"),
    "void": gettext_lazy("已免报"),
}


@login_required
def disposals(request: HttpRequest) -> HttpResponse:
    """List the certificates that I may see, filtered as the address says."""
    context = about_grants(
        request,
        Disposal,
        consumer="consumer",
        provider="provider",
        states=STATES,
        of_state=_of_state,
    )
    return render(request, "sharing/disposals.html", context)


@login_required
def disposal(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one certificate; whoever owes it files it here, the other side checks it."""
    user: Any = request.user
    subject = _visible(request, pk)
    form = _form(request, subject)
    if form is not None and request.method == "POST" and form.is_valid():
        if done(request, form, lambda at: _act(subject, form, user, at)):
            messages.success(
                request, _("已提交，现在的状态：%(status)s") % {"status": _status_of(pk)}
            )
            return redirect("sharing:disposal", pk=pk)
        subject.refresh_from_db()
        freshen(form, subject.revision)
    at = timezone.now()
    context = {
        "subject": subject,
        "form": form,
        "is_check": isinstance(form, CheckForm),
        "obtained": obtained_under(subject.grant),
        "clocks": clock_lines(subject, at),
        "is_late": of_late(Disposal.objects.filter(pk=subject.pk), at).exists(),
        "due_on": clocks.due_day(subject, CLOCK),
        "trail": ledger.trail(subject),
        "versions": versions_of(subject),
    }
    return render(request, "sharing/disposal.html", context)


@login_required
def paper(request: HttpRequest, pk: int) -> FileResponse:
    """Send the scanned record; always as a download, never shown inside our pages."""
    subject = get_object_or_404(
        access.rows(request.user, "view", Disposal.objects.exclude(file="")), pk=pk
    )
    return FileResponse(subject.file.open("rb"), as_attachment=True)


def _visible(request: HttpRequest, pk: int) -> Disposal:
    rows = access.rows(request.user, "view", Disposal)
    return get_object_or_404(rows.select_related(*RELATED, "checked_by", "grant__request"), pk=pk)


def _form(request: HttpRequest, subject: Disposal) -> DisposalForm | CheckForm | None:
    user = request.user
    data = request.POST or None
    initial: dict[str, Any] = {"revision": subject.revision}
    if subject.status in Disposal.OWED_STATUSES:
        if not access.allowed(user, "file_disposal", subject):
            return None
        kept = ("outcome", "held", "method", "kept_basis", "disposed_by", "disposed_on")
        initial |= {name: getattr(subject, name) for name in kept}
        return DisposalForm(data, request.FILES or None, initial=initial)
    if subject.status == "filed" and access.allowed(user, "confirm_disposal", subject):
        return CheckForm(data, initial=initial)
    return None


def _act(subject: Disposal, form: DisposalForm | CheckForm, user: Any, at: Any) -> None:
    written = dict(form.cleaned_data)
    if isinstance(form, DisposalForm):
        sharing.file_disposal(disposal=subject, actor=user, at=at, **written)
        return
    operate = getattr(sharing, written.pop("answer"))
    operate(disposal=subject, actor=user, at=at, **written)


def _status_of(pk: int) -> str:
    return Disposal.objects.get(pk=pk).get_status_display()


def _of_state(rows: QuerySet[Disposal], state: str) -> QuerySet[Disposal]:
    if state in ("filed", "confirmed", "void"):
        return rows.filter(status=state)
    if state == "late":
        return of_late(rows, timezone.now())
    return rows.filter(status__in=Disposal.OWED_STATUSES) if state == "open" else rows
