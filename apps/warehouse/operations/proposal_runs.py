"""Have a draft proposed from a file by the worker: asked for, read, entered once, or given up.

A worker may die anywhere: the run stays `reading`, its heartbeat stops, and the next worker reads
the kept file anew under another revision. The draft and the end of the run are one transaction, so
a file that is read twice is entered once.
"""

import logging
from datetime import datetime, timedelta
from typing import Any, BinaryIO, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import Department, User
from apps.catalog.models import Classification, Dataset
from apps.core import access, files, jobs
from apps.core.access import Standing
from apps.core.errors import Conflict, DomainError, IllegalMove, InvalidInput, StaleRevision
from apps.core.workbooks.refusal import Refusal
from apps.ledger import operations as ledger
from apps.warehouse import queries
from apps.warehouse.heartbeat import ProposingHeartbeat
from apps.warehouse.lifecycle import PROPOSAL_RUN
from apps.warehouse.models import ProposalRun, StoredFile
from apps.warehouse.operations import proposing
from apps.warehouse.operations.receiving import stored_file

PROPOSE: Final = "warehouse.propose_due"
MOST_ATTEMPTS: Final = 3
MOST_AT_ONCE: Final = 2
"""Of the worker's jobs; what else waits must not wait for files that only a draft comes of."""

LONGEST_NAME: Final = 50  # of an entry proposed; longer ones are given afterwards
PROPOSED_LIMIT_BYTES: Final = 200 << 20

logger = logging.getLogger(__name__)


def request_proposal(
    *,
    file: BinaryIO | None,
    file_name: str,
    classification: Classification,
    actor: User,
    at: datetime,
    name: str = "",
    sha256: str = "",
    idempotency_key: str = "",
) -> ProposalRun:
    """Keep a file and have the worker draft an entry for the own department from it.

    file: None where `sha256` names one that the own department handed in before. `name` is the
    entry's, made from the file's when absent. The same key from the same person again gives the
    first run back, whatever became of it.

    Source: house rule (issue 4; design §3.6)
    Raises:
        NotAllowed: the actor edits no department's catalogue.
        InvalidInput: the file is too large or was never handed in, a value is wrong.
        Conflict: the key was used for another file, classification or name.
        StorageFull: there is no room for the file.
    """
    try:
        standing = access.require(actor, "create", Dataset, at=at)
        _check_terms(classification, name, idempotency_key)
        own = (standing.principal or actor).department
        assert own is not None  # nobody edits a catalogue without a department
        stored = _handed_in_before(own, sha256) if file is None else _kept(file, at)
    except DomainError as error:
        ledger.record_refusal(
            actor,
            "warehouse.request_proposal",
            ProposalRun,
            at=at,
            code=error.code,
            message=str(error),
        )
        raise
    run = ProposalRun(
        department=own,
        file=stored,
        file_name=file_name[-255:],
        classification=classification,
        name=name.strip(),
        idempotency_key=idempotency_key,
        requested_by=actor,
        created_at=at,
        updated_at=at,
    )
    return _earlier(run) or _queue(run, standing, at)


def _check_terms(classification: Classification, name: str, idempotency_key: str) -> None:
    if len(idempotency_key) > 200:
        raise InvalidInput(_("提交编号不超过 200 个字符"), code="idempotency_key_too_long")
    if classification.level < Classification.Level.CATEGORY:
        raise InvalidInput(_("资源分类至少要分到“目”"), field="classification")
    if len(name.strip()) > LONGEST_NAME:
        raise InvalidInput(
            _("目录名称不超过 %(limit)s 个字符") % {"limit": LONGEST_NAME}, field="name"
        )


def _kept(file: BinaryIO, at: datetime) -> StoredFile:
    return stored_file(files.keep(files.blocks_of(file), limit=PROPOSED_LIMIT_BYTES), at)


def _handed_in_before(department: Department, sha256: str) -> StoredFile:
    """Return the department's own file; another's is as unknown as one that is nowhere."""
    stored = queries.file_of_department(department, sha256)
    if stored is None or not files.path_of(stored.sha256).is_file():
        raise InvalidInput(
            _("本部门没有提交过这个 SHA-256 的文件；提交文件本身"),
            code="file_unknown",
            field="sha256",
        )
    return stored


def _queue(run: ProposalRun, standing: Standing, at: datetime) -> ProposalRun:
    try:
        with transaction.atomic():
            run.save(force_insert=True)
            ledger.record(
                standing,
                "warehouse.request_proposal",
                run,
                at=at,
                department=run.department,
                details={"file_name": run.file_name, "sha256": run.file.sha256},
            )
            jobs.wake(PROPOSE)
    except IntegrityError:
        found = _earlier(run)  # two requests with one key met; the other was first
        if found is None:
            raise
        return found
    return run


def _earlier(run: ProposalRun) -> ProposalRun | None:
    """Return the first run of this key, if the same was asked.

    Raises:
        Conflict: the key was used for something else.
    """
    if not run.idempotency_key:
        return None
    earlier = ProposalRun.objects.filter(
        requested_by=run.requested_by, idempotency_key=run.idempotency_key
    ).first()
    facts = ("file_id", "classification_id", "name")
    if earlier is not None and any(getattr(earlier, one) != getattr(run, one) for one in facts):
        raise Conflict(
            _("提交编号 %(key)s 已用于另一份文件（%(subject)s），换一个编号再提交")
            % {"key": run.idempotency_key, "subject": earlier},
            code="idempotency_conflict",
        )
    return earlier


