"""Landed copies: made when a grant of batch exchange is in force, kept by the feed, removed after.

Every step may come twice and be interrupted anywhere: rows and the place in the feed are one
transaction, and whatever is left undone is due again.
"""

import logging
from datetime import datetime
from functools import partial

import sqlalchemy
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from psycopg import sql

from apps.accounts import queries as accounts
from apps.ledger import operations as ledger
from apps.quality import queries as quality
from apps.sharing import provisioning, queries
from apps.sharing.gateway.changes import MARK_OVERLAP
from apps.sharing.gateway.refusals import PlannedStopped
from apps.sharing.keeping import follower_of
from apps.sharing.models import Grant, LandedCopy, Mode
from apps.sharing.operations.one_by_one import each_by_itself
from apps.sharing.queries.planned_stops import longest_running
from apps.warehouse import physical
from apps.warehouse.models import DataTable
from apps.warehouse.sync.following.checking import Unproved, Verdict, check
from apps.warehouse.sync.following.follower import Unsettled
from apps.warehouse.sync.portal import PortalRefused

TROUBLES = (
    PortalRefused,
    Unsettled,
    Unproved,
    provisioning.TableBusy,
    sqlalchemy.exc.SQLAlchemyError,
)
OVER = (Grant.Status.ENDED, Grant.Status.EXPIRED)
NOT_MENDED = _("核对后改正未成，仍与授权的数据不同")

logger = logging.getLogger(__name__)


def keep_copies(at: datetime) -> None:
    """Make, follow and remove copies, as their grants have it. Repeat-safe; the task's one step.

    Source: 《政务数据共享条例》第二十二条（批量交换）
    """
    granted = queries.grants_to_land(at).select_related("dataset", "system", "consumer")
    each_by_itself(granted, partial(_stand_behind, at=at))
    each_by_itself(queries.copies_kept(), partial(_keep, at=at))


def _keep(copy: LandedCopy, at: datetime) -> None:
    if copy.grant.status in OVER or copy.grant.mode != Mode.BATCH:
        dispose_copy(copy=copy, at=at)
    elif copy.grant.status == Grant.Status.IN_FORCE and copy.system.is_in_service():
        follow_copy(copy=copy)
    else:
        _close(copy)


def follow_copy(*, copy: LandedCopy) -> bool:
    """Bring a copy to what its grant shows now, and open it to the system; False with a problem.

    Where nothing landed and no mark changed, nothing is read and no access record written. During a
    planned stop it waits, which is no problem of its own.
    """
    now = timezone.now()
    if longest_running(copy.dataset, now) is not None:
        return False
    if _is_current(copy):
        LandedCopy.objects.filter(pk=copy.pk, disposed_at=None).update(complete_at=now)
        return True
    try:
        provisioning.ensure_schema(copy)
        standing = follower_of(copy).turn()
        if not _is_open(copy):
            provisioning.persistently(lambda: _open(copy))
    except TROUBLES as error:
        if isinstance(error, PortalRefused) and error.code == PlannedStopped.code:
            return False  # it began meanwhile
        return _note_problem(copy, error)
    LandedCopy.objects.filter(pk=copy.pk, disposed_at=None).update(
        horizon=standing.horizon,
        rows=_count(copy),
        complete_at=now,
        problem=copy.problem if _is_wrong(copy) else "",
    )
    return True


def prove_copies(at: datetime) -> None:
    """Check every copy against the proof of its moment, and mend what differs. Repeat-safe."""

    def prove(copy: LandedCopy) -> None:
        if follow_copy(copy=copy):
            prove_copy(copy=copy, at=at)

    each_by_itself(queries.copies_kept().filter(grant__status=Grant.Status.IN_FORCE), prove)


