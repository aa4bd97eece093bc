"""How a value as departments write it becomes the value as it is kept: macros of DuckDB.

Every macro takes the text and returns the normalised text, NULL for NULL. A text that cannot be
understood comes back as it was, so that the check that follows can show it to the clerk. Texts that
already have the usual form are recognised first: that keeps a million rows fast. No macro reads a
table, the clock or a sequence.

Source: GB/T 7408-2005 (dates); 《政务信息资源目录编制指南（试行）》 (the faults that occur)
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.standards import amounts
from apps.standards.types import DECIMAL_TYPES, TEXT_TYPES, DataType

# Full-width forms of printable ASCII, and the ideographic space.
_FULL = "".join(chr(code + 0xFEE0) for code in range(0x21, 0x7F)) + "\u3000"
_HALF = ("".join(chr(code) for code in range(0x21, 0x7F)) + " ").replace("'", "''")

# What spreadsheets and web pages leave around values: tabs, line ends, no-break and zero-width
# spaces, byte-order marks.
BLANKS = " \t\r\n\u00a0\u3000\u200b\u200c\u200d\ufeff"

# A day and a time of day in any of the ways they are written, rewritten with at least two digits.
_DAY = r"(\d{4})\s*[-./年]\s*(\d{1,2})\s*[-./月]\s*(\d{1,2})\s*日?"
_CLOCK = r"(\d{1,2})\s*[:时]\s*(\d{1,2})\s*(?:[:分]\s*(\d{1,2}))?(?:\.\d+)?\s*[秒分]?"
_MIDNIGHT = r"(?:[T\s]+0?0:00(?::00(?:\.0+)?)?)?"
_CHINA_ZONE = r"(?:\s*\+08:?00)?"
_ZULU = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z"
_EXCEL_DAY_ZERO = "DATE '1899-12-30'"

# Of the 17 digits of an identity number, and what the remainder of their sum by 11 stands for.
IDENTITY_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
IDENTITY_CHECK_DIGITS = "10X98765432"


@dataclass(frozen=True, slots=True)
class Normaliser:
    """A named way to write values alike; `body` is SQL over the text `x`.

    word: its name in a list of several; types: the data types that it fits; effects: what it may do
    to a value, by name in `rewritings`. One that `takes_length` knows the column's length as `n`.
    """

    name: str
    label: str | Promise
    body: str
    word: str | Promise
    types: Collection[str] = TEXT_TYPES
    effects: tuple[str, ...] = ()
    takes_length: bool = False

    @property
    def macro(self) -> str:
        return f"norm_{self.name}"

    @property
    def definition(self) -> str:
        parameters = "x, n := 0" if self.takes_length else "x"
        return f"CREATE OR REPLACE MACRO {self.macro}({parameters}) AS ({self.body})"

    def applied(self, expression: str, length: int | None) -> str:
        """Return SQL of the normalised expression, for a column of that length."""
        more = f", n := {length or 0}" if self.takes_length else ""
        return f"{self.macro}({expression}{more})"


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

# Looking at both ends costs a fifth of trimming; most values have none.
_TRIM = f"""
CASE WHEN contains('{BLANKS}', x[1]) OR contains('{BLANKS}', x[-1]) THEN trim(x, '{BLANKS}')
  ELSE x END"""
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


def _with_unit(amount: str) -> str:
    return rf"""
CASE
  WHEN regexp_full_match(x, '-?\d+(?:\.\d+)?') THEN x
  ELSE coalesce({_bound(_CLEAN, amount)}, x)
END"""


UNITS = ("unit", "unit_wan")
"""Of these an item goes through one: the number says nothing of its unit."""

# A number of which every digit is written comes back exactly; one that would need noughts filled in
# (5.001E+17) may have lost digits to a spreadsheet, and stays as it is to be refused.
SCIENTIFIC = r"[+-]?\d+(?:\.\d+)?[eE][+-]?\d{1,3}"
_PARTS = r"^([+-]?)(\d)(?:\.(\d+))?[eE]([+-]?)0*(\d{1,2})$"
_SHIFTED = """
CASE
  WHEN p.minus = '-' THEN p.sign || '0.' || repeat('0', p.power - 1) || p.whole || p.part
  WHEN strlen(p.part) >= p.power THEN p.sign || p.whole || p.part[1:p.power]
    || CASE WHEN strlen(p.part) > p.power THEN '.' || p.part[p.power + 1:] ELSE '' END
END"""
_SCIENTIFIC_SLOWLY = f"""
CASE WHEN regexp_matches(v, '{_PARTS}') THEN list_transform([struct_pack(
  sign := replace(regexp_extract(v, '{_PARTS}', 1), '+', ''),
  whole := regexp_extract(v, '{_PARTS}', 2),
  part := regexp_extract(v, '{_PARTS}', 3),
  minus := regexp_extract(v, '{_PARTS}', 4),
  power := CAST(regexp_extract(v, '{_PARTS}', 5) AS INTEGER))],
  lambda p: {_SHIFTED})[1] END"""
_SCIENTIFIC = f"""
CASE
  WHEN NOT regexp_matches(x, '[eEＥｅ]') THEN x
  ELSE coalesce({_bound(_CLEAN, _SCIENTIFIC_SLOWLY)}, x)
