"""Examples of writing an entry, and of changing one that is in force."""

from typing import Any, Final

from apps.core.openapi import sent, shown

_ITEMS: Final[list[dict[str, Any]]] = [
    {
        "column": "identity_number",
        "name": "公民身份号码",
        "type": "C",
        "length": 18,
        "required": True,
        "personal": True,
        "data_element": "DE00010",
    },
    {"column": "registered_on", "name": "登记日期", "type": "D", "required": True},
]
DRAFT: Final = sent(
    "draft",
    "名称、分类和头两个数据项",
    {
        "classification": "307027",
        "name": "婚姻登记信息",
        "abstract": "本市办理的结婚、离婚登记，含双方身份和登记日期，用于核对婚姻状况。",
        "sharing_attribute": "conditional",
        "sharing_scope": "市级各部门、区县政务服务机构",
        "sharing_condition": "仅用于办理本部门职责内的事项，不得向第三方提供",
        "update_cycle": "daily",
        "themes": ["民生服务", "婚姻"],
        "contact_name": "陈静",
        "contact_phone": "023-63000008",
        "key_items": ["identity_number"],
        "items": _ITEMS,
    },
)
MOVES: Final = (
    sent("revise", "修改内容", {"abstract": "补充了离婚登记的范围。", "revision": 3}),
    sent(
        "record_assessment",
        "登记保密审查结论",
        {
            "kind": "secrecy",
            "conclusion": "passed",
            "assessed_on": "2026-11-16",
            "assessor": "市民政局保密办",
        },
    ),
    sent("submit", "提交本部门审批", {"revision": 4}),
    sent("send_back", "退回修改", {"reason": "摘要请写明数据范围"}),
    sent("request_withdrawal", "申请撤回", {"reason": "职能划转至市数据局"}),
)

BEGIN: Final = sent(
    "begin",
    "因法规修改增加登记机关",
    {
        "dataset": "307027-000001",
        "reason": "按新修订的婚姻登记条例增加登记机关",
        "trigger_kind": "statute",
        "triggered_on": "2026-11-10",
        "trigger_note": "《婚姻登记条例》修订",
        "items": [*_ITEMS, {"column": "registered_by", "name": "登记机关", "length": 60}],
    },
)
_CHANGE: Final[dict[str, Any]] = {
    "id": 57,
    "dataset": "307027-000001",
    "dataset_name": "婚姻登记信息",
    "department": "D008",
    "base_version": 1,
    "applied_version": None,
    "reason": "按新修订的婚姻登记条例增加登记机关",
    "trigger_kind": "statute",
    "triggered_on": "2026-11-10",
    "trigger_note": "《婚姻登记条例》修订",
    "channel": "api",
    "status": "submitted",
    "remark": "",
    "submitted_at": "2026-11-18T10:20:30+08:00",
    "decided_at": None,
    "revision": 4,
    "updated_at": "2026-11-18T10:20:30+08:00",
}
CHANGE: Final = shown("dataset_change", "等待主管部门审核的变更", _CHANGE)
CHANGE_DETAIL: Final = shown(
    "dataset_change_detail",
    "变更及与现行版本的不同",
    {
        **_CHANGE,
        "differences": [
            {
                "item": "registered_by",
                "item_name": "登记机关",
                "field": "",
                "field_name": "数据项",
                "kind": "added",
                "old": "（无）",
                "new": "登记机关",
            }
        ],
        "faults": [],
    },
)
CHANGE_MOVES: Final = (
    sent("revise_change", "继续修改", {"contact_phone": "023-63000009", "revision": 2}),
    sent("submit_change", "提交本部门审批", {"revision": 3}),
    sent("send_back_change", "退回修改", {"reason": "请说明增加登记机关的依据"}),
    sent("extend_change", "同意延期", {"length": 5, "reason": "系统改造尚未完成"}),
)
