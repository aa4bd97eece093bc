"""The address to which a system's events are pushed: registered, paused, given another secret."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import InformationSystem, User
from apps.core import access
from apps.core import secrets as sealed
from apps.core.errors import Conflict, InvalidInput
from apps.core.jobs import wake
from apps.ledger import operations as ledger
from apps.ledger import queries as ledger_queries
from apps.sharing.lifecycle import WEBHOOK
from apps.sharing.models import Webhook, WebhookDelivery, WebhookEvent
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.versions import save_version
from apps.sharing.queries import webhooks as queries
from apps.sharing.sending import target_of

MOST_WEBHOOKS: Final = 5
MOST_PINGS: Final = 3  # waiting at an address
PUSH: Final = "sharing.push_events"


class Registered(NamedTuple):
    """A new address and its secret, which can never be read again."""

    webhook: Webhook
    secret: str


@attempt("sharing.register_webhook", "system")
def register_webhook(
    *, system: InformationSystem, url: str, events: Sequence[str], actor: User, at: datetime
) -> Registered:
    """Register an address; the secret that signs what is sent there is returned this once.

    Raises:
        NotAllowed: the actor does not work for the system's department.
        InvalidInput: an address that may not be connected to; no event, or an unknown one.
        Conflict: it is registered already, the system is retired or has as many as it may.
    """
    standing = access.require(actor, "register_webhook", system, at=at)
    system = InformationSystem.objects.select_for_update(of=("self",)).get(pk=system.pk)
    _require_in_service(system)
    target_of(url)
    known = set(WebhookEvent.values) - {WebhookEvent.PING}
    if not events or not set(events) <= known:
        raise InvalidInput(_("至少选择一个事件"), field="events")
    held = Webhook.objects.filter(system=system).exclude(status="removed")
    if held.filter(url=url).exists():
        raise Conflict(_("这个地址已经登记"), code="already_registered", field="url")
    if held.count() >= MOST_WEBHOOKS:
        raise Conflict(
            _("一个信息系统最多登记 %(most)s 个推送地址") % {"most": MOST_WEBHOOKS},
            code="too_many_webhooks",
        )
    secret = secrets.token_urlsafe(32)
    webhook = Webhook(
        system=system,
        url=url,
        events=sorted(set(events)),
        secret=sealed.seal(secret),
        made_by=actor,
        seen_event=ledger_queries.last_event_number(),
        seen_batches=queries.present_batches(system),
        created_at=at,
        updated_at=at,
    )
    save_version(webhook, actor=actor, at=at, insert=True)
    details = {"webhook": webhook.pk, "url": url, "events": webhook.events}
    ledger.record(standing, "sharing.register_webhook", system, at=at, details=details)
    return Registered(webhook, secret)


@attempt("sharing.pause_webhook", "webhook")
def pause_webhook(
    *, webhook: Webhook, actor: User, at: datetime, revision: int | None = None
) -> Webhook:
    """Send nothing there until it is resumed; what happens meanwhile waits.

    Raises:
        NotAllowed: the actor does not keep it.
        IllegalMove: it is in another status.
    """
    return _move(webhook, "pause", actor=actor, at=at, revision=revision)


@attempt("sharing.resume_webhook", "webhook")
def resume_webhook(
    *, webhook: Webhook, actor: User, at: datetime, revision: int | None = None
) -> Webhook:
    """Send there again, beginning with what waits.

    Raises:
        NotAllowed: the actor does not keep it.
        IllegalMove: it is in another status.
    """
    return _move(webhook, "resume", actor=actor, at=at, revision=revision)


@attempt("sharing.remove_webhook", "webhook")
def remove_webhook(
    *, webhook: Webhook, actor: User, at: datetime, revision: int | None = None
) -> Webhook:
    """Remove an address; what waits for it is given up.

    Raises:
        NotAllowed: the actor does not keep it.
        IllegalMove: it is in another status.
    """
    removed = _move(webhook, "remove", actor=actor, at=at, revision=revision)
    removed.deliveries.filter(state="waiting").update(state="dead", next_attempt_at=None)
    return removed


@attempt("sharing.renew_webhook_secret", "webhook")
def renew_secret(*, webhook: Webhook, actor: User, at: datetime) -> str:
    """Give it another secret, good from the next push on, and return it this once."""
    standing = access.require(actor, "renew", webhook, at=at)
    webhook = _held(webhook)
    secret = secrets.token_urlsafe(32)
    webhook.secret, webhook.updated_at = sealed.seal(secret), at
    save_version(webhook, actor=actor, at=at, reason=_("更换签名密钥"))
    details = {"webhook": webhook.pk}
    ledger.record(standing, "sharing.renew_webhook_secret", webhook.system, at=at, details=details)
    return secret


@attempt("sharing.ping_webhook", "webhook")
def ping(*, webhook: Webhook, actor: User, at: datetime) -> WebhookDelivery:
    """Queue a message that says nothing, to see whether it arrives.

    Raises:
        NotAllowed: the actor does not keep the address.
        Conflict: it is removed, its system retired, or some wait already.
    """
    standing = access.require(actor, "ping", webhook, at=at)
    webhook = _held(webhook)
    _require_in_service(webhook.system)
    pings = webhook.deliveries.filter(event=WebhookEvent.PING, state="waiting")
    if pings.count() >= MOST_PINGS:
        raise Conflict(_("已有试推送在等待，等它送达或者作废"), code="ping_waits")
    delivery = WebhookDelivery.objects.create(
        webhook=webhook,
        event=WebhookEvent.PING,
        key=f"ping:{at.timestamp()}",
        body={"system": webhook.system.code},
        created_at=at,
        next_attempt_at=at,
    )
    wake(PUSH)
    details = {"webhook": webhook.pk}
    ledger.record(standing, "sharing.ping_webhook", webhook.system, at=at, details=details)
    return delivery


def _move(
    webhook: Webhook, move: str, *, actor: User, at: datetime, revision: int | None
) -> Webhook:
    standing = access.require(actor, move, webhook, at=at)
    WEBHOOK.apply(webhook, move, actor=actor, at=at, revision=revision)
    details = {"webhook": webhook.pk, "url": webhook.url}
    ledger.record(standing, f"sharing.{move}_webhook", webhook.system, at=at, details=details)
    return webhook


def _require_in_service(system: InformationSystem) -> None:
    if not system.is_in_service():
        raise Conflict(_("信息系统已停用，不再推送事件"), code="system_retired")


def _held(webhook: Webhook) -> Webhook:
    held = Webhook.objects.select_for_update(of=("self",)).get(pk=webhook.pk)
    if held.status == Webhook.Status.REMOVED:
        raise Conflict(_("这个推送地址已删除"), code="webhook_removed")
    return held
