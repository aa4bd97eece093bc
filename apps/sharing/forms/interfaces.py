"""A provider's service as its department describes it."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.core.contracts import Contract
from apps.sharing.gateway.filters import OPERATORS
from apps.sharing.models import Interface
from apps.sharing.models.interfaces import LONGEST_SECONDS, MOST_PAGE_ROWS

PARAMETER_ROWS: Final = 5
OPERATOR_WORDS: Final = {
    "eq": _("等于"),
    "gte": _("不小于"),
    "lte": _("不大于"),
    "gt": _("大于"),
    "lt": _("小于"),
    "in": _("是其中之一（逗号分隔）"),
    "prefix": _("以此开头"),
}
_PLACE: Final = ("name", "reason", "url", "method", "timeout_seconds", "hours_from", "hours_to")
_PAGING: Final = ("paging", "page_parameter", "size_parameter", "first_page", "page_rows")
_SIGN: Final = ("sign", "username", "header_name", "secret")


class ClockInput(forms.TimeInput):
    input_type = "time"


class InterfaceForm(forms.Form):
    """Where the service is and how it is asked; items and parameters stand as rows of fields."""

    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)
    name = forms.CharField(label=_("接口名称"), max_length=100)
    reason = forms.CharField(
        label=_("不落地的理由"),
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("如：上级平台统一提供，不得留存。责任看板上会显示。"),
    )
    url = forms.CharField(
        label=_("接口地址"),
        max_length=1000,
        help_text=_("以 https:// 开头；内网地址须由系统管理员放行。"),
    )
    method = forms.ChoiceField(label=_("方法"), choices=Interface.Method.choices)
    timeout_seconds = forms.IntegerField(
        label=_("最长等待（秒）"), min_value=1, max_value=LONGEST_SECONDS, initial=5
    )
    hours_from = forms.TimeField(label=_("服务时间起"), required=False, widget=ClockInput())
    hours_to = forms.TimeField(
        label=_("服务时间止"),
        required=False,
        widget=ClockInput(),
        help_text=_("可以跨过零点；全天服务的不填。"),
    )
    sign = forms.ChoiceField(label=_("鉴权方式"), choices=Interface.Sign.choices)
    username = forms.CharField(
        label=_("用户名"),
        max_length=128,
        required=False,
        help_text=_("鉴权方式为用户名和口令的填写。"),
    )
    header_name = forms.CharField(
        label=_("请求头名称"), max_length=100, required=False, help_text=_("如 X-Api-Key。")
    )
    secret = forms.CharField(
        label=_("密钥"),
        max_length=2000,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("令牌、口令或请求头的值。加密保存，不再显示；修改时不填则不变。"),
    )
    paging = forms.ChoiceField(
        label=_("翻页方式"),
        choices=Interface.Paging.choices,
        initial=Interface.Paging.NONE,
        required=False,
        help_text=_("接口须按固定的次序给出记录；翻页期间数据变动的，可能重复或者遗漏。"),
    )
    page_parameter = forms.CharField(
        label=_("页码或者略过条数的参数"),
        max_length=100,
        required=False,
        help_text=_("如 page、pageNum、offset；不翻页的不填。"),
    )
    size_parameter = forms.CharField(
        label=_("每页条数的参数"),
        max_length=100,
        required=False,
        help_text=_("如 size、pageSize、limit；接口的每页条数不能指定的不填。"),
    )
    first_page = forms.IntegerField(
        label=_("首页的页码"),
        min_value=0,
        max_value=1,
        required=False,
        initial=1,
        help_text=_("0 或者 1；按略过的条数翻页的不看。"),
    )
    page_rows = forms.IntegerField(
        label=_("每页条数"),
        min_value=1,
        max_value=MOST_PAGE_ROWS,
        required=False,
        help_text=_("每次取多少条；翻页的必填。"),
    )
    rows_path = forms.CharField(
        label=_("记录所在的位置"),
        max_length=200,
        required=False,
        help_text=_("回答里记录列表的路径，逐级以点相连，如 data.list；回答就是列表的不填。"),
    )
    test_query = forms.CharField(
        label=_("测试用例"),
        max_length=1000,
        required=False,
        help_text=_("能取得记录的筛选条件，写法同数据接口，如 uscc=91500154MA00098218。"),
    )

    def __init__(self, *args: Any, contract: Contract, chosen: Any = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self.contract = contract
        self.fields["revision"].required = chosen is not None
        items = chosen.items if chosen else {}
        for column in contract.columns:
            self.fields[f"item-{column.name}"] = forms.CharField(
                label=column.label,
                help_text=column.name,
                max_length=200,
                required=False,
                initial=items.get(column.name, ""),
            )
        known = chosen.parameters if chosen else []
        for number in range(max(PARAMETER_ROWS, len(known) + 2)):
            self._add_parameter(number, known[number] if number < len(known) else {})

    def _add_parameter(self, number: int, known: dict[str, Any]) -> None:
        items: list[tuple[str, Any]] = [("", _("固定值"))]
        items += [(column.name, column.label) for column in self.contract.columns]
        parts: dict[str, forms.Field] = {
            "name": forms.CharField(label=_("参数名称"), max_length=100, required=False),
            "item": forms.ChoiceField(label=_("取自筛选"), choices=items, required=False),
            "operator": forms.ChoiceField(
                label=_("条件"), choices=list(OPERATOR_WORDS.items()), required=False
            ),
            "fixed": forms.CharField(label=_("固定值"), max_length=500, required=False),
            "required": forms.BooleanField(label=_("必填"), required=False),
        }
        for name, field in parts.items():
            field.initial = known.get(name)
            self.fields[f"parameter-{number}-{name}"] = field

    @property
    def groups(self) -> list[tuple[Any, list[Any]]]:
        return [
            (_("接口"), [self[name] for name in _PLACE]),
            (_("鉴权"), [self[name] for name in _SIGN]),
            (_("翻页"), [self[name] for name in _PAGING]),
        ]

    @property
    def mapping(self) -> list[Any]:
        return [self[name] for name in self.fields if name.startswith("item-")]

    @property
    def parameter_rows(self) -> list[list[Any]]:
        parts = ("name", "item", "operator", "fixed", "required")
        return [[self[f"parameter-{n}-{part}"] for part in parts] for n in self._numbers()]

    def terms(self) -> dict[str, Any]:
        """Return what was said, without the secret."""
        given = self.cleaned_data
        given["paging"] = given["paging"] or Interface.Paging.NONE
        if given["first_page"] is None:
            given["first_page"] = 1
        plain = (*_PLACE, *_SIGN[:-1], *_PAGING, "rows_path", "test_query")
        return {
            **{name: given[name] for name in plain},
            "items": {
                column.name: given[f"item-{column.name}"].strip()
                for column in self.contract.columns
            },
            "parameters": [each for n in self._numbers() if (each := self._parameter(n))],
        }

    def _numbers(self) -> range:
        return range(sum(name.endswith("-fixed") for name in self.fields))

    def _parameter(self, number: int) -> dict[str, Any] | None:
        given = {
            part: self.cleaned_data[f"parameter-{number}-{part}"]
            for part in ("name", "item", "operator", "fixed", "required")
        }
        name = given["name"].strip()
        if not name:
            return None
        operator = given["operator"] if given["operator"] in OPERATORS.values() else "eq"
        return {
            "name": name,
            "item": given["item"],
            "operator": operator if given["item"] else "",
            "fixed": "" if given["item"] else given["fixed"],
            "required": bool(given["item"]) and given["required"],
        }
