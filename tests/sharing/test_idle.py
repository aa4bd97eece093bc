"""A grant that nobody uses: told, cut off after the clock, and the consumer's way back."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.clocks.models import Clock
from apps.clocks.queries import clocks_of
from apps.core.errors import IllegalMove, InvalidInput, NotAllowed
from apps.ledger.models import Event, Notice, Todo
from apps.sharing import operations as sharing
from apps.sharing import provisioning
from apps.sharing.models import DailyUse, Grant, IdleNotice, LandedCopy, MeteredDay
from apps.sharing.operations.holding.idling import _notice
from apps.sharing.queries.continuing import grants_to_notice
from apps.warehouse.models import Store
from tests import stories
from tests.factories.sharing import Scene
from tests.sharing.fingerprint import fingerprint

ONE_DAY = timedelta(days=1)
# Delivered in June; three months are over on 22 September, before the National Day.
DELIVERED = date(2026, 6, 22)
NOTICED = date(2026, 9, 23)
# 24, 28, 29, 30 September; 8, 9, 10 (a Saturday that is worked), 12, 13, 14 October.
LAST_DAY = date(2026, 10, 14)
Look = Callable[[date], int]


def morning(day: date) -> datetime:
    return datetime.combine(day, time(9), tzinfo=timezone.get_default_timezone())


@pytest.fixture
def grant(scene: Scene) -> Grant:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE ledger_accessrecord, ledger_accessclose")
    at = morning(DELIVERED)
    return stories.delivered(scene, at, ends_on=date(2028, 1, 1)).grant


@pytest.fixture
def look(grant: Grant) -> Look:
    """Look as the task does on a day whose uses are summed up."""

    def looked(day: date) -> int:
        MeteredDay.objects.update_or_create(day=day, defaults={"counted_at": morning(day)})
        return sharing.watch_idle(morning(day))

    return looked


def used(grant: Grant, day: date) -> None:
    DailyUse.objects.create(grant=grant, day=day, calls=1, rows=1, bytes=1)


class TestNotice:
    def test_it_comes_when_three_months_are_over_and_not_a_day_before(
        self, grant: Grant, look: Look, scene: Scene
    ) -> None:
        assert look(NOTICED - ONE_DAY) == 0
        assert look(NOTICED) == 1
        notice = IdleNotice.objects.get()
        assert (notice.status, notice.idle_since) == ("noticed", DELIVERED)
        [clock] = clocks_of(notice)
        assert (clock.due_on, clock.policy.code) == (LAST_DAY, "grant.idle_answer")
        [todo] = Todo.objects.filter(kind="sharing.use_again", done_at=None)
        assert (todo.department, todo.due_on) == (scene.consumer_department, LAST_DAY)
        told = set(Notice.objects.filter(title__contains="长期未用").values_list("recipient"))
        assert {(scene.consumer.pk,), (scene.provider.pk,), (scene.authority.pk,)} <= told
        assert Event.objects.filter(verb="sharing.notice_idle", subject_id=str(grant.pk)).exists()

    def test_it_comes_once(self, grant: Grant, look: Look) -> None:
        assert [look(NOTICED), look(NOTICED), look(NOTICED + ONE_DAY)] == [1, 0, 0]
        assert IdleNotice.objects.count() == Clock.objects.filter(
            policy__code="grant.idle_answer"
        ).count() == 1  # fmt: skip

    def test_nobody_is_told_of_a_grant_that_ended_meanwhile(
        self, grant: Grant, scene: Scene
    ) -> None:
        at = morning(NOTICED)
        [idle] = grants_to_notice(at)
        sharing.end(grant=grant, actor=scene.consumer_head, at=at, reason="不用了")
        before = fingerprint()
        assert _notice(idle, at) == 0
        assert fingerprint() == before

    def test_a_use_counts_from_its_day_on(self, grant: Grant, look: Look) -> None:
        used(grant, date(2026, 8, 31))
        assert look(date(2026, 11, 30)) == 0  # the last day of the third month
        assert look(date(2026, 12, 1)) == 1
        assert IdleNotice.objects.get().idle_since == date(2026, 8, 31)

    def test_nobody_is_called_idle_on_figures_that_are_not_of_today(self, grant: Grant) -> None:
        assert sharing.watch_idle(morning(NOTICED)) == 0
        MeteredDay.objects.create(day=NOTICED - ONE_DAY, counted_at=morning(NOTICED))
        assert sharing.watch_idle(morning(NOTICED)) == 0
        assert IdleNotice.objects.count() == 0

    def test_a_landed_copy_that_is_kept_counts_as_used(
        self, grant: Grant, look: Look, scene: Scene
    ) -> None:
        store = Store.objects.create(
            kind="department_pool",
            number=9999,
            code="pool_9999",
            name="数据池",
            schema="pool_9999",
            department=scene.consumer_department,
            created_at=morning(DELIVERED),
        )
        copy = LandedCopy.objects.create(
            system=grant.system,
            dataset=grant.dataset,
            grant=grant,
            store=store,
            created_at=morning(DELIVERED),
            complete_at=morning(NOTICED),
        )
        assert look(NOTICED) == 0
        LandedCopy.objects.filter(pk=copy.pk).update(disposed_at=morning(NOTICED))
        assert look(NOTICED) == 1

    def test_what_was_resumed_counts_from_then(
        self, scene: Scene, grant: Grant, look: Look
    ) -> None:
        head = scene.provider_head
        sharing.suspend(grant=grant, actor=head, at=morning(DELIVERED + ONE_DAY), reason="超范围")
        assert look(NOTICED) == 0
        sharing.resume(grant=grant, actor=head, at=morning(NOTICED), reason="已整改")
        assert look(NOTICED + ONE_DAY) == 0


class TestCut:
    def test_it_is_cut_off_when_the_clock_is_over_and_not_on_its_last_day(
        self, grant: Grant, look: Look, scene: Scene
    ) -> None:
        look(NOTICED)
        assert look(LAST_DAY) == 0
        grant.refresh_from_db()
        assert grant.status == "in_force"
        assert look(LAST_DAY + ONE_DAY) == 1
        grant.refresh_from_db()
        assert (grant.status, grant.suspended_by_authority) == ("suspended", False)
        assert "2026-06-22" in grant.suspension_reason
        assert provisioning.is_read_by(provisioning.place_of(grant), ())
        assert grant.history.first().history_user.username == "huiliu"
        notice = IdleNotice.objects.get()
        assert notice.status == "suspended"
        assert [clock.met for clock in clocks_of(notice)] == [False]
        [todo] = Todo.objects.filter(kind="sharing.ask_back", done_at=None)
        assert todo.department == scene.consumer_department
        assert Todo.objects.filter(kind="sharing.use_again", done_at=None).count() == 0
        assert Event.objects.filter(verb="sharing.cut_off", subject_id=str(grant.pk)).count() == 1
        assert look(LAST_DAY + 2 * ONE_DAY) == 0

    def test_a_use_in_time_closes_the_notice(self, grant: Grant, look: Look) -> None:
        look(NOTICED)
        used(grant, LAST_DAY)
        assert look(LAST_DAY + ONE_DAY) == 0
        grant.refresh_from_db()
        assert grant.status == "in_force"
        notice = IdleNotice.objects.get()
        assert notice.status == "used"
        assert [clock.met for clock in clocks_of(notice)] == [True]
        assert Todo.objects.filter(kind="sharing.use_again", done_at=None).count() == 0

    def test_what_is_over_or_suspended_by_others_is_not_cut(
        self, grant: Grant, look: Look, scene: Scene
    ) -> None:
        look(NOTICED)
        sharing.suspend(
            grant=grant, actor=scene.provider_head, at=morning(NOTICED), reason="超范围"
        )
        assert look(LAST_DAY + ONE_DAY) == 0
        grant.refresh_from_db()
        assert grant.suspension_reason == "超范围"
        assert IdleNotice.objects.get().status == "void"

    def test_an_end_lets_the_notice_go_at_once(
        self, grant: Grant, look: Look, scene: Scene
    ) -> None:
        look(NOTICED)
        sharing.end(grant=grant, actor=scene.consumer_head, at=morning(NOTICED), reason="不再需要")
        notice = IdleNotice.objects.get()
        assert (notice.status, notice.closed_at) == ("void", morning(NOTICED))
        assert Todo.objects.filter(kind="sharing.use_again", done_at=None).count() == 0
        assert [clock.state for clock in clocks_of(notice)] == ["cancelled"]


@pytest.fixture
def cut(grant: Grant, look: Look) -> IdleNotice:
    look(NOTICED)
    look(LAST_DAY + ONE_DAY)
    grant.refresh_from_db()
    return IdleNotice.objects.get()


class TestWayBack:
    LATER = morning(LAST_DAY + 2 * ONE_DAY)

    def test_the_consumer_says_its_need_and_the_provider_resumes(
        self, cut: IdleNotice, grant: Grant, scene: Scene, look: Look
    ) -> None:
        sharing.ask_back(
            notice=cut, actor=scene.consumer, at=self.LATER, reason="每年 12 月资助认定时使用"
        )
        assert (cut.status, cut.need_stated_by) == ("need_stated", scene.consumer)
        [todo] = Todo.objects.filter(kind="sharing.resume_idle", done_at=None)
        assert (todo.department, todo.role) == (scene.provider_department, "department_approver")
        sharing.resume(grant=grant, actor=scene.provider_head, at=self.LATER, reason="理由成立")
        cut.refresh_from_db()
        assert (cut.status, cut.closed_at) == ("resumed", self.LATER)
        assert grant.resumed_at == self.LATER
        assert not Todo.objects.filter(kind="sharing.resume_idle", done_at=None).exists()
        assert provisioning.is_read_by(provisioning.place_of(grant), provisioning.readers_of(grant))
        assert look(LAST_DAY + 3 * ONE_DAY) == 0

    @pytest.mark.parametrize("person", ["provider", "provider_head", "authority"])
    def test_nobody_else_says_it(self, cut: IdleNotice, scene: Scene, person: str) -> None:
        before = fingerprint()
        with pytest.raises(NotAllowed):
            sharing.ask_back(notice=cut, actor=getattr(scene, person), at=self.LATER, reason="需要")
        cut.refresh_from_db()
        assert (cut.status, fingerprint()) == ("suspended", before)

    def test_it_takes_a_reason_and_comes_once(self, cut: IdleNotice, scene: Scene) -> None:
        with pytest.raises(InvalidInput):
            sharing.ask_back(notice=cut, actor=scene.consumer, at=self.LATER, reason=" ")
        cut.refresh_from_db()
        assert cut.status == "suspended"
        sharing.ask_back(notice=cut, actor=scene.consumer, at=self.LATER, reason="需要")
        with pytest.raises(IllegalMove):
            sharing.ask_back(notice=cut, actor=scene.consumer, at=self.LATER, reason="再说")
        cut.refresh_from_db()
        assert cut.need == "需要"


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("sharing_idlenotice_one_open_a_grant", {}),
        ("sharing_idlenotice_closed_when_over", {"status": "void"}),
        ("sharing_idlenotice_need_complete", {"need": "需要"}),
        ("sharing_idlenotice_stated_has_need", {"status": "need_stated"}),
    ],
)
def test_the_database_holds_what_must_be_true(
    grant: Grant, look: Look, name: str, fields: dict[str, str]
) -> None:
    look(NOTICED)
    if fields:
        IdleNotice.objects.filter(grant=grant).delete()
    at = morning(NOTICED)
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        IdleNotice.objects.create(
            grant=grant, idle_since=DELIVERED, created_at=at, updated_at=at, **fields
        )
