"""The head of the asking department's sharing office lets a request go out, or returns it."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from apps.accounts import queries as accounts
from apps.accounts.models import User
from apps.clocks import operations as clocks
from apps.core import access
from apps.ledger import operations as ledger
from apps.sharing import queries
from apps.sharing.lifecycle import REQUEST
from apps.sharing.models import Decision, SharingRequest, limits_of
from apps.sharing.operations import contents, grants, internal_route, owed
from apps.sharing.operations.attempts import attempt


@attempt("sharing.approve_by_head", "request")
def approve_by_head(
    *,
    request: SharingRequest,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> SharingRequest:
    """Approve the own department's request: the provider receives it and its clock starts.

    Unconditional data is granted by the platform in the same breath, with a record of it.

    Source: 《政务数据共享条例》第二十条、第二十一条
    Raises:
        NotAllowed: the actor does not sign for the asking department.
        Conflict: a step of the internal route is still open.
    """
    standing = access.require(actor, "approve_by_head", request, at=at)
    internal_route.refuse_unfinished(request, "consumer")
    contents.refuse_incomplete(request, at)
    REQUEST.apply(
        request,
        "approve_by_head",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        approved_by=actor,
        received_at=at,
    )
    contents.record_asked(request, actor=actor, at=at)
    ledger.record(standing, "sharing.approve_by_head", request, at=at, details=_said(reason))
    if queries.needs_provider(request):
        clock = clocks.start(
            request, "request.conditional", department=owed.provider_of(request), at=at
        )
        owed.hand_on(request, by=standing, at=at, due_on=clock.due_on)
    else:
        _grant_automatically(request, at=at)
    return request


@attempt("sharing.return_by_head", "request")
def return_by_head(
    *,
    request: SharingRequest,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> SharingRequest:
    """Return the request to its author inside the asking department."""
    standing = access.require(actor, "return_by_head", request, at=at)
    REQUEST.apply(request, "return_by_head", actor=actor, at=at, reason=reason, revision=revision)
    internal_route.drop_open(request, "consumer", actor=actor, at=at)
    owed.hand_on(request, by=standing, at=at)
    ledger.record(standing, "sharing.return_by_head", request, at=at, details=_said(reason))
    return request


def _grant_automatically(request: SharingRequest, *, at: datetime) -> None:
    """Grant unconditional data without anybody's decision, and keep the record of why.

    Source: 《政务数据共享条例》第二十一条; house rule (domain §3)
    """
    platform = accounts.platform_user()
    provider = owed.provider_of(request)
    clocks.start(request, "request.unconditional", department=provider, at=at)
    reason = _("无条件共享数据，由平台按目录规定自动授权")
    REQUEST.apply(
        request,
        "grant_automatically",
        actor=platform,
        at=at,
        reason=str(reason),
        is_automatic=True,
        decided_at=at,
        decision_reason=str(reason),
        proposal="agree",
    )
    clocks.stop(request, "request.unconditional", at=at)
    decision = _automatic_decision(request, by=platform, at=at, reason=str(reason))
    grants.open_grant(request, decision, at=at)
    owed.hand_on(request, by=platform, at=at)
    ledger.record(
        platform,
        "sharing.grant_automatically",
        request,
        at=at,
        department=provider,
        details={
            "sharing_attribute": request.dataset.sharing_attribute,
            "condition": request.dataset.sharing_condition,
            "items": [item["name"] for item in decision.items],
        },
    )
    owed.tell_provider(
        request,
        _("%(consumer)s获得“%(dataset)s”的授权")
        % {"consumer": request.consumer, "dataset": request.dataset},
        reason,
        at=at,
    )


def _automatic_decision(
    request: SharingRequest, *, by: User, at: datetime, reason: str
) -> Decision:
    """Write down what was asked as what is given."""
    asked = queries.asked_terms(request)
    assert asked is not None  # recorded when the request was received
    return request.decisions.create(
        version=asked.version + 1,
        outcome="automatic",
        items=asked.items,
        row_condition=asked.row_condition,
        mode=asked.mode,
        starts_on=asked.starts_on,
        ends_on=asked.ends_on,
        reason=reason,
        proposed_by=by,
        proposed_at=at,
        signed_by=by,
        signed_at=at,
        **limits_of(asked),
    )


def _said(reason: str) -> dict[str, str]:
    return {"reason": reason.strip()} if reason.strip() else {}
