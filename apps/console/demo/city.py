"""The plan of the demonstration city: departments, systems and 3,170 catalogue entries.

Pure and deterministic: the same city every time. The figures are those of the letter of 2019
(渝大数据复函〔2019〕124号): 2,191 unconditional + 979 conditional = 2,094 real-time +
1,076 periodic.
"""

import json
import random
from dataclasses import dataclass, field
from functools import cache
from itertools import cycle as repeat
from pathlib import Path
from typing import Any, Final

from stdnum.cn import uscc

FIXTURES: Final = Path(__file__).resolve().parents[3] / "fixtures" / "demo"
DATASETS: Final = 3170
UNCONDITIONAL: Final = 2191
REALTIME: Final = 2094
SYSTEMS: Final = 898
# The entry that the story writes by hand, item by item, as a clerk would.
STORY: Final = "困境儿童基本信息"
PERIODIC: Final = ("daily", "daily", "monthly", "monthly", "quarterly", "yearly", "weekly")
SYSTEM_KINDS: Final = ("业务管理系统", "信息平台", "监管系统", "网上服务系统", "数据库", "移动应用")
# What a topic's records are about; the first word found decides.
SUBJECT_WORDS: Final = (
    ("enterprise", ("事务所",)),
    ("matter", ("文书", "普查", "体质监测", "价格监测", "广告监测")),
    ("certificate", ("许可", "证", "资质", "执照", "资格")),
    ("person", ("人员", "对象", "学籍", "教师", "人口", "军人", "职工", "律师", "医师", "护士")),
    ("person", ("婚姻", "补贴", "儿童", "参保", "导游", "驾驶人", "会员", "模范", "专家")),
    ("person", ("运动员", "裁判", "不动产登记")),
    (
        "enterprise",
        ("企业", "公司", "机构", "单位", "组织", "经营", "个体", "合作", "旅行社", "药店"),
    ),
    (
        "place",
        ("设施", "监测", "土地", "场所", "水库", "桥", "楼盘", "公园", "景区", "道", "库", "港"),
    ),
)


@dataclass(frozen=True)
class ItemPlan:
    column: str
    label: str
    type: str
    length: int | None = None
    check: str = ""
    mask: str = ""
    privacy: str = ""  # "", "personal" or "sensitive"


@dataclass(frozen=True)
class DatasetPlan:
    name: str
    abstract: str
    department: str
    classification: str
    sequence: int
    topic: str
    subject: str
    sharing: str
    cycle: str
    key: tuple[str, ...]
    items: tuple[ItemPlan, ...] = field(repr=False)
    system: str = ""

    @property
    def code(self) -> str:
        return f"{self.classification}/{self.sequence:06d}"

    @property
    def is_personal(self) -> bool:
        return any(item.privacy for item in self.items)

    @property
    def is_sensitive(self) -> bool:
        return any(item.privacy == "sensitive" for item in self.items)


@dataclass(frozen=True)
class DepartmentPlan:
    code: str
    name: str
    short_name: str
    category: str
    uscc: str
    classification: str
    topics: tuple[str, ...]


@dataclass(frozen=True)
class SystemPlan:
    code: str
    name: str
    department: str
    topic: str


@cache
def departments() -> tuple[DepartmentPlan, ...]:
    """Return the 61 departments; their unified social credit codes are valid and invented."""
    entries = json.loads((FIXTURES / "departments.json").read_text(encoding="utf-8"))
    return tuple(
        DepartmentPlan(
            code=entry["code"],
            name=entry["name"],
            short_name=entry["short_name"],
            category=entry["category"],
            uscc=invented_uscc("11", "500000", number),
            classification=f"307{number:03d}",
            topics=tuple(entry["topics"]),
        )
        for number, entry in enumerate(entries, start=1)
    )


