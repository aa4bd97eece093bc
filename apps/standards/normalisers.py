"""How a value as departments write it becomes the value as it is kept: macros of DuckDB.

Every macro takes the text and returns the normalised text, NULL for NULL. A text that cannot be
understood comes back as it was, so that the check that follows can show it to the clerk. Texts that
already have the usual form are recognised first: that keeps a million rows fast. No macro reads a
table, the clock or a sequence.

Source: GB/T 7408-2005 (dates); 《政务信息资源目录编制指南（试行）》 (the faults that occur)
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.standards.types import DataType

# Full-width forms of printable ASCII, and the ideographic space.
_FULL = "".join(chr(code + 0xFEE0) for code in range(0x21, 0x7F)) + "\u3000"
_HALF = ("".join(chr(code) for code in range(0x21, 0x7F)) + " ").replace("'", "''")

# What spreadsheets and web pages leave around values: tabs, line ends, no-break and zero-width
# spaces, byte-order marks.
_BLANKS = " \t\r\n\u00a0\u3000\u200b\u200c\u200d\ufeff"

# A day and a time of day in any of the ways they are written, rewritten with at least two digits.
_DAY = r"(\d{4})\s*[-./年]\s*(\d{1,2})\s*[-./月]\s*(\d{1,2})\s*日?"
_CLOCK = r"(\d{1,2})\s*[:时]\s*(\d{1,2})\s*(?:[:分]\s*(\d{1,2}))?(?:\.\d+)?\s*[秒分]?"
_MIDNIGHT = r"(?:[T\s]+0?0:00(?::00(?:\.0+)?)?)?"
_CHINA_ZONE = r"(?:\s*\+08:?00)?"
_ZULU = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z"
_EXCEL_DAY_ZERO = "DATE '1899-12-30'"


@dataclass(frozen=True, slots=True)
class Normaliser:
    """A named way to write values alike; `body` is SQL over the text `x`."""

    name: str
    label: str | Promise
    body: str

    @property
    def macro(self) -> str:
        return f"norm_{self.name}"

    @property
    def definition(self) -> str:
        return f"CREATE OR REPLACE MACRO {self.macro}(x) AS ({self.body})"


def _bound(source: str, body: str) -> str:
    """SQL of `body` over `v`, where `v` is computed once: DuckDB does not share parts of a CASE."""
    return f"list_transform([{source}], lambda v: {body})[1]"


def _two_digits(rewritten: str) -> str:
    """SQL that shortens 005 and 010, which the rewriting made, to 05 and 10."""
    return rf"regexp_replace({rewritten}, '([-: ])0(\d\d)', '\1\2', 'g')"


def _excel_serial(pattern: str) -> str:
    # 20000–80000 are the days from 1954 to 2119; a smaller number is rather a year or a mistake.
    return f"regexp_full_match(v, '{pattern}') AND TRY_CAST(v AS DOUBLE) BETWEEN 20000 AND 80000"


_CLEAN = "norm_trim(norm_half_width(x))"
_IS_EXCEL_DAY = _excel_serial(r"\d{5}(?:\.0+)?")
_IS_EXCEL_INSTANT = _excel_serial(r"\d{5}\.\d+")

_TRIM = rf"""
CASE WHEN regexp_matches(x, '^[\s{_BLANKS}]|[\s{_BLANKS}]$') THEN trim(x, '{_BLANKS}') ELSE x END"""
_HALF_WIDTH = f"""
CASE WHEN regexp_full_match(x, '[ -~]*') THEN x ELSE translate(x, '{_FULL}', '{_HALF}') END"""

_REWRITTEN_DAY = rf"regexp_replace(v, '^{_DAY}{_MIDNIGHT}$', '\1-0\2-0\3')"
_DATE_SLOWLY = rf"""
CASE
  WHEN regexp_full_match(v, '\d{{8}}') THEN v[1:4] || '-' || v[5:6] || '-' || v[7:8]
  WHEN regexp_full_match(v, '{_DAY}{_MIDNIGHT}')
    THEN {_two_digits(_REWRITTEN_DAY)}
  WHEN {_IS_EXCEL_DAY}
    THEN CAST({_EXCEL_DAY_ZERO} + CAST(TRY_CAST(v AS DOUBLE) AS INTEGER) AS VARCHAR)
END"""
_DATE = rf"""
CASE
  WHEN regexp_full_match(x, '\d{{4}}-\d{{2}}-\d{{2}}') THEN x
  ELSE coalesce({_bound(_CLEAN, _DATE_SLOWLY)}, x)
