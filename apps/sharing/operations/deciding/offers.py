"""Negotiation (协商): the provider offers narrower terms, the consumer accepts them or does not.

The provider's legal clock goes on meanwhile: an offer is no way to gain time. The consumer has a
clock of its own to answer; what it does not answer lapses, and the provider decides freely.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.accounts import queries as accounts
from apps.accounts.models import User
from apps.clocks import operations as clocks
from apps.core import access
from apps.core.access import Standing
from apps.core.errors import Conflict, IllegalMove, NotAllowed, StaleRevision, required_text
from apps.ledger import operations as ledger
from apps.sharing import queries
from apps.sharing.lifecycle import OFFER
from apps.sharing.models import Offer, SharingRequest, limits_of, wanted_of
from apps.sharing.operations import owed
from apps.sharing.operations.asking import return_flow_terms
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.deciding import narrowing, urgent_terms
from apps.sharing.operations.deciding.open_offers import refuse_open_offer
from apps.sharing.operations.deciding.opinions import put_forward, said
from apps.sharing.operations.deciding.review import require_answering
from apps.sharing.operations.one_by_one import each_by_itself
from apps.sharing.queries.offers import ANSWER_OWED

NEGOTIABLE = SharingRequest.Status.REVIEWING


@attempt("sharing.offer", "request")
def offer(
    *,
    request: SharingRequest,
    actor: User,
    at: datetime,
    reason: str,
    items: Sequence[str] | Mapping[str, str] | None = None,
    row_condition: Sequence[dict[str, Any]] | None = None,
    ends_on: date | None = None,
    mode: str | None = None,
    revision: int | None = None,
    **limits: Any,
) -> Offer:
    """Offer the consumer narrower terms than it asked for, with the reason.

    The terms are written as in `propose`. The provider's clock goes on.

    Source: house rule (issue 5); 《政务数据共享条例》第二十一条 for the clock
    Raises:
        IllegalMove: the request is not being reviewed.
        Conflict: an offer is open already, or the request is urgent.
        InvalidInput: no reason, or terms that are wider than asked or not narrower.
    """
    standing = require_answering(actor, "offer", request, at)
    reason = required_text(reason, _("填写协商的理由"), field="reason")
    request = _held(request)
    if revision is not None and revision != request.revision:
        raise StaleRevision
    if request.status != NEGOTIABLE:
        raise IllegalMove(_("申请不在审核中，不能提出协商条件"))
    return_flow_terms.refuse_conditions(request)
    urgent_terms.refuse_while_urgent(request, _("急件须限时答复，不另协商"))
    refuse_open_offer(request)
    wanted = {"items": items, "row_condition": row_condition, "ends_on": ends_on, "mode": mode}
    made = request.offers.create(
        version=request.offers.count() + 1,
        reason=reason,
        offered_by=actor,
        offered_at=at,
        created_at=at,
        updated_at=at,
        **_terms(request, wanted, limits),
    )
    clock = clocks.start(made, queries.ANSWER, department=request.consumer, at=at)
    _ask(request, made, clock.due_on, at=at)
    details = {"offer": made.version, **said(reason)}
    ledger.record(standing, "sharing.offer", request, at=at, details=details)
    return made


@attempt("sharing.accept_offer", "request")
def accept_offer(
    *, request: SharingRequest, version: int, actor: User, at: datetime, reason: str = ""
) -> SharingRequest:
    """Accept an offer: its terms go on as the provider's opinion, to be confirmed and signed.

    version: which round is answered, so that nobody accepts what he has not read.

    Source: house rule (issue 5)
    Raises:
        NotAllowed: the actor is of the providing department.
        IllegalMove: that round is not open any more.
        InvalidInput: its terms do not hold any more, since the entry was changed.
    """
    standing = _require_consumer(actor, "accept_offer", request, at)
    request = _held(request)
    _refuse_without_offerer(request, version, actor)
    made = _close(request, version, "accept_offer", actor=actor, at=at, words=reason)
    put_forward(
        request,
        standing,
        outcome="narrow",
        terms=_terms(request, wanted_of(made), limits_of(made)),
        proposer=made.offered_by,
        reason=made.reason,
        offer=made,
        note=_("使用部门接受第 %(version)s 次协商条件") % {"version": made.version},
        at=at,
    )
    _tell_provider(request, made, reason, at=at)
    details = {"offer": made.version, **said(reason)}
    ledger.record(standing, "sharing.accept_offer", request, at=at, details=details)
    return request


@attempt("sharing.decline_offer", "request")
def decline_offer(
    *, request: SharingRequest, version: int, actor: User, at: datetime, reason: str
) -> SharingRequest:
    """Say why the offer will not do; the provider may offer again, or decide.

    Source: house rule (issue 5)
    Raises:
        NotAllowed: the actor is of the providing department.
        IllegalMove: that round is not open any more.
    """
    standing = _require_consumer(actor, "decline_offer", request, at)
    request = _held(request)
    made = _close(request, version, "decline_offer", actor=actor, at=at, words=reason)
    _tell_provider(request, made, reason, at=at)
    details = {"offer": made.version, **said(reason)}
    ledger.record(standing, "sharing.decline_offer", request, at=at, details=details)
    return request


@attempt("sharing.retract_offer", "request")
def retract_offer(
    *, request: SharingRequest, version: int, actor: User, at: datetime, reason: str
) -> SharingRequest:
    """Take an offer back, to make another one or to decide.

    Source: house rule (issue 5)
    Raises:
        IllegalMove: that round is not open any more.
    """
    standing = require_answering(actor, "retract_offer", request, at)
    request = _held(request)
    made = _close(request, version, "retract_offer", actor=actor, at=at, words=reason)
    owed.tell_consumer(
        request,
        _("共享申请 %(number)s：提供部门收回第 %(version)s 次协商条件")
        % {"number": request.number, "version": made.version},
        made.closing,
        at=at,
    )
    details = {"offer": made.version, **said(reason)}
    ledger.record(standing, "sharing.retract_offer", request, at=at, details=details)
    return request


@attempt("sharing.lapse_offer", "request")
def lapse_offer(*, request: SharingRequest, version: int, actor: User, at: datetime) -> None:
    """Note that nobody answered in time; the provider decides as if nothing had been offered.

    Source: house rule (issue 5)
    """
    request = _held(request)
    words = _("使用部门逾期未答复")
    made = _close(request, version, "lapse_offer", actor=actor, at=at, words=str(words))
    title = _("共享申请 %(number)s：第 %(version)s 次协商条件逾期未答复，已失效")
    names = {"number": request.number, "version": made.version}
    for tell in (owed.tell_consumer, owed.tell_provider):
        tell(request, title % names, _("由提供部门在法定时限内作出答复"), at=at)
    details = {"offer": made.version, "reason": str(words)}
    provider = owed.provider_of(request)
    ledger.record(
        actor, "sharing.lapse_offer", request, at=at, department=provider, details=details
    )


def lapse_offers(at: datetime) -> int:
    """Let offers lapse that nobody answered in time; return how many. Repeat-safe."""
    platform = accounts.platform_user()
    lapsed, _others = each_by_itself(
        queries.offers_to_lapse(at).select_related("request"),
        lambda made: lapse_offer(request=made.request, version=made.version, actor=platform, at=at),
    )
    return len(lapsed)


def _held(request: SharingRequest) -> SharingRequest:
    """Return the request with its row held: whoever decides on it meanwhile waits."""
    return (
        SharingRequest.objects.select_for_update(of=("self",))
        .select_related("dataset__department", "consumer", "applicant")
        .get(pk=request.pk)
    )


def _terms(
    request: SharingRequest, wanted: Mapping[str, Any], limits: Mapping[str, Any]
) -> dict[str, Any]:
    asked = queries.asked_terms(request)
    assert asked is not None  # recorded when the request was received
    return narrowing.decided_terms(request, asked, "narrow", wanted=wanted, limits=limits)


def _require_consumer(actor: User, action: str, request: SharingRequest, at: datetime) -> Standing:
    """Ask the scope, and keep stand-ins from answering their own department's offer."""
    standing = access.require(actor, action, request, at=at)
    if actor.department_id == request.dataset.department_id:
        raise NotAllowed(_("提供部门不能代使用部门答复协商条件"), code="own_offer")
    return standing


