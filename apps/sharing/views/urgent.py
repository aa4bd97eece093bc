"""Urgent requests (急件): the order, the papers that follow, the review afterwards."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core import access
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.forms.urgent import BackfillForm, UrgentForm, UrgentReviewForm
from apps.sharing.lifecycle import REQUEST
from apps.sharing.models import SharingRequest
from apps.sharing.views.detail import clock_lines, subject_or_404
from apps.sharing.views.moves import done, freshen


@dataclass(frozen=True)
class _Page:
    """One act on its own page: its words, its form, its operation."""

    action: str
    label: str | Promise
    said: str | Promise
    form: type[forms.Form]
    operate: Callable[..., Any]


@login_required
def mark(request: HttpRequest, pk: int) -> HttpResponse:
    """The authority orders an answer within hours."""
    subject = subject_or_404(request, pk)
    move = REQUEST.move("mark_urgent")
    page = _Page(
        "mark_urgent", move.label, gettext_lazy("已列为急件"), UrgentForm, sharing.mark_urgent
    )
    why_not = ""
    if subject.status not in move.sources:
        why_not = _("当前状态为“%(status)s”，不能列为急件") % {
            "status": subject.get_status_display()
        }
    elif queries.urgency_of(subject) is not None:
        why_not = _("该申请已列为急件")
    consequence = _(
        "%(provider)s负责人、代办人和审核人立即收到通知，申请直接进入审核，原来的时限和处理意见作废；"
        "授权至多 %(days)s 日，到期自动终止；办结后由主管部门另一人事后审查。"
    ) % {"provider": subject.dataset.department, "days": settings.HUILIU_URGENT_GRANT_DAYS}
    consequence += _replaced(subject)
    return _act(request, subject, page, why_not=why_not, consequence=consequence)


def _replaced(subject: SharingRequest) -> str:
    """Say that a right in use gives way to the temporary one, which ends."""
    live = queries.open_grants().filter(system=subject.system, dataset=subject.dataset).first()
    if live is None:
        return ""
    return _("该系统对此目录现有授权 %(grant)s，交付临时授权时由其接替，到期后须重新申请。") % {
        "grant": live
    }


@login_required
def backfill(request: HttpRequest, pk: int) -> HttpResponse:
    """The asking department hands in the papers that the decision did without."""
    subject = subject_or_404(request, pk)
    page = _Page(
        "backfill",
        gettext_lazy("补办材料"),
        gettext_lazy("材料已补办"),
        BackfillForm,
        sharing.backfill,
    )
    consequence = _("材料送达%(provider)s，补办时限随之办结；授权已暂停的，由其负责人核对后恢复。")
    return _act(
        request,
        subject,
        page,
        consequence=consequence % {"provider": subject.dataset.department},
    )


@login_required
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """The authority says afterwards whether the need was urgent indeed."""
    subject = subject_or_404(request, pk)
    page = _Page(
        "review_urgent",
        gettext_lazy("事后审查"),
        gettext_lazy("已事后审查"),
        UrgentReviewForm,
        sharing.review_urgent,
    )
    return _act(request, subject, page, consequence=_("审查结论和意见送达双方部门，计入急件统计。"))


def _act(
    request: HttpRequest,
    subject: SharingRequest,
    page: _Page,
    *,
    consequence: str,
    why_not: str = "",
) -> HttpResponse:
    if not access.allowed(request.user, page.action, subject):
        raise PermissionDenied
    form = page.form(request.POST or None, initial={"revision": subject.revision})
    is_sent = request.method == "POST" and not why_not and form.is_valid()

    def operate(at: datetime) -> None:
        page.operate(request=subject, actor=request.user, at=at, **form.cleaned_data)

    if is_sent and done(request, form, operate):
        messages.success(request, str(page.said))
        return redirect("sharing:request", pk=subject.pk)
    if is_sent:
        subject.refresh_from_db()
        freshen(form, subject.revision)
    context = {
        "subject": subject,
        "page": page,
        "form": form,
        "why_not": why_not,
        "consequence": consequence,
        "urgency": queries.urgency_of(subject),
        "clocks": clock_lines(subject, timezone.now()),
    }
    return render(request, "sharing/request_urgent.html", context)
