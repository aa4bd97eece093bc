"""One demand: what is wanted, what was answered, what could meet it, what can be done."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from apps.catalog import queries
from apps.catalog.models import Demand, DemandMatch, DemandStatus
from apps.catalog.operations.demands.matching import UNMET
from apps.catalog.views.demands.buttons import buttons, take_up_url
from apps.catalog.views.detail import ClockLine
from apps.clocks import queries as clocks
from apps.core import access
from apps.ledger import queries as ledger
from apps.ledger.models import Todo

OPEN: Final = (*UNMET, DemandStatus.AWAITING_SIGNATURE)
BEFORE_REVIEW: Final = UNMET[:-1]


@dataclass(frozen=True)
class MatchLine:
    """A proposed entry and what the viewer may do with it."""

    match: DemandMatch
    take_up_url: str
    point_out_url: str
    can_decline: bool

    @property
    def can_act(self) -> bool:
        return bool(self.take_up_url or self.point_out_url or self.can_decline)


def demand_or_404(request: HttpRequest, pk: int) -> Demand:
    """Return the demand when the person may see it; nobody learns of others that they exist."""
    user: Any = request.user
    found: Demand = get_object_or_404(
        queries.visible_demands(user, timezone.now()).select_related(
            "region", "system", "proposed_by", "decided_by", "split_from"
        ),
        pk=pk,
    )
    return found


@login_required
def demand(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    at = timezone.now()
    subject = demand_or_404(request, pk)
    todos = list(ledger.open_todos_of(subject))
    mine = access.rows(user, "view", Todo, at=at).filter(pk__in=[todo.pk for todo in todos])
    matches = match_lines(user, subject) if sees_matches(user, subject) else []
    context = {
        "subject": subject,
        "buttons": buttons(user, subject),
        "clocks": clock_lines(subject, at),
        "matches": matches,
        "acts_on_matches": any(line.can_act or line.match.decision for line in matches),
        "can_match": subject.status in UNMET and access.allowed(user, "match", subject),
        "owed": todos,
        "my_todos": set(mine.values_list("pk", flat=True)),
        "parts": list(subject.parts.order_by("pk")),
        "requests": _requests(user, subject),
        "trail": ledger.trail(subject),
        "shows_reply": _shows_reply(user, subject),
        "shows_matches": sees_matches(user, subject) and (subject.status in OPEN or matches),
        "is_open": subject.status in OPEN,
        "is_provider_asked": subject.status in BEFORE_REVIEW,
        "dataset_url": _dataset_url(user, subject),
    }
    return render(request, "catalog/demand.html", context)


def clock_lines(subject: Demand, at: datetime) -> list[ClockLine]:
    calendar = clocks.work_calendar()
    return [
        ClockLine(
            clock, clocks.remaining(clock, at, calendar), reverse("clocks:clock", args=[clock.pk])
        )
        for clock in clocks.clocks_of(subject)
    ]


def match_lines(user: Any, subject: Demand) -> list[MatchLine]:
    """Return the proposals that the person may see, those declined last.

    Of a demand that has its answer, only what somebody decided on is still of interest.
    """
    rows = access.rows(user, "view", DemandMatch.objects.filter(demand=subject))
    found = rows.select_related("dataset__department", "decided_by").order_by(
        "decision", "-score", "pk"
    )
    if subject.status not in OPEN:
        found = found.exclude(decision="")
    may_take = subject.status in UNMET and access.allowed(user, "take_up", subject)
    may_point = subject.status == "submitted" and access.allowed(user, "point_out", subject)
    may_decline = subject.status in UNMET and access.allowed(user, "match", subject)
    point = reverse("catalog:demand-move", args=[subject.pk, "point_out"])
    return [
        MatchLine(
            match,
            take_up_url(subject, match.dataset) if may_take and not match.decision else "",
            f"{point}?dataset={match.dataset.dashed_code}" if may_point else "",
            may_decline and not match.decision,
        )
        for match in found
    ]


def _requests(user: Any, subject: Demand) -> Iterable[Any]:
    """The requests that came of the demand, as far as the person may see them."""
    related: Any = getattr(subject, "sharing_requests", None)
    if related is None:
        return []
    return access.rows(user, "view", related.all()).order_by("-pk")


def sees_matches(user: Any, subject: Demand) -> bool:
    """Whether what the catalogue may have for the demand is this person's business."""
    sees_all: bool = user.holds("authority_officer", "authority_leader", "audit_admin")
    return sees_all or subject.department_id == user.department_id


def _shows_reply(user: Any, subject: Demand) -> bool:
    """What the provider drafted stays inside until it is signed."""
    is_drafted = bool(subject.proposal or subject.reply)
    is_signed = subject.decided_at is not None or subject.dataset_id is not None
    if subject.status == "awaiting_signature":
        return bool(subject.provider_id == user.department_id)
    return (is_drafted and is_signed) or subject.dataset_id is not None


def _dataset_url(user: Any, subject: Demand) -> str:
    if subject.dataset is None or not access.allowed(user, "view", subject.dataset):
        return ""
    return subject.dataset.get_absolute_url()
