"""A demand is met, taken up as a sharing request, contested or closed."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User
from apps.accounts.queries import platform_user
from apps.catalog import queries
from apps.catalog.lifecycle import DEMAND
from apps.catalog.models import (
    Dataset,
    Demand,
    DemandMatch,
    DemandOutcome,
    DemandStatus,
    SharingAttribute,
)
from apps.catalog.operations.demands import owed
from apps.catalog.operations.demands.drafting import said
from apps.clocks import operations as clocks
from apps.core import access
from apps.core.errors import InvalidInput
from apps.ledger import operations as ledger


@transaction.atomic
def fulfil(
    *,
    demand: Demand,
    actor: User,
    at: datetime,
    dataset: Dataset | None = None,
    reason: str = "",
    revision: int | None = None,
) -> Demand:
    """Confirm as the provider that the data can be had now; `dataset` where none was named.

    Source: comparator (西安)
    Raises:
        NotAllowed: the actor does not answer for the provider.
        InvalidInput: no entry, one of another department, or one that cannot be asked for.
        IllegalMove: nothing was agreed.
    """
    standing = access.require(actor, "fulfil", demand, at=at)
    met_by = dataset or demand.dataset
    if met_by is None:
        raise InvalidInput(_("选择满足需求的目录"), field="dataset")
    if met_by.department_id != demand.provider_id:
        raise InvalidInput(_("只能以本部门的目录满足需求"), field="dataset")
    require_to_be_had(met_by, demand.department)
    _fulfil(demand, met_by, by=actor, at=at, reason=reason, revision=revision)
    ledger.record(
        standing,
        "catalog.fulfil",
        demand,
        at=at,
        details={"dataset": met_by.code, **said(reason)},
    )
    return demand


def fulfil_due(at: datetime) -> int:
    """Mark as met the agreed demands whose entry is in force by now; return how many.

    Repeat-safe: what another run took meanwhile is left alone. An entry that was in force when its
    provider promised more items is confirmed by the provider, not here.

    Source: house rule (the platform sees a publication itself)
    """
    due = Demand.objects.filter(
        status=DemandStatus.AGREED,
        outcome=DemandOutcome.NEW_ENTRY,
        dataset__in=queries.published().exclude(sharing_attribute=SharingAttribute.NOT_SHARED),
    )
    platform = platform_user()
    count = 0
    for demand in due.select_related("dataset", "department", "provider").order_by("pk"):
        with transaction.atomic():
            locked = Demand.objects.select_for_update(of=("self",), skip_locked=True)
            if not locked.filter(pk=demand.pk, status=DemandStatus.AGREED).exists():
                continue
            assert demand.dataset is not None  # filtered above
            _fulfil(demand, demand.dataset, by=platform, at=at)
            ledger.record(platform, "catalog.fulfil", demand, at=at, department=demand.provider)
            count += 1
    return count


@transaction.atomic
def take_up(
    *, demand: Demand, dataset: Dataset, actor: User, at: datetime, revision: int | None = None
) -> Demand:
    """Turn the demand into a request for an entry in force; `sharing` drafts that request.

    Whoever was to review or answer it owes nothing any more.

    Source: 《政务数据共享条例》第二十条
    Raises:
        NotAllowed: the actor does not edit for the wanting department.
        InvalidInput: the entry cannot be asked for.
        IllegalMove: a request came of it already, or it is over.
    """
    standing = access.require(actor, "take_up", demand, at=at)
    require_to_be_had(dataset, demand.department)
    if demand.status == DemandStatus.AGREED:
        owed.stop(demand, "demand.fulfil", at=at)
    DEMAND.apply(
        demand,
        "take_up",
        actor=actor,
        at=at,
        revision=revision,
        dataset=dataset,
        outcome=demand.outcome or DemandOutcome.EXISTING,
        fulfilled_at=None,  # what was pointed out is met when it is delivered
    )
    clocks.cancel(demand, at=at)
    note_accepted(demand, dataset, actor=actor, at=at)
    owed.hand_on(demand, by=actor, at=at)
    ledger.record(standing, "catalog.take_up", demand, at=at, details={"dataset": dataset.code})
    return demand


@transaction.atomic
def deliver(*, demand: Demand, at: datetime) -> Demand:
    """Mark as met what came of a request that was delivered; `sharing` calls it. Repeat-safe."""
    current = Demand.objects.select_for_update(of=("self",)).get(pk=demand.pk)
    if current.status != DemandStatus.REQUESTED:
        return current
    platform = platform_user()
    DEMAND.apply(current, "deliver", actor=platform, at=at, fulfilled_at=at)
    owed.hand_on(current, by=platform, at=at)
    ledger.record(platform, "catalog.deliver", current, at=at, department=current.department)
    return current


@transaction.atomic
def resume(*, demand: Demand, at: datetime, reason: str) -> Demand:
    """Give the demand back after its request was refused or withdrawn; `sharing` calls it."""
    current = Demand.objects.select_for_update(of=("self",)).get(pk=demand.pk)
    if current.status != DemandStatus.REQUESTED:
        return current
    platform = platform_user()
    DEMAND.apply(current, "resume", actor=platform, at=at, reason=reason, remark=reason.strip())
    owed.hand_on(current, by=platform, at=at)
    ledger.record(
        platform,
        "catalog.resume",
        current,
        at=at,
        department=current.department,
        details=said(reason),
    )
    return current


@transaction.atomic
def contest(
    *, demand: Demand, actor: User, at: datetime, reason: str, revision: int | None = None
) -> Demand:
    """Object to a refusal or to what was called met; the authority looks at it once more.

    Source: 《政务数据共享条例》第二十八条 (the authority coordinates); house rule
    Raises:
        NotAllowed: the actor does not act for the wanting department.
        InvalidInput: no reason.
        IllegalMove: there is nothing to object to.
    """
    standing = access.require(actor, "contest", demand, at=at)
    DEMAND.apply(
        demand,
        "contest",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        objection=reason.strip(),
        received_at=demand.received_at or at,
        fulfilled_at=None,
    )
    owed.open_review(demand, by=actor, at=at)
    owed.tell(demand.provider, demand, _("需求部门提出异议：%(title)s"), reason.strip(), at=at)
    ledger.record(standing, "catalog.contest", demand, at=at, details=said(reason))
    return demand


@transaction.atomic
def close(
    *, demand: Demand, actor: User, at: datetime, reason: str = "", revision: int | None = None
) -> Demand:
    """Say as the wanting department that the matter is over."""
    standing = access.require(actor, "close", demand, at=at)
    DEMAND.apply(
        demand, "close", actor=actor, at=at, reason=reason, revision=revision, closed_at=at
    )
    owed.hand_on(demand, by=actor, at=at)
    ledger.record(standing, "catalog.close", demand, at=at, details=said(reason))
    return demand


def require_to_be_had(dataset: Dataset, consumer: Department) -> None:
    """Refuse an entry that the wanting department could not ask for.

    Raises:
        InvalidInput: it is not in force, not shared, or the department's own.
    """
    if not queries.published().filter(pk=dataset.pk).exists():
        raise InvalidInput(_("目录未发布或已撤回"), code="not_published", field="dataset")
    if dataset.sharing_attribute == SharingAttribute.NOT_SHARED:
        raise InvalidInput(_("该目录不予共享"), code="not_shared", field="dataset")
    if dataset.department_id == consumer.pk:
        raise InvalidInput(_("这是需求部门自己的目录"), code="own_dataset", field="dataset")


def note_accepted(demand: Demand, dataset: Dataset, *, actor: User, at: datetime) -> None:
    """Write that this entry was taken among those that were proposed."""
    DemandMatch.objects.filter(demand=demand, dataset=dataset).update(
        decision=DemandMatch.Decision.ACCEPTED, reason="", decided_by=actor, decided_at=at
    )


def _fulfil(demand: Demand, dataset: Dataset, *, by: User, at: datetime, **move: Any) -> None:
    DEMAND.apply(demand, "fulfil", actor=by, at=at, dataset=dataset, fulfilled_at=at, **move)
    owed.stop(demand, "demand.fulfil", at=at)
    owed.hand_on(demand, by=by, at=at)
    owed.tell(
        demand.department,
        demand,
        _("需求的数据可以申请了：%(title)s"),
        _("目录：%(name)s") % {"name": dataset.name},
        at=at,
    )
