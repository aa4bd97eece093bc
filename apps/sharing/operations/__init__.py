"""What people and the platform do with requests and grants: one function per use case."""

from apps.sharing.operations.asking.approval import approve_by_head, return_by_head
from apps.sharing.operations.asking.asking_again import ask_again
from apps.sharing.operations.asking.asking_changes import ask_change
from apps.sharing.operations.asking.basket import put_in_basket, take_out
from apps.sharing.operations.asking.district import pass_on, return_by_district
from apps.sharing.operations.asking.drafting import (
    draft_request,
    recall,
    revise,
    submit,
    supplement,
    withdraw,
)
from apps.sharing.operations.asking.from_demand import draft_request_from_demand
from apps.sharing.operations.asking.packages import (
    add_to_package,
    attach_to_package,
    draft_package,
    revise_package,
    submit_package,
)
from apps.sharing.operations.asking.papers import attach
from apps.sharing.operations.asking.return_flow import declare_region_item, draft_return_flow
from apps.sharing.operations.deciding.blind_review import (
    lift_blind_review,
    opine,
    order_blind_review,
)
from apps.sharing.operations.deciding.extension import consent_extension, extend
from apps.sharing.operations.deciding.internal_route import (
    co_sign,
    forward,
    pass_step,
    recall_step,
    route,
    step_back,
)
from apps.sharing.operations.deciding.offers import (
    accept_offer,
    decline_offer,
    lapse_offers,
    offer,
    retract_offer,
)
from apps.sharing.operations.deciding.previewing import Preview, preview
from apps.sharing.operations.deciding.retracting import retract_proposal
from apps.sharing.operations.deciding.review import (
    accept_form,
    agree,
    ask_supplement,
    propose,
    refuse,
    send_back_proposal,
    sign,
)
from apps.sharing.operations.deciding.second_review import confirm
from apps.sharing.operations.deciding.terms_templates import retire_template, save_template
from apps.sharing.operations.deciding.together import act_together
from apps.sharing.operations.deciding.urgent import backfill, mark_urgent, review_urgent
from apps.sharing.operations.holding.delivering import deliver
from apps.sharing.operations.holding.disposals import (
    confirm_disposal,
    file_disposal,
    remind_disposals,
    return_disposal,
    void_disposals,
)
from apps.sharing.operations.holding.dropped_columns import withdraw_dropped
from apps.sharing.operations.holding.due import carry_out_due
from apps.sharing.operations.holding.explaining import explain_record
from apps.sharing.operations.holding.grants import (
    end,
    expire,
    resume,
    suspend,
    tear_down,
)
from apps.sharing.operations.holding.idling import ask_back, watch_idle
from apps.sharing.operations.holding.metering import count_use
from apps.sharing.operations.holding.narrow_grant import narrow
from apps.sharing.operations.holding.recertification_due import recertify_due
from apps.sharing.operations.holding.recertifying import decide, decide_each, state_need
from apps.sharing.operations.holding.thrifty import narrow_as_proposed
from apps.sharing.operations.holding.usage_reports import ask_usage_reports, file_usage_report
from apps.sharing.operations.one_by_one import gathering
from apps.sharing.operations.serving.change_effects import carry_out_changes
from apps.sharing.operations.serving.console import Opened, forget_consoles, open_console
from apps.sharing.operations.serving.copies import (
    dispose_copy,
    follow_copy,
    keep_copies,
    prove_copies,
    prove_copy,
)
from apps.sharing.operations.serving.credentials import (
    collect_credential,
    issue_credential,
    keep_credentials,
    offer_credential,
    replace_credential,
    revoke_credential,
    void_credentials,
)
from apps.sharing.operations.serving.database_logins import (
    close_login,
    open_login,
    renew_login,
    watch_logins,
)
from apps.sharing.operations.serving.exports import (
    discard_export,
    expire_export,
    keep_exports,
    request_export,
    stop_export,
)
from apps.sharing.operations.serving.interfaces import (
    change_interface,
    pause_interface,
    register_interface,
    resume_interface,
    retire_interface,
    try_interface,
)
from apps.sharing.operations.serving.making_exports import make_export, make_exports
from apps.sharing.operations.serving.planned_stops import (
    announce_stop,
    end_stop_early,
    withdraw_stop,
)
from apps.sharing.operations.serving.probing import probe_interfaces
from apps.sharing.operations.serving.service_changes import (
    agree_change,
    file_change,
    object_change,
    open_change,
    refuse_change,
    withdraw_change,
)
from apps.sharing.operations.serving.stop_effects import carry_out_stops
from apps.sharing.operations.serving.suppliers import (
    close_supplier,
    extend_supplier,
    keep_suppliers,
    open_supplier,
)
from apps.sharing.operations.serving.webhooks import (
    collect_events,
    forget_deliveries,
    pause_webhook,
    ping,
    push_due,
    register_webhook,
    remove_webhook,
    renew_secret,
    resend,
    resume_webhook,
)

