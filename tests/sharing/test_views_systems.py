"""The screens of information systems: who sees them, who issues and revokes credentials."""

import re
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from oauth2_provider.models import Application

from apps.ledger.models import Event
from tests.factories.gateway import credential_of, draw_token
from tests.factories.sharing import Scene
from tests.sharing.test_views import person_of, signed_in

pytestmark = pytest.mark.django_db


def page_of(scene: Scene) -> str:
    return f"/work/systems/{scene.system.pk}/"


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
    client = signed_in(person_of(person, scene, request))

    answer = client.get(page_of(scene))
    issued = client.post(page_of(scene), {"note": "新服务器"})
    held = Application.objects.get(name=scene.system.name)
    revoked = client.post(
        f"{page_of(scene)}credentials/{held.pk}/revoke/", {"reason": "服务器下线"}
    )

    assert answer.status_code == opens
    assert ("签发凭证" in answer.content.decode()) is issues
    assert Application.objects.filter(name="新服务器").exists() is issues
    assert issued.status_code == (200 if issues else 404 if opens == 404 else 403)
    assert Application.objects.filter(pk=held.pk).exists() is not revokes
    assert revoked.status_code == (302 if revokes else 404 if opens == 404 else 403)


def test_the_secret_shown_once_draws_a_token(scene: Scene) -> None:
    client = signed_in(scene.consumer_head)

    page = client.post(page_of(scene), {"note": "学籍库同步"}).content.decode()
    shown = re.findall(r'<dd class="mono[^"]*">([^<]+)</dd>', page)
    again = client.get(page_of(scene)).content.decode()

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
    assert Event.objects.filter(verb="sharing.issue_credential").count() == 1


def test_a_revoked_credential_draws_nothing(scene: Scene, at: datetime) -> None:
    credential = credential_of(scene.system, scene.consumer_head, at)
    assert draw_token(credential)
    held = Application.objects.get(client_id=credential.client_id)

    client = signed_in(scene.consumer_head)
    confirm = client.get(f"{page_of(scene)}credentials/{held.pk}/revoke/")
    client.post(f"{page_of(scene)}credentials/{held.pk}/revoke/", {"reason": "密钥疑似泄露"})

    answer = Client(headers={"Host": "localhost"}).post(
        "/oauth/token", {"grant_type": "client_credentials", **credential._asdict()}
    )
    assert "立即中断" in confirm.content.decode()
    assert answer.status_code == 401


def test_too_many_credentials_are_refused_with_what_was_typed(scene: Scene, at: datetime) -> None:
    for _number in range(5):
        credential_of(scene.system, scene.consumer_head, at)

    page = signed_in(scene.consumer_head).post(page_of(scene), {"note": "第六台"}).content.decode()

    assert "最多同时持有 5 个凭证" in page
    assert 'value="第六台"' in page
    assert Application.objects.count() == 5


def test_the_list_finds_a_system_and_says_when_there_is_none(
    scene: Scene, django_assert_max_num_queries: Any
) -> None:
    client = signed_in(scene.consumer_head)

    with django_assert_max_num_queries(20):
        found = client.get("/work/systems/", {"q": scene.system.name}).content.decode()
    nothing = client.get("/work/systems/", {"q": "没有这个系统"}).content.decode()

    assert page_of(scene) in found
    assert "没有符合条件的信息系统" in nothing
