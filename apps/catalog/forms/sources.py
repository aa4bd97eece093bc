"""What is asked when a source is named and a seeming duplicate is decided."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department
from apps.catalog.models import Duplicate
from apps.core.lifecycle import Move
from apps.standards.models import DataElement


class DuplicateMoveForm(forms.Form):
    """Decides a seeming duplicate: the source where one is named, and always the reason."""

    department = forms.ModelChoiceField(
        label=_("数源部门"),
        queryset=Department.objects.none(),
        empty_label=_("选择数源部门"),
        help_text=_("由它采集并对数据负责，另一部门改为共享取得。"),
    )
    subject = forms.CharField(
        label=_("是什么数据"), max_length=100, help_text=_("数源认定的名称，如“政府采购”。")
    )
    reason = forms.CharField(
        label=_("理由"), max_length=500, widget=forms.Textarea(attrs={"rows": 4})
    )
    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, move: Move, duplicate: Duplicate, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if move.name != "name_source":
            del self.fields["department"], self.fields["subject"]
            return
        field: Any = self.fields["department"]
        field.queryset = Department.objects.filter(
            pk__in=[duplicate.first.department_id, duplicate.second.department_id]
        )
        self.fields["reason"].label = _("依据")
        self.fields["reason"].help_text = _("如三定规定、会议纪要、文件名称和文号。")


class CommentForm(forms.Form):
    text = forms.CharField(
        label=_("意见"), max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )


class DesignationForm(forms.Form):
    """Names a source without a duplicate that led to it."""

    subject = forms.CharField(
        label=_("是什么数据"), max_length=100, help_text=_("如“婚姻登记”“机动车”。")
    )
    department = forms.ModelChoiceField(
        label=_("数源部门"),
        queryset=Department.objects.filter(valid_to=None),
        empty_label=_("选择数源部门"),
    )
    data_element = forms.ModelChoiceField(
        label=_("数据元"),
        queryset=DataElement.objects.all(),
        required=False,
        empty_label=_("（不限于某个数据元）"),
        help_text=_("凡采用这个数据元的数据项，都以数源部门的为准。"),
    )
    basis = forms.CharField(
        label=_("依据"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("如三定规定、会议纪要、文件名称和文号。"),
    )


class EndForm(forms.Form):
    reason = forms.CharField(
        label=_("终止的理由"), max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )
