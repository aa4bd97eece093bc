"""Uploaded spreadsheets: who may do what, every move, the pages, the API."""

import io
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from python_calamine import CalamineWorkbook

from apps.catalog import operations as catalog
from apps.catalog.lifecycle import IMPORT
from apps.catalog.models import CatalogImport, Dataset, ImportEntry
from apps.core import access
from apps.core.errors import Conflict, IllegalMove, NotAllowed
from apps.ledger.models import Event
from tests.catalog import stories
from tests.catalog.sheets.workbooks import adopted, edited, exported, row, upload, workbook
from tests.catalog.stories import People
from tests.conftest import CAST
from tests.factories.catalog import ClassificationFactory

pytestmark = pytest.mark.django_db
DECIDING = ("adopt", "decide", "discard", "recheck", "submit_all")
# whose import → action → who
MATRIX: dict[str, dict[str, set[str]]] = {
    "provider": {
        "view": {"provider", "provider_head", "authority_leader", "auditor"},
        **{action: {"provider"} for action in DECIDING},
    },
    "authority": {
        "view": {"authority", "authority_leader", "auditor"},
        **{action: {"authority"} for action in DECIDING},
    },
}
CREATORS = {"provider", "consumer", "outsider", "authority"}


@pytest.fixture
def checked(people: People, at: datetime) -> CatalogImport:
    ClassificationFactory()
    return upload(workbook([row()]), people.editor, at)


def test_the_matrix_knows_every_action() -> None:
    assert set(MATRIX["provider"]) == set(access.actions_of(CatalogImport))


@pytest.mark.parametrize("owner", sorted(MATRIX))
def test_who_may_do_what(people: People, cast: dict[str, Any], at: datetime, owner: str) -> None:
    ClassificationFactory()
    subject = upload(workbook([row()]), cast[owner], at)
    wrong = []
    for action, admitted in MATRIX[owner].items():
        for name in CAST:
            on_row = access.allowed(cast[name], action, subject, at=at)
            in_list = access.rows(cast[name], action, CatalogImport, at=at).exists()
            if (on_row, in_list) != (name in admitted, name in admitted):
                wrong.append((name, action, on_row, in_list))
    assert wrong == []


def test_who_may_hand_in(cast: dict[str, Any], at: datetime) -> None:
    able = {name for name in CAST if access.able(cast[name], "create", CatalogImport, at=at)}
    assert able == CREATORS


@pytest.mark.parametrize("name", ["provider_head", "consumer", "authority", "outsider", "citizen"])
def test_a_refusal_changes_nothing(
    checked: CatalogImport, cast: dict[str, Any], at: datetime, name: str
) -> None:
    events = Event.objects.filter(outcome="done").count()
    for move in (catalog.discard, catalog.recheck):
        with pytest.raises(NotAllowed):
            move(subject=checked, actor=cast[name], at=at)
    with pytest.raises(NotAllowed):
        catalog.adopt(subject=checked, actor=cast[name], at=at, scope="good")
    with pytest.raises(NotAllowed):
        catalog.submit_all(subject=checked, actor=cast[name], at=at)
    checked.refresh_from_db()
    assert checked.status == "checked"
    assert Event.objects.filter(outcome="done").count() == events
    assert not Dataset.objects.exists()


@pytest.mark.parametrize("status", CatalogImport.Status.values)
@pytest.mark.parametrize("move", [each.name for each in IMPORT.moves])
def test_every_move_from_every_status(
    checked: CatalogImport, people: People, at: datetime, status: str, move: str
) -> None:
    shape = {"scope": "good", "decided_by": people.editor, "problem_code": "file_empty"}
    CatalogImport.objects.filter(pk=checked.pk).update(status=status, **shape)
    checked.refresh_from_db()
    if status in IMPORT.move(move).sources:
        IMPORT.apply(checked, move, actor=people.editor, at=at)
        assert checked.status == IMPORT.move(move).target
    else:
        with pytest.raises(IllegalMove):
            IMPORT.apply(checked, move, actor=people.editor, at=at)


