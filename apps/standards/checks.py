"""What makes an identifier valid: macros of DuckDB, each with words for the clerk.

A macro takes normalised text and answers true, false, or NULL for NULL. The shape is tried first:
`false AND …` ends there, so that arithmetic on a text of the wrong shape cannot matter.

Source: GB 11643-1999 (公民身份号码), GB 32100-2015 (统一社会信用代码), GB/T 2260 (行政区划代码)
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.standards.divisions import ENDED, FOUNDED, in_force_sql
from apps.standards.normalisers import (
    IDENTITY_CHECK_DIGITS,
    IDENTITY_WEIGHTS,
    NORMALISERS,
)

# Provinces of GB/T 2260; 83 are residents from Taiwan.
_PROVINCE = "(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])"

_IDENTITY_SHAPE = (
    rf"(?:{_PROVINCE}\d|9\d{{2}})\d{{3}}"  # 9: foreigners with the right of permanent residence
    r"(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[0-9X]"
)

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_USCC_SHAPE = r"[1-9ANY][0-9]\d{6}[0-9A-HJ-NPQRTUWXY]{10}"


_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Check:
    """A named rule for values; `body` is SQL over the normalised text `x`.

    `message` says what is wrong, in words that follow the item's name and the value.
    """

    name: str
    label: str | Promise
    message: str | Promise
    body: str
    example: str = ""

    @property
    def macro(self) -> str:
        return f"check_{self.name}"

    @property
    def definition(self) -> str:
        return f"CREATE OR REPLACE MACRO {self.macro}(x) AS ({self.body})"


def _identity_number() -> str:
    return f"""
CASE WHEN x IS NOT NULL THEN
  regexp_full_match(x, '{_IDENTITY_SHAPE}')
  AND try_strptime(x[7:14], '%Y%m%d') IS NOT NULL
  AND list_transform([TRY_CAST(x[1:17] AS BIGINT)], lambda number:
    '{IDENTITY_CHECK_DIGITS}'[CAST(({_weighted("number")}) % 11 AS INTEGER) + 1])[1] = x[18]
END"""


def _weighted(number: str) -> str:
    """SQL of what the weighted digits of 17 leave modulo 11, from quotients of the number.

    A digit is a quotient less ten times the one before; so each quotient counts once, with its
    weight less ten times the next. Cutting the text into digits takes half as long again.
    """
    following = (*IDENTITY_WEIGHTS[1:], 0)
    return " + ".join(
        f"{(weight - 10 * after) % 11} * ({number} // {10 ** (16 - place)})"
        for place, (weight, after) in enumerate(zip(IDENTITY_WEIGHTS, following, strict=True))
    )


def _uscc() -> str:
    def value(place: int) -> str:
        return f"(instr('{USCC_ALPHABET}', x[{place + 1}]) - 1)"

    total = " + ".join(f"{weight} * {value(place)}" for place, weight in enumerate(_USCC_WEIGHTS))
    return f"""
