"""Hand a spreadsheet in, decide what clashes, take it over or give it up."""

from collections.abc import Mapping
from datetime import datetime
from typing import BinaryIO

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog import queries
from apps.catalog.lifecycle import IMPORT
from apps.catalog.models import CatalogImport, ImportEntry
from apps.core import access, files, jobs
from apps.core.access import Standing
from apps.core.errors import Conflict, DomainError, IllegalMove, InvalidInput
from apps.core.workbooks.guarding import LIMIT_BYTES
from apps.ledger import operations as ledger

CHECK, ADOPT = "catalog.check_imports", "catalog.adopt_imports"


def receive_import(
    *,
    file: BinaryIO,
    file_name: str,
    actor: User,
    at: datetime,
    channel: str = CatalogImport.Channel.PAGE,
    idempotency_key: str = "",
    instead_of: CatalogImport | None = None,
) -> CatalogImport:
    """Keep a spreadsheet of entries and queue it for the dry run; nothing is changed by it.

    instead_of: a checked one that this mends; it is given up.

    The authority's may hold every department's entries, anybody else's only the own department's.
    The same key from the same person again gives the first import back.

    Source: house rule (design §3.9)
    Raises:
        NotAllowed: the actor edits no department's catalogue, or `instead_of` is not the actor's.
        IllegalMove: `instead_of` was decided already.
        InvalidInput: the file is too large, or the key too long.
        Conflict: the key was used for another file.
        StorageFull: there is no room for the file.
    """
    try:
        standing = access.require(actor, "create", CatalogImport, at=at)
        if len(idempotency_key) > 200:
            raise InvalidInput(_("提交编号不超过 200 个字符"), code="idempotency_key_too_long")
        kept = files.keep(files.blocks_of(file), limit=LIMIT_BYTES)
    except DomainError as error:
        ledger.record_refusal(
            actor,
            "catalog.receive_import",
            CatalogImport,
            at=at,
            code=error.code,
            message=str(error),
        )
        raise
    person = standing.principal or actor
    subject = CatalogImport(
        department=None if person.holds("authority_officer") else person.department,
        sha256=kept.sha256,
        size_bytes=kept.size_bytes,
        file_name=file_name[-255:],
        channel=channel,
        idempotency_key=idempotency_key,
        uploaded_by=actor,
        created_at=at,
        updated_at=at,
    )
    with transaction.atomic():
        received = _earlier(subject) or _queue(subject, standing, at)
        if instead_of is not None:
            discard(subject=instead_of, actor=actor, at=at)
    return received


def _queue(subject: CatalogImport, standing: Standing, at: datetime) -> CatalogImport:
    try:
        with transaction.atomic():
            subject.save(force_insert=True)
            details = {"file_name": subject.file_name, "sha256": subject.sha256}
            ledger.record(standing, "catalog.receive_import", subject, at=at, details=details)
            jobs.wake(CHECK)
    except IntegrityError:
        found = _earlier(subject)  # two requests with one key met; the other was first
        if found is None:
            raise
        return found
    return subject


def _earlier(subject: CatalogImport) -> CatalogImport | None:
    """Return the first import of this key, if it is the same file.

    Raises:
        Conflict: the key was used for another file.
    """
    if not subject.idempotency_key:
        return None
    earlier = CatalogImport.objects.filter(
        uploaded_by=subject.uploaded_by, idempotency_key=subject.idempotency_key
    ).first()
    if earlier is not None and earlier.sha256 != subject.sha256:
        raise Conflict(
            _("提交编号 %(key)s 已用于另一份文件（%(subject)s），换一个编号再提交")
            % {"key": subject.idempotency_key, "subject": earlier},
            code="idempotency_conflict",
        )
    return earlier


