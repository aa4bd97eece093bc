"""Why a forwarded call has no answer: the provider's service failed, or it cannot be forwarded.

The provider's failures are 502 and 504 and begin with `provider_`, so that nobody takes them for
the platform's.
"""

from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError, InvalidInput
from apps.sharing.gateway.refusals import TryAgainLater


class ProviderFailed(DomainError):
    """The service answered nothing of use; `words` of the log are for the provider."""

    code = "provider_answer"
    status: ClassVar[int] = 502
    default_message = _("提供部门的接口回答不能使用：%(words)s")

    def __init__(self, words: str | Promise, **details: Any) -> None:
        self.words = str(words)
        super().__init__(self.default_message % {"words": self.words}, **details)


class ProviderUnreachable(ProviderFailed):
    code = "provider_unreachable"
    default_message = _("提供部门的接口连接不上：%(words)s")


class ProviderTimeout(ProviderFailed):
    code = "provider_timeout"
    status: ClassVar[int] = 504
    default_message = _("提供部门的接口没有按时回答：%(words)s")


class ProviderTooLarge(ProviderFailed):
    code = "provider_too_large"
    default_message = _("提供部门的接口回答过大：%(words)s")


class ProviderResting(TryAgainLater):
    """It failed several times in a row and is left alone for a while, or is out of its hours."""

    code = "provider_resting"

    def __init__(self, message: str | Promise, *, wait: int) -> None:
        super().__init__(message)
        self.wait = wait


class ForwardedOnly(Conflict):
    """Nothing of the data is kept here: what needs a copy cannot be had."""

    code = "forwarded_only"
    default_message = _(
        "这项数据由提供部门的接口实时提供，平台没有数据；只能读取一页，不能核验、订阅和导出"
    )


class ConditionNotAnswered(Conflict):
    code = "condition_not_answered"
    default_message = _("授权的数据范围用到数据项“%(item)s”，提供部门的接口不给出，不能判断")


class FilterRequired(InvalidInput):
    code = "filter_required"
    default_message = _("提供部门的接口须有筛选条件 %(name)s")
