"""More time to answer a request: asked by the provider, consented to by the authority."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core import access
from apps.sharing import operations as sharing
from apps.sharing.forms.moves import ConsentForm, ExtensionForm
from apps.sharing.models import DeadlineExtension
from apps.sharing.views.detail import clock_lines, subject_or_404
from apps.sharing.views.moves import done


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
        is_consent = form.cleaned_data["consented"] == "yes"
        messages.success(request, _("已同意延期") if is_consent else _("未同意延期，原时限不变"))
        return redirect("sharing:request", pk=pk)
    context = {
        "subject": subject,
        "extension": extension,
        "form": form,
        "clocks": clock_lines(subject, timezone.now()),
    }
    return render(request, "sharing/request_consent.html", context)
