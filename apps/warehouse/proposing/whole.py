"""The whole of a proposed entry: its columns' names, key, update cycle, personal information."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, Final

from django.utils.translation import gettext as _
from pypinyin import lazy_pinyin

from apps.catalog.item_defaults import standard_name
from apps.catalog.models.choices import UpdateCycle
from apps.catalog.surroundings import significant
from apps.catalog.validation import RESERVED_COLUMNS
from apps.standards.models import CodeList, DataElement
from apps.standards.queries import entries_valid
from apps.warehouse.landing import encodings
from apps.warehouse.landing.reader import Reader
from apps.warehouse.proposing import profiling
from apps.warehouse.proposing.columns import Evidence, ProposedItem, propose_item
from apps.warehouse.proposing.reading import Opened, opened

_KEYS_TRIED: Final = 8
_NEARLY_DISTINCT: Final = 0.9
_COUNTING: Final = re.compile(r"^(序号?|行号|编号|no\.?|id)$", re.IGNORECASE)
_CODED: Final = re.compile(r"编号|代码|编码|号码|证号|文号|code|id$", re.IGNORECASE)
_OF_PERIODS: Final = re.compile(r"更新|统计|填报|报告|数据|月份|期间|采集|date|day", re.IGNORECASE)
_CYCLES: Final = (
    (1.5, UpdateCycle.DAILY),
    (8, UpdateCycle.WEEKLY),
    (12, UpdateCycle.TEN_DAYS),
    (32, UpdateCycle.MONTHLY),
    (93, UpdateCycle.QUARTERLY),
    (186, UpdateCycle.HALF_YEARLY),
    (370, UpdateCycle.YEARLY),
)
_CYCLE_WORDS: Final = (
    (re.compile(r"日报|每日|当日"), UpdateCycle.DAILY),
    (re.compile(r"周报|每周"), UpdateCycle.WEEKLY),
    (re.compile(r"月报|每月|\d月"), UpdateCycle.MONTHLY),
    (re.compile(r"季报|季度"), UpdateCycle.QUARTERLY),
    (re.compile(r"半年"), UpdateCycle.HALF_YEARLY),
    (re.compile(r"年报|年度"), UpdateCycle.YEARLY),
)
_NOT_OF_A_NAME: Final = re.compile(
    r"[（(【\[].*?[)）】\]]|\d{4}年?(?:\d{1,2}月?)?(?:\d{1,2}日?)?|\d+|[_\-\s.]+|(?:明细)?表$"
)


@dataclass(slots=True)
class Proposed:
    """fields, items: of the entry as the catalogue takes them; evidence: of the entry, and of each
    item by its column name; notes: how the file was read.
    """

    fields: dict[str, Any]
    items: list[dict[str, Any]]
    rows: int
    evidence: list[Evidence] = field(default_factory=list)
    item_evidence: dict[str, list[Evidence]] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)


Told = Callable[[str, Callable[[], int], int], None]
"""Hears a stage (`opening`, `profiling`, `concluding`), how to ask how many columns are counted
(from another thread, as long as the stage lasts), and of how many."""


def unheard(_stage: str, _done: Callable[[], int], _of: int) -> None:
    """Nobody wants to know how far it is."""


def propose_from(
    path: Path, file_name: str, workplace: Path, *, on: date, told: Told = unheard
) -> Proposed:
    """Read the whole file and propose an entry for it.

    on: the day for which code lists are asked; told: hears how far it is.

    Raises:
        Refusal: the file holds no table, or one that cannot be read.
    """
    told("opening", int, 0)
    file = opened(path, file_name, workplace)
    headings = dict(file.headings)
    with Reader(file.survey, file.columns, workplace=workplace, on=on) as reader:
        found = profiling.profiles(reader, headings, told=partial(told, "profiling"))
        rows = int(reader.value(f"SELECT count(*) FROM {reader.source()}"))  # noqa: S608
        told("concluding", partial(int, len(found)), len(found))
        elements = _elements(headings.values())
        lists = _code_lists(on)
        items = [
            propose_item(profile, rows, element=elements.get(profile.heading), lists=lists)
            for profile in found
        ]
        proposed = Proposed(fields={"name": _name_of(file_name)}, items=[], rows=rows)
        _name_columns(items, elements)
        _find_key(proposed, items, reader, rows)
        _find_cycle(proposed, items, reader, file_name)
    _find_privacy(proposed, items)
    _note_reading(proposed, file)
    proposed.items = [item.values for item in items]
    proposed.item_evidence = {item.values["column_name"]: item.evidence for item in items}
    return proposed


def _elements(headings: Collection[str]) -> dict[str, DataElement]:
    names = {heading: standard_name(heading) for heading in headings}
    found = {each.name: each for each in DataElement.objects.filter(name__in=names.values())}
    return {heading: found[name] for heading, name in names.items() if name in found}


def _code_lists(on: date) -> dict[int, tuple[CodeList, frozenset[str], frozenset[str]]]:
    """Return each code list with its codes, and with its meanings as departments write them."""
    codes: dict[int, set[str]] = {}
    meanings: dict[int, set[str]] = {}
    for entry in entries_valid(on=on).only("code_list_id", "code", "name"):
        codes.setdefault(entry.code_list_id, set()).add(entry.code)
        plain = re.sub(r"[（(].*", "", entry.name)
        meanings.setdefault(entry.code_list_id, set()).update(
            {entry.name, plain, re.sub(r"[性族]$", "", plain)}
        )
    return {
        each.pk: (each, frozenset(codes.get(each.pk, ())), frozenset(meanings.get(each.pk, ())))
        for each in CodeList.objects.all()
    }


def _name_columns(items: Sequence[ProposedItem], elements: Mapping[str, DataElement]) -> None:
    used: set[str] = set()
    names: set[str] = set()
    for item in items:
        heading = item.profile.heading
        element = elements.get(heading)
        name = _unused(heading.strip()[:50], names, {significant(each) for each in names})
        names.add(name)
        column = column_name(heading, used)
        if element is not None and _is_of(item, element):
            column = element.column_name if element.column_name not in used else column
            item.values["data_element"] = element
            item.say(_("数据元：%(name)s") % {"name": element.name}, _("名称和校验规则相合"))
        used.add(column)
        item.values.update(name=name, column_name=column)
        if name != heading.strip():
            item.values["headings"] = [heading.strip()[:100]]


def _is_of(item: ProposedItem, element: DataElement) -> bool:
    """Say whether a column is that element: by its very name, or by a name for it and its check."""
    if significant(element.name) == significant(item.profile.heading):
        return True
    check = item.values.get("value_check", "")
    return bool(check) and check == element.value_check


def column_name(heading: str, used: Collection[str]) -> str:
    """Return a column's name in pinyin, or in the Latin letters that the heading has."""
    bare = re.sub(r"[（(\[【].*?[)）\]】]", "", heading) or heading
    spelled = "_".join(lazy_pinyin(bare))
    name = re.sub(r"[^a-z0-9]+", "_", spelled.lower()).strip("_")[:40].strip("_")
    if not name or not name[0].isalpha():
        name = f"c_{name}".rstrip("_")
    if name in RESERVED_COLUMNS:
        name = f"{name}_value"
    number, wanted = 1, name
    while name in used:
        number += 1
        name = f"{wanted}_{number}"
    return name


