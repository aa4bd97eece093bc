"""A second person of the provider confirms the reviewer's opinion before its head signs (复核)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.access import Standing
from apps.core.errors import Conflict, NotAllowed
from apps.ledger import operations as ledger
from apps.ledger import queries as ledger_queries
from apps.sharing import queries
from apps.sharing.lifecycle import REQUEST
from apps.sharing.models import SharingRequest
from apps.sharing.operations import owed
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.deciding.opinions import refuse_while_sealed, reply_due_on, said
from apps.sharing.operations.deciding.review import hold_and_require


@attempt("sharing.confirm", "request")
def confirm(
    *,
    request: SharingRequest,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> SharingRequest:
    """Confirm what a colleague proposed on data of high grade or sensitive personal information.

    `reason` is a remark for the head who signs. Who disagrees sends the proposal back.

    Source: house rule (issue 5); 《政务数据共享条例》第二十一条 for the clock, which goes on
    Raises:
        NotAllowed: the actor proposed it, or stands in for who did.
        Conflict: he is the only one left to sign it; it is reviewed blind.
    """
    standing = require_second_person(actor, "confirm", request, at)
    refuse_while_sealed(request)
    REQUEST.apply(request, "confirm", actor=actor, at=at, reason=reason, revision=revision)
    decision = queries.latest_decision(request)
    assert decision is not None  # what awaits a second review was proposed
    decision.confirmed_by, decision.confirmed_at = actor, at
    decision.confirmation_remark = reason.strip()
    decision.save(update_fields=["confirmed_by", "confirmed_at", "confirmation_remark"])
    hand_to_head(request, standing, at)
    details = {"version": decision.version, **said(reason)}
    ledger.record(standing, "sharing.confirm", request, at=at, details=details)
    return request


def require_second_person(
    actor: User, action: str, request: SharingRequest, at: datetime
) -> Standing:
    """Hold the request's row and ask whether the actor may be its second person.

    Raises:
        NotAllowed, Conflict: as `confirm`.
    """
    is_awaited = request.status in REQUEST.move("confirm").sources
    if is_awaited and request.proposed_by_id == actor.pk:
        raise NotAllowed(_("复核须由提出处理意见以外的人办理"), code="own_proposal")
    standing = hold_and_require(actor, action, request, at)
    if request.status in REQUEST.move("confirm").sources and not queries.leaves_signer(
        request, actor, at
    ):
        raise Conflict(
            _("由此人复核后，没有其他负责人可以签发；须由另一人复核"), code="no_signer_left"
        )
    return standing


def hand_to_head(request: SharingRequest, standing: Standing, at: datetime) -> None:
    """Put what was confirmed on the head's desk, unless the way inside goes on before."""
    if queries.current_steps(request, "provider").exists():
        ledger.close_todos(request, at=at, by=standing.actor)
    else:
        owed.hand_on(request, by=standing, at=at, due_on=reply_due_on(request))


@transaction.atomic
def look_for_second_person(*, request: SharingRequest, at: datetime) -> None:
    """Ask again who can confirm, since people come and go while a request waits. Repeat-safe.

    Source: house rule (issue 5): a missing second person never lets the clock run out in silence
    """
    waiting = queries.awaiting_second_review().select_for_update(of=("self",))
    current = waiting.filter(pk=request.pk).first()
    if current is None:
        return
    todos = ledger_queries.open_todos_of(current)
    asked = set(todos.filter(kind=owed.SECOND_ASKED).values_list("assignee", flat=True))
    able = {person.pk for person in queries.second_reviewers(current, at)}
    is_said = todos.filter(kind=owed.SECOND_MISSING).exists()
    if not able or is_said or able - asked:
        owed.ask_second_person(current, at=at, due_on=reply_due_on(current))
