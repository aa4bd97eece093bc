"""The buttons of a request or a grant: what its lifecycle allows ∩ what this person may do.

A button that the person may use but that cannot work yet is shown off, with the reason.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core import access
from apps.core.errors import Conflict, InvalidInput
from apps.core.lifecycle import Move
from apps.sharing import queries
from apps.sharing.lifecycle import GRANT, REQUEST
from apps.sharing.models import Grant, RequestedItem, SharingRequest
from apps.sharing.operations.deciding.extension import EXTENDABLE
from apps.sharing.operations.deciding.retracting import refuse_acted_on
from apps.sharing.operations.deciding.widening import refuse_grown
from apps.sharing.operations.holding.narrow_grant import NARROWABLE
from apps.sharing.queries.service_changes import open_change

MANDATORY: dict[str, str | Promise] = {
    "basis": gettext_lazy("使用依据"),
    "scenario": gettext_lazy("使用场景"),
    "scope": gettext_lazy("使用范围"),
    "starts_on": gettext_lazy("使用时限"),
    "ends_on": gettext_lazy("使用时限"),
}


# What a second person does with an opinion that he sees; blind, he writes one of his own.
ANSWERING_WHAT_IS_SEEN = ("confirm", "send_back_proposal")


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
    is_sealed = queries.sealed_opinion(subject) is not None
    is_sent_back = subject.status == "head_returned"  # to be changed first, then sent again
    for move in REQUEST.moves_from(subject.status):
        if not access.allowed(user, move.name, subject, at=at):
            continue
        if is_sealed and move.name in ANSWERING_WHAT_IS_SEEN:
            continue
        # The whole request is checked once more on the last step before it is sent on.
        url = (
            reverse("sharing:request-edit", args=[subject.pk, "review"])
            if move.name == "submit"
            else _page_of(move, subject)
        )
        tone = "neutral" if is_sent_back and move.name == "submit" else move.tone
        buttons.append(Button(move.name, move.label, url, tone, why_not(user, subject, move)))
    if access.allowed(user, "revise", subject, at=at):
        url = reverse("sharing:request-edit", args=[subject.pk, "items"])
        tone = "primary" if is_sent_back else "neutral"
        buttons.append(Button("revise", _("修改申请"), url, tone))
    if subject.status in EXTENDABLE and access.allowed(user, "extend", subject, at=at):
        url = reverse("sharing:request-extend", args=[subject.pk])
        buttons.append(Button("extend", _("延期"), url, why_not=_no_extension(subject)))
    if is_sealed and access.allowed(user, "opine", subject, at=at):
        url = reverse("sharing:request-opine", args=[subject.pk])
        why = _cannot_confirm(user, subject)
        buttons.append(Button("opine", _("写出独立意见"), url, "primary", why))
    if subject.status == "refused" and access.allowed(user, "ask_again", subject, at=at):
        url = reverse("sharing:request-ask-again", args=[subject.pk])
        why = _under_way(subject)
        buttons.append(Button("ask_again", _("据此重新申请"), url, "primary", why))
    buttons += [*_offer_buttons(user, subject, at), *_urgent_buttons(user, subject, at)]
    return sorted(buttons, key=lambda button: ("primary", "neutral", "danger").index(button.tone))


def _under_way(subject: SharingRequest) -> str:
    other = queries.request_under_way(subject.system, subject.dataset)
    words = _("该系统对此目录已有申请 %(number)s")
    return words % {"number": other.number} if other is not None else ""


def _offer_buttons(user: Any, subject: SharingRequest, at: datetime) -> list[Button]:
    """What is to be done about an open offer: the one side answers, the other may take it back."""
    made = queries.open_offer(subject)
    if made is None:
        return []
    url = reverse("sharing:request-offer", args=[subject.pk, made.version])
    if access.allowed(user, "accept_offer", subject, at=at):
        return [Button("accept_offer", _("答复协商条件"), url, "primary")]
    if access.allowed(user, "retract_offer", subject, at=at):
        return [Button("retract_offer", _("收回协商条件"), url)]
    return []


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
    is_returned = queries.return_flow_of(subject.request) is not None
    if (
        not is_returned
        and subject.status in NARROWABLE
        and access.allowed(user, "narrow", subject, at=at)
    ):
        url = reverse("sharing:grant-narrow", args=[subject.pk])
        buttons.insert(0, Button("narrow", _("收窄"), url))
    if subject.status in NARROWABLE and access.allowed(user, "open_change", subject, at=at):
        url = reverse("sharing:grant-change", args=[subject.pk])
        is_open = open_change(subject) is not None
        why = _("已有办理中的服务变更") if is_open else ""
        buttons.insert(1, Button("open_change", _("告知变更"), url, why_not=why))
    if subject.status == "in_force" and access.allowed(user, "ask_change", subject, at=at):
        url = reverse("sharing:grant-ask-change", args=[subject.pk])
        buttons.insert(0, Button("ask_change", _("申请变更或续期"), url))
    return buttons


def why_not(user: Any, subject: SharingRequest, move: Move) -> str:
    """Say why a move that the person may make cannot be made yet; empty when it can."""
    return why_not_each(user, [subject], move)[subject.pk]


def why_not_each(user: Any, subjects: Sequence[SharingRequest], move: Move) -> dict[int, str]:
    """Say the same of several, by request; of moves made together in a few statements for all."""
    if move.name in OBSTACLES_OF_SEVERAL:
        return OBSTACLES_OF_SEVERAL[move.name](user, subjects)
    check = OBSTACLES.get(move.name)
    return {subject.pk: check(user, subject) if check else "" for subject in subjects}


def missing_parts(subject: SharingRequest) -> list[str]:
    """Name the mandatory parts that a draft still lacks.

    Source: 《政务数据共享条例》第二十条
    """
    return missing_parts_each([subject])[subject.pk]


def missing_parts_each(subjects: Sequence[SharingRequest]) -> dict[int, list[str]]:
    """Name them for several drafts, by request."""
    rows = RequestedItem.objects.filter(request__in=[subject.pk for subject in subjects])
    with_items = set(rows.order_by().values_list("request", flat=True).distinct())
    found = {}
    for subject in subjects:
        missing = [str(label) for name, label in MANDATORY.items() if not getattr(subject, name)]
        if subject.pk not in with_items:
            missing.append(_("数据项"))
        found[subject.pk] = list(dict.fromkeys(missing))
    return found


def _page_of(move: Move, subject: SharingRequest) -> str:
    if move.name == "propose":
        return reverse("sharing:request-propose", args=[subject.pk])
    if move.name == "mark_urgent":
        return reverse("sharing:request-urgent", args=[subject.pk])
    return reverse("sharing:request-move", args=[subject.pk, move.name])


def _incomplete(user: Any, subject: SharingRequest) -> str:
    missing = missing_parts(subject)
    return _("还缺：%(parts)s") % {"parts": "、".join(missing)} if missing else ""


def _not_to_hand_in(user: Any, subject: SharingRequest) -> str:
    if missing := _incomplete(user, subject):
        return missing
    try:
        refuse_grown(subject, by_head=access.allowed(user, "approve_by_head", subject))
    except InvalidInput as error:
        return str(error)
    return ""


def _asked_before(user: Any, subject: SharingRequest) -> str:
    if queries.return_flow_of(subject) is not None:
        return _("数据回流不退回补正，限时答复")
    if queries.urgency_of(subject) is not None:
        return _("急件先答复，所缺材料事后补办")
    return _("补正只能通知一次，已通知过") if subject.supplement_asked_at else ""


def _own_route_open(_user: Any, subjects: Sequence[SharingRequest]) -> dict[int, str]:
    return _route_open(subjects, "consumer")


def _cannot_sign(user: Any, subjects: Sequence[SharingRequest]) -> dict[int, str]:
    decisions = queries.latest_decisions(subjects)
    unconfirmed = [
        subject
        for subject in subjects
        if subject.pk in decisions and decisions[subject.pk].confirmed_at is None
    ]
    lacking = queries.needing_second_review(unconfirmed)
    routes = _route_open(subjects, "provider")
    found = {}
    for subject in subjects:
        decision = decisions.get(subject.pk)
        if subject.proposed_by_id == user.pk:
            found[subject.pk] = _("处理意见须由提出人以外的负责人签发")
        elif decision is not None and decision.confirmed_by_id == user.pk:
            found[subject.pk] = _("复核人不能签发自己复核的处理意见")
        elif subject.pk in lacking:
            found[subject.pk] = _("须经复核才能签发，先退回重审")
        else:
            found[subject.pk] = routes[subject.pk]
    return found


def _cannot_confirm(user: Any, subject: SharingRequest) -> str:
    if not queries.leaves_signer(subject, user, timezone.now()):
        return _("由本人复核后没有其他负责人可以签发")
    return ""


def _not_to_retract(user: Any, subject: SharingRequest) -> str:
    if subject.proposed_by_id != user.pk:
        return _("处理意见只由提出人本人撤回")
    try:
        refuse_acted_on(subject)
    except Conflict as error:
        return str(error)
    return ""


def _route_open(subjects: Sequence[SharingRequest], side: str) -> dict[int, str]:
    steps = queries.first_open_steps(subjects, side)
    return {
        subject.pk: _("内部流转未办结：%(title)s（%(person)s）")
        % {"title": steps[subject.pk].title, "person": steps[subject.pk].assignee}
        if subject.pk in steps
        else ""
        for subject in subjects
    }


def _ordered_before(user: Any, subject: SharingRequest) -> str:
    if queries.return_flow_of(subject) is not None:
        return _("数据回流的答复时限是固定的")
    return _("已列为急件") if queries.urgency_of(subject) is not None else ""


def _offer_open(_user: Any, subjects: Sequence[SharingRequest]) -> dict[int, str]:
    negotiated = queries.with_open_offer(subjects)
    words = _("协商条件正待使用部门答复，可以先收回")
    return {subject.pk: words if subject.pk in negotiated else "" for subject in subjects}


def _no_extension(subject: SharingRequest) -> str:
    if queries.return_flow_of(subject) is not None:
        return _("数据回流的答复时限是固定的")
    if queries.urgency_of(subject) is not None:
        return _("急件的时限由主管部门确定，不能延期")
    asked = subject.extensions.exclude(consented=False).exists()
    return _("已申请过延期") if asked else ""


OBSTACLES: dict[str, Callable[[Any, SharingRequest], str]] = {
    "submit": _incomplete,
    "supplement": _not_to_hand_in,
    "ask_supplement": _asked_before,
    "confirm": _cannot_confirm,
    "mark_urgent": _ordered_before,
    "retract_proposal": _not_to_retract,
}
# Of what is also done with several at once.
OBSTACLES_OF_SEVERAL: dict[str, Callable[[Any, Sequence[SharingRequest]], dict[int, str]]] = {
    "approve_by_head": _own_route_open,
    "propose": _offer_open,
    "agree": _cannot_sign,
    "refuse": _cannot_sign,
}
