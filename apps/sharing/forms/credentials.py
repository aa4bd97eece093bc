"""What is asked when a credential is issued or taken away."""

from django import forms
from django.utils.translation import gettext_lazy as _


class IssueForm(forms.Form):
    note = forms.CharField(
        label=_("用途备注"),
        max_length=100,
        help_text=_("写明用在哪台服务器或哪项任务，吊销时据此辨认。"),
    )


class RevokeForm(forms.Form):
    reason = forms.CharField(label=_("吊销理由"), widget=forms.Textarea(attrs={"rows": 3}))
