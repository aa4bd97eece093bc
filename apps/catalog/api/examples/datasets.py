"""Examples of entries, spreadsheets, kept searches, duplicates and sources."""

from typing import Any, Final

from apps.core.openapi import sent, shown

_DATASET: Final[dict[str, Any]] = {
    "code": "307027-000001",
    "name": "婚姻登记信息",
    "abstract": "本市办理的结婚、离婚登记，含双方身份和登记日期，用于核对婚姻状况。",
    "department": "D008",
    "department_name": "重庆市民政局",
    "classification": "307027",
    "sharing_attribute": "conditional",
    "sharing_scope": "市级各部门、区县政务服务机构",
    "sharing_condition": "仅用于办理本部门职责内的事项，不得向第三方提供",
    "opening_attribute": "not_opened",
    "update_cycle": "daily",
    "grade": "3",
    "contains_personal": True,
    "contains_sensitive": False,
    "themes": ["民生服务", "婚姻"],
    "status": "published",
    "has_data": True,
    "quality_score": 92,
    "release_on": "2025-03-18",
    "updated_at": "2026-11-18T10:20:30+08:00",
}
_ITEM: Final[dict[str, Any]] = {
    "column": "identity_number",
    "name": "公民身份号码",
    "type": "C",
    "length": 18,
    "scale": None,
    "required": True,
    "is_key": True,
    "sharing_attribute": "conditional",
    "personal": True,
    "sensitive": False,
    "mask": "cover_identity",
    "data_element": "DE00010",
    "code_list": None,
    "description": "登记当事人的公民身份号码",
}
DATASET: Final = shown("dataset", "一条有条件共享的目录", _DATASET)
DATASET_DETAIL: Final = shown(
    "dataset_detail",
    "目录及其数据项、版本",
    {
        **_DATASET,
        "internal_unit": "社会事务处",
        "format_class": "database",
        "format_type": "postgresql",
        "sharing_reason": "",
        "sharing_statute": "",
        "mode_class": "platform",
        "mode_type": "interface",
        "note": "",
        "opening_condition": "",
        "legal_duty": "婚姻登记管理",
        "service_item": "内地居民婚姻登记",
        "system": "S-008-01",
        "contact_name": "陈静",
        "contact_phone": "023-63000008",
        "source_department": "D008",
        "related": ["307027-000002"],
        "losses": [
            {
                "kind": "item_standards",
                "points": 6.0,
                "label": "数据项标准",
                "mend": "至少一半数据项对应数据元或者代码集",
            }
        ],
        "key_items": ["identity_number"],
        "items": [_ITEM],
        "versions": [
            {"number": 2, "published_at": "2026-11-18T10:20:30+08:00"},
            {"number": 1, "published_at": "2025-03-18T09:00:00+08:00"},
        ],
    },
)
VERSION: Final = shown(
    "dataset_version",
    "第 2 版及与第 1 版的不同",
    {
        "number": 2,
        "published_at": "2026-11-18T10:20:30+08:00",
        "reason": "按新修订的婚姻登记条例增加登记机关",
        "snapshot": {
            "code": "307027/000001",
            "name": "婚姻登记信息",
            "update_cycle": "daily",
            "items": [{"column_name": "registered_by", "name": "登记机关", "data_type": "C"}],
        },
        "differences": [
            {
                "item": "",
                "item_name": "",
                "field": "update_cycle",
                "field_name": "更新周期",
                "kind": "changed",
                "old": "每周",
                "new": "每日",
            },
            {
                "item": "registered_by",
                "item_name": "登记机关",
                "field": "",
                "field_name": "数据项",
                "kind": "added",
                "old": "（无）",
                "new": "登记机关",
            },
        ],
    },
)

