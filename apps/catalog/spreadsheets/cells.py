"""Read one cell: a number with its unit, a day in any shape, a flag; or say what is wrong with it.

Source: house rule (日期和数字的各种写法)
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from apps.catalog.spreadsheets.choices import NO, YES
from apps.catalog.surroundings import significant
from apps.core.workbooks.reading import FORMULA_MARK

_DAY = re.compile(
    r"^(\d{4})\s*(?:年|[-/.])\s*(\d{1,2})\s*(?:月|[-/.])\s*(\d{1,2})\s*日?(?:[T\s]+\d{1,2}:\d{2}.*)?$"
)
_COMPACT_DAY = re.compile(r"^(\d{4})(\d{2})(\d{2})$")
_MONTH = re.compile(r"^(\d{4})\s*(?:年|[-/.])\s*(\d{1,2})\s*月?$")
_SERIAL = re.compile(r"^\d{5}(?:\.\d+)?$")
_SERIAL_DAYS = (20_000, 80_000)  # 1954 to 2119
_NUMBER = re.compile(
    r"^([+-]?\d[\d,]*(?:\.\d+)?|[+-]?\.\d+)(?:[eE]([+-]?\d{1,2}))?\s*(.*)$", re.DOTALL
)
_UNITS: Final = {
    "length": frozenset({"位", "字符", "字节", "个字符", "个字", "字", "byte", "bytes", "char"}),
    "G": frozenset({"g", "gb", "吉字节"}),
    "万": frozenset({"万", "万条", "万行", "万笔"}),
    "": frozenset({"条", "行", "个", "位"}),
}


@dataclass(frozen=True, slots=True)
class Read:
    """A value, or a fault in its place; `warning` says how a doubtful cell was understood.

    is_kept_only: the entry may keep this value, but not be given it; then the fault stands too.
    """

    value: Any = None
    fault: str | Promise = ""
    remedy: str | Promise = ""
    warning: str | Promise = ""
    is_kept_only: bool = False


def formula_fault(text: str) -> Read | None:
    """Return the fault of a cell whose formula came to nothing, None for any other cell."""
    if not text.startswith(FORMULA_MARK):
        if text in {"#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"}:
            return _formula_error(text)
        return None
    code = text.removeprefix(FORMULA_MARK)
    if code == "=":
        return Read(
            fault=_("公式没有计算结果"),
            remedy=_("在表格软件中打开并保存一次，或者把公式粘贴为值"),
        )
    return _formula_error(code)


def _formula_error(code: str) -> Read:
    return Read(
        fault=_("单元格是公式错误 %(code)s") % {"code": code},
        remedy=_("改正公式，或者把单元格粘贴为值"),
    )


def narrow(text: str) -> str:
    """Return the text with full-width letters, digits and signs made plain ones."""
    return unicodedata.normalize("NFKC", text).strip()


def day(text: str) -> Read:
    """Read a day: 2019-05-10, 20190510, 2019.5.10, 2019/5/10, 2019年5月10日, or Excel's serial."""
    plain = narrow(text)
    found = _DAY.match(plain) or _COMPACT_DAY.match(plain)
    if found is not None:
        return _day_of(text, *map(int, found.groups()[:3]))
    if _SERIAL.match(plain) and _SERIAL_DAYS[0] <= float(plain) <= _SERIAL_DAYS[1]:
        read = date(1899, 12, 30) + timedelta(days=int(float(plain)))
        return Read(
            read.isoformat(),
            warning=_("“%(text)s”是表格软件的日期序号，读作 %(day)s")
            % {"text": text, "day": read.isoformat()},
        )
    if _MONTH.match(plain):
        return Read(
            fault=_("日期“%(text)s”缺少“日”") % {"text": text[:30]},
            remedy=_("写到日，如 2019-05-10"),
        )
    return Read(
        fault=_("“%(text)s”不是日期") % {"text": text[:30]}, remedy=_("写成 2019-05-10 的样子")
    )


def _day_of(text: str, year: int, month: int, number: int) -> Read:
    remedy = _("写成 2019-05-10 的样子")
    if not 1 <= month <= 12:
        return Read(
            fault=_("日期“%(text)s”的月份应在 1–12 之间") % {"text": text[:30]}, remedy=remedy
        )
    try:
        read = date(year, month, number).isoformat()
    except ValueError:
        return Read(fault=_("日期“%(text)s”不存在") % {"text": text[:30]}, remedy=remedy)
    if text == read or text.startswith(f"{read} "):
        return Read(read)
    return Read(
        read,
        warning=_("日期写作文本“%(text)s”，读作 %(day)s") % {"text": text[:30], "day": read},
    )


def flag(text: str) -> Read:
    word = significant(text) or narrow(text).lower()
    if word in YES:
        return Read(value=True)
    if word in NO:
        return Read(value=False)
    return Read(fault=_("“%(text)s”看不出是或否") % {"text": text[:30]}, remedy=_("填“是”或“否”"))


def number(text: str, unit: str) -> Read:
    """Read a number; `unit` is what the column counts in: length, G, 万 or nothing.

    A unit typed into the cell is told of; another than the column's is a fault.
    """
    plain = narrow(text)
    found = _NUMBER.match(plain)
    if found is None:
        return Read(
            fault=_("“%(text)s”不是数字") % {"text": text[:30]}, remedy=_("只填数字，不写单位")
        )
    try:
        value = Decimal(found[1].replace(",", "")).scaleb(int(found[2] or 0))
    except (InvalidOperation, ValueError):
        return Read(fault=_("“%(text)s”不是数字") % {"text": text[:30]}, remedy=_("只填数字"))
    written = found[3].strip().lower()
    if written and written not in _UNITS.get(unit, frozenset()):
        return Read(
            fault=_("单位写进了数字：“%(text)s”") % {"text": text[:30]},
            remedy=_("换算成表头所写的单位，只填数字"),
        )
    warning: str | Promise = ""
    if written:
        warning = _("单位写进了数字：“%(text)s”，读作 %(value)s") % {
            "text": text[:30],
            "value": plain_number(value),
        }
    elif plain != text.strip():
        warning = _("“%(text)s”是全角数字，读作 %(value)s") % {
            "text": text[:30],
            "value": plain_number(value),
        }
    return Read(value, warning=warning)


def whole(text: str, unit: str, *, most: int) -> Read:
    """Read a whole number from 0 to `most`."""
    read = number(text, unit)
    if read.fault:
        return read
    if read.value != int(read.value) or not 0 <= read.value <= most:
        return Read(
            fault=_("“%(text)s”应为 0 至 %(most)s 的整数") % {"text": text[:30], "most": most},
            remedy=_("只填整数"),
        )
    return Read(int(read.value), warning=read.warning)


def ratio(text: str) -> Read:
    """Read a share: 0.1 or 10%."""
    plain = narrow(text)
    read = number(plain.removesuffix("%"), "")
    if read.fault:
        return read
    value = float(read.value) / (100 if plain.endswith("%") else 1)
    if not 0 <= value <= 1:
        return Read(
            fault=_("“%(text)s”应在 0–1 之间") % {"text": text[:30]},
            remedy=_("如 0.1 或者 10％"),
        )
    return Read(value, warning=read.warning)


def plain_number(value: Decimal) -> str:
    """Return a number without exponent and idle zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
