"""Rules about one row alone, compiled for DuckDB: the dialect of landing, at landing and after.

A rule becomes a condition that is true for a row that breaks it, over the columns that
`landing.rules.typed_select` makes: the normalised text `n_…` and the typed value `t_…`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from typing import Any, Final

from apps.core.contracts import Column, Contract
from apps.quality.models import QualityRule, RuleKind
from apps.quality.parameters import COMPARISONS
from apps.standards.checks import CHECKS
from apps.standards.models import CodeListEntry
from apps.standards.types import cast_sql, duckdb_type
from apps.warehouse.landing.rules import Rule, literal, rules_of, text_of, value_of

_NEVER: Final = "false"


class CannotCompile(Exception):
    """The table has not the columns that the rule names."""


@dataclass(frozen=True, slots=True)
class RowRule:
    """broken, applies: SQL that is true for a row that breaks it, or that it speaks of.

    fingerprint: of what it reads beside the row.
    """

    rule: QualityRule
    broken: str
    applies: str
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """A code of a list, and between which days it is valid; the day of ending is no longer one."""

    code: str
    valid_from: date | None
    valid_to: date | None


Lists = Mapping[str, Sequence[Code]]


def lists_of(rules: Sequence[QualityRule]) -> dict[str, list[Code]]:
    """Return the entries of every code list that the rules name, in one statement."""
    wanted = {rule.parameters["code_list"] for rule in rules if "code_list" in rule.parameters}
    found: dict[str, list[Code]] = {code: [] for code in wanted}
    entries = CodeListEntry.objects.filter(code_list__code__in=wanted).order_by("code")
    for entry in entries.select_related("code_list"):
        found[entry.code_list.code].append(Code(entry.code, entry.valid_from, entry.valid_to))
    return found


def compile_row_rule(rule: QualityRule, contract: Contract, lists: Lists, *, on: date) -> RowRule:
    """Compile a rule of a row kind; `on` is the day for which lists answer.

    Raises:
        CannotCompile: the contract has not the columns that the rule names.
    """
    try:
        if rule.origin == QualityRule.Origin.CONTRACT:
            return _of_contract(rule, contract)
        if rule.kind == RuleKind.CROSS_COLUMN:
            return _cross_column(rule, contract)
        column = contract.column(rule.columns[0])
        if rule.kind == RuleKind.CODE_LIST:
            return _codes(rule, column, lists, on)
        if rule.kind == RuleKind.REFERENCE_IN_TIME:
            return _reference(rule, column, contract, lists, on)
        broken = _BROKEN[rule.kind](column, rule.parameters)
    except KeyError as error:
        raise CannotCompile(str(error)) from error
    applies = "true" if rule.kind == RuleKind.REQUIRED else f"{text_of(column)} IS NOT NULL"
    return RowRule(rule, broken, applies)


def at_landing(rule: QualityRule, contract: Contract, lists: Lists, *, on: date) -> Rule:
    """Compile an added rule that keeps rows from landing, as landing knows rules.

    Raises:
        CannotCompile: the contract has not the columns that the rule names.
    """
    compiled = compile_row_rule(rule, contract, lists, on=on)
    return Rule(
        code=f"rule_{rule.pk}",
        column=contract.column(rule.columns[0]),
        broken=compiled.broken,
        facts={"name": rule.name},
        is_quarantine=rule.severity == QualityRule.Severity.QUARANTINE,
    )


def _of_contract(rule: QualityRule, contract: Contract) -> RowRule:
    for known in rules_of(contract):
        if known.code == rule.code and [known.column.name] == rule.columns:
            filled = f"{text_of(known.column)} IS NOT NULL"
            applies = "true" if rule.kind == RuleKind.REQUIRED else filled
            return RowRule(rule, known.broken, applies)
    raise KeyError(rule.code)


def _required(column: Column, parameters: Mapping[str, Any]) -> str:
    return f"{text_of(column)} IS NULL"


def _length(column: Column, parameters: Mapping[str, Any]) -> str:
    bounds = []
    if "minimum" in parameters:
        bounds.append(f"length({text_of(column)}) < {int(parameters['minimum'])}")
    if "maximum" in parameters:
        bounds.append(f"length({text_of(column)}) > {int(parameters['maximum'])}")
    return _any(bounds)


def _type(column: Column, parameters: Mapping[str, Any]) -> str:
    wanted = replace(column, type=parameters["type"], length=None, scale=None)
    return f"{text_of(column)} IS NOT NULL AND {cast_sql(wanted, text_of(column))} IS NULL"


def _identifier(column: Column, parameters: Mapping[str, Any]) -> str:
    return f"NOT {CHECKS[parameters['check']].macro}({text_of(column)})"


def _range(column: Column, parameters: Mapping[str, Any]) -> str:
    return _any(
        [
            f"{value_of(column)} {operator} {_cast(column, parameters[name])}"
            for name, operator in (("minimum", "<"), ("maximum", ">"))
            if name in parameters
        ]
    )


def _pattern(column: Column, parameters: Mapping[str, Any]) -> str:
    return f"NOT regexp_full_match({text_of(column)}, {literal(parameters['pattern'])})"


_BROKEN: Final[dict[str, Callable[[Column, Mapping[str, Any]], str]]] = {
    RuleKind.REQUIRED: _required,
    RuleKind.LENGTH: _length,
    RuleKind.TYPE: _type,
    RuleKind.IDENTIFIER: _identifier,
    RuleKind.RANGE: _range,
    RuleKind.PATTERN: _pattern,
}


def _codes(rule: QualityRule, column: Column, lists: Lists, on: date) -> RowRule:
    text = text_of(column)
    applies = f"{text} IS NOT NULL"
    if "codes" in rule.parameters:
        return RowRule(rule, _not_among(text, rule.parameters["codes"]), applies)
    valid = [entry.code for entry in lists[rule.parameters["code_list"]] if _is_valid(entry, on)]
    return RowRule(rule, _not_among(text, valid), applies, _fingerprint(valid))


def _reference(
    rule: QualityRule, column: Column, contract: Contract, lists: Lists, on: date
) -> RowRule:
    """The code was valid on the day that stands in the row, or is on the day of the check."""
    if not rule.parameters.get("on"):
        return _codes(rule, column, lists, on)
    text = text_of(column)
    day_of_row = contract.column(rule.parameters["on"])
    day = f"CAST({value_of(day_of_row)} AS DATE)"
    entries = lists[rule.parameters["code_list"]]
    applies = f"{text} IS NOT NULL AND {text_of(day_of_row)} IS NOT NULL"
    by_span: dict[tuple[date | None, date | None], list[str]] = {}
    for entry in entries:
        by_span.setdefault((entry.valid_from, entry.valid_to), []).append(entry.code)
    # Lists end codes on few days: one comparison of days for each of them.
    allowed = [_within(text, codes, day, span) for span, codes in by_span.items()]
    broken = f"{applies} AND NOT ({_any(allowed)})" if allowed else applies
    facts = [f"{entry.code}|{entry.valid_from}|{entry.valid_to}" for entry in entries]
    return RowRule(rule, broken, applies, _fingerprint(facts))


def _within(
    text: str, codes: Sequence[str], day: str, span: tuple[date | None, date | None]
) -> str:
    begin, end = span
    parts = [f"{text} IN ({', '.join(literal(code) for code in codes)})"]
    if begin is not None:
        parts.append(f"{day} >= DATE '{begin.isoformat()}'")
    if end is not None:
        parts.append(f"{day} < DATE '{end.isoformat()}'")
    return " AND ".join(parts)


def _is_valid(entry: Code, on: date) -> bool:
    return (entry.valid_from is None or entry.valid_from <= on) and (
        entry.valid_to is None or entry.valid_to > on
    )


def _not_among(text: str, codes: Sequence[str]) -> str:
    if not codes:
        return f"{text} IS NOT NULL"
    return f"{text} NOT IN ({', '.join(literal(code) for code in codes)})"


def _fingerprint(facts: Sequence[str]) -> str:
    return sha256("\n".join(facts).encode()).hexdigest()


def _cross_column(rule: QualityRule, contract: Contract) -> RowRule:
    """It speaks of rows where `when` holds and that fill what `then` compares."""
    when = [_condition(one, contract) for one in rule.parameters["when"]]
    then = rule.parameters["then"]
    compared = [
        name
        for one in then
        if one["operator"] != "is_null"
        for name in (one["item"], one.get("other"))
        if name
    ]
    filled = [f"{text_of(contract.column(name))} IS NOT NULL" for name in dict.fromkeys(compared)]
    applies = " AND ".join([*(f"coalesce({one}, false)" for one in when), *filled]) or "true"
    holds = " AND ".join(_condition(one, contract) for one in then)
    return RowRule(rule, f"({applies}) AND NOT ({holds})", applies)


def _condition(one: Mapping[str, Any], contract: Contract) -> str:
    column = contract.column(one["item"])
    operator = one["operator"]
    if operator == "is_null":
        return f"({text_of(column)} IS {'' if one['value'] else 'NOT '}NULL)"
    if one.get("other"):
        other = value_of(contract.column(one["other"]))
        return f"({value_of(column)} {COMPARISONS[operator]} {other})"
    if operator == "in":
        values = ", ".join(_cast(column, value) for value in one["value"])
        return f"({value_of(column)} IN ({values}))"
    if operator == "prefix":
        return f"starts_with({value_of(column)}, {literal(str(one['value']))})"
    return f"({value_of(column)} {COMPARISONS[operator]} {_cast(column, one['value'])})"


def _cast(column: Column, value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"CAST({literal(text)} AS {duckdb_type(column)})"


def _any(conditions: Sequence[str]) -> str:
    return " OR ".join(f"({one})" for one in conditions) or _NEVER
