"""Decompose, consult, object and answer, issue, adjust, split: what happens and what cannot."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.operations import succeed
from apps.catalog.models import Duty, ResponsibilityList
from apps.catalog.operations import compiling, duties, performing, responsibility, splitting
from apps.catalog.queries import responsibility as queries
from apps.core.errors import IllegalMove, InvalidInput, NotAllowed, NotFound
from apps.ledger.models import Event, Notice, Todo
from tests.catalog import demand_stories as demands
from tests.catalog import duty_stories as story
from tests.catalog.duty_stories import ANSWER_BY, DUE, Side
from tests.factories.accounts import DepartmentFactory, RegionFactory, UserFactory
from tests.factories.catalog import DatasetFactory, PublishedDatasetFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def side(authority: Any, provider: Any, provider_head: Any) -> Side:
    return Side(officer=authority, editor=provider, head=provider_head)


@pytest.fixture
def district(db: None) -> Any:
    return DepartmentFactory(name="渝中区民政局", region=RegionFactory(key="yuzhong"))


def compiled(side: Side, at: datetime, **more: Any) -> compiling.Compiled:
    return compiling.compile_lists(year=2026, batch="第一批", actor=side.officer, at=at, **more)


class TestCompiling:
    def test_every_published_shareable_entry_becomes_a_duty_with_its_measures(
        self, side: Side, at: datetime
    ) -> None:
        entry = PublishedDatasetFactory(
            department=side.department, internal_unit="救助处", update_cycle="monthly"
        )
        other = PublishedDatasetFactory()
        PublishedDatasetFactory(
            department=side.department,
            sharing_attribute="not_shared",
            sharing_reason="依法不予共享",
            sharing_statute="《统计法》第九条",
        )
        DatasetFactory(department=side.department)
        made = compiled(side, at, due_on=DUE)
        assert {row.department for row in made.lists} == {side.department, other.department}
        duty = Duty.objects.get(department=side.department)
        assert (duty.dataset, duty.title) == (entry, entry.name)
        assert duty.item_columns == [
            "identity_number", "name", "division_code", "registered_on", "amount",
        ]  # fmt: skip
        assert duty.item_names[0] == "公民身份号码"
        assert (duty.update_cycle, duty.due_on, duty.internal_unit) == ("monthly", DUE, "救助处")
        assert duty.expected_rows is None, "nobody has said how many there are"
        assert duty.contact_name == "测试联系人"
        assert duty.history.get().history_user == side.officer

    def test_a_second_run_adds_only_what_is_new(self, side: Side, at: datetime) -> None:
        PublishedDatasetFactory(department=side.department)
        first = compiled(side, at)
        assert (len(first.lists), first.duty_count) == (1, 1)
        assert compiled(side, at).duty_count == 0
        PublishedDatasetFactory(department=side.department)
        again = compiled(side, at)
        assert (len(again.lists), again.duty_count) == (1, 1)
        assert ResponsibilityList.objects.count() == 1

    def test_a_list_that_is_asked_about_is_left_alone(self, side: Side, at: datetime) -> None:
        found = story.consulting_list(side, at)
        PublishedDatasetFactory(department=side.department)
        again = compiled(side, at)
        assert (again.duty_count, again.passed_by) == (0, [found])
        second = compiling.compile_lists(year=2026, batch="第二批", actor=side.officer, at=at)
        assert second.duty_count == 1

    def test_what_was_expected_last_time_is_expected_again(self, side: Side, at: datetime) -> None:
        found = story.issued_list(side, at)
        Duty.objects.update(expected_rows=1_204)
        responsibility.close(
            responsibility_list=found, actor=side.officer, at=at, reason="重新编制"
        )
        compiling.compile_lists(year=2027, batch="第一批", actor=side.officer, at=at)
        assert Duty.objects.get(responsibility_list__year=2027).expected_rows == 1_204

    def test_it_costs_the_same_however_many_entries_there_are(
        self, side: Side, at: datetime
    ) -> None:
        def cost(year: int) -> int:
            with CaptureQueriesContext(connection) as seen:
                compiling.compile_lists(year=year, batch="批", actor=side.officer, at=at)
            return len(seen)

        PublishedDatasetFactory(department=side.department)
        cost(2025)
        PublishedDatasetFactory(department=side.department)
        one = cost(2026)
        for _number in range(5):
            PublishedDatasetFactory()
        assert cost(2027) == one

    def test_it_asks_for_a_batch_and_a_year(self, side: Side, at: datetime) -> None:
        for year, batch in ((26, "第一批"), (2026, "  ")):
            with pytest.raises(InvalidInput):
                compiling.compile_lists(year=year, batch=batch, actor=side.officer, at=at)

    def test_an_agreed_demand_without_an_entry_is_promised_once(
        self, side: Side, at: datetime, parties: demands.Parties
    ) -> None:
        demand = demands.agreed(parties, at)
        made = compiled(side, at, due_on=DUE)
        duty = Duty.objects.get(demand=demand)
        assert (duty.department, duty.origin, duty.dataset) == (side.department, "demand", None)
        assert duty.item_names == demand.item_names
        assert duty.due_on == demand.promised_on
        assert made.duty_count == 1
        assert compiled(side, at).duty_count == 0


class TestConsulting:
    def test_all_departments_are_asked_at_once_with_a_day(self, side: Side, at: datetime) -> None:
        PublishedDatasetFactory(department=side.department)
        PublishedDatasetFactory()
        lists = compiled(side, at, due_on=DUE).lists
        empty = ResponsibilityList.objects.create(
            code="x",
            department=side.department,
            year=2026,
            batch="空",
            created_at=at,
            updated_at=at,
        )
        outcome = responsibility.consult_all(
            lists=[*lists, empty], consult_due_on=ANSWER_BY, actor=side.officer, at=at
        )
        assert len(outcome.moved) == 2
        assert [row for row, _why in outcome.refused] == [empty]
        todos = Todo.objects.filter(done_at=None)
        assert {todo.due_on for todo in todos} == {ANSWER_BY}
        assert todos.filter(department=side.department).count() == 2

    def test_the_day_must_lie_ahead(self, side: Side, at: datetime) -> None:
        found = story.compiling_list(side, at)
        with pytest.raises(InvalidInput):
            responsibility.consult(
                responsibility_list=found,
                consult_due_on=date(2026, 11, 18),
                actor=side.officer,
                at=at,
            )

    def test_what_is_not_objected_to_is_agreed_when_the_head_answers(
        self, side: Side, at: datetime
    ) -> None:
        found = story.consulting_list(side, at, entries=3)
        first, second, third = found.duties.order_by("pk")
        duties.accept(duty=first, actor=side.editor, at=at)
        duties.raise_objection(duty=second, actor=side.editor, at=at, reason="区县掌握")
        responsibility.reply(responsibility_list=found, actor=side.head, at=at, opinion="见异议")
        statuses = found.duties.order_by("pk").values_list("status", flat=True)
        assert list(statuses) == ["accepted", "objected", "accepted"]
        assert found.opinion == "见异议"
        open_kinds = Todo.objects.filter(done_at=None).values_list("kind", flat=True)
        assert list(open_kinds) == ["catalog.issue"]
        with pytest.raises(InvalidInput) as refusal:
            responsibility.issue(responsibility_list=found, actor=side.officer, at=at)
        assert refusal.value.code == "objections_open"
        second.refresh_from_db()
        duties.settle(duty=second, actor=side.officer, at=at, reason="汇总后归集")
        responsibility.issue(responsibility_list=found, actor=side.officer, at=at)
        assert set(found.duties.values_list("status", flat=True)) == {"in_force"}
        assert third.pk

    def test_many_are_agreed_to_at_once_but_only_own_ones(
        self, side: Side, at: datetime, outsider: Any
    ) -> None:
        found = story.consulting_list(side, at, entries=3)
        foreign = PublishedDatasetFactory(department=outsider.department)
        theirs = compiling.compile_lists(year=2026, batch="二", actor=side.officer, at=at).lists[0]
        responsibility.consult(
            responsibility_list=theirs, consult_due_on=ANSWER_BY, actor=side.officer, at=at
        )
        mixed = [*found.duties.all(), Duty.objects.get(dataset=foreign)]
        with pytest.raises(NotAllowed):
            duties.accept_duties(duties=mixed, actor=side.editor, at=at)
        assert not Duty.objects.filter(status="accepted").exists()
        moved = duties.accept_duties(duties=list(found.duties.all()), actor=side.editor, at=at)
        assert len(moved) == 3

    def test_silence_is_consent_after_the_day(self, side: Side, at: datetime) -> None:
        found = story.consulting_list(side, at)
        with pytest.raises(InvalidInput) as refusal:
            responsibility.issue(responsibility_list=found, actor=side.officer, at=at)
        assert refusal.value.code == "reply_awaited"
        later = at + timedelta(days=11)
        responsibility.issue(responsibility_list=found, actor=side.officer, at=later)
        assert found.status == "issued"

    def test_what_is_corrected_is_put_to_the_department_again(
        self, side: Side, at: datetime
    ) -> None:
        duty = story.accepted(side, at)
        found = duty.responsibility_list
        changed = duties.revise_duties(
            responsibility_list=found,
            changes={duty.pk: {"expected_rows": 500, "update_cycle": duty.update_cycle}},
            actor=side.officer,
            at=at,
        )
        assert changed == [duty]
        duty.refresh_from_db()
        assert (duty.status, duty.expected_rows) == ("proposed", 500)
        same = duties.revise_duties(
            responsibility_list=found,
            changes={duty.pk: {"expected_rows": 500}},
            actor=side.officer,
            at=at,
        )
        assert same == []


class TestCorrecting:
    def test_a_wrong_value_changes_nothing(self, side: Side, at: datetime) -> None:
        found = story.compiling_list(side, at)
        duty = found.duties.get()
        wrong: list[dict[str, Any]] = [
            {"update_cycle": "hourly"},
            {"expected_rows": -1},
            {"title": ""},
            {"item_names": ["一"]},
            {"status": "done"},
            {"dataset": None},
        ]
        for values in wrong:
            with pytest.raises(InvalidInput):
                duties.revise_duties(
                    responsibility_list=found,
                    changes={duty.pk: values},
                    actor=side.officer,
                    at=at,
                )
        assert Duty.objects.values().get() == Duty.objects.filter(pk=duty.pk).values().get()
        assert duty.history.count() == 1

    def test_a_duty_of_another_list_is_not_found(self, side: Side, at: datetime) -> None:
        found = story.compiling_list(side, at)
        with pytest.raises(NotFound):
            duties.revise_duties(
                responsibility_list=found, changes={0: {}}, actor=side.officer, at=at
            )

    def test_an_issued_list_is_not_corrected(self, side: Side, at: datetime) -> None:
        found = story.issued_list(side, at)
        with pytest.raises(IllegalMove):
            duties.add_duty(responsibility_list=found, title="新", actor=side.officer, at=at)

    def test_a_dataset_that_does_not_exist_yet_is_promised_by_hand(
        self, side: Side, at: datetime
    ) -> None:
        found = story.compiling_list(side, at)
        made = duties.add_duty(
            responsibility_list=found,
            title="流浪乞讨人员救助信息",
            item_names=["姓名"],
            item_columns=[""],
            due_on=DUE,
            actor=side.officer,
            at=at,
        )
        assert (made.dataset, made.origin, made.status) == (None, "typed", "proposed")


class TestIssuing:
    def test_the_department_is_told_and_held_to_it(self, side: Side, at: datetime) -> None:
        found = story.issued_list(side, at)
        assert (found.issued_at, found.issued_by) == (at, side.officer)
        todo = Todo.objects.get(done_at=None)
        assert (todo.kind, todo.due_on) == ("catalog.perform", DUE)
        assert Notice.objects.filter(recipient=side.head, title__contains="已印发").exists()
        assert list(queries.duties_in_force()) == list(found.duties.all())

    def test_a_promise_made_before_there_was_an_entry_names_it_later(
        self, side: Side, at: datetime, outsider: Any
    ) -> None:
        found = story.consulting_list(side, at)
        made = duties.add_duty(
            responsibility_list=found, title="新数据", due_on=DUE, actor=side.officer, at=at
        )
        own = PublishedDatasetFactory(department=side.department)
        with pytest.raises(IllegalMove):
            performing.name_dataset(duty=made, dataset=own, actor=side.editor, at=at)
        Duty.objects.filter(pk=made.pk).update(status="in_force")
        wrong: list[Any] = [
            found.duties.exclude(dataset=None).get().dataset,
            PublishedDatasetFactory(),
        ]
        for dataset in wrong:
            with pytest.raises(InvalidInput):
                performing.name_dataset(duty=made, dataset=dataset, actor=side.editor, at=at)
        performing.name_dataset(duty=made, dataset=own, actor=side.editor, at=at)
        assert (made.dataset, made.history.count()) == (own, 2)
        with pytest.raises(InvalidInput):
            performing.name_dataset(duty=made, dataset=own, actor=side.editor, at=at)

    def test_no_duty_goes_out_without_a_day(self, side: Side, at: datetime) -> None:
        found = story.consulting_list(side, at)
        found.duties.update(due_on=None)
        responsibility.reply(responsibility_list=found, actor=side.head, at=at)
        with pytest.raises(InvalidInput) as refusal:
            responsibility.issue(responsibility_list=found, actor=side.officer, at=at)
        assert refusal.value.code == "due_date_missing"
        outcome = responsibility.issue_all(lists=[found], actor=side.officer, at=at)
        assert len(outcome.refused) == 1
        found.refresh_from_db()
        assert found.status == "consulting"
        with pytest.raises(IntegrityError, match="in_force_has_due_date"), transaction.atomic():
            Duty.objects.update(status="in_force")

    def test_overdue_is_computed_from_the_day(self, side: Side, at: datetime) -> None:
        duty = story.in_force(side, at)
        assert not duty.is_overdue(DUE)
        assert duty.is_overdue(DUE + timedelta(days=1))
        performing.perform(duty=duty, actor=side.editor, at=at, evidence="已入库")
        assert not duty.is_overdue(DUE + timedelta(days=1))

    def test_a_report_goes_to_the_authority_and_may_come_back(
        self, side: Side, at: datetime
    ) -> None:
        duty = story.performed(side, at)
        assert (duty.evidence, duty.performed_rows) == ("已全量入库", 100)
        todos = Todo.objects.filter(done_at=None, object_id=duty.pk)
        assert [todo.kind for todo in todos] == ["catalog.verify_duty"]
        performing.return_performance(duty=duty, actor=side.officer, at=at, reason="缺 2025 年")
        assert [todo.kind for todo in todos.all()] == ["catalog.perform_duty"]

    def test_the_list_is_owed_until_every_duty_is_reported(self, side: Side, at: datetime) -> None:
        found = story.issued_list(side, at, entries=2)
        owed = Todo.objects.filter(done_at=None, kind="catalog.perform")
        first, second = found.duties.all()
        performing.perform(duty=first, actor=side.editor, at=at, evidence="已入库")
        assert owed.exists()
        performing.perform(duty=second, actor=side.editor, at=at, evidence="已入库")
        assert not owed.exists()

    def test_an_ended_list_owes_nothing_and_takes_no_more_reports(
        self, side: Side, at: datetime
    ) -> None:
        duty = story.in_force(side, at)
        splitting.split_duty(
            duty=duty, parts=[splitting.Part(side.department, "救助处")], actor=side.editor, at=at
        )
        responsibility.close(
            responsibility_list=duty.responsibility_list, actor=side.officer, at=at, reason="划转"
        )
        assert not Todo.objects.filter(done_at=None).exists()
        duty = Duty.objects.get(pk=duty.pk)
        with pytest.raises(IllegalMove):
            performing.perform(duty=duty, actor=side.editor, at=at, evidence="已入库")
        with pytest.raises(IllegalMove):
            splitting.split_duty(
                duty=duty,
                parts=[splitting.Part(side.department, "社救处")],
                actor=side.editor,
                at=at,
            )


class TestYearlyAdjustment:
    def test_next_year_begins_with_this_years_duties(self, side: Side, at: datetime) -> None:
        found = story.issued_list(side, at, entries=3)
        first, second, third = found.duties.order_by("pk")
        performing.perform(duty=first, actor=side.editor, at=at, evidence="已入库")
        performing.release(duty=second, actor=side.officer, at=at, reason="业务取消")
        following = compiling.adjust(responsibility_list=found, actor=side.officer, at=at)
        assert (following.year, following.previous, following.status) == (2027, found, "compiling")
        carried = list(following.duties.order_by("pk"))
        assert [duty.previous for duty in carried] == [first, third]
        assert {duty.due_on for duty in carried} == {date(2027, 12, 31)}
        assert {duty.origin for duty in carried} == {"carried"}
        difference = queries.difference_of(following)
        assert difference is not None
        assert difference.removed == [second]
        assert (difference.changed, difference.unchanged) == ([], 2), "a year on is no change"

    def test_only_what_was_corrected_counts_as_changed(self, side: Side, at: datetime) -> None:
        found = story.issued_list(side, at, entries=3)
        following = compiling.adjust(responsibility_list=found, actor=side.officer, at=at)
        first, second, _third = following.duties.order_by("pk")
        duties.revise_duties(
            responsibility_list=following,
            changes={
                first.pk: {"due_on": date(2027, 6, 30)},
                second.pk: {"expected_rows": 1204, "contact_name": "王工"},
            },
            actor=side.officer,
            at=at,
        )
        difference = queries.difference_of(following)
        assert difference is not None
        changed = {
            duty: {(change.old, change.new) for change in changes}
            for duty, changes in difference.changed
        }
        assert changed == {
            first: {("2026-12-31", "2027-06-30")},
            second: {("", "1204"), ("测试联系人", "王工")},
        }
        assert difference.unchanged == 1

    def test_the_old_list_ends_when_the_new_one_is_issued(self, side: Side, at: datetime) -> None:
        found = story.issued_list(side, at)
        following = compiling.adjust(responsibility_list=found, actor=side.officer, at=at)
        assert queries.duties_in_force().count() == 1
        responsibility.consult(
            responsibility_list=following, consult_due_on=ANSWER_BY, actor=side.officer, at=at
        )
        responsibility.reply(responsibility_list=following, actor=side.head, at=at)
        responsibility.issue(responsibility_list=following, actor=side.officer, at=at)
        found.refresh_from_db()
        assert found.status == "closed"
        assert [duty.responsibility_list for duty in queries.duties_in_force()] == [following]

    @given(day=st.dates(date(2000, 1, 1), date(2099, 12, 31)))
    def test_a_year_on_is_the_same_day_or_the_last_of_february(self, day: date) -> None:
        later = queries.a_year_on(day)
        assert later.year == day.year + 1
        assert (later.month, later.day) in {(day.month, day.day), (2, 28)}


class TestSplitting:
    def split(self, duty: Duty, who: Any, at: datetime, *parts: splitting.Part) -> list[Duty]:
        return splitting.split_duty(duty=duty, parts=parts, actor=who, at=at)

    @pytest.fixture
    def duty(self, side: Side, at: datetime) -> Duty:
        duty = story.in_force(side, at)
        Duty.objects.update(expected_rows=100)
        duty.refresh_from_db()
        return duty

    def test_sums_are_checked_and_the_parent_sees_its_parts(
        self, side: Side, at: datetime, duty: Duty, district: Any
    ) -> None:
        self.split(
            duty,
            side.editor,
            at,
            splitting.Part(side.department, internal_unit="救助处", expected_rows=30),
            splitting.Part(district, expected_rows=50),
        )
        breakdown = queries.breakdown_of(duty)
        assert (breakdown.assigned, breakdown.gap, breakdown.excess) == (80, 20, 0)
        with pytest.raises(InvalidInput) as refusal:
            self.split(duty, side.editor, at, splitting.Part(district, expected_rows=21))
        assert refusal.value.code == "parts_exceed"
        assert duty.parts.count() == 2
        clerk = UserFactory(department=district, roles=["department_editor"])
        theirs = duty.parts.get(department=district)
        performing.perform(duty=theirs, actor=clerk, at=at, evidence="已报", performed_rows=45)
        breakdown = queries.breakdown_of(duty)
        assert (breakdown.performed, breakdown.finished) == (45, 1)
        assert Todo.objects.filter(department=district, kind="catalog.perform_duty").exists()

    def test_parts_go_to_own_units_and_districts_only(
        self, side: Side, at: datetime, duty: Duty, consumer_department: Any, district: Any
    ) -> None:
        wrong = [
            splitting.Part(side.department),
            splitting.Part(consumer_department),
            splitting.Part(district, due_on=DUE + timedelta(days=1)),
            splitting.Part(district, dataset=duty.dataset),
        ]
        for part in wrong:
            with pytest.raises(InvalidInput):
                self.split(duty, side.editor, at, part)
        with pytest.raises(InvalidInput):
            self.split(duty, side.editor, at)
        assert not duty.parts.exists()

    def test_a_district_shares_out_among_its_own_units_only(
        self, side: Side, at: datetime, duty: Duty, consumer_department: Any, district: Any
    ) -> None:
        (part,) = self.split(duty, side.editor, at, splitting.Part(district))
        clerk = UserFactory(department=district, roles=["department_editor"])
        elsewhere = DepartmentFactory(name="万州区民政局", region=RegionFactory(key="wanzhou"))
        events = Event.objects.count()
        for other in (consumer_department, side.department, elsewhere):
            with pytest.raises(InvalidInput) as refusal:
                self.split(part, clerk, at, splitting.Part(other))
            assert refusal.value.details["field"] == "department"
        assert (part.parts.exists(), Event.objects.count()) == (False, events)
        (unit,) = self.split(part, clerk, at, splitting.Part(district, "社救科"))
        assert unit.department == district

    def test_only_what_is_in_force_is_split(self, side: Side, at: datetime) -> None:
        duty = story.proposed(side, at)
        with pytest.raises(IllegalMove):
            self.split(duty, side.editor, at, splitting.Part(side.department, "救助处"))

    def test_a_part_is_taken_back_by_who_gave_it_and_goes_with_the_whole(
        self, side: Side, at: datetime, duty: Duty, district: Any
    ) -> None:
        first, second = self.split(
            duty, side.editor, at, splitting.Part(district), splitting.Part(district)
        )
        performing.release(duty=first, actor=side.head, at=at, reason="分错了")
        assert queries.breakdown_of(duty).parts == [second]
        performing.release(duty=duty, actor=side.officer, at=at, reason="免除")
        second.refresh_from_db()
        assert second.status == "released"

    def test_the_parts_of_parts_go_with_the_whole_and_owe_nothing(
        self, side: Side, at: datetime, duty: Duty, district: Any
    ) -> None:
        clerk = UserFactory(department=district, roles=["department_editor"])
        (part,) = self.split(duty, side.editor, at, splitting.Part(district))
        (below,) = self.split(part, clerk, at, splitting.Part(district, internal_unit="社救科"))
        performing.release(duty=duty, actor=side.officer, at=at, reason="免除")
        assert set(Duty.objects.values_list("status", flat=True)) == {"released"}
        assert not Todo.objects.filter(
            done_at=None, object_id__in=[duty.pk, part.pk, below.pk], kind__endswith="_duty"
        ).exists()
        told = Notice.objects.filter(title__startswith="责任事项已免除", recipient=clerk)
        assert told.count() == 2

    def test_a_part_counts_for_itself_only_with_a_dataset_of_its_own(
        self, side: Side, at: datetime, duty: Duty, district: Any
    ) -> None:
        entry = PublishedDatasetFactory(department=district)
        own, _inside = self.split(
            duty,
            side.editor,
            at,
            splitting.Part(district, dataset=entry),
            splitting.Part(district),
        )
        assert set(queries.duties_in_force()) == {duty, own}


def test_one_entry_stands_once_in_a_list(side: Side, at: datetime) -> None:
    duty = story.compiling_list(side, at).duties.get()
    duty.pk = None
    with pytest.raises(IntegrityError, match="catalog_duty_dataset_once"), transaction.atomic():
        duty.save(force_insert=True)


def test_a_reform_moves_open_duties_to_the_successor(side: Side, at: datetime) -> None:
    found = story.issued_list(side, at)
    successor = DepartmentFactory(name="市民政和救助局")
    succeed(
        kind="merged",
        predecessors=[side.department],
        successors=[successor],
        effective_on=date(2026, 11, 18),
        basis="渝府发〔2026〕1号",
        actor=side.officer,
        at=at,
    )
    found.refresh_from_db()
    assert found.department == successor
    assert found.code.endswith(side.department.code), "the list keeps the code it was issued under"
    assert {duty.department for duty in queries.duties_in_force()} == {successor}
    assert Event.objects.filter(verb="catalog.issue").exists()
