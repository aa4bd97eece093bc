"""What a column seems to be, from its heading and from what stands in it; each with its evidence.

A rule is proposed where nearly every value keeps it; what is short of that is said, not proposed.
Where heading and values disagree the values win.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from apps.standards.checks import CHECKS
from apps.standards.models import CodeList, DataElement
from apps.standards.normalisers import NORMALISERS
from apps.standards.types import DataType
from apps.warehouse.proposing.profiling import ColumnProfile

NEARLY_ALL: Final = 0.95
WORTH_SAYING: Final = 0.5
_LENGTHS: Final = (10, 20, 50, 100, 200, 500, 1_000, 2_000)
_FEW: Final = 30
_ROWS_A_VALUE: Final = 10

# A check that any six digits may pass counts only under a heading that speaks of it.
_CHECKS: Final[tuple[tuple[str, str], ...]] = (
    ("identity_number", ""),
    ("uscc", ""),
    ("mobile", ""),
    ("division_code", "区划|地区|行政区|区县|街道|代码|编码|division|area|code"),
    ("postcode", "邮编|邮政|post|zip"),
    ("longitude", "经度|lon|lng|x坐标"),
    ("latitude", "纬度|lat|y坐标"),
)
_CODED: Final = re.compile(
    r"编号|代码|编码|号码|证号|文号|账号|卡号|户号|code|id$|no\.?$",
    re.IGNORECASE,
)
_MONEY: Final = re.compile(
    r"金额|资金|费|款|工资|收入|支出|价|补贴|补助|（[百千万亿]*元）|\([百千万亿]*元\)"
)
_DATED: Final = re.compile(r"日期|时间|年月日|date|time", re.IGNORECASE)
# What a heading keeps its amounts in: ten thousands, or a scale that no normaliser knows.
_IN_WAN: Final = re.compile(r"(?<![十百千])万(?:元|圆|[个家户件台辆次名所条项人]|(?=[）)]|$))")
_OTHER_SCALE: Final = re.compile(r"亿|[十百千]万|[百千][元圆]")
_WHETHER: Final = re.compile(r"^是否|^有无")
_PERSONAL: Final = re.compile(
    r"姓名|身份证|手机|电话|住址|家庭地址|通讯地址|户籍|出生|性别|民族|邮箱|监护人|联系人|法定代表人"
)
_SENSITIVE: Final = re.compile(
    r"身份证|银行卡|银行账|病|诊断|健康|残疾|宗教|血型|指纹|人脸|基因|轨迹|未成年|低保|救助|犯罪"
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was proposed of a field, and what speaks for it."""

    said: str
    why: str

    def to_json(self) -> dict[str, str]:
        return {"said": self.said, "why": self.why}


@dataclass(slots=True)
class ProposedItem:
    """values: an item's fields as the catalogue takes them; evidence: in the order of finding."""

    profile: ColumnProfile
    values: dict[str, Any]
    evidence: list[Evidence] = field(default_factory=list)

    def say(self, said: str | Promise, why: str | Promise) -> None:
        self.evidence.append(Evidence(str(said), str(why)))


def propose_item(
    profile: ColumnProfile,
    rows: int,
    *,
    element: DataElement | None,
    lists: Mapping[int, tuple[CodeList, frozenset[str], frozenset[str]]],
) -> ProposedItem:
    """Propose everything about one column but its name and its place in the key.

    lists: code lists with their codes and meanings, by key.
    """
    item = ProposedItem(profile, {"normalise": []})
    if not profile.of("filled"):
        item.values.update(data_type=DataType.TEXT.value, length=50)
        item.say(_("字符型"), _("整列都是空的，看不出类型"))
        return item
    if not _by_check(item) and not _by_code_list(item, lists):
        _by_type(item)
    _by_required(item, rows)
    _by_privacy(item, element)
    _by_few_values(item)
    return item


