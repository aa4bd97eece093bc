"""The screens of corrections: who opens what, which buttons there are, what is shown of data."""

import re
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.core import access
from apps.quality.lifecycle import CORRECTION
from apps.quality.models import Correction
from apps.quality.operations import corrections
from apps.quality.tasks import settle_corrections
from tests.factories.warehouse import IDENTITIES
from tests.quality.correction_stories import (
    LATER,
    REASON,
    RIGHT,
    STORIES,
    WRONG,
    Doubt,
    raised,
)

LIST = "/work/corrections/"


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[1])
    return client


def page_of(user: Any, address: str) -> str:
    answer = signed_in(user).get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


@pytest.mark.parametrize("status", sorted(set(STORIES) - {"handed_in"}))
def test_the_buttons_are_the_lifecycle_and_what_the_person_may(
    doubt: Doubt, at: datetime, status: str
) -> None:
    correction = STORIES[status](doubt, at)
    for user in (doubt.editor, doubt.head, doubt.officer, doubt.provider, doubt.provider_head):
        page = page_of(user, correction.get_absolute_url())
        shown = set(re.findall(r'href="/work/corrections/\d+/move/([a-z_]+)/"', page))
        names = {move.name for move in CORRECTION.moves_from(status)} - {"correct", "feed_back"}
        if status == "correcting":
            names |= {"hand_in", "link"}
        assert shown == {name for name in names if access.allowed(user, name, correction)}, user


def test_one_is_found_raised_and_brought_through_by_the_screens(doubt: Doubt) -> None:
    client = signed_in(doubt.editor)
    code = doubt.dataset.dashed_code
    assert doubt.dataset.code in client.get(reverse("quality:correction-new")).content.decode()
    find = reverse("quality:correction-find", args=[code])
    assert "填写主键或者记录号" in client.post(find, {"row_id": ""}).content.decode()
    answer = client.post(find, {"key_identity_number": IDENTITIES[0]})
    assert answer.headers["Location"] == f"/work/corrections/on/{code}/1/"  # no key in an address
    record = client.get(answer.headers["Location"]).content.decode()
    assert WRONG in record
    assert "13800000001" not in record
    raise_one = f"{reverse('quality:correction-raise', args=[code])}?row=1&item=born_on"
    wrong = client.post(raise_one, {"claim": "stated", "claimed_value": "明天"})
    assert "不能作为" in wrong.content.decode()
    answer = client.post(
        raise_one,
        {
            "claim": "stated",
            "claimed_value": RIGHT,
            "evidence": "户口簿",
            "file": SimpleUploadedFile("证件.pdf", b"%PDF-1.4"),
        },
    )
    correction = Correction.objects.get()
    assert answer.headers["Location"] == correction.get_absolute_url()
    evidence = client.get(reverse("quality:correction-evidence", args=[correction.pk]))
    assert "attachment" in evidence.headers["Content-Disposition"]
    assert b"".join(evidence.streaming_content) == b"%PDF-1.4"  # type: ignore[attr-defined]
    assert "校核中" in page_of(doubt.provider, f"/work/corrections/on/{code}/1/")
    for user, name, words in (
        (doubt.provider, "accept", {}),
        (doubt.provider, "verify", {}),
        (doubt.provider_head, "confirm", {"reason": REASON}),
    ):
        _post(user, correction, name, **words)
    settle_corrections()
    _post(doubt.editor, correction, "contest", reason=REASON)
    _post(doubt.officer, correction, "send_back", reason=REASON)
    correction.refresh_from_db()
    assert correction.status == "verifying"


def _post(user: Any, correction: Correction, name: str, **words: Any) -> None:
    correction.refresh_from_db()
    answer = signed_in(user).post(
        reverse("quality:correction-move", args=[correction.pk, name]),
        {"revision": correction.revision, "reason": "", **words},
    )
    assert answer.status_code == 302, answer.content.decode()


