"""The provider drafts its answer; its head signs what was drafted, nobody else's."""

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog.lifecycle import DEMAND
from apps.catalog.models import Dataset, Demand, DemandOutcome, DemandReply
from apps.catalog.operations.demands import owed
from apps.catalog.operations.demands.drafting import said
from apps.clocks import operations as clocks
from apps.core import access
from apps.core.errors import InvalidInput, NotAllowed, required_text
from apps.ledger import operations as ledger


@transaction.atomic
def propose(
    *,
    demand: Demand,
    proposal: str,
    actor: User,
    at: datetime,
    reason: str = "",
    legal_basis: str = "",
    outcome: str = "",
    dataset: Dataset | None = None,
    promised_on: date | None = None,
    revision: int | None = None,
) -> Demand:
    """Draft the provider's answer for its head: agree, refuse, or not ours.

    To agree takes by what (`outcome`: a new entry, an entry of ours, more items of one) and until
    when; to refuse takes a reason and a legal basis; to disown takes a reason. What is drafted
    stays inside the provider until it is signed.

    Source: 《政务数据共享条例》第十一条、第二十条
    Raises:
        NotAllowed: the actor does not answer for the provider.
        InvalidInput: what the proposal takes is missing or wrong.
        IllegalMove: it does not await an answer.
    """
    standing = access.require(actor, "propose", demand, at=at)
    answer: dict[str, Any] = {"reply": reason.strip(), "legal_basis": "", "outcome": ""}
    answer |= {"dataset": None, "promised_on": None}
    match proposal:
        case DemandReply.AGREE:
            answer |= _agreement(demand, outcome, dataset, promised_on, at)
        case DemandReply.REFUSE:
            required_text(reason, _("填写不予提供的理由"), field="reason")
            answer["legal_basis"] = required_text(
                legal_basis, _("填写不予提供的依据"), field="legal_basis"
            )
        case DemandReply.DISOWN:
            required_text(reason, _("写明应由哪个部门提供或者为何不属本部门"), field="reason")
        case _:
            raise InvalidInput(_("答复意见为同意、不予提供或者不属本部门"), field="proposal")
    DEMAND.apply(
        demand,
        "propose",
        actor=actor,
        at=at,
        revision=revision,
        proposal=proposal,
        proposed_by=actor,
        **answer,
    )
    owed.hand_on(demand, by=actor, at=at)
    ledger.record(
        standing,
        "catalog.propose",
        demand,
        at=at,
        details={"proposal": str(demand.get_proposal_display())},
    )
    return demand


@transaction.atomic
def send_back_proposal(
    *, demand: Demand, actor: User, at: datetime, reason: str, revision: int | None = None
) -> Demand:
    """Have the answer drafted anew; the reply's clock runs on."""
    standing = access.require(actor, "send_back_proposal", demand, at=at)
    DEMAND.apply(demand, "send_back_proposal", actor=actor, at=at, reason=reason, revision=revision)
    owed.hand_on(demand, by=actor, at=at)
    ledger.record(standing, "catalog.send_back_proposal", demand, at=at, details=said(reason))
    return demand


@transaction.atomic
def agree(
    *, demand: Demand, actor: User, at: datetime, reason: str = "", revision: int | None = None
) -> Demand:
    """Sign that the data will be provided; the clock of fulfilment starts.

    Source: 《政务数据共享条例》第十一条; the clock: comparator (西安)
    Raises:
        NotAllowed: the actor does not sign for the provider, or drafted the answer himself.
        IllegalMove: no answer awaits signing.
    """
    standing = _sign(demand, "agree", actor, at, reason, revision)
    clock = clocks.start(demand, "demand.fulfil", department=demand.provider, at=at)
    owed.hand_on(demand, by=actor, at=at, due_on=clock.due_on)
    owed.tell(demand.department, demand, _("数据需求已同意：%(title)s"), demand.reply, at=at)
    ledger.record(standing, "catalog.agree", demand, at=at, details=said(reason))
    return demand


@transaction.atomic
def refuse(
    *, demand: Demand, actor: User, at: datetime, reason: str = "", revision: int | None = None
) -> Demand:
    """Sign that the data will not be provided, with the reason and the basis as drafted.

    Source: 《政务数据共享条例》第十一条、第十五条
    Raises:
        NotAllowed: the actor does not sign for the provider, or drafted the answer himself.
        IllegalMove: no answer awaits signing.
    """
    standing = _sign(demand, "refuse", actor, at, reason, revision)
    owed.hand_on(demand, by=actor, at=at)
    owed.tell(demand.department, demand, _("数据需求未获提供：%(title)s"), demand.reply, at=at)
    ledger.record(
        standing,
        "catalog.refuse",
        demand,
        at=at,
        details={"reason": demand.reply, "legal_basis": demand.legal_basis},
    )
    return demand


@transaction.atomic
def disown(
    *, demand: Demand, actor: User, at: datetime, reason: str = "", revision: int | None = None
) -> Demand:
    """Sign that the matter is another department's; the authority reviews it anew.

    Raises:
        NotAllowed: the actor does not sign for the provider, or drafted the answer himself.
        IllegalMove: no answer awaits signing.
    """
    standing = _sign(demand, "disown", actor, at, reason, revision)
    owed.open_review(demand, by=actor, at=at)
    ledger.record(standing, "catalog.disown", demand, at=at, details={"reason": demand.reply})
    return demand


def _sign(
    demand: Demand, move: str, actor: User, at: datetime, reason: str, revision: int | None
) -> access.Standing:
    standing = access.require(actor, move, demand, at=at)
    if demand.proposed_by_id == actor.pk:
        raise NotAllowed(_("答复须由拟稿人以外的负责人签发"), code="own_proposal")
    DEMAND.apply(
        demand,
        move,
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        decided_by=actor,
        decided_at=at,
    )
    owed.stop(demand, "demand.reply", at=at)
    return standing


def _agreement(
    demand: Demand,
    outcome: str,
    dataset: Dataset | None,
    promised_on: date | None,
    at: datetime,
) -> dict[str, Any]:
    """Check with what and until when the provider agrees."""
    if outcome not in DemandOutcome.values or not outcome:
        raise InvalidInput(_("选择以什么方式满足需求"), field="outcome")
    if outcome != DemandOutcome.NEW_ENTRY and dataset is None:
        raise InvalidInput(_("选择满足需求的目录"), field="dataset")
    if dataset is not None and dataset.department_id != demand.provider_id:
        raise InvalidInput(_("只能以本部门的目录满足需求"), field="dataset")
    if promised_on is None or promised_on < timezone.localdate(at):
        raise InvalidInput(_("承诺提供日期不能早于今天"), field="promised_on")
    return {"outcome": outcome, "dataset": dataset, "promised_on": promised_on}
