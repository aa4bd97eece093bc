"""Synthetic records of the demonstration city: valid identifiers that belong to nobody.

Deterministic for a dataset and a number of rows. A few files are dirty on purpose, with the faults
that departments really make, so that rejections can be looked at.
"""

import csv
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import count, cycle, islice
from pathlib import Path
from typing import Final

from stdnum.cn import uscc

from apps.console.demo.city import DatasetPlan, ItemPlan, departments

SURNAMES: Final = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡"
GIVEN: Final = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀兰霞平刚桂英梅鑫浩宇欣怡梓涵子轩雨桐思源嘉懿"
DISTRICTS: Final = [
    "500101",
    "500102",
    "500103",
    "500104",
    "500106",
    "500107",
    "500108",
    "500109",
    "500110",
    "500111",
    "500113",
    "500114",
    "500115",
    "500116",
    "500117",
    "500118",
    "500119",
    "500120",
    "500151",
    "500152",
    "500153",
    "500154",
    "500155",
    "500156",
    "500157",
]
# An identity number keeps the code that its place of birth had at the time of birth.
BORN_IN_SICHUAN: Final = ("510221", "510223", "512322", "512324", "513001", "513021")
BORN_IN_CHONGQING: Final = ("500101", "500102", "500103", "500105", "500106", "500107", "500112")
BETWEEN: Final = (1995, 1996, 1997)
CHONGQING_SINCE: Final = date(1998, 1, 1)
PLACES: Final = ("万州区", "涪陵区", "渝中区", "沙坪坝区", "九龙坡区", "永川区", "合川区", "江津区")
STREETS: Final = (
    "人民路",
    "解放路",
    "中山路",
    "滨江路",
    "建设路",
    "新华路",
    "学府路",
    "兴业街",
    "和平街",
)
TRADES: Final = ("商贸", "科技", "建筑", "餐饮", "物流", "农业", "文化传媒", "电子", "机械", "服务")
INDUSTRIES: Final = (
    "批发和零售业",
    "制造业",
    "建筑业",
    "住宿和餐饮业",
    "信息技术服务业",
    "农林牧渔业",
)
WORDS: Final = {
    "industry": INDUSTRIES,
    "status_name": ("正常", "正常", "正常", "注销", "暂停"),
    "record_status": ("有效", "有效", "有效", "失效"),
    "category": ("一类", "二类", "三类"),
    "result": ("准予", "准予", "不予", "撤回"),
    "handling_stage": ("受理", "审查", "办结"),
    "inspection_type": ("日常检查", "专项检查", "双随机抽查"),
    "inspection_result": ("合格", "合格", "责令整改", "不合格"),
    "decision_type": ("行政处罚", "表彰奖励", "信用惩戒"),
    "change_item": ("名称变更", "地址变更", "负责人变更"),
}
MEASURES: Final = {
    "longitude": (105.3, 110.2),
    "latitude": (28.2, 32.2),
    "growth_rate": (-0.2, 0.4),
}
BORN: Final = ("identity_number", "gender", "birth_date")
POOLS: Final = (1009, 1153, 1301, 1451, 1601, 1753, 1901, 2053)
FIRST_DAY: Final = date(1945, 1, 1)
TODAY: Final = date(2026, 11, 20)


