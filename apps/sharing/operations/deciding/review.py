"""The providing department checks a request, forms an opinion, and its head signs the reply."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.clocks import operations as clocks
from apps.core import access
from apps.core.access import Standing
from apps.core.errors import Conflict, IllegalMove, NotAllowed
from apps.ledger import operations as ledger
from apps.sharing import queries
from apps.sharing.lifecycle import REQUEST
from apps.sharing.models import Decision, SharingRequest
from apps.sharing.operations import owed
from apps.sharing.operations.asking.demand_news import give_back
from apps.sharing.operations.asking.return_flow_terms import refuse_supplement
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.deciding import internal_route, opinions, urgent_terms
from apps.sharing.operations.deciding.open_offers import close_open_offer, refuse_open_offer
from apps.sharing.operations.deciding.opinions import reply_due_on, said
from apps.sharing.operations.holding import delivering


@attempt("sharing.accept_form", "request")
def accept_form(
    *,
    request: SharingRequest,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> SharingRequest:
    """Accept the papers as complete; the substance is reviewed next.

    Source: 《政务数据共享条例》第二十一条
    """
    standing = require_answering(actor, "accept_form", request, at)
    REQUEST.apply(request, "accept_form", actor=actor, at=at, reason=reason, revision=revision)
    owed.hand_on(request, by=standing, at=at, due_on=reply_due_on(request))
    ledger.record(standing, "sharing.accept_form", request, at=at, details=said(reason))
    return request


@attempt("sharing.ask_supplement", "request")
def ask_supplement(
    *,
    request: SharingRequest,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> SharingRequest:
    """Tell the consumer once, in one notice, everything that is missing; the clock rests meanwhile.

    Source: 《政务数据共享条例》第二十一条
    Raises:
        Conflict: a supplement was asked for before; all defects belong into one notice. The
            request is urgent.
    """
    standing = require_answering(actor, "ask_supplement", request, at)
    refuse_supplement(request)
    urgent_terms.refuse_while_urgent(request, _("急件先答复，所缺材料在处理意见中列明、事后补办"))
    if request.supplement_asked_at is not None:
        raise Conflict(
            _("补正只能通知一次，所缺内容须一次告知；现应审核并答复"), code="supplement_asked"
        )
    REQUEST.apply(
        request,
        "ask_supplement",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        supplement_asked_at=at,
        supplement_notice=reason.strip(),
    )
    clocks.pause(request, "request.conditional", at=at, reason=str(_("等待使用部门补正")))
    close_open_offer(request, actor=actor, at=at, why=_("申请已退回补正"))
    owed.hand_on(request, by=standing, at=at)
    owed.tell_consumer(
        request,
        _("共享申请 %(number)s 须补正") % {"number": request.number},
        reason.strip(),
        at=at,
    )
    ledger.record(standing, "sharing.ask_supplement", request, at=at, details=said(reason))
    return request


@attempt("sharing.propose", "request")
def propose(
    *,
    request: SharingRequest,
    outcome: str,
    actor: User,
    at: datetime,
    items: Sequence[str] | Mapping[str, str] | None = None,
    row_condition: Sequence[dict[str, Any]] | None = None,
    ends_on: date | None = None,
    mode: str | None = None,
    reason: str = "",
    legal_basis: str = "",
    missing_papers: str = "",
    revision: int | None = None,
    **limits: Any,
) -> SharingRequest:
    """Propose to agree, to agree in part, or to refuse; the head signs it.

    outcome: agree, narrow or refuse. For narrow: fewer items or stronger masks, more row
    conditions, verification instead of reading, an earlier end, tighter limits (`LIMIT_FIELDS`),
    never anything wider than what was asked; for agree nothing narrower either. An urgent request
    gets a temporary use; missing_papers: what its consumer hands in afterwards.

    While review is blind (`BlindReviewOrder`), it is sealed until a second person has written his.

    Source: 《政务数据共享条例》第二十一条
    Raises:
        InvalidInput: no reason where one is due, or terms that are wider than asked.
        Conflict: an offer is with the consumer; it may be taken back.
    """
    standing = hold_and_require(actor, "propose", request, at)
    wanted = {"items": items, "row_condition": row_condition, "ends_on": ends_on, "mode": mode}
    words: dict[str, Any] = {"reason": reason, "legal_basis": legal_basis}
    terms = opinions.terms_of(
        request, outcome, wanted, limits, **words, missing_papers=missing_papers, at=at
    )
    opinion: dict[str, Any] = {
        "outcome": outcome,
        "terms": terms,
        **words,
        "revision": revision,
        "at": at,
    }
    put = opinions.seal if queries.is_reviewed_blind(request) else opinions.put_forward
    written = put(request, standing, proposer=actor, **opinion)
    refuse_open_offer(request)  # now that the row is held
    ledger.record(standing, "sharing.propose", request, at=at, details=written.told)
    return request


@attempt("sharing.send_back_proposal", "request")
def send_back_proposal(
    *,
    request: SharingRequest,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> SharingRequest:
    """Return the proposal to the reviewer instead of confirming or signing it.

    Who may depends on whom it lies with, so the row is held before that is asked.

    Raises:
        Conflict: it is reviewed blind; the second person writes an opinion of his own instead.
    """
    standing = hold_and_require(actor, "send_back_proposal", request, at)
    opinions.refuse_while_sealed(request)
    REQUEST.apply(
        request, "send_back_proposal", actor=actor, at=at, reason=reason, revision=revision
    )
    owed.hand_on(request, by=standing, at=at, due_on=reply_due_on(request))
    ledger.record(standing, "sharing.send_back_proposal", request, at=at, details=said(reason))
    return request


def sign(
    *,
    request: SharingRequest,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> SharingRequest:
    """Sign what the reviewer proposed, whichever it is."""
    decide = refuse if request.proposal == "refuse" else agree
    return decide(request=request, actor=actor, at=at, reason=reason, revision=revision)


@attempt("sharing.agree", "request")
def agree(
    *,
    request: SharingRequest,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> SharingRequest:
    """Sign an agreement, whole or in part; delivery is owed from now on.

    Source: 《政务数据共享条例》第二十一条、第二十二条
    Raises:
        NotAllowed: the actor does not sign for the provider, or signs his own proposal.
    """
    standing = hold_and_require(actor, "agree", request, at)
    decision = _decision_to_sign(request, standing)
    REQUEST.apply(
        request,
        "agree",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        decided_by=actor,
        decided_at=at,
        decision_reason=reason.strip() or decision.reason,
    )
    _sign(decision, actor, at)
    clocks.stop(request, queries.reply_clock_of(request), at=at)
    clocks.start(request, "request.deliver", department=owed.provider_of(request), at=at)
    grant = delivering.give_effect(request, decision, at=at)
    owed.hand_on(request, by=standing, at=at)
    urgent_terms.ask_review(request, at=at)
    owed.tell_consumer(
        request,
        _("共享申请 %(number)s：%(outcome)s")
        % {"number": request.number, "outcome": decision.get_outcome_display()},
        request.decision_reason,
        at=at,
    )
    ledger.record(
        standing,
        "sharing.agree",
        request,
        at=at,
        details={
            "outcome": decision.outcome,
            "version": decision.version,
            "grant": grant.pk,
            **said(reason),
        },
    )
    return request


@attempt("sharing.refuse", "request")
def refuse(
    *,
    request: SharingRequest,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> SharingRequest:
    """Sign a refusal, with the reason and the basis that the regulation requires.

    `reason` may be left out: then the reviewer's stands.

    Source: 《政务数据共享条例》第二十一条
    Raises:
        NotAllowed: the actor does not sign for the provider, or signs his own proposal.
        IllegalMove: the request no longer awaits a decision.
    """
    standing = hold_and_require(actor, "refuse", request, at)
    decision = _decision_to_sign(request, standing)
    REQUEST.apply(
        request,
        "refuse",
        actor=actor,
        at=at,
        reason=reason or decision.reason,
        revision=revision,
        decided_by=actor,
        decided_at=at,
        decision_reason=reason.strip() or decision.reason,
        legal_basis=decision.legal_basis,
    )
    _sign(decision, actor, at)
    clocks.stop(request, queries.reply_clock_of(request), at=at)
    owed.hand_on(request, by=standing, at=at)
    urgent_terms.ask_review(request, at=at)
    give_back(request, _("共享申请 %(number)s 不予共享"), at=at)
    owed.tell_consumer(
        request,
        _("共享申请 %(number)s：不予共享") % {"number": request.number},
        _("理由：%(reason)s 依据：%(basis)s")
        % {"reason": request.decision_reason, "basis": request.legal_basis},
        at=at,
    )
    ledger.record(
        standing,
        "sharing.refuse",
        request,
        at=at,
        details={"reason": request.decision_reason, "legal_basis": request.legal_basis},
    )
    return request


def require_answering(actor: User, action: str, request: SharingRequest, at: datetime) -> Standing:
    """Ask the scope, and keep stand-ins from deciding on their own department's request."""
    standing = access.require(actor, action, request, at=at)
    if actor.department_id == request.consumer_id:
        raise NotAllowed(_("不能办理本部门提出的申请的审核和答复"), code="own_request")
    return standing


