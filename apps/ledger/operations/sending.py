"""Send the notices that are due, and try again later what did not get through."""

from datetime import datetime, timedelta

from django.db import transaction

from apps.ledger import queries
from apps.ledger.channels import CHANNELS, DeliveryFailed
from apps.ledger.models import Delivery

MOST_ATTEMPTS = 8


def deliver_due(*, at: datetime, limit: int = 100) -> int:
    """Send what is due, each in a transaction of its own; return how many got through.

    Repeat-safe: a row is held while it is sent, and a second worker passes it by.
    """
    sent = 0
    for key in list(queries.due_deliveries(at).values_list("pk", flat=True)[:limit]):
        sent += _deliver(key, at)
    return sent


@transaction.atomic
def _deliver(key: int, at: datetime) -> bool:
    delivery = (
        Delivery.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("notice__recipient")
        .filter(pk=key, state=Delivery.State.WAITING)
        .first()
    )
    if delivery is None:
        return False
    delivery.attempts += 1
    try:
        CHANNELS[delivery.channel].send(delivery.notice, at=at)
    except DeliveryFailed as error:
        delivery.last_error = str(error)[:300]
        if delivery.attempts >= MOST_ATTEMPTS:
            delivery.state, delivery.next_attempt_at = Delivery.State.FAILED, None
        else:
            # 2, 4, 8 … minutes: about four hours in all.
            delivery.next_attempt_at = at + timedelta(minutes=2**delivery.attempts)
    else:
        delivery.state, delivery.sent_at = Delivery.State.SENT, at
        delivery.next_attempt_at = None
    delivery.save()
    return delivery.state == Delivery.State.SENT
