"""What rules, indicators and reasons are called on screens and in the API.

Two counts of doubles are kept apart by their words: 0303 counts records of one delivered file
whose business key stands in it again, 0304 rows of the table that are alike in a rule's columns.

Source: GB/T 36344-2018 (indicators); the sentences are a house rule
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalog.models import Dataset
from apps.quality.models import Dimension, Indicator, QualityRule, RuleKind
from apps.standards.checks import CHECKS
from apps.standards.types import DataType

MEANINGS: Final[dict[str, str | Promise]] = {
    Indicator.DATA_STANDARD: gettext_lazy("类型、格式、长度合乎数据标准的值 ÷ 有值的记录"),
    Indicator.DATA_MODEL: gettext_lazy("合乎数据模型的记录 ÷ 记录"),
    Indicator.METADATA: gettext_lazy("合乎元数据的记录 ÷ 记录"),
    Indicator.BUSINESS_RULE: gettext_lazy("合乎业务规则（取值范围、列间关系）的记录 ÷ 适用的记录"),
    Indicator.REFERENCE_DATA: gettext_lazy("取值在代码集内的值 ÷ 有值的记录"),
    Indicator.SECURITY_NORM: gettext_lazy("合乎安全规范的记录 ÷ 记录"),
    Indicator.ELEMENTS: gettext_lazy("必填项已填写的记录 ÷ 记录"),
    Indicator.RECORDS: gettext_lazy("现有记录 ÷ 应有记录"),
    Indicator.CONTENT: gettext_lazy("通过标识符校验等内容核对的值 ÷ 有值的记录"),
    Indicator.FORMAT: gettext_lazy("格式合规的值 ÷ 有值的记录"),
    Indicator.DUPLICATES: gettext_lazy(
        "重复指：同一次提交的文件里，主键与后面的记录相同的记录，这些记录不入库。"
        "得分 = 1 − 重复的记录 ÷ 文件的记录"
    ),
    Indicator.UNIQUENESS: gettext_lazy(
        "重复指：数据表里，规则所列各列取值相同的记录，同一组的每一条都计，包括第一条。"
        "得分 = 不重复的记录 ÷ 记录"
    ),
    Indicator.DIRTY_DATA: gettext_lazy("得分 = 1 − 未通过校验的记录 ÷ 文件的记录"),
    Indicator.SAME_DATUM: gettext_lazy("与另一数据表的同一数据一致的记录 ÷ 对得上的记录"),
    Indicator.RELATED_DATA: gettext_lazy("在另一数据表里有对应的记录 ÷ 有值的记录"),
    Indicator.BY_PERIOD: gettext_lazy("在有效期内的值 ÷ 有值的记录"),
    Indicator.BY_POINT: gettext_lazy("按更新周期如期更新的数据表 ÷ 数据表"),
    Indicator.ORDER: gettext_lazy("时间先后合理的记录 ÷ 适用的记录"),
    Indicator.OBTAINABLE: gettext_lazy("能够取得的次数 ÷ 读取的次数"),
    Indicator.USABLE: gettext_lazy("能够使用的次数 ÷ 读取的次数"),
}

KIND_HELP: Final[dict[str, tuple[str | Promise, str | Promise]]] = {
    RuleKind.REQUIRED: (gettext_lazy("这一列不得为空"), gettext_lazy("“联系电话”必须填写")),
    RuleKind.LENGTH: (
        gettext_lazy("文字的字数在限度之内"),
        gettext_lazy("“姓名”2 至 20 个字"),
    ),
    RuleKind.TYPE: (
        gettext_lazy("存成文字的列，内容应能读作数字或者日期"),
        gettext_lazy("“批准日期”应是日期"),
    ),
    RuleKind.CODE_LIST: (
        gettext_lazy("取值应在标准的代码集或者逐个列出的代码之内"),
        gettext_lazy("“性别”取 GB/T 2261.1 的代码"),
    ),
    RuleKind.IDENTIFIER: (
        gettext_lazy("按标识符的校验位和构成核对"),
        gettext_lazy("“身份证号”末位校验正确"),
    ),
    RuleKind.RANGE: (
        gettext_lazy("数值或者日期在上下限之内"),
        gettext_lazy("“补助金额”不小于 0，不大于 5000"),
    ),
    RuleKind.PATTERN: (
        gettext_lazy("文字合乎一个格式表达式"),
        gettext_lazy("“证书编号”写作 P 加 8 位数字：P[0-9]{8}"),
    ),
    RuleKind.CROSS_COLUMN: (
        gettext_lazy("同一条记录的几列之间应有的关系，可以带前提"),
        gettext_lazy("“状态”为“注销”的，“注销日期”不得为空，且不早于“登记日期”"),
    ),
    RuleKind.REFERENCE_IN_TIME: (
        gettext_lazy("代码在那一天是有效的；代码集里停用的代码不算"),
        gettext_lazy("“行政区划代码”在“登记日期”当天有效"),
    ),
    RuleKind.UNIQUE: (
        gettext_lazy(
            "数据表里，所选各列的取值不得相同。与“提交文件内主键重复”不同：那是一个文件里的重复"
        ),
        gettext_lazy("“手机号”不得为两个人所有"),
    ),
    RuleKind.CROSS_TABLE: (
        gettext_lazy("在另一目录的数据表里应有对应的记录，或者同一数据应当一致"),
        gettext_lazy("“统一社会信用代码”应在企业登记信息里，且“名称”一致"),
    ),
    RuleKind.FRESHNESS: (
        gettext_lazy("按目录约定的更新周期更新；整张表算一个评价对象"),
        gettext_lazy("每月更新的，本月应有一次交付或者无变化确认"),
    ),
    RuleKind.POPULATION: (
        gettext_lazy("现有记录数不少于应有记录数；不填时按责任清单约定的条数"),
        gettext_lazy("全市养老机构应有 1,850 条"),
    ),
}
"""What each kind that people may add looks at, and an example in the field's words."""