def prove_copy(*, copy: LandedCopy, at: datetime) -> Verdict | None:
    """Check one copy; what somebody changed in it is mended, counted and written down.

    What could not be checked, or not be mended, is a problem; None.
    """
    try:
        verdict = check(follower_of(copy), mend=True)
    except TROUBLES as error:
        _note_problem(copy, error)
        return None
    if not verdict.is_exact:
        _note_problem(copy, Unproved(NOT_MENDED))
        return None
    wrong = len(verdict.differences)
    with transaction.atomic():
        LandedCopy.objects.filter(pk=copy.pk).update(
            proved_at=at, mended_ranges=wrong, rows=verdict.rows, problem=""
        )
        if wrong:
            ledger.record(
                accounts.platform_user(),
                "sharing.mend_copy",
                copy.grant,
                at=at,
                department=copy.grant.consumer,
                details={"copy": str(copy), "ranges": wrong, "horizon": verdict.horizon},
            )
    return verdict


def dispose_copy(*, copy: LandedCopy, at: datetime) -> None:
    """Remove the table of a copy whose grant is over: nothing of the data stays in the pool.

    Source: 《政务数据共享条例》第二十九条 (proper disposal)
    Raises:
        TableBusy: somebody reads it all the time; the task comes again.
    """

    def work() -> None:
        provisioning.drop_table(copy)
        gone = LandedCopy.objects.filter(pk=copy.pk, disposed_at=None)
        if gone.update(disposed_at=at, rows=0, grant_version=0, problem=""):
            ledger.record(
                accounts.platform_user(),
                "sharing.dispose_copy",
                copy.grant,
                at=at,
                department=copy.grant.consumer,
                details={"copy": str(copy)},
            )

    try:
        # First for itself: a reader who keeps the table from being removed reads no further.
        provisioning.persistently(lambda: provisioning.close_to_reader(copy))
        provisioning.persistently(work)
    except provisioning.TableBusy as error:
        _note_problem(copy, error)


@transaction.atomic
def _stand_behind(grant: Grant, at: datetime) -> None:
    """Put the grant behind the system's copy of the dataset, made where there is none.

    A renewal goes on with the table of the grant that it replaced.
    """
    kept = LandedCopy.objects.select_for_update(of=("self",)).filter(
        system=grant.system, dataset=grant.dataset, disposed_at=None
    )
    found = kept.first()
    if found is None:
        store = physical.pool_of(grant.consumer, at=at)
        LandedCopy.objects.create(
            system=grant.system, dataset=grant.dataset, grant=grant, store=store, created_at=at
        )
    elif found.grant_id != grant.pk:
        found.grant, found.grant_version = grant, 0
        found.save(update_fields=["grant", "grant_version"])


def _close(copy: LandedCopy) -> None:
    """Take the copy of a system out of service, or of a suspended grant; it may come back."""
    if not provisioning.is_open(copy):
        return
    try:
        provisioning.persistently(lambda: provisioning.close_copies(copy.grant))
    except provisioning.TableBusy as error:
        _note_problem(copy, error)


def _is_wrong(copy: LandedCopy) -> bool:
    """Say whether the last check left the copy wrong; the next one that it passes ends that."""
    return copy.problem == str(NOT_MENDED)


def _is_current(copy: LandedCopy) -> bool:
    if (copy.problem and not _is_wrong(copy)) or copy.complete_at is None or not _is_open(copy):
        return False
    if DataTable.objects.get(dataset=copy.dataset_id).batch_counter != copy.horizon:
        return False
    return not quality.changed_marks(copy.dataset_id, copy.complete_at - MARK_OVERLAP)


def _is_open(copy: LandedCopy) -> bool:
    return copy.grant_version == copy.grant.version and provisioning.is_open(copy)


def _open(copy: LandedCopy) -> None:
    """Open the copy if its grant still stands; a suspension meanwhile has the last word."""
    current = Grant.objects.select_for_update(of=("self",)).get(pk=copy.grant_id)
    if current.status == Grant.Status.IN_FORCE and current.version == copy.grant.version:
        provisioning.open_to_reader(copy)
        LandedCopy.objects.filter(pk=copy.pk).update(grant_version=current.version)


def _count(copy: LandedCopy) -> int:
    table = sql.Identifier(copy.store.schema, copy.table_name)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(table))
        return int(cursor.fetchone()[0])


def _note_problem(copy: LandedCopy, error: Exception) -> bool:
    words = " ".join(str(getattr(error, "orig", None) or error).split())[:300]
    logger.warning("%s: %s", copy, words)
    LandedCopy.objects.filter(pk=copy.pk).update(problem=words)
    return False
