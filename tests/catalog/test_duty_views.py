"""The screens and the API of responsibility lists: a whole round, and who sees what."""

import io
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from python_calamine import CalamineWorkbook

from apps.catalog.models import Duty, ResponsibilityList
from apps.catalog.operations import compiling, duties, responsibility
from tests.catalog import duty_stories as story
from tests.catalog.duty_stories import DUTIES, LISTS, Side
from tests.conftest import CAST
from tests.factories.accounts import DepartmentFactory, RegionFactory, UserFactory
from tests.factories.catalog import PublishedDatasetFactory

pytestmark = pytest.mark.django_db
LISTING = "/work/responsibility-lists/"


@pytest.fixture
def side(authority: Any, provider: Any, provider_head: Any) -> Side:
    return Side(officer=authority, editor=provider, head=provider_head)


def client_of(person: Any) -> Client:
    client = Client()
    client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[1])
    return client


def page(person: Any, address: str) -> str:
    answer = client_of(person).get(address)
    assert answer.status_code == 200, address
    return str(answer.content.decode())


def test_a_whole_round_on_the_screens(side: Side) -> None:
    for _number in range(2):
        PublishedDatasetFactory(department=side.department)
    officer, editor, head = (client_of(who) for who in (side.officer, side.editor, side.head))
    today = timezone.localdate()
    assert "2 条已发布" in officer.get(f"{LISTING}compile/").content.decode()
    answer = officer.post(f"{LISTING}compile/", {"year": 2026, "batch": "第一批"}, follow=True)
    assert "新列入 2 项" in answer.content.decode()
    found = ResponsibilityList.objects.get()
    own = found.get_absolute_url()
    first, second = found.duties.order_by("pk")

    due = today + timedelta(days=30)
    ticked = {"bulk": "1", "duties": [first.pk, second.pk], "bulk-due_on": due}
    assert "已修改 2 项" in officer.post(f"{own}revise/", ticked, follow=True).content.decode()
    line = {
        "shown": first.pk,
        f"duty{first.pk}-expected_rows": "1204",
        f"duty{first.pk}-update_cycle": "weekly",
        f"duty{first.pk}-due_on": due,
        f"duty{first.pk}-contact_name": "王工",
    }
    assert "已修改 1 项" in officer.post(f"{own}revise/", line, follow=True).content.decode()
    first.refresh_from_db()
    assert (first.expected_rows, first.update_cycle, first.contact_name) == (1204, "weekly", "王工")
    wrong = {**line, f"duty{first.pk}-expected_rows": "很多"}
    assert "应归集条数" in officer.post(f"{own}revise/", wrong, follow=True).content.decode()
    added = officer.post(
        f"{own}add/", {"title": "救助站信息", "item_names": "名称、地址", "update_cycle": "yearly"},
        follow=True,
    )  # fmt: skip
    assert "已列入：救助站信息" in added.content.decode()
    officer.post(f"{own}revise/", {"bulk": "1", "duties": Duty.objects.latest("pk").pk,
                                   "bulk-due_on": due})  # fmt: skip

    many = {"lists": found.pk, "act": "consult", "consult_due_on": today + timedelta(days=5)}
    asked = officer.post(f"{LISTING}move/", many).content.decode()
    assert "1 份清单将送责任部门" in asked
    found.refresh_from_db()
    assert found.status == "compiling", "only named, not done"
    many |= {"confirmed": "1"}
    assert "已办理 1 份" in officer.post(f"{LISTING}move/", many, follow=True).content.decode()
    assert (
        "已确认 1 项"
        in editor.post(f"{own}accept/", {"duties": first.pk}, follow=True).content.decode()
    )
    objection = {"reason": "数据在区县", "revision": second.revision + 1}
    second.refresh_from_db()
    objection["revision"] = second.revision
    editor.post(f"/work/duties/{second.pk}/move/raise_objection/", objection)
    assert "数据在区县" in officer.get(own).content.decode()
    head.post(f"{own}move/reply/", {"opinion": "见异议"})
    assert (
        "异议没有答复"
        in officer.post(
            f"{LISTING}move/", {"lists": found.pk, "act": "issue", "confirmed": "1"}, follow=True
        ).content.decode()
    )
    second.refresh_from_db()
    officer.post(
        f"/work/duties/{second.pk}/move/settle/",
        {"reason": "汇总后归集", "revision": second.revision},
    )
    found.refresh_from_db()
    answer = officer.post(f"{own}move/issue/", {"revision": found.revision}, follow=True)
    assert "已办理：印发" in answer.content.decode()
    assert set(found.duties.values_list("status", flat=True)) == {"in_force"}