INDICATOR_OF_KIND: Final[dict[str, str]] = {
    RuleKind.REQUIRED: Indicator.ELEMENTS,
    RuleKind.LENGTH: Indicator.DATA_STANDARD,
    RuleKind.TYPE: Indicator.DATA_STANDARD,
    RuleKind.CODE_LIST: Indicator.REFERENCE_DATA,
    RuleKind.IDENTIFIER: Indicator.CONTENT,
    RuleKind.RANGE: Indicator.BUSINESS_RULE,
    RuleKind.PATTERN: Indicator.DATA_STANDARD,
    RuleKind.CROSS_COLUMN: Indicator.BUSINESS_RULE,
    RuleKind.REFERENCE_IN_TIME: Indicator.BY_PERIOD,
    RuleKind.UNIQUE: Indicator.UNIQUENESS,
    RuleKind.CROSS_TABLE: Indicator.RELATED_DATA,
    RuleKind.FRESHNESS: Indicator.BY_POINT,
    RuleKind.POPULATION: Indicator.RECORDS,
}
"""Where a rule of the kind counts unless somebody says otherwise."""

COMPARISONS: Final[dict[str, str | Promise]] = {
    "eq": gettext_lazy("等于"),
    "ne": gettext_lazy("不等于"),
    "in": gettext_lazy("属于"),
    "gte": gettext_lazy("不小于（不早于）"),
    "lte": gettext_lazy("不大于（不晚于）"),
    "gt": gettext_lazy("大于（晚于）"),
    "lt": gettext_lazy("小于（早于）"),
    "prefix": gettext_lazy("开头是"),
    "is_null": gettext_lazy("为空"),
}


def indicator_label(code: str) -> str:
    """Return "0303 数据重复率"."""
    return f"{code} {Indicator(code).label}"


def dimension_label(code: str) -> str:
    return str(Dimension(code).label)


def in_words(
    rule: QualityRule, labels: Mapping[str, str], *, datasets: Mapping[str, str] | None = None
) -> str:
    """Say what a rule asks in one sentence.

    labels: column → the item's Chinese name; a column without one is called by its own name.
    datasets: code → name, for rules about another table.
    A contract's rule is named by a sentence already: empty.
    """
    if rule.origin == QualityRule.Origin.CONTRACT:
        return ""
    told = rule.parameters
    named = _named(rule.columns, labels)
    say = _OF_ONE_VALUE.get(rule.kind)
    return say(named, told) if say else _wider(rule, labels, datasets or {})


def _required(named: str, told: Mapping[str, Any]) -> str:
    return _("%(columns)s必须填写") % {"columns": named}


def _length(named: str, told: Mapping[str, Any]) -> str:
    return _("%(columns)s的字数%(bounds)s") % {"columns": named, "bounds": _bounds(told)}


def _range(named: str, told: Mapping[str, Any]) -> str:
    return _("%(columns)s%(bounds)s") % {"columns": named, "bounds": _bounds(told)}


def _readable(named: str, told: Mapping[str, Any]) -> str:
    return _("%(columns)s应是%(type)s") % {"columns": named, "type": _type(told)}


def _identified(named: str, told: Mapping[str, Any]) -> str:
    return _("%(columns)s通过%(check)s") % {"columns": named, "check": _check(told)}


def _shaped(named: str, told: Mapping[str, Any]) -> str:
    pattern = told.get("pattern", "")
    return _("%(columns)s的格式为 %(pattern)s") % {"columns": named, "pattern": pattern}


