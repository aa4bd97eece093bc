"""The screens of information systems: who sees them, who issues and revokes credentials."""

import re
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from oauth2_provider.models import Application

from apps.ledger.models import Event, Todo
from apps.sharing.models import Credential, Grant
from tests.factories.accounts import UserFactory
from tests.factories.gateway import credential_of
from tests.factories.sharing import Scene
from tests.sharing.test_views import person_of, signed_in

pytestmark = pytest.mark.django_db


def page_of(scene: Scene) -> str:
    return f"/work/systems/{scene.system.pk}/"


def offer(holder: Any, **more: Any) -> dict[str, Any]:
    """What the form of an offer is sent with."""
    written = {"environment": "test", "holder": holder.pk, "security_contact": holder.pk}
    return {**written, "note": "新服务器", **more}


@pytest.mark.parametrize(
    ("person", "opens", "issues", "revokes"),
    [
        ("consumer", 200, False, False),
        ("consumer_head", 200, True, True),
        ("provider_head", 404, False, False),
        ("security_admin", 200, False, True),
        ("auditor", 200, False, False),
    ],
)
def test_who_keeps_the_credentials_of_a_system(
    scene: Scene,
    person: str,
    opens: int,
    issues: bool,
    revokes: bool,
    at: datetime,
    request: pytest.FixtureRequest,
) -> None:
    credential_of(scene.system, scene.consumer_head, at)
    held = Credential.objects.get()
    client = signed_in(person_of(person, scene, request))

    answer = client.get(page_of(scene))
    issued = client.post(page_of(scene), offer(scene.consumer_head))
    revoked = client.post(f"/work/credentials/{held.pk}/revoke/", {"reason": "服务器下线"})

    assert answer.status_code == opens
    assert ("签发凭证" in answer.content.decode()) is issues
    assert Credential.objects.filter(note="新服务器").exists() is issues
    assert issued.status_code == (200 if issues else 404 if opens == 404 else 403)
    assert Application.objects.filter(name=scene.system.name).exists() is not revokes
    assert revoked.status_code == (302 if revokes else 404 if opens == 404 else 403)


def test_the_secret_shown_once_draws_a_token(scene: Scene) -> None:
    client = signed_in(scene.consumer_head)

    page = client.post(page_of(scene), offer(scene.consumer_head)).content.decode()
    shown = re.findall(r'id="client-\w+">([^<]+)</span>', page)
    held = Credential.objects.get()
    again = client.get(f"/work/credentials/{held.pk}/").content.decode()

    answer = Client(headers={"Host": "localhost"}).post(
        "/oauth/token",
        {
            "grant_type": "client_credentials",
            "client_id": shown[0],
            "client_secret": shown[1],
        },
    )
    assert answer.status_code == 200
    assert shown[0] in again
    assert shown[1] not in again
    events = Event.objects.filter(verb="sharing.issue_credential", subject_id=str(scene.system.pk))
    assert events.count() == 1


def test_the_named_holder_alone_collects_and_sees_the_secret_once(scene: Scene) -> None:
    head, holder = signed_in(scene.consumer_head), signed_in(scene.consumer)

    offered = head.post(page_of(scene), offer(scene.consumer))
    row = Credential.objects.get()
    page = f"/work/credentials/{row.pk}/"
    refused = head.post(page)
    shown = holder.post(page).content.decode()
    again = holder.post(page, follow=True).content.decode()

    assert offered.status_code == 302
    assert Todo.objects.get(kind="sharing.collect_credential").done_at is not None
    assert refused.status_code == 302
    assert "client_secret</dt>" in shown
    assert "client_secret</dt>" not in again
    row.refresh_from_db()
    assert (row.status, row.collected_at is None) == ("active", False)


def test_a_revoked_credential_draws_nothing(scene: Scene, at: datetime) -> None:
    credential = credential_of(scene.system, scene.consumer_head, at)
    held = Credential.objects.get()

    client = signed_in(scene.consumer_head)
    confirm = client.get(f"/work/credentials/{held.pk}/revoke/")
    client.post(f"/work/credentials/{held.pk}/revoke/", {"reason": "密钥疑似泄露"})

    answer = Client(headers={"Host": "localhost"}).post(
        "/oauth/token", {"grant_type": "client_credentials", **credential._asdict()}
    )
    assert "立即中断" in confirm.content.decode()
    assert answer.status_code == 401


def test_too_many_credentials_are_refused_with_what_was_typed(scene: Scene, at: datetime) -> None:
    for _number in range(5):
        credential_of(scene.system, scene.consumer_head, at, "test")

    given = offer(scene.consumer_head, note="第六台")
    page = signed_in(scene.consumer_head).post(page_of(scene), given).content.decode()

    assert "最多同时持有 5 个凭证" in page
    assert 'value="第六台"' in page
    assert Application.objects.count() == 5


def test_what_a_leak_hits_is_shown_before_it_is_made_void(
    landed_scene: Scene, landed_grant: Grant, now: datetime
) -> None:
    security_admin = UserFactory(
        department=landed_scene.authority.department, roles=["security_admin"]
    )
    credential_of(landed_scene.system, landed_scene.consumer_head, now)
    client = signed_in(security_admin)
    address = f"/work/credentials/void/?system={landed_scene.system.pk}"

    page = client.get(address).content.decode()
    assert str(landed_grant) in page
    assert landed_scene.system.name in page
    assert Credential.objects.get().status == "active"

    done = client.post(address, {"reason": "密钥疑似泄露"}, follow=True).content.decode()
    assert "已作废 1 个凭证" in done
    assert Credential.objects.get().status == "voided"
    assert Application.objects.count() == 0


def test_the_list_finds_a_system_and_says_when_there_is_none(
    scene: Scene, django_assert_max_num_queries: Any
) -> None:
    client = signed_in(scene.consumer_head)

    with django_assert_max_num_queries(20):
        found = client.get("/work/systems/", {"q": scene.system.name}).content.decode()
    nothing = client.get("/work/systems/", {"q": "没有这个系统"}).content.decode()

    assert page_of(scene) in found
    assert "没有符合条件的信息系统" in nothing
