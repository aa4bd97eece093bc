"""What is asked when a supplier's account is opened, extended or closed."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.sharing.forms.limits import DayInput
from apps.sharing.models import SupplierAccount
from apps.sharing.models.suppliers import LONGEST_DAYS


class SupplierForm(forms.Form):
    """Who of which firm, on what contract, from which day to which."""

    name = forms.CharField(label=_("姓名"), max_length=50)
    username = forms.CharField(
        label=_("用户名"), max_length=150, help_text=_("登录用，开通后不能更改。")
    )
    phone = forms.CharField(label=_("联系电话"), max_length=30, required=False)
    firm = forms.CharField(label=_("供应商"), max_length=100)
    basis = forms.CharField(
        label=_("合同或者依据"), max_length=300, help_text=_("合同名称和编号，或者委托书。")
    )
    starts_on = forms.DateField(label=_("开始日期"), widget=DayInput())
    ends_on = forms.DateField(
        label=_("截止日期"),
        widget=DayInput(),
        help_text=_("到期自动关闭，一次至多 %(days)s 天。") % {"days": LONGEST_DAYS},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        today = timezone.localdate()
        kwargs.setdefault("initial", {"starts_on": today, "ends_on": today + timedelta(days=90)})
        super().__init__(*args, **kwargs)


class ExtendSupplierForm(forms.Form):
    ends_on = forms.DateField(label=_("新的截止日期"), widget=DayInput())
    basis = forms.CharField(label=_("合同或者依据"), max_length=300)

    def __init__(self, *args: Any, account: SupplierAccount, **kwargs: Any) -> None:
        kwargs["initial"] = {"basis": account.basis}
        super().__init__(*args, **kwargs)


class CloseSupplierForm(forms.Form):
    reason = forms.CharField(
        label=_("关闭的理由"), max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )
