"""Events are pushed to systems: signed, once each, again later, never into our own network."""

import hashlib
import hmac
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core import access, outbound
from apps.core.errors import Conflict, IllegalMove, InvalidInput, NotAllowed
from apps.ledger.models import Event, Notice
from apps.sharing import operations as sharing
from apps.sharing.lifecycle import WEBHOOK
from apps.sharing.models import Grant, Webhook, WebhookDelivery, WebhookEvent
from apps.sharing.sending import PushFailed, push, target_of
from apps.warehouse.models import DataTable
from tests import stories
from tests.factories.accounts import OUT_OF_SERVICE, OutOfService, UserFactory
from tests.factories.sharing import Scene, make_scene
from tests.sharing.test_views import signed_in

pytestmark = pytest.mark.django_db
ALL = [each for each in WebhookEvent.values if each != "ping"]
PUBLIC = "8.8.8.8"  # a number, so that no name need be asked for; nothing is sent there
NO_ADDRESSES = (
    *(f"http://{PUBLIC}/a", f"ftp://{PUBLIC}/a", "https://", "https:///a", "x"),
    *(f"https://u:p@{PUBLIC}/a", f"https://{PUBLIC}:99999/"),
)
INNER_ADDRESSES = (
    *("https://127.0.0.1/a", "https://[::1]/a", "https://169.254.169.254/latest"),
    *("https://10.1.2.3/a", "https://localhost/a", "https://0.0.0.0/"),
    "https://[::ffff:10.0.0.1]/",
)


