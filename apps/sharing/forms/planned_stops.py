"""What is asked when a stop is announced, taken back or ended."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.templatetags.dates import minute


class MinuteInput(forms.DateTimeInput):
    """A day and a time of day, as the browser's own field writes them."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M", attrs={"step": "60"})


class StopForm(forms.Form):
    """From when to when, and why; shorter notice than usual says why, too."""

    starts_at = forms.DateTimeField(label=_("开始时间"), widget=MinuteInput())
    ends_at = forms.DateTimeField(
        label=_("预计结束时间"),
        widget=MinuteInput(),
        help_text=_("一次至多 7 日。到时自动恢复；提前恢复的，到时点“提前结束”。"),
    )
    reason = forms.CharField(
        label=_("停机原因"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("写明做什么，如机房断电、数据库升级；会送达使用部门和凭证保管人。"),
    )
    short_notice_reason = forms.CharField(
        label=_("提前不足的理由"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, usual_from: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["short_notice_reason"].help_text = _(
            "早于 %(day)s 开始的，须写明理由，随公告一同送达。"
        ) % {"day": minute(usual_from)}
        earliest = timezone.localtime().strftime("%Y-%m-%dT%H:%M")
        for name in ("starts_at", "ends_at"):
            self.fields[name].widget.attrs["min"] = earliest


class StopEndForm(forms.Form):
    """Why it is taken back, or ended before its time."""

    reason = forms.CharField(
        label=_("理由"), max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, is_running: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = _("提前结束的说明") if is_running else _("撤回的理由")
