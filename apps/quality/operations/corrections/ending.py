"""Who raised it is content, or is not; silence ends it, too."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.queries import authority
from apps.core import access
from apps.core.errors import IllegalMove, StaleRevision, required_text
from apps.ledger import operations as ledger
from apps.quality.lifecycle import CORRECTION
from apps.quality.models import Correction, CorrectionOutcome, CorrectionStatus
from apps.quality.operations.corrections import owed

QUIET: Final = timedelta(days=7)
"""After this time without an objection the result counts as accepted. House rule."""


@transaction.atomic
def close(
    *,
    correction: Correction,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> Correction:
    """Accept the result, or drop the objection; nothing is marked any more.

    Raises:
        NotAllowed: the actor does not act for who raised it.
        IllegalMove: there is no result yet, or it is over.
    """
    standing = access.require(actor, "close", correction, at=at)
    _close(correction, actor, at, reason, revision)
    details = {"reason": reason.strip()} if reason.strip() else {}
    ledger.record(standing, "quality.close", correction, at=at, details=details)
    return correction


@transaction.atomic
def contest(
    *,
    correction: Correction,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> Correction:
    """Disagree with the result; it is marked again, and the authority coordinates.

    Source: 《政务数据共享条例》第二十六条、第二十八条
    Raises:
        NotAllowed: the actor does not act for who raised it.
        InvalidInput: no reason.
        IllegalMove: there is no result to disagree with.
    """
    standing = access.require(actor, "contest", correction, at=at)
    words = required_text(reason, _("填写异议的理由"), field="reason")
    CORRECTION.apply(
        correction,
        "contest",
        actor=actor,
        at=at,
        reason=words,
        revision=revision,
        objection=words,
        is_marked=True,
    )
    owed.hand_on(correction, by=actor, at=at)
    told = [correction.handler, authority()]
    owed.tell(told, correction, _("校核结果有异议：%(what)s"), words, at=at)
    ledger.record(standing, "quality.contest", correction, at=at, details={"reason": words})
    return correction


@transaction.atomic
def send_back(
    *,
    correction: Correction,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> Correction:
    """Have it verified anew, as the authority; the clock begins again.

    Raises:
        NotAllowed: the actor does not answer for the authority.
        InvalidInput: no reason.
        IllegalMove: there is no objection.
    """
    standing = access.require(actor, "send_back", correction, at=at)
    words = required_text(reason, _("填写发回的理由"), field="reason")
    CORRECTION.apply(
        correction,
        "send_back",
        actor=actor,
        at=at,
        reason=words,
        revision=revision,
        outcome=CorrectionOutcome.NONE,
        explanation="",
        final_value=None,
        decided_by=None,
        decided_at=None,
        row_batch=None,
        batch=None,
        corrected_at=None,
        fed_back_at=None,
    )
    owed.start_clock(correction, received_at=at)
    owed.hand_on(correction, by=actor, at=at)
    told = [correction.handler, correction.department]
    owed.tell(told, correction, _("校核发回重新核实：%(what)s"), words, at=at)
    ledger.record(standing, "quality.send_back", correction, at=at, details={"reason": words})
    return correction


def close_due(*, at: datetime) -> int:
    """Close what was fed back a while ago without an objection; return how many. Repeat-safe."""
    silent = Correction.objects.filter(
        status=CorrectionStatus.FEEDBACK, fed_back_at__lte=at - QUIET
    )
    closed = 0
    for correction in silent.select_related("dataset__department", "department"):
        try:
            with transaction.atomic():
                words = _("反馈后 %(days)s 日内没有异议") % {"days": QUIET.days}
                _close(correction, None, at, words, correction.revision)
                ledger.record(
                    None,
                    "quality.close",
                    correction,
                    at=at,
                    department=correction.department,
                    details={"reason": words},
                )
            closed += 1
        except (IllegalMove, StaleRevision):
            continue  # somebody was quicker
    return closed


def _close(
    correction: Correction, actor: User | None, at: datetime, reason: str, revision: int | None
) -> None:
    CORRECTION.apply(
        correction,
        "close",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        is_marked=False,
        closed_at=at,
    )
    owed.hand_on(correction, by=actor, at=at)
