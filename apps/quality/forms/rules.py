"""A rule of each kind, asked for in the words of the field; SQL is nowhere typed."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.core.contracts import Column, Contract
from apps.quality.forms.lines import ConditionLines, PairLines
from apps.quality.models import AT_LANDING_KINDS, Indicator, RuleKind, Severity
from apps.quality.wording import INDICATOR_OF_KIND, KIND_HELP, indicator_label
from apps.standards.checks import CHECK_CHOICES
from apps.standards.types import DataType

TEXTS: Final = "CMG"
DAYS: Final = "DT"
ADDABLE: Final = tuple(KIND_HELP)
"""Kinds that people add; the others come of the contract or of delivered files alone."""

_FITTING: Final[dict[str, str]] = {
    **dict.fromkeys(("length", "type", "code_list", "identifier", "pattern"), TEXTS),
    "reference_in_time": TEXTS,
    "range": "NYIBFDT",
    "required": "CMGNYIBFDTL",
}
_CHOOSE: Final = ("", _("请选择"))


class RuleForm(forms.Form):
    """Name, columns and what a rule of the kind is told; `given` is what operations take.

    codes: the code lists there are, (code, name). others: datasets to compare with, (code, name);
    theirs: the columns of the one that is chosen.
    """

    name = forms.CharField(label=_("规则名称"), max_length=120)
    indicator = forms.ChoiceField(
        label=_("评价指标"), help_text=_("这条规则的结果计入哪一项指标。")
    )

    def __init__(
        self,
        *args: Any,
        kind: str,
        contract: Contract,
        codes: Sequence[tuple[str, str]] = (),
        others: Sequence[tuple[str, str]] = (),
        theirs: Sequence[Column] = (),
        stored: Mapping[str, Any] | None = None,
        is_change: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        self.contract = contract
        self.lines: dict[str, ConditionLines] = {}
        self.pairs: dict[str, PairLines] = {}
        indicator: Any = self.fields.pop("indicator")
        self._ask_of_kind(codes, others, theirs, stored or {})
        indicator.choices = [(code, indicator_label(code)) for code in Indicator.values]
        indicator.initial = INDICATOR_OF_KIND.get(kind, "")
        self.fields["indicator"] = indicator
        if kind in AT_LANDING_KINDS:
            self.fields["severity"] = forms.ChoiceField(
                label=_("处理方式"),
                choices=Severity.choices,
                initial=Severity.WARN,
                help_text=_(
                    "“不予入库”和“暂存待核”对以后提交的文件起作用；已经入库的记录只作提示。"
                ),
            )
        if is_change:
            self._ask_of_change()

    def given(self) -> dict[str, Any]:
        """Return columns and parameters as `apps.quality.parameters` takes them, and the rest."""
        cleaned = self.cleaned_data
        columns = cleaned.get("columns") or [cleaned["column"]] if self._names_columns else []
        return {
            "name": cleaned["name"],
            "columns": columns,
            "parameters": self._parameters(),
            "indicator": cleaned["indicator"],
            "severity": cleaned.get("severity") or Severity.WARN.value,
        }

    @property
    def _names_columns(self) -> bool:
        return "column" in self.fields or "columns" in self.fields

    def _parameters(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        told = {
            name: cleaned[name]
            for name in ("minimum", "maximum", "type", "check", "pattern", "on", "code_list",
                         "dataset", "expected")
            if cleaned.get(name) not in (None, "")
        }  # fmt: skip
        if cleaned.get("codes"):
            told["codes"] = cleaned["codes"].replace("，", "\n").replace("、", "\n").split()
        for name, lines in self.lines.items():
            told[name] = lines.as_json()
        for name, pairs in self.pairs.items():
            told[name] = pairs.as_json()
        return told

    def _ask_of_kind(
        self,
        codes: Sequence[tuple[str, str]],
        others: Sequence[tuple[str, str]],
        theirs: Sequence[Column],
        stored: Mapping[str, Any],
    ) -> None:
        fields = self.fields
        match self.kind:
            case RuleKind.UNIQUE:
                fields["columns"] = forms.MultipleChoiceField(
                    label=_("合起来不得重复的列"),
                    choices=self._columns(_FITTING["required"]),
                    widget=forms.CheckboxSelectMultiple,
                )
            case RuleKind.CROSS_COLUMN:
                self._ask_conditions(stored)
            case RuleKind.CROSS_TABLE:
                fields["dataset"] = forms.ChoiceField(
                    label=_("对照的目录"), choices=[_CHOOSE, *others]
                )
                self._ask_pairs(theirs, stored)
            case RuleKind.FRESHNESS:
                pass
            case RuleKind.POPULATION:
                fields["expected"] = forms.IntegerField(
                    label=_("应有记录数"),
                    min_value=1,
                    required=False,
                    help_text=_("不填时，按责任清单里约定的记录数。"),
                )
            case _:
                fields["column"] = forms.ChoiceField(
                    label=_("列"), choices=[_CHOOSE, *self._columns(_FITTING[self.kind])]
                )
                self._ask_of_column(codes)

    def _ask_of_column(self, codes: Sequence[tuple[str, str]]) -> None:
        fields = self.fields
        match self.kind:
            case RuleKind.LENGTH:
                fields["minimum"] = _whole(_("最少几个字"))
                fields["maximum"] = _whole(_("最多几个字"))
            case RuleKind.RANGE:
                example = _("数值写作 5000，日期写作 2026-01-01；上下限至少填一个。")
                fields["minimum"] = forms.CharField(label=_("下限"), required=False)
                fields["maximum"] = forms.CharField(
                    label=_("上限"), required=False, help_text=example
                )
            case RuleKind.TYPE:
                others = [choice for choice in DataType.choices if choice[0] not in TEXTS]
                fields["type"] = forms.ChoiceField(label=_("应能读作"), choices=others)
            case RuleKind.CODE_LIST:
                fields["code_list"] = _code_list(codes, required=False)
                fields["codes"] = forms.CharField(
                    label=_("或者逐个列出"),
                    required=False,
                    widget=forms.Textarea(attrs={"rows": 4}),
                    help_text=_("一行一个，如：甲、乙、丙。选了代码集的，不用再列。"),
                )
            case RuleKind.IDENTIFIER:
                fields["check"] = forms.ChoiceField(label=_("校验规则"), choices=CHECK_CHOICES)
            case RuleKind.PATTERN:
                fields["pattern"] = forms.CharField(
                    label=_("格式表达式"),
                    max_length=200,
                    help_text=_("如 P[0-9]{8}：字母 P 加 8 位数字。须与整个值相符。"),
                )
            case RuleKind.REFERENCE_IN_TIME:
                fields["code_list"] = _code_list(codes, required=True)
                fields["on"] = forms.ChoiceField(
                    label=_("以哪一列的日期为准"),
                    choices=[("", _("检查当天")), *self._columns(DAYS)],
                    required=False,
                )

    def _ask_conditions(self, stored: Mapping[str, Any]) -> None:
        data = self.data if self.is_bound else None
        for name, blank in (("when", 1), ("then", 1)):
            self.lines[name] = ConditionLines(
                name,
                self.contract.columns,
                initial=stored.get(name, ()),
                data=data,
                blank=blank + int("add_line" in self.data),
            )

    def _ask_pairs(self, theirs: Sequence[Column], stored: Mapping[str, Any]) -> None:
        data = self.data if self.is_bound else None
        for name in ("match", "same"):
            self.pairs[name] = PairLines(
                name, self.contract.columns, theirs, initial=stored.get(name), data=data
            )

    def _ask_of_change(self) -> None:
        self.fields["reason"] = forms.CharField(
            label=_("为什么修改"),
            required=False,
            max_length=500,
            widget=forms.Textarea(attrs={"rows": 2}),
        )
        self.fields["version"] = forms.IntegerField(widget=forms.HiddenInput)

    def _columns(self, types: str) -> list[tuple[str, str]]:
        return [
            (column.name, f"{column.label}（{column.name}）")
            for column in self.contract.columns
            if column.type in types
        ]


def _whole(label: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=0, required=False)


def _code_list(codes: Sequence[tuple[str, str]], *, required: bool) -> forms.ChoiceField:
    return forms.ChoiceField(label=_("代码集"), choices=[_CHOOSE, *codes], required=required)
