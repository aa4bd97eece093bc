"""The screens of requests and grants: who opens what, and which buttons stand there."""

import re
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.core import access
from apps.sharing import operations as sharing
from apps.sharing.lifecycle import REQUEST
from apps.sharing.models import SharingRequest
from tests import stories
from tests.factories.accounts import UserFactory
from tests.factories.sharing import Scene

STATUSES = list(stories.REQUEST_STORIES)
BY_PLATFORM = {
    "send_to_district",
    "grant_automatically",
    "propose_for_confirmation",
    "deliver",
    "drop_agreed",
}
# A delivered request needs a landed table and committed roles; its buttons are those of agreed.
WITHOUT_TABLE = [status for status in STATUSES if status != "delivered"]


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[1])
    return client


OFFICE = {
    "authority_leader": "authority_leader",
    "auditor": "audit_admin",
    "system_admin": "system_admin",
    "security_admin": "security_admin",
}


def person_of(name: str, scene: Scene, request: pytest.FixtureRequest) -> Any:
    """Somebody of the scene, of its authority, or of the cast."""
    if name in OFFICE:
        return UserFactory(department=scene.authority.department, roles=[OFFICE[name]])
    return getattr(scene, name, None) or request.getfixturevalue(name)


def buttons_on(page: str) -> set[str]:
    """The moves for which the page has a working button."""
    found = set(re.findall(r'href="/work/requests/\d+/move/([a-z_]+)/"', page))
    if re.search(r'href="/work/requests/\d+/propose/"', page):
        found.add("propose")
    if re.search(
        r'class="button(?: button--primary)?" href="/work/requests/\d+/edit/review/"', page
    ):
        found.add("submit")
    return found


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        ("provider", 200),
        ("provider_head", 200),
        ("consumer", 200),
        ("consumer_head", 200),
        ("authority", 200),
        ("authority_leader", 200),
        ("auditor", 200),
        ("outsider", 404),
        ("system_admin", 404),
        ("security_admin", 404),
        ("citizen", 404),
        ("unassigned", 404),
    ],
)
def test_a_received_request_opens_for_its_parties_and_overseers_only(
    request: pytest.FixtureRequest, scene: Scene, at: datetime, person: str, expected: int
) -> None:
    subject = stories.reviewing(scene, at)
    user = person_of(person, scene, request)
    assert signed_in(user).get(f"/work/requests/{subject.pk}/").status_code == expected


@pytest.mark.parametrize("person", ["provider", "provider_head", "authority"])
def test_a_draft_is_hidden_from_everybody_outside_the_asking_department(
    request: pytest.FixtureRequest, scene: Scene, at: datetime, person: str
) -> None:
    subject = stories.draft(scene, at)
    user = person_of(person, scene, request)
    assert signed_in(user).get(f"/work/requests/{subject.pk}/").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/work/", "/work/requests/", "/work/requests/new/", "/work/grants/", "/work/notices/"]
)
def test_nobody_enters_without_signing_in(path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("status", WITHOUT_TABLE)
@pytest.mark.parametrize(
    "person", ["consumer", "consumer_head", "provider", "second", "provider_head"]
)
def test_the_buttons_are_the_lifecycle_and_what_the_person_may(
    scene: Scene, at: datetime, status: str, person: str
) -> None:
    subject = stories.request_in(status, scene, at)
    user = getattr(scene, person)
    answer = signed_in(user).get(f"/work/requests/{subject.pk}/")
    if answer.status_code == 404:
        assert not access.allowed(user, "view", subject)
        return
    expected = {
        move.name
        for move in REQUEST.moves_from(status)
        if move.name not in BY_PLATFORM and access.allowed(user, move.name, subject)
    }
    page = answer.content.decode()
    off = {"submit"} if "还缺：" in page else set()
    if "没有其他负责人可以签发" in page:
        off |= {"confirm"}
    if status == "awaiting_signature":
        off |= {"retract_proposal"}  # the second clerk has confirmed it
    assert buttons_on(page) == expected - off


def test_an_off_button_says_why(scene: Scene, at: datetime) -> None:
    subject = stories.supplement(scene, at)
    sharing.supplement(request=subject, actor=scene.consumer, at=at, reason="已补全")
    sharing.accept_form(request=subject, actor=scene.provider, at=at)
    page = signed_in(scene.provider).get(f"/work/requests/{subject.pk}/").content.decode()
    assert "补正只能通知一次，已通知过" in page
    assert "ask_supplement" not in buttons_on(page)


@pytest.mark.parametrize("path", ["", "propose/", "move/ask_supplement/", "extend/", "route/"])
def test_no_page_carries_a_script_or_style_of_its_own(
    scene: Scene, at: datetime, path: str
) -> None:
    subject = stories.reviewing(scene, at)
    answer = signed_in(scene.provider).get(f"/work/requests/{subject.pk}/{path}")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_a_list_takes_the_same_queries_however_long(scene: Scene, at: datetime) -> None:
    client = signed_in(scene.provider)

    def queries_for_list() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/work/requests/").status_code == 200
        return len(captured)

    first = stories.reviewing(scene, at)
    client.get("/work/requests/")
    with_one = queries_for_list()
    for _number in range(3):
        sharing.withdraw(request=first, actor=scene.consumer, at=at, reason="重新申请")
        first = stories.reviewing(scene, at)
    assert SharingRequest.objects.count() == 4
    assert queries_for_list() == with_one


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", True),
        ("?status=open", True),
        ("?status=reviewing", True),
        ("?status=refused", False),
        ("?side=received", True),
        ("?side=asked", False),
        ("?owed=me", True),
        ("?due=overdue", True),
        ("?q=没有这样的申请", False),
        ("?sort=due", True),
        ("?after=not-a-number", True),
        ("?sort=due&after=rubbish", True),
    ],
)
def test_filters_live_in_the_address(scene: Scene, at: datetime, query: str, shown: bool) -> None:
    subject = stories.reviewing(
        scene, datetime.fromisoformat("2026-01-05T02:00:00+00:00") if "overdue" in query else at
    )
    page = signed_in(scene.provider).get(f"/work/requests/{query}").content.decode()
    assert (subject.number in page) is shown


def test_the_export_is_what_the_list_shows(scene: Scene, at: datetime) -> None:
    subject = stories.reviewing(scene, at)
    answer = signed_in(scene.provider).get("/work/requests/?status=open&format=csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    lines = text.strip().splitlines()
    assert lines[0].startswith("申请编号,数据目录")
    assert len(lines) == 2
    assert lines[1].startswith(subject.number)


@pytest.mark.parametrize("person", ["provider_head", "consumer_head"])
def test_a_grant_shows_its_terms_and_moves(scene: Scene, at: datetime, person: str) -> None:
    grant = stories.agreed(scene, at).grant
    page = signed_in(getattr(scene, person)).get(f"/work/grants/{grant.pk}/").content.decode()
    assert f"/work/grants/{grant.pk}/move/end/" in page
    assert f"/work/grants/{grant.pk}/move/suspend/" not in page
    assert '<th scope="row">公民身份号码</th>' in page


def test_a_confirmation_says_what_will_stop(scene: Scene, at: datetime) -> None:
    grant = stories.agreed(scene, at).grant
    page = signed_in(scene.provider_head).get(f"/work/grants/{grant.pk}/move/end/").content.decode()
    assert "将立即停止 1 个系统的访问" in page
