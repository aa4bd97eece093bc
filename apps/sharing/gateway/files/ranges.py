"""Which bytes of a file a caller asks for: all, or one part, so that a broken fetch goes on.

Source: RFC 9110 §13–14
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError

_RANGE: Final = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.ASCII)


class RangeNotSatisfiable(DomainError):
    code = "range_not_satisfiable"
    status: ClassVar[int] = 416
    default_message = _("Range 超出了文件的大小；先核对已收到的字节数")

    def __init__(self, *, total: int) -> None:
        super().__init__(total=total)
        self.content_range = f"bytes */{total}"


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes from `first` up to `end`, which is not among them, of a file of `total`."""

    first: int
    end: int
    total: int

    @property
    def size(self) -> int:
        return self.end - self.first

    @property
    def is_part(self) -> bool:
        return self.size != self.total

    @property
    def content_range(self) -> str:
        return f"bytes {self.first}-{self.end - 1}/{self.total}"


def is_known(meta: Mapping[str, Any], etag: str) -> bool:
    """Say whether the caller has the file already, as he says."""
    known = [
        text.strip().removeprefix("W/") for text in meta.get("HTTP_IF_NONE_MATCH", "").split(",")
    ]
    return etag in known or known == ["*"]


def span_of(meta: Mapping[str, Any], etag: str, total: int) -> Span:
    """Return what is asked for. Several ranges at once, and other units, are answered with all.

    Raises:
        RangeNotSatisfiable: the range begins behind the end.
    """
    whole = Span(0, total, total)
    found = _RANGE.fullmatch(meta.get("HTTP_RANGE", ""))
    if found is None or meta.get("HTTP_IF_RANGE", etag).strip() != etag:
        return whole
    first, last = found.groups()
    if not first and not last:
        return whole
    if not first:
        span = Span(max(0, total - int(last)), total, total)
    else:
        span = Span(int(first), min(int(last) + 1, total) if last else total, total)
        if last and int(last) < int(first):
            return whole
    if span.size <= 0:
        raise RangeNotSatisfiable(total=total)
    return span
