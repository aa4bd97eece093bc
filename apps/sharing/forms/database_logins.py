"""What is asked when a database login is shut."""

from django import forms
from django.utils.translation import gettext_lazy as _


class CloseLoginForm(forms.Form):
    reason = forms.CharField(label=_("关闭原因"), max_length=300)
