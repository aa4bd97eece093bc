"""Whether a grant is still needed, and what it was used for."""

from django import forms
from django.utils.translation import gettext_lazy as _


class NeedForm(forms.Form):
    """Why the consumer goes on needing the grant."""

    reason = forms.CharField(
        label=_("继续使用的理由"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("写明办理什么事项、何时使用；提供部门据此复核或恢复。"),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput)


class NarrowAllForm(forms.Form):
    """Why several grants are narrowed to what was used of them."""

    reason = forms.CharField(
        label=_("收窄的理由"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("会送达各使用部门。"),
    )


class UsageReportForm(forms.Form):
    """The use of one grant in one half-year.

    Source: 《政务数据共享条例》第二十五条
    """

    scenario = forms.CharField(
        label=_("使用场景"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("办理了什么事项，与申请的用途是否一致。"),
    )
    effect = forms.CharField(
        label=_("使用成效"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("如核验多少件、减少多少份证明材料。"),
    )
    storage = forms.CharField(
        label=_("存放位置"),
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("数据存放在哪个系统、保存多久；不留存的，写“不留存”。"),
    )
    disposal = forms.CharField(
        label=_("处置情况"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("不再需要的数据怎样删除或归还；授权已结束的必填。"),
    )
