"""A large file goes in parts from the browser, and goes on after the page was closed."""

import hashlib
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from apps.warehouse.models import Batch, Upload
from tests.browser.conftest import SignIn
from tests.factories.sharing import Scene

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

TEXTS = ("", "abc", "x" * 55, "x" * 56, "y" * 1000, "汇流")
DIGEST = "text => huiliuUpload.hex(new Uint8Array(huiliuUpload.slowDigest(new TextEncoder().encode(text).buffer)))"  # noqa: E501
SMALLER_PARTS = "document.querySelector('form[data-upload]').dataset.partBytes = '1000'"


def test_a_closed_page_loses_nothing_of_the_file(
    scene: Scene, sign_in: SignIn, tmp_path: Path
) -> None:
    page = sign_in(scene.provider)
    table = f"/work/tables/{scene.dataset.dashed_code}/"
    page.goto(table)
    assert [page.evaluate(DIGEST, text) for text in TEXTS] == [
        hashlib.sha256(text.encode()).hexdigest() for text in TEXTS
    ]
    content = b"".join(b"%d,line\n" % number for number in range(500))
    file = tmp_path / "large.csv"
    file.write_bytes(content)
    passed: list[Route] = []

    def three_parts(route: Route) -> None:
        passed.append(route)
        if len(passed) <= 3:
            route.continue_()

    page.evaluate(SMALLER_PARTS)
    page.route("**/api/v1/uploads/*", three_parts)
    page.set_input_files("input[type=file]", file)
    page.click("form[data-upload] button[type=submit]")
    while len(passed) < 4:
        page.wait_for_timeout(50)
    upload = Upload.objects.get()
    assert (upload.received_bytes, upload.size_bytes) == (3000, len(content))

    page.goto(table)  # first: what is held back would go on its way when nobody holds it any more
    page.unroute("**/api/v1/uploads/*")
    expect(page.locator("#uploads")).to_contain_text("large.csv")
    page.evaluate(SMALLER_PARTS)
    page.set_input_files("input[type=file]", file)
    page.click("form[data-upload] button[type=submit]")
    page.wait_for_url("**/work/batches/*/")
    batch = Batch.objects.get(uploads=upload)
    assert batch.file.sha256 == hashlib.sha256(content).hexdigest()
    assert Upload.objects.count() == 1
