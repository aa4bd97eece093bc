"""How a certificate of disposal moves."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.core.lifecycle import Lifecycle, Move
from apps.sharing.models import Disposal

DISPOSAL: Final = Lifecycle(
    "sharing.Disposal",
    states=Disposal.Status,
    moves=[
        Move(
            "file_disposal",
            _("报送处置证明"),
            sources=("owed", "returned"),
            target="filed",
            owed=_("提供部门审核人"),
            tone="primary",
        ),
        Move(
            "confirm_disposal",
            _("确认处置"),
            sources=("filed",),
            target="confirmed",
            owed=_("无，处置办结"),
            tone="primary",
        ),
        Move(
            "return_disposal",
            _("退回重报"),
            sources=("filed",),
            target="returned",
            owed=_("使用部门经办人"),
            reason=True,
        ),
        Move(
            "void_disposal",
            _("免报处置证明"),
            sources=("owed", "filed", "returned"),
            target="void",
            owed=_("无，双方已成为同一部门"),
        ),
    ],
)
