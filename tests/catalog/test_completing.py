"""Drafts of a spreadsheet are completed together, and go on together."""

from datetime import date, datetime
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from apps.catalog import operations as catalog
from apps.catalog import queries
from apps.catalog.models import CatalogImport, Dataset
from apps.core.errors import NotAllowed
from tests.catalog.sheets.workbooks import adopted, row, upload, workbook
from tests.catalog.stories import People
from tests.factories.catalog import ClassificationFactory

pytestmark = pytest.mark.django_db
NAMES = ("甲类救助信息", "乙类救助信息", "丙类救助信息")
DAY = date(2026, 11, 17)
CONDITIONAL = {"共享类型": "有条件共享", "共享条件": "仅限核对"}


@pytest.fixture
def brought(people: People, at: datetime) -> CatalogImport:
    """Three drafts: two shared on condition, one without."""
    ClassificationFactory()
    rows = [
        row(信息资源名称=NAMES[0], **CONDITIONAL),
        row(信息资源名称=NAMES[1], **CONDITIONAL),
        row(信息资源名称=NAMES[2]),
    ]
    return adopted(upload(workbook(rows), people.editor, at), people.editor, at)


def complete(subject: CatalogImport, actor: Any, at: datetime, **more: Any) -> int:
    given = {"values": {}, "assessments": {}, "keys": {}, **more}
    return catalog.complete_drafts(subject=subject, actor=actor, at=at, **given)


def test_only_what_is_lacking_is_filled_in(
    brought: CatalogImport, people: People, at: datetime
) -> None:
    first, second, third = (Dataset.objects.get(name=name) for name in NAMES)
    catalog.revise_dataset(dataset=first, actor=people.editor, at=at, sharing_scope="民政部门")
    values = {"sharing_scope": "财政部门", "holds_no_secrets": True, "grade": "3"}
    assert complete(brought, people.editor, at, values=values) == 3
    for dataset in (first, second, third):
        dataset.refresh_from_db()
    assert [each.sharing_scope for each in (first, second, third)] == ["民政部门", "财政部门", ""]
    assert all(each.holds_no_secrets for each in (first, second, third))
    assert {each.grade for each in (first, second, third)} == {"1"}
    assert complete(brought, people.editor, at, values=values) == 0


def test_one_report_serves_all(brought: CatalogImport, people: People, at: datetime) -> None:
    report = ContentFile(b"%PDF-", name="report.pdf")
    passed = {"secrecy": catalog.Passed("secrecy", DAY, "局保密办", report)}
    complete(brought, people.editor, at, assessments=passed)
    found = [Dataset.objects.get(name=name).assessments.get() for name in NAMES]
    assert {(each.kind, each.conclusion, each.assessor) for each in found} == {
        ("secrecy", "passed", "局保密办")
    }
    assert len({each.file.name for each in found}) == 1


def test_complete_drafts_go_on_together(
    brought: CatalogImport, people: People, at: datetime
) -> None:
    drafts = queries.lacking_in(brought, on=DAY)
    columns = {draft.dataset.pk: [draft.dataset.items.get().column_name] for draft in drafts}
    passed = {
        kind: catalog.Passed(kind, DAY, "局保密办") for kind in ("secrecy", "personal_information")
    }
    values = {"sharing_scope": "财政部门", "holds_no_secrets": True}
    complete(brought, people.editor, at, values=values, assessments=passed, keys=columns)
    assert [draft.errors for draft in queries.lacking_in(brought, on=DAY)] == [[], [], []]
    results = catalog.submit_all(subject=brought, actor=people.editor, at=at)
    assert [result.problem for result in results] == ["", "", ""]
    assert not queries.drafts_of(brought).exists()


def test_who_edits_nothing_completes_nothing(
    brought: CatalogImport, people: People, cast: dict[str, Any], at: datetime
) -> None:
    for name in ("provider_head", "consumer", "authority", "outsider"):
        with pytest.raises(NotAllowed):
            complete(brought, cast[name], at, values={"holds_no_secrets": True})
    assert not Dataset.objects.filter(holds_no_secrets=True).exists()


