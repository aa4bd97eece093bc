"""The buttons of a request or a grant: what its lifecycle allows ∩ what this person may do.

A button that the person may use but that cannot work yet is shown off, with the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core import access
from apps.core.lifecycle import Move
from apps.sharing import queries
from apps.sharing.lifecycle import GRANT, REQUEST
from apps.sharing.models import Grant, SharingRequest
from apps.sharing.operations.extension import EXTENDABLE
from apps.sharing.operations.narrow_grant import NARROWABLE

MANDATORY: dict[str, str | Promise] = {
    "basis": gettext_lazy("使用依据"),
    "scenario": gettext_lazy("使用场景"),
    "scope": gettext_lazy("使用范围"),
    "starts_on": gettext_lazy("使用时限"),
    "ends_on": gettext_lazy("使用时限"),
}


@dataclass(frozen=True)
class Button:
    """One thing to do; `why_not` says why it cannot be done yet, empty when it can."""

    name: str
    label: str | Promise
    url: str
    tone: str = "neutral"
    why_not: str = ""


def request_buttons(user: Any, subject: SharingRequest, at: datetime) -> list[Button]:
    """Return what this person may do with the request now, the main thing first."""
    buttons = []
    for move in REQUEST.moves_from(subject.status):
        if not access.allowed(user, move.name, subject, at=at):
            continue
        # The whole request is checked once more on the last step before it is sent on.
        url = (
            reverse("sharing:request-edit", args=[subject.pk, "review"])
            if move.name == "submit"
            else _page_of(move, subject)
        )
        buttons.append(Button(move.name, move.label, url, move.tone, why_not(user, subject, move)))
    if access.allowed(user, "revise", subject, at=at):
        url = reverse("sharing:request-edit", args=[subject.pk, "items"])
        buttons.append(Button("revise", _("修改申请"), url))
    if subject.status in EXTENDABLE and access.allowed(user, "extend", subject, at=at):
        url = reverse("sharing:request-extend", args=[subject.pk])
        buttons.append(Button("extend", _("延期"), url, why_not=_no_extension(subject)))
    buttons += _urgent_buttons(user, subject, at)
    return sorted(buttons, key=lambda button: ("primary", "neutral", "danger").index(button.tone))


def _urgent_buttons(user: Any, subject: SharingRequest, at: datetime) -> list[Button]:
    """What follows an urgent decision: the papers, and the review as long as there was none."""
    buttons = []
    if access.allowed(user, "backfill", subject, at=at):
        url = reverse("sharing:request-backfill", args=[subject.pk])
        buttons.append(Button("backfill", _("补办材料"), url, "primary"))
    urgency = queries.urgency_of(subject)
    is_unreviewed = urgency is not None and urgency.reviewed_at is None
    if is_unreviewed and access.allowed(user, "review_urgent", subject, at=at):
        url = reverse("sharing:request-urgent-review", args=[subject.pk])
        buttons.append(Button("review_urgent", _("事后审查"), url, "primary"))
    return buttons


def grant_buttons(user: Any, subject: Grant, at: datetime) -> list[Button]:
    buttons = [
        Button(
            move.name,
            move.label,
            reverse("sharing:grant-move", args=[subject.pk, move.name]),
            move.tone,
        )
        for move in GRANT.moves_from(subject.status)
        if access.allowed(user, move.name, subject, at=at)
    ]
    if subject.status in NARROWABLE and access.allowed(user, "narrow", subject, at=at):
        url = reverse("sharing:grant-narrow", args=[subject.pk])
        buttons.insert(0, Button("narrow", _("收窄"), url))
    return buttons


def why_not(user: Any, subject: SharingRequest, move: Move) -> str:
    """Say why a move that the person may make cannot be made yet; empty when it can."""
    check = OBSTACLES.get(move.name)
    return check(user, subject) if check else ""


def missing_parts(subject: SharingRequest) -> list[str]:
    """Name the mandatory parts that a draft still lacks.

    Source: 《政务数据共享条例》第二十条
    """
    missing = [str(label) for name, label in MANDATORY.items() if not getattr(subject, name)]
    if not subject.requested_items.exists():
        missing.append(_("数据项"))
    return list(dict.fromkeys(missing))


def _page_of(move: Move, subject: SharingRequest) -> str:
    if move.name == "propose":
        return reverse("sharing:request-propose", args=[subject.pk])
    if move.name == "mark_urgent":
        return reverse("sharing:request-urgent", args=[subject.pk])
    return reverse("sharing:request-move", args=[subject.pk, move.name])


def _incomplete(user: Any, subject: SharingRequest) -> str:
    missing = missing_parts(subject)
    return _("还缺：%(parts)s") % {"parts": "、".join(missing)} if missing else ""


def _asked_before(user: Any, subject: SharingRequest) -> str:
    if queries.urgency_of(subject) is not None:
        return _("急件先答复，所缺材料事后补办")
    return _("补正只能通知一次，已通知过") if subject.supplement_asked_at else ""


def _own_route_open(user: Any, subject: SharingRequest) -> str:
    return _route_open(subject, "consumer")


def _cannot_sign(user: Any, subject: SharingRequest) -> str:
    decision = queries.latest_decision(subject)
    if subject.proposed_by_id == user.pk:
        return _("处理意见须由提出人以外的负责人签发")
    if decision is not None and decision.confirmed_by_id == user.pk:
        return _("复核人不能签发自己复核的处理意见")
    is_unconfirmed = decision is not None and decision.confirmed_at is None
    if is_unconfirmed and queries.needs_second_review(subject):
        return _("须经复核才能签发，先退回重审")
    return _route_open(subject, "provider")


def _cannot_confirm(user: Any, subject: SharingRequest) -> str:
    if not queries.leaves_signer(subject, user, timezone.now()):
        return _("由此人复核后没有其他负责人可以签发")
    return ""


def _route_open(subject: SharingRequest, side: str) -> str:
    step = queries.open_steps(subject, side).select_related("assignee").first()
    if step is None:
        return ""
    return _("内部流转未办结：%(title)s（%(person)s）") % {
        "title": step.title,
        "person": step.assignee,
    }


def _ordered_before(user: Any, subject: SharingRequest) -> str:
    return _("已列为急件") if queries.urgency_of(subject) is not None else ""


def _no_extension(subject: SharingRequest) -> str:
    if queries.urgency_of(subject) is not None:
        return _("急件的时限由主管部门确定，不能延期")
    asked = subject.extensions.exclude(consented=False).exists()
    return _("已申请过延期") if asked else ""


OBSTACLES: dict[str, Callable[[Any, SharingRequest], str]] = {
    "submit": _incomplete,
    "supplement": _incomplete,
    "ask_supplement": _asked_before,
    "approve_by_head": _own_route_open,
    "confirm": _cannot_confirm,
    "mark_urgent": _ordered_before,
    "agree": _cannot_sign,
    "refuse": _cannot_sign,
}
