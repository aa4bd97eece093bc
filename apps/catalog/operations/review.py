"""Submit, approve, send back, publish."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.accounts.queries import authority, members_with
from apps.catalog import validation
from apps.catalog.contracts import draw_up_contract, draw_up_contracts
from apps.catalog.lifecycle import DATASET
from apps.catalog.models import Dataset, DatasetStatus, DatasetVersion, RoundOutcome
from apps.catalog.operations.indexing import refresh, refresh_many
from apps.catalog.operations.rounds import begin_round, close_round
from apps.catalog.snapshots import snapshot_of
from apps.clocks import operations as clocks
from apps.clocks import queries as clock_queries
from apps.core import access, jobs
from apps.core.errors import Conflict, InvalidInput
from apps.ledger import operations as ledger


@transaction.atomic
def submit(*, dataset: Dataset, actor: User, at: datetime, revision: int | None = None) -> Dataset:
    """Put a complete entry before the head of the own sharing office.

    Source: 《政务数据共享条例》第十三条
    Raises:
        NotAllowed: the actor does not edit this entry.
        InvalidInput: something is missing or wrong; `errors` lists all of it.
        IllegalMove: it is under review or in force already.
    """
    standing = access.require(actor, "submit", dataset, at=at)
    _require_complete(dataset, "submit", at)
    DATASET.apply(dataset, "submit", actor=actor, at=at, revision=revision)
    refresh(dataset, at=at)
    begin_round(dataset, None, snapshot_of(dataset), by=actor, at=at)
    _stop_clock(dataset, "catalog.first_review_fix", at)
    ledger.close_todos(dataset, at=at, by=actor)
    ledger.open_todo(
        dataset,
        "catalog.approve",
        title=_("审批目录：%(name)s") % {"name": dataset.name},
        url=dataset.get_absolute_url(),
        department=dataset.department,
        role="department_approver",
        at=at,
    )
    ledger.record(standing, "catalog.submit", dataset, at=at)
    return dataset


@transaction.atomic
def approve(*, dataset: Dataset, actor: User, at: datetime, revision: int | None = None) -> Dataset:
    """Send the entry to the authority in the department's name; its clock starts.

    Source: 《政务数据共享条例》第十一条、第十七条
    Raises:
        NotAllowed: the actor does not head the provider's sharing office.
        InvalidInput: the entry is no longer complete.
        IllegalMove: it does not await approval.
    """
    standing = access.require(actor, "approve", dataset, at=at)
    _require_complete(dataset, "approve", at)
    DATASET.apply(dataset, "approve", actor=actor, at=at, revision=revision, submitted_at=at)
    refresh(dataset, at=at)
    reviewer = authority()
    clock = clocks.start(dataset, "catalog.review", department=reviewer, at=at)
    ledger.close_todos(dataset, at=at, by=actor)
    ledger.open_todo(
        dataset,
        "catalog.review",
        title=_("审核目录：%(name)s") % {"name": dataset.name},
        url=dataset.get_absolute_url(),
        department=reviewer,
        role="authority_officer",
        at=at,
        due_on=clock.due_on,
    )
    ledger.record(standing, "catalog.approve", dataset, at=at)
    return dataset


@transaction.atomic
def send_back(
    *,
    dataset: Dataset,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> Dataset:
    """Return the entry to its editors with remarks, as own head or as the authority.

    Source: 《政务数据共享条例》第十七条; five working days to mend it: comparator (黑龙江)
    Raises:
        NotAllowed: it is not the actor's turn to review it.
        InvalidInput: no remark.
        IllegalMove: it is not under review.
    """
    standing = access.require(actor, "send_back", dataset, at=at)
    was_submitted = dataset.status == DatasetStatus.SUBMITTED
    DATASET.apply(
        dataset,
        "send_back",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        remark=reason.strip(),
    )
    refresh(dataset, at=at)
    close_round(dataset, None, RoundOutcome.RETURNED, by=actor, at=at, reason=reason)
    due_on = None
    if was_submitted:
        _stop_clock(dataset, "catalog.review", at)
        due_on = clocks.start(
            dataset, "catalog.first_review_fix", department=dataset.department, at=at
        ).due_on
    ledger.close_todos(dataset, at=at, by=actor)
    ledger.open_todo(
        dataset,
        "catalog.revise",
        title=_("修改被退回的目录：%(name)s") % {"name": dataset.name},
        url=dataset.get_absolute_url(),
        department=dataset.department,
        role="department_editor",
        at=at,
        due_on=due_on,
    )
    ledger.record(
        standing,
        "catalog.send_back",
        dataset,
        at=at,
        details={"reason": reason.strip()},
        department=dataset.department,
    )
    return dataset


@transaction.atomic
def publish(*, dataset: Dataset, actor: User, at: datetime, revision: int | None = None) -> Dataset:
    """Bring the entry into force: its contract and its fields are frozen as a version.

    The worker then makes its table from the contract.

    Source: 《政务数据共享条例》第十七条
    Raises:
        NotAllowed: the actor does not review for the authority.
        InvalidInput: the entry is no longer complete.
        IllegalMove: it was not submitted.
    """
    standing = access.require(actor, "publish", dataset, at=at)
    _require_complete(dataset, "publish", at)
    today = timezone.localdate(at)
    fields: dict[str, Any] = {
        "published_at": at,
        "release_on": dataset.release_on or today,
        "remark": "",
    }
    DATASET.apply(dataset, "publish", actor=actor, at=at, revision=revision, **fields)
    refresh(dataset, at=at)
    version = DatasetVersion.objects.create(
        dataset=dataset,
        number=dataset.versions.count() + 1,
        contract=draw_up_contract(dataset, on=today).to_json(),
        snapshot=snapshot_of(dataset),
        published_at=at,
        published_by=actor,
    )
    close_round(dataset, None, RoundOutcome.PUBLISHED, by=actor, at=at)
    _stop_clock(dataset, "catalog.review", at)
    ledger.close_todos(dataset, at=at, by=actor)
    ledger.notify(
        members_with(["department_editor", "department_approver"], dataset.department),
        title=_("目录已发布：%(name)s") % {"name": dataset.name},
        url=dataset.get_absolute_url(),
        at=at,
        subject=dataset,
    )
    ledger.record(
        standing,
        "catalog.publish",
        dataset,
        at=at,
        details={"version": version.number},
        department=dataset.department,
    )
    jobs.wake("warehouse.make_table", dataset=dataset.pk)
    return dataset


@transaction.atomic
def take_over(*, datasets: Sequence[Dataset], actor: User, at: datetime) -> list[DatasetVersion]:
    """Give entries that come published from an older catalogue their first version, in bulk.

    Source: house rule (既有目录转入)
    Raises:
        NotAllowed: only the platform itself takes a catalogue over.
        Conflict: one of them is not in force, or has a version already.
    """
    standing = access.require(actor, "take_over", Dataset, at=at)
    keys = [dataset.pk for dataset in datasets]
    if Dataset.objects.filter(pk__in=keys).published().count() != len(keys):
        raise Conflict(_("只能转入已发布的目录"))
    if DatasetVersion.objects.filter(dataset__in=keys).exists():
        raise Conflict(_("其中有目录已经转入"))
    prefetch_related_objects(
        list(datasets),
        "department",
        "classification",
        "system",
        "source_department",
        "items__data_element",
        "items__code_list",
        "related",
    )
    contracts = draw_up_contracts(datasets, on=timezone.localdate(at))
    versions = DatasetVersion.objects.bulk_create(
        (
            DatasetVersion(
                dataset=dataset,
                number=1,
                contract=contracts[dataset.pk].to_json(),
                snapshot=snapshot_of(dataset),
                published_at=dataset.published_at or at,
                published_by=actor,
            )
            for dataset in datasets
        ),
        batch_size=1,  # several rows travel as arrays, and long JSON is slow to quote inside one
    )
    refresh_many(keys, at=at)
    ledger.record(standing, "catalog.take_over", None, at=at, details={"count": len(versions)})
    return versions


def _require_complete(dataset: Dataset, move: str, at: datetime) -> None:
    """Hold the row and look for errors; a wrong status is left for the move to refuse."""
    current = Dataset.objects.select_for_update().get(pk=dataset.pk)
    if current.status not in DATASET.move(move).sources:
        return
    errors = validation.errors_in(current, on=timezone.localdate(at))
    if errors:
        raise InvalidInput(
            _("还有 %(count)s 处须修改：%(first)s")
            % {"count": len(errors), "first": str(errors[0])},
            code="dataset_incomplete",
            errors=[str(error) for error in errors],
        )


def _stop_clock(dataset: Dataset, code: str, at: datetime) -> None:
    if clock_queries.running(dataset).filter(policy__code=code).exists():
        clocks.stop(dataset, code, at=at)
