"""What a rule of each kind is told: structured, checked against the columns, never SQL.

    kind               columns   parameters
    required           one       –
    length             one text  {"minimum": 2, "maximum": 20}, at least one of them
    type               one text  {"type": "D"}: what the text must be readable as
    code_list          one       {"codes": ["甲", "乙"]} or {"code_list": "gender"}
    identifier         one text  {"check": "identity_number"}
    range              one       {"minimum": "0", "maximum": "100"}, at least one of them
    pattern            one text  {"pattern": "P[0-9]{8}"}
    cross_column       (derived) {"when": [condition], "then": [condition]}: where all of `when`
                                 hold (always, when empty), all of `then` must
    reference_in_time  one       {"code_list": "divisions", "on": "issued_on"}: the code was valid
                                 on the row's day; without `on`, on the day of the check
    unique             some      –
    cross_table        (derived) {"dataset": code, "match": {column: theirs}, "same": {column:
                                 theirs}}: a counterpart must exist; with `same`, whatever has
                                 one must agree with it
    freshness          –         –  (the entry's update cycle)
    population         –         {"expected": 12000}, or {}: what the duty in force expects

A condition is core's ({"item", "operator", "value"}), or compares with another column of the row
({"item", "operator", "other"}).

Source: house rule (design §4: no SQL comes from a user, ever)
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from apps.core import conditions
from apps.core.contracts import Column, Contract
from apps.core.errors import InvalidInput
from apps.quality.models import RuleKind
from apps.standards.checks import CHECKS
from apps.standards.types import DataType

FAMILIES: Final = (frozenset("CMG"), frozenset("NYIBF"), frozenset("DT"), frozenset("L"))
TEXTS: Final = FAMILIES[0]
COMPARISONS: Final = {**conditions.COMPARISONS, "ne": "<>"}
MOST_CODES: Final = 2_000
MOST_CONDITIONS: Final = 20
MOST_PATTERN: Final = 200

Parsed = tuple[list[str], dict[str, Any]]


def parse(
    kind: str, columns: Sequence[str], parameters: Mapping[str, Any], contract: Contract
) -> Parsed:
    """Check what a rule is told against the table's columns; return columns and parameters.

    What lies outside the row (code lists, other datasets) is looked up by the operation.

    Raises:
        InvalidInput: it cannot be a rule of this kind; `field` says where.
    """
    known = {column.name: column for column in contract.columns}
    for name in columns:
        _column(known, name)
    if kind in _WHOLE_READERS:
        return _WHOLE_READERS[kind](parameters, columns, known)
    if kind not in _READERS:
        raise InvalidInput(_("这类规则由目录约定产生，不能自行添加"), field="kind")
    if len(columns) != 1:
        raise InvalidInput(_("这类规则须选择一列"), field="columns")
    return [columns[0]], _READERS[kind](parameters, known[columns[0]], known)


def columns_read(kind: str, columns: Sequence[str], parameters: Mapping[str, Any]) -> list[str]:
    """Return every column that a rule reads, its own first."""
    on = [parameters["on"]] if kind == RuleKind.REFERENCE_IN_TIME and parameters.get("on") else []
    return [*columns, *on]


def _column(known: Mapping[str, Column], name: Any) -> Column:
    if name not in known:
        raise InvalidInput(
            _("没有名为“%(item)s”的数据项") % {"item": name}, code="unknown_item", field="columns"
        )
    return known[name]


def _wrong(words: Any) -> InvalidInput:
    return InvalidInput(words, field="parameters")


def _require_text(column: Column) -> None:
    if column.type not in TEXTS:
        raise _wrong(_("“%(label)s”不是文字，不能用这类规则") % {"label": column.label})


def _required(given: Mapping[str, Any], column: Column, known: Any) -> dict[str, Any]:
    return {}


def _length(given: Mapping[str, Any], column: Column, known: Any) -> dict[str, Any]:
    _require_text(column)
    return _bounds(given, _whole)


def _range(given: Mapping[str, Any], column: Column, known: Any) -> dict[str, Any]:
    if column.type in TEXTS or column.type == DataType.BOOLEAN:
        raise _wrong(_("“%(label)s”不是数值或者日期，不能限定范围") % {"label": column.label})
    return _bounds(given, lambda value: str(conditions.typed_value(column, value)))


def _bounds(given: Mapping[str, Any], read: Callable[[Any], Any]) -> dict[str, Any]:
    found = {
        name: read(given[name])
        for name in ("minimum", "maximum")
        if given.get(name) not in (None, "")
    }
    if not found:
        raise _wrong(_("请填写下限或者上限"))
    return found


def _whole(value: Any) -> int:
    if not str(value).strip().isdecimal():
        raise _wrong(_("长度须为整数"))
    return int(str(value).strip())


def _type(given: Mapping[str, Any], column: Column, known: Any) -> dict[str, Any]:
    _require_text(column)
    if given.get("type") not in DataType.values or given["type"] in TEXTS:
        raise _wrong(_("请选择文字应能识别成的类型"))
    return {"type": given["type"]}


def _code_list(given: Mapping[str, Any], column: Column, known: Any) -> dict[str, Any]:
    _require_text(column)
    if given.get("code_list"):
        return {"code_list": str(given["code_list"])}
    codes = [str(code).strip() for code in given.get("codes") or ()]
    codes = list(dict.fromkeys(code for code in codes if code))
    if not 0 < len(codes) <= MOST_CODES:
        raise _wrong(
            _("请选择代码集，或者逐个列出代码（不超过 %(most)s 个）") % {"most": MOST_CODES}
        )
    return {"codes": codes}


def _identifier(given: Mapping[str, Any], column: Column, known: Any) -> dict[str, Any]:
    _require_text(column)
    if given.get("check") not in CHECKS:
        raise _wrong(_("请选择校验规则"))
    return {"check": given["check"]}


def _pattern(given: Mapping[str, Any], column: Column, known: Any) -> dict[str, Any]:
    _require_text(column)
    pattern = str(given.get("pattern") or "")
    if not 0 < len(pattern) <= MOST_PATTERN or "\x00" in pattern:
        raise _wrong(_("请填写格式表达式（不超过 %(most)s 个字符）") % {"most": MOST_PATTERN})
    try:
        re.compile(pattern)
    except re.error:
        raise _wrong(_("格式表达式写法不对")) from None
    return {"pattern": pattern}


def _reference(given: Mapping[str, Any], column: Column, known: Any) -> dict[str, Any]:
    _require_text(column)
    if not given.get("code_list"):
        raise _wrong(_("请选择代码集"))
    on = str(given.get("on") or "")
    if on and _column(known, on).type not in FAMILIES[2]:
        raise _wrong(_("“%(label)s”不是日期") % {"label": known[on].label})
    return {"code_list": str(given["code_list"]), **({"on": on} if on else {})}


def _unique(given: Mapping[str, Any], columns: Sequence[str], known: Any) -> Parsed:
    if not columns:
        raise InvalidInput(_("请选择不应重复的列"), field="columns")
    return list(dict.fromkeys(columns)), {}


def _freshness(given: Mapping[str, Any], columns: Sequence[str], known: Any) -> Parsed:
    return [], {}


def _population(given: Mapping[str, Any], columns: Sequence[str], known: Any) -> Parsed:
    expected = given.get("expected")
    if expected in (None, ""):
        return [], {}
    if not str(expected).strip().isdecimal() or int(str(expected)) < 1:
        raise _wrong(_("应有记录数须为正整数"))
    return [], {"expected": int(str(expected))}


def _cross_column(
    given: Mapping[str, Any], columns: Sequence[str], known: Mapping[str, Column]
) -> Parsed:
    when = _conditions(given.get("when") or (), known)
    then = _conditions(given.get("then") or (), known)
    if not then or len(when) + len(then) > MOST_CONDITIONS:
        raise _wrong(
            _("请填写应当成立的条件（合计不超过 %(most)s 个）") % {"most": MOST_CONDITIONS}
        )
    named = [name for one in (*then, *when) for name in (one["item"], one.get("other")) if name]
    return list(dict.fromkeys(named)), {"when": when, "then": then}


def _conditions(given: Sequence[Any], known: Mapping[str, Column]) -> list[dict[str, Any]]:
    found = []
    for one in given:
        if not isinstance(one, Mapping):
            raise _wrong(_("条件写法不对"))
        column = _column(known, one.get("item"))
        operator = str(one.get("operator", ""))
        if one.get("other"):
            found.append(_comparison(column, operator, _column(known, one["other"])))
        elif operator == "ne":
            value = conditions.typed_value(column, one.get("value"))
            written = conditions.Condition(column.name, "eq", value).to_json()
            found.append({**written, "operator": "ne"})
        else:
            found.append(conditions.parse_one(column, operator, one.get("value")).to_json())
    return found


def _comparison(column: Column, operator: str, other: Column) -> dict[str, Any]:
    if operator not in COMPARISONS:
        raise _wrong(_("两列之间不能用“%(operator)s”比较") % {"operator": operator})
    if not any({column.type, other.type} <= family for family in FAMILIES):
        raise _wrong(
            _("“%(left)s”与“%(right)s”类型不同，不能比较")
            % {"left": column.label, "right": other.label}
        )
    return {"item": column.name, "operator": operator, "other": other.name}


def _cross_table(
    given: Mapping[str, Any], columns: Sequence[str], known: Mapping[str, Column]
) -> Parsed:
    code = str(given.get("dataset") or "")
    match, same = given.get("match") or {}, given.get("same") or {}
    if not code or not isinstance(match, Mapping) or not isinstance(same, Mapping) or not match:
        raise _wrong(_("请选择对照的目录，以及两边对应的列"))
    for name in (*match, *same):
        _column(known, name)
    parameters = {
        "dataset": code,
        "match": {str(own): str(theirs) for own, theirs in match.items()},
        **({"same": {str(own): str(theirs) for own, theirs in same.items()}} if same else {}),
    }
    return list(dict.fromkeys([*match, *same])), parameters


_WHOLE_READERS: Final[
    dict[str, Callable[[Mapping[str, Any], Sequence[str], Mapping[str, Column]], Parsed]]
] = {
    RuleKind.CROSS_COLUMN: _cross_column,
    RuleKind.CROSS_TABLE: _cross_table,
    RuleKind.UNIQUE: _unique,
    RuleKind.FRESHNESS: _freshness,
    RuleKind.POPULATION: _population,
}
_READERS: Final[
    dict[str, Callable[[Mapping[str, Any], Column, Mapping[str, Column]], dict[str, Any]]]
] = {
    RuleKind.REQUIRED: _required,
    RuleKind.LENGTH: _length,
    RuleKind.TYPE: _type,
    RuleKind.CODE_LIST: _code_list,
    RuleKind.IDENTIFIER: _identifier,
    RuleKind.RANGE: _range,
    RuleKind.PATTERN: _pattern,
    RuleKind.REFERENCE_IN_TIME: _reference,
}
