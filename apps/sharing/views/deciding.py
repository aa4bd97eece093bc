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
from apps.catalog import queries as catalog
from apps.core import access
from apps.core.errors import DomainError
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.forms import legal_bases
from apps.sharing.forms.conditions import ConditionLines
from apps.sharing.forms.limits import written_limits
from apps.sharing.forms.moves import (
    ConsentForm,
    ExtensionForm,
    ProposeForm,
    RouteForm,
    StepForm,
    mode_wanted,
)
from apps.sharing.lifecycle import REQUEST
from apps.sharing.models import (
    DeadlineExtension,
    Decision,
    RouteStep,
    SharingRequest,
    limits_of,
)
from apps.sharing.queries.weighing import least_data_for
from apps.sharing.views.detail import clock_lines, condition_words, subject_or_404
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
    user: Any = request.user
    if not access.allowed(user, "propose", subject):
        raise PermissionDenied
    if subject.status not in REQUEST.move("propose").sources:
        messages.error(
            request,
            _("当前状态为“%(status)s”，不能提出处理意见")
            % {"status": subject.get_status_display()},
        )
        return redirect("sharing:request", pk=pk)
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
    form = ProposeForm(data if wants_to_send else None, initial=usual | ProposeForm.typed(data))
    chosen = chosen_items(asked.items, data)
    if wants_to_send and _is_ready(form, lines) and _send(request, subject, form, chosen, lines):
        messages.success(request, _sent_to(subject))
        return redirect("sharing:request", pk=pk)
    if wants_to_send:
        subject.refresh_from_db()
        freshen(form, subject.revision)
    context = {
        "subject": subject,
        "form": form,
        "is_fresh": data is None,
        "is_filled": is_filled,
        "asked": asked,
        **_beside(request, subject, asked, Typed(chosen, lines, data)),
    }
    return render(request, "sharing/request_propose.html", context)


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
        "can_fill": True,
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
    return filled(data, least_data_for(typed_terms(subject, asked, typed)))


def _rules(subject: SharingRequest) -> dict[str, Any]:
    """What the opinion on this request is bound by: a second person, an urgent order."""
    return {
        "needs_second": queries.needs_second_review(subject),
        "urgency": queries.urgency_of(subject),
    }


def _sent_to(subject: SharingRequest) -> str:
    if subject.status == "awaiting_second_review":
        return _("处理意见已送复核")
    return _("处理意见已送负责人签发")


def _condition_lines(subject: SharingRequest, asked: Decision, data: Any) -> ConditionLines:
    contract = catalog.contract_of(subject.dataset)
    latest = queries.latest_decision(subject)
    added = [
        entry
        for entry in (latest.row_condition if latest else [])
        if entry not in asked.row_condition
    ]
    return ConditionLines(contract.columns, initial=added, data=data)


def _is_ready(form: ProposeForm, lines: ConditionLines) -> bool:
    return all([form.is_valid(), lines.is_valid()])


def _send(
    request: HttpRequest,
    subject: SharingRequest,
    form: ProposeForm,
    chosen: dict[str, str],
    lines: ConditionLines,
) -> bool:
    written = form.cleaned_data
    narrowing: dict[str, Any] = {}
    if written["outcome"] == "narrow":
        narrowing = {
            "items": chosen,
            "row_condition": lines.as_json(),
            "ends_on": written["ends_on"],
            "mode": mode_wanted(written),
            **written_limits(written),
        }
    return done(
        request,
        form,
        lambda at: sharing.propose(
            request=subject,
            outcome=written["outcome"],
            actor=request.user,  # type: ignore[arg-type]
            at=at,
            reason=written["reason"],
            legal_basis=written["legal_basis"],
            missing_papers=written["missing_papers"],
            revision=written["revision"],
            **narrowing,
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
def extend(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the authority for more time to answer."""
    subject = subject_or_404(request, pk)
    if not access.allowed(request.user, "extend", subject):
        raise PermissionDenied
    form = ExtensionForm(request.POST or None)
    is_sent = request.method == "POST" and form.is_valid()
    if is_sent and done(
        request,
        form,
        lambda at: sharing.extend(
            request=subject,
            actor=request.user,  # type: ignore[arg-type]
            at=at,
            **form.cleaned_data,
        ),
    ):
        messages.success(request, _("延期申请已送主管部门审批"))
        return redirect("sharing:request", pk=pk)
    context = {"subject": subject, "form": form, "clocks": clock_lines(subject, timezone.now())}
    return render(request, "sharing/request_extend.html", context)


@login_required
def consent(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """The authority consents to more time, or does not."""
    subject = subject_or_404(request, pk)
    extension = get_object_or_404(DeadlineExtension, pk=number, request=subject)
    if not access.allowed(request.user, "consent_extension", extension):
        raise PermissionDenied
    form = ConsentForm(request.POST or None)
    is_sent = request.method == "POST" and form.is_valid()
    if is_sent and done(
        request,
        form,
        lambda at: sharing.consent_extension(
            extension=extension,
            consented=form.cleaned_data["consented"] == "yes",
            actor=request.user,  # type: ignore[arg-type]
            at=at,
            reason=form.cleaned_data["remark"],
        ),
    ):
        messages.success(request, _("延期申请已审批"))
        return redirect("sharing:request", pk=pk)
    context = {
        "subject": subject,
        "extension": extension,
        "form": form,
        "clocks": clock_lines(subject, timezone.now()),
    }
    return render(request, "sharing/request_consent.html", context)


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
