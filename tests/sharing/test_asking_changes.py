"""The consumer asks for a change of what it has: a request begun with the terms of the grant."""

from datetime import datetime, timedelta

import pytest
from django.test import Client

from apps.core.errors import Conflict, IllegalMove, NotAllowed
from apps.ledger.models import Event
from apps.sharing import operations as sharing
from apps.sharing.models import Grant, SharingRequest
from tests import stories
from tests.factories.sharing import Scene, make_scene
from tests.sharing.fingerprint import fingerprint
from tests.sharing.test_views import signed_in

pytestmark = pytest.mark.django_db
ITEMS = {"name": "cover_name", "division_code": "", "amount": ""}
ROWS = [{"item": "division_code", "operator": "eq", "value": "500103"}]


@pytest.fixture
def grant(scene: Scene, at: datetime) -> Grant:
    return stories.delivered(scene, at, items=ITEMS, row_condition=ROWS, calls_a_day=500).grant


class TestAsking:
    def test_the_draft_says_what_the_grant_says(
        self, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        draft = sharing.ask_change(grant=grant, actor=scene.consumer, at=at)
        assert (draft.status, draft.vouched) == ("draft", False)
        assert (draft.dataset, draft.system) == (grant.dataset, grant.system)
        asked = {row.item.column_name: row.mask for row in draft.requested_items.all()}
        assert asked == ITEMS
        assert (draft.row_condition, draft.calls_a_day) == (ROWS, 500)
        assert (draft.scenario, draft.basis) == (grant.purpose, grant.request.basis)
        assert draft.ends_on == grant.request.ends_on
        event = Event.objects.get(verb="sharing.ask_change", outcome="done")
        assert event.details == {"grant": str(grant), "version": 1}

    def test_what_was_narrowed_stays_narrow(self, grant: Grant, scene: Scene, at: datetime) -> None:
        sharing.narrow(
            grant=grant, actor=scene.provider_head, at=at, reason="用不到", items=["name"]
        )
        draft = sharing.ask_change(grant=grant, actor=scene.consumer, at=at)
        assert [row.item.column_name for row in draft.requested_items.all()] == ["name"]

    def test_what_is_not_shared_any_more_is_left_out(
        self, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        scene.dataset.items.filter(column_name="amount").update(sharing_attribute="not_shared")
        draft = sharing.ask_change(grant=grant, actor=scene.consumer, at=at)
        asked = {row.item.column_name for row in draft.requested_items.all()}
        assert asked == {"name", "division_code"}

    def test_it_is_decided_like_every_request_and_is_then_the_grants_next_version(
        self, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        draft = sharing.ask_change(grant=grant, actor=scene.consumer, at=at)
        assert draft.ends_on is not None
        later = draft.ends_on + timedelta(days=200)
        sharing.revise(request=draft, actor=scene.consumer, at=at, ends_on=later, vouched=True)
        draft.refresh_from_db()
        sharing.submit(request=draft, actor=scene.consumer, at=at)
        sharing.approve_by_head(request=draft, actor=scene.consumer_head, at=at)
        assert draft.status == "form_check"
        sharing.accept_form(request=draft, actor=scene.provider, at=at)
        sharing.propose(request=draft, outcome="agree", actor=scene.provider, at=at)
        stories.confirmed(draft, scene, at)
        sharing.agree(request=draft, actor=scene.provider_head, at=at)
        grant.refresh_from_db()
        assert (grant.status, grant.version) == ("in_force", 1)
        sharing.deliver(grant=draft.grant, at=at)
        grant.refresh_from_db()
        draft.refresh_from_db()
        assert (grant.status, grant.version) == ("in_force", 2)
        assert (draft.grant, draft.status, grant.request) == (grant, "delivered", draft)

    @pytest.mark.parametrize("status", ["delivering", "suspended", "ended", "expired"])
    def test_only_of_a_grant_in_force(self, scene: Scene, at: datetime, status: str) -> None:
        grant = stories.grant_in(status, scene, at)
        before = fingerprint()
        with pytest.raises(IllegalMove):
            sharing.ask_change(grant=grant, actor=scene.consumer, at=at)
        assert fingerprint() == before

    def test_one_at_a_time_and_by_the_consumers_editors_only(
        self, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        sharing.ask_change(grant=grant, actor=scene.consumer, at=at)
        before = fingerprint()
        with pytest.raises(Conflict) as refusal:
            sharing.ask_change(grant=grant, actor=scene.consumer, at=at)
        assert refusal.value.code == "already_asked"
        for person in (scene.consumer_head, scene.provider, scene.authority):
            with pytest.raises(NotAllowed):
                sharing.ask_change(grant=grant, actor=person, at=at)
        assert fingerprint() == before


class TestPages:
    def test_from_the_grant_to_the_draft_and_beside_it(self, grant: Grant, scene: Scene) -> None:
        client = signed_in(scene.consumer)
        assert "申请变更或续期" in client.get(f"/work/grants/{grant.pk}/").content.decode()
        url = f"/work/grants/{grant.pk}/ask-change/"
        assert "建立申请草稿" in client.get(url).content.decode()
        assert client.post(url).status_code == 302
        draft = SharingRequest.objects.get(status="draft")
        draft.calls_a_day = 9000
        draft.scenario = "助学贷款贷后管理"
        draft.save()
        page = client.get(f"/work/requests/{draft.pk}/").content.decode()
        assert "与现有授权对比" in page
        assert '<ins class="diff__new">9,000</ins>' in page
        assert '<ins class="diff__new">助学贷款贷后管理</ins>' in page
        again = client.get(url).content.decode()
        assert draft.number in again
        assert "建立申请草稿" not in again

    def test_others_cannot(self, grant: Grant, scene: Scene) -> None:
        url = f"/work/grants/{grant.pk}/ask-change/"
        for person, expected in ((scene.provider, 403), (make_scene().consumer, 404)):
            client: Client = signed_in(person)
            assert client.get(url).status_code == expected
            assert client.post(url).status_code == expected
        assert not SharingRequest.objects.filter(status="draft").exists()

    def test_a_first_request_stands_alone(self, scene: Scene, at: datetime) -> None:
        request = stories.reviewing(scene, at)
        page = signed_in(scene.provider).get(f"/work/requests/{request.pk}/")
        assert "与现有授权对比" not in page.content.decode()
