"""The provider's desk: the opinion on a request, more time, the way inside the department."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.core import access
from apps.core.errors import DomainError
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.forms import legal_bases
from apps.sharing.forms.conditions import ConditionLines
from apps.sharing.forms.limits import written_limits
from apps.sharing.forms.moves import (
    ProposeForm,
    RouteForm,
    StepForm,
    mode_wanted,
)
from apps.sharing.lifecycle import REQUEST
from apps.sharing.models import (
    Decision,
    RouteStep,
    SharingRequest,
    limits_of,
)
from apps.sharing.queries.weighing import least_data_for
from apps.sharing.views.detail import asked_before, clock_lines, condition_words, subject_or_404
from apps.sharing.views.item_rows import chosen_items, item_rows
from apps.sharing.views.moves import done, freshen
from apps.sharing.views.weighing import Typed, filled, typed_terms, weighing_for, with_template

PREVIEW_ROWS = 20
WATERMARKS = 60
FILLS = {"fill_least", "fill_template"}
LOOKS = {"preview", "add_line", *FILLS}  # buttons that send nothing yet


@login_required
def propose(request: HttpRequest, pk: int) -> HttpResponse:
    """Agree, narrow items, rows and masks, or refuse; preview exactly what would be given."""
    subject = subject_or_404(request, pk)
    if not access.allowed(request.user, "propose", subject):
        raise PermissionDenied
    return _not_now(request, subject) or _opinion_page(request, subject)


@login_required
def opine(request: HttpRequest, pk: int) -> HttpResponse:
    """The second person's own opinion where review is blind: the same page, the first unseen."""
    subject = subject_or_404(request, pk)
    if not access.allowed(request.user, "opine", subject):
        raise PermissionDenied
    if queries.sealed_opinion(subject) is None:
        messages.error(request, _("本件没有待公开的盲审意见"))
        return redirect("sharing:request", pk=pk)
    return _opinion_page(request, subject, is_second=True)


def _opinion_page(
    request: HttpRequest, subject: SharingRequest, *, is_second: bool = False
) -> HttpResponse:
    asked = queries.asked_terms(subject)
    assert asked is not None  # recorded when the request was received
    data: QueryDict | None = request.POST if request.method == "POST" else None
    lines = _condition_lines(subject, asked, data)
    is_filled = data is not None and bool(FILLS & set(data))
    if data is not None and is_filled:
        data = _filled(request, subject, asked, lines)
        lines = _condition_lines(subject, asked, data)
    wants_to_send = data is not None and not LOOKS & set(data)
    usual = {"revision": subject.revision, "ends_on": asked.ends_on, **limits_of(asked)}
    form = ProposeForm(
        data if wants_to_send else None,
        initial=usual | ProposeForm.typed(data),
        may_offer=queries.urgency_of(subject) is None and not is_second,
    )
    flow = queries.return_flow_of(subject)
    if flow is not None:
        form.allow_no_conditions()
    chosen = chosen_items(asked.items, None if flow else data)
    typed = Typed(chosen, lines, data)
    send = _send_second if is_second else _send
    if wants_to_send and _is_ready(form, lines) and send(request, subject, form, typed):
        messages.success(request, _sent_to(subject, form.cleaned_data["outcome"], is_second))
        return redirect("sharing:request", pk=subject.pk)
    if wants_to_send:
        subject.refresh_from_db()
        freshen(form, subject.revision)
    context = {
        "subject": subject,
        "form": form,
        "is_fresh": data is None,
        "is_filled": is_filled,
        "is_second": is_second,
        "asked": asked,
        **_beside(request, subject, asked, typed),
    }
    return render(request, "sharing/request_propose.html", context)


def _not_now(request: HttpRequest, subject: SharingRequest) -> HttpResponse | None:
    """Say why no opinion can be given now, and lead to where it goes on; None when one can."""
    if subject.status not in REQUEST.move("propose").sources:
        messages.error(
            request,
            _("当前状态为“%(status)s”，不能提出处理意见")
            % {"status": subject.get_status_display()},
        )
        return redirect("sharing:request", pk=subject.pk)
    if (waiting := queries.open_offer(subject)) is not None:
        messages.error(request, _("协商条件正待使用部门答复；要另作处理的，先收回"))
        return redirect("sharing:request-offer", pk=subject.pk, version=waiting.version)
    return None


