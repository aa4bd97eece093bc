"""What each step of a correction needs, writes and refuses; who is told; where it goes."""

from datetime import datetime
from typing import Any

import pytest
from django.core.files.base import ContentFile

from apps.catalog.models import SourceDesignation
from apps.clocks.queries import clocks_of
from apps.core.errors import Conflict, DomainError, IllegalMove, InvalidInput, NotFound
from apps.ledger.models import Event, Notice
from apps.quality import queries
from apps.quality.models import Correction
from apps.quality.operations import corrections
from apps.warehouse import operations as warehouse_operations
from apps.warehouse.models import Batch
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.factories.standards import DataElementFactory
from tests.factories.warehouse import IDENTITIES, received
from tests.quality import correction_stories as stories
from tests.quality.correction_stories import (
    HEADER,
    LATER,
    REASON,
    RIGHT,
    WRONG,
    Doubt,
    raised,
)


class TestRaising:
    def test_it_keeps_what_was_seen_claimed_and_shown(self, doubt: Doubt, at: datetime) -> None:
        file = ContentFile(b"%PDF-1.4 scan", name="户口簿.pdf")
        correction = raised(doubt, at, evidence="户口簿第 3 页", file=file)
        assert correction.number == f"JH-2026-{correction.pk:06d}"
        assert (correction.scope, correction.item_label) == ("value", "出生日期")
        assert (correction.seen_value, correction.claimed_value) == (WRONG, RIGHT)
        assert correction.row_key == {"identity_number": IDENTITIES[0]}
        assert correction.is_key_known
        assert correction.grant_number == 7
        assert (correction.department, correction.raised_by) == (
            doubt.editor.department,
            doubt.editor,
        )
        with correction.evidence_file.open() as kept:
            assert kept.read() == b"%PDF-1.4 scan"
        assert len(correction.evidence_sha256) == 64
        assert correction.history.count() == 1
        event = Event.objects.get(verb="quality.raise_correction")
        assert WRONG not in str(event.details)
        assert RIGHT not in str(event.details)
        told = Notice.objects.filter(recipient__in=[doubt.provider, doubt.provider_head])
        assert told.count() == 2

    def test_it_names_the_record_by_its_business_key(self, doubt: Doubt, at: datetime) -> None:
        correction = raised(doubt, at, row_id=None, key={"identity_number": IDENTITIES[1]})
        assert (correction.row_id, correction.seen_value) == (2, "1990-02-03")

    def test_it_writes_the_claim_as_the_table_would(self, doubt: Doubt, at: datetime) -> None:
        assert raised(doubt, at, claimed_value="1991年1月2日").claimed_value == RIGHT
        assert raised(doubt, at, row_id=2, item="amount", claimed_value="80").claimed_value == (
            "80.00"
        )
        assert raised(doubt, at, row_id=1, item="grade", claimed_value="").claimed_value == ""
        unsure = raised(doubt, at, row_id=2, claimed_value=None, description="与档案不符")
        assert unsure.claimed_value is None

    def test_it_takes_a_record_and_a_dataset_as_well(self, doubt: Doubt, at: datetime) -> None:
        row = raised(doubt, at, item="", claimed_value=None, description="此人不存在")
        whole = raised(
            doubt, at, row_id=None, item="", claimed_value=None, description="缺少三月的登记"
        )
        assert (row.scope, row.row_id, row.item) == ("row", 1, "")
        assert (whole.scope, whole.row_id) == ("dataset", None)
        assert list(queries.open_on_dataset(doubt.dataset.pk)) == [whole]
        marks = queries.marks_between(doubt.dataset.pk, 1, 3)
        assert queries.shown_marks(marks[1], ["name", "grade"]) == ["name", "grade"]
        assert set(marks) == {1}

    @pytest.mark.parametrize(
        ("given", "code"),
        [
            ({"item": "mobile", "claimed_value": "13900000001"}, "item_masked"),
            ({"item": "age"}, "unknown_item"),
            ({"row_id": 99}, "row_not_found"),
            ({"row_id": None}, "row_required"),
            ({"claimed_value": "1991-13-02"}, "value_not_valid"),
            ({"item": "grade", "claimed_value": "丁"}, "value_not_valid"),
            ({"item": "name", "claimed_value": ""}, "value_not_valid"),
            ({"claimed_value": WRONG}, "nothing_to_correct"),
            ({"claimed_value": "1990/1/2"}, "nothing_to_correct"),
            ({"row_id": 3, "claimed_value": ""}, "nothing_to_correct"),
            ({"claimed_value": None}, "invalid_input"),
            ({"item": "", "description": " "}, "invalid_input"),
            ({"file": ContentFile(b"MZ", name="run.exe")}, "evidence_type_unknown"),
            ({"file": ContentFile(b"", name="a.pdf")}, "invalid_input"),
        ],
    )
    def test_it_refuses_with_a_reason_and_changes_nothing(
        self, doubt: Doubt, at: datetime, given: dict[str, Any], code: str
    ) -> None:
        with pytest.raises((InvalidInput, NotFound)) as caught:
            raised(doubt, at, **given)
        assert caught.value.code == code
        assert not Correction.objects.exists()
        assert not Event.objects.filter(verb="quality.raise_correction").exists()

    def test_a_department_raises_the_same_once(self, doubt: Doubt, at: datetime) -> None:
        first = raised(doubt, at)
        with pytest.raises(Conflict) as caught:
            raised(doubt, at, claimed_value="1992-01-02")
        assert (caught.value.code, caught.value.details["number"]) == (
            "already_raised",
            first.number,
        )
        other = UserFactory(department=DepartmentFactory(), roles=["department_editor"])
        doubt.readers.departments.append(other.department)
        corrections.raise_correction(
            dataset=doubt.dataset, actor=other, at=at, row_id=1, item="born_on", description="同问"
        )
        corrections.withdraw(correction=first, actor=doubt.editor, at=at, reason=REASON)
        assert raised(doubt, at).status == "raised"
        assert Correction.objects.count() == 3


