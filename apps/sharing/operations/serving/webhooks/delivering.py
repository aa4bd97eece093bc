"""Send what is due, later each time while it does not arrive; what never did is given up as dead.

A row is claimed by moving its next attempt on, then sent while no transaction is open, then what
came of it is written down. An address that fails is passed by for the rest of the run, and so is
one to which another run is sending, so that one that hangs stops no other.
"""

import logging
import time
from datetime import datetime, timedelta
from typing import Final

import orjson
from django.db import transaction
from django.db.models import Min, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import access
from apps.core import secrets as sealed
from apps.core.errors import Conflict, DomainError
from apps.core.jobs import wake
from apps.ledger import operations as ledger
from apps.ledger.channels import sign
from apps.ledger.models import Notice
from apps.sharing.models import Webhook, WebhookDelivery
from apps.sharing.operations import owed
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.serving.webhooks.keeping import PUSH
from apps.sharing.queries import webhooks as queries
from apps.sharing.sending import PushFailed, push

MOST_ATTEMPTS: Final = 8
ON_ITS_WAY: Final = timedelta(minutes=2)  # longer than a run and a push
RUN_SECONDS: Final = 40  # after which no other push is begun; the next run goes on
KEPT: Final = timedelta(days=90)  # what arrived
TOLD_AGAIN_AFTER: Final = timedelta(days=1)
State = WebhookDelivery.State
logger = logging.getLogger(__name__)


def push_due(at: datetime, *, run_seconds: float = RUN_SECONDS) -> int:
    """Send what is due, one of each address in turn; return how many arrived.

    Repeat-safe: what is claimed is due again only if nobody wrote down what came of it.
    """
    end = time.monotonic() + run_seconds
    arrived = 0
    open_to = _addresses_due(at)
    while open_to:
        sound: list[int] = []
        for webhook in open_to:
            key = _due(at).filter(webhook=webhook).values_list("pk", flat=True).first()
            if time.monotonic() >= end:
                return arrived
            if key is not None and _send(key, at):
                arrived += 1
                sound.append(webhook)
        open_to = sound
    return arrived


def forget_deliveries(at: datetime) -> int:
    """Let go of what arrived long ago; return how many."""
    old = WebhookDelivery.objects.filter(state=State.SENT, sent_at__lt=at - KEPT)
    return old.delete()[0]


def _due(at: datetime) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(
        state=State.WAITING, next_attempt_at__lte=at, webhook__in=queries.in_service()
    ).order_by("next_attempt_at", "pk")


def _addresses_due(at: datetime) -> list[int]:
    """Return the addresses for which something is due, without those just being sent to."""
    under_way = WebhookDelivery.objects.filter(
        state=State.WAITING,
        attempts__gt=0,
        next_attempt_at__gt=at,
        next_attempt_at__lte=at + ON_ITS_WAY,
    )
    waits_since = (
        _due(at)
        .exclude(webhook__in=under_way.values("webhook"))
        .order_by()
        .values("webhook")
        .annotate(since=Min("next_attempt_at"))
    )
    return [row["webhook"] for row in waits_since.order_by("since", "webhook")]


@attempt("sharing.resend_event", "delivery")
def resend(*, delivery: WebhookDelivery, actor: User, at: datetime) -> WebhookDelivery:
    """Queue a message again that was given up.

    Raises:
        NotAllowed: the actor neither keeps the address nor runs the platform.
        Conflict: it was not given up, or its address is removed.
    """
    standing = access.require(actor, "resend", delivery, at=at)
    held = (
        WebhookDelivery.objects.select_for_update(of=("self",))
        .select_related("webhook__system")
        .get(pk=delivery.pk)
    )
    if held.state != State.DEAD or held.webhook.status == Webhook.Status.REMOVED:
        raise Conflict(_("只能重新推送没有送达、地址仍在的事件"), code="not_dead")
    held.state, held.attempts, held.next_attempt_at = State.WAITING, 0, at
    held.save(update_fields=["state", "attempts", "next_attempt_at"])
    wake(PUSH)
    details = {"delivery": held.pk, "event": held.event}
    ledger.record(standing, "sharing.resend_event", held.webhook.system, at=at, details=details)
    return held


def _send(key: int, at: datetime) -> bool:
    """Send one message and say whether it arrived; one that another run took did not."""
    delivery = _claimed(key, at)
    if delivery is None:
        return False
    status: int | None = None
    words = ""
    try:
        status = _pushed(delivery)
    except PushFailed as failure:
        status, words = failure.status, str(failure)
    except DomainError as failure:
        words = str(failure)
    except Exception:
        logger.exception("push %s failed", key)
        words = str(_("平台内部错误"))
    try:
        _write_down(key, status, words, at)
    except Exception:
        # It stays claimed, and is sent again later.
        logger.exception("push %s could not be written down", key)
        return False
    return not words


@transaction.atomic
def _claimed(key: int, at: datetime) -> WebhookDelivery | None:
    delivery = (
        _due(at)
        .filter(pk=key)
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("webhook")
        .first()
    )
    if delivery is not None:
        delivery.attempts += 1
        delivery.next_attempt_at = at + ON_ITS_WAY
        delivery.save(update_fields=["attempts", "next_attempt_at"])
    return delivery


@transaction.atomic
def _write_down(key: int, status: int | None, words: str, at: datetime) -> None:
    delivery = (
        WebhookDelivery.objects.select_for_update(of=("self",))
        .select_related("webhook__system__department")
        .filter(pk=key, state=State.WAITING)
        .first()
    )
    if delivery is None:
        return  # given up meanwhile
    delivery.last_status, delivery.last_error = status, _printable(words)[:300]
    if words:
        _put_off(delivery, at)
    else:
        delivery.state, delivery.sent_at, delivery.next_attempt_at = State.SENT, at, None
    delivery.save()


def _printable(words: str) -> str:
    return "".join(each if each.isprintable() else " " for each in words)


def _pushed(delivery: WebhookDelivery) -> int:
    body = orjson.dumps({"id": delivery.pk, "event": delivery.event, **delivery.body})
    timestamp = str(int(timezone.now().timestamp()))  # the receiver compares it with its clock
    return push(
        delivery.webhook.url,
        body,
        {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "huiliu",
            "X-Huiliu-Event": delivery.event,
            "X-Huiliu-Delivery": str(delivery.pk),
            "X-Huiliu-Timestamp": timestamp,
            "X-Huiliu-Signature": sign(body, timestamp, sealed.unseal(delivery.webhook.secret)),
        },
    )


def _put_off(delivery: WebhookDelivery, at: datetime) -> None:
    """Try again in 2, 4, 8 … minutes, four hours in all; then give it up and say so."""
    if delivery.attempts < MOST_ATTEMPTS:
        delivery.next_attempt_at = at + timedelta(minutes=2**delivery.attempts)
        return
    delivery.state, delivery.next_attempt_at = State.DEAD, None
    webhook = delivery.webhook
    page = f"/work/webhooks/{webhook.pk}/"
    people = owed.handlers_of(webhook.system.department)
    told = Notice.objects.filter(recipient__in=people, url=page, at__gt=at - TOLD_AGAIN_AFTER)
    if told.exists():
        return
    ledger.notify(
        people,
        title=_("“%(system)s”的事件推送没有送达") % {"system": webhook.system},
        body=_("%(url)s：%(error)s。修好之后在推送页重新推送。")
        % {"url": webhook.url, "error": delivery.last_error},
        url=page,
        at=at,
        subject=webhook.system,
    )
