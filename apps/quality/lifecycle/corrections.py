"""How a correction moves from a doubt to a value that is right, or to an explanation.

Source: 《政务数据共享条例》第二十六条; the steps: domain §3
"""

from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.core.lifecycle import Lifecycle, Move
from apps.quality.models import CorrectionStatus

UNDECIDED: Final = ("raised", "accepted", "verifying")
"""Where the department that verifies has not said yet what it found."""

CORRECTION: Final = Lifecycle(
    "quality.Correction",
    states=CorrectionStatus,
    moves=[
        Move(
            "accept",
            _("受理"),
            sources=("raised",),
            target="accepted",
            owed=_("核实部门经办人"),
            tone="primary",
        ),
        Move(
            "forward",
            _("转办"),
            sources=UNDECIDED,
            target="raised",
            owed=_("转办后的核实部门"),
            reason=True,
        ),
        Move(
            "verify",
            _("开始核实"),
            sources=("accepted",),
            target="verifying",
            owed=_("核实部门共享工作机构负责人"),
            tone="primary",
        ),
        Move(
            "uphold",
            _("认定有误"),
            sources=("verifying",),
            target="correcting",
            owed=_("提供部门提交更正批次"),
            reason=True,
            tone="primary",
        ),
        Move(
            "confirm",
            _("认定无误"),
            sources=("verifying",),
            target="confirmed_right",
            owed=_("平台反馈"),
            reason=True,
        ),
        Move(
            "correct",
            _("更正已入库"),
            sources=("correcting",),
            target="corrected",
            owed=_("平台反馈"),
        ),
        Move(
            "feed_back",
            _("反馈结果"),
            sources=("corrected", "confirmed_right"),
            target="feedback",
            owed=_("提出部门确认"),
        ),
        Move(
            "contest",
            _("提出异议"),
            sources=("feedback",),
            target="contested",
            owed=_("主管部门协调"),
            reason=True,
        ),
        Move(
            "send_back",
            _("发回重新核实"),
            sources=("contested",),
            target="verifying",
            owed=_("核实部门共享工作机构负责人"),
            reason=True,
        ),
        Move(
            "close",
            _("确认办结"),
            sources=("feedback", "contested"),
            target="closed",
            owed=_("无，校核办结"),
            tone="primary",
        ),
        Move(
            "withdraw",
            _("撤回校核"),
            sources=UNDECIDED,
            target="withdrawn",
            owed=_("无，校核办结"),
            reason=True,
            tone="danger",
        ),
    ],
)
