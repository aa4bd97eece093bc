"""How a credential moves: offered to its holder, collected, and over in one of four ways."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.core.lifecycle import Lifecycle, Move
from apps.sharing.models import Credential

CREDENTIAL: Final = Lifecycle(
    "sharing.Credential",
    states=Credential.Status,
    moves=[
        Move(
            "collect",
            _("领取"),
            sources=("offered",),
            target="active",
            owed=_("无"),
            tone="primary",
        ),
        Move(
            "revoke",
            _("吊销"),
            sources=("offered", "active"),
            target="revoked",
            owed=_("无"),
            reason=True,
            tone="danger",
        ),
        Move(
            "void",
            _("紧急作废"),
            sources=("offered", "active"),
            target="voided",
            owed=_("无"),
            reason=True,
            tone="danger",
        ),
        Move(
            "expire",
            _("到期失效"),
            sources=("offered", "active"),
            target="expired",
            owed=_("无"),
        ),
        Move(
            "disable_unused",
            _("久未使用停用"),
            sources=("active",),
            target="unused",
            owed=_("无"),
        ),
    ],
)
