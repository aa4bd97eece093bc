"""`/api/v1/demands`: lists, rows, drafts and moves, under the same rules as the screens."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from apps.catalog.models import Demand
from tests.catalog.demand_stories import STORIES, WRITTEN, Parties, entry_of
from tests.catalog.test_demand_views import signed_in
from tests.factories.accounts import UserFactory
from tests.factories.catalog import PublishedDatasetFactory

ADDRESS = "/api/v1/demands"


def post(client: Client, address: str, body: Any) -> Any:
    return client.post(address, body, content_type="application/json")


def test_it_lists_what_the_caller_may_see(parties: Parties, at: datetime) -> None:
    demand = STORIES["forwarded"](parties, at)
    STORIES["draft"](parties, at)
    assert len(signed_in(parties.editor).get(ADDRESS).json()["results"]) == 2
    (row,) = signed_in(parties.provider).get(ADDRESS).json()["results"]
    assert (row["number"], row["status_label"]) == (demand.number, "待提供部门答复")
    stranger = signed_in(UserFactory(roles=["department_editor"]))
    assert stranger.get(ADDRESS).json()["results"] == []
    assert stranger.get(f"{ADDRESS}/{demand.pk}").status_code == 404
    assert Client().get(ADDRESS).status_code == 401


@pytest.mark.parametrize(
    ("query", "code"), [("?status=gone", "unknown_status"), ("?colour=red", "unknown_filter")]
)
def test_it_refuses_a_filter_that_there_is_not(parties: Parties, query: str, code: str) -> None:
    answer = signed_in(parties.editor).get(ADDRESS + query)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_it_filters_by_status_and_department(parties: Parties, at: datetime) -> None:
    STORIES["forwarded"](parties, at)
    client = signed_in(parties.editor)
    provider = parties.provider.department.code
    assert len(client.get(f"{ADDRESS}?status=forwarded&provider={provider}").json()["results"]) == 1
    assert client.get(f"{ADDRESS}?status=draft").json()["results"] == []


def test_a_demand_is_drafted_and_moved(parties: Parties, at: datetime) -> None:
    client = signed_in(parties.editor)
    answer = post(client, ADDRESS, WRITTEN)
    assert answer.status_code == 201, answer.content
    own = f"{ADDRESS}/{answer.json()['id']}"
    assert post(client, f"{own}/submit", {}).json()["status"] == "awaiting_head"
    assert post(client, f"{own}/approve", {}).status_code == 403
    assert post(signed_in(parties.head), f"{own}/approve", {}).json()["status"] == "submitted"
    words = {"provider": parties.provider.department.code}
    officer = signed_in(parties.officer)
    assert post(officer, f"{own}/forward", words).json()["status"] == "forwarded"
    assert post(officer, f"{own}/forward", words).json()["code"] == "illegal_move"
    assert post(officer, f"{own}/take_up", {}).status_code == 404
    answer = post(
        signed_in(parties.provider),
        f"{own}/propose",
        {"proposal": "refuse", "reason": "涉密", "legal_basis": "某法"},
    )
    assert (answer.status_code, answer.json()["reply"]) == (200, ""), "not told before it is signed"
    assert post(signed_in(parties.provider_head), f"{own}/refuse", {}).json()["reply"] == "涉密"


def test_an_entry_is_pointed_out_by_its_code(parties: Parties, at: datetime) -> None:
    entry = entry_of(parties)
    demand = STORIES["submitted"](parties, at)
    body = {"dataset": entry.dashed_code, "reason": "已有"}
    answer = post(signed_in(parties.officer), f"{ADDRESS}/{demand.pk}/point_out", body)
    assert (answer.json()["status"], answer.json()["dataset"]) == ("fulfilled", entry.dashed_code)


def test_an_incomplete_demand_says_what_lacks(parties: Parties, at: datetime) -> None:
    client = signed_in(parties.editor)
    own = post(client, ADDRESS, {"title": "只有名称"}).json()["id"]
    answer = post(client, f"{ADDRESS}/{own}/submit", {})
    assert (answer.status_code, answer.json()["code"]) == (400, "demand_incomplete")
    assert post(client, ADDRESS, {}).status_code == 400
    assert Demand.objects.count() == 1


def test_a_draft_is_revised_and_a_received_one_split(parties: Parties, at: datetime) -> None:
    demand = STORIES["draft"](parties, at)
    editor, officer = signed_in(parties.editor), signed_in(parties.officer)
    own = f"{ADDRESS}/{demand.pk}"
    seen = editor.get(own).json()
    revised = post(editor, f"{own}/revise", {"scope": "主城九区", "revision": seen["revision"]})
    assert (revised.json()["scope"], revised.json()["title"]) == ("主城九区", seen["title"])
    stale = post(editor, f"{own}/revise", {"scope": "旧页面", "revision": seen["revision"]})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_revision")
    received = STORIES["submitted"](parties, at)
    own = f"{ADDRESS}/{received.pk}"
    assert post(editor, f"{own}/revise", {"scope": "偷改"}).status_code == 403
    part = {"title": "救助类别", "items": ["救助类别"]}
    assert post(editor, f"{own}/split", part).status_code == 403
    sibling = post(officer, f"{own}/split", part).json()
    assert sibling["id"] != received.pk
    assert [item["name"] for item in sibling["wanted_items"]] == ["救助类别"]
    assert len(officer.get(own).json()["wanted_items"]) == 2


def test_matches_are_read_and_declined_by_those_who_match(parties: Parties, at: datetime) -> None:
    PublishedDatasetFactory(department=parties.provider.department, name="困难群众救助对象信息")
    demand = STORIES["forwarded"](parties, at)
    where = f"{ADDRESS}/{demand.pk}/matches"
    editor = signed_in(parties.editor)
    (row,) = editor.get(where).json()["results"]
    assert row["score"] > 0.5
    assert {"公民身份号码", "姓名"} <= set(row["found_items"])
    assert signed_in(parties.provider).get(where).json()["results"] == []
    assert signed_in(UserFactory()).get(where).status_code == 404
    no = f"{where}/{row['id']}/decline"
    assert post(signed_in(parties.head), no, {"reason": "不够"}).status_code == 403
    declined = post(editor, no, {"reason": "只含农村"}).json()
    assert (declined["decision"], declined["reason"]) == ("declined", "只含农村")
    assert post(editor, no, {"reason": "再说一次"}).json()["code"] == "illegal_move"
