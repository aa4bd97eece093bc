"""Every page that anybody reaches from the navigation is whole, at a desk and on a phone.

Whole: no wider than the screen, with title, first heading and language, a label for every field, a
name for every column, type that can be read, and nothing in the browser's list of complaints.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page

from apps.sharing import operations as sharing
from apps.sharing.models import Interface, InterfaceCall
from tests import stories
from tests.browser.conftest import SignIn
from tests.factories.accounts import InformationSystemFactory
from tests.factories.catalog import PublishedDatasetFactory
from tests.factories.sharing import Scene

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

INSPECTION = Path(__file__).with_name("inspection.js").read_text(encoding="utf-8")
ROLES = (
    "provider-editor",
    "consumer-head",
    "authority",
    "authority-leader",
    "system-admin",
    "security-admin",
    "auditor",
)
DESK = {"width": 1440, "height": 900}
PHONE = {"width": 360, "height": 740}


def faults_of(page: Page, address: str) -> list[str]:
    """Open a page at a desk, look at it, and once more as on a phone."""
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    answer = page.goto(address)
    if answer is None or answer.status != 200:
        return [f"{address}: answered {answer and answer.status}"]
    found: list[str] = page.evaluate(INSPECTION, False)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    found += page.evaluate(INSPECTION, True)
    return [f"{address}: {fault}" for fault in dict.fromkeys(found)]


def with_another_system(scene: Scene) -> Scene:
    """The same departments with a second system, since one system asks once at a time."""
    return replace(scene, system=InformationSystemFactory(department=scene.consumer_department))


def navigation_of(page: Page) -> list[str]:
    """Return the other pages that the navigation of this one leads to."""
    links = page.locator("nav#nav a").evaluate_all("found => found.map((link) => link.pathname)")
    return [link for link in links if link != "/work/"]


def test_the_pages_of_everybodys_navigation_are_whole(
    scene: Scene, cast: dict[str, Any], sign_in: SignIn
) -> None:
    """Work screens for each role anew; a list of the administration, drawn alike for all, once."""
    at = timezone.now()
    stories.request_in("reviewing", scene, at)
    stories.grant_in("in_force", with_another_system(scene), at)
    faults, seen = [], set()
    for name in ROLES:
        page = sign_in(cast[name])
        faults += [f"{name} {fault}" for fault in faults_of(page, "/work/")]
        addresses = navigation_of(page)
        assert len(addresses) > 3, name
        fresh = [link for link in addresses if link not in seen]
        seen |= {link for link in addresses if link.startswith("/admin/")}
        faults += [f"{name} {fault}" for link in fresh for fault in faults_of(page, link)]
    assert faults == []


def test_the_pages_of_one_request_are_whole(scene: Scene, sign_in: SignIn) -> None:
    at = timezone.now()
    request = stories.reviewing(scene, at)
    draft = stories.draft(scene, at)
    grant = stories.grant_in("suspended", with_another_system(scene), at)
    page = sign_in(scene.provider)
    own = f"/work/requests/{request.pk}/"
    links = [own, f"{own}propose/", f"{own}preview/", f"{own}extend/", f"{own}route/"]
    links += [f"{own}papers/", f"{own}move/ask_supplement/", f"/work/grants/{grant.pk}/"]
    faults = [fault for link in links for fault in faults_of(page, link)]
    page = sign_in(scene.consumer)
    steps = ("items", "purpose", "rows", "papers", "review")
    links = [f"/work/requests/{draft.pk}/edit/{step}/" for step in steps]
    links += ["/work/requests/new/", f"/work/requests/new/?dataset={scene.dataset.pk}"]
    faults += [fault for link in links for fault in faults_of(page, link)]
    assert faults == []


def test_the_pages_of_an_interface_are_whole(scene: Scene, sign_in: SignIn) -> None:
    grant = stories.grant_in("in_force", scene, timezone.now())
    page = sign_in(scene.consumer)
    own = f"/work/grants/{grant.pk}/"
    code = scene.dataset.code.replace("/", "-")
    links = [f"{own}interface/", f"{own}console/", f"/work/interfaces/{code}/"]
    faults = [fault for link in links for fault in faults_of(page, link)]
    page.goto(f"{own}console/")
    page.click("[data-begin]")
    page.click("[data-form=page] button[type=submit]")
    page.locator("[data-status]", has_text="200").wait_for()
    assert '"count": 6' in page.inner_text("[data-shown]")
    assert faults == []


def test_the_pages_of_a_registered_interface_are_whole(scene: Scene, sign_in: SignIn) -> None:
    at = timezone.now()
    dataset = PublishedDatasetFactory(department=scene.provider_department)
    interface = Interface.objects.create(
        dataset=dataset, name="省级查询", reason="不得留存", url="https://upper.example/query",
        items={"name": "name"}, created_by=scene.provider, created_at=at, updated_at=at,
    )  # fmt: skip
    InterfaceCall.objects.create(
        interface=interface, kind="probe", at=at, duration_ms=12,
        outcome="provider_answer", words="HTTP 500",
    )  # fmt: skip
    page = sign_in(scene.provider)
    own = "/work/registered-interfaces/"
    links = [own, f"{own}?q=x", f"{own}{interface.pk}/", f"{own}{interface.pk}/change/"]
    faults = [fault for link in links for fault in faults_of(page, link)]
    assert faults == []


def test_the_pages_of_a_second_review_and_of_urgent_requests_are_whole(
    scene: Scene, cast: dict[str, Any], sign_in: SignIn
) -> None:
    at = timezone.now()
    order: dict[str, Any] = {"kind": "order", "hours": 24, "reason": "市政府紧急通知", "at": at}
    waiting = stories.awaiting_second_review(scene, at)
    fresh = stories.form_check(with_another_system(scene), at)
    other = with_another_system(scene)
    urgent = stories.form_check(other, at)
    urgent = sharing.mark_urgent(request=urgent, actor=scene.authority, **order)
    at_work = f"/work/requests/{urgent.pk}/"
    page = sign_in(scene.provider)
    faults = [fault for link in (at_work, f"{at_work}propose/") for fault in faults_of(page, link)]
    sharing.propose(
        request=urgent,
        outcome="agree",
        reason="只核对身份",
        missing_papers="申请函",
        actor=scene.provider,
        at=at,
    )
    sharing.agree(request=stories.confirmed(urgent, other, at), actor=scene.provider_head, at=at)
    sharing.deliver(grant=urgent.grant, at=at)
    for who, link in (
        (scene.second, f"/work/requests/{waiting.pk}/move/confirm/"),
        (scene.authority, f"/work/requests/{fresh.pk}/urgent/"),
        (scene.authority, "/work/requests/?urgent=yes"),
        (scene.consumer, f"{at_work}backfill/"),
        (cast["authority-leader"], f"{at_work}urgent/review/"),
    ):
        faults += faults_of(sign_in(who), link)
    assert faults == []


def test_the_public_pages_are_whole(
    scene: Scene, cast: dict[str, Any], context: BrowserContext, sign_in: SignIn
) -> None:
    page = context.new_page()
    faults = [fault for link in ("/", "/accounts/login/") for fault in faults_of(page, link)]
    page = sign_in(cast["citizen"])
    page.goto("/work/")
    assert page.url.endswith("/"), "a citizen is led to the public portal"
    faults += faults_of(page, "/")
    faults += faults_of(page, "/accounts/password/change/")
    assert faults == []
