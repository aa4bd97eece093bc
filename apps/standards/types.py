"""The catalogue's data types and what each is in PostgreSQL, in DuckDB and in JSON.

Source: 《政务信息资源目录编制指南（试行）》 信息项数据类型
"""

import re
from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.contracts import Column

DIGITS_LIMIT = 38  # what DuckDB's decimals hold


class DataType(models.TextChoices):
    """The letter under which a catalogue names an item's type."""

    TEXT = "C", _("字符型")
    NUMBER = "N", _("数值型")
    MONEY = "Y", _("货币型")
    DATE = "D", _("日期型")
    DATETIME = "T", _("日期时间型")
    BOOLEAN = "L", _("逻辑型")
    MEMO = "M", _("备注型")
    GENERAL = "G", _("通用型")
    DOUBLE = "B", _("双精度型")
    INTEGER = "I", _("整型")
    FLOAT = "F", _("浮点型")


@dataclass(frozen=True, slots=True)
class _Mapping:
    postgres: str
    duckdb: str
    json: str
    filterable: bool


_TEXT = _Mapping("text", "VARCHAR", "string", filterable=True)
_LONG_TEXT = _Mapping("text", "VARCHAR", "string", filterable=False)
_MAPPINGS: dict[str, _Mapping] = {
    DataType.TEXT: _TEXT,
    DataType.MEMO: _LONG_TEXT,
    DataType.GENERAL: _LONG_TEXT,
    # Equality of numeric is not leakproof, so under a grant's policy it would not use an index.
    DataType.NUMBER: _Mapping("numeric", "DECIMAL", "string", filterable=False),
    DataType.MONEY: _Mapping("numeric", "DECIMAL", "string", filterable=False),
    DataType.DATE: _Mapping("date", "DATE", "string", filterable=True),
    DataType.DATETIME: _Mapping("timestamp(0)", "TIMESTAMP", "string", filterable=True),
    DataType.BOOLEAN: _Mapping("boolean", "BOOLEAN", "boolean", filterable=True),
    DataType.INTEGER: _Mapping("bigint", "BIGINT", "integer", filterable=True),
    DataType.DOUBLE: _Mapping("double precision", "DOUBLE", "number", filterable=True),
    DataType.FLOAT: _Mapping("double precision", "DOUBLE", "number", filterable=True),
}

_TYPE_WORDS = {
    "bigint": _("整数"),
    "date": _("日期"),
    "timestamp": _("日期时间"),
    "text": _("文字"),
    "boolean": _("是或否"),
    "double": _("双精度数"),
}
DECIMAL_TYPES = (DataType.NUMBER, DataType.MONEY)
TEXT_TYPES = (DataType.TEXT, DataType.MEMO, DataType.GENERAL)


def postgres_type(column: Column) -> str:
    """Return the type of the column in a data table.

    T is local time without zone; lengths of texts are checked at landing, not by the type.
    """
    return _MAPPINGS[column.type].postgres + _digits_suffix(column)


def widens(was: str, now: str) -> bool:
    """Say whether every value of the first type of a table is, unchanged, one of the second.

    was, now: as `postgres_type` writes them. A whole number has 19 digits at most.
    """
    if was == now:
        return True
    if was == "date":
        return now.startswith("timestamp")
    before = (19, 0) if was == "bigint" else _digits_of(was)
    after = _digits_of(now)
    if before is None or after is None:
        return False
    return after[1] >= before[1] and after[0] - after[1] >= before[0] - before[1]


def type_words(type_name: str) -> str:
    """Return a type of a table, as `postgres_type` or PostgreSQL writes it, in a clerk's words."""
    decimal = _digits_of(type_name)
    if decimal is not None:
        words = _("数值（共 %(digits)s 位，小数 %(scale)s 位）")
        return str(words % {"digits": decimal[0], "scale": decimal[1]})
    bare = type_name.partition("(")[0].split()[0]
    return str(_TYPE_WORDS.get(bare, type_name))


def _digits_of(type_name: str) -> tuple[int, int] | None:
    found = re.fullmatch(r"numeric\((\d+),(\d+)\)", type_name)
    return (int(found[1]), int(found[2])) if found else None


def duckdb_type(column: Column) -> str:
    """Return the type to which landing casts the column after its checks."""
    return _MAPPINGS[column.type].duckdb + _digits_suffix(column)


def json_type(column: Column) -> str:
    """Return the JSON type in answers: N and Y travel as strings so that no digit is lost."""
    return _MAPPINGS[column.type].json


def is_filterable(column: Column) -> bool:
    """Say whether a caller's filter on the column can use an index under row-level security."""
    return _MAPPINGS[column.type].filterable


def digits(column: Column) -> tuple[int, int]:
    """Return (digits in all, digits after the point) of a number or an amount of money."""
    scale = column.scale
    if scale is None:
        scale = 2 if column.type == DataType.MONEY else 0
    precision = column.length or 18
    return min(precision, DIGITS_LIMIT), min(scale, precision, DIGITS_LIMIT)


def cast_sql(column: Column, expression: str) -> str:
    """Return DuckDB SQL that casts normalised text to the column's type, or NULL if it cannot.

    A decimal with more digits after the point than the column has is not rounded but refused.
    """
    target = duckdb_type(column)
    if column.type in TEXT_TYPES:
        return expression
    if column.type in DECIMAL_TYPES:
        _precision, scale = digits(column)
        fits = rf"^[+-]?\d+(\.\d{{0,{scale}}}0*)?$" if scale else r"^[+-]?\d+(\.0*)?$"
        return (
            f"CASE WHEN regexp_full_match({expression}, '{fits}') "
            f"THEN TRY_CAST({expression} AS {target}) END"
        )
    if column.type == DataType.INTEGER:
        return (
            f"CASE WHEN regexp_full_match({expression}, '^[+-]?[0-9]+$') "
            f"THEN TRY_CAST({expression} AS {target}) END"
        )
    return f"TRY_CAST({expression} AS {target})"


def _digits_suffix(column: Column) -> str:
    if column.type not in DECIMAL_TYPES:
        return ""
    precision, scale = digits(column)
    return f"({precision},{scale})"
