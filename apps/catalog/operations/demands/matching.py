"""Find entries that may meet a demand, keep them as proposals, note what people say of them."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog import queries
from apps.catalog.models import Demand, DemandMatch, DemandStatus
from apps.core import access
from apps.core.errors import IllegalMove, InvalidInput
from apps.ledger import operations as ledger

UNMET: Final = (
    DemandStatus.DRAFT,
    DemandStatus.AWAITING_HEAD,
    DemandStatus.RETURNED,
    DemandStatus.SUBMITTED,
    DemandStatus.FORWARDED,
)
"""Statuses in which it still helps to know what the catalogue has."""

EVERY: Final = timedelta(hours=12)


@transaction.atomic
def match(*, demand: Demand, actor: User, at: datetime) -> list[DemandMatch]:
    """Look anew for entries that may meet the demand; return what is proposed.

    Source: 《政务数据共享条例》第二十条
    Raises:
        NotAllowed: the actor is neither its editor nor reviews for the authority.
        IllegalMove: it is met, refused or over.
    """
    standing = access.require(actor, "match", demand, at=at)
    if demand.status not in UNMET:
        raise IllegalMove(_("该需求已有结果，不必再查找"), state=demand.status)
    found = propose_supply(demand, at=at)
    ledger.record(standing, "catalog.match_demand", demand, at=at, details={"found": len(found)})
    return found


def match_due(at: datetime, *, most: int = 200) -> int:
    """Look again for the unmet demands whose last look is half a day old. Repeat-safe.

    Source: 《政务数据共享条例》第二十条
    """
    due = Demand.objects.filter(
        Q(matched_at=None) | Q(matched_at__lt=at - EVERY), status__in=UNMET
    ).order_by("matched_at", "pk")
    found = list(due[:most])
    for demand in found:
        propose_supply(demand, at=at)
    return len(found)


@transaction.atomic
def decline(*, match: DemandMatch, actor: User, at: datetime, reason: str) -> DemandMatch:
    """Say why an entry does not meet the demand; it is not proposed again.

    Raises:
        NotAllowed: the actor is neither the demand's editor nor reviews for the authority.
        InvalidInput: no reason.
        IllegalMove: the entry was taken, or declined by somebody before.
    """
    standing = access.require(actor, "decline", match, at=at)
    if not reason.strip():
        raise InvalidInput(_("写明该目录为何不能满足需求"), field="reason")
    changed = DemandMatch.objects.filter(pk=match.pk, decision="").update(
        decision=DemandMatch.Decision.DECLINED,
        reason=reason.strip(),
        decided_by=actor,
        decided_at=at,
    )
    match.refresh_from_db()
    if not changed:
        raise IllegalMove(_("这条匹配已有意见"), state=match.decision)
    ledger.record(
        standing,
        "catalog.decline_match",
        match.demand,
        at=at,
        details={"dataset": match.dataset.code, "reason": reason.strip()},
    )
    return match


@transaction.atomic
def propose_supply(demand: Demand, *, at: datetime) -> list[DemandMatch]:
    """Write what the catalogue has for the demand; what people decided is left alone.

    No event: nothing is decided by it.
    """
    proposals = queries.supply_for(
        demand.title, demand.item_names, visible=queries.to_be_had_by(demand.department_id)
    )
    decided = set(demand.matches.exclude(decision="").values_list("dataset_id", flat=True))
    demand.matches.filter(decision="").delete()
    Demand.objects.filter(pk=demand.pk).update(matched_at=at)
    return DemandMatch.objects.bulk_create(
        DemandMatch(
            demand=demand,
            dataset=proposal.dataset,
            score=proposal.score,
            words=list(proposal.words),
            found_items=list(proposal.found),
            missing_items=list(proposal.missing),
            proposed_at=at,
        )
        for proposal in proposals
        if proposal.dataset.pk not in decided
    )
