"""What is asked when a district wants its rows back, and when an entry's region item is named."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import InformationSystem


class ReturnFlowForm(forms.Form):
    """For which system, and what for; basis, rows, way and period are given."""

    system = forms.ModelChoiceField(
        label=_("使用系统"),
        queryset=InformationSystem.objects.none(),
        empty_label=_("选择使用数据的信息系统"),
        error_messages={"required": _("选择使用系统")},
    )
    scenario = forms.CharField(
        label=_("使用场景"),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("填写使用场景")},
    )
    scope = forms.CharField(
        label=_("使用范围"),
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("填写使用范围")},
    )

    def __init__(self, *args: Any, department: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        systems = InformationSystem.objects.in_service().filter(department=department)
        self.fields["system"].queryset = systems  # type: ignore[attr-defined]


class RegionItemForm(forms.Form):
    """Which item tells the region that a record is about."""

    column_name = forms.ChoiceField(
        label=_("区划数据项"),
        help_text=_("保存六位行政区划代码的数据项。区县按它申请回流本区域的记录。"),
        error_messages={"required": _("选择区划数据项")},
    )

    def __init__(self, *args: Any, choices: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["column_name"].choices = choices  # type: ignore[attr-defined]
