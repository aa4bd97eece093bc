"""How the data plane may answer no: the codes of each operation by HTTP status, what to do then.

The description of the whole API and the one of a single grant are both made from here.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Codes = Mapping[int, Sequence[str]]

FORBIDDEN: Final = (
    "no_grant",
    "grant_not_delivered",
    "grant_not_started",
    "grant_suspended",
    "grant_ended",
    "grant_expired",
    "system_disabled",
    "address_not_allowed",
)
READING_FORBIDDEN: Final = (*FORBIDDEN, "verify_only")
# What the console does not try is refused there; what has no invented rows, a test token.
OUTSIDE_CONSOLE: Final = (*READING_FORBIDDEN, "console_only_tries")
OUTSIDE_TRIALS: Final = (*OUTSIDE_CONSOLE, "not_in_test")
# A provider's own service gives a page and nothing else.
_OF_KEPT_ROWS: Final = "forwarded_only"
TOO_MANY: Final = ("rate_exceeded", "daily_calls_exceeded", "daily_rows_exceeded")
_LATER: Final = {503: ("busy", "query_timeout", "grant_unavailable", "planned_stop")}
_STOPPED: Final = {503: ("planned_stop",)}
_FILTERS: Final = (
    "unknown_field",
    "unknown_filter",
    "unknown_operator",
    "filter_not_supported",
    "invalid_value",
    "too_many_filters",
    "doubled_parameter",
)
_READ: Final[Codes] = {
    400: (
        "unknown_filter",
        "unknown_operator",
        "filter_not_supported",
        "invalid_value",
        "too_many_filters",
        "invalid_limit",
        "unknown_field",
        "unknown_format",
        "unknown_shape",
        "doubled_parameter",
        "cursor_invalid",
    ),
    403: READING_FORBIDDEN,
    409: ("resync_required",),
    429: TOO_MANY,
    **_LATER,
}
PAGE: Final[Codes] = {**_READ, 406: ("not_acceptable",)}
# A page that is fetched from the provider's own service; its failures are 502 and 504.
FORWARDED: Final[Codes] = {
    **PAGE,
    400: (*PAGE[400], "filter_required"),
    409: ("condition_not_answered",),
    502: ("provider_answer", "provider_unreachable", "provider_too_large"),
    503: (*_LATER[503], "provider_resting"),
    504: ("provider_timeout",),
}
WHOLE: Final[Codes] = {**_READ, 403: OUTSIDE_CONSOLE, 409: (*_READ[409], _OF_KEPT_ROWS)}
PAGE_OF_EITHER: Final[Codes] = {**FORWARDED, 409: (*PAGE[409], *FORWARDED[409])}
CHANGES: Final[Codes] = {
    400: (
        "unknown_parameter",
        "invalid_limit",
        "unknown_format",
        "doubled_parameter",
        "cursor_invalid",
    ),
    403: READING_FORBIDDEN,
    406: PAGE[406],
    409: ("resync_required", _OF_KEPT_ROWS),
    429: TOO_MANY,
    **_LATER,
}
PROOF: Final[Codes] = {
    400: (
        "cursor_not_complete",
        "cursor_invalid",
        "invalid_range",
        "invalid_limit",
        "unknown_parameter",
        "doubled_parameter",
    ),
    403: OUTSIDE_TRIALS,
    409: ("resync_required", _OF_KEPT_ROWS),
    429: TOO_MANY,
    **_LATER,
}
COLUMNS: Final[Codes] = {
    400: ("unknown_parameter",),
    403: OUTSIDE_CONSOLE,
    409: (_OF_KEPT_ROWS,),
    **_STOPPED,
}
VERIFY: Final[Codes] = {
    400: (
        "invalid_records",
        "unknown_field",
        "key_incomplete",
        "key_not_readable",
        "invalid_value",
        "parse_error",
    ),
    403: FORBIDDEN,
    409: (_OF_KEPT_ROWS,),
    413: ("body_too_large",),
    415: ("unsupported_media_type",),
    429: ("quota_exceeded", *TOO_MANY),
    **_LATER,
}
ASK_EXPORT: Final[Codes] = {
    400: (
        "unknown_parameter",
        "parse_error",
        "unknown_format",
        *_FILTERS,
        "rows_too_many",
        "idempotency_key_too_long",
    ),
    403: OUTSIDE_TRIALS,
    409: ("idempotency_conflict", "too_many_files", _OF_KEPT_ROWS),
    415: ("unsupported_media_type",),
    429: ("too_many_exports", *TOO_MANY),
    **_LATER,
}
LIST_EXPORTS: Final[Codes] = {
    400: ("unknown_parameter",),
    403: OUTSIDE_TRIALS,
    409: (_OF_KEPT_ROWS,),
    **_STOPPED,
}
ONE_EXPORT: Final[Codes] = {**LIST_EXPORTS, 404: ("not_found",)}
DISCARD_EXPORT: Final[Codes] = {**ONE_EXPORT, 409: ("illegal_move", _OF_KEPT_ROWS)}
EXPORT_FILE: Final[Codes] = {
    **ONE_EXPORT,
    409: ("export_not_ready", _OF_KEPT_ROWS),
    410: ("export_gone",),
    416: ("range_not_satisfiable",),
    429: TOO_MANY[:2],
    503: ("busy", "grant_unavailable", "planned_stop"),
}

WHAT_TO_DO: Final[dict[str, str | Promise]] = {
    "forwarded_only": _("数据由提供部门的接口实时提供，只能读取一页"),
    "filter_required": _("加上所说的筛选条件"),
    "condition_not_answered": _("提供部门的接口不给出数据范围所用的数据项，请双方变更授权"),
    "provider_answer": _("提供部门的接口出错，与提供部门联系"),
    "provider_unreachable": _("提供部门的接口连接不上，稍后重试；一直如此的，与提供部门联系"),
    "provider_too_large": _("提供部门的接口回答过大，加筛选条件"),
    "provider_resting": _("提供部门的接口连续失败或者不在服务时间，按 `Retry-After` 的秒数后重试"),
    "provider_timeout": _("提供部门的接口没有按时回答，稍后重试"),
    "not_authenticated": _("重新换取令牌，再试一次"),
    "not_found": _("核对地址；不能看的也按没有处理"),
    "unknown_parameter": _("没有这个参数"),
    "no_grant": _("先申请共享"),
    "grant_not_delivered": _("已同意，正在开通；几分钟后再试"),
    "grant_not_started": _("等到使用开始日期"),
    "grant_suspended": _("按暂停原因整改；申请时：恢复后再申请"),
    "grant_ended": _("停止调用"),
    "grant_expired": _("重新申请"),
    "system_disabled": _("信息系统或服务账号已停用，找本部门管理员"),
    "address_not_allowed": _("来源地址不在授权允许的范围内；从登记的地址调用，或者申请变更"),
    "verify_only": _("授权只供核验，改为调用 `verify`"),
    "console_only_tries": _("在线调试不提供，用信息系统的调用凭证"),
    "not_in_test": _("测试凭证不能使用，换用生产环境的凭证"),
    "rate_exceeded": _("这一分钟的调用次数已满，按 `Retry-After` 的秒数后重试"),
    "daily_calls_exceeded": _("今日的调用次数已满，按 `Retry-After` 的秒数后重试"),
    "daily_rows_exceeded": _(
        "今日的记录条数已满或者余量不足，按 `Retry-After` 的秒数后重试；核验可减少条数"
    ),
    "unknown_filter": _("没有这个筛选条件，可用的在 `detail` 里"),
    "unknown_operator": _("没有这个筛选后缀，或者不适用于该类型"),
    "filter_not_supported": _("该数据项已脱敏，或者类型不能筛选"),
    "invalid_value": _("值与数据项的类型不符"),
    "too_many_filters": _("条件至多 20 个"),
    "invalid_limit": _("limit 超出范围"),
    "unknown_field": _("授权中没有这个数据项"),
    "unknown_format": _("json、ndjson、csv 之一；导出文件为 csv、xlsx、parquet、ndjson 之一"),
    "not_acceptable": _("`Accept` 写 json、ndjson、csv 之一，或者用参数 `format`"),
    "unknown_shape": _("objects、arrays 之一"),
    "doubled_parameter": _("同一参数只写一次；多个值用 `__in`"),
    "cursor_invalid": _("cursor 须原样传回；从第一页重读"),
    "resync_required": _("授权内容、值的写法已变更，或者 cursor 过旧；丢弃 cursor，从第一页重读"),
    "busy": _("按 `Retry-After` 的秒数后重试"),
    "query_timeout": _("缩小范围或减小 limit 后重试"),
    "planned_stop": _("服务按公告停机，按 `Retry-After` 的秒数后重试；公告见 `planned-stops`"),
    "grant_unavailable": _("平台正在修复，按 `Retry-After` 重试"),
    "invalid_records": _('核验的正文须为 `{"records": [...]}`，1–100 条，每条有主键和要核验的项'),
    "key_incomplete": _("主键各列须写全"),
    "key_not_readable": _("授权不含全部主键的原值，不能核验"),
    "parse_error": _("正文不是合格的 JSON"),
    "body_too_large": _("核验的正文至多 1 MB，分几次提交"),
    "quota_exceeded": _("一小时内核验的不同记录已满，按 `Retry-After` 的秒数后重试"),
    "rows_too_many": _("超过这种格式的行数上限；改用 csv、parquet 或 ndjson，或者分几次筛选"),
    "idempotency_key_too_long": _("提交编号至多 200 个字符"),
    "idempotency_conflict": _("这个提交编号已用于另一次导出，换一个"),
    "too_many_files": _("同一授权保留的导出文件已满，删除不用的"),
    "too_many_exports": _("同一授权的导出在排队或生成的已满，按 `Retry-After` 的秒数后再提交"),
    "export_not_ready": _("文件还没有生成，先查看进度"),
    "export_gone": _("文件已过期、已删除、已停止，或者授权内容已变更；重新导出"),
    "range_not_satisfiable": _("`Range` 从文件末尾之后开始，核对已收到的字节数"),
    "illegal_move": _("状态已变，先读取现状"),
    "unsupported_media_type": _("用 `Content-Type: application/json`"),
    "cursor_not_complete": _("一轮变更还没有读完，应用到 `is_complete` 为 `true` 再核对"),
    "invalid_range": _("`from_id`、`to_id` 须为不小于 0 的整数，`to_id` 不小于 `from_id`"),
}
