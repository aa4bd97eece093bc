"""A renewal or a change that is agreed becomes the next version of the grant there is."""

from copy import copy
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from apps.accounts import operations as accounts
from apps.catalog.models import Dataset
from apps.clocks.queries import clocks_of
from apps.core.errors import Conflict, DomainError
from apps.core.templatetags.look import whole
from apps.ledger.models import Event, Notice
from apps.sharing import operations as sharing
from apps.sharing import provisioning, queries, reconciliation
from apps.sharing.models import (
    Disposal,
    Grant,
    IdleNotice,
    MeteredDay,
    QuotaUse,
    Recertification,
    SharingRequest,
)
from apps.sharing.operations.holding.dropping import drop_waiting
from apps.sharing.queries.service_changes import open_change
from tests import stories
from tests.factories.accounts import DepartmentFactory
from tests.factories.gateway import access_records, problem
from tests.factories.sharing import Scene, make_scene
from tests.sharing.conftest import Read
from tests.sharing.fingerprint import fingerprint
from tests.sharing.test_concurrency import at_once
from tests.sharing.test_reshaping import columns_of, publish
from tests.sharing.test_views import signed_in

WIDER = {
    "identity_number": "cover_identity",
    "name": "",
    "division_code": "",
    "registered_on": "",
    "amount": "",
}
KEYS = {"identity_number": "", "name": ""}


def asked(scene: Scene, grant: Grant, at: datetime, **changes: Any) -> SharingRequest:
    """A change of the grant that the provider has received and looks at."""
    draft = sharing.ask_change(grant=grant, actor=scene.consumer, at=at)
    written: dict[str, Any] = {"ends_on": draft.ends_on, **changes}
    draft = sharing.revise(request=draft, actor=scene.consumer, at=at, vouched=True, **written)
    sharing.submit(request=draft, actor=scene.consumer, at=at)
    return sharing.approve_by_head(request=draft, actor=scene.consumer_head, at=at)


def agreed(scene: Scene, grant: Grant, at: datetime, **changes: Any) -> SharingRequest:
    """A change of the grant, agreed to and not delivered yet."""
    request = asked(scene, grant, at, **changes)
    sharing.accept_form(request=request, actor=scene.provider, at=at)
    sharing.propose(request=request, outcome="agree", actor=scene.provider, at=at)
    stories.confirmed(request, scene, at)
    return sharing.agree(request=request, actor=scene.provider_head, at=at)


def renewed(scene: Scene, grant: Grant, at: datetime, **changes: Any) -> SharingRequest:
    """A change of the grant, agreed to and delivered."""
    request = agreed(scene, grant, at, **changes)
    sharing.deliver(grant=request.grant, at=at)
    request.refresh_from_db()
    grant.refresh_from_db()
    return request


def last_day(grant: Grant) -> date:
    return timezone.localdate(grant.expires_at - timedelta(seconds=1))


def later(grant: Grant, days: int = 200) -> date:
    return last_day(grant) + timedelta(days=days)


def morning(day: date) -> datetime:
    return datetime.combine(day, time(9), tzinfo=timezone.get_default_timezone())


