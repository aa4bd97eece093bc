"""A provider's change to a live service: announced, answered, filed, shown beside what is now."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.clocks import queries as clocks
from apps.core import access
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.forms.conditions import ConditionLines
from apps.sharing.forms.limits import written_limits
from apps.sharing.forms.moves import mode_wanted
from apps.sharing.forms.service_changes import (
    ChangeAnswerForm,
    ChangeFilingForm,
    ChangeForm,
    WithdrawChangeForm,
)
from apps.sharing.models import Grant, ServiceChange, limits_of
from apps.sharing.operations.holding.narrow_grant import NARROWABLE
from apps.sharing.queries.service_changes import ANSWER_CHANGE, open_change
from apps.sharing.views.beside import Beside, Version, side_by_side, terms_of_grant
from apps.sharing.views.detail import clock_lines, condition_words
from apps.sharing.views.history import versions_of
from apps.sharing.views.item_rows import chosen_items, item_rows
from apps.sharing.views.lists import about_grants
from apps.sharing.views.moves import done, freshen

RELATED: Final = ("grant__dataset", "grant__system", "grant__consumer", "grant__provider")
STATES: Final[dict[str, Any]] = {
    "": gettext_lazy("全部"),
    "noticed": gettext_lazy("待使用部门答复"),
    "deciding": gettext_lazy("待主管部门办理"),
    "filed": gettext_lazy("待生效"),
    "over": gettext_lazy("已办结"),
}


@login_required
def changes(request: HttpRequest) -> HttpResponse:
    """List the changes that I may see, filtered as the address says."""
    context = about_grants(
        request,
        ServiceChange,
        consumer="grant__consumer",
        provider="grant__provider",
        states=STATES,
        of_state=_of_state,
    )
    return render(request, "sharing/changes.html", context)


@login_required
def announce(request: HttpRequest, pk: int) -> HttpResponse:
    """Write what is to change of a live service, why, and from which day."""
    subject = get_object_or_404(
        access.rows(request.user, "view", Grant).select_related(
            "dataset", "provider", "consumer", "system", "request"
        ),
        pk=pk,
    )
    if not access.allowed(request.user, "open_change", subject):
        raise PermissionDenied
    if (elsewhere := _not_now(request, subject)) is not None:
        return elsewhere
    data = request.POST if request.method == "POST" else None
    is_sent = data is not None and "add_line" not in data
    lines = ConditionLines.of(subject.dataset, data=data)
    form = ChangeForm(data if is_sent else None, initial=_usual(subject) | ChangeForm.typed(data))
    ready = is_sent and all([form.is_valid(), lines.is_valid()])
    if ready and _send(request, subject, form, lines):
        messages.success(request, _("变更已告知使用部门，答复后由主管部门备案"))
        return redirect("sharing:grant", pk=pk)
    if is_sent:
        subject.refresh_from_db()
        freshen(form, subject.revision)
    context = {
        "subject": subject,
        "form": form,
        "lines": lines,
        "is_fresh": data is None,
        "item_rows": item_rows(subject.dataset, queries.labelled_columns(subject), data),
        "conditions": condition_words(subject, subject.row_condition),
        "keep": f"grant-{pk}",
    }
    return render(request, "sharing/grant_change.html", context)


@login_required
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a change beside what is now; answer it, file it, or take it back."""
    user: Any = request.user
    rows = access.rows(user, "view", ServiceChange)
    subject = get_object_or_404(
        rows.select_related(*RELATED, "opened_by", "answered_by", "decided_by"), pk=pk
    )
    form = _form(request, subject)
    if form is not None and request.method == "POST" and form.is_valid():
        operate = getattr(sharing, form.cleaned_data.get("answer", "withdraw_change"))
        words = form.cleaned_data["reason"]
        if done(request, form, lambda at: operate(change=subject, actor=user, at=at, reason=words)):
            subject.refresh_from_db()
            said = _("已提交，现在的状态：%(status)s")
            messages.success(request, said % {"status": subject.get_status_display()})
            return redirect("sharing:change", pk=pk)
    context = {
        "subject": subject,
        "form": form,
        "is_withdrawal": isinstance(form, WithdrawChangeForm),
        "beside": _beside(subject) if subject.kind == ServiceChange.Kind.NARROW else None,
        "clocks": clock_lines(subject, timezone.now()),
        "answer_due_on": clocks.due_day(subject, ANSWER_CHANGE),
        "was_objected": subject.history.filter(status="objected").exists(),
        "versions": versions_of(subject),
    }
    return render(request, "sharing/change.html", context)


def _not_now(request: HttpRequest, subject: Grant) -> HttpResponse | None:
    """Say why no change can be announced, and lead to where it goes on; None when one can."""
    if subject.status not in NARROWABLE:
        words = _("当前状态为“%(status)s”，没有服务可以变更")
        messages.error(request, words % {"status": subject.get_status_display()})
        return redirect("sharing:grant", pk=subject.pk)
    if (waiting := open_change(subject)) is not None:
        messages.error(request, _("这项授权已有办理中的服务变更"))
        return redirect("sharing:change", pk=waiting.pk)
    return None


def _usual(subject: Grant) -> dict[str, Any]:
    last_day = queries.last_day_of(subject.expires_at)
    return {"revision": subject.revision, "ends_on": last_day, **limits_of(subject)}


def _send(request: HttpRequest, subject: Grant, form: ChangeForm, lines: ConditionLines) -> bool:
    written = form.cleaned_data
    narrower: dict[str, Any] = {}
    if written["kind"] == ServiceChange.Kind.NARROW:
        narrower = {
            "items": chosen_items(queries.labelled_columns(subject), request.POST),
            "row_condition": lines.as_json(),
            "mode": mode_wanted(written),
            "ends_on": written["ends_on"],
            **written_limits(written),
        }
    return done(
        request,
        form,
        lambda at: sharing.open_change(
            grant=subject,
            kind=written["kind"],
            effective_on=written["effective_on"],
            reason=written["reason"],
            actor=request.user,  # type: ignore[arg-type]
            at=at,
            revision=written["revision"],
            **narrower,
        ),
    )


def _form(request: HttpRequest, subject: ServiceChange) -> forms.Form | None:
    user, data = request.user, request.POST or None
    if subject.status == "noticed" and access.allowed(user, "agree_change", subject):
        return ChangeAnswerForm(data)
    is_to_decide = subject.status in ServiceChange.TO_DECIDE
    if is_to_decide and access.allowed(user, "file_change", subject):
        return ChangeFilingForm(data, change=subject)
    if subject.status in ServiceChange.OPEN and access.allowed(user, "withdraw_change", subject):
        return WithdrawChangeForm(data)
    return None


def _beside(subject: ServiceChange) -> Beside:
    version = _("第 %(version)s 版") % {"version": subject.grant_version}
    before = Version(
        _("变更前"),
        version,
        terms_of_grant(queries.grant_in_version(subject.grant, subject.grant_version)),
    )
    return side_by_side(subject.grant.dataset, [before, Version(_("变更后"), "", subject)])


def _of_state(rows: QuerySet[ServiceChange], state: str) -> QuerySet[ServiceChange]:
    chosen = {
        "noticed": ("noticed",),
        "deciding": ServiceChange.TO_DECIDE,
        "filed": ("filed",),
        "over": ("refused", "carried_out", "withdrawn", "void"),
    }
    return rows.filter(status__in=chosen[state]) if state in chosen else rows
