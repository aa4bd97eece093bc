"""A value that somebody states for an item, checked and written as a landing batch would.

Checked now, so that a claim that could never land is refused while its author is still there.
"""

# ruff: noqa: S608 -- names and literals are quoted by `rules`; the value itself is bound

from datetime import date

import duckdb
from django.utils.translation import gettext_lazy as _

from apps.core.contracts import Column, Contract
from apps.core.errors import InvalidInput
from apps.standards.checks import macros_sql
from apps.warehouse.landing import rules
from apps.warehouse.landing.reasons import reason_label


def settled(column: Column, text: str, *, on: date, field: str = "claimed_value") -> str:
    """Return the value as the table would hold it, in text; "" for no value.

    Raises:
        InvalidInput: a row with this value would not land; the words say why.
    """
    contract = Contract(0, "", (column,), (column.name,))
    kept = [rule for rule in rules.rules_of(contract) if _concerns(rule, column)]
    select = rules.typed_select(contract, f"(SELECT ?::VARCHAR AS {rules.quoted(column.name)})")
    statement = (
        f"SELECT CAST({rules.value_of(column)} AS VARCHAR), {rules.broken_rules(kept)}"
        f" FROM ({select}) AS typed"
    )
    with duckdb.connect(config={"threads": 1, "memory_limit": "64MB"}) as connection:
        connection.execute(macros_sql(on=on, named_in=statement))
        found = connection.execute(statement, [text]).fetchone()
    assert found is not None  # one row goes in
    value, broken = found
    if broken:
        raise InvalidInput(
            _("“%(value)s”不能作为“%(label)s”的值：%(why)s")
            % {
                "value": text[:60],
                "label": column.label,
                "why": reason_label(kept[broken[0]].code, ""),
            },
            code="value_not_valid",
            field=field,
            item=column.name,
        )
    return str(value) if value is not None else ""


def _concerns(rule: rules.Rule, column: Column) -> bool:
    """What holds for keys alone is left out: key items are not corrected one by one."""
    if rule.code == "required":
        return column.required
    return rule.code != "key_too_long"
