"""Examples of responsibility lists, duties and the law's lists."""

from typing import Any, Final

from apps.core.openapi import sent, shown

RESPONSIBILITY_LIST: Final = shown(
    "responsibility_list",
    "征求意见中的一份清单",
    {
        "id": 8,
        "code": "2026-第一批-D008",
        "department": "D008",
        "department_name": "重庆市民政局",
        "year": 2026,
        "batch": "第一批",
        "status": "consulting",
        "consult_due_on": "2026-11-28",
        "opinion": "",
        "replied_at": None,
        "issued_at": None,
        "revision": 2,
        "updated_at": "2026-11-18T10:00:00+08:00",
    },
)
LIST_MOVES: Final = (
    sent("consult", "征求意见到 11 月 28 日", {"consult_due_on": "2026-11-28", "revision": 1}),
    sent("reply", "责任部门负责人回复", {"opinion": "除一项外无意见"}),
    sent("issue", "印发", {"revision": 3}),
    sent("close", "结束", {"reason": "职能已划转"}),
)
COMPILE: Final = sent(
    "compile",
    "编制第一批",
    {"year": 2026, "batch": "第一批", "due_on": "2026-12-31", "departments": ["D008"]},
)
COMPILED: Final = shown(
    "compiled", "一份清单，42 项", {"lists": [8], "duty_count": 42, "passed_by": []}
)
_DUTY: Final[dict[str, Any]] = {
    "id": 412,
    "responsibility_list": 8,
    "department": "D008",
    "internal_unit": "社会事务处",
    "parent": None,
    "origin": "catalogue",
    "dataset": "307027-000001",
    "title": "婚姻登记信息",
    "item_columns": ["identity_number", "registered_on"],
    "item_names": ["公民身份号码", "登记日期"],
    "expected_rows": 1_280_000,
    "update_cycle": "daily",
    "due_on": "2026-12-31",
    "is_overdue": False,
    "contact_name": "陈静",
    "contact_phone": "023-63000008",
    "sharing_attribute": "conditional",
    "opening_attribute": "not_opened",
    "system": "S-008-01",
    "status": "in_force",
    "objection": "",
    "settlement": "",
    "evidence": "",
    "performed_rows": None,
    "performed_at": None,
    "revision": 3,
    "updated_at": "2026-11-18T10:00:00+08:00",
}
DUTY: Final = shown("duty", "履行中的一项", _DUTY)
DUTY_DETAIL: Final = shown(
    "duty_detail",
    "履行中的一项，分给了两个区县",
    {
        **_DUTY,
        "parts": {
            "count": 2,
            "finished": 1,
            "assigned_rows": 800_000,
            "performed_rows": 412_000,
            "gap": 480_000,
        },
    },
)
DUTY_MOVES: Final = (
    sent("raise_objection", "责任部门提出异议", {"reason": "数据由区县掌握", "revision": 1}),
    sent("settle", "主管部门答复异议", {"reason": "由市局汇总区县数据后归集"}),
    sent(
        "perform",
        "报告完成",
        {"evidence": "11 月 15 日起每日归集", "performed_rows": 1_280_412, "revision": 3},
    ),
    sent(
        "split",
        "拆分给区县民政局",
        {"parts": [{"department": "D103-08", "expected_rows": 400_000, "due_on": "2026-12-20"}]},
    ),
    sent("name_dataset", "对应后来编制的目录", {"dataset": "307027-000019", "revision": 3}),
    sent("return_performance", "退回补齐", {"reason": "缺 2015 年以前的登记"}),
)
LEGAL_DUTY: Final = shown(
    "legal_duty",
    "还没有目录的一项权责",
    {
        "id": 77,
        "code": "500000-008-QR-003",
        "name": "收养登记",
        "kind": "confirmation",
        "basis": "《中国公民收养子女登记办法》",
        "department": "D008",
        "valid_from": "2019-01-01",
        "valid_to": None,
        "has_dataset": False,
    },
)
SERVICE_ITEM: Final = shown(
    "service_item",
    "一项政务服务事项",
    {
        "id": 140,
        "code": "5000000008003",
        "name": "内地居民婚姻登记",
        "department": "D008",
        "legal_duty": "500000-008-QR-001",
        "valid_from": None,
        "valid_to": None,
        "has_dataset": True,
    },
)