@pytest.mark.parametrize("status", sorted(DUTIES))
def test_every_status_has_its_page(side: Side, at: datetime, status: str) -> None:
    duty = DUTIES[status](side, at)
    assert duty.title in page(side.officer, duty.get_absolute_url())


@pytest.mark.parametrize("status", sorted(LISTS))
def test_who_opens_a_list(side: Side, cast: dict[str, Any], at: datetime, status: str) -> None:
    found = LISTS[status](side, at)
    openers = {"authority", "authority_leader", "auditor"}
    if status != "compiling":
        openers |= {"provider", "provider_head"}
    for name in set(CAST) - {"inactive"}:
        client = client_of(cast[name])
        expected = 200 if name in openers else 404
        assert client.get(found.get_absolute_url()).status_code == expected, name
        duty = found.duties.first()
        assert duty is not None
        assert client.get(duty.get_absolute_url()).status_code == expected, name
        api = client.get(f"/api/v1/duties/{duty.pk}").status_code
        assert api == expected, name
    assert Client().get(LISTING).status_code == 302


def test_only_the_officer_corrects(side: Side, cast: dict[str, Any], at: datetime) -> None:
    found = LISTS["consulting"](side, at)
    for name in ("provider", "provider_head", "authority_leader", "auditor"):
        client = client_of(cast[name])
        for act in ("revise", "add"):
            assert client.post(f"{found.get_absolute_url()}{act}/").status_code == 403, name
        assert client.post(f"{LISTING}move/", {"lists": found.pk}).status_code == 403
        assert client.get(f"{LISTING}compile/").status_code == 403
        assert client.get(f"{found.get_absolute_url()}move/issue/").status_code == 403


def test_a_duty_is_split_on_its_page(side: Side, at: datetime) -> None:
    duty = story.in_force(side, at)
    Duty.objects.update(expected_rows=10)
    district = DepartmentFactory(name="渝中区民政局", region=RegionFactory(key="yuzhong"))
    client = client_of(side.editor)
    address = f"/work/duties/{duty.pk}/split/"
    assert "还没有拆分" in client.get(address).content.decode()
    client.post(address, {"department": district.pk, "expected_rows": "6"})
    shown = client.get(duty.get_absolute_url()).content.decode()
    assert "渝中区民政局" in shown
    assert "尚有 4 条没有拆分" in shown
    over = client.post(address, {"department": district.pk, "expected_rows": "5"})
    assert "超出本事项" in over.content.decode()
    assert duty.parts.count() == 1


def test_a_district_is_offered_only_itself(side: Side, at: datetime) -> None:
    duty = story.in_force(side, at)
    district = DepartmentFactory(name="渝中区民政局", region=RegionFactory(key="yuzhong"))
    DepartmentFactory(name="万州区民政局", region=RegionFactory(key="wanzhou"))
    client_of(side.editor).post(f"/work/duties/{duty.pk}/split/", {"department": district.pk})
    assert "拆分到处室和区县" in page(side.editor, duty.get_absolute_url())
    part = duty.parts.get()
    clerk = UserFactory(department=district, roles=["department_editor"])
    shown = page(clerk, part.get_absolute_url())
    assert "拆分到处室</a>" in shown
    assert "计入上级事项的目录" in shown
    assert "相关</h2>" not in shown, "there is nothing that it may open"
    form = client_of(clerk).get(f"/work/duties/{part.pk}/split/").context["form"]
    assert list(form.fields["department"].queryset) == [district]


def test_the_confirmation_names_the_duty_and_its_list(side: Side, at: datetime) -> None:
    duty = story.in_force(side, at)
    shown = page(side.editor, f"/work/duties/{duty.pk}/move/perform/")
    assert "<dt>责任事项</dt>" in shown
    assert "<dt>所在清单</dt>" in shown
    assert duty.responsibility_list.get_absolute_url() in shown