class TestRouting:
    def test_it_goes_to_the_provider_where_nobody_else_is_the_source(
        self, doubt: Doubt, at: datetime
    ) -> None:
        assert raised(doubt, at).handler == doubt.provider.department

    def test_it_goes_to_who_landed_the_record(self, doubt: Doubt, at: datetime) -> None:
        other = DepartmentFactory(name="市公安局")
        clerk = UserFactory(department=other, roles=["department_editor"])
        Batch.objects.update(source=clerk)  # the pools of several feed one table
        correction = raised(doubt, at)
        assert correction.handler == other
        assert str(Batch.objects.get()) in correction.route_reason

    def test_it_goes_to_the_source_department_that_was_designated(
        self, doubt: Doubt, at: datetime
    ) -> None:
        other = DepartmentFactory(name="市公安局")
        element = DataElementFactory()
        doubt.dataset.items.create(
            name="出生日期", column_name="born_on", data_type="D", data_element=element, position=1
        )
        SourceDesignation.objects.create(
            subject="出生日期",
            data_element=element,
            department=other,
            basis="三定规定",
            decided_by=doubt.officer,
            decided_at=at,
            valid_from=at.date(),
        )
        assert raised(doubt, at).handler == other
        assert raised(doubt, at, item="grade", claimed_value="乙").handler == (
            doubt.provider.department
        )

    def test_it_is_passed_on_and_the_clock_still_counts_from_the_receipt(
        self, doubt: Doubt, at: datetime
    ) -> None:
        other = DepartmentFactory(name="市公安局")
        head = UserFactory(department=other, roles=["department_approver"])
        correction = stories.verifying(doubt, at)
        due = clocks_of(correction).get().due_at
        corrections.forward(
            correction=correction, department=other, actor=doubt.provider, at=at, reason=REASON
        )
        assert (correction.handler, correction.status) == (other, "raised")
        states = [(c.state, c.department, c.due_at) for c in clocks_of(correction)]
        assert states == [
            ("cancelled", doubt.provider.department, due),
            ("running", other, due),
        ]
        assert Notice.objects.filter(recipient=head).count() == 1

    @pytest.mark.parametrize("which", ["handler", "raiser", "abolished"])
    def test_it_is_not_passed_on_to_a_department_that_cannot(
        self, doubt: Doubt, at: datetime, which: str
    ) -> None:
        correction = raised(doubt, at)
        department = {
            "handler": doubt.provider.department,
            "raiser": doubt.editor.department,
            "abolished": DepartmentFactory(valid_to=at.date()),
        }[which]
        with pytest.raises(InvalidInput) as caught:
            corrections.forward(
                correction=correction,
                department=department,
                actor=doubt.provider,
                at=at,
                reason=REASON,
            )
        assert caught.value.code == "department_unfit"
        correction.refresh_from_db()
        assert (correction.handler, correction.revision) == (doubt.provider.department, 1)


