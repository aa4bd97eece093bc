"""An opinion on a request as it is written down: its terms, its words, sealed or put forward.

Called by the use cases of review, negotiation and blind review, which have asked permission, hold
the request's row, and write the event.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.clocks import queries as clock_queries
from apps.core.access import Standing
from apps.core.errors import Conflict, InvalidInput, required_text
from apps.sharing import queries
from apps.sharing.lifecycle import REQUEST
from apps.sharing.models import Decision, Offer, SealedOpinion, SharingRequest
from apps.sharing.operations import owed
from apps.sharing.operations.asking import return_flow_terms
from apps.sharing.operations.deciding import narrowing, urgent_terms

PLACEHOLDER: Final = "〔写明"  # in an offered basis; numbers of documents have such brackets, too


def terms_of(
    request: SharingRequest,
    outcome: str,
    wanted: Mapping[str, Any],
    limits: Mapping[str, Any],
    *,
    reason: str,
    legal_basis: str,
    missing_papers: str,
    at: datetime,
) -> dict[str, Any]:
    """Return the terms of an opinion as the fields of a decision; wanted, limits: see `propose`.

    Raises:
        InvalidInput: no reason where one is due, or terms that are wider than asked.
    """
    asked = queries.asked_terms(request)
    assert asked is not None  # recorded when the request was received
    terms = narrowing.decided_terms(request, asked, outcome, wanted=wanted, limits=limits)
    _require_words(outcome, reason, legal_basis)
    return_flow_terms.check_opinion(request, outcome, legal_basis)
    return urgent_terms.temporary_terms(
        request, outcome, terms, reason=reason, missing_papers=missing_papers, at=at
    )


def put_forward(
    request: SharingRequest,
    standing: Standing,
    *,
    outcome: str,
    terms: dict[str, Any],
    proposer: User,
    reason: str,
    at: datetime,
    legal_basis: str = "",
    revision: int | None = None,
    offer: Offer | None = None,
    note: str = "",
) -> Decision:
    """Write an opinion down and hand it on: to a second person where one is due, then to the head.

    Whoever calls has asked permission and writes the event. offer: what the consumer accepted;
    the opinion is then that of who offered it. note: what the history says instead of the reason.
    """
    drop_sealed(request, at)
    needs_confirmation = queries.needs_second_review(request)
    REQUEST.apply(
        request,
        "propose_for_confirmation" if needs_confirmation else "propose",
        actor=standing.actor,
        at=at,
        reason=note or reason,
        revision=revision,
        proposal=outcome,
        proposed_by=proposer,
    )
    decision = request.decisions.create(
        version=request.decisions.count() + 1,
        outcome=outcome,
        reason=reason.strip(),
        legal_basis=legal_basis.strip(),
        offer=offer,
        proposed_by=proposer,
        proposed_at=at,
        needs_confirmation=needs_confirmation,
        **terms,
    )
    if needs_confirmation or not queries.current_steps(request, "provider").exists():
        owed.hand_on(request, by=standing, at=at, due_on=reply_due_on(request))
    return decision


def seal(
    request: SharingRequest,
    standing: Standing,
    *,
    outcome: str,
    terms: dict[str, Any],
    proposer: User,
    reason: str,
    at: datetime,
    legal_basis: str = "",
    revision: int | None = None,
) -> SealedOpinion:
    """Keep the first of two opinions where nobody sees it; the second person writes his own.

    Neither the request, nor its history, nor the event tells what it says.
    """
    drop_sealed(request, at)
    REQUEST.apply(
        request,
        "propose_for_confirmation",
        actor=standing.actor,
        at=at,
        revision=revision,
        proposal="",
        proposed_by=proposer,
    )
    sealed = request.sealed_opinions.create(
        round=request.sealed_opinions.filter(place=1).count() + 1,
        place=1,
        outcome=outcome,
        reason=reason.strip(),
        legal_basis=legal_basis.strip(),
        author=proposer,
        written_at=at,
        created_at=at,
        updated_at=at,
        **terms,
    )
    owed.hand_on(request, by=standing, at=at, due_on=reply_due_on(request))
    return sealed


def drop_sealed(request: SharingRequest, at: datetime) -> None:
    """Give up what was sealed before the request went another way; it stays unread."""
    request.sealed_opinions.filter(opened_at=None, dropped_at=None).update(dropped_at=at)


def refuse_while_sealed(request: SharingRequest) -> None:
    """Refuse what answers an opinion that nobody may see yet.

    Raises:
        Conflict: the second person has not written his own opinion.
    """
    if queries.sealed_opinion(request) is not None:
        raise Conflict(_("本件盲审：先写出自己的意见，两份意见同时公开"), code="blind_review")


def _require_words(outcome: str, reason: str, legal_basis: str) -> None:
    """Ask for the reason of less than what was asked, and for the basis of a refusal."""
    if outcome in ("narrow", "refuse"):
        required_text(reason, _("填写理由"), field="reason")
    if outcome == "refuse":
        basis = required_text(legal_basis, _("填写不予共享的依据"), field="legal_basis")
        if PLACEHOLDER in basis:
            raise InvalidInput(_("把〔〕里的内容写具体"), field="legal_basis")


def reply_due_on(request: SharingRequest) -> date | None:
    clock = clock_queries.running(request).first()
    return clock.due_on if clock else None


def said(reason: str) -> dict[str, str]:
    return {"reason": reason.strip()} if reason.strip() else {}