def _by_check(item: ProposedItem) -> bool:
    """Propose an identifier's check; say so where only many values keep it."""
    profile = item.profile
    for name, hint in _CHECKS:
        if hint and not re.search(hint, profile.heading, re.IGNORECASE):
            continue
        passed = profile.of(name)
        old = profile.of("old_identity_number") if name == "identity_number" else 0
        share = (passed + old) / profile.of("filled")
        label = CHECKS[name].label
        if share >= NEARLY_ALL:
            item.values.update(value_check=name, **_shape_of_check(name, profile))
            item.say(label, _passed(passed, profile))
            if old:
                _propose_old_numbers(item, old)
            return True
        if share >= WORTH_SAYING:
            item.say(
                _("疑似%(label)s，没有采用") % {"label": label},
                _("%(passed)s；先查明不合的值") % {"passed": _passed(passed + old, profile)},
            )
    return False


def _propose_old_numbers(item: ProposedItem, old: int) -> None:
    item.values["normalise"] = ["identifier", "identity_18"]
    item.say(
        NORMALISERS["identity_18"].word,
        _("有 %(count)s 个 15 位的号码，升位后通过校验") % {"count": f"{old:,}"},
    )


def _shape_of_check(name: str, profile: ColumnProfile) -> dict[str, Any]:
    if name in ("longitude", "latitude"):
        return {"data_type": DataType.DOUBLE.value}
    fixed = {"identity_number": 18, "uscc": 18, "mobile": 11, "postcode": 6}
    length = fixed.get(name, profile.of("longest"))
    return {"data_type": DataType.TEXT.value, "length": length}


def _by_type(item: ProposedItem) -> None:
    profile = item.profile
    for decide in (_as_instant, _as_day, _as_boolean, _as_number):
        if decide(item, profile):
            return
    _as_text(item, profile)


def _as_instant(item: ProposedItem, profile: ColumnProfile) -> bool:
    if profile.share("instants") < NEARLY_ALL:
        return False
    item.values["data_type"] = DataType.DATETIME.value
    item.say(DataType.DATETIME.label, _counted(profile, "instants", _("是日期和时间")))
    return True


def _as_day(item: ProposedItem, profile: ColumnProfile) -> bool:
    days = profile.of("days")
    if _DATED.search(profile.heading):
        days += profile.of("serial_days")  # a spreadsheet's number of the day
    share = days / profile.of("filled")
    if share >= NEARLY_ALL:
        item.values["data_type"] = DataType.DATE.value
        item.say(
            DataType.DATE.label,
            _("%(filled)s 个值中 %(count)s 个是日历上有的日期，自 %(first)s 至 %(last)s")
            % {
                "filled": f"{profile.of('filled'):,}",
                "count": f"{days:,}",
                "first": profile.first_day or "—",
                "last": profile.last_day or "—",
            },
        )
        return True
    if share >= WORTH_SAYING:
        item.say(_("疑似日期型，没有采用"), _counted(profile, "days", _("是日期")))
    return False


def _as_boolean(item: ProposedItem, profile: ColumnProfile) -> bool:
    is_asked = bool(_WHETHER.search(profile.heading))
    found = profile.share("booleans") >= NEARLY_ALL or (
        is_asked and set(profile.values) <= {"0", "1"} and bool(profile.values)
    )
    if not found:
        return False
    item.values["data_type"] = DataType.BOOLEAN.value
    words = "、".join(list(profile.values)[:4])
    item.say(DataType.BOOLEAN.label, _("只有这几种值：%(words)s") % {"words": words})
    return True


