"""Fetch a file over HTTP: only when it changed, whole or not at all, to checked addresses only."""

import base64
import http.client
import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from django.utils.translation import gettext_lazy as _

from apps.core import outbound
from apps.warehouse.pulling.refusals import SourceFailed, told

CONNECT_SECONDS = 10
SILENCE_SECONDS = 60
WHOLE_SECONDS = 30 * 60
MOST_REDIRECTS = 5
ATTEMPTS = 3
LONGEST_PAUSE_SECONDS = 30.0
REDIRECTS = (301, 302, 303, 307, 308)
BUSY = (429, 500, 502, 503, 504)
_BLOCK_BYTES = 1 << 18


@dataclass(frozen=True)
class Wanted:
    """A file, what is known of it, and how large it may be."""

    url: str
    username: str = ""
    secret: str = ""
    etag: str = ""
    last_modified: str = ""
    limit_bytes: int = 2 << 30


@dataclass(frozen=True)
class Fetched:
    """What came; `unchanged` when the server says that it is the one that is known."""

    unchanged: bool
    size_bytes: int = 0
    file_name: str = ""
    etag: str = ""
    last_modified: str = ""


class _Busy(Exception):
    """The server asks to come again, after so many seconds if it says so."""

    def __init__(self, words: str, seconds: float | None = None) -> None:
        super().__init__(words)
        self.seconds = seconds


def fetch(
    wanted: Wanted,
    target: Path,
    *,
    progress: Callable[[int], None] | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Fetched:
    """Write the file to `target`; a busy or broken server is asked again, later each time.

    Raises:
        InvalidInput: the address is no http(s) address.
        AddressRefused, HostUnknown: it, or where it leads to, may not be connected to.
        SourceFailed: refused, broken off, or larger than it may be.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _follow(wanted, target, progress)
        except (_Busy, OSError, http.client.HTTPException) as error:
            if attempt == ATTEMPTS:
                raise SourceFailed(
                    _("文件服务器拒绝或者中断了：%(words)s") % {"words": told(error)},
                    code="source_unreachable",
                ) from error
            asked = getattr(error, "seconds", None) or 2.0**attempt
            pause(min(LONGEST_PAUSE_SECONDS, asked) * (0.5 + random.random() / 2))  # noqa: S311
    raise AssertionError("unreachable")


def _follow(wanted: Wanted, target: Path, progress: Callable[[int], None] | None) -> Fetched:
    url, first_host = wanted.url, host_of(wanted.url)
    deadline = time.monotonic() + WHOLE_SECONDS
    for _hop in range(MOST_REDIRECTS + 1):
        headers = _headers(wanted, trusted=host_of(url) == first_host)
        try:
            with _opened(url, deadline) as connection:
                connection.request("GET", outbound.path_of(urlsplit(url)), headers=headers)
                answer = connection.getresponse()
                if answer.status in REDIRECTS:
                    url = _redirected(url, answer.getheader("Location") or "")
                    continue
                return _taken(answer, wanted, url, target, deadline, progress)
        except (OSError, http.client.HTTPException):
            _refuse_late(deadline)
            raise
    raise SourceFailed(_("文件地址转来转去，没有到头"), code="source_redirects")


def _opened(url: str, deadline: float) -> AbstractContextManager[http.client.HTTPConnection]:
    parts = urlsplit(url)
    return outbound.opened(
        outbound.checked(host_of(url), outbound.port_of(parts)),
        is_secure=parts.scheme == "https",
        deadline=deadline,
        connect_seconds=CONNECT_SECONDS,
        silence_seconds=SILENCE_SECONDS,
    )


def _refuse_late(deadline: float) -> None:
    """Take nothing of what was cut off: a part of the file may look whole."""
    if time.monotonic() >= deadline:
        raise SourceFailed(_("文件半小时没有传完"), code="source_too_slow")


def _taken(
    answer: http.client.HTTPResponse,
    wanted: Wanted,
    url: str,
    target: Path,
    deadline: float,
    progress: Callable[[int], None] | None,
) -> Fetched:
    etag = (answer.getheader("ETag") or "")[:300]
    modified = (answer.getheader("Last-Modified") or "")[:100]
    if answer.status == 304:
        return Fetched(unchanged=True, etag=wanted.etag, last_modified=wanted.last_modified)
    if answer.status in BUSY:
        raise _Busy(f"HTTP {answer.status}", _retry_after(answer.headers))
    if answer.status != 200:
        raise SourceFailed(
            _("文件服务器回答 HTTP %(status)s；核对地址和口令") % {"status": answer.status},
            code="source_refused",
        )
    announced = answer.getheader("Content-Length") or ""
    if announced.isdecimal() and int(announced) > wanted.limit_bytes:
        raise _too_large(wanted.limit_bytes)
    size = _copied(answer, target, wanted.limit_bytes, deadline, progress)
    if announced.isdecimal() and size != int(announced):
        raise ConnectionError(f"{size:,} / {int(announced):,} bytes")
    name = unquote(urlsplit(url).path.rpartition("/")[2]) or "file.csv"
    return Fetched(
        unchanged=False, size_bytes=size, file_name=name, etag=etag, last_modified=modified
    )


def _copied(
    answer: http.client.HTTPResponse,
    target: Path,
    limit: int,
    deadline: float,
    progress: Callable[[int], None] | None,
) -> int:
    size = 0
    with target.open("wb") as file:
        while block := answer.read(_BLOCK_BYTES):
            size += file.write(block)
            if size > limit:
                raise _too_large(limit)
            if progress is not None:
                progress(size)
    _refuse_late(deadline)
    return size


def _too_large(limit: int) -> SourceFailed:
    return SourceFailed(
        _("文件超过 %(limit)s MB；分成几个，或者改用分片上传") % {"limit": limit >> 20},
        code="source_too_large",
    )


def _headers(wanted: Wanted, *, trusted: bool) -> dict[str, str]:
    headers = {"User-Agent": "huiliu", "Accept-Encoding": "identity"}
    if wanted.etag:
        headers["If-None-Match"] = wanted.etag
    elif wanted.last_modified:
        headers["If-Modified-Since"] = wanted.last_modified
    if trusted and wanted.secret:
        if wanted.username:
            pair = base64.b64encode(f"{wanted.username}:{wanted.secret}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
        else:
            headers["Authorization"] = f"Bearer {wanted.secret}"
    return headers


def _redirected(url: str, location: str) -> str:
    target = urljoin(url, location)
    if not location or (url.startswith("https:") and not target.startswith("https:")):
        raise SourceFailed(_("文件地址转到了不安全的地方"), code="source_redirects")
    require_address(target)
    return target


def require_address(url: str) -> SplitResult:
    """Refuse what is no plain http(s) address; return its pieces.

    Raises:
        InvalidInput: another scheme, no host, a port that is none, or a password within it.
    """
    return outbound.require_plain_url(
        url, otherwise=_("文件地址应为 http:// 或 https:// 开头，口令另填")
    )


def host_of(url: str) -> str:
    """Return the host of a plain address; InvalidInput for any other."""
    return str(require_address(url).hostname)


def _retry_after(headers: Message | Any) -> float | None:
    text = headers.get("Retry-After") or ""
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
