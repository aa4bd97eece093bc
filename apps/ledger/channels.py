"""The ways by which a notice reaches a person, one adapter each.

In site: the notice itself, delivered when written. Mail. Webhook: a signed POST to the address in
the settings, behind which a government chat application may stand.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from smtplib import SMTPException
from typing import Protocol
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from django.conf import settings
from django.core.mail import send_mail

from apps.accounts.models import User
from apps.ledger.models import Notice

WEBHOOK_TIMEOUT_SECONDS = 5


class DeliveryFailed(Exception):
    """This attempt did not reach the other side; it may be tried again."""


class Channel(Protocol):
    """One way to reach people."""

    name: str

    def reaches(self, user: User) -> bool:
        """Say whether this person can be reached this way at all."""
        ...

    def send(self, notice: Notice, *, at: datetime) -> None:
        """Bring the notice to its recipient.

        Raises:
            DeliveryFailed: it did not get through.
        """
        ...


class InSite:
    name = "in_site"

    def reaches(self, user: User) -> bool:
        return True

    def send(self, notice: Notice, *, at: datetime) -> None:
        """The notice is where it is read: nothing to carry."""


class Mail:
    name = "mail"

    def reaches(self, user: User) -> bool:
        return bool(user.email)

    def send(self, notice: Notice, *, at: datetime) -> None:
        body = "\n\n".join(filter(None, [notice.body, notice.url]))
        try:
            send_mail(notice.title, body, None, [notice.recipient.email])
        except (SMTPException, OSError) as error:
            raise DeliveryFailed(str(error)) from error


class Webhook:
    """POSTs JSON with `X-Huiliu-Timestamp` and `X-Huiliu-Signature: sha256=<hex>`.

    The signature is HMAC-SHA-256 over timestamp, a dot and the body; `X-Huiliu-Delivery` is the
    notice's number, so that the other side can drop what it has seen.
    """

    name = "webhook"

    def reaches(self, user: User) -> bool:
        return bool(webhook_settings().get("url"))

    def send(self, notice: Notice, *, at: datetime) -> None:
        url, secret = webhook_settings()["url"], webhook_settings()["secret"]
        if urlsplit(url).scheme not in {"https", "http"}:
            raise DeliveryFailed(f"not an http address: {url}")
        body = json.dumps(_message(notice), ensure_ascii=False, sort_keys=True).encode()
        timestamp = str(int(at.timestamp()))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-Huiliu-Delivery": str(notice.pk),
            "X-Huiliu-Timestamp": timestamp,
            "X-Huiliu-Signature": sign(body, timestamp, secret),
        }
        request = Request(url, data=body, headers=headers, method="POST")  # noqa: S310 (checked)
        try:
            with build_opener(_NoRedirect).open(request, timeout=WEBHOOK_TIMEOUT_SECONDS):
                return
        except (URLError, OSError) as error:
            raise DeliveryFailed(str(error)) from error


class _NoRedirect(HTTPRedirectHandler):
    """A redirect would carry the signed message to an address nobody configured."""

    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None


def sign(body: bytes, timestamp: str, secret: str) -> str:
    """Sign a webhook's body as its receiver can check it."""
    signed = timestamp.encode() + b"." + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _message(notice: Notice) -> Mapping[str, object]:
    return {
        "id": notice.pk,
        "recipient": notice.recipient.username,
        "title": notice.title,
        "body": notice.body,
        "url": notice.url,
        "at": notice.at.isoformat(),
    }


CHANNELS: dict[str, Channel] = {channel.name: channel for channel in (InSite(), Mail(), Webhook())}


def switched_on() -> tuple[str, ...]:
    """The names of the channels in use; in site unless the settings say more."""
    return tuple(getattr(settings, "HUILIU_NOTICE_CHANNELS", ("in_site",)))


def webhook_settings() -> dict[str, str]:
    """Address and secret of the webhook: {"url": …, "secret": …}."""
    return dict(getattr(settings, "HUILIU_NOTICE_WEBHOOK", {}))


def channels_for(user: User) -> list[Channel]:
    """The ways that are switched on and reach this person."""
    chosen = [CHANNELS[name] for name in switched_on()]
    return [channel for channel in chosen if channel.reaches(user)]
