"""Receive a file for a dataset: kept whole, numbered, and queued for landing."""

from dataclasses import replace
from datetime import datetime
from typing import Any, BinaryIO

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog import queries as catalog
from apps.catalog.models import Dataset
from apps.core import access, files, jobs
from apps.core.access import Standing
from apps.core.errors import Conflict, DomainError, InvalidInput, NotAllowed
from apps.core.files import KeptFile
from apps.ledger import operations as ledger
from apps.warehouse.landing.encodings import SAID
from apps.warehouse.landing.layout import Layout
from apps.warehouse.models import Batch, StoredFile


def receive(
    *,
    dataset: Dataset,
    file: BinaryIO,
    file_name: str,
    mode: str,
    actor: User,
    at: datetime,
    idempotency_key: str = "",
    declared: int | None = None,
    encoding: str = "",
    mends: Batch | None = None,
    layout: Layout | None = None,
) -> Batch:
    """Keep a file that the providing department hands in, and queue it as a batch.

    The same key from the same source again gives the first batch back, whatever became of it.
    `declared` is how many records the source says there are; `encoding`, a name of
    `encodings.SAID`, what it says that a text is written in; `mends` the batch whose rejected
    records the file brings again, laid out as `layout` says.
    Nothing of the file is read before it is certain that the actor may hand it in.

    Source: house rule (design §5)
    Raises:
        NotAllowed: the actor does not act for the providing department.
        InvalidInput: the mode is unknown, the entry not published, or the file too large.
        Conflict: the key was used for another file or mode.
        StorageFull: there is no room for the file.
    """
    batch = Batch(
        dataset=dataset,
        mode=mode,
        source=actor,
        idempotency_key=idempotency_key,
        file_name=file_name[-255:],
        declared_by_source=declared,
        mends=mends,
        layout=_layout(layout, encoding),
        received_at=at,
        created_at=at,
        updated_at=at,
    )
    try:
        standing = access.require(actor, "land", dataset, at=at)
        check_terms(dataset, mode, idempotency_key, declared)
        require_encoding(encoding)
        kept = files.keep(files.blocks_of(file))
        return _queue_once(batch, kept, standing, at)
    except DomainError as error:
        ledger.record_refusal(
            actor, "warehouse.receive", dataset, at=at, code=error.code, message=str(error)
        )
        raise


def _layout(layout: Layout | None, encoding: str) -> dict[str, Any]:
    if layout is None:
        return Layout(encoding=encoding).to_json() if encoding else {}
    return replace(layout, encoding=encoding).to_json()


def require_may_land(*, dataset: Dataset, actor: User, at: datetime) -> None:
    """Refuse, with evidence, who may not hand in; for faces that have a body still unread.

    Raises:
        NotAllowed: the actor does not act for the providing department.
    """
    try:
        access.require(actor, "land", dataset, at=at)
    except NotAllowed as error:
        ledger.record_refusal(
            actor, "warehouse.receive", dataset, at=at, code=error.code, message=str(error)
        )
        raise


def check_terms(dataset: Dataset, mode: str, idempotency_key: str, declared: int | None) -> None:
    """Refuse what no batch can be handed in with, before anything of a file is taken.

    Raises:
        InvalidInput: the mode is unknown, a number cannot be, or the entry is not published.
    """
    if mode not in Batch.Mode.values:
        raise InvalidInput(
            _("没有“%(mode)s”这种入库方式，可用的有 %(modes)s")
            % {"mode": mode, "modes": "、".join(Batch.Mode.values)},
            code="mode_unknown",
            field="mode",
        )
    if len(idempotency_key) > 200:
        raise InvalidInput(_("批次号不超过 200 个字符"), code="idempotency_key_too_long")
    if declared is not None and not 0 <= declared < 1 << 62:
        raise InvalidInput(
            _("申报条数须为不小于 0 的整数"), code="declared_invalid", field="declared"
        )
    if not catalog.published().filter(pk=dataset.pk).exists():
        raise InvalidInput(_("目录尚未发布或者已经撤回，不能归集"), code="dataset_not_published")


def require_encoding(name: str) -> None:
    """Refuse an encoding that nobody can read here; "" leaves it to be decided.

    Raises:
        InvalidInput: `encoding_unknown`.
    """
    if name and name not in SAID:
        raise InvalidInput(
            _("没有“%(name)s”这种编码，可用的有 %(known)s")
            % {"name": name[:40], "known": "、".join(SAID)},
            code="encoding_unknown",
            field="encoding",
        )


def _queue_once(batch: Batch, kept: KeptFile, standing: Standing, at: datetime) -> Batch:
    try:
        return _queue(batch, kept, standing, at)
    except IntegrityError:
        # Two requests with one key met; the other was first.
        return _repeated(batch, kept)


@transaction.atomic
def _queue(batch: Batch, kept: KeptFile, standing: Standing, at: datetime) -> Batch:
    if batch.idempotency_key and _earlier(batch) is not None:
        return _repeated(batch, kept)
    batch.file = stored_file(kept, at)
    batch.save(force_insert=True)
    ledger.record(
        standing,
        "warehouse.receive",
        batch,
        at=at,
        department=batch.dataset.department,
        details={
            "dataset": batch.dataset.code,
            "mode": batch.mode,
            "file_name": batch.file_name,
            "sha256": kept.sha256,
            "size_bytes": kept.size_bytes,
        },
    )
    jobs.wake("warehouse.land_due")
    return batch


def stored_file(kept: KeptFile, at: datetime) -> StoredFile:
    """Return the record of a file that lies in its place, whoever sent it first."""
    stored, _made = StoredFile.objects.get_or_create(
        sha256=kept.sha256, defaults={"size_bytes": kept.size_bytes, "stored_at": at}
    )
    if stored.discarded_at is not None:
        stored.discarded_at = None
        stored.save(update_fields=["discarded_at"])
    return stored


def _earlier(batch: Batch) -> Batch | None:
    return (
        Batch.objects.select_related("file")
        .filter(source=batch.source, dataset=batch.dataset, idempotency_key=batch.idempotency_key)
        .first()
    )


def _repeated(batch: Batch, kept: KeptFile) -> Batch:
    """Return the first batch of this key, if it is the same delivery.

    Raises:
        Conflict: the key was used for another file or mode.
    """
    earlier = _earlier(batch)
    if earlier is None:
        raise Conflict(_("同一批次正在提交，稍后再试"), code="batch_in_flight")
    if earlier.file.sha256 != kept.sha256 or earlier.mode != batch.mode:
        raise Conflict(
            _("批次号 %(key)s 已用于另一份文件（%(batch)s），换一个批次号再提交")
            % {"key": batch.idempotency_key, "batch": earlier},
            code="idempotency_conflict",
            batch=earlier.pk,
        )
    return earlier