def test_the_same_key_gives_the_first_import_back(people: People, at: datetime) -> None:
    ClassificationFactory()
    first = upload(workbook([row()]), people.editor, at, idempotency_key="k")
    assert upload(workbook([row()]), people.editor, at, idempotency_key="k").pk == first.pk
    with pytest.raises(Conflict):
        upload(b"another", people.editor, at, idempotency_key="k")


def test_the_authority_brings_in_for_departments_which_then_own_it(
    people: People, at: datetime
) -> None:
    ClassificationFactory()
    subject = upload(workbook([row()]), people.officer, at)
    assert subject.department is None
    adopted(subject, people.officer, at)
    dataset = Dataset.objects.get()
    assert (dataset.department, dataset.status) == (people.editor.department, "draft")
    assert access.allowed(people.editor, "revise", dataset, at=at)
    assert not access.allowed(people.officer, "revise", dataset, at=at)


def test_the_number_of_queries_does_not_grow_with_rows(
    people: People, at: datetime, tmp_path: Path, django_assert_max_num_queries: Any
) -> None:
    ClassificationFactory()
    few = workbook([row(信息资源名称=f"{letter}类救助信息") for letter in "子丑"])
    many = workbook([row(信息资源名称=f"{letter}类救助信息") for letter in "甲乙丙丁戊己庚辛壬癸"])

    def count(content: bytes) -> tuple[int, int]:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        subject = catalog.receive_import(
            file=io.BytesIO(content), file_name="目录.xlsx", actor=people.editor, at=at
        )
        with CaptureQueriesContext(connection) as checking:
            catalog.check_imports(at=at)
        subject.refresh_from_db()
        catalog.adopt(subject=subject, actor=people.editor, at=at, scope="all")
        with CaptureQueriesContext(connection) as adopting:
            catalog.adopt_imports(at=at)
        subject.refresh_from_db()
        assert subject.summary["outcomes"]["created"] == subject.summary["entries"]
        return len(checking), len(adopting)

    count(workbook([row(信息资源名称="寅类救助信息")]))  # the department has entries from here on
    assert count(few) == count(many)


class TestPages:
    @pytest.fixture
    def page(self, client: Client, people: People) -> Client:
        client.force_login(people.editor)
        return client

    def test_upload_check_adopt_submit(self, page: Client, people: People, at: datetime) -> None:
        ClassificationFactory()
        assert page.get(reverse("catalog:imports")).status_code == 200
        assert page.get(reverse("catalog:import-new")).status_code == 200
        file = io.BytesIO(workbook([row(), row(信息资源名称="另一条", 更新周期="常常")]))
        file.name = "目录.xlsx"
        answer = page.post(reverse("catalog:import-new"), {"file": file})
        subject = CatalogImport.objects.get()
        assert answer.headers["Location"] == subject.get_absolute_url()
        assert "排队等待检查" in page.get(subject.get_absolute_url()).content.decode()
        assert page.get(reverse("catalog:import-state", args=[subject.pk])).status_code == 200
        catalog.check_imports(at=at)
        assert page.get(reverse("catalog:import-state", args=[subject.pk])).status_code == 204
        shown = page.get(subject.get_absolute_url()).content.decode()
        assert "P3" in shown
        assert "采用没有差错的" in shown
        for entry in subject.entries.all():
            address = reverse("catalog:import-entry", args=[subject.pk, entry.position])
            assert page.get(address).status_code == 200
        subject.refresh_from_db()
        page.post(
            reverse("catalog:import-move", args=[subject.pk, "adopt"]),
            {"scope": "good", "revision": subject.revision},
        )
        catalog.adopt_imports(at=at)
        shown = page.get(subject.get_absolute_url()).content.decode()
        assert "已新建草稿" in shown
        assert "提交全部" in shown
        told = page.post(reverse("catalog:import-submit-all", args=[subject.pk]))
        assert "保密" in told.content.decode()
        marked = page.get(reverse("catalog:import-marked", args=[subject.pk]))
        content = b"".join(marked)
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
        lines = sheet.to_python()
        assert lines[0][-2:] == ["检查结果", "问题和改法"]
        assert lines[2][-2] == "有差错"
        assert "常常" in str(lines[2][-1])

    def test_what_is_refused_says_why(self, page: Client, people: People, at: datetime) -> None:
        subject = upload(b"%PDF-", people.editor, at)
        shown = page.get(subject.get_absolute_url()).content.decode()
        assert "不是表格" in shown
        assert page.get(reverse("catalog:import-marked", args=[subject.pk])).status_code == 404

    def test_a_conflict_is_decided_on_its_page(
        self, page: Client, people: People, at: datetime, tmp_path: Path
    ) -> None:
        dataset = stories.draft(people, at, name="临时救助")
        content = edited(exported(tmp_path), 联系人={0: "表里的人"})
        catalog.revise_dataset(dataset=dataset, actor=people.editor, at=at, contact_name="平台的人")
        subject = upload(content, people.editor, at)
        address = reverse("catalog:import-entry", args=[subject.pk, 1])
        assert "取表里的" in page.get(address).content.decode()
        page.post(address, {"clash-0": "mine"})
        assert ImportEntry.objects.get().decisions == {".contact_name": "mine"}
        adopted(subject, people.editor, at)
        dataset.refresh_from_db()
        assert dataset.contact_name == "表里的人"

    def test_others_see_nothing(self, client: Client, checked: CatalogImport, cast: Any) -> None:
        for name in ("consumer", "outsider", "authority"):
            client.force_login(cast[name])
            assert client.get(checked.get_absolute_url()).status_code == 404

    def test_exports_hold_what_the_filters_leave(
        self, page: Client, people: People, at: datetime
    ) -> None:
        stories.published(people, at, name="困难群众救助信息")
        stories.draft(people, at, name="临时救助")
        catalog.refresh_stale(at=at)
        for form in ("xlsx", "xls"):
            answer = page.get(reverse("catalog:datasets-export", args=[form]) + "?status=draft")
            content = b"".join(answer)
            sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
            assert {line[4] for line in sheet.to_python()[1:]} == {"临时救助"}
        answer = page.get(reverse("catalog:datasets-export", args=["csv"]) + "?mine=1")
        text = b"".join(answer).decode()
        assert text.count("困难群众救助信息") == 5
        template = page.get(reverse("catalog:datasets-template"))
        assert b"".join(template).startswith(b"PK")
        assert page.get(reverse("catalog:datasets-export", args=["pdf"])).status_code == 404
        assert page.get(reverse("catalog:datasets")).status_code == 200


