"""The pages of demands are whole, at a desk and on a phone; supply shows while one writes."""

import os
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from apps.catalog.models import Dataset
from apps.catalog.operations import indexing
from tests.browser.conftest import SignIn
from tests.browser.test_every_page import DESK, PHONE, faults_of
from tests.catalog import demand_stories
from tests.catalog.demand_stories import Parties
from tests.factories.sharing import Scene

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]


def _looked_at(page: Page, address: str) -> list[str]:
    """Look for faults, and keep pictures where somebody wants to see the page himself."""
    faults = faults_of(page, address)
    folder = os.environ.get("HUILIU_PICTURES")
    if folder:
        name = address.strip("/").replace("/", "_").partition("?")[0]
        for size, label in ((DESK, "desk"), (PHONE, "phone")):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.screenshot(path=Path(folder) / f"{name}_{label}.png", full_page=True)
    return faults


def _named_for_it(scene: Scene) -> None:
    Dataset.objects.filter(pk=scene.dataset.pk).update(name="困难群众救助信息")
    indexing.refresh_many([scene.dataset.pk], at=timezone.now())


def test_the_pages_of_demands_are_whole(scene: Scene, sign_in: SignIn) -> None:
    at = timezone.now()
    parties = Parties(
        scene.consumer, scene.consumer_head, scene.authority, scene.provider, scene.provider_head
    )
    _named_for_it(scene)
    demand_stories.draft(parties, at, title="婚姻登记信息")
    waiting = demand_stories.submitted(parties, at)
    forwarded = demand_stories.forwarded(parties, at)
    refused = demand_stories.refused(parties, at)
    own, theirs = f"/work/demands/{waiting.pk}/", f"/work/demands/{forwarded.pk}/"
    page = sign_in(scene.authority)
    links = ["/work/demands/", "/work/demands/matching/", own, f"{own}move/forward/"]
    links += [f"{own}move/point_out/", f"{own}split/"]
    faults = [fault for link in links for fault in _looked_at(page, link)]
    page = sign_in(scene.provider)
    faults += [
        fault for link in (theirs, f"{theirs}move/propose/") for fault in _looked_at(page, link)
    ]
    page = sign_in(scene.consumer)
    code = scene.consumer_department.code
    links = ["/work/demands/new/", f"/work/demands/sheet/{code}/", f"/work/demands/{refused.pk}/"]
    links.append(f"/work/requests/from-demand/{waiting.pk}/?dataset={scene.dataset.pk}")
    faults += [fault for link in links for fault in _looked_at(page, link)]
    assert faults == []


def test_what_the_catalogue_has_shows_while_the_title_is_typed(
    scene: Scene, sign_in: SignIn
) -> None:
    _named_for_it(scene)
    page = sign_in(scene.consumer)
    page.goto("/work/demands/new/")
    page.fill("#id_title", "救助对象信息")
    page.fill("#id_wanted_items", "姓名\n血型")
    expect(page.locator("#proposals")).to_contain_text("困难群众救助信息")
    expect(page.locator("#proposals")).to_contain_text("血型")
