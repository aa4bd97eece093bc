"""How the address of a system for events is paused, resumed and removed."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.core.lifecycle import Lifecycle, Move
from apps.sharing.models import Webhook

WEBHOOK: Final = Lifecycle(
    "sharing.Webhook",
    states=Webhook.Status,
    moves=[
        Move("pause", _("停推"), sources=("active",), target="paused", owed=_("无")),
        Move(
            "resume",
            _("恢复推送"),
            sources=("paused",),
            target="active",
            owed=_("无"),
            tone="primary",
        ),
        Move(
            "remove",
            _("删除"),
            sources=("active", "paused"),
            target="removed",
            owed=_("无"),
            tone="danger",
        ),
    ],
)