class TestApi:
    @pytest.fixture
    def api(self, client: Client, people: People) -> Client:
        client.force_login(people.editor)
        return client

    def test_hand_in_look_adopt(self, api: Client, people: People, at: datetime) -> None:
        ClassificationFactory()
        answer = api.post(
            "/api/v1/catalog-imports?file_name=a.xlsx",
            workbook([row()]),
            content_type="application/octet-stream",
            headers={"Idempotency-Key": "once"},
        )
        assert answer.status_code == 202, answer.content
        address = answer.headers["Location"]
        catalog.check_imports(at=at)
        state = api.get(address).json()
        assert (state["status"], state["is_finished"]) == ("checked", True)
        entries = api.get(state["entries"]).json()["results"]
        assert [entry["action"] for entry in entries] == ["create"]
        bad = api.post(f"{address}/adopt", {"scope": "x"}, content_type="application/json")
        assert bad.status_code == 400
        done = api.post(f"{address}/adopt", {"scope": "all"}, content_type="application/json")
        assert done.status_code == 202, done.content
        catalog.adopt_imports(at=at)
        assert api.get(address).json()["status"] == "adopted"
        assert api.post(f"{address}/discard").json()["code"] == "illegal_move"

    def test_exports(self, api: Client, people: People, at: datetime) -> None:
        stories.published(people, at)
        whole = api.get("/api/v1/datasets.xlsx")
        assert b"".join(whole).startswith(b"PK")
        text = b"".join(api.get("/api/v1/datasets.csv?status=published")).decode()
        assert text.count("\n") == 6
        assert api.get("/api/v1/datasets.csv?colour=red").json()["code"] == "unknown_filter"

    def test_who_edits_nothing_hands_nothing_in(self, client: Client, cast: Any) -> None:
        client.force_login(cast["provider_head"])
        answer = client.post(
            "/api/v1/catalog-imports", b"x", content_type="application/octet-stream"
        )
        assert answer.json()["code"] == "not_allowed"
        assert not CatalogImport.objects.exists()
