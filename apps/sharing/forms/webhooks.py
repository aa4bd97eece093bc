"""What is asked when a system's address for events is registered."""

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.sharing.models import WebhookEvent


class WebhookForm(forms.Form):
    url = forms.CharField(
        label=_("推送地址"),
        max_length=500,
        widget=forms.URLInput,
        help_text=_("系统接收事件的 https 地址；内网地址须由系统管理员放行。"),
    )
    events = forms.MultipleChoiceField(
        label=_("事件"),
        choices=[each for each in WebhookEvent.choices if each[0] != WebhookEvent.PING],
        widget=forms.CheckboxSelectMultiple,
        initial=[each for each in WebhookEvent.values if each != WebhookEvent.PING],
    )
