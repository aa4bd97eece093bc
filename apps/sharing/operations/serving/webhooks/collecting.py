"""From what was done to what is told: the ledger's events and new batches become messages.

The ledger is looked through from where each address was left, a little further back each time, for
an event may become visible later than one that was written after it. Its key keeps it from being
queued twice.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import InformationSystem
from apps.catalog.models import Dataset
from apps.ledger import queries as ledger_queries
from apps.ledger.models import Event
from apps.sharing.models import (
    Grant,
    PlannedStop,
    SharingRequest,
    Webhook,
    WebhookDelivery,
    WebhookEvent,
)
from apps.sharing.operations.one_by_one import each_by_itself
from apps.sharing.queries import webhooks as queries

EVENT_OF_VERB: Final = {
    "sharing.deliver": WebhookEvent.GRANT_DELIVERED,
    "sharing.suspend": WebhookEvent.GRANT_SUSPENDED,
    "sharing.cut_off": WebhookEvent.GRANT_SUSPENDED,
    "sharing.resume": WebhookEvent.GRANT_RESUMED,
    "sharing.narrow": WebhookEvent.GRANT_NARROWED,
    "sharing.announce_drop": WebhookEvent.GRANT_COLUMN_DROPPED,
    "sharing.end": WebhookEvent.GRANT_ENDED,
    "sharing.expire": WebhookEvent.GRANT_ENDED,
    "sharing.agree": WebhookEvent.REQUEST_ANSWERED,
    "sharing.refuse": WebhookEvent.REQUEST_ANSWERED,
    "sharing.grant_automatically": WebhookEvent.REQUEST_ANSWERED,
    "sharing.announce_stop": WebhookEvent.SERVICE_STOP,
    "sharing.withdraw_stop": WebhookEvent.SERVICE_STOP,
    "sharing.end_stop_early": WebhookEvent.SERVICE_STOP,
    "sharing.finish_stop": WebhookEvent.SERVICE_STOP,
}
LOOK_BACK: Final = timedelta(minutes=10)


def collect_events(at: datetime) -> int:
    """Queue what happened since, for every address that pushes; return how many messages."""
    active = queries.in_service().order_by("pk")
    counts, _problems = each_by_itself(active, lambda webhook: _collect(webhook, at))
    return sum(counts)


@transaction.atomic
def _collect(webhook: Webhook, at: datetime) -> int:
    held = (
        Webhook.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("system")
        .filter(pk=webhook.pk, status=Webhook.Status.ACTIVE)
        .first()
    )
    if held is None:
        return 0
    last = ledger_queries.last_event_number()
    batches = queries.batches_of(held.system)
    messages = _of_ledger(held, last, at)
    if WebhookEvent.DATASET_UPDATED in held.events:
        messages += _of_batches(held, batches, at)
    WebhookDelivery.objects.bulk_create(messages, ignore_conflicts=True)
    Webhook.objects.filter(pk=held.pk).update(seen_event=last, seen_batches=_seen(held, batches))
    return len(messages)


def _seen(webhook: Webhook, batches: Sequence[tuple[Grant, int]]) -> dict[str, int]:
    """Return what was told of now; of suspended grants what was before, until they go on."""
    suspended = Grant.objects.filter(system=webhook.system, status=Grant.Status.SUSPENDED)
    waiting = {str(key) for key in suspended.values_list("pk", flat=True)}
    kept = {key: seen for key, seen in webhook.seen_batches.items() if key in waiting}
    return kept | {str(grant.pk): batch for grant, batch in batches}


def _of_ledger(webhook: Webhook, last: int, at: datetime) -> list[WebhookDelivery]:
    """Return messages of chosen events that are not queued yet, in as many queries as of one."""
    chosen = [verb for verb, event in EVENT_OF_VERB.items() if event in webhook.events]
    done = Event.objects.filter(
        queries.events_of(webhook.system),
        verb__in=chosen,
        outcome=Event.Outcome.DONE,
        pk__lte=last,
        at__gte=webhook.created_at,
    ).filter(queries.later_than(webhook.seen_event, at - LOOK_BACK))
    by_key = {f"event:{event.pk}": event for event in done.order_by("pk")}
    queued = webhook.deliveries.filter(key__in=by_key).values_list("key", flat=True)
    for key in list(queued):
        del by_key[key]
    bodies = _bodies(list(by_key.values()), webhook.system)
    return [
        _message(webhook, EVENT_OF_VERB[event.verb], key, bodies[event.pk], event.at, at)
        for key, event in by_key.items()
        if event.pk in bodies
    ]


def _bodies(events: Sequence[Event], system: InformationSystem) -> dict[int, dict[str, Any]]:
    """Return what is told of each event, by its number; nothing of what is not the system's."""
    own = Grant.objects.filter(system=system).select_related("dataset")
    grants = own.in_bulk(_subjects(events, "sharing.grant"))
    asked = SharingRequest.objects.filter(system=system).select_related("dataset", "grant")
    requests = asked.in_bulk(_subjects(events, "sharing.sharingrequest"))
    bodies: dict[int, dict[str, Any]] = {}
    for event in events:
        key = int(event.subject_id)
        if event.subject_type == "sharing.sharingrequest" and key in requests:
            bodies[event.pk] = _of_request(requests[key])
        elif event.subject_type == "sharing.grant" and key in grants:
            grant = grants[key]
            columns = event.details["columns"] if event.verb == "sharing.announce_drop" else None
            bodies[event.pk] = {
                "dataset": grant.dataset.code,
                "grant": _of_grant(grant),
                **({"columns": columns} if columns else {}),
            }
    return bodies | _bodies_of_stops(events, system)


