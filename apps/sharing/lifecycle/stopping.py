"""How a planned stop moves. When it begins and ends is a matter of the clock, not of the task."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.core.lifecycle import Lifecycle, Move
from apps.sharing.models import PlannedStop

PLANNED_STOP: Final = Lifecycle(
    "sharing.PlannedStop",
    states=PlannedStop.Status,
    moves=[
        Move(
            "withdraw_stop",
            _("撤回公告"),
            sources=("announced",),
            target="withdrawn",
            owed=_("无，服务照旧"),
            reason=True,
        ),
        Move(
            "begin_stop",
            _("按时停机"),
            sources=("announced",),
            target="running",
            owed=_("公告方按时恢复"),
        ),
        # A stop that began a moment ago may not have been looked at by the platform yet.
        Move(
            "end_stop_early",
            _("提前结束"),
            sources=("announced", "running"),
            target="over",
            owed=_("无，服务恢复"),
            reason=True,
            tone="primary",
        ),
        Move(
            "finish_stop",
            _("按时结束"),
            sources=("announced", "running"),
            target="over",
            owed=_("无，服务恢复"),
        ),
    ],
)
