"""Take a file in parts: begun, continued after hours or days, finished as a batch, or given up.

Nothing of an unfinished upload is ever read, and nothing of it is lost: `received_bytes` counts
what is on the disk, and moves in the transaction after the part was made durable.
"""

import hashlib
import re
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog.models import Dataset
from apps.core import access, files, parts
from apps.core.errors import Conflict, IllegalMove, InvalidInput
from apps.ledger import operations as ledger
from apps.warehouse.lifecycle import UPLOAD
from apps.warehouse.models import Batch, Upload
from apps.warehouse.operations.receiving import check_terms, receive, require_may_land

MOST_OPEN: Final = 50
PART_LIMIT_BYTES: Final = 16 << 20
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def begin_upload(
    *,
    dataset: Dataset,
    file_name: str,
    size_bytes: int,
    mode: str,
    actor: User,
    at: datetime,
    fingerprint: str = "",
    sha256: str = "",
    declared: int | None = None,
    idempotency_key: str = "",
) -> Upload:
    """Announce a file; an open upload of the same source and fingerprint is given back instead.

    Source: house rule (design §5)
    Raises:
        NotAllowed: the actor does not act for the providing department.
        InvalidInput: mode, size or digest cannot be, or the entry is not published.
        Conflict: the fingerprint stands for a file of another size or digest, or too many are open.
    """
    require_may_land(dataset=dataset, actor=actor, at=at)
    check_terms(dataset, mode, idempotency_key, declared)
    _check_announcement(size_bytes, sha256, fingerprint)
    upload = Upload(
        dataset=dataset,
        source=actor,
        file_name=file_name[-255:] or "upload.csv",
        size_bytes=size_bytes,
        sha256=sha256,
        fingerprint=fingerprint,
        mode=mode,
        declared=declared,
        idempotency_key=idempotency_key,
        last_part_at=at,
        created_at=at,
        updated_at=at,
    )
    return _same_open(upload) or _create(upload, at)


def receive_part(*, upload: Upload, offset: int, block: bytes, actor: User, at: datetime) -> Upload:
    """Append a part that begins at `offset`; the caller has checked its digest.

    A part that came before, sent again because the answer was lost, changes nothing.

    Source: house rule (design §5)
    Raises:
        NotAllowed: the actor does not act for the providing department.
        IllegalMove: the upload is over.
        Conflict: it does not begin where the certain bytes end; `received_bytes` says where.
        InvalidInput: it is larger than a part may be, or reaches beyond the announced size.
        StorageFull: there is no room for it.
    """
    access.require(actor, "continue", upload, at=at)
    if len(block) > PART_LIMIT_BYTES:
        raise InvalidInput(
            _("一片至多 %(limit)s MB") % {"limit": PART_LIMIT_BYTES >> 20}, code="part_too_large"
        )
    with transaction.atomic():
        locked = Upload.objects.select_for_update(of=("self",)).get(pk=upload.pk)
        _require_open(locked)
        if offset + len(block) <= locked.received_bytes:
            return locked
        _require_place(locked, offset, len(block))
        parts.append(_name(locked), block, after=offset)
        locked.received_bytes = offset + len(block)
        locked.last_part_at = locked.updated_at = at
        locked.save(update_fields=["received_bytes", "last_part_at", "updated_at"])
    return locked


def finish_upload(*, upload: Upload, actor: User, at: datetime) -> Batch:
    """Hand the whole file in as a batch; finishing again gives the same batch.

    Source: house rule (design §5)
    Raises:
        NotAllowed: the actor does not act for the providing department.
        IllegalMove: the upload was given up.
        Conflict: parts are missing; or the batch's number was used for another file.
        InvalidInput: the whole is not what the sender announced; it is to be sent anew.
    """
    access.require(actor, "continue", upload, at=at)
    upload = Upload.objects.select_related("batch", "dataset", "source").get(pk=upload.pk)
    if upload.batch is not None:
        return upload.batch
    _require_open(upload)
    if upload.received_bytes != upload.size_bytes:
        raise Conflict(
            _("还没有传完：共 %(size)s 字节，收到 %(received)s 字节")
            % {"size": f"{upload.size_bytes:,}", "received": f"{upload.received_bytes:,}"},
            code="upload_unfinished",
            received_bytes=upload.received_bytes,
        )
    if not upload.size_bytes:
        parts.append(_name(upload), b"", after=0)
    try:
        _require_digest(upload)
        file = parts.opened(_name(upload))
    except FileNotFoundError:
        return _taken_meanwhile(upload)
    with file:
        batch = receive(
            dataset=upload.dataset,
            file=file,
            file_name=upload.file_name,
            mode=upload.mode,
            actor=actor,
            at=at,
            idempotency_key=upload.idempotency_key or f"upload-{upload.pk}",
            declared=upload.declared,
        )
    return _finished(upload, batch, actor, at)


def _taken_meanwhile(upload: Upload) -> Batch:
    """Return the batch that another request made of the file; without one the file is lost."""
    again = Upload.objects.select_related("batch").get(pk=upload.pk)
    if again.batch is not None:
        return again.batch
    _begin_anew(upload)
    raise Conflict(
        _("已收到的部分不在存储里了；请从头再传"), code="upload_unfinished", received_bytes=0
    )


def _begin_anew(upload: Upload) -> None:
    Upload.objects.filter(pk=upload.pk, status=Upload.Status.OPEN).update(received_bytes=0)


def _finished(upload: Upload, batch: Batch, actor: User, at: datetime) -> Batch:
    try:
        with transaction.atomic():
            UPLOAD.apply(upload, "finish", actor=actor, at=at, batch=batch, ended_at=at)
            ledger.record(
                actor,
                "warehouse.finish_upload",
                upload,
                at=at,
                department=upload.dataset.department,
                details={"dataset": upload.dataset.code, "batch": str(batch)},
            )
    except IllegalMove:
        return batch  # another request finished it with the same key, so with the same batch
    parts.discard(_name(upload))
    return batch