def _refuse_without_offerer(request: SharingRequest, version: int, actor: User) -> None:
    """Let nobody accept for whom nobody of the provider stands any more.

    Raises:
        NotAllowed: he offered it himself, before he changed sides.
        Conflict: who offered it has left the provider.
    """
    made = queries.offers_of(request).filter(version=version).first()
    if made is None:
        return
    if made.offered_by_id == actor.pk:
        raise NotAllowed(_("提出协商条件的人不能自己接受"), code="own_offer")
    person = made.offered_by
    if not person.is_active or person.department not in queries.answering_departments(request):
        raise Conflict(
            _("提出协商条件的人已不在提供部门，请提供部门收回后重新提出"), code="offerer_gone"
        )


def _close(
    request: SharingRequest, version: int, move: str, *, actor: User, at: datetime, words: str
) -> Offer:
    """Close one round; of several who do it at once exactly one wins."""
    made = queries.offers_of(request).filter(version=version).first()
    if made is None:
        raise Conflict(_("没有第 %(version)s 次协商条件") % {"version": version}, code="no_offer")
    OFFER.apply(
        made,
        move,
        actor=actor,
        at=at,
        reason=words,
        closed_by=actor,
        closed_at=at,
        closing=words.strip(),
    )
    if move == "retract_offer":
        clocks.cancel(made, at=at)
    else:
        clocks.stop(made, queries.ANSWER, at=at)
    ledger.close_todos(request, at=at, by=actor, kind=ANSWER_OWED)
    return made


def _ask(request: SharingRequest, made: Offer, due_on: date, *, at: datetime) -> None:
    names = {"number": request.number, "version": made.version}
    ledger.open_todo(
        request,
        ANSWER_OWED,
        title=_("答复共享申请 %(number)s 的协商条件") % names,
        url=owed.offer_page(made),
        department=request.consumer,
        role="department_approver",
        at=at,
        due_on=due_on,
    )
    owed.tell_consumer(
        request,
        _("共享申请 %(number)s：提供部门提出第 %(version)s 次协商条件") % names,
        made.reason,
        at=at,
    )


def _tell_provider(request: SharingRequest, made: Offer, words: str, *, at: datetime) -> None:
    title = _("共享申请 %(number)s：%(status)s（第 %(version)s 次协商条件）")
    names = {
        "number": request.number,
        "status": made.get_status_display(),
        "version": made.version,
    }
    owed.tell_provider(request, title % names, words.strip(), at=at)
