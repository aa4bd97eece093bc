"""How requests and grants move. The same tables draw the buttons, the to-dos and the tests."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.core.lifecycle import Lifecycle, Move
from apps.sharing.models import (
    Export,
    Grant,
    IdleNotice,
    Recertification,
    SharingRequest,
    TermsTemplate,
)

REQUEST: Final = Lifecycle(
    "sharing.SharingRequest",
    states=SharingRequest.Status,
    moves=[
        Move(
            "submit",
            _("提交本部门审批"),
            sources=("draft", "head_returned"),
            target="awaiting_head",
            owed=_("使用部门共享工作机构负责人"),
            tone="primary",
        ),
        Move(
            "recall",
            _("撤回修改"),
            sources=("awaiting_head",),
            target="draft",
            owed=_("使用部门经办人"),
        ),
        Move(
            "approve_by_head",
            _("同意申请"),
            sources=("awaiting_head",),
            target="form_check",
            owed=_("提供部门审核人"),
            tone="primary",
        ),
        Move(
            "return_by_head",
            _("退回修改"),
            sources=("awaiting_head",),
            target="head_returned",
            owed=_("使用部门经办人"),
            reason=True,
        ),
        Move(
            "grant_automatically",
            _("自动授权"),
            sources=("form_check",),
            target="agreed",
            owed=_("平台开通授权"),
        ),
        Move(
            "accept_form",
            _("受理"),
            sources=("form_check",),
            target="reviewing",
            owed=_("提供部门审核人"),
            tone="primary",
        ),
        Move(
            "ask_supplement",
            _("退回补正"),
            sources=("form_check", "reviewing"),
            target="supplement",
            owed=_("使用部门经办人"),
            reason=True,
        ),
        Move(
            "supplement",
            _("提交补正"),
            sources=("supplement",),
            target="form_check",
            owed=_("提供部门审核人"),
            reason=True,
            tone="primary",
        ),
        Move(
            "propose",
            _("提出处理意见"),
            sources=("reviewing",),
            target="awaiting_signature",
            owed=_("提供部门共享工作机构负责人"),
            tone="primary",
        ),
        # What needs a second person goes to him first; `propose` chooses between the two.
        Move(
            "propose_for_confirmation",
            _("提出处理意见，送复核"),
            sources=("reviewing",),
            target="awaiting_second_review",
            owed=_("提供部门复核人"),
        ),
        Move(
            "confirm",
            _("复核同意"),
            sources=("awaiting_second_review",),
            target="awaiting_signature",
            owed=_("提供部门共享工作机构负责人"),
            tone="primary",
        ),
        Move(
            "send_back_proposal",
            _("退回重审"),
            sources=("awaiting_second_review", "awaiting_signature"),
            target="reviewing",
            owed=_("提供部门审核人"),
            reason=True,
        ),
        # The authority's order: whatever was on its way is reviewed (anew), within hours.
        Move(
            "mark_urgent",
            _("列为急件"),
            sources=(
                "form_check",
                "supplement",
                "reviewing",
                "awaiting_second_review",
                "awaiting_signature",
            ),
            target="reviewing",
            owed=_("提供部门审核人"),
            reason=True,
        ),
        Move(
            "agree",
            _("签发同意"),
            sources=("awaiting_signature",),
            target="agreed",
            owed=_("平台开通授权"),
            tone="primary",
        ),
        Move(
            "refuse",
            _("签发不予共享"),
            sources=("awaiting_signature",),
            target="refused",
            owed=_("无，申请办结"),
            tone="danger",
        ),
        Move(
            "deliver",
            _("交付"),
            sources=("agreed",),
            target="delivered",
            owed=_("无，申请办结"),
        ),
        Move(
            "withdraw",
            _("撤回申请"),
            sources=(
                "draft",
                "head_returned",
                "awaiting_head",
                "form_check",
                "supplement",
                "reviewing",
                "awaiting_second_review",
                "awaiting_signature",
            ),
            target="withdrawn",
            owed=_("无，申请办结"),
            reason=True,
            tone="danger",
        ),
    ],
)

GRANT: Final = Lifecycle(
    "sharing.Grant",
    states=Grant.Status,
    moves=[
        Move(
            "deliver",
            _("开通"),
            sources=("delivering",),
            target="in_force",
            owed=_("使用部门按期用数"),
        ),
        Move(
            "suspend",
            _("暂停"),
            sources=("in_force",),
            target="suspended",
            owed=_("使用部门限期整改"),
            reason=True,
            tone="danger",
        ),
        Move(
            "resume",
            _("恢复"),
            sources=("suspended",),
            target="in_force",
            owed=_("使用部门按期用数"),
            reason=True,
            tone="primary",
        ),
        Move(
            "end",
            _("终止"),
            sources=("delivering", "in_force", "suspended"),
            target="ended",
            owed=_("使用部门处置数据"),
            reason=True,
            tone="danger",
        ),
        Move(
            "expire",
            _("到期"),
            sources=("delivering", "in_force", "suspended"),
            target="expired",
            owed=_("使用部门处置数据"),
        ),
    ],
)

IDLE_NOTICE: Final = Lifecycle(
    "sharing.IdleNotice",
    states=IdleNotice.Status,
    moves=[
        Move("note_use", _("恢复使用"), sources=("noticed",), target="used", owed=_("无")),
        Move(
            "cut_off",
            _("逾期停用"),
            sources=("noticed",),
            target="suspended",
            owed=_("使用部门说明是否继续使用"),
        ),
        Move(
            "ask_back",
            _("说明用途，请求恢复"),
            sources=("suspended",),
            target="need_stated",
            owed=_("提供部门共享工作机构负责人"),
            reason=True,
            tone="primary",
        ),
        Move(
            "resume",
            _("恢复"),
            sources=("suspended", "need_stated"),
            target="resumed",
            owed=_("无"),
        ),
        Move(
            "void",
            _("不再适用"),
            sources=("noticed", "suspended", "need_stated"),
            target="void",
            owed=_("无"),
        ),
    ],
)

RECERTIFICATION: Final = Lifecycle(
    "sharing.Recertification",
    states=Recertification.Status,
    moves=[
        Move(
            "state_need",
            _("说明继续使用的理由"),
            sources=("awaiting_need",),
            target="awaiting_decision",
            owed=_("提供部门共享工作机构负责人"),
            reason=True,
            tone="primary",
        ),
        Move(
            "pass_over",
            _("逾期未说明"),
            sources=("awaiting_need",),
            target="awaiting_decision",
            owed=_("提供部门共享工作机构负责人"),
        ),
        Move(
            "decide",
            _("复核"),
            sources=("awaiting_decision",),
            target="decided",
            owed=_("无"),
            tone="primary",
        ),
        Move(
            "void",
            _("不再适用"),
            sources=("awaiting_need", "awaiting_decision"),
            target="void",
            owed=_("无"),
        ),
    ],
)

TERMS_TEMPLATE: Final = Lifecycle(
    "sharing.TermsTemplate",
    states=TermsTemplate.Status,
    moves=[
        Move(
            "retire_template",
            _("停用"),
            sources=("in_use",),
            target="retired",
            owed=_("无"),
            tone="danger",
        ),
    ],
)

# What a worker does and what makes a file void; nobody presses a button but to discard it.
EXPORT: Final = Lifecycle(
    "sharing.Export",
    states=Export.Status,
    moves=[
        Move(
            "begin",
            _("开始生成"),
            sources=("queued", "running"),  # running: its worker died
            target="running",
            owed=_("平台生成文件"),
        ),
        Move(
            "finish",
            _("生成文件"),
            sources=("running",),
            target="ready",
            owed=_("使用部门下载"),
            tone="primary",
        ),
        Move("fail", _("生成失败"), sources=("running",), target="failed", owed=_("无，已结束")),
        Move(
            "stop",
            _("停止导出"),
            sources=("queued", "running", "ready"),
            target="stopped",
            owed=_("无，已结束"),
        ),
        Move(
            "discard",
            _("删除导出文件"),
            sources=("queued", "running", "ready"),
            target="stopped",
            owed=_("无，已结束"),
            tone="danger",
        ),
        Move(
            "expire",
            _("到期删除文件"),
            sources=("ready",),
            target="expired",
            owed=_("无，已结束"),
        ),
    ],
)
