"""How a provider's change to a live service moves."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.core.lifecycle import Lifecycle, Move
from apps.sharing.models import ServiceChange

_OPEN: Final = ("noticed", "agreed", "objected", "filed")

SERVICE_CHANGE: Final = Lifecycle(
    "sharing.ServiceChange",
    states=ServiceChange.Status,
    moves=[
        Move(
            "agree_change",
            _("同意变更"),
            sources=("noticed",),
            target="agreed",
            owed=_("主管部门"),
            tone="primary",
        ),
        Move(
            "object_change",
            _("提出异议"),
            sources=("noticed",),
            target="objected",
            owed=_("主管部门"),
            reason=True,
        ),
        Move(
            "pass_over_change",
            _("逾期未答复，视为没有异议"),
            sources=("noticed",),
            target="agreed",
            owed=_("主管部门"),
        ),
        Move(
            "file_change",
            _("备案"),
            sources=("agreed", "objected"),
            target="filed",
            owed=_("平台按期变更"),
            tone="primary",
        ),
        Move(
            "refuse_change",
            _("不予变更"),
            sources=("agreed", "objected"),
            target="refused",
            owed=_("无，服务照旧"),
            reason=True,
            tone="danger",
        ),
        Move(
            "carry_out_change",
            _("按期变更"),
            sources=("filed",),
            target="carried_out",
            owed=_("无"),
        ),
        Move(
            "withdraw_change",
            _("撤回变更"),
            sources=_OPEN,
            target="withdrawn",
            owed=_("无，服务照旧"),
            reason=True,
        ),
        Move("void_change", _("不再适用"), sources=_OPEN, target="void", owed=_("无")),
    ],
)
