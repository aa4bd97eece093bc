"""Examples of sharing requests and grants."""

from typing import Any, Final

from apps.core.openapi import sent, shown

_WRITTEN: Final[dict[str, Any]] = {
    "basis": "《社会救助暂行办法》第五十八条",
    "scenario": "办理学生资助时核对家庭困难情况",
    "scope": "市教委学生资助管理中心",
    "mode": "interface",
    "starts_on": "2026-11-20",
    "ends_on": "2027-11-19",
    "vouched": True,
    "calls_a_day": 20000,
    "rows_a_day": None,
    "calls_a_minute": 600,
    "allowed_addresses": ["10.20.0.0/16"],
    "may_redistribute": False,
}
_CONDITION: Final = [{"item": "division_code", "operator": "eq", "value": "500103"}]
REQUEST: Final = shown(
    "request",
    "已交付的申请",
    {
        "id": 52,
        "number": "SQ-2026-000052",
        "dataset": "307027/000001",
        "dataset_name": "婚姻登记信息",
        "provider": "重庆市民政局",
        "consumer": "重庆市教育委员会",
        "system": "S-003-02",
        **_WRITTEN,
        "items": [
            {"name": "identity_number", "label": "公民身份号码", "mask": "cover_identity"},
            {"name": "registered_on", "label": "登记日期", "mask": ""},
        ],
        "row_condition": _CONDITION,
        "status": "delivered",
        "status_label": "已交付",
        "applicant": "李敏",
        "submitted_at": "2026-11-10T09:00:00+08:00",
        "received_at": "2026-11-10T14:00:00+08:00",
        "supplement_notice": "",
        "supplement_answer": "",
        "decided_at": "2026-11-17T10:00:00+08:00",
        "decision_reason": "",
        "legal_basis": "",
        "is_automatic": False,
        "delivered_at": "2026-11-17T10:00:05+08:00",
        "grant": 14,
        "grant_version": 1,
        "urgency": None,
        "offers": [],
        "package": None,
        "previous": None,
        "revision": 7,
        "created_at": "2026-11-09T16:00:00+08:00",
        "updated_at": "2026-11-17T10:00:05+08:00",
    },
)
DRAFT: Final = sent(
    "draft",
    "起草申请，身份号码脱敏",
    {
        "dataset": "307027/000001",
        "system": "S-003-02",
        **_WRITTEN,
        "items": {"identity_number": "cover_identity", "registered_on": ""},
        "row_condition": _CONDITION,
    },
)
FROM_DEMAND: Final = sent(
    "from_demand",
    "由数据需求转为共享申请",
    {"demand": 128, "dataset": "307027/000001", "system": "S-003-02"},
)
REQUEST_MOVES: Final = (
    sent("submit", "提交本部门审批", {"revision": 1}),
    sent(
        "propose",
        "提供部门拟定部分同意",
        {
            "outcome": "narrow",
            "items": {"registered_on": ""},
            "ends_on": "2027-06-30",
            "calls_a_day": 5000,
            "reason": "核对家庭困难情况不需要身份号码以外的明文",
            "revision": 5,
        },
    ),
    sent(
        "offer",
        "提供部门先协商",
        {
            "items": {"identity_number": "cover_identity", "registered_on": ""},
            "reason": "核对资格不需要完整的身份号码",
            "revision": 5,
        },
    ),
    sent("accept_offer", "使用部门接受协商条件", {"version": 1, "reason": "可以满足用途"}),
    sent("confirm", "提供部门另一人复核同意", {"reason": "同意部分提供", "revision": 6}),
    sent(
        "mark_urgent",
        "主管部门列为急件，24 小时内答复",
        {"kind": "epidemic", "hours": 24, "reason": "市级三级应急响应通知", "revision": 4},
    ),
    sent("backfill", "使用部门补办材料", {"reason": "已补正式申请函"}),
    sent(
        "review_urgent",
        "主管部门事后审查",
        {"justified": True, "reason": "响应期间确需核对"},
    ),
    sent("extend", "提供部门申请延期", {"workdays": 5, "reason": "涉及两个处室会签"}),
)
GRANT: Final = shown(
    "grant",
    "生效中的授权",
    {
        "id": 14,
        "request": "SQ-2026-000052",
        "dataset": "307027/000001",
        "dataset_name": "婚姻登记信息",
        "provider": "重庆市民政局",
        "consumer": "重庆市教育委员会",
        "system": "S-003-02",
        "version": 1,
        "status": "in_force",
        "status_label": "生效",
        "mode": "interface",
        "purpose": "办理学生资助时核对家庭困难情况",
        "columns": [
            {"name": "identity_number", "mask": "cover_identity"},
            {"name": "registered_on", "mask": ""},
        ],
        "row_condition": _CONDITION,
        "calls_a_day": 20000,
        "rows_a_day": None,
        "calls_a_minute": 600,
        "allowed_addresses": ["10.20.0.0/16"],
        "may_redistribute": False,
        "starts_at": "2026-11-20T00:00:00+08:00",
        "expires_at": "2027-11-20T00:00:00+08:00",
        "provisioned_at": "2026-11-20T00:00:04+08:00",
        "suspended_at": None,
        "suspension_reason": "",
        "rectify_by": None,
        "ended_at": None,
        "end_reason": "",
        "service_changes": [],
        "revision": 2,
        "created_at": "2026-11-17T10:00:00+08:00",
        "updated_at": "2026-11-20T00:00:04+08:00",
    },
)
GRANT_MOVES: Final = (
    sent(
        "suspend",
        "暂停，限期整改",
        {"reason": "超出申请的使用场景", "rectify_by": "2026-12-02", "revision": 2},
    ),
    sent("resume", "整改后恢复", {"reason": "已整改", "revision": 3}),
    sent("end", "终止", {"reason": "系统下线"}),
    sent(
        "narrow",
        "收窄为只供核验，限定来源网段",
        {
            "mode": "verify",
            "calls_a_day": 2000,
            "allowed_addresses": ["10.20.3.0/24"],
            "reason": "核对资助资格只需知道是否相符",
            "revision": 2,
        },
    ),
)
TOKEN: Final[dict[str, Any]] = {
    "access_token": "hXk3zq0VbP1mJt6cWn8sYf2dLr5uGa",
    "token_type": "Bearer",
    "expires_in": 3600,
    "scope": "data",
}
TOKEN_REQUEST: Final[dict[str, Any]] = {
    "grant_type": "client_credentials",
    "client_id": "huiliu-s-003-02",
    "client_secret": "签发时显示的密钥",
}
