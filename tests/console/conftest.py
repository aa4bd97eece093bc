"""Everybody who works with the portal, around two departments that share."""

from typing import Any

import pytest

from tests.factories.accounts import UserFactory
from tests.factories.sharing import Scene, make_scene

ROLES = {
    "authority-leader": "authority_leader",
    "system-admin": "system_admin",
    "security-admin": "security_admin",
    "auditor": "audit_admin",
}


@pytest.fixture
def scene(db: None) -> Scene:
    return make_scene()


@pytest.fixture
def cast(scene: Scene) -> dict[str, Any]:
    office = scene.authority.department
    return {
        "provider-editor": scene.provider,
        "provider-head": scene.provider_head,
        "consumer-editor": scene.consumer,
        "consumer-head": scene.consumer_head,
        "authority": scene.authority,
        **{name: UserFactory(department=office, roles=[role]) for name, role in ROLES.items()},
        "citizen": UserFactory(kind="citizen", department=None),
    }