def _wider(rule: QualityRule, labels: Mapping[str, str], datasets: Mapping[str, str]) -> str:
    """Say what a rule asks that looks beyond one value."""
    told = rule.parameters
    named = _named(rule.columns, labels)
    match rule.kind:
        case RuleKind.CROSS_COLUMN:
            return _relation(told, labels)
        case RuleKind.REFERENCE_IN_TIME:
            on = _named([told["on"]], labels) if told.get("on") else _("检查日")
            return _("%(columns)s是代码集“%(codes)s”里在%(on)s当天有效的代码") % {
                "columns": named,
                "codes": told.get("code_list", ""),
                "on": on,
            }
        case RuleKind.UNIQUE:
            return _("数据表里%(columns)s的取值不得相同") % {"columns": named}
        case RuleKind.CROSS_TABLE:
            return _counterpart(told, labels, datasets)
        case RuleKind.FRESHNESS:
            return _("按更新周期更新")
        case RuleKind.POPULATION if told.get("expected"):
            return _("应有 %(rows)s 条记录") % {"rows": f"{int(told['expected']):,}"}
        case RuleKind.POPULATION:
            return _("应有责任清单约定的记录数")
        case _:
            return str(rule.get_kind_display())


def labels_of(dataset: Dataset) -> dict[str, str]:
    """Return column → Chinese name of a dataset's items, in one statement."""
    return dict(dataset.items.values_list("column_name", "name"))


def _named(columns: Sequence[str], labels: Mapping[str, str]) -> str:
    return "、".join(f"“{labels.get(name, name)}”" for name in columns)


def _bounds(told: Mapping[str, Any]) -> str:
    parts = []
    if told.get("minimum") is not None:
        parts.append(_("不小于 %(bound)s") % {"bound": told["minimum"]})
    if told.get("maximum") is not None:
        parts.append(_("不大于 %(bound)s") % {"bound": told["maximum"]})
    return _("，").join(parts) or _("在目录约定的限度之内")


def _type(told: Mapping[str, Any]) -> str:
    code = str(told.get("type", ""))
    return str(DataType(code).label) if code in DataType.values else _("目录约定的类型")


def _check(told: Mapping[str, Any]) -> str:
    name = str(told.get("check", ""))
    return str(CHECKS[name].label) if name in CHECKS else _("标识符校验")


def _codes(named: str, told: Mapping[str, Any]) -> str:
    if told.get("code_list"):
        return _("%(columns)s在代码集“%(codes)s”之内") % {
            "columns": named,
            "codes": told["code_list"],
        }
    codes = [str(code) for code in told.get("codes", ())]
    if not codes:
        return _("%(columns)s在目录约定的代码之内") % {"columns": named}
    shown = "、".join(codes[:8]) + ("…" if len(codes) > 8 else "")
    return _("%(columns)s是 %(codes)s 之一") % {"columns": named, "codes": shown}


def _relation(told: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    then = _("，且").join(_condition(one, labels) for one in told.get("then", ()))
    when = _("，且").join(_condition(one, labels) for one in told.get("when", ()))
    return _("%(when)s的，%(then)s") % {"when": when, "then": then} if when else then


def _condition(one: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    item = _named([one["item"]], labels)
    if one["operator"] == "is_null":
        words = _("%(item)s为空") if one.get("value") is not False else _("%(item)s不为空")
        return words % {"item": item}
    if one.get("other"):
        value = _named([one["other"]], labels)
    elif isinstance(one.get("value"), list):
        value = "、".join(str(part) for part in one["value"])
    else:
        value = str(one.get("value", ""))
    comparison = COMPARISONS.get(one["operator"], one["operator"])
    facts = {"item": item, "comparison": comparison, "value": value}
    return _("%(item)s%(comparison)s %(value)s") % facts


def _counterpart(
    told: Mapping[str, Any], labels: Mapping[str, str], datasets: Mapping[str, str]
) -> str:
    code = str(told.get("dataset", ""))
    words = {
        "columns": _named(list(told.get("match", ())), labels),
        "dataset": datasets.get(code, code),
        "same": _named(list(told.get("same", ())), labels),
    }
    if told.get("same"):
        return _("%(columns)s与“%(dataset)s”对得上的，%(same)s应当一致") % words
    return _("%(columns)s在“%(dataset)s”里应有对应的记录") % words


_OF_ONE_VALUE: Final[dict[str, Callable[[str, Mapping[str, Any]], str]]] = {
    RuleKind.REQUIRED: _required,
    RuleKind.LENGTH: _length,
    RuleKind.RANGE: _range,
    RuleKind.TYPE: _readable,
    RuleKind.CODE_LIST: _codes,
    RuleKind.IDENTIFIER: _identified,
    RuleKind.PATTERN: _shaped,
}