@transaction.atomic
def decide_import(
    *, entry: ImportEntry, actor: User, at: datetime, decisions: Mapping[str, str]
) -> ImportEntry:
    """Decide clashes of one entry: take the sheet's value ("mine") or keep the present one.

    Raises:
        NotAllowed: the import is not the actor's to decide.
        IllegalMove: it is not waiting for a decision.
        InvalidInput: there is no such clash, or no such choice.
    """
    subject = entry.catalog_import
    standing = access.require(actor, "decide", subject, at=at)
    locked = CatalogImport.objects.select_for_update().get(pk=subject.pk)
    if locked.status != CatalogImport.Status.CHECKED:
        raise IllegalMove(state=locked.status)
    known = {clash["key"] for clash in entry.proposal.get("clashes", ())}
    unknown = [key for key in decisions if key not in known]
    if unknown or set(decisions.values()) - {"mine", "current"}:
        raise InvalidInput(_("没有这个冲突，或者没有这种决定；刷新后再操作"), field="decisions")
    entry.decisions = {**entry.decisions, **decisions}
    entry.save(update_fields=["decisions"])
    details = {"entry": str(entry), "count": len(decisions)}
    ledger.record(standing, "catalog.decide_import", subject, at=at, details=details)
    return entry


@transaction.atomic
def adopt(
    *,
    subject: CatalogImport,
    actor: User,
    at: datetime,
    scope: str,
    revision: int | None = None,
) -> CatalogImport:
    """Have the checked entries written as drafts and changes; the worker does it in one piece.

    scope: "all" only if there is no fault anywhere, "good" leaves faulty entries out.

    Source: house rule (design §3.9)
    Raises:
        NotAllowed: the import is not the actor's to adopt.
        IllegalMove: it is not checked, or somebody was faster.
        InvalidInput: there are faults (`import_has_faults`), or nothing to adopt.
        Conflict: clashes are undecided (`conflicts_undecided`).
    """
    standing = access.require(actor, "adopt", subject, at=at)
    if scope not in CatalogImport.Scope.values:
        raise InvalidInput(_("请选择采用的范围"), field="scope")
    counts = queries.verdict_counts(subject)
    if scope == CatalogImport.Scope.ALL and counts["faulty"]:
        raise InvalidInput(
            _("有 %(count)s 条目录有差错；改正后重新上传，或者只采用没有差错的")
            % {"count": counts["faulty"]},
            code="import_has_faults",
        )
    open_ones = queries.undecided(subject)
    if open_ones:
        raise Conflict(
            _("有 %(count)s 条目录的冲突还没有决定，先逐项决定取舍") % {"count": len(open_ones)},
            code="conflicts_undecided",
        )
    if not (counts["create"] + counts["revise"] + counts["conflict"]):
        raise InvalidInput(_("没有可以采用的内容"), code="nothing_to_adopt")
    IMPORT.apply(
        subject,
        "adopt",
        actor=actor,
        at=at,
        revision=revision,
        scope=scope,
        decided_by=actor,
        problem="",
        attempts=0,
    )
    ledger.record(standing, "catalog.adopt", subject, at=at, details={"scope": scope})
    jobs.wake(ADOPT)
    return subject


@transaction.atomic
def recheck(
    *, subject: CatalogImport, actor: User, at: datetime, revision: int | None = None
) -> CatalogImport:
    """Check the kept file again, as entries changed meanwhile; decisions are to be made anew.

    Raises:
        NotAllowed, IllegalMove: as in `adopt`.
    """
    standing = access.require(actor, "recheck", subject, at=at)
    IMPORT.apply(subject, "recheck", actor=actor, at=at, revision=revision, attempts=0, problem="")
    ledger.record(standing, "catalog.recheck", subject, at=at)
    jobs.wake(CHECK)
    return subject


@transaction.atomic
def discard(
    *, subject: CatalogImport, actor: User, at: datetime, revision: int | None = None
) -> CatalogImport:
    """Give the import up; nothing was changed by it and nothing will be.

    Raises:
        NotAllowed, IllegalMove: as in `adopt`.
    """
    standing = access.require(actor, "discard", subject, at=at)
    IMPORT.apply(subject, "discard", actor=actor, at=at, revision=revision, finished_at=at)
    ledger.record(standing, "catalog.discard", subject, at=at)
    return subject
