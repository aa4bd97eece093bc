"""Read the sources that are due, hand what is new in as batches, and move their checkpoints.

A reading hands in one file or nothing: the batch and the reading's move are one transaction. The
checkpoint moves to what a batch reached only when that batch landed. A worker may die anywhere.
"""

import hashlib
import logging
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.queries import members_with
from apps.core import files, secrets
from apps.core.errors import DomainError, IllegalMove, StaleRevision
from apps.ledger import operations as ledger
from apps.warehouse import queries
from apps.warehouse.heartbeat import PullingHeartbeat
from apps.warehouse.lifecycle import PULL_RUN
from apps.warehouse.models import Batch, PullRun, PullSource
from apps.warehouse.operations.landing import land
from apps.warehouse.operations.receiving import receive
from apps.warehouse.pulling import databases, http, schedule
from apps.warehouse.pulling.source import login_of, query_of
from apps.warehouse.sync import reading
from apps.warehouse.sync.watermarks import moment_in_words

FAILURES_BEFORE_TODO: Final = 3
# What a reading learns, beside what the lifecycle sets.
READ: Final = (
    "rows", "size_bytes", "sha256", "watermark_to", "has_more", "etag", "last_modified",
    "idempotency_key",
)  # fmt: skip
TODO: Final = "warehouse.mend_source"

logger = logging.getLogger(__name__)


def pull_due(*, at: datetime) -> int:
    """Settle what was handed in, then read every source that is due; return how many were read.

    A source of which more is left is due again at once. Repeat-safe.
    """
    settle_runs(at=at)
    tried: list[int] = []
    while (source := queries.due_sources(at).exclude(pk__in=tried).first()) is not None:
        tried.append(source.pk)
        try:
            pull(source=source, at=at)
        except Exception:
            # One source's trouble must not keep the others waiting; the run says it failed.
            logger.exception("source %s", source.pk)
    return len(tried)


def pull(*, source: PullSource, at: datetime) -> PullRun | None:
    """Read a source once; None when another worker is at it, or took it over meanwhile.

    Source: house rule (design §5)
    """
    run = _begin(source, at)
    if run is None:
        return None
    workplace = files.make_workplace(f"pull-{source.pk}")
    try:
        with PullingHeartbeat(run) as heartbeat:
            path = _read(source, run, workplace, heartbeat)
            if path is None:
                return _nothing_new(source, run, at)
            batch = _hand_in(source, run, path, at)
    except StaleRevision:
        return None
    except DomainError as error:
        return _failed(source, run, error.code, str(error), at)
    except Exception:
        _failed(source, run, "source_failed", _("读取时发生意外，运维人员可查看日志"), at)
        raise
    finally:
        files.clear_workplace(workplace)
    try:
        land(batch_id=batch.pk, at=max(at, timezone.now()))
    except (IllegalMove, StaleRevision):
        return run  # earlier batches of the dataset are still under way; settled later
    _settle(PullRun.objects.get(pk=run.pk), at)
    return PullRun.objects.get(pk=run.pk)


def settle_runs(*, at: datetime) -> int:
    """Bring runs to their end whose batch is over, or whose worker died. Repeat-safe."""
    settled = 0
    for run in queries.open_runs().select_related("source__dataset__department", "batch"):
        if run.status == PullRun.Status.READING:
            settled += _take_over(run, at)
        else:
            settled += _settle(run, at)
    return settled


def _begin(source: PullSource, at: datetime) -> PullRun | None:
    try:
        with transaction.atomic():
            return PullRun.objects.create(
                source=source,
                started_at=at,
                heartbeat_at=max(at, timezone.now()),
                watermark_from=source.checkpoint,
                created_at=at,
                updated_at=at,
            )
    except IntegrityError:
        return None


