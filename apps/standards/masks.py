"""How a value is covered before a consumer reads it: immutable SQL functions of schema `mask`.

Each takes one value and returns one, NULL for NULL, and is plain SQL that PostgreSQL folds into the
view. None raises an error that could quote the value, none reads a table, none holds a secret: who
may log in can read its text. A function has one variant per type of column that it fits.

Source: GB/T 45574-2025 (敏感个人信息处理); the shapes of covered values are a house rule
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.contracts import Column
from apps.standards.types import DataType

SCHEMA = "mask"

_SQL_TYPES: dict[str, str] = {
    DataType.TEXT: "text",
    DataType.MEMO: "text",
    DataType.GENERAL: "text",
    DataType.NUMBER: "numeric",
    DataType.MONEY: "numeric",
    DataType.INTEGER: "bigint",
    DataType.DOUBLE: "double precision",
    DataType.FLOAT: "double precision",
    DataType.DATE: "date",
    DataType.DATETIME: "timestamp",
    DataType.BOOLEAN: "boolean",
}

_TEXTS = (DataType.TEXT, DataType.MEMO, DataType.GENERAL)
_NUMBERS = (
    DataType.NUMBER,
    DataType.MONEY,
    DataType.INTEGER,
    DataType.DOUBLE,
    DataType.FLOAT,
)
_DAYS = (DataType.DATE, DataType.DATETIME)


@dataclass(frozen=True, slots=True)
class Mask:
    """A named way to cover values.

    results: by the letter of the column's type, the letter of what the consumer then reads; a type
    that is missing has no such mask. bodies: by SQL type, the expression over `$1`.
    example: a value and what is left of it.
    """

    name: str
    label: str | Promise
    results: Mapping[str, str]
    bodies: Mapping[str, str]
    example: tuple[str, str]

    @property
    def function(self) -> str:
        return self.name

    def fits(self, data_type: str) -> bool:
        """Say whether columns of this type can be masked so."""
        return data_type in self.results

    def definitions(self) -> list[str]:
        """Return the statements that define the function's variants, one per SQL type."""
        result_of = {_SQL_TYPES[given]: _SQL_TYPES[to] for given, to in self.results.items()}
        return [
            f"CREATE OR REPLACE FUNCTION {SCHEMA}.{self.function}({given}) "
            f"RETURNS {result_of[given]} LANGUAGE sql IMMUTABLE PARALLEL SAFE AS "
            f"$mask${' '.join(f'SELECT {body}'.split())}$mask$"
            for given, body in self.bodies.items()
        ]


def _texts(body: str, result: str = DataType.TEXT) -> tuple[dict[str, str], dict[str, str]]:
    return dict.fromkeys(_TEXTS, result), {"text": body}


_KEEP_ENDS = """
CASE WHEN length($1) <= 2 THEN repeat('*', length($1))
     ELSE left($1, 1) || repeat('*', length($1) - 2) || right($1, 1) END"""

# The usual lengths come first, with their stars written out: a third less work for every row.
_COVER_NAME = """
CASE length($1)
     WHEN 3 THEN left($1, 1) || '*' || right($1, 1)
     WHEN 2 THEN left($1, 1) || '*'
     WHEN 1 THEN '*'
     WHEN 0 THEN ''
     ELSE left($1, 1) || repeat('*', length($1) - 2) || right($1, 1) END"""

_COVER_IDENTITY = """
CASE WHEN length($1) = 18 THEN left($1, 6) || '********' || right($1, 4)
     WHEN length($1) < 15 THEN repeat('*', length($1))
     ELSE left($1, 6) || repeat('*', length($1) - 10) || right($1, 4) END"""

_COVER_MOBILE = """
CASE WHEN length($1) < 8 THEN repeat('*', length($1))
     ELSE left($1, 3) || repeat('*', length($1) - 7) || right($1, 4) END"""


