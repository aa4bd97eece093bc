"""A proposal of the least data that serves the stated purpose; a person takes it up or not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.ledger import queries as ledger
from apps.sharing.models import Grant, Mode
from apps.sharing.queries.figures import LEAST_DAYS
from apps.sharing.queries.lists import open_grants
from apps.sharing.queries.versions import columns_added
from apps.sharing.queries.weighing.findings import NECESSARY, a_year_from, unmentioned
from apps.sharing.queries.weighing.terms import Asked, Item, Weighed, mask_asked

CHECKING: Final = ("核对", "核验", "核实", "比对", "查验", "验证", "校验")
TAKING: Final = (
    *("统计", "分析", "汇总", "监测", "名单", "台账", "清单", "推送", "同步", "更新"),
    *("导入", "入库", "落地", "建库", "回填", "预填", "填充", "自动填写", "展示", "导出"),
)
"""Words of a scenario that only checks, and of one that needs the values themselves."""

SAMPLED_CALLS: Final = 500
ENOUGH_CALLS: Final = 20

MINIMAL: Final = gettext_lazy("平台规则：最小必要")


@dataclass(frozen=True, slots=True)
class Change:
    """One narrowing with its reason. kind: verify, drop, mask or period."""

    kind: str
    sentence: str
    reason: str
    source: str | Promise


@dataclass(frozen=True, slots=True)
class LeastData:
    """Terms that `propose` takes as narrower: the items kept with their masks, and why.

    mode is None where it stays as it is. ends_on: the last day. note: why the key stays in plain
    though a mask is asked for on it.
    """

    items: Mapping[str, str]
    mode: str | None
    ends_on: date
    changes: tuple[Change, ...]
    note: str = ""

    @property
    def in_words(self) -> str:
        """The reasons as one text, for the opinion that goes to the consumer."""
        lines = [
            f"{number}. {change.sentence}：{change.reason}"
            for number, change in enumerate(self.changes, 1)
        ]
        return "\n".join([_("按最小必要原则限缩："), *lines]) if lines else ""


def least_data_for(terms: Weighed, at: datetime) -> LeastData:
    """Return what would serve the purpose with less, at most what the terms already give.

    The rules in turn: verification instead of values, when the scenario only checks and the key is
    asked for in plain; items out that the entry does not share, or that this system's standing
    grant never read nor filtered by in its last calls, or that are sensitive and of which the
    purpose says nothing; the mask that the catalogue asks for on what is left in plain, but not on
    the key, by which records are found; a year at most. In a verification items keep their masks,
    for masked ones are not compared. A return flow is given as it is asked for.

    Source: 《政务数据共享条例》第二十条; 《个人信息保护法》第六条; house rule (issue 5)
    """
    if terms.is_return_flow:
        return LeastData({item.name: item.mask for item in terms.items}, None, terms.ends_on, ())
    only_checks = terms.gives_rows and _could_verify(terms)
    dropped = dict(_droppable(terms, at, is_verified=only_checks or not terms.gives_rows))
    kept = [item for item in terms.items if item.name not in dropped]
    changes: list[Change] = []
    if only_checks:
        changes.append(
            Change(
                "verify",
                _("改为只供核验"),
                _("使用场景只是核对，答复是否相符即可，不必取得数据"),
                NECESSARY,
            )
        )
    changes += dropped.values()
    masks = {item.name: item.mask for item in kept}
    if terms.gives_rows and not only_checks:
        masked = _maskable(terms, kept)
        changes += _mask_changes(masked)
        masks |= {item.name: asked.mask for item, asked in masked}
    last = min(terms.ends_on, a_year_from(terms))
    if last < terms.ends_on:
        changes.append(
            Change(
                "period",
                _("使用截止日期提前至 %(day)s") % {"day": last},
                _("一次授权以一年为宜，期满复核后续期"),
                gettext_lazy("平台规则"),
            )
        )
    mode = Mode.VERIFY if only_checks else None
    return LeastData(masks, mode, last, tuple(changes), _key_note(terms, only_checks=only_checks))


def _could_verify(terms: Weighed) -> bool:
    """Whether the scenario only checks, and records could be found by a key given in plain."""
    scenario = terms.request.scenario
    if any(word in scenario for word in TAKING) or not any(word in scenario for word in CHECKING):
        return False
    plain = {item.name for item in terms.items if item.is_plain and item.catalogued is not None}
    key = set(terms.key)
    return key <= plain and bool(plain - key)


def _droppable(terms: Weighed, at: datetime, *, is_verified: bool) -> Iterator[tuple[str, Change]]:
    """Yield the items to leave out; the key stays and one more, of a verification a plain one."""
    idle = _never_read(terms, at)
    silent = {item.name for item in unmentioned(terms) if item.is_sensitive}
    left = {i.name for i in terms.items if i.is_plain or not is_verified} - set(terms.key)
    for item in terms.items:
        why = _why_out(item, idle, silent)
        if why is None or item.name in terms.key or left <= {item.name}:
            continue
        left.discard(item.name)
        sentence = _("不提供“%(item)s”") % {"item": item.label}
        yield item.name, Change("drop", sentence, *why)


def _why_out(item: Item, idle: set[str], silent: set[str]) -> tuple[str, str | Promise] | None:
    if item.catalogued is None:
        return _("已不在现行目录中"), gettext_lazy("现行版本的数据目录")
    if item.catalogued.effective_sharing_attribute == "not_shared":
        return _("目录定为不予共享"), gettext_lazy("《政务数据共享条例》第十五条")
    if item.name in idle:
        text = _("该系统现有授权最近 %(n)s 次以内的调用从未读取，也未用作查询条件")
        return text % {"n": SAMPLED_CALLS}, MINIMAL
    if item.name in silent:
        return _("敏感个人信息，而申请没有说明为何需要"), NECESSARY
    return None


def _maskable(terms: Weighed, kept: list[Item]) -> list[tuple[Item, Asked]]:
    """Return the items given in plain that the catalogue asks to mask, but for the key."""
    found = []
    for item in kept:
        if item.is_plain and item.catalogued is not None and item.name not in terms.key:
            asked = mask_asked(item.catalogued)
            if asked is not None:
                found.append((item, asked))
    return found


def _mask_changes(masked: list[tuple[Item, Asked]]) -> list[Change]:
    """Write one change for all the items that one rule masks."""
    by_rule: dict[str, list[tuple[Item, Asked]]] = {}
    for item, asked in masked:
        by_rule.setdefault(asked.rule, []).append((item, asked))
    changes = []
    for pairs in by_rule.values():
        named = "、".join(f"“{item.label}”" for item, _asked in pairs)
        asked = pairs[0][1]
        sentence = _("%(items)s改为脱敏提供") % {"items": named}
        changes.append(Change("mask", sentence, str(asked.why), asked.source))
    return changes


def _key_note(terms: Weighed, *, only_checks: bool) -> str:
    plain = [
        item.label
        for item in terms.items
        if item.name in terms.key and item.is_plain and item.catalogued is not None
        if mask_asked(item.catalogued) is not None
    ]
    if not plain or only_checks or not terms.gives_rows:
        return ""
    text = _("“%(key)s”是主键，脱敏后不能按它查找，建议里保留明文；不需要按它查找的，应当脱敏。")
    return text % {"key": "、".join(plain)}


def _never_read(terms: Weighed, at: datetime) -> set[str]:
    """Return the columns that the system's standing grant on the dataset never read nor asked by.

    Judged by its newest `SAMPLED_CALLS` records, and only when there are `ENOUGH_CALLS`: three
    statements, whatever was read before. A column that came with a later version is judged by the
    calls since then, once it has been there for `LEAST_DAYS`.
    """
    request = terms.request
    standing: Grant | None = (
        open_grants().filter(system=request.system_id, dataset=request.dataset_id).first()
    )
    if standing is None:
        return set()
    records = ledger.records_of_grant(standing.pk)[:SAMPLED_CALLS]
    calls: list[tuple[datetime, dict[str, Any]]] = [
        (opened_at, query)
        for opened_at, query in records.values_list("opened_at", "query")
        if "fields" in query
    ]
    if len(calls) < ENOUGH_CALLS:
        return set()
    touched = {name for _at, query in calls for name in query["fields"]}
    touched |= {part["item"] for _at, query in calls for part in query.get("where", ())}
    return {column["name"] for column in standing.columns} - touched - _too_new(standing, calls, at)


def _too_new(
    standing: Grant, calls: list[tuple[datetime, dict[str, Any]]], at: datetime
) -> set[str]:
    """Return the columns that came so late that being unread says nothing of them yet."""
    if standing.renewed_at is None:
        return set()
    came = columns_added([standing.pk]).get(standing.pk, {})
    return {
        name
        for name, then in came.items()
        if then > at - LEAST_DAYS or sum(opened >= then for opened, _q in calls) < ENOUGH_CALLS
    }
