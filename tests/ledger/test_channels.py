"""Webhooks: signed, tried again later, given up in the end, never redirected."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from apps.ledger import operations as ledger
from apps.ledger.channels import sign
from apps.ledger.models import Delivery

pytestmark = pytest.mark.django_db
SECRET = "a secret of both sides"


@dataclass
class Receiver:
    """The other side: answers with `status` and keeps what came."""

    port: int
    status: int = 204
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            box.received.append((dict(self.headers), body))
            self.send_response(box.status)
            self.send_header("Location", f"http://127.0.0.1:{box.port}/elsewhere")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    box = Receiver(server.server_port)
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield box
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def webhook(settings: Any, receiver: Receiver) -> Receiver:
    settings.HUILIU_NOTICE_CHANNELS = ("in_site", "webhook")
    settings.HUILIU_NOTICE_WEBHOOK = {
        "url": f"http://127.0.0.1:{receiver.port}/hook",
        "secret": SECRET,
    }
    return receiver


def delivery() -> Delivery:
    return Delivery.objects.get(channel="webhook")


def test_it_posts_a_signed_message(webhook: Receiver, provider: Any, at: datetime) -> None:
    ledger.notify([provider], title="共享申请已同意", url="/work/requests/1/", at=at)
    assert ledger.deliver_due(at=at) == 1
    ((headers, body),) = webhook.received
    assert json.loads(body)["title"] == "共享申请已同意"
    assert headers["X-Huiliu-Signature"] == sign(body, headers["X-Huiliu-Timestamp"], SECRET)
    assert headers["X-Huiliu-Signature"] != sign(body + b" ", headers["X-Huiliu-Timestamp"], SECRET)
    assert (delivery().state, delivery().sent_at) == ("sent", at)


@pytest.mark.parametrize("status", [302, 400, 500])
def test_it_tries_again_later_when_it_is_refused(
    webhook: Receiver, provider: Any, at: datetime, status: int
) -> None:
    webhook.status = status
    ledger.notify([provider], title="已送达", at=at)
    assert ledger.deliver_due(at=at) == 0
    assert len(webhook.received) == 1
    waiting = delivery()
    assert (waiting.state, waiting.attempts) == ("waiting", 1)
    assert waiting.next_attempt_at == at + timedelta(minutes=2)
    assert str(status) in waiting.last_error
    assert ledger.deliver_due(at=at + timedelta(minutes=1)) == 0
    webhook.status = 200
    assert ledger.deliver_due(at=at + timedelta(minutes=2)) == 1


def test_it_gives_up_after_eight_attempts(webhook: Receiver, provider: Any, at: datetime) -> None:
    webhook.status = 500
    ledger.notify([provider], title="已送达", at=at)
    for day in range(10):
        ledger.deliver_due(at=at + timedelta(days=day))
    assert (delivery().state, delivery().attempts) == ("failed", 8)


def test_it_does_not_open_addresses_that_are_not_http(
    settings: Any, provider: Any, at: datetime
) -> None:
    settings.HUILIU_NOTICE_CHANNELS = ("webhook",)
    settings.HUILIU_NOTICE_WEBHOOK = {"url": "file:///etc/passwd", "secret": SECRET}
    ledger.notify([provider], title="已送达", at=at)
    assert ledger.deliver_due(at=at) == 0
    assert "not an http address" in delivery().last_error
