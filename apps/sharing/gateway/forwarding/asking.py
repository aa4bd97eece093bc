"""Ask a provider's service, once: to a checked address, within a time and a size.

The name is resolved and checked each time and the checked address connected to, so that it cannot
mean another machine a moment later; a redirect is a failure, for it could lead anywhere.

Source: house rule (issue 5: no private address unless allowed)
"""

import base64
import http.client
import json
import ssl
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core import outbound, secrets
from apps.core.errors import DomainError
from apps.sharing.gateway.forwarding.refusals import (
    ProviderFailed,
    ProviderTimeout,
    ProviderTooLarge,
    ProviderUnreachable,
)
from apps.sharing.models import Interface

LARGEST_BYTES: Final = 4 << 20
_BLOCK_BYTES: Final = 1 << 16
# What OpenSSL calls these; whatever else is wrong is told in its own words.
WHY_UNTRUSTED: Final = {
    10: gettext_lazy("证书已过期"),
    18: gettext_lazy("证书是自己签发的"),
    19: gettext_lazy("证书不是受信任的机构签发的"),
    20: gettext_lazy("证书不是受信任的机构签发的"),
    62: gettext_lazy("证书上的名称与接口地址不符"),
    64: gettext_lazy("证书上的名称与接口地址不符"),
}


def ask(interface: Interface, parameters: Mapping[str, str]) -> bytes:
    """Return the body of the service's answer.

    Raises:
        ProviderFailed: it cannot be reached, does not answer in time, or not with 200.
    """
    deadline = time.monotonic() + interface.timeout_seconds
    try:
        return _answer(interface, parameters, deadline)
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, TimeoutError) or time.monotonic() >= deadline:
            words = _("超过 %(seconds)s 秒") % {"seconds": interface.timeout_seconds}
            raise ProviderTimeout(words) from None
        if isinstance(error, ssl.SSLError):
            told = WHY_UNTRUSTED.get(getattr(error, "verify_code", 0)) or _told(error)
            words = _("证书不能通过验证：%(words)s") % {"words": told}
            raise ProviderUnreachable(words) from error
        raise ProviderUnreachable(_told(error)) from error


def require_address(url: str) -> None:
    """Refuse what is no plain http(s) address, or may not be connected to.

    Raises:
        InvalidInput: another scheme, no host, a password within it.
        AddressRefused, HostUnknown: it may not be connected to.
    """
    parts = outbound.require_plain_url(
        url, otherwise=_("接口地址应为 http:// 或 https:// 开头，口令另填")
    )
    outbound.checked(str(parts.hostname), outbound.port_of(parts))


def _answer(interface: Interface, parameters: Mapping[str, str], deadline: float) -> bytes:
    parts = urlsplit(interface.url)
    try:
        place = outbound.checked(str(parts.hostname), outbound.port_of(parts))
    except DomainError as error:
        raise ProviderUnreachable(str(error)) from error
    body = None
    headers = {"User-Agent": "huiliu", "Accept": "application/json", "Accept-Encoding": "identity"}
    headers |= _signed(interface)
    if interface.method == Interface.Method.POST:
        body = json.dumps(dict(parameters), ensure_ascii=False).encode()
        headers["Content-Type"] = "application/json"
    else:
        query = "&".join(part for part in (parts.query, urlencode(parameters)) if part)
        parts = parts._replace(query=query)
    is_secure = parts.scheme == "https"
    with outbound.opened(place, is_secure=is_secure, deadline=deadline) as connection:
        connection.request(interface.method, outbound.path_of(parts), body=body, headers=headers)
        answer = connection.getresponse()
        if 300 <= answer.status < 400:
            raise ProviderFailed(_("转到了别的地址（HTTP %(status)s）") % {"status": answer.status})
        if answer.status != 200:
            raise ProviderFailed(f"HTTP {answer.status}")
        return _read(answer, deadline)


def _read(answer: http.client.HTTPResponse, deadline: float) -> bytes:
    blocks: list[bytes] = []
    size = 0
    while block := answer.read1(_BLOCK_BYTES):
        size += len(block)
        if size > LARGEST_BYTES:
            raise ProviderTooLarge(_("超过 %(limit)s MB") % {"limit": LARGEST_BYTES >> 20})
        blocks.append(block)
    if time.monotonic() >= deadline:
        raise TimeoutError  # what ended late was cut off
    if answer.length:  # what was announced and did not come
        raise ProviderUnreachable(_("回答中断"))
    return b"".join(blocks)


def _signed(interface: Interface) -> dict[str, str]:
    try:
        secret = secrets.unseal(interface.sealed_secret)
    except secrets.SecretUnreadable as error:
        raise ProviderUnreachable(str(error)) from error
    if interface.sign == Interface.Sign.BEARER:
        return {"Authorization": f"Bearer {secret}"}
    if interface.sign == Interface.Sign.BASIC:
        pair = base64.b64encode(f"{interface.username}:{secret}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    if interface.sign == Interface.Sign.HEADER:
        return {interface.header_name: secret}
    return {}


def _told(error: BaseException) -> str:
    printable = "".join(each if each.isprintable() else " " for each in str(error))
    return " ".join(printable.split())[:200] or type(error).__name__