END"""

_REWRITTEN_INSTANT = (
    rf"regexp_replace(v, '^{_DAY}[T\s]*{_CLOCK}{_CHINA_ZONE}$', '\1-0\2-0\3 0\4:0\5:0\6')"
)
_DATETIME_SLOWLY = rf"""
CASE
  WHEN regexp_full_match(v, '\d{{14}}')
    THEN v[1:4] || '-' || v[5:6] || '-' || v[7:8] || ' '
      || v[9:10] || ':' || v[11:12] || ':' || v[13:14]
  WHEN regexp_full_match(v, '{_DAY}[T\s]*{_CLOCK}{_CHINA_ZONE}')
    THEN regexp_replace({_two_digits(_REWRITTEN_INSTANT)}, ':0$', ':00')
  WHEN regexp_full_match(v, '{_ZULU}')
    THEN strftime(
      TRY_CAST(replace(v[1:19], 'T', ' ') AS TIMESTAMP) + INTERVAL 8 HOUR, '%Y-%m-%d %H:%M:%S')
  WHEN {_IS_EXCEL_INSTANT}
    THEN strftime(
      {_EXCEL_DAY_ZERO} + to_seconds(CAST(round(TRY_CAST(v AS DOUBLE) * 86400) AS BIGINT)),
      '%Y-%m-%d %H:%M:%S')
  WHEN regexp_full_match(norm_date(v), '\d{{4}}-\d{{2}}-\d{{2}}') THEN norm_date(v) || ' 00:00:00'
END"""
_DATETIME = rf"""
CASE
  WHEN regexp_full_match(x, '\d{{4}}-\d{{2}}-\d{{2}} \d{{2}}:\d{{2}}:\d{{2}}') THEN x
  ELSE coalesce({_bound(_CLEAN, _DATETIME_SLOWLY)}, x)
END"""

_GROUPED_NUMBER = r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?"
_NUMBER_SLOWLY = rf"""
CASE
  WHEN regexp_full_match(v, '{_GROUPED_NUMBER}') THEN ltrim(replace(v, ',', ''), '+')
  WHEN regexp_full_match(v, '[+-]?(?:\d+\.?\d*|\.\d+)')
    THEN regexp_replace(regexp_replace(ltrim(v, '+'), '^(-?)\.', '\10.'), '\.$', '')
  ELSE v
END"""
_NUMBER = rf"""
CASE
  WHEN regexp_full_match(x, '-?\d+(?:\.\d+)?') THEN x
  ELSE {_bound(_CLEAN, _NUMBER_SLOWLY)}
END"""

_YES = "'true','t','yes','y','1','是','有','真','对'"
_NO = "'false','f','no','n','0','否','无','假','错'"
_BOOLEAN = f"""
CASE
  WHEN x IN ({_YES}) OR lower({_CLEAN}) IN ({_YES}) THEN 'true'
  WHEN x IN ({_NO}) OR lower({_CLEAN}) IN ({_NO}) THEN 'false'
  ELSE x
END"""

_IDENTIFIER = r"""
CASE
  WHEN regexp_full_match(x, '[0-9A-Z]+') THEN x
  ELSE upper(regexp_replace(norm_trim(norm_half_width(x)), '\s', '', 'g'))
END"""

_MOBILE = rf"""
CASE
  WHEN regexp_full_match(x, '[0-9]{{11}}') THEN x
  ELSE regexp_replace(
    regexp_replace({_CLEAN}, '[\s-]', '', 'g'), '^(?:\+|00)86(1\d{{10}})$', '\1')
END"""

_ALL = (
    Normaliser("half_width", _("全角转半角"), _HALF_WIDTH),
    Normaliser("trim", _("去除首尾空白"), _TRIM),
    Normaliser("upper", _("转为大写"), "upper(x)"),
    Normaliser("identifier", _("标识号码：半角、大写、去空格"), _IDENTIFIER),
    Normaliser("mobile", _("手机号：去国家代码、空格和连字符"), _MOBILE),
    Normaliser("number", _("数字：半角、去千位分隔符"), _NUMBER),
    Normaliser("date", _("日期：写成 2019-05-10"), _DATE),
    Normaliser("datetime", _("日期时间：写成 2019-05-10 08:30:00"), _DATETIME),
    Normaliser("boolean", _("逻辑值：写成 true 或 false"), _BOOLEAN),
)
NORMALISERS: dict[str, Normaliser] = {normaliser.name: normaliser for normaliser in _ALL}

_BY_CHECK: dict[str, tuple[str, ...]] = {
    "identity_number": ("identifier",),
    "uscc": ("identifier",),
    "division_code": ("half_width", "trim"),
    "chongqing_district": ("half_width", "trim"),
    "postcode": ("half_width", "trim"),
    "mobile": ("mobile",),
    "longitude": ("number",),
    "latitude": ("number",),
    "date": ("date",),
}
_BY_TYPE: dict[str, tuple[str, ...]] = {
    DataType.NUMBER: ("number",),
    DataType.MONEY: ("number",),
    DataType.INTEGER: ("number",),
    DataType.DOUBLE: ("number",),
    DataType.FLOAT: ("number",),
    DataType.DATE: ("date",),
    DataType.DATETIME: ("datetime",),
    DataType.BOOLEAN: ("boolean",),
}


def normalisers_for(data_type: str, check: str = "", *, has_codes: bool = False) -> tuple[str, ...]:
    """Return the names of the normalisers that a column of this type and check goes through."""
    if check in _BY_CHECK:
        return _BY_CHECK[check]
    if data_type in _BY_TYPE:
        return _BY_TYPE[data_type]
    return ("half_width", "trim") if has_codes else ("trim",)
