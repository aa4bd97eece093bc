"""Narrow a grant in force: fewer items, stronger masks, fewer rows, tighter limits, sooner over."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core import access
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.forms.conditions import ConditionLines
from apps.sharing.forms.limits import written_limits
from apps.sharing.forms.moves import NarrowForm, mode_wanted
from apps.sharing.models import Grant, limits_of
from apps.sharing.operations.holding.narrow_grant import NARROWABLE
from apps.sharing.queries import thrift
from apps.sharing.queries.thrift import Waste
from apps.sharing.views.detail import condition_words
from apps.sharing.views.item_rows import chosen_items, item_rows
from apps.sharing.views.moves import done, freshen
from apps.sharing.views.proposals import proposal_lines


@login_required
def narrow(request: HttpRequest, pk: int) -> HttpResponse:
    """Write narrower terms of a grant; on POST its next version is in force."""
    subject = get_object_or_404(
        access.rows(request.user, "view", Grant).select_related(
            "dataset", "provider", "consumer", "system", "request"
        ),
        pk=pk,
    )
    if not access.allowed(request.user, "narrow", subject):
        raise PermissionDenied
    if subject.status not in NARROWABLE:
        words = _("当前状态为“%(status)s”，不能收窄")
        messages.error(request, words % {"status": subject.get_status_display()})
        return redirect("sharing:grant", pk=pk)
    data = request.POST if request.method == "POST" else None
    is_sent = data is not None and "add_line" not in data
    lines = ConditionLines.of(subject.dataset, data=data)
    proposed = _proposed(request, subject)
    form = NarrowForm(data if is_sent else None, initial=_initial(subject, proposed, data))
    ready = is_sent and all([form.is_valid(), lines.is_valid()])
    if ready and _send(request, subject, form, lines):
        subject.refresh_from_db()
        messages.success(
            request, _("授权已收窄，第 %(version)s 版即时生效") % {"version": subject.version}
        )
        return redirect("sharing:grant", pk=pk)
    if is_sent:
        subject.refresh_from_db()
        freshen(form, subject.revision)
    ticked = _proposed_items(proposed) if data is None else data
    context = {
        "subject": subject,
        "form": form,
        "lines": lines,
        "is_fresh": data is None,
        "item_rows": item_rows(subject.dataset, queries.labelled_columns(subject), ticked),
        "proposal": proposal_lines(proposed),
        "conditions": condition_words(subject, subject.row_condition),
        "keep": f"grant-{pk}",
        "waiting": queries.waiting_version_of(subject),
    }
    return render(request, "sharing/grant_narrow.html", context)


def _proposed(request: HttpRequest, subject: Grant) -> Waste | None:
    """Return what is proposed of the grant, where the address asks for it to be written in."""
    return thrift.waste_of(subject, timezone.now()) if "proposal" in request.GET else None


def _proposed_terms(waste: Waste | None) -> dict[str, Any]:
    """Return a proposal as the fields of the form; its items stand beside them on the page."""
    if waste is None or not waste.proposal:
        return {}
    proposed = waste.proposal
    terms: dict[str, Any] = {**proposed.limits, "reason": _("按实际使用收窄")}
    if proposed.mode:
        terms["is_verify_only"] = True
    if proposed.ends_on:
        terms["ends_on"] = proposed.ends_on
    return terms


def _proposed_items(waste: Waste | None) -> QueryDict | None:
    """Return the items of a proposal as if they had been ticked; None to leave all as they are."""
    if waste is None or waste.proposal.items is None:
        return None
    ticked = QueryDict(mutable=True)
    ticked.setlist("items", list(waste.proposal.items))
    return ticked


def _initial(subject: Grant, proposed: Waste | None, data: Any) -> dict[str, Any]:
    return _usual(subject) | _proposed_terms(proposed) | NarrowForm.typed(data)


def _usual(subject: Grant) -> dict[str, Any]:
    last_day = queries.last_day_of(subject.expires_at)
    return {"revision": subject.revision, "ends_on": last_day, **limits_of(subject)}


def _send(request: HttpRequest, subject: Grant, form: NarrowForm, lines: ConditionLines) -> bool:
    written = form.cleaned_data
    items = chosen_items(queries.labelled_columns(subject), request.POST)
    return done(
        request,
        form,
        lambda at: sharing.narrow(
            grant=subject,
            actor=request.user,  # type: ignore[arg-type]
            at=at,
            reason=written["reason"],
            items=items,
            row_condition=lines.as_json(),
            mode=mode_wanted(written),
            ends_on=written["ends_on"],
            revision=written["revision"],
            **written_limits(written),
        ),
    )
