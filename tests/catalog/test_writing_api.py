"""Entries and their next versions, written and brought through over the API."""

from datetime import datetime
from typing import Any

import pytest

from apps.catalog.models import ChangeChannel, Dataset, DatasetChange
from tests.catalog import stories
from tests.catalog.stories import People
from tests.catalog.test_demand_views import signed_in
from tests.factories.accounts import InformationSystemFactory
from tests.factories.catalog import ClassificationFactory, DatasetFactory, PublishedDatasetFactory

pytestmark = pytest.mark.django_db
JSON = "application/json"
ITEMS = [
    {"column": "identity_number", "name": "公民身份号码", "type": "C", "length": 18},
    {"column": "registered_on", "name": "登记日期", "type": "D", "required": True},
]


def posted(user: Any, where: str, data: Any = None) -> Any:
    return signed_in(user).post(f"/api/v1/{where}", data or {}, content_type=JSON)


class TestDrafting:
    @pytest.fixture
    def body(self) -> dict[str, Any]:
        node = ClassificationFactory(level=3)
        return {"classification": node.code, "name": "婚姻登记信息", "items": ITEMS}

    def test_an_editor_drafts_revises_and_submits(
        self, people: People, at: datetime, body: dict[str, Any]
    ) -> None:
        system = InformationSystemFactory(department=people.editor.department)
        shown = PublishedDatasetFactory()
        more = {"system": system.code, "related": [shown.dashed_code], "themes": ["婚姻"]}
        made = posted(people.editor, "datasets", {**body, **more})
        assert made.status_code == 201, made.json()
        answer = made.json()
        assert [item["column"] for item in answer["items"]] == ["identity_number", "registered_on"]
        assert (answer["system"], answer["related"]) == (system.code, [shown.dashed_code])
        where = f"datasets/{answer['code']}"

        revised = posted(people.editor, f"{where}/revise", {"abstract": "登记。", "revision": 1})
        assert revised.status_code == 200, revised.json()
        assert (revised.json()["abstract"], len(revised.json()["items"])) == ("登记。", 2)
        stale = posted(people.editor, f"{where}/revise", {"abstract": "旧。", "revision": 1})
        assert (stale.status_code, stale.json()["code"]) == (409, "stale_revision")

        early = posted(people.editor, f"{where}/submit")
        assert (early.status_code, early.json()["code"]) == (400, "dataset_incomplete")
        assert len(early.json()["errors"]) > 2

    def test_assessments_are_recorded(self, people: People, at: datetime) -> None:
        dataset = DatasetFactory(department=people.editor.department)
        given = {"kind": "secrecy", "conclusion": "passed", "assessor": "保密办"}
        where = f"datasets/{dataset.dashed_code}/record_assessment"
        day = {"assessed_on": "2026-01-05"}
        assert posted(people.editor, where, {**given, **day}).status_code == 200
        assert dataset.assessments.get().assessor == "保密办"
        assert posted(people.editor, where, given).json()["errors"].keys() == {"assessed_on"}

    def test_a_misspelt_field_is_not_passed_over(
        self, people: People, body: dict[str, Any]
    ) -> None:
        wrong = {**body, "abstrct": "x", "items": [{**ITEMS[0], "lenght": 4}]}
        answer = posted(people.editor, "datasets", wrong)
        assert answer.status_code == 400
        assert "abstrct" in answer.json()["errors"]
        del wrong["abstrct"]
        answer = posted(people.editor, "datasets", wrong)
        assert "lenght" in str(answer.json()["errors"]["items"])
        assert not Dataset.objects.exists()

    def test_only_an_editor_drafts(self, people: People, body: dict[str, Any]) -> None:
        for other in (people.head, people.officer):
            assert posted(other, "datasets", body).status_code == 403

    def test_of_a_draft_of_others_nothing_is_told(
        self, people: People, body: dict[str, Any]
    ) -> None:
        hidden = DatasetFactory()
        answer = posted(people.editor, "datasets", {**body, "related": [hidden.dashed_code]})
        nowhere = posted(people.editor, "datasets", {**body, "related": ["999999-000001"]})
        assert (answer.status_code, nowhere.status_code) == (400, 400)
        where = f"datasets/{hidden.dashed_code}/revise"
        assert posted(people.editor, where, {"abstract": "x"}).status_code == 404


