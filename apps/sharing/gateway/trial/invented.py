"""Rows that nobody is in: of the contract's types, codes and identifiers, and plainly invented.

Identifiers pass their check digits and name a place (509999) and a birthday (1899) that no record
of a living person has. Texts begin with 测试 where their length lets them. The same contract and
condition give the same rows on any machine and day.

Source: house rule (issue 5: synthetic rows of the same contract)
"""

import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import Any, Final

from stdnum.cn import ric, uscc

from apps.core import conditions
from apps.core.conditions import Condition
from apps.core.contracts import Column, Contract
from apps.core.errors import InvalidInput
from apps.sharing.gateway.trial.patterns import text_for
from apps.standards import types

ROWS: Final = 200
NOWHERE: Final = "509999"
FIRST_DAY: Final = date(2000, 1, 1)
_EVERY: Final = 7  # one value in so many is missing, where it may be
_EXACT: Final = 2 * types.DIGITS_LIMIT  # digits to reckon with, so that no sum is rounded
_LARGEST_INTEGER: Final = Decimal(2**63 - 1)

Row = dict[str, Any]


def rows_of(contract: Contract, row_condition: Sequence[Condition], count: int = ROWS) -> list[Row]:
    """Return rows of typed values; fewer where keys or the condition are narrow."""
    with localcontext(prec=_EXACT):
        return _rows_of(contract, row_condition, count)


def _rows_of(contract: Contract, row_condition: Sequence[Condition], count: int) -> list[Row]:
    known = {column.name: column for column in contract.columns}
    found: dict[tuple[Any, ...], Row] = {}
    for number in range(1, count + 1):
        row = {
            column.name: _value(column, contract, number, place)
            for place, column in enumerate(contract.columns)
        }
        for condition in row_condition:
            row[condition.item] = _fitted(known[condition.item], condition, number)
        if all(_holds(known[each.item], each, row[each.item]) for each in row_condition):
            found.setdefault(tuple(row[name] for name in contract.key), row)
    return [row for key, row in found.items() if key[0] is not None]


def as_json(row: Row) -> Row:
    """Return the row as JSON holds it; PostgreSQL reads every value from it in its own type."""
    return {
        name: value if value is None or isinstance(value, bool) else _written(value)
        for name, value in row.items()
    }


def _written(value: Any) -> str:
    return str(value.isoformat()) if isinstance(value, date) else str(value)


def _value(column: Column, contract: Contract, number: int, place: int) -> Any:
    may_be_missing = not column.required and column.name not in contract.key
    if may_be_missing and (number + place) % _EVERY == 0:
        return None
    return _present(column, number)


def _present(column: Column, number: int) -> Any:
    text = text_of(column, number)
    if column.type in types.TEXT_TYPES:
        return text
    try:
        return conditions.typed_value(column, text)
    except InvalidInput:
        return conditions.typed_value(column, _plain(column, number))


def text_of(column: Column, number: int) -> str:
    """Return a value of the column as a file writes it: of its codes, check, pattern or type."""
    if column.codes:
        return column.codes[number % len(column.codes)]
    if column.check in IDENTIFIERS:
        return IDENTIFIERS[column.check](number)
    if column.pattern:
        text = text_for(column.pattern, number)
        if re.fullmatch(column.pattern, text):
            return text
    return _plain(column, number)


def _plain(column: Column, number: int) -> str:
    if column.type in types.TEXT_TYPES:
        return _words(column, number)
    if column.type in {"D", "T"}:
        return _moment(column, number)
    if column.type == "L":
        return "true" if number % 2 else "false"
    return str(_amount(column, number))


def _words(column: Column, number: int) -> str:
    digits = f"{number:04d}"
    if column.length is not None and column.length <= len(digits):
        return digits[-column.length :]
    head = f"测试{column.label}"
    return (head if column.length is None else head[: column.length - len(digits)]) + digits


def _moment(column: Column, number: int) -> str:
    first = _day(column.minimum) or min(FIRST_DAY, _day(column.maximum) or FIRST_DAY)
    last = _day(column.maximum) or first + min(timedelta(days=9000), date.max - first)
    day = first + timedelta(days=number * 37 % max((last - first).days + 1, 1))
    if column.type == "D":
        return day.isoformat()
    return f"{day.isoformat()}T09:{number % 60:02d}:00"


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        return None


