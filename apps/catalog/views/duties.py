"""One duty: what is promised, how its parts stand, what can be done."""

from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from apps.catalog import queries as catalog
from apps.catalog.forms.responsibility import DatasetOfDutyForm, DutyMoveForm, PartForm
from apps.catalog.lifecycle import DUTY
from apps.catalog.lifecycle.responsibility import LIVE
from apps.catalog.models import Duty
from apps.catalog.operations import duties, performing, splitting
from apps.catalog.queries import responsibility as queries
from apps.catalog.views.buttons import Button, main_first
from apps.core import access
from apps.core.errors import DomainError
from apps.core.lifecycle import Move
from apps.ledger import queries as ledger

BY_HAND: Final = tuple(move for move in DUTY.moves if move.name not in {"reconsult", "enforce"})
WHILE_CONSULTING: Final = ("accept", "raise_objection")
CONSEQUENCES: Final[dict[str, str | Promise]] = {
    "accept": gettext_lazy("确认后由本部门按期限归集。"),
    "raise_objection": gettext_lazy("主管部门答复之前，清单不能印发。"),
    "settle": gettext_lazy("事项保留在清单里，部门会收到答复。"),
    "drop": gettext_lazy("事项不列入这份清单。"),
    "perform": gettext_lazy("将送主管部门核实。"),
    "verify": gettext_lazy("事项记为完成，继续按更新周期比对。"),
    "return_performance": gettext_lazy("事项退回承担部门补齐。"),
    "release": gettext_lazy("承担部门不再承担，已拆分的下级事项一并免除。"),
}


def duty_or_404(request: HttpRequest, pk: int) -> Duty:
    user: Any = request.user
    visible = access.rows(user, "view", Duty)
    return get_object_or_404(
        visible.select_related(
            "responsibility_list__department",
            "department__region",
            "dataset",
            "system",
            "parent",
            "previous",
        ),
        pk=pk,
    )


@login_required
def duty(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    subject = duty_or_404(request, pk)
    may_split = (
        subject.status in LIVE
        and subject.responsibility_list.status != "closed"
        and access.allowed(user, "split", subject)
    )
    context = {
        "subject": subject,
        "items": list(zip(subject.item_columns, subject.item_names, strict=True)),
        "is_overdue": subject.is_overdue(timezone.localdate()),
        "today": timezone.localdate(),
        "buttons": _buttons(user, subject),
        "has_below": may_split and queries.departments_below(subject.department).exists(),
        "split_url": reverse("catalog:duty-split", args=[subject.pk]) if may_split else "",
        "dataset_form": DatasetOfDutyForm() if _may_name(user, subject) else None,
        "breakdown": queries.breakdown_of(subject),
        "may_see_list": access.allowed(user, "view", subject.responsibility_list),
        "may_see_parent": subject.parent is not None
        and access.allowed(user, "view", subject.parent),
        "may_see_dataset": subject.dataset is not None
        and access.allowed(user, "view", subject.dataset),
        "trail": ledger.trail(subject),
        "owed": list(ledger.open_todos_of(subject)),
    }
    return render(request, "catalog/duty.html", context)


@login_required
def move(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Confirm a move of a duty, and on POST make it."""
    user: Any = request.user
    subject = duty_or_404(request, pk)
    found = next((each for each in BY_HAND if each.name == name), None)
    if found is None:
        raise Http404
    if not access.allowed(user, name, subject):
        raise PermissionDenied
    form = DutyMoveForm(request.POST or None, move=found, initial={"revision": subject.revision})
    if request.method == "POST" and form.is_valid():
        room: Any = performing if hasattr(performing, name) else duties
        try:
            getattr(room, name)(duty=subject, actor=user, at=timezone.now(), **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, str(error))
            subject.refresh_from_db()
        else:
            messages.success(request, _("已办理：%(move)s") % {"move": found.label})
            return redirect(subject.get_absolute_url())
    context = {
        "subject": subject,
        "label": found.label,
        "tone": found.tone,
        "form": form,
        "consequence": CONSEQUENCES[name],
        "why_not": _why_not(subject, found),
        "listing": (reverse("catalog:responsibility-lists"), _("责任清单")),
        "subject_label": _("责任事项"),
        "within": subject.responsibility_list,
        "may_see_list": access.allowed(user, "view", subject.responsibility_list),
    }
    return render(request, "catalog/duty_move.html", context)


@login_required
@require_POST
def name_dataset(request: HttpRequest, pk: int) -> HttpResponse:
    """Say which entry the duty is performed by."""
    user: Any = request.user
    subject = duty_or_404(request, pk)
    if not access.allowed(user, "perform", subject):
        raise PermissionDenied
    code = request.POST.get("code", "").strip().replace("-", "/")
    dataset = catalog.visible_to(user).filter(code=code).first()
    if dataset is None:
        messages.error(request, _("没有找到目录代码 %(codes)s") % {"codes": code[:60]})
        return redirect(subject.get_absolute_url())
    try:
        performing.name_dataset(duty=subject, dataset=dataset, actor=user, at=timezone.now())
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("已对应目录：%(name)s") % {"name": dataset.name})
    return redirect(subject.get_absolute_url())


@login_required
def split(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a part of the duty to a unit or a district; one after the other."""
    user: Any = request.user
    subject = duty_or_404(request, pk)
    if not access.allowed(user, "split", subject):
        raise PermissionDenied
    form = PartForm(request.POST or None, own=subject.department)
    if request.method == "POST" and form.is_valid():
        try:
            splitting.split_duty(
                duty=subject,
                parts=[splitting.Part(**form.cleaned_data)],
                actor=user,
                at=timezone.now(),
            )
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("已拆分，承担方会收到待办"))
            return redirect("catalog:duty-split", subject.pk)
    context = {
        "subject": subject,
        "form": form,
        "breakdown": queries.breakdown_of(subject),
        "today": timezone.localdate(),
    }
    return render(request, "catalog/duty_split.html", context)


def _may_name(user: Any, subject: Duty) -> bool:
    waiting = subject.dataset_id is None and subject.status in LIVE
    return waiting and access.allowed(user, "perform", subject)


def _why_not(subject: Duty, found: Move) -> str:
    if subject.status not in found.sources:
        return _("当前状态为“%(status)s”，不能办理") % {"status": subject.get_status_display()}
    if found.name in WHILE_CONSULTING and subject.responsibility_list.status != "consulting":
        return _("清单不在征求意见")
    if found.name == "perform" and subject.responsibility_list.status == "closed":
        return _("清单已结束，不再办理")
    return ""


def _buttons(user: Any, subject: Duty) -> list[Button]:
    found = [
        Button(
            each.name,
            each.label,
            reverse("catalog:duty-move", args=[subject.pk, each.name]),
            each.tone,
        )
        for each in BY_HAND
        if not _why_not(subject, each) and access.allowed(user, each.name, subject)
    ]
    return main_first(found)
