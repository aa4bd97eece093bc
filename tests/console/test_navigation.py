"""No dead ends: what a person is shown as a link, opens for this person."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.console import navigation
from apps.ledger.models import Notice
from apps.ledger.queries import todos_of, unread_notices_of
from tests import stories
from tests.factories.accounts import InformationSystemFactory
from tests.factories.catalog import DatasetFactory
from tests.factories.sharing import Scene

STAFF = (
    "provider-editor",
    "provider-head",
    "consumer-editor",
    "consumer-head",
    "authority",
    "authority-leader",
    "system-admin",
    "security-admin",
    "auditor",
)
LINK = re.compile(r'<a\s[^>]*?href="(/[^"#]*)"')
NOT_PAGES = re.compile(r"^/(static|media|accounts/logout)|jsi18n")


def signed_in(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def links_of(person: Any) -> list[str]:
    """Return the addresses of this person's navigation, the first page among them."""
    shown = navigation.navigation(person, "/work/")
    return [link.url for _label, links in shown for link in links]


def links_on(page: bytes) -> list[str]:
    """Return the addresses that a page links to, within the portal."""
    found = (address.replace("&amp;", "&") for address in LINK.findall(page.decode()))
    return [address for address in found if not NOT_PAGES.search(address)]


def kind_of(address: str) -> str:
    """Return an address without its numbers and question: pages of one kind are opened once."""
    return re.sub(r"\d+", "0", address.partition("?")[0])


@pytest.fixture
def busy(scene: Scene) -> Scene:
    """Requests on their way, a grant and a draft entry: lists have rows and pages have buttons."""
    at = timezone.now()
    DatasetFactory(department=scene.provider_department)
    stories.request_in("reviewing", scene, at)
    other = Scene(**{**scene.__dict__, "system": another_system(scene)})
    stories.grant_in("in_force", other, at)
    third = Scene(**{**scene.__dict__, "system": another_system(scene)})
    stories.request_in("awaiting_head", third, at)
    return scene


def another_system(scene: Scene) -> Any:
    return InformationSystemFactory(department=scene.consumer_department)


@pytest.mark.parametrize("name", STAFF)
def test_whatever_a_person_is_shown_opens(busy: Scene, cast: dict[str, Any], name: str) -> None:
    """The navigation, and every link on the pages it leads to, one page of each kind."""
    client = signed_in(cast[name])
    dead, seen = [], set()
    waiting = [(link, 0) for link in links_of(cast[name])]
    assert len(waiting) > 3
    while waiting:
        address, depth = waiting.pop(0)
        if kind_of(address) in seen:
            continue
        seen.add(kind_of(address))
        answer = client.get(address)
        if answer.status_code not in (200, 302):
            dead.append((address, answer.status_code))
        elif depth < 2 and "html" in answer.headers["Content-Type"] and not answer.streaming:
            waiting += [(link, depth + 1) for link in links_on(answer.content)]
        if answer.streaming:
            list(answer)  # to the end, so that the file is closed
    assert dead == []


@pytest.mark.parametrize("name", STAFF)
def test_the_page_one_is_on_is_marked_and_no_other(cast: dict[str, Any], name: str) -> None:
    for address in links_of(cast[name]):
        shown = navigation.navigation(cast[name], address.partition("?")[0])
        current = [link.url for _label, links in shown for link in links if link.is_here]
        assert len(current) == 1, address
        assert current[0].partition("?")[0] == address.partition("?")[0]


def test_a_page_without_a_line_of_its_own_belongs_to_the_list_it_is_reached_from(
    cast: dict[str, Any],
) -> None:
    for address in ("/work/changes/7/", "/work/saved-filters/new/"):
        shown = navigation.navigation(cast["provider-editor"], address)
        current = [link.url for _label, links in shown for link in links if link.is_here]
        assert current == ["/work/datasets/"], address


def test_each_number_stands_beside_what_it_counts(busy: Scene, cast: dict[str, Any]) -> None:
    person = cast["provider-editor"]
    Notice.objects.create(recipient=person, title="授权已到期", at=timezone.now())
    todos, notices = todos_of(person).count(), unread_notices_of(person).count()
    assert todos
    page = signed_in(person).get("/work/notices/").content.decode()
    beside = re.findall(r'href="(/work/[^"]*)"[^>]*>[^<]+<span class="count[^>]*>(\d+)', page)
    assert ("/work/", str(todos)) in beside
    assert {count for address, count in beside if address == "/work/notices/"} == {str(notices)}
    assert {address for address, _count in beside} == {"/work/", "/work/notices/"}


def test_what_belongs_to_administrators_is_not_shown_to_others(cast: dict[str, Any]) -> None:
    health = "/work/health/"
    shows = {name for name in STAFF if health in links_of(cast[name])}
    assert shows == {"system-admin"}
    records = "/admin/ledger/accessrecord/"
    assert records in links_of(cast["auditor"])
    assert "/work/requests/new/" not in links_of(cast["auditor"])
    assert signed_in(cast["auditor"]).get(health).status_code == 403


def test_a_citizen_is_led_to_the_public_portal(cast: dict[str, Any]) -> None:
    answer = signed_in(cast["citizen"]).get("/work/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_somebody_not_signed_in_is_led_to_the_entrance(db: None) -> None:
    for address in ("/work/", "/work/requests/", "/admin/ledger/event/"):
        led = Client().get(address, follow=True).redirect_chain
        assert led, address
        assert led[-1][0].startswith("/accounts/login/"), address