def _beside(
    request: HttpRequest, subject: SharingRequest, asked: Decision, typed: Typed
) -> dict[str, Any]:
    """What stands around the form: the items and rows as typed, what to weigh, the preview."""
    data, lines, at = typed.data, typed.lines, timezone.now()
    shown = _preview_of(request, subject, typed.chosen, lines) if _wants_preview(data) else None
    return {
        "item_rows": item_rows(subject.dataset, asked.items, data),
        "asked_conditions": condition_words(subject, asked.row_condition),
        "lines": lines,
        "provisions": legal_bases.REFUSAL,
        "clocks": clock_lines(subject, at),
        "preview": shown,
        "weighing": weighing_for(request.user, subject, at, typed_terms(subject, asked, typed)),
        "can_fill": queries.return_flow_of(subject) is None,
        "rounds": subject.offers.count(),
        "previous": asked_before(request.user, subject)["previous"],
        "templates": queries.templates_for(subject.dataset, request.user, at),  # type: ignore[arg-type]
        **_rules(subject),
        **_watermark(),
    }


def _filled(
    request: HttpRequest, subject: SharingRequest, asked: Decision, lines: ConditionLines
) -> QueryDict:
    """Write a template, or the least data, into what was typed; the clerk sends it or does not."""
    data, user = request.POST, request.user
    if "fill_template" in data:
        chosen = data.get("template", "")
        found = queries.templates_for(subject.dataset, user)  # type: ignore[arg-type]
        template = get_object_or_404(
            found, pk=int(chosen) if chosen.isascii() and chosen.isdigit() else 0
        )
        return with_template(data, queries.filled_from(template, asked), template.name, lines)
    typed = Typed(chosen_items(asked.items, data), lines, data)
    return filled(data, least_data_for(typed_terms(subject, asked, typed), timezone.now()))


def _rules(subject: SharingRequest) -> dict[str, Any]:
    """What the opinion on this request is bound by: a second person, an urgent order."""
    return {
        "needs_second": queries.needs_second_review(subject),
        "is_blind": queries.is_reviewed_blind(subject),
        "urgency": queries.urgency_of(subject),
        "flow": queries.return_flow_of(subject),
    }


def _sent_to(subject: SharingRequest, outcome: str, is_second: bool) -> str:  # noqa: FBT001
    if outcome == "offer":
        return _("协商条件已送使用部门负责人答复")
    if is_second and subject.status == "reviewing":
        return _("两份独立意见不一致，已公开并退回合议")
    if is_second:
        return _("两份独立意见一致，已送负责人签发")
    if queries.sealed_opinion(subject) is not None:
        return _("处理意见已封存，等另一人写出独立意见后同时公开")
    if subject.status == "awaiting_second_review":
        return _("处理意见已送复核")
    return _("处理意见已送负责人签发")


def _condition_lines(subject: SharingRequest, asked: Decision, data: Any) -> ConditionLines:
    latest = queries.latest_decision(subject)
    added = [
        entry
        for entry in (latest.row_condition if latest else [])
        if entry not in asked.row_condition
    ]
    return ConditionLines.of(subject.dataset, initial=added, data=data)


def _is_ready(form: ProposeForm, lines: ConditionLines) -> bool:
    return all([form.is_valid(), lines.is_valid()])


def _written(
    request: HttpRequest, subject: SharingRequest, form: ProposeForm, typed: Typed
) -> dict[str, Any]:
    """Return what was written as the operations take it."""
    written = form.cleaned_data
    narrowing: dict[str, Any] = {}
    if written["outcome"] != "refuse" and queries.return_flow_of(subject) is None:
        narrowing = {
            "items": typed.chosen,
            "row_condition": typed.lines.as_json(),
            "ends_on": written["ends_on"],
            "mode": mode_wanted(written),
            **written_limits(written),
        }
    return {
        "request": subject,
        "actor": request.user,
        "reason": written["reason"],
        "revision": written["revision"],
        **narrowing,
    }


def _send_second(
    request: HttpRequest, subject: SharingRequest, form: ProposeForm, typed: Typed
) -> bool:
    common = _written(request, subject, form, typed)
    outcome, basis = form.cleaned_data["outcome"], form.cleaned_data["legal_basis"]
    return done(
        request,
        form,
        lambda at: sharing.opine(outcome=outcome, legal_basis=basis, at=at, **common),
    )


