"""Entering, revising, assessing, reviewing and withdrawing entries."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile

from apps.accounts.queries import platform_user
from apps.catalog import operations as catalog
from apps.catalog import queries
from apps.catalog.models import Dataset, DatasetVersion
from apps.clocks import queries as clocks
from apps.core.errors import Conflict, DomainError, IllegalMove, InvalidInput, StaleRevision
from apps.ledger.models import Event, Notice, Todo
from tests.catalog.stories import STORIES, People, draft
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.factories.catalog import ClassificationFactory, DatasetFactory, PublishedDatasetFactory

ITEM = {"name": "公民身份号码", "column_name": "identity_number", "data_type": "C", "length": 18}


def enter(people: People, at: datetime, **more: Any) -> Dataset:
    fields = {"name": "临时救助信息", "classification": ClassificationFactory(), **more}
    return catalog.create_dataset(actor=people.editor, at=at, **fields)


class TestEntering:
    def test_it_draws_codes_in_order_per_classification(self, people: People, at: datetime) -> None:
        other = ClassificationFactory(code="307002", name="另一类")
        codes = [enter(people, at, name=f"{ordinal}类救助信息").code for ordinal in ("甲", "乙")]
        assert codes == ["307001/000001", "307001/000002"]
        assert enter(people, at, name="丙类救助信息", classification=other).code == "307002/000001"

    def test_a_code_is_never_given_twice(self, people: People, at: datetime) -> None:
        DatasetFactory(code="307001/000041")
        assert enter(people, at).code == "307001/000042"

    def test_a_draft_needs_a_name_and_a_classification_only(
        self, people: People, at: datetime
    ) -> None:
        dataset = enter(people, at)
        assert (dataset.status, dataset.abstract, dataset.items.count()) == ("draft", "", 0)
        assert dataset.department == people.editor.department
        assert Event.objects.filter(verb="catalog.create_dataset").get().actor == people.editor

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"name": ""}, "name"),
            ({"name": "很" * 51}, "name"),
            ({"abstract": "长" * 257}, "abstract"),
            ({"update_cycle": "hourly"}, "update_cycle"),
            ({"dirty_limit_ratio": 1.5}, "dirty_limit_ratio"),
            ({"statuss": "published"}, "statuss"),
            ({"status": "published"}, "status"),
            ({"code": "307001/9"}, "code"),
        ],
    )
    def test_it_names_the_field_that_is_wrong_and_enters_nothing(
        self, people: People, at: datetime, wrong: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(InvalidInput) as refusal:
            enter(people, at, **wrong)
        assert refusal.value.details["field"] == field
        assert not Dataset.objects.exists()

    def test_a_classification_above_the_third_level_numbers_nothing(
        self, people: People, at: datetime
    ) -> None:
        with pytest.raises(InvalidInput) as refusal:
            enter(people, at, classification=ClassificationFactory(code="307", level=2))
        assert refusal.value.details["field"] == "classification"

    @pytest.mark.parametrize("name", ["临时救助 信息", "临时救助（信息）", "临时救助信息。"])
    def test_a_name_that_differs_by_spaces_and_punctuation_only_is_taken(
        self, people: People, at: datetime, name: str
    ) -> None:
        enter(people, at)
        with pytest.raises(Conflict) as refusal:
            enter(people, at, name=name)
        assert "同名目录" in str(refusal.value)
        assert Dataset.objects.count() == 1

    def test_another_department_may_use_the_name(self, people: People, at: datetime) -> None:
        DatasetFactory(name="临时救助信息")
        assert enter(people, at).pk

    def test_an_item_that_is_wrong_undoes_everything(self, people: People, at: datetime) -> None:
        for wrong in ({"column_name": "Identity"}, {"length": -1}, {"data_type": "Z"}):
            with pytest.raises(InvalidInput) as refusal:
                enter(people, at, items=[{**ITEM, **wrong}])
            assert "公民身份号码" in str(refusal.value)
        assert not Dataset.objects.exists()


class TestRevising:
    def test_what_is_absent_is_left_alone(self, people: People, at: datetime) -> None:
        dataset = draft(people, at)
        columns = list(dataset.items.values_list("column_name", flat=True))
        catalog.revise_dataset(dataset=dataset, actor=people.editor, at=at, contact_name="周工")
        assert dataset.contact_name == "周工"
        assert dataset.abstract == "领取救助的困难群众的基本信息"
        assert list(dataset.items.values_list("column_name", flat=True)) == columns

    def test_it_adds_changes_moves_and_takes_out_items(self, people: People, at: datetime) -> None:
        dataset = draft(people, at)
        kept = dataset.items.get(column_name="name")
        catalog.revise_dataset(
            dataset=dataset,
            actor=people.editor,
            at=at,
            items=[
                {"name": "备注", "column_name": "note", "data_type": "M"},
                {"pk": kept.pk, "column_name": "person_name", "name": "姓名"},
                {"column_name": "identity_number", "length": 18},
            ],
        )
        found = list(dataset.items.order_by("position").values_list("column_name", flat=True))
        assert found == ["note", "person_name", "identity_number"]
        assert dataset.items.get(pk=kept.pk).mask == "cover_name"
        gone = dataset.items.model.history.filter(history_type="-")
        assert set(gone.values_list("column_name", flat=True)) == {
            "division_code",
            "registered_on",
            "amount",
        }
        assert {row.history_user for row in gone} == {people.editor}

    def test_two_rows_are_never_taken_for_one_item(self, people: People, at: datetime) -> None:
        dataset = enter(people, at, items=[ITEM])
        item = dataset.items.get()
        with pytest.raises(Conflict):
            catalog.revise_dataset(
                dataset=dataset,
                actor=people.editor,
                at=at,
                items=[{"pk": item.pk}, {"name": "证件号", "column_name": "identity_number"}],
            )
        assert dataset.items.get().name == "公民身份号码"

    def test_a_new_item_may_take_the_column_that_another_gave_up(
        self, people: People, at: datetime
    ) -> None:
        dataset = enter(people, at, items=[ITEM])
        item = dataset.items.get()
        rows = [
            {"pk": item.pk, "column_name": "old_number"},
            {**ITEM, "name": "新证件号码"},
        ]
        catalog.revise_dataset(dataset=dataset, actor=people.editor, at=at, items=rows)
        assert dict(dataset.items.values_list("column_name", "name")) == {
            "old_number": "公民身份号码",
            "identity_number": "新证件号码",
        }

    def test_items_exchange_their_names_or_columns(self, people: People, at: datetime) -> None:
        dataset = draft(people, at)
        first, second, *others = dataset.items.order_by("position")
        rows: list[dict[str, Any]] = [
            {"pk": first.pk, "name": second.name, "column_name": second.column_name},
            {"pk": second.pk, "name": first.name, "column_name": first.column_name},
            *({"pk": item.pk} for item in others),
        ]
        catalog.revise_dataset(dataset=dataset, actor=people.editor, at=at, items=rows)
        now = [(item.pk, item.name, item.column_name) for item in dataset.items.all()[:2]]
        assert now == [
            (first.pk, second.name, second.column_name),
            (second.pk, first.name, first.column_name),
        ]
        assert not first.history.filter(name__startswith="moving_").exists()

    def test_a_name_that_its_item_keeps_is_not_given_away(
        self, people: People, at: datetime
    ) -> None:
        dataset = draft(people, at)
        first, second, *others = dataset.items.order_by("position")
        rows: list[dict[str, Any]] = [{"pk": first.pk, "name": second.name}]
        rows += [{"pk": item.pk} for item in (second, *others)]
        with pytest.raises(Conflict):
            catalog.revise_dataset(dataset=dataset, actor=people.editor, at=at, items=rows)
        assert dataset.items.get(pk=first.pk).name == first.name

    def test_a_save_without_a_change_leaves_no_trace(self, people: People, at: datetime) -> None:
        dataset = draft(people, at)
        before = (dataset.revision, dataset.history.count(), Event.objects.count())
        items = [{"pk": item.pk} for item in dataset.items.order_by("position")]
        catalog.revise_dataset(
            dataset=dataset,
            actor=people.editor,
            at=at,
            items=items,
            related=[],
            name=f" {dataset.name} ",
        )
        dataset.refresh_from_db()
        assert (dataset.revision, dataset.history.count(), Event.objects.count()) == before

    def test_it_refuses_what_was_written_on_an_old_page(self, people: People, at: datetime) -> None:
        dataset = draft(people, at)
        seen = dataset.revision
        catalog.revise_dataset(
            dataset=dataset, actor=people.editor, at=at, revision=seen, note="先"
        )
        with pytest.raises(StaleRevision):
            catalog.revise_dataset(
                dataset=dataset, actor=people.editor, at=at, revision=seen, note="后"
            )
        dataset.refresh_from_db()
        assert dataset.note == "先"

    @pytest.mark.parametrize("status", sorted(set(STORIES) - {"draft", "returned"}))
    def test_nothing_is_changed_under_review_or_in_force(
        self, people: People, at: datetime, status: str
    ) -> None:
        dataset = STORIES[status](people, at)
        with pytest.raises(IllegalMove):
            catalog.revise_dataset(dataset=dataset, actor=people.editor, at=at, note="改")
        with pytest.raises(IllegalMove):
            catalog.record_assessment(
                dataset=dataset,
                actor=people.editor,
                at=at,
                kind="secrecy",
                conclusion="passed",
                assessed_on=date(2026, 11, 1),
                assessor="保密办",
            )
        dataset.refresh_from_db()
        assert dataset.note == ""


class TestAssessing:
    WHAT: dict[str, Any] = {
        "kind": "secrecy",
        "conclusion": "passed",
        "assessed_on": date(2026, 11, 17),
        "assessor": " 局保密办 ",
    }

    def test_it_keeps_conclusion_assessor_file_and_who_recorded_it(
        self, people: People, at: datetime
    ) -> None:
        dataset = DatasetFactory(department=people.editor.department)
        recorded = catalog.record_assessment(
            dataset=dataset,
            actor=people.editor,
            at=at,
            file=ContentFile(b"%PDF-1.7", name="保密审查.pdf"),
            **self.WHAT,
        )
        recorded.refresh_from_db()
        assert (recorded.assessor, recorded.recorded_by, recorded.recorded_at) == (
            "局保密办",
            people.editor,
            at,
        )
        with recorded.file as file:
            assert file.read() == b"%PDF-1.7"

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"kind": "fire_safety"}, "conclusion"),
            ({"conclusion": ""}, "conclusion"),
            ({"assessed_on": date(2026, 11, 19)}, "assessed_on"),
            ({"assessor": "  "}, "assessor"),
        ],
    )
    def test_it_refuses_what_is_no_conclusion(
        self, people: People, at: datetime, wrong: dict[str, Any], field: str
    ) -> None:
        dataset = DatasetFactory(department=people.editor.department)
        with pytest.raises(InvalidInput) as refusal:
            catalog.record_assessment(
                dataset=dataset, actor=people.editor, at=at, **{**self.WHAT, **wrong}
            )
        assert refusal.value.details["field"] == field
        assert not dataset.assessments.exists()

    def test_the_latest_conclusion_counts(self, people: People, at: datetime) -> None:
        dataset = draft(people, at)
        catalog.record_assessment(
            dataset=dataset,
            actor=people.editor,
            at=at,
            **{**self.WHAT, "conclusion": "failed"},
        )
        with pytest.raises(InvalidInput) as refusal:
            catalog.submit(dataset=dataset, actor=people.editor, at=at)
        assert refusal.value.code == "dataset_incomplete"
        dataset.refresh_from_db()
        assert dataset.status == "draft"


class TestReviewing:
    def test_an_incomplete_entry_is_refused_with_everything_that_lacks(
        self, people: People, at: datetime
    ) -> None:
        dataset = enter(people, at)
        with pytest.raises(InvalidInput) as refusal:
            catalog.submit(dataset=dataset, actor=people.editor, at=at)
        listed = "\n".join(refusal.value.details["errors"])
        for words in ("摘要", "国家秘密", "数据项", "保密风险评估"):
            assert words in listed
        assert not Todo.objects.exists()

    def test_each_step_finds_who_is_owed_next(self, people: People, at: datetime) -> None:
        dataset = STORIES["awaiting_head"](people, at)
        assert todo(dataset) == ("catalog.approve", people.head.department, None)
        catalog.approve(dataset=dataset, actor=people.head, at=at)
        # 2 working days after Wednesday 18 November 2026
        assert todo(dataset) == ("catalog.review", people.officer.department, date(2026, 11, 20))
        catalog.send_back(dataset=dataset, actor=people.officer, at=at, reason="写明范围")
        assert todo(dataset) == ("catalog.revise", people.editor.department, date(2026, 11, 25))
        catalog.submit(dataset=dataset, actor=people.editor, at=at)
        assert todo(dataset) == ("catalog.approve", people.head.department, None)

    def test_publishing_freezes_contract_and_fields(self, people: People, at: datetime) -> None:
        dataset = STORIES["published"](people, at)
        version = DatasetVersion.objects.get(dataset=dataset)
        assert (version.number, version.published_by, version.published_at) == (
            1,
            people.officer,
            at,
        )
        assert version.snapshot["name"] == dataset.name
        assert [item["column_name"] for item in version.snapshot["items"]] == [
            "identity_number",
            "name",
            "division_code",
            "registered_on",
            "amount",
        ]
        contract = queries.contract_of(dataset)
        assert contract.key == ("identity_number",)
        assert dataset.release_on == date(2026, 11, 18)
        assert clocks.running(dataset).count() == 0
        assert not Todo.objects.filter(done_at=None).exists()
        assert Notice.objects.filter(title__startswith="目录已发布").count() == 2

    def test_what_was_spoiled_meanwhile_is_not_published(
        self, people: People, at: datetime
    ) -> None:
        dataset = STORIES["submitted"](people, at)
        dataset.assessments.all().delete()
        with pytest.raises(InvalidInput):
            catalog.publish(dataset=dataset, actor=people.officer, at=at)
        dataset.refresh_from_db()
        assert (dataset.status, dataset.versions.count()) == ("submitted", 0)

    def test_a_remark_is_demanded_and_kept(self, people: People, at: datetime) -> None:
        dataset = STORIES["submitted"](people, at)
        with pytest.raises(InvalidInput):
            catalog.send_back(dataset=dataset, actor=people.officer, at=at, reason="   ")
        dataset.refresh_from_db()
        assert dataset.status == "submitted"
        catalog.send_back(dataset=dataset, actor=people.officer, at=at, reason=" 写明范围 ")
        assert dataset.remark == "写明范围"


def todo(dataset: Dataset) -> tuple[str, Any, Any]:
    """The only open to-do about the entry: what, whose, till when."""
    found = Todo.objects.get(done_at=None, object_id=dataset.pk)
    return found.kind, found.department, found.due_on


class TestWithdrawing:
    def test_those_who_use_it_are_told_and_served_on(
        self, people: People, consumer: Any, consumer_head: Any, at: datetime
    ) -> None:
        from guardian.shortcuts import assign_perm

        dataset = STORIES["withdrawal_requested"](people, at)
        assign_perm("use_dataset", consumer.department.group, dataset)
        assert queries.departments_using(dataset) == [consumer.department]
        catalog.withdraw(dataset=dataset, actor=people.officer, at=at)
        told = Notice.objects.filter(title__startswith="正在使用的数据目录已撤回")
        assert {notice.recipient for notice in told} == {consumer, consumer_head}
        clock = clocks.running(dataset).get()
        assert clock.policy.code == "catalog.withdraw_wind_down"
        assert clock.due_on - at.date() > timedelta(days=175)
        assert str(clock.due_on.year) in told[0].body

    def test_nobody_uses_it_and_nothing_winds_down(self, people: People, at: datetime) -> None:
        dataset = STORIES["withdrawn"](people, at)
        assert not clocks.running(dataset).exists()
        assert dataset.withdrawn_at == at

    def test_a_withdrawn_name_may_be_used_again(self, people: People, at: datetime) -> None:
        dataset = STORIES["withdrawn"](people, at)
        assert enter(people, at, name=dataset.name).pk

    def test_declined_it_stays_in_force_and_the_provider_reads_why(
        self, people: People, at: datetime
    ) -> None:
        dataset = STORIES["withdrawal_requested"](people, at)
        catalog.decline_withdrawal(
            dataset=dataset, actor=people.officer, at=at, reason="仍有部门使用"
        )
        assert dataset.status == "published"
        notices = Notice.objects.filter(title__startswith="撤回申请未获同意")
        assert {notice.body for notice in notices} == {"仍有部门使用"}
        assert not clocks.running(dataset).exists()


class TestDelegatingAndTakingOver:
    def test_nobody_is_delegated_to_who_is_not_there(self, people: People, at: datetime) -> None:
        dataset = draft(people, at)
        abolished = DepartmentFactory(valid_to=date(2026, 1, 1))
        for nobody in (abolished, UserFactory(is_active=False), UserFactory(department=None)):
            with pytest.raises(InvalidInput):
                catalog.delegate_review(dataset=dataset, to=nobody, actor=people.head, at=at)
        with pytest.raises(InvalidInput):
            catalog.end_delegation(
                dataset=dataset,
                right="use_dataset",
                to=people.editor.department,
                actor=people.head,
                at=at,
            )
        assert not dataset.group_permissions.exists()
        assert not dataset.user_permissions.exists()

    def test_an_older_catalogue_gets_its_first_versions(self, at: datetime, db: None) -> None:
        platform = platform_user()
        entries = [PublishedDatasetFactory() for _ in range(3)]
        DatasetVersion.objects.all().delete()
        versions = catalog.take_over(datasets=entries, actor=platform, at=at)
        assert [version.number for version in versions] == [1, 1, 1]
        with pytest.raises(Conflict):
            catalog.take_over(datasets=entries, actor=platform, at=at)
        with pytest.raises(Conflict):
            catalog.take_over(datasets=[DatasetFactory()], actor=platform, at=at)
        assert DatasetVersion.objects.count() == 3


def test_what_was_never_published_promises_nothing(people: People, at: datetime) -> None:
    with pytest.raises(DomainError) as refusal:
        queries.contract_of(draft(people, at))
    assert refusal.value.code == "not_published"
