"""The reviewer takes his opinion back before anybody after him has acted on it (撤回意见)."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.errors import Conflict, NotAllowed
from apps.ledger import operations as ledger
from apps.sharing import queries
from apps.sharing.lifecycle import REQUEST
from apps.sharing.models import SharingRequest
from apps.sharing.operations import owed
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.deciding.opinions import drop_sealed, reply_due_on, said
from apps.sharing.operations.deciding.review import hold_and_require


@attempt("sharing.retract_proposal", "request")
def retract_proposal(
    *,
    request: SharingRequest,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> SharingRequest:
    """Take one's own opinion back, to write another; the old one stays among the versions.

    As when it is sent back, the clock goes on and the request is reviewed as before. A sealed
    opinion stays unread.

    Source: house rule (issue 5)
    Raises:
        NotAllowed: another person gave it.
        Conflict: somebody after him has acted on it, or the consumer accepted its terms.
    """
    standing = hold_and_require(actor, "retract_proposal", request, at)
    if request.proposed_by_id != actor.pk:
        raise NotAllowed(_("处理意见只由提出人本人撤回"), code="others_proposal")
    if request.status in REQUEST.move("retract_proposal").sources:
        refuse_acted_on(request)
    REQUEST.apply(request, "retract_proposal", actor=actor, at=at, reason=reason, revision=revision)
    drop_sealed(request, at)
    owed.hand_on(request, by=standing, at=at, due_on=reply_due_on(request))
    ledger.record(standing, "sharing.retract_proposal", request, at=at, details=said(reason))
    return request


def refuse_acted_on(request: SharingRequest) -> None:
    """Refuse to take back what others rely on already.

    Raises:
        Conflict: it was confirmed, a step after it passed, or its terms were accepted.
    """
    if queries.sealed_opinion(request) is not None:
        return
    decision = queries.standing_decision(request)
    if decision is None:
        return
    if decision.offer_id is not None:
        raise Conflict(
            _("使用部门已接受这些条件，不能撤回；要改的由负责人退回重审"), code="offer_accepted"
        )
    later = request.route_steps.filter(
        side="provider", outcome="passed", done_at__gte=decision.proposed_at
    )
    if decision.confirmed_at is not None or later.exists():
        raise Conflict(
            _("后续环节已经办理，不能撤回；要改的由负责人退回重审"), code="already_handled"
        )
