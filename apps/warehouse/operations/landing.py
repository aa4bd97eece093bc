"""Land a received batch: read, check, compare, apply, balance; or refuse it with reasons.

A worker may die anywhere. What it did lies in one transaction that dies with it; the batch stays
`checking`, its heartbeat stops, and the next worker takes it again under a new revision.
"""

import logging
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.catalog.operations import note_data
from apps.core import files
from apps.core.errors import IllegalMove, StaleRevision
from apps.core.workbooks.refusal import Refusal
from apps.ledger import operations as ledger
from apps.warehouse import queries
from apps.warehouse.application import Application
from apps.warehouse.balance import TooDirty
from apps.warehouse.heartbeat import LandingHeartbeat
from apps.warehouse.landing.header import headings_of
from apps.warehouse.lifecycle import BATCH
from apps.warehouse.models import Batch
from apps.warehouse.operations import rejections
from apps.warehouse.rejecting import keep_rejections, keep_rewritten

MOST_ATTEMPTS = 3
REFUSED_REJECTIONS_KEPT = 10_000

logger = logging.getLogger(__name__)


def land_due(*, at: datetime) -> int:
    """Land every batch that waits or was left by a dead worker; return how many were taken.

    A dataset's next batch becomes due when the one before it is over, so the queue is asked anew
    after each.
    """
    tried: list[int] = []
    lost = 0
    while (batch_id := _next_due(at, tried)) is not None:
        tried.append(batch_id)
        try:
            land(batch_id=batch_id, at=at)
        except (IllegalMove, StaleRevision):
            lost += 1  # another worker was quicker
        except Exception:
            # One batch's trouble must not keep the others waiting; it is taken again later.
            logger.exception("batch %s", batch_id)
    return len(tried) - lost


def _next_due(at: datetime, tried: list[int]) -> int | None:
    return queries.due(at).exclude(pk__in=tried).values_list("id", flat=True).first()


def land(*, batch_id: int, at: datetime) -> Batch:
    """Land one batch and return it with its balance; one that is finished is returned as it is.

    Source: house rule (design §5)
    Raises:
        IllegalMove: another worker holds the batch, or an earlier one of its dataset is not over.
        StaleRevision: another worker took it over meanwhile.
    """
    batch = Batch.objects.select_related("dataset__department", "file", "source").get(pk=batch_id)
    if not BATCH.is_open(batch.status):
        return batch
    _take(batch, at)
    if batch.attempts > MOST_ATTEMPTS:
        return _fail(batch, at)
    workplace = files.make_workplace(f"batch-{batch.pk}")
    try:
        with (
            LandingHeartbeat(batch) as heartbeat,
            Application(batch, heartbeat, workplace, at) as application,
        ):
            _work(application, heartbeat, at)
    finally:
        files.clear_workplace(workplace)  # its own alone: another may have taken the batch over
    return batch


def _take(batch: Batch, at: datetime) -> None:
    """Take the batch for this worker; the revision fences out whoever held it before."""
    if not queries.due(at).filter(pk=batch.pk).exists():
        raise IllegalMove(
            _("这一批次正由另一进程处理，或者同一目录较早的批次还没有处理完"),
            move="check",
            state=batch.status,
        )
    BATCH.apply(
        batch,
        "check",
        actor=None,
        at=at,
        revision=batch.revision,
        started_at=at,
        heartbeat_at=max(at, timezone.now()),
        attempts=F("attempts") + 1,
        stage=Batch.Stage.READING,
        progress_rows=0,
    )


def _work(application: Application, heartbeat: LandingHeartbeat, at: datetime) -> None:
    try:
        application.prepare()
        with transaction.atomic():
            application.apply()
            heartbeat.stop()
            _finish(application, at)
    except TooDirty as dirty:
        heartbeat.stop()
        with transaction.atomic():
            kept = keep_rejections(
                application.batch, application.arrivals, most=REFUSED_REJECTIONS_KEPT
            )
            counts = application.counts
            _refuse(
                application.batch,
                dirty,
                at,
                declared=counts.declared,
                rejected=counts.rejected,
                details={**dirty.details, "rejections_kept": kept, **_form_of_file(application)},
            )
        return
    except Refusal as refusal:
        heartbeat.stop()
        with transaction.atomic():
            _refuse(application.batch, refusal, at, details=refusal.details)
        return
    if not application.is_unchanged:
        application.analyse()


