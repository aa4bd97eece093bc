"""`/api/v1/corrections`: lists, rows, raising and moves, under the same rules as the screens."""

import base64
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from apps.quality.models import Correction
from tests.factories.accounts import UserFactory
from tests.factories.warehouse import IDENTITIES
from tests.quality.correction_stories import REASON, RIGHT, STORIES, WRONG, Doubt, raised

ADDRESS = "/api/v1/corrections"


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[1])
    return client


def post(client: Client, address: str, body: Any) -> Any:
    return client.post(address, body, content_type="application/json")


def test_it_lists_what_the_caller_may_see(doubt: Doubt, at: datetime) -> None:
    correction = raised(doubt, at)
    for user in (doubt.editor, doubt.provider, doubt.officer):
        (row,) = signed_in(user).get(ADDRESS).json()["results"]
        assert (row["number"], row["status_label"]) == (correction.number, "待受理")
    stranger = signed_in(UserFactory(roles=["department_editor"]))
    assert stranger.get(ADDRESS).json()["results"] == []
    assert stranger.get(f"{ADDRESS}/{correction.pk}").status_code == 404
    assert Client().get(ADDRESS).status_code == 401


def test_values_and_keys_are_for_the_parties(doubt: Doubt, at: datetime) -> None:
    correction = raised(doubt, at)
    own = f"{ADDRESS}/{correction.pk}"
    values = ("seen_value", "claimed_value", "final_value")
    row = signed_in(doubt.editor).get(own).json()
    assert [row[name] for name in values] == [WRONG, RIGHT, None]
    assert row["row"] == {"_id": 1, "key": {"identity_number": IDENTITIES[0]}}
    row = signed_in(doubt.officer).get(own).json()
    assert [row[name] for name in values] == [None, None, None]
    assert row["row"] == {"_id": 1, "key": None}
    Correction.objects.update(is_key_known=False)
    assert signed_in(doubt.editor).get(own).json()["row"]["key"] is None
    assert signed_in(doubt.provider).get(own).json()["row"]["key"] is not None


@pytest.mark.parametrize(
    ("query", "code"), [("?status=gone", "unknown_status"), ("?colour=red", "unknown_filter")]
)
def test_it_refuses_a_filter_that_there_is_not(doubt: Doubt, query: str, code: str) -> None:
    answer = signed_in(doubt.editor).get(ADDRESS + query)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_it_filters_by_status_dataset_and_department(doubt: Doubt, at: datetime) -> None:
    raised(doubt, at)
    client = signed_in(doubt.provider)
    code, raiser = doubt.dataset.dashed_code, doubt.editor.department.code
    query = f"?status=raised&dataset={code}&department={raiser}"
    assert len(client.get(ADDRESS + query).json()["results"]) == 1
    assert client.get(f"{ADDRESS}?status=closed").json()["results"] == []


def test_one_is_raised_with_its_evidence_and_moved(doubt: Doubt, at: datetime) -> None:
    client = signed_in(doubt.editor)
    body = {
        "dataset": doubt.dataset.dashed_code,
        "key": {"identity_number": IDENTITIES[0]},
        "item": "born_on",
        "claimed_value": RIGHT,
        "evidence_file": {
            "name": "../证件.pdf",
            "content": base64.b64encode(b"%PDF-1.4").decode(),
        },
    }
    answer = post(client, ADDRESS, body)
    assert answer.status_code == 201, answer.content
    assert answer.json()["has_evidence_file"]
    with Correction.objects.get().evidence_file.open() as kept:
        assert kept.read() == b"%PDF-1.4"
    assert post(client, ADDRESS, body).json()["code"] == "already_raised"
    own = f"{ADDRESS}/{answer.json()['id']}"
    provider, head = signed_in(doubt.provider), signed_in(doubt.provider_head)
    assert post(provider, f"{own}/accept", {}).json()["status"] == "accepted"
    assert post(provider, f"{own}/accept", {}).json()["code"] == "illegal_move"
    assert post(provider, f"{own}/verify", {"revision": 1}).json()["code"] == "stale_revision"
    assert post(provider, f"{own}/verify", {}).json()["status"] == "verifying"
    assert post(provider, f"{own}/uphold", {"reason": REASON}).status_code == 403
    assert post(head, f"{own}/uphold", {}).json()["code"] == "invalid_input"
    answer = post(head, f"{own}/uphold", {"reason": REASON}).json()
    assert (answer["status"], answer["final_value"]) == ("correcting", RIGHT)
    assert post(provider, f"{own}/hand_in", {}).json()["batch"] is not None
    assert post(provider, f"{own}/correct", {}).status_code == 404
    assert post(client, f"{own}/close", {}).json()["code"] == "illegal_move"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"row_id": 1, "key": {"identity_number": "1"}}, 400, "invalid_input"),
        ({"row_id": 1, "item": "mobile", "claimed_value": "1"}, 400, "item_masked"),
        ({"row_id": 99, "description": "有误"}, 404, "row_not_found"),
        ({}, 400, "invalid_input"),
        ({"evidence_file": {"name": "a.pdf", "content": "?"}}, 400, "invalid_input"),
        ({"dataset": "9-9"}, 400, "invalid_input"),
    ],
)
def test_what_cannot_be_is_refused(
    doubt: Doubt, body: dict[str, Any], status: int, code: str
) -> None:
    answer = post(signed_in(doubt.editor), ADDRESS, {"dataset": doubt.dataset.dashed_code, **body})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Correction.objects.exists()


def test_a_contested_one_is_sent_back_by_the_authority(doubt: Doubt, at: datetime) -> None:
    own = f"{ADDRESS}/{STORIES['contested'](doubt, at).pk}"
    answer = post(signed_in(doubt.officer), f"{own}/send_back", {"reason": REASON})
    assert answer.json()["status"] == "verifying"
