"""A provider's service that pages: every record it gives is gone through once, under the grant."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from itertools import product
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from apps.core.errors import InvalidInput
from apps.sharing import operations as sharing
from apps.sharing.models import Grant, Interface, InterfaceCall
from tests import stories
from tests.factories.gateway import access_records, caller, credential_of, draw_token, problem
from tests.factories.provider_service import Service, running, send
from tests.factories.sharing import Scene, make_scene
from tests.sharing.fingerprint import fingerprint
from tests.sharing.forwarding_fixtures import registered, started
from tests.sharing.test_views import signed_in

pytestmark = pytest.mark.django_db(transaction=True)
CONDITION = [{"item": "division_code", "operator": "eq", "value": "500103"}]
BY_PAGE: dict[str, Any] = {
    "paging": "page", "page_parameter": "no", "size_parameter": "rows",
    "first_page": 1, "page_rows": 3, "parameters": [], "test_query": "",
}  # fmt: skip
BY_OFFSET = {**BY_PAGE, "paging": "offset", "page_parameter": "skip"}
FROM_ZERO = {**BY_PAGE, "first_page": 0}
# Every third record lies in another district, which the grant does not show.
AREAS = ("500103", "500103", "500112")


def records(count: int) -> list[dict[str, Any]]:
    return [
        {"card": "11010519491231002X", "who": {"name": f"第{n}人"}, "area": AREAS[n % 3],
         "day": None, "sum": n}
        for n in range(count)
    ]  # fmt: skip


def paged(count: int, begin: Callable[[dict[str, str]], int]) -> Any:
    """Answer three of so many records, from where the parameters say."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        start = begin(dict(parse_qsl(urlsplit(handler.path).query)))
        shown = records(count)[start : start + 3]
        body = json.dumps({"data": {"list": shown}}, ensure_ascii=False)
        send(handler, 200, body.encode())

    return answer


BEGINS: dict[str, tuple[dict[str, Any], Callable[[dict[str, str]], int]]] = {
    "page": (BY_PAGE, lambda given: (int(given["no"]) - 1) * int(given["rows"])),
    "page from 0": (FROM_ZERO, lambda given: int(given["no"]) * int(given["rows"])),
    "offset": (BY_OFFSET, lambda given: int(given["skip"])),
}


@pytest.fixture(autouse=True)
def allowed(settings: Any) -> None:
    settings.HUILIU_PULL_ALLOW = ["127.0.0.0/8"]


@pytest.fixture
def service() -> Iterator[Service]:
    with running() as service:
        yield service


@pytest.fixture
def far(server: None) -> Scene:
    return make_scene()


@pytest.fixture
def grant(far: Scene, now: datetime) -> Grant:
    items = {"identity_number": "cover_identity", "name": "", "division_code": ""}
    return stories.delivered(far, now, items=items, row_condition=CONDITION).grant


@pytest.fixture
def system(far: Scene, grant: Grant, now: datetime) -> Client:
    return caller(draw_token(credential_of(far.system, far.consumer_head, now)))


@pytest.fixture
def address(far: Scene) -> str:
    return f"/api/v1/data/{far.dataset.code.replace('/', '-')}"


@pytest.fixture
def interface(far: Scene, service: Service, now: datetime) -> Interface:
    service.answer = paged(8, BEGINS["page"][1])
    return started(far, service, now, **BY_PAGE)


def walked(system: Client, address: str, **query: str) -> list[dict[str, Any]]:
    """Follow `next` to the end, and return the pages."""
    pages: list[dict[str, Any]] = []
    cursor = ""
    while len(pages) < 20:
        asked = {**query, **({"cursor": cursor} if cursor else {})}
        answer = system.get(address, asked)
        assert answer.status_code == 200, answer.content
        pages.append(answer.json())
        cursor = pages[-1]["next"]
        if cursor is None:
            return pages
    raise AssertionError("no end")


def names(pages: list[dict[str, Any]]) -> list[str]:
    return [row["name"] for page in pages for row in page["data"]]


@pytest.mark.parametrize("way", list(BEGINS))
def test_every_granted_record_is_read_once_whatever_the_limit(
    far: Scene, service: Service, system: Client, address: str, now: datetime, way: str
) -> None:
    given, begin = BEGINS[way]
    service.answer = paged(7, begin)
    started(far, service, now, **given)
    for count, limit in product((0, 2, 3, 8, 9), (1, 2, 100)):
        service.answer = paged(count, begin)
        pages = walked(system, address, limit=str(limit))
        assert names(pages) == [f"第{n}人" for n in range(count) if n % 3 != 2], (count, limit)
        assert all(page["count"] <= limit for page in pages)
        assert [page["is_complete"] for page in pages] == [page["next"] is None for page in pages]