class TestDeciding:
    def test_the_head_may_state_another_value_than_was_claimed(
        self, doubt: Doubt, at: datetime
    ) -> None:
        correction = stories.verifying(doubt, at)
        corrections.uphold(
            correction=correction,
            actor=doubt.provider_head,
            at=at,
            reason=REASON,
            value="1991.3.2",
        )
        assert (correction.outcome, correction.final_value) == ("wrong", "1991-03-02")
        assert correction.decided_by == doubt.provider_head
        [clock] = clocks_of(correction)
        assert (clock.state, clock.met) == ("stopped", True)

    def test_what_nobody_stated_must_be_stated_now(self, doubt: Doubt, at: datetime) -> None:
        correction = stories.verifying(doubt, at, claimed_value=None, description="与档案不符")
        for value, code in ((None, "value_required"), ("明天", "value_not_valid")):
            with pytest.raises(InvalidInput) as caught:
                corrections.uphold(
                    correction=correction,
                    actor=doubt.provider_head,
                    at=at,
                    reason=REASON,
                    value=value,
                )
            assert caught.value.code == code
            correction.refresh_from_db()
            assert (correction.status, correction.outcome) == ("verifying", "")

    def test_either_way_takes_a_reason(self, doubt: Doubt, at: datetime) -> None:
        correction = stories.verifying(doubt, at)
        for decide in (corrections.uphold, corrections.confirm):
            with pytest.raises(InvalidInput):
                decide(correction=correction, actor=doubt.provider_head, at=at, reason=" ")
        correction.refresh_from_db()
        assert correction.status == "verifying"


