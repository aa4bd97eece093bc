"""Across levels: a district's request goes by its own authority, which lets it pass or not."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.accounts.models import Department
from apps.clocks import queries as clocks
from apps.core import access
from apps.core.errors import DomainError, IllegalMove, InvalidInput, NotAllowed
from apps.ledger import queries as ledger
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.models import DistrictReview, SharingRequest
from tests import stories
from tests.factories.accounts import (
    DelegationFactory,
    DepartmentFactory,
    InformationSystemFactory,
    RegionFactory,
    UserFactory,
)
from tests.factories.catalog import PublishedDatasetFactory
from tests.factories.sharing import Scene, make_scene
from tests.sharing.fingerprint import fingerprint
from tests.sharing.test_concurrency import at_once
from tests.sharing.test_packages import filled
from tests.sharing.test_views_forms import signed_in

pytestmark = pytest.mark.django_db


def running(request: SharingRequest) -> list[str]:
    """The codes of the clocks that run for it."""
    return sorted(clock.policy.code for clock in clocks.running(request))


def refused(operate: Callable[[], Any], kind: type[DomainError], code: str = "") -> None:
    before = fingerprint()
    with pytest.raises(kind) as caught:
        operate()
    assert fingerprint() == before
    if code:
        assert caught.value.code == code


class TestWay:
    def test_it_lies_with_the_district_for_a_working_day_before_the_provider_receives_it(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.district_review(scene, at)
        review = request.district_reviews.get()
        assert (review.authority, review.outcome) == (scene.district.department, "")
        assert request.received_at is None
        (clock,) = clocks.running(request)
        assert clock.policy.code == "request.district_review"
        assert clock.department == scene.district.department
        assert clock.due_on == (at + timedelta(days=1)).date()  # Thursday
        (todo,) = ledger.open_todos_of(request)
        assert (todo.department, todo.role) == (scene.district.department, "department_approver")
        assert list(queries.awaiting_my_decision(scene.district)) == [request]
        for person in (scene.provider, scene.authority):
            assert not access.allowed(person, "view", request)
        assert access.allowed(scene.district, "view", request)

    def test_passing_it_on_lets_the_provider_receive_it_and_its_clock_start(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.district_review(scene, at)
        later = at + timedelta(hours=5)
        sharing.pass_on(request=request, actor=scene.district, at=later, reason="情况属实")
        assert (request.status, request.received_at) == ("form_check", later)
        review = request.district_reviews.get()
        assert (review.outcome, review.opinion, review.done_by) == (
            "passed",
            "情况属实",
            scene.district,
        )
        assert running(request) == ["request.conditional"]
        asked = queries.asked_terms(request)
        assert asked is not None
        assert asked.proposed_by == scene.consumer_head
        assert access.allowed(scene.provider, "accept_form", request)
        verbs = [entry.event.verb for entry in ledger.trail(request)]
        assert verbs[:2] == ["sharing.pass_on", "sharing.approve_by_head"]
        sharing.accept_form(request=request, actor=scene.provider, at=later)
        assert access.allowed(scene.district, "view", request)  # what came of it

    def test_unconditional_data_is_granted_when_it_is_passed_on(
        self, at: datetime, db: None
    ) -> None:
        scene = make_scene(
            sharing_attribute="unconditional", sharing_condition="", contains_sensitive=False
        )
        request = stories.district_review(scene, at, items=["name"])
        assert request.grant is None
        sharing.pass_on(request=request, actor=scene.district, at=at)
        assert (request.status, request.is_automatic) == ("agreed", True)

    def test_what_it_returns_comes_again_and_every_round_is_kept(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.district_review(scene, at)
        sharing.return_by_district(request=request, actor=scene.district, at=at, reason="依据不足")
        assert request.status == "head_returned"
        assert running(request) == []
        (todo,) = ledger.open_todos_of(request)
        assert todo.assignee == scene.consumer
        sharing.submit(request=request, actor=scene.consumer, at=at)
        sharing.approve_by_head(request=request, actor=scene.consumer_head, at=at)
        assert request.status == "district_review"
        sharing.pass_on(request=request, actor=scene.district, at=at)
        outcomes = request.district_reviews.values_list("outcome", flat=True)
        assert list(outcomes) == ["returned", "passed"]

    def test_what_is_withdrawn_meanwhile_lies_with_nobody(self, scene: Scene, at: datetime) -> None:
        request = stories.district_review(scene, at)
        sharing.withdraw(request=request, actor=scene.consumer, at=at, reason="取消")
        assert request.district_reviews.get().outcome == "withdrawn"
        assert running(request) == []
        assert not ledger.open_todos_of(request).exists()
        refused(lambda: sharing.pass_on(request=request, actor=scene.district, at=at), IllegalMove)


class TestWhoGoesByIt:
    def of(self, scene: Scene, at: datetime) -> Department | None:
        return queries.district_authority_of(stories.draft(scene, at))

    def test_the_citys_departments_and_the_districts_own_data_do_not(
        self, scene: Scene, at: datetime
    ) -> None:
        assert self.of(scene, at) is None
        region = scene.district.department.region  # type: ignore[union-attr]
        Department.objects.filter(
            pk__in=[scene.consumer_department.pk, scene.provider_department.pk]
        ).update(region=region)
        request = SharingRequest.objects.get()
        assert queries.district_authority_of(request) is None

    def test_other_regions_data_does_the_authoritys_own_and_an_authorityless_district_do_not(
        self, scene: Scene, at: datetime
    ) -> None:
        stories.draft(scene, at)
        district = scene.district.department
        assert district is not None
        Department.objects.filter(pk=scene.consumer_department.pk).update(region=district.region)
        Department.objects.filter(pk=scene.provider_department.pk).update(
            region=RegionFactory(key="another")
        )
        assert queries.district_authority_of(SharingRequest.objects.get()) == district
        Department.objects.filter(pk=district.pk).update(valid_to=at.date())
        assert queries.district_authority_of(SharingRequest.objects.get()) is None
        Department.objects.filter(pk=district.pk).update(valid_to=None, is_authority=False)
        Department.objects.filter(pk=scene.consumer_department.pk).update(is_authority=True)
        assert queries.district_authority_of(SharingRequest.objects.get()) is None


class TestRefusals:
    def test_only_the_editors_and_heads_of_that_authority_act(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.district_review(scene, at)
        district = scene.district.department
        reader = UserFactory(department=district)
        other = UserFactory(
            department=DepartmentFactory(region=RegionFactory(key="b"), is_authority=True),
            roles=["department_approver"],
        )
        people = (
            *(scene.consumer, scene.consumer_head, scene.provider, scene.provider_head),
            *(scene.authority, reader, other),
        )
        for person in people:
            act: dict[str, Any] = {"request": request, "actor": person, "at": at}
            refused(partial(sharing.pass_on, **act), NotAllowed)
            refused(partial(sharing.return_by_district, reason="依据不足", **act), NotAllowed)
        editor = UserFactory(department=district, roles=["department_editor"])
        sharing.pass_on(request=request, actor=editor, at=at)

    def test_nobody_passes_on_his_own_departments_request_as_a_stand_in(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.district_review(scene, at)
        DelegationFactory(
            principal=scene.district,
            deputy=scene.consumer_head,
            starts_on=at.date(),
            ends_on=at.date(),
        )
        refused(
            lambda: sharing.pass_on(request=request, actor=scene.consumer_head, at=at),
            NotAllowed,
            "own_request",
        )

    def test_what_a_reform_made_its_own_is_passed_on_by_the_platform(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.district_review(scene, at)
        authority = scene.district.department
        SharingRequest.objects.filter(pk=request.pk).update(consumer=authority)
        for action in ("pass_on", "return_by_district"):
            assert not access.allowed(scene.district, action, request, at=at)
        assert sharing.carry_out_due(at) == []
        request.refresh_from_db()
        assert (request.status, request.received_at) == ("form_check", at)
        assert request.district_reviews.get().outcome == "passed"
        assert running(request) == ["request.conditional"]
        assert sharing.carry_out_due(at) == []

    def test_a_return_needs_a_reason_and_an_entry_withdrawn_meanwhile_is_not_passed_on(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.district_review(scene, at)
        give_back = partial(sharing.return_by_district, request=request, actor=scene.district)
        refused(lambda: give_back(at=at, reason="  "), InvalidInput)
        type(scene.dataset).objects.filter(pk=scene.dataset.pk).update(
            status="withdrawn", withdrawn_at=at
        )
        request = SharingRequest.objects.get(pk=request.pk)
        refused(
            lambda: sharing.pass_on(request=request, actor=scene.district, at=at),
            InvalidInput,
            "not_published",
        )
        give_back(at=at, reason="目录已撤回")

    def test_the_database_keeps_one_open_review_and_whole_outcomes(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.district_review(scene, at)
        reviews = DistrictReview.objects.filter(request=request)
        authority = reviews.get().authority
        for change in (
            lambda: reviews.create(request=request, authority=authority, asked_at=at),
            lambda: reviews.update(outcome="passed"),
            lambda: reviews.update(outcome="returned", done_by=scene.district, done_at=at),
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                change()


class TestFaces:
    def test_the_district_passes_on_by_page_and_the_provider_reads_its_opinion(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.awaiting_head(scene, at)
        Department.objects.filter(pk=scene.consumer_department.pk).update(
            region=scene.district.department.region  # type: ignore[union-attr]
        )
        address = f"/work/requests/{request.pk}/"
        head = signed_in(scene.consumer_head)
        page = head.get(f"{address}move/approve_by_head/").content.decode()
        assert "申请先送" in page
        head.post(f"{address}move/approve_by_head/", {"revision": request.revision})
        request.refresh_from_db()
        assert request.status == "district_review"
        client = signed_in(scene.district)
        page = client.get(address).content.decode()
        assert f"{address}move/pass_on/" in page
        assert f"{address}move/return_by_district/" in page
        answer = client.post(
            f"{address}move/pass_on/", {"revision": request.revision, "reason": "情况属实"}
        )
        assert answer.status_code == 302
        assert "情况属实" in signed_in(scene.provider).get(address).content.decode()

    def test_the_api_moves_it_too(self, scene: Scene, at: datetime) -> None:
        request = stories.district_review(scene, at)
        address = f"/api/v1/requests/{request.pk}"
        assert signed_in(scene.provider).get(address).status_code == 404
        moved = signed_in(scene.district).post(
            f"{address}/return_by_district", {"reason": "依据不足"}, "application/json"
        )
        assert (moved.status_code, moved.json()["status"]) == (200, "head_returned")

    def test_a_districts_matter_goes_by_it_whole(self, scene: Scene, at: datetime) -> None:
        Department.objects.filter(pk=scene.consumer_department.pk).update(
            region=scene.district.department.region  # type: ignore[union-attr]
        )
        others = [PublishedDatasetFactory(department=DepartmentFactory())]
        package = filled(scene, at, others)
        sharing.submit_package(package=package, vouched=True, actor=scene.consumer, at=at)
        for name, actor in (("approve_by_head", scene.consumer_head), ("pass_on", scene.district)):
            rows = package.parts.all()
            answers = sharing.act_together(requests=rows, act=name, actor=actor, at=at)
            assert [answer.error for answer in answers] == [None, None]
            if name == "approve_by_head":
                (holder,) = queries.holders_of(queries.parts_of(package, scene.consumer, at))
                assert holder.department == scene.district.department
                page = signed_in(scene.district).get(f"/work/packages/{package.pk}/")
                assert "整件转报" in page.content.decode()
        assert set(package.parts.values_list("status", flat=True)) == {"form_check"}


@pytest.mark.usefixtures("server")
def test_of_passing_on_returning_and_withdrawing_at_once_exactly_one_wins(now: datetime) -> None:
    scene = make_scene()
    InformationSystemFactory(department=scene.consumer_department)
    request = stories.district_review(scene, now)
    second = UserFactory(department=scene.district.department, roles=["department_editor"])
    works = [
        partial(sharing.pass_on, actor=scene.district),
        partial(sharing.return_by_district, actor=second, reason="依据不足"),
        partial(sharing.withdraw, actor=scene.consumer, reason="取消"),
    ]
    seen: dict[str, Any] = {"at": now, "revision": request.revision}
    fresh = [partial(w, request=SharingRequest.objects.get(pk=request.pk), **seen) for w in works]
    results = at_once(list(fresh))
    assert sum(isinstance(result, SharingRequest) for result in results) == 1
    assert sum(isinstance(result, DomainError) for result in results) == 2
    assert request.district_reviews.exclude(outcome="").count() == 1
