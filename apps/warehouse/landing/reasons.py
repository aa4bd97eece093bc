"""What is wrong with a row, in words a clerk can act on."""

import calendar
import re
from collections.abc import Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.standards.checks import CHECKS
from apps.standards.normalisers import SCIENTIFIC
from apps.warehouse.landing.rules import Rule

_SHOWN_CHARACTERS = 60

# Rules of the contract: words that follow the item and its value.
_RULE_WORDS: dict[str, str | Promise] = {
    "cell_too_large": _("内容超过 %(limit)s 字节"),
    "too_long": _("共 %(characters)s 个字符，超过规定的 %(length)s 个"),
    "not_an_integer": _("不是整数，或者超出范围"),
    "not_a_datetime": _("不是日历上有的日期和时间，应写成 2019-05-10 08:30:00"),
    "not_a_boolean": _("不是“是”或“否”"),
    "pattern_mismatch": _("与规定的格式不符（%(pattern)s）"),
    "not_in_codes": _("不在代码集内，可用的有 %(codes)s"),
    "below_minimum": _("小于下限 %(bound)s"),
    "above_maximum": _("大于上限 %(bound)s"),
    "key_too_long": _("主键各列合计超过 %(limit)s 字节"),
    "digits_lost": _(
        "是科学计数法，末尾的数字可能已经丢失，不能还原；在来源系统中把这一列按文本导出后再提交"
    ),
}
_SCIENTIFIC: Final = re.compile(SCIENTIFIC)

# Rules that a number breaks which a spreadsheet wrote as 5.001E+17.
_DIGITS: Final = frozenset(
    {"not_a_number", "not_an_integer", "too_long", "pattern_mismatch"}
    | {f"invalid_{name}" for name in ("identity_number", "uscc", "division_code", "mobile")}
)

# Faults of the record as text.
RECORD_WORDS: dict[str, str | Promise] = {
    "too_few_cells": _("第 %(line)s 行的列数少于表头"),
    "too_many_cells": _("第 %(line)s 行的列数多于表头；内容里有分隔符的，须加双引号"),
    "quote_misplaced": _("第 %(line)s 行的双引号之后还有内容；内容里的双引号须写成两个"),
    "record_too_long": _("第 %(line)s 行过长，不能读取"),
    "encoding_invalid": _("第 %(line)s 行有不能识别的字符"),
    "line_unreadable": _("第 %(line)s 行不能分成各列"),
    "nul_byte": _("第 %(line)s 行有空字节（原文中以 ␀ 标出）"),
    "stray_carriage_return": _("第 %(line)s 行有单独的回车符（原文中以 ␍ 标出）"),
    "key_exists": _("第 %(line)s 行的主键在数据表中已有而内容不同；追加方式不改已有数据"),
    "duplicate_key": _("第 %(line)s 行的主键在文件中又出现，以最后一次出现的为准"),
}

# The same in a few words, for lists of reasons.
_LABELS: dict[str, str | Promise] = {
    "required": _("未填写"),
    "cell_too_large": _("内容过大"),
    "too_long": _("超过规定长度"),
    "not_an_integer": _("不是整数"),
    "not_a_number": _("不是规定的数值"),
    "not_a_date": _("不是日期"),
    "not_a_datetime": _("不是日期时间"),
    "not_a_boolean": _("不是“是”或“否”"),
    "pattern_mismatch": _("格式不符"),
    "not_in_codes": _("不在代码集内"),
    "below_minimum": _("小于下限"),
    "above_maximum": _("大于上限"),
    "key_too_long": _("主键过长"),
    "digits_lost": _("科学计数法，数字已丢失"),
    "too_few_cells": _("列数少于表头"),
    "too_many_cells": _("列数多于表头"),
    "quote_misplaced": _("双引号用法有误"),
    "record_too_long": _("行过长"),
    "encoding_invalid": _("有不能识别的字符"),
    "line_unreadable": _("不能分成各列"),
    "nul_byte": _("有空字节"),
    "stray_carriage_return": _("有单独的回车符"),
    "key_exists": _("主键已有而内容不同"),
    "duplicate_key": _("文件内主键重复"),
}


def reason_label(code: str, label: str) -> str:
    """Return a reason in a few words, after the name of its item where it has one."""
    if code.startswith("invalid_"):
        check = CHECKS.get(code.removeprefix("invalid_"))
        words = str(_("不是有效的%(what)s") % {"what": check.label}) if check else code
    elif code.startswith("rule_"):
        words = str(_("不符合质量规则"))
    else:
        words = str(_LABELS.get(code, code))
    return str(_("%(label)s：%(words)s") % {"label": label, "words": words}) if label else words