def _unused(name: str, used: Collection[str], alike: Collection[str]) -> str:
    number, wanted = 1, name
    while name in used or significant(name) in alike:
        number += 1
        name = f"{wanted[:45]}（{number}）"
    return name


def _find_key(proposed: Proposed, items: Sequence[ProposedItem], reader: Reader, rows: int) -> None:
    """Propose the column of which no value stands twice, or two that are never the same twice."""
    whole = [item for item in items if rows and item.profile.of("filled") == rows]
    likely = [
        item for item in whole if item.profile.of("about_distinct") >= _NEARLY_DISTINCT * rows
    ]
    likely.sort(key=_rank)
    names = [item.profile.name for item in likely[:_KEYS_TRIED]]
    unique = profiling.unique_columns(reader, names, rows)
    by_name = {item.profile.name: item for item in items}
    if unique:
        chosen = [by_name[unique[0]]]
        why = _("%(rows)s 行中每行的值都不同") % {"rows": f"{rows:,}"}
    else:
        whole.sort(key=lambda item: -item.profile.of("about_distinct"))
        candidates = [item.profile.name for item in whole[:4]]
        pair = profiling.unique_pair(reader, candidates, rows)
        if pair is None:
            proposed.evidence.append(
                Evidence(
                    str(_("主键：没有找到")),
                    str(_("没有哪一列或者哪两列能唯一确定一条记录；先去重，或者补充编号")),
                )
            )
            return
        chosen = sorted((by_name[name] for name in pair), key=_rank)
        why = _("%(rows)s 行中这两列的组合没有重复") % {"rows": f"{rows:,}"}
    proposed.fields["key_items"] = [item.values["column_name"] for item in chosen]
    labels = "、".join(item.values["name"] for item in chosen)
    proposed.evidence.append(Evidence(str(_("主键：%(items)s") % {"items": labels}), str(why)))
    for item in chosen:
        item.values["required"] = True


