"""The yearly look at every grant: the consumer says its need, the provider's head decides.

Source: house rule (issue 5: yearly re-certification)
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.clocks import operations as clocks
from apps.core import access
from apps.core.errors import InvalidInput, required_text
from apps.ledger import operations as ledger
from apps.sharing import provisioning
from apps.sharing.lifecycle import RECERTIFICATION
from apps.sharing.models import Grant, Recertification
from apps.sharing.operations import owed
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.holding.grants import end, refuse_own_use
from apps.sharing.operations.holding.narrow_grant import narrow
from apps.sharing.operations.one_by_one import Tried, try_each
from apps.sharing.queries import figures, thrift

DECIDE: Final = "grant.recertify"
STATE_NEED: Final = "grant.state_need"


@attempt("sharing.state_need", "recertification")
def state_need(
    *,
    recertification: Recertification,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> Recertification:
    """Say why the grant is still needed; the provider's head decides next.

    Raises:
        NotAllowed: the actor does not work for the consumer.
        IllegalMove: it was said already, or the days for it are over.
    """
    standing = access.require(actor, "state_need", recertification, at=at)
    reason = required_text(reason, _("填写继续使用的理由"), field="reason")
    RECERTIFICATION.apply(
        recertification,
        "state_need",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        need=reason,
        need_stated_at=at,
        need_stated_by=actor,
    )
    clocks.stop(recertification, STATE_NEED, at=at)
    hand_to_head(recertification, by=actor, at=at)
    details = {"reason": reason}
    ledger.record(standing, "sharing.state_need", recertification.grant, at=at, details=details)
    return recertification


@attempt("sharing.decide", "recertification")
def decide(
    *,
    recertification: Recertification,
    outcome: str,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> Recertification:
    """Continue the grant, narrow it to what was used, or end it.

    Narrowing takes the terms that the thrift report proposes now; other terms are written on the
    grant's own page, which then continues narrower.

    Raises:
        NotAllowed: the actor is not the provider's head, nor of the authority after the due day; he
            works for the consumer.
        InvalidInput: no such outcome; an end without reason; `no_proposal`, all is used.
        IllegalMove: it is decided, or the consumer may still say its need.
    """
    standing = access.require(actor, "decide", recertification, at=at)
    refuse_own_use(actor, recertification.grant)
    reason = reason.strip()
    if outcome not in Recertification.Outcome.values:
        raise InvalidInput(_("复核结论为继续、收窄或者终止"), field="outcome")
    if outcome == Recertification.Outcome.END:
        reason = required_text(reason, _("终止须填写理由"), field="reason")
    grant = recertification.grant
    used = figures.figures_of([grant], at)[grant.pk].to_json()
    if outcome != Recertification.Outcome.CONTINUE:
        provisioning.hold_lock()  # before any row, as whoever else takes rights away
    RECERTIFICATION.apply(
        recertification,
        "decide",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        outcome=outcome,
        decided_at=at,
        decided_by=actor,
        decision_reason=reason,
        figures=used,
        grant_version=grant.version,
    )
    clocks.stop(recertification, DECIDE, at=at)
    ledger.close_todos(recertification, at=at, by=actor)
    details = {"outcome": outcome, "reason": reason, "version": grant.version}
    ledger.record(standing, "sharing.decide", grant, at=at, details=details)
    _carry_out(grant, outcome, reason, actor=actor, at=at)
    return recertification


def decide_each(
    *,
    recertifications: Iterable[Recertification],
    outcome: str,
    actor: User,
    at: datetime,
    reason: str = "",
    revisions: Mapping[int, int] | None = None,
) -> list[Tried[Recertification]]:
    """Decide several alike, each by itself: one that cannot be leaves the others decided.

    revisions: what the person saw, by key.
    """
    seen = revisions or {}
    return try_each(
        recertifications,
        lambda row: decide(
            recertification=row,
            outcome=outcome,
            actor=actor,
            at=at,
            reason=reason,
            revision=seen.get(row.pk),
        ),
    )


def hand_to_head(recertification: Recertification, *, by: User, at: datetime) -> None:
    """Close the consumer's to-do and open that of the provider's head."""
    grant = recertification.grant
    ledger.close_todos(recertification, at=at, by=by)
    ledger.open_todo(
        recertification,
        "sharing.decide_recertification",
        title=_("年度复核授权 %(grant)s") % {"grant": grant},
        url=owed.RECERTIFY_PAGE,
        department=grant.provider,
        role="department_approver",
        at=at,
        due_on=recertification.due_on,
    )


def _carry_out(grant: Grant, outcome: str, reason: str, *, actor: User, at: datetime) -> None:
    if outcome == Recertification.Outcome.END:
        end(grant=grant, actor=actor, at=at, reason=reason)
    elif outcome == Recertification.Outcome.NARROW:
        waste = thrift.waste_of(grant, at)
        if waste is None or not waste.proposal:
            raise InvalidInput(
                _("没有可收窄的建议；按需要在授权页收窄后，再选择继续"), code="no_proposal"
            )
        words = reason or _("年度复核：按实际使用收窄")
        narrow(grant=grant, actor=actor, at=at, reason=str(words), **waste.proposal.arguments())
    else:
        title = _("授权 %(grant)s 通过年度复核") % {"grant": grant}
        owed.tell_about_grant(grant, title, reason or _("继续使用"), at=at)