regexp_full_match(x, '{_USCC_SHAPE}') AND {value(17)} = (31 - ({total}) % 31) % 31"""


def _number_between(low: int, high: int) -> str:
    return (
        r"regexp_full_match(x, '-?\d{1,3}(?:\.\d+)?') "
        f"AND TRY_CAST(x AS DOUBLE) BETWEEN {low} AND {high}"
    )


_DIVISION_IN_FORCE = (
    r"CASE WHEN x IS NOT NULL THEN regexp_full_match(x, '50\d{4}(?:\d{3}(?:\d{3})?)?') "
    f"AND ({in_force_sql('x[1:6]', 'day')}) END"
)

_ALL = (
    Check(
        "identity_number",
        _("公民身份号码"),
        _("不是有效的公民身份号码：应为 18 位，出生日期真实，校验码相符"),
        _identity_number(),
        "11010519491231002X",
    ),
    Check(
        "uscc",
        _("统一社会信用代码"),
        _("不是有效的统一社会信用代码：应为 18 位，不含 I、O、S、V、Z，校验码相符"),
        _uscc(),
        "91350100M000100Y43",
    ),
    Check(
        "division_code",
        _("行政区划代码"),
        _("不是行政区划代码：应为 2、4、6、9 或 12 位数字，前两位是省级代码；注意前导零和科学计数"),
        rf"regexp_full_match(x, '{_PROVINCE}(?:\d{{2}}(?:\d{{2}}(?:\d{{3}}(?:\d{{3}})?)?)?)?')",
        "500103",
    ),
    Check(
        "chongqing_district",
        _("重庆市区县代码（入库时有效）"),
        _(
            "不是入库当日有效的重庆市行政区划代码：应为 6、9 或 12 位数字；"
            "江北区 500105、渝北区 500112 已撤销，改用两江新区 500157"
        ),
        "division_in_force(x, landed_on())",
        "500103",
    ),
    Check(
        "mobile",
        _("手机号码"),
        _("不是手机号码：应为 11 位数字，以 13 至 19 开头"),
        r"regexp_full_match(x, '1[3-9]\d{9}')",
        "13800000000",
    ),
    Check(
        "postcode",
        _("邮政编码"),
        _("不是邮政编码：应为 6 位数字，前两位在 01–86 之间"),
        r"regexp_full_match(x, '(?:0[1-9]|[1-7]\d|8[0-6])\d{4}')",
        "400015",
    ),
    Check(
        "longitude",
        _("经度"),
        _("不是我国范围内的经度：应为 73–136 之间的十进制度数，注意与纬度是否颠倒"),
        _number_between(73, 136),
        "106.551556",
    ),
    Check(
        "latitude",
        _("纬度"),
        _("不是我国范围内的纬度：应为 3–54 之间的十进制度数，注意与经度是否颠倒"),
        _number_between(3, 54),
        "29.563009",
    ),
    Check(
        "date",
        _("日期"),
        _("不是日历上有的日期：月份应在 1–12 之间，日应在当月之内"),
        r"CASE WHEN x IS NOT NULL THEN regexp_full_match(x, '\d{4}-\d{2}-\d{2}') "
        "AND TRY_CAST(x AS DATE) IS NOT NULL END",
        "2019-05-10",
    ),
)
CHECKS: dict[str, Check] = {check.name: check for check in _ALL}
CHECK_CHOICES = [(check.name, check.label) for check in _ALL]


def signature(*, on: date) -> str:
    """Return what differs where a normaliser or check would answer otherwise on that day."""
    passed = [day for day in (*FOUNDED.values(), *ENDED.values()) if day <= on]
    return sha256(macros_sql(on=max(passed, default=date.min)).encode()).hexdigest()[:16]


def macros_sql(*, on: date, named_in: str | None = None) -> str:
    """Return the statements that define normalisers and checks in a DuckDB connection.

    on: the day for which `chongqing_district` answers; `division_in_force(x, day)` takes any.
    named_in: define no more than this statement needs; all take longer than a small statement.
    """
    definitions = {
        "landed_on": f"CREATE OR REPLACE MACRO landed_on() AS DATE '{on.isoformat()}'",
        "division_in_force": (
            f"CREATE OR REPLACE MACRO division_in_force(x, day) AS ({_DIVISION_IN_FORCE})"
        ),
        **{normaliser.macro: normaliser.definition for normaliser in NORMALISERS.values()},
        **{check.macro: check.definition for check in CHECKS.values()},
    }
    names = definitions.keys() if named_in is None else _needed(named_in, definitions)
    return ";\n".join(text for name, text in definitions.items() if name in names) + ";"


def _needed(statement: str, definitions: Mapping[str, str]) -> set[str]:
    """The macros that a statement names, and those that these name."""
    found: set[str] = set()
    texts = [statement]
    while texts:
        named = set(_WORD.findall(texts.pop())) & definitions.keys() - found
        found |= named
        texts += [definitions[name] for name in named]
    return found
