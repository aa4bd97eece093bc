"""One page per move of a demand: what it brings about, what it asks, one call."""

from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalog import queries
from apps.catalog.forms.demands import (
    DemandMoveForm,
    ForwardForm,
    FulfilForm,
    PointOutForm,
    ProposeForm,
    SplitForm,
)
from apps.catalog.lifecycle import DEMAND
from apps.catalog.models import Dataset, Demand
from apps.catalog.operations import demands
from apps.catalog.views.demands.buttons import take_up_url, why_not
from apps.catalog.views.demands.detail import demand_or_404
from apps.core import access
from apps.core.errors import DomainError, StaleRevision
from apps.core.lifecycle import Move

CONSEQUENCES: Final[dict[str, str | Promise]] = {
    "submit": gettext_lazy("将送本部门共享工作机构负责人审批，审批期间不能修改。"),
    "recall": gettext_lazy("需求退回草稿，修改后须再次提交审批。"),
    "approve": gettext_lazy("将以本部门名义报送主管部门，3 个工作日的审核时限随即开始计算。"),
    "send_back": gettext_lazy("需求将退回经办人修改，修改后重新审批。"),
    "forward": gettext_lazy("提供部门须在 3 个工作日内答复，时限随即开始计算。"),
    "point_out": gettext_lazy("需求即告满足；需求部门可以一步转为对该目录的共享申请。"),
    "propose": gettext_lazy("将送本部门共享工作机构负责人签发；签发之前需求部门看不到。"),
    "agree": gettext_lazy("需求部门会收到答复；20 个工作日的落实时限随即开始计算。"),
    "refuse": gettext_lazy("需求部门会收到理由和依据，可以提出异议。"),
    "disown": gettext_lazy("需求退回主管部门，另行确定提供部门。"),
    "fulfil": gettext_lazy("需求部门会收到通知，可以申请该目录的数据。"),
    "contest": gettext_lazy("需求回到主管部门重新审核，审核时限重新计算。"),
    "close": gettext_lazy("需求办结，此后不能再办理。"),
    "withdraw": gettext_lazy("需求不再办理；已转交提供部门的，提供部门会收到通知。"),
}


@login_required
def move(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Confirm a move of a demand, and on POST make it."""
    user: Any = request.user
    subject = demand_or_404(request, pk)
    found = next((each for each in DEMAND.moves if each.name == name), None)
    if found is None:
        raise Http404
    if not access.allowed(user, name, subject):
        raise PermissionDenied
    if name == "take_up":
        return redirect(take_up_url(subject, subject.dataset) or subject.get_absolute_url())
    form = _form(request, found, subject)
    if request.method == "POST" and form.is_valid() and _done(request, form, found, subject):
        messages.success(request, _("已办理：%(move)s") % {"move": found.label})
        seen = access.allowed(user, "view", subject)
        return redirect(subject.get_absolute_url() if seen else reverse("catalog:demands"))
    context = {
        "subject": subject,
        "move": found,
        "form": form,
        "consequence": CONSEQUENCES.get(name, ""),
        "why_not": _not_now(subject, found) or why_not(user, subject, name),
        "back_url": subject.get_absolute_url(),
        "keep": f"demand-{pk}",
        "matches": _offers(subject, name),
        "signing": name in ("agree", "refuse", "disown", "send_back_proposal"),
    }
    return render(request, "catalog/demand_move.html", context)


@login_required
def split(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose which wanted items become a demand of their own."""
    user: Any = request.user
    subject = demand_or_404(request, pk)
    if not access.allowed(user, "split", subject):
        raise PermissionDenied
    form = SplitForm(
        request.POST or None,
        names=subject.item_names,
        initial={"revision": subject.revision, "title": subject.title},
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = demands.split(demand=subject, actor=user, at=timezone.now(), **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("已拆出需求 %(number)s") % {"number": made.number})
            return redirect(made.get_absolute_url())
    context = {"subject": subject, "form": form, "back_url": subject.get_absolute_url()}
    return render(request, "catalog/demand_split.html", context)


def _form(request: HttpRequest, move: Move, subject: Demand) -> DemandMoveForm:
    first: dict[str, Any] = {"revision": subject.revision}
    given: dict[str, Any] = {"move": move, "demand": subject, "initial": first}
    posted = request.POST if request.method == "POST" else None
    match move.name:
        case "forward":
            return ForwardForm(posted, **given)
        case "point_out":
            first["dataset"] = _chosen_code(request)
            return PointOutForm(
                posted, entries=queries.to_be_had_by(subject.department_id), **given
            )
        case "fulfil":
            return FulfilForm(posted, entries=_entries_of_provider(subject), **given)
        case "propose":
            first |= {"proposal": subject.proposal, "reason": subject.reply}
            first |= {"outcome": subject.outcome, "dataset": subject.dataset_id}
            first |= {"promised_on": subject.promised_on, "legal_basis": subject.legal_basis}
            own = Dataset.objects.filter(department=subject.provider).exclude(status="withdrawn")
            if chosen := own.filter(code=_chosen_code(request)).first():
                first |= {"proposal": "agree", "outcome": "existing", "dataset": chosen.pk}
                first["promised_on"] = timezone.localdate()
            return ProposeForm(posted, entries=own.order_by("name"), **given)
        case _:
            return DemandMoveForm(posted, **given)


def _chosen_code(request: HttpRequest) -> str:
    return request.GET.get("dataset", "")[:60].replace("-", "/")


def _entries_of_provider(subject: Demand) -> Any:
    return (
        queries.to_be_had_by(subject.department_id)
        .filter(department=subject.provider)
        .order_by("name")
    )


def _done(request: HttpRequest, form: DemandMoveForm, move: Move, subject: Demand) -> bool:
    """Make the call; on a refusal write it into the form, keeping everything that was typed."""
    try:
        getattr(demands, move.name)(
            demand=subject, actor=request.user, at=timezone.now(), **form.cleaned_data
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


def _not_now(subject: Demand, move: Move) -> str:
    if subject.status in move.sources:
        return ""
    return _("当前状态为“%(status)s”，不能办理") % {"status": subject.get_status_display()}


def _offers(subject: Demand, name: str) -> list[Any]:
    if name == "propose":
        own = _entries_of_provider(subject)
        return queries.supply_for(subject.title, subject.item_names, visible=own)
    if name != "point_out":
        return []
    return list(subject.matches.exclude(decision="declined").select_related("dataset__department"))
