"""Many at once: exactly one decides, two deliveries both succeed, a long read is waited for."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from threading import Barrier, Event, Thread
from time import sleep
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from psycopg import sql

from apps.core.errors import DomainError
from apps.sharing import operations as sharing
from apps.sharing import provisioning, queries
from apps.sharing.models import Grant, SharingRequest
from apps.sharing.provisioning import locking
from tests import stories
from tests.factories.accounts import InformationSystemFactory, UserFactory
from tests.factories.sharing import Scene, land, make_scene
from tests.sharing.conftest import Read, consumer_connection

pytestmark = pytest.mark.usefixtures("server")


def at_once(works: list[Callable[[], Any]]) -> list[Any]:
    """Run each in a thread of its own, started together; return results or domain errors."""
    results: list[Any] = [None] * len(works)
    ready = Barrier(len(works))

    def run(index: int) -> None:
        try:
            ready.wait(timeout=30)
            results[index] = works[index]()
        except Exception as error:  # noqa: BLE001 (handed to the test)
            results[index] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=(index,)) for index in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


def _fresh(request: SharingRequest) -> SharingRequest:
    return SharingRequest.objects.get(pk=request.pk)


def test_of_eight_heads_who_decide_at_once_exactly_one_wins(now: datetime) -> None:
    scene = make_scene()
    request = stories.awaiting_signature(scene, now)
    versions = request.history.count()
    heads = [
        UserFactory(department=scene.provider_department, roles=["department_approver"])
        for _number in range(8)
    ]
    works: list[Callable[[], Any]] = [
        partial(sharing.agree, request=_fresh(request), actor=head, at=now)
        if number % 2
        else partial(
            sharing.send_back_proposal, request=_fresh(request), actor=head, at=now, reason="再核"
        )
        for number, head in enumerate(heads)
    ]
    results = at_once(works)
    winners = [result for result in results if isinstance(result, SharingRequest)]
    losers = [result for result in results if isinstance(result, DomainError)]
    assert len(winners) == 1
    assert len(losers) == 7
    assert {loser.code for loser in losers} == {"illegal_move"}
    request.refresh_from_db()
    assert request.status in ("agreed", "reviewing")
    assert Grant.objects.count() == (request.status == "agreed")
    assert request.history.count() == versions + 1


def test_of_four_second_persons_at_once_exactly_one_decides(now: datetime) -> None:
    scene = make_scene()
    request = stories.awaiting_second_review(scene, now)
    people = [
        UserFactory(department=scene.provider_department, roles=["department_editor"])
        for _number in range(4)
    ]
    results = at_once(
        [
            partial(sharing.confirm, request=_fresh(request), actor=person, at=now)
            if number % 2
            else partial(
                sharing.send_back_proposal,
                request=_fresh(request),
                actor=person,
                at=now,
                reason="再核",
            )
            for number, person in enumerate(people)
        ]
    )
    losers = [result for result in results if isinstance(result, DomainError)]
    # An editor sends back only what lies with a second person: the later ones may not any more.
    assert len(losers) == 3
    assert {loser.code for loser in losers} <= {"illegal_move", "not_allowed"}
    request.refresh_from_db()
    assert request.status in ("awaiting_signature", "reviewing")
    confirmed = request.decisions.exclude(confirmed_by=None).count()
    assert confirmed == (request.status == "awaiting_signature")


def test_of_two_officers_who_order_at_once_one_is_told(now: datetime) -> None:
    scene = make_scene()
    request = stories.form_check(scene, now)
    officers = [
        UserFactory(department=scene.authority.department, roles=["authority_officer"])
        for _number in range(3)
    ]
    order: dict[str, Any] = {"kind": "order", "hours": 12, "reason": "市政府紧急通知", "at": now}
    results = at_once(
        [
            partial(sharing.mark_urgent, request=_fresh(request), actor=officer, **order)
            for officer in officers
        ]
    )
    codes = [result.code for result in results if isinstance(result, DomainError)]
    assert codes == ["already_urgent"] * 2


def test_what_becomes_urgent_meanwhile_is_given_for_some_days_only(now: datetime) -> None:
    """The order is not yet committed when the opinion is handed in, and the opinion waits."""
    scene = make_scene()
    request = stories.reviewing(scene, now)
    ordered = Event()

    def order() -> None:
        with transaction.atomic():
            sharing.mark_urgent(
                request=_fresh(request),
                actor=scene.authority,
                kind="order",
                hours=12,
                reason="市政府紧急通知",
                at=now,
            )
            ordered.set()
            sleep(1)

    def propose() -> SharingRequest:
        stale = _fresh(request)
        assert ordered.wait(timeout=30)
        return sharing.propose(
            request=stale, outcome="agree", actor=scene.provider, at=now, reason="最少"
        )

    [_ordered, proposed] = at_once([order, propose])
    decision = queries.latest_decision(proposed)
    assert decision is not None
    assert decision.ends_on <= timezone.localdate(now) + timedelta(days=15)


def test_two_approvers_deliver_on_different_datasets_at_once(now: datetime, read: Read) -> None:
    grants = []
    for _number in range(2):
        scene = make_scene()
        land(scene.dataset)
        grants.append(stories.agreed(scene, now).grant)
    results = at_once([partial(sharing.deliver, grant=grant, at=now) for grant in grants])
    assert [type(result) for result in results] == [Grant, Grant]
    for grant in results:
        assert grant.status == "in_force"
        assert read(grant, f"SELECT count(*) FROM share.g_{grant.pk}") == [(6,)]


def test_the_same_delivery_twice_at_once_delivers_once(now: datetime, read: Read) -> None:
    scene = make_scene()
    land(scene.dataset)
    grant = stories.agreed(scene, now).grant
    results = at_once([lambda: sharing.deliver(grant=grant, at=now)] * 3)
    assert [type(result) for result in results] == [Grant] * 3
    grant.refresh_from_db()
    assert grant.history.count() == 2
    assert read(grant, f"SELECT count(*) FROM share.g_{grant.pk}") == [(6,)]


def _second_request(scene: Scene, now: datetime) -> Grant:
    """Another system of the consumer asks for the same dataset."""
    from dataclasses import replace

    system = InformationSystemFactory(department=scene.consumer_department)
    return stories.agreed(replace(scene, system=system), now).grant


class _LongRead:
    """A consumer in the middle of an export: it holds the table until it is let go."""

    def __init__(self, grant: Grant) -> None:
        self.plane = consumer_connection()
        self.plane.autocommit = False
        role = provisioning.place_of(grant).reader
        self.plane.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
        self.plane.execute(f"SELECT * FROM share.g_{grant.pk}".encode())

    def finish(self) -> None:
        self.plane.commit()
        self.plane.close()


def test_a_delivery_waits_for_a_long_export_and_succeeds_after_it(
    landed_scene: Scene, landed_grant: Grant, now: datetime, read: Read
) -> None:
    grant = _second_request(landed_scene, now)
    export = _LongRead(landed_grant)
    begun = Event()
    results: list[Any] = []

    def deliver() -> None:
        begun.set()
        try:
            results.append(sharing.deliver(grant=grant, at=now))
        finally:
            connection.close()

    thread = Thread(target=deliver)
    thread.start()
    begun.wait(timeout=10)
    thread.join(timeout=0.5)
    assert thread.is_alive()
    # Whoever reads meanwhile is not kept waiting by the delivery that waits.
    assert read(landed_grant, f"SELECT count(*) FROM share.g_{landed_grant.pk}") == [(3,)]
    export.finish()
    thread.join(timeout=30)
    assert [result.status for result in results] == ["in_force"]
    assert read(grant, f"SELECT count(*) FROM share.g_{grant.pk}") == [(6,)]


def test_a_delivery_that_cannot_have_the_table_is_left_due_and_comes_again(
    landed_scene: Scene, landed_grant: Grant, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "ATTEMPTS", 2)
    grant = _second_request(landed_scene, now)
    export = _LongRead(landed_grant)
    (problem,) = sharing.carry_out_due(now)
    assert isinstance(problem, provisioning.TableBusy)
    grant.refresh_from_db()
    assert (grant.status, grant.problem) == ("delivering", str(problem))
    assert provisioning.state(provisioning.place_of(grant)) == ""
    export.finish()
    assert sharing.carry_out_due(now) == []
    grant.refresh_from_db()
    assert (grant.status, grant.problem) == ("in_force", "")


def test_the_lock_taken_again_leaves_the_patience_with_tables_short(landed_grant: Grant) -> None:
    """A delivery that ends the grant before it takes the lock twice."""

    def patience() -> str:
        provisioning.hold_lock()
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('lock_timeout')")
            return str(cursor.fetchone()[0])

    assert provisioning.persistently(patience) == locking.LOCK_TIMEOUT


def test_a_suspension_does_not_wait_for_a_long_export(
    landed_scene: Scene, landed_grant: Grant, now: datetime
) -> None:
    export = _LongRead(landed_grant)
    sharing.suspend(
        grant=landed_grant, actor=landed_scene.provider_head, at=now, reason="超范围使用"
    )
    assert landed_grant.status == "suspended"
    export.finish()


def test_of_two_who_speak_last_at_a_step_one_hands_it_on(now: datetime) -> None:
    scene = make_scene()
    first, second, after = (UserFactory(department=scene.consumer_department) for _ in range(3))
    request = stories.draft(scene, now)
    sharing.route(
        request=request, actor=scene.consumer, at=now, steps=[("处室", first), ("分管", after)]
    )
    sharing.submit(request=request, actor=scene.consumer, at=now)
    step = queries.current_steps(request, "consumer").get()
    [beside] = sharing.co_sign(step=step, people=[second], actor=first, at=now)
    has_spoken = Event()

    def speaks_and_is_slow() -> None:
        with transaction.atomic():
            sharing.pass_step(step=step, actor=first, at=now)
            has_spoken.set()
            sleep(0.5)

    def speaks_meanwhile() -> None:
        assert has_spoken.wait(timeout=30)
        sharing.pass_step(step=beside, actor=second, at=now)

    assert at_once([speaks_and_is_slow, speaks_meanwhile]) == [None, None]
    assert [each.assignee for each in queries.current_steps(request, "consumer")] == [after]
