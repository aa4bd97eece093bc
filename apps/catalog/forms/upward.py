"""What is asked when the catalogue is reported upward, and for a request for upper data."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.catalog.forms.fields import DayInput
from apps.catalog.models import UpperLevel, UpperRequest, UpwardMapping
from apps.core.lifecycle import Move


class LevelForm(forms.Form):
    level = forms.ChoiceField(label=_("上级"), choices=UpperLevel.choices)


class MappingForm(forms.ModelForm[UpwardMapping]):
    class Meta:
        model = UpwardMapping
        fields = (
            "national_code",
            "provincial_code",
            "classification",
            "attribute",
            "cycle",
            "format",
            "note",
        )
        widgets = {"note": forms.Textarea(attrs={"rows": 2})}


class SendForm(forms.Form):
    outside_number = forms.CharField(label=_("上级受理编号"), max_length=100, required=False)
    revision = forms.IntegerField(widget=forms.HiddenInput)


class DiscardForm(forms.Form):
    reason = forms.CharField(label=_("作废理由"), max_length=500)
    revision = forms.IntegerField(widget=forms.HiddenInput)


class ReceiptForm(forms.Form):
    file = forms.FileField(
        label=_("回执文件"),
        help_text=_("csv、xlsx、xls 或 json；表头：目录代码、回执、上级目录代码、说明。"),
    )


class UpperImportForm(LevelForm):
    file = forms.FileField(
        label=_("上级目录文件"),
        help_text=_(
            "csv、xlsx、xls 或 json；表头：上级目录代码、目录名称、提供部门、摘要、数据项、"
            "共享属性、更新周期、本市目录代码。"
        ),
    )


class UpperRequestForm(forms.ModelForm[UpperRequest]):
    class Meta:
        model = UpperRequest
        fields = ("scenario", "basis", "items", "contact_name", "contact_phone")
        widgets = {
            name: forms.Textarea(attrs={"rows": 3}) for name in ("scenario", "basis", "items")
        }


TOLD: Final = ("forward", "agree", "refuse", "deliver")


class UpperMoveForm(forms.Form):
    """Confirms a move; where the level above said something, what it said and when."""

    outside_number = forms.CharField(label=_("上级受理编号"), max_length=100, required=False)
    outside_on = forms.DateField(label=_("上级办理日期"), required=False, widget=DayInput())
    reason = forms.CharField(
        label=_("说明"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, move: Move, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if move.name not in TOLD:
            del self.fields["outside_on"]
        else:
            self.fields["reason"].label = _("上级办理情况")
        if move.name != "forward":
            del self.fields["outside_number"]
        self.fields["reason"].required = move.reason