class TestBringingThrough:
    def test_from_the_editor_to_the_authority(self, people: People, at: datetime) -> None:
        dataset = stories.draft(people, at)
        where = f"datasets/{dataset.dashed_code}"
        assert posted(people.head, f"{where}/approve").json()["code"] == "illegal_move"
        for user, move, status in (
            (people.editor, "submit", "awaiting_head"),
            (people.head, "approve", "submitted"),
            (people.officer, "publish", "published"),
        ):
            assert posted(user, f"{where}/{move}").json()["status"] == status
        refused = posted(people.editor, f"{where}/request_withdrawal", {"reason": "职能划转"})
        assert refused.status_code == 403
        assert posted(people.head, f"{where}/request_withdrawal").status_code == 400
        assert posted(people.head, f"{where}/take_over").status_code == 404
        asked = posted(people.head, f"{where}/request_withdrawal", {"reason": "职能划转"})
        assert asked.json()["status"] == "withdrawal_requested"
        assert posted(people.officer, f"{where}/withdraw").json()["status"] == "withdrawn"

    def test_addresses_with_a_hyphen_are_others(self, people: People, at: datetime) -> None:
        dataset = stories.published(people, at)
        answer = posted(people.editor, f"datasets/{dataset.dashed_code}/no-changes")
        assert answer.status_code == 400  # asked for its period, by the warehouse


class TestChanging:
    def begun(self, people: People, at: datetime, **more: Any) -> Any:
        dataset = stories.published(people, at)
        given = {"dataset": dataset.dashed_code, "abstract": stories.NEW_ABSTRACT, "reason": "补充"}
        return posted(people.editor, "dataset-changes", {**given, **more})

    def test_it_is_begun_revised_and_published(self, people: People, at: datetime) -> None:
        made = self.begun(people, at)
        assert made.status_code == 201, made.json()
        change = DatasetChange.objects.get(pk=made.json()["id"])
        assert (change.channel, change.reason) == (ChangeChannel.API, "补充")
        (one,) = made.json()["differences"]
        assert (one["field"], one["new"]) == ("abstract", stories.NEW_ABSTRACT)
        where = f"dataset-changes/{change.pk}"
        revised = posted(people.editor, f"{where}/revise_change", {"contact_name": "陈静"})
        assert {each["field"] for each in revised.json()["differences"]} == {
            *("abstract", "contact_name")
        }
        for user, move, status in (
            (people.editor, "submit_change", "awaiting_head"),
            (people.head, "approve_change", "submitted"),
            (people.officer, "publish_change", "applied"),
        ):
            answer = posted(user, f"{where}/{move}")
            assert answer.json()["status"] == status, answer.json()
        assert len(answer.json()["differences"]) == 2
        change.dataset.refresh_from_db()
        assert change.dataset.contact_name == "陈静"

    def test_its_items_are_continued_by_column(self, people: People, at: datetime) -> None:
        dataset = stories.published(people, at)
        present = [
            {"column": item.column_name, "name": item.name}
            for item in dataset.items.order_by("position")
        ]
        added = {"column": "registered_by", "name": "登记机关", "length": 60}
        given = {"dataset": dataset.dashed_code, "items": [*present, added], "reason": "增加"}
        answer = posted(people.editor, "dataset-changes", given)
        (one,) = answer.json()["differences"]
        assert (one["kind"], one["item"]) == ("added", "registered_by")

    def test_an_occasion_is_recorded_with_its_day(self, people: People, at: datetime) -> None:
        alone = self.begun(people, at, trigger_kind="statute")
        assert alone.json()["errors"].keys() == {"triggered_on"}
        dataset = Dataset.objects.get()
        given = {
            "dataset": dataset.dashed_code,
            "trigger_kind": "statute",
            "triggered_on": "2026-01-05",
            "trigger_note": "条例修订",
        }
        answer = posted(people.editor, "dataset-changes", given).json()
        assert (answer["trigger_kind"], answer["triggered_on"]) == ("statute", "2026-01-05")
        assert answer["faults"] == ["没有任何改动"]

    def test_a_second_one_names_the_first(self, people: People, at: datetime) -> None:
        first = self.begun(people, at).json()
        answer = posted(people.editor, "dataset-changes", {"dataset": first["dataset"]})
        assert (answer.status_code, answer.json()["code"]) == (409, "change_open")
        assert answer.json()["change"] == first["id"]

    def test_it_goes_back_with_its_reason(self, people: People, at: datetime) -> None:
        change = stories.change_submitted(people, at)
        where = f"dataset-changes/{change.pk}"
        assert posted(people.officer, f"{where}/send_back_change").status_code == 400
        answer = posted(people.officer, f"{where}/send_back_change", {"reason": "请说明依据"})
        assert (answer.json()["status"], answer.json()["remark"]) == ("returned", "请说明依据")

    def test_the_list_is_narrowed_and_others_see_none(
        self, people: People, at: datetime, consumer: Any
    ) -> None:
        change = stories.change_submitted(people, at)
        client = signed_in(people.editor)
        address = "/api/v1/dataset-changes"
        for query, count in (
            (f"dataset={change.dataset.dashed_code}", 1),
            ("status=applied", 0),
            ("status=submitted", 1),
        ):
            assert len(client.get(f"{address}?{query}").json()["results"]) == count
        assert client.get(f"{address}?state=x").json()["code"] == "unknown_filter"
        others = signed_in(consumer)
        assert others.get(address).json()["results"] == []
        assert others.get(f"{address}/{change.pk}").status_code == 404
