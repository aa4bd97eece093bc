"""Why the data plane answers no, each with a stable code and words for the consumer's engineer."""

import math
from datetime import datetime
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError, InvalidInput, NotAllowed

RETRY_SECONDS = 2


class NotAuthenticated(DomainError):
    """No token, one of another form, an unknown or an expired one."""

    code = "not_authenticated"
    status: ClassVar[int] = 401
    default_message = _("调用凭证缺失、无效或已过期，请重新换取访问令牌")
    auth_header = 'Bearer realm="api", error="invalid_token"'


class SystemDisabled(NotAllowed):
    code = "system_disabled"
    default_message = _("该信息系统或其服务账号已停用，不能调用数据")


class GrantRefused(NotAllowed):
    """The token is good; what it may read is not this, or not now."""

    @classmethod
    def because(cls, code: str, **details: Any) -> "GrantRefused":
        return cls(REASONS[code], code=code, **details)


REASONS: dict[str, str | Promise] = {
    "no_grant": _("该信息系统没有读取这项数据的授权"),
    "grant_not_delivered": _("授权已同意，平台尚在开通，请稍后再试"),
    "grant_not_started": _("授权尚未到使用开始日期"),
    "grant_suspended": _("授权已暂停，整改并恢复后方可调用"),
    "grant_ended": _("授权已终止"),
    "grant_expired": _("授权已到期，需继续使用的，请重新申请"),
    "verify_only": _("授权只供核验，不能读取、订阅或导出记录；请调用 verify"),
    "console_only_tries": _("在线调试只能读取一页、读取变更和核验；其他的用信息系统的调用凭证"),
    "address_not_allowed": _("调用的来源地址不在授权允许的范围内"),
    "not_in_test": _("测试凭证不能使用这个接口；换用生产环境的凭证"),
    "credential_revoked": _("申请导出的调用凭证已吊销"),
    "person_not_allowed": _("申请导出的人员已不再办理这项授权"),
}


class ResyncRequired(Conflict):
    """The terms changed since the cursor was given: what was read before may no longer hold."""

    code = "resync_required"
    default_message = _("授权内容已变更，此前的翻页标记失效，请从第一页重新读取")


class CursorInvalid(InvalidInput):
    code = "cursor_invalid"
    default_message = _("翻页标记无效，请从第一页重新读取")


class CursorNotComplete(InvalidInput):
    """A sweep is under way: what the caller holds is no state of one moment."""

    code = "cursor_not_complete"
    default_message = _("这一轮变更还没有读完；应用到 is_complete 为 true，再用那时的 cursor 核对")


class TryAgainLater(DomainError):
    """Nothing is wrong with the call; the platform cannot serve it at this moment."""

    status: ClassVar[int] = 503
    wait = RETRY_SECONDS


class Busy(TryAgainLater):
    code = "busy"
    default_message = _("平台繁忙，请稍后重试")


class PlannedStopped(TryAgainLater):
    """The service stands still, as was announced; `wait` is when it ends, in seconds."""

    code = "planned_stop"
    default_message = _("服务按公告停机，预计 %(until)s 恢复，请按 Retry-After 的秒数后再试")

    def __init__(self, *, until: datetime, at: datetime) -> None:
        local = timezone.localtime(until)
        shown = {"until": f"{local:%Y-%m-%d %H:%M}"}
        super().__init__(self.default_message % shown, until=local.isoformat())
        self.wait = max(1, math.ceil((until - at).total_seconds()))


class TooSlow(TryAgainLater):
    code = "query_timeout"
    default_message = _("查询超时，请缩小筛选范围或减少每页条数后重试")


class GrantUnavailable(TryAgainLater):
    """The grant is in force, yet the database refuses: its rights must be rebuilt."""

    code = "grant_unavailable"
    default_message = _("授权有效，但数据库中的权限尚未就绪，平台正在修复，请稍后重试")


class QuotaExceeded(TryAgainLater):
    """The hour's room is used up; `wait` is when it has some again, in seconds."""

    code = "quota_exceeded"
    status: ClassVar[int] = 429
    default_message = _("一小时内核验的不同记录超过限额，请按 Retry-After 的秒数后再试")

    def __init__(self, *, wait: int, **details: Any) -> None:
        super().__init__(**details)
        self.wait = wait


class AllowanceExceeded(TryAgainLater):
    """The grant's own limit of the day or minute is used up; `wait` says when it begins anew."""

    status: ClassVar[int] = 429

    def __init__(self, *, wait: int, limit: int) -> None:
        super().__init__(self.default_message % {"limit": limit}, limit=limit)
        self.wait = wait


class RateExceeded(AllowanceExceeded):
    code = "rate_exceeded"
    default_message = _("授权每分钟至多调用 %(limit)s 次，请按 Retry-After 的秒数后再试")


class DailyCallsExceeded(AllowanceExceeded):
    code = "daily_calls_exceeded"
    default_message = _("授权每日至多调用 %(limit)s 次，今日已用完")


class DailyRowsExceeded(AllowanceExceeded):
    code = "daily_rows_exceeded"
    default_message = _("授权每日至多读取 %(limit)s 条记录，今日余量不足")


class TooManyExports(TryAgainLater):
    """As many files as may be are being made under the grant."""

    code = "too_many_exports"
    status: ClassVar[int] = 429
    default_message = _("同一授权至多同时有 %(limit)s 个导出在排队或生成，等其中一个完成后再试")
    wait = 60

    def __init__(self, *, limit: int) -> None:
        super().__init__(self.default_message % {"limit": limit}, limit=limit)


class NotAcceptable(InvalidInput):
    code = "not_acceptable"
    status: ClassVar[int] = 406
    default_message = _("没有 Accept 所要的格式；可以是 json、ndjson 或 csv，也可以用参数 format")


class BodyTooLarge(InvalidInput):
    code = "body_too_large"
    status: ClassVar[int] = 413
    default_message = _("正文过大，请分几次提交")
