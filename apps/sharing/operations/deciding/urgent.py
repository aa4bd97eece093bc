"""Urgent need (急件): the authority orders an answer within hours; the rest follows afterwards."""

from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts import queries as accounts
from apps.accounts.models import User
from apps.clocks import operations as clocks
from apps.clocks import queries as clock_queries
from apps.core import access
from apps.core.errors import Conflict, InvalidInput, NotAllowed, required_text
from apps.ledger import operations as ledger
from apps.sharing import provisioning, queries
from apps.sharing.lifecycle import REQUEST
from apps.sharing.models import Grant, SharingRequest, Urgency
from apps.sharing.operations import owed
from apps.sharing.operations.asking import return_flow_terms
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.deciding import internal_route
from apps.sharing.operations.deciding.open_offers import close_open_offer
from apps.sharing.operations.deciding.opinions import drop_sealed
from apps.sharing.operations.deciding.review import require_answering
from apps.sharing.operations.deciding.urgent_terms import PAPERS_OWED, RESUME_OWED, REVIEW_OWED
from apps.sharing.operations.holding.grants import demand_rectification, stop_serving

LONGEST_HOURS: Final = 72


@attempt("sharing.mark_urgent", "request")
def mark_urgent(
    *,
    request: SharingRequest,
    kind: str,
    hours: int,
    reason: str,
    actor: User,
    at: datetime,
    revision: int | None = None,
) -> SharingRequest:
    """Order that a received request be answered within hours; it is reviewed (anew) at once.

    `reason` is the basis of the order. Form check, supplement and what was proposed before fall
    away: the opinion is now about a temporary use. The legal clock gives way to the shorter one.

    Source: house rule (domain §2, issue 5)
    Units: `hours` run through nights and days off, 72 at most.
    Raises:
        NotAllowed: the actor is not of the authority, or his own department asks.
        Conflict: it is urgent already.
        InvalidInput: an unknown kind; no sooner than it is due anyway.
    """
    standing = require_answering(actor, "mark_urgent", request, at)
    request = SharingRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
    if queries.urgency_of(request) is not None:
        raise Conflict(_("该申请已列为急件"), code="already_urgent")
    return_flow_terms.refuse_other_time(request)
    _check_order(request, kind, hours, at)
    REQUEST.apply(request, "mark_urgent", actor=actor, at=at, reason=reason, revision=revision)
    urgency = Urgency.objects.create(
        request=request,
        kind=kind,
        basis=reason.strip(),
        hours=hours,
        grant_days=settings.HUILIU_URGENT_GRANT_DAYS,
        ordered_by=actor,
        ordered_at=at,
    )
    _clear_the_way(request, actor=actor, at=at)
    clock = clocks.start(
        request, queries.URGENT, department=owed.provider_of(request), at=at, length=hours
    )
    owed.hand_on(request, by=standing, at=at, due_on=clock.due_on)
    owed.tell_urgent(request, urgency, due_at=clock.due_at, at=at)
    details = {"kind": kind, "hours": hours, "reason": urgency.basis}
    ledger.record(standing, "sharing.mark_urgent", request, at=at, details=details)
    return request


@attempt("sharing.backfill", "request")
def backfill(*, request: SharingRequest, actor: User, at: datetime, reason: str) -> SharingRequest:
    """Hand in the papers that an urgent decision did without; `reason` says what was handed in.

    Where the grant was stopped meanwhile, the provider's head looks at them and resumes it.

    Source: house rule (domain §2)
    Raises:
        NotAllowed: not of the asking department, or nothing is owed.
        Conflict: no paper was added since the order.
    """
    standing = access.require(actor, "backfill", request, at=at)
    reason = required_text(reason, _("填写补办了哪些材料"), field="reason")
    urgency = Urgency.objects.select_for_update().get(request=request)
    if not request.attachments.filter(added_at__gte=urgency.ordered_at).exists():
        raise Conflict(_("先添加补办的材料作为附件"), code="papers_missing")
    changed = Urgency.objects.filter(pk=urgency.pk, papers_at=None).update(
        papers_by=actor, papers_at=at
    )
    if not changed:
        raise Conflict(_("材料已经补办"), code="papers_in")
    if clock_queries.running(request).filter(policy__code=queries.BACKFILL).exists():
        clocks.stop(request, queries.BACKFILL, at=at)
    ledger.close_todos(request, at=at, by=actor, kind=PAPERS_OWED)
    title = _("急件 %(number)s 已补办材料") % {"number": request.number}
    owed.tell_provider(request, title, reason, at=at)
    _ask_to_resume(request, at=at)
    ledger.record(standing, "sharing.backfill", request, at=at, details={"reason": reason})
    return request


