"""Which filters go to the service, and what of its answer is a record: pure, no query.

A value that is not of its item's type makes the answer the provider's failure: a record that looks
whole and is not would be worse than none.
"""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _

from apps.core import conditions
from apps.core.conditions import Condition
from apps.core.contracts import Column
from apps.core.errors import InvalidInput
from apps.sharing.gateway.forwarding.refusals import FilterRequired, ProviderFailed
from apps.sharing.models import Interface

MOST_ROWS: Final = 10_000
Row = dict[str, Any]


def parameters_of(interface: Interface, asked: Sequence[Condition]) -> dict[str, str]:
    """Return what the service is given: fixed values, and the caller's filters that it knows.

    Raises:
        FilterRequired: the service needs one that the caller did not give.
    """
    given = {(each.item, each.operator): each for each in asked}
    sent: dict[str, str] = {}
    for parameter in interface.parameters:
        if not parameter["item"]:
            sent[parameter["name"]] = parameter["fixed"]
            continue
        found = given.get((parameter["item"], parameter["operator"]))
        if found is not None:
            sent[parameter["name"]] = _written(found.value)
        elif parameter["required"]:
            name = filter_name(parameter)
            raise FilterRequired(FilterRequired.default_message % {"name": name}, field=name)
    return sent


def filter_name(parameter: dict[str, Any]) -> str:
    """Return the filter as callers write it: `item`, or `item__gte`."""
    suffix = {"eq": "", "is_null": "isnull"}.get(parameter["operator"], parameter["operator"])
    return f"{parameter['item']}__{suffix}" if suffix else str(parameter["item"])


def rows_of(interface: Interface, body: bytes, columns: Sequence[Column]) -> list[Row]:
    """Return the records of the answer, by the columns' names, their values as JSON holds them.

    Raises:
        ProviderFailed: it is no JSON, has no records at that place, or a value is not of its type.
    """
    try:
        # An amount of many digits would lose some as a float; an exponent too long is no number.
        answer = json.loads(body, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        raise ProviderFailed(_("不是 JSON")) from None
    found = at_path(answer, interface.rows_path)
    records = [found] if isinstance(found, dict) else [] if found is None else found
    if not isinstance(records, list):
        raise ProviderFailed(_("“%(path)s”处不是记录的列表") % {"path": interface.rows_path or "—"})
    if len(records) > MOST_ROWS:
        raise ProviderFailed(_("多于 %(most)s 条") % {"most": MOST_ROWS})
    mapped = [(column, interface.items[column.name]) for column in columns
              if column.name in interface.items]  # fmt: skip
    return [_row(place, record, mapped) for place, record in enumerate(records, 1)]


def at_path(value: Any, path: str) -> Any:
    """Return what lies at names joined by "."; None where a part is missing."""
    for name in path.split(".") if path else ():
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _row(place: int, record: Any, mapped: Sequence[tuple[Column, str]]) -> Row:
    if not isinstance(record, dict):
        raise ProviderFailed(_("第 %(place)s 条不是对象") % {"place": place})
    return {column.name: _value(place, column, at_path(record, path)) for column, path in mapped}


def _value(place: int, column: Column, value: Any) -> Any:
    """Return the value as PostgreSQL reads the column's type; empty text is none but for texts."""
    is_text = column.type in conditions.TEXTUAL
    if value is None or (value == "" and not is_text):
        return None
    if isinstance(value, dict | list):
        raise _unfit(place, column)
    text = str(value).lower() if isinstance(value, bool) and not is_text else str(value)
    try:
        typed = conditions.typed_value(column, text)
    except InvalidInput:
        raise _unfit(place, column) from None
    return typed if isinstance(typed, bool) else str(typed)


def _unfit(place: int, column: Column) -> ProviderFailed:
    return ProviderFailed(
        _("第 %(place)s 条的“%(item)s”不是这种类型的值") % {"place": place, "item": column.label}
    )


def _written(value: Any) -> str:
    """Write a filter's value as an address does."""
    if isinstance(value, tuple):
        return ",".join(_written(each) for each in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