class Receiver:
    """A consumer's system that takes what is pushed; `answers` are the statuses it gives."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.on_call: Callable[[], object] = lambda: None
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                receiver.got.append((dict(self.headers), self.rfile.read(length)))
                receiver.on_call()
                status = receiver.answers.pop(0) if receiver.answers else 204
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/events?to=教委"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def bodies(self) -> list[dict[str, Any]]:
        return [orjson.loads(body) for _headers, body in self.got]


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.HUILIU_PUSH_ALLOW = ["127.0.0.1/32"]
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def registered(scene: Scene, receiver: Receiver, at: datetime) -> tuple[Webhook, str]:
    made = sharing.register_webhook(
        system=scene.system, url=receiver.url, events=ALL, actor=scene.consumer, at=at
    )
    return made.webhook, made.secret


def run(at: datetime) -> None:
    sharing.collect_events(at=at)
    sharing.push_due(at=at)


class TestPushing:
    def test_what_happens_to_a_grant_arrives_signed_and_once(
        self, landed_scene: Scene, receiver: Receiver, now: datetime
    ) -> None:
        _webhook, secret = registered(landed_scene, receiver, now)
        grant = stories.delivered(landed_scene, now).grant
        head = landed_scene.provider_head
        sharing.suspend(grant=grant, actor=head, at=now, reason="超范围使用")
        run(now)
        sharing.resume(grant=grant, actor=head, at=now, reason="已整改")
        sharing.end(grant=grant, actor=head, at=now, reason="不再使用")
        run(now)
        run(now)
        told = [body["event"] for body in receiver.bodies()]
        assert told == [
            *("request.answered", "grant.delivered", "grant.suspended"),
            *("grant.resumed", "grant.ended"),
        ]
        for headers, body in receiver.got:
            signed = headers["X-Huiliu-Timestamp"].encode() + b"." + body
            expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
            assert headers["X-Huiliu-Signature"] == f"sha256={expected}"
        last = receiver.bodies()[-1]
        assert (last["grant"]["id"], last["dataset"]) == (grant.pk, landed_scene.dataset.code)
        assert last["system"] == landed_scene.system.code
        assert "超范围" not in str(receiver.bodies())

    def test_many_events_are_queued_once_in_as_many_queries_as_few(
        self, landed_scene: Scene, receiver: Receiver, now: datetime
    ) -> None:
        registered(landed_scene, receiver, now)
        grant = stories.delivered(landed_scene, now).grant

        def collect() -> tuple[int, int]:
            with CaptureQueriesContext(connection) as captured:
                queued = sharing.collect_events(at=now)
            return queued, len(captured)

        few = collect()
        for _time in range(4):
            for act in (sharing.suspend, sharing.resume):
                act(grant=grant, actor=landed_scene.provider_head, at=now, reason="核实")
        many = collect()
        assert (few[0], many[0]) == (2, 8)
        assert many[1] <= few[1]
        assert collect()[0] == 0
        assert WebhookDelivery.objects.count() == 10

    def test_many_stops_are_queued_in_as_many_queries_as_one(
        self, landed_scene: Scene, receiver: Receiver, now: datetime
    ) -> None:
        registered(landed_scene, receiver, now)
        stories.delivered(landed_scene, now)
        sharing.collect_events(at=now)

        def announce(of: Any, actor: Any) -> None:
            begin = now + timedelta(days=20)
            sharing.announce_stop(
                of=of, starts_at=begin, ends_at=begin + timedelta(hours=1), reason="升级",
                actor=actor, at=now,
            )  # fmt: skip

        def collect() -> tuple[int, int]:
            with CaptureQueriesContext(connection) as captured:
                queued = sharing.collect_events(at=now)
            return queued, len(captured)

        announce(landed_scene.dataset, landed_scene.provider_head)
        one = collect()
        for _time in range(2):
            announce(landed_scene.dataset, landed_scene.provider_head)
            announce(landed_scene.provider_department, landed_scene.provider_head)
            announce(None, landed_scene.authority)
        other = make_scene()
        announce(other.dataset, other.provider_head)  # does not reach the system
        many = collect()
        assert (one[0], many[0]) == (1, 6)
        assert many[1] <= one[1]
        bodies = [each.body for each in WebhookDelivery.objects.filter(event="service.stop")]
        assert {tuple(body["datasets"]) for body in bodies} == {(landed_scene.dataset.code,)}

    def test_a_new_batch_is_told_once_whatever_came_between(
        self, landed_scene: Scene, landed_grant: Grant, receiver: Receiver, now: datetime
    ) -> None:
        registered(landed_scene, receiver, now + timedelta(seconds=1))
        run(now)
        DataTable.objects.filter(dataset=landed_grant.dataset).update(batch_counter=4)
        run(now)
        run(now)
        assert [(body["event"], body["horizon"]) for body in receiver.bodies()] == [
            ("dataset.updated", 4)
        ]

    def test_it_hears_of_its_own_system_and_chosen_events_only(
        self, landed_scene: Scene, receiver: Receiver, now: datetime
    ) -> None:
        sharing.register_webhook(
            system=landed_scene.system,
            url=receiver.url,
            events=["grant.ended"],
            actor=landed_scene.consumer,
            at=now,
        )
        from tests.factories.sharing import land, make_scene

        other = make_scene()
        land(other.dataset)
        theirs = stories.delivered(other, now).grant
        sharing.end(grant=theirs, actor=other.provider_head, at=now, reason="不再使用")
        stories.delivered(landed_scene, now)
        run(now)
        assert receiver.got == []
        assert not WebhookDelivery.objects.exists()

    def test_it_is_tried_later_each_time_and_given_up_after_eight(
        self, scene: Scene, receiver: Receiver
    ) -> None:
        at = timezone.now()
        webhook, _secret = registered(scene, receiver, at)
        sharing.ping(webhook=webhook, actor=scene.consumer, at=at)
        receiver.answers = [500] * 8
        waits = []
        for _attempt in range(8):
            sharing.push_due(at=at)
            delivery = WebhookDelivery.objects.get()
            assert sharing.push_due(at=at) == 0
            if delivery.next_attempt_at is not None:
                waits.append((delivery.next_attempt_at - at) // timedelta(minutes=1))
                at = delivery.next_attempt_at
        assert waits == [2, 4, 8, 16, 32, 64, 128]
        delivery = WebhookDelivery.objects.get()
        assert (delivery.state, delivery.last_status, delivery.last_error) == (
            *("dead", 500, "HTTP 500"),
        )
        assert len(receiver.got) == 8
        assert Notice.objects.filter(recipient=scene.consumer_head).count() == 1

        sharing.resend(delivery=delivery, actor=scene.consumer, at=at)
        assert sharing.push_due(at=at) == 1
        delivery.refresh_from_db()
        assert (delivery.state, delivery.last_error) == ("sent", "")

    def test_what_fails_a_day_later_is_told_though_older_ones_are_given_up_still(
        self, scene: Scene, receiver: Receiver
    ) -> None:
        at = timezone.now()
        webhook, _secret = registered(scene, receiver, at)
        receiver.answers = [500] * 24
        counts = []
        for wait in (0, 3, 30):
            moment = at + timedelta(hours=wait)
            delivery = sharing.ping(webhook=webhook, actor=scene.consumer, at=moment)
            WebhookDelivery.objects.filter(pk=delivery.pk).update(attempts=7)
            sharing.push_due(at=moment)
            counts.append(Notice.objects.filter(recipient=scene.consumer_head).count())
        assert counts == [1, 1, 2]

    def test_batches_that_land_while_a_grant_is_suspended_are_told_when_it_goes_on(
        self, landed_scene: Scene, landed_grant: Grant, receiver: Receiver, now: datetime
    ) -> None:
        registered(landed_scene, receiver, now + timedelta(seconds=1))
        head = landed_scene.provider_head
        sharing.suspend(grant=landed_grant, actor=head, at=now, reason="核实")
        run(now)
        DataTable.objects.filter(dataset=landed_grant.dataset).update(batch_counter=4)
        run(now)
        sharing.resume(grant=landed_grant, actor=head, at=now, reason="已核实")
        run(now)
        run(now)
        told = [body.get("horizon") for body in receiver.bodies()]
        assert [horizon for horizon in told if horizon] == [4]

    @pytest.mark.parametrize("how", OUT_OF_SERVICE)
    def test_a_system_out_of_service_hears_nothing_more(
        self, landed_scene: Scene, receiver: Receiver, now: datetime, how: OutOfService
    ) -> None:
        webhook, _secret = registered(landed_scene, receiver, now)
        sharing.ping(webhook=webhook, actor=landed_scene.consumer, at=now)
        stories.delivered(landed_scene, now)
        how(landed_scene.system)
        run(now)
        assert receiver.got == []
        assert WebhookDelivery.objects.count() == 1
        for refused in (
            lambda: sharing.ping(webhook=webhook, actor=landed_scene.consumer, at=now),
            lambda: sharing.register_webhook(
                system=landed_scene.system,
                url=f"{receiver.url}2",
                events=ALL,
                actor=landed_scene.consumer,
                at=now,
            ),
        ):
            with pytest.raises((Conflict, NotAllowed)):
                refused()
        assert (Webhook.objects.count(), WebhookDelivery.objects.count()) == (1, 1)

    def test_few_pings_wait_at_an_address(
        self, scene: Scene, receiver: Receiver, at: datetime
    ) -> None:
        webhook, _secret = registered(scene, receiver, at)
        for number in range(3):
            moment = at + timedelta(seconds=number)
            sharing.ping(webhook=webhook, actor=scene.consumer, at=moment)
        with pytest.raises(Conflict) as refusal:
            sharing.ping(webhook=webhook, actor=scene.consumer, at=at + timedelta(seconds=9))
        assert refusal.value.code == "ping_waits"
        assert WebhookDelivery.objects.count() == 3

    def test_what_arrived_is_kept_for_ninety_days(
        self, scene: Scene, receiver: Receiver, at: datetime
    ) -> None:
        webhook, _secret = registered(scene, receiver, at)
        sharing.ping(webhook=webhook, actor=scene.consumer, at=at)
        sharing.push_due(at=at)
        sharing.ping(webhook=webhook, actor=scene.consumer, at=at + timedelta(seconds=1))
        assert sharing.forget_deliveries(at + timedelta(days=89)) == 0
        assert sharing.forget_deliveries(at + timedelta(days=91)) == 1
        assert WebhookDelivery.objects.get().state == "waiting"

    def test_one_that_fails_stops_no_other(
        self, scene: Scene, receiver: Receiver, at: datetime
    ) -> None:
        broken = sharing.register_webhook(
            system=scene.system,
            url="http://127.0.0.1:1/closed",
            events=ALL,
            actor=scene.consumer,
            at=at,
        ).webhook
        sound, _secret = registered(scene, receiver, at)
        for webhook in (broken, broken, sound):
            sharing.ping(
                webhook=webhook,
                actor=scene.consumer,
                at=at + timedelta(seconds=len(webhook.url) + WebhookDelivery.objects.count()),
            )
        assert sharing.push_due(at=at + timedelta(hours=1)) == 1
        assert sorted(broken.deliveries.values_list("attempts", flat=True)) == [0, 1]

    def test_a_paused_address_keeps_what_waits(
        self, scene: Scene, receiver: Receiver, at: datetime
    ) -> None:
        webhook, _secret = registered(scene, receiver, at)
        sharing.ping(webhook=webhook, actor=scene.consumer, at=at)
        sharing.pause_webhook(webhook=webhook, actor=scene.consumer, at=at)
        assert sharing.push_due(at=at) == 0
        sharing.resume_webhook(webhook=webhook, actor=scene.consumer, at=at)
        assert sharing.push_due(at=at) == 1

    def test_a_removed_address_hears_nothing_more(
        self, scene: Scene, receiver: Receiver, at: datetime
    ) -> None:
        webhook, _secret = registered(scene, receiver, at)
        delivery = sharing.ping(webhook=webhook, actor=scene.consumer, at=at)
        sharing.remove_webhook(webhook=webhook, actor=scene.consumer, at=at)
        assert sharing.push_due(at=at) == 0
        delivery.refresh_from_db()
        assert delivery.state == "dead"
        with pytest.raises(Conflict):
            sharing.resend(delivery=delivery, actor=scene.consumer, at=at)

    def test_another_secret_signs_from_the_next_push_on(
        self, scene: Scene, receiver: Receiver, at: datetime
    ) -> None:
        webhook, old = registered(scene, receiver, at)
        new = sharing.renew_secret(webhook=webhook, actor=scene.consumer, at=at)
        sharing.ping(webhook=webhook, actor=scene.consumer, at=at)
        sharing.push_due(at=at)
        headers, body = receiver.got[0]
        signed = headers["X-Huiliu-Timestamp"].encode() + b"." + body
        expected = hmac.new(new.encode(), signed, hashlib.sha256).hexdigest()
        assert headers["X-Huiliu-Signature"] == f"sha256={expected}"
        webhook.refresh_from_db()
        assert old not in webhook.secret
        assert new not in webhook.secret
        assert new not in str(list(Event.objects.values_list("details", flat=True)))


class TestWhereTo:
    @pytest.mark.parametrize(
        ("code", "url"),
        [
            *(("url_invalid", url) for url in NO_ADDRESSES),
            *(("address_refused", url) for url in INNER_ADDRESSES),
        ],
    )
    def test_what_is_not_safe_is_refused_and_nothing_registered(
        self, scene: Scene, at: datetime, code: str, url: str, settings: Any
    ) -> None:
        settings.HUILIU_PUSH_ALLOW = []
        with pytest.raises(InvalidInput) as refusal:
            sharing.register_webhook(
                system=scene.system, url=url, events=ALL, actor=scene.consumer, at=at
            )
        assert refusal.value.code == code
        assert not Webhook.objects.exists()

    def test_a_public_address_is_registered(
        self, scene: Scene, at: datetime, settings: Any
    ) -> None:
        settings.HUILIU_PUSH_ALLOW = []
        sharing.register_webhook(
            system=scene.system, url=f"https://{PUBLIC}/a", events=ALL, actor=scene.consumer, at=at
        )
        assert Webhook.objects.get().url == f"https://{PUBLIC}/a"

    def test_the_address_is_looked_at_again_when_it_is_pushed_to(
        self, scene: Scene, receiver: Receiver, at: datetime, settings: Any
    ) -> None:
        webhook, _secret = registered(scene, receiver, at)
        sharing.ping(webhook=webhook, actor=scene.consumer, at=at)
        settings.HUILIU_PUSH_ALLOW = []
        assert sharing.push_due(at=at) == 0
        assert receiver.got == []
        assert "HUILIU_PUSH_ALLOW" in WebhookDelivery.objects.get().last_error

    def test_networks_for_reading_are_not_for_sending(
        self, receiver: Receiver, settings: Any
    ) -> None:
        settings.HUILIU_PULL_ALLOW, settings.HUILIU_PUSH_ALLOW = ["127.0.0.0/8"], []
        with pytest.raises(PushFailed, match="HUILIU_PUSH_ALLOW"):
            push(receiver.url, b"{}", {})
        assert receiver.got == []

    def test_a_redirect_is_not_followed(self, receiver: Receiver) -> None:
        receiver.answers = [302]
        with pytest.raises(PushFailed, match="HTTP 302"):
            push(receiver.url, b"{}", {})

    def test_the_connection_goes_to_the_address_that_was_checked(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A name that is asked for again may mean another machine by then."""
        name, resolve = "consumer.example", socket.getaddrinfo
        asked: list[str] = []

        def turning(host: Any, *more: Any, **named: Any) -> Any:
            if host == name:
                host = "127.0.0.2" if asked else "127.0.0.1"
                asked.append(name)
            return resolve(host, *more, **named)

        monkeypatch.setattr(socket, "getaddrinfo", turning)
        url = receiver.url.replace("127.0.0.1", name)
        assert target_of(url).place.address == "127.0.0.1"
        asked.clear()
        assert push(url, b"{}", {}) == 204
        assert asked == [name]
        [(headers, _body)] = receiver.got
        assert headers["Host"].startswith(f"{name}:")
        assert not outbound.is_listed("127.0.0.2", setting=outbound.PUSH)