@transaction.atomic
def _finish(application: Application, at: datetime) -> None:
    """Record the balance in the transaction that changed the table."""
    batch = application.batch
    if application.is_unchanged:
        _move(
            batch,
            "find_unchanged",
            at,
            table=application.table,
            version=application.table.version,
            message_code="same_file",
            message=_("与最近一次入库的文件完全相同，数据表没有变化"),
        )
        return
    counts = application.counts
    _move(
        batch,
        "land",
        at,
        table=application.table,
        version=application.table.version,
        encoding=application.survey.encoding.label[:20],
        form=application.file.form,
        horizon=application.table.batch_counter,
        progress_rows=counts.declared,
        message=_landed_words(application),
        details={
            "blank_lines": application.survey.blank_count,
            "judged_by": application.judged_by(),
            **({"same_lines": application.same_lines} if application.same_lines else {}),
            **({"quarantined": True} if application.is_quarantined else {}),
            **_form_of_file(application),
        },
        **asdict(counts),
    )
    keep_rewritten(batch, application.rewritten)
    note_data(batch.dataset_id, has_data=application.table.row_count > 0)
    rejections.settle(batch, at)
    if application.is_quarantined:
        rejections.owe(batch, at)
    elif counts.rejected:
        _tell(batch, _("有 %(rows)s 条未通过校验") % {"rows": f"{counts.rejected:,}"}, at)


def _form_of_file(application: Application) -> dict[str, Any]:
    """What is needed to write the rejected records in the file's own columns again."""
    survey = application.survey
    return {
        "header": headings_of(survey.header, survey.delimiter),
        "delimiter": survey.delimiter,
        "encoding": survey.encoding.to_json(),
        **application.file.notes,
    }


def _landed_words(application: Application) -> str:
    counts = application.counts
    words = _(
        "共 %(declared)s 条：新增 %(landed)s，变更 %(changed)s，无变化 %(unchanged)s，"
        "文件内重复 %(duplicate)s，未通过 %(rejected)s；移出 %(deleted)s"
    ) % {name: f"{value:,}" for name, value in asdict(counts).items()}
    if not application.is_quarantined:
        return words
    words += _("。未通过的超过规定的上限，全部留存待改")
    if application.batch.mode == Batch.Mode.SNAPSHOT:
        words += _("；文件里没有的数据这次没有移出")
    return words


def _refuse(
    batch: Batch, refusal: Refusal, at: datetime, *, details: dict[str, Any], **fields: int
) -> None:
    _move(
        batch,
        "refuse",
        at,
        message_code=refusal.code,
        message=str(refusal.message),
        encoding=details.get("encoding", {}).get("label", "")[:20],
        details=details,
        **fields,
    )
    _tell(batch, str(refusal.message), at)


def _fail(batch: Batch, at: datetime) -> Batch:
    """Give up on a batch that stopped its worker again and again."""
    with transaction.atomic():
        message = _("处理多次中断，已停止；文件没有丢失，请运维人员查看日志后重新提交")
        _move(batch, "fail", at, message_code="attempts_exhausted", message=message)
        _tell(batch, message, at)
    return batch


def _move(batch: Batch, move: str, at: datetime, **fields: Any) -> None:
    """Move the batch, if this worker still holds it, and write the event."""
    BATCH.apply(
        batch,
        move,
        actor=None,
        at=at,
        revision=batch.revision,
        finished_at=max(at, timezone.now()),
        stage=Batch.Stage.DONE,
        **fields,
    )
    names = ("landed", "changed", "unchanged", "duplicate", "rejected", "deleted")
    ledger.record(
        None,
        f"warehouse.{move}",
        batch,
        at=at,
        department=batch.dataset.department,
        details={
            "dataset": batch.dataset.code,
            "reason": batch.message,
            **{name: getattr(batch, name) for name in names},
        },
    )


def _tell(batch: Batch, words: str, at: datetime) -> None:
    """Tell the person who handed the file in; a system reads the answer of the API."""
    if batch.source.kind != User.Kind.PERSON:
        return
    ledger.notify(
        [batch.source],
        title=_("归集批次 %(batch)s：%(dataset)s") % {"batch": batch, "dataset": batch.dataset},
        body=words,
        url=f"/work/batches/{batch.pk}/",
        at=at,
        subject=batch,
    )
