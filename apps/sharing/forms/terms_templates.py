"""Terms kept ready for a dataset: their name, when they fit, and how far they reach."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.sharing.forms.limits import LimitFields
from apps.sharing.models import TermsTemplate


class TemplateForm(LimitFields):
    """Items and rows stand beside it on the page."""

    name = forms.CharField(
        label=_("模板名称"), max_length=40, help_text=_("如“只核对资格”“资助名单”。")
    )
    note = forms.CharField(
        label=_("适用情形"),
        max_length=200,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("哪些申请宜用这些条款。"),
    )
    validity_months = forms.IntegerField(
        label=_("使用时限（月）"),
        required=False,
        min_value=1,
        max_value=TermsTemplate.LONGEST_MONTHS,
        help_text=_("自开始使用之日起；留空时按申请的时限。"),
    )
    is_verify_only = forms.BooleanField(
        label=_("只供核验"),
        required=False,
        help_text=_("只回答提交的值是否相符，不提供记录；主键须保留明文，用来找记录。"),
    )
    is_recommended = forms.BooleanField(
        label=_("推荐给使用部门"),
        required=False,
        help_text=_("起草申请的部门看得到名称、适用情形和条款；每个目录只推荐一个。"),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    @classmethod
    def typed(cls, data: Any) -> dict[str, Any]:
        """Return what was typed so far, when only a line was added."""
        ticks = ("is_verify_only", "is_recommended", "may_redistribute")
        typed = {name: data[name] for name in cls.base_fields if name in data}
        return typed | {name: name in data for name in ticks}
