"""数据处置证明 where it is more than one grant's matter: renewals, reforms and the calendar."""

from datetime import date, datetime, timedelta

import pytest
from django.test import Client

from apps.accounts import operations as accounts
from apps.accounts.models import Department
from apps.clocks import operations as clocks
from apps.clocks.queries import clocks_of, due_day
from apps.core.errors import InvalidInput
from apps.ledger.models import Event, Notice, Todo
from apps.sharing import operations as sharing
from apps.sharing.models import Disposal, Grant
from apps.sharing.queries.disposals import CLOCK, chain_of, disposals_late, obtained_under
from apps.sharing.tasks import keep_in_use
from tests import stories
from tests.factories.accounts import DepartmentFactory
from tests.factories.sharing import Scene
from tests.sharing.fingerprint import fingerprint
from tests.sharing.test_disposals import _file
from tests.sharing.test_views import signed_in

pytestmark = pytest.mark.django_db
PLAIN = {"identity_number": "", "name": ""}


def _renewed_to_verify(scene: Scene, at: datetime) -> Grant:
    return stories.delivered(scene, at, mode="verify", items=PLAIN).grant


def _ended(grant: Grant, scene: Scene, at: datetime) -> Grant:
    return sharing.end(grant=grant, actor=scene.provider_head, at=at, reason="不再需要")


class TestRenewals:
    def test_what_a_grant_gave_is_owed_when_its_verifying_renewal_ends(
        self, scene: Scene, at: datetime
    ) -> None:
        former = stories.delivered(scene, at, items=PLAIN).grant
        renewal = _renewed_to_verify(scene, at)
        assert not Disposal.objects.exists()
        _ended(renewal, scene, at)
        disposal = Disposal.objects.get()
        assert (disposal.grant, disposal.status) == (renewal, "owed")
        assert set(chain_of(renewal)) == {former, renewal}

    def test_what_was_certified_is_not_asked_again(self, scene: Scene, at: datetime) -> None:
        stories.delivered(scene, at, items=PLAIN)
        certified = stories.delivered(scene, at, items=PLAIN).grant
        _ended(certified, scene, at)
        later = _renewed_to_verify(scene, at)
        assert list(chain_of(later)) == [later]
        _ended(later, scene, at)
        assert [each.grant for each in Disposal.objects.all()] == [certified]

    def test_a_chain_outlives_the_name_of_its_consumer(self, scene: Scene, at: datetime) -> None:
        former = stories.delivered(scene, at, items=PLAIN).grant
        renewal = _renewed_to_verify(scene, at)
        Grant.objects.filter(pk=renewal.pk).update(consumer=DepartmentFactory())
        renewal.refresh_from_db()
        assert set(chain_of(renewal)) == {former, renewal}

    def test_the_data_may_have_been_destroyed_before_the_renewal_began(
        self, scene: Scene, at: datetime
    ) -> None:
        former = stories.delivered(scene, at, items=PLAIN).grant
        Grant.objects.filter(pk=former.pk).update(starts_at=at - timedelta(days=40))
        renewal = _ended(_renewed_to_verify(scene, at), scene, at)
        owed = Disposal.objects.get(grant=renewal)
        before = fingerprint()
        with pytest.raises(InvalidInput):
            _file(owed, scene, at, disposed_on=date(2026, 10, 1))
        assert fingerprint() == before
        assert _file(owed, scene, at, disposed_on=date(2026, 10, 20)).status == "filed"


@pytest.mark.usefixtures("no_earlier_records")
@pytest.mark.django_db(transaction=True)
def test_what_was_read_before_a_renewal_counts_when_it_ends(
    client: Client, address: str, landed_grant: Grant, landed_scene: Scene, now: datetime
) -> None:
    assert client.get(address).status_code == 200
    renewal = stories.delivered(landed_scene, now, mode="batch", items=PLAIN).grant
    landed_grant.refresh_from_db()
    assert landed_grant.status == "ended"
    _ended(renewal, landed_scene, now)
    disposal = Disposal.objects.get()
    assert disposal.grant == renewal
    assert obtained_under(renewal).last_at is not None
    before = fingerprint()
    with pytest.raises(InvalidInput) as refusal:
        sharing.file_disposal(
            disposal=disposal, outcome="nothing", actor=landed_scene.consumer, at=now
        )
    assert refusal.value.code == "was_read"
    assert fingerprint() == before


