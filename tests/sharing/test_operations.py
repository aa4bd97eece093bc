"""The use cases of a request: what each changes, who is owed next, what it refuses."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from guardian.shortcuts import get_perms

from apps.accounts.models import InformationSystem
from apps.clocks import queries as clocks
from apps.core import access
from apps.core.errors import Conflict, DomainError, InvalidInput, NotAllowed
from apps.ledger.models import AccessRecord, Event, Notice, Todo
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.models import SharingRequest
from tests import stories
from tests.factories.accounts import (
    OUT_OF_SERVICE,
    DelegationFactory,
    InformationSystemFactory,
    OutOfService,
    UserFactory,
)
from tests.factories.sharing import Scene, land, make_scene
from tests.sharing.fingerprint import fingerprint

pytestmark = pytest.mark.django_db


def _owed(subject: Any) -> list[tuple[str, int | None, str]]:
    """Return (kind, department, role) of the open to-dos of a subject."""
    todos = Todo.objects.filter(object_id=subject.pk, done_at=None)
    return [(todo.kind, todo.department_id, todo.role) for todo in todos]


def _done(verb: str) -> int:
    return Event.objects.filter(verb=verb, outcome="done").count()


class TestDrafting:
    def test_it_begins_with_all_shareable_items_and_their_masks(
        self, scene: Scene, at: datetime
    ) -> None:
        scene.dataset.items.filter(column_name="amount").update(sharing_attribute="not_shared")
        request = stories.draft(scene, at)
        masks = dict(request.requested_items.values_list("item__column_name", "mask"))
        assert masks == {
            "identity_number": "cover_identity",
            "name": "cover_name",
            "division_code": "",
            "registered_on": "",
        }
        assert request.number == f"SQ-2026-{request.pk:06d}"
        assert request.history.get().history_user == scene.consumer

    def test_a_sensitive_item_without_a_mask_of_its_own_is_hidden(
        self, scene: Scene, at: datetime
    ) -> None:
        scene.dataset.items.filter(column_name="identity_number").update(mask="")
        request = stories.draft(scene, at, items=["identity_number"])
        assert request.requested_items.get().mask == "hide"

    @pytest.mark.parametrize(
        ("items", "code"),
        [
            (["amount"], "item_not_shared"),
            (["salary"], "unknown_item"),
            ({"name": "rot13"}, "unknown_mask"),
            ({"registered_on": "cover_name"}, "unfit_mask"),
        ],
    )
    def test_it_refuses_items_that_are_not_to_be_had(
        self, scene: Scene, at: datetime, items: Any, code: str
    ) -> None:
        scene.dataset.items.filter(column_name="amount").update(sharing_attribute="not_shared")
        with pytest.raises(InvalidInput) as refusal:
            stories.draft(scene, at, items=items)
        assert refusal.value.code == code
        assert not SharingRequest.objects.exists()

    def test_it_refuses_an_unknown_item_in_the_row_condition(
        self, scene: Scene, at: datetime
    ) -> None:
        with pytest.raises(InvalidInput) as refusal:
            stories.draft(
                scene, at, row_condition=[{"item": "1=1; --", "operator": "eq", "value": "x"}]
            )
        assert refusal.value.code == "unknown_item"

    def test_it_refuses_what_is_not_shared_not_published_or_ones_own(self, at: datetime) -> None:
        withheld = make_scene(
            sharing_attribute="not_shared",
            sharing_reason="统计资料不对外提供",
            sharing_statute="《统计法》第九条",
        )
        unpublished = make_scene(status="draft")
        own = make_scene()
        own.dataset.department = own.consumer_department
        own.dataset.save()
        for scene, code in (
            (withheld, "not_shared"),
            (unpublished, "not_published"),
            (own, "own_dataset"),
        ):
            with pytest.raises(InvalidInput) as refusal:
                stories.draft(scene, at)
            assert refusal.value.code == code

    @pytest.mark.parametrize("how", OUT_OF_SERVICE)
    def test_a_system_out_of_service_asks_for_nothing(
        self, scene: Scene, at: datetime, how: OutOfService
    ) -> None:
        how(scene.system)
        before = fingerprint()
        with pytest.raises(InvalidInput) as refusal:
            stories.draft(
                replace(scene, system=InformationSystem.objects.get(pk=scene.system.pk)), at
            )
        assert refusal.value.details["field"] == "system"
        assert fingerprint() == before

    def test_the_system_must_be_the_departments_own(self, scene: Scene, at: datetime) -> None:
        with pytest.raises(InvalidInput):
            sharing.draft_request(
                dataset=scene.dataset,
                system=InformationSystemFactory(),
                actor=scene.consumer,
                at=at,
            )

    def test_it_changes_what_is_given_and_leaves_the_rest(self, scene: Scene, at: datetime) -> None:
        request = stories.draft(scene, at)
        revised = sharing.revise(
            request=request, actor=scene.consumer, at=at, scope="全市", items=["name"]
        )
        assert (revised.scope, revised.basis) == ("全市", stories.STATUTE)
        assert [row.item.column_name for row in revised.requested_items.all()] == ["name"]
        with pytest.raises(DomainError) as refusal:
            sharing.revise(
                request=request,
                actor=scene.consumer,
                at=at,
                scope="再改",
                revision=request.revision,
            )
        assert refusal.value.code == "stale_revision"

    @pytest.mark.parametrize(
        "missing",
        [
            {"basis": " "},
            {"scenario": ""},
            {"scope": ""},
            {"ends_on": None},
            {"starts_on": None},
            {"vouched": False},
            {"items": []},
        ],
        ids=lambda missing: next(iter(missing)),
    )
    def test_nothing_mandatory_may_be_missing_when_it_is_submitted(
        self, scene: Scene, at: datetime, missing: dict[str, Any]
    ) -> None:
        request = stories.draft(scene, at, **missing)
        with pytest.raises(InvalidInput):
            sharing.submit(request=request, actor=scene.consumer, at=at)
        request.refresh_from_db()
        assert (request.status, request.revision) == ("draft", 1)
        assert _owed(request) == []

    def test_a_system_asks_once_at_a_time(self, scene: Scene, at: datetime) -> None:
        first = stories.request_in("reviewing", scene, at)
        with pytest.raises(Conflict) as refusal:
            stories.awaiting_head(scene, at)
        assert refusal.value.code == "already_asked"
        assert first.number in str(refusal.value)

    def test_a_suspension_is_not_asked_around(self, scene: Scene, at: datetime) -> None:
        stories.grant_in("suspended", scene, at)
        with pytest.raises(Conflict) as refusal:
            stories.awaiting_head(scene, at)
        assert refusal.value.code == "grant_suspended"

    def test_papers_are_kept_with_their_digest(self, scene: Scene, at: datetime) -> None:
        request = stories.draft(scene, at)
        paper = sharing.attach(
            request=request,
            actor=scene.consumer,
            at=at,
            title="关于申请数据的函",
            document_number="渝教函〔2026〕12号",
            file=ContentFile(b"%PDF-1.7", name="letter.pdf"),
        )
        assert len(paper.sha256) == 64
        executable = ContentFile(b"MZ", name="letter.exe")
        wrongs: tuple[dict[str, Any], ...] = ({"file": executable}, {})
        for wrong in wrongs:
            with pytest.raises(InvalidInput):
                sharing.attach(request=request, actor=scene.consumer, at=at, title="函", **wrong)


class TestHead:
    def test_approval_hands_it_to_the_provider_and_starts_the_clock(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.request_in("form_check", scene, at)
        clock = clocks.running(request).get()
        assert clock.policy.code == "request.conditional"
        assert clock.department == scene.provider_department
        assert _owed(request) == [
            ("sharing.form_check", scene.provider_department.pk, "department_editor")
        ]
        asked = queries.asked_terms(request)
        assert asked is not None
        assert asked.items[0] == {
            "name": "identity_number",
            "label": "公民身份号码",
            "mask": "cover_identity",
        }

    def test_return_gives_it_back_to_its_author(self, scene: Scene, at: datetime) -> None:
        request = stories.request_in("head_returned", scene, at)
        todo = Todo.objects.get(object_id=request.pk, done_at=None)
        assert todo.assignee == scene.consumer
        assert not clocks.running(request).exists()

    def test_unconditional_data_is_granted_at_once_with_a_record(self, at: datetime) -> None:
        scene = make_scene(sharing_attribute="unconditional")
        request = stories.awaiting_head(scene, at)
        request = sharing.approve_by_head(request=request, actor=scene.consumer_head, at=at)
        assert (request.status, request.is_automatic, request.decided_by) == ("agreed", True, None)
        assert sharing.carry_out_due(at) == []
        request.refresh_from_db()
        assert request.status == "delivered"
        (clock,) = clocks.clocks_of(request)
        assert (clock.policy.code, clock.met) == ("request.unconditional", True)
        event = Event.objects.get(verb="sharing.grant_automatically", outcome="done")
        assert event.department_id == scene.provider_department.pk
        group = scene.consumer_department.group
        assert get_perms(group, scene.dataset) == ["use_dataset"]
        sharing.end(grant=request.grant, actor=scene.consumer_head, at=at, reason="不再需要")
        assert get_perms(group, scene.dataset) == []

    def test_a_conditional_entry_without_a_condition_counts_as_unconditional(
        self, at: datetime
    ) -> None:
        scene = make_scene(sharing_condition=" ")
        request = stories.awaiting_head(scene, at)
        sharing.approve_by_head(request=request, actor=scene.consumer_head, at=at)
        assert request.is_automatic

    @pytest.mark.parametrize("why", ["conditional item", "sensitive item in plain text"])
    def test_it_is_not_granted_automatically(self, at: datetime, why: str) -> None:
        scene = make_scene(sharing_attribute="unconditional")
        items: dict[str, str] = {"identity_number": "cover_identity", "name": ""}
        if why == "conditional item":
            scene.dataset.items.filter(column_name="name").update(sharing_attribute="conditional")
        else:
            items["identity_number"] = ""
        request = stories.request_in("form_check", scene, at, items=items)
        assert not request.is_automatic


class TestReview:
    def test_the_supplement_is_asked_once_and_the_clock_rests(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.request_in("supplement", scene, at)
        assert clocks.running(request).get().state == "paused"
        later = at + timedelta(days=3)
        sharing.revise(request=request, actor=scene.consumer, at=later, scope="资助中心三个科室")
        request.refresh_from_db()
        sharing.supplement(request=request, actor=scene.consumer, at=later, reason="已补全文")
        assert request.status == "form_check"
        assert clocks.running(request).get().state == "running"
        assert request.decisions.filter(outcome="asked").count() == 2
        with pytest.raises(Conflict) as refusal:
            sharing.ask_supplement(request=request, actor=scene.provider, at=later, reason="还缺")
        assert refusal.value.code == "supplement_asked"

    def test_a_refusal_has_reason_and_basis(self, scene: Scene, at: datetime) -> None:
        request = stories.request_in("reviewing", scene, at)
        incomplete: tuple[dict[str, Any], ...] = ({}, {"reason": "无关"}, {"legal_basis": "条例"})
        for words in incomplete:
            with pytest.raises(InvalidInput):
                sharing.propose(
                    request=request, outcome="refuse", actor=scene.provider, at=at, **words
                )
        refused = stories.refused(make_scene(), at)
        assert refused.decision_reason == "与申请用途无关"
        assert refused.legal_basis == stories.STATUTE
        assert clocks.clocks_of(refused)[0].state == "stopped"
        assert Notice.objects.filter(recipient=refused.applicant, title__contains="不予共享")

    def test_narrower_terms_are_what_is_granted(self, scene: Scene, at: datetime) -> None:
        request = stories.request_in(
            "reviewing",
            scene,
            at,
            items={"identity_number": "cover_identity", "name": "", "amount": ""},
            row_condition=[{"item": "division_code", "operator": "prefix", "value": "5001"}],
        )
        sharing.propose(
            request=request,
            outcome="narrow",
            actor=scene.provider,
            at=at,
            items={"name": "cover_name", "identity_number": "cover_identity"},
            row_condition=[{"item": "division_code", "operator": "eq", "value": "500103"}],
            reason="金额与用途无关",
        )
        stories.confirmed(request, scene, at)
        sharing.sign(request=request, actor=scene.provider_head, at=at)
        assert request.grant.columns == [
            {"name": "identity_number", "mask": "cover_identity"},
            {"name": "name", "mask": "cover_name"},
        ]
        assert [part["value"] for part in request.grant.row_condition] == ["5001", "500103"]
        versions = list(request.decisions.values_list("version", "outcome"))
        assert versions == [(1, "asked"), (2, "narrow")]
        codes = {clock.policy.code: clock.state for clock in clocks.clocks_of(request)}
        assert codes == {"request.conditional": "stopped", "request.deliver": "running"}

    @pytest.mark.parametrize(
        "wider",
        [
            {"items": ["name", "division_code"]},
            {"items": {"identity_number": ""}},
            {"ends_on": date(2028, 6, 1)},
            {},
        ],
        ids=["another item", "a mask dropped", "a later end", "nothing narrower"],
    )
    def test_a_decision_is_never_wider_than_asked(
        self, scene: Scene, at: datetime, wider: dict[str, Any]
    ) -> None:
        request = stories.request_in(
            "reviewing", scene, at, items={"identity_number": "cover_identity", "name": ""}
        )
        with pytest.raises(InvalidInput):
            sharing.propose(
                request=request,
                outcome="narrow",
                actor=scene.provider,
                at=at,
                reason="限缩",
                **wider,
            )
        assert request.decisions.count() == 1

    def test_a_mask_that_was_asked_for_stays_or_hides_all(self, scene: Scene, at: datetime) -> None:
        request = stories.request_in(
            "reviewing", scene, at, items={"identity_number": "", "name": "hide"}
        )
        before = fingerprint()
        with pytest.raises(InvalidInput) as refusal:
            sharing.propose(
                request=request,
                outcome="narrow",
                actor=scene.provider,
                at=at,
                items={"name": "cover_name"},
                reason="限缩",
            )
        assert (refusal.value.code, "姓名" in str(refusal.value)) == ("wider_than_asked", True)
        assert fingerprint() == before

    def test_nobody_signs_his_own_proposal(self, scene: Scene, at: datetime) -> None:
        request = stories.request_in("reviewing", scene, at)
        head = scene.provider_head
        sharing.propose(request=request, outcome="agree", actor=head, at=at)
        UserFactory(department=scene.provider_department, roles=["department_approver"])
        stories.confirmed(request, scene, at)
        with pytest.raises(NotAllowed) as refusal:
            sharing.sign(request=request, actor=head, at=at)
        assert refusal.value.code == "own_proposal"

    def test_a_proposal_sent_back_is_made_anew(self, scene: Scene, at: datetime) -> None:
        request = stories.request_in("awaiting_signature", scene, at)
        head = scene.provider_head
        sharing.send_back_proposal(request=request, actor=head, at=at, reason="再核")
        sharing.propose(request=request, outcome="agree", actor=scene.provider, at=at)
        stories.confirmed(request, scene, at)
        sharing.sign(request=request, actor=head, at=at)
        assert [row.signed_by for row in request.decisions.all()] == [None, None, head]

    def test_a_look_at_the_rows_is_recorded_as_a_read(self, scene: Scene, at: datetime) -> None:
        request = stories.request_in("reviewing", scene, at)
        empty = sharing.preview(request=request, actor=scene.provider, at=at)
        assert not empty.table_exists
        land(scene.dataset)
        seen = sharing.preview(
            request=request, actor=scene.provider, at=at, items={"name": "hide"}, limit=2
        )
        assert (seen.rows, seen.total) == ([["***"], ["***"]], 6)
        record = AccessRecord.objects.get(kind="preview", user_id=scene.provider.pk)
        assert record.rows == 2
        with pytest.raises(NotAllowed):
            sharing.preview(request=request, actor=scene.consumer_head, at=at)


class TestExtension:
    def test_the_deadline_moves_when_the_authority_consents(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.request_in("reviewing", scene, at)
        before = clocks.running(request).get().due_on
        extension = sharing.extend(
            request=request, workdays=5, reason="需征求公安意见", actor=scene.provider, at=at
        )
        assert clocks.running(request).get().due_on == before
        with pytest.raises(NotAllowed):
            sharing.consent_extension(
                extension=extension, consented=True, actor=scene.provider_head, at=at
            )
        sharing.consent_extension(extension=extension, consented=True, actor=scene.authority, at=at)
        assert clocks.running(request).get().due_on > before
        assert Notice.objects.filter(recipient=scene.consumer, title__contains="延期答复")
        with pytest.raises(Conflict):
            sharing.extend(request=request, workdays=5, reason="再延", actor=scene.provider, at=at)

    @pytest.mark.parametrize("workdays", [0, 11])
    def test_it_is_ten_working_days_at_most(
        self, scene: Scene, at: datetime, workdays: int
    ) -> None:
        request = stories.request_in("reviewing", scene, at)
        with pytest.raises(InvalidInput):
            sharing.extend(
                request=request, workdays=workdays, reason="忙", actor=scene.provider, at=at
            )

    @pytest.mark.parametrize("is_stand_in", [False, True])
    def test_who_asked_for_it_does_not_consent(
        self, scene: Scene, at: datetime, *, is_stand_in: bool
    ) -> None:
        request = stories.request_in("reviewing", scene, at)
        office = [] if is_stand_in else ["authority_officer"]
        person = UserFactory(
            department=scene.provider_department, roles=["department_editor", *office]
        )
        if is_stand_in:
            DelegationFactory(
                principal=scene.authority,
                deputy=person,
                starts_on=date(2026, 1, 1),
                ends_on=date(2026, 12, 31),
            )
        extension = sharing.extend(request=request, workdays=5, reason="忙", actor=person, at=at)
        with pytest.raises(NotAllowed) as refusal:
            sharing.consent_extension(extension=extension, consented=True, actor=person, at=at)
        assert refusal.value.code == ("own_extension" if is_stand_in else "not_allowed")
        extension.refresh_from_db()
        assert extension.decided_at is None

    def test_the_auditor_sees_what_both_sides_see(self, scene: Scene, at: datetime) -> None:
        request = stories.request_in("reviewing", scene, at)
        extension = sharing.extend(
            request=request, workdays=5, reason="忙", actor=scene.provider, at=at
        )
        auditor = UserFactory(department=scene.authority.department, roles=["audit_admin"])
        assert access.allowed(auditor, "view", extension)

    def test_without_consent_the_clock_runs_as_before(self, scene: Scene, at: datetime) -> None:
        request = stories.request_in("reviewing", scene, at)
        before = clocks.running(request).get().due_on
        extension = sharing.extend(
            request=request, workdays=5, reason="忙", actor=scene.provider, at=at
        )
        sharing.consent_extension(
            extension=extension, consented=False, actor=scene.authority, at=at, reason="理由不足"
        )
        assert clocks.running(request).get().due_on == before


def test_what_was_struck_out_since_it_was_read_is_not_sent(scene: Scene, at: datetime) -> None:
    request = stories.draft(scene, at)
    read = SharingRequest.objects.get(pk=request.pk)
    sharing.revise(request=request, actor=scene.consumer, at=at, basis="")
    with pytest.raises(InvalidInput) as refusal:
        sharing.submit(request=read, actor=scene.consumer, at=at)
    assert refusal.value.details["field"] == "basis"


class TestGrants:
    def test_the_end_of_one_that_is_replaced_is_the_providers_matter(
        self, scene: Scene, at: datetime
    ) -> None:
        former = stories.delivered(scene, at).grant
        stories.delivered(scene, at, mode="file")
        former.refresh_from_db()
        assert former.status == "ended"
        event = Event.objects.get(verb="sharing.end", subject_id=str(former.pk), outcome="done")
        assert event.department == scene.provider_department

    @pytest.mark.parametrize("is_stand_in", [False, True])
    def test_who_works_for_the_consumer_does_not_resume_what_it_uses(
        self, scene: Scene, at: datetime, *, is_stand_in: bool
    ) -> None:
        grant = stories.grant_in("suspended", scene, at)
        roles = [] if is_stand_in else ["authority_officer"]
        person = UserFactory(department=scene.consumer_department, roles=roles)
        if is_stand_in:
            DelegationFactory(
                principal=scene.provider_head,
                deputy=person,
                starts_on=date(2026, 1, 1),
                ends_on=date(2026, 12, 31),
            )
        with pytest.raises(NotAllowed) as refusal:
            sharing.resume(grant=grant, actor=person, at=at, reason="急用")
        assert refusal.value.code == ("own_grant" if is_stand_in else "not_allowed")
        grant.refresh_from_db()
        assert grant.status == "suspended"

    def test_delivery_ends_the_request_and_gives_use_dataset(
        self, scene: Scene, at: datetime
    ) -> None:
        grant = stories.grant_in("in_force", scene, at)
        group = scene.consumer_department.group
        assert get_perms(group, scene.dataset) == ["use_dataset"]
        assert not clocks.running(grant.request).exists()
        assert _done("sharing.deliver") == 1
        sharing.end(grant=grant, actor=scene.consumer_head, at=at, reason="系统下线")
        assert get_perms(group, scene.dataset) == []

    def test_use_dataset_stays_while_another_grant_of_the_department_is_open(
        self, scene: Scene, at: datetime
    ) -> None:
        from dataclasses import replace

        first = stories.grant_in("in_force", scene, at)
        system = InformationSystemFactory(department=scene.consumer_department)
        second = stories.grant_in("in_force", replace(scene, system=system), at)
        sharing.end(grant=first, actor=scene.provider_head, at=at, reason="不再需要")
        group = scene.consumer_department.group
        assert get_perms(group, scene.dataset) == ["use_dataset"]
        sharing.expire(grant=second, at=second.expires_at)
        assert get_perms(group, scene.dataset) == []

    def test_a_renewal_is_a_version_of_the_grant_in_force(self, scene: Scene, at: datetime) -> None:
        former = stories.grant_in("in_force", scene, at)
        renewed = stories.grant_in("in_force", scene, at)
        former.refresh_from_db()
        assert (former, former.status, former.version) == (renewed, "in_force", 2)
        assert get_perms(scene.consumer_department.group, scene.dataset) == ["use_dataset"]

    def test_in_another_mode_it_replaces_the_grant_in_force(
        self, scene: Scene, at: datetime
    ) -> None:
        former = stories.grant_in("in_force", scene, at)
        renewed = stories.grant_in("in_force", scene, at, mode="batch")
        former.refresh_from_db()
        assert (former.status, renewed.status) == ("ended", "in_force")
        assert str(renewed) in former.end_reason
        assert get_perms(scene.consumer_department.group, scene.dataset) == ["use_dataset"]

    def test_suspension_tells_both_sides_and_asks_to_rectify(
        self, scene: Scene, at: datetime
    ) -> None:
        grant = stories.grant_in("in_force", scene, at)
        day = (at + timedelta(days=14)).date()
        sharing.suspend(
            grant=grant, actor=scene.authority, at=at, reason="超范围使用", rectify_by=day
        )
        assert grant.suspended_by_authority
        todo = Todo.objects.get(kind="sharing.rectify", done_at=None)
        assert (todo.department, todo.due_on) == (scene.consumer_department, day)
        notices = Notice.objects.filter(title__contains="已暂停")
        told = set(notices.values_list("recipient", flat=True))
        assert {scene.consumer.pk, scene.provider_head.pk, scene.authority.pk} <= told
        with pytest.raises(InvalidInput):
            sharing.suspend(grant=grant, actor=scene.authority, at=at, reason=" ")

    def test_expiry_is_due_when_the_last_day_is_over(self, scene: Scene, at: datetime) -> None:
        grant = stories.grant_in("in_force", scene, at)
        with pytest.raises(InvalidInput):
            sharing.expire(grant=grant, at=grant.expires_at - timedelta(seconds=1))
        assert sharing.carry_out_due(grant.expires_at) == []
        grant.refresh_from_db()
        assert grant.status == "expired"
        assert grant.torn_down_at is not None
