"""How requests like this one were decided before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib.contenttypes.models import ContentType

from apps.accounts.models import User
from apps.clocks import queries as clocks
from apps.clocks.models import Clock
from apps.sharing.models import Decision, SharingRequest
from apps.sharing.queries.lists import visible_requests
from apps.sharing.queries.return_flow import RETURN_FLOW
from apps.sharing.queries.weighing.terms import Weighed

SHOWN: Final = 5
COMPARED: Final = 40
ANSWERED: Final = ("request.conditional", RETURN_FLOW)


@dataclass(frozen=True, slots=True)
class Precedent:
    """A decided request on the same dataset.

    overlap: the share (0–1) of the items of both that both asked for or were given.
    workdays: how many counted days the answer took, by the calendar and without pauses; None where
    no clock ran.
    """

    request: SharingRequest
    decision: Decision
    overlap: float
    workdays: int | None
    is_same_consumer: bool

    @property
    def shared(self) -> int:
        return round(self.overlap * 100)


def precedents_of(terms: Weighed, actor: User, at: datetime) -> Sequence[Precedent]:
    """Return the decided requests most like this one, of those that the reader may see.

    The newest `COMPARED` of the dataset are compared by their items; of equals the newer goes
    first. What the platform granted by itself is no precedent, nor are return flows and other
    requests precedents of each other.

    Source: house rule (issue 5: similar decided cases are shown)
    """
    request = terms.request
    recent = (
        visible_requests(actor, at)
        .filter(
            dataset=request.dataset_id,
            status__in=("agreed", "delivered", "refused"),
            is_automatic=False,
            return_flow__isnull=not terms.is_return_flow,
        )
        .exclude(pk=request.pk)
        .order_by("-decided_at")[:COMPARED]
    )
    candidates = {row.pk: row for row in recent}
    signed = Decision.objects.filter(request__in=candidates, signed_at__isnull=False)
    names = {item.name for item in terms.items}
    alike = sorted(
        ((_overlap(names, decision), decision) for decision in signed),
        key=lambda pair: (pair[0], pair[1].signed_at),
        reverse=True,
    )[:SHOWN]
    taken = _workdays_taken([decision.request_id for _share, decision in alike])
    return [
        Precedent(
            request=candidates[decision.request_id],
            decision=decision,
            overlap=share,
            workdays=taken.get(decision.request_id),
            is_same_consumer=candidates[decision.request_id].consumer_id == request.consumer_id,
        )
        for share, decision in alike
    ]


def _overlap(names: set[str], decision: Decision) -> float:
    theirs = {entry["name"] for entry in decision.items}
    both = names | theirs
    return len(names & theirs) / len(both) if both else 0.0


def _workdays_taken(requests: Sequence[int]) -> dict[int, int]:
    """Return by request how many days of its clock had been counted when it was answered."""
    if not requests:
        return {}
    kind = ContentType.objects.get_for_model(SharingRequest)
    calendar = clocks.work_calendar()
    found = clocks.with_inputs(
        Clock.objects.filter(
            content_type=kind,
            object_id__in=requests,
            policy__code__in=ANSWERED,
            stopped_at__isnull=False,
        )
    )
    taken = {}
    for clock in found:
        assert clock.stopped_at is not None  # asked for above
        stood = clocks.remaining(clock, clock.stopped_at, calendar)
        derived = clocks.derivation_of(clock, calendar)
        taken[clock.object_id] = derived.counted - stood.left + stood.over
    return taken
