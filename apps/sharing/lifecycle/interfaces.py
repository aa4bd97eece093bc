"""How a registered interface comes into use and out of it."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.core.lifecycle import Lifecycle, Move
from apps.sharing.models import Interface

INTERFACE: Final = Lifecycle(
    "sharing.Interface",
    states=Interface.Status,
    moves=[
        Move(
            "resume",
            _("启用"),
            sources=("paused",),
            target="active",
            owed=_("提供部门保持接口可用"),
            tone="primary",
        ),
        Move("pause", _("暂停"), sources=("active",), target="paused", owed=_("提供部门")),
        Move(
            "retire",
            _("停用"),
            sources=("active", "paused"),
            target="retired",
            owed=_("无，已结束"),
            reason=True,
            tone="danger",
        ),
    ],
)
