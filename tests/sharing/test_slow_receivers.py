"""Receivers that answer slowly, wrongly or never hold up neither the worker nor each other."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from apps.sharing import operations as sharing
from apps.sharing.models import Webhook, WebhookDelivery
from apps.sharing.sending import PushFailed, push
from tests.factories.sharing import Scene
from tests.sharing.test_webhooks import ALL, Receiver, receiver, registered

__all__ = ["receiver"]
pytestmark = pytest.mark.django_db


@contextmanager
def answering(*pieces: bytes, pause: float = 0) -> Iterator[str]:
    """A service that answers every caller with these bytes, piece by piece, whatever is asked."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                line, _address = server.accept()
            except OSError:
                return
            with line:
                try:
                    asked = b""
                    while not asked.endswith(b"}"):
                        asked += line.recv(65536)
                    for piece in pieces:
                        line.sendall(piece)
                        time.sleep(pause)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/events"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


def at_address(scene: Scene, url: str, at: datetime) -> Webhook:
    return sharing.register_webhook(
        system=scene.system, url=url, events=ALL, actor=scene.consumer, at=at
    ).webhook


def waiting(webhook: Webhook, number: int, at: datetime) -> None:
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(
            webhook=webhook,
            event="grant.ended",
            key=f"event:{each}",
            created_at=at,
            next_attempt_at=at,
        )
        for each in range(number)
    )


@pytest.mark.parametrize(
    "begin", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n"]
)
def test_one_that_trickles_is_cut_off_in_time(receiver: Receiver, begin: bytes) -> None:
    with answering(begin, *[b"x"] * 40, pause=0.1) as url:
        begun = time.monotonic()
        with pytest.raises(PushFailed, match="时限"):
            push(url, b"{}", {}, within=0.6)
        assert time.monotonic() - begun < 2


def test_no_transaction_is_open_while_it_is_sent(
    scene: Scene, receiver: Receiver, at: datetime
) -> None:
    webhook, _secret = registered(scene, receiver, at)
    sharing.ping(webhook=webhook, actor=scene.consumer, at=at)
    held = connection.savepoint_ids
    outside = len(held)
    seen: list[int] = []
    receiver.on_call = lambda: seen.append(len(held))
    assert sharing.push_due(at=at) == 1
    assert seen == [outside]


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1\x00\x07 what\r\n\r\n", b"\x00220 mail.inner ESMTP\r\n", b"HTTP"]
)
def test_nonsense_for_an_answer_stops_no_other_and_is_not_repeated(
    scene: Scene, receiver: Receiver, at: datetime, answer: bytes
) -> None:
    with answering(answer) as url:
        broken = at_address(scene, url, at)
        sound, _secret = registered(scene, receiver, at)
        sharing.ping(webhook=broken, actor=scene.consumer, at=at)
        sharing.ping(webhook=sound, actor=scene.consumer, at=at)
        assert sharing.push_due(at=at) == 1
    row = broken.deliveries.get()
    assert (row.state, row.attempts, row.next_attempt_at) == (
        *("waiting", 1, at + timedelta(minutes=2)),
    )
    assert row.last_error == "对方的回答不是 HTTP，或者中途断开"


def test_what_nobody_foresaw_puts_off_one_row_only(
    scene: Scene, receiver: Receiver, at: datetime
) -> None:
    other = at_address(scene, receiver.url.replace("events", "other"), at)
    webhook, _secret = registered(scene, receiver, at)
    for each in (other, webhook):
        sharing.ping(webhook=each, actor=scene.consumer, at=at)
    other.deliveries.update(event="no\nheader")
    assert sharing.push_due(at=at) == 1
    row = other.deliveries.get()
    assert (row.state, row.last_error) == ("waiting", "平台内部错误")
    assert row.next_attempt_at == at + timedelta(minutes=2)


def test_hundreds_that_wait_for_a_dead_address_keep_no_other_waiting(
    scene: Scene, receiver: Receiver, at: datetime
) -> None:
    dead = at_address(scene, "http://127.0.0.1:1/closed", at)
    waiting(dead, 250, at)
    sound, _secret = registered(scene, receiver, at)
    waiting(sound, 3, at + timedelta(seconds=5))
    assert sharing.push_due(at=at + timedelta(seconds=10)) == 3
    assert dead.deliveries.filter(attempts__gt=0).count() == 1


def test_a_run_ends_in_time_for_the_next(scene: Scene, receiver: Receiver, at: datetime) -> None:
    webhook, _secret = registered(scene, receiver, at)
    waiting(webhook, 3, at)
    receiver.on_call = lambda: time.sleep(0.2)
    assert sharing.push_due(at=at, run_seconds=0.1) == 1
    assert sharing.push_due(at=at) == 2


def test_an_address_is_sent_to_by_one_run_at_a_time(
    scene: Scene, receiver: Receiver, at: datetime
) -> None:
    webhook, _secret = registered(scene, receiver, at)
    waiting(webhook, 2, at)
    first = webhook.deliveries.order_by("pk").first()
    assert first is not None
    # As a worker that died while sending leaves it.
    WebhookDelivery.objects.filter(pk=first.pk).update(
        attempts=1, next_attempt_at=at + timedelta(minutes=2)
    )
    assert sharing.push_due(at=at) == 0
    assert sharing.push_due(at=at + timedelta(minutes=2)) == 2


def test_a_push_is_signed_with_the_moment_it_is_sent(
    scene: Scene, receiver: Receiver, at: datetime
) -> None:
    webhook, _secret = registered(scene, receiver, at)
    sharing.ping(webhook=webhook, actor=scene.consumer, at=at)
    begun = int(timezone.now().timestamp())
    sharing.push_due(at=timezone.now() + timedelta(hours=1))
    assert begun <= int(receiver.got[0][0]["X-Huiliu-Timestamp"]) <= begun + 60
