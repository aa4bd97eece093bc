"""The contract compiled: normalise → check → cast in one statement of DuckDB.

Three layers of one SELECT: the text as the file has it, the text normalised, the value typed. A
rule is a condition that is true where a row breaks it; a row lands when no rule is.
"""

# ruff: noqa: S608 -- names and literals are quoted by `rules`; no SQL comes from a user

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.core.contracts import Column, Contract
from apps.standards.checks import CHECKS
from apps.standards.normalisers import NORMALISERS, SCIENTIFIC
from apps.standards.types import DataType, cast_sql, duckdb_type

CELL_LIMIT_BYTES = 1_000_000
MEMO_LIMIT_BYTES = 16 << 20
# A B-tree of PostgreSQL holds no entry above 2,704 bytes.
KEY_LIMIT_BYTES = 2_000

_LAST_64_BITS = f"{(1 << 64) - 1}::UHUGEINT"  # of the number: the digest's first eight bytes

_TEXTS = {DataType.TEXT, DataType.MEMO, DataType.GENERAL}
_DAYS = {DataType.DATE, DataType.DATETIME}
_REALS = {DataType.DOUBLE, DataType.FLOAT}
_SHAPE_CODES = {
    DataType.NUMBER: "not_a_number",
    DataType.MONEY: "not_a_number",
    DataType.DOUBLE: "not_a_number",
    DataType.FLOAT: "not_a_number",
    DataType.INTEGER: "not_an_integer",
    DataType.DATE: "not_a_date",
    DataType.DATETIME: "not_a_datetime",
    DataType.BOOLEAN: "not_a_boolean",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """code: stable; broken: SQL that is true for a row that breaks it, over `n_…` and `t_…`.

    is_quarantine: a row that breaks only such rules is set aside for a person to look at.
    """

    code: str
    column: Column
    broken: str
    facts: dict[str, Any] = field(default_factory=dict)
    is_quarantine: bool = False


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def text_of(column: Column) -> str:
    return quoted(f"n_{column.name}")


def value_of(column: Column) -> str:
    """The typed value; a text's is the normalised text itself."""
    return text_of(column) if column.type in _TEXTS else quoted(f"t_{column.name}")


def normalised(column: Column) -> str:
    """SQL of the column's normalised text; nothing and empty are both NULL."""
    expression = quoted(column.name)
    for name in column.normalise:
        expression = NORMALISERS[name].applied(expression, column.length)
    return f"nullif({expression}, '')"


def rewritten(column: Column) -> str:
    """SQL that says whether normalising changed the column's text; an empty text is none."""
    return f"nullif({quoted(column.name)}, '') IS DISTINCT FROM {text_of(column)}"


def rules_of(contract: Contract, *, only_key: bool = False) -> list[Rule]:
    """Return every rule of the contract, in the order of its columns."""
    rules: list[Rule] = []
    for column in columns_of(contract, only_key=only_key):
        if column.required or column.name == contract.key[0]:
            rules.append(Rule("required", column, f"{text_of(column)} IS NULL"))
        rules += _shape_rules(column)
        rules += _value_rules(column)
    return [*rules, _key_length(contract)]


def columns_of(contract: Contract, *, only_key: bool) -> tuple[Column, ...]:
    if only_key:
        return tuple(contract.column(name) for name in contract.key)
    return contract.columns


def _shape_rules(column: Column) -> list[Rule]:
    text, value = text_of(column), value_of(column)
    if column.type not in _TEXTS:
        broken = f"{value} IS NULL"
        if column.type in _REALS:
            broken = f"({broken} OR NOT isfinite({value}))"
        elif column.type in _DAYS:
            broken = f"({broken} OR year({value}) NOT BETWEEN 1 AND 9999)"
        facts = {"length": column.length, "scale": column.scale}
        code = _SHAPE_CODES[DataType(column.type)]
        return [Rule(code, column, f"{text} IS NOT NULL AND {broken}", facts)]
    limit = CELL_LIMIT_BYTES if column.type == DataType.TEXT else MEMO_LIMIT_BYTES
    rules = [Rule("cell_too_large", column, f"strlen({text}) > {limit}", {"limit": limit})]
    if column.length:
        # Bytes first: counting characters is dearer and seldom needed.
        longer = f"strlen({text}) > {column.length} AND length({text}) > {column.length}"
        rules.append(Rule("too_long", column, longer, {"length": column.length}))
    return rules


def _value_rules(column: Column) -> list[Rule]:
    text, value = text_of(column), value_of(column)
    rules: list[Rule] = []
    if "scientific" in column.normalise:
        rules.append(Rule("digits_lost", column, f"regexp_full_match({text}, '{SCIENTIFIC}')"))
    if column.check:
        macro = CHECKS[column.check].macro
        rules.append(Rule(f"invalid_{column.check}", column, f"NOT {macro}({text})"))
    if column.pattern:
        broken = f"NOT regexp_full_match({text}, {literal(column.pattern)})"
        rules.append(Rule("pattern_mismatch", column, broken, {"pattern": column.pattern}))
    if column.codes is not None:
        codes = ", ".join(literal(code) for code in column.codes)
        broken = f"{text} NOT IN ({codes})" if codes else f"{text} IS NOT NULL"
        rules.append(Rule("not_in_codes", column, broken, {"codes": list(column.codes[:12])}))
    for code, operator, bound in (
        ("below_minimum", "<", column.minimum),
        ("above_maximum", ">", column.maximum),
    ):
        if bound is not None:
            limit = f"CAST({literal(bound)} AS {duckdb_type(column)})"
            rules.append(Rule(code, column, f"{value} {operator} {limit}", {"bound": bound}))
    return rules


def _key_length(contract: Contract) -> Rule:
    columns = [contract.column(name) for name in contract.key]
    total = " + ".join(f"coalesce(strlen({text_of(column)}), 0)" for column in columns)
    return Rule(
        "key_too_long",
        contract.subject_key,
        f"{total} > {KEY_LIMIT_BYTES}",
        {"limit": KEY_LIMIT_BYTES},
    )


def typed_select(
    contract: Contract,
    source: str,
    *,
    only_key: bool = False,
    carried: str = "",
    is_rewritten: bool | None = None,
) -> str:
    """Return a SELECT of `n_…` and `t_…` of every column over a source of raw text columns.

    `carried` names further columns of the source that pass through ("rank, "). `is_rewritten`: only
    rows of which normalising changed a text, or only the others; those columns pass through too.
    """
    columns = columns_of(contract, only_key=only_key)
    inner = ", ".join(f"{normalised(column)} AS {text_of(column)}" for column in columns)
    outer = ", ".join(
        f"{cast_sql(column, text_of(column))} AS {value_of(column)}"
        for column in columns
        if column.type not in _TEXTS
    )
    where = ""
    if is_rewritten is not None:
        changeable = [column for column in columns if column.normalise]
        carried += "".join(f"{quoted(column.name)}, " for column in changeable)
        changed = " OR ".join(rewritten(column) for column in changeable) or "false"
        where = f" WHERE {'' if is_rewritten else 'NOT '}({changed})"
    layer = f"SELECT {carried}{inner} FROM {source}"
    return f"SELECT *{', ' + outer if outer else ''} FROM ({layer}) AS normal{where}"


def sound(rules: list[Rule]) -> str:
    """SQL that is true for a row that breaks no rule; never NULL."""
    return " AND ".join(f"(({rule.broken}) IS DISTINCT FROM true)" for rule in rules)


def broken_rules(rules: list[Rule]) -> str:
    """SQL of the list of the places, in `rules`, of those that a row breaks."""
    flags = ", ".join(
        f"CASE WHEN {rule.broken} THEN {place} END" for place, rule in enumerate(rules)
    )
    return f"list_filter([{flags}], lambda place: place IS NOT NULL)"


def values(contract: Contract, *, only_key: bool = False) -> str:
    """SQL of the typed values under the columns' own names, written as the hash has them."""
    return ", ".join(
        f"{_written(column)} AS {quoted(column.name)}"
        for column in columns_of(contract, only_key=only_key)
    )


def row_hash(
    contract: Contract,
    column_order: Sequence[str],
    earlier_types: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """SQL of `_hash`: 60 bits of md5 over the values, each with the place of its column.

    The value must be the same in every version of this program and of DuckDB. Values stand in the
    order in which the table's columns were made, those that left the contract among them; each is
    preceded by NUL and its place. A value of a column that was widened is written as the narrowest
    of its `earlier_types` that holds it writes it, so that widening changes nothing. No value can
    hold a NUL, so two different rows never give the same text, a value that is absent differs
    from every other, and a new empty column changes nothing. (Lengths in place of the NUL would
    do the same; they made the whole check a sixth slower.)
    """
    parts = []
    columns = {column.name: column for column in contract.columns}
    for place, name in enumerate(column_order):
        column = columns.get(name)
        if column is None:
            continue
        text = _hashed(column, (earlier_types or {}).get(name, ()))
        parts.append(f"(chr(0) || '{place}:' || {text})")
    # md5_number_upper says the same and takes five times as long.
    return f"CAST((md5_number(concat({', '.join(parts)})) & {_LAST_64_BITS}) >> 4 AS BIGINT)"


def _written(column: Column) -> str:
    # The same words in `values` and in the hash: DuckDB then writes each number and day once.
    value = value_of(column)
    return value if column.type in _TEXTS else f"CAST({value} AS VARCHAR)"


def _hashed(column: Column, earlier_types: Sequence[str]) -> str:
    value = value_of(column)
    if column.type in _TEXTS:
        return value
    text = _written(column)
    whens = " ".join(
        f"WHEN TRY_CAST({value} AS {kind}) = {value}"
        f" THEN CAST(TRY_CAST({value} AS {kind}) AS VARCHAR)"
        for kind in earlier_types
    )
    return f"CASE {whens} ELSE {text} END" if whens else text
