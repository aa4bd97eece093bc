"""Hear the heartbeat of a department's front node."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import InformationSystem, User
from apps.core import access
from apps.core.errors import Conflict
from apps.warehouse.models import FrontNode

MOST_NODES: Final = 50


def report_heartbeat(
    *, name: str, version: str, jobs: Sequence[dict[str, Any]], actor: User, at: datetime
) -> FrontNode:
    """Note that a node lives and how its jobs stand. A sign of life writes no event.

    Source: house rule (design §5)
    Raises:
        NotAllowed: the actor is no information system.
        Conflict: the system has more nodes than can be.
    """
    access.require(actor, "report_heartbeat", FrontNode, at=at)
    system = InformationSystem.objects.get(service_user=actor)
    facts = {"version": version, "jobs": list(jobs), "heartbeat_at": at}
    known = FrontNode.objects.filter(system=system)
    if not known.filter(name=name).exists() and known.count() >= MOST_NODES:
        raise Conflict(
            _("一个信息系统至多 %(count)s 个前置机") % {"count": MOST_NODES}, code="too_many_nodes"
        )
    return FrontNode.objects.update_or_create(system=system, name=name, defaults=facts)[0]
