"""How a demand moves from a department's wish to data in its hands, or to a reasoned no.

Source: 《政务数据共享条例》第二十条; steps and clocks: comparator (西安)
"""

from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.catalog.models import DemandStatus
from apps.core.lifecycle import Lifecycle, Move

OWN: Final = ("draft", "returned")
"""Where the wanting department writes it."""

DEMAND: Final = Lifecycle(
    "catalog.Demand",
    states=DemandStatus,
    moves=[
        Move(
            "submit",
            _("提交本部门审批"),
            sources=OWN,
            target="awaiting_head",
            owed=_("需求部门共享工作机构负责人"),
            tone="primary",
        ),
        Move(
            "recall",
            _("撤回修改"),
            sources=("awaiting_head",),
            target="draft",
            owed=_("需求部门经办人"),
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
            "send_back",
            _("退回修改"),
            sources=("awaiting_head", "submitted"),
            target="returned",
            owed=_("需求部门经办人"),
            reason=True,
            tone="danger",
        ),
        Move(
            "forward",
            _("转交提供部门"),
            sources=("submitted",),
            target="forwarded",
            owed=_("提供部门答复"),
            tone="primary",
        ),
        Move(
            "point_out",
            _("指认已有目录"),
            sources=("submitted",),
            target="fulfilled",
            owed=_("需求部门转为共享申请或者办结"),
        ),
        Move(
            "propose",
            _("拟定答复"),
            sources=("forwarded",),
            target="awaiting_signature",
            owed=_("提供部门共享工作机构负责人"),
            tone="primary",
        ),
        Move(
            "send_back_proposal",
            _("退回重拟"),
            sources=("awaiting_signature",),
            target="forwarded",
            owed=_("提供部门答复"),
            reason=True,
        ),
        Move(
            "agree",
            _("签发同意"),
            sources=("awaiting_signature",),
            target="agreed",
            owed=_("提供部门编目、归集"),
            tone="primary",
        ),
        Move(
            "refuse",
            _("签发不予提供"),
            sources=("awaiting_signature",),
            target="refused",
            owed=_("需求部门办结或者提出异议"),
            tone="danger",
        ),
        Move(
            "disown",
            _("签发不属本部门"),
            sources=("awaiting_signature",),
            target="submitted",
            owed=_("主管部门另行确定提供部门"),
        ),
        Move(
            "fulfil",
            _("确认已提供"),
            sources=("agreed",),
            target="fulfilled",
            owed=_("需求部门转为共享申请或者办结"),
            tone="primary",
        ),
        Move(
            "take_up",
            _("转为共享申请"),
            sources=("draft", "returned", "submitted", "forwarded", "agreed", "fulfilled"),
            target="requested",
            owed=_("共享申请办理"),
            tone="primary",
        ),
        Move(
            "deliver",
            _("共享申请已交付"),
            sources=("requested",),
            target="fulfilled",
            owed=_("需求部门办结"),
        ),
        Move(
            "resume",
            _("恢复为需求"),
            sources=("requested",),
            target="returned",
            owed=_("需求部门经办人"),
            reason=True,
        ),
        Move(
            "contest",
            _("提出异议"),
            sources=("refused", "fulfilled"),
            target="submitted",
            owed=_("主管部门协调"),
            reason=True,
        ),
        Move(
            "close",
            _("办结"),
            sources=("fulfilled", "refused"),
            target="closed",
            owed=_("无，需求办结"),
            tone="primary",
        ),
        Move(
            "withdraw",
            _("撤回需求"),
            sources=(
                "draft",
                "awaiting_head",
                "returned",
                "submitted",
                "forwarded",
                "awaiting_signature",
                "agreed",
            ),
            target="withdrawn",
            owed=_("无，需求办结"),
            reason=True,
            tone="danger",
        ),
    ],
)