@attempt("sharing.review_urgent", "request")
def review_urgent(
    *, request: SharingRequest, justified: bool, reason: str, actor: User, at: datetime
) -> SharingRequest:
    """Say afterwards whether the need was urgent indeed; both departments are told.

    Source: house rule (issue 5)
    Raises:
        NotAllowed: the actor gave the order himself, or it is not decided yet.
        Conflict: it has been reviewed.
    """
    urgency = queries.urgency_of(request)
    if urgency is not None and urgency.ordered_by_id == actor.pk:
        raise NotAllowed(_("事后审查须由列为急件以外的人办理"), code="own_order")
    standing = access.require(actor, "review_urgent", request, at=at)
    reason = required_text(reason, _("填写事后审查意见"), field="reason")
    changed = Urgency.objects.filter(request=request, reviewed_at=None).update(
        is_justified=justified, review_remark=reason, reviewed_by=actor, reviewed_at=at
    )
    if not changed:
        raise Conflict(_("该急件已经事后审查"), code="already_reviewed")
    ledger.close_todos(request, at=at, by=actor, kind=REVIEW_OWED)
    verdict = _("确属紧急") if justified else _("不属紧急")
    title = _("急件 %(number)s 事后审查：%(verdict)s") % {
        "number": request.number,
        "verdict": verdict,
    }
    owed.tell_consumer(request, title, reason, at=at)
    owed.tell_provider(request, title, reason, at=at)
    details = {"justified": justified, "reason": reason}
    ledger.record(standing, "sharing.review_urgent", request, at=at, details=details)
    return request


@transaction.atomic
def suspend_without_papers(*, grant: Grant, at: datetime) -> Grant:
    """Stop a temporary grant whose missing papers did not follow in time. Repeat-safe.

    One whose papers came in the last moment is returned as it is.

    Source: house rule (domain §2)
    """
    provisioning.hold_lock()
    urgency = Urgency.objects.select_for_update().get(request=grant.request_id)
    if not urgency.lacks_papers:
        return grant
    platform = accounts.platform_user()
    words = _("急件的材料逾期未补办：%(papers)s") % {"papers": urgency.missing_papers}
    reason = str(words)
    stop_serving(grant, actor=platform, at=at, reason=reason)
    demand_rectification(grant, at=at)
    details = {"reason": reason}
    ledger.record(
        platform, "sharing.suspend", grant, at=at, department=grant.provider, details=details
    )
    return grant


def _check_order(request: SharingRequest, kind: str, hours: int, at: datetime) -> None:
    if kind not in Urgency.Kind.values:
        raise InvalidInput(_("没有这种急件类型"), field="kind")
    if not 1 <= hours <= LONGEST_HOURS:
        raise InvalidInput(
            _("急件的答复时限为 1 至 %(most)s 小时") % {"most": LONGEST_HOURS}, field="hours"
        )
    clock = clock_queries.running(request).filter(policy__code=queries.CONDITIONAL).first()
    if clock is None or clock.state != clock.State.RUNNING:
        return
    left = (clock.due_at - at).total_seconds() / 3600
    if 0 < left <= hours:
        raise InvalidInput(
            _("原时限剩余不足 %(hours)s 小时，急件的时限应更短") % {"hours": hours},
            code="not_sooner",
            field="hours",
        )


def _clear_the_way(request: SharingRequest, *, actor: User, at: datetime) -> None:
    """Take away what would hold it up: the longer clock, more time asked for, the way inside."""
    clocks.cancel(request, queries.CONDITIONAL, at=at)
    for extension in request.extensions.filter(decided_at=None):
        remark = str(_("已列为急件，不再延期"))
        request.extensions.filter(pk=extension.pk, decided_at=None).update(
            consented=False, decided_by=actor, decided_at=at, remark=remark
        )
        ledger.close_todos(extension, at=at, by=actor)
    close_open_offer(request, actor=actor, at=at, why=_("已列为急件"))
    drop_sealed(request, at)
    internal_route.drop_open(request, "provider", actor=actor, at=at)


def _ask_to_resume(request: SharingRequest, *, at: datetime) -> None:
    """Ask the provider's head to resume what the platform stopped, not what people did."""
    stopped = Grant.objects.filter(status="suspended", suspended_by=accounts.platform_user())
    grant = stopped.filter(request=request).first()
    if grant is None:
        return
    ledger.open_todo(
        grant,
        RESUME_OWED,
        title=_("核对急件 %(number)s 补办的材料，恢复授权") % {"number": request.number},
        url=f"/work/grants/{grant.pk}/",
        department=grant.provider,
        role="department_approver",
        at=at,
    )
