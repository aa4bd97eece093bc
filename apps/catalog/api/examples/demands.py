"""Examples of demands."""

from typing import Any, Final

from apps.core.openapi import sent, shown

_WRITTEN: Final[dict[str, Any]] = {
    "title": "困难群众救助对象信息",
    "wanted_items": [
        {"name": "公民身份号码", "note": ""},
        {"name": "救助类别", "note": "低保、特困"},
    ],
    "scenario": "办理学生资助时核对家庭困难情况",
    "basis": "《社会救助暂行办法》第五十八条",
    "scope": "全市在享救助对象",
    "update_cycle": "monthly",
    "mode": "interface",
    "needed_by": "2026-12-31",
    "ends_on": "2027-12-31",
}
DEMAND: Final = shown(
    "demand",
    "已转交提供部门答复",
    {
        "id": 128,
        "number": "XQ-2026-000128",
        "department": "重庆市教育委员会",
        "provider": "重庆市民政局",
        "system": "S-003-02",
        **_WRITTEN,
        "status": "forwarded",
        "status_label": "待提供部门答复",
        "remark": "请市民政局答复",
        "outcome": "",
        "dataset": None,
        "reply": "",
        "legal_basis": "",
        "promised_on": None,
        "objection": "",
        "received_at": "2026-11-16T09:12:00+08:00",
        "forwarded_at": "2026-11-18T10:00:00+08:00",
        "decided_at": None,
        "fulfilled_at": None,
        "closed_at": None,
        "revision": 4,
        "created_at": "2026-11-13T15:20:00+08:00",
        "updated_at": "2026-11-18T10:00:00+08:00",
    },
)
DRAFT: Final = sent(
    "draft",
    "提出需求",
    {
        **_WRITTEN,
        "system": "S-003-02",
        "provider": "D008",
        "contact_name": "李敏",
        "contact_phone": "023-63000003",
    },
)
MOVES: Final = (
    sent("approve", "本部门负责人同意报送", {"revision": 2}),
    sent(
        "forward", "主管部门转交市民政局", {"provider": "D008", "reason": "请答复", "revision": 3}
    ),
    sent(
        "point_out",
        "主管部门指认已有目录",
        {"dataset": "307027-000001", "reason": "该目录已含所需数据项"},
    ),
    sent(
        "propose",
        "提供部门拟定同意，新编目录",
        {
            "proposal": "agree",
            "outcome": "new_entry",
            "promised_on": "2026-12-20",
            "reason": "按月提供",
            "revision": 4,
        },
    ),
    sent(
        "propose_refusal",
        "提供部门拟定不予提供",
        {
            "proposal": "refuse",
            "reason": "涉及未成年人隐私，无使用依据",
            "legal_basis": "《未成年人保护法》第七十二条",
        },
    ),
    sent("contest", "需求部门提出异议", {"reason": "资助办法第六条即为使用依据"}),
    sent(
        "split",
        "主管部门拆出一部分数据项",
        {"title": "特困人员供养信息", "items": ["救助类别"], "revision": 3},
    ),
    sent("revise", "退回后修改", {"scope": "全市在享低保对象", "revision": 5}),
)
MATCH: Final = shown(
    "demand_match",
    "名称相近、有两项所需数据项的目录",
    {
        "id": 903,
        "dataset": "307027-000004",
        "dataset_name": "最低生活保障对象信息",
        "provider": "重庆市民政局",
        "score": 0.75,
        "words": ["对象"],
        "found_items": ["公民身份号码", "救助类别"],
        "missing_items": [],
        "proposed_at": "2026-11-18T10:07:00+08:00",
        "decision": "",
        "reason": "",
        "decided_at": None,
    },
)
DECLINE: Final = sent("decline", "不采用", {"reason": "只含农村低保对象，不含城市低保对象"})
