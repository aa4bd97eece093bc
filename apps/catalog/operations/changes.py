"""Prepare the next version of a published entry, have it reviewed, publish it or give it up."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.accounts.queries import authority, members_with
from apps.catalog import queries
from apps.catalog.differences import smallness
from apps.catalog.lifecycle import CHANGE, EDITABLE_CHANGE
from apps.catalog.models import (
    ChangeChannel,
    ChangeStatus,
    Dataset,
    DatasetChange,
    RoundOutcome,
)
from apps.catalog.operations.proposing import Trigger, content_of, set_trigger, write_proposal
from apps.catalog.operations.publishing import (
    IN_FORCE,
    bring_into_force,
    give_up,
    require_publishable,
)
from apps.catalog.operations.rounds import begin_round, close_round
from apps.catalog.operations.writing import save
from apps.catalog.proposals import proposed
from apps.catalog.snapshots import snapshot_of
from apps.clocks import operations as clocks
from apps.clocks import queries as clock_queries
from apps.core import access, jobs
from apps.core.errors import Conflict, IllegalMove, InvalidInput, NotFound, StaleRevision
from apps.ledger import operations as ledger

UPDATE: Final = "catalog.update"
ROLE_OWING: Final = {
    "catalog.approve_change": "department_approver",
    "catalog.mend_change": "department_editor",
}
Fields = Mapping[str, Any]


@transaction.atomic
def begin_change(
    *,
    dataset: Dataset,
    actor: User,
    at: datetime,
    reason: str = "",
    fields: Fields | None = None,
    items: Sequence[Fields] | None = None,
    related: Iterable[Dataset | str] | None = None,
    channel: str = ChangeChannel.TYPED,
    trigger: Trigger | None = None,
) -> DatasetChange:
    """Begin the next version of an entry in force, which stays as it is until that is published.

    fields: values by `snapshots.DATASET_FIELDS`, plain as in a snapshot or as the model has them.
    items: when given, all of them; a row with `pk` or a known `column_name` continues that item.

    Source: 《政务数据共享条例》第十七条
    Raises:
        NotAllowed: the actor does not edit this entry.
        IllegalMove: it is not in force.
        Conflict: a change of it is under way (`change_open`), or as in `create_dataset`.
        InvalidInput: a value is wrong, or there is no such field.
    """
    standing = access.require(actor, "begin_change", dataset, at=at)
    current = Dataset.objects.select_for_update().get(pk=dataset.pk)
    if current.status not in IN_FORCE:
        raise IllegalMove(
            _("当前状态为“%(status)s”；只有已发布的目录才办理变更")
            % {"status": current.get_status_display()},
            state=current.status,
        )
    under_way = queries.open_change_of(current)
    if under_way is not None:
        raise Conflict(_("该目录已有一次变更正在办理"), code="change_open", change=under_way.pk)
    version = queries.current_version(current)
    change = DatasetChange(
        dataset=current,
        base_version=version.number if version else 0,
        channel=channel,
        started_by=actor,
        created_at=at,
        updated_at=at,
    )
    write_proposal(change, fields or {}, items, related, reason)
    set_trigger(change, trigger, at)
    _keep(change, actor, at, _("开始修改"))
    _owe_update(change)
    ledger.record(standing, "catalog.begin_change", change, at=at, details=_why(change))
    return change


@transaction.atomic
def revise_change(
    *,
    change: DatasetChange,
    actor: User,
    at: datetime,
    revision: int | None = None,
    fields: Fields | None = None,
    items: Sequence[Fields] | None = None,
    related: Iterable[Dataset | str] | None = None,
    reason: str | None = None,
    trigger: Trigger | None = None,
) -> DatasetChange:
    """Write into a change what is to differ. What is absent is left alone; as `begin_change`.

    A value that the entry has already is dropped from the change.

    Raises:
        NotAllowed: the actor does not edit this entry.
        IllegalMove: the change is under review, or over.
        StaleRevision: somebody changed it after `revision`.
        InvalidInput, Conflict: as in `begin_change`.
    """
    standing = access.require(actor, "revise_change", change, at=at)
    current = DatasetChange.objects.select_for_update(of=("self",)).get(pk=change.pk)
    if current.status not in EDITABLE_CHANGE:
        raise IllegalMove(
            _("当前状态为“%(status)s”，不能修改") % {"status": current.get_status_display()},
            state=current.status,
        )
    if revision is not None and revision != current.revision:
        raise StaleRevision
    before = content_of(current)
    write_proposal(current, fields or {}, items, related, reason)
    set_trigger(current, trigger, at)
    if content_of(current) == before:
        return change
    current.revision += 1
    current.updated_at = at
    _keep(current, actor, at, _("修改"))
    _owe_update(current)
    ledger.record(standing, "catalog.revise_change", current, at=at)
    change.refresh_from_db()
    return change


@transaction.atomic
def submit_change(
    *, change: DatasetChange, actor: User, at: datetime, revision: int | None = None
) -> DatasetChange:
    """Put a complete change before the head of the own sharing office.

    Source: 《政务数据共享条例》第十七条
    Raises:
        NotAllowed: the actor does not edit this entry.
        InvalidInput: something is missing or wrong; `errors` lists all of it.
        Conflict: the entry has another version in force than the change was begun from.
        IllegalMove: it is under review already, or over.
    """
    standing = access.require(actor, "submit_change", change, at=at)
    require_publishable(change, "submit_change", at)
    CHANGE.apply(change, "submit_change", actor=actor, at=at, revision=revision)
    begin_round(change.dataset, change, snapshot_of(proposed(change)), by=actor, at=at)
    _stop_clock(change, "catalog.first_review_fix", at)
    _owe(change, "catalog.approve_change", _("审批目录变更：%(name)s"), at, by=actor)
    ledger.record(standing, "catalog.submit_change", change, at=at, details=_why(change))
    return change


@transaction.atomic
def approve_change(
    *, change: DatasetChange, actor: User, at: datetime, revision: int | None = None
) -> DatasetChange:
    """Send the change to the authority in the department's name: updated in time, or not.

    Source: 《政务数据共享条例》第十一条、第十七条
    Raises:
        NotAllowed: the actor does not head the provider's sharing office.
        InvalidInput, Conflict: as in `submit_change`.
        IllegalMove: it does not await approval.
    """
    standing = access.require(actor, "approve_change", change, at=at)
    require_publishable(change, "approve_change", at)
    CHANGE.apply(change, "approve_change", actor=actor, at=at, revision=revision, submitted_at=at)
    _stop_clock(change, UPDATE, at)
    clock = clocks.start(change, "catalog.review", department=authority(), at=at)
    _owe(change, "catalog.review_change", _("审核目录变更：%(name)s"), at, actor, clock.due_on)
    ledger.record(standing, "catalog.approve_change", change, at=at)
    return change


@transaction.atomic
def send_back_change(
    *,
    change: DatasetChange,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> DatasetChange:
    """Return the change to its editors with the remarks, as own head or as the authority.

    Source: 《政务数据共享条例》第十七条; five working days to mend it: comparator (黑龙江)
    Raises:
        NotAllowed: it is not the actor's turn to review it.
        InvalidInput: no reason.
        IllegalMove: it is not under review.
    """
    standing = access.require(actor, "send_back_change", change, at=at)
    was_submitted = change.status == ChangeStatus.SUBMITTED
    words = reason.strip()
    CHANGE.apply(
        change,
        "send_back_change",
        actor=actor,
        at=at,
        reason=words,
        revision=revision,
        remark=words,
    )
    close_round(change.dataset, change, RoundOutcome.RETURNED, by=actor, at=at, reason=words)
    due_on = None
    if was_submitted:
        _stop_clock(change, "catalog.review", at)
        due_on = clocks.start(
            change, "catalog.first_review_fix", department=change.dataset.department, at=at
        ).due_on
    _owe(change, "catalog.mend_change", _("修改被退回的目录变更：%(name)s"), at, actor, due_on)
    department = change.dataset.department
    details = {"reason": words}
    ledger.record(
        standing, "catalog.send_back_change", change, at=at, details=details, department=department
    )
    return change


@transaction.atomic
def publish_change(
    *, change: DatasetChange, actor: User, at: datetime, revision: int | None = None
) -> DatasetChange:
    """Bring the change into force: the entry and its items become the next version.

    The worker then brings the table up to the new contract; what no table can follow is refused
    here, with the columns named.

    Source: 《政务数据共享条例》第十七条
    Raises:
        NotAllowed: the actor does not review for the authority.
        Conflict: another version came into force since the change was begun.
        InvalidInput: it is no longer complete.
        IllegalMove: it was not submitted.
    """
    standing = access.require(actor, "publish_change", change, at=at)
    require_publishable(change, "publish_change", at)
    found = queries.proposal_of(change).found
    number = change.base_version + 1
    CHANGE.apply(
        change,
        "publish_change",
        actor=actor,
        at=at,
        revision=revision,
        decided_at=at,
        applied_version=number,
        remark="",
    )
    dataset = bring_into_force(change, actor, at)
    close_round(dataset, change, RoundOutcome.PUBLISHED, by=actor, at=at)
    _stop_clock(change, "catalog.review", at)
    ledger.close_todos(change, at=at, by=actor)
    _announce(change, at, to_users=not smallness(change).is_small)
    ledger.record(
        standing,
        "catalog.publish_change",
        change,
        at=at,
        details={"version": number, "changed": [str(each) for each in found[:40]]},
        department=dataset.department,
    )
    jobs.wake("warehouse.make_table", dataset=dataset.pk)
    return change


@transaction.atomic
def abandon_change(
    *,
    change: DatasetChange,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> DatasetChange:
    """Give the change up; the version in force stays.

    Source: house rule
    Raises:
        NotAllowed: the actor neither edits the entry nor heads the provider's sharing office.
        InvalidInput: no reason.
        IllegalMove: it is over already.
    """
    standing = access.require(actor, "abandon_change", change, at=at)
    give_up(change, actor=actor, at=at, reason=reason, revision=revision)
    details = {"reason": reason.strip()}
    ledger.record(standing, "catalog.abandon_change", change, at=at, details=details)
    return change


def _keep(change: DatasetChange, actor: User, at: datetime, reason: str | Promise) -> None:
    if change.channel not in ChangeChannel.values:
        raise InvalidInput(_("没有这种提交途径"), field="channel")
    save(change, actor=actor, at=at, reason=reason)


def _owe_update(change: DatasetChange) -> None:
    """Let the provider's clock run from the day of the occasion that was recorded."""
    if change.triggered_on is None or change.submitted_at is not None:
        return
    running = clock_queries.running(change).filter(policy__code=UPDATE).first()
    if running is not None:
        if timezone.localdate(running.started_at) == change.triggered_on:
            return
        clocks.cancel(change, UPDATE, at=change.updated_at)
    since = timezone.make_aware(datetime.combine(change.triggered_on, time(12)))
    try:
        clocks.start(change, UPDATE, department=change.dataset.department, at=since)
    except NotFound:
        return  # the occasion is older than the regulation that sets the time


