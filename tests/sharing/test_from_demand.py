"""A demand becomes a request in one step, and what becomes of the request comes back to it."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from apps.catalog.models import DataItem, Demand
from apps.catalog.operations import demands
from apps.core.errors import IllegalMove, InvalidInput, NotAllowed
from apps.ledger.models import Event
from apps.sharing import operations as sharing
from apps.sharing.models import SharingRequest
from apps.sharing.operations.holding.dropping import drop_agreed
from tests import stories
from tests.catalog.demand_stories import WRITTEN
from tests.factories.accounts import InformationSystemFactory
from tests.factories.sharing import Scene, land, make_scene, period


def _demand(scene: Scene, at: datetime, **more: Any) -> Demand:
    return demands.draft(actor=scene.consumer, at=at, **{**WRITTEN, **more})


def _request(scene: Scene, demand: Demand, at: datetime) -> SharingRequest:
    return sharing.draft_request_from_demand(
        demand=demand, dataset=scene.dataset, system=scene.system, actor=scene.consumer, at=at
    )


def test_it_takes_over_what_the_demand_says(scene: Scene, at: datetime) -> None:
    demand = _demand(scene, at, needed_by=date(2026, 12, 1), ends_on=date(2027, 12, 1))
    request = _request(scene, demand, at)
    assert request.demand == demand
    assert (request.basis, request.scenario) == (WRITTEN["basis"], WRITTEN["scenario"])
    assert (request.scope, request.mode) == (WRITTEN["scope"], "interface")
    assert (request.starts_on, request.ends_on) == (date(2026, 12, 1), date(2027, 12, 1))
    names = set(request.requested_items.values_list("item__name", flat=True))
    assert names == {"公民身份号码", "姓名"}
    assert not request.vouched, "nobody vouches for what he has not read"
    demand.refresh_from_db()
    assert (demand.status, demand.dataset) == ("requested", scene.dataset)
    event = Event.objects.get(verb="sharing.draft_request_from_demand", subject_id=request.pk)
    assert event.details == {"demand": demand.number}


def test_sensitive_items_come_masked_and_what_is_not_shared_stays_out(
    scene: Scene, at: datetime
) -> None:
    DataItem.objects.filter(dataset=scene.dataset, name="姓名").update(
        sharing_attribute="not_shared"
    )
    request = _request(scene, _demand(scene, at), at)
    row = request.requested_items.get()
    assert (row.item.name, row.mask) == ("公民身份号码", "cover_identity")


def test_a_demand_without_items_asks_for_all_that_is_shared(scene: Scene, at: datetime) -> None:
    request = _request(scene, _demand(scene, at, wanted_items=[]), at)
    assert request.requested_items.count() == scene.dataset.items.count()


def test_a_demand_whose_items_are_not_there_leaves_the_choice_open(
    scene: Scene, at: datetime
) -> None:
    demand = _demand(scene, at, wanted_items=[{"name": "血型"}])
    assert not _request(scene, demand, at).requested_items.exists()


def test_one_demand_becomes_one_request(scene: Scene, at: datetime) -> None:
    demand = _demand(scene, at)
    _request(scene, demand, at)
    with pytest.raises(IllegalMove):
        _request(scene, demand, at)
    assert SharingRequest.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_refused_draft_leaves_the_demand_as_it_was(at: datetime) -> None:
    scene = make_scene()
    demand = _demand(scene, at)
    others = InformationSystemFactory()
    with pytest.raises(InvalidInput):
        sharing.draft_request_from_demand(
            demand=demand, dataset=scene.dataset, system=others, actor=scene.consumer, at=at
        )
    demand.refresh_from_db()
    assert (demand.status, SharingRequest.objects.count()) == ("draft", 0)
    refusals = Event.objects.filter(verb="sharing.draft_request_from_demand", outcome="refused")
    assert refusals.filter(subject_label=str(demand)).exists()


@pytest.mark.parametrize("who", ["provider", "provider_head", "consumer_head", "authority"])
def test_only_the_wanting_departments_editors_may(scene: Scene, at: datetime, who: str) -> None:
    demand = _demand(scene, at)
    with pytest.raises(NotAllowed):
        sharing.draft_request_from_demand(
            demand=demand,
            dataset=scene.dataset,
            system=scene.system,
            actor=getattr(scene, who),
            at=at,
        )
    demand.refresh_from_db()
    assert demand.status == "draft"


def test_a_withdrawn_request_gives_the_demand_back(scene: Scene, at: datetime) -> None:
    demand = _demand(scene, at)
    request = _request(scene, demand, at)
    sharing.withdraw(request=request, actor=scene.consumer, at=at, reason="改用别的数据")
    demand.refresh_from_db()
    assert demand.status == "returned"
    assert request.number in demand.remark


def test_a_refused_request_gives_the_demand_back(scene: Scene, at: datetime) -> None:
    demand = _demand(scene, at)
    request = _sent(scene, _request(scene, demand, at), at)
    sharing.accept_form(request=request, actor=scene.provider, at=at)
    sharing.propose(
        request=request,
        outcome="refuse",
        actor=scene.provider,
        at=at,
        reason="与用途无关",
        legal_basis="某法第一条",
    )
    stories.confirmed(request, scene, at)
    sharing.refuse(request=request, actor=scene.provider_head, at=at)
    demand.refresh_from_db()
    assert demand.status == "returned"


def _sent(scene: Scene, request: SharingRequest, at: datetime) -> SharingRequest:
    sharing.revise(request=request, actor=scene.consumer, at=at, vouched=True, **period(at))
    request.refresh_from_db()
    sharing.submit(request=request, actor=scene.consumer, at=at)
    return sharing.approve_by_head(request=request, actor=scene.consumer_head, at=at)


def test_the_demand_is_met_when_its_data_is_delivered(server: None, now: datetime) -> None:
    scene = make_scene()
    land(scene.dataset)
    demand = _demand(scene, now)
    request = _sent(scene, _request(scene, demand, now), now)
    sharing.accept_form(request=request, actor=scene.provider, at=now)
    sharing.propose(request=request, outcome="agree", actor=scene.provider, at=now)
    stories.confirmed(request, scene, now)
    sharing.agree(request=request, actor=scene.provider_head, at=now)
    demand.refresh_from_db()
    assert demand.status == "requested"
    sharing.carry_out_due(now + timedelta(seconds=1))
    demand.refresh_from_db()
    request.refresh_from_db()
    assert (request.status, demand.status) == ("delivered", "fulfilled")
    assert demand.fulfilled_at == now + timedelta(seconds=1)


def test_it_becomes_a_request_over_the_api_too(scene: Scene, at: datetime) -> None:
    demand = _demand(scene, at)
    body = {"demand": demand.pk, "dataset": scene.dataset.code, "system": scene.system.code}

    def post(person: Any, **more: Any) -> Any:
        client = Client()
        client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[1])
        given = {**body, **more}
        return client.post("/api/v1/requests", given, content_type="application/json")

    assert post(scene.provider).status_code == 404, "a draft is its department's"
    assert post(scene.consumer, basis="另写的依据").json()["field"] == "basis"
    made = post(scene.consumer)
    assert (made.status_code, made.json()["basis"]) == (201, WRITTEN["basis"])
    demand.refresh_from_db()
    assert demand.status == "requested"
    assert post(scene.consumer).json()["code"] == "illegal_move"


def test_a_demand_is_its_departments_again_when_what_was_agreed_is_dropped(
    scene: Scene, at: datetime
) -> None:
    demand = _demand(scene, at)
    request = _request(scene, demand, at)
    grant = stories.grant_in("in_force", make_scene(), at)
    SharingRequest.objects.filter(pk=request.pk).update(status="agreed", grant=grant)
    request.refresh_from_db()
    drop_agreed(request, "授权已终止", at=at)
    demand.refresh_from_db()
    assert (request.status, demand.status) == ("withdrawn", "returned")
