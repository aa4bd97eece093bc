"""The life of an information system."""

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import InformationSystem
from apps.core.lifecycle import Lifecycle, Move

SYSTEM = Lifecycle(
    "accounts.InformationSystem",
    states=InformationSystem.Status,
    moves=[
        Move("launch", _("投入运行"), sources=("building",), target="running", tone="primary"),
        Move(
            "retire",
            _("停用"),
            sources=("building", "running"),
            target="retired",
            reason=True,
            tone="danger",
        ),
        Move("reinstate", _("恢复运行"), sources=("retired",), target="running", reason=True),
    ],
)