def _band(number: str) -> str:
    """SQL of the band of one leading digit that holds the number: 35214 → 30000–39999."""
    unit = f"power(10::numeric, floor(log(abs({number}))))"
    low = f"trunc(abs({number}) / {unit}) * {unit}"
    # Below ten a band would be the number itself.
    return f"""
CASE WHEN {number} IS NULL THEN NULL
     WHEN abs({number}) < 10 THEN CASE WHEN {number} < 0 THEN '-10–0' ELSE '0–10' END
     ELSE CASE WHEN {number} < 0
       THEN '-' || trim_scale(trunc({low} + {unit}))::text || '–-' || trim_scale({low})::text
       ELSE trim_scale({low})::text || '–' || trim_scale(trunc({low} + {unit}))::text END END"""


# NaN and infinities, which only floating-point columns hold, have no band.
_BAND_FLOAT = f"""
CASE WHEN $1 = 'NaN' OR abs($1) = 'Infinity' THEN NULL ELSE {_band("$1::numeric")} END"""

_ALL = (
    Mask(
        "keep_ends",
        _("保留首尾各一字"),
        *_texts(_KEEP_ENDS),
        ("渝北区龙溪街道", "渝*****道"),
    ),
    Mask("cover_name", _("姓名遮盖"), *_texts(_COVER_NAME), ("张小三", "张*三")),
    Mask(
        "cover_identity",
        _("证件号码遮盖（留前 6 位和后 4 位）"),
        *_texts(_COVER_IDENTITY),
        ("11010519491231002X", "110105********002X"),
    ),
    Mask(
        "cover_mobile",
        _("手机号码遮盖（留前 3 位和后 4 位）"),
        *_texts(_COVER_MOBILE),
        ("13800001234", "138****1234"),
    ),
    Mask(
        "band_number",
        _("数值取区间"),
        dict.fromkeys(_NUMBERS, DataType.TEXT),
        {
            "numeric": _band("$1"),
            "bigint": _band("$1::numeric"),
            "double precision": _BAND_FLOAT,
        },
        ("35214", "30000–40000"),
    ),
    Mask(
        "truncate_to",
        _("降低精度（日期到月，时间到日，小数到两位，整数到千）"),
        {letter: letter for letter in (*_NUMBERS, *_DAYS)},
        {
            "numeric": "trunc($1, 2)",
            "bigint": "($1 / 1000) * 1000",
            "double precision": (
                "CASE WHEN $1 = 'NaN' OR abs($1) = 'Infinity' THEN $1 "
                "ELSE trunc($1::numeric, 2)::double precision END"
            ),
            "date": "make_date(extract(year FROM $1)::int, extract(month FROM $1)::int, 1)",
            "timestamp": "$1::date::timestamp",
        },
        ("2019-05-10", "2019-05-01"),
    ),
    Mask(
        "year_of_date",
        _("只留年份"),
        dict.fromkeys(_DAYS, DataType.INTEGER),
        {
            "date": "extract(year FROM $1)::bigint",
            "timestamp": "extract(year FROM $1)::bigint",
        },
        ("2019-05-10", "2019"),
    ),
    Mask(
        "hide",
        _("全部隐藏（文字显示为 ***，其他为空）"),
        {letter: letter for letter in DataType.values},
        {
            "text": "CASE WHEN $1 IS NOT NULL THEN '***' END",
            **{given: f"NULL::{given}" for given in sorted(set(_SQL_TYPES.values()) - {"text"})},
        },
        ("张小三", "***"),
    ),
)
MASKS: dict[str, Mask] = {mask.name: mask for mask in _ALL}
MASK_CHOICES = [(mask.name, mask.label) for mask in _ALL]


def masks_for(data_type: str) -> list[Mask]:
    """Return the masks that columns of this type can have."""
    return [mask for mask in _ALL if mask.fits(data_type)]


def type_after(column: Column, mask: str) -> str:
    """Return the letter of the type that a consumer reads; the column's own without a mask.

    Raises:
        KeyError: there is no such mask, or it does not fit the column.
    """
    return MASKS[mask].results[column.type] if mask else column.type


def install_sql() -> list[str]:
    """Return the statements that create schema and functions; repeat-safe.

    Nobody may run them until `sharing` says so: PUBLIC loses what PostgreSQL gives by default.
    """
    definitions = [statement for mask in _ALL for statement in mask.definitions()]
    return [
        f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}",
        *definitions,
        f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {SCHEMA} FROM PUBLIC",
    ]


def remove_sql() -> str:
    return f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"
