"""How a catalogue entry moves from draft to publication and out of force.

Source: 《政务数据共享条例》第十三条、第十七条
"""

from django.utils.translation import gettext_lazy as _

from apps.catalog.models import DatasetStatus
from apps.core.lifecycle import Lifecycle, Move

DATASET = Lifecycle(
    "catalog.Dataset",
    states=DatasetStatus,
    moves=[
        Move(
            "submit",
            _("提交审批"),
            sources=("draft", "returned"),
            target="awaiting_head",
            owed=_("本部门共享工作机构负责人审批"),
            tone="primary",
        ),
        Move(
            "approve",
            _("同意报送"),
            sources=("awaiting_head",),
            target="submitted",
            owed=_("主管部门审核"),
            tone="primary",
        ),
        Move(
            "publish",
            _("审核发布"),
            sources=("submitted",),
            target="published",
            tone="primary",
        ),
        Move(
            "send_back",
            _("退回修改"),
            sources=("awaiting_head", "submitted"),
            target="returned",
            owed=_("提供部门修改后再次提交"),
            reason=True,
            tone="danger",
        ),
        Move(
            "request_withdrawal",
            _("申请撤回目录"),
            sources=("published",),
            target="withdrawal_requested",
            owed=_("主管部门审核撤回"),
            reason=True,
            tone="danger",
        ),
        Move(
            "decline_withdrawal",
            _("不同意撤回"),
            sources=("withdrawal_requested",),
            target="published",
            reason=True,
        ),
        Move(
            "withdraw",
            _("同意撤回"),
            sources=("withdrawal_requested",),
            target="withdrawn",
            tone="danger",
        ),
    ],
)
EDITABLE = ("draft", "returned")
