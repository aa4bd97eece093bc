"""What an urgent request may be given, what it then owes, and that it is reviewed afterwards.

Called by the use cases of requests and grants, which have asked permission and write the event.
"""

from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts import queries as accounts
from apps.clocks import operations as clocks
from apps.clocks import queries as clock_queries
from apps.clocks.models import Clock
from apps.core.errors import Conflict, InvalidInput, required_text
from apps.ledger import operations as ledger
from apps.sharing import queries
from apps.sharing.models import Grant, SharingRequest, Urgency
from apps.sharing.operations import owed

REVIEW_OWED = "sharing.review_urgent"
PAPERS_OWED = "sharing.backfill"
RESUME_OWED = "sharing.resume"


def temporary_terms(
    request: SharingRequest,
    outcome: str,
    terms: dict[str, Any],
    *,
    reason: str,
    missing_papers: str,
    at: datetime,
) -> dict[str, Any]:
    """Return the terms of an opinion, cut to a temporary use where the request is urgent.

    An urgent agreement says why these items are the least that is needed, lasts so many days as
    the order says at most, and is not handed on. What papers it lacks is written on the order.

    Source: house rule (issue 5)
    Raises:
        InvalidInput: an urgent agreement without a reason; missing papers of another request.
    """
    urgency = queries.urgency_of(request)
    if urgency is None:
        if missing_papers.strip():
            raise InvalidInput(
                _("只有急件可以先答复、后补材料"), code="not_urgent", field="missing_papers"
            )
        return terms
    if outcome == "refuse":
        Urgency.objects.filter(pk=urgency.pk).update(missing_papers="")
        return terms
    required_text(reason, _("急件须写明所给数据项为何是必需的最少数据项"), field="reason")
    Urgency.objects.filter(pk=urgency.pk).update(missing_papers=missing_papers.strip())
    first = max(terms["starts_on"], timezone.localdate(at))
    last: date = first + timedelta(days=urgency.grant_days - 1)
    return {**terms, "ends_on": min(terms["ends_on"], last), "may_redistribute": False}


def refuse_while_urgent(request: SharingRequest, message: Any) -> None:
    """Refuse what would move an urgent deadline."""
    if queries.urgency_of(request) is not None:
        raise Conflict(message, code="urgent_request")


def ask_review(request: SharingRequest, *, at: datetime) -> None:
    """Put the review afterwards (事后审查) on the desk of the authority's other part.

    Source: house rule (issue 5)
    """
    urgency = queries.urgency_of(request)
    if urgency is None or urgency.reviewed_at is not None:
        return
    by_leader = urgency.ordered_by.holds("authority_leader")
    ledger.open_todo(
        request,
        REVIEW_OWED,
        title=_("事后审查急件 %(number)s") % {"number": request.number},
        url=owed.page_of(request),
        department=accounts.authority(),
        role="authority_officer" if by_leader else "authority_leader",
        at=at,
    )


def ask_papers(request: SharingRequest, *, at: datetime) -> None:
    """Let the clock of the missing papers run from the opening of the temporary grant on.

    Source: house rule (domain §2)
    """
    urgency = queries.urgency_of(request)
    if urgency is None or not urgency.lacks_papers:
        return
    clock = clocks.start(request, queries.BACKFILL, department=request.consumer, at=at)
    ledger.open_todo(
        request,
        PAPERS_OWED,
        title=_("补办急件 %(number)s 的材料") % {"number": request.number},
        url=owed.page_of(request),
        department=request.consumer,
        role="department_editor",
        at=at,
        due_on=clock.due_on,
    )
    owed.tell_consumer(
        request,
        _("急件 %(number)s 须补办材料") % {"number": request.number},
        _("%(day)s前补办，逾期授权暂停：%(papers)s")
        % {"day": clock.due_on, "papers": urgency.missing_papers},
        at=at,
    )


def end_papers(request: SharingRequest, *, at: datetime) -> None:
    """The temporary grant is over: what was late stays late, the rest is owed no more."""
    clock = _papers_clock(request)
    if clock is None:
        return
    if clock.due_at <= at:
        clocks.stop(request, queries.BACKFILL, at=at)
    else:
        clocks.cancel(request, queries.BACKFILL, at=at)
    ledger.close_todos(request, at=at, by=None, kind=PAPERS_OWED)


def refuse_without_papers(grant: Grant, at: datetime) -> None:
    """Keep a temporary grant stopped until its missing papers were handed in.

    Raises:
        Conflict: they are overdue.
    """
    clock = _papers_clock(grant.request)
    if clock is not None and clock.due_at <= at:
        raise Conflict(_("急件的材料尚未补办，补办后才能恢复"), code="papers_due")


def _papers_clock(request: SharingRequest) -> Clock | None:
    return clock_queries.running(request).filter(policy__code=queries.BACKFILL).first()
