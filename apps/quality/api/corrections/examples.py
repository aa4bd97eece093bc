"""Examples of corrections."""

from typing import Any, Final

from apps.core.openapi import sent, shown

_SAID: Final[dict[str, Any]] = {
    "description": "办理学生资助时，学生出示的结婚证登记日期与平台不一致",
    "evidence": "结婚证 J500103-2026-000123",
}
CORRECTION: Final = shown(
    "correction",
    "一个值的校核，认定有误，等待更正入库",
    {
        "id": 31,
        "number": "JH-2026-000031",
        "dataset": "307027-000001",
        "dataset_name": "婚姻登记信息",
        "provider": "重庆市民政局",
        "scope": "value",
        "row": {"_id": 1204, "key": None},
        "item": "registered_on",
        "item_label": "登记日期",
        "seen_value": "2026-01-05",
        "claimed_value": "2026-01-15",
        **_SAID,
        "has_evidence_file": False,
        "department": "重庆市教育委员会",
        "system": "S-003-02",
        "handler": "重庆市民政局",
        "route_reason": "目录的提供部门",
        "status": "correcting",
        "status_label": "待更正",
        "is_marked": True,
        "outcome": "wrong",
        "explanation": "经核对档案，登记日期录入有误",
        "final_value": "2026-01-15",
        "batch": None,
        "objection": "",
        "raised_at": "2026-11-16T09:12:00+08:00",
        "decided_at": "2026-11-18T10:00:00+08:00",
        "corrected_at": None,
        "fed_back_at": None,
        "closed_at": None,
        "revision": 4,
        "updated_at": "2026-11-18T10:00:00+08:00",
    },
)
RAISE: Final = (
    sent(
        "value",
        "对一个值提出校核，用 _id 指明记录",
        {
            "dataset": "307027-000001",
            "row_id": 1204,
            "item": "registered_on",
            "claimed_value": "2026-01-15",
            **_SAID,
        },
    ),
    sent(
        "row",
        "对整条记录提出校核，用主键指明记录",
        {
            "dataset": "307027-000001",
            "key": {"certificate_number": "J500103-2026-000123"},
            "description": "该记录已撤销，不应再提供",
        },
    ),
    sent(
        "dataset",
        "对整个数据集提出校核",
        {"dataset": "307027-000001", "description": "缺少 2026 年 3 月的全部登记"},
    ),
)
MOVES: Final = (
    sent("forward", "转办", {"department": "D008", "reason": "登记由该部门办理", "revision": 1}),
    sent(
        "uphold", "认定有误", {"value": "2026-01-15", "reason": "档案为 1 月 15 日", "revision": 3}
    ),
    sent("confirm", "认定无误", {"reason": "档案与平台一致，证件为补领", "revision": 3}),
    sent("link", "指定更正批次", {"batch": 214, "revision": 4}),
    sent("contest", "提出异议", {"reason": "证件原件日期清晰，附扫描件", "revision": 6}),
)
