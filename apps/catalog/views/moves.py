"""One page per move: what it brings about, the reason where one is due, one call."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalog import operations as catalog
from apps.catalog import queries, validation
from apps.catalog.forms import MoveForm
from apps.catalog.lifecycle import CHANGE, DATASET
from apps.catalog.models import Dataset, DatasetChange
from apps.catalog.views.changes import change_or_404
from apps.catalog.views.detail import dataset_or_404
from apps.catalog.views.reviewing import prefilled, review_of
from apps.clocks import queries as clocks
from apps.core import access
from apps.core.errors import DomainError
from apps.core.lifecycle import Lifecycle, Move

CONSEQUENCES: dict[str, str | Promise] = {
    "submit": gettext_lazy("将送本部门共享工作机构负责人审批，审批期间不能修改。"),
    "approve": gettext_lazy("将以本部门名义报送主管部门，审核时限随即开始计算。"),
    "publish": gettext_lazy("目录将向全市各部门公布，形成新的版本；数据表按此建立。"),
    "send_back": gettext_lazy("目录将退回提供部门修改，修改后重新审批。"),
    "request_withdrawal": gettext_lazy("将报主管部门审核；同意之前目录继续有效。"),
    "decline_withdrawal": gettext_lazy("目录继续有效。"),
    "submit_change": gettext_lazy(
        "将送本部门共享工作机构负责人审批；审批期间不能修改，现行版本继续有效。"
    ),
    "approve_change": gettext_lazy(
        "将以本部门名义报送主管部门，审核时限随即开始计算；现行版本继续有效。"
    ),
    "publish_change": gettext_lazy(
        "目录随即成为新的版本，向全市各部门公布；数据表按新的约定调整。"
    ),
    "send_back_change": gettext_lazy("变更将退回提供部门修改；现行版本继续有效。"),
    "abandon_change": gettext_lazy("这次变更不再办理，已写的内容留档备查；现行版本继续有效。"),
}


@login_required
def move(request: HttpRequest, code: str, name: str) -> HttpResponse:
    """Confirm a move of an entry, and on POST make it."""
    user: Any = request.user
    subject = dataset_or_404(request, code)
    found = _permitted(request, DATASET, name, subject)
    shown = {
        "dataset": subject,
        "consequence": _consequence(subject, found),
        "why_not": _why_not(subject, found, lambda: _remarks(subject)),
    }
    review = review_of(user, subject)
    return _confirmed(request, subject, found, {"dataset": subject}, {**review, **shown})


@login_required
def change_move(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Confirm a move of a change, and on POST make it."""
    user: Any = request.user
    subject = change_or_404(request, pk)
    found = _permitted(request, CHANGE, name, subject)
    shown = {
        "dataset": subject.dataset,
        "consequence": CONSEQUENCES[name],
        "why_not": _why_not(subject, found, lambda: _change_remarks(subject)),
    }
    review = review_of(user, subject.dataset, subject)
    return _confirmed(request, subject, found, {"change": subject}, {**review, **shown})


@login_required
def delete_draft(request: HttpRequest, code: str) -> HttpResponse:
    """Confirm that a draft is deleted, and on POST delete it."""
    user: Any = request.user
    subject = dataset_or_404(request, code)
    if not access.allowed(user, "delete_draft", subject):
        raise PermissionDenied
    if request.method == "POST":
        revision = request.POST.get("revision", "")
        try:
            catalog.delete_draft(
                dataset=subject,
                actor=user,
                at=timezone.now(),
                revision=int(revision) if revision.isdecimal() else None,
            )
        except DomainError as error:
            messages.error(request, str(error))
            return redirect(subject)
        messages.success(request, _("已删除草稿“%(name)s”") % {"name": subject.name})
        return redirect("catalog:datasets")
    return render(request, "catalog/delete_draft.html", {"subject": subject})


def _permitted(
    request: HttpRequest, lifecycle: Lifecycle, name: str, subject: Dataset | DatasetChange
) -> Move:
    found = next((each for each in lifecycle.moves if each.name == name), None)
    if found is None:
        raise Http404
    if not access.allowed(request.user, name, subject):
        raise PermissionDenied
    return found


def _confirmed(
    request: HttpRequest,
    subject: Dataset | DatasetChange,
    found: Move,
    named: dict[str, Any],
    shown: dict[str, Any],
) -> HttpResponse:
    """Ask once more, then make the move; what was said at single fields is offered as the words."""
    user: Any = request.user
    said = shown["latest"].remarks if shown.get("open_round") and "send_back" in found.name else ()
    initial = {"revision": subject.revision, "reason": prefilled(said)}
    form = MoveForm(request.POST or None, move=found, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            getattr(catalog, found.name)(
                **named, actor=user, at=timezone.now(), **form.cleaned_data
            )
        except DomainError as error:
            _tell(form, error)
            subject.refresh_from_db()
        else:
            messages.success(request, _("已办理：%(move)s") % {"move": found.label})
            return redirect(subject.get_absolute_url())
    context = {**shown, "subject": subject, "move": found, "form": form}
    return render(request, "catalog/move.html", context)


def _tell(form: MoveForm, error: DomainError) -> None:
    listed = error.details.get("errors")
    for message in listed if isinstance(listed, list) else [str(error)]:
        form.add_error(None, message)


def _consequence(subject: Dataset, move: Move) -> str | Promise:
    if move.name not in ("withdraw", "request_withdrawal"):
        return CONSEQUENCES[move.name]
    users = queries.departments_using(subject)
    if move.name == "request_withdrawal":
        using = _("现在有 %(count)s 个部门在使用其数据。") % {"count": len(users)}
        return f"{CONSEQUENCES[move.name]}{using}" if users else CONSEQUENCES[move.name]
    if not users:
        return _("目录将停止使用。现在没有部门在使用其数据。")
    policy = clocks.policy_in_force("catalog.withdraw_wind_down", timezone.localdate())
    return _(
        "目录将停止使用；正在使用数据的 %(count)s 个部门会收到通知，"
        "继续服务 %(length)s %(unit)s，到期授权终止。"
    ) % {"count": len(users), "length": policy.length, "unit": policy.get_unit_display()}


def _why_not(
    subject: Dataset | DatasetChange, move: Move, remarks: Callable[[], list[validation.Remark]]
) -> str:
    if subject.status not in move.sources:
        return _("当前状态为“%(status)s”，不能办理") % {"status": subject.get_status_display()}
    return validation.why_not(move.name, remarks())


def _remarks(subject: Dataset) -> list[validation.Remark]:
    return validation.remarks_on(subject, on=timezone.localdate())


def _change_remarks(subject: DatasetChange) -> list[validation.Remark]:
    return queries.remarks_on_change(subject, on=timezone.localdate())
