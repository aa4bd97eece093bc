"""The yearly look at a grant: opened after a year, answered, decided, never silently dropped."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.clocks.queries import clocks_of
from apps.core import access
from apps.core.errors import IllegalMove, InvalidInput, NotAllowed, StaleRevision
from apps.ledger.models import Event, Notice, Todo
from apps.sharing import operations as sharing
from apps.sharing.models import ColumnUse, DailyUse, Grant, Recertification
from apps.sharing.operations.holding.recertification_due import _open
from apps.sharing.queries.continuing import grants_to_recertify
from tests import stories
from tests.conftest import CAST
from tests.factories.accounts import DelegationFactory, InformationSystemFactory, UserFactory
from tests.factories.sharing import Scene
from tests.sharing.fingerprint import fingerprint

ONE_DAY = timedelta(days=1)
DELIVERED = date(2025, 9, 23)
OPENED = date(2026, 9, 23)
# 24, 28, 29, 30 September, 8 October: five working days around Mid-Autumn and the National Day.
NEED_BY = date(2026, 10, 8)
# 9, 10 (a Saturday that is worked), 12–16, 19–23, 26–28 October: fifteen more.
DECIDE_BY = date(2026, 10, 28)
ESCALATED = date(2026, 11, 4)  # five working days after it
Decide = Callable[..., Recertification]


def morning(day: date) -> datetime:
    return datetime.combine(day, time(9), tzinfo=timezone.get_default_timezone())


@pytest.fixture
def grant(scene: Scene) -> Grant:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE ledger_accessrecord, ledger_accessclose")
    return stories.delivered(scene, morning(DELIVERED), ends_on=date(2028, 1, 1)).grant


@pytest.fixture
def opened(grant: Grant) -> Recertification:
    assert sharing.recertify_due(morning(OPENED)) == 1
    return Recertification.objects.get()


@pytest.fixture
def stated(opened: Recertification, scene: Scene) -> Recertification:
    return sharing.state_need(
        recertification=opened,
        actor=scene.consumer,
        at=morning(OPENED),
        reason="资助资格核对每学期进行",
    )


@pytest.fixture
def decide(stated: Recertification, scene: Scene) -> Decide:
    def decided(outcome: str, **more: Any) -> Recertification:
        arguments = {"actor": scene.provider_head, "at": morning(OPENED + ONE_DAY), **more}
        return sharing.decide(recertification=stated, outcome=outcome, **arguments)

    return decided


class TestOpening:
    def test_it_opens_when_the_year_is_full_and_not_a_day_before(
        self, grant: Grant, scene: Scene
    ) -> None:
        assert sharing.recertify_due(morning(OPENED - ONE_DAY)) == 0
        assert sharing.recertify_due(morning(OPENED)) == 1
        row = Recertification.objects.get()
        assert (row.status, row.since, row.grant_version) == ("awaiting_need", DELIVERED, 1)
        assert row.due_on == DECIDE_BY
        due = {clock.policy.code: clock.due_on for clock in clocks_of(row)}
        assert due == {"grant.state_need": NEED_BY, "grant.recertify": DECIDE_BY}
        [todo] = Todo.objects.filter(kind="sharing.state_need", done_at=None)
        assert (todo.department, todo.due_on) == (scene.consumer_department, NEED_BY)
        assert Event.objects.filter(verb="sharing.recertify", subject_id=str(grant.pk)).exists()

    def test_it_opens_once(self, opened: Recertification) -> None:
        assert sharing.recertify_due(morning(OPENED)) == 0
        assert sharing.recertify_due(morning(OPENED + ONE_DAY)) == 0
        assert Recertification.objects.count() == 1

    def test_a_grant_that_ends_before_the_decision_is_not_asked_about(self, scene: Scene) -> None:
        stories.delivered(scene, morning(DELIVERED), ends_on=DECIDE_BY)
        assert sharing.recertify_due(morning(OPENED)) == 0

    def test_a_grant_that_ended_meanwhile_is_not_asked_about(
        self, grant: Grant, scene: Scene
    ) -> None:
        at = morning(OPENED)
        [due] = grants_to_recertify(at)
        sharing.end(grant=grant, actor=scene.consumer_head, at=at, reason="不用了")
        before = fingerprint()
        assert _open(due, at) == 0
        assert fingerprint() == before

    def test_the_next_year_counts_from_the_decision(self, decide: Decide) -> None:
        decide("continue")
        a_year_on = OPENED.replace(year=2027) + ONE_DAY
        assert sharing.recertify_due(morning(a_year_on - ONE_DAY)) == 0
        assert sharing.recertify_due(morning(a_year_on)) == 1

    def test_the_figures_of_the_moment_are_kept(self, grant: Grant) -> None:
        Grant.objects.filter(pk=grant.pk).update(calls_a_day=100)
        DailyUse.objects.create(grant=grant, day=date(2026, 9, 1), calls=20, rows=60, bytes=1)
        DailyUse.objects.create(grant=grant, day=date(2025, 9, 1), calls=90, rows=90, bytes=1)
        ColumnUse.objects.create(grant=grant, column="name", last_on=date(2026, 9, 1))
        sharing.recertify_due(morning(OPENED))
        kept = Recertification.objects.get().figures
        assert (kept["calls"], kept["rows"], kept["calls_percent"]) == (20, 60, 20.0)
        assert kept["last_on"] == "2026-09-01"
        assert "name" not in kept["never_read"]
        assert kept["columns"] == len(grant.columns) == len(kept["never_read"]) + 1


class TestNeed:
    def test_it_passes_the_matter_to_the_providers_head(
        self, stated: Recertification, scene: Scene
    ) -> None:
        assert (stated.status, stated.need_stated_by) == ("awaiting_decision", scene.consumer)
        [todo] = Todo.objects.filter(done_at=None, object_id=stated.pk, kind__startswith="sharing")
        assert (todo.kind, todo.due_on) == ("sharing.decide_recertification", DECIDE_BY)
        assert (todo.department, todo.role) == (scene.provider_department, "department_approver")

    def test_silence_passes_it_on_when_its_days_are_over(
        self, opened: Recertification, scene: Scene
    ) -> None:
        sharing.recertify_due(morning(NEED_BY))
        opened.refresh_from_db()
        assert opened.status == "awaiting_need"
        sharing.recertify_due(morning(NEED_BY + ONE_DAY))
        opened.refresh_from_db()
        assert (opened.status, opened.need) == ("awaiting_decision", "")
        assert Todo.objects.filter(kind="sharing.decide_recertification", done_at=None).exists()
        with pytest.raises(IllegalMove):
            sharing.state_need(
                recertification=opened, actor=scene.consumer, at=morning(DECIDE_BY), reason="需要"
            )

    def test_nothing_said_is_refused_and_changes_nothing(
        self, opened: Recertification, scene: Scene
    ) -> None:
        before = fingerprint()
        for actor, reason, error in (
            (scene.consumer, " ", InvalidInput),
            (scene.provider_head, "需要", NotAllowed),
            (scene.authority, "需要", NotAllowed),
        ):
            with pytest.raises(error):
                sharing.state_need(
                    recertification=opened, actor=actor, at=morning(OPENED), reason=reason
                )
        assert fingerprint() == before


class TestDeciding:
    def test_it_continues(self, decide: Decide, grant: Grant, scene: Scene) -> None:
        row = decide("continue")
        assert (row.status, row.outcome, row.decided_by) == (
            "decided",
            "continue",
            scene.provider_head,
        )
        grant.refresh_from_db()
        assert (grant.status, grant.version) == ("in_force", 1)
        assert not Todo.objects.filter(object_id=row.pk, kind__contains="recert", done_at=None)
        event = Event.objects.get(verb="sharing.decide", subject_id=str(grant.pk), outcome="done")
        assert event.details == {"outcome": "continue", "reason": "", "version": 1}
        assert [clock.met for clock in clocks_of(row)] == [True, True]

    def test_it_ends_with_a_reason(self, decide: Decide, grant: Grant) -> None:
        row = decide("end", reason="业务已取消")
        grant.refresh_from_db()
        assert (row.status, grant.status, grant.end_reason) == ("decided", "ended", "业务已取消")

    def test_it_narrows_to_what_was_used(self, decide: Decide, grant: Grant) -> None:
        DailyUse.objects.create(grant=grant, day=date(2026, 9, 1), calls=20, rows=60, bytes=1)
        for column in ("name", "division_code"):
            ColumnUse.objects.create(grant=grant, column=column, last_on=date(2026, 9, 1))
        decide("narrow")
        grant.refresh_from_db()
        assert [column["name"] for column in grant.columns] == ["name", "division_code"]
        assert grant.version == 2
        assert Recertification.objects.get().grant_version == 1

    @pytest.mark.parametrize(
        ("outcome", "reason", "code"),
        [
            ("end", " ", "invalid_input"),
            ("narrow", "无用", "no_proposal"),
            ("keep", "", "invalid_input"),
        ],
    )
    def test_a_refusal_changes_nothing(
        self, decide: Decide, grant: Grant, outcome: str, reason: str, code: str
    ) -> None:
        DailyUse.objects.create(grant=grant, day=OPENED, calls=1, rows=1, bytes=1)
        before = fingerprint()
        with pytest.raises(InvalidInput) as refusal:
            decide(outcome, reason=reason)
        assert (refusal.value.code, fingerprint()) == (code, before)

    def test_it_is_not_decided_before_the_consumer_could_speak(
        self, opened: Recertification, scene: Scene
    ) -> None:
        with pytest.raises(IllegalMove):
            sharing.decide(
                recertification=opened,
                outcome="continue",
                actor=scene.provider_head,
                at=morning(OPENED),
            )
        opened.refresh_from_db()
        assert opened.status == "awaiting_need"

    def test_a_stale_page_is_refused(self, decide: Decide, stated: Recertification) -> None:
        with pytest.raises(StaleRevision):
            decide("continue", revision=stated.revision - 1)

    def test_an_end_elsewhere_lets_it_go(
        self, stated: Recertification, grant: Grant, scene: Scene
    ) -> None:
        sharing.end(grant=grant, actor=scene.consumer_head, at=morning(OPENED), reason="不用了")
        stated.refresh_from_db()
        assert stated.status == "void"
        assert not Todo.objects.filter(object_id=stated.pk, kind__contains="recert", done_at=None)


class TestLateness:
    def test_the_head_is_reminded_then_the_authority_owes_it(
        self, stated: Recertification, scene: Scene
    ) -> None:
        sharing.recertify_due(morning(DECIDE_BY))
        stated.refresh_from_db()
        assert stated.reminded_at is None
        sharing.recertify_due(morning(DECIDE_BY + ONE_DAY))
        stated.refresh_from_db()
        assert stated.reminded_at == morning(DECIDE_BY + ONE_DAY)
        told = Notice.objects.filter(title__contains="复核逾期").values_list("recipient", flat=True)
        assert list(told) == [scene.provider_head.pk]
        sharing.recertify_due(morning(ESCALATED - ONE_DAY))
        assert not Todo.objects.filter(kind="sharing.recertification_late").exists()
        for _ in range(2):
            sharing.recertify_due(morning(ESCALATED))
        [todo] = Todo.objects.filter(kind="sharing.recertification_late")
        assert (todo.department, todo.role) == (scene.authority.department, "authority_officer")
        assert Todo.objects.filter(kind="sharing.decide_recertification", done_at=None).exists()
        sharing.decide(
            recertification=stated,
            outcome="continue",
            actor=scene.authority,
            at=morning(ESCALATED),
        )
        todo.refresh_from_db()
        assert todo.done_at == morning(ESCALATED)

    def test_the_authority_does_not_decide_on_what_its_own_department_uses(
        self, stated: Recertification, grant: Grant, scene: Scene
    ) -> None:
        Recertification.objects.update(
            reminded_at=morning(DECIDE_BY), escalated_at=morning(ESCALATED)
        )
        Grant.objects.filter(pk=grant.pk).update(consumer=scene.authority.department)
        stated.refresh_from_db()
        before = fingerprint()
        with pytest.raises(NotAllowed):
            sharing.decide(
                recertification=stated,
                outcome="continue",
                actor=scene.authority,
                at=morning(ESCALATED),
            )
        assert fingerprint() == before

    def test_who_works_for_the_consumer_does_not_decide_for_the_head(
        self, stated: Recertification, scene: Scene
    ) -> None:
        deputy = UserFactory(department=scene.consumer_department)
        DelegationFactory(
            principal=scene.provider_head, deputy=deputy, starts_on=OPENED, ends_on=ESCALATED
        )
        before = fingerprint()
        with pytest.raises(NotAllowed) as refusal:
            sharing.decide(
                recertification=stated, outcome="continue", actor=deputy, at=morning(OPENED)
            )
        assert refusal.value.code == "own_grant"
        assert fingerprint() == before

    def test_the_authority_does_not_decide_before(
        self, stated: Recertification, scene: Scene
    ) -> None:
        with pytest.raises(NotAllowed):
            sharing.decide(
                recertification=stated,
                outcome="continue",
                actor=scene.authority,
                at=morning(OPENED),
            )


def test_several_are_decided_each_by_itself(scene: Scene) -> None:
    at = morning(DELIVERED)
    scenes = [
        Scene(
            **{
                **scene.__dict__,
                "system": InformationSystemFactory(department=scene.consumer_department),
            }
        )
        for _ in range(3)
    ]
    for each in scenes:
        stories.delivered(each, at, ends_on=date(2028, 1, 1))
    assert sharing.recertify_due(morning(OPENED)) == 3
    first, second, silent = Recertification.objects.order_by("pk")
    for row in (first, second):
        sharing.state_need(
            recertification=row, actor=scene.consumer, at=morning(OPENED), reason="需要"
        )
    answers = sharing.decide_each(
        recertifications=[first, silent, second],
        outcome="end",
        actor=scene.provider_head,
        at=morning(OPENED),
        reason="业务已取消",
    )
    assert [answer.error.code if answer.error else "" for answer in answers] == [
        "",
        "illegal_move",
        "",
    ]
    assert list(Grant.objects.order_by("pk").values_list("status", flat=True)) == [
        "ended",
        "ended",
        "in_force",
    ]


ADMITTED = {
    "view": {
        "consumer",
        "consumer_head",
        "provider",
        "provider_head",
        "authority",
        "authority_leader",
        "auditor",
    },
    "state_need": {"consumer", "consumer_head"},
    "decide": {"provider_head"},
}


@pytest.mark.parametrize("is_late", [False, True])
def test_each_of_the_cast_may_what_the_matrix_says(
    cast: dict[str, Any], scene: Scene, *, is_late: bool
) -> None:
    scene.dataset.department = cast["provider"].department
    scene.dataset.save()
    scene.system.department = cast["consumer"].department
    scene.system.save()
    people = ("authority", "provider", "provider_head", "consumer", "consumer_head")
    second = UserFactory(department=cast["provider"].department, roles=["department_editor"])
    ours = Scene(**{**scene.__dict__, **{name: cast[name] for name in people}, "second": second})
    stories.delivered(ours, morning(DELIVERED), ends_on=date(2028, 1, 1))
    sharing.recertify_due(morning(OPENED))
    row = Recertification.objects.get()
    if is_late:
        moment = morning(OPENED)
        Recertification.objects.update(reminded_at=moment, escalated_at=moment)
    assert set(access.actions_of(Recertification)) == set(ADMITTED)
    wrong = []
    for action, admitted in ADMITTED.items():
        late = {"authority", "authority_leader"} if is_late and action == "decide" else set()
        for name in CAST:
            listed = row in access.rows(cast[name], action, Recertification)
            alone = access.allowed(cast[name], action, row)
            if listed != alone or alone != (name in admitted | late):
                wrong.append((action, name, listed, alone))
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("sharing_recertification_one_open_a_grant", {}),
        ("sharing_recertification_decision_complete", {"outcome": "continue"}),
        ("sharing_recertification_decision_complete", {"status": "decided"}),
        ("sharing_recertification_need_complete", {"need": "需要"}),
        ("sharing_recertification_reminded_first", {"escalated_at": morning(OPENED)}),
    ],
)
def test_the_database_holds_what_must_be_true(
    opened: Recertification, name: str, fields: dict[str, Any]
) -> None:
    grant = opened.grant
    if fields:
        opened.delete()
    at = morning(OPENED)
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Recertification.objects.create(
            grant=grant,
            grant_version=1,
            since=DELIVERED,
            due_on=DECIDE_BY,
            created_at=at,
            updated_at=at,
            **fields,
        )


def test_an_end_without_reason_is_refused_by_the_database(
    opened: Recertification, scene: Scene
) -> None:
    decided = {"decided_by": scene.provider_head, "decided_at": opened.created_at}
    row = Recertification.objects.filter(pk=opened.pk)
    name = "sharing_recertification_end_has_reason"
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        row.update(status="decided", outcome="end", **decided)
