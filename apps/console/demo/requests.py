"""Requests in every status, with grants in force, suspended, ended and expired.

Every step goes through the operation that the screens call, at a time in the past, so that clocks
run, some of them late.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from apps.accounts.models import InformationSystem, User
from apps.catalog.models import Dataset
from apps.console.demo.city import datasets
from apps.console.demo.people import DISTRICT, DISTRICT_DEPARTMENT, clerk_and_head, second_clerk
from apps.console.demo.writing import morning
from apps.sharing import operations as sharing
from apps.sharing.models import SharingRequest

BASIS: Final = "《政务数据共享条例》第二十条；部门三定规定"
A_YEAR: Final = 400
LONG: Final = 760  # more than two years: looked at again every year
NEXT_TERM: Final = 90  # agreed now, delivered on the day it begins


@dataclass(frozen=True)
class Case:
    """A request of `consumer` (department code) for a dataset, `days` ago, brought to `until`.

    Its period begins `waits` days after it was asked for and lasts so many days.
    """

    dataset: str
    consumer: str
    until: str
    days: int
    scenario: str
    condition: tuple[dict[str, Any], ...] = ()
    items: int | None = None
    lasts: int = A_YEAR
    waits: int = 0
    after: str = field(default="")  # suspend, end or expire
    urgent: str = ""  # the kind of urgent need for which the authority ordered a quick answer
    limits: tuple[tuple[str, int], ...] = ()
    mode: str = "interface"


WANZHOU_ONLY: Final = ({"item": "district_code", "operator": "eq", "value": DISTRICT},)
DISTRICT_ONLY: Final = ({"item": "district_code", "operator": "eq", "value": "500103"},)
CASES: Final = (
    Case("最低生活保障对象基本信息", "D003", "draft", 1, "核对家庭经济困难学生资助资格", items=5),
    Case("医疗机构基本信息", "D010", "draft", 2, "核对财政补助医疗机构名录"),
    Case("残疾人证基本信息", "D003", "awaiting_head", 2, "落实残疾学生特殊教育保障", items=5),
    Case("空气质量监测基本信息", "D021", "awaiting_head", 1, "开展呼吸系统疾病与空气质量关联分析"),
    Case("不动产登记基本信息", "D010", "head_returned", 6, "核查住房补贴申请家庭名下房产", items=6),
    Case(
        "最低生活保障对象基本信息",
        DISTRICT_DEPARTMENT,
        "district_review",
        1,
        "核对本区家庭经济困难学生资助资格",
        WANZHOU_ONLY,
        items=5,
    ),
    Case("户籍人口基本信息", "D008", "form_check", 1, "办理婚姻登记时核对身份信息", items=4),
    Case("最低生活保障对象基本信息", "D023", "form_check", 2, "受灾困难群众救助资格核对", items=5),
    Case("社会保险参保基本信息", "D010", "supplement", 8, "发放就业补贴前核对参保状态", items=6),
    Case("食品经营许可基本信息", "D021", "supplement", 9, "食源性疾病溯源调查", items=6),
    Case("户籍人口基本信息", "D011", "reviewing", 5, "核对养老保险待遇领取人员身份", items=5),
    Case("不动产登记基本信息", "D056", "reviewing", 22, "核对房产税计税依据", items=7),
    Case("残疾人证基本信息", "D016", "reviewing", 9, "残疾人免费乘车资格核验", items=4),
    Case("婚姻登记基本信息", "D021", "reviewing", 4, "婚前医学检查和生育服务登记核验", items=4),
    Case("个体工商户基本信息", "D037", "reviewing", 7, "建设城市运行一张图"),
    Case(
        "社会保险参保基本信息",
        "D023",
        "reviewing",
        1,
        "洪涝灾害安置点务工人员参保核对",
        items=4,
        urgent="emergency",
    ),
    Case(
        "户籍人口基本信息",
        "D023",
        "delivered",
        3,
        "受灾群众转移安置人数核对",
        DISTRICT_ONLY,
        4,
        urgent="emergency",
    ),
    Case(
        "残疾人证基本信息", "D014", "awaiting_second_review", 5, "无障碍设施改造补贴核对", items=4
    ),
    Case("社会保险参保基本信息", "D003", "awaiting_signature", 11, "核对教师参保情况", items=6),
    Case("户籍人口基本信息", "D014", "awaiting_signature", 8, "公租房申请家庭成员核验", items=5),
    Case("最低生活保障对象基本信息", "D010", "awaiting_signature", 6, "救助资金发放核对", items=5),
    Case("空气质量监测基本信息", "D003", "agreed", 3, "校园户外活动预警", waits=NEXT_TERM),
    Case("社会保险参保基本信息", "D053", "refused", 25, "公积金开户单位核对", items=9),
    Case("户籍人口基本信息", "D019", "refused", 40, "家政服务人员信用建设", items=7),
    Case("不动产登记基本信息", "D003", "refused", 30, "学区房政策研究"),
    Case("残疾人证基本信息", "D020", "withdrawn", 18, "景区门票减免资格核验", items=4),
    Case("婚姻登记基本信息", "D011", "withdrawn", 12, "遗属待遇资格核对", items=4),
    Case("户籍人口基本信息", "D003", "delivered", 60, "义务教育入学资格核验", DISTRICT_ONLY, 6),
    Case("最低生活保障对象基本信息", "D014", "delivered", 90, "公租房租金减免资格核验", items=5),
    Case("社会保险参保基本信息", "D014", "delivered", 45, "公租房申请人就业情况核验", items=6),
    Case("医疗机构基本信息", "D011", "delivered", 70, "工伤定点医疗机构管理"),
    Case("食品经营许可基本信息", "D003", "delivered", 50, "学校食堂供应商资质核验", items=6),
    Case("应急避难场所基本信息", "D003", "delivered", 33, "学校应急疏散预案编制"),
    Case("道路运输经营基本信息", "D007", "delivered", 65, "重点车辆交通安全管理"),
    Case(
        "残疾人证基本信息",
        "D011",
        "delivered",
        120,
        "残疾人就业保障金核算",
        items=6,
        after="suspend",
    ),
    Case("不动产登记基本信息", "D014", "delivered", 100, "商品房预售资金监管", after="suspend"),
    Case("空气质量监测基本信息", "D020", "delivered", 150, "景区环境质量发布", after="end"),
    Case(
        "户籍人口基本信息",
        "D021",
        "delivered",
        200,
        "流行病学调查",
        DISTRICT_ONLY,
        5,
        150,
        after="expire",
    ),
    Case("学籍基本信息", "D008", "delivered", 55, "留守儿童关爱保护", items=4),
    Case("企业登记基本信息", "D003", "delivered", 80, "校外培训机构主体资格核验"),
    Case("企业登记基本信息", "D056", "delivered", 75, "新办企业税务信息确认"),
    Case("个体工商户基本信息", "D011", "delivered", 66, "个体工商户参保扩面"),
    Case("婚姻登记基本信息", "D014", "delivered", 44, "住房保障家庭关系核验"),
    Case("养老机构基本信息", "D021", "delivered", 20, "医养结合机构管理"),
    Case("A级景区基本信息", "D016", "delivered", 15, "旅游公交线路规划"),
    Case(
        "婚姻登记基本信息",
        "D003",
        "delivered",
        385,
        "教职工住房补贴家庭情况核验",
        items=6,
        lasts=LONG,
        limits=(("calls_a_day", 20_000), ("rows_a_day", 500_000)),
    ),
    Case("医疗机构基本信息", "D003", "delivered", 375, "校医院与医疗机构对接", lasts=LONG),
    Case("最低生活保障对象基本信息", "D021", "delivered", 372, "医疗救助", items=5, lasts=LONG),
    Case("社会组织基本信息", "D003", "delivered", 95, "校外合作单位主体资格核验"),
    Case("养老机构基本信息", "D010", "delivered", 150, "养老服务补助测算"),
    Case("养老机构基本信息", "D003", "delivered", 100, "学生志愿服务基地遴选"),
    Case("道路运输经营基本信息", "D003", "delivered", 1, "校车营运企业资质核对", mode="file"),
    Case("个体工商户基本信息", "D003", "delivered", 1, "校园周边商户主体核验", mode="verify"),
    Case("A级景区基本信息", "D003", "delivered", 1, "研学实践基地遴选", mode="database"),
    Case("学籍基本信息", "D021", "delivered", 1, "儿童预防接种查验", items=4, mode="batch"),
)


@dataclass
class Walk:
    """One request on its way, with the people who move it."""

    case: Case
    dataset: Dataset
    system: InformationSystem
    at: datetime

    def __post_init__(self) -> None:
        self.consumer, self.consumer_head = clerk_and_head(self.system.department)
        self.provider, self.provider_head = clerk_and_head(self.dataset.department)

    def later(self, hours: float = 3) -> datetime:
        self.at = min(self.at + timedelta(hours=hours), timezone.now())
        return self.at

    def draft(self) -> SharingRequest:
        asked_on = timezone.localdate(self.at)
        columns = [item.column_name for item in self.dataset.items.order_by("position")]
        chosen: Any = columns[: self.case.items]
        if self.case.mode == "verify":
            chosen = dict.fromkeys(chosen, "")  # what is compared is not masked
        return sharing.draft_request(
            dataset=self.dataset,
            system=self.system,
            actor=self.consumer,
            at=self.at,
            items=chosen,
            row_condition=self.case.condition,
            basis=BASIS,
            scenario=self.case.scenario,
            scope=f"仅限{self.system.department.short_name}在“{self.system.name}”中使用",
            mode=self.case.mode,
            starts_on=asked_on + timedelta(days=self.case.waits),
            ends_on=asked_on + timedelta(days=self.case.waits + self.case.lasts),
            vouched=True,
            **dict(self.case.limits),
        )


def load_requests(*, at: datetime, progress: Callable[[str], None]) -> int:
    """Play every case that was not played yet; return how many requests there are."""
    plans = {plan.name: plan.code for plan in datasets()}
    for case in sorted(CASES, key=lambda case: -case.days):  # numbers in the order of days
        dataset = Dataset.objects.select_related("department").get(code=plans[case.dataset])
        system = _system(case.consumer)
        if SharingRequest.objects.filter(dataset=dataset, system=system).exists():
            continue
        walk = Walk(case, dataset, system, morning(at, case.days))
        request = walk.draft()
        _bring(request, walk)
        progress(f"{request.number} {case.dataset} → {request.get_status_display()}")
    sharing.carry_out_due(at)
    return SharingRequest.objects.count()


def _bring(request: SharingRequest, walk: Walk) -> None:
    """Move the request step by step until it has the status that the case asks for."""
    if walk.case.until == "draft":
        return
    sharing.submit(request=request, actor=walk.consumer, at=walk.later())
    if walk.case.until == "awaiting_head":
        return
    if walk.case.until == "head_returned":
        sharing.return_by_head(
            request=request,
            actor=walk.consumer_head,
            at=walk.later(),
            reason="使用依据请引用住房补贴办法的具体条款",
        )
        return
    sharing.approve_by_head(request=request, actor=walk.consumer_head, at=walk.later())
    request.refresh_from_db()
    if request.status == SharingRequest.Status.FORM_CHECK:
        _provider_side(request, walk)
    request.refresh_from_db()
    if request.status == SharingRequest.Status.AGREED and walk.case.until == "delivered":
        _deliver(request, walk)


def _provider_side(request: SharingRequest, walk: Walk) -> None:
    until = walk.case.until
    if until == "form_check":
        return
    if until == "withdrawn":
        sharing.withdraw(
            request=request, actor=walk.consumer, at=walk.later(), reason="业务调整，不再需要"
        )
        return
    if until == "supplement":
        sharing.ask_supplement(
            request=request,
            actor=walk.provider,
            at=walk.later(20),
            reason="一、请补充使用依据的文件文号；二、请说明数据保存期限和销毁方式。",
        )
        return
    if walk.case.urgent:
        request = _mark_urgent(request, walk)
    else:
        sharing.accept_form(request=request, actor=walk.provider, at=walk.later())
    if until == "reviewing":
        return
    _decide(request, walk)


def _mark_urgent(request: SharingRequest, walk: Walk) -> SharingRequest:
    return sharing.mark_urgent(
        request=request,
        kind=walk.case.urgent,
        hours=72,
        reason="市防汛抗旱指挥部启动三级应急响应的通知",
        actor=User.objects.get(username="authority"),
        at=walk.later(1),
    )


def _decide(request: SharingRequest, walk: Walk) -> None:
    refused = walk.case.until == "refused"
    sharing.propose(
        request=request,
        outcome="refuse" if refused else "agree",
        actor=walk.provider,
        at=walk.later(20),
        reason=_reason(walk.case),
        legal_basis="《政务数据共享条例》第二十一条" if refused else "",
        missing_papers="加盖公章的申请函" if walk.case.urgent else "",
    )
    if walk.case.until == "awaiting_second_review":
        return
    if request.status == SharingRequest.Status.AWAITING_SECOND_REVIEW:
        sharing.confirm(
            request=request,
            actor=second_clerk(walk.dataset.department),
            at=walk.later(),
            reason="同意审核意见",
        )
    if walk.case.until == "awaiting_signature":
        return
    sharing.sign(request=request, actor=walk.provider_head, at=walk.later())


def _reason(case: Case) -> str:
    if case.until == "refused":
        return "申请的数据项超出履行职责所必需的范围"
    return "转移安置只核对姓名和住址，其余不提供" if case.urgent else ""


def _deliver(request: SharingRequest, walk: Walk) -> None:
    grant = request.grant
    sharing.deliver(grant=grant, at=walk.later(1))
    grant.refresh_from_db()
    if walk.case.after == "suspend":
        sharing.suspend(
            grant=grant,
            actor=walk.provider_head,
            at=timezone.now() - timedelta(days=4),
            reason="调用频次与申请场景不符，请核实后整改",
            rectify_by=timezone.localdate() + timedelta(days=11),
        )
    elif walk.case.after == "end":
        sharing.end(
            grant=grant,
            actor=walk.provider_head,
            at=timezone.now() - timedelta(days=20),
            reason="使用部门业务已结束",
        )
    elif walk.case.after == "expire":
        sharing.expire(grant=grant, at=timezone.now())


def _system(department: str) -> InformationSystem:
    return (
        InformationSystem.objects.select_related("department")
        .filter(department__code=department)
        .order_by("code")[0]
    )