def test_the_number_of_statements_does_not_grow(
    people: People, at: datetime, django_assert_num_queries: Any
) -> None:
    ClassificationFactory()
    few = workbook([row(信息资源名称=name) for name in NAMES])
    many = workbook([row(信息资源名称=f"{letter}项救助信息") for letter in "甲乙丙丁戊己庚辛"])
    for content in (few, many):
        subject = adopted(upload(content, people.editor, at), people.editor, at)
        with django_assert_num_queries(4):
            queries.lacking_in(subject, on=DAY)


class TestPage:
    @pytest.fixture
    def page(self, client: Client, people: People) -> Client:
        client.force_login(people.editor)
        return client

    def test_filled_in_and_submitted(self, page: Client, brought: CatalogImport) -> None:
        address = reverse("catalog:import-complete", args=[brought.pk])
        assert address in page.get(brought.get_absolute_url()).content.decode()
        shown = page.get(address).content.decode()
        assert "填到缺这项的 2 条" in shown
        assert "3 条草稿，其中 0 条内容齐全" in shown
        assert "什么也没有填" in page.post(address, {}).content.decode()
        wrong = page.post(address, {"secrecy_on": "2026-11-01"})
        assert "评估日期和评估人要一起填" in wrong.content.decode()
        sent = {
            "holds_no_secrets": "on",
            "sharing_scope": "财政部门",
            "secrecy_on": "2026-11-01",
            "secrecy_by": "局保密办",
        }
        for dataset in Dataset.objects.all():
            sent[f"key_{dataset.pk}_subject"] = dataset.items.get().column_name
        assert page.post(address, sent).status_code == 302
        shown = page.get(address).content.decode()
        assert "3 条草稿，其中 3 条内容齐全" in shown
        told = page.post(reverse("catalog:import-submit-all", args=[brought.pk]))
        assert "已送本部门负责人审批 3 条" in told.content.decode()
        assert "没有要补的草稿" in page.get(address).content.decode()

    def test_it_is_the_departments_own(
        self, client: Client, people: People, cast: dict[str, Any], brought: CatalogImport
    ) -> None:
        address = reverse("catalog:import-complete", args=[brought.pk])
        client.force_login(cast["provider_head"])
        assert client.get(address).status_code == 403
        client.force_login(cast["outsider"])
        assert client.get(address).status_code == 404


def test_a_mended_sheet_takes_the_place_of_the_first(
    client: Client, people: People, at: datetime
) -> None:
    ClassificationFactory()
    first = upload(workbook([row(更新周期="常常")]), people.editor, at)
    client.force_login(people.editor)
    address = f"{reverse('catalog:import-new')}?instead={first.pk}"
    assert f"上传以后代替 {first}" in client.get(address).content.decode()
    file = ContentFile(workbook([row()]), name="目录.xlsx")
    client.post(address, {"file": file})
    first.refresh_from_db()
    assert first.status == "discarded"
    assert CatalogImport.objects.exclude(pk=first.pk).get().status == "received"


def test_what_is_common_is_said_once_and_what_is_unchanged_is_not_listed(
    client: Client, people: People, at: datetime, brought: CatalogImport
) -> None:
    client.force_login(people.editor)
    again = [row(信息资源名称=NAMES[0], **CONDITIONAL), row(信息资源名称="丁类救助信息")]
    subject = upload(workbook(again), people.editor, at)
    shown = client.get(subject.get_absolute_url()).content.decode()
    assert "与平台中相同的 1 条没有列出" in shown
    assert NAMES[0] not in shown
    listed = client.get(f"{subject.get_absolute_url()}?action=unchanged").content.decode()
    assert NAMES[0] in listed
    many = [row(信息资源名称=f"{letter}项救助信息") for letter in "甲乙丙丁"]
    subject = upload(workbook(many), people.editor, at)
    assert {each["entries"] for each in subject.summary["common"]} == {4}
    shown = client.get(subject.get_absolute_url()).content.decode()
    assert shown.count("未填写联系人和电话") == 1
