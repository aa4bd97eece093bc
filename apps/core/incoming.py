"""The body of a request that hands in a file, read only after the caller is known.

Nothing less than what was announced is taken: a connection that breaks in the middle of a row
would else leave a shorter file that looks whole.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field
from typing import BinaryIO, ClassVar, cast

from django.http import HttpRequest
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.http.request import UnreadablePostError
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError, InvalidInput
from apps.core.files import LIMIT_BYTES

_SHA256 = re.compile(r"\s*sha-256\s*=\s*:([A-Za-z0-9+/=]*):\s*")
_FILE_NAME = re.compile(r'filename="?([^";]+)"?')


class LengthRequired(DomainError):
    """A body of unknown length cannot be told from one that broke off."""

    code = "length_required"
    status: ClassVar[int] = 411
    default_message = _("请求缺少 Content-Length，不能判断文件是否完整")


class TooLarge(DomainError):
    code = "file_too_large"
    status: ClassVar[int] = 413
    default_message = _("文件过大；分成几批提交")


@dataclass
class HandedIn:
    """A file on its way in, and what the form said beside it."""

    file: BinaryIO
    name: str = ""
    fields: dict[str, str] = field(default_factory=dict)


class Announced:
    """A stream that must bring as many bytes as announced, and those of the announced digest.

    Raises (on reading):
        InvalidInput: it broke off early, or is not what the sender says it sent.
    """

    def __init__(self, stream: HttpRequest, expected: int, digest: bytes | None) -> None:
        self._stream = stream
        self._left = expected
        self._digest = digest
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        try:
            block: bytes = self._stream.read(size)
        except UnreadablePostError:
            block = b""
        self._left -= len(block)
        if self._digest is not None:
            self._hash.update(block)
        if not block and size != 0:
            self._require_whole()
        return block

    def _require_whole(self) -> None:
        if self._left > 0:
            raise InvalidInput(_("文件没有传完，连接就断开了；重新提交"), code="upload_incomplete")
        if self._digest is not None and self._digest != self._hash.digest():
            raise InvalidInput(
                _("收到的内容与 Content-Digest 不一致，传输中可能有缺损；重新提交"),
                code="digest_mismatch",
            )


def read_body(request: HttpRequest, *, limit: int = LIMIT_BYTES) -> HandedIn:
    """Return the file of a request: the body itself, or the one file of a multipart form.

    Raises:
        LengthRequired, TooLarge: by the announced length, before anything is read.
        InvalidInput: the digest or the form cannot be read, or there is not just one file.
    """
    text = request.META.get("CONTENT_LENGTH") or ""
    if not text.isdecimal():
        raise LengthRequired
    if int(text) > limit:
        raise TooLarge
    digest = announced_digest(request.headers.get("Content-Digest", ""))
    body = Announced(request, int(text), digest)
    if request.content_type == "multipart/form-data":
        return _of_form(request, body)
    named = _FILE_NAME.search(request.headers.get("Content-Disposition", ""))
    return HandedIn(cast(BinaryIO, body), named.group(1).strip() if named else "")


def announced_digest(header: str) -> bytes | None:
    """Return the SHA-256 that the sender announces, None when it announces none.

    Source: RFC 9530
    Raises:
        InvalidInput: it cannot be read.
    """
    for part in header.split(","):
        if not part.strip().lower().startswith("sha-256"):
            continue  # other algorithms are not ours to check
        found = _SHA256.fullmatch(part)
        try:
            digest = base64.b64decode(found.group(1), validate=True) if found else b""
        except binascii.Error:
            digest = b""
        if len(digest) != hashlib.sha256().digest_size:
            raise InvalidInput(
                _("Content-Digest 应写成 sha-256=:…:（RFC 9530）"), code="digest_invalid"
            )
        return digest
    return None


def _of_form(request: HttpRequest, body: Announced) -> HandedIn:
    try:
        post, files = MultiPartParser(
            request.META, cast(HttpRequest, body), request.upload_handlers, request.encoding
        ).parse()
    except MultiPartParserError as error:
        raise InvalidInput(_("multipart 表单不能读取"), code="form_invalid") from error
    sent = [file for _name, group in files.lists() for file in group]
    if len(sent) != 1:
        raise InvalidInput(
            _("一次提交一个文件，现在有 %(count)s 个") % {"count": len(sent)},
            code="one_file_expected",
            field="file",
        )
    fields = {name: str(value) for name, value in post.items()}
    return HandedIn(cast(BinaryIO, sent[0]), str(sent[0].name), fields)