class TestCorrecting:
    def test_one_click_lands_the_record_with_the_right_value_and_nothing_else_changes(
        self, doubt: Doubt, at: datetime
    ) -> None:
        before = {name: doubt.value(name) for name in HEADER.split(",")}
        correction = stories.handed_in(doubt, at)
        assert correction.batch is not None
        batch = Batch.objects.get(pk=correction.batch.pk)
        assert (batch.mode, batch.declared, batch.changed) == ("upsert", 1, 1)
        after = {name: doubt.value(name) for name in HEADER.split(",")}
        assert after == {**before, "born_on": RIGHT}
        assert corrections.settle_due(at=at) == 1
        correction.refresh_from_db()
        assert (correction.status, correction.batch_id) == ("corrected", batch.pk)
        assert not correction.is_marked

    def test_it_is_not_corrected_before_the_table_holds_it(
        self, doubt: Doubt, at: datetime
    ) -> None:
        correction = stories.correcting(doubt, at)
        assert corrections.settle_due(at=at) == 0
        doubt.land(f"{HEADER}\n{IDENTITIES[0]},张三,1995-05-05,13800000001,1200.50,甲\n")
        assert corrections.settle_due(at=at) == 0  # landed, but another value
        corrections.hand_in(correction=correction, actor=doubt.provider, at=at)
        assert corrections.settle_due(at=at) == 0  # handed in, not landed
        correction.refresh_from_db()
        assert (correction.status, correction.is_marked) == ("correcting", True)

    def test_any_landed_batch_that_brings_the_value_corrects_it(
        self, doubt: Doubt, at: datetime
    ) -> None:
        correction = stories.correcting(doubt, at)
        batch = doubt.land(f"{HEADER}\n{IDENTITIES[0]},张三,{RIGHT},13800000001,1200.50,甲\n")
        corrections.settle_due(at=at)
        correction.refresh_from_db()
        assert (correction.status, correction.batch) == ("corrected", batch)

    def test_a_linked_batch_says_who_corrects_but_the_table_decides(
        self, doubt: Doubt, at: datetime
    ) -> None:
        correction = stories.correcting(doubt, at)
        file = f"{HEADER}\n{IDENTITIES[0]},张三,{RIGHT},13800000001,1200.50,甲\n"
        batch = received(doubt.dataset, file, actor=doubt.provider)
        corrections.link(correction=correction, batch=batch, actor=doubt.provider, at=at)
        assert corrections.settle_due(at=at) == 0
        warehouse_operations.land(batch_id=batch.pk, at=at)
        assert corrections.settle_due(at=at) == 1
        correction.refresh_from_db()
        assert correction.batch == batch

    def test_it_links_no_batch_of_another_dataset_nor_an_older_one(
        self, doubt: Doubt, at: datetime
    ) -> None:
        correction = stories.correcting(doubt, at + LATER)
        with pytest.raises(InvalidInput) as caught:
            corrections.link(
                correction=correction,
                batch=Batch.objects.order_by("pk")[0],
                actor=doubt.provider,
                at=at + LATER,
            )
        assert caught.value.code == "batch_unfit"
        correction.refresh_from_db()
        assert correction.batch is None

    def test_a_key_takes_a_batch_of_the_providers_own(self, doubt: Doubt, at: datetime) -> None:
        right = IDENTITIES[5]
        correction = stories.correcting(doubt, at, item="identity_number", claimed_value=right)
        with pytest.raises(InvalidInput) as caught:
            corrections.hand_in(correction=correction, actor=doubt.provider, at=at)
        assert caught.value.code == "not_one_value"
        doubt.land(f"{HEADER}\n{right},张三,{WRONG},13800000001,1200.50,甲\n")
        assert corrections.settle_due(at=at) == 0  # the wrong record still stands beside it
        doubt.land(f"identity_number\n{IDENTITIES[0]}\n", mode="delete")
        assert corrections.settle_due(at=at) == 1

    def test_a_record_is_corrected_by_its_next_version_or_by_its_removal(
        self, doubt: Doubt, at: datetime
    ) -> None:
        plain = {"item": "", "claimed_value": None, "description": "多项有误"}
        first = stories.correcting(doubt, at, **plain)
        second = stories.correcting(doubt, at, row_id=2, **plain)
        assert corrections.settle_due(at=at) == 0
        doubt.land(f"{HEADER}\n{IDENTITIES[0]},张三丰,{RIGHT},13800000001,1200.50,甲\n")
        doubt.land(f"identity_number\n{IDENTITIES[1]}\n", mode="delete")
        assert corrections.settle_due(at=at) == 2
        for correction in (first, second):
            correction.refresh_from_db()
            assert correction.status == "corrected"

    def test_a_dataset_is_corrected_by_the_batch_that_was_linked(
        self, doubt: Doubt, at: datetime
    ) -> None:
        correction = stories.correcting(
            doubt, at, row_id=None, item="", claimed_value=None, description="缺少一人"
        )
        batch = doubt.land(f"{HEADER}\n{IDENTITIES[4]},孙八,,,,甲\n")
        assert corrections.settle_due(at=at) == 0
        corrections.link(correction=correction, batch=batch, actor=doubt.provider, at=at)
        assert corrections.settle_due(at=at) == 1

    def test_nothing_is_handed_in_before_it_is_upheld(self, doubt: Doubt, at: datetime) -> None:
        correction = stories.verifying(doubt, at)
        with pytest.raises(IllegalMove):
            corrections.hand_in(correction=correction, actor=doubt.provider, at=at)
        assert Batch.objects.count() == 1

    def test_other_departments_that_read_it_are_told_without_the_value(
        self, doubt: Doubt, at: datetime
    ) -> None:
        clerk = UserFactory(department=DepartmentFactory(), roles=["department_editor"])
        doubt.readers.also_told.append(clerk.department)
        stories.corrected(doubt, at)
        notice = Notice.objects.get(recipient=clerk)
        assert "出生日期" in notice.title
        assert "_id 1" in notice.body
        assert RIGHT not in notice.title + notice.body
        titles = Notice.objects.filter(recipient=doubt.editor).values_list("title", flat=True)
        assert not [title for title in titles if "已更正" in title]

    def test_the_same_value_doubted_by_two_is_corrected_for_both(
        self, doubt: Doubt, at: datetime
    ) -> None:
        other = UserFactory(department=DepartmentFactory(), roles=["department_editor"])
        doubt.readers.departments.append(other.department)
        first = stories.correcting(doubt, at)
        second = corrections.raise_correction(
            dataset=doubt.dataset, actor=other, at=at, row_id=1, item="born_on", description="同问"
        )
        corrections.accept(correction=second, actor=doubt.provider, at=at)
        corrections.verify(correction=second, actor=doubt.provider, at=at)
        corrections.uphold(
            correction=second, actor=doubt.provider_head, at=at, reason=REASON, value=RIGHT
        )
        corrections.hand_in(correction=first, actor=doubt.provider, at=at)
        warehouse_operations.land_due(at=at)
        assert corrections.settle_due(at=at) == 2
        assert queries.marks_of_row(doubt.dataset.pk, 1) == frozenset()


