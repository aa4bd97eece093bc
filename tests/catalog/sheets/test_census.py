"""The census numbers of the old template: kept, sent out again, compared three ways."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from apps.catalog import operations as catalog
from apps.catalog.models import CensusFigures, Dataset, DatasetChange
from tests.catalog import stories
from tests.catalog.sheets.workbooks import (
    actions,
    adopted,
    edited,
    exported,
    published_one,
    upload,
)
from tests.catalog.stories import People

pytestmark = pytest.mark.django_db


def test_census_numbers_are_kept_and_go_out_again(
    people: People, at: datetime, tmp_path: Path
) -> None:
    dataset = published_one(people, at)
    content = edited(exported(tmp_path), **{"数据存储总量(G)": {0: "12.5"}})
    subject = adopted(upload(content, people.editor, at), people.editor, at)
    assert subject.entries.get().outcome == "counted"
    assert str(CensusFigures.objects.get(dataset=dataset).storage_total) == "12.5000"
    again = upload(exported(tmp_path), people.editor, at)
    assert actions(again) == ["unchanged"]


def test_numbers_alone_leave_a_draft_as_it_is(people: People, at: datetime, tmp_path: Path) -> None:
    dataset = stories.draft(people, at, name="临时救助")
    content = edited(exported(tmp_path), **{"数据存储总量(G)": {0: "12.5"}})
    subject = adopted(upload(content, people.editor, at), people.editor, at)
    assert subject.entries.get().outcome == "counted"
    assert Dataset.objects.get().revision == dataset.revision


class TestCensus:
    """The numbers go three ways as fields do, by how often they had been written."""

    @pytest.fixture
    def old(self, people: People, at: datetime, tmp_path: Path) -> bytes:
        """A sheet that came out with 12.5 before somebody brought 13 in."""
        published_one(people, at)
        self.bring_in(people, at, exported(tmp_path), "12.5")
        content = exported(tmp_path)
        self.bring_in(people, at, content, "13")
        return content

    @staticmethod
    def bring_in(people: People, at: datetime, content: bytes, total: str) -> Any:
        changed = edited(content, **{"数据存储总量(G)": {0: total}})
        return adopted(upload(changed, people.editor, at), people.editor, at)

    @staticmethod
    def figures() -> tuple[str, ...]:
        figures = CensusFigures.objects.get()
        numbers = (figures.storage_total, figures.records_total)
        return tuple(f"{float(number or 0):g}" for number in numbers)

    def test_an_untouched_sheet_undoes_nothing(
        self, people: People, at: datetime, old: bytes
    ) -> None:
        assert actions(upload(old, people.editor, at)) == ["unchanged"]

    def test_another_number_is_no_conflict(self, people: People, at: datetime, old: bytes) -> None:
        content = edited(old, **{"结构化信息记录总数(万)": {0: "7"}})
        subject = adopted(upload(content, people.editor, at), people.editor, at)
        assert subject.entries.get().outcome == "counted"
        assert self.figures() == ("13", "7")

    @pytest.mark.parametrize(
        ("choice", "total", "outcome"), [("mine", "14", "counted"), ("current", "13", "skipped")]
    )
    def test_the_same_number_is_decided_by_a_person(
        self, people: People, at: datetime, old: bytes, choice: str, total: str, outcome: str
    ) -> None:
        subject = upload(edited(old, **{"数据存储总量(G)": {0: "14"}}), people.editor, at)
        entry = subject.entries.get()
        assert entry.action == "conflict"
        clash = entry.proposal["clashes"][0]
        assert [clash[name] for name in ("base", "yours", "current")] == ["12.5", "14", "13"]
        decisions = {"." + clash["field"]: choice}
        catalog.decide_import(entry=entry, actor=people.editor, at=at, decisions=decisions)
        adopted(subject, people.editor, at)
        assert (subject.entries.get().outcome, self.figures()[0]) == (outcome, total)
        assert not DatasetChange.objects.exists()

    def test_a_sheet_from_before_the_first_number(
        self, people: People, at: datetime, tmp_path: Path
    ) -> None:
        published_one(people, at)
        content = exported(tmp_path)
        self.bring_in(people, at, content, "13")
        subject = upload(edited(content, **{"数据存储总量(G)": {0: "14"}}), people.editor, at)
        assert actions(subject) == ["conflict"]
