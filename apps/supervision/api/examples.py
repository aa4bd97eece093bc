"""Examples of work tasks, of the returns to them, and of the responsibility board."""

from typing import Any, Final

from apps.core.openapi import sent, shown
from apps.supervision.queries.findings import COLUMNS

TASK: Final = shown(
    "task",
    "填报中的任务",
    {
        "id": 12,
        "number": "RW-2026-000012",
        "kind": "catalog_update",
        "title": "2026 年目录年度更新",
        "basis": "渝数局发〔2026〕41号",
        "content": "逐条核对本部门已发布的目录，报送更新情况。",
        "questions": [
            {"key": "q1", "label": "核对目录条数", "kind": "number", "required": True},
            {"key": "q2", "label": "是否仍在更新", "kind": "yes_no", "per_line": True},
        ],
        "target_list": "datasets",
        "due_on": "2026-11-30",
        "contact_name": "王敏",
        "contact_phone": "023-63000000",
        "department": "D061",
        "status": "issued",
        "issued_at": "2026-11-18T10:00:00+08:00",
        "closed_at": None,
        "revision": 2,
    },
)
TASK_MOVES: Final = (
    sent("issue", "下发", {"revision": 1}),
    sent("close", "结束", {"revision": 2}),
    sent("cancel", "作废", {"reason": "与国家部署的普查合并进行", "revision": 2}),
)
URGED: Final = shown("urged", "催办了 7 个单位", {"done": 7, "skipped": 2})
RETURN: Final = shown(
    "task_return",
    "待验收的填报",
    {
        "id": 340,
        "task": 12,
        "department": "D008",
        "status": "submitted",
        "answer_kind": "data",
        "answers": {"q1": "42"},
        "lines": [{"key": "307027/000001", "label": "婚姻登记信息", "answers": {"q2": "yes"}}],
        "note": "",
        "opened_at": "2026-11-19T09:00:00+08:00",
        "signed_by": "周建国",
        "signed_at": "2026-11-24T16:30:00+08:00",
        "accepted_at": None,
        "remark": "",
        "revision": 5,
    },
)
RETURN_MOVES: Final = (
    sent("submit", "提交负责人签发", {"revision": 3}),
    sent("sign", "负责人签发", {"revision": 4}),
    sent("send_back", "退回补正", {"reason": "第 3 项没有填写", "revision": 5}),
    sent("excuse", "免报", {"reason": "职能已划转，由承接部门填报"}),
)
SAVE_ANSWERS: Final = sent(
    "save",
    "保存填报",
    {
        "answer_kind": "data",
        "answers": {"q1": "42"},
        "lines": [{"number": 1, "answers": {"q2": "yes"}}],
        "revision": 2,
    },
)

_FIGURES: Final[dict[str, int]] = {column.key: 0 for column in COLUMNS} | {
    "promised": 42,
    "kept": 38,
    "missing": 2,
    "short": 1,
    "stale": 1,
    "systems": 1,
}


def _line(department: str | None, name: str | None) -> dict[str, Any]:
    return {
        "department": department,
        "department_name": name,
        "kept_ratio": 0.9048,
        "figures": _FIGURES,
    }


BOARD: Final = shown(
    "board",
    "只列一个部门",
    {
        "at": "2026-11-18T10:00:00+08:00",
        "definitions": [
            {
                "key": "kept",
                "label": "已兑现",
                "definition": "目录已发布、有数据入库，数据项齐全、不少于应归集条数、"
                "没有超过更新周期的事项。",
            }
        ],
        "departments": [_line("D008", "重庆市民政局")],
        "total": _line(None, None),
    },
)
