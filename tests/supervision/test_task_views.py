"""The pages of work tasks: the authority's steps and board, the department's answers."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
import python_calamine
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.ledger.models import Urging
from apps.supervision.forms.task_answers import pasted_rows
from apps.supervision.forms.tasks import read_columns
from apps.supervision.models import TaskReturn, WorkTask
from apps.supervision.operations import task_returns as returns
from apps.supervision.operations import tasks
from apps.supervision.questions import Question
from tests.factories.accounts import DepartmentFactory, InformationSystemFactory, UserFactory
from tests.supervision import task_stories as stories
from tests.supervision.task_stories import Bureau

SignedIn = Callable[[Any], Any]


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def as_(settings: Any) -> SignedIn:
    def sign_in(user: Any) -> Client:
        client = Client()
        client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[1])
        return client

    return sign_in


def soon(now: datetime) -> date:
    return timezone.localdate(now) + timedelta(days=9)


def text(response: Any) -> str:
    assert response.status_code == 200, response.status_code
    return str(response.content.decode())


def test_an_officer_writes_a_task_in_steps_and_sends_it_out(
    bureau: Bureau, as_: SignedIn, now: datetime
) -> None:
    page = as_(bureau.officer)
    assert "按工作日推算截止日期" in text(page.get("/work/tasks/new/"))
    answer = page.post("/work/tasks/new/", {"kind": "other", "title": "系统普查"})
    task = WorkTask.objects.get()
    assert answer.url == f"/work/tasks/{task.pk}/edit/form/"
    content = {
        "kind": "other",
        "title": "系统普查",
        "content": "逐个核对",
        "due_on": soon(now).isoformat(),
        "contact_name": "王敏",
        "contact_phone": "63000000",
    }
    page.post(f"/work/tasks/{task.pk}/edit/content/", {**content, "revision": task.revision})
    task.refresh_from_db()
    line = {"q-0-label": "条数", "q-0-kind": "number", "q-0-required": "on", "q-0-ORDER": "2"}
    table = {"q-1-label": "清单", "q-1-kind": "table", "q-1-parts": "名称*\n条数：数字"}
    form = {
        "q-TOTAL_FORMS": "3",
        "q-INITIAL_FORMS": "0",
        **line,
        **table,
        "q-1-ORDER": "1",
        "q-2-kind": "text",
        "target_list": "",
        "revision": task.revision,
    }
    answer = page.post(f"/work/tasks/{task.pk}/edit/form/", form)
    assert answer.url == f"/work/tasks/{task.pk}/edit/recipients/"
    task.refresh_from_db()
    assert [(each.label, each.key) for each in task.form()] == [("清单", "q1"), ("条数", "q2")]
    assert [each.required for each in task.form()[0].columns] == [True, False]
    unready = text(page.get(f"/work/tasks/{task.pk}/edit/confirm/"))
    assert "选择填报单位" in unready
    department = bureau.editor.department
    page.post(f"/work/tasks/{task.pk}/edit/recipients/", {"city": [department.pk]})
    assert "下发给 1 个单位" in text(page.get(f"/work/tasks/{task.pk}/edit/confirm/"))
    answer = page.post(f"/work/tasks/{task.pk}/edit/confirm/")
    assert answer.url == f"/work/tasks/{task.pk}/"
    assert "市民政局" in text(page.get(answer.url))


def test_a_form_that_cannot_be_asked_is_shown_again_with_what_was_typed(
    bureau: Bureau, as_: SignedIn, now: datetime
) -> None:
    task = stories.draft(bureau, now, due_on=soon(now))
    form = {
        "q-TOTAL_FORMS": "1",
        "q-INITIAL_FORMS": "0",
        "q-0-label": "哪一种",
        "q-0-kind": "choice",
        "q-0-parts": "只有一个",
    }
    shown = text(as_(bureau.officer).post(f"/work/tasks/{task.pk}/edit/form/", form))
    assert "至少写两个不同的选项" in shown
    assert "只有一个" in shown


def test_the_clerk_answers_and_the_head_signs(bureau: Bureau, as_: SignedIn, now: datetime) -> None:
    row = stories.unopened(bureau, now, due_on=soon(now))
    clerk, head = as_(bureau.editor), as_(bureau.head)
    assert "2026 年目录更新" in text(clerk.get("/work/task-returns/")).replace("\u2009", " ")
    place = f"/work/task-returns/{row.pk}"
    assert clerk.get(f"{place}/answer/").url == f"{place}/"  # taken in first
    clerk.post(f"{place}/move/take_in/", {"revision": row.revision})
    assert "从电子表格粘贴" in text(clerk.get(f"{place}/answer/"))
    row.refresh_from_db()
    typed = {
        "answer_kind": "data",
        "q1": "约 30",
        "q2": "yes",
        "q4-0-c1": "婚姻登记",
        "q4-0-c2": "1",
        "q4-paste": "名称\t条数\n收养登记\t2\n\n",
        "revision": row.revision,
        "leave": "1",
    }
    clerk.post(f"{place}/answer/", typed)
    row.refresh_from_db()
    assert row.answers["q1"] == "约 30"
    assert row.answers["q4"] == [{"c1": "婚姻登记", "c2": "1"}, {"c1": "收养登记", "c2": "2"}]
    assert "还有 1 处须填写或修改" in text(clerk.get(f"{place}/"))
    stale = text(clerk.post(f"{place}/answer/", {**typed, "q1": "31", "note": "别丢"}))
    assert "别丢" in stale  # somebody else saved: what was typed is shown again
    clerk.post(f"{place}/answer/", {**typed, "q1": "31", "q4-paste": "", "revision": row.revision})
    row.refresh_from_db()
    clerk.post(f"{place}/move/submit/", {"revision": row.revision})
    shown = text(head.get(f"{place}/move/sign/"))
    assert "婚姻登记" in shown
    row.refresh_from_db()
    head.post(f"{place}/move/sign/", {"revision": row.revision})
    row.refresh_from_db()
    assert (row.status, row.signed_by) == ("submitted", bureau.head)
    assert clerk.get(f"{place}/move/sign/").status_code == 403


def test_the_authority_reads_what_is_signed_and_not_what_is_being_written(
    bureau: Bureau, as_: SignedIn, now: datetime
) -> None:
    due_on = timezone.localdate(now) + timedelta(days=9)
    row = stories.awaiting_head(bureau, now, due_on=due_on)
    officer = as_(bureau.officer)
    for address in (row.get_absolute_url(), f"{row.get_absolute_url()}move/excuse/"):
        assert "<dt>目录条数</dt>" not in officer.get(address).content.decode()
    assert "签发报送后，才能看到填报内容" in officer.get(row.get_absolute_url()).content.decode()
    returns.sign(row=row, actor=bureau.head, at=now)
    assert "<dt>目录条数</dt>" in officer.get(row.get_absolute_url()).content.decode()
    returns.send_back(row=row, actor=bureau.officer, at=now, reason="条数与目录不符")
    assert "<dt>目录条数</dt>" not in officer.get(row.get_absolute_url()).content.decode()
    assert "<dt>目录条数</dt>" in as_(bureau.editor).get(row.get_absolute_url()).content.decode()


def test_a_target_list_is_gone_through_by_page(
    bureau: Bureau, as_: SignedIn, now: datetime
) -> None:
    for number in range(45):
        InformationSystemFactory(department=bureau.editor.department, name=f"系统{number}")
    asked = [{"key": "q1", "label": "在用", "kind": "yes_no", "required": True, "per_line": True}]
    row = stories.unopened(bureau, now, questions=asked, target_list="systems", due_on=soon(now))
    returns.take_in(row=row, actor=bureau.editor, at=now)
    clerk = as_(bureau.editor)
    place = f"/work/task-returns/{row.pk}/lines/"
    first = {f"l{number}-q1": "yes" for number in range(1, 41)}
    answer = clerk.post(place, {**first, "revision": row.revision})
    assert answer.url == f"{place}?page=2"
    row.refresh_from_db()
    clerk.post(
        f"{place}?page=2",
        {"l41-q1": "no", "l0-label": "没登记的系统", "l0-q1": "yes", "revision": row.revision},
    )
    row.refresh_from_db()
    assert row.lines[0]["answers"] == {"q1": "yes"}
    assert row.lines[40]["answers"] == {"q1": "no"}
    assert (row.lines[45]["label"], row.lines[45]["key"]) == ("没登记的系统", "")


def overdue(bureau: Bureau, now: datetime, departments: int) -> WorkTask:
    asked = [bureau.editor.department]
    for number in range(departments - 1):
        department = DepartmentFactory(name=f"单位{number}")
        UserFactory(department=department, roles=["department_editor"])
        asked.append(department)
    task = stories.issued(bureau, now, recipients=asked, due_on=soon(now))
    WorkTask.objects.filter(pk=task.pk).update(due_on=timezone.localdate(now) - timedelta(days=7))
    return task


def test_everybody_late_is_urged_from_the_board(
    bureau: Bureau, as_: SignedIn, now: datetime
) -> None:
    task = overdue(bureau, now, 3)
    page = as_(bureau.officer)
    assert "催办全部 3 个逾期单位" in text(page.get(f"/work/tasks/{task.pk}/"))
    assert "催办 3 个单位" in text(page.get(f"/work/tasks/{task.pk}/urge-late/"))
    assert not Urging.objects.exists()
    page.post(f"/work/tasks/{task.pk}/urge-late/")
    assert Urging.objects.count() == 3


def test_every_figure_opens_its_list(bureau: Bureau, as_: SignedIn, now: datetime) -> None:
    task = overdue(bureau, now, 4)
    row = task.returns.get(department=bureau.editor.department)
    returns.take_in(row=row, actor=bureau.editor, at=now)
    returns.save_answers(row=row, actor=bureau.editor, at=now, answer_kind="nil", note="无")
    returns.submit(row=row, actor=bureau.editor, at=now)
    returns.sign(row=row, actor=bureau.head, at=now)
    page = as_(bureau.officer)
    for status, count in (("late", 3), ("submitted", 1), ("unopened", 3), ("writing", 0)):
        context = page.get(f"/work/tasks/{task.pk}/?status={status}").context
        figure = next(chip.count for chip in context["chips"] if chip.value == status)
        assert (figure, len(context["lines"])) == (count, count)
    shown = text(page.get(f"/work/tasks/{task.pk}/accept-all/"))
    assert "验收 1 份" in shown
    page.post(f"/work/tasks/{task.pk}/accept-all/")
    assert TaskReturn.objects.filter(status="accepted").count() == 1


def test_the_number_of_queries_does_not_grow_with_the_departments(
    bureau: Bureau, as_: SignedIn, now: datetime
) -> None:
    page = as_(bureau.officer)
    counts: dict[str, list[int]] = {}
    for departments in (2, 12):
        task = overdue(bureau, now, departments)
        place = f"/work/tasks/{task.pk}/"
        for address in (place, "/work/tasks/", f"{place}summary/"):
            page.get(address)
            with CaptureQueriesContext(connection) as queries:
                assert page.get(address).status_code == 200
            counts.setdefault(address.replace(str(task.pk), "*"), []).append(len(queries))
    for address, (few, many) in counts.items():
        assert few == many, address


def test_who_was_only_asked_is_led_to_his_own_return(
    bureau: Bureau, as_: SignedIn, outsider: Any, now: datetime
) -> None:
    row = stories.unopened(bureau, now, due_on=soon(now))
    place = f"/work/tasks/{row.task_id}/"
    assert as_(bureau.editor).get(place).url == f"/work/task-returns/{row.pk}/"
    assert as_(outsider).get(place).status_code == 404
    assert as_(outsider).get(f"/work/task-returns/{row.pk}/").status_code == 404
    for page in ("summary/", "summary.xlsx", "summary.csv", "urge-late/", "accept-all/"):
        assert as_(bureau.editor).get(f"{place}{page}").status_code == 403


def test_the_summary_is_a_workbook_with_tables_on_sheets_of_their_own(
    bureau: Bureau, as_: SignedIn, now: datetime
) -> None:
    other = DepartmentFactory(name="市税务局")
    row = stories.unopened(
        bureau, now, recipients=[bureau.editor.department, other], due_on=soon(now)
    )
    returns.take_in(row=row, actor=bureau.editor, at=now)
    returns.save_answers(
        row=row,
        actor=bureau.editor,
        at=now,
        answer_kind="data",
        answers={"q1": "12", "q2": "是", "q3": "=1+1", "q4": [{"c1": "婚姻登记", "c2": "3"}]},
        files={"q5": ContentFile(b"1", "报告.pdf")},
    )
    page = as_(bureau.officer)
    unsigned = page.get(f"/work/tasks/{row.task_id}/summary/").content.decode()
    assert "填写中" in unsigned
    assert "婚姻登记" not in unsigned, "what no head has signed is no answer yet"
    returns.submit(row=row, actor=bureau.editor, at=now)
    returns.sign(row=row, actor=bureau.head, at=now)
    answer = page.get(f"/work/tasks/{row.task_id}/summary.xlsx")
    book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(answer.content))
    assert book.sheet_names == ["汇总", "新增的数据"]
    overview = book.get_sheet_by_name("汇总").to_python()
    assert overview[0][7:12] == ["目录条数", "是否完成自查", "存在的问题", "加盖公章的报告", "说明"]
    assert {line[0]: line[7:11] for line in overview[1:]} == {
        "市民政局": [12.0, "是", "=1+1", "报告.pdf"],
        "市税务局": ["", "", "", ""],
        "合计": [12.0, "", "", ""],
    }
    table = book.get_sheet_by_name("新增的数据").to_python()
    assert table == [
        ["填报单位", "序号", "名称", "条数"],
        ["市民政局", "1", "婚姻登记", 3.0],
        ["合计", "", "", 3.0],
    ]
    shown = page.get(f"/work/tasks/{row.task_id}/summary/").content.decode()
    assert "婚姻登记" in shown
    assert '<td class="num">12</td>' in shown
    lines = b"".join(page.get(f"/work/tasks/{row.task_id}/summary.csv")).decode()
    assert lines.startswith("\ufeff填报单位,")
    assert "'=1+1" in lines


def test_a_paper_is_fetched_by_who_sees_the_task(
    bureau: Bureau, as_: SignedIn, outsider: Any, now: datetime
) -> None:
    row = stories.unopened(bureau, now, due_on=soon(now))
    officer = as_(bureau.officer)
    place = f"/work/tasks/{row.task_id}/files/"
    officer.post(place, {"title": "通知", "file": ContentFile(b"pdf", "a.pdf")})
    file = row.task.files.get()
    answer = as_(bureau.editor).get(f"/work/task-files/{file.pk}/")
    assert b"".join(answer) == b"pdf"
    assert as_(outsider).get(f"/work/task-files/{file.pk}/").status_code == 404


def test_next_years_task_is_begun_from_the_board(
    bureau: Bureau, as_: SignedIn, now: datetime
) -> None:
    task = stories.issued(bureau, now, due_on=soon(now))
    answer = as_(bureau.officer).post(f"/work/tasks/{task.pk}/copy/")
    copied = WorkTask.objects.get(previous=task)
    assert answer.url == f"/work/tasks/{copied.pk}/edit/content/"
    page = as_(bureau.officer)
    page.post(f"/work/tasks/{copied.pk}/move/cancel/", {"reason": "重复", "revision": 1})
    copied.refresh_from_db()
    assert copied.status == "cancelled"
    assert tasks.what_lacks(copied, on=soon(now))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("名称", ("名称", "text", False)),
        ("名称 *", ("名称", "text", True)),
        ("条数：数字", ("条数", "number", False)),
        ("登记日期: 日期*", ("登记日期", "date", True)),
        ("比例：一比二", ("比例：一比二", "text", False)),
    ],
)
def test_columns_are_read_as_they_are_written(written: str, read: tuple[str, str, bool]) -> None:
    (column,) = read_columns(f"\n {written} \n")
    assert (column["label"], column["kind"], column["required"]) == read


def test_rows_are_pasted_as_a_spreadsheet_copies_them() -> None:
    columns = (Question("c1", "名称", "text"), Question("c2", "条数", "number"))
    pasted = "名称\t条数\r\n婚姻登记\t１２\t多余的\r\n\r\n收养登记\r\n"
    assert pasted_rows(columns, pasted) == [
        {"c1": "婚姻登记", "c2": "１２"},
        {"c1": "收养登记"},
    ]
