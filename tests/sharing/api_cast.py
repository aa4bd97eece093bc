"""Everybody who may knock at the API: the scene's people, the offices, strangers, and a system."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.test import Client

from tests.factories.accounts import UserFactory
from tests.factories.gateway import caller, credential_of, draw_token
from tests.factories.sharing import Scene, make_scene
from tests.sharing.fingerprint import fingerprint
from tests.sharing.test_views import signed_in

REFUSED = {401: "not_authenticated", 403: "not_allowed", 404: "not_found"}


def knocking(scene: Scene, cast: dict[str, Any], at: datetime) -> Iterator[tuple[str, Client]]:
    """Yield each with a client of his own; the system comes with its token."""
    department = scene.authority.department
    people = {
        "provider": scene.provider,
        "provider_head": scene.provider_head,
        "consumer": scene.consumer,
        "consumer_head": scene.consumer_head,
        "authority": scene.authority,
        "authority_leader": UserFactory(department=department, roles=["authority_leader"]),
        "system_admin": UserFactory(department=department, roles=["system_admin"]),
        "security_admin": UserFactory(department=department, roles=["security_admin"]),
        "auditor": UserFactory(department=department, roles=["audit_admin"]),
        "other_head": make_scene().provider_head,
        **{name: cast[name] for name in ("outsider", "citizen", "unassigned", "inactive")},
    }
    for name, person in people.items():
        yield name, signed_in(person)
    yield "system", caller(draw_token(credential_of(scene.system, scene.consumer_head, at)))
    yield "nobody", Client()


def untouched() -> dict[str, object]:
    """Return the fingerprint without what a request notes of the visit itself."""
    visits = ("public.django_session", "public.accounts_user")
    return {name: value for name, value in fingerprint().items() if name not in visits}


def send(client: Client, address: str, body: Any, **headers: str) -> Any:
    """POST the body as JSON."""
    return client.post(address, body, "application/json", headers=headers or None)