def test_who_sees_one_department_reads_the_batch_first(side: Side, at: datetime) -> None:
    story.issued_list(side, at)
    assert "2026 年第一批" in page(side.editor, LISTING)


def test_a_district_finds_the_parts_it_was_given(side: Side, at: datetime) -> None:
    duty = story.in_force(side, at)
    Duty.objects.update(expected_rows=10)
    district = DepartmentFactory(name="渝中区民政局", region=RegionFactory(key="yuzhong"))
    clerk = UserFactory(department=district, roles=["department_editor"])
    assert duty.title not in page(clerk, LISTING)
    given = {"department": district.pk, "expected_rows": "6"}
    client_of(side.editor).post(f"/work/duties/{duty.pk}/split/", given)
    shown = page(clerk, LISTING)
    part = duty.parts.get()
    assert part.get_absolute_url() in shown
    assert str(side.department) in shown
    assert 'id="parts"' not in page(side.editor, LISTING), "its own duties are on its own list"


def test_the_button_to_issue_says_what_is_still_wanting(side: Side, at: datetime) -> None:
    found = story.consulting_list(side, at, answer_by=timezone.localdate() + timedelta(days=5))
    shown = page(side.officer, found.get_absolute_url())
    assert "部门还没有回复" in shown
    assert f"{found.get_absolute_url()}move/issue/" not in shown
    responsibility.reply(responsibility_list=found, actor=side.head, at=at, opinion="无意见")
    shown = page(side.officer, found.get_absolute_url())
    assert f"{found.get_absolute_url()}move/issue/" in shown


def test_compiling_offers_the_batch_to_come_and_whoever_has_entries_left(
    side: Side, at: datetime
) -> None:
    year = timezone.localdate(at).year
    begun = story.compiling_list(side, at)
    client = client_of(side.officer)
    form = client.get(f"{LISTING}compile/").context["form"]
    assert (form["batch"].value(), list(form.fields["departments"].queryset)) == ("第一批", [])
    responsibility.consult(
        responsibility_list=begun, consult_due_on=story.ANSWER_BY, actor=side.officer, at=at
    )
    other = PublishedDatasetFactory()
    form = client.get(f"{LISTING}compile/").context["form"]
    assert form["batch"].value() == "第二批"
    assert [label for _key, label in form.fields["departments"].choices] == [
        f"{other.department}（1 项）"
    ]
    assert begun.year == year


def test_the_list_is_taken_away_as_a_workbook(side: Side, at: datetime) -> None:
    found = story.issued_list(side, at, entries=2)
    for address in (LISTING, found.get_absolute_url()):
        answer = client_of(side.editor).get(f"{address}?format=xlsx")
        book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
        rows = book.get_sheet_by_index(0).to_python()
        assert len(rows) == 3
        assert rows[0][3] == "责任事项"
        assert rows[1][8] == date(2026, 12, 31)


def test_next_years_list_shows_the_difference(side: Side, at: datetime) -> None:
    found = story.issued_list(side, at)
    client_of(side.officer).post(
        f"{found.get_absolute_url()}move/adjust/", {"revision": found.revision}
    )
    following = ResponsibilityList.objects.get(year=2027)
    shown = page(side.officer, following.get_absolute_url())
    assert "与上年清单相比" in shown
    assert "2027-12-31" in shown
    assert "有改动 0，不变 1" in shown
    assert "期限顺延一年的不算改动" in shown


