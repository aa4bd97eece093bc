"""One page per move: what it brings about, the reason where due, one call to its operation."""

from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core import access
from apps.core.errors import DomainError, StaleRevision
from apps.core.lifecycle import Lifecycle, Move
from apps.core.templatetags.dates import day
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.forms.moves import MoveForm, SuspendForm
from apps.sharing.lifecycle import GRANT, REQUEST
from apps.sharing.models import Grant, SharingRequest
from apps.sharing.views.buttons import why_not
from apps.sharing.views.detail import asked_before, condition_words, item_lines, subject_or_404
from apps.sharing.views.weighing import weighing_for

# The pages of these moves say more than a reason.
ELSEWHERE = {"propose": "sharing:request-propose", "mark_urgent": "sharing:request-urgent"}
SHOWING_TERMS = {"confirm", "agree", "refuse"}
REQUEST_CONSEQUENCES: Final = {
    "submit": gettext_lazy("申请送本部门共享工作机构负责人审批；审批前可以撤回修改。"),
    "recall": gettext_lazy("申请退回草稿，负责人的待办同时撤销。"),
    "approve_by_head": gettext_lazy(
        "申请送达%(provider)s，法定时限从收到之日起算。无条件共享的数据由平台自动授权。"
    ),
    "pass_on": gettext_lazy("申请送达%(provider)s，法定时限从收到之日起算；转报意见一并送达。"),
    "return_by_district": gettext_lazy("申请退回%(consumer)s修改，不送达%(provider)s。"),
    "return_by_head": gettext_lazy("申请退回经办人修改，不送达%(provider)s。"),
    "accept_form": gettext_lazy("材料齐全，进入审核；时限继续计算。"),
    "ask_supplement": gettext_lazy("申请退回%(consumer)s补正，时限暂停；补正只能通知一次。"),
    "supplement": gettext_lazy("补正送达%(provider)s，时限恢复计算。"),
    "confirm": gettext_lazy("处理意见送负责人签发；复核人不能再签发。时限继续计算。"),
    "send_back_proposal": gettext_lazy("处理意见退回审核人重审，时限不停。"),
    "retract_proposal": gettext_lazy(
        "申请回到审核中，由本人或者同事重新提出意见；原意见留在经过里，时限不停。"
    ),
    "agree": gettext_lazy(
        "平台随即开通：“%(system)s”可以按拟签发的数据项、范围和方式使用“%(dataset)s”。"
    ),
    "refuse": gettext_lazy("申请办结为不予共享，理由和依据送达%(consumer)s。"),
    "withdraw": gettext_lazy("申请办结为已撤回，不能恢复；已收到的部门会得到通知。"),
}