class TestKeeping:
    def test_refusals_register_nothing(
        self, scene: Scene, receiver: Receiver, at: datetime, outsider: Any
    ) -> None:
        for person in (scene.provider, outsider):
            with pytest.raises(NotAllowed):
                sharing.register_webhook(
                    system=scene.system, url=receiver.url, events=ALL, actor=person, at=at
                )
        for events in ([], ["ping"], ["grant.nonsense"]):
            with pytest.raises(InvalidInput):
                sharing.register_webhook(
                    system=scene.system,
                    url=receiver.url,
                    events=events,
                    actor=scene.consumer,
                    at=at,
                )
        assert not Webhook.objects.exists()
        registered(scene, receiver, at)
        with pytest.raises(Conflict):
            registered(scene, receiver, at)
        assert Webhook.objects.count() == 1

    def test_a_system_has_a_few_addresses(
        self, scene: Scene, receiver: Receiver, at: datetime
    ) -> None:
        for number in range(5):
            sharing.register_webhook(
                system=scene.system,
                url=f"{receiver.url}{number}",
                events=ALL,
                actor=scene.consumer,
                at=at,
            )
        with pytest.raises(Conflict) as refusal:
            registered(scene, receiver, at)
        assert refusal.value.code == "too_many_webhooks"

    @pytest.mark.parametrize("status", WEBHOOK.states.values)
    @pytest.mark.parametrize("move", [move.name for move in WEBHOOK.moves])
    def test_every_pair_of_status_and_move(
        self, scene: Scene, receiver: Receiver, at: datetime, status: str, move: str
    ) -> None:
        webhook, _secret = registered(scene, receiver, at)
        Webhook.objects.filter(pk=webhook.pk).update(status=status)
        if status in WEBHOOK.move(move).sources:
            getattr(sharing, f"{move}_webhook")(webhook=webhook, actor=scene.consumer, at=at)
            assert webhook.status == WEBHOOK.move(move).target
        else:
            with pytest.raises(IllegalMove):
                getattr(sharing, f"{move}_webhook")(webhook=webhook, actor=scene.consumer, at=at)
            webhook.refresh_from_db()
            assert webhook.status == status

    @pytest.mark.parametrize("move", [move.name for move in WEBHOOK.moves])
    def test_a_refused_move_is_recorded_under_its_own_name(
        self, scene: Scene, receiver: Receiver, at: datetime, outsider: Any, move: str
    ) -> None:
        webhook, _secret = registered(scene, receiver, at)
        with pytest.raises(NotAllowed):
            getattr(sharing, f"{move}_webhook")(webhook=webhook, actor=outsider, at=at)
        refused = Event.objects.get(outcome="refused", actor_id=outsider.pk)
        assert refused.verb == f"sharing.{move}_webhook"
        webhook.refresh_from_db()
        assert (webhook.status, webhook.revision) == ("active", 1)

    def test_who_may_do_what(
        self, scene: Scene, receiver: Receiver, at: datetime, outsider: Any
    ) -> None:
        webhook, _secret = registered(scene, receiver, at)
        delivery = sharing.ping(webhook=webhook, actor=scene.consumer, at=at)
        people = {
            "consumer": scene.consumer,
            "consumer_head": scene.consumer_head,
            "provider_head": scene.provider_head,
            "authority": scene.authority,
            "operator": UserFactory(department=scene.authority.department, roles=["system_admin"]),
            "outsider": outsider,
        }

        def may(action: str, row: Any) -> set[str]:
            return {who for who, person in people.items() if access.allowed(person, action, row)}

        keepers = {"consumer", "consumer_head"}
        assert may("view", webhook) == keepers | {"authority", "operator"}
        for action in ("resume", "remove", "renew", "ping"):
            assert may(action, webhook) == keepers
        assert may("pause", webhook) == keepers | {"operator"}
        assert may("resend", delivery) == keepers | {"operator"}
        assert may("change", webhook) == may("delete", delivery) == set()