def _merge(scene: Scene, at: datetime) -> Department:
    """Both sides become one department by a reform."""
    successor = DepartmentFactory(code="ONE", name="市合并后的部门")
    both = [scene.provider_department, scene.consumer_department]
    accounts.succeed(
        kind="merged",
        predecessors=both,
        successors=[successor],
        effective_on=at.date(),
        basis="渝府发〔2026〕12号",
        actor=scene.authority,
        at=at,
    )
    return successor


class TestMergedSides:
    @pytest.mark.parametrize("status", ["owed", "filed", "returned"])
    def test_it_is_void_when_both_sides_become_one(
        self, scene: Scene, at: datetime, status: str
    ) -> None:
        owed = Disposal.objects.get(grant=stories.grant_in("ended", scene, at))
        if status != "owed":
            _file(owed, scene, at)
        if status == "returned":
            sharing.return_disposal(disposal=owed, actor=scene.provider, at=at, reason="不全")
        successor = _merge(scene, at)
        assert [sharing.void_disposals(at) for _ in range(2)] == [1, 0]
        owed.refresh_from_db()
        assert (owed.status, owed.provider, owed.consumer) == ("void", successor, successor)
        assert {clock.state for clock in clocks_of(owed)} <= {"cancelled", "stopped"}
        assert not Todo.objects.filter(
            object_id=owed.pk, kind__contains="disposal", done_at=None
        ).exists()
        assert Event.objects.filter(verb="sharing.void_disposal", outcome="done").count() == 1
        told = Notice.objects.filter(title__contains="已免报").values_list("recipient", flat=True)
        assert scene.consumer.pk in told
        scene.consumer.refresh_from_db()
        page = signed_in(scene.consumer).get(f"/work/grants/disposals/{owed.pk}/")
        assert "不再报送和核对" in page.content.decode()
        assert 'name="outcome"' not in page.content.decode()

    def test_the_daily_task_does_it(self, scene: Scene, at: datetime) -> None:
        owed = Disposal.objects.get(grant=stories.grant_in("ended", scene, at))
        _merge(scene, at)
        keep_in_use(timestamp=0)
        owed.refresh_from_db()
        assert owed.status == "void"

    def test_what_is_confirmed_or_has_two_sides_stays(self, scene: Scene, at: datetime) -> None:
        owed = Disposal.objects.get(grant=stories.grant_in("ended", scene, at))
        before = fingerprint()
        assert sharing.void_disposals(at) == 0
        assert fingerprint() == before
        _file(owed, scene, at)
        sharing.confirm_disposal(disposal=owed, actor=scene.provider, at=at)
        Disposal.objects.filter(pk=owed.pk).update(consumer=owed.provider)
        assert sharing.void_disposals(at) == 0
        owed.refresh_from_db()
        assert owed.status == "confirmed"


class TestCalendar:
    def test_it_is_late_by_its_clock_which_follows_the_calendar(
        self, scene: Scene, at: datetime
    ) -> None:
        owed = Disposal.objects.get(grant=stories.grant_in("ended", scene, at))
        assert due_day(owed, CLOCK) == date(2026, 12, 2)
        clocks.set_day(
            day=date(2026, 11, 25),
            is_workday=False,
            note="全市停工",
            actor=scene.authority,
            at=at,
        )
        [clock] = clocks_of(owed)
        assert clock.due_on == date(2026, 12, 3)
        between = clock.due_at - timedelta(hours=1)
        assert not disposals_late(between).exists()
        assert sharing.remind_disposals(between) == 0
        assert sharing.remind_disposals(clock.due_at) == 1
        [notice] = Notice.objects.filter(title__contains="逾期未报", recipient=scene.consumer)
        assert "2026-12-03" in notice.body
        for url in (f"/work/grants/{owed.grant_id}/", f"/work/grants/disposals/{owed.pk}/"):
            shown = signed_in(scene.provider).get(url).content.decode()
            assert "12-03" in shown or "12月3日" in shown