@pytest.mark.usefixtures("no_earlier_records")
class TestNextRead:
    def test_wider_terms_are_read_on_the_next_read_and_not_before(
        self,
        client: Client,
        address: str,
        landed_grant: Grant,
        landed_scene: Scene,
        now: datetime,
        read: Read,
    ) -> None:
        assert client.get(address).json()["count"] == 3
        request = agreed(landed_scene, landed_grant, now, items=WIDER, row_condition=[])
        before = client.get(address).json()
        assert (before["count"], "amount" in before["data"][0]) == (3, False)
        sharing.deliver(grant=request.grant, at=now)
        page = client.get(address).json()  # with the token drawn before
        assert (page["count"], "amount" in page["data"][0]) == (6, True)
        assert page["grant"]["id"] == landed_grant.pk
        assert page["grant"]["version"] == 2
        assert len(read(landed_grant, f"SELECT amount FROM share.g_{landed_grant.pk}")) == 6
        assert [record["grant_version"] for record in access_records()] == [1, 1, 2]
        assert {record["grant_id"] for record in access_records()} == {landed_grant.pk}
        assert Grant.objects.count() == 1
        assert list(reconciliation.reconcile()) == []

    def test_what_is_left_out_is_read_no_more(
        self,
        client: Client,
        address: str,
        landed_grant: Grant,
        landed_scene: Scene,
        now: datetime,
    ) -> None:
        renewed(landed_scene, landed_grant, now, items={"name": "", "amount": ""})
        assert set(client.get(address).json()["data"][0]) == {"_id", "name", "amount"}

    @pytest.mark.parametrize("path", ["", "/changes"])
    def test_a_cursor_of_the_version_before_is_refused(
        self,
        client: Client,
        address: str,
        landed_grant: Grant,
        landed_scene: Scene,
        now: datetime,
        path: str,
    ) -> None:
        cursor = client.get(f"{address}{path}", {"limit": "1"}).json()["next"]
        renewed(landed_scene, landed_grant, now, items=WIDER)
        refused = client.get(f"{address}{path}", {"cursor": cursor})
        assert problem(refused, 409)["code"] == "resync_required"

    def test_a_longer_term_goes_on_counting(
        self,
        client: Client,
        address: str,
        landed_grant: Grant,
        landed_scene: Scene,
        now: datetime,
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(calls_a_day=5)
        landed_grant.refresh_from_db()
        assert [client.get(address).status_code for _ in range(3)] == [200] * 3
        former_end = landed_grant.expires_at
        renewed(landed_scene, landed_grant, now, ends_on=later(landed_grant))
        assert landed_grant.expires_at == former_end + timedelta(days=200)
        assert [client.get(address).status_code for _ in range(2)] == [200] * 2
        assert problem(client.get(address), 429)["code"] == "daily_calls_exceeded"
        assert QuotaUse.objects.get().calls == 5
        assert list(reconciliation.reconcile()) == []

    def test_one_suspended_meanwhile_stays_suspended(
        self,
        client: Client,
        address: str,
        landed_grant: Grant,
        landed_scene: Scene,
        now: datetime,
    ) -> None:
        request = agreed(landed_scene, landed_grant, now, items=WIDER)
        head = landed_scene.provider_head
        sharing.suspend(grant=landed_grant, actor=head, at=now, reason="超范围使用")
        sharing.deliver(grant=request.grant, at=now)
        landed_grant.refresh_from_db()
        assert (landed_grant.status, landed_grant.version) == ("suspended", 2)
        assert provisioning.is_read_by(provisioning.place_of(landed_grant), ())
        assert client.get(address).status_code == 403
        told = Notice.objects.filter(title__contains="已交付", body__contains="第 2 版")
        assert told.filter(recipient=landed_scene.consumer, body__contains="仍在暂停").exists()
        sharing.resume(grant=landed_grant, actor=head, at=now, reason="已整改")
        assert "amount" in client.get(address).json()["data"][0]

    def test_two_deliveries_at_once_write_one_version(
        self, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        request = agreed(landed_scene, landed_grant, now, items=WIDER)
        results = at_once([partial(sharing.deliver, grant=request.grant, at=now)] * 2)
        assert [type(result) for result in results] == [Grant, Grant]
        landed_grant.refresh_from_db()
        assert landed_grant.version == 2
        assert Event.objects.filter(verb="sharing.deliver", outcome="done").count() == 2

    def test_delivered_and_narrowed_at_once_the_narrowing_stands(
        self, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        request = agreed(landed_scene, landed_grant, now, items=WIDER)
        narrower = partial(
            sharing.narrow,
            grant=landed_grant,
            actor=landed_scene.provider_head,
            at=now,
            reason="超出需要",
            items=["name"],
        )
        results = at_once([partial(sharing.deliver, grant=request.grant, at=now), narrower])
        assert not [result for result in results if isinstance(result, Exception)]
        landed_grant.refresh_from_db()
        request.refresh_from_db()
        assert [column["name"] for column in landed_grant.columns] == ["name"]
        became = (landed_grant.version, request.grant_version, request.status)
        assert became in ((3, 2, "delivered"), (2, None, "withdrawn"))

    def test_delivered_and_ended_at_once_nothing_is_read(
        self, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        request = agreed(landed_scene, landed_grant, now, items=WIDER)
        end = partial(
            sharing.end,
            grant=landed_grant,
            actor=landed_scene.provider_head,
            at=now,
            reason="拒不整改",
        )
        results = at_once([partial(sharing.deliver, grant=request.grant, at=now), end])
        assert not [result for result in results if isinstance(result, Exception)]
        landed_grant.refresh_from_db()
        request.refresh_from_db()
        assert landed_grant.status == "ended"
        assert request.grant_version in (None, 2)
        assert provisioning.is_read_by(provisioning.place_of(landed_grant), ())


@pytest.fixture
def grant(scene: Scene, at: datetime) -> Grant:
    return stories.delivered(scene, at).grant


@pytest.mark.django_db
class TestBinding:
    def test_each_request_keeps_the_version_that_was_made_of_it(
        self, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        first = grant.request
        second = renewed(scene, grant, at, items=["name", "division_code"])
        sharing.narrow(
            grant=grant, actor=scene.provider_head, at=at, reason="用不到", items=["name"]
        )
        third = renewed(scene, grant, at, ends_on=later(grant))
        first.refresh_from_db()
        bound = [(each.grant, each.grant_version, each.status) for each in (first, second, third)]
        assert bound == [(grant, number, "delivered") for number in (1, 2, 4)]
        assert (grant.version, grant.request, grant.status) == (4, third, "in_force")
        made = queries.versions_of_grant(grant)
        assert [(each.number, each.request) for each in made] == [
            (4, third),
            (3, None),
            (2, second),
            (1, first),
        ]
        assert [each.columns for each in made][:3] == [1, 1, 2]
        assert made[1].reason == "用不到"
        assert {each.person for each in made} == {str(scene.provider_head)}

    def test_the_database_binds_a_version_to_one_request(
        self, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        other = SharingRequest.objects.filter(pk=stories.draft(scene, at).pk)
        for wrong in (
            {"grant": grant, "grant_version": 1},
            {"grant_version": 1},
            {"status": "delivered"},
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                other.update(**wrong)

    def test_one_change_waits_at_a_time(self, grant: Grant, scene: Scene, at: datetime) -> None:
        waiting = agreed(scene, grant, at, items=["name"])
        other = SharingRequest.objects.filter(pk=stories.draft(scene, at).pk)
        with pytest.raises(IntegrityError), transaction.atomic():
            other.update(grant=grant)
        with pytest.raises(Conflict) as refusal:
            stories.agreed(scene, at)
        assert refusal.value.code == "already_asked"
        assert queries.waiting_version_of(grant) == waiting

    def test_both_sides_are_told_on_their_pages(
        self, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        first = grant.request
        waiting = agreed(scene, grant, at, items=["name"])
        client = signed_in(scene.consumer)
        page = client.get(f"/work/grants/{grant.pk}/").content.decode()
        assert f"申请 {waiting.number} 已同意" in page
        page = client.get(f"/work/requests/{waiting.pk}/").content.decode()
        assert "同意后成为这项授权的新版本" in page
        sharing.deliver(grant=grant, at=at)
        page = client.get(f"/work/grants/{grant.pk}/").content.decode()
        assert "已同意，自" not in page
        versions = page[page.index('id="versions"') :]
        assert first.number in versions
        assert waiting.number in versions
        assert f'<ins class="diff__new">{whole(waiting.number)}</ins>' in page
        page = client.get(f"/work/requests/{first.pk}/").content.decode()
        assert "本申请形成第 1 版，现为第 2 版" in page
        assert f"/work/grants/{grant.pk}/" in page
        page = client.get(f"/work/requests/{waiting.pk}/").content.decode()
        assert "本申请形成第 2 版" in page
        shown = client.get(f"/api/v1/requests/{first.pk}").json()
        assert (shown["grant"], shown["grant_version"]) == (grant.pk, 1)

    def test_all_its_requests_move_with_the_consumer(
        self, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        first, second = grant.request, renewed(scene, grant, at, items=["name"])
        successor = DepartmentFactory(code="NEW1", name="市新部门")
        accounts.succeed(
            kind="renamed",
            predecessors=[scene.consumer_department],
            successors=[successor],
            effective_on=at.date(),
            basis="渝府发〔2026〕12号",
            actor=scene.authority,
            at=at,
        )
        for row in (grant, first, second):
            row.refresh_from_db()
            assert row.consumer == successor


@pytest.mark.django_db
class TestDays:
    def test_it_takes_effect_on_its_day(self, grant: Grant, scene: Scene, at: datetime) -> None:
        day = at.date() + timedelta(days=10)
        request = agreed(scene, grant, at, starts_on=day, items=["name"])
        assert sharing.carry_out_due(morning(day - timedelta(days=1))) == []
        grant.refresh_from_db()
        assert (grant.version, request.status) == (1, "agreed")
        assert sharing.carry_out_due(morning(day)) == []
        grant.refresh_from_db()
        request.refresh_from_db()
        assert (grant.version, grant.status, request.status) == (2, "in_force", "delivered")
        assert (grant.renewed_at, request.delivered_at) == (morning(day), morning(day))
        assert grant.starts_at <= at

    def test_one_that_follows_on_the_last_day_leaves_no_gap(
        self, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        agreed(scene, grant, at, starts_on=later(grant, 1), ends_on=later(grant, 300))
        assert sharing.carry_out_due(grant.expires_at) == []
        grant.refresh_from_db()
        assert (grant.version, grant.status) == (2, "in_force")
        assert not Disposal.objects.exists()

    def test_one_that_begins_after_the_grant_expired_is_a_grant_of_its_own(
        self, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        day = later(grant, 5)
        request = agreed(scene, grant, at, starts_on=day, ends_on=later(grant, 300))
        assert sharing.carry_out_due(grant.expires_at) == []
        grant.refresh_from_db()
        request.refresh_from_db()
        assert (grant.status, grant.version) == ("expired", 1)
        assert request.grant != grant
        assert (request.grant.status, request.grant_version) == ("delivering", 1)
        assert Disposal.objects.get().grant == grant
        assert sharing.carry_out_due(morning(day)) == []
        request.refresh_from_db()
        assert (request.status, request.grant.status) == ("delivered", "in_force")

    def test_what_was_ended_meanwhile_is_not_revived(
        self, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        request = agreed(scene, grant, at, items=["name"])
        sharing.end(grant=grant, actor=scene.provider_head, at=at, reason="拒不整改")
        assert sharing.carry_out_due(at) == []
        grant.refresh_from_db()
        request.refresh_from_db()
        assert (grant.status, grant.version, Grant.objects.count()) == ("ended", 1, 1)
        assert (request.status, request.grant_id) == ("withdrawn", None)
        assert Notice.objects.filter(recipient=scene.consumer, title__contains="不再交付")
        before = fingerprint()
        assert sharing.carry_out_due(at) == []
        assert fingerprint() == before
        again = stories.draft(scene, at)
        assert sharing.submit(request=again, actor=scene.consumer, at=at).status == "awaiting_head"

    def test_what_expired_suspended_is_not_revived(
        self, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        day = later(grant, 5)
        request = agreed(scene, grant, at, starts_on=day, ends_on=later(grant, 300))
        sharing.suspend(grant=grant, actor=scene.authority, at=at, reason="超范围使用")
        assert sharing.carry_out_due(grant.expires_at) == []
        request.refresh_from_db()
        assert (request.status, Grant.objects.count()) == ("withdrawn", 1)

    def test_a_narrowing_is_not_undone_by_what_was_signed_before(
        self, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        day = at.date() + timedelta(days=10)
        request = agreed(scene, grant, at, starts_on=day, ends_on=later(grant))
        sharing.narrow(
            grant=grant,
            actor=scene.provider_head,
            at=at,
            items=["name"],
            reason="超范围使用",
        )
        request.refresh_from_db()
        assert (request.status, request.grant_id) == ("withdrawn", None)
        assert sharing.carry_out_due(morning(day)) == []
        grant.refresh_from_db()
        assert [column["name"] for column in grant.columns] == ["name"]
        assert grant.version == 2

    def test_a_column_dropped_meanwhile_drops_it_and_the_grant_expires(
        self, scene: Scene, at: datetime
    ) -> None:
        grant = stories.grant_in("in_force", scene, at, items=KEYS)
        request = agreed(
            scene, grant, at, starts_on=later(grant, 1), ends_on=later(grant, 300), items=WIDER
        )
        staying = [each for each in columns_of(scene.dataset) if each.name != "amount"]
        publish(scene.dataset, at, *staying)
        assert sharing.carry_out_due(grant.expires_at) == []
        grant.refresh_from_db()
        request.refresh_from_db()
        assert (request.status, grant.status, grant.version) == ("withdrawn", "expired", 1)
        assert Disposal.objects.get().grant == grant

    def test_what_cannot_be_written_for_a_day_does_not_keep_the_grant_alive(
        self, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        agreed(scene, grant, at, starts_on=later(grant, 1), ends_on=later(grant, 300))
        last = grant.expires_at
        assert not queries.grants_to_expire(last).exists()
        assert list(queries.grants_to_expire(last + timedelta(days=1))) == [grant]

    def test_where_its_grant_was_only_replaced_it_takes_its_turn(
        self, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        day = at.date() + timedelta(days=30)
        waiting = agreed(scene, grant, at, starts_on=day, ends_on=later(grant))
        Grant.objects.filter(pk=grant.pk).update(
            status="ended", ended_at=at, ended_by=scene.provider_head, end_reason="由授权接替"
        )
        former = Grant.objects.get(pk=grant.pk)
        assert not queries.was_replaced(former)
        other = copy(former)
        other.pk, other.request, other.status = None, stories.draft(scene, at), "in_force"
        other.ended_at = other.ended_by = None
        other.end_reason = ""
        other.save(force_insert=True)
        assert queries.was_replaced(former)
        sharing.carry_out_due(at)
        waiting.refresh_from_db()
        assert (waiting.status, waiting.grant.status) == ("agreed", "delivering")
        assert waiting.grant not in (former, other)

    def test_a_change_announced_before_the_signature_does_not_drop_it(
        self, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        signed = at + timedelta(days=1)
        request = agreed(
            scene, grant, signed, starts_on=signed.date() + timedelta(days=20), items=WIDER
        )
        for decided_at, left in ((at, "agreed"), (signed, "withdrawn")):
            with transaction.atomic():
                drop_waiting(grant, "已收窄", signed_before=decided_at, at=signed)
            request.refresh_from_db()
            assert request.status == left

    def test_a_change_announced_after_the_signature_stays_open(
        self, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        day = at.date() + timedelta(days=3)
        agreed(scene, grant, at, starts_on=day, ends_on=later(grant))
        announced = at + timedelta(days=1)
        sharing.open_change(
            grant=grant,
            kind="stop",
            effective_on=at.date() + timedelta(days=60),
            reason="系统下线",
            actor=scene.provider_head,
            at=announced,
        )
        assert sharing.carry_out_due(morning(day)) == []
        grant.refresh_from_db()
        assert grant.version == 2
        assert open_change(grant) is not None

    @pytest.mark.parametrize("why", ["withdrawn", "past"])
    def test_what_can_be_delivered_no_more_is_dropped_and_told(
        self, grant: Grant, scene: Scene, at: datetime, why: str
    ) -> None:
        day = at.date() + timedelta(days=10)
        until = day + timedelta(days=5)
        request = agreed(scene, grant, at, starts_on=day, ends_on=until, items=["name"])
        when = at
        if why == "withdrawn":
            Dataset.objects.filter(pk=scene.dataset.pk).update(status="withdrawn", withdrawn_at=at)
        else:  # nothing was delivered on any of its days
            when = morning(until + timedelta(days=1))
        sharing.carry_out_due(when)
        request.refresh_from_db()
        assert (request.grant_id, request.grant_version) == (None, None)
        assert request.status == "withdrawn"
        [clock] = [each for each in clocks_of(request) if each.policy.code == "request.deliver"]
        assert clock.state == "cancelled"
        assert Event.objects.filter(verb="sharing.drop_agreed", outcome="done").count() == 1
        told = Notice.objects.filter(title__contains="不再交付").values_list("recipient", flat=True)
        assert {scene.consumer.pk, scene.provider_head.pk} <= set(told)
        assert queries.waiting_version_of(grant) is None


@pytest.mark.django_db
class TestGrantsOfTheirOwn:
    def test_in_another_mode_it_takes_the_grants_place(
        self, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        request = renewed(scene, grant, at, mode="batch")
        assert request.grant != grant
        assert (grant.status, request.grant.status) == ("ended", "in_force")
        assert str(request.grant) in grant.end_reason
        assert not Disposal.objects.exists()

    def test_it_does_not_take_the_place_of_a_suspended_one(
        self, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        request = agreed(scene, grant, at, mode="batch")
        sharing.suspend(grant=grant, actor=scene.provider_head, at=at, reason="超范围使用")
        with pytest.raises(DomainError) as refusal:
            sharing.deliver(grant=request.grant, at=at)
        assert refusal.value.code == "grant_suspended"
        grant.refresh_from_db()
        request.refresh_from_db()
        assert (grant.status, request.grant.status) == ("suspended", "delivering")
        assert str(grant) in request.grant.problem

    def test_what_is_urgent_and_what_follows_it_are(
        self, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        request = asked(scene, grant, at, items=["name"])
        sharing.mark_urgent(
            request=request,
            actor=scene.authority,
            at=at,
            kind="epidemic",
            hours=12,
            reason="渝防办〔2026〕3号",
        )
        sharing.propose(
            request=request,
            outcome="agree",
            actor=scene.provider,
            at=at,
            reason="核对密切接触者所必需",
            missing_papers="申请函原件",
        )
        stories.confirmed(request, scene, at)
        sharing.agree(request=request, actor=scene.provider_head, at=at)
        temporary = sharing.deliver(grant=request.grant, at=at)
        grant.refresh_from_db()
        assert (grant.status, temporary.status) == ("ended", "in_force")
        assert temporary != grant
        ordinary = renewed(scene, temporary, at, ends_on=later(grant))
        assert ordinary.grant != temporary
        assert (temporary.status, ordinary.grant.status) == ("ended", "in_force")
        owed = [each for each in clocks_of(request) if each.policy.code == "request.backfill"]
        assert [each.state for each in owed] == ["cancelled"]

    def test_what_was_signed_before_a_suspension_does_not_outlive_it(
        self, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        day = later(grant, 5)
        request = agreed(scene, grant, at, mode="batch", starts_on=day, ends_on=later(grant, 300))
        suspended = at + timedelta(days=1)
        sharing.suspend(grant=grant, actor=scene.authority, at=suspended, reason="超范围使用")
        assert sharing.carry_out_due(grant.expires_at) == []
        (problem,) = sharing.carry_out_due(morning(day))
        assert problem.code == "grant_suspended"
        request.grant.refresh_from_db()
        assert (request.grant.status, str(problem)) == ("delivering", request.grant.problem)


@pytest.mark.django_db
class TestOpenQuestions:
    def test_a_certificate_is_owed_at_the_very_end_and_once(
        self, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        renewed(scene, grant, at, items=["name"])
        renewed(scene, grant, at, ends_on=later(grant))
        assert not Disposal.objects.exists()
        sharing.end(grant=grant, actor=scene.provider_head, at=at, reason="不再需要")
        assert Disposal.objects.get().grant == grant

    def test_none_is_owed_where_every_version_only_verified(
        self, scene: Scene, at: datetime
    ) -> None:
        grant = stories.delivered(scene, at, mode="verify", items=KEYS).grant
        renewed(scene, grant, at, ends_on=later(grant))
        assert (grant.version, grant.mode) == (2, "verify")
        sharing.end(grant=grant, actor=scene.provider_head, at=at, reason="不再需要")
        assert not Disposal.objects.exists()

    def test_the_yearly_look_falls_away_and_comes_a_year_later(self, scene: Scene) -> None:
        begun = morning(date(2025, 9, 23))
        grant = stories.delivered(scene, begun, ends_on=date(2028, 1, 1)).grant
        opened, renewal = morning(date(2026, 9, 23)), morning(date(2026, 9, 24))
        assert sharing.recertify_due(opened) == 1
        renewed(scene, grant, renewal, ends_on=date(2029, 1, 1))
        assert Recertification.objects.get().status == "void"
        assert sharing.recertify_due(renewal + timedelta(days=300)) == 0
        assert sharing.recertify_due(morning(date(2027, 9, 24))) == 1

    def test_a_reminder_of_idleness_falls_away_and_the_months_begin_anew(
        self, scene: Scene
    ) -> None:
        grant = stories.delivered(scene, morning(date(2026, 6, 22)), ends_on=date(2028, 1, 1)).grant

        def look(day: date) -> int:
            MeteredDay.objects.update_or_create(day=day, defaults={"counted_at": morning(day)})
            return sharing.watch_idle(morning(day))

        assert look(date(2026, 9, 23)) == 1
        renewed(scene, grant, morning(date(2026, 9, 24)), ends_on=date(2029, 1, 1))
        assert IdleNotice.objects.get().status == "void"
        assert look(date(2026, 12, 20)) == 0
        assert look(date(2026, 12, 26)) == 1

    def test_an_announced_change_falls_away(self, grant: Grant, scene: Scene, at: datetime) -> None:
        change = sharing.open_change(
            grant=grant,
            actor=scene.provider_head,
            at=at,
            kind="stop",
            effective_on=at.date() + timedelta(days=30),
            reason="改由省级系统提供",
        )
        renewed(scene, grant, at, items=["name"])
        change.refresh_from_db()
        assert change.status == "void"
        assert open_change(grant) is None

    def test_unconditional_data_is_renewed_at_once_until_it_is_narrowed(self, at: datetime) -> None:
        scene = make_scene(sharing_attribute="unconditional")
        first = stories.form_check(scene, at, items=["name", "division_code"])
        grant = sharing.deliver(grant=first.grant, at=at)
        for version in (2, 3):
            request = asked(scene, grant, at, ends_on=later(grant))
            assert request.is_automatic
            sharing.deliver(grant=request.grant, at=at)
            grant.refresh_from_db()
            assert grant.version == version
        sharing.narrow(
            grant=grant, actor=scene.provider_head, at=at, reason="用不到", items=["name"]
        )
        again = asked(scene, grant, at, items=["name", "division_code"])
        assert (again.status, again.is_automatic) == ("form_check", False)

    def test_the_clock_of_delivery_stops_when_it_is_delivered(
        self, grant: Grant, scene: Scene, at: datetime
    ) -> None:
        request = agreed(scene, grant, at, items=["name"])
        [clock] = [each for each in clocks_of(request) if each.policy.code == "request.deliver"]
        assert clock.state == "running"
        sharing.deliver(grant=grant, at=at)
        clock.refresh_from_db()
        assert (clock.state, clock.met) == ("stopped", True)