@cache
def systems() -> tuple[SystemPlan, ...]:
    """Return the city's information systems, shared out over departments and their topics."""
    names = [
        (department.code, topic, f"{topic}{kind}")
        for kind in SYSTEM_KINDS
        for department in departments()
        for topic in department.topics
    ]
    return tuple(
        SystemPlan(code=f"S-{number:04d}", name=name, department=department, topic=topic)
        for number, (department, topic, name) in enumerate(names[:SYSTEMS], start=1)
    )


@cache
def datasets() -> tuple[DatasetPlan, ...]:
    """Return the catalogue, in the departments' order, with the letter's figures exactly."""
    picker = random.Random(20190510)  # noqa: S311 a plan, not a secret
    shape = _shape()
    drawn = _names(shape)
    sharing = _attributes(picker, drawn)
    realtime = _spread(picker, DATASETS, REALTIME, "realtime", "periodic")
    periods = repeat(PERIODIC)
    first_systems = {
        (system.department, system.topic): system.code for system in reversed(systems())
    }
    sequences: dict[str, int] = {}
    plans = []
    for (department, topic, kind), attribute, timing in zip(drawn, sharing, realtime, strict=True):
        sequences[department.code] = sequences.get(department.code, 0) + 1
        subject = subject_of(topic)
        plans.append(
            DatasetPlan(
                name=f"{topic}{kind}",
                abstract=f"{department.short_name}在履行{topic}相关职责中形成的{kind}，供各部门办理业务时核验和分析使用。",
                department=department.code,
                classification=department.classification,
                sequence=sequences[department.code],
                topic=topic,
                subject=subject,
                sharing=attribute,
                cycle="realtime" if timing == "realtime" else next(periods),
                key=tuple(shape["subjects"][subject]["key"]),
                items=_items(shape, subject, kind),
                system=first_systems[department.code, topic],
            )
        )
    return tuple(plans)


def subject_of(topic: str) -> str:
    """Return what the records of a topic are about."""
    for subject, words in SUBJECT_WORDS:
        if any(word in topic for word in words):
            return subject
    return "matter"


def invented_uscc(prefix: str, division: str, number: int) -> str:
    """Return a unified social credit code that passes its check and belongs to nobody."""
    body = f"{prefix}{division}M{number:08X}"
    return body + uscc.calc_check_digit(body)


def _shape() -> dict[str, Any]:
    shape: dict[str, Any] = json.loads((FIXTURES / "items.json").read_text(encoding="utf-8"))
    return shape


def _names(shape: dict[str, Any]) -> list[tuple[DepartmentPlan, str, str]]:
    """Draw topic × kind until the city is full; early kinds everywhere, late ones where needed."""
    kinds = list(shape["kinds"])
    every = [
        (position, department, topic, kind)
        for position, kind in enumerate(kinds)
        for department in departments()
        for topic in department.topics
    ]
    chosen = every[:DATASETS]
    order = {department.code: place for place, department in enumerate(departments())}
    chosen.sort(key=lambda entry: (order[entry[1].code], entry[1].topics.index(entry[2]), entry[0]))
    return [(department, topic, kind) for _, department, topic, kind in chosen]


def _items(shape: dict[str, Any], subject: str, kind: str) -> tuple[ItemPlan, ...]:
    entries = [*shape["subjects"][subject]["items"], *shape["kinds"][kind], *shape["common"]]
    return tuple(ItemPlan(*entry) for entry in entries)


def _attributes(picker: random.Random, drawn: list[tuple[DepartmentPlan, str, str]]) -> list[str]:
    """Share personal information under conditions only, and some of the rest."""
    personal = [subject_of(topic) in {"person", "certificate"} for _, topic, _ in drawn]
    others = DATASETS - sum(personal)
    rest = iter(_spread(picker, others, UNCONDITIONAL, "unconditional", "conditional"))
    return ["conditional" if is_personal else next(rest) for is_personal in personal]


def _spread(picker: random.Random, total: int, chosen: int, yes: str, no: str) -> list[str]:
    values = [yes] * chosen + [no] * (total - chosen)
    picker.shuffle(values)
    return values
