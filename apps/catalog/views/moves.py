"""One page per move: what it brings about, the reason where one is due, one call."""

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
from apps.catalog.lifecycle import DATASET
from apps.catalog.models import Dataset
from apps.catalog.views.detail import dataset_or_404
from apps.core import access
from apps.core.errors import DomainError
from apps.core.lifecycle import Move

CONSEQUENCES: dict[str, str | Promise] = {
    "submit": gettext_lazy("将送本部门共享工作机构负责人审批，审批期间不能修改。"),
    "approve": gettext_lazy("将以本部门名义报送主管部门，审核时限随即开始计算。"),
    "publish": gettext_lazy("目录将向全市各部门公布，形成新的版本；数据表按此建立。"),
    "send_back": gettext_lazy("目录将退回提供部门修改，修改后重新审批。"),
    "request_withdrawal": gettext_lazy("将报主管部门审核；同意之前目录继续有效。"),
    "decline_withdrawal": gettext_lazy("目录继续有效。"),
}


@login_required
def move(request: HttpRequest, code: str, name: str) -> HttpResponse:
    """Confirm a move of an entry, and on POST make it."""
    user: Any = request.user
    subject = dataset_or_404(request, code)
    found = next((each for each in DATASET.moves if each.name == name), None)
    if found is None:
        raise Http404
    if not access.allowed(user, name, subject):
        raise PermissionDenied
    form = MoveForm(request.POST or None, move=found, initial={"revision": subject.revision})
    if request.method == "POST" and form.is_valid():
        try:
            getattr(catalog, name)(
                dataset=subject, actor=user, at=timezone.now(), **form.cleaned_data
            )
        except DomainError as error:
            _tell(form, error)
            subject.refresh_from_db()
        else:
            messages.success(request, _("已办理：%(move)s") % {"move": found.label})
            return redirect(subject.get_absolute_url())
    context = {
        "subject": subject,
        "move": found,
        "form": form,
        "consequence": _consequence(subject, found),
        "why_not": _why_not(subject, found),
    }
    return render(request, "catalog/move.html", context)


def _tell(form: MoveForm, error: DomainError) -> None:
    listed = error.details.get("errors")
    for message in listed if isinstance(listed, list) else [str(error)]:
        form.add_error(None, message)


def _consequence(subject: Dataset, move: Move) -> str | Promise:
    if move.name != "withdraw":
        return CONSEQUENCES[move.name]
    users = queries.departments_using(subject)
    if not users:
        return _("目录将停止使用。现在没有部门在使用其数据。")
    return _("目录将停止使用；正在使用数据的 %(count)s 个部门会收到通知，继续服务六个月。") % {
        "count": len(users)
    }


def _why_not(subject: Dataset, move: Move) -> str:
    if subject.status not in move.sources:
        return _("当前状态为“%(status)s”，不能办理") % {"status": subject.get_status_display()}
    return validation.why_not(move.name, validation.remarks_on(subject, on=timezone.localdate()))