class TestPages:
    def test_a_clerk_registers_tries_and_sends_again(
        self, scene: Scene, receiver: Receiver, at: datetime
    ) -> None:
        client = signed_in(scene.consumer)
        address = f"/work/systems/{scene.system.pk}/webhooks/"
        shown = client.post(address, {"url": receiver.url, "events": ALL}).content.decode()
        webhook = Webhook.objects.get()
        assert "签名密钥" in shown
        assert receiver.url.partition("?")[0] in shown
        page = f"/work/webhooks/{webhook.pk}/"
        client.post(f"{page}act/ping/")
        receiver.answers = [503] * 8
        moment = timezone.now()
        for _attempt in range(8):
            moment += timedelta(hours=3)
            sharing.push_due(at=moment)
        seen = client.get(page, {"state": "dead"}).content.decode()
        assert "HTTP 503" in seen
        dead = WebhookDelivery.objects.get()
        assert f"{page}deliveries/{dead.pk}/resend/" in seen
        client.post(f"{page}deliveries/{dead.pk}/resend/")
        dead.refresh_from_db()
        assert dead.state == "waiting"
        assert page in client.get("/work/webhooks/").content.decode()

    def test_others_neither_see_nor_touch_it(
        self, scene: Scene, receiver: Receiver, at: datetime, outsider: Any
    ) -> None:
        webhook, _secret = registered(scene, receiver, at)
        client = signed_in(outsider)
        assert client.get(f"/work/webhooks/{webhook.pk}/").status_code == 404
        assert client.post(f"/work/webhooks/{webhook.pk}/act/pause/").status_code == 404
        assert client.get(f"/work/webhooks/{webhook.pk}/act/pause/").status_code == 405
        webhook.refresh_from_db()
        assert webhook.status == "active"

    def test_what_cannot_be_undone_is_asked_about_first(
        self, scene: Scene, receiver: Receiver, at: datetime
    ) -> None:
        webhook, _secret = registered(scene, receiver, at)
        sharing.ping(webhook=webhook, actor=scene.consumer, at=at)
        client = signed_in(scene.consumer)
        page = f"/work/webhooks/{webhook.pk}/"
        shown = client.get(page).content.decode()
        assert f'href="{page}confirm/renew/"' in shown
        assert f'href="{page}confirm/remove/"' in shown
        assert f'action="{page}act/remove/"' not in shown
        assert "接收系统须同时更换" in client.get(f"{page}confirm/renew/").content.decode()
        asked = client.get(f"{page}confirm/remove/").content.decode()
        assert f"将停止向 {webhook.url} 推送，待推送的 1 条作废，不能恢复" in asked
        assert f'action="{page}act/remove/"' in asked
        assert client.get(f"{page}confirm/pause/").status_code == 404
        assert signed_in(scene.authority).get(f"{page}confirm/remove/").status_code == 403
        assert client.post(f"{page}act/remove/").status_code == 302
        assert client.get(f"{page}confirm/remove/").status_code == 404