def _read(
    source: PullSource, run: PullRun, workplace: Path, heartbeat: PullingHeartbeat
) -> Path | None:
    """Write what is new to a file and note on the run what it reaches; None when nothing is."""
    if source.kind == PullSource.Kind.HTTP:
        path, is_new = _fetch(source, run, workplace)
    else:
        path, is_new = _select(source, run, workplace, heartbeat)
    if not is_new:
        return None
    with path.open("rb") as file:
        run.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    run.size_bytes = path.stat().st_size
    if run.sha256 == _last_landed_sha256(source):
        return None
    run.idempotency_key = _key(source, run)
    PullRun.objects.filter(pk=run.pk).update(**{name: getattr(run, name) for name in READ})
    return path


def _select(
    source: PullSource, run: PullRun, workplace: Path, heartbeat: PullingHeartbeat
) -> tuple[Path, bool]:
    path, query = workplace / "rows.csv", query_of(source)
    with databases.opened(login_of(source)) as engine:
        chunk = reading.read_chunk(
            engine,
            query,
            path,
            checkpoint=source.checkpoint,
            overlap=source.overlap,
            at_least_rows=settings.HUILIU_PULL_ROWS,
            progress=heartbeat.advance_to,
        )
        left = reading.backlog(engine, query, chunk.checkpoint) if chunk.more else 0
    run.rows, run.watermark_to, run.has_more = chunk.rows, chunk.checkpoint, chunk.more
    PullSource.objects.filter(pk=source.pk).update(backlog_rows=left)
    return path, chunk.rows > 0


def _fetch(source: PullSource, run: PullRun, workplace: Path) -> tuple[Path, bool]:
    path = workplace / "file"
    fetched = http.fetch(
        http.Wanted(
            source.url,
            source.username,
            secrets.unseal(source.sealed_secret),
            source.etag,
            source.last_modified,
            settings.HUILIU_PULL_BYTES,
        ),
        path,
    )
    run.etag, run.last_modified = fetched.etag, fetched.last_modified
    if fetched.unchanged:
        return path, False
    named = workplace / (fetched.file_name[-100:].replace("/", "_") or "file.csv")
    return path.rename(named), True


def _last_landed_sha256(source: PullSource) -> str:
    """Return the content that landed last from the source, if it was the dataset's last batch."""
    run = source.runs.filter(status=PullRun.Status.LANDED).order_by("-id").first()
    last = Batch.objects.filter(dataset=source.dataset).order_by("-id").first()
    return run.sha256 if run is not None and last is not None and run.batch_id == last.pk else ""


def _key(source: PullSource, run: PullRun) -> str:
    """Return the batch's number: the source, the range and the reading."""
    reach = f"{moment_in_words(run.watermark_from)}..{moment_in_words(run.watermark_to)}"
    return f"pull-{source.pk}:{reach[:150]}:{run.pk}"


@transaction.atomic
def _hand_in(source: PullSource, run: PullRun, path: Path, at: datetime) -> Batch:
    """Hand the file in and say so on the run, in one transaction: both, or neither.

    Raises:
        StaleRevision: the run was taken for dead meanwhile, and another may have read more since.
    """
    fence = PullRun.objects.select_for_update().get(pk=run.pk)
    if (fence.revision, fence.status) != (run.revision, PullRun.Status.READING):
        raise StaleRevision
    with path.open("rb") as file:
        batch = receive(
            dataset=source.dataset,
            file=file,
            file_name=path.name,
            mode=source.mode,
            actor=source.system.service_user,
            at=max(at, timezone.now()),
            idempotency_key=run.idempotency_key,
        )
    PULL_RUN.apply(run, "hand_in", actor=None, at=at, revision=run.revision, batch=batch)
    return batch


def _take_over(run: PullRun, at: datetime) -> bool:
    """End a reading whose worker died; it handed nothing in."""
    if run.heartbeat_at > max(at, timezone.now()) - queries.LEASE:
        return False
    try:
        words = _("读取中断（进程退出），没有交付任何数据；稍后重新读取")
        _failed(run.source, run, "run_interrupted", words, at)
    except (IllegalMove, StaleRevision):
        return False
    return True


