"""A real browser on the test server; without one, these tests are skipped and say so."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from apps.sharing.gateway import pool
from tests.factories.accounts import UserFactory
from tests.factories.sharing import Scene, land, make_scene
from tests.sharing.conftest import drop_derived

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 60_000  # milliseconds; on a loaded machine a page may be slow, and that is no fault

SignIn = Callable[[Any], Page]


def chromium() -> str:
    """Return the browser's program; empty where none is installed."""
    return next(filter(None, map(shutil.which, NAMES)), "")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = chromium()
    if not program:
        pytest.skip("没有安装 chromium，浏览器测试跳过（.ci/run 会安装）")
    with pytest.MonkeyPatch.context() as patch:
        # Playwright keeps an event loop in this thread; the tests themselves do nothing at once.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        with sync_playwright() as playwright:
            unprivileged = [] if os.geteuid() else ["--no-sandbox"]
            started = playwright.chromium.launch(executable_path=program, args=unprivileged)
            yield started
            started.close()


@pytest.fixture
def scene(transactional_db: None) -> Iterator[Scene]:
    """Two departments, their people, and a conditional dataset with six rows; all committed."""
    scene = make_scene()
    land(scene.dataset)
    yield scene
    pool.close()
    drop_derived()


@pytest.fixture
def context(browser: Browser, scene: Scene, live_server: Any) -> Iterator[BrowserContext]:
    """A browser of one person; what it complains about fails the test at the end."""
    opened = browser.new_context(
        base_url=live_server.url, locale="zh-CN", viewport={"width": 1440, "height": 900}
    )
    opened.set_default_timeout(PATIENCE)
    complaints: list[str] = []
    opened.on("console", lambda message: _note(complaints, message.type, message.text))
    opened.on("weberror", lambda error: complaints.append(str(error.error)))
    yield opened
    opened.close()
    assert complaints == []


def _note(complaints: list[str], kind: str, text: str) -> None:
    if kind == "error":
        complaints.append(text)


@pytest.fixture
def sign_in(context: BrowserContext, live_server: Any) -> SignIn:
    """Return a page of this person, who takes the place of whoever was signed in before."""
    page = context.new_page()

    def as_person(user: Any) -> Page:
        client = Client()
        client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[1])
        name = settings.SESSION_COOKIE_NAME
        context.clear_cookies()
        context.add_cookies(
            [{"name": name, "value": client.cookies[name].value, "url": live_server.url}]
        )
        return page

    return as_person


@pytest.fixture
def cast(scene: Scene) -> dict[str, Any]:
    """Everybody who works with the portal, with the two departments of the scene."""
    authority = scene.authority.department
    roles = {
        "authority-leader": "authority_leader",
        "system-admin": "system_admin",
        "security-admin": "security_admin",
        "auditor": "audit_admin",
    }
    return {
        "provider-editor": scene.provider,
        "provider-head": scene.provider_head,
        "consumer-editor": scene.consumer,
        "consumer-head": scene.consumer_head,
        "authority": scene.authority,
        **{name: UserFactory(department=authority, roles=[role]) for name, role in roles.items()},
        "citizen": UserFactory(kind="citizen", department=None),
    }
