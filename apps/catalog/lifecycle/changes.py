"""How a change of a published entry moves; the entry itself stays in force all the while.

Source: 《政务数据共享条例》第十七条
"""

from django.utils.translation import gettext_lazy as _

from apps.catalog.models import OPEN_CHANGE, ChangeStatus
from apps.core.lifecycle import Lifecycle, Move

CHANGE = Lifecycle(
    "catalog.DatasetChange",
    states=ChangeStatus,
    moves=[
        Move(
            "submit_change",
            _("提交变更审批"),
            sources=("draft", "returned"),
            target="awaiting_head",
            owed=_("本部门共享工作机构负责人审批"),
            tone="primary",
        ),
        Move(
            "approve_change",
            _("同意报送变更"),
            sources=("awaiting_head",),
            target="submitted",
            owed=_("主管部门审核"),
            tone="primary",
        ),
        Move(
            "publish_change",
            _("审核发布变更"),
            sources=("submitted",),
            target="applied",
            tone="primary",
        ),
        Move(
            "send_back_change",
            _("退回变更"),
            sources=("awaiting_head", "submitted"),
            target="returned",
            owed=_("提供部门修改后再次提交"),
            reason=True,
            tone="danger",
        ),
        Move(
            "abandon_change",
            _("放弃变更"),
            sources=OPEN_CHANGE,
            target="abandoned",
            reason=True,
            tone="danger",
        ),
    ],
)
EDITABLE_CHANGE = ("draft", "returned")
