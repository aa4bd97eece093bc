"""Examples of drafts that are proposed from a file."""

from typing import Final

from apps.core.openapi import shown

RUN: Final = shown(
    "proposal",
    "已生成草案",
    {
        "id": 12,
        "department": "D008",
        "classification": "307008",
        "name": "",
        "file_name": "低保名册2026年1月.csv",
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "size_bytes": 98120,
        "status": "proposed",
        "status_label": "已生成草案",
        "is_finished": True,
        "stage": "concluding",
        "columns_done": 12,
        "columns_total": 12,
        "code": "",
        "message": "",
        "dataset": "307008-000071",
        "draft": "/api/v1/proposals/12/draft",
        "created_at": "2026-11-18T10:00:00+08:00",
        "started_at": "2026-11-18T10:00:01+08:00",
        "finished_at": "2026-11-18T10:00:03+08:00",
    },
)
DRAFT: Final = shown(
    "draft",
    "一份名册的草案，一个数据项",
    {
        "dataset": "307008-000071",
        "name": "低保名册",
        "update_cycle": "monthly",
        "key_items": ["identity_number"],
        "file_name": "低保名册2026年1月.csv",
        "rows": 1204,
        "notes": {
            "form": "文本",
            "encoding": "utf-8",
            "encoding_reason": "全部字节都是有效的 UTF-8",
            "unreadable": 0,
        },
        "evidence": [{"said": "主键：身份证号", "why": "1,204 行中每行的值都不同"}],
        "items": [
            {
                "column": "identity_number",
                "name": "身份证号",
                "type": "C",
                "length": 18,
                "scale": None,
                "required": True,
                "is_key": True,
                "value_check": "identity_number",
                "normalise": ["identifier"],
                "code_list": None,
                "data_element": None,
                "personal": True,
                "sensitive": True,
                "mask": "cover_identity",
                "description": "",
                "evidence": [
                    {"said": "校验：公民身份号码", "why": "1,204 个值中 1,204 个通过校验"}
                ],
            }
        ],
        "proposed_at": "2026-11-18T10:00:03+08:00",
    },
)