__all__ = [
    "Opened",
    "Preview",
    "accept_form",
    "accept_offer",
    "act_together",
    "add_to_package",
    "agree",
    "agree_change",
    "announce_stop",
    "approve_by_head",
    "ask_again",
    "ask_back",
    "ask_change",
    "ask_supplement",
    "ask_usage_reports",
    "attach",
    "attach_to_package",
    "backfill",
    "carry_out_changes",
    "carry_out_due",
    "carry_out_stops",
    "change_interface",
    "close_login",
    "close_supplier",
    "co_sign",
    "collect_credential",
    "collect_events",
    "confirm",
    "confirm_disposal",
    "consent_extension",
    "count_use",
    "decide",
    "decide_each",
    "declare_region_item",
    "decline_offer",
    "deliver",
    "discard_export",
    "dispose_copy",
    "draft_package",
    "draft_request",
    "draft_request_from_demand",
    "draft_return_flow",
    "end",
    "end_stop_early",
    "expire",
    "expire_export",
    "explain_record",
    "extend",
    "extend_supplier",
    "file_change",
    "file_disposal",
    "file_usage_report",
    "follow_copy",
    "forget_consoles",
    "forget_deliveries",
    "forward",
    "gathering",
    "issue_credential",
    "keep_copies",
    "keep_credentials",
    "keep_exports",
    "keep_suppliers",
    "lapse_offers",
    "lift_blind_review",
    "make_export",
    "make_exports",
    "mark_urgent",
    "narrow",
    "narrow_as_proposed",
    "object_change",
    "offer",
    "offer_credential",
    "open_change",
    "open_console",
    "open_login",
    "open_supplier",
    "opine",
    "order_blind_review",
    "pass_on",
    "pass_step",
    "pause_interface",
    "pause_webhook",
    "ping",
    "preview",
    "probe_interfaces",
    "propose",
    "prove_copies",
    "prove_copy",
    "push_due",
    "put_in_basket",
    "recall",
    "recall_step",
    "recertify_due",
    "refuse",
    "refuse_change",
    "register_interface",
    "register_webhook",
    "remind_disposals",
    "remove_webhook",
    "renew_login",
    "renew_secret",
    "replace_credential",
    "request_export",
    "resend",
    "resume",
    "resume_interface",
    "resume_webhook",
    "retire_interface",
    "retire_template",
    "retract_offer",
    "retract_proposal",
    "return_by_district",
    "return_by_head",
    "return_disposal",
    "review_urgent",
    "revise",
    "revise_package",
    "revoke_credential",
    "route",
    "save_template",
    "send_back_proposal",
    "sign",
    "state_need",
    "step_back",
    "stop_export",
    "submit",
    "submit_package",
    "supplement",
    "suspend",
    "take_out",
    "tear_down",
    "try_interface",
    "void_credentials",
    "void_disposals",
    "watch_idle",
    "watch_logins",
    "withdraw",
    "withdraw_change",
    "withdraw_dropped",
    "withdraw_stop",
]