def in_cell(reason: Mapping[str, str]) -> str:
    """Return a reason as it is said beside its cell: without line, item and value."""
    spoken = reason["message"].partition(f" {reason['value']}，")[2] if reason["value"] else ""
    return spoken or reason_label(reason["code"], "")


def record_reason(code: str, line: int) -> dict[str, Any]:
    """Return the reason of a fault of the record as a whole."""
    return {
        "code": code,
        "column": "",
        "label": "",
        "value": "",
        "message": str(RECORD_WORDS[code]) % {"line": f"{line:,}"},
    }


def rule_reason(rule: Rule, value: str | None, line: int) -> dict[str, Any]:
    """Return the reason of a broken rule: code, column, value, and the sentence."""
    label = rule.column.label
    shown = _shortened(value or "")
    if rule.code.startswith("rule_"):
        label = str(rule.facts["name"])
        message = str(_("第 %(line)s 行不符合质量规则‘%(label)s’：‘%(item)s’写作 %(value)s")) % {
            "line": f"{line:,}",
            "label": label,
            "item": rule.column.label,
            "value": shown or _("空"),
        }
    elif rule.code == "required":
        message = str(_("第 %(line)s 行‘%(label)s’为空，必须填写")) % {
            "line": f"{line:,}",
            "label": label,
        }
    else:
        message = str(_("第 %(line)s 行‘%(label)s’写作 %(value)s，%(words)s")) % {
            "line": f"{line:,}",
            "label": label,
            "value": shown,
            "words": _lost_words(rule, value or "") or _words(rule, value or ""),
        }
    return {
        "code": rule.code,
        "column": rule.column.name,
        "label": label,
        "value": shown,
        "message": message,
    }


def _shortened(value: str) -> str:
    flat = value.replace("\n", "⏎")
    return flat if len(flat) <= _SHOWN_CHARACTERS else flat[:_SHOWN_CHARACTERS] + "…"


def _lost_words(rule: Rule, value: str) -> str:
    """Say of a number in scientific notation that its digits are lost; "" of anything else."""
    if rule.code in _DIGITS and _SCIENTIFIC.fullmatch(value.strip()):
        return str(_RULE_WORDS["digits_lost"])
    return ""


def _words(rule: Rule, value: str) -> str:
    if rule.code in {"not_a_date", "invalid_date"}:
        return _date_words(value)
    if rule.code == "not_a_number":
        return _number_words(rule)
    if rule.code.startswith("invalid_"):
        return str(CHECKS[rule.column.check].message)
    facts = dict(rule.facts)
    if rule.code == "too_long":
        facts["characters"] = f"{len(value.strip()):,}"
    if rule.code == "not_in_codes":
        facts["codes"] = "、".join(facts["codes"])
    for name in ("limit", "length"):
        if isinstance(facts.get(name), int):
            facts[name] = f"{facts[name]:,}"
    return str(_RULE_WORDS[rule.code]) % facts


def _number_words(rule: Rule) -> str:
    length, scale = rule.facts.get("length"), rule.facts.get("scale")
    if not length:
        return str(_("不是数值，或者位数过多"))
    if not scale:
        return str(_("不是不超过 %(length)s 位的整数")) % {"length": length}
    return str(_("不是不超过 %(length)s 位、其中小数不超过 %(scale)s 位的数值")) % {
        "length": length,
        "scale": scale,
    }


def _date_words(value: str) -> str:
    """Say which part of a date cannot be."""
    parts = re.fullmatch(r"\s*(\d{4})\D?(\d{1,2})\D?(\d{1,2})\D?\s*", value)
    if parts is None:
        return str(_("不是日期，应写成 2019-05-10"))
    year, month, day = (int(part) for part in parts.groups())
    if not 1 <= month <= 12:
        return str(_("月份应在 1–12 之间"))
    if year < 1:
        return str(_("年份应在 1–9999 之间"))
    last = calendar.monthrange(year, month)[1]
    if not 1 <= day <= last:
        return str(_("%(year)s 年 %(month)s 月只有 %(last)s 日")) % {
            "year": year,
            "month": month,
            "last": last,
        }
    return str(_("应写成 2019-05-10"))
