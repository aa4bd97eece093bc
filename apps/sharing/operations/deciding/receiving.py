"""A request reaches the provider: its clock starts, or unconditional data is granted at once."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from apps.accounts import queries as accounts
from apps.accounts.models import User
from apps.clocks import operations as clocks
from apps.core.access import Standing
from apps.ledger import operations as ledger
from apps.sharing import queries
from apps.sharing.lifecycle import REQUEST
from apps.sharing.models import Decision, SharingRequest, terms_of
from apps.sharing.operations import owed
from apps.sharing.operations.asking import contents
from apps.sharing.operations.holding import delivering


def receive(request: SharingRequest, *, by: Standing, at: datetime) -> None:
    """Keep what was asked, and let the provider's legal clock run from now on.

    Unconditional data is granted by the platform in the same breath. Called by who sends it on,
    which has asked permission, moved the request and written the event.

    Source: 《政务数据共享条例》第二十一条
    """
    approved_by = request.approved_by
    assert approved_by is not None  # nothing is received that the own head did not let out
    contents.record_asked(request, actor=approved_by, at=at)
    if queries.needs_provider(request):
        clock = clocks.start(
            request,
            queries.reply_clock_of(request),
            department=owed.provider_of(request),
            at=at,
        )
        owed.hand_on(request, by=by, at=at, due_on=clock.due_on)
    else:
        _grant_automatically(request, at=at)


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
    delivering.give_effect(request, decision, at=at)
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
        reason=reason,
        proposed_by=by,
        proposed_at=at,
        signed_by=by,
        signed_at=at,
        **terms_of(asked),
    )
