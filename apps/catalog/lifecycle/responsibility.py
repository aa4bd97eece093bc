"""How a responsibility list moves from compilation to its end, and each duty with it.

"In performance" and "overdue" are no statuses: they follow from the dates.

Source: 渝大数据复函〔2019〕124号; house rule
"""

from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.catalog.models import DutyStatus, ResponsibilityListStatus
from apps.core.lifecycle import Lifecycle, Move

RESPONSIBILITY_LIST: Final = Lifecycle(
    "catalog.ResponsibilityList",
    states=ResponsibilityListStatus,
    moves=[
        Move(
            "consult",
            _("征求意见"),
            sources=("compiling",),
            target="consulting",
            owed=_("责任部门逐项确认并回复"),
            tone="primary",
        ),
        Move(
            "recall",
            _("收回重编"),
            sources=("consulting",),
            target="compiling",
            owed=_("主管部门重新编制"),
            reason=True,
        ),
        Move(
            "issue",
            _("印发"),
            sources=("consulting",),
            target="issued",
            owed=_("责任部门按期限归集"),
            tone="primary",
        ),
        Move(
            "adjust",
            _("年度调整"),
            sources=("issued",),
            target="adjusting",
            owed=_("主管部门编制下一年度清单"),
        ),
        Move(
            "close",
            _("结束"),
            sources=("issued", "adjusting"),
            target="closed",
            reason=True,
            tone="danger",
        ),
    ],
)

DUTY: Final = Lifecycle(
    "catalog.Duty",
    states=DutyStatus,
    moves=[
        Move(
            "accept",
            _("确认"),
            sources=("proposed", "objected"),
            target="accepted",
            tone="primary",
        ),
        Move(
            "raise_objection",
            _("提出异议"),
            sources=("proposed", "accepted"),
            target="objected",
            owed=_("主管部门答复"),
            reason=True,
        ),
        Move(
            "settle",
            _("答复异议"),
            sources=("objected",),
            target="settled",
            reason=True,
            tone="primary",
        ),
        Move(
            "reconsult",
            _("改动后重新确认"),
            sources=("accepted", "settled"),
            target="proposed",
            owed=_("责任部门确认"),
        ),
        Move(
            "drop",
            _("不列入"),
            sources=("proposed", "accepted", "objected", "settled"),
            target="dropped",
            reason=True,
            tone="danger",
        ),
        Move(
            "enforce",
            _("印发执行"),
            sources=("proposed", "accepted", "settled"),
            target="in_force",
            owed=_("责任部门按期限归集"),
        ),
        Move(
            "perform",
            _("报告完成"),
            sources=("in_force",),
            target="performed",
            owed=_("主管部门核实"),
            tone="primary",
        ),
        Move(
            "verify",
            _("核实完成"),
            sources=("performed",),
            target="done",
            tone="primary",
        ),
        Move(
            "return_performance",
            _("退回"),
            sources=("performed",),
            target="in_force",
            owed=_("责任部门补齐后再报"),
            reason=True,
        ),
        Move(
            "release",
            _("免除"),
            sources=("in_force", "performed", "done"),
            target="released",
            reason=True,
            tone="danger",
        ),
    ],
)
LIVE: Final = ("in_force", "performed", "done")
"""What a department is held to, whether it has reported it done or not."""
OPEN_TO_CHANGE: Final = ("compiling", "consulting")
