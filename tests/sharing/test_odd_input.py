"""Odd input is refused in words: it never becomes a failure of the platform's own (500)."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from apps.sharing.models import Interface
from tests import stories
from tests.factories.gateway import caller, credential_of, draw_token
from tests.factories.provider_service import Service, running
from tests.factories.sharing import Scene, make_scene
from tests.sharing.forwarding_fixtures import started

pytestmark = pytest.mark.usefixtures("no_earlier_records")

DAYS = ("0001-01-01", "9999-12-31", "0000-01-01", "10000-01-01", "infinity", "9" * 5000)
TEXTS = ("\ud800", "\U0010ffff", "\x00", "%", "'", "\\")
CODES = ("%00", "a%00b", "%ff", "%ed%a0%80", "x" * 3000, "%f0%9f%98%80")
QUERIES = ("a%00b=1", "fields=%00", "cursor=%00", "limit=%00", "limit=00000000000199", "%ff=%ff",
           "shape=%00", "limit=1&limit=2", "__gte=1", "name__=1", "name____gte=1")  # fmt: skip
HEADERS = ("*", '"', "W/", "é", '"a", ' * 500, "gzip;q=nan", "bytes=" + "9" * 30 + "-")
BODIES = (b"", b"\xff", b"[" * 100_000, b'{"records":' + b"[" * 900 + b"]" * 900 + b"}",
          b'"\\ud800"', b'{"name":"\\ud800"}', b'{"fields":"\\ud800"}', b'{"\\ud800":"1"}',
          b'{"format":"\\u0000"}', b'{"name":"\\u0000"}', b'{"name":1e999}', b"NaN",
          b'{"name":' + b"9" * 6000 + b"}", b'{"name":[1,{"a":[]}]}', b'{"fields":["\\ud800"]}',
          b'{"name__in":["\\ud800"]}', b'{"fields":[["name"]]}', b"[]", b"null")  # fmt: skip
KINDS = ("application/json", "application/json; charset=utf-16", "application/json; charset=none")


def failed(answers: Iterable[tuple[Any, Any]]) -> list[tuple[Any, int]]:
    return [(asked, each.status_code) for asked, each in answers if each.status_code >= 500]


def written(value: str) -> str:
    return quote(value.encode("utf-8", "surrogatepass"))


class TestAsked:
    @pytest.fixture(autouse=True)
    def quietly(self, client: Client) -> None:
        client.raise_request_exception = False

    def test_values_that_are_none(self, client: Client, address: str) -> None:
        asked = [("registered_on", value) for value in DAYS]
        asked += [(how, value) for value in TEXTS for how in ("name", "name__prefix", "name__in")]
        assert not failed(
            ((how, value[:30], form), client.get(f"{address}?{how}={written(value)}&format={form}"))
            for how, value in asked
            for form in ("json", "csv")
        )

    def test_addresses_and_parameters(self, client: Client, address: str) -> None:
        tails = ("", "/changes", "/changes/proof", "/changes/rows", "/columns", "/export.csv")
        assert not failed(
            ((tail, query), client.get(f"{address}{tail}?{query}"))
            for tail in tails
            for query in QUERIES
        )
        assert not failed((query, client.post(f"{address}/exports?{query}")) for query in QUERIES)
        assert not failed(
            ((tail, code[:30]), client.get(f"/api/v1/data/{code}{tail}"))
            for tail in (*tails, "/exports")
            for code in CODES
        )

    def test_headers(self, client: Client, address: str) -> None:
        names = ("If-None-Match", "Accept-Encoding", "Accept", "Range", "Authorization")
        assert not failed(
            ((name, value[:30]), client.get(address, headers={name: value}))
            for name in names
            for value in HEADERS
        )

    @pytest.mark.parametrize("heard", ["fe80::1%eth0", "::1", "nonsense"])
    def test_where_it_was_heard(self, client: Client, address: str, heard: str) -> None:
        assert client.get(address, REMOTE_ADDR=heard).status_code == 200

    def test_bodies(self, client: Client, address: str) -> None:
        assert not failed(
            ((tail, body[:30]), client.generic("POST", f"{address}{tail}", body, content_type=kind))
            for tail in ("/verify", "/exports")
            for kind in KINDS
            for body in BODIES
        )


RECORDS = ({"who": {"name": "\ud800"}}, {"card": "\udfff"}, {"sum": "1e999999"}, {"sum": 1e308},
           {"sum": "1e-20000"}, {"day": "infinity"}, {"day": 5}, {"sum": True}, {"sum": 10**400},
           {"sum": float("nan")}, {"who": {"name": "\U0010ffff"}}, {"\ud800": 1})  # fmt: skip


class TestProvider:
    """What a provider's service answers is its own failure, or an answer; never the platform's."""

    @pytest.fixture(autouse=True)
    def allowed(self, settings: Any) -> None:
        settings.HUILIU_PULL_ALLOW = ["127.0.0.0/8"]

    @pytest.fixture
    def service(self) -> Iterator[Service]:
        with running() as service:
            yield service

    @pytest.fixture
    def far(self, server: None) -> Scene:
        return make_scene()

    @pytest.fixture
    def address(self, far: Scene) -> str:
        return f"/api/v1/data/{far.dataset.code.replace('/', '-')}"

    @pytest.fixture
    def system(self, far: Scene, service: Service, now: datetime) -> Client:
        started(far, service, now)
        items = {"identity_number": "cover_identity", "name": "", "amount": "", "registered_on": ""}
        stories.delivered(far, now, items=items)
        made = caller(draw_token(credential_of(far.system, far.consumer_head, now)))
        made.raise_request_exception = False
        return made

    def test_odd_records(self, system: Client, address: str, service: Service) -> None:
        told = []
        for record in RECORDS:
            service.tells(200, json.dumps({"data": {"list": [record]}}).encode())
            Interface.objects.update(failures=0, rests_until=None)
            told.append(
                (str(record)[:40].encode("ascii", "replace"), system.get(address).status_code)
            )
        assert [each for each in told if each[1] not in (200, 502)] == []

    def test_an_odd_length(self, system: Client, address: str, service: Service) -> None:
        def answer(handler: Any) -> None:
            handler.send_response(200)
            handler.send_header("Content-Length", "9" * 5000)
            handler.end_headers()
            handler.wfile.write(b"{}")

        service.answer = answer
        assert system.get(address).status_code in (200, 502)

    def test_no_digit_of_an_amount_is_lost(
        self, system: Client, address: str, service: Service
    ) -> None:
        service.tells(200, b'{"data": {"list": [{"sum": 1234567890123456.78}]}}')
        (record,) = system.get(address).json()["data"]
        assert record["amount"] == "1234567890123456.78"
