"""The HTTP answer of a finished file: recorded before its first byte, whole or a part.

Each answer is one access record, of so many bytes and no rows: the rows were told when the file was
made, and the record names it by number and hash. While a large file flows the grant is looked at
again; a suspension breaks the transfer off.

Source: house rule (design §3.7, issue 5: file download)
"""

import base64
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from io import BufferedReader
from typing import Any, ClassVar, Final

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import outgoing
from apps.core.errors import Conflict, DomainError
from apps.ledger import access_sql
from apps.sharing.gateway import allowances, pages, pool
from apps.sharing.gateway.calls import Call, record_refused_read, stopped
from apps.sharing.gateway.exports import ExportStoppedError
from apps.sharing.gateway.files.ranges import Span, is_known, span_of
from apps.sharing.gateway.refusals import RETRY_SECONDS, ResyncRequired
from apps.sharing.gateway.wire import GatewayConnection
from apps.sharing.models import Export

BLOCK_BYTES: Final = 256 << 10
LOOKED_AT_BYTES: Final = 8 << 20  # after so many the grant is looked at again
CONTENT_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}


class ExportNotReady(Conflict):
    """It waits or is being made."""

    code = "export_not_ready"
    default_message = _("文件还没有生成，先查看进度")
    wait = RETRY_SECONDS


class ExportGone(DomainError):
    """It failed, was stopped or discarded, or was kept long enough; or other terms hold now."""

    code = "export_gone"
    status: ClassVar[int] = 410
    default_message = _("文件已不提供，需要的重新导出")


@dataclass(frozen=True, slots=True)
class _Fetched:
    """What the access record keeps of a download."""

    export: Export
    span: Span

    def to_json(self) -> dict[str, Any]:
        return {
            "export": self.export.pk,
            "format": self.export.format,
            "sha256": self.export.sha256,
            "rows": self.export.rows,
            "from_byte": self.span.first,
            "to_byte": self.span.end - 1,
        }


def stored_name(export: Export) -> str:
    """Return the name of the file in the house: of a row and the attempt that made it."""
    return f"{export.pk}-{export.attempts}"


def answer(method: str, meta: Mapping[str, Any], call: Call, export: Export) -> HttpResponseBase:
    """Answer with the file, or the part that is asked for.

    Raises:
        ExportNotReady, ExportGone: there is none.
        RangeNotSatisfiable: of `Range`.
        AllowanceExceeded: the calls of the day or minute are used up.
        GrantRefused, Busy: as when a page is read.
    """
    require_ready(call, export)
    etag = f'"{export.sha256}"'
    if is_known(meta, etag):
        return _headed(HttpResponse(status=304), export, etag)
    span = span_of(meta, etag, export.size_bytes)
    try:
        file = outgoing.opened(stored_name(export))
    except FileNotFoundError:
        raise ExportGone from None
    if method == "HEAD":
        file.close()
        response: HttpResponseBase = HttpResponse(status=206 if span.is_part else 200)
    else:
        _record_or_close(call, export, span, file)
        response = StreamingHttpResponse(
            _flow(call, file, span), status=206 if span.is_part else 200
        )
    return _headed(response, export, etag, span)


def require_ready(call: Call, export: Export) -> None:
    """Refuse a file that is not there, or that was made under terms that hold no more.

    Raises:
        ExportNotReady, ExportGone: with the reason in words.
    """
    if export.status in (Export.Status.QUEUED, Export.Status.RUNNING):
        raise ExportNotReady
    if export.grant_version != call.grant_version:
        raise ExportGone(_("授权内容已变更，按原内容生成的文件不再提供，需要的重新导出"))
    is_over = export.expires_at is not None and export.expires_at <= call.at
    if export.status != Export.Status.READY or is_over:
        raise ExportGone(export.message or None)


def _record_or_close(call: Call, export: Export, span: Span, file: BufferedReader) -> None:
    def write(connection: GatewayConnection) -> None:
        pages.begin_as(connection, access_sql.recorder_role(pool.database()))
        pages.record_alone(
            connection,
            access_sql.PAGE,
            replace(call, horizon=export.horizon),
            _Fetched(export, span),
            kind="export",
            rows=0,
            bytes=span.size,
        )

    try:
        with allowances.call_counted(call):
            pages.guarded(call, write)
    except BaseException:
        file.close()
        raise


def _flow(call: Call, file: BufferedReader, span: Span) -> Iterator[bytes]:
    with closing(file):
        file.seek(span.first)
        left, unwatched = span.size, 0
        while left:
            block = file.read(min(BLOCK_BYTES, left))
            if not block:
                raise ExportStoppedError("the file is shorter than it was")
            left -= len(block)
            unwatched += len(block)
            if unwatched >= LOOKED_AT_BYTES:
                unwatched = 0
                _look_again(call)
            yield block


def _look_again(call: Call) -> None:
    now = timezone.now()
    refusal = stopped(call, at=now)
    if refusal is None:
        return
    if not isinstance(refusal, ResyncRequired):
        record_refused_read(refusal, call, at=now)
    raise ExportStoppedError(refusal.code)


def _headed(
    response: HttpResponseBase, export: Export, etag: str, span: Span | None = None
) -> HttpResponseBase:
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-store"
    response["Accept-Ranges"] = "bytes"
    if span is None:
        return response
    digest = base64.b64encode(bytes.fromhex(export.sha256)).decode()
    response["Repr-Digest"] = f"sha-256=:{digest}:"
    response["Content-Type"] = CONTENT_TYPES[export.format]
    response["Content-Length"] = str(span.size)
    response["Content-Disposition"] = f'attachment; filename="{export.file_name}"'
    if span.is_part:
        response["Content-Range"] = span.content_range
    return response
