"""What is asked when a change of an entry in force is begun, or its time extended."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.catalog.forms.fields import DayInput
from apps.catalog.models import TriggerKind
from apps.catalog.operations import Trigger


class BeginChangeForm(forms.Form):
    """Why the entry is changed, and the occasion that obliges the department to, if there is one.

    Source: 《政务数据共享条例》第十七条
    """

    reason = forms.CharField(
        label=_("变更说明"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("为什么改、改了什么，审核人会看到。"),
    )
    trigger_kind = forms.ChoiceField(
        label=_("触发事项"),
        choices=[("", _("没有，日常修改")), *TriggerKind.choices],
        required=False,
        help_text=_("因法律法规或者职能调整而修改的须登记：自发生之日起 10 个工作日内完成更新。"),
    )
    triggered_on = forms.DateField(
        label=_("发生日期"), required=False, widget=DayInput(), help_text=_("时限自这一天起算。")
    )
    trigger_note = forms.CharField(
        label=_("法规或文件"),
        required=False,
        max_length=256,
        help_text=_("名称和文号。"),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        day = cleaned.get("triggered_on")
        if cleaned.get("trigger_kind") and day is None and "triggered_on" not in self.errors:
            self.add_error("triggered_on", _("登记触发事项的，须填写发生日期"))
        if day is not None and not cleaned.get("trigger_kind"):
            self.add_error("trigger_kind", _("请选择触发事项"))
        if day is not None and day > timezone.localdate():
            self.add_error("triggered_on", _("触发事项的发生日期不能晚于今天"))
        return cleaned

    def trigger(self) -> Trigger | None:
        """Return the occasion that was written down."""
        written = self.cleaned_data
        if not written["trigger_kind"]:
            return None
        return Trigger(written["trigger_kind"], written["triggered_on"], written["trigger_note"])


class ExtendForm(forms.Form):
    """How many working days longer, and why."""

    length = forms.IntegerField(
        label=_("延长的工作日"),
        min_value=1,
        max_value=5,
        help_text=_("至多 5 个工作日，只延长一次。"),
    )
    reason = forms.CharField(label=_("理由"), widget=forms.Textarea(attrs={"rows": 3}))
