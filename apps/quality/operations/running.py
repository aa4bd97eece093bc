"""Ask for runs, and make those that are due.

A worker may die anywhere. What a run reads is one snapshot of the table, what it writes one
transaction that dies with it; the run stays `running`, its heartbeat stops, and the next worker
takes it again under a new revision.
"""

import logging
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.catalog.models import Dataset
from apps.core import access, jobs
from apps.core.errors import Conflict, IllegalMove, StaleRevision
from apps.ledger import operations as ledger
from apps.quality.lifecycle import RUN
from apps.quality.models import QualityRun
from apps.quality.operations.checking import check_dataset
from apps.quality.queries import runs as queries
from apps.warehouse import queries as warehouse

MOST_ATTEMPTS = 3

Trigger = QualityRun.Trigger
Status = QualityRun.Status

logger = logging.getLogger(__name__)


@transaction.atomic
def ask_run(*, dataset: Dataset, actor: User, at: datetime) -> QualityRun:
    """Have a dataset checked now; one that waits already is enough.

    Raises:
        NotAllowed: the actor does not set the dataset's rules.
        Conflict: nothing has landed yet.
    """
    standing = access.require(actor, "check_quality", dataset, at=at)
    if warehouse.table_of(dataset) is None:
        raise Conflict(_("数据尚未入库，没有可检查的内容"), code="nothing_landed")
    waiting = QualityRun.objects.filter(dataset=dataset, status=Status.WAITING).first()
    if waiting is not None:
        return waiting
    run = _new(dataset, Trigger.MANUAL, at, asked_by=actor)
    ledger.record(standing, "quality.ask_run", run, at=at, details={"dataset": dataset.code})
    jobs.wake("quality.check_due")
    return run


def ask_due(*, at: datetime) -> int:
    """Ask for a run after every batch that landed and has none; return how many.

    Repeat-safe: a batch has one run, and another worker's is as good as ours.

    Source: house rule (style §1.9: upward reactions are pulled)
    """
    asked = 0
    for batch in queries.batches_without_run().select_related("dataset"):
        try:
            with transaction.atomic():
                _new(batch.dataset, Trigger.BATCH, at, batch=batch)
        except IntegrityError:
            continue
        asked += 1
    return asked


def ask_scheduled(*, at: datetime) -> int:
    """Ask for the nightly run of every dataset whose answers may change by time alone."""
    asked = 0
    today = timezone.localdate(at)
    for dataset in queries.datasets_with_timed_rules():
        runs = QualityRun.objects.filter(dataset=dataset)
        waiting = runs.filter(status=Status.WAITING)
        done = runs.filter(trigger=Trigger.SCHEDULE, created_at__date=today)
        if not waiting.exists() and not done.exists():
            _new(dataset, Trigger.SCHEDULE, at)
            asked += 1
    return asked


def ask_after_change(dataset: Dataset, at: datetime) -> QualityRun | None:
    """Ask for a run because a rule changed, in the caller's transaction; None before any data."""
    if warehouse.table_of(dataset) is None:
        return None
    waiting = QualityRun.objects.filter(dataset=dataset, status=Status.WAITING).first()
    run = waiting or _new(dataset, Trigger.RULE_CHANGED, at)
    jobs.wake("quality.check_due")
    return run


def check_due(*, at: datetime) -> int:
    """Make every run that waits or was left by a dead worker; return how many were taken."""
    ask_due(at=at)
    tried: list[int] = []
    lost = 0
    while run_id := queries.due(at).exclude(pk__in=tried).values_list("pk", flat=True).first():
        tried.append(run_id)
        try:
            check(run_id=run_id, at=at)
        except (IllegalMove, StaleRevision):
            lost += 1  # another worker was quicker
        except Exception:
            # One run's trouble must not keep the others waiting; it is taken again later.
            logger.exception("quality run %s", run_id)
    return len(tried) - lost


def check(*, run_id: int, at: datetime) -> QualityRun:
    """Make one run and return it; one that is over is returned as it is.

    Raises:
        IllegalMove: another worker holds it, or an earlier one of its dataset is not over.
        StaleRevision: another worker took it over meanwhile.
    """
    run = QualityRun.objects.select_related("dataset__department", "batch").get(pk=run_id)
    if not RUN.is_open(run.status):
        return run
    _take(run, at)
    if run.attempts > MOST_ATTEMPTS:
        message = _("检查多次中断，已停止；请运维人员查看日志")
        RUN.apply(
            run, "fail", actor=None, at=at, revision=run.revision, finished_at=at, message=message
        )
        ledger.record(
            None,
            "quality.fail",
            run,
            at=at,
            department=run.dataset.department,
            details={"dataset": run.dataset.code, "reason": message},
        )
        return run
    check_dataset(run, at)
    return run


def _take(run: QualityRun, at: datetime) -> None:
    """Take the run for this worker; the revision fences out whoever held it before."""
    if not queries.due(at).filter(pk=run.pk).exists():
        raise IllegalMove(
            _("这项检查正由另一进程处理，或者同一目录较早的检查还没有完成"),
            move="check",
            state=run.status,
        )
    RUN.apply(
        run,
        "check",
        actor=None,
        at=at,
        revision=run.revision,
        started_at=at,
        heartbeat_at=max(at, timezone.now()),
        attempts=F("attempts") + 1,
    )


def _new(dataset: Dataset, trigger: str, at: datetime, **facts: Any) -> QualityRun:
    return QualityRun.objects.create(
        dataset=dataset, trigger=trigger, created_at=at, updated_at=at, **facts
    )
