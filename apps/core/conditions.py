"""Row conditions and callers' filters: structured in, `psycopg.sql` out. No SQL comes from a user.

Only operators that PostgreSQL knows to be leakproof are compiled: every granted table carries
row-level-security policies, and a condition with any other operator would lose the index.

Source: house rule (design §4)
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal

from django.utils.translation import gettext_lazy as _
from psycopg import sql

from apps.core.contracts import Column
from apps.core.errors import InvalidInput

Operator = Literal["eq", "in", "gte", "lte", "gt", "lt", "prefix", "is_null"]
Value = str | int | float | bool | Decimal | date | datetime

OPERATORS: Final[tuple[Operator, ...]] = (
    "eq",
    "in",
    "gte",
    "lte",
    "gt",
    "lt",
    "prefix",
    "is_null",
)
COMPARISONS: Final = {"eq": "=", "gte": ">=", "lte": "<=", "gt": ">", "lt": "<"}

# The PostgreSQL type of each data type's column; a caller's value is bound as this very type.
CASTS: Final = {
    "C": "text",
    "M": "text",
    "G": "text",
    "N": "numeric",
    "Y": "numeric",
    "D": "date",
    "T": "timestamp",
    "L": "boolean",
    "B": "float8",
    "I": "bigint",
    "F": "float8",
}
TEXTUAL: Final = frozenset("CMG")
TRUTHS: Final = {"true": True, "1": True, "是": True, "false": False, "0": False, "否": False}
UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")  # NUL, and halves of a character
MAXIMUM_VALUES: Final = 1000
MOST_DIGITS: Final = 1000  # of a number, on either side of the point; PostgreSQL takes some more


@dataclass(frozen=True, slots=True)
class Condition:
    """`item operator value`; several conditions are joined by AND.

    value: a tuple for `in`, a truth for `is_null`, otherwise one value of the column's type.
    """

    item: str
    operator: Operator
    value: Any

    def to_json(self) -> dict[str, Any]:
        value = self.value
        if isinstance(value, tuple):
            return {
                "item": self.item,
                "operator": self.operator,
                "value": [_plain(v) for v in value],
            }
        return {"item": self.item, "operator": self.operator, "value": _plain(value)}


def parse(entries: Iterable[dict[str, Any]], columns: Sequence[Column]) -> tuple[Condition, ...]:
    """Check structured conditions against the columns and type their values.

    Raises:
        InvalidInput: unknown item or operator, or a value of the wrong shape; names the item.
    """
    known = {column.name: column for column in columns}
    conditions = []
    for entry in entries:
        item, operator = (
            UNSTORABLE.sub("\ufffd", str(entry.get(part, ""))) for part in ("item", "operator")
        )
        if item not in known:
            raise InvalidInput(
                _("没有名为“%(item)s”的数据项") % {"item": item}, code="unknown_item", item=item
            )
        conditions.append(parse_one(known[item], operator, entry.get("value")))
    return tuple(conditions)


def parse_one(column: Column, operator: str, value: Any) -> Condition:
    """Check one condition on a known column and type its value."""
    if operator not in OPERATORS or (operator == "prefix" and column.type not in TEXTUAL):
        raise InvalidInput(
            _("数据项“%(item)s”不能用“%(operator)s”筛选")
            % {"item": column.name, "operator": operator},
            code="unknown_operator",
            item=column.name,
            operator=operator,
        )
    if operator == "is_null":
        typed: Any = _truth(column, value)
    elif operator == "in":
        typed = _values(column, value)
    else:
        typed = typed_value(column, value)
    return Condition(column.name, operator, typed)


def not_among_codes(condition: Condition, column: Column) -> list[str]:
    """Return the values of a condition that are no codes of a coded column; [] of any other."""
    if not column.codes or condition.operator not in ("eq", "in"):
        return []
    value = condition.value
    values = value if isinstance(value, tuple) else (value,)
    return [str(each) for each in values if str(each) not in column.codes]


def typed_value(column: Column, value: Any) -> Value:
    """Turn a written value into one of the column's type.

    Raises:
        InvalidInput: it cannot be one.
    """
    text = str(value).strip() if value is not None else ""
    if (
        isinstance(value, list | tuple | dict)
        or UNSTORABLE.search(text)
        or (column.type not in TEXTUAL and not text)
    ):
        raise _wrong(column, value)
    try:
        return _typed(column, text)
    except (ValueError, InvalidOperation, OverflowError):
        raise _wrong(column, value) from None


def as_literal(conditions: Sequence[Condition], columns: Sequence[Column]) -> sql.Composable:
    """Compile into SQL with the values as literals, as a policy needs them; TRUE when none."""
    return _joined(
        [_compile(condition, _of(columns, condition.item), _literal) for condition in conditions]
    )


def as_parameters(
    conditions: Sequence[Condition], columns: Sequence[Column]
) -> tuple[sql.Composable, list[Any]]:
    """Compile into SQL with `%s` for the values, and the values in their order."""
    values: list[Any] = []

    def placeholder(value: Value, column: Column) -> sql.Composable:
        values.append(value)
        return sql.SQL("%s::{}").format(sql.SQL(CASTS[column.type]))

    compiled = [
        _compile(condition, _of(columns, condition.item), placeholder) for condition in conditions
    ]
    return _joined(compiled), values


def _compile(condition: Condition, column: Column, write: Any) -> sql.Composable:
    name = sql.Identifier(column.name)
    if condition.operator == "is_null":
        return sql.SQL("{} IS NULL" if condition.value else "{} IS NOT NULL").format(name)
    if condition.operator == "in":
        values = sql.SQL(", ").join(write(value, column) for value in condition.value)
        return sql.SQL("{} IN ({})").format(name, values)
    if condition.operator == "prefix":
        return _prefix(name, str(condition.value), column, write)
    comparison = sql.SQL(COMPARISONS[condition.operator])
    return sql.SQL("{} {} {}").format(name, comparison, write(condition.value, column))


def _prefix(name: sql.Identifier, prefix: str, column: Column, write: Any) -> sql.Composable:
    # LIKE is not leakproof; in collation C a prefix is a range, and a range keeps the index.
    after = _next_in_order(prefix)
    lower = sql.SQL('{} COLLATE "C" >= {}').format(name, write(prefix, column))
    if after is None:
        return lower
    return sql.SQL('({} AND {} COLLATE "C" < {})').format(lower, name, write(after, column))


def _next_in_order(prefix: str) -> str | None:
    """Return the smallest text above every text with this prefix, in order of code points."""
    for index in range(len(prefix) - 1, -1, -1):
        point = ord(prefix[index]) + 1
        if point == 0xD800:  # surrogates are no characters
            point = 0xE000
        if point <= 0x10FFFF:
            return prefix[:index] + chr(point)
    return None


def _literal(value: Value, column: Column) -> sql.Composable:
    return sql.SQL("{}::{}").format(sql.Literal(str(value)), sql.SQL(CASTS[column.type]))


def _joined(compiled: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL(" AND ").join(compiled) if compiled else sql.SQL("TRUE")


def _of(columns: Sequence[Column], name: str) -> Column:
    return next(column for column in columns if column.name == name)


def _typed(column: Column, text: str) -> Value:
    if column.type in TEXTUAL:
        return text
    if column.type == "L":
        return _truth(column, text)
    return _READERS[CASTS[column.type]](text)


def _number(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError(text)
    if max(abs(number.adjusted()), -int(number.as_tuple().exponent)) > MOST_DIGITS:
        raise ValueError(text)
    return number


def _whole(text: str) -> int:
    whole = int(text)
    if not -(2**63) <= whole < 2**63:
        raise ValueError(text)
    return whole


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        raise ValueError(text)
    return moment


_READERS: Final[dict[str, Callable[[str], Value]]] = {
    "numeric": _number,
    "bigint": _whole,
    "float8": float,
    "date": date.fromisoformat,
    "timestamp": _moment,
}


def _truth(column: Column, value: Any) -> bool:
    known = TRUTHS.get(str(value).strip().lower())
    if known is None:
        raise _wrong(column, value)
    return known


def _values(column: Column, value: Any) -> tuple[Value, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise _wrong(column, value)
    if not any(str(part).strip() for part in parts):
        raise InvalidInput(
            _("数据项“%(label)s”（%(item)s）没有写要筛选的值")
            % {"label": column.label, "item": column.name},
            code="invalid_value",
            item=column.name,
        )
    if len(parts) > MAXIMUM_VALUES:
        raise InvalidInput(
            _("数据项“%(label)s”（%(item)s）一次至多写 %(limit)s 个值，这里有 %(count)s 个")
            % {
                "label": column.label,
                "item": column.name,
                "limit": MAXIMUM_VALUES,
                "count": len(parts),
            },
            code="invalid_value",
            item=column.name,
        )
    return tuple(typed_value(column, part) for part in parts)


def _wrong(column: Column, value: Any) -> InvalidInput:
    shown = UNSTORABLE.sub("\ufffd", str(value)[:80])
    return InvalidInput(
        _("数据项“%(label)s”（%(item)s）的值“%(value)s”写法不对")
        % {"label": column.label, "item": column.name, "value": shown},
        code="invalid_value",
        item=column.name,
    )


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | str) else str(value)
