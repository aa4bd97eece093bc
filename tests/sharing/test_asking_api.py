"""`POST …/ask_again` and `POST …/ask_change`: a draft from what was refused, or from a grant."""

from datetime import datetime
from typing import Any

import pytest

from apps.catalog.models import Dataset
from apps.ledger.models import Event
from tests import stories
from tests.factories.gateway import problem
from tests.factories.sharing import Scene
from tests.sharing.api_cast import REFUSED, knocking, send, untouched
from tests.sharing.test_views import signed_in

pytestmark = pytest.mark.django_db
ITEMS = {"name": "cover_name", "division_code": "", "amount": ""}
ROWS = [{"item": "division_code", "operator": "eq", "value": "500103"}]
ONLY_SEE = {
    "provider", "provider_head", "consumer_head",
    "authority", "authority_leader", "auditor", "system",
}  # fmt: skip


@pytest.fixture(params=["ask_again", "ask_change"])
def address(request: pytest.FixtureRequest, scene: Scene, now: datetime) -> str:
    """Where to ask: beside what was refused, and beside a grant in force."""
    if request.param == "ask_again":
        refused = stories.refused(scene, now, items=ITEMS, row_condition=ROWS, calls_a_day=500)
        return f"/api/v1/requests/{refused.pk}/ask_again"
    grant = stories.delivered(scene, now, items=ITEMS, row_condition=ROWS, calls_a_day=500).grant
    assert grant is not None
    return f"/api/v1/grants/{grant.pk}/ask_change"


def test_the_answer_is_the_draft_which_is_then_revised(address: str, scene: Scene) -> None:
    client = signed_in(scene.consumer)
    answer = send(client, address, None)
    assert answer.status_code == 201, answer.content
    draft = answer.json()
    assert (draft["status"], draft["vouched"], draft["grant"]) == ("draft", False, None)
    assert {item["name"]: item["mask"] for item in draft["items"]} == ITEMS
    assert (draft["row_condition"], draft["calls_a_day"]) == (ROWS, 500)
    before = int(address.split("/")[4]) if address.endswith("ask_again") else None
    assert draft["previous"] == before
    assert client.get(f"/api/v1/requests/{draft['id']}").json() == draft
    revised = send(
        client,
        f"/api/v1/requests/{draft['id']}/revise",
        {"calls_a_day": 900, "revision": draft["revision"]},
    )
    assert revised.json()["calls_a_day"] == 900


def test_the_trail_says_what_it_came_of(address: str, scene: Scene) -> None:
    verb = f"sharing.{address.rpartition('/')[2]}"
    draft = send(signed_in(scene.consumer), address, {}).json()
    event = Event.objects.get(verb=verb, outcome="done")
    assert (event.subject_id, event.actor) == (str(draft["id"]), scene.consumer)


def test_editors_of_the_consumer_ask_and_nobody_else(
    cast: dict[str, Any], address: str, scene: Scene, now: datetime
) -> None:
    clients = dict(knocking(scene, cast, now))
    before = untouched()
    answers = {
        name: send(client, address, None) for name, client in clients.items() if name != "consumer"
    }
    for name, answer in answers.items():
        assert problem(answer, answer.status_code)["code"] == REFUSED[answer.status_code], name
    assert {name for name, answer in answers.items() if answer.status_code == 403} == ONLY_SEE
    assert untouched() == before
    assert send(clients["consumer"], address, None).status_code == 201


def test_once_at_a_time(address: str, scene: Scene) -> None:
    client = signed_in(scene.consumer)
    draft = send(client, address, None).json()
    before = untouched()
    refusal = problem(send(client, address, None), 409)
    assert refusal["code"] == "already_asked"
    assert draft["number"] in refusal["detail"]
    assert untouched() == before


@pytest.mark.parametrize(
    "body", [None, {}, [], {"reason": "\x00"}, {"dataset": "x", "status": "delivered"}]
)
def test_what_is_sent_along_changes_nothing_of_it(address: str, scene: Scene, body: Any) -> None:
    answer = send(signed_in(scene.consumer), address, body)
    assert (answer.status_code, answer.json()["status"]) == (201, "draft")
    assert answer.json()["dataset"] == scene.dataset.code


def test_only_from_a_refusal_and_only_from_a_grant_in_force(scene: Scene, now: datetime) -> None:
    grant = stories.grant_in("suspended", scene, now)
    client = signed_in(scene.consumer)
    for address in (
        f"/api/v1/grants/{grant.pk}/ask_change",
        f"/api/v1/requests/{grant.request_id}/ask_again",
    ):
        before = untouched()
        assert problem(send(client, address, None), 409)["code"] == "illegal_move"
        assert untouched() == before


@pytest.mark.parametrize("pk", ["0", "9" * 18, "9" * 40, "x", "%00"])
def test_of_what_there_is_not(scene: Scene, pk: str) -> None:
    client = signed_in(scene.consumer)
    for address in (f"/api/v1/grants/{pk}/ask_change", f"/api/v1/requests/{pk}/ask_again"):
        assert problem(send(client, address, None), 404)["code"] == "not_found"


@pytest.mark.parametrize(
    "address",
    [
        "requests/x/submit",
        "grants/x/end",
        "planned-stops/x/withdraw_stop",
        "service-changes/x/agree_change",
        "disposals/x/confirm_disposal",
        "usage-reports/x/file",
        "demands/x/submit",
        "upper-requests/x/submit",
    ],
)
def test_a_row_whose_number_is_none_is_not_there(scene: Scene, address: str) -> None:
    answer = send(signed_in(scene.consumer), f"/api/v1/{address}", {})
    assert problem(answer, 404)["code"] == "not_found"


def test_what_is_not_to_be_had_any_more_is_refused(
    address: str, scene: Scene, now: datetime
) -> None:
    Dataset.objects.filter(pk=scene.dataset.pk).update(status="withdrawn", withdrawn_at=now)
    before = untouched()
    refusal = problem(send(signed_in(scene.consumer), address, None), 400)
    assert refusal["code"] == "not_published"
    assert untouched() == before