def _stop_clock(change: DatasetChange, code: str, at: datetime) -> None:
    if clock_queries.running(change).filter(policy__code=code).exists():
        clocks.stop(change, code, at=at)


def _owe(
    change: DatasetChange,
    kind: str,
    title: str | Promise,
    at: datetime,
    by: User,
    due_on: date | None = None,
) -> None:
    """Close what was owed before, and open what is owed next."""
    is_review = kind == "catalog.review_change"
    role = "authority_officer" if is_review else ROLE_OWING[kind]
    ledger.close_todos(change, at=at, by=by)
    ledger.open_todo(
        change,
        kind,
        title=title % {"name": change.dataset.name},
        url=change.get_absolute_url(),
        department=authority() if is_review else change.dataset.department,
        role=role,
        at=at,
        due_on=due_on,
    )


def _announce(change: DatasetChange, at: datetime, *, to_users: bool) -> None:
    """Tell the provider, and those who use the data when more than its description changed."""
    dataset = change.dataset
    told = [dataset.department, *(queries.departments_using(dataset) if to_users else ())]
    for department in told:
        ledger.notify(
            members_with(["department_editor", "department_approver"], department),
            title=_("目录已发布第 %(number)s 版：%(name)s")
            % {"number": change.applied_version, "name": dataset.name},
            body=change.reason,
            url=dataset.get_absolute_url(),
            at=at,
            subject=dataset,
        )


def _why(change: DatasetChange) -> dict[str, str]:
    return {"reason": change.reason} if change.reason else {}