def _amount(column: Column, number: int) -> Decimal:
    largest = _largest(column)
    low, high = min(Decimal(column.minimum or 0), largest), column.maximum
    if column.type in types.DECIMAL_TYPES:
        digits, scale = types.digits(column)
    else:
        digits, scale = min(column.length or 9, 9), 0 if column.type == "I" else 2
    top = Decimal(high) if high is not None else low + 10 ** min(digits - scale, 6) - 1
    step = Decimal(1).scaleb(-scale)
    span = int((min(top, largest) - low) / step) + 1
    return low + (number * 137 % max(span, 1)) * step


def _largest(column: Column) -> Decimal:
    """Return the greatest number that the type of the column holds."""
    if column.type not in types.DECIMAL_TYPES:
        return _LARGEST_INTEGER
    digits, scale = types.digits(column)
    return Decimal(1).scaleb(digits - scale) - Decimal(1).scaleb(-scale)


def _identity_number(number: int) -> str:
    body = f"{NOWHERE}18990101{number:03d}"
    return body + str(ric.calc_check_digit(f"{body}0"))  # it wants a last digit, whichever


def _uscc(number: int) -> str:
    body = f"91{NOWHERE}XXXXX{number:04d}"
    return body + str(uscc.calc_check_digit(body))


IDENTIFIERS: Final[dict[str, Callable[[int], str]]] = {
    "identity_number": _identity_number,
    "uscc": _uscc,
    "division_code": lambda number: f"5001{number % 20 + 1:02d}",
    "chongqing_district": lambda number: ("500101", "500102", "500103")[number % 3],
    "mobile": lambda number: f"1990000{number:04d}",
    "postcode": lambda number: f"400{number % 1000:03d}",
    "longitude": lambda number: f"106.5{number:04d}",
    "latitude": lambda number: f"29.5{number:04d}",
    "date": lambda number: (FIRST_DAY + timedelta(days=number * 37)).isoformat(),
}


def _fitted(column: Column, condition: Condition, number: int) -> Any:
    """Return a value of the column that meets the condition, where one can be told."""
    value = condition.value
    if condition.operator == "is_null":
        return None if value else _present(column, number)
    if condition.operator == "in":
        return value[number % len(value)]
    if condition.operator == "prefix":
        return _beginning_with(str(value), column, number)
    if condition.operator in {"gt", "lt"}:
        return _beside(column, value, 1 if condition.operator == "gt" else -1)
    return value


def _beginning_with(head: str, column: Column, number: int) -> str:
    """Return a text of the column that begins so: of its codes, or as long as it may be."""
    if column.codes is not None:
        fitting = [code for code in column.codes if code.startswith(head)]
        return fitting[number % len(fitting)] if fitting else head
    if column.length is None:
        return f"{head}{number:04d}"
    room = max(column.length - len(head), 0)
    return head + f"{number:0{room}d}"[-room:] if room else head


def _beside(column: Column, value: Any, step: int) -> Any:
    """Return a value next to this one; the same where the calendar has none."""
    if isinstance(value, str):
        return value + "1" if step > 0 else ""
    if column.type in types.DECIMAL_TYPES:
        return value + Decimal(step).scaleb(-types.digits(column)[1])
    try:
        return value + (timedelta(days=step) if isinstance(value, date) else step)
    except OverflowError:
        return value


_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "eq": lambda held, asked: bool(held == asked),
    "in": lambda held, asked: held in asked,
    "gte": lambda held, asked: bool(held >= asked),
    "lte": lambda held, asked: bool(held <= asked),
    "gt": lambda held, asked: bool(held > asked),
    "lt": lambda held, asked: bool(held < asked),
    "prefix": lambda held, asked: str(held).startswith(str(asked)),
}


def _holds(column: Column, condition: Condition, held: Any) -> bool:
    """Say whether the value meets the condition and the column's type can hold it."""
    if condition.operator == "is_null":
        return (held is None) is bool(condition.value)
    if isinstance(held, int | Decimal) and abs(Decimal(held)) > _largest(column):
        return False
    return held is not None and _COMPARISONS[condition.operator](held, condition.value)
