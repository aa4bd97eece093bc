"""Examples of packages to the levels above, of their catalogues, and of requests for their data."""

from typing import Any, Final

from apps.core.openapi import sent, shown

UPPER_DATASET: Final = shown(
    "upper_dataset",
    "国家目录的一条",
    {
        "id": 9,
        "level": "national",
        "code": "306010/000012",
        "name": "全国学籍信息",
        "provider_name": "教育部",
        "abstract": "全国中小学生学籍基本信息",
        "items": ["姓名", "学籍号", "学校名称"],
        "attribute": "有条件共享",
        "cycle": "每学期",
        "our_code": "",
        "is_standing": True,
        "imported_at": "2026-11-10T09:00:00+08:00",
    },
)
_PACKAGE: Final[dict[str, Any]] = {
    "id": 4,
    "number": "SB-2026-000004",
    "level": "provincial",
    "status": "sent",
    "outside_number": "渝数收〔2026〕第 18 号",
    "sent_at": "2026-11-18T10:00:00+08:00",
    "receipted_at": None,
    "revision": 2,
    "created_at": "2026-11-17T16:30:00+08:00",
}
PACKAGE: Final = shown("upward_package", "已上报，等待回执", _PACKAGE)
PACKAGE_DETAIL: Final = shown(
    "upward_package_detail",
    "数据包及其条目",
    {
        **_PACKAGE,
        "entries": [
            {
                "code": "307027/000001",
                "name": "婚姻登记信息",
                "change": "changed",
                "version": 2,
                "receipt": "differing",
                "upper_code": "500000307027000001",
                "receipt_note": "更新周期与省级目录不一致",
                "receipted_at": "2026-11-18T15:00:00+08:00",
            }
        ],
    },
)
MAKE: Final = sent("make", "向省级上报", {"level": "provincial"})
PACKAGE_MOVES: Final = (
    sent("send", "确认已上报", {"outside_number": "渝数收〔2026〕第 18 号", "revision": 1}),
    sent("discard", "作废", {"reason": "目录还要再核对一遍"}),
)
UPPER_REQUEST: Final = shown(
    "upper_request",
    "已转报上级",
    {
        "id": 6,
        "number": "SJ-2026-000006",
        "department": "重庆市人力资源和社会保障局",
        "upper_code": "306010/000012",
        "upper_name": "全国学籍信息",
        "scenario": "核对技工院校招生对象的学籍",
        "basis": "《社会保险法》第七十四条",
        "items": "姓名、学籍号",
        "status": "forwarded",
        "outside_number": "GX-2026-3317",
        "outside_status": "教育部受理中",
        "outside_on": "2026-11-18",
        "filed_at": "2026-11-16T11:00:00+08:00",
        "forwarded_at": "2026-11-18T10:00:00+08:00",
        "answered_at": None,
        "closed_at": None,
        "revision": 4,
        "created_at": "2026-11-13T15:20:00+08:00",
        "updated_at": "2026-11-18T10:00:00+08:00",
    },
)
ASK: Final = sent(
    "ask",
    "申请全国学籍信息",
    {
        "upper_dataset": 9,
        "scenario": "核对技工院校招生对象的学籍",
        "basis": "《社会保险法》第七十四条",
        "items": "姓名、学籍号",
        "contact_name": "李敏",
        "contact_phone": "023-63000011",
    },
)
REQUEST_MOVES: Final = (
    sent("revise", "退回后修改", {"basis": "《社会保险法》第七十四条第二款", "revision": 3}),
    sent(
        "forward",
        "主管部门登记转报",
        {
            "outside_number": "GX-2026-3317",
            "outside_on": "2026-11-18",
            "reason": "教育部受理中",
            "revision": 3,
        },
    ),
    sent(
        "refuse",
        "登记上级未同意",
        {"outside_on": "2026-11-25", "reason": "该数据只在省级以上使用"},
    ),
)
