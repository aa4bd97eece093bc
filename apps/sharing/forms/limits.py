"""How much, from where, handed on or not: the same fields wherever terms are written."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from apps.core.errors import InvalidInput
from apps.sharing.models import LIMIT_FIELDS
from apps.sharing.operations.deciding.limits import HIGHEST, checked_addresses


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class AddressLines(forms.Textarea):
    """A list of networks, one a line."""

    def format_value(self, value: Any) -> str:
        return "\n".join(value) if isinstance(value, list) else str(value or "")


class AddressesField(forms.CharField):
    """Networks, one a line; what is typed stays as it is when one of them is none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=AddressLines(attrs={"rows": 3}), required=False, **kwargs)

    def clean(self, value: Any) -> list[str]:
        text = super().clean(value)
        lines = [line.strip() for line in text.replace(",", "\n").splitlines()]
        try:
            return checked_addresses([line for line in lines if line])
        except InvalidInput as error:
            raise ValidationError(str(error)) from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed("\n".join(initial or []), data)


def _number(name: str, label: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=1, max_value=HIGHEST[name])


class LimitFields(forms.Form):
    """The limits of a use; everything may stay empty."""

    calls_a_day = _number("calls_a_day", _("每日调用次数上限"))
    rows_a_day = _number("rows_a_day", _("每日记录条数上限"))
    calls_a_minute = _number("calls_a_minute", _("每分钟调用次数上限"))
    allowed_addresses = AddressesField(
        label=_("允许的来源地址"),
        help_text=_(
            "一行一个 IP 地址或网段，如 10.20.0.0/16。其他地址的调用一律拒绝；不限时留空。"
        ),
    )
    may_redistribute = forms.BooleanField(
        label=_("允许在使用部门内部再分发"),
        required=False,
        help_text=_("本部门的其他系统可以使用取得的数据；不允许的，只限申请的系统使用。"),
    )


def written_limits(cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """Return the limits among what a form was given."""
    return {name: cleaned[name] for name in LIMIT_FIELDS if name in cleaned}
