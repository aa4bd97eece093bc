"""The own head lets a demand go out; the authority finds who can meet it."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User
from apps.catalog.lifecycle import DEMAND
from apps.catalog.models import Dataset, Demand, DemandOutcome, DemandStatus
from apps.catalog.operations.demands import owed
from apps.catalog.operations.demands.drafting import (
    WRITTEN_FIELDS,
    next_key,
    number_of,
    refuse_incomplete,
    said,
    save,
)
from apps.catalog.operations.demands.fulfilment import note_accepted, require_to_be_had
from apps.clocks import operations as clocks
from apps.core import access
from apps.core.errors import IllegalMove, InvalidInput, StaleRevision, required_text
from apps.ledger import operations as ledger


@transaction.atomic
def approve(
    *, demand: Demand, actor: User, at: datetime, reason: str = "", revision: int | None = None
) -> Demand:
    """Send the demand to the authority in the department's name; its clock starts.

    Source: 《政务数据共享条例》第十一条、第二十条; the clock: comparator (西安)
    Raises:
        NotAllowed: the actor does not head the wanting department's sharing office.
        InvalidInput: it is no longer complete.
        IllegalMove: it does not await approval.
    """
    standing = access.require(actor, "approve", demand, at=at)
    refuse_incomplete(demand, "approve")
    DEMAND.apply(
        demand,
        "approve",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        received_at=at,
        remark="",
    )
    owed.open_review(demand, by=actor, at=at)
    ledger.record(standing, "catalog.approve", demand, at=at, details=said(reason))
    return demand


@transaction.atomic
def send_back(
    *, demand: Demand, actor: User, at: datetime, reason: str, revision: int | None = None
) -> Demand:
    """Return the demand for mending, as own head or as the authority.

    Raises:
        NotAllowed: it is not the actor's turn.
        InvalidInput: no remark.
        IllegalMove: it is not under review.
    """
    standing = access.require(actor, "send_back", demand, at=at)
    DEMAND.apply(
        demand,
        "send_back",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        remark=reason.strip(),
    )
    owed.stop(demand, "demand.review", at=at)
    owed.hand_on(demand, by=actor, at=at)
    ledger.record(
        standing,
        "catalog.send_back",
        demand,
        at=at,
        details=said(reason),
        department=demand.department,
    )
    return demand


@transaction.atomic
def forward(
    *,
    demand: Demand,
    provider: Department,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> Demand:
    """Name the provider who is to answer; the reply's clock starts.

    Source: comparator (西安)
    Raises:
        NotAllowed: the actor does not review for the authority.
        InvalidInput: the provider is the wanting department, or no longer exists.
        IllegalMove: it is not under review.
    """
    standing = access.require(actor, "forward", demand, at=at)
    if provider.pk == demand.department_id:
        raise InvalidInput(_("提供部门不能是需求部门"), field="provider")
    if provider.valid_to is not None:
        raise InvalidInput(_("该部门已撤销"), field="provider")
    DEMAND.apply(
        demand,
        "forward",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        provider=provider,
        forwarded_at=at,
        proposal="",
        reply="",
        legal_basis="",
        promised_on=None,
        outcome="",
        dataset=None,
        decided_by=None,
        decided_at=None,
        remark=reason.strip(),
    )
    owed.stop(demand, "demand.review", at=at)
    clock = clocks.start(demand, "demand.reply", department=provider, at=at)
    owed.hand_on(demand, by=actor, at=at, due_on=clock.due_on)
    ledger.record(
        standing,
        "catalog.forward",
        demand,
        at=at,
        details={"provider": str(provider), **said(reason)},
        department=provider,
    )
    return demand


@transaction.atomic
def point_out(
    *,
    demand: Demand,
    dataset: Dataset,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> Demand:
    """Answer that an entry in force meets the demand already; the department may ask for it.

    Source: 《政务数据共享条例》第二十条
    Raises:
        NotAllowed: the actor does not review for the authority.
        InvalidInput: the entry is not in force, not shared, or the wanting department's own.
        IllegalMove: it is not under review.
    """
    standing = access.require(actor, "point_out", demand, at=at)
    require_to_be_had(dataset, demand.department)
    DEMAND.apply(
        demand,
        "point_out",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        dataset=dataset,
        outcome=DemandOutcome.EXISTING,
        fulfilled_at=at,
        reply=reason.strip(),
        decided_by=actor,
        decided_at=at,
    )
    note_accepted(demand, dataset, actor=actor, at=at)
    owed.stop(demand, "demand.review", at=at)
    owed.hand_on(demand, by=actor, at=at)
    ledger.record(
        standing,
        "catalog.point_out",
        demand,
        at=at,
        details={"dataset": dataset.code, **said(reason)},
        department=demand.department,
    )
    return demand


@transaction.atomic
def split(
    *,
    demand: Demand,
    items: Collection[str],
    title: str,
    actor: User,
    at: datetime,
    revision: int | None = None,
) -> Demand:
    """Move some wanted items into a sibling, where two providers have to answer; return it.

    The sibling was received when the demand was, so its clock runs from then.

    Raises:
        NotAllowed: the actor does not review for the authority.
        InvalidInput: no item, an unknown one, or all of them were chosen; no title.
        IllegalMove: it is not under review.
    """
    standing = access.require(actor, "split", demand, at=at)
    current = Demand.objects.select_for_update(of=("self",)).get(pk=demand.pk)
    if current.status != DemandStatus.SUBMITTED:
        raise IllegalMove(_("只有审核中的需求可以拆分"), state=current.status)
    if revision is not None and current.revision != revision:
        raise StaleRevision
    _refuse_bad_parts(current, items)
    key = next_key()
    kept = {name: getattr(current, name) for name in WRITTEN_FIELDS if name != "provider"}
    sibling = Demand(
        pk=key,
        number=number_of(key, at),
        department=current.department,
        drafted_by=current.drafted_by,
        split_from=current,
        status=current.status,
        received_at=current.received_at,
        created_at=at,
        updated_at=at,
        **kept,
    )
    sibling.title = required_text(title, _("填写拆出的需求的名称"), field="title")
    sibling.wanted_items = [row for row in current.wanted_items if row["name"] in items]
    save(sibling, actor=actor, at=at, reason=_("拆分自 %(number)s") % {"number": current.number})
    current.wanted_items = [row for row in current.wanted_items if row["name"] not in items]
    current.revision += 1
    current.updated_at = at
    save(current, actor=actor, at=at, reason=_("拆分出 %(number)s") % {"number": sibling.number})
    owed.open_review(sibling, by=actor, at=current.received_at or at)
    ledger.record(
        standing, "catalog.split_demand", current, at=at, details={"into": sibling.number}
    )
    demand.refresh_from_db()
    return sibling


def _refuse_bad_parts(demand: Demand, items: Collection[str]) -> None:
    known = set(demand.item_names)
    unknown = sorted(set(items) - known)
    if unknown:
        raise InvalidInput(_("需求中没有数据项“%(name)s”") % {"name": unknown[0]}, field="items")
    if not items or set(items) == known:
        raise InvalidInput(_("选择一部分数据项拆出，其余留在原需求中"), field="items")