class TestUnderTheGrant:
    def test_items_masks_and_conditions_hold_on_every_page(
        self, system: Client, address: str, interface: Interface, service: Service
    ) -> None:
        for page in walked(system, address):
            for row in page["data"]:
                assert row["identity_number"] == "110105********002X"
                assert row["division_code"] == "500103"
                assert "amount" not in row
        assert [each["no"] for each in service.asked] == ["1", "2", "3"]
        assert {each["rows"] for each in service.asked} == {"3"}

    def test_each_page_is_recorded_with_where_it_began(
        self, no_earlier_records: None, system: Client, address: str, interface: Interface
    ) -> None:
        walked(system, address)
        kept = [json.loads(record["query"]) for record in access_records()]
        assert [each.get("start", 0) for each in kept] == [0, 3, 6]
        assert [each.get("dropped", 0) for each in kept] == [1, 1, 0]
        assert [record["rows"] for record in access_records()] == [2, 2, 2]
        called = InterfaceCall.objects.filter(kind="call").order_by("pk")
        assert list(called.values_list("rows", "dropped")) == [(2, 1), (2, 1), (2, 0)]

    def test_what_is_dropped_is_counted_once_though_a_page_is_asked_twice(
        self, no_earlier_records: None, system: Client, address: str, interface: Interface
    ) -> None:
        walked(system, address, limit="1")
        kept = [json.loads(record["query"]) for record in access_records()]
        assert sum(each.get("dropped", 0) for each in kept) == 2

    def test_a_day_used_up_goes_on_where_it_stopped(
        self, far: Scene, service: Service, now: datetime, address: str
    ) -> None:
        service.answer = paged(8, BEGINS["page"][1])
        started(far, service, now, **BY_PAGE)
        items = {"identity_number": "", "name": ""}
        stories.delivered(far, now, items=items, rows_a_day=4)
        system = caller(draw_token(credential_of(far.system, far.consumer_head, now)))
        first = system.get(address).json()
        second = system.get(address, {"cursor": first["next"]}).json()
        assert names([first, second]) == [f"第{n}人" for n in range(4)]
        refused = system.get(address, {"cursor": second["next"]})
        assert problem(refused, 429)["code"] == "daily_rows_exceeded"

    def test_a_filter_that_the_service_does_not_know_may_leave_a_page_empty(
        self, system: Client, address: str, interface: Interface
    ) -> None:
        pages = walked(system, address, name="第7人")
        assert [page["count"] for page in pages] == [0, 0, 1]


class TestCursor:
    @pytest.fixture
    def following(self, system: Client, address: str, interface: Interface) -> str:
        return str(system.get(address).json()["next"])

    def test_an_altered_one_or_anothers_is_refused(
        self, following: str, system: Client, address: str, service: Service
    ) -> None:
        service.asked.clear()
        for wrong in (following[:-2] + "AA", "AAAA", "x", following + "AAAA"):
            answer = system.get(address, {"cursor": wrong})
            assert problem(answer, 400)["code"] == "cursor_invalid"
        assert service.asked == []

    def test_of_an_older_version_of_the_grant_it_is_refused(
        self,
        following: str,
        system: Client,
        address: str,
        far: Scene,
        grant: Grant,
        service: Service,
        now: datetime,
    ) -> None:
        kept = {each["name"]: each.get("mask") or "" for each in grant.columns[:2]}
        sharing.narrow(grant=grant, actor=far.provider_head, at=now, reason="减少", items=kept)
        service.asked.clear()
        answer = system.get(address, {"cursor": following})
        assert problem(answer, 409)["code"] == "resync_required"
        assert service.asked == []

    def test_of_an_interface_that_was_changed_it_is_refused(
        self,
        following: str,
        system: Client,
        address: str,
        far: Scene,
        interface: Interface,
        now: datetime,
    ) -> None:
        sharing.change_interface(
            interface=interface, terms={"size_parameter": ""}, actor=far.provider, at=now
        )
        interface.refresh_from_db()
        Interface.objects.filter(pk=interface.pk).update(tested_at=now)
        interface.refresh_from_db()
        sharing.resume_interface(interface=interface, actor=far.provider, at=now)
        answer = system.get(address, {"cursor": following})
        assert problem(answer, 409)["code"] == "resync_required"

    def test_a_service_without_pages_takes_none(
        self, following: str, system: Client, address: str, interface: Interface
    ) -> None:
        Interface.objects.filter(pk=interface.pk).update(
            paging="none", page_parameter="", size_parameter="", page_rows=None
        )
        answer = system.get(address, {"cursor": following})
        assert problem(answer, 400)["code"] == "cursor_invalid"


