"""Tasks and returns over the API: read, save answers, move."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.supervision.models import TaskReturn
from tests.supervision import task_stories as stories
from tests.supervision.task_stories import Bureau

SignedIn = Callable[[Any], Any]


@pytest.fixture
def as_(settings: Any) -> SignedIn:
    def sign_in(user: Any) -> Client:
        client = Client()
        client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[1])
        return client

    return sign_in


@pytest.fixture
def row(bureau: Bureau) -> TaskReturn:
    now = timezone.now()
    return stories.unopened(bureau, now, due_on=timezone.localdate(now) + timedelta(days=9))


def post(client: Client, address: str, **body: Any) -> Any:
    return client.post(f"/api/v1/{address}", body, content_type="application/json")


def test_a_return_goes_its_whole_way(bureau: Bureau, as_: SignedIn, row: TaskReturn) -> None:
    editor, head, officer = as_(bureau.editor), as_(bureau.head), as_(bureau.officer)
    listed = editor.get("/api/v1/tasks?status=issued").json()["results"]
    assert [each["number"] for each in listed] == [row.task.number]
    assert listed[0]["questions"][0]["label"] == "目录条数"
    place = f"task-returns/{row.pk}"
    assert (
        editor.get(f"/api/v1/task-returns?task={row.task_id}").json()["results"][0]["id"] == row.pk
    )
    assert post(editor, f"{place}/take_in").json()["status"] == "writing"
    kept = post(
        editor, f"{place}/save_answers", answer_kind="data", answers={"q1": "约三十"}
    ).json()
    assert kept["answers"]["q1"] == "约三十"
    refused = post(editor, f"{place}/submit")
    assert (refused.status_code, refused.json()["code"]) == (400, "return_incomplete")
    assert len(refused.json()["errors"]) == 2
    post(editor, f"{place}/save_answers", answers={"q1": "30", "q2": "是"}, note="已核对")
    assert post(editor, f"{place}/submit").json()["status"] == "awaiting_head"
    (unsigned,) = officer.get("/api/v1/task-returns").json()["results"]
    assert (unsigned["status"], unsigned["answers"], unsigned["note"]) == ("awaiting_head", {}, "")
    assert post(editor, f"{place}/sign").status_code == 403
    signed = post(head, f"{place}/sign").json()
    assert (signed["status"], signed["signed_by"]) == ("submitted", bureau.head.name)
    assert officer.get(f"/api/v1/{place}").json()["answers"] == {"q1": "30", "q2": "yes"}
    back = post(officer, f"{place}/send_back", reason="补报表格").json()
    assert (back["status"], back["remark"]) == ("returned", "补报表格")
    assert back["answers"] == {}, "it is the department's again"
    assert post(officer, f"{place}/accept").status_code == 409


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("tasks?colour=red", "unknown_filter"),
        ("tasks?status=lost", "unknown_status"),
        ("task-returns?task=x", "unknown_filter"),
        ("task-returns?status=lost", "unknown_status"),
    ],
)
def test_an_unknown_filter_is_named(bureau: Bureau, as_: SignedIn, address: str, code: str) -> None:
    answer = as_(bureau.editor).get(f"/api/v1/{address}")
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_who_may_not_see_it_learns_nothing(
    bureau: Bureau, as_: SignedIn, outsider: Any, row: TaskReturn
) -> None:
    client = as_(outsider)
    assert client.get("/api/v1/tasks").json()["results"] == []
    for address in (f"task-returns/{row.pk}", f"tasks/{row.task_id}"):
        assert client.get(f"/api/v1/{address}").status_code == 404
    assert post(client, f"task-returns/{row.pk}/take_in").status_code == 404
    assert post(as_(bureau.officer), f"tasks/{row.task_id}/delete").status_code == 404
    refused = post(as_(bureau.officer), f"tasks/{row.task_id}/urge_late")
    assert (refused.status_code, refused.json()["code"]) == (409, "nobody_late")
    assert post(as_(bureau.officer), f"tasks/{row.task_id}/close").json()["status"] == "closed"


@pytest.mark.parametrize("name", ["tasks", "task-returns"])
def test_more_rows_cost_a_list_no_more_statements(
    bureau: Bureau, as_: SignedIn, row: TaskReturn, name: str
) -> None:
    client = as_(bureau.officer)
    client.get(f"/api/v1/{name}")  # content types and such are read once
    counted = []
    for _number in range(2):
        with CaptureQueriesContext(connection) as seen:
            rows = client.get(f"/api/v1/{name}").json()["results"]
        counted.append((len(seen), len(rows)))
        for _more in range(3):
            now = timezone.now()
            stories.unopened(bureau, now, due_on=timezone.localdate(now) + timedelta(days=9))
    (few, one), (many, four) = counted
    assert (many, four) == (few, one + 3)
