"""What is asked for a matter as a whole, and when several requests are acted on at once."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import InformationSystem
from apps.catalog.models import ServiceItem
from apps.sharing.forms.limits import DayInput
from apps.sharing.models import Mode, RequestPackage, TermsTemplate


class NewPackageForm(forms.Form):
    """Which matter, for which of the department's systems; what is asked for comes from the basket.

    Fields beside: `datasets`, the keys that are ticked.
    """

    title = forms.CharField(
        label=_("事项名称"),
        max_length=200,
        help_text=_("要办成的一件事，如“新生儿出生一件事”。各提供部门都会看到。"),
        error_messages={"required": _("填写事项名称")},
    )
    service_item = forms.ModelChoiceField(
        label=_("政务服务事项"),
        queryset=ServiceItem.objects.none(),
        required=False,
        empty_label=_("不对应政务服务事项"),
    )
    system = forms.ModelChoiceField(
        label=_("使用系统"),
        queryset=InformationSystem.objects.none(),
        empty_label=_("选择使用数据的信息系统"),
        help_text=_("各项数据的授权都只给这一个系统。"),
        error_messages={"required": _("选择使用系统")},
    )

    def __init__(self, *args: Any, department: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["service_item"].queryset = ServiceItem.objects.filter(  # type: ignore[attr-defined]
            department=department
        )
        systems = InformationSystem.objects.in_service().filter(department=department)
        self.fields["system"].queryset = systems  # type: ignore[attr-defined]


class CommonForm(forms.ModelForm):  # type: ignore[type-arg]
    """What the parts of a matter have in common; everything may be completed later.

    Source: 《政务数据共享条例》第二十条
    """

    revision = forms.IntegerField(widget=forms.HiddenInput)

    class Meta:
        model = RequestPackage
        fields = (
            *("title", "service_item", "basis", "scenario", "scope"),
            *("mode", "starts_on", "ends_on"),
        )
        widgets = {
            "basis": forms.Textarea(attrs={"rows": 4}),
            "scenario": forms.Textarea(attrs={"rows": 3}),
            "scope": forms.Textarea(attrs={"rows": 3}),
            "mode": forms.RadioSelect,
            "starts_on": DayInput(),
            "ends_on": DayInput(),
        }
        help_texts = {
            "basis": _("法律、法规、规章或者三定职责的名称和条款。可从下面选取后补充。"),
            "scenario": _("这件事在哪个环节用到这些数据。"),
            "scope": _("哪些人、哪些岗位使用，结果给到谁；不得超出这里写明的范围。"),
            "mode": _("个别数据要用别的方式的，在那一部分的“用途”里改。"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["mode"].choices = Mode.choices  # type: ignore[attr-defined]
        self.fields["service_item"].queryset = ServiceItem.objects.filter(  # type: ignore[attr-defined]
            department=self.instance.consumer_id
        )
        self.fields["service_item"].empty_label = _("不对应政务服务事项")  # type: ignore[attr-defined]


class TogetherForm(forms.Form):
    """One act on several requests. Fields beside: `rows` and `revision-<key>` of each."""

    OUTCOMES = [
        ("agree", _("同意：按各件申请的数据项和范围提供")),
        ("narrow", _("部分同意：按授权条款模板，各件只收窄、不放宽")),
        ("refuse", _("不予共享：写明理由和依据")),
    ]
    outcome = forms.ChoiceField(
        label=_("处理意见"),
        choices=OUTCOMES,
        widget=forms.RadioSelect,
        error_messages={"required": _("选择处理意见")},
    )
    template = forms.ModelChoiceField(
        label=_("授权条款模板"),
        queryset=TermsTemplate.objects.none(),
        required=False,
        empty_label=_("选择模板"),
        help_text=_("部分同意时必选；模板不收窄某一件的，那一件按申请内容同意。"),
    )
    reason = forms.CharField(
        label=_("理由"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    legal_basis = forms.CharField(
        label=_("不予共享的依据"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("不予共享必填：法律、行政法规或者国务院决定的名称和条款。"),
    )

    def __init__(self, *args: Any, act: str, templates: Any, needs_reason: bool, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.act = act
        if act != "propose":
            for name in ("outcome", "template", "legal_basis"):
                del self.fields[name]
            self.fields["reason"].required = needs_reason
            if not needs_reason:
                self.fields["reason"].label = _("附言")
            return
        self.fields["reason"].help_text = _("部分同意和不予共享必填，会送达各使用部门。")
        if templates is None or not templates.exists():
            del self.fields["template"]
            choices = [pair for pair in self.OUTCOMES if pair[0] != "narrow"]
            self.fields["outcome"].choices = choices  # type: ignore[attr-defined]
        else:
            self.fields["template"].queryset = templates  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        outcome = cleaned.get("outcome", "")
        if outcome in ("narrow", "refuse") and not cleaned.get("reason", "").strip():
            self.add_error("reason", _("填写理由"))
        if outcome == "refuse" and not cleaned.get("legal_basis", "").strip():
            self.add_error("legal_basis", _("填写不予共享的依据"))
        if outcome == "narrow" and cleaned.get("template") is None:
            self.add_error("template", _("选择授权条款模板"))
        return cleaned
