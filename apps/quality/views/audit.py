"""The audit report of a dataset over a period, made to be printed."""

from datetime import date, timedelta
from typing import Any, Final

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Dataset
from apps.core import access
from apps.ledger import operations as ledger
from apps.quality.queries.audit import Audit, audit_of

DAYS: Final = 30
MOST_DAYS: Final = 370


class PeriodForm(forms.Form):
    """Two days, both included; a year at most."""

    begin = forms.DateField(label=_("起"), widget=forms.DateInput(attrs={"type": "date"}))
    end = forms.DateField(label=_("止"), widget=forms.DateInput(attrs={"type": "date"}))

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        begin, end = found.get("begin"), found.get("end")
        if begin and end and not timedelta() <= end - begin <= timedelta(days=MOST_DAYS):
            self.add_error("end", _("止日不早于起日，期间不超过一年"))
        return found


@login_required
def audit(request: HttpRequest, code: str) -> HttpResponse:
    """All that was changed, landed and doubted in the period; that it was drawn is recorded."""
    user: Any = request.user
    at = timezone.now()
    dataset: Dataset = get_object_or_404(
        access.rows(user, "view_landing", Dataset, at=at).select_related("department"),
        code=code.replace("-", "/"),
    )
    today = timezone.localdate(at)
    first = {"begin": today - timedelta(days=DAYS), "end": today}
    form = PeriodForm(request.GET if "begin" in request.GET else None, initial=first)
    period: dict[str, date] | None = first
    if form.is_bound:
        period = form.cleaned_data if form.is_valid() else None
    report: Audit | None = None
    if period is not None:
        report = audit_of(dataset, period["begin"], period["end"])
        ledger.record(
            user,
            "quality.draw_audit",
            dataset,
            at=at,
            details={name: value.isoformat() for name, value in period.items()},
        )
    context = {"dataset": dataset, "form": form, "period": period, "report": report, "at": at}
    return render(request, "quality/audit.html", context)
