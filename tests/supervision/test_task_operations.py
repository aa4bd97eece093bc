"""Work tasks from the draft to the end, with what everybody is told and owes."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction

from apps.accounts import operations as accounts
from apps.accounts.models import Department
from apps.catalog.operations import duties, responsibility
from apps.core.errors import Conflict, IllegalMove, InvalidInput, StaleRevision
from apps.ledger.models import Event, Notice, Todo, Urging
from apps.ledger.queries import open_todos_of
from apps.supervision.models import TaskFile, TaskReturn, WorkTask
from apps.supervision.operations import task_returns as returns
from apps.supervision.operations import tasks
from apps.supervision.operations.task_escalation import escalate_due
from apps.supervision.queries import tasks as queries
from apps.supervision.questions import stored
from apps.supervision.tasks import escalate
from tests.catalog.duty_stories import Side, consulting_list
from tests.factories.accounts import (
    DepartmentFactory,
    InformationSystemFactory,
    RegionFactory,
    UserFactory,
)
from tests.factories.catalog import PublishedDatasetFactory
from tests.supervision import task_stories as stories
from tests.supervision.task_stories import DUE, Bureau

LATE = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)  # one working day after the last day
LATER = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)  # three working days after it


def kinds_of(subject: Any) -> set[str]:
    return set(open_todos_of(subject).values_list("kind", flat=True))


def told(person: Any) -> list[str]:
    return list(
        Notice.objects.filter(recipient=person).order_by("pk").values_list("title", flat=True)
    )


@pytest.fixture
def others(db: None) -> list[Any]:
    """Two departments of the city and one of a district, each with its people."""
    district = RegionFactory(key="jiangjin", name="江津区", kind="district")
    found = [
        DepartmentFactory(name="市公安局"),
        DepartmentFactory(name="市税务局"),
        DepartmentFactory(name="江津区政务服务办", region=district),
    ]
    for department in found:
        UserFactory(department=department, roles=["department_editor"])
        UserFactory(department=department, roles=["department_approver"])
    return found


def test_a_task_goes_out_to_departments_and_districts(
    bureau: Bureau, others: list[Any], at: datetime
) -> None:
    asked = [bureau.editor.department, *others]
    task = stories.issued(bureau, at, recipients=asked)
    assert (task.number, task.issued_by, task.issued_at) == (
        f"RW-2026-{task.pk:06d}",
        bureau.officer,
        at,
    )
    assert {row.department for row in task.returns.all()} == set(asked)
    for row in task.returns.all():
        todo = open_todos_of(row).get()
        assert (todo.kind, todo.role, todo.due_on) == ("supervision.fill", "department_editor", DUE)
        assert todo.department == row.department
        assert row.history.count() == 1
    assert told(bureau.editor) == told(bureau.head) == ["新的工作任务：2026 年目录更新"]
    districts = task.returns.filter(department__in=queries.district_departments())
    assert [row.department for row in districts] == [others[2]]


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"content": " "}, "任务要求"),
        ({"due_on": None}, "截止日期"),
        ({"due_on": date(2026, 11, 18)}, "晚于今天"),
        ({"contact_phone": ""}, "联系人"),
        ({"questions": []}, "至少设一个问题"),
        ({"questions": [{"key": "q1", "label": "在用", "kind": "yes_no", "per_line": True}]},
         "还没有选择逐项核对"),
        ({"recipients": []}, "选择填报单位"),
    ],
)  # fmt: skip
def test_what_lacks_keeps_a_task_from_going_out(
    bureau: Bureau, at: datetime, fields: dict[str, Any], word: str
) -> None:
    task = stories.draft(bureau, at, **fields)
    with pytest.raises(InvalidInput, match=word):
        tasks.issue(task=task, actor=bureau.officer, at=at)
    task.refresh_from_db()
    assert (task.status, task.returns.count(), Todo.objects.count()) == ("draft", 0, 0)


def test_a_draft_is_changed_until_it_goes_out(bureau: Bureau, at: datetime) -> None:
    task = stories.draft(bureau, at)
    with pytest.raises(StaleRevision):
        tasks.revise_task(task=task, actor=bureau.officer, at=at, revision=1, title="晚了")
    with pytest.raises(InvalidInput):
        tasks.revise_task(task=task, actor=bureau.officer, at=at, status="issued")
    with pytest.raises(InvalidInput):
        tasks.revise_task(task=task, actor=bureau.officer, at=at, title="长" * 101)
    ended = DepartmentFactory(valid_to=date(2026, 1, 1))
    with pytest.raises(InvalidInput):
        tasks.revise_task(task=task, actor=bureau.officer, at=at, recipients=[ended])
    tasks.issue(task=task, actor=bureau.officer, at=at)
    with pytest.raises(IllegalMove):
        tasks.revise_task(task=task, actor=bureau.officer, at=at, title="改不了")
    assert WorkTask.objects.get().title == "2026 年目录更新"


def test_papers_go_with_a_task_and_stay_once_it_is_out(bureau: Bureau, at: datetime) -> None:
    task = stories.draft(bureau, at)
    paper = tasks.attach(
        task=task, actor=bureau.officer, at=at, title="", file=ContentFile(b"x", "通知.pdf")
    )
    assert (paper.title, paper.size_bytes) == ("通知.pdf", 1)
    for wrong in (ContentFile(b"x", "a.exe"), ContentFile(b"", "a.pdf")):
        with pytest.raises(InvalidInput):
            tasks.attach(task=task, actor=bureau.officer, at=at, title="", file=wrong)
    tasks.issue(task=task, actor=bureau.officer, at=at)
    with pytest.raises(IllegalMove):
        tasks.detach(file=paper, actor=bureau.officer, at=at)
    assert TaskFile.objects.get() == paper


def test_a_department_answers_its_head_signs_the_authority_accepts(
    bureau: Bureau, at: datetime
) -> None:
    row = stories.writing(bureau, at)
    assert row.opened_at == at
    returns.save_answers(
        row=row,
        actor=bureau.editor,
        at=at,
        answer_kind="data",
        answers={"q1": "约 30 条", "q2": "是", "q4": [{"c1": "", "c2": "３"}]},
        revision=row.revision,
    )
    # Nothing typed is lost, wrong or not; it only cannot be handed in.
    assert row.answers["q1"] == "约 30 条"
    assert [str(each) for each in returns.problems_of(row)] == [
        "目录条数：“约 30 条”不是数字；只写数字，不带单位",
        "新增的数据：第 1 行名称：没有填写",
    ]
    with pytest.raises(InvalidInput) as refusal:
        returns.submit(row=row, actor=bureau.editor, at=at)
    assert (refusal.value.code, len(refusal.value.details["errors"])) == ("return_incomplete", 2)
    returns.save_answers(
        row=row,
        actor=bureau.editor,
        at=at,
        answers={"q1": "1,204", "q4": [{"c1": "婚姻登记", "c2": "３"}]},
        files={"q5": ContentFile(b"pdf", "报告.pdf")},
    )
    assert row.answers["q2"] == "yes"  # what is absent is left alone
    assert TaskFile.objects.get(pk=row.answers["q5"]).task_return == row
    returns.submit(row=row, actor=bureau.editor, at=at)
    assert kinds_of(row) == {"supervision.sign"}
    returns.sign(row=row, actor=bureau.head, at=at)
    assert (row.status, row.signed_by, row.signed_at) == ("submitted", bureau.head, at)
    assert kinds_of(row) == set()
    assert kinds_of(row.task) == {"supervision.accept"}
    returns.accept(row=row, actor=bureau.officer, at=at)
    assert kinds_of(row.task) == set()
    assert "任务填报已验收：2026 年目录更新" in told(bureau.editor)


@pytest.mark.parametrize("kind", ["no_change", "nil"])
def test_no_change_and_nil_are_answers_of_their_own_and_say_what_was_checked(
    bureau: Bureau, at: datetime, kind: str
) -> None:
    row = stories.writing(bureau, at)
    returns.save_answers(row=row, actor=bureau.editor, at=at, answer_kind=kind)
    with pytest.raises(InvalidInput, match="核查的情况"):
        returns.submit(row=row, actor=bureau.editor, at=at)
    returns.save_answers(row=row, actor=bureau.editor, at=at, note="已逐条核对，没有变化")
    returns.submit(row=row, actor=bureau.editor, at=at)
    returns.sign(row=row, actor=bureau.head, at=at)
    assert (row.status, row.answer_kind) == ("submitted", kind)


def test_a_wrong_save_changes_nothing(bureau: Bureau, at: datetime) -> None:
    row = stories.writing(bureau, at)
    before = TaskReturn.objects.values().get()
    wrong: list[dict[str, Any]] = [
        {"answers": {"q9": "x"}},
        {"answer_kind": "maybe"},
        {"note": "长" * 2001},
        {"lines": [{"number": 1, "answers": {}}]},
        {"files": {"q1": ContentFile(b"1", "a.pdf")}},
        {"files": {"q5": ContentFile(b"1", "a.exe")}},
    ]
    for given in wrong:
        with pytest.raises(InvalidInput):
            returns.save_answers(row=row, actor=bureau.editor, at=at, **given)
    with pytest.raises(StaleRevision):
        returns.save_answers(row=row, actor=bureau.editor, at=at, note="x", revision=0)
    assert TaskReturn.objects.values().get() == before
    assert not TaskFile.objects.exists()


def test_what_is_sent_back_loses_its_signature_and_goes_round_again(
    bureau: Bureau, at: datetime
) -> None:
    row = stories.returned(bureau, at)
    assert (row.signed_by, row.signed_at, row.remark) == (None, None, "条数与目录不符")
    assert kinds_of(row) == {"supervision.fill"}
    assert kinds_of(row.task) == set()
    returns.submit(row=row, actor=bureau.editor, at=at)
    returns.sign(row=row, actor=bureau.head, at=at)
    assert (row.status, row.remark) == ("submitted", "")
    last = row.history.latest("history_id")
    assert (last.history_user, last.history_date) == (bureau.head, at)


def test_all_that_was_handed_in_is_accepted_at_once(
    bureau: Bureau, others: list[Any], at: datetime
) -> None:
    task = stories.issued(bureau, at, recipients=[bureau.editor.department, *others])
    for row in task.returns.exclude(department=others[2]):
        people = Bureau(
            bureau.officer,
            row.department.users.get(role_assignments__role="department_editor"),
            row.department.users.get(role_assignments__role="department_approver"),
        )
        returns.take_in(row=row, actor=people.editor, at=at)
        returns.save_answers(
            row=row, actor=people.editor, at=at, answer_kind="nil", note="没有需要填报的"
        )
        returns.submit(row=row, actor=people.editor, at=at)
        returns.sign(row=row, actor=people.head, at=at)
    assert open_todos_of(task).count() == 1  # not one for each department
    assert returns.accept_all(task=task, actor=bureau.officer, at=at) == 3
    progress = queries.progress_of(task, at)
    assert progress.counts == {"accepted": 3, "unopened": 1}
    assert (progress.handed_in, progress.expected) == (3, 4)
    with pytest.raises(Conflict):
        returns.accept_all(task=task, actor=bureau.officer, at=at)
    assert kinds_of(task) == set()


def test_everybody_who_is_late_is_urged_in_one_go_and_not_twice_within_the_hour(
    bureau: Bureau, others: list[Any], at: datetime
) -> None:
    task = stories.issued(bureau, at, recipients=[bureau.editor.department, *others])
    with pytest.raises(Conflict):
        tasks.urge_late(task=task, actor=bureau.officer, at=at)
    row = task.returns.get(department=bureau.editor.department)
    returns.take_in(row=row, actor=bureau.editor, at=at)
    returns.save_answers(row=row, actor=bureau.editor, at=at, answer_kind="nil", note="无")
    returns.submit(row=row, actor=bureau.editor, at=at)
    urged = tasks.urge_late(task=task, actor=bureau.officer, at=LATE, note="今日下班前")
    assert (urged.done, urged.skipped) == (4, 0)
    # Where it waits for the signature, the head is urged, not the clerk.
    assert "催办：签发任务填报：2026 年目录更新" in told(bureau.head)
    assert not any(title.startswith("催办") for title in told(bureau.editor))
    again = tasks.urge_late(task=task, actor=bureau.officer, at=LATE + timedelta(minutes=5))
    assert (again.done, again.skipped, Urging.objects.count()) == (0, 4, 4)
    assert Event.objects.filter(verb="supervision.urge_late").count() == 2


def test_who_stays_away_is_told_of_by_policy_and_only_once(
    bureau: Bureau, authority_leader: Any, at: datetime, policies: None
) -> None:
    row = stories.writing(bureau, at)
    on_the_last_day = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
    assert escalate_due(at=on_the_last_day) == 0
    assert escalate_due(at=LATE) == 1
    assert told(bureau.head)[-1] == "本部门逾期未报送：2026 年目录更新"
    assert told(authority_leader) == []
    assert escalate_due(at=LATE) == 0
    assert escalate_due(at=LATER) == 1
    assert told(authority_leader) == ["1 个单位逾期未报送：2026 年目录更新"]
    assert escalate_due(at=LATER) == 0
    row.refresh_from_db()
    assert (row.head_told_at, row.leader_told_at) == (LATE, LATER)
    verbs = Event.objects.filter(verb__startswith="supervision.tell").values_list("verb", flat=True)
    assert sorted(verbs) == ["supervision.tell_head", "supervision.tell_leader"]


def test_the_worker_may_come_twice(policies: None, db: None) -> None:
    escalate(0)
    escalate(0)


def test_who_was_let_off_or_has_handed_in_is_never_late(
    bureau: Bureau, at: datetime, policies: None
) -> None:
    stories.excused(bureau, at)
    stories.submitted(bureau, at)
    stories.cancelled(bureau, at)
    assert escalate_due(at=LATER) == 0


def test_a_task_ends_when_nothing_waits_and_names_who_did_not_report(
    bureau: Bureau, others: list[Any], at: datetime
) -> None:
    task = stories.issued(bureau, at, recipients=[bureau.editor.department, *others])
    row = task.returns.get(department=bureau.editor.department)
    returns.take_in(row=row, actor=bureau.editor, at=at)
    returns.save_answers(row=row, actor=bureau.editor, at=at, answer_kind="nil", note="无")
    returns.submit(row=row, actor=bureau.editor, at=at)
    returns.sign(row=row, actor=bureau.head, at=at)
    with pytest.raises(Conflict, match="1 份填报待验收"):
        tasks.close(task=task, actor=bureau.officer, at=at)
    returns.accept(row=row, actor=bureau.officer, at=at)
    tasks.close(task=task, actor=bureau.officer, at=at)
    assert queries.progress_of(task, at).counts == {"accepted": 1, "lapsed": 3}
    assert not Todo.objects.filter(done_at=None).exists()


def test_a_task_called_off_is_owed_by_nobody(bureau: Bureau, at: datetime) -> None:
    task = stories.cancelled(bureau, at)
    assert task.returns.get().status == "excused"
    assert "工作任务已作废：2026 年目录更新" in told(bureau.editor)
    assert not Todo.objects.filter(done_at=None).exists()


def test_next_years_task_is_a_copy_and_brings_last_years_answers(
    bureau: Bureau, others: list[Any], at: datetime
) -> None:
    first = stories.accepted(bureau, at, recipients=[bureau.editor.department, others[0]])
    others[0].valid_to = date(2026, 12, 1)
    others[0].save()
    copied = tasks.copy_task(task=first.task, actor=bureau.officer, at=at)
    assert (copied.status, copied.previous, copied.due_on) == ("draft", first.task, None)
    assert copied.questions == first.task.questions
    assert list(copied.recipients.all()) == [bureau.editor.department]
    form = [each.to_json() for each in stored(copied.questions)]
    form[0]["label"] = "现有目录条数"  # the words change, the question stays
    form[1]["kind"], form[1]["key"] = "text", "q2"
    tasks.revise_task(
        task=copied, actor=bureau.officer, at=at, due_on=date(2027, 11, 25), questions=form
    )
    tasks.issue(task=copied, actor=bureau.officer, at=at)
    row = returns.take_in(row=copied.returns.get(), actor=bureau.editor, at=at)
    assert row.prefilled_from == first
    assert row.answers["q1"] == "1204"
    assert row.answer_kind == ""  # how it answers is said anew


def test_the_last_task_of_the_kind_is_carried_over_where_none_was_copied(
    bureau: Bureau, at: datetime
) -> None:
    first = stories.accepted(bureau, at, kind="self_evaluation")
    stories.accepted(bureau, at, kind="other")
    row = stories.writing(bureau, at, kind="self_evaluation")
    assert row.prefilled_from == first
    assert row.answers == {"q1": "1204", "q2": "yes"}


CENSUS = [
    {"key": "q1", "label": "是否在用", "kind": "yes_no", "required": True, "per_line": True},
    {"key": "q2", "label": "年运行经费", "kind": "number", "per_line": True},
]


def test_a_census_goes_through_the_departments_own_systems_line_by_line(
    bureau: Bureau, at: datetime
) -> None:
    for name in ("婚姻登记系统", "殡葬管理系统"):
        InformationSystemFactory(department=bureau.editor.department, name=name)
    InformationSystemFactory(name="别的部门的系统")
    row = stories.writing(bureau, at, kind="system_census", questions=CENSUS, target_list="systems")
    assert [line["label"] for line in row.lines] == ["婚姻登记系统", "殡葬管理系统"]
    returns.save_answers(
        row=row,
        actor=bureau.editor,
        at=at,
        answer_kind="data",
        lines=[
            {"number": 1, "answers": {"q1": "是", "q2": "30 万"}},
            {"label": "还没登记的系统", "answers": {"q1": "否"}},
        ],
    )
    assert [str(each) for each in returns.problems_of(row)] == [
        "第 1 行“年运行经费”：“30 万”不是数字；只写数字，不带单位",
        "第 2 行“是否在用”：没有填写",
    ]
    returns.save_answers(
        row=row,
        actor=bureau.editor,
        at=at,
        lines=[
            {"number": 1, "answers": {"q2": "300000"}},
            {"number": 2, "answers": {"q1": "yes"}, "drop": True},  # a registered one stays
            {"number": 3, "drop": True},
        ],
    )
    assert [line["answers"] for line in row.lines] == [{"q1": "yes", "q2": "300000"}, {"q1": "yes"}]
    returns.submit(row=row, actor=bureau.editor, at=at)
    returns.sign(row=row, actor=bureau.head, at=at)
    again = stories.writing(
        bureau, at, kind="system_census", questions=CENSUS, target_list="systems"
    )
    assert [line["answers"] for line in again.lines] == [line["answers"] for line in row.lines]


def test_a_department_goes_through_its_published_datasets(bureau: Bureau, at: datetime) -> None:
    entry = PublishedDatasetFactory(department=bureau.editor.department)
    row = stories.writing(bureau, at, questions=CENSUS, target_list="datasets")
    assert [(line["key"], line["label"]) for line in row.lines] == [(entry.code, entry.name)]


def test_a_department_goes_through_its_duties_in_force(bureau: Bureau, at: datetime) -> None:
    side = Side(bureau.officer, bureau.editor, bureau.head)
    listed = consulting_list(side, at)
    wished = duties.add_duty(
        responsibility_list=listed, title="还没有目录的数据", actor=side.officer, at=at, due_on=DUE
    )
    dropped = duties.add_duty(
        responsibility_list=listed, title="不列入的", actor=side.officer, at=at, due_on=DUE
    )
    duties.drop(duty=dropped, actor=side.officer, at=at, reason="重复")
    responsibility.reply(responsibility_list=listed, actor=side.head, at=at)
    assert stories.writing(bureau, at, questions=CENSUS, target_list="duties").lines == []
    responsibility.issue(responsibility_list=listed, actor=side.officer, at=at)
    row = stories.writing(bureau, at, questions=CENSUS, target_list="duties")
    promised = listed.duties.get(origin="catalogue")
    assert promised.dataset is not None
    assert {(line["key"], line["label"]) for line in row.lines} == {
        (promised.dataset.code, promised.title),
        (f"ZR-{wished.pk:06d}", wished.title),
    }


def test_a_reform_hands_open_returns_to_the_successor_and_leaves_the_rest(
    bureau: Bureau, authority_leader: Any, at: datetime
) -> None:
    """Two departments that merge may both have answered one task: that stays as it was."""
    other = DepartmentFactory(name="市老龄办")
    UserFactory(department=other, roles=["department_editor"])
    both = [bureau.editor.department, other]
    done = stories.accepted(bureau, at, recipients=both)
    tasks.close(task=done.task, actor=bureau.officer, at=at)
    running = stories.issued(bureau, at, recipients=both)
    clash = running.returns.get(department=other)
    merged = DepartmentFactory(name="市民政和老龄事务局")
    arguments: dict[str, Any] = {
        "kind": "merged",
        "predecessors": both,
        "successors": [merged],
        "effective_on": date(2026, 11, 18),
        "basis": "渝委编〔2026〕1号",
        "actor": authority_leader,
        "at": at,
    }
    with pytest.raises(Conflict):  # it would owe the same task twice: the authority lets one off
        accounts.succeed(**arguments)
    returns.excuse(row=clash, actor=bureau.officer, at=at, reason="与市民政局合并填报")
    accounts.succeed(**arguments)
    assert [row.department for row in running.returns.order_by("pk")] == [merged, other]
    done.refresh_from_db()
    assert done.department != merged
    heir = UserFactory(department=merged, roles=["department_editor"])
    mine = running.returns.get(department=merged)
    returns.take_in(row=mine, actor=heir, at=at)
    assert mine.prefilled_from == done  # what its predecessor answered is carried over


def test_facts_that_belong_together_are_kept_together(bureau: Bureau, at: datetime) -> None:
    row = stories.submitted(bureau, at)
    wrong: list[dict[str, Any]] = [
        {"signed_by": None},
        {"signed_at": None},
        {"answer_kind": ""},
        {"status": "accepted"},
        {"status": "writing"},
    ]
    for fields in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            TaskReturn.objects.filter(pk=row.pk).update(**fields)
    for fields in ({"issued_at": None}, {"due_on": None}, {"status": "closed"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            WorkTask.objects.filter(pk=row.task_id).update(**fields)
    with pytest.raises(IntegrityError), transaction.atomic():
        TaskReturn.objects.create(
            task=row.task, department=row.department, created_at=at, updated_at=at
        )


def test_workdays_until_the_last_day_are_counted_and_holidays_named(at: datetime) -> None:
    from apps.clocks.calendar import WorkCalendar

    found = queries.span(date(2026, 9, 24), date(2026, 10, 12), WorkCalendar())
    assert (found.workdays, found.days_off, found.make_up_days) == (7, 11, 1)
    assert {"国庆节", "中秋节"} & set(map(str, found.names))
    soon = queries.remaining_until(DUE, since=at, at=at, calendar=WorkCalendar())
    late = queries.remaining_until(DUE, since=at, at=LATE, calendar=WorkCalendar())
    assert soon is not None
    assert late is not None
    assert (soon.left, soon.over, late.over, late.is_over) == (5, 0, 1, True)


def test_the_board_puts_the_late_first(bureau: Bureau, others: list[Any], at: datetime) -> None:
    task = stories.issued(bureau, at, recipients=[bureau.editor.department, *others])
    row = task.returns.get(department=bureau.editor.department)
    returns.take_in(row=row, actor=bureau.editor, at=at)
    returns.save_answers(row=row, actor=bureau.editor, at=at, answer_kind="nil", note="无")
    returns.submit(row=row, actor=bureau.editor, at=at)
    returns.sign(row=row, actor=bureau.head, at=at)
    listed = list(queries.with_lateness(task.returns.all(), LATE))
    assert [each.is_late for each in listed] == [True, True, True, False]
    assert listed[-1] == row
    assert Department.objects.count() >= 5
