"""How the database login of a system is opened and closed."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.core.lifecycle import Lifecycle, Move
from apps.sharing.models import DatabaseLogin

DATABASE_LOGIN: Final = Lifecycle(
    "sharing.DatabaseLogin",
    states=DatabaseLogin.Status,
    moves=[
        Move("open", _("开通"), sources=("closed",), target="open", owed=_("无"), tone="primary"),
        Move(
            "close",
            _("关闭"),
            sources=("open",),
            target="closed",
            owed=_("无"),
            reason=True,
            tone="danger",
        ),
    ],
)
