"""How packages go up and come back receipted, and how a request for upper data moves."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.catalog.models import UpperRequestStatus, UpwardPackage
from apps.core.lifecycle import Lifecycle, Move

PACKAGE: Final = Lifecycle(
    "catalog.UpwardPackage",
    states=UpwardPackage.Status,
    moves=[
        Move(
            "send",
            _("确认已上报"),
            sources=("made",),
            target="sent",
            owed=_("上级回执"),
            tone="primary",
        ),
        Move("discard", _("作废"), sources=("made",), target="discarded", reason=True),
        Move("receipt", _("回执齐全"), sources=("sent",), target="receipted"),
    ],
)
UPPER_REQUEST: Final = Lifecycle(
    "catalog.UpperRequest",
    states=UpperRequestStatus,
    moves=[
        Move(
            "submit",
            _("提交本部门审批"),
            sources=("draft", "returned"),
            target="awaiting_head",
            owed=_("本部门共享工作机构负责人"),
            tone="primary",
        ),
        Move(
            "approve",
            _("同意报送"),
            sources=("awaiting_head",),
            target="filed",
            owed=_("主管部门转报"),
            tone="primary",
        ),
        Move(
            "send_back",
            _("退回修改"),
            sources=("awaiting_head", "filed"),
            target="returned",
            owed=_("申请部门经办人"),
            reason=True,
            tone="danger",
        ),
        Move(
            "forward",
            _("登记转报"),
            sources=("filed",),
            target="forwarded",
            owed=_("上级办理"),
            tone="primary",
        ),
        Move(
            "agree",
            _("登记上级同意"),
            sources=("forwarded",),
            target="agreed",
            owed=_("上级提供"),
            tone="primary",
        ),
        Move(
            "refuse",
            _("登记上级未同意"),
            sources=("forwarded",),
            target="refused",
            owed=_("无，申请办结"),
            reason=True,
            tone="danger",
        ),
        Move(
            "deliver",
            _("登记已取得"),
            sources=("agreed",),
            target="delivered",
            owed=_("申请部门办结"),
            tone="primary",
        ),
        Move("close", _("办结"), sources=("delivered",), target="closed", tone="primary"),
        Move(
            "withdraw",
            _("撤回"),
            sources=("draft", "awaiting_head", "returned", "filed"),
            target="withdrawn",
            reason=True,
            tone="danger",
        ),
    ],
)