def _send(request: HttpRequest, subject: SharingRequest, form: ProposeForm, typed: Typed) -> bool:
    written, common = form.cleaned_data, _written(request, subject, form, typed)
    if written["outcome"] == "offer":
        return done(request, form, lambda at: sharing.offer(at=at, **common))
    return done(
        request,
        form,
        lambda at: sharing.propose(
            outcome=written["outcome"],
            at=at,
            legal_basis=written["legal_basis"],
            missing_papers=written["missing_papers"],
            **common,
        ),
    )


def _wants_preview(data: Any) -> bool:
    return data is not None and "preview" in data


def _preview_of(
    request: HttpRequest, subject: SharingRequest, chosen: Mapping[str, str], lines: ConditionLines
) -> dict[str, Any]:
    """Read the first rows that these terms would give; what cannot be shown is said in words."""
    asked = queries.asked_terms(subject)
    conditions = [*(asked.row_condition if asked else []), *lines.as_json()]
    try:
        shown = sharing.preview(
            request=subject,
            actor=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
            items=chosen,
            row_condition=conditions,
            limit=PREVIEW_ROWS,
        )
    except DomainError as error:
        return {"error": str(error)}
    return {"shown": shown, "conditions": condition_words(subject, conditions)}


def _watermark() -> dict[str, Any]:
    """What lies across rows of personal data on a screen: who looks, and when.

    Source: GB/T 45574-2025
    """
    return {"marks": range(WATERMARKS), "seen_at": timezone.now()}


@login_required
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Show exactly the rows and masks that the consumer would get under the terms as they stand."""
    subject = subject_or_404(request, pk)
    if not access.allowed(request.user, "preview", subject):
        raise PermissionDenied
    terms = queries.latest_decision(subject) or queries.asked_terms(subject)
    context: dict[str, Any] = {"subject": subject, "terms": terms, **_watermark()}
    try:
        context["shown"] = sharing.preview(
            request=subject,
            actor=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
            limit=PREVIEW_ROWS,
        )
    except DomainError as error:
        context["error"] = str(error)
    if terms is not None:
        context["conditions"] = condition_words(subject, terms.row_condition)
    return render(request, "sharing/request_preview.html", context)


@login_required
def route(request: HttpRequest, pk: int) -> HttpResponse:
    """Lay down through whose hands the matter goes inside the department."""
    subject = subject_or_404(request, pk)
    if not access.allowed(request.user, "route", subject):
        raise PermissionDenied
    form = RouteForm(request.POST or None, colleagues=_colleagues(request.user))
    if request.method == "POST" and form.is_valid():
        try:
            sharing.route(
                request=subject,
                actor=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
                steps=form.steps(),
            )
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("已安排内部流转"))
            return redirect("sharing:request", pk=pk)
    return render(request, "sharing/request_route.html", {"subject": subject, "form": form})


@login_required
def handle_step(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Give an opinion, hand over, ask for co-signing, or send back."""
    subject = subject_or_404(request, pk)
    step = get_object_or_404(RouteStep, pk=number, request=subject)
    if not access.allowed(request.user, "handle_step", step):
        raise PermissionDenied
    user: Any = request.user
    form = StepForm(request.POST or None, colleagues=_colleagues(user))
    is_sent = request.method == "POST" and form.is_valid()
    if is_sent and done(request, form, lambda at: _handle(step, user, form.cleaned_data, at)):
        messages.success(request, _("已办理：%(title)s") % {"title": step.title})
        return redirect("sharing:request", pk=pk)
    context = {"subject": subject, "step": step, "form": form}
    return render(request, "sharing/request_step.html", context)


def _handle(step: RouteStep, actor: Any, written: dict[str, Any], at: Any) -> None:
    people = list(written["people"])
    extra: dict[str, Any] = {}
    if written["action"] == "forward":
        extra = {"to": people[0]}
    elif written["action"] == "co_sign":
        extra = {"people": people}
    operation = getattr(sharing, written["action"])
    operation(step=step, actor=actor, at=at, opinion=written["opinion"], **extra)


def _colleagues(user: Any) -> Any:
    return User.objects.filter(
        department=user.department_id, is_active=True, kind=User.Kind.PERSON
    ).exclude(pk=user.pk)
