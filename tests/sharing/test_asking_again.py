"""据此重新申请: what was refused is asked for once more, with what it said, and both say so."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.core.errors import Conflict, IllegalMove, InvalidInput, NotAllowed
from apps.ledger.models import Event
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.models import SharingRequest
from tests import stories
from tests.factories.accounts import UserFactory
from tests.factories.sharing import Scene
from tests.sharing import test_return_flow as return_flow
from tests.sharing.fingerprint import fingerprint
from tests.sharing.test_packages import filled, others
from tests.sharing.test_views import signed_in

__all__ = ["others"]

pytestmark = pytest.mark.django_db
ITEMS = {"name": "cover_name", "division_code": "", "amount": ""}
ROWS = [{"item": "division_code", "operator": "eq", "value": "500103"}]


@pytest.fixture
def refused(scene: Scene, at: datetime) -> SharingRequest:
    return stories.refused(scene, at, items=ITEMS, row_condition=ROWS, calls_a_day=500)


def again(request: SharingRequest, scene: Scene, at: datetime, **more: Any) -> SharingRequest:
    return sharing.ask_again(request=request, at=at, **{"actor": scene.consumer, **more})


def handed_in(draft: SharingRequest, scene: Scene, at: datetime) -> SharingRequest:
    draft = sharing.revise(request=draft, actor=scene.consumer, at=at, vouched=True)
    sharing.submit(request=draft, actor=scene.consumer, at=at)
    return sharing.approve_by_head(request=draft, actor=scene.consumer_head, at=at)


class TestDrafting:
    def test_the_draft_says_what_the_refused_one_said(
        self, refused: SharingRequest, scene: Scene, at: datetime
    ) -> None:
        draft = again(refused, scene, at)
        assert (draft.status, draft.vouched, draft.previous) == ("draft", False, refused)
        assert (draft.dataset, draft.system) == (refused.dataset, refused.system)
        asked = {row.item.column_name: row.mask for row in draft.requested_items.all()}
        assert asked == ITEMS
        assert (draft.row_condition, draft.calls_a_day) == (ROWS, 500)
        for name in ("basis", "scenario", "scope", "mode", "starts_on", "ends_on"):
            assert getattr(draft, name) == getattr(refused, name)
        event = Event.objects.filter(verb="sharing.ask_again", outcome="done").latest("at")
        assert event.details == {"previous": refused.number}

    def test_what_is_not_had_any_more_is_left_out_and_past_days_are_written_anew(
        self, refused: SharingRequest, scene: Scene, at: datetime
    ) -> None:
        scene.dataset.items.filter(column_name="amount").update(sharing_attribute="not_shared")
        assert refused.ends_on is not None
        later = at + (refused.ends_on - at.date()) + timedelta(days=5)
        draft = again(refused, scene, later)
        asked = {row.item.column_name for row in draft.requested_items.all()}
        assert asked == {"name", "division_code"}
        assert (draft.starts_on, draft.ends_on) == (later.date(), None)

    def test_a_part_of_a_matter_stays_a_part(self, scene: Scene, others: Any, at: datetime) -> None:
        package = filled(scene, at, others)
        refused = stories.refused(scene, at, items=ITEMS)
        package.parts.filter(dataset=scene.dataset).update(status="withdrawn")
        SharingRequest.objects.filter(pk=refused.pk).update(package=package)
        assert again(refused, scene, at).package == package

    def test_a_return_flow_is_asked_for_as_such(self, scene: Scene, at: datetime) -> None:
        request = return_flow.reviewing(scene, at)
        sharing.propose(
            request=request,
            outcome="refuse",
            reason="法律另有规定",
            legal_basis="《中华人民共和国数据安全法》第二十一条",
            actor=scene.provider,
            at=at,
        )
        stories.confirmed(request, scene, at)
        sharing.refuse(request=request, actor=scene.provider_head, at=at)
        draft = again(request, scene, at)
        flow = queries.return_flow_of(draft)
        assert flow is not None
        assert (draft.previous, draft.mode) == (request, "batch")
        assert draft.row_condition == flow.row_condition


class TestRefusing:
    def test_it_is_for_editors_of_the_asking_department(
        self, refused: SharingRequest, scene: Scene, at: datetime
    ) -> None:
        stranger = UserFactory(roles=["department_editor"])
        before = fingerprint()
        for other in (scene.consumer_head, scene.provider, scene.authority, stranger):
            with pytest.raises(NotAllowed):
                again(refused, scene, at, actor=other)
        assert fingerprint() == before

    @pytest.mark.parametrize("status", ["reviewing", "delivered", "withdrawn"])
    def test_nothing_else_than_a_refusal_is_followed(
        self, scene: Scene, at: datetime, status: str
    ) -> None:
        request = stories.request_in(status, scene, at)
        before = fingerprint()
        with pytest.raises(IllegalMove):
            again(request, scene, at)
        assert fingerprint() == before

    def test_one_at_a_time_and_only_what_may_be_drafted(
        self, refused: SharingRequest, scene: Scene, at: datetime
    ) -> None:
        draft = again(refused, scene, at)
        before = fingerprint()
        with pytest.raises(Conflict) as refusal:
            again(refused, scene, at)
        assert refusal.value.code == "already_asked"
        assert fingerprint() == before
        sharing.withdraw(request=draft, actor=scene.consumer, at=at, reason="另写")
        scene.system.status = "retired"
        scene.system.save()
        before = fingerprint()
        with pytest.raises(InvalidInput):
            again(refused, scene, at)
        assert fingerprint() == before

    def test_a_request_does_not_follow_itself(self, refused: SharingRequest) -> None:
        with pytest.raises(IntegrityError, match="previous_is_another"), transaction.atomic():
            SharingRequest.objects.filter(pk=refused.pk).update(previous=refused.pk)


class TestOnTheScreen:
    def test_the_clerk_goes_from_the_refusal_to_the_draft_and_both_pages_link(
        self, refused: SharingRequest, scene: Scene, at: datetime
    ) -> None:
        client = signed_in(scene.consumer)
        address = f"/work/requests/{refused.pk}/ask-again/"
        assert address in client.get(f"/work/requests/{refused.pk}/").content.decode()
        assert refused.decision_reason in client.get(address).content.decode()
        answer = client.post(address)
        draft = SharingRequest.objects.get(previous=refused)
        assert answer["Location"] == f"/work/requests/{draft.pk}/edit/items/"
        assert draft.number in client.get(f"/work/requests/{refused.pk}/").content.decode()
        page = client.get(f"/work/requests/{draft.pk}/").content.decode()
        assert f"/work/requests/{refused.pk}/" in page
        assert signed_in(scene.provider).post(address).status_code == 403

    def test_the_provider_reads_that_it_was_refused_and_why(
        self, refused: SharingRequest, scene: Scene, at: datetime
    ) -> None:
        request = handed_in(again(refused, scene, at), scene, at)
        sharing.accept_form(request=request, actor=scene.provider, at=at)
        client = signed_in(scene.provider)
        for address in ("", "propose/"):
            page = client.get(f"/work/requests/{request.pk}/{address}").content.decode()
            assert "此前的申请已被拒绝" in page
            assert refused.decision_reason in page