@transaction.atomic
def discard_proposal(*, run: ProposalRun, actor: User, at: datetime) -> ProposalRun:
    """Give a file up that is not read yet, or is being read; no draft comes of it.

    Source: house rule (issue 4)
    Raises:
        NotAllowed: the actor does not edit the department's catalogue.
        IllegalMove: it is over already.
    """
    standing = access.require(actor, "discard", run, at=at)
    PROPOSAL_RUN.apply(run, "discard", actor=actor, at=at, finished_at=at)
    ledger.record(standing, "warehouse.discard", run, at=at, department=run.department)
    return run


def propose_due(*, at: datetime) -> int:
    """Read files that wait or were left by dead workers; return how many were taken.

    No more than `MOST_AT_ONCE` are read at a time: who is one too many leaves them to the others.
    """
    tried: list[int] = []
    lost = 0
    while queries.proposals_under_way(at) < MOST_AT_ONCE:
        due = queries.proposals_due(at).exclude(pk__in=tried)
        key = due.values_list("pk", flat=True).first()
        if key is None:
            break
        tried.append(key)
        try:
            run_proposal(key=key, at=at)
        except (IllegalMove, StaleRevision):
            lost += 1  # another worker was quicker, or it was given up meanwhile
        except Exception:
            # One file's trouble must not keep the others waiting; it is taken again later.
            logger.exception("proposal %s", key)
    return len(tried) - lost


def run_proposal(*, key: int, at: datetime) -> ProposalRun:
    """Read one file and enter its draft, or say why there is none.

    Source: house rule (issue 4; design §3.6)
    Raises:
        IllegalMove, StaleRevision: another worker was faster, or it was given up.
    """
    rows = ProposalRun.objects.select_related(
        "department", "file", "classification", "requested_by"
    )
    run = rows.get(pk=key)
    _take(run, at)
    if run.attempts > MOST_ATTEMPTS:
        message = _("处理多次中断，已停止；文件没有丢失，请运维人员查看日志后重新提交")
        return _refuse(run, InvalidInput(message, code="attempts_exhausted"), at)
    try:
        with ProposingHeartbeat(run) as heartbeat:
            proposed = proposing.read(run.file.sha256, run.file_name, at, told=heartbeat.hear)
        with transaction.atomic():
            made = proposing.enter(
                proposed,
                stored=run.file,
                file_name=run.file_name,
                classification=run.classification,
                name=run.name,
                department=None,
                actor=run.requested_by,
                at=at,
            )
            _end(run, "finish", at, proposal=made)
    except (IllegalMove, StaleRevision):
        raise
    except DomainError as error:
        return _refuse(run, error, at)
    return run


def _take(run: ProposalRun, at: datetime) -> None:
    """Take the run for this worker; the revision fences out whoever held it before."""
    if not queries.proposals_due(at).filter(pk=run.pk).exists():
        raise IllegalMove(move="read", state=run.status)
    PROPOSAL_RUN.apply(
        run,
        "read",
        actor=None,
        at=at,
        revision=run.revision,
        started_at=at,
        heartbeat_at=max(at, timezone.now()),
        attempts=F("attempts") + 1,
        stage=ProposalRun.Stage.OPENING,
        progress=0,
        expected=0,
    )


@transaction.atomic
def _refuse(run: ProposalRun, error: DomainError, at: datetime) -> ProposalRun:
    field = "file" if isinstance(error, Refusal) else error.details.get("field") or ""
    _end(run, "refuse", at, problem_code=error.code, problem=str(error), problem_field=str(field))
    return run


def _end(run: ProposalRun, move: str, at: datetime, **fields: Any) -> None:
    """Move the run, if this worker still holds it; write the event, tell who is gone meanwhile."""
    ended_at = max(at, timezone.now())
    PROPOSAL_RUN.apply(
        run, move, actor=None, at=at, revision=run.revision, finished_at=ended_at, **fields
    )
    ledger.record(
        None,
        f"warehouse.{move}",
        run,
        at=at,
        department=run.department,
        details={"file_name": run.file_name, "reason": run.problem, "code": run.problem_code},
    )
    patience = timedelta(seconds=settings.HUILIU_PROPOSAL_WAIT_SECONDS)
    if run.requested_by.kind != User.Kind.PERSON or ended_at - run.created_at <= patience:
        return  # a system reads the answer of the API, and a page that waited shows it itself
    told = _("已由文件生成目录草案：%(file)s") if move == "finish" else _("没有生成草案：%(file)s")
    dataset = run.proposal.dataset.name if run.proposal else ""
    ledger.notify(
        [run.requested_by],
        title=told % {"file": run.file_name},
        body=run.problem or _("“%(name)s”：逐项改正后提交审批") % {"name": dataset},
        url=run.get_absolute_url(),
        at=at,
        subject=run,
    )