IMPORT: Final = shown(
    "catalog_import",
    "检查完毕，等待采用",
    {
        "id": 31,
        "number": "BM-000031",
        "department": "D008",
        "file_name": "市民政局目录.xlsx",
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "size_bytes": 48213,
        "status": "checked",
        "status_label": "已检查，待采用",
        "is_finished": True,
        "scope": "",
        "progress": 42,
        "expected": 42,
        "code": "",
        "message": "",
        "summary": {
            "rows": 512,
            "entries": 42,
            "counts": {"create": 3, "revise": 8, "unchanged": 29, "conflict": 1, "faulty": 1},
            "notes": [],
        },
        "entries": "/api/v1/catalog-imports/31/entries",
        "created_at": "2026-11-18T10:00:00+08:00",
        "finished_at": None,
        "revision": 3,
    },
)
IMPORT_ENTRY: Final = shown(
    "import_entry",
    "有差错的一条",
    {
        "position": 7,
        "sheet": "目录",
        "first_row": 58,
        "last_row": 71,
        "code": "",
        "name": "特困人员信息",
        "dataset": None,
        "action": "faulty",
        "base_version": "",
        "error_count": 1,
        "faults": [
            {
                "level": "error",
                "cell": "H58",
                "field": "format_type",
                "message": "格式类型“excel”不属于“数据库”，可以是：dm、kingbase、oracle",
            }
        ],
        "differences": [],
        "clashes": [],
        "decisions": {},
        "outcome": "",
        "note": "",
        "change": None,
    },
)
ADOPT: Final = sent("good", "只采用没有差错的", {"scope": "good", "revision": 3})

SAVED_FILTER: Final = shown(
    "saved_filter",
    "共享给本部门的筛选",
    {
        "id": 5,
        "name": "可直接使用的民生数据",
        "query": "sharing=unconditional&theme=民生服务&has_data=yes",
        "audience": "department",
        "owner": "李敏",
        "department": "D003",
        "created_at": "2026-11-18T10:00:00+08:00",
    },
)
SAVE_FILTER: Final = sent(
    "save",
    "保存并共享给本部门",
    {
        "name": "可直接使用的民生数据",
        "query": "sharing=unconditional&theme=民生服务&has_data=yes",
        "audience": "department",
    },
)

DUPLICATE: Final = shown(
    "duplicate",
    "两个部门都在采集的一对目录",
    {
        "id": 18,
        "status": "open",
        "revision": 1,
        "score": 91,
        "name_score": 88,
        "item_score": 94,
        "first": {"code": "307027-000001", "name": "婚姻登记信息", "department": "D008"},
        "second": {"code": "307031-000014", "name": "婚姻状况登记信息", "department": "D011"},
        "evidence": {
            "items": [
                {
                    "first": "登记日期",
                    "second": "登记日期",
                    "how": "data_element",
                    "weight": 3.21,
                }
            ],
            "words": ["婚姻", "登记"],
            "first_only": 4,
            "second_only": 1,
        },
        "designation": None,
        "remark": "",
        "decided_at": None,
    },
)
DUPLICATE_MOVES: Final = (
    sent(
        "name_source",
        "确定市民政局为数源部门",
        {"reason": "三定规定由民政部门办理婚姻登记", "department": "D008", "revision": 1},
    ),
    sent(
        "tell_apart",
        "不是同一数据",
        {"reason": "一为登记原始记录，一为参保人员申报的婚姻状况", "revision": 1},
    ),
    sent("comment", "提出意见", {"reason": "我局的数据由参保时申报取得，建议改从民政局共享"}),
)
DESIGNATION: Final = shown(
    "source_designation",
    "一项数源认定",
    {
        "id": 3,
        "subject": "婚姻登记",
        "department": "D008",
        "department_name": "重庆市民政局",
        "data_element": None,
        "basis": "市民政局三定规定；数源认定会议纪要 2026 年第 3 号",
        "decided_at": "2026-11-18T10:00:00+08:00",
        "valid_from": "2026-11-18",
        "valid_to": None,
    },
)
