"""What people and the platform do with requests and grants: one function per use case."""

from apps.sharing.operations.approval import approve_by_head, return_by_head
from apps.sharing.operations.copies import (
    dispose_copy,
    follow_copy,
    keep_copies,
    prove_copies,
    prove_copy,
)
from apps.sharing.operations.drafting import (
    draft_request,
    recall,
    revise,
    submit,
    supplement,
    withdraw,
)
from apps.sharing.operations.due import carry_out_due
from apps.sharing.operations.exports import (
    discard_export,
    expire_export,
    keep_exports,
    request_export,
    stop_export,
)
from apps.sharing.operations.extension import consent_extension, extend
from apps.sharing.operations.from_demand import draft_request_from_demand
from apps.sharing.operations.grants import (
    deliver,
    end,
    expire,
    resume,
    suspend,
    tear_down,
)
from apps.sharing.operations.idling import ask_back, watch_idle
from apps.sharing.operations.internal_route import (
    co_sign,
    forward,
    pass_step,
    recall_step,
    route,
    step_back,
)
from apps.sharing.operations.making_exports import make_export, make_exports
from apps.sharing.operations.metering import count_use
from apps.sharing.operations.narrow_grant import narrow
from apps.sharing.operations.papers import attach
from apps.sharing.operations.previewing import Preview, preview
from apps.sharing.operations.recertification_due import recertify_due
from apps.sharing.operations.recertifying import Answered, decide, decide_each, state_need
from apps.sharing.operations.review import (
    accept_form,
    agree,
    ask_supplement,
    propose,
    refuse,
    send_back_proposal,
    sign,
)
from apps.sharing.operations.second_review import confirm
from apps.sharing.operations.terms_templates import retire_template, save_template
from apps.sharing.operations.thrifty import Narrowed, narrow_as_proposed
from apps.sharing.operations.urgent import backfill, mark_urgent, review_urgent
from apps.sharing.operations.usage_reports import ask_usage_reports, file_usage_report

__all__ = [
    "Answered",
    "Narrowed",
    "Preview",
    "accept_form",
    "agree",
    "approve_by_head",
    "ask_back",
    "ask_supplement",
    "ask_usage_reports",
    "attach",
    "backfill",
    "carry_out_due",
    "co_sign",
    "confirm",
    "consent_extension",
    "count_use",
    "decide",
    "decide_each",
    "deliver",
    "discard_export",
    "dispose_copy",
    "draft_request",
    "draft_request_from_demand",
    "end",
    "expire",
    "expire_export",
    "extend",
    "file_usage_report",
    "follow_copy",
    "forward",
    "keep_copies",
    "keep_exports",
    "make_export",
    "make_exports",
    "mark_urgent",
    "narrow",
    "narrow_as_proposed",
    "pass_step",
    "preview",
    "propose",
    "prove_copies",
    "prove_copy",
    "recall",
    "recall_step",
    "recertify_due",
    "refuse",
    "request_export",
    "resume",
    "retire_template",
    "return_by_head",
    "review_urgent",
    "revise",
    "route",
    "save_template",
    "send_back_proposal",
    "sign",
    "state_need",
    "step_back",
    "stop_export",
    "submit",
    "supplement",
    "suspend",
    "tear_down",
    "watch_idle",
    "withdraw",
]
