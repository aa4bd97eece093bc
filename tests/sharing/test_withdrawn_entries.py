"""An entry goes out of force: who uses it is told, served on for a time, and no longer."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from guardian.shortcuts import get_perms

from apps.catalog import operations as catalog
from apps.catalog import queries
from apps.clocks import operations as clocks
from apps.clocks.models import ClockPolicy
from apps.clocks.queries import clocks_of
from apps.core.errors import InvalidInput
from apps.ledger.models import Event, Notice
from apps.sharing import operations as sharing
from apps.sharing.models import Grant
from tests import stories
from tests.factories.accounts import InformationSystemFactory
from tests.factories.sharing import Scene, make_scene

HALF_A_YEAR = timedelta(days=183)


def withdraw(scene: Scene, at: datetime) -> None:
    dataset = scene.dataset
    catalog.request_withdrawal(
        dataset=dataset, actor=scene.provider_head, at=at, reason="职能已划转"
    )
    catalog.withdraw(dataset=dataset, actor=scene.authority, at=at)


def wind_down_of(scene: Scene) -> Any:
    return clocks_of(scene.dataset).filter(policy__code="catalog.withdraw_wind_down").last()


@pytest.mark.parametrize("attribute", ["conditional", "unconditional"])
def test_every_holder_is_told_however_his_grant_came_about(
    db: None, at: datetime, attribute: str
) -> None:
    scene = make_scene(sharing_attribute=attribute)
    request = stories.awaiting_head(scene, at)
    sharing.approve_by_head(request=request, actor=scene.consumer_head, at=at)
    if not request.is_automatic:
        sharing.withdraw(request=request, actor=scene.consumer, at=at, reason="重新申请")
        stories.grant_in("in_force", scene, at)
    assert sharing.carry_out_due(at) == []
    assert queries.departments_using(scene.dataset) == [scene.consumer_department]
    withdraw(scene, at)
    told = Notice.objects.filter(title__startswith="正在使用的数据目录已撤回")
    assert {notice.recipient for notice in told} == {scene.consumer, scene.consumer_head}
    assert wind_down_of(scene).state == "running"


def test_service_goes_on_until_the_day_and_ends_with_it(scene: Scene, at: datetime) -> None:
    grant = stories.grant_in("in_force", scene, at)
    withdraw(scene, at)
    clock = wind_down_of(scene)
    assert sharing.carry_out_due(clock.due_at - timedelta(seconds=1)) == []
    grant.refresh_from_db()
    assert grant.status == "in_force"
    for _time in range(2):
        assert sharing.carry_out_due(clock.due_at) == []
    grant.refresh_from_db()
    assert (grant.status, grant.torn_down_at) == ("ended", clock.due_at)
    assert "期满" in grant.end_reason
    clock.refresh_from_db()
    assert (clock.state, clock.met, clock.stopped_at) == ("stopped", True, clock.due_at)
    assert get_perms(scene.consumer_department.group, scene.dataset) == []
    assert Event.objects.filter(verb="sharing.end", outcome="done").count() == 1
    assert Event.objects.filter(verb="sharing.end_wind_down").count() == 1


def test_the_clock_ends_with_the_last_who_is_served(scene: Scene, at: datetime) -> None:
    first = stories.grant_in("in_force", scene, at)
    system = InformationSystemFactory(department=scene.consumer_department)
    second = stories.grant_in("suspended", replace(scene, system=system), at)
    withdraw(scene, at)
    sharing.end(grant=first, actor=scene.consumer_head, at=at, reason="改用其他来源")
    sharing.carry_out_due(at)
    assert wind_down_of(scene).state == "running"
    sharing.end(grant=second, actor=scene.consumer_head, at=at, reason="改用其他来源")
    sharing.carry_out_due(at)
    assert wind_down_of(scene).state == "stopped"


def test_another_policy_is_another_time(scene: Scene, at: datetime) -> None:
    ClockPolicy.objects.filter(code="catalog.withdraw_wind_down").update(length=1)
    grant = stories.grant_in("in_force", scene, at)
    withdraw(scene, at)
    sharing.carry_out_due(at + timedelta(days=32))
    grant.refresh_from_db()
    assert grant.status == "ended"


def test_nobody_is_granted_what_was_withdrawn_meanwhile(scene: Scene, at: datetime) -> None:
    request = stories.request_in("awaiting_signature", scene, at)
    withdraw(scene, at)
    with pytest.raises(InvalidInput) as refusal:
        sharing.agree(request=request, actor=scene.provider_head, at=at)
    assert refusal.value.code == "not_published"
    assert not Grant.objects.exists()


def test_what_was_agreed_but_not_delivered_is_not_delivered_any_more(
    scene: Scene, at: datetime
) -> None:
    grant = stories.grant_in("delivering", scene, at)
    withdraw(scene, at)
    assert wind_down_of(scene) is None
    assert sharing.carry_out_due(at) == []
    grant.refresh_from_db()
    assert (grant.status, "撤回" in grant.end_reason) == ("ended", True)


def test_a_span_is_kept_by_lasting_and_a_deed_by_being_done(scene: Scene, at: datetime) -> None:
    late = at + HALF_A_YEAR
    dataset, provider = scene.dataset, scene.provider_department
    clocks.start(dataset, "catalog.update", department=provider, at=at)
    assert clocks.stop(dataset, "catalog.update", at=late).met is False
    clocks.start(dataset, "catalog.withdraw_wind_down", department=provider, at=at)
    assert clocks.stop(dataset, "catalog.withdraw_wind_down", at=late, met=True).met is True