def _rank(item: ProposedItem) -> int:
    """How well a column serves as a key: identifiers, codes, names, and last a mere counting."""
    heading = item.profile.heading.strip()
    if item.values.get("value_check") in ("identity_number", "uscc"):
        return 0
    if _COUNTING.match(heading):
        return 5
    if _CODED.search(heading):
        return 1
    return 4 if item.values.get("data_type") in ("D", "T", "N", "Y", "B") else 2


def _find_cycle(
    proposed: Proposed, items: Sequence[ProposedItem], reader: Reader, file_name: str
) -> None:
    """Propose an update cycle from days that many rows share, or from the file's name."""
    for item in items:
        if item.values.get("data_type") != "D" or not _OF_PERIODS.search(item.profile.heading):
            continue
        days = [date.fromisoformat(day) for day in profiling.days_of(reader, item.profile.name)]
        if len(days) < 3 or len(days) * 2 > proposed.rows:
            continue
        gap = median((after - before).days for before, after in pairwise(days))
        cycle = next((cycle for most, cycle in _CYCLES if gap <= most), None)
        if cycle is not None:
            why = _("“%(item)s”有 %(count)s 个不同的日期，相邻的一般相隔 %(days)s 天") % {
                "item": item.profile.heading,
                "count": len(days),
                "days": f"{gap:g}",
            }
            _take_cycle(proposed, cycle, str(why))
            return
    for pattern, cycle in _CYCLE_WORDS:
        if found := pattern.search(file_name):
            why = _("文件名中有“%(word)s”") % {"word": found[0]}
            _take_cycle(proposed, cycle, str(why))
            return
    proposed.evidence.append(
        Evidence(str(_("更新周期：看不出")), str(_("没有能说明周期的日期列，文件名里也没有")))
    )


def _take_cycle(proposed: Proposed, cycle: UpdateCycle, why: str) -> None:
    proposed.fields["update_cycle"] = cycle.value
    proposed.evidence.append(Evidence(str(_("更新周期：%(cycle)s") % {"cycle": cycle.label}), why))


def _find_privacy(proposed: Proposed, items: Sequence[ProposedItem]) -> None:
    personal = [item.values["name"] for item in items if item.values.get("personal")]
    if not personal:
        return
    sensitive = [item.values["name"] for item in items if item.values.get("sensitive")]
    proposed.fields.update(contains_personal=True, contains_sensitive=bool(sensitive))
    said = _("含敏感个人信息") if sensitive else _("含个人信息")
    proposed.evidence.append(Evidence(str(said), "、".join(sensitive or personal)))


def _note_reading(proposed: Proposed, file: Opened) -> None:
    encoding = file.survey.encoding
    is_text = file.survey.lines is None
    proposed.notes = {
        "form": file.form,
        "encoding": encoding.label if is_text else "",
        "encoding_reason": (encodings.words_of(encoding.why, encoding.facts) if is_text else ""),
        "unreadable": file.survey.record_count - proposed.rows,
        **{name: file.notes[name] for name in ("sheet", "header_row") if file.notes.get(name)},
    }
    if proposed.notes["unreadable"]:
        proposed.evidence.append(
            Evidence(
                str(_("有不能分列的记录")),
                str(
                    _("文件有 %(counted)s 条记录，其中 %(lost)s 条列数不符或者引号有误，没有统计")
                    % {
                        "counted": f"{file.survey.record_count:,}",
                        "lost": f"{proposed.notes['unreadable']:,}",
                    }
                ),
            )
        )
    if file.heading_is_doubtful:
        proposed.evidence.append(
            Evidence(str(_("表头可疑")), str(_("表头里有数字或者日期，可能是数据而不是表头")))
        )


def _name_of(file_name: str) -> str:
    stem = file_name
    for suffix in (".gz", ".zip"):
        stem = stem.removesuffix(suffix)
    bare = _NOT_OF_A_NAME.sub("", Path(stem).stem)
    return (bare or Path(stem).stem)[:50]
