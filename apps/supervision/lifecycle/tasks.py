"""How a work task and the departments' returns move.

Source: house rule (domain §3, 工作任务)
"""

from django.utils.translation import gettext_lazy as _

from apps.core.lifecycle import Lifecycle, Move
from apps.supervision.models import OUTSTANDING, ReturnStatus, TaskStatus

TASK = Lifecycle(
    "supervision.WorkTask",
    states=TaskStatus,
    moves=[
        Move(
            "issue",
            _("下发任务"),
            sources=("draft",),
            target="issued",
            owed=_("各填报单位签收填写"),
            tone="primary",
        ),
        Move("close", _("结束任务"), sources=("issued",), target="closed"),
        Move(
            "cancel",
            _("作废任务"),
            sources=("draft", "issued"),
            target="cancelled",
            reason=True,
            tone="danger",
        ),
    ],
)

RETURN = Lifecycle(
    "supervision.TaskReturn",
    states=ReturnStatus,
    moves=[
        Move(
            "take_in",
            _("签收任务"),
            sources=("unopened",),
            target="writing",
            owed=_("填报单位填写"),
            tone="primary",
        ),
        Move(
            "submit",
            _("提交负责人签发"),
            sources=("writing", "returned"),
            target="awaiting_head",
            owed=_("填报单位共享工作机构负责人签发"),
            tone="primary",
        ),
        Move(
            "sign",
            _("签发报送"),
            sources=("awaiting_head",),
            target="submitted",
            owed=_("部署单位验收"),
            tone="primary",
        ),
        Move(
            "send_back",
            _("退回补正"),
            sources=("awaiting_head", "submitted"),
            target="returned",
            owed=_("填报单位补正后再次签发"),
            reason=True,
            tone="danger",
        ),
        Move("accept", _("验收"), sources=("submitted",), target="accepted", tone="primary"),
        Move("excuse", _("免予报送"), sources=OUTSTANDING, target="excused", reason=True),
        Move("lapse", _("记为未报送"), sources=OUTSTANDING, target="lapsed"),
    ],
)
WRITABLE = ("writing", "returned")