def test_its_statements_do_not_grow_with_the_list(side: Side, at: datetime) -> None:
    found = story.compiling_list(side, at)
    client = client_of(side.officer)

    def cost(address: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(address).status_code == 200
        return len(seen)

    pages = (LISTING, found.get_absolute_url())
    for address in pages:
        cost(address)
    small = [cost(address) for address in pages]
    for _number in range(4):
        PublishedDatasetFactory(department=side.department)
        PublishedDatasetFactory()
    compiling.compile_lists(year=2026, batch="第一批", actor=side.officer, at=at)
    assert [cost(address) for address in pages] == small


class TestApi:
    def test_a_department_answers_over_the_api(self, side: Side, at: datetime) -> None:
        begun = timezone.now() - timedelta(hours=1)
        until = timezone.localdate() + timedelta(days=5)
        found = story.consulting_list(side, begun, entries=2, answer_by=until)
        found_row = ResponsibilityList.objects.get(pk=found.pk)
        client = client_of(side.editor)
        lists = client.get("/api/v1/responsibility-lists?status=consulting").json()["results"]
        assert [row["code"] for row in lists] == [found_row.code]
        rows = client.get(f"/api/v1/duties?responsibility_list={found.pk}").json()["results"]
        assert len(rows) == 2
        accepted = client.post(
            f"/api/v1/duties/{rows[0]['id']}/accept",
            {"revision": rows[0]["revision"]},
            content_type="application/json",
        )
        assert accepted.json()["status"] == "accepted"
        objected = client.post(
            f"/api/v1/duties/{rows[1]['id']}/raise_objection",
            {"reason": "重复"},
            content_type="application/json",
        )
        assert objected.json()["objection"] == "重复"
        again = client.post(f"/api/v1/duties/{rows[1]['id']}/verify")
        assert again.status_code == 403
        issue = client_of(side.officer).post(f"/api/v1/responsibility-lists/{found.pk}/issue")
        assert (issue.status_code, issue.json()["code"]) == (400, "objections_open")

    def test_the_authority_compiles_over_the_api(self, side: Side) -> None:
        PublishedDatasetFactory(department=side.department)
        body = {"year": 2026, "batch": "第一批", "departments": [side.department.code]}
        where = "/api/v1/responsibility-lists"
        for who, status in ((side.editor, 403), (side.officer, 201)):
            made = client_of(who).post(where, body, content_type="application/json")
            assert made.status_code == status
        assert made.json()["duty_count"] == 1
        assert made.json()["lists"] == [ResponsibilityList.objects.get().pk]
        again = client_of(side.officer).post(where, body, content_type="application/json")
        assert again.json()["duty_count"] == 0

    def test_a_duty_is_split_and_its_parts_add_up(self, side: Side, at: datetime) -> None:
        duty = story.in_force(side, at)
        Duty.objects.update(expected_rows=100)
        district = DepartmentFactory(name="渝中区民政局", region=RegionFactory(key="yuzhong"))
        own, client = f"/api/v1/duties/{duty.pk}", client_of(side.editor)

        def split(rows: int) -> Any:
            parts = [{"department": district.code, "expected_rows": rows}]
            return client.post(f"{own}/split", {"parts": parts}, content_type="application/json")

        assert split(101).json()["code"] == "parts_exceed"
        assert split(60).status_code == 200
        parts = client.get(own).json()["parts"]
        assert (parts["count"], parts["assigned_rows"], parts["gap"]) == (1, 60, 40)
        (part,) = client.get(f"/api/v1/duties?parent={duty.pk}").json()["results"]
        assert (part["department"], part["parent"]) == (district.code, duty.pk)
        assert client_of(side.officer).post(f"{own}/split").status_code == 400

    def test_a_promise_names_its_entry_when_there_is_one(self, side: Side, at: datetime) -> None:
        listed = story.consulting_list(side, at)
        wished = duties.add_duty(
            responsibility_list=listed, title="新数据", actor=side.officer, at=at, due_on=story.DUE
        )
        responsibility.reply(responsibility_list=listed, actor=side.head, at=at)
        responsibility.issue(responsibility_list=listed, actor=side.officer, at=at)
        entry = PublishedDatasetFactory(department=side.department)
        named = client_of(side.editor).post(
            f"/api/v1/duties/{wished.pk}/name_dataset",
            {"dataset": entry.dashed_code},
            content_type="application/json",
        )
        assert named.json()["dataset"] == entry.dashed_code

    def test_what_is_misspelt_is_not_passed_over(self, side: Side) -> None:
        client = client_of(side.editor)
        for query, code in (
            ("colour=red", "unknown_filter"),
            ("status=blue", "unknown_status"),
            ("responsibility_list=x", "invalid_filter"),
        ):
            answer = client.get(f"/api/v1/duties?{query}")
            assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert client.post("/api/v1/duties/1/fly").status_code == 404
