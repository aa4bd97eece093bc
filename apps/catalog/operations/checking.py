"""The dry run of a spreadsheet: read, judge, keep a verdict for each entry. It changes no entry.

A worker may die anywhere: the import stays `checking`, its heartbeat stops, and the next worker
begins anew under another revision.
"""

from collections import Counter
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.catalog import queries
from apps.catalog.lifecycle import IMPORT
from apps.catalog.models import CatalogImport, ImportEntry
from apps.catalog.spreadsheets.rows import Book, book_of
from apps.catalog.spreadsheets.verdicts import Common, Judge, Verdict
from apps.core import files
from apps.core.copying import copy_in
from apps.core.errors import IllegalMove, StaleRevision
from apps.core.workbooks import guarding
from apps.core.workbooks.reading import pieces_of
from apps.core.workbooks.refusal import Refusal
from apps.ledger import operations as ledger

MOST_ATTEMPTS: Final = 3
NOTES_KEPT: Final = 60
COMMON_FROM: Final = 3
"""As many entries make a lack common: it is said once, above them all."""

COMMON_KEPT: Final = 12


class _TakenOver(Exception):
    """Another worker holds the import now."""


def check_imports(*, at: datetime) -> int:
    """Check every import that waits or was left by a dead worker; return how many."""
    done = 0
    for key in list(queries.imports_to_check(at).values_list("pk", flat=True)):
        try:
            check_import(key=key, at=at)
        except (IllegalMove, StaleRevision, _TakenOver):
            continue
        done += 1
    return done


def check_import(*, key: int, at: datetime) -> CatalogImport:
    """Read and judge one import.

    Raises:
        IllegalMove, StaleRevision: another worker was faster.
    """
    subject = CatalogImport.objects.select_related("department", "uploaded_by").get(pk=key)
    IMPORT.apply(
        subject,
        "check",
        actor=None,
        at=at,
        revision=subject.revision,
        started_at=at,
        heartbeat_at=max(at, timezone.now()),
        attempts=F("attempts") + 1,
        progress=0,
        expected=0,
    )
    if subject.attempts > MOST_ATTEMPTS:
        message = _("检查多次中断，已停止；文件没有丢失，请运维人员查看日志后重新上传")
        return _refuse(subject, Refusal(message, code="attempts_exhausted"), at)
    try:
        book = _book(subject)
        _judge(subject, book, at)
    except Refusal as refusal:
        return _refuse(subject, refusal, at)
    return subject


def _book(subject: CatalogImport) -> Book:
    path = files.path_of(subject.sha256)
    with pieces_of(path, subject.file_name) as pieces:
        book = book_of(pieces)
    warning = guarding.suffix_warning(guarding.form_of(path, subject.file_name), subject.file_name)
    if warning:
        book.notes.insert(0, warning)
    if not book.entries:
        raise Refusal(
            _("没有读到目录：%(why)s；对照空白模板写好表头，再上传")
            % {"why": book.notes[0] if book.notes else _("表头以下没有内容")},
            code="nothing_found",
        )
    return book


def _judge(subject: CatalogImport, book: Book, at: datetime) -> None:
    subject.entries.all().delete()
    _beat(subject, progress=0, expected=len(book.entries))
    judge = Judge(own=subject.department, on=timezone.localdate(at))
    position = 0
    common: Counter[Common] = Counter()
    for verdicts in judge.verdicts(book):
        copy_in(
            ImportEntry,
            (_entry(subject, place, each) for place, each in enumerate(verdicts, position + 1)),
        )
        position += len(verdicts)
        for verdict in verdicts:
            common.update(set(verdict.faults_without_cell()))
        _beat(subject, progress=position)
    with transaction.atomic():
        _finish(subject, book, common, at)


def _entry(subject: CatalogImport, position: int, verdict: Verdict) -> ImportEntry:
    known, raw = verdict.known, verdict.raw
    department = verdict.stated.department
    return ImportEntry(
        catalog_import=subject,
        position=position,
        sheet=raw.table.sheet[:100],
        first_row=raw.first_row,
        last_row=raw.last_row,
        code=known.code if known else verdict.stated.code,
        name=verdict.name[:200],
        department=department,
        dataset_id=known.pk if known else None,
        dataset_revision=known.revision if known else None,
        base_version=verdict.stated.version[:20],
        action=verdict.action,
        proposal=verdict.proposal(),
        faults=verdict.faults_json(),
        error_count=verdict.error_count,
    )


def _beat(subject: CatalogImport, **fields: Any) -> None:
    """Show that the worker lives and how far it is, while nobody took the import over."""
    held = CatalogImport.objects.filter(
        pk=subject.pk, revision=subject.revision, status=CatalogImport.Status.CHECKING
    )
    if not held.update(heartbeat_at=timezone.now(), **fields):
        raise _TakenOver


def _summary(book: Book, common: Counter[Common]) -> dict[str, Any]:
    """Return what the pages say of the file as a whole."""
    return {
        "rows": book.rows,
        "entries": len(book.entries),
        "notes": book.notes[:NOTES_KEPT],
        "notes_left": max(0, len(book.notes) - NOTES_KEPT),
        "common": [
            {"level": level, "message": message, "remedy": remedy, "entries": count}
            for (level, message, remedy), count in common.most_common(COMMON_KEPT)
            if count >= COMMON_FROM
        ],
        "tables": [
            {
                "sheet": table.sheet,
                "last_row": table.last_row,
                "width": len(table.headings),
            }
            for table in book.tables
        ],
    }


def _finish(subject: CatalogImport, book: Book, common: Counter[Common], at: datetime) -> None:
    counts = queries.verdict_counts(subject)
    summary = {**_summary(book, common), "counts": counts}
    IMPORT.apply(
        subject,
        "finish_check",
        actor=None,
        at=at,
        revision=subject.revision,
        summary=summary,
        progress=len(book.entries),
    )
    ledger.record(
        None,
        "catalog.finish_check",
        subject,
        at=at,
        department=subject.department,
        details=counts,
    )
    _tell(
        subject,
        _("表格已检查：%(file)s") % {"file": subject.file_name},
        _("新编 %(create)s，修改 %(revise)s，冲突 %(conflict)s，差错 %(faulty)s") % counts,
        at,
    )


@transaction.atomic
def _refuse(subject: CatalogImport, refusal: Refusal, at: datetime) -> CatalogImport:
    subject.entries.all().delete()
    IMPORT.apply(
        subject,
        "refuse",
        actor=None,
        at=at,
        revision=subject.revision,
        problem_code=refusal.code,
        problem=str(refusal),
        finished_at=max(at, timezone.now()),
    )
    details = {"code": refusal.code, "reason": str(refusal)}
    ledger.record(
        None, "catalog.refuse", subject, at=at, department=subject.department, details=details
    )
    title = _("表格无法读取：%(file)s") % {"file": subject.file_name}
    _tell(subject, title, str(refusal), at)
    return subject


def _tell(subject: CatalogImport, title: str, words: str, at: datetime) -> None:
    """Tell the person who uploaded it; a system reads the answer of the API."""
    if subject.uploaded_by.kind != User.Kind.PERSON:
        return
    ledger.notify(
        [subject.uploaded_by],
        title=title,
        body=f"{subject}：{words}",
        url=subject.get_absolute_url(),
        at=at,
        subject=subject,
    )
