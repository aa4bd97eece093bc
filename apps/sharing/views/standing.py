"""Whether a grant is used and still needed: what its own page says of it."""

from datetime import datetime
from typing import Any

from apps.clocks import queries as clocks
from apps.core import access
from apps.sharing.models import Grant, IdleNotice, Recertification, UsageReport
from apps.sharing.queries import continuing, thrift
from apps.sharing.queries.figures import figures_of
from apps.sharing.views.proposals import quota_words


def standing_of(user: Any, subject: Grant, at: datetime) -> dict[str, Any]:
    """Return what the grant's page says of its use: open questions, waste, filed reports."""
    notice = continuing.open_idle_notice(subject)
    figures = figures_of([subject], at)[subject.pk]
    review = continuing.open_recertification(subject)
    return {
        "notice": notice,
        "notice_remaining": _remaining(notice, at),
        "review": review,
        "review_remaining": _remaining(review, at),
        "can_state": to_answer(user, notice, review) is not None,
        "waste": thrift.waste_of(subject, at),
        "can_narrow": access.allowed(user, "narrow", subject, at=at),
        "figures": figures,
        "quota": quota_words(figures.to_json()),
        "past": subject.recertifications.filter(status="decided").select_related("decided_by")[:3],
        "reports": UsageReport.objects.filter(grant=subject)[:3],
    }


def to_answer(
    user: Any, notice: IdleNotice | None, review: Recertification | None
) -> IdleNotice | Recertification | None:
    """Return what this person may answer now, the more pressing first."""
    if notice and notice.status == "suspended" and access.allowed(user, "ask_back", notice):
        return notice
    if review and review.status == "awaiting_need" and access.allowed(user, "state_need", review):
        return review
    return None


def _remaining(row: IdleNotice | Recertification | None, at: datetime) -> Any:
    """Return how the soonest live clock of the row stands, None without one."""
    return clocks.with_clocks([row], at)[0][1] if row else None