def hold_and_require(actor: User, action: str, request: SharingRequest, at: datetime) -> Standing:
    """Hold the row until the transaction ends, see it as it is now, and ask who may answer.

    Whatever is asked of the request afterwards, urgency and latest opinion too, stays true.
    """
    request.refresh_from_db(from_queryset=SharingRequest.objects.select_for_update(of=("self",)))
    return require_answering(actor, action, request, at)


def _decision_to_sign(request: SharingRequest, standing: Standing) -> Decision:
    internal_route.refuse_unfinished(request, "provider")
    decision = queries.latest_decision(request)
    if decision is None or decision.signed_at is not None:
        raise IllegalMove(_("没有待签发的处理意见"))
    if decision.proposed_by_id == standing.actor.pk:
        raise NotAllowed(_("处理意见须由提出人以外的负责人签发"), code="own_proposal")
    is_awaited = request.status in REQUEST.move("agree").sources
    if is_awaited and decision.confirmed_by_id is None and queries.needs_second_review(request):
        raise Conflict(
            _("须经复核才能签发：数据为 3 级以上或者含敏感个人信息；先退回重审"),
            code="second_review_due",
        )
    if decision.confirmed_by in (standing.actor, standing.principal or standing.actor):
        raise NotAllowed(_("复核人不能签发自己复核的处理意见"), code="own_second_review")
    return decision


def _sign(decision: Decision, actor: User, at: datetime) -> None:
    decision.signed_by, decision.signed_at = actor, at
    decision.save(update_fields=["signed_by", "signed_at"])
