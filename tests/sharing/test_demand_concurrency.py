"""Many at once on one demand: exactly one answers, exactly one request comes of it."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from apps.catalog.models import Demand
from apps.catalog.operations import demands
from apps.core.errors import DomainError
from apps.sharing import operations as sharing
from apps.sharing.models import SharingRequest
from tests.catalog import demand_stories
from tests.catalog.demand_stories import PROMISED, Parties
from tests.factories.accounts import UserFactory
from tests.factories.sharing import Scene, make_scene
from tests.sharing.test_concurrency import at_once

pytestmark = pytest.mark.usefixtures("server")


def _parties(scene: Scene) -> Parties:
    return Parties(
        scene.consumer, scene.consumer_head, scene.authority, scene.provider, scene.provider_head
    )


def _told_apart(results: list[Any]) -> tuple[list[Any], list[DomainError]]:
    losers = [result for result in results if isinstance(result, DomainError)]
    return [result for result in results if result not in losers], losers


def test_of_two_replies_at_once_one_wins(now: datetime) -> None:
    scene = make_scene()
    demand = demand_stories.forwarded(_parties(scene), now)
    history = demand.history.count()
    works: list[Callable[[], Any]] = [
        partial(
            demands.propose,
            demand=Demand.objects.get(pk=demand.pk),
            proposal="agree",
            outcome="new_entry",
            promised_on=max(PROMISED, now.date()),
            actor=scene.provider,
            at=now,
        ),
        partial(
            demands.propose,
            demand=Demand.objects.get(pk=demand.pk),
            proposal="disown",
            reason="应由市残联提供",
            actor=UserFactory(department=scene.provider_department, roles=["department_editor"]),
            at=now,
        ),
    ]
    winners, losers = _told_apart(at_once(works))
    assert (len(winners), [loser.code for loser in losers]) == (1, ["illegal_move"])
    demand.refresh_from_db()
    assert demand.status == "awaiting_signature"
    assert (demand.proposal == "agree") == bool(demand.promised_on)
    assert demand.history.count() == history + 1


def test_of_eight_officers_who_forward_at_once_one_wins(now: datetime) -> None:
    scene = make_scene()
    demand = demand_stories.submitted(_parties(scene), now)
    officers = [
        UserFactory(department=scene.authority.department, roles=["authority_officer"])
        for _number in range(8)
    ]
    works: list[Callable[[], Any]] = [
        partial(
            demands.forward,
            demand=Demand.objects.get(pk=demand.pk),
            provider=scene.provider_department,
            actor=officer,
            at=now,
        )
        for officer in officers
    ]
    winners, losers = _told_apart(at_once(works))
    assert (len(winners), {loser.code for loser in losers}) == (1, {"illegal_move"})


def test_taken_up_twice_at_once_it_becomes_one_request(now: datetime) -> None:
    scene = make_scene()
    demand = demand_stories.submitted(_parties(scene), now)
    works: list[Callable[[], Any]] = [
        partial(
            sharing.draft_request_from_demand,
            demand=Demand.objects.get(pk=demand.pk),
            dataset=scene.dataset,
            system=scene.system,
            actor=scene.consumer,
            at=now,
        )
    ] * 4
    winners, losers = _told_apart(at_once(works))
    assert (len(winners), {loser.code for loser in losers}) == (1, {"illegal_move"})
    assert SharingRequest.objects.count() == 1
