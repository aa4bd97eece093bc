"""Examples of scores, rules, runs, findings and work orders."""

from typing import Any, Final

from apps.core.openapi import sent, shown

SCORE: Final = shown(
    "quality_score",
    "一个目录的得分",
    {
        "code": "307008-000029",
        "name": "养老机构基本信息",
        "on": "2026-11-18",
        "ratio": 0.9964,
        "dimensions": [
            {
                "dimension": "03",
                "label": "准确性",
                "weight": 0.25,
                "ratio": 0.998,
                "indicators": [
                    {
                        "indicator": "0304",
                        "label": "数据唯一性",
                        "numerator": 1960,
                        "denominator": 1967,
                        "ratio": 0.9964,
                    }
                ],
            },
            {
                "dimension": "06",
                "label": "可访问性",
                "weight": 0.05,
                "ratio": None,
                "indicators": [],
            },
        ],
    },
)
_RULE: Final[dict[str, Any]] = {
    "id": 41,
    "dataset": "307008-000029",
    "kind": "range",
    "name": "注册资本不低于 10 万元",
    "words": "“注册资本（万元）”不小于 10",
    "columns": ["registered_capital"],
    "parameters": {"minimum": "10"},
    "indicator": "0104",
    "severity": "warn",
    "origin": "added",
    "owner": "D008",
    "version": 2,
    "is_active": True,
    "created_at": "2026-11-17T16:30:00+08:00",
    "updated_at": "2026-11-18T09:12:00+08:00",
}
RULE: Final = shown("quality_rule", "一条自行添加的规则", _RULE)
ADD_RULE: Final = sent(
    "add_rule",
    "添加规则",
    {
        "dataset": "307008-000029",
        "kind": "range",
        "name": "注册资本不低于 10 万元",
        "columns": ["registered_capital"],
        "parameters": {"minimum": "10"},
        "indicator": "0104",
        "severity": "warn",
    },
)
RULE_MOVES: Final = (
    sent(
        "change",
        "修改",
        {
            "name": "注册资本不低于 5 万元",
            "columns": ["registered_capital"],
            "parameters": {"minimum": "5"},
            "indicator": "0104",
            "severity": "warn",
            "reason": "放宽到 5 万元",
            "version": 1,
        },
    ),
    sent("retire", "停用", {"reason": "不再需要", "version": 2}),
    sent("restore", "重新启用", {"version": 2}),
)
_RUN: Final[dict[str, Any]] = {
    "id": 45,
    "number": "ZJ-000045",
    "dataset": "307008-000029",
    "trigger": "batch",
    "status": "done",
    "batch": 12,
    "horizon": 3,
    "rows_read": 1967,
    "message": "共检查 26 条规则，7 条有问题",
    "started_at": "2026-11-18T10:00:00+08:00",
    "finished_at": "2026-11-18T10:00:02+08:00",
}
RUN: Final = shown("quality_run", "一次检查", _RUN)
RUN_DETAIL: Final = shown(
    "quality_run_detail",
    "一次检查及各规则的结果",
    {
        **_RUN,
        "results": [
            {
                "rule": 41,
                "name": "注册资本不低于 10 万元",
                "basis": "landed",
                "rule_version": 2,
                "evaluated": 1967,
                "failed": 9,
                "ratio": 0.9954,
                "not_evaluable": "",
            },
            {
                "rule": 42,
                "name": "保障对象应在户籍人口中",
                "basis": "landed",
                "rule_version": 1,
                "evaluated": None,
                "failed": None,
                "ratio": None,
                "not_evaluable": "no_counterpart",
            },
        ],
    },
)
ASK_RUN: Final = sent("ask_run", "立即检查", {"dataset": "307008-000029"})
FINDING: Final = shown(
    "quality_finding",
    "一条不符合规则的记录",
    {
        "id": 9001,
        "dataset": "307008-000029",
        "rule": 41,
        "rule_name": "注册资本不低于 10 万元",
        "work_order": 40,
        "status": "open",
        "outcome": "",
        "key": {"uscc": "91500119MA0000200X"},
        "values": {"registered_capital": "5.88"},
        "times_found": 1,
        "reason": "",
        "decided_at": None,
        "fixed_at": None,
    },
)
ACCEPT_FINDINGS: Final = sent(
    "accept_findings",
    "核实两条记录无误",
    {"findings": [9001, 9002], "reason": "公办机构，注册资本属实"},
)
ACCEPTED: Final = shown("accepted", "核实的条数", {"accepted": 2})
ORDER: Final = shown(
    "quality_work_order",
    "一张整改工单",
    {
        "id": 40,
        "number": "WO-2026-000040",
        "dataset": "307008-000029",
        "rule": 41,
        "rule_name": "注册资本不低于 10 万元",
        "department": "D008",
        "basis": "landed",
        "status": "open",
        "failed": 9,
        "failed_at_first": 12,
        "evaluated": 1967,
        "due_at": "2026-12-02T23:59:59+08:00",
        "opened_at": "2026-11-18T10:00:02+08:00",
        "acknowledged_at": None,
        "plan": "",
        "remark": "",
        "closed_at": None,
        "closed_by_run": None,
        "closed_by_batch": None,
        "revision": 1,
    },
)
ORDER_MOVES: Final = (
    sent("acknowledge", "签收", {"plan": "三日内核对源系统后重新推送", "revision": 1}),
    sent("accept", "核实无误", {"reason": "公办机构，注册资本属实", "revision": 2}),
    sent("contest", "不予认可", {"reason": "须附批准文件", "revision": 3}),
    sent("let_stand", "认可", {"reason": "批准文件已补", "revision": 4}),
)
