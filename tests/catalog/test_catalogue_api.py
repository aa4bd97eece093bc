"""What the API tells of an entry beside its fields, and what its lists cost."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.catalog import operations as catalog
from apps.catalog.models import (
    CatalogImport,
    Dataset,
    Duplicate,
    LegalDuty,
    SavedFilter,
    ServiceItem,
    SourceDesignation,
    UpperDataset,
)
from tests.catalog import demand_stories, duty_stories, stories
from tests.catalog.demand_stories import Parties
from tests.catalog.duty_stories import Side
from tests.catalog.stories import People
from tests.catalog.test_demand_views import signed_in
from tests.catalog.test_upper_requests import in_status as upper_request
from tests.catalog.test_upward import in_status as package
from tests.factories.accounts import InformationSystemFactory, UserFactory
from tests.factories.catalog import DatasetFactory, PublishedDatasetFactory

pytestmark = pytest.mark.django_db


class TestAnEntry:
    def test_it_names_related_entries_that_the_caller_may_see(
        self, people: People, at: datetime, consumer: Any
    ) -> None:
        dataset = PublishedDatasetFactory(department=people.editor.department)
        shown, hidden = PublishedDatasetFactory(), DatasetFactory()
        dataset.related.set([shown, hidden])
        where = f"/api/v1/datasets/{dataset.dashed_code}"
        assert signed_in(consumer).get(where).json()["related"] == [shown.dashed_code]
        assert len(signed_in(people.officer).get(where).json()["related"]) == 2

    def test_lost_points_and_their_mend_are_for_those_who_keep_it(
        self, people: People, consumer: Any
    ) -> None:
        dataset = PublishedDatasetFactory(department=people.editor.department, abstract="")
        where = f"/api/v1/datasets/{dataset.dashed_code}"
        losses = signed_in(people.editor).get(where).json()["losses"]
        assert losses[0]["points"] >= losses[-1]["points"]
        (abstract,) = (loss for loss in losses if loss["kind"] == "abstract")
        assert (abstract["points"], "20 个字" in abstract["mend"]) == (10.0, True)
        assert signed_in(consumer).get(where).json()["losses"] == []


class TestVersions:
    @pytest.fixture
    def changed(self, people: People, at: datetime) -> Dataset:
        """An entry whose second version came into force two days after the first."""
        dataset = stories.published(people, at, abstract="旧的摘要，写明内容、范围和用途。")
        later = at.replace(day=at.day + 2)
        change = catalog.begin_change(
            dataset=dataset,
            actor=people.editor,
            at=later,
            reason="补充说明",
            fields={"abstract": "新的摘要，写明内容、范围和用途。"},
        )
        catalog.submit_change(change=change, actor=people.editor, at=later)
        catalog.approve_change(change=change, actor=people.head, at=later)
        catalog.publish_change(change=change, actor=people.officer, at=later)
        return dataset

    def test_each_says_what_it_held_and_what_differs(self, changed: Dataset, consumer: Any) -> None:
        client = signed_in(consumer)
        where = f"/api/v1/datasets/{changed.dashed_code}/versions"
        first, second = (client.get(f"{where}/{number}").json() for number in (1, 2))
        assert (first["differences"], first["reason"]) == ([], "")
        assert first["snapshot"]["abstract"].startswith("旧的")
        (one,) = second["differences"]
        assert (one["field"], one["field_name"], one["kind"]) == ("abstract", "摘要", "changed")
        assert second["reason"] == "补充说明"
        assert client.get(f"{where}/3").status_code == 404

    @pytest.mark.parametrize(
        ("day", "number"), [("2026-11-17", None), ("2026-11-18", 1), ("2026-11-20", 2)]
    )
    def test_any_day_has_the_version_that_was_in_force(
        self, changed: Dataset, consumer: Any, day: str, number: int | None
    ) -> None:
        answer = signed_in(consumer).get(f"/api/v1/datasets/{changed.dashed_code}/on/{day}")
        assert answer.json().get("number") == number
        assert answer.status_code == (404 if number is None else 200)

    def test_what_is_no_day_is_said_to_be_none(self, changed: Dataset, consumer: Any) -> None:
        client = signed_in(consumer)
        for day in ("2026-13-01", "yesterday"):
            answer = client.get(f"/api/v1/datasets/{changed.dashed_code}/on/{day}")
            assert (answer.status_code, answer.json()["field"]) == (400, "day")

    def test_a_draft_of_others_has_none(self, people: People, at: datetime, consumer: Any) -> None:
        draft = stories.draft(people, at)
        for end in ("versions/1", "on/2026-11-18"):
            answer = signed_in(consumer).get(f"/api/v1/datasets/{draft.dashed_code}/{end}")
            assert answer.status_code == 404


Make = Callable[[Parties, datetime], Any]


def _duplicate(parties: Parties, at: datetime) -> None:
    first, second = PublishedDatasetFactory(), PublishedDatasetFactory()
    Duplicate.objects.create(
        first=first, second=second, score=90, name_score=90, item_score=90,
        evidence={"items": [], "words": [], "first_only": 0, "second_only": 0},
        fingerprint="x", created_at=at, updated_at=at,
    )  # fmt: skip


def _designation(parties: Parties, at: datetime) -> None:
    SourceDesignation.objects.create(
        subject=f"数据{SourceDesignation.objects.count()}",
        department=UserFactory().department,
        basis="三定规定",
        decided_by=parties.officer,
        decided_at=at,
        valid_from=date(2026, 1, 1),
    )


def _filter(parties: Parties, at: datetime) -> None:
    owner = UserFactory()
    SavedFilter.objects.create(
        name="常用", query="q=低保", owner=owner, department=owner.department,
        audience="everybody", created_at=at,
    )  # fmt: skip


def _import(parties: Parties, at: datetime) -> None:
    CatalogImport.objects.create(
        department=None, sha256="0" * 64, size_bytes=1, file_name="目录.xlsx",
        uploaded_by=parties.officer, created_at=at, updated_at=at,
    )  # fmt: skip


def _law(model: Any, **more: Any) -> Make:
    def make(parties: Parties, at: datetime) -> None:
        number = model.objects.count()
        department = UserFactory().department
        model.objects.create(code=f"C{number}", name=f"事项{number}", department=department, **more)

    return make


def _duty(parties: Parties, at: datetime) -> None:
    department = UserFactory().department
    editor = UserFactory(department=department, roles=["department_editor"])
    head = UserFactory(department=department, roles=["department_approver"])
    duty_stories.issued_list(Side(parties.officer, editor, head), at)


def _change(parties: Parties, at: datetime) -> None:
    department = UserFactory().department
    editor = UserFactory(department=department, roles=["department_editor"])
    head = UserFactory(department=department, roles=["department_approver"])
    stories.change_draft(People(editor, head, parties.officer), at)


def _upper(parties: Parties, at: datetime) -> None:
    number = UpperDataset.objects.count()
    UpperDataset.objects.create(
        level="national", code=f"N-{number}", name=f"上级{number}", imported_at=at
    )


def _demand(parties: Parties, at: datetime) -> None:
    system = InformationSystemFactory(department=parties.editor.department)
    demand_stories.forwarded(parties, at, system=system)


LISTS: Final[dict[str, Make]] = {
    "datasets": lambda parties, at: PublishedDatasetFactory(),
    "dataset-changes": _change,
    "demands": _demand,
    "duplicates": _duplicate,
    "source-designations": _designation,
    "saved-filters": _filter,
    "catalog-imports": _import,
    "responsibility-lists": _duty,
    "duties": _duty,
    "legal-duties": _law(LegalDuty, kind="license"),
    "service-items": _law(ServiceItem),
    "upper-datasets": _upper,
    "upper-requests": lambda parties, at: upper_request("filed", parties, at),
    "upward-packages": lambda parties, at: package("receipted", parties.officer, at),
}


@pytest.mark.parametrize("name", sorted(LISTS))
def test_more_rows_cost_a_list_no_more_statements(
    parties: Parties, at: datetime, name: str
) -> None:
    make, client = LISTS[name], signed_in(parties.officer)
    where = f"/api/v1/{name}"
    make(parties, at)
    client.get(where)  # content types and such are read once
    few, rows = _statements(client, where)
    assert rows >= 1
    for _number in range(3):
        make(parties, at)
    many, more = _statements(client, where)
    assert (many, more) == (few, rows + 3)


def test_every_list_of_the_catalogues_api_is_counted() -> None:
    from apps.catalog.urls import api_urlpatterns

    lists = {
        str(each.pattern).strip("^$").removesuffix("\\Z")
        for each in api_urlpatterns
        if not {"<", "(", "."} & set(str(each.pattern).strip("^$"))
    }
    assert lists == set(LISTS)


def _statements(client: Client, where: str) -> tuple[int, int]:
    with CaptureQueriesContext(connection) as seen:
        answer = client.get(where)
    assert answer.status_code == 200, answer.content
    return len(seen), len(answer.json()["results"])
