"""What is asked when a credential is offered, replaced or taken away."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import InformationSystem, User
from apps.sharing import queries
from apps.sharing.forms.limits import DayInput
from apps.sharing.models import Credential
from apps.sharing.operations.serving.credentials import MOST_OVERLAP_DAYS


class IssueForm(forms.Form):
    """An offer; whoever names himself sees the secret at once."""

    environment = forms.ChoiceField(
        label=_("环境"),
        choices=Credential.Environment.choices,
        help_text=_("测试环境只读到虚构的数据；试调成功之后再签发生产环境的凭证。"),
    )
    holder = forms.ModelChoiceField(
        label=_("保管人"),
        queryset=User.objects.none(),
        help_text=_("密钥只向保管人本人显示一次。"),
    )
    security_contact = forms.ModelChoiceField(
        label=_("安全联系人"),
        queryset=User.objects.none(),
        help_text=_("凭证到期、作废时，与保管人一同得到通知。"),
    )
    note = forms.CharField(
        label=_("用途备注"),
        max_length=100,
        help_text=_("写明用在哪台服务器或哪项任务，吊销时据此辨认。"),
    )
    days = forms.IntegerField(
        label=_("有效天数"),
        min_value=1,
        required=False,
        help_text=_("不填的，测试环境 180 天，生产环境 365 天，这也是最长的期限。"),
    )
    untested_reason = forms.CharField(
        label=_("不经测试的理由"),
        max_length=300,
        required=False,
        help_text=_("还没有试调成功就签发生产环境的凭证，须写明理由。"),
    )

    def __init__(self, *args: Any, system: InformationSystem, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people: Any = queries.members_of(system)
        for name in ("holder", "security_contact"):
            self.fields[name].queryset = people  # type: ignore[attr-defined]
            self.fields[name].initial = actor.pk
        tried = queries.was_tried(system)
        self.fields["environment"].initial = "production" if tried else "test"
        if tried:
            del self.fields["untested_reason"]


class ReplaceForm(forms.Form):
    ends_on = forms.DateField(label=_("旧凭证截止日期"), widget=DayInput())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        today: date = timezone.localdate()
        self.fields["ends_on"].initial = today + timedelta(days=7)
        self.fields["ends_on"].help_text = _(
            "到这一天为止新旧两个凭证都能用，至多 %(days)s 天。"
        ) % {"days": MOST_OVERLAP_DAYS}


class RevokeForm(forms.Form):
    reason = forms.CharField(label=_("吊销理由"), widget=forms.Textarea(attrs={"rows": 3}))


class VoidForm(forms.Form):
    reason = forms.CharField(label=_("作废原因"), max_length=300)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].initial = _("密钥疑似泄露，紧急作废")