@dataclass
class Columns:
    """Makes the values of one dataset, each column without end.

    What hangs on the record's number (identifiers, places) is made record by record; everything
    else is drawn from a pool. The pools' lengths are primes, so no two records are alike.
    """

    plan: DatasetPlan
    picker: random.Random

    def of(self, item: ItemPlan, pool_size: int) -> Iterator[str]:
        if item.column in NUMBERED:
            numbers = children() if self.is_of_children and item.column in BORN else count()
            return (NUMBERED[item.column](self.picker, number) for number in numbers)
        if self.is_of_children and item.column == "registered_on":
            return cycle([f"{day(self.picker, 5)}" for _ in range(pool_size)])
        if item.column.endswith("_body"):
            return cycle(self.bodies)
        if item.column in WORDS:
            return cycle(self.picker.choices(WORDS[item.column], k=pool_size))
        make = DRAWN.get(item.column)
        if make is None:
            by_type = BY_TYPE[item.type]
            return cycle([by_type(self.picker, item) for _ in range(pool_size)])
        return cycle([make(self.picker) for _ in range(pool_size)])

    @cached_property
    def is_of_children(self) -> bool:
        return any(word in self.plan.name for word in ("学籍", "儿童"))

    @cached_property
    def bodies(self) -> tuple[str, ...]:
        """The department, and its fellows in the districts."""
        own = next(d.short_name for d in departments() if d.code == self.plan.department)
        return (own, *(f"{place}{own.removeprefix('市')}" for place in PLACES))


@dataclass(frozen=True)
class Lapse:
    """What a department's clerks often leave out or write in words of their own.

    The record lands, for its item is no key: a rule of the department's own finds it. One record in
    `every` has `text` in the column.
    """

    column: str
    text: str
    every: int


def write_csv(
    plan: DatasetPlan, rows: int, path: Path, *, dirty: bool = False, lapse: Lapse | None = None
) -> None:
    """Write the records of a dataset with their Chinese headings."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([item.label for item in plan.items])
        writer.writerows(records(plan, rows, dirty=dirty, lapse=lapse))


def records(
    plan: DatasetPlan, rows: int, *, dirty: bool = False, lapse: Lapse | None = None
) -> Iterator[list[str]]:
    """Yield the records; with `dirty`, about one in forty carries a fault."""
    names = [item.column for item in plan.items]
    picker = random.Random(plan.code)  # noqa: S311 a plan, not a secret
    columns = Columns(plan, picker)
    sources = [columns.of(item, size) for item, size in zip(plan.items, cycle(POOLS), strict=False)]
    for number, values in enumerate(islice(zip(*sources, strict=True), rows)):
        record = list(values)
        if dirty and number % 40 == 7:
            _spoil(plan, record, number)
        if lapse is not None and number % lapse.every == lapse.every - 1:
            record[names.index(lapse.column)] = lapse.text
        yield record


def _spoil(plan: DatasetPlan, record: list[str], number: int) -> None:
    position = {item.column: place for place, item in enumerate(plan.items)}
    faults: list[tuple[str, Callable[[str], str]]] = [
        (plan.key[0], lambda text: text[:-1] + ("0" if text[-1] != "0" else "1")),
        ("mobile", lambda text: text[:-1]),
        ("birth_date", lambda _: "2019-13-05"),
        ("district_code", lambda text: text[:4]),
        ("source_updated_at", lambda _: "昨天"),
    ]
    present = [(column, fault) for column, fault in faults if column in position]
    column, fault = present[number // 40 % len(present)]
    record[position[column]] = fault(record[position[column]])


_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def identity_number(picker: random.Random, number: int) -> str:
    """Return the identity number of an invented person; a different one for every number.

    Source: GB 11643-1999
    """
    born, sequence = birth_of(number)
    places = BORN_IN_SICHUAN if born < CHONGQING_SINCE else BORN_IN_CHONGQING
    place = places[number % len(places)]
    body = f"{place}{born:%Y%m%d}{sequence:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


def birth_of(number: int) -> tuple[date, int]:
    """Return the day on which the invented person was born, and the place in that day's row."""
    born = FIRST_DAY + timedelta(days=number * 7919 % 27000)
    sequence = number // 27000 * 2 + number * 31 // 17 % 2 + 1  # odd for men, even for women
    if born.year in BETWEEN:  # the codes of these years changed too often to invent any
        return born - timedelta(days=4 * 366), sequence + 500
    return born, sequence


def children() -> Iterator[int]:
    """Yield the numbers of invented persons who are of school age, each once."""
    days = range((date(2010, 1, 1) - FIRST_DAY).days, (date(2018, 11, 30) - FIRST_DAY).days)
    step = pow(7919, -1, 27000)  # undoes what `birth_of` does
    for number in count():
        round_, place = divmod(number, len(days))
        yield days[place * 1009 % len(days)] * step % 27000 + 27000 * round_


