"""Push one message to an address that was checked: signed, https, no redirect, to no other place.

Source: house rule (issue 5: webhooks, safe from being turned against our own network)
"""

import http.client
import os
import ssl
import time
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core import outbound
from apps.core.errors import InvalidInput

CONNECT_SECONDS: Final = 5
PUSH_SECONDS: Final = 15  # from connecting to the end of the answer
_MOST_READ_BYTES: Final = 4096
_NO_ADDRESS: Final = _("推送地址应以 https:// 开头，不含口令；http 只用于系统管理员放行的网段")


class PushFailed(Exception):
    """It did not get through; status is the answer's, None where there was none."""

    def __init__(self, words: str, status: int | None = None) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True, slots=True)
class Target:
    """An address taken to pieces, and where it leads now."""

    place: outbound.Checked
    is_secure: bool
    path: str


def target_of(url: str) -> Target:
    """Resolve the address and check where it leads.

    Raises:
        InvalidInput: no https address; http only into networks that the operator allows.
        AddressRefused, HostUnknown: it may not be connected to.
    """
    parts = outbound.require_plain_url(url, otherwise=_NO_ADDRESS)
    place = outbound.checked(str(parts.hostname), outbound.port_of(parts), setting=outbound.PUSH)
    is_secure = parts.scheme == "https"
    if not is_secure and not outbound.is_listed(place.address, setting=outbound.PUSH):
        raise InvalidInput(_NO_ADDRESS, code="url_invalid", field="url")
    return Target(place, is_secure, outbound.path_of(parts))


def push(url: str, body: bytes, headers: dict[str, str], *, within: float = PUSH_SECONDS) -> int:
    """Send the body and return the status of the answer, one of those that mean it was taken.

    Units: within is in seconds, and of the whole push, however slowly the answer comes.
    Raises:
        PushFailed: refused, not reached, answered otherwise or too late, or led elsewhere.
    """
    deadline = time.monotonic() + within
    try:
        status = _pushed(target_of(url), body, headers, deadline)
    except InvalidInput as error:
        raise PushFailed(str(error)) from error
    except (OSError, http.client.HTTPException) as error:
        is_late = isinstance(error, TimeoutError) or time.monotonic() >= deadline
        raise PushFailed(_too_late() if is_late else _said(error)) from error
    if time.monotonic() >= deadline:
        raise PushFailed(_too_late())
    if not 200 <= status < 300:
        raise PushFailed(f"HTTP {status}", status)
    return status


def _pushed(target: Target, body: bytes, headers: dict[str, str], deadline: float) -> int:
    with outbound.opened(
        target.place,
        is_secure=target.is_secure,
        deadline=deadline,
        connect_seconds=CONNECT_SECONDS,
    ) as connection:
        connection.request("POST", target.path, body=body, headers=headers)
        answer = connection.getresponse()
        answer.read(_MOST_READ_BYTES)
        return answer.status


def _too_late() -> str:
    return gettext("对方没有在时限内答完")


def _said(error: Exception) -> str:
    """Return words of ours: what the other side wrote is not shown, for it may be any service."""
    if isinstance(error, ssl.SSLError):
        return gettext("证书不能通过验证，或者对方不是 https")
    if isinstance(error, http.client.HTTPException):
        return gettext("对方的回答不是 HTTP，或者中途断开")
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return gettext("连接失败：%(words)s") % {"words": os.strerror(error.errno)}
    return gettext("连接失败")