def _as_number(item: ProposedItem, profile: ColumnProfile) -> bool:
    numbers, units = profile.of("numbers"), profile.of("units")
    if (numbers + units) / profile.of("filled") < NEARLY_ALL or _is_coded(profile):
        return False
    if units and not _OTHER_SCALE.search(profile.heading):
        unit = "unit_wan" if _IN_WAN.search(profile.heading) else "unit"
        item.values["normalise"] = ["number", unit]
        item.say(
            NORMALISERS[unit].word,
            _("有 %(count)s 个值带单位，如 800万元") % {"count": f"{units:,}"},
        )
    is_money = bool(_MONEY.search(profile.heading))
    if profile.of("integers") == profile.of("filled") and not is_money:
        item.values["data_type"] = DataType.INTEGER.value
        item.say(DataType.INTEGER.label, _counted(profile, "integers", _("是整数")))
        return True
    scale = max(profile.of("scale"), 2 if is_money else 0)
    whole = max(profile.of("whole_digits"), 12 if units else 0)
    kind = DataType.MONEY if is_money else DataType.NUMBER
    # Two digits more than were seen: the next file is seldom smaller.
    length = min(38, whole + min(scale, 20) + 2)
    item.values.update(data_type=kind.value, length=length, scale=min(scale, 20))
    item.say(
        kind.label,
        _("%(numbers)s；整数部分最多 %(whole)s 位，小数最多 %(scale)s 位")
        % {
            "numbers": _counted(profile, "numbers", _("是数值")),
            "whole": profile.of("whole_digits"),
            "scale": profile.of("scale"),
        },
    )
    return True


def _is_coded(profile: ColumnProfile) -> bool:
    """Digits that are no quantity: they have leading noughts, or the heading says a code."""
    return bool(profile.of("noughts") or _CODED.search(profile.heading))


def _as_text(item: ProposedItem, profile: ColumnProfile) -> None:
    longest, shortest = profile.of("longest"), profile.of("shortest")
    is_code = profile.share("digits") >= NEARLY_ALL and _is_coded(profile)
    if longest > _LENGTHS[-1]:
        item.values["data_type"] = DataType.MEMO.value
        item.say(DataType.MEMO.label, _("最长 %(longest)s 个字") % {"longest": f"{longest:,}"})
        return
    length = longest if is_code and shortest == longest else _rounded(longest)
    item.values.update(data_type=DataType.TEXT.value, length=length)
    why = _("最长 %(longest)s 个字，最短 %(shortest)s 个") % {
        "longest": f"{longest:,}",
        "shortest": f"{shortest:,}",
    }
    item.say(_("字符型，长度 %(length)s") % {"length": length}, why)
    if is_code and shortest < longest and profile.of("noughts"):
        item.say(
            _("可能丢了前导零"),
            _("都是数字，有的以 0 开头，位数却在 %(shortest)s–%(longest)s 之间；位数固定的，"
              "选规范化“%(word)s”并填写长度")
            % {"shortest": shortest, "longest": longest, "word": NORMALISERS["zeros"].word},
        )  # fmt: skip
    if profile.of("scientific"):
        item.values["normalise"] = ["trim", "scientific"]
        item.say(
            NORMALISERS["scientific"].word,
            _("有 %(count)s 个值写成科学计数法，末尾数字可能已丢失；在来源系统按文本重新导出")
            % {"count": f"{profile.of('scientific'):,}"},
        )


def _by_required(item: ProposedItem, rows: int) -> None:
    empty = rows - item.profile.of("filled")
    item.values["required"] = not empty
    if empty:
        item.say(_("选填"), _("%(rows)s 行中 %(empty)s 行为空") % _rows(rows, empty))
    else:
        item.say(_("必填"), _("%(rows)s 行都有值") % _rows(rows, 0))


def _rows(rows: int, empty: int) -> dict[str, str]:
    return {"rows": f"{rows:,}", "empty": f"{empty:,}"}