def credit_code(picker: random.Random, number: int) -> str:
    """Return the unified social credit code of an invented enterprise. Source: GB 32100-2015"""
    body = f"91{DISTRICTS[number % len(DISTRICTS)]}MA{number:07d}"
    return body + str(uscc.calc_check_digit(body))


def person_name(picker: random.Random) -> str:
    return picker.choice(SURNAMES) + "".join(picker.choices(GIVEN, k=picker.choice((1, 2))))


def mobile(picker: random.Random) -> str:
    return f"1{picker.choice('35789')}{picker.randrange(10**9):09d}"


def address(picker: random.Random) -> str:
    house, floor, door = picker.randrange(1, 400), picker.randrange(1, 33), picker.randrange(1, 9)
    return f"重庆市{picker.choice(STREETS)}{house}号{floor}-{door}"


def company(picker: random.Random) -> str:
    given = "".join(picker.choices(GIVEN, k=2))
    return f"重庆{given}{picker.choice(TRADES)}有限公司"


def day(picker: random.Random, years: int = 15) -> date:
    return TODAY - timedelta(days=picker.randrange(1, years * 365))


def moment(picker: random.Random, _item: ItemPlan) -> str:
    at = datetime.combine(day(picker, 1), datetime.min.time())
    return f"{at + timedelta(seconds=picker.randrange(8 * 3600, 18 * 3600)):%Y-%m-%d %H:%M:%S}"


NUMBERED: Final[dict[str, Callable[[random.Random, int], str]]] = {
    "identity_number": identity_number,
    "uscc": credit_code,
    "holder_code": credit_code,
    "place_code": lambda picker, number: f"P5000{number:08d}",
    "certificate_number": lambda picker, number: f"渝证字〔2024〕{number:08d}",
    "matter_number": lambda picker, number: f"BJ{2024 + number % 3}{number:09d}",
    "place_name": lambda picker, number: f"{picker.choice(STREETS)}第{number + 1}点位",
    "district_code": lambda picker, number: DISTRICTS[number % len(DISTRICTS)],
    "gender": lambda picker, number: "1" if birth_of(number)[1] % 2 else "2",
    "birth_date": lambda picker, number: f"{birth_of(number)[0]}",
    "period": lambda picker, number: f"{2024 + number % 3}-{number % 12 + 1:02d}",
}
DRAWN: Final[dict[str, Callable[[random.Random], str]]] = {
    "person_name": person_name,
    "legal_representative": person_name,
    "applicant_name": person_name,
    "holder_name": company,
    "established_on": lambda picker: f"{day(picker) - timedelta(days=15 * 365)}",
    "enterprise_name": company,
    "mobile": mobile,
    "address": address,
    "longitude": lambda picker: f"{picker.uniform(*MEASURES['longitude']):.6f}",
    "latitude": lambda picker: f"{picker.uniform(*MEASURES['latitude']):.6f}",
    "growth_rate": lambda picker: f"{picker.uniform(*MEASURES['growth_rate']):.4f}",
}
BY_TYPE: Final[dict[str, Callable[[random.Random, ItemPlan], str]]] = {
    "C": lambda picker, item: f"{item.label}{picker.randrange(1, 100)}",
    "M": lambda picker, _: "" if picker.random() < 0.8 else "材料齐全",
    "N": lambda picker, _: f"{picker.uniform(0.1, 500):.2f}",
    "Y": lambda picker, _: f"{picker.randrange(1, 500000) / 100:.2f}",
    "D": lambda picker, _: f"{day(picker)}",
    "T": moment,
    "I": lambda picker, _: str(picker.randrange(1, 500)),
    "L": lambda picker, _: picker.choice(("是", "否")),
    "B": lambda picker, _: f"{picker.uniform(0, 100):.4f}",
    "F": lambda picker, _: f"{picker.uniform(0, 100):.4f}",
}
