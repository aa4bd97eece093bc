"""Rules beside those of the contracts, asked of the city's landed records.

Everything a page then shows was found by the engine in those records. The records are synthetic:
their dates are drawn without regard to each other, so rules about the order of dates find much.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from apps.accounts.models import User
from apps.accounts.queries import authority, members_with
from apps.catalog.models import Dataset
from apps.console.demo.people import clerk_and_head
from apps.quality import operations as quality
from apps.quality.models import Finding, Indicator, QualityRule, QualityRun, RuleKind, WorkOrder
from apps.quality.queries.runs import last_done


@dataclass(frozen=True)
class RulePlan:
    """A rule to add; `by_authority`: it looks into another department's table."""

    dataset: str
    kind: str
    name: str
    columns: tuple[str, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    indicator: str = Indicator.BUSINESS_RULE
    by_authority: bool = False


ALLOWANCE: Final = "最低生活保障对象基本信息"
HOMES: Final = "养老机构基本信息"
MARRIAGES: Final = "婚姻登记基本信息"
DISABLED: Final = "残疾人证基本信息"
FOOD: Final = "食品经营许可基本信息"
SHELTERS: Final = "应急避难场所基本信息"
PROFILED: Final = (ALLOWANCE, HOMES)

RULES: Final = (
    RulePlan(
        ALLOWANCE,
        RuleKind.CROSS_COLUMN,
        "登记日期不早于出生日期",
        parameters={"then": [{"item": "registered_on", "operator": "gte", "other": "birth_date"}]},
        indicator=Indicator.ORDER,
    ),
    RulePlan(
        ALLOWANCE,
        RuleKind.UNIQUE,
        "同名同住址的人只登记一次",
        ("person_name", "address"),
        indicator=Indicator.UNIQUENESS,
    ),
    RulePlan(
        ALLOWANCE,
        RuleKind.CROSS_TABLE,
        "保障对象应在户籍人口中",
        parameters={
            "dataset": "户籍人口基本信息",
            "match": {"identity_number": "identity_number"},
        },
        indicator=Indicator.RELATED_DATA,
        by_authority=True,
    ),
    RulePlan(
        HOMES,
        RuleKind.POPULATION,
        "全市养老机构应有记录数",
        parameters={"expected": 2_000},
        indicator=Indicator.RECORDS,
    ),
    RulePlan(
        HOMES,
        RuleKind.UNIQUE,
        "同一区县内名称不得相同",
        ("enterprise_name", "district_code"),
        indicator=Indicator.UNIQUENESS,
    ),
    RulePlan(
        HOMES,
        RuleKind.RANGE,
        "注册资本不低于 10 万元",
        ("registered_capital",),
        {"minimum": "10"},
    ),
    RulePlan(
        HOMES,
        RuleKind.CODE_LIST,
        "状态只用三种写法",
        ("status_name",),
        {"codes": ["正常", "注销", "暂停"]},
        Indicator.REFERENCE_DATA,
    ),
    RulePlan(
        MARRIAGES,
        RuleKind.LENGTH,
        "姓名不少于 2 个字",
        ("person_name",),
        {"minimum": 2, "maximum": 20},
        Indicator.DATA_STANDARD,
    ),
    RulePlan(MARRIAGES, RuleKind.REQUIRED, "联系电话须填写", ("mobile",), {}, Indicator.ELEMENTS),
    RulePlan(
        MARRIAGES,
        RuleKind.REFERENCE_IN_TIME,
        "性别代码现行有效",
        ("gender",),
        {"code_list": "sex"},
        Indicator.BY_PERIOD,
    ),
    RulePlan(
        DISABLED,
        RuleKind.PATTERN,
        "证照编号的写法",
        ("certificate_number",),
        {"pattern": "渝证字〔[0-9]{4}〕[0-9]{8}"},
        Indicator.DATA_STANDARD,
    ),
    RulePlan(
        DISABLED,
        RuleKind.CROSS_COLUMN,
        "有效的证件，有效期不早于发证日期",
        parameters={
            "when": [{"item": "status_name", "operator": "eq", "value": "正常"}],
            "then": [{"item": "valid_until", "operator": "gte", "other": "issued_on"}],
        },
        indicator=Indicator.ORDER,
    ),
    RulePlan(
        FOOD,
        RuleKind.IDENTIFIER,
        "持证主体代码通过校验",
        ("holder_code",),
        {"check": "uscc"},
        Indicator.CONTENT,
    ),
    RulePlan(SHELTERS, RuleKind.REQUIRED, "备注须填写", ("remark",), {}, Indicator.ELEMENTS),
)
# What departments ask of the records that they began with, by the kind of their dataset.
USUAL: Final = {
    "办理记录": RulePlan(
        "", RuleKind.REQUIRED, "办理机构须填写", ("handling_body",), {}, Indicator.ELEMENTS
    ),
    "监督检查结果": RulePlan(
        "",
        RuleKind.CODE_LIST,
        "检查类型只用三种写法",
        ("inspection_type",),
        {"codes": ["日常检查", "专项检查", "双随机抽查"]},
        Indicator.REFERENCE_DATA,
    ),
    "统计汇总": RulePlan(
        "", RuleKind.REQUIRED, "总数须填写", ("total_count",), {}, Indicator.ELEMENTS
    ),
}
# An order that the department vouched for and the authority does not believe; one taken on; one
# with some rows vouched for.
ACCEPTED_ROWS: Final = 3


def load_quality(*, at: datetime, progress: Callable[[str], None]) -> int:
    """Add the rules, check every landed table, and begin to mend; return the open findings."""
    officer = members_with("authority_officer", authority()).order_by("pk")[0]
    for plan in RULES:
        _add(plan, officer, at)
    quality.check_due(at=at)
    for name in PROFILED:
        _profile(name, at)
    _begin_to_mend(officer, at)
    quality.record_scores(at=at)
    progress(
        f"质量规则 {QualityRule.objects.count()} 条，检查 {QualityRun.objects.count()} 次，"
        f"整改工单 {WorkOrder.objects.count()} 张"
    )
    return Finding.objects.filter(status=Finding.Status.OPEN).count()


def keep_day(*, at: datetime) -> None:
    """Check what landed on a day, and keep its scores, as the worker does every night."""
    evening = at + timedelta(hours=12)
    quality.check_due(at=evening)
    quality.record_scores(at=evening)


def ask_of_deliveries(dataset: str, kind: str, *, at: datetime) -> None:
    """Have a department ask of its records what its clerks often do not write as they should.

    kind: what the dataset's name ends with, a key of `USUAL`.
    """
    _add(replace(USUAL[kind], dataset=dataset), None, at)


def _add(plan: RulePlan, officer: User | None, at: datetime) -> None:
    dataset = Dataset.objects.select_related("department").get(name=plan.dataset)
    if QualityRule.objects.filter(dataset=dataset, name=plan.name).exists():
        return
    parameters = dict(plan.parameters)
    if "dataset" in parameters:
        parameters["dataset"] = Dataset.objects.get(name=parameters["dataset"]).code
    editor, _head = clerk_and_head(dataset.department)
    quality.add_rule(
        dataset=dataset,
        kind=plan.kind,
        name=plan.name,
        columns=plan.columns,
        parameters=parameters,
        indicator=plan.indicator,
        severity="warn",
        actor=officer if plan.by_authority and officer else editor,
        at=at,
    )


def _profile(name: str, at: datetime) -> None:
    run = last_done(Dataset.objects.get(name=name))
    if run is not None and run.profiled_at is None and not _is_profiled(run):
        quality.profile(run=run, at=at)


def _is_profiled(run: QualityRun) -> bool:
    return QualityRun.objects.filter(dataset=run.dataset_id, profiled_at__isnull=False).exists()


def _begin_to_mend(officer: User, at: datetime) -> None:
    """Take one order on, vouch for some rows of another, contest a third; each only once."""
    rules = {plan.name for plan in RULES}
    if WorkOrder.objects.filter(rule__name__in=rules).exclude(status="open").exists():
        return
    taken = _order_of(ALLOWANCE, "登记日期不早于出生日期")
    if taken is not None:
        editor, _head = clerk_and_head(taken.department)
        plan = "逐条核对纸质档案，两周内改正后重新推送"
        quality.acknowledge(order=taken, plan=plan, actor=editor, at=at)
    doubled = _order_of(ALLOWANCE, "同名同住址的人只登记一次")
    if doubled is not None:
        _editor, head = clerk_and_head(doubled.department)
        keys = doubled.findings.order_by("pk").values_list("pk", flat=True)[:ACCEPTED_ROWS]
        quality.accept_findings(
            order=doubled,
            findings=list(keys),
            reason="同一家庭两名成员同名，已逐户核实",
            actor=head,
            at=at,
        )
    blank = _order_of(SHELTERS, "备注须填写")
    if blank is not None:
        _editor, head = clerk_and_head(blank.department)
        quality.accept(order=blank, reason="场所没有需要备注的内容", actor=head, at=at)
        reason = "备注须写明可容纳人数，不能留空"
        quality.contest(order=blank, reason=reason, actor=officer, at=at)


def _order_of(dataset: str, rule: str) -> WorkOrder | None:
    rows = WorkOrder.objects.filter(dataset__name=dataset, rule__name=rule)
    return rows.select_related("department").first()
