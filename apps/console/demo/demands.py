"""Demands in every status, from the wish of a department to data in its hands or a reasoned no.

Every step goes through the operation that the screens call, at a time in the past, so that clocks
run, some of them late.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Department, InformationSystem, User
from apps.catalog.models import Dataset, Demand, DemandReply, UpdateCycle
from apps.catalog.operations import demands
from apps.console.demo.people import clerk_and_head
from apps.console.demo.writing import morning
from apps.sharing import operations as sharing

BASIS: Final = "《政务数据共享条例》第二十条；本部门三定规定"


@dataclass(frozen=True)
class Wish:
    """A demand of `consumer` (department code), `days` ago, brought to the status `until`.

    provider: who is to answer it; dataset: the entry in force that meets it, where there is one;
    contested: the words of an objection to what was decided.
    """

    title: str
    consumer: str
    provider: str
    until: str
    days: int
    scenario: str
    items: tuple[str, ...]
    dataset: str = ""
    contested: str = field(default="")


WISHES: Final = (
    Wish(
        "灵活就业人员子女入学信息",
        "D003",
        "D011",
        "draft",
        1,
        "核对随迁子女入学资格",
        ("公民身份号码", "姓名", "就业登记日期", "参保区县"),
    ),
    Wish(
        "适龄儿童居住信息",
        "D003",
        "D007",
        "awaiting_head",
        1,
        "测算学区学位，提前安排入学",
        ("公民身份号码", "出生日期", "所在区县代码", "详细地址"),
        "户籍人口基本信息",
    ),
    Wish(
        "困难职工家庭信息",
        "D003",
        "D061",
        "returned",
        9,
        "学生资助对象认定",
        ("公民身份号码", "姓名", "困难类别", "帮扶金额"),
    ),
    Wish(
        "养老机构消防检查结果",
        "D008",
        "D023",
        "submitted",
        2,
        "养老机构年度检查和等级评定",
        ("单位名称", "统一社会信用代码", "检查日期", "检查结果"),
    ),
    Wish(
        "医疗救助对象就医明细",
        "D008",
        "D032",
        "submitted",
        6,
        "医疗救助和临时救助衔接",
        ("公民身份号码", "就医日期", "总费用", "救助金额"),
    ),
    Wish(
        "特困人员供养机构入住情况",
        "D010",
        "D008",
        "forwarded",
        4,
        "核定特困人员供养补助资金",
        ("公民身份号码", "姓名", "入住机构", "入住日期"),
    ),
    Wish(
        "殡葬火化信息",
        "D011",
        "D008",
        "forwarded",
        14,
        "核对已死亡的养老保险待遇领取人员，防止冒领",
        ("公民身份号码", "姓名", "死亡日期", "火化日期"),
    ),
    Wish(
        "婚姻状况实时核验",
        "D012",
        "D008",
        "awaiting_signature",
        7,
        "不动产登记时核对权利人婚姻状况",
        ("公民身份号码", "婚姻状态", "登记日期"),
    ),
    Wish(
        "学生近视筛查结果",
        "D021",
        "D003",
        "agreed",
        18,
        "儿童青少年近视防控监测",
        ("学校", "年级", "筛查人数", "近视人数"),
    ),
    Wish(
        "企业用电异常信息",
        "D023",
        "D050",
        "agreed",
        60,
        "发现停产企业违规复产，安排安全检查",
        ("统一社会信用代码", "单位名称", "用电量", "异常日期"),
    ),
    Wish(
        "残疾学生证件信息",
        "D003",
        "D054",
        "requested",
        16,
        "安排融合教育和送教上门",
        ("证照编号", "持证主体名称", "发证日期"),
        "残疾人证基本信息",
    ),
    Wish(
        "医疗机构执业地址",
        "D016",
        "D021",
        "fulfilled",
        20,
        "调整公交线路，方便群众就医",
        ("单位名称", "住所", "所在区县代码"),
        "医疗机构基本信息",
    ),
    Wish(
        "道路运输企业安全信息",
        "D007",
        "D016",
        "fulfilled",
        45,
        "重点车辆源头管理",
        ("统一社会信用代码", "单位名称", "法定代表人"),
        "道路运输经营基本信息",
    ),
    Wish(
        "纳税人个人收入明细",
        "D014",
        "D056",
        "refused",
        35,
        "公租房申请家庭收入核对",
        ("公民身份号码", "年度收入", "扣缴单位"),
    ),
    Wish(
        "出入境记录",
        "D032",
        "D007",
        "submitted",
        30,
        "异地就医备案人员在境情况核对",
        ("公民身份号码", "出境日期", "入境日期"),
        contested="核对只需在境与否，不需要目的地和次数，请协调以比对方式提供。",
    ),
    Wish(
        "食品经营单位许可状态",
        "D020",
        "D027",
        "closed",
        70,
        "星级饭店复核",
        ("证照编号", "持证主体名称", "有效期至"),
        "食品经营许可基本信息",
    ),
    Wish(
        "景区周边停车泊位",
        "D020",
        "D015",
        "withdrawn",
        25,
        "节假日游客疏导",
        ("名称", "地址", "泊位数"),
    ),
    Wish(
        "区域人口数量统计",
        "D041",
        "D030",
        "withdrawn",
        12,
        "公共资源交易服务点布局",
        ("所在区县代码", "常住人口数"),
    ),
)


@dataclass
class Walk:
    """One demand on its way, with the people who move it and the hour it has come to."""

    wish: Wish
    at: datetime

    def __post_init__(self) -> None:
        codes = (self.wish.consumer, self.wish.provider)
        known = Department.objects.in_bulk(codes, field_name="code")
        self.consumer, self.provider = known[codes[0]], known[codes[1]]
        self.clerk, self.head = clerk_and_head(self.consumer)
        self.answering, self.signing = clerk_and_head(self.provider)
        self.officer = User.objects.get(username="authority")
        self.dataset = Dataset.objects.filter(name=self.wish.dataset).first()

    def next_day(self) -> datetime:
        self.at = min(self.at + timedelta(days=1), timezone.now())
        return self.at

    def same_day(self) -> datetime:
        self.at = min(self.at + timedelta(minutes=40), timezone.now())
        return self.at


def load_demands(*, at: datetime) -> int:
    """Play every wish that was not played yet; return how many demands there are."""
    for wish in sorted(WISHES, key=lambda wish: -wish.days):  # numbers in the order of days
        if not Demand.objects.filter(title=wish.title).exists():
            with transaction.atomic():
                _play(Walk(wish, morning(at, wish.days)))
    return Demand.objects.count()


def _play(walk: Walk) -> None:
    """Move the demand until it has the status that the wish asks for."""
    demand = demands.draft(actor=walk.clerk, at=walk.at, **_written(walk))
    for step in _steps(walk):
        if demand.status == walk.wish.until and not walk.wish.contested:
            return
        step(demand)
        demand.refresh_from_db()
    if walk.wish.contested:
        demands.contest(
            demand=demand, actor=walk.head, at=walk.next_day(), reason=walk.wish.contested
        )


def _written(walk: Walk) -> dict[str, Any]:
    wish, day = walk.wish, timezone.localdate(walk.at)
    return {
        "title": wish.title,
        "scenario": wish.scenario,
        "basis": BASIS,
        "wanted_items": [{"name": name, "note": ""} for name in wish.items],
        "scope": "全市范围",
        "update_cycle": UpdateCycle.MONTHLY,
        "mode": "interface",
        "needed_by": day + timedelta(days=45),
        "ends_on": day + timedelta(days=410),
        "system": InformationSystem.objects.filter(department=walk.consumer).order_by("code")[0],
        "provider": walk.provider,
        "contact_name": walk.clerk.get_full_name(),
        "contact_phone": "023-12345678",
    }


def _steps(walk: Walk) -> Iterator[Callable[[Demand], object]]:
    """The steps of the wish in order; how it ends decides which way it goes."""
    until = walk.wish.until
    yield lambda it: demands.submit(demand=it, actor=walk.clerk, at=walk.same_day())
    yield lambda it: demands.approve(demand=it, actor=walk.head, at=walk.next_day())
    if until == "returned":
        yield lambda it: demands.send_back(
            demand=it,
            actor=walk.officer,
            at=walk.next_day(),
            reason="使用依据请写明学生资助办法的具体条款，并说明所需区县范围。",
        )
    if until == "requested":
        yield lambda it: _request(it, walk)
    if until in {"fulfilled", "closed"} and walk.dataset is not None:
        yield lambda it: demands.point_out(
            demand=it,
            dataset=walk.dataset,
            actor=walk.officer,
            at=walk.next_day(),
            reason="已有目录包含所需数据项，可直接申请。",
        )
        yield lambda it: demands.close(demand=it, actor=walk.clerk, at=walk.next_day())
    yield from _provider_steps(walk)


def _provider_steps(walk: Walk) -> Iterator[Callable[[Demand], object]]:
    yield lambda it: demands.forward(
        demand=it, provider=walk.provider, actor=walk.officer, at=walk.next_day()
    )
    if walk.wish.until == "withdrawn":
        yield lambda it: demands.withdraw(
            demand=it, actor=walk.clerk, at=walk.next_day(), reason="业务安排调整，不再需要"
        )
    refused = walk.wish.until == "refused" or bool(walk.wish.contested)
    yield lambda it: demands.propose(
        demand=it,
        actor=walk.answering,
        at=walk.next_day(),
        **(_refusal() if refused else _agreement(walk)),
    )
    move = demands.refuse if refused else demands.agree
    yield lambda it: move(demand=it, actor=walk.signing, at=walk.next_day())


def _refusal() -> dict[str, Any]:
    return {
        "proposal": DemandReply.REFUSE,
        "reason": "所需数据项涉及个人敏感信息，超出履行职责所必需的范围。",
        "legal_basis": "《中华人民共和国个人信息保护法》第三十四条",
    }


def _agreement(walk: Walk) -> dict[str, Any]:
    return {
        "proposal": DemandReply.AGREE,
        "outcome": "new_entry",
        "reason": "新编目录后按月归集，归集完成即可申请。",
        "promised_on": timezone.localdate(walk.at) + timedelta(days=25),
    }


def _request(demand: Demand, walk: Walk) -> None:
    assert walk.dataset is not None  # a wish that is requested names it
    system = demand.system
    assert system is not None
    sharing.draft_request_from_demand(
        demand=demand, dataset=walk.dataset, system=system, actor=walk.clerk, at=walk.next_day()
    )
