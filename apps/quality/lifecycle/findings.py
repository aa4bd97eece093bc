"""How a failing row and the order to mend it move.

An order closes by evidence alone: the batch and run after which no row fails. Who thinks that the
rows are right accepts them with a reason, and the authority may contest that.

Source: 《政务数据共享条例》第二十六条; the steps are a house rule
"""

from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.core.lifecycle import Lifecycle, Move
from apps.quality.models import Finding, WorkOrder

Row = Finding.Status
Order = WorkOrder.Status

FINDING: Final = Lifecycle(
    "quality.Finding",
    states=Row,
    moves=[
        Move(
            "fix", _("确认已改正"), sources=(Row.OPEN, Row.ACCEPTED, Row.DISPUTED), target=Row.FIXED
        ),
        Move(
            "reopen",
            _("再次发现"),
            sources=(Row.FIXED, Row.ACCEPTED, Row.VOID),
            target=Row.OPEN,
            owed=_("提供部门整改"),
        ),
        Move(
            "accept",
            _("核实无误"),
            sources=(Row.OPEN,),
            target=Row.ACCEPTED,
            reason=True,
        ),
        Move(
            "contest",
            _("不予认可"),
            sources=(Row.ACCEPTED,),
            target=Row.DISPUTED,
            owed=_("提供部门整改"),
            reason=True,
            tone="danger",
        ),
        Move(
            "let_stand",
            _("认可"),
            sources=(Row.DISPUTED,),
            target=Row.ACCEPTED,
            reason=True,
        ),
        Move(
            "void", _("规则停用"), sources=(Row.OPEN, Row.ACCEPTED, Row.DISPUTED), target=Row.VOID
        ),
    ],
)

WORK_ORDER: Final = Lifecycle(
    "quality.WorkOrder",
    states=Order,
    moves=[
        Move(
            "acknowledge",
            _("签收"),
            sources=(Order.OPEN,),
            target=Order.IN_MENDING,
            owed=_("提供部门整改，重新提交数据"),
            tone="primary",
        ),
        Move(
            "close",
            _("核销"),
            sources=(Order.OPEN, Order.IN_MENDING, Order.CONTESTED),
            target=Order.CLOSED,
            owed=_("无，工单办结"),
        ),
        Move(
            "accept",
            _("核实无误"),
            sources=(Order.OPEN, Order.IN_MENDING),
            target=Order.ACCEPTED,
            owed=_("无，工单办结；主管部门可以不予认可"),
            reason=True,
        ),
        Move(
            "contest",
            _("不予认可"),
            sources=(Order.ACCEPTED,),
            target=Order.CONTESTED,
            owed=_("提供部门整改，重新提交数据"),
            reason=True,
            tone="danger",
        ),
        Move(
            "let_stand",
            _("认可"),
            sources=(Order.CONTESTED,),
            target=Order.ACCEPTED,
            owed=_("无，工单办结"),
            reason=True,
        ),
        Move(
            "cancel",
            _("因规则停用取消"),
            sources=(Order.OPEN, Order.IN_MENDING, Order.CONTESTED),
            target=Order.CANCELLED,
            owed=_("无，工单取消"),
            reason=True,
        ),
    ],
)
