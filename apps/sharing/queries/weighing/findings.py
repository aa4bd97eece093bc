"""What the terms break, or leave unsaid: each finding names the rule, the items and its source."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalog.models.choices import Grade
from apps.clocks.derivation import add_months
from apps.sharing.queries.weighing.terms import (
    SPECIAL_GRADES,
    STRICT_GRADES,
    Item,
    Level,
    Weighed,
    mask_asked,
)

PROTECTION: Final = {"2": 2, **dict.fromkeys(STRICT_GRADES, 3)}
"""By an entry's grade the protection level that a consumer's system should have (house rule)."""

GENERIC: Final = ("号码", "代码", "编码", "名称", "日期", "时间", "信息", "情况", "状况", "金额")
NECESSARY: Final = gettext_lazy("《个人信息保护法》第六条：限于实现处理目的的最小范围")


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that the terms do not meet."""

    level: Level
    rule: str
    sentence: str
    source: str | Promise
    items: tuple[str, ...] = ()


def findings_of(terms: Weighed) -> list[Finding]:
    """Return what is to be said against the terms, the gravest first.

    Of a return flow only what no other terms would mend: its items, rows and time are given.

    Source: 《政务数据共享条例》第十五条、第二十条、第二十五条; GB/T 45574-2025;
        house rule (domain §4)
    """
    rules = RULES_OF_RETURN_FLOW if terms.is_return_flow else RULES
    found = [finding for rule in rules for finding in rule(terms)]
    return sorted(found, key=lambda finding: -finding.level)


def unmasked(terms: Weighed) -> Iterator[Finding]:
    """Items given in plain although a rule asks for a mask; in a verification none is given."""
    if not terms.gives_rows:
        return
    by_rule: dict[str, list[Item]] = {}
    for item in terms.items:
        if item.is_plain and item.catalogued is not None:
            asked = mask_asked(item.catalogued)
            if asked is not None:
                by_rule.setdefault(asked.rule, []).append(item)
    for items in by_rule.values():
        first = items[0].catalogued
        assert first is not None  # only such items were gathered
        asked = mask_asked(first)
        assert asked is not None
        yield Finding(
            max(_level_of(item) for item in items),
            asked.rule,
            _("%(items)s以明文提供：%(why)s，应当脱敏")
            % {"items": _named(items), "why": asked.why},
            asked.source,
            _labels(items),
        )


def not_shareable(terms: Weighed) -> Iterator[Finding]:
    """Items that the catalogue does not share, or no longer has, since the request was written."""
    gone = [item for item in terms.items if item.catalogued is None]
    if gone:
        yield Finding(
            Level.HIGH,
            "gone",
            _("%(items)s已不在现行目录中") % {"items": _named(gone)},
            _("现行版本的数据目录"),
            _labels(gone),
        )
    closed = [
        item
        for item in terms.items
        if item.catalogued is not None
        and item.catalogued.effective_sharing_attribute == "not_shared"
    ]
    if closed:
        yield Finding(
            Level.HIGH,
            "not_shared",
            _("%(items)s在目录中定为不予共享") % {"items": _named(closed)},
            _("《政务数据共享条例》第十五条"),
            _labels(closed),
        )


def special_grade(terms: Weighed) -> Iterator[Finding]:
    dataset = terms.request.dataset
    if dataset.grade in SPECIAL_GRADES:
        yield Finding(
            Level.HIGH,
            "special_grade",
            _("目录分级为“%(grade)s”，共享须专门审批") % {"grade": dataset.get_grade_display()},
            _("平台分级规则：4 级及以上须专门审批"),
        )


def weak_system(terms: Weighed) -> Iterator[Finding]:
    """The system that would hold the data is protected below what the entry's grade asks for."""
    dataset, system = terms.request.dataset, terms.request.system
    wanted = PROTECTION.get(dataset.grade, 1)
    if not terms.gives_rows or wanted == 1:
        return
    words = {
        "system": system.name,
        "grade": dataset.get_grade_display(),
        "wanted": wanted,
        "level": system.protection_level,
    }
    source = _("平台规则：2 级数据的使用系统等级保护不低于 2 级，3 级及以上的不低于 3 级")
    if system.protection_level is None:
        text = _("“%(system)s”没有登记等级保护级别，目录分级为“%(grade)s”")
        yield Finding(Level.NOTICE, "protection_unknown", text % words, source)
    elif system.protection_level < wanted:
        text = _(
            "“%(system)s”等级保护为 %(level)s 级，目录分级为“%(grade)s”，应当不低于 %(wanted)s 级"
        )
        is_strict = dataset.grade != Grade.TWO
        yield Finding(
            Level.HIGH if is_strict else Level.NOTICE, "protection_low", text % words, source
        )


def unstated(terms: Weighed) -> Iterator[Finding]:
    """Personal items of which the stated purpose says nothing."""
    silent = unmentioned(terms)
    if silent:
        yield Finding(
            Level.NOTICE,
            "unstated",
            _("申请的依据、场景和范围都没有提到%(items)s，为何需要没有说明")
            % {"items": _named(silent)},
            NECESSARY,
            _labels(silent),
        )


def every_row(terms: Weighed) -> Iterator[Finding]:
    if terms.gives_rows and not terms.has_condition and any(i.is_personal for i in terms.items):
        yield Finding(
            Level.NOTICE,
            "every_row",
            _("没有限定数据范围，将提供全部记录"),
            NECESSARY,
        )


def long_period(terms: Weighed) -> Iterator[Finding]:
    if terms.ends_on > a_year_from(terms):
        yield Finding(
            Level.NOTICE,
            "long_period",
            _("使用时限超过一年（%(starts)s 至 %(ends)s）")
            % {"starts": terms.starts_on, "ends": terms.ends_on},
            _("平台规则：一次授权以一年为宜，期满复核后续期"),
        )


RULES: Final[tuple[Callable[[Weighed], Iterator[Finding]], ...]] = (
    unmasked,
    not_shareable,
    special_grade,
    weak_system,
    unstated,
    every_row,
    long_period,
)

RULES_OF_RETURN_FLOW: Final[tuple[Callable[[Weighed], Iterator[Finding]], ...]] = (
    not_shareable,
    special_grade,
    weak_system,
)


def unmentioned(terms: Weighed) -> list[Item]:
    """Return the personal items, beside the key, that no word of the purpose speaks of."""
    return [
        item
        for item in terms.items
        if item.is_personal
        and item.is_readable
        and item.name not in terms.key
        and not _mentions(terms.purpose, item.label)
    ]


def a_year_from(terms: Weighed) -> date:
    """Return the last day that a first grant should have."""
    return add_months(terms.starts_on, 12)


def _mentions(purpose: str, label: str) -> bool:
    """Whether the text has the item's name, or what is left of it without a general ending."""
    core = label
    for ending in GENERIC:
        core = core.removesuffix(ending)
    return label in purpose or (len(core) > 1 and core in purpose)


def _level_of(item: Item) -> Level:
    asked = mask_asked(item.catalogued) if item.catalogued is not None else None
    return asked.level if asked is not None else Level.LOW


def _labels(items: Iterable[Item]) -> tuple[str, ...]:
    return tuple(item.label for item in items)


def _named(items: Iterable[Item]) -> str:
    return "、".join(f"“{label}”" for label in _labels(items))
