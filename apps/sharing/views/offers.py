"""One round of a negotiation: answered by the one side, taken back by the other."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core import access
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.forms.offers import OfferAnswerForm, RetractOfferForm
from apps.sharing.models import Offer, SharingRequest
from apps.sharing.views.detail import clock_lines, subject_or_404
from apps.sharing.views.moves import done
from apps.sharing.views.negotiation import versions_beside


@login_required
def offer(request: HttpRequest, pk: int, version: int) -> HttpResponse:
    """Answer a round, or take it back; anybody else who may see the request reads it here."""
    subject = subject_or_404(request, pk)
    made = queries.offers_of(subject).filter(version=version).first()
    if made is None:
        raise Http404
    user: Any = request.user
    form = _form(request, subject, made)
    if form is not None and request.method == "POST" and form.is_valid():
        move = form.cleaned_data.get("answer", "retract_offer")
        operate = getattr(sharing, move)
        words = form.cleaned_data["reason"]
        if done(
            request,
            form,
            lambda at: operate(request=subject, version=version, actor=user, at=at, reason=words),
        ):
            messages.success(request, _said(move, SharingRequest.objects.get(pk=subject.pk)))
            return redirect("sharing:request", pk=pk)
    at = timezone.now()
    context = {
        "subject": subject,
        "offer": made,
        "form": form,
        "is_answer": isinstance(form, OfferAnswerForm),
        "beside": versions_beside(
            subject,
            list(queries.offers_of(subject)),
            with_opinion=access.allowed(request.user, "read_opinions", subject),
        ),
        "answer_clocks": clock_lines(made, at),
        "clocks": clock_lines(subject, at),
    }
    return render(request, "sharing/request_offer.html", context)


def _form(
    request: HttpRequest, subject: SharingRequest, made: Offer
) -> OfferAnswerForm | RetractOfferForm | None:
    if made.status != Offer.Status.OPEN:
        return None
    if access.allowed(request.user, "accept_offer", subject):
        return OfferAnswerForm(request.POST or None)
    if access.allowed(request.user, "retract_offer", subject):
        return RetractOfferForm(request.POST or None)
    return None


def _said(move: str, subject: SharingRequest) -> str:
    is_confirmed_first = subject.status == SharingRequest.Status.AWAITING_SECOND_REVIEW
    return {
        "accept_offer": _("已接受协商条件，送提供部门复核、签发")
        if is_confirmed_first
        else _("已接受协商条件，送提供部门签发"),
        "decline_offer": _("已答复：不接受协商条件"),
        "retract_offer": _("已收回协商条件"),
    }[move]