def _bodies_of_stops(
    events: Sequence[Event], system: InformationSystem
) -> dict[int, dict[str, Any]]:
    stops = PlannedStop.objects.in_bulk(_subjects(events, "sharing.plannedstop"))
    live = Grant.objects.filter(system=system, status__in=Grant.LIVE).select_related("dataset")
    datasets = [grant.dataset for grant in live] if stops else []
    told = {key: _of_stop(stop, datasets) for key, stop in stops.items()}
    return {
        event.pk: body
        for event in events
        if event.subject_type == "sharing.plannedstop"
        and (body := told.get(int(event.subject_id))) is not None
    }


def _subjects(events: Sequence[Event], kind: str) -> list[int]:
    return [int(event.subject_id) for event in events if event.subject_type == kind]


def _of_request(request: SharingRequest) -> dict[str, Any]:
    return {
        "request": {"number": request.number, "status": request.status},
        "dataset": request.dataset.code,
        **({"grant": _of_grant(request.grant)} if request.grant_id else {}),
    }


def _of_stop(stop: PlannedStop, datasets: Sequence[Dataset]) -> dict[str, Any] | None:
    """Tell how the stop stands, and which of the system's datasets it holds; None where none."""
    held = sorted({dataset.code for dataset in datasets if stop.reaches(dataset)})
    if not held and stop.reach != PlannedStop.Reach.PLATFORM:
        return None
    return {
        "stop": {
            "id": stop.pk,
            "reach": stop.reach,
            "status": stop.status,
            "starts_at": timezone.localtime(stop.starts_at).isoformat(),
            "ends_at": timezone.localtime(stop.ended_at or stop.ends_at).isoformat(),
        },
        "datasets": held,
    }


def _of_grant(grant: Grant) -> dict[str, Any]:
    return {
        "id": grant.pk,
        "version": grant.version,
        "status": grant.status,
        "expires_at": timezone.localtime(grant.expires_at).isoformat(),
    }


def _of_batches(
    webhook: Webhook, batches: Sequence[tuple[Grant, int]], at: datetime
) -> Iterable[WebhookDelivery]:
    """Say of each grant in force that its table has a later batch, once for all since the last."""
    for grant, batch in batches:
        if batch <= int(webhook.seen_batches.get(str(grant.pk), batch)):
            continue
        body = {"dataset": grant.dataset.code, "grant": _of_grant(grant), "horizon": batch}
        key = f"batch:{grant.pk}:{batch}"
        yield _message(webhook, WebhookEvent.DATASET_UPDATED, key, body, at, at)


def _message(
    webhook: Webhook,
    event: str,
    key: str,
    body: dict[str, Any],
    happened_at: datetime,
    at: datetime,
) -> WebhookDelivery:
    return WebhookDelivery(
        webhook=webhook,
        event=event,
        key=key,
        body={
            "system": webhook.system.code,
            "happened_at": timezone.localtime(happened_at).isoformat(),
            **body,
        },
        created_at=at,
        next_attempt_at=at,
    )
