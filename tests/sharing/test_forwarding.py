"""Calls forwarded to a provider's own service: the same grant, masks, rows, quota and record."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.ledger.models import Todo
from apps.sharing import operations as sharing
from apps.sharing.gateway.forwarding import breaker
from apps.sharing.models import DailyUse, Grant, Interface, InterfaceCall
from apps.sharing.operations.serving.probing import TODO
from tests import stories
from tests.factories.gateway import access_records, caller, credential_of, draw_token, problem
from tests.factories.provider_service import RECORDS, Service, running
from tests.factories.sharing import Scene, land, make_scene
from tests.sharing.forwarding_fixtures import ITEMS, started

GRANTED = {"identity_number": "cover_identity", "name": "", "division_code": "", "amount": ""}
CONDITION = [{"item": "division_code", "operator": "eq", "value": "500103"}]


@pytest.fixture(autouse=True)
def allowed(settings: Any) -> None:
    settings.HUILIU_PULL_ALLOW = ["127.0.0.0/8"]


@pytest.fixture
def service() -> Iterator[Service]:
    with running() as service:
        yield service


@pytest.fixture
def far(server: None) -> Scene:
    """A scene whose dataset nobody lands."""
    return make_scene()


@pytest.fixture
def interface(far: Scene, service: Service, now: datetime) -> Interface:
    return started(far, service, now)


@pytest.fixture
def grant(far: Scene, now: datetime) -> Grant:
    return stories.delivered(far, now, items=GRANTED, row_condition=CONDITION).grant


@pytest.fixture
def system(far: Scene, grant: Grant, now: datetime) -> Client:
    return caller(draw_token(credential_of(far.system, far.consumer_head, now)))


@pytest.fixture
def address(far: Scene) -> str:
    return f"/api/v1/data/{far.dataset.code.replace('/', '-')}"


class TestPage:
    def test_it_shows_what_the_grant_shows_of_landed_data(
        self, system: Client, address: str, interface: Interface, service: Service
    ) -> None:
        answer = system.get(address)
        assert answer.status_code == 200
        body = answer.json()
        assert body["data"] == [
            {"identity_number": "110105********002X", "name": "张小三",
             "division_code": "500103", "amount": "1200.50"},
            {"identity_number": "440524********0014", "name": "李四",
             "division_code": "500103", "amount": "800"},
        ]  # fmt: skip
        assert body["forwarded"] is True
        assert body["is_complete"] is True
        assert body["next"] is None
        assert "registered_on" not in answer.content.decode()

    def test_rows_out_of_the_condition_are_dropped_and_counted_for_the_provider(
        self,
        system: Client,
        address: str,
        interface: Interface,
        no_earlier_records: None,
    ) -> None:
        answer = system.get(address)
        assert "赵六" not in answer.content.decode()
        assert "dropped" not in answer.json()  # the consumer does not learn how many there are
        (record,) = access_records()
        assert json.loads(record["query"])["dropped"] == 1
        call = InterfaceCall.objects.filter(kind="call").get()
        assert (call.outcome, call.rows, call.dropped) == ("", 2, 1)

    def test_known_filters_go_to_the_service_and_all_are_applied(
        self, system: Client, address: str, interface: Interface, service: Service
    ) -> None:
        answer = system.get(f"{address}?division_code=500103&name__prefix=李&fields=name&limit=5")
        assert service.asked == [{"area": "500103", "size": "50"}]
        assert answer.json()["data"] == [{"name": "李四"}]

    def test_a_limit_cuts_and_says_so(
        self, system: Client, address: str, interface: Interface
    ) -> None:
        body = system.get(f"{address}?limit=1&shape=arrays&fields=name,amount").json()
        assert body["is_complete"] is False
        assert body["columns"] == ["name", "amount"]
        assert body["data"] == [["张小三", "1200.50"]]

    def test_it_is_recorded_counted_and_metered(
        self,
        far: Scene,
        address: str,
        interface: Interface,
        service: Service,
        now: datetime,
        no_earlier_records: None,
    ) -> None:
        grant = stories.delivered(far, now, items=GRANTED, rows_a_day=4).grant
        system = caller(draw_token(credential_of(far.system, far.consumer_head, now)))
        assert system.get(address).json()["count"] == 3
        (record,) = access_records()
        assert record["grant_id"] == grant.pk
        assert record["rows"] == 3
        assert json.loads(record["query"])["interface"] == interface.pk
        assert system.get(address).json()["count"] == 1  # what is left of the day
        assert problem(system.get(address), 429)["code"] == "daily_rows_exceeded"
        assert len(service.asked) == 2
        sharing.count_use(timezone.now())
        assert DailyUse.objects.get(grant=grant).rows == 4

    def test_a_failed_call_takes_nothing_of_the_quota(
        self,
        far: Scene,
        address: str,
        interface: Interface,
        service: Service,
        now: datetime,
        no_earlier_records: None,
    ) -> None:
        stories.delivered(far, now, items=GRANTED, calls_a_day=1)
        system = caller(draw_token(credential_of(far.system, far.consumer_head, now)))
        service.tells(500, b"")
        assert problem(system.get(address), 502)["code"] == "provider_answer"
        assert access_records() == []
        service.tells(200, json.dumps({"data": {"list": RECORDS}}).encode())
        assert system.get(address).status_code == 200

    def test_what_lands_is_served_from_here(
        self, system: Client, address: str, far: Scene, interface: Interface, service: Service
    ) -> None:
        land(far.dataset)
        assert system.get(address).json()["count"] == 3
        assert service.asked == []

    def test_a_secret_goes_along(
        self,
        far: Scene,
        system: Client,
        address: str,
        service: Service,
        now: datetime,
    ) -> None:
        held = started(
            far, service, now, secret="s3cret", sign="header", header_name="X-Key", method="POST"
        )
        assert "s3cret" not in held.sealed_secret
        assert system.get(f"{address}?division_code=500103").status_code == 200
        assert service.headers[0]["x-key"] == "s3cret"
        assert service.asked == [{"area": "500103", "size": "50"}]

    def test_the_console_reads_through_it(
        self,
        far: Scene,
        grant: Grant,
        address: str,
        interface: Interface,
        now: datetime,
        no_earlier_records: None,
    ) -> None:
        token = sharing.open_console(grant=grant, actor=far.consumer, at=now, address="127.0.0.1")
        assert caller(token.token).get(address).json()["count"] == 2
        assert json.loads(access_records()[0]["query"])["console"] is True


class TestRefused:
    def test_after_the_grant_stopped_nobody_is_asked(
        self,
        far: Scene,
        grant: Grant,
        system: Client,
        address: str,
        interface: Interface,
        service: Service,
        now: datetime,
    ) -> None:
        sharing.suspend(grant=grant, actor=far.provider_head, at=now, reason="超范围使用")
        assert problem(system.get(address), 403)["code"] == "grant_suspended"
        assert service.asked == []

    @pytest.mark.parametrize(
        "path", ["/changes", "/export.csv", "/exports", "/columns", "/changes/proof?cursor=x"]
    )
    def test_what_needs_a_copy_is_refused_in_words(
        self, path: str, system: Client, address: str, interface: Interface, service: Service
    ) -> None:
        told = problem(system.get(f"{address}{path}"), 409)
        assert told["code"] == "forwarded_only"
        assert service.asked == []

    def test_verification_is_refused_in_words(
        self, far: Scene, address: str, interface: Interface, now: datetime
    ) -> None:
        stories.delivered(far, now, items={"identity_number": "", "name": ""}, mode="verify")
        system = caller(draw_token(credential_of(far.system, far.consumer_head, now)))
        body = {"records": [{"identity_number": "11010519491231002X", "name": "张小三"}]}
        answer = system.post(f"{address}/verify", body, content_type="application/json")
        assert problem(answer, 409)["code"] == "forwarded_only"
        assert problem(system.get(address), 403)["code"] == "verify_only"

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("format=csv", "unknown_format"),
            ("cursor=abc", "cursor_invalid"),
            ("identity_number=11010519491231002X", "filter_not_supported"),
            ("registered_on=2026-01-05", "unknown_filter"),
        ],
    )
    def test_parameters_are_those_of_the_grant(
        self,
        query: str,
        code: str,
        system: Client,
        address: str,
        interface: Interface,
        service: Service,
    ) -> None:
        assert problem(system.get(f"{address}?{query}"), 400)["code"] == code
        assert service.asked == []

    def test_a_condition_on_what_the_service_does_not_give_is_refused(
        self, far: Scene, system: Client, address: str, service: Service, now: datetime
    ) -> None:
        fewer = {name: path for name, path in ITEMS.items() if name != "division_code"}
        started(far, service, now, items=fewer, parameters=[])
        told = problem(system.get(address), 409)
        assert told["code"] == "condition_not_answered"
        assert service.asked == []

    def test_a_needed_filter_that_is_missing_is_named(
        self, far: Scene, system: Client, address: str, service: Service, now: datetime
    ) -> None:
        needed = [{"name": "a", "item": "division_code", "operator": "eq", "fixed": "",
                   "required": True}]  # fmt: skip
        started(far, service, now, parameters=needed)
        told = problem(system.get(address), 400)
        assert (told["code"], told["field"]) == ("filter_required", "division_code")
        assert system.get(f"{address}?division_code=500103").status_code == 200


def many(size: int) -> bytes:
    return json.dumps({"data": {"list": [{"card": "x" * size}]}}).encode()


def one(**record: Any) -> bytes:
    return json.dumps({"data": {"list": [{"area": "500103", **record}]}}).encode()


class TestProviderFails:
    @pytest.mark.parametrize(
        ("status", "body", "headers", "code", "words"),
        [
            (500, b"oops", {}, "provider_answer", "HTTP 500"),
            (404, b"", {}, "provider_answer", "HTTP 404"),
            (302, b"", {"Location": "http://127.0.0.1:1/"}, "provider_answer", "转到了别的地址"),
            (302, b"", {"Location": "http://10.0.0.8/"}, "provider_answer", "转到了别的地址"),
            (200, b"<html>", {}, "provider_answer", "不是 JSON"),
            (200, b"\xff\xfe", {}, "provider_answer", "不是 JSON"),
            (200, b"[" * 100_000, {}, "provider_answer", "不是 JSON"),
            (200, b'{"data": {"list": "none"}}', {}, "provider_answer", "不是记录的列表"),
            (200, b'{"data": {"list": [1]}}', {}, "provider_answer", "第 1 条不是对象"),
            (200, one(day="05/01/2026"), {}, "provider_answer", "登记日期"),
            (200, one(sum={"yuan": 1}), {}, "provider_answer", "不是这种类型的值"),
            (200, one(card="a\x00b"), {}, "provider_answer", "不是这种类型的值"),
            (200, many(5 << 20), {}, "provider_too_large", "4 MB"),
        ],
    )
    def test_it_is_told_as_the_providers(
        self,
        status: int,
        body: bytes,
        headers: dict[str, str],
        code: str,
        words: str,
        system: Client,
        address: str,
        interface: Interface,
        service: Service,
    ) -> None:
        service.tells(status, body, **headers)
        told = problem(system.get(address), 502)
        assert told["code"] == code
        assert words in told["detail"]
        call = InterfaceCall.objects.filter(kind="call").get()
        assert call.outcome == code
        assert words in call.words
        interface.refresh_from_db()
        assert interface.failures == 1
        assert len(service.asked) == 1  # nobody followed it anywhere

    def test_a_slow_one_is_not_waited_for(
        self, system: Client, address: str, interface: Interface, service: Service
    ) -> None:
        service.sleeps(2.5)
        begun = timezone.now()
        assert problem(system.get(address), 504)["code"] == "provider_timeout"
        assert timezone.now() - begun < timedelta(seconds=2)

    @pytest.mark.parametrize("how", ["trickles", "trickles_headers"])
    def test_one_that_trickles_neither(
        self, system: Client, address: str, interface: Interface, service: Service, how: str
    ) -> None:
        getattr(service, how)()
        begun = timezone.now()
        assert problem(system.get(address), 504)["code"] == "provider_timeout"
        assert timezone.now() - begun < timedelta(seconds=2)

    def test_a_secret_that_can_be_read_no_more_is_told_as_such(
        self,
        far: Scene,
        system: Client,
        address: str,
        service: Service,
        now: datetime,
    ) -> None:
        held = started(far, service, now, secret="s3cret", sign="bearer")
        Interface.objects.filter(pk=held.pk).update(sealed_secret="gAAAAunreadable")
        assert problem(system.get(address), 502)["code"] == "provider_unreachable"
        assert service.asked == []

    def test_one_that_is_gone_is_unreachable(
        self, far: Scene, system: Client, address: str, now: datetime
    ) -> None:
        with running() as short:
            started(far, short, now)
        assert problem(system.get(address), 502)["code"] == "provider_unreachable"

    def test_a_private_address_that_is_allowed_no_more_is_not_connected_to(
        self,
        settings: Any,
        system: Client,
        address: str,
        interface: Interface,
        service: Service,
    ) -> None:
        settings.HUILIU_PULL_ALLOW = []
        assert problem(system.get(address), 502)["code"] == "provider_unreachable"
        assert service.asked == []

    def test_no_answer_and_no_record_is_an_empty_page(
        self, system: Client, address: str, interface: Interface, service: Service
    ) -> None:
        service.tells(200, b'{"data": null}')
        assert system.get(address).json()["data"] == []


class TestBreaker:
    def test_after_five_failures_it_rests_and_a_probe_ends_it(
        self, system: Client, address: str, interface: Interface, service: Service
    ) -> None:
        service.tells(503, b"")
        for _number in range(breaker.TOLERATED):
            assert problem(system.get(address), 502)["code"] == "provider_answer"
        resting = system.get(address)
        assert problem(resting, 503)["code"] == "provider_resting"
        assert 0 < int(resting["Retry-After"]) <= 30
        assert len(service.asked) == breaker.TOLERATED
        service.tells(200, json.dumps({"data": {"list": RECORDS}}).encode())
        assert sharing.probe_interfaces(timezone.now()) == {"answered": 1, "failed": 0, "odd": 0}
        assert system.get(address).status_code == 200
        interface.refresh_from_db()
        assert (interface.failures, interface.rests_until) == (0, None)

    def test_a_rest_grows_to_ten_minutes(self) -> None:
        rests = [breaker.rest_after(count).total_seconds() for count in (5, 6, 7, 10, 500)]
        assert rests == [30, 60, 120, 600, 600]

    def test_a_slow_service_takes_few_threads_only(
        self, interface: Interface, now: datetime
    ) -> None:
        held = [breaker.place(interface, at=now) for _number in range(breaker.MOST_AT_ONCE)]
        for each in held:
            each.__enter__()
        with pytest.raises(Exception, match="繁忙"), breaker.place(interface, at=now):
            pass
        for each in held:
            each.__exit__(None, None, None)
        with breaker.place(interface, at=now):
            pass

    def test_out_of_its_hours_nobody_is_asked(
        self, far: Scene, system: Client, address: str, service: Service, now: datetime
    ) -> None:
        local = timezone.localtime()
        hours = [(local + timedelta(hours=h)).time().replace(microsecond=0) for h in (2, 3)]
        started(far, service, now, hours_from=hours[0], hours_to=hours[1])
        told = system.get(address)
        assert problem(told, 503)["code"] == "provider_resting"
        assert 7000 < int(told["Retry-After"]) <= 7200
        assert service.asked == []

    def test_a_probe_that_fails_is_written_down(
        self, interface: Interface, service: Service, now: datetime
    ) -> None:
        service.tells(200, b"nothing")
        assert sharing.probe_interfaces(now) == {"answered": 0, "failed": 1, "odd": 0}
        assert not Todo.objects.filter(kind=TODO).exists()
        assert InterfaceCall.objects.get(kind="probe").outcome == "provider_answer"
        InterfaceCall.objects.update(at=now - timedelta(days=32))
        sharing.probe_interfaces(now)
        assert InterfaceCall.objects.count() == 1

    def test_its_department_is_told_once_until_it_answers(
        self, interface: Interface, service: Service, now: datetime
    ) -> None:
        service.tells(500, b"")
        for _number in range(breaker.TOLERATED + 2):
            sharing.probe_interfaces(now)
        owed = Todo.objects.get(kind=TODO)
        assert owed.department == interface.dataset.department
        assert "HTTP 500" in owed.title
        service.tells(200, b"[]")
        Interface.objects.update(rows_path="")
        sharing.probe_interfaces(now)
        owed.refresh_from_db()
        assert owed.done_at == now