@transaction.atomic
def discard_upload(*, upload: Upload, actor: User, at: datetime) -> Upload:
    """Give an unfinished upload up, and free its room.

    Source: house rule (design §5)
    Raises:
        NotAllowed: the actor does not act for the providing department.
        IllegalMove: it is over already.
    """
    standing = access.require(actor, "continue", upload, at=at)
    UPLOAD.apply(upload, "discard", actor=actor, at=at, ended_at=at)
    _record_discard(standing, upload, at, "by hand")
    transaction.on_commit(lambda: parts.discard(_name(upload)))
    return upload


def discard_abandoned_uploads(*, at: datetime) -> int:
    """Give up what got no part for as long as the setting allows; return how many. Repeat-safe.

    Source: house rule (settings.HUILIU_UPLOAD_DAYS)
    """
    before = at - timedelta(days=settings.HUILIU_UPLOAD_DAYS)
    gone = 0
    abandoned = Upload.objects.filter(status=Upload.Status.OPEN, last_part_at__lt=before)
    for upload in abandoned.select_related("dataset__department", "source"):
        try:
            with transaction.atomic():
                UPLOAD.apply(
                    upload, "discard", actor=None, at=at, revision=upload.revision, ended_at=at
                )
                _record_discard(None, upload, at, "abandoned")
        except IllegalMove:
            continue
        parts.discard(_name(upload))
        gone += 1
    return gone


def _record_discard(by: access.Standing | None, upload: Upload, at: datetime, why: str) -> None:
    ledger.record(
        by,
        "warehouse.discard_upload",
        upload,
        at=at,
        department=upload.dataset.department,
        details={
            "dataset": upload.dataset.code,
            "file_name": upload.file_name,
            "received_bytes": upload.received_bytes,
            "reason": why,
        },
    )


def _check_announcement(size_bytes: int, sha256: str, fingerprint: str) -> None:
    if not 0 <= size_bytes <= files.LIMIT_BYTES:
        raise InvalidInput(
            _("文件至多 %(limit)s GB；分成几批提交") % {"limit": files.LIMIT_BYTES >> 30},
            code="file_too_large",
            field="size_bytes",
        )
    if sha256 and not _SHA256.fullmatch(sha256):
        raise InvalidInput(
            _("SHA-256 应为 64 位十六进制小写"), code="digest_invalid", field="sha256"
        )
    if len(fingerprint) > 200:
        raise InvalidInput(_("文件特征不超过 200 个字符"), field="fingerprint")


def _same_open(upload: Upload) -> Upload | None:
    """Return the open upload of this fingerprint, if it is of the same file and purpose."""
    if not upload.fingerprint:
        return None
    found = Upload.objects.filter(
        source=upload.source,
        dataset=upload.dataset,
        fingerprint=upload.fingerprint,
        status=Upload.Status.OPEN,
    ).first()
    if found is None:
        return None
    facts = ("size_bytes", "sha256", "mode", "declared", "idempotency_key")
    if any(getattr(found, name) != getattr(upload, name) for name in facts):
        raise Conflict(
            _("同一文件正在以另外的入库方式或者申报条数上传（%(number)s）；先传完或者放弃")
            % {"number": found.pk},
            code="upload_conflict",
            upload=found.pk,
        )
    return found


def _create(upload: Upload, at: datetime) -> Upload:
    open_count = Upload.objects.filter(source=upload.source, status=Upload.Status.OPEN).count()
    if open_count >= MOST_OPEN:
        raise Conflict(
            _("已有 %(count)s 个文件没有传完；先传完或者放弃一些") % {"count": open_count},
            code="too_many_uploads",
        )
    try:
        with transaction.atomic():
            upload.save(force_insert=True)
            ledger.record(
                upload.source,
                "warehouse.begin_upload",
                upload,
                at=at,
                department=upload.dataset.department,
                details={
                    "dataset": upload.dataset.code,
                    "file_name": upload.file_name,
                    "size_bytes": upload.size_bytes,
                },
            )
    except IntegrityError:
        found = _same_open(upload)  # two requests met; the other was first
        if found is None:
            raise
        return found
    return upload


def _require_open(upload: Upload) -> None:
    if upload.status != Upload.Status.OPEN:
        raise IllegalMove(
            _("这个文件%(status)s，不能再传") % {"status": upload.get_status_display()},
            state=upload.status,
        )


def _require_place(upload: Upload, offset: int, length: int) -> None:
    if offset != upload.received_bytes:
        raise Conflict(
            _("这一片应从第 %(expected)s 字节开始，不是 %(offset)s")
            % {"expected": f"{upload.received_bytes:,}", "offset": f"{offset:,}"},
            code="offset_mismatch",
            received_bytes=upload.received_bytes,
        )
    if offset + length > upload.size_bytes:
        raise InvalidInput(
            _("这一片超出了文件的大小（%(size)s 字节）") % {"size": f"{upload.size_bytes:,}"},
            code="part_beyond_size",
        )


def _require_digest(upload: Upload) -> None:
    """Compare the whole with what was announced; what differs is to be sent from the beginning."""
    if not upload.sha256 or not upload.size_bytes:
        return
    with parts.opened(_name(upload)) as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found == upload.sha256:
        return
    _begin_anew(upload)
    raise InvalidInput(
        _("收到的文件与开始时所说的 SHA-256 不一致；请从头再传"),
        code="digest_mismatch",
        received_bytes=0,
    )


def _name(upload: Upload) -> str:
    return str(upload.pk)