class TestEnding:
    def test_the_result_is_fed_back_to_who_raised_it(self, doubt: Doubt, at: datetime) -> None:
        correction = stories.feedback(doubt, at)
        notice = Notice.objects.filter(recipient=doubt.editor).latest("pk")
        assert "校核结果" in notice.title
        assert REASON in notice.body
        assert correction.fed_back_at == at

    def test_silence_ends_it_after_a_week(self, doubt: Doubt, at: datetime) -> None:
        correction = stories.feedback(doubt, at)
        assert corrections.close_due(at=at) == 0
        assert corrections.close_due(at=at + LATER) == 1
        assert corrections.close_due(at=at + LATER) == 0
        correction.refresh_from_db()
        assert (correction.status, correction.is_marked) == ("closed", False)

    def test_an_objection_is_the_authoritys_and_may_be_sent_back(
        self, doubt: Doubt, at: datetime
    ) -> None:
        correction = stories.contested(doubt, at)
        assert correction.objection == REASON
        assert Notice.objects.filter(recipient=doubt.officer).count() == 1
        corrections.send_back(correction=correction, actor=doubt.officer, at=at, reason=REASON)
        assert (correction.status, correction.outcome) == ("verifying", "")
        assert [clock.state for clock in clocks_of(correction)] == ["stopped", "running"]
        assert corrections.close_due(at=at + LATER) == 0

    def test_the_history_tells_who_did_what_and_why(self, doubt: Doubt, at: datetime) -> None:
        correction = stories.corrected(doubt, at)
        corrections.settle_due(at=at)
        corrections.close(correction=correction, actor=doubt.editor, at=at)
        told = [
            (row.status, row.history_user)
            for row in correction.history.order_by("history_id").select_related("history_user")
        ]
        assert told == [
            ("raised", doubt.editor),
            ("accepted", doubt.provider),
            ("verifying", doubt.provider),
            ("correcting", doubt.provider_head),
            ("correcting", doubt.provider),
            ("corrected", None),
            ("feedback", None),
            ("closed", doubt.editor),
        ]


def test_the_feed_hears_of_marks_that_came_and_went(doubt: Doubt, at: datetime) -> None:
    first = raised(doubt, at)
    raised(doubt, at, row_id=2, item="grade", claimed_value="甲")
    corrections.withdraw(correction=first, actor=doubt.editor, at=at + LATER, reason=REASON)
    assert queries.changed_marks(doubt.dataset.pk, at) == {
        1: frozenset(),
        2: frozenset({"grade"}),
    }
    assert queries.changed_marks(doubt.dataset.pk, at + LATER) == {1: frozenset()}


class TestLookingUp:
    def test_the_provider_sees_his_own_record_with_its_marks(
        self, doubt: Doubt, at: datetime
    ) -> None:
        raised(doubt, at)
        for named in ({"row_id": 1}, {"key": {"identity_number": IDENTITIES[0]}}):
            found = corrections.look_up(dataset=doubt.dataset, actor=doubt.provider, at=at, **named)
            assert found.is_own
            marked = [cell.column.name for cell in found.cells if cell.is_marked]
            assert marked == ["born_on"]

    def test_who_may_not_and_what_is_not_there_are_refused(
        self, doubt: Doubt, outsider: Any, at: datetime
    ) -> None:
        for actor, named in (
            (outsider, {"row_id": 1}),
            (doubt.officer, {"row_id": 1}),
            (doubt.provider, {"row_id": 99}),
            (doubt.provider, {"key": {"identity_number": IDENTITIES[4]}}),
            (doubt.provider, {"key": {"name": "张三"}}),
            (doubt.provider, {"key": {"identity_number": "1"}}),
        ):
            with pytest.raises(DomainError):
                corrections.look_up(dataset=doubt.dataset, actor=actor, at=at, **named)