def test_a_refusal_stays_on_the_page_with_what_was_typed(doubt: Doubt, at: datetime) -> None:
    correction = STORIES["verifying"](doubt, at)
    address = reverse("quality:correction-move", args=[correction.pk, "uphold"])
    client = signed_in(doubt.provider_head)
    words = {"finding": "stated", "value": "后天", "reason": "核对过档案"}
    page = client.post(address, {**words, "revision": correction.revision}).content.decode()
    assert "不能作为" in page
    assert "核对过档案" in page
    page = client.post(address, {**words, "value": RIGHT, "revision": 1}).content.decode()
    assert "内容都保留在下面" in page
    correction.refresh_from_db()
    assert correction.status == "verifying"


def test_the_authority_sees_no_value(doubt: Doubt, at: datetime) -> None:
    correction = STORIES["correcting"](doubt, at)
    page = page_of(doubt.officer, correction.get_absolute_url())
    assert "认定时间" in page.partition('id="history"')[2]
    for value in (WRONG, RIGHT, IDENTITIES[0]):
        assert value not in page
        assert value in page_of(doubt.provider, correction.get_absolute_url())
    client = signed_in(doubt.officer)
    assert client.get(f"/work/corrections/on/{doubt.dataset.dashed_code}/1/").status_code == 404


def test_strangers_learn_nothing(doubt: Doubt, outsider: Any, at: datetime) -> None:
    correction = raised(doubt, at)
    client = signed_in(outsider)
    for address in (
        correction.get_absolute_url(),
        reverse("quality:correction-evidence", args=[correction.pk]),
        reverse("quality:correction-move", args=[correction.pk, "accept"]),
        reverse("quality:correction-find", args=[doubt.dataset.dashed_code]),
        reverse("quality:correction-raise", args=[doubt.dataset.dashed_code]),
    ):
        assert client.get(address).status_code == 404, address
    assert correction.number not in client.get(LIST).content.decode()
    denied = signed_in(doubt.editor).get(
        reverse("quality:correction-move", args=[correction.pk, "accept"])
    )
    assert denied.status_code == 403


def test_the_list_filters_counts_and_is_taken_away(doubt: Doubt, at: datetime) -> None:
    mine = raised(doubt, at)
    other = STORIES["verifying"](doubt, at, row_id=2, item="grade", claimed_value="甲")
    client = signed_in(doubt.provider)
    for query, expected in [
        ("", {mine, other}),
        ("?status=verifying", {other}),
        ("?owed=me", {mine}),
        ("?side=raised", set()),
        ("?side=received", {mine, other}),
        ("?scope=row", set()),
        (f"?dataset={doubt.dataset.dashed_code}&q={mine.number}", {mine}),
        ("?due=overdue", set()),
        ("?due=soon", {mine, other}),  # within three working days
    ]:
        page = client.get(LIST + query).content.decode()
        shown = {each for each in (mine, other) if f">{each.number}<" in page}
        assert shown == expected, query
    table = client.get(f"{LIST}?format=csv").content.decode()
    assert mine.number in table
    assert RIGHT not in table
    assert client.get(f"{LIST}?format=xlsx").status_code == 200


def test_the_lists_statements_do_not_grow(doubt: Doubt, at: datetime) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            page_of(doubt.provider, LIST)
        return len(captured)

    raised(doubt, at)
    statements()
    first = statements()
    for item, value in (("name", "张四"), ("grade", "乙"), ("amount", "3")):
        raised(doubt, at, item=item, claimed_value=value)
    assert statements() == first


def test_the_worker_does_what_is_due_and_comes_twice(doubt: Doubt, at: datetime) -> None:
    correction = STORIES["confirmed_right"](doubt, at)
    settle_corrections()
    settle_corrections()
    correction.refresh_from_db()
    assert correction.status == "feedback"
    assert corrections.close_due(at=at + LATER * 100) == 1