class TestProvider:
    def test_more_than_a_page_is_its_failure(
        self, system: Client, address: str, interface: Interface, service: Service
    ) -> None:
        body = json.dumps({"data": {"list": records(4)}}, ensure_ascii=False).encode()
        service.tells(200, body)
        assert problem(system.get(address), 502)["code"] == "provider_answer"

    @pytest.mark.parametrize(
        ("count", "begin", "code"),
        [
            (8, lambda _given: 0, "paging_ignored"),
            (2, BEGINS["page"][1], "paging_untested"),
            (0, BEGINS["page"][1], "nothing_answered"),
        ],
    )
    def test_a_service_that_does_not_page_as_is_said_does_not_pass_the_trial(
        self,
        far: Scene,
        service: Service,
        now: datetime,
        count: int,
        begin: Callable[[dict[str, str]], int],
        code: str,
    ) -> None:
        service.answer = paged(count, begin)
        interface = registered(far, service, now, **BY_PAGE)
        with pytest.raises(InvalidInput) as refusal:
            sharing.try_interface(interface=interface, actor=far.provider, at=now)
        assert refusal.value.code == code
        interface.refresh_from_db()
        assert interface.tested_at is None

    def test_the_trial_says_what_became_of_the_second_page(
        self, far: Scene, service: Service, now: datetime
    ) -> None:
        service.answer = paged(5, BEGINS["page"][1])
        interface = registered(far, service, now, **BY_PAGE)
        words = sharing.try_interface(interface=interface, actor=far.provider, at=now)
        assert "第二页 2 条" in words
        assert [each["no"] for each in service.asked] == ["1", "2"]


def test_the_document_of_what_pages_tells_of_the_cursor(
    far: Scene, interface: Interface, address: str
) -> None:
    person = signed_in(far.consumer)
    place = f"/api/v1/interfaces/{far.dataset.code.replace('/', '-')}/openapi"

    def told() -> tuple[bool, Any]:
        page = person.get(place).json()["paths"][address]["get"]
        schema = page["responses"]["200"]["content"]["application/json"]["schema"]
        names = {each["name"] for each in page["parameters"]}
        return "cursor" in names, schema["properties"]["next"]["type"]

    assert told() == (True, ["string", "null"])
    Interface.objects.filter(pk=interface.pk).update(
        paging="none", page_parameter="", size_parameter="", page_rows=None
    )
    assert told() == (False, "null")


class TestRegistering:
    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"paging": "cursor"}, "paging"),
            ({"page_parameter": " "}, "page_parameter"),
            ({"page_parameter": "rows"}, "page_parameter"),
            ({"page_rows": None}, "page_rows"),
            ({"page_rows": 0}, "page_rows"),
            ({"page_rows": 1001}, "page_rows"),
            ({"first_page": 2}, "first_page"),
            ({"first_page": -1}, "first_page"),
            (
                {"parameters": [{"name": "no", "item": "", "operator": "", "fixed": "1",
                                 "required": False}]},
                "page_parameter",
            ),
        ],
    )  # fmt: skip
    def test_half_said_it_changes_nothing(
        self, far: Scene, service: Service, now: datetime, wrong: dict[str, Any], field: str
    ) -> None:
        before = fingerprint()
        with pytest.raises(InvalidInput) as refusal:
            registered(far, service, now, **{**BY_PAGE, **wrong})
        assert refusal.value.details["field"] == field
        assert fingerprint() == before

    def test_without_pages_what_belongs_to_them_is_emptied(
        self, far: Scene, service: Service, now: datetime
    ) -> None:
        interface = registered(far, service, now, **{**BY_PAGE, "paging": "none"})
        assert (interface.page_parameter, interface.size_parameter, interface.page_rows) == (
            "", "", None,
        )  # fmt: skip

    @pytest.mark.parametrize(
        "wrong",
        [{"paging": "none"}, {"page_rows": None}, {"page_parameter": ""}, {"first_page": 2}],
    )
    def test_the_database_holds_the_rule(self, interface: Interface, wrong: dict[str, Any]) -> None:
        with (
            pytest.raises(IntegrityError, match="sharing_interface_paging_whole"),
            transaction.atomic(),
        ):
            Interface.objects.filter(pk=interface.pk).update(**wrong)