@login_required
def move_request(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Confirm a move of a request, and on POST make it."""
    subject = subject_or_404(request, pk)
    move = _move_or_404(REQUEST, name)
    if name in ELSEWHERE:
        return redirect(ELSEWHERE[name], pk=pk)
    if not access.allowed(request.user, name, subject):
        raise PermissionDenied
    form = MoveForm(request.POST or None, move=move, initial={"revision": subject.revision})
    if request.method == "POST" and form.is_valid():
        operation = getattr(sharing, name)
        if done(
            request,
            form,
            lambda at: operation(
                request=subject,
                actor=request.user,
                at=at,
                reason=form.cleaned_data["reason"],
                revision=form.cleaned_data["revision"],
            ),
        ):
            messages.success(request, _("已办理：%(move)s") % {"move": move.label})
            return redirect("sharing:request", pk=pk)
        subject.refresh_from_db()
        freshen(form, subject.revision)
    decision = queries.latest_decision(subject) if name in SHOWING_TERMS else None
    context = {
        "subject": subject,
        "move": move,
        "form": form,
        "why_not": _not_now(REQUEST, subject, move) or why_not(request.user, subject, move),
        "consequence": request_consequence(subject, move),
        "back_url": reverse("sharing:request", args=[pk]),
        "keep": f"request-{pk}",
        "decision": decision,
        "previous": asked_before(request.user, subject)["previous"],
        "items": item_lines(subject, decision) if decision else [],
        "decided_conditions": condition_words(subject, decision.row_condition) if decision else [],
        "weighing": weighing_for(request.user, subject, timezone.now()) if decision else None,
    }
    return render(request, "sharing/request_move.html", context)


@login_required
def move_grant(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Confirm a move of a grant, and on POST make it."""
    user: Any = request.user
    subject = get_object_or_404(
        access.rows(user, "view", Grant).select_related(
            "dataset", "provider", "consumer", "system"
        ),
        pk=pk,
    )
    move = _move_or_404(GRANT, name)
    if not access.allowed(user, name, subject):
        raise PermissionDenied
    kind = SuspendForm if name == "suspend" else MoveForm
    form = kind(request.POST or None, move=move, initial={"revision": subject.revision})
    if request.method == "POST" and form.is_valid():
        arguments = dict(form.cleaned_data)
        operation = getattr(sharing, name)
        if done(request, form, lambda at: operation(grant=subject, actor=user, at=at, **arguments)):
            messages.success(request, _("已办理：%(move)s") % {"move": move.label})
            return redirect("sharing:grant", pk=pk)
        subject.refresh_from_db()
        freshen(form, subject.revision)
    context = {
        "subject": subject,
        "move": move,
        "form": form,
        "why_not": _not_now(GRANT, subject, move),
        "consequence": grant_consequence(subject, move),
        "back_url": reverse("sharing:grant", args=[pk]),
        "keep": f"grant-{pk}",
    }
    return render(request, "sharing/grant_move.html", context)


def done(request: HttpRequest, form: Any, operate: Any) -> bool:
    """Make the call; on a refusal write it into the form, keeping everything that was typed.

    A stale page gets the present revision, so that after reading what changed the person can send
    the same again.
    """
    try:
        operate(timezone.now())
    except StaleRevision as error:
        form.add_error(None, str(error))
        form.add_error(None, _("填写的内容都保留在下面；看过最新内容后可以再次提交"))
        form.is_stale = True
        return False
    except DomainError as error:
        field = str(error.details.get("field", ""))
        form.add_error(field if field in form.fields else None, str(error))
        return False
    return True


def freshen(form: Any, revision: int) -> None:
    """Let a refused stale form carry the present revision when it is sent again."""
    if getattr(form, "is_stale", False):
        form.data = form.data.copy()
        form.data["revision"] = str(revision)


def _move_or_404(lifecycle: Lifecycle, name: str) -> Move:
    try:
        return lifecycle.move(name)
    except KeyError:
        raise Http404 from None


def _not_now(lifecycle: Lifecycle, subject: Any, move: Move) -> str:
    if subject.status in move.sources:
        return ""
    return _("当前状态为“%(status)s”，不能“%(move)s”") % {
        "status": subject.get_status_display(),
        "move": move.label,
    }


def request_consequence(subject: SharingRequest, move: Move) -> str:
    """Say in one sentence what happens when the move is made."""
    names = {
        "number": subject.number,
        "provider": subject.dataset.department,
        "consumer": subject.consumer,
        "system": subject.system,
        "dataset": subject.dataset,
        "day": day(subject.ends_on),
    }
    authority = queries.district_authority_of(subject) if move.name == "approve_by_head" else None
    if authority is not None:
        return _("申请先送%(authority)s审核，由其转报%(provider)s或者退回。") % {
            **names,
            "authority": authority,
        }
    if move.name == "agree" and (grant := _continued(subject)) is not None:
        sentence = _(
            "授权 %(grant)s 得到新版本：自 %(first)s 起，“%(system)s”按拟签发的数据项和范围使用"
            "“%(dataset)s”，此前照旧；调用凭证、落地副本和数据库登录不变。"
        )
        return sentence % {**names, "grant": grant, "first": day(subject.starts_on)}
    return str(REQUEST_CONSEQUENCES.get(move.name, "")) % names


def _continued(subject: SharingRequest) -> Grant | None:
    """The grant of which the opinion to be signed would make the next version."""
    opinion = queries.latest_decision(subject)
    return queries.continued_by(subject, opinion.mode, timezone.now()) if opinion else None


def grant_consequence(subject: Grant, move: Move) -> str:
    """Say whose access stops or returns."""
    names = {"system": subject.system, "dataset": subject.dataset, "consumer": subject.consumer}
    sentences = {
        "suspend": _("将立即停止 1 个系统的访问：“%(system)s”读不到“%(dataset)s”，直到恢复。"),
        "resume": _("“%(system)s”立即恢复读取“%(dataset)s”，条件与暂停前相同。"),
        "end": _(
            "将立即停止 1 个系统的访问，且不能恢复；%(consumer)s须处置已取得的数据。"
            "使用部门没有过错的，先办理“告知变更”（《政务数据共享条例》第二十七条）。"
        ),
    }
    return sentences.get(move.name, "") % names