def _by_code_list(
    item: ProposedItem, lists: Mapping[int, tuple[CodeList, frozenset[str], frozenset[str]]]
) -> bool:
    """Propose the code list that holds nearly every value; say so where it holds their names."""
    profile = item.profile
    filled = profile.of("filled")
    for code_list, codes, meanings in lists.values():
        coded = sum(count for value, count in profile.values.items() if value in codes)
        named = sum(count for value, count in profile.values.items() if value in meanings)
        is_named_so = _shares_a_word(profile.heading, code_list.name)
        if coded / filled >= NEARLY_ALL and is_named_so:
            item.values.update(data_type=DataType.TEXT.value, code_list=code_list)
            item.values["length"] = max(_rounded(profile.of("longest")), 10)
            item.say(
                _("代码集：%(name)s") % {"name": code_list.name},
                _("%(filled)s 个值中 %(count)s 个在代码集内")
                % {"filled": f"{filled:,}", "count": f"{coded:,}"},
            )
            return True
        if named / filled >= NEARLY_ALL and is_named_so:
            item.say(
                _("可对应代码集：%(name)s") % {"name": code_list.name},
                _("值是代码的含义（%(words)s）而不是代码；改报代码后再选这个代码集")
                % {"words": "、".join(list(profile.values)[:4])},
            )
            break
    return False


def _by_few_values(item: ProposedItem) -> None:
    """Say that a column has few values, which might be a code list of its own."""
    profile = item.profile
    filled, distinct = profile.of("filled"), len(profile.values)
    is_text = item.values.get("data_type") == DataType.TEXT
    is_closed = item.values.get("value_check") or item.values.get("code_list")
    if not is_text or is_closed or item.values.get("personal"):
        return
    if 1 < distinct <= _FEW and filled >= _ROWS_A_VALUE * distinct:
        words = "、".join(list(profile.values)[:_FEW])
        item.values["description"] = str(_("取值：%(words)s") % {"words": words})
        why = _("只有 %(count)s 种值：%(words)s") % {
            "count": distinct,
            "words": "、".join(list(profile.values)[:8]),
        }
        item.say(_("可以建代码集"), why)


def _shares_a_word(heading: str, name: str) -> bool:
    heading, name = (re.sub(r"代码|编码", "", text) for text in (heading, name))
    return any(heading[place : place + 2] in name for place in range(len(heading) - 1))


def _by_privacy(item: ProposedItem, element: DataElement | None) -> None:
    heading, check = item.profile.heading, item.values.get("value_check", "")
    reasons = list(_reasons_of_privacy(heading, check, element))
    if not reasons:
        return
    sensitive = bool(
        check == "identity_number"
        or (element is not None and element.sensitive)
        or _SENSITIVE.search(heading)
    )
    item.values.update(personal=True, sensitive=sensitive)
    item.say(_("敏感个人信息") if sensitive else _("个人信息"), "；".join(reasons))
    masks = {"identity_number": "cover_identity", "mobile": "cover_mobile"}
    if check in masks:
        item.values["mask"] = masks[check]


def _reasons_of_privacy(heading: str, check: str, element: DataElement | None) -> Iterator[str]:
    if check in ("identity_number", "mobile"):
        yield str(_("值是%(label)s") % {"label": CHECKS[check].label})
    if element is not None and element.personal:
        yield str(_("对应数据元“%(name)s”") % {"name": element.name})
    elif found := _PERSONAL.search(heading) or _SENSITIVE.search(heading):
        yield str(_("名称中有“%(word)s”") % {"word": found[0]})


def _rounded(longest: int) -> int:
    return next((length for length in _LENGTHS if length >= longest), longest)


def _passed(count: int, profile: ColumnProfile) -> str:
    return str(
        _("%(filled)s 个值中 %(count)s 个通过校验")
        % {"filled": f"{profile.of('filled'):,}", "count": f"{count:,}"}
    )


def _counted(profile: ColumnProfile, name: str, words: Any) -> str:
    return str(
        _("%(filled)s 个值中 %(count)s 个%(words)s")
        % {
            "filled": f"{profile.of('filled'):,}",
            "count": f"{profile.of(name):,}",
            "words": words,
        }
    )
