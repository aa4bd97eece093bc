"""Blind review (盲审): ordered by the authority; the second person writes without seeing the first.

Where both say the same, it goes to the head as confirmed. Where they differ, both are opened and
the request is reviewed again, by people who now see each other's reasons. The clock goes on.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import access
from apps.core.access import Standing
from apps.core.errors import Conflict, required_text
from apps.ledger import operations as ledger
from apps.sharing import queries
from apps.sharing.lifecycle import REQUEST
from apps.sharing.models import BlindReviewOrder, SealedOpinion, SharingRequest, terms_of
from apps.sharing.operations import owed
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.deciding import opinions
from apps.sharing.operations.deciding.second_review import hand_to_head, require_second_person


@attempt("sharing.order_blind_review")
def order_blind_review(*, actor: User, at: datetime, reason: str) -> BlindReviewOrder:
    """Let all opinions that need a second person be written blind from now on.

    What waits for its confirmation already goes on as it began.

    Source: house rule (issue 5)
    Raises:
        Conflict: it is so ordered already.
    """
    standing = access.require(actor, "order_blind_review", BlindReviewOrder, at=at)
    reason = required_text(reason, _("填写开启盲审的理由"), field="reason")
    try:
        with transaction.atomic():
            order = BlindReviewOrder.objects.create(reason=reason, ordered_by=actor, ordered_at=at)
    except IntegrityError:
        raise Conflict(_("盲审已经开启"), code="already_blind") from None
    ledger.record(standing, "sharing.order_blind_review", order, at=at, details={"reason": reason})
    return order


@attempt("sharing.lift_blind_review", "order")
def lift_blind_review(
    *, order: BlindReviewOrder, actor: User, at: datetime, reason: str
) -> BlindReviewOrder:
    """Let second persons confirm what they see again; what is sealed now stays so to its end.

    Raises:
        Conflict: it was lifted before.
    """
    standing = access.require(actor, "lift_blind_review", order, at=at)
    reason = required_text(reason, _("填写停止盲审的理由"), field="reason")
    order = BlindReviewOrder.objects.select_for_update(of=("self",)).get(pk=order.pk)
    if order.lifted_at is not None:
        raise Conflict(_("盲审已经停止"), code="not_blind")
    order.lifted_by, order.lifted_at, order.lift_reason = actor, at, reason
    order.save(update_fields=["lifted_by", "lifted_at", "lift_reason"])
    ledger.record(standing, "sharing.lift_blind_review", order, at=at, details={"reason": reason})
    return order


@attempt("sharing.opine", "request")
def opine(
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
    revision: int | None = None,
    **limits: Any,
) -> SharingRequest:
    """Write the second opinion on a request that is reviewed blind; both are then opened.

    The terms are written as in `propose`. The same outcome with the same terms counts as a
    confirmation; anything else sends the request back to be reviewed by both together.

    Source: house rule (issue 5); 《政务数据共享条例》第二十一条 for the clock, which goes on
    Raises:
        NotAllowed: the actor wrote the first one, or stands in for who did.
        Conflict: no opinion is sealed; he is the only one left to sign.
        InvalidInput: as `propose`.
    """
    standing = require_second_person(actor, "opine", request, at)
    first = queries.sealed_opinion(request)
    if first is None:
        raise Conflict(_("本件没有待公开的盲审意见"), code="not_blind")
    wanted = {"items": items, "row_condition": row_condition, "ends_on": ends_on, "mode": mode}
    words = {"reason": reason.strip(), "legal_basis": legal_basis.strip()}
    terms = opinions.terms_of(request, outcome, wanted, limits, **words, missing_papers="", at=at)
    second = request.sealed_opinions.create(
        round=first.round,
        place=2,
        outcome=outcome,
        author=actor,
        written_at=at,
        created_at=at,
        updated_at=at,
        **words,
        **terms,
    )
    request.sealed_opinions.filter(round=first.round).update(opened_at=at)
    is_agreed = first.outcome == outcome and _orderless(first) == _orderless(second)
    settle = _confirm if is_agreed else _review_together
    settle(request, standing, first, second, at=at, revision=revision)
    ledger.record(standing, "sharing.opine", request, at=at, details={"agrees": is_agreed})
    return request


def _orderless(opinion: SealedOpinion) -> dict[str, Any]:
    """Return the terms so that what was only typed in another order is the same."""
    conditions = [
        {**row, "value": sorted(row["value"], key=str)}
        if isinstance(row.get("value"), list) and row["operator"] == "in"
        else row
        for row in opinion.row_condition
    ]
    return {
        **terms_of(opinion),
        "row_condition": sorted(json.dumps(row, sort_keys=True) for row in conditions),
        "allowed_addresses": sorted(opinion.allowed_addresses),
    }


def _confirm(
    request: SharingRequest,
    standing: Standing,
    first: SealedOpinion,
    second: SealedOpinion,
    *,
    at: datetime,
    revision: int | None,
) -> None:
    """Put the opinion that two people came to by themselves on the head's desk."""
    REQUEST.apply(
        request,
        "confirm",
        actor=standing.actor,
        at=at,
        revision=revision,
        proposal=first.outcome,
    )
    request.decisions.create(
        version=request.decisions.count() + 1,
        outcome=first.outcome,
        reason=first.reason,
        legal_basis=first.legal_basis,
        proposed_by=first.author,
        proposed_at=first.written_at,
        needs_confirmation=True,
        confirmed_by=second.author,
        confirmed_at=at,
        confirmation_remark=second.reason,
        **terms_of(first),
    )
    hand_to_head(request, standing, at)


def _review_together(
    request: SharingRequest,
    standing: Standing,
    first: SealedOpinion,
    second: SealedOpinion,
    *,
    at: datetime,
    revision: int | None,
) -> None:
    """Return it to be reviewed; the two learn that they differ, and in what."""
    why = _("两份独立意见不一致，合议后重新提出")
    REQUEST.apply(
        request,
        "send_back_proposal",
        actor=standing.actor,
        at=at,
        reason=str(why),
        revision=revision,
    )
    owed.hand_on(request, by=standing, at=at, due_on=opinions.reply_due_on(request))
    owed.tell_people(
        {first.author, second.author},
        request,
        _("共享申请 %(number)s：两份独立意见不一致") % {"number": request.number},
        _("两份意见已公开；合议后重新提出处理意见，时限照常计算。"),
        at=at,
    )
