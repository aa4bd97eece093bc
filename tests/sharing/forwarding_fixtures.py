"""A dataset that never lands, its provider's service, and a grant on it."""

from datetime import datetime
from typing import Any

from apps.sharing import operations as sharing
from apps.sharing.models import Interface
from tests.factories.provider_service import Service
from tests.factories.sharing import Scene

ITEMS = {
    "identity_number": "card",
    "name": "who.name",
    "division_code": "area",
    "registered_on": "day",
    "amount": "sum",
}


def terms(service: Service, **more: Any) -> dict[str, Any]:
    return {
        "name": "救助信息查询",
        "reason": "上级平台统一提供，不得留存",
        "url": service.url,
        "method": "GET",
        "sign": "none",
        "parameters": [
            {"name": "area", "item": "division_code", "operator": "eq", "fixed": "",
             "required": False},
            {"name": "size", "item": "", "operator": "", "fixed": "50", "required": False},
        ],
        "rows_path": "data.list",
        "items": ITEMS,
        "test_query": "division_code=500103",
        "timeout_seconds": 1,
        "hours_from": None,
        "hours_to": None,
        **more,
    }  # fmt: skip


def registered(
    scene: Scene, service: Service, at: datetime, *, secret: str = "", **more: Any
) -> Interface:
    return sharing.register_interface(
        dataset=scene.dataset,
        terms=terms(service, **more),
        secret=secret,
        actor=scene.provider,
        at=at,
    )


def started(
    scene: Scene, service: Service, at: datetime, *, secret: str = "", **more: Any
) -> Interface:
    """An interface in use, by what its provider did; what it asked is forgotten."""
    interface = registered(scene, service, at, secret=secret, **more)
    sharing.try_interface(interface=interface, actor=scene.provider, at=at)
    sharing.resume_interface(interface=interface, actor=scene.provider, at=at)
    interface.refresh_from_db()
    service.asked.clear()
    service.headers.clear()
    return interface
