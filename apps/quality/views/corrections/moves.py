"""One page per move of a correction: what it brings about, what it asks, one call."""

from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core import access
from apps.core.errors import DomainError, StaleRevision
from apps.core.lifecycle import Move
from apps.quality.forms.corrections import (
    CorrectionMoveForm,
    ForwardForm,
    LinkForm,
    UpholdForm,
)
from apps.quality.lifecycle import CORRECTION
from apps.quality.models import Correction
from apps.quality.operations import corrections
from apps.quality.operations.corrections.correcting import why_not_one_click
from apps.quality.views.corrections.buttons import NEVER_BY_HAND
from apps.quality.views.corrections.detail import (
    correction_or_404,
    key_in_words,
    values_of,
)

CONSEQUENCES: Final[dict[str, str | Promise]] = {
    "accept": gettext_lazy("由本部门核实；10 个工作日的时限从收到之日起算，已在计时。"),
    "forward": gettext_lazy("由所选部门核实；时限仍从收到之日起算。"),
    "verify": gettext_lazy("送本部门共享工作机构负责人认定。"),
    "uphold": gettext_lazy("提供部门须提交更正批次；更正入库后，平台自动反馈并取消标注。"),
    "confirm": gettext_lazy("说明会反馈提出部门；提出部门确认办结后取消标注。"),
    "hand_in": gettext_lazy(
        "将以该记录的现有内容和认定的值生成只有一条记录的更新批次，照常校验入库；"
        "对所有使用部门同时更正。"
    ),
    "link": gettext_lazy("只说明由哪个批次更正；是否更正以数据表中的值为准。"),
    "contest": gettext_lazy("重新标注为校核中，由主管部门协调。"),
    "send_back": gettext_lazy("核实部门重新核实，10 个工作日的时限重新计算。"),
    "close": gettext_lazy("校核办结，此后不能再办理；仍有的标注取消。"),
    "withdraw": gettext_lazy("校核不再办理，标注取消；核实部门会收到通知。"),
}
BESIDE: Final[dict[str, str | Promise]] = {
    "hand_in": gettext_lazy("按认定值更正"),
    "link": gettext_lazy("指定更正批次"),
}
"""What moves no status but is done on pages of the same kind."""


@login_required
def move(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Confirm a move of a correction, and on POST make it."""
    user: Any = request.user
    subject = correction_or_404(request, pk)
    found = _move(name)
    if not access.allowed(user, name, subject):
        raise PermissionDenied
    form = _form(request, found, subject)
    if request.method == "POST" and form.is_valid() and _done(request, form, name, subject):
        messages.success(request, _("已办理：%(move)s") % {"move": found.label})
        return redirect(subject.get_absolute_url())
    context = {
        "subject": subject,
        "move": found,
        "form": form,
        "consequence": CONSEQUENCES.get(name, ""),
        "why_not": _why_not(subject, found),
        "back_url": subject.get_absolute_url(),
        "keep": f"correction-{pk}",
        "key": key_in_words(user, subject),
        "values": values_of(subject),
        "sees_values": access.allowed(user, "see_values", subject),
    }
    return render(request, "quality/correction_move.html", context)


def _move(name: str) -> Move:
    if name in BESIDE:
        return Move(name, BESIDE[name], ("correcting",), "correcting", tone="primary")
    for each in CORRECTION.moves:
        if each.name == name and name not in NEVER_BY_HAND:
            return each
    raise Http404


def _form(request: HttpRequest, found: Move, subject: Correction) -> CorrectionMoveForm:
    posted = request.POST if request.method == "POST" else None
    kinds: dict[str, type[CorrectionMoveForm]] = {
        "forward": ForwardForm,
        "uphold": UpholdForm,
        "link": LinkForm,
    }
    return kinds.get(found.name, CorrectionMoveForm)(
        posted, move=found, correction=subject, initial={"revision": subject.revision}
    )


def _done(request: HttpRequest, form: CorrectionMoveForm, name: str, subject: Correction) -> bool:
    """Make the call; on a refusal write it into the form, keeping everything that was typed."""
    try:
        getattr(corrections, name)(
            correction=subject, actor=request.user, at=timezone.now(), **form.given()
        )
    except DomainError as error:
        field = error.details.get("field")
        form.add_error(field if field in form.fields else None, str(error))
        subject.refresh_from_db()
        if isinstance(error, StaleRevision):
            form.add_error(None, _("填写的内容都保留在下面；看过最新内容后可以再次提交"))
            fresh: Any = request.POST.copy()
            fresh["revision"] = str(subject.revision)
            form.data = fresh
        return False
    return True


def _why_not(subject: Correction, found: Move) -> str:
    if subject.status not in found.sources:
        return _("当前状态为“%(status)s”，不能办理") % {"status": subject.get_status_display()}
    return why_not_one_click(subject) if found.name == "hand_in" else ""
