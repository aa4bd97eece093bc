"""The card 文件下载 of a grant's page: ask for a file, see it made, fetch it, throw it away."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.core import access
from apps.core.errors import DomainError
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.forms.exports import ExportForm
from apps.sharing.gateway import addresses, allowances, calls, from_within
from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.files.asking import read_wanted
from apps.sharing.gateway.files.handing_out import answer
from apps.sharing.gateway.forwarding import serving
from apps.sharing.gateway.refusals import GrantRefused, SystemDisabled
from apps.sharing.gateway.shapes import shape_of
from apps.sharing.models import Export, Grant, Mode

SHOWN = 10


@dataclass(frozen=True)
class ExportLine:
    """One export as the card shows it; place: in the queue, 0 when it does not wait."""

    export: Export
    place: int
    asked_by: str
    may_fetch: bool
    may_discard: bool

    @property
    def percent(self) -> int:
        return round(self.export.progress_ratio * 100)


def exports_shown(user: Any, grant: Grant, at: datetime) -> dict[str, Any]:
    """Return what the card shows; nothing where the grant neither is for files nor has any."""
    visible = access.rows(user, "view", queries.exports_of(grant.pk), at=at)
    found = list(visible[:SHOWN])
    may_ask = grant.status == Grant.Status.IN_FORCE and access.allowed(user, "export", grant, at=at)
    if not (found or may_ask or grant.mode == Mode.FILE):
        return {}
    is_taker = any(access.allowed(user, "download", each, at=at) for each in found[:1])
    return {
        "form": ExportForm() if may_ask else None,
        "lines": [_line(each, is_taker=is_taker) for each in found],
        "is_running": any(each.status in queries.OPEN_EXPORTS for each in found),
    }


def _line(export: Export, *, is_taker: bool) -> ExportLine:
    return ExportLine(
        export,
        queries.place_in_queue(export),
        queries.who_asked(export),
        may_fetch=is_taker and export.status == Export.Status.READY,
        may_discard=is_taker and export.status in queries.LIVE_EXPORTS,
    )


@login_required
def state(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the card that changes while files are made; empty once none is."""
    subject = _grant_or_404(request, pk)
    shown = exports_shown(request.user, subject, timezone.now())
    if not shown.get("is_running"):
        return HttpResponse(status=204)
    return render(request, "sharing/_export_lines.html", {"subject": subject, "exports": shown})


@login_required
@require_POST
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Queue a file."""
    subject = _grant_or_404(request, pk)
    user: Any = request.user
    if not access.allowed(user, "export", subject):
        raise PermissionDenied
    form = ExportForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("选择文件格式"))
        return redirect("sharing:grant", pk=pk)
    try:
        call = _call(request, subject)
        wanted = read_wanted({"format": [form.cleaned_data["format"]]}, shape_of(call))
        serving.refuse_forwarded(call)
        with allowances.call_counted(call):
            export = sharing.request_export(call=call, wanted=wanted, actor=user, at=timezone.now())
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("已开始导出 %(export)s，完成后通知") % {"export": export})
    return redirect("sharing:grant", pk=pk)


@login_required
def fetch(request: HttpRequest, pk: int, number: int) -> HttpResponseBase:
    """Send the file, or the part of it that the browser asks for."""
    subject = _grant_or_404(request, pk)
    export = _export_or_404(request, subject, number)
    if not access.allowed(request.user, "download", export):
        raise PermissionDenied
    try:
        return answer(request.method or "", request.META, _call(request, subject), export)
    except DomainError as error:
        messages.error(request, str(error))
        return redirect("sharing:grant", pk=pk)


@login_required
def manifest(request: HttpRequest, pk: int, number: int) -> JsonResponse:
    """Send the manifest, to be kept beside the file; it holds no data."""
    export = _export_or_404(request, _grant_or_404(request, pk), number)
    response = JsonResponse(
        queries.manifest_of(export), json_dumps_params={"ensure_ascii": False, "indent": 2}
    )
    response["Content-Disposition"] = f'attachment; filename="{export.file_name}.manifest.json"'
    return response


@login_required
@require_POST
def discard(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Throw a file, or its making, away."""
    export = _export_or_404(request, _grant_or_404(request, pk), number)
    user: Any = request.user
    if not access.allowed(user, "discard", export):
        raise PermissionDenied
    try:
        sharing.discard_export(export=export, actor=user, at=timezone.now())
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("已删除 %(export)s") % {"export": export})
    return redirect("sharing:grant", pk=pk)


def _grant_or_404(request: HttpRequest, pk: int) -> Grant:
    rows = access.rows(request.user, "view", Grant)
    found: Grant = get_object_or_404(rows.select_related("dataset", "system"), pk=pk)
    return found


def _export_or_404(request: HttpRequest, grant: Grant, number: int) -> Export:
    rows = access.rows(request.user, "view", queries.exports_of(grant.pk))
    found: Export = get_object_or_404(rows, pk=number)
    return found


def _call(request: HttpRequest, grant: Grant) -> Call:
    """Admit the person in the place of the grant's system, from an address that it allows."""
    user: Any = request.user
    at, address = timezone.now(), addresses.address_of(request.META)
    try:
        from_within.require_allowed_address(grant, address)
        return from_within.call_of(grant, at=at, user=user, client_address=address)
    except (GrantRefused, SystemDisabled) as refusal:
        calls.record_refused(refusal, user=user, grant=grant, at=at)
        raise
