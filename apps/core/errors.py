"""The errors that operations raise, each with a stable code and words for the clerk.

Faces translate them once: `core.api` into problem+json, `core.admin` and the pages into messages.
"""

from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """Something the field's rules refuse; the message is shown to people as it is."""

    code: str = "domain_error"
    status: ClassVar[int] = 400
    default_message: str | Promise = _("操作不能完成")

    def __init__(
        self, message: str | Promise | None = None, *, code: str | None = None, **details: Any
    ) -> None:
        self.message = message if message is not None else self.default_message
        self.code = code or type(self).code
        self.details = details
        super().__init__(self.message)

    def __str__(self) -> str:
        return str(self.message)


class InvalidInput(DomainError):
    """What was given is wrong; `field` in the details names where, when one field is to blame."""

    code = "invalid_input"
    default_message = _("填写的内容有误")


class NotAllowed(DomainError):
    code = "not_allowed"
    status = 403
    default_message = _("没有进行这项操作的权限")


class NotFound(DomainError):
    code = "not_found"
    status = 404
    default_message = _("没有找到，或无权查看")


class Conflict(DomainError):
    """Two things cannot both be true: a repeated number, an idempotency key with another body."""

    code = "conflict"
    status = 409
    default_message = _("与已有内容冲突")


class IllegalMove(Conflict):
    code = "illegal_move"
    default_message = _("当前状态下不能进行这项操作")


class StaleRevision(Conflict):
    code = "stale_revision"
    default_message = _("页面打开之后，内容已被他人修改；请刷新后再操作")


def required_text(value: str | None, message: str | Promise, *, field: str = "") -> str:
    """Return the text without surrounding white space.

    Raises:
        InvalidInput: nothing is left of it.
    """
    text = (value or "").strip()
    if not text:
        raise InvalidInput(message, **({"field": field} if field else {}))
    return text
