"""What is asked about an urgent request: the order, its papers, the review afterwards."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.sharing.models import Urgency
from apps.sharing.operations.deciding.urgent import LONGEST_HOURS


class UrgentForm(forms.Form):
    """The authority's order."""

    kind = forms.ChoiceField(
        label=_("急件类型"), choices=Urgency.Kind.choices, widget=forms.RadioSelect
    )
    hours = forms.IntegerField(
        label=_("答复时限（小时）"),
        min_value=1,
        max_value=LONGEST_HOURS,
        initial=24,
        help_text=_("至多 72 小时，自列为急件时起连续计时，含夜间和休息日。"),
        error_messages={
            "min_value": _("急件的答复时限至少 1 小时"),
            "max_value": _("急件的答复时限至多 72 小时"),
        },
    )
    reason = forms.CharField(
        label=_("急件依据"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("写明事件、应急响应或者上级来文的名称和文号；提供部门和使用部门都会看到。"),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput)


class BackfillForm(forms.Form):
    """What the asking department handed in afterwards."""

    reason = forms.CharField(
        label=_("补办说明"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("逐条写明补办了哪些材料；材料先作为附件添加。"),
    )


class UrgentReviewForm(forms.Form):
    """The authority's finding afterwards."""

    justified = forms.ChoiceField(
        label=_("审查结论"),
        choices=[("yes", _("确属紧急")), ("no", _("不属紧急"))],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("事后审查意见"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("双方部门会收到；不属紧急的计入统计。"),
    )

    def clean_justified(self) -> bool:
        answer: Any = self.cleaned_data["justified"]
        return bool(answer == "yes")
