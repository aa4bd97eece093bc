"""Examples of batches, of what was rejected, and of confirmations that nothing changed."""

from typing import Final

from drf_spectacular.utils import OpenApiExample

from apps.core.openapi import sent, shown

BATCH: Final = shown(
    "batch",
    "已入库，两条未通过",
    {
        "id": 18,
        "number": "B-000018",
        "dataset": "307027-000001",
        "dataset_name": "婚姻登记信息",
        "source": "sys-s-008-01",
        "mode": "upsert",
        "status": "landed",
        "status_label": "已入库",
        "is_finished": True,
        "stage": "done",
        "progress_rows": 1204,
        "idempotency_key": "20261118-001",
        "file_name": "rows.csv",
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "size_bytes": 98120,
        "encoding": "utf-8",
        "encoding_reason": "全部字节都是有效的 UTF-8",
        "declared_by_source": 1204,
        "balance": {
            "declared": 1204,
            "landed": 1000,
            "changed": 150,
            "unchanged": 52,
            "duplicate": 0,
            "rejected": 2,
            "deleted": 0,
        },
        "normalised": [
            {
                "column": "registered_on",
                "label": "登记日期",
                "count": 12,
                "ways": {"date": 12},
            }
        ],
        "horizon": 7,
        "code": "",
        "message": "",
        "details": {},
        "mends": None,
        "rejections": "/api/v1/batches/18/rejections",
        "received_at": "2026-11-18T10:00:00+08:00",
        "started_at": "2026-11-18T10:00:01+08:00",
        "finished_at": "2026-11-18T10:00:03+08:00",
    },
)
PUSHED: Final = OpenApiExample(
    "csv",
    summary="首行是数据项的名称或列名",
    value="identity_number,registered_on\r\n11010519491231002X,2026-11-17\r\n",
    media_type="text/csv",
    request_only=True,
)
REJECTION: Final = shown(
    "rejection",
    "校验位不对的一条",
    {
        "record_number": 31,
        "line": 32,
        "kind": "rejected",
        "reasons": [
            {
                "code": "check_failed",
                "column": "identity_number",
                "label": "公民身份号码",
                "value": "110105194912310021",
                "message": "校验位应为 X",
            }
        ],
        "raw": "110105194912310021,2026-11-17",
    },
)
REJECTED_LINES: Final = shown(
    "rejected_csv",
    "原文件的列，改正后可直接再提交",
    "identity_number,registered_on\r\n110105194912310021,2026-11-17\r\n",
    media_type="text/csv",
)
NO_CHANGE: Final = shown(
    "no_change",
    "已确认的一个期间",
    {
        "id": 3,
        "dataset": "307027-000001",
        "period_from": "2026-10-01",
        "period_to": "2026-10-07",
        "confirmed_by": "provider-editor",
        "confirmed_at": "2026-11-18T10:00:00+08:00",
        "note": "国庆假期未办理登记",
    },
)
CONFIRM: Final = sent(
    "confirm",
    "确认假期没有变化",
    {"period_from": "2026-10-01", "period_to": "2026-10-07", "note": "国庆假期未办理登记"},
)
UPLOAD: Final = shown(
    "upload",
    "传到一半",
    {
        "id": 5,
        "dataset": "307027-000001",
        "status": "open",
        "file_name": "marriages.csv",
        "size_bytes": 1288490188,
        "received_bytes": 629145600,
        "part_limit_bytes": 16777216,
        "mode": "upsert",
        "declared": None,
        "sha256": "",
        "fingerprint": "marriages-20261118",
        "idempotency_key": "20261118-002",
        "batch": None,
        "created_at": "2026-11-18T10:00:00+08:00",
        "last_part_at": "2026-11-18T10:04:12+08:00",
        "ended_at": None,
    },
)
BEGIN_UPLOAD: Final = sent(
    "begin_upload",
    "一个 1.2 GB 的文件",
    {
        "dataset": "307027-000001",
        "file_name": "marriages.csv",
        "size_bytes": 1288490188,
        "mode": "upsert",
        "fingerprint": "marriages-20261118",
        "idempotency_key": "20261118-002",
    },
)
PART: Final = OpenApiExample(
    "part",
    summary="文件里从 Upload-Offset 起的一片字节",
    value="identity_number,registered_on\r\n11010519491231002X,2026-11-17\r\n",
    media_type="application/octet-stream",
    request_only=True,
)

_JOB: Final = {
    "name": "marriages",
    "dataset": "307027-000001",
    "last_success_at": "2026-11-18T02:00:00+00:00",
    "waiting_rows": 0,
    "message": "",
}
NODE: Final = shown(
    "node",
    "记下的心跳",
    {
        "node": "民政局前置机 1",
        "version": "1",
        "heartbeat_at": "2026-11-18T10:00:00+08:00",
        "jobs": [_JOB],
    },
)
HEARTBEAT: Final = sent(
    "heartbeat", "一个前置机的心跳", {"node": "民政局前置机 1", "version": "1", "jobs": [_JOB]}
)
NORMALISED: Final = OpenApiExample(
    "csv",
    summary="两个统一了写法的值",
    value=(
        "记录序号,数据项,列名,原值,规范化后的值\r\n"
        "3,登记日期,registered_on,2026/11/17,2026-11-17\r\n"
        "8,注册资本,capital,800万人民币,8000000.00\r\n"
    ),
    media_type="text/csv",
    response_only=True,
)