@transaction.atomic
def _settle(run: PullRun, at: datetime) -> bool:
    """End a run whose batch is over; the checkpoint moves only if it landed."""
    batch = run.batch
    assert batch is not None
    batch.refresh_from_db()
    if batch.status in queries.OPEN:
        return False
    ended = max(at, timezone.now(), run.started_at)
    did_land = batch.status in (Batch.Status.LANDED, Batch.Status.UNCHANGED)
    try:
        PULL_RUN.apply(
            run,
            "land" if did_land else "refuse",
            actor=None,
            at=at,
            revision=run.revision,
            ended_at=ended,
            message_code="" if did_land else batch.message_code,
            message=batch.message,
        )
    except (IllegalMove, StaleRevision):
        return False
    if did_land:
        _succeeded(run.source, run, at)
    else:
        _count_failure(run.source, run, batch.message, at)
    return True


@transaction.atomic
def _nothing_new(source: PullSource, run: PullRun, at: datetime) -> PullRun:
    ended = max(at, timezone.now(), run.started_at)
    PULL_RUN.apply(
        run,
        "find_nothing",
        actor=None,
        at=at,
        ended_at=ended,
        **{name: getattr(run, name) for name in READ},
    )
    _succeeded(source, run, at)
    return run


@transaction.atomic
def _failed(source: PullSource, run: PullRun, code: str, words: str, at: datetime) -> PullRun:
    ended = max(at, timezone.now(), run.started_at)
    PULL_RUN.apply(
        run,
        "fail",
        actor=None,
        at=at,
        revision=run.revision,
        ended_at=ended,
        message_code=code,
        message=words,
    )
    _count_failure(source, run, words, at)
    return run


def _succeeded(source: PullSource, run: PullRun, at: datetime) -> None:
    """Move the checkpoint to what has landed; come again at once if more is left."""
    now = max(at, timezone.now())
    source.refresh_from_db(fields=["status"])
    due = _next(source, at)
    if run.has_more and due is not None:
        due = schedule.next_opening(now, source.window_from, source.window_to)
    facts: dict[str, Any] = {"checkpoint": run.watermark_to} if run.watermark_to else {}
    if run.etag or run.last_modified:
        facts |= {"etag": run.etag, "last_modified": run.last_modified}
    PullSource.objects.filter(pk=source.pk).update(
        last_success_at=now, failures=0, next_run_at=due, **facts
    )
    ledger.close_todos(source, at=at, by=None, kind=TODO)


def _next(source: PullSource, at: datetime) -> datetime | None:
    if source.status != PullSource.Status.ACTIVE:
        return None
    return schedule.next_run(
        at,
        every_minutes=source.every_minutes,
        daily_at=source.daily_at,
        window_from=source.window_from,
        window_to=source.window_to,
    )


def _count_failure(source: PullSource, run: PullRun, words: str, at: datetime) -> None:
    """Try again later and later; the third time, or at once when rows are at fault, tell people."""
    PullSource.objects.filter(pk=source.pk).update(failures=F("failures") + 1)
    source.refresh_from_db()
    wait = schedule.back_off(source.failures)
    usual = _next(source, at)
    due = schedule.next_opening(at + wait, source.window_from, source.window_to)
    if run.status == PullRun.Status.REFUSED and usual is not None:
        due = max(due, usual)  # the same rows are refused again: no sooner than by the rhythm
    if source.status == PullSource.Status.ACTIVE:
        PullSource.objects.filter(pk=source.pk).update(next_run_at=due)
    if run.status == PullRun.Status.REFUSED or source.failures == FAILURES_BEFORE_TODO:
        _tell(source, words, at)


def _tell(source: PullSource, words: str, at: datetime) -> None:
    dataset = source.dataset
    title = _("接入中断：%(source)s（%(dataset)s）") % {"source": source, "dataset": dataset.name}
    url = f"/work/sources/{source.pk}/"
    ledger.open_todo(
        source,
        TODO,
        title=title[:300],
        url=url,
        department=dataset.department,
        role="department_editor",
        at=at,
        due_on=timezone.localdate(at + timedelta(days=1)),
    )
    ledger.notify(
        members_with("department_editor", dataset.department),
        title=title,
        body=words,
        url=url,
        at=at,
        subject=source,
    )
