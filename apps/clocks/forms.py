"""Entering the schedule of a year as it stands in the State Council's notice."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.clocks.models import CalendarYear

MARKS = {"休": False, "班": True}


class YearForm(forms.ModelForm[CalendarYear]):
    """One line a day: 2027-01-01 休 元旦, or 2027-01-09 班 元旦 for a make-up working day."""

    days = forms.CharField(
        label=_("放假与调休"),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 16}),
        help_text=_("每行一天：日期、休或班、节日名称，用空格分开，如“2027-01-01 休 元旦”"),
    )

    class Meta:
        model = CalendarYear
        fields = ("year", "source")

    def clean_days(self) -> list[tuple[date, bool, str]]:
        lines = enumerate(self.cleaned_data["days"].splitlines(), start=1)
        return [_parsed(number, line) for number, line in lines if line.strip()]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        year = cleaned.get("year")
        strays = [day for day, _works, _note in cleaned.get("days", []) if day.year != year]
        if year is not None and strays:
            self.add_error("days", _("%(day)s不在该年内") % {"day": strays[0].isoformat()})
        return cleaned


def _parsed(number: int, line: str) -> tuple[date, bool, str]:
    words = line.split(maxsplit=2)
    try:
        day = date.fromisoformat(words[0])
    except ValueError:
        day = None
    if day is None or len(words) != 3 or words[1] not in MARKS:
        raise forms.ValidationError(
            _("第 %(number)d 行写作“%(line)s”，应如“2027-01-01 休 元旦”")
            % {"number": number, "line": line.strip()}
        )
    return day, MARKS[words[1]], words[2].strip()[:60]
