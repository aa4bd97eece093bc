"""Limits of a use: asked, decided only tighter, granted; and what the database holds of them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from apps.core.errors import InvalidInput
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.models import Decision, Grant, SharingRequest, limits_of
from tests import stories
from tests.factories.sharing import Scene
from tests.sharing.fingerprint import fingerprint
from tests.sharing.test_views_forms import signed_in

ASKED: dict[str, Any] = {
    "calls_a_day": 1000,
    "rows_a_day": None,
    "calls_a_minute": 60,
    "allowed_addresses": ["10.20.0.0/16", "192.0.2.7"],
    "may_redistribute": True,
}
KEPT = {**ASKED, "allowed_addresses": ["10.20.0.0/16", "192.0.2.7/32"]}
TIGHTER: dict[str, Any] = {
    "calls_a_day": 500,
    "rows_a_day": 20_000,
    "calls_a_minute": 60,
    "allowed_addresses": ["10.20.3.0/24"],
    "may_redistribute": False,
}


def test_limits_go_from_the_request_into_the_grant(scene: Scene, at: datetime) -> None:
    request = stories.agreed(scene, at, **ASKED)
    asked = queries.asked_terms(request)
    assert asked is not None
    assert limits_of(request) == limits_of(asked) == limits_of(request.grant) == KEPT


def test_a_request_without_limits_is_not_limited(scene: Scene, at: datetime) -> None:
    grant = stories.agreed(scene, at).grant
    assert list(limits_of(grant).values()) == [None, None, None, [], False]


def test_the_provider_decides_tighter_limits(scene: Scene, at: datetime) -> None:
    request = stories.reviewing(scene, at, **ASKED)
    sharing.propose(
        request=request, outcome="narrow", actor=scene.provider, at=at, reason="够用", **TIGHTER
    )
    stories.confirmed(request, scene, at)
    sharing.agree(request=request, actor=scene.provider_head, at=at)
    assert limits_of(request.grant) == TIGHTER
    assert limits_of(SharingRequest.objects.get(pk=request.pk)) == KEPT  # as was asked


def test_an_agreement_gives_what_was_asked(scene: Scene, at: datetime) -> None:
    """Tighter limits beside "agree" are refused rather than dropped; those asked pass."""
    request = stories.reviewing(scene, at, **ASKED)
    with pytest.raises(InvalidInput) as refusal:
        sharing.propose(
            request=request, outcome="agree", actor=scene.provider, at=at, calls_a_day=1
        )
    assert refusal.value.code == "narrower_than_agreed"
    sharing.propose(
        request=request, outcome="agree", actor=scene.provider, at=at, **limits_of(request)
    )
    stories.confirmed(request, scene, at)
    sharing.agree(request=request, actor=scene.provider_head, at=at)
    assert limits_of(request.grant) == KEPT


WIDER: list[dict[str, Any]] = [
    {"calls_a_day": 1001},
    {"calls_a_day": None},
    {"calls_a_minute": 61},
    {"allowed_addresses": ["10.20.0.0/15"]},
    {"allowed_addresses": ["10.20.3.0/24", "198.51.100.0/24"]},
    {"allowed_addresses": ["2001:db8::/32"]},
    {"allowed_addresses": []},
    {"mode": "batch"},
]


@pytest.mark.parametrize("wider", WIDER, ids=str)
def test_a_decision_is_never_wider(scene: Scene, at: datetime, wider: dict[str, Any]) -> None:
    request = stories.reviewing(scene, at, **ASKED)
    before = fingerprint()
    with pytest.raises(InvalidInput) as refusal:
        sharing.propose(
            request=request, outcome="narrow", actor=scene.provider, at=at, reason="少", **wider
        )
    assert refusal.value.code == "wider_than_asked"
    assert refusal.value.details["field"] in wider
    assert fingerprint() == before


def test_redistribution_is_not_decided_where_it_was_not_asked(scene: Scene, at: datetime) -> None:
    request = stories.reviewing(scene, at)
    with pytest.raises(InvalidInput) as refusal:
        sharing.propose(
            request=request,
            outcome="narrow",
            actor=scene.provider,
            at=at,
            reason="少",
            may_redistribute=True,
        )
    assert refusal.value.code == "wider_than_asked"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"calls_a_day": 0}, "invalid_limit_of_use"),
    ({"calls_a_minute": -1}, "invalid_limit_of_use"),
    ({"calls_a_minute": True}, "invalid_limit_of_use"),
    ({"rows_a_day": 10**13}, "invalid_limit_of_use"),
    ({"allowed_addresses": ["10.20.0.1/16"]}, "invalid_address"),
    ({"allowed_addresses": ["0.0.0.0/0"]}, "invalid_address"),
    ({"allowed_addresses": ["::/0"]}, "invalid_address"),
    ({"allowed_addresses": ["10.20.0.0/33"]}, "invalid_address"),
    ({"allowed_addresses": ["portal.example"]}, "invalid_address"),
    ({"allowed_addresses": [f"10.0.0.{n}" for n in range(51)]}, "invalid_address"),
]


@pytest.mark.parametrize(("written", "code"), WRONG, ids=str)
def test_what_is_no_limit_is_refused(
    scene: Scene, at: datetime, written: dict[str, Any], code: str
) -> None:
    request = stories.draft(scene, at)
    before = fingerprint()
    with pytest.raises(InvalidInput) as refusal:
        sharing.revise(request=request, actor=scene.consumer, at=at, **written)
    assert refusal.value.code == code
    assert refusal.value.details["field"] in written
    assert fingerprint() == before


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"calls_a_day": 0}, "limits_positive"),
        ({"rows_a_day": 0}, "limits_positive"),
        ({"calls_a_minute": 0}, "limits_positive"),
        ({"allowed_addresses": {}}, "addresses_are_a_list"),
        ({"allowed_addresses": "10.0.0.0/8"}, "addresses_are_a_list"),
    ],
)
@pytest.mark.parametrize("model", [SharingRequest, Decision, Grant])
def test_the_database_refuses_what_is_no_limit(
    scene: Scene, at: datetime, model: Any, fields: dict[str, Any], constraint: str
) -> None:
    stories.agreed(scene, at)
    name = f"{model._meta.db_table}_{constraint}"
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        model.objects.update(**fields)


class TestVerificationIsAsked:
    KEY = "identity_number"

    def test_it_needs_the_key_in_plain_and_something_to_compare(
        self, scene: Scene, at: datetime
    ) -> None:
        for items, code in [
            ({self.KEY: "cover_identity", "name": ""}, "key_not_readable"),
            ({"name": ""}, "key_not_readable"),
            ({self.KEY: "", "name": "cover_name"}, "no_items"),
        ]:
            request = stories.draft(scene, at, mode="verify", items=items)
            with pytest.raises(InvalidInput) as refusal:
                sharing.submit(request=request, actor=scene.consumer, at=at)
            assert refusal.value.code == code

    def test_it_can_be_decided_instead_of_reading(self, scene: Scene, at: datetime) -> None:
        request = stories.reviewing(scene, at, items={self.KEY: "", "name": ""})
        sharing.propose(
            request=request,
            outcome="narrow",
            actor=scene.provider,
            at=at,
            reason="只需核对",
            mode="verify",
        )
        stories.confirmed(request, scene, at)
        sharing.agree(request=request, actor=scene.provider_head, at=at)
        assert request.grant.mode == "verify"

    def test_it_is_not_decided_where_nothing_could_be_answered(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.reviewing(scene, at, items={self.KEY: "cover_identity", "name": ""})
        before = fingerprint()
        with pytest.raises(InvalidInput) as refusal:
            sharing.propose(
                request=request,
                outcome="narrow",
                actor=scene.provider,
                at=at,
                reason="只需核对",
                mode="verify",
            )
        assert refusal.value.code == "key_not_readable"
        assert fingerprint() == before


class TestPages:
    WRITTEN = {
        "basis": "《社会救助暂行办法》第五十八条",
        "scenario": "资助资格核对",
        "scope": "资助中心",
        "mode": "verify",
        "starts_on": "2026-11-20",
        "ends_on": "2027-11-20",
        "calls_a_day": "1000",
        "rows_a_day": "",
        "calls_a_minute": "60",
        "allowed_addresses": "10.20.0.0/16\n\n192.0.2.7, 192.0.2.8",
        "may_redistribute": "on",
    }

    def test_the_step_of_the_purpose_keeps_them(self, scene: Scene, at: datetime) -> None:
        request = stories.draft(scene, at)
        client = signed_in(scene.consumer)
        place = f"/work/requests/{request.pk}/edit/purpose/"
        assert client.post(place, self.WRITTEN).status_code == 302
        request.refresh_from_db()
        assert limits_of(request) == {
            **KEPT,
            "allowed_addresses": ["10.20.0.0/16", "192.0.2.7/32", "192.0.2.8/32"],
        }
        assert request.mode == "verify"
        page = client.get(place).content.decode()
        assert "10.20.0.0/16\n192.0.2.7/32" in page
        shown = client.get(f"/work/requests/{request.pk}/").content.decode()
        for words in ("每日 1,000 次", "每分钟 60 次", "192.0.2.8/32", "允许，限使用部门内部"):
            assert words in shown
        emptied = {**self.WRITTEN, "calls_a_day": "", "allowed_addresses": ""}
        del emptied["may_redistribute"]
        client.post(place, emptied)
        request.refresh_from_db()
        assert (request.calls_a_day, request.allowed_addresses) == (None, [])
        assert request.may_redistribute is False

    def test_a_wrong_network_is_told_at_its_field_and_stays(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.draft(scene, at)
        page = signed_in(scene.consumer).post(
            f"/work/requests/{request.pk}/edit/purpose/",
            {**self.WRITTEN, "allowed_addresses": "10.20.0.9/16"},
        )
        text = page.content.decode()
        assert "来源地址“10.20.0.9/16”不是 IP 地址或网段" in text
        assert text.count("10.20.0.9/16") >= 2
        request.refresh_from_db()
        assert request.allowed_addresses == []

    def test_the_provider_tightens_them_on_the_page(self, scene: Scene, at: datetime) -> None:
        plain = {"identity_number": "", "name": "", "amount": ""}
        request = stories.reviewing(scene, at, items=plain, **ASKED)
        client = signed_in(scene.provider)
        place = f"/work/requests/{request.pk}/propose/"
        assert 'value="1000"' in client.get(place).content.decode()
        sent = {
            "outcome": "narrow",
            "items": ["identity_number", "name"],
            "is_verify_only": "on",
            "ends_on": str(request.ends_on),
            "reason": "只需核对",
            "calls_a_day": "500",
            "calls_a_minute": "60",
            "allowed_addresses": "10.20.3.0/24",
            "revision": request.revision,
        }
        looked = client.post(place, {**sent, "preview": "1"}).content.decode()
        assert 'name="may_redistribute"' in looked
        assert client.post(place, sent).status_code == 302
        decision = queries.latest_decision(request)
        assert decision is not None
        assert decision.mode == "verify"
        assert limits_of(decision) == {**TIGHTER, "rows_a_day": None}
        shown = client.get(f"/work/requests/{request.pk}/").content.decode()
        for words in ("每日 500 次", "10.20.3.0/24", "核验"):
            assert words in shown


class TestApi:
    @pytest.fixture
    def client(self, scene: Scene) -> Callable[[Any], Client]:
        return signed_in

    def test_they_are_drafted_and_shown(
        self, scene: Scene, at: datetime, client: Callable[[Any], Client]
    ) -> None:
        made = client(scene.consumer).post(
            "/api/v1/requests",
            {
                "dataset": scene.dataset.code,
                "system": scene.system.code,
                "mode": "verify",
                **ASKED,
            },
            content_type="application/json",
        )
        assert made.status_code == 201, made.content
        body = made.json()
        assert {name: body[name] for name in KEPT} == KEPT
        assert body["mode"] == "verify"

    def test_a_grant_is_narrowed(
        self, scene: Scene, at: datetime, client: Callable[[Any], Client]
    ) -> None:
        grant = stories.delivered(scene, at, **ASKED).grant
        narrowed = client(scene.provider_head).post(
            f"/api/v1/grants/{grant.pk}/narrow",
            {"reason": "够用", "calls_a_day": 10, "revision": grant.revision},
            content_type="application/json",
        )
        assert narrowed.status_code == 200, narrowed.content
        body = narrowed.json()
        assert (body["calls_a_day"], body["version"]) == (10, 2)
        wider = client(scene.provider_head).post(
            f"/api/v1/grants/{grant.pk}/narrow",
            {"reason": "够用", "calls_a_day": 11},
            content_type="application/json",
        )
        assert (wider.status_code, wider.json()["code"]) == (400, "wider_than_asked")