END"""

_ZEROS = rf"""
CASE
  WHEN strlen(x) = n OR n = 0 THEN x
  ELSE {
    _bound(
        _CLEAN,
        r"CASE WHEN strlen(v) < n AND regexp_full_match(v, '[0-9]+') "
        r"THEN repeat('0', n - strlen(v)) || v ELSE x END",
    )
}
END"""

_IDENTITY_BASE = "(v[1:6] || '19' || v[7:15])"
_IDENTITY_TOTAL = " + ".join(
    f"{weight} * (ascii(w[{place}]) - 48)" for place, weight in enumerate(IDENTITY_WEIGHTS, 1)
)
_IDENTITY_18_SLOWLY = f"""
CASE WHEN regexp_full_match(v, '[0-9]{{15}}')
    AND try_strptime('19' || v[7:12], '%Y%m%d') IS NOT NULL
  THEN {_IDENTITY_BASE} || list_transform([{_IDENTITY_BASE}],
    lambda w: '{IDENTITY_CHECK_DIGITS}'[CAST(({_IDENTITY_TOTAL}) % 11 AS INTEGER) + 1])[1] END"""
_IDENTITY_18 = f"""
CASE
  WHEN strlen(x) = 18 THEN x
  ELSE coalesce({_bound("norm_identifier(x)", _IDENTITY_18_SLOWLY)}, x)
END"""

_NUMBERS = (*DECIMAL_TYPES, DataType.INTEGER, DataType.DOUBLE, DataType.FLOAT)
_WIDTH = ("half_width", "trim")
_ALL = (
    Normaliser("half_width", _("全角转半角"), _HALF_WIDTH, _("半角"), effects=("half_width",)),
    Normaliser("trim", _("去除首尾空白"), _TRIM, _("去空白"), effects=("trim",)),
    Normaliser("upper", _("转为大写"), "upper(x)", _("大写"), effects=("upper",)),
    Normaliser(
        "identifier",
        _("标识号码：半角、大写、去空格"),
        _IDENTIFIER,
        _("标识号码"),
        effects=(*_WIDTH, "upper", "inner_spaces"),
    ),
    Normaliser(
        "mobile",
        _("手机号：去国家代码、空格和连字符"),
        _MOBILE,
        _("手机号"),
        effects=(*_WIDTH, "inner_spaces", "country_code"),
    ),
    Normaliser(
        "number",
        _("数字：半角、去千位分隔符"),
        _NUMBER,
        _("数字"),
        _NUMBERS,
        (*_WIDTH, "thousands"),
    ),
    Normaliser(
        "unit",
        _("数字带单位：800万人民币写成 8000000，只用于单位为元或者个数的数据项"),
        _with_unit(amounts.IN_ONES),
        _("单位"),
        _NUMBERS,
        ("unit",),
    ),
    Normaliser(
        "unit_wan",
        _("数字带单位：800万人民币写成 800、8000000元写成 800，只用于单位为万元或者万的数据项"),
        _with_unit(amounts.IN_TEN_THOUSANDS),
        _("单位为万"),
        _NUMBERS,
        ("unit",),
    ),
    Normaliser(
        "scientific",
        _("科学计数法还原：各位数字都在的还原，可能丢了末尾数字的不予通过"),
        _SCIENTIFIC,
        _("科学计数"),
        (*TEXT_TYPES, *_NUMBERS),
        ("scientific",),
    ),
    Normaliser(
        "zeros",
        _("补前导零：按长度补齐丢失的前导零，只用于位数固定的数字编码"),
        _ZEROS,
        _("前导零"),
        (DataType.TEXT,),
        ("zeros",),
        takes_length=True,
    ),
    Normaliser(
        "identity_18",
        _("15 位身份证号升为 18 位：出生年份按 19 开头，补算校验码"),
        _IDENTITY_18,
        _("身份证升位"),
        (DataType.TEXT,),
        ("identity_18",),
    ),
    Normaliser(
        "date",
        _("日期：写成 2019-05-10"),
        _DATE,
        _("日期"),
        (*TEXT_TYPES, DataType.DATE),
        (*_WIDTH, "date"),
    ),
    Normaliser(
        "datetime",
        _("日期时间：写成 2019-05-10 08:30:00"),
        _DATETIME,
        _("日期时间"),
        (DataType.DATETIME,),
        (*_WIDTH, "date"),
    ),
    Normaliser(
        "boolean",
        _("逻辑值：写成 true 或 false"),
        _BOOLEAN,
        _("逻辑值"),
        (DataType.BOOLEAN,),
        ("boolean",),
    ),
    Normaliser("as_is", _("原样入库，不作规范化"), "x", _("原样"), tuple(DataType)),
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


def in_order(names: Collection[str]) -> tuple[str, ...]:
    """Return chosen normalisers in the order in which they are applied."""
    return tuple(name for name in NORMALISERS if name in names)


def fault_of(names: Collection[str], data_type: str, length: int | None) -> str | Promise:
    """Say why a column of that type and length cannot be normalised so; "" when it can."""
    for name in names:
        if name not in NORMALISERS:
            return _("没有这种规范化做法")
        chosen = NORMALISERS[name]
        if data_type not in chosen.types:
            return _("规范化“%(word)s”与数据类型不符") % {"word": chosen.word}
        if chosen.takes_length and not length:
            return _("规范化“%(word)s”须填写长度") % {"word": chosen.word}
    if set(UNITS) <= set(names):
        return _("数字的单位只能是一种：元、个，或者万元、万")
    if "as_is" in names and len(names) > 1:
        return _("选了原样入库，就不能再选其他做法")
    return ""
