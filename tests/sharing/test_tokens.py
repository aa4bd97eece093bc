"""Only client credentials of systems in use give a token; every draw is recorded."""

import base64
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.ledger.models import Event
from apps.sharing.gateway.credentials import IssuedSecret
from apps.sharing.operations.serving.credentials import MOST_CREDENTIALS
from tests.factories.gateway import caller, credential_of, draw_token
from tests.factories.sharing import Scene

pytestmark = pytest.mark.django_db(transaction=True)
GRANT_TYPE = {"grant_type": "client_credentials"}


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def scene(transactional_db: None) -> Scene:
    from tests.factories.sharing import make_scene

    return make_scene()


@pytest.fixture
def credential(scene: Scene, now: datetime) -> IssuedSecret:
    return credential_of(scene.system, scene.consumer_head, now)


def test_a_token_is_given_for_an_hour_and_the_draw_is_recorded(
    scene: Scene, credential: IssuedSecret
) -> None:
    response = Client().post("/oauth/token", {**GRANT_TYPE, **credential._asdict()})
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert response.json()["token_type"] == "Bearer"
    assert response.json()["expires_in"] == 3600
    event = Event.objects.get(verb="sharing.draw_token")
    assert event.actor_id == scene.system.service_user_id
    assert response.json()["access_token"] not in str(event.details)


def test_the_secret_may_travel_in_the_header(credential: IssuedSecret) -> None:
    pair = f"{credential.client_id}:{credential.client_secret}".encode()
    headers = {"Authorization": "Basic " + base64.b64encode(pair).decode()}
    assert Client(headers=headers).post("/oauth/token", GRANT_TYPE).status_code == 200


def test_neither_token_nor_secret_is_kept_in_plain(credential: IssuedSecret) -> None:
    token = draw_token(credential)
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM oauth2_provider_accesstoken t")
        kept = str(cursor.fetchall())
        cursor.execute("SELECT a::text FROM oauth2_provider_application a")
        kept += str(cursor.fetchall())
    assert token not in kept
    assert credential.client_secret not in kept


def test_a_wrong_secret_is_refused_and_recorded(scene: Scene, credential: IssuedSecret) -> None:
    wrong = {**GRANT_TYPE, **credential._asdict(), "client_secret": "guess"}
    response = Client().post("/oauth/token", wrong)
    assert response.status_code == 401
    assert response.json()["error"] == "invalid_client"
    event = Event.objects.get(verb="sharing.draw_token", outcome="refused")
    assert event.actor_id == scene.system.service_user_id


@pytest.mark.parametrize(
    "kind", ["password", "authorization_code", "refresh_token", "implicit", ""]
)
def test_no_other_way_leads_to_a_token(credential: IssuedSecret, kind: str) -> None:
    asked = {**credential._asdict(), "grant_type": kind, "username": "a", "password": "b"}
    response = Client().post("/oauth/token", asked)
    assert response.status_code == 400
    assert "access_token" not in response.json()


def test_a_retired_system_draws_none(scene: Scene, credential: IssuedSecret) -> None:
    scene.system.status = "retired"
    scene.system.save()
    response = Client().post("/oauth/token", {**GRANT_TYPE, **credential._asdict()})
    assert response.status_code in (400, 401)


def test_a_credential_unused_for_half_a_year_is_dead(
    credential: IssuedSecret, now: datetime
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE oauth2_provider_application SET updated = %s", [now - timedelta(days=181)]
        )
    response = Client().post("/oauth/token", {**GRANT_TYPE, **credential._asdict()})
    assert response.status_code in (400, 401)


def test_a_system_holds_a_few_credentials_and_no_more(
    scene: Scene, credential: IssuedSecret, now: datetime
) -> None:
    from apps.core.errors import Conflict

    for _number in range(MOST_CREDENTIALS - 1):
        credential_of(scene.system, scene.consumer_head, now)
    with pytest.raises(Conflict) as refusal:
        credential_of(scene.system, scene.consumer_head, now)
    assert refusal.value.code == "too_many_credentials"


def test_a_token_opens_no_screen(credential: IssuedSecret) -> None:
    """A system calls the API; the pages of people stay shut."""
    system = caller(draw_token(credential))
    assert system.get("/work/requests/").status_code == 302
    assert system.get("/admin/").status_code == 302
