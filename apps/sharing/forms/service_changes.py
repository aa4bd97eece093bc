"""The notice of a change to a live service, the consumer's answer, the authority's filing."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.sharing.forms.limits import DayInput
from apps.sharing.forms.moves import AnswerForm, NarrowForm
from apps.sharing.models import ServiceChange


class ChangeForm(NarrowForm):
    """Narrower terms or a stop, from a day on."""

    KINDS = [
        ("narrow", _("收窄：减少数据项、加严脱敏、缩小范围、缩短时限或者加严限额")),
        ("stop", _("停止服务：生效日期起终止授权")),
    ]
    kind = forms.ChoiceField(
        label=_("变更"),
        choices=KINDS,
        widget=forms.RadioSelect,
        error_messages={"required": _("选择变更")},
    )
    effective_on = forms.DateField(
        label=_("生效日期"),
        widget=DayInput(),
        help_text=_("须在使用部门的答复期限之后；主管部门备案晚于这一天的，备案后生效。"),
    )
    reason = forms.CharField(
        label=_("变更的理由"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("写明法律、职责或者数据来源的变化，会送达使用部门和主管部门。"),
    )


class ChangeAnswerForm(AnswerForm):
    """The consumer's answer."""

    ANSWERS = (
        ("agree_change", _("同意：送主管部门备案，按期变更")),
        ("object_change", _("有异议：由主管部门决定是否准予变更")),
    )
    AGAINST = "object_change"
    LACKING = _("写明异议的理由，如受影响的业务和所需的过渡时间")


class ChangeFilingForm(AnswerForm):
    """The authority's filing; over an objection it takes words, too."""

    ANSWERS = (
        ("file_change", _("备案：到生效日期由平台变更")),
        ("refuse_change", _("不予变更：服务照旧")),
    )
    AGAINST = "refuse_change"
    LACKING = _("写明不予变更的理由")

    def __init__(self, *args: Any, change: ServiceChange, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.has_objection = change.status == ServiceChange.Status.OBJECTED

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.has_objection and not cleaned.get("reason", "").strip():
            self.add_error("reason", _("使用部门有异议，写明理由"))
        return cleaned


class WithdrawChangeForm(forms.Form):
    """The provider takes the change back."""

    reason = forms.CharField(label=_("撤回的理由"), widget=forms.Textarea(attrs={"rows": 3}))
